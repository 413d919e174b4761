/* expr.h - formulas as expressions.
 *
 * An expression is the index of a node in its formula. Equal expressions are the same node, so what
 * occurs twice is seen to be shared, and operands stand before what is made of them: a loop over
 * the nodes in order is an evaluation. Nodes are made by functions that simplify on the way. A
 * formula that needs too many nodes is marked full, and its expressions mean nothing then. */
#pragma once
#include "plugin/formula/formula.h"
#include <hillock/plugin.h>

typedef enum opcode {
    OP_NUMBER, /* value */
    OP_X,
    OP_Y,         /* the function's own value, in a slope */
    OP_SURROGATE, /* a condition: backward uses its surrogate */
    OP_PARAM,     /* a = index among the parameters */
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_POW, /* a to the whole number `value`, 2 or more; as written: to b */
    OP_MIN,
    OP_MAX,
    OP_ROOT_SUM, /* (a + sqrt(a^2 + b)) / 2 */
    OP_LESS,     /* conditions, only in a SELECT */
    OP_AT_MOST,
    OP_EQUAL,
    OP_SELECT, /* a ? b : c */
    OP_NEG,    /* the rest: functions of one argument */
    OP_ABS,
    OP_SIGN,
    OP_FLOOR,
    OP_CAP, /* min(value, a) where more makes no difference, so that its slope counts as that of a */
    OP_CLAMP, /* a in a range in which it has an own value: sin(1e38) is as good as any number */
    OP_EXP,
    OP_EXPM1,
    OP_LOG,
    OP_LOG1P,
    OP_SQRT,
    OP_SIN,
    OP_COS,
    OP_TAN,
    OP_ATAN,
    OP_TANH,
    OP_SIGMOID,
    OP_SOFTPLUS,
    OP_ERF,
    OP_ERFC,
    OP_NORMAL,   /* the normal distribution function */
    OP_BELL,     /* exp(-a^2 / 2) */
    OP_SECH2,    /* 1 - tanh(a)^2 */
    OP_TANH_LOG, /* tanh(log(1 + a)), a >= 0 */
    OP_LOG_COSH,
    OP_COUNT
} opcode;

typedef int expr;
enum { MAX_NODES = 32768, NO_EXPR = -1 };
#define CLAMP_AT 1e30

typedef struct node {
    opcode op;
    expr a, b, c; /* operands, NO_EXPR where there is none */
    double value;
} node;

struct formula {
    node nodes[MAX_NODES];
    int n_nodes;
    int slots[2 * MAX_NODES]; /* hash table: index + 1 of a node, 0 for none */
    bool full;
    bool as_written; /* the parser makes nodes as they stand */
    bool precise;    /* derivatives: no difference of nearly equal numbers, at some cost */
    bool guarded;    /* derivatives: roots divide by at least 1e-19 */
    bool without_y;  /* slopes are written with x alone: HK_POINTWISE reads no y */
    const parameter *parameters;
    int n_parameters;
};

/* ---- Making expressions (expr.c, simplify.c) ------------------------------------------------- */
expr formula_make_raw(formula *f, node wanted);             /* as it stands */
expr formula_binary(formula *f, opcode op, expr a, expr b); /* the same, of two operands */
expr formula_make(formula *f, node wanted);                 /* through the functions below */
expr formula_number(formula *f, double value);
expr formula_leaf(formula *f, opcode op, int index);
expr formula_add(formula *f, expr a, expr b);
expr formula_sub(formula *f, expr a, expr b);
expr formula_mul(formula *f, expr a, expr b);
expr formula_divide(formula *f, expr a, expr b);
expr formula_negate(formula *f, expr a);
expr formula_power(formula *f, expr a, expr b);
expr formula_unary(formula *f, opcode op, expr a);
expr formula_extreme(formula *f, opcode op, expr a, expr b); /* OP_MIN, OP_MAX */
expr formula_compare(formula *f, opcode op, expr a, expr b);
expr formula_choose(formula *f, expr condition, expr yes, expr no);

/* From a text of ours, in which a, b, c ... stand for the operands: "a/(1 + b)". (parse.c) */
#define formula_build(f, text, ...) formula_build_from(f, text, (const expr[]){__VA_ARGS__})
expr formula_build_from(formula *f, const char *text, const expr *operands);

bool formula_is_whole(double value); /* and short enough to be written as an int */
bool formula_is_op(const formula *f, expr e, opcode op);
bool formula_is_number(const formula *f, expr e, double value);
bool formula_is_condition(const formula *f, expr e);
bool formula_contains(const formula *f, expr whole, expr part);
bool formula_contains_op(const formula *f, expr whole, opcode op);
/* Which of the first whole + 1 nodes `whole` is made of. */
void formula_mark(const formula *f, expr whole, bool in[MAX_NODES]);
/* How many functions, exp, sqrt and dearer, are computed for all of these. */
int formula_count_functions(const formula *f, const expr *roots, int n_roots);

/* Remakes an expression from its operands up; `rule` turns each remade node into what stands for
 * it. `raw`: nodes are remade as they stand. */
typedef expr rewrite(formula *f, expr e, void *user);
expr formula_rebuild(formula *f, expr e, rewrite *rule, void *user, bool raw);

