/* Derivatives, by the rules of calculus. At a kink the slope is that of max(0, x) at 0, 0,
 * or that of min(0, x), 1: their sum has the right one. sign and floor have none. */
#include "plugin/formula/expr.h"

typedef struct derivation {
    formula *f;
    expr by;
    expr done[MAX_NODES]; /* derivative + 1; 0: not yet */
} derivation;

static expr slope_of(derivation *d, expr e);

static expr tanh_slope(formula *f, expr u, expr t)
{
    expr one = number(f, 1);
    return f->precise ? unary(f, OP_SECH2, u) : mul(f, sub(f, one, t), add(f, one, t));
}

static expr sigmoid_slope(formula *f, expr u, expr s)
{
    expr rest = f->precise ? unary(f, OP_SIGMOID, negate(f, u)) : sub(f, number(f, 1), s);
    return mul(f, s, rest);
}

/* m = a (a + 2), w = 1 + a: d m / (m + 2) = 4 w / (m + 2)^2, and m + 2 = w^2 + 1. */
static expr tanh_log_slope(formula *f, expr a)
{
    expr two = number(f, 2), below = add(f, mul(f, a, add(f, a, two)), two);
    return divide(f, mul(f, number(f, 4), add(f, a, number(f, 1))), power(f, below, two));
}

/* d f(u) / d u. */
static expr outer_slope(formula *f, opcode op, expr u, expr y)
{
    expr one = number(f, 1), two = number(f, 2), square = power(f, u, two);
    switch (op) {
    case OP_ABS: return unary(f, OP_SIGN, u);
    case OP_CAP: return one;
    case OP_EXP: return y;
    case OP_EXPM1: return unary(f, OP_EXP, u);
    case OP_LOG: return divide(f, one, u);
    case OP_LOG1P: return divide(f, one, add(f, one, u));
    case OP_SQRT: return divide(f, one, mul(f, two, y));
    case OP_SIN: return unary(f, OP_COS, u);
    case OP_COS: return negate(f, unary(f, OP_SIN, u));
    case OP_TAN: return add(f, one, power(f, y, two));
    case OP_ATAN: return divide(f, one, add(f, one, square));
    case OP_TANH: return tanh_slope(f, u, y);
    case OP_SIGMOID: return sigmoid_slope(f, u, y);
    case OP_SOFTPLUS: return unary(f, OP_SIGMOID, u);
    case OP_ERF:
    case OP_ERFC:
        return mul(f, number(f, (op == OP_ERF ? 2 : -2) * 0.56418958354775628695),
                   unary(f, OP_EXP, negate(f, square)));
    case OP_NORMAL:
        return mul(f, number(f, 0.39894228040143267794), /* 1 / sqrt(2 pi) */
                   unary(f, OP_BELL, u));
    case OP_TANH_LOG: return tanh_log_slope(f, u);
    default: return number(f, 0); /* sign, floor */
    }
}

/* (a' b - a b') / b^2 where its numerator is simple, else (a' - y b') / b, which overflows later.
 * Where b = sqrt(u), the former is (a' u - a b' b) / (u b). */
static expr quotient_slope(formula *f, node it, expr y, expr da, expr db)
{
    node below = f->nodes[it.b];
    expr by = below.op == OP_SQRT ? it.b : number(f, 1);
    if (is_number(f, db, 0))
        return divide(f, da, it.b);
    expr above = sub(f, mul(f, da, mul(f, it.b, by)), mul(f, it.a, mul(f, db, by)));
    if (f->nodes[above].op == OP_NUMBER)
        return divide(f, above, mul(f, power(f, it.b, number(f, 2)), by));
    return divide(f, sub(f, da, mul(f, y, db)), it.b);
}

/* s = (a + r) / 2 with r = sqrt(a^2 + b): s' = (s a' + b' / 4) / r, and r = s - (a - s). */
static expr root_sum_slope(formula *f, node it, expr s, expr da, expr db)
{
    expr above = add(f, mul(f, s, da), divide(f, db, number(f, 4)));
    return divide(f, above, sub(f, s, sub(f, it.a, s)));
}

static expr arithmetic_slope(derivation *d, node it, expr e)
{
    formula *f = d->f;
    expr da = slope_of(d, it.a), db = it.b < 0 ? NO_EXPR : slope_of(d, it.b);
    switch (it.op) {
    case OP_ADD: return add(f, da, db);
    case OP_SUB: return sub(f, da, db);
    case OP_MUL: return add(f, mul(f, da, it.b), mul(f, it.a, db));
    case OP_DIV: return quotient_slope(f, it, e, da, db);
    case OP_MIN: return choose(f, compare(f, OP_AT_MOST, it.b, it.a), db, da);
    case OP_MAX: return choose(f, compare(f, OP_LESS, it.a, it.b), db, da);
    case OP_ROOT_SUM: return root_sum_slope(f, it, e, da, db);
    case OP_NEG: return negate(f, da);
    default:
        return mul(f, number(f, it.value), mul(f, power(f, it.a, number(f, it.value - 1)), da));
    }
}

static expr slope_of(derivation *d, expr e)
{
    formula *f = d->f;
    node it = f->nodes[e];
    expr made;
    if (d->done[e])
        return d->done[e] - 1;
    if (e == d->by)
        made = number(f, 1);
    else if (it.op <= OP_PARAM)
        made = number(f, 0);
    else if (it.op == OP_SELECT)
        made = choose(f, it.a, slope_of(d, it.b), slope_of(d, it.c));
    else if (it.op <= OP_ROOT_SUM || it.op == OP_NEG)
        made = arithmetic_slope(d, it, e);
    else
        made = mul(f, outer_slope(f, it.op, it.a, e), slope_of(d, it.a));
    d->done[e] = made + 1;
    return made;
}

expr derive(formula *f, expr e, expr by)
{
    derivation d = {.f = f, .by = by};
    return slope_of(&d, e);
}
