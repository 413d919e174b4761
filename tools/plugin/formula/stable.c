/* Forms that neither overflow nor cancel, in place of the textbook's; and the arithmetic that is
 * written for a few special functions in the end. Both are rules on a node with made operands. */
#include "plugin/formula/expr.h"

#include <math.h>

static const double sqrt_two = 1.41421356237309504880;

static expr argument(const formula *f, expr e)
{
    return f->nodes[e].a;
}

/* p + q whichever way round: the one that is a `op`; *other is the rest. */
static expr operand(const formula *f, expr sum, opcode op, expr *other)
{
    expr a = f->nodes[sum].a, b = f->nodes[sum].b;
    *other = formula_is_op(f, a, op) ? b : a;
    return formula_is_op(f, a, op) ? a : formula_is_op(f, b, op) ? b : NO_EXPR;
}

/* The logistic function and tanh in their many dresses. */
static expr quotient(formula *f, expr e)
{
    expr above = f->nodes[e].a, below = f->nodes[e].b, rest, exponential;
    if (!formula_is_op(f, below, OP_ADD))
        return e;
    exponential = operand(f, below, OP_EXP, &rest);
    if (exponential == NO_EXPR)
        return e;
    expr u = argument(f, exponential);
    if (formula_is_op(f, above, OP_EXPM1) && argument(f, above) == u &&
        formula_is_number(f, rest, 1))
        return formula_unary(
            f, OP_TANH,
            formula_divide(f, u, formula_number(f, 2))); /* (exp(u) - 1) / (exp(u) + 1) */
    if (formula_is_number(f, rest, 1) && above == exponential)
        return formula_unary(f, OP_SIGMOID, u);
    if (formula_is_number(f, rest, 1) && formula_is_op(f, above, OP_MUL) &&
        f->nodes[above].b == exponential)
        return formula_mul(f, f->nodes[above].a, formula_unary(f, OP_SIGMOID, u));
    if (formula_is_number(f, rest, 1))
        return formula_mul(f, above, formula_unary(f, OP_SIGMOID, formula_negate(f, u)));
    if (formula_is_op(f, above, OP_SUB) && formula_is_op(f, rest, OP_EXP) &&
        argument(f, rest) == formula_negate(f, u)) {
        expr p = f->nodes[above].a, q = f->nodes[above].b; /* sinh(u) / cosh(u) */
        if (p == exponential && q == rest)
            return formula_unary(f, OP_TANH, u);
        if (p == rest && q == exponential)
            return formula_unary(f, OP_TANH, formula_negate(f, u));
    }
    return e;
}

/* log(1 + u), log(c + exp(u)), log(exp(u) + exp(v)). */
static expr logarithm(formula *f, expr e)
{
    expr inner = argument(f, e), rest;
    if (formula_is_op(f, inner, OP_EXP))
        return argument(f, inner);
    if (formula_is_op(f, inner, OP_SIGMOID))
        return formula_negate(f,
                              formula_unary(f, OP_SOFTPLUS, formula_negate(f, argument(f, inner))));
    if (formula_is_op(f, inner, OP_SUB) && formula_is_number(f, f->nodes[inner].a, 1))
        return formula_unary(f, OP_LOG1P, formula_negate(f, f->nodes[inner].b));
    if (!formula_is_op(f, inner, OP_ADD))
        return e;
    expr one = operand(f, inner, OP_NUMBER, &rest);
    if (one != NO_EXPR && formula_is_op(f, rest, OP_EXP) && f->nodes[one].value > 0) {
        expr c = formula_unary(f, OP_LOG, one);
        return formula_add(f, formula_unary(f, OP_SOFTPLUS, formula_sub(f, argument(f, rest), c)),
                           c);
    }
    if (one != NO_EXPR && formula_is_number(f, one, 1))
        return formula_unary(f, OP_LOG1P, rest);
    expr p = f->nodes[inner].a, q = f->nodes[inner].b;
    if (!formula_is_op(f, p, OP_EXP) || !formula_is_op(f, q, OP_EXP))
        return e;
    expr u = argument(f, p), v = argument(f, q);
    return formula_add(f, u, formula_unary(f, OP_SOFTPLUS, formula_sub(f, v, u)));
}

/* 1 + erf(u) and 1 + tanh(u), which cancel for negative u, by what is 0 there. */
static expr twice_gate(formula *f, opcode op, expr u, double sign)
{
    expr inner = formula_mul(f, formula_number(f, sign * (op == OP_ERF ? sqrt_two : 2)), u);
    return formula_mul(f, formula_number(f, 2),
                       formula_unary(f, op == OP_ERF ? OP_NORMAL : OP_SIGMOID, inner));
}

/* u + sqrt(u^2 + b) cancels for negative u too. */
static expr sum(formula *f, expr e)
{
    expr rest, other, gate = operand(f, e, OP_NUMBER, &rest);
    if (gate != NO_EXPR && formula_is_number(f, gate, 1) &&
        (formula_is_op(f, rest, OP_ERF) || formula_is_op(f, rest, OP_TANH)))
        return twice_gate(f, f->nodes[rest].op, argument(f, rest), 1);
    expr root = operand(f, e, OP_SQRT, &rest);
    if (root == NO_EXPR || !formula_is_op(f, argument(f, root), OP_ADD))
        return e;
    expr square = operand(f, argument(f, root), OP_POW, &other);
    if (square == NO_EXPR || square != formula_power(f, rest, formula_number(f, 2)))
        return e;
    return formula_mul(f, formula_number(f, 2), formula_binary(f, OP_ROOT_SUM, rest, other));
}

