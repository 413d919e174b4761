/* Forms that neither overflow nor cancel, in place of the textbook's; and the arithmetic that is
 * written for a few special functions in the end. Both are rules on a node with made operands. */
#include "plugin/formula/expr.h"

#include <math.h>

/* What is replaced by what; the first that fits. a and b are any expressions, c is a number above 0. */
static const char *const rules[][2] = {
    /* the logistic function and tanh in their many dresses */
    {"expm1(a)/(exp(a) + 1)", "tanh(a/2)"},
    {"exp(a)/(exp(a) + 1)", "sigmoid(a)"},
    {"b*exp(a)/(exp(a) + 1)", "b*sigmoid(a)"},
    {"b/(exp(a) + 1)", "b*sigmoid(-a)"},
    {"(exp(a) - exp(-a))/(exp(a) + exp(-a))", "tanh(a)"},
    {"log(exp(a))", "a"},
    {"log(sigmoid(a))", "-softplus(-a)"},
    {"log(1 - a)", "log1p(-a)"},
    {"log(c + exp(a))", "softplus(a - log(c)) + log(c)"},
    {"log(1 + a)", "log1p(a)"},
    {"log(exp(a) + exp(b))", "a + softplus(b - a)"},
    {"log1p(exp(a))", "softplus(a)"},
    {"exp(a) - 1", "expm1(a)"},
    {"1 - exp(a)", "-expm1(a)"},
    {"1 - sigmoid(a)", "sigmoid(-a)"},
    /* what cancels for negative a, by what is 0 there */
    {"1 + erf(a)", "2*normal(sqrt(2)*a)"},
    {"1 - erf(a)", "2*normal(-sqrt(2)*a)"},
    {"1 + tanh(a)", "2*sigmoid(2*a)"},
    {"1 - tanh(a)", "2*sigmoid(-2*a)"},
    {"a + sqrt(a^2 + b)", "2*root_sum(a, b)"},
    {"tanh(softplus(a))", "tanh_log(exp(cap(a)))"},
    {"tanh(log1p(sigmoid(a)))", "tanh_log(sigmoid(a))"},
};
enum { RULES = sizeof rules / sizeof *rules, LETTERS = 3 };

/* The left sides as expressions of their own; their letters are parameters. */
typedef struct pattern_set {
    formula f;
    expr roots[RULES];
} pattern_set;

/* Whether e has the form of a pattern; found[] is what its letters stand for, NO_EXPR at first. */
static bool matches(formula *f, expr e, const formula *of, expr pattern, expr found[LETTERS])
{
    const node it = f->nodes[e], wanted = of->nodes[pattern];
    if (wanted.op == OP_PARAM) {
        expr *letter = &found[wanted.a];
        if (*letter == NO_EXPR && (wanted.a < 2 || (it.op == OP_NUMBER && it.value > 0)))
            *letter = e;
        return *letter == e;
    }
    if (wanted.op == OP_NUMBER)
        return formula_is_number(f, e, wanted.value);
    if (wanted.op == OP_NEG) /* of a letter that is known, as are powers */
        return e == formula_negate(f, found[of->nodes[wanted.a].a]);
    if (it.op != wanted.op)
        return false;
    if (wanted.op == OP_POW)
        return e == formula_power(f, found[of->nodes[wanted.a].a], formula_number(f, wanted.value));
    for (int turn = 0; turn <= (it.op == OP_ADD); turn++) {
        expr tried[LETTERS] = {found[0], found[1], found[2]};
        if (matches(f, turn ? it.b : it.a, of, wanted.a, tried) &&
            (wanted.b == NO_EXPR || matches(f, turn ? it.a : it.b, of, wanted.b, tried))) {
            for (int i = 0; i < LETTERS; i++)
                found[i] = tried[i];
            return true;
        }
    }
    return false;
}

/* An exponential in a product that a saturating function takes: past 20 it may as well stand. */
static expr cap_factors(formula *f, expr e)
{
    const node it = f->nodes[e];
    if (it.op == OP_EXP && !formula_is_op(f, it.a, OP_CAP))
        return formula_build(f, "exp(cap(a))", it.a);
    if (it.op == OP_MUL)
        return formula_mul(f, cap_factors(f, it.a), cap_factors(f, it.b));
    return e;
}

