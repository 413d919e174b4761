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
    {"log((exp(a) + exp(-a))/2)", "log_cosh(a)"},
    {"log(0.5*(exp(a) + exp(-a)))", "log_cosh(a)"},
    {"log(exp(a)/2 + exp(-a)/2)", "log_cosh(a)"},
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

/* A product's exponentials and its other factors. */
typedef struct factors {
    expr exponent, rest; /* exp(exponent) * rest */
    int n_exponentials;
    double size;   /* of the number among them */
    bool can_be_0; /* a parameter among them can, or what is made of one */
} factors;

static void find_factors(formula *f, expr e, factors *all)
{
    const node it = f->nodes[e];
    if (it.op == OP_MUL) {
        find_factors(f, it.a, all);
        find_factors(f, it.b, all);
    } else if (it.op == OP_EXP && !formula_is_op(f, it.a, OP_CAP)) {
        all->exponent = all->n_exponentials++ ? formula_add(f, all->exponent, it.a) : it.a;
    } else {
        const parameter *p = it.op == OP_PARAM ? &f->parameters[it.a] : NULL;
        all->rest = formula_mul(f, all->rest, e);
        all->size = it.op == OP_NUMBER ? fabs(it.value) : all->size;
        all->can_be_0 |= p ? !(p->low < p->high && (p->low >= 1e-6 || p->high <= -1e-6))
                           : formula_contains_op(f, e, OP_PARAM);
    }
}

/* e with its exponentials as one that ends at exp(cap). */
static expr cap_product(formula *f, expr e, const factors *all, double cap)
{
    const node it = f->nodes[e];
    if (all->n_exponentials > 1 || it.op == OP_EXP) {
        const node capped = {OP_CAP, all->exponent, NO_EXPR, NO_EXPR, cap};
        const expr end = formula_is_op(f, all->exponent, OP_NUMBER) ? all->exponent
                                                                    : formula_make_raw(f, capped);
        const expr power = formula_unary(f, OP_EXP, end);
        return it.op == OP_EXP ? power : formula_mul(f, all->rest, power);
    }
    return it.op == OP_MUL
               ? formula_mul(f, cap_product(f, it.a, all, cap), cap_product(f, it.b, all, cap))
               : e;
}

/* The saturating function `op` of a product with an exponential, which may as well stand from where
 * the function has its last value, if that is so whatever the other factors are: exp(20) times 1e-6
 * is enough for that, exp(80) times any number that a float tells from 0. */
static expr saturate(formula *f, opcode op, expr e)
{
    factors all = {.rest = formula_number(f, 1), .size = 1};
    const expr plain = formula_unary(f, op, e);
    find_factors(f, e, &all);
    if (!all.n_exponentials || f->full)
        return plain;
    const double near = 20 + fmax(0, ceil(-log(all.size)));
    for (double cap = all.can_be_0 ? 80 : near; cap <= 80; cap = cap < 80 ? 80 : 81) {
        const expr capped = formula_unary(f, op, cap_product(f, e, &all, cap));
        if (formula_is_same(f, plain, capped))
            return capped;
    }
    return plain;
}

static expr stable_form(formula *f, expr e, void *user)
{
    const pattern_set *all = user;
    const node it = f->nodes[e];
    for (int i = 0; i < RULES; i++) {
        expr found[LETTERS] = {NO_EXPR, NO_EXPR, NO_EXPR};
        if (matches(f, e, &all->f, all->roots[i], found))
            return formula_build_from(f, rules[i][1], found);
    }
    if (it.op == OP_TANH || it.op == OP_ERF || it.op == OP_SIGMOID)
        return saturate(f, it.op, it.a);
    const bool is_periodic = it.op == OP_SIN || it.op == OP_COS || it.op == OP_TAN;
    if (is_periodic && !formula_is_op(f, it.a, OP_CLAMP) && formula_can_overflow(f, it.a))
        return formula_unary(f, it.op, formula_unary(f, OP_CLAMP, it.a));
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
    if (it.op == OP_LOG_COSH) /* |a| + log((1 + exp(-2 |a|)) / 2) */
        return formula_build(f, "a + log1p(expm1(-2*a)/2)", formula_unary(f, OP_ABS, it.a));
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
