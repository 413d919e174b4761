/* Derivatives, by the rules of calculus, and by means of the value. At a kink the slope is that of
 * max(0, x) at 0, 0, or that of min(0, x), 1: their sum has the right one. sign and floor have none, but sign(x) f(|x|) has. */
#include "plugin/formula/expr.h"

typedef struct derivation {
    formula *f;
    expr by;
    expr done[MAX_NODES]; /* derivative + 1; 0: not yet */
} derivation;

/* d f(a) / d a, where b = f(a). The second form, if there is one, has no difference of nearly equal
 * numbers, at some cost. */
static const char *const slopes[OP_COUNT][2] = {
    [OP_ABS] = {"sign(a)"},
    [OP_SIGN] = {"0"},
    [OP_FLOOR] = {"0"},
    [OP_CAP] = {"1"},
    [OP_CLAMP] = {"1"},
    [OP_EXPM1] = {"exp(a)"},
    [OP_LOG] = {"1/a"},
    [OP_LOG1P] = {"1/(1 + a)"},
    [OP_SIN] = {"cos(a)"},
    [OP_COS] = {"-sin(a)"},
    [OP_TAN] = {"1 + b^2"},
    [OP_ATAN] = {"1/(1 + a^2)"},
    [OP_TANH] = {"(1 - b)*(1 + b)", "sech2(a)"},
    [OP_SIGMOID] = {"b*(1 - b)", "b*sigmoid(-a)"},
    [OP_SOFTPLUS] = {"sigmoid(a)"},
    [OP_ERF] = {"1.12837916709551257390*exp(-a^2)"}, /* 2 / sqrt(pi) */
    [OP_ERFC] = {"-1.12837916709551257390*exp(-a^2)"},
    [OP_NORMAL] = {"0.39894228040143267794*bell(a)"}, /* 1 / sqrt(2 pi) */
    /* b = m / (m + 2) with m = a (a + 2), and m + 2 = (1 + a)^2 + 1 */
    [OP_LOG_COSH] = {"tanh(a)"},
    [OP_TANH_LOG] = {"4*(a + 1)/(a*(a + 2) + 2)^2"},
};

/* (a' b - a b') / b^2 where its numerator is simple, else (a' - y b') / b, which overflows later.
 * Where b = sqrt(u), the former is (a' u - a b' b) / (u b). */
static expr quotient_slope(formula *f, node it, expr y, expr da, expr db)
{
    const expr by = formula_is_op(f, it.b, OP_SQRT) ? it.b : formula_number(f, 1);
    if (formula_is_number(f, db, 0))
        return formula_divide(f, da, it.b);
    expr above = formula_build(f, "c*(b*e) - a*(d*e)", it.a, it.b, da, db, by);
    if (formula_is_op(f, above, OP_NUMBER))
        return formula_build(f, "a/(b^2*c)", above, it.b, by);
    return formula_build(f, "(a - c*b)/d", da, db, y, it.b);
}

static expr slope_of(derivation *d, expr e);

/* Whether a product has a factor sign(u); u. */
static bool has_sign_of(const formula *f, expr e, expr *argument)
{
    const node it = f->nodes[e];
    *argument = it.op == OP_SIGN ? it.a : *argument;
    if (it.op == OP_NEG || it.op == OP_DIV)
        return has_sign_of(f, it.a, argument);
    if (it.op == OP_MUL)
        return has_sign_of(f, it.a, argument) || has_sign_of(f, it.b, argument);
    return it.op == OP_SIGN;
}

/* sign(u) as -1 or 1, and a choice by it inside a choice by it. */
typedef struct sides {
    expr sign, condition;
    int taken; /* 0: none yet, else the arm */
} sides;

static expr take_side(formula *f, expr e, void *user)
{
    const sides *s = user;
    const node it = f->nodes[e];
    if (s->taken)
        return it.op == OP_SELECT && it.a == s->condition ? s->taken == 1 ? it.b : it.c : e;
    return e == s->sign ? formula_build(f, "a < 0 ? -1 : 1", f->nodes[e].a) : e;
}