static expr stable_form(formula *f, expr e, void *user)
{
    const pattern_set *all = user;
    const opcode op = f->nodes[e].op;
    for (int i = 0; i < RULES; i++) {
        expr found[LETTERS] = {NO_EXPR, NO_EXPR, NO_EXPR};
        if (matches(f, e, &all->f, all->roots[i], found))
            return formula_build_from(f, rules[i][1], found);
    }
    if (op == OP_TANH || op == OP_ERF || op == OP_SIGMOID)
        return formula_unary(f, op, cap_factors(f, f->nodes[e].a));
    return e;
}

expr formula_stabilise(formula *f, expr e)
{
    static pattern_set all;
    if (all.f.n_nodes == 0) {
        expr letters[LETTERS];
        for (int i = 0; i < LETTERS; i++)
            letters[i] = formula_leaf(&all.f, OP_PARAM, i);
        for (int i = 0; i < RULES; i++)
            all.roots[i] = formula_build_from(&all.f, rules[i][0], letters);
    }
    return formula_rebuild(f, e, stable_form, &all, false);
}

/* By squaring: x^5 = (x^2)^2 x. */
static expr multiplied(formula *f, expr u, double n)
{
    if (n <= 1)
        return u;
    if (fmod(n, 2) == 1)
        return formula_binary(f, OP_MUL, multiplied(f, u, n - 1), u);
    expr half = multiplied(f, u, n / 2);
    return formula_binary(f, OP_MUL, half, half);
}

/* s = (|a| + sqrt(a^2 + b)) / 2, and b / (4 s) where a is negative; no square of what is large. */
static expr root_sum(formula *f, expr a, expr b)
{
    expr size = formula_unary(f, OP_ABS, a), two = formula_number(f, 2),
         quarter = formula_divide(f, b, formula_number(f, 4)),
         square = formula_binary(f, OP_MUL, a, a), root;
    root = formula_unary(f, OP_SQRT, formula_binary(f, OP_ADD, square, b));
    root = formula_build(f, "1e18 < a ? a : b", size, root);
    expr s = formula_binary(f, OP_ADD, formula_binary(f, OP_DIV, size, two),
                            formula_binary(f, OP_DIV, root, two));
    return formula_build(f, "a < 0 ? b : c", a, formula_binary(f, OP_DIV, quarter, s), s);
}

static expr plain_form(formula *f, expr e, void *user)
{
    (void)user;
    const node it = f->nodes[e];
    const expr two = formula_number(f, 2);
    if (it.op == OP_ROOT_SUM)
        return root_sum(f, it.a, it.b);
    if (it.op == OP_POW)
        return multiplied(f, it.a, it.value);
    if (it.op == OP_TAN)
        return formula_binary(f, OP_DIV,
                              formula_make_raw(f, (node){OP_SIN, it.a, NO_EXPR, NO_EXPR, 0}),
                              formula_make_raw(f, (node){OP_COS, it.a, NO_EXPR, NO_EXPR, 0}));
    if (it.op == OP_TANH_LOG) { /* w = 1 + a: (w^2 - 1) / (w^2 + 1) = m / (m + 2), m = a (a + 2) */
        expr m = formula_binary(f, OP_MUL, it.a, formula_binary(f, OP_ADD, it.a, two));
        return formula_binary(f, OP_DIV, m, formula_binary(f, OP_ADD, m, two));
    }
    if (it.op != OP_DIV || !formula_is_op(f, it.b, OP_MUL))
        return e;
    /* a / (u sqrt(u)), without a division and without overflow */
    const node below = f->nodes[it.b];
    const bool first = formula_is_op(f, below.a, OP_SQRT);
    const expr root = first ? below.a : below.b, u = first ? below.b : below.a;
    if (!formula_is_op(f, root, OP_SQRT) || f->nodes[root].a != u)
        return e;
    expr r = formula_binary(f, OP_DIV, formula_number(f, 1), root);
    expr cube = formula_binary(f, OP_MUL, formula_binary(f, OP_MUL, r, r), r);
    return formula_is_number(f, it.a, 1) ? cube : formula_binary(f, OP_MUL, it.a, cube);
}

expr formula_lower(formula *f, expr e)
{
    return formula_rebuild(f, e, plain_form, NULL, true);
}
