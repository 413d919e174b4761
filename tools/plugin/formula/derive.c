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
    expr one = formula_number(f, 1);
    return f->precise ? formula_unary(f, OP_SECH2, u)
                      : formula_mul(f, formula_sub(f, one, t), formula_add(f, one, t));
}

static expr sigmoid_slope(formula *f, expr u, expr s)
{
    expr rest = f->precise ? formula_unary(f, OP_SIGMOID, formula_negate(f, u))
                           : formula_sub(f, formula_number(f, 1), s);
    return formula_mul(f, s, rest);
}

/* m = a (a + 2), w = 1 + a: d m / (m + 2) = 4 w / (m + 2)^2, and m + 2 = w^2 + 1. */
static expr tanh_log_slope(formula *f, expr a)
{
    expr two = formula_number(f, 2),
         below = formula_add(f, formula_mul(f, a, formula_add(f, a, two)), two);
    return formula_divide(
        f, formula_mul(f, formula_number(f, 4), formula_add(f, a, formula_number(f, 1))),
        formula_power(f, below, two));
}

/* d f(u) / d u. */
static expr outer_slope(formula *f, opcode op, expr u, expr y)
{
    expr one = formula_number(f, 1), two = formula_number(f, 2), square = formula_power(f, u, two);
    switch (op) {
    case OP_ABS: return formula_unary(f, OP_SIGN, u);
    case OP_CAP: return one;
    case OP_EXP: return y;
    case OP_EXPM1: return formula_unary(f, OP_EXP, u);
    case OP_LOG: return formula_divide(f, one, u);
    case OP_LOG1P: return formula_divide(f, one, formula_add(f, one, u));
    case OP_SQRT: return formula_divide(f, one, formula_mul(f, two, y));
    case OP_SIN: return formula_unary(f, OP_COS, u);
    case OP_COS: return formula_negate(f, formula_unary(f, OP_SIN, u));
    case OP_TAN: return formula_add(f, one, formula_power(f, y, two));
    case OP_ATAN: return formula_divide(f, one, formula_add(f, one, square));
    case OP_TANH: return tanh_slope(f, u, y);
    case OP_SIGMOID: return sigmoid_slope(f, u, y);
    case OP_SOFTPLUS: return formula_unary(f, OP_SIGMOID, u);
    case OP_ERF:
    case OP_ERFC:
        return formula_mul(f, formula_number(f, (op == OP_ERF ? 2 : -2) * 0.56418958354775628695),
                           formula_unary(f, OP_EXP, formula_negate(f, square)));
    case OP_NORMAL:
        return formula_mul(f, formula_number(f, 0.39894228040143267794), /* 1 / sqrt(2 pi) */
                           formula_unary(f, OP_BELL, u));
    case OP_TANH_LOG: return tanh_log_slope(f, u);
    default: return formula_number(f, 0); /* sign, floor */
    }
}

/* (a' b - a b') / b^2 where its numerator is simple, else (a' - y b') / b, which overflows later.
 * Where b = sqrt(u), the former is (a' u - a b' b) / (u b). */
static expr quotient_slope(formula *f, node it, expr y, expr da, expr db)
{
    node below = f->nodes[it.b];
    expr by = below.op == OP_SQRT ? it.b : formula_number(f, 1);
    if (formula_is_number(f, db, 0))
        return formula_divide(f, da, it.b);
    expr above = formula_sub(f, formula_mul(f, da, formula_mul(f, it.b, by)),
                             formula_mul(f, it.a, formula_mul(f, db, by)));
    if (f->nodes[above].op == OP_NUMBER)
        return formula_divide(f, above,
                              formula_mul(f, formula_power(f, it.b, formula_number(f, 2)), by));
    return formula_divide(f, formula_sub(f, da, formula_mul(f, y, db)), it.b);
}

/* s = (a + r) / 2 with r = sqrt(a^2 + b): s' = (s a' + b' / 4) / r, and r = s - (a - s). */
static expr root_sum_slope(formula *f, node it, expr s, expr da, expr db)
{
    expr above = formula_add(f, formula_mul(f, s, da), formula_divide(f, db, formula_number(f, 4)));
    return formula_divide(f, above, formula_sub(f, s, formula_sub(f, it.a, s)));
}

static expr arithmetic_slope(derivation *d, node it, expr e)
{
    formula *f = d->f;
    expr da = slope_of(d, it.a), db = it.b < 0 ? NO_EXPR : slope_of(d, it.b);
    switch (it.op) {
    case OP_ADD: return formula_add(f, da, db);
    case OP_SUB: return formula_sub(f, da, db);
    case OP_MUL: return formula_add(f, formula_mul(f, da, it.b), formula_mul(f, it.a, db));
    case OP_DIV: return quotient_slope(f, it, e, da, db);
    case OP_MIN: return formula_choose(f, formula_compare(f, OP_AT_MOST, it.b, it.a), db, da);
    case OP_MAX: return formula_choose(f, formula_compare(f, OP_LESS, it.a, it.b), db, da);
    case OP_ROOT_SUM: return root_sum_slope(f, it, e, da, db);
    case OP_NEG: return formula_negate(f, da);
    default:
        return formula_mul(
            f, formula_number(f, it.value),
            formula_mul(f, formula_power(f, it.a, formula_number(f, it.value - 1)), da));
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
        made = formula_number(f, 1);
    else if (it.op <= OP_PARAM)
        made = formula_number(f, 0);
    else if (it.op == OP_SELECT)
        made = formula_choose(f, it.a, slope_of(d, it.b), slope_of(d, it.c));
    else if (it.op <= OP_ROOT_SUM || it.op == OP_NEG)
        made = arithmetic_slope(d, it, e);
    else
        made = formula_mul(f, outer_slope(f, it.op, it.a, e), slope_of(d, it.a));
    d->done[e] = made + 1;
    return made;
}

expr formula_derive(formula *f, expr e, expr by)
{
    derivation d = {.f = f, .by = by};
    return slope_of(&d, e);
}
