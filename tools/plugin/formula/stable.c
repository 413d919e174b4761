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
    *other = is_op(f, a, op) ? b : a;
    return is_op(f, a, op) ? a : is_op(f, b, op) ? b : NO_EXPR;
}

/* The logistic function and tanh in their many dresses. */
static expr quotient(formula *f, expr e)
{
    expr above = f->nodes[e].a, below = f->nodes[e].b, rest, exponential;
    if (!is_op(f, below, OP_ADD))
        return e;
    exponential = operand(f, below, OP_EXP, &rest);
    if (exponential == NO_EXPR)
        return e;
    expr u = argument(f, exponential);
    if (is_op(f, above, OP_EXPM1) && argument(f, above) == u && is_number(f, rest, 1))
        return unary(f, OP_TANH, divide(f, u, number(f, 2))); /* (exp(u) - 1) / (exp(u) + 1) */
    if (is_number(f, rest, 1) && above == exponential)
        return unary(f, OP_SIGMOID, u);
    if (is_number(f, rest, 1) && is_op(f, above, OP_MUL) && f->nodes[above].b == exponential)
        return mul(f, f->nodes[above].a, unary(f, OP_SIGMOID, u));
    if (is_number(f, rest, 1))
        return mul(f, above, unary(f, OP_SIGMOID, negate(f, u)));
    if (is_op(f, above, OP_SUB) && is_op(f, rest, OP_EXP) && argument(f, rest) == negate(f, u)) {
        expr p = f->nodes[above].a, q = f->nodes[above].b; /* sinh(u) / cosh(u) */
        if (p == exponential && q == rest)
            return unary(f, OP_TANH, u);
        if (p == rest && q == exponential)
            return unary(f, OP_TANH, negate(f, u));
    }
    return e;
}

/* log(1 + u), log(c + exp(u)), log(exp(u) + exp(v)). */
static expr logarithm(formula *f, expr e)
{
    expr inner = argument(f, e), rest;
    if (is_op(f, inner, OP_EXP))
        return argument(f, inner);
    if (is_op(f, inner, OP_SIGMOID))
        return negate(f, unary(f, OP_SOFTPLUS, negate(f, argument(f, inner))));
    if (is_op(f, inner, OP_SUB) && is_number(f, f->nodes[inner].a, 1))
        return unary(f, OP_LOG1P, negate(f, f->nodes[inner].b));
    if (!is_op(f, inner, OP_ADD))
        return e;
    expr one = operand(f, inner, OP_NUMBER, &rest);
    if (one != NO_EXPR && is_op(f, rest, OP_EXP) && f->nodes[one].value > 0) {
        expr c = unary(f, OP_LOG, one);
        return add(f, unary(f, OP_SOFTPLUS, sub(f, argument(f, rest), c)), c);
    }
    if (one != NO_EXPR && is_number(f, one, 1))
        return unary(f, OP_LOG1P, rest);
    expr p = f->nodes[inner].a, q = f->nodes[inner].b;
    if (!is_op(f, p, OP_EXP) || !is_op(f, q, OP_EXP))
        return e;
    expr u = argument(f, p), v = argument(f, q);
    return add(f, u, unary(f, OP_SOFTPLUS, sub(f, v, u)));
}

/* 1 + erf(u) and 1 + tanh(u), which cancel for negative u, by what is 0 there. */
static expr twice_gate(formula *f, opcode op, expr u, double sign)
{
    expr inner = mul(f, number(f, sign * (op == OP_ERF ? sqrt_two : 2)), u);
    return mul(f, number(f, 2), unary(f, op == OP_ERF ? OP_NORMAL : OP_SIGMOID, inner));
}

/* u + sqrt(u^2 + b) cancels for negative u too. */
static expr sum(formula *f, expr e)
{
    expr rest, other, gate = operand(f, e, OP_NUMBER, &rest);
    if (gate != NO_EXPR && is_number(f, gate, 1) &&
        (is_op(f, rest, OP_ERF) || is_op(f, rest, OP_TANH)))
        return twice_gate(f, f->nodes[rest].op, argument(f, rest), 1);
    expr root = operand(f, e, OP_SQRT, &rest);
    if (root == NO_EXPR || !is_op(f, argument(f, root), OP_ADD))
        return e;
    expr square = operand(f, argument(f, root), OP_POW, &other);
    if (square == NO_EXPR || square != power(f, rest, number(f, 2)))
        return e;
    return mul(f, number(f, 2), binary(f, OP_ROOT_SUM, rest, other));
}

static expr difference(formula *f, expr e)
{
    expr a = f->nodes[e].a, b = f->nodes[e].b;
    if (is_op(f, a, OP_EXP) && is_number(f, b, 1))
        return unary(f, OP_EXPM1, argument(f, a));
    if (!is_number(f, a, 1))
        return e;
    if (is_op(f, b, OP_EXP))
        return negate(f, unary(f, OP_EXPM1, argument(f, b)));
    if (is_op(f, b, OP_SIGMOID))
        return unary(f, OP_SIGMOID, negate(f, argument(f, b)));
    if (is_op(f, b, OP_ERF) || is_op(f, b, OP_TANH))
        return twice_gate(f, f->nodes[b].op, argument(f, b), -1);
    return e;
}