static expr difference(formula *f, expr e)
{
    expr a = f->nodes[e].a, b = f->nodes[e].b;
    if (formula_is_op(f, a, OP_EXP) && formula_is_number(f, b, 1))
        return formula_unary(f, OP_EXPM1, argument(f, a));
    if (!formula_is_number(f, a, 1))
        return e;
    if (formula_is_op(f, b, OP_EXP))
        return formula_negate(f, formula_unary(f, OP_EXPM1, argument(f, b)));
    if (formula_is_op(f, b, OP_SIGMOID))
        return formula_unary(f, OP_SIGMOID, formula_negate(f, argument(f, b)));
    if (formula_is_op(f, b, OP_ERF) || formula_is_op(f, b, OP_TANH))
        return twice_gate(f, f->nodes[b].op, argument(f, b), -1);
    return e;
}

static expr capped_exp(formula *f, expr exponential)
{
    expr u = argument(f, exponential);
    return formula_is_op(f, u, OP_CAP) ? exponential
                                       : formula_unary(f, OP_EXP, formula_unary(f, OP_CAP, u));
}

/* An exponential in a product that a saturating function takes: past 20 it may as well stand. */
static expr cap_factors(formula *f, expr e)
{
    node it = f->nodes[e];
    if (it.op == OP_EXP)
        return capped_exp(f, e);
    if (it.op == OP_MUL)
        return formula_mul(f, cap_factors(f, it.a), cap_factors(f, it.b));
    return e;
}

static expr saturating(formula *f, expr e)
{
    opcode op = f->nodes[e].op;
    expr u = argument(f, e);
    if (op == OP_TANH && formula_is_op(f, u, OP_SOFTPLUS))
        return formula_unary(f, OP_TANH_LOG,
                             formula_unary(f, OP_EXP, formula_unary(f, OP_CAP, argument(f, u))));
    if (op == OP_TANH && formula_is_op(f, u, OP_LOG1P) &&
        formula_is_op(f, argument(f, u), OP_SIGMOID))
        return formula_unary(f, OP_TANH_LOG, argument(f, u));
    return formula_unary(f, op, cap_factors(f, u));
}

static expr stable_form(formula *f, expr e, void *user)
{
    (void)user;
    switch (f->nodes[e].op) {
    case OP_DIV: return quotient(f, e);
    case OP_LOG: return logarithm(f, e);
    case OP_ADD: return sum(f, e);
    case OP_SUB: return difference(f, e);
    case OP_LOG1P:
        return formula_is_op(f, argument(f, e), OP_EXP)
                   ? formula_unary(f, OP_SOFTPLUS, argument(f, argument(f, e)))
                   : e;
    case OP_TANH:
    case OP_ERF:
    case OP_SIGMOID: return saturating(f, e);
    default: return e;
    }
}

expr formula_stabilise(formula *f, expr e)
{
    return formula_rebuild(f, e, stable_form, NULL, false);
}

/* ---- In the end ------------------------------------------------------------------------------ */

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
         quarter = formula_divide(f, b, formula_number(f, 4));
    expr root =
        formula_unary(f, OP_SQRT, formula_binary(f, OP_ADD, formula_binary(f, OP_MUL, a, a), b));
    root =
        formula_choose(f, formula_compare(f, OP_LESS, formula_number(f, 1e18), size), size, root);
    expr s = formula_binary(f, OP_ADD, formula_binary(f, OP_DIV, size, two),
                            formula_binary(f, OP_DIV, root, two));
    return formula_choose(f, formula_compare(f, OP_LESS, a, formula_number(f, 0)),
                          formula_binary(f, OP_DIV, quarter, s), s);
}

/* a / (u sqrt(u)), without a division and without overflow. */
static expr over_root_cube(formula *f, expr a, expr u)
{
    expr r = formula_binary(f, OP_DIV, formula_number(f, 1), formula_unary(f, OP_SQRT, u));
    expr cube = formula_binary(f, OP_MUL, formula_binary(f, OP_MUL, r, r), r);
    return formula_is_number(f, a, 1) ? cube : formula_binary(f, OP_MUL, a, cube);
}

static expr plain_form(formula *f, expr e, void *user)
{
    (void)user;
    node it = f->nodes[e];
    expr two = formula_number(f, 2), rest;
    if (it.op == OP_ROOT_SUM)
        return root_sum(f, it.a, it.b);
    if (it.op == OP_DIV && formula_is_op(f, it.b, OP_MUL)) {
        expr root = operand(f, it.b, OP_SQRT, &rest);
        return root != NO_EXPR && argument(f, root) == rest ? over_root_cube(f, it.a, rest) : e;
    }
    if (it.op == OP_POW)
        return multiplied(f, it.a, it.value);
    if (it.op == OP_TAN)
        return formula_binary(f, OP_DIV,
                              formula_make_raw(f, (node){OP_SIN, it.a, NO_EXPR, NO_EXPR, 0}),
                              formula_make_raw(f, (node){OP_COS, it.a, NO_EXPR, NO_EXPR, 0}));
    if (it.op != OP_TANH_LOG)
        return e;
    /* w = 1 + a: (w^2 - 1) / (w^2 + 1) = m / (m + 2) with m = a (a + 2) */
    expr m = formula_binary(f, OP_MUL, it.a, formula_binary(f, OP_ADD, it.a, two));
    return formula_binary(f, OP_DIV, m, formula_binary(f, OP_ADD, m, two));
}

expr formula_lower(formula *f, expr e)
{
    return formula_rebuild(f, e, plain_form, NULL, true);
}