/* The slope of sign(u) g(|u|): both factors turn at 0 together, so sign(u) sign(u) is 1 there, too. */
static expr turn_together(formula *f, expr made, expr argument)
{
    sides s = {.sign = formula_unary(f, OP_SIGN, argument)};
    made = formula_rebuild(f, made, take_side, &s, false);
    s.condition = formula_compare(f, OP_LESS, argument, formula_number(f, 0));
    s.taken = 1;
    const expr left = formula_rebuild(f, made, take_side, &s, false);
    s.taken = 2;
    const expr right = formula_rebuild(f, made, take_side, &s, false);
    return formula_choose(f, s.condition, left, right);
}

/* Of a product, or of a quotient that was made so far. */
static expr with_signs(derivation *d, node it, expr made)
{
    expr argument = NO_EXPR;
    const bool found = has_sign_of(d->f, it.a, &argument) ||
                       (it.op == OP_MUL && has_sign_of(d->f, it.b, &argument));
    if (!found)
        return made;
    const expr size = formula_unary(d->f, OP_ABS, argument);
    return formula_contains(d->f, it.a, size) || formula_contains(d->f, it.b, size)
               ? turn_together(d->f, made, argument)
               : made;
}

/* Of u^p = exp(p log(u)), where p is constant: p u^(p - 1) u' has a value at u = 0, u^p / u has none. */
static expr power_slope(derivation *d, node it, expr e, expr da)
{
    formula *f = d->f;
    const node product = f->nodes[it.a];
    const bool log_last = product.op == OP_MUL && formula_is_op(f, product.b, OP_LOG);
    const expr p = log_last ? product.a : product.b;
    if (!f->precise || product.op != OP_MUL || !(log_last || formula_is_op(f, product.a, OP_LOG)) ||
        formula_contains(f, p, d->by))
        return formula_mul(f, e, da);
    const expr log_u = log_last ? product.b : product.a, u = f->nodes[log_u].a;
    return formula_build(f, "a*exp((a - 1)*b)*c", p, log_u, slope_of(d, u));
}

static expr slope_of(derivation *d, expr e)
{
    formula *f = d->f;
    const node it = f->nodes[e];
    if (d->done[e])
        return d->done[e] - 1;
    if (e == d->by || it.op <= OP_PARAM)
        return formula_number(f, e == d->by);
    const char *const *slope = slopes[it.op];
    expr made, da = it.op == OP_SELECT ? NO_EXPR : slope_of(d, it.a);
    expr db = it.b < 0 ? NO_EXPR : slope_of(d, it.b);
    switch (it.op) {
    case OP_SELECT: made = formula_choose(f, it.a, db, slope_of(d, it.c)); break;
    case OP_ADD: made = formula_add(f, da, db); break;
    case OP_SUB: made = formula_sub(f, da, db); break;
    case OP_NEG: made = formula_negate(f, da); break;
    case OP_MUL: made = with_signs(d, it, formula_build(f, "c*b + a*d", it.a, it.b, da, db)); break;
    case OP_DIV: made = with_signs(d, it, quotient_slope(f, it, e, da, db)); break;
    case OP_EXP: made = power_slope(d, it, e, da); break;
    case OP_POW:
        made = formula_mul(f, formula_power(f, it.a, formula_number(f, it.value - 1)), da);
        made = formula_mul(f, formula_number(f, it.value), made);
        break;
    case OP_MIN: made = formula_build(f, "b <= a ? d : c", it.a, it.b, da, db); break;
    case OP_MAX: made = formula_build(f, "a < b ? d : c", it.a, it.b, da, db); break;
    case OP_ROOT_SUM: /* e = (a + r) / 2 with r = sqrt(a^2 + b), and r = e - (a - e) */
        made = formula_build(
            f, f->guarded ? "(e*c + d/4)/max(1e-19, e - (a - e))" : "(e*c + d/4)/(e - (a - e))",
            it.a, it.b, da, db, e);
        break;
    case OP_SQRT:
        made = formula_build(f, f->guarded ? "1/(2*max(1e-19, b))" : "1/(2*b)", it.a, e);
        made = formula_mul(f, made, da);
        break;
    default:
        made = formula_build(f, slope[f->precise && slope[1] ? 1 : 0], it.a, e);
        made = formula_mul(f, made, da);
    }
    d->done[e] = made + 1;
    return made;
}