/* ---- What is done with them ------------------------------------------------------------------ */
expr formula_parse(formula *f, const char *text, bool with_y, formula_error *error);
/* Forms that neither overflow nor cancel. */
expr formula_stabilise(formula *f, expr e);
/* d e / d by, a leaf. */
expr formula_derive(formula *f, expr e, expr by);
/* `slope` with y, an expression in OP_Y that stands for `value`; with `conditions` x > 0 and the like
 * become y > 0, too. Not always right. */
expr formula_slope_by_y(formula *f, expr value, expr y, expr slope, bool conditions);
/* Powers and special functions as arithmetic that can be written in C. */
expr formula_lower(formula *f, expr e);

/* Values at a point, in extended precision or rounded after each operation: to double, or to float, as
 * kernels do; UP and DOWN: functions err by one unit of a number just above 1. DISTURBED: in extended
 * precision, each operation wrong by 2^-60 of its result, which shows how many digits are sure. */
typedef enum arithmetic {
    IN_EXTENDED,
    DISTURBED,
    IN_DOUBLE,
    IN_FLOAT,
    IN_FLOAT_UP,
    IN_FLOAT_DOWN
} arithmetic;

typedef struct point {
    long double x, y;
    const double *parameters;
    arithmetic in;
} point;
long double formula_evaluate(const formula *f, expr e, const point *at);

/* Bounds put on x in a body: infinite where there is none. */
typedef struct bounds {
    double low, high;
} bounds;

/* The formula as its author wrote it, for extended precision. */
typedef struct original {
    formula f;
    expr value;
    bool is_periodic; /* in parts: it has sines or steps */
} original;
void formula_read_original(original *o, const char *text, formula_error *error);

/* The parameters' values in a trial: in 0 their defaults; then one at a time has the ends of its
 * range or, where there is none, is moved down and up; then it is 0, then turned to the other side,
 * as far as its range allows. *moved is the index of that one, -1 in trial 0. */
enum { SOME_MOVES = 2, ALL_MOVES = 4 };
void formula_set_parameters(const formula *f, int trial, double values[64], int *moved);

/* A derivative by differences in extended precision: it lies between the quotients of both sides. */
typedef struct quotients {
    double low, high;
    bool known; /* else rounding hides them */
} quotients;
/* The value, as both ends, where rounding does not show in it. */
quotients formula_find_value(const original *o, double x, const double *parameters);
/* By x, where `by` is -1, or by a parameter. */
quotients formula_find_quotients(const original *o, double x, const double *parameters, int by);

/* What is written is not the formula, or float cannot compute it: the first root and point found. */
typedef struct fault {
    int root; /* -1: none */
    double x, is, should;
    int moved; /* the parameter that has another value than its default; -1: none */
    double setting;
    bool in_float; /* in double it is right */
} fault;
/* Of one root, up to |x| = reach. */
fault formula_find_fault(const formula *f, const original *o, const expr *roots, int root,
                         bounds within, double reach);

/* roots[0] is the value, roots[1] the slope, the rest the gradients of learned parameters; these
 * may be written with y. Decides by trial between the forms of the slopes. (trial.c) */
void formula_choose_slopes(formula *f, expr *roots, int n_roots);
/* Bounds beyond which all of these are constant, if only there they are no numbers or, of a slope,
 * wrong. */
bounds formula_find_bounds(const formula *f, const original *o, expr value, const expr *roots,
                           int n_roots);
/* A point where a root is no number, within the bounds; false: none. */
bool formula_find_undefined(const formula *f, expr value, const expr *roots, int n_roots,
                            bounds within, double *at);
/* Whether both have one value in extended precision, to a trillionth, wherever p is a number. */
bool formula_is_same(const formula *f, expr p, expr q);
/* Whether a float overflows where x does not. */
bool formula_can_overflow(const formula *f, expr e);
/* A point up to 1e30 whose value a float could hold, but not what leads to it; false: none. */
bool formula_find_overflow(const formula *f, expr value, double *at);
/* A point where two slopes differ; false: none. */
bool formula_find_difference(const formula *f, expr value, expr p, expr q, double *at);

/* The statements of a body that returns roots[0], or by `slot` one of several. `margin` is the
 * column at which the statements begin; the first line is begun already. (print.c) */
void formula_print_body(const formula *f, const expr *roots, int n_roots, bounds within, int margin,
                        FILE *to);
/* How a parameter is written: a.p[0], a.t[SLOPE]. */
void formula_print_parameter(const formula *f, int index, FILE *to);
/* Its name in capitals, changed where C has a macro of that name. */
void formula_print_capitals(const char *name, FILE *to);

/* ---- Of a plugin (declared.c) ---------------------------------------------------------------- */

/* A plugin's .formula. Parameter i of it is parameter i of the plugin; those from n_params on are its
 * slots, in order. */
typedef struct declared {
    original as_written;
    formula f;
    expr value; /* in f: in a form that neither overflows nor cancels, of operations that C has */
    expr slope; /* its derivative, by calculus; 0: it was too large */
    parameter parameters[HK_MAX_PARAMS + HK_MAX_SLOTS];
    int n_params;
} declared;
/* To be freed; NULL with the error. The plugin has a formula. */
declared *formula_declared(const hk_plugin *plugin, formula_error *error);
