/* A slope by means of the value: what is y in it, or y's in a simple way, becomes y. Whether that is
 * accurate, and true for every parameter, is left to trials. */
#include "plugin/formula/expr.h"

/* Value and what it is a multiple of, and both written with y. */
typedef struct by_value {
    expr value, y, inner, inner_y;
} by_value;

static by_value strip_factor(formula *f, expr value, expr y)
{
    node it = f->nodes[value];
    if (it.op == OP_NEG)
        return (by_value){value, y, it.a, negate(f, y)};
    if (it.op == OP_MUL && (f->nodes[it.a].op == OP_NUMBER || f->nodes[it.a].op == OP_PARAM))
        return (by_value){value, y, it.b, divide(f, y, it.a)};
    if (it.op == OP_DIV && f->nodes[it.b].op <= OP_PARAM)
        return (by_value){value, y, it.a, mul(f, it.b, y)};
    return (by_value){value, y, value, y};
}

/* Whether w = 1 + |u|. */
static bool is_one_and_size(const formula *f, expr w, expr u)
{
    node it = f->nodes[w];
    expr size = it.op == OP_ADD && is_number(f, it.a, 1) ? it.b : it.a;
    return it.op == OP_ADD && (is_number(f, it.a, 1) || is_number(f, it.b, 1)) &&
           f->nodes[size].op == OP_ABS && f->nodes[size].a == u;
}

static expr take_from_y(formula *f, expr e, void *user)
{
    const by_value *by = user;
    node inner = f->nodes[by->inner], it = f->nodes[e];
    expr one = number(f, 1);
    if (e == by->value || e == by->inner)
        return e == by->value ? by->y : by->inner_y;
    if (it.op == OP_SIGMOID && inner.op == OP_SOFTPLUS && it.a == inner.a)
        return negate(f, unary(f, OP_EXPM1, negate(f, by->inner_y)));
    if (it.op == OP_LESS && inner.op == OP_MAX && it.a == inner.a && it.b == inner.b)
        return compare(f, OP_LESS, it.a, by->inner_y);
    if (it.op == OP_EXP && inner.op == OP_EXPM1 && it.a == inner.a)
        return add(f, one, by->inner_y);
    if (it.op == OP_MUL && it.b == add(f, one, by->inner_y) &&
        divide(f, by->y, it.a) == by->inner_y)
        return add(f, by->y, it.a); /* k (y/k + 1), for k = 0 too */
    if (inner.op == OP_DIV && e == inner.b && is_one_and_size(f, e, inner.a))
        return divide(f, one, sub(f, one, unary(f, OP_ABS, by->inner_y))); /* y = u / (1 + |u|) */
    return e;
}

/* x against 0 is y against 0, perhaps. */
static expr condition_by_y(formula *f, expr condition)
{
    node it = f->nodes[condition];
    expr x = leaf(f, OP_X, 0), y = leaf(f, OP_Y, 0), zero = number(f, 0);
    if ((it.a == x && it.b == zero) || (it.a == zero && it.b == x))
        return compare(f, it.op, it.a == x ? y : zero, it.a == x ? zero : y);
    return condition;
}

/* Where one condition chooses in value and slope, y is the arm's. */
expr slope_by_y(formula *f, expr value, expr y, expr slope, bool conditions)
{
    by_value by = strip_factor(f, value, y);
    node it = f->nodes[slope], whole = f->nodes[value], inner = f->nodes[by.inner];
    if (whole.op == OP_SELECT && it.op == OP_SELECT && it.a == whole.a)
        return choose(f, conditions ? condition_by_y(f, it.a) : it.a,
                      slope_by_y(f, whole.b, y, it.b, conditions),
                      slope_by_y(f, whole.c, y, it.c, conditions));
    if (inner.op == OP_SELECT && it.op == OP_MUL)
        return mul(f, it.a, slope_by_y(f, by.inner, by.inner_y, it.b, conditions));
    return rebuild(f, slope, take_from_y, &by, false);
}