static expr capped_exp(formula *f, expr exponential)
{
    expr u = argument(f, exponential);
    return is_op(f, u, OP_CAP) ? exponential : unary(f, OP_EXP, unary(f, OP_CAP, u));
}

/* An exponential in a product that a saturating function takes: past 20 it may as well stand. */
static expr cap_factors(formula *f, expr e)
{
    node it = f->nodes[e];
    if (it.op == OP_EXP)
        return capped_exp(f, e);
    if (it.op == OP_MUL)
        return mul(f, cap_factors(f, it.a), cap_factors(f, it.b));
    return e;
}

static expr saturating(formula *f, expr e)
{
    opcode op = f->nodes[e].op;
    expr u = argument(f, e);
    if (op == OP_TANH && is_op(f, u, OP_SOFTPLUS))
        return unary(f, OP_TANH_LOG, unary(f, OP_EXP, unary(f, OP_CAP, argument(f, u))));
    if (op == OP_TANH && is_op(f, u, OP_LOG1P) && is_op(f, argument(f, u), OP_SIGMOID))
        return unary(f, OP_TANH_LOG, argument(f, u));
    return unary(f, op, cap_factors(f, u));
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
        return is_op(f, argument(f, e), OP_EXP) ? unary(f, OP_SOFTPLUS, argument(f, argument(f, e)))
                                                : e;
    case OP_TANH:
    case OP_ERF:
    case OP_SIGMOID: return saturating(f, e);
    default: return e;
    }
}

expr stabilise(formula *f, expr e)
{
    return rebuild(f, e, stable_form, NULL, false);
}

/* ---- In the end ------------------------------------------------------------------------------ */

/* By squaring: x^5 = (x^2)^2 x. */
static expr multiplied(formula *f, expr u, double n)
{
    if (n <= 1)
        return u;
    if (fmod(n, 2) == 1)
        return binary(f, OP_MUL, multiplied(f, u, n - 1), u);
    expr half = multiplied(f, u, n / 2);
    return binary(f, OP_MUL, half, half);
}

/* s = (|a| + sqrt(a^2 + b)) / 2, and b / (4 s) where a is negative; no square of what is large. */
static expr root_sum(formula *f, expr a, expr b)
{
    expr size = unary(f, OP_ABS, a), two = number(f, 2), quarter = divide(f, b, number(f, 4));
    expr root = unary(f, OP_SQRT, binary(f, OP_ADD, binary(f, OP_MUL, a, a), b));
    root = choose(f, compare(f, OP_LESS, number(f, 1e18), size), size, root);
    expr s = binary(f, OP_ADD, binary(f, OP_DIV, size, two), binary(f, OP_DIV, root, two));
    return choose(f, compare(f, OP_LESS, a, number(f, 0)), binary(f, OP_DIV, quarter, s), s);
}

/* a / (u sqrt(u)), without a division and without overflow. */
static expr over_root_cube(formula *f, expr a, expr u)
{
    expr r = binary(f, OP_DIV, number(f, 1), unary(f, OP_SQRT, u));
    expr cube = binary(f, OP_MUL, binary(f, OP_MUL, r, r), r);
    return is_number(f, a, 1) ? cube : binary(f, OP_MUL, a, cube);
}

static expr plain_form(formula *f, expr e, void *user)
{
    (void)user;
    node it = f->nodes[e];
    expr two = number(f, 2), rest;
    if (it.op == OP_ROOT_SUM)
        return root_sum(f, it.a, it.b);
    if (it.op == OP_DIV && is_op(f, it.b, OP_MUL)) {
        expr root = operand(f, it.b, OP_SQRT, &rest);
        return root != NO_EXPR && argument(f, root) == rest ? over_root_cube(f, it.a, rest) : e;
    }
    if (it.op == OP_POW)
        return multiplied(f, it.a, it.value);
    if (it.op == OP_TAN)
        return binary(f, OP_DIV, make_raw(f, (node){OP_SIN, it.a, NO_EXPR, NO_EXPR, 0}),
                      make_raw(f, (node){OP_COS, it.a, NO_EXPR, NO_EXPR, 0}));
    if (it.op != OP_TANH_LOG)
        return e;
    /* w = 1 + a: (w^2 - 1) / (w^2 + 1) = m / (m + 2) with m = a (a + 2) */
    expr m = binary(f, OP_MUL, it.a, binary(f, OP_ADD, it.a, two));
    return binary(f, OP_DIV, m, binary(f, OP_ADD, m, two));
}

expr lower(formula *f, expr e)
{
    return rebuild(f, e, plain_form, NULL, true);
}