expr formula_derive(formula *f, expr e, expr by)
{
    derivation d = {.f = f, .by = by};
    return slope_of(&d, e);
}

/* ---- By means of the value ------------------------------------------------------------------- */

/* Value and what it is a multiple of, and both written with y. What is y in a slope, or y's in a simple
 * way, becomes y; whether that is accurate, and true for every parameter, is left to trials. */
typedef struct by_value {
    expr value, y, inner, inner_y;
} by_value;

static by_value strip_factor(formula *f, expr value, expr y)
{
    node it = f->nodes[value];
    if (it.op == OP_NEG)
        return (by_value){value, y, it.a, formula_negate(f, y)};
    if (it.op == OP_MUL && (f->nodes[it.a].op == OP_NUMBER || f->nodes[it.a].op == OP_PARAM))
        return (by_value){value, y, it.b, formula_divide(f, y, it.a)};
    if (it.op == OP_DIV && f->nodes[it.b].op <= OP_PARAM)
        return (by_value){value, y, it.a, formula_mul(f, it.b, y)};
    return (by_value){value, y, value, y};
}

static expr take_from_y(formula *f, expr e, void *user)
{
    const by_value *by = user;
    const node inner = f->nodes[by->inner], it = f->nodes[e];
    if (e == by->value || e == by->inner)
        return e == by->value ? by->y : by->inner_y;
    if (it.op == OP_SIGMOID && inner.op == OP_SOFTPLUS && it.a == inner.a)
        return formula_build(f, "-expm1(-a)", by->inner_y);
    if (it.op == OP_LESS && inner.op == OP_MAX && it.a == inner.a && it.b == inner.b)
        return formula_build(f, "a < b", it.a, by->inner_y);
    if (it.op == OP_EXP && inner.op == OP_EXPM1 && it.a == inner.a)
        return formula_build(f, "1 + a", by->inner_y);
    if (it.op == OP_MUL && it.b == formula_build(f, "1 + a", by->inner_y) &&
        formula_divide(f, by->y, it.a) == by->inner_y)
        return formula_add(f, by->y, it.a); /* k (y/k + 1), for k = 0 too */
    if (inner.op == OP_DIV && e == inner.b && e == formula_build(f, "1 + abs(a)", inner.a))
        return formula_build(f, "1/(1 - abs(a))", by->inner_y); /* y = u / (1 + |u|) */
    return e;
}

/* Where one condition chooses in value and slope, y is the arm's. */
expr formula_slope_by_y(formula *f, expr value, expr y, expr slope, bool conditions)
{
    by_value by = strip_factor(f, value, y);
    node it = f->nodes[slope], whole = f->nodes[value], inner = f->nodes[by.inner];
    if (whole.op == OP_SELECT && it.op == OP_SELECT && it.a == whole.a) {
        const node c = f->nodes[it.a];
        const expr x = formula_leaf(f, OP_X, 0), zero = formula_number(f, 0);
        const expr y_leaf = formula_leaf(f, OP_Y, 0);
        if (conditions && c.a == x && c.b == zero) /* x against 0 is y against 0, perhaps */
            it.a = formula_compare(f, c.op, y_leaf, zero);
        else if (conditions && c.a == zero && c.b == x)
            it.a = formula_compare(f, c.op, zero, y_leaf);
        return formula_choose(f, it.a, formula_slope_by_y(f, whole.b, y, it.b, conditions),
                              formula_slope_by_y(f, whole.c, y, it.c, conditions));
    }
    if (inner.op == OP_SELECT && it.op == OP_MUL)
        return formula_mul(f, it.a, formula_slope_by_y(f, by.inner, by.inner_y, it.b, conditions));
    return formula_rebuild(f, slope, take_from_y, &by, false);
}
