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
