/* The functions that make expressions, with simplifications that hold for every finite argument. A
 * product keeps its number in front: 2 * (x * y); a sum of like terms becomes a product. */
#include "plugin/formula/expr.h"

#include <math.h>

static bool both_numbers(const formula *f, expr a, expr b)
{
    return formula_is_op(f, a, OP_NUMBER) && formula_is_op(f, b, OP_NUMBER);
}

static double value_of(const formula *f, expr e)
{
    return f->nodes[e].value;
}

/* c ? 1 : 0 and the like: arithmetic moves into its arms. */
static bool is_choice_of_numbers(const formula *f, expr e)
{
    const node it = f->nodes[e];
    return it.op == OP_SELECT &&
           (formula_is_op(f, it.b, OP_NUMBER) || is_choice_of_numbers(f, it.b)) &&
           (formula_is_op(f, it.c, OP_NUMBER) || is_choice_of_numbers(f, it.c));
}

/* e = factor * term. */
typedef struct split {
    double factor;
    expr term;
} split;

static split take_factor(formula *f, expr e)
{
    node it = f->nodes[e];
    if (it.op == OP_NUMBER)
        return (split){it.value, formula_number(f, 1)};
    if (it.op == OP_NEG) {
        split inner = take_factor(f, it.a);
        return (split){-inner.factor, inner.term};
    }
    if (it.op == OP_MUL && formula_is_op(f, it.a, OP_NUMBER))
        return (split){value_of(f, it.a), it.b};
    return (split){1, e};
}

/* 2 sqrt(1/2) sqrt(2) is 2, not 2 and a bit. */
static double tidy(double value)
{
    double whole = nearbyint(value);
    return fabs(value - whole) < 1e-15 * fabs(value) ? whole : value;
}

/* factor * term, where term has no factor of its own. */
static expr scale(formula *f, double factor, expr term)
{
    node it = f->nodes[term];
    factor = tidy(factor);
    if (it.op == OP_NUMBER)
        return formula_number(f, tidy(factor * it.value));
    if (factor == 1 || factor == 0)
        return factor == 1 ? term : formula_number(f, 0);
    if (is_choice_of_numbers(f, term))
        return formula_choose(f, it.a, scale(f, factor, it.b), scale(f, factor, it.c));
    if (it.op == OP_DIV && formula_is_op(f, it.b, OP_NUMBER) && factor != -1) {
        double by = tidy(value_of(f, it.b) / factor);
        if (formula_is_whole(by))
            return formula_divide(f, it.a, formula_number(f, by));
        return formula_mul(f, formula_number(f, factor / value_of(f, it.b)), it.a);
    }
    if (it.op == OP_DIV && take_factor(f, it.b).factor != 1)
        return formula_divide(f, scale(f, factor, it.a), it.b);
    return factor == -1 ? formula_negate(f, term)
                        : formula_binary(f, OP_MUL, formula_number(f, factor), term);
}

expr formula_negate(formula *f, expr a)
{
    node it = f->nodes[a];
    if (it.op == OP_NUMBER)
        return formula_number(f, -it.value);
    if (it.op == OP_NEG)
        return it.a;
    if (it.op == OP_SUB)
        return formula_sub(f, it.b, it.a);
    if (it.op == OP_MUL && formula_is_op(f, it.a, OP_NUMBER))
        return scale(f, -value_of(f, it.a), it.b);
    if (is_choice_of_numbers(f, a))
        return formula_choose(f, it.a, formula_negate(f, it.b), formula_negate(f, it.c));
    if (it.op == OP_DIV && formula_is_op(f, it.a, OP_NUMBER))
        return formula_divide(f, formula_negate(f, it.a), it.b);
    return formula_make_raw(f, (node){OP_NEG, a, NO_EXPR, NO_EXPR, 0});
}

/* a + b or a - b where both hang on one condition, or one is a number: inside the arms. */
static expr merge_choices(formula *f, opcode op, expr a, expr b)
{
    const node p = f->nodes[a], q = f->nodes[b];
    const bool same = p.op == OP_SELECT && q.op == OP_SELECT && p.a == q.a;
    const bool first = same || (is_choice_of_numbers(f, a) && q.op == OP_NUMBER);
    const bool second = same || (is_choice_of_numbers(f, b) && p.op == OP_NUMBER);
    if (!first && !second)
        return NO_EXPR;
    return formula_choose(
        f, first ? p.a : q.a,
        formula_make(f, (node){op, first ? p.b : a, second ? q.b : b, NO_EXPR, 0}),
        formula_make(f, (node){op, first ? p.c : a, second ? q.c : b, NO_EXPR, 0}));
}

expr formula_add(formula *f, expr a, expr b)
{
    if (both_numbers(f, a, b))
        return formula_number(f, value_of(f, a) + value_of(f, b));
    if (formula_is_number(f, a, 0) || formula_is_number(f, b, 0))
        return formula_is_number(f, a, 0) ? b : a;
    split p = take_factor(f, a), q = take_factor(f, b);
    if (p.term == q.term)
        return scale(f, p.factor + q.factor, p.term);
    if (q.factor < 0)
        return formula_sub(f, a, scale(f, -q.factor, q.term));
    if (p.factor < 0)
        return formula_sub(f, b, scale(f, -p.factor, p.term));
    expr merged = merge_choices(f, OP_ADD, a, b);
    return merged != NO_EXPR ? merged : formula_binary(f, OP_ADD, a, b);
}

expr formula_sub(formula *f, expr a, expr b)
{
    node sum = f->nodes[a];
    if (sum.op == OP_ADD && (sum.a == b || sum.b == b))
        return sum.a == b ? sum.b : sum.a;
    if (both_numbers(f, a, b))
        return formula_number(f, value_of(f, a) - value_of(f, b));
    if (formula_is_number(f, b, 0))
        return a;
    if (formula_is_number(f, a, 0))
        return formula_negate(f, b);
    split p = take_factor(f, a), q = take_factor(f, b);
    if (p.term == q.term)
        return scale(f, p.factor - q.factor, p.term);
    if (q.factor < 0)
        return formula_add(f, a, scale(f, -q.factor, q.term));
    expr merged = merge_choices(f, OP_SUB, a, b);
    return merged != NO_EXPR ? merged : formula_binary(f, OP_SUB, a, b);
}

/* u, n of u^n. */
static expr base_of(const formula *f, expr e, double *n)
{
    bool is_power = formula_is_op(f, e, OP_POW);
    *n = is_power ? value_of(f, e) : 1;
    return is_power ? f->nodes[e].a : e;
}

/* The product of two terms without factors. */
static expr product(formula *f, expr a, expr b)
{
    double m, n;
    node p = f->nodes[a], q = f->nodes[b];
    if (formula_is_number(f, a, 1) || formula_is_number(f, b, 1))
        return formula_is_number(f, a, 1) ? b : a;
    if (base_of(f, a, &m) == base_of(f, b, &n))
        return formula_power(f, base_of(f, a, &m), formula_number(f, m + n));
    if (is_choice_of_numbers(f, a))
        return formula_choose(f, p.a, formula_mul(f, p.b, b), formula_mul(f, p.c, b));
    if (is_choice_of_numbers(f, b))
        return formula_choose(f, q.a, formula_mul(f, a, q.b), formula_mul(f, a, q.c));
    if ((q.op == OP_DIV && q.b == a) || (p.op == OP_DIV && p.b == b))
        return q.op == OP_DIV && q.b == a ? q.a : p.a;
    if (q.op == OP_DIV && formula_is_op(f, q.a, OP_NUMBER))
        return formula_divide(f, formula_mul(f, a, q.a), q.b);
    if (p.op == OP_DIV && formula_is_op(f, p.a, OP_NUMBER))
        return formula_divide(f, formula_mul(f, p.a, b), p.b);
    if ((p.op == OP_SIGN && p.a == b) || (q.op == OP_SIGN && q.a == a))
        return formula_unary(f, OP_ABS, p.op == OP_SIGN ? b : a);
    if (q.op == OP_MUL)
        return formula_mul(f, formula_mul(f, a, q.a), q.b);
    if (p.op == OP_MUL && base_of(f, p.b, &m) == base_of(f, b, &n))
        return formula_mul(f, p.a, formula_mul(f, p.b, b)); /* w x x */
    if (p.op == OP_MUL && base_of(f, p.a, &m) == base_of(f, b, &n))
        return formula_mul(f, formula_mul(f, p.a, b), p.b);
    if (p.op == OP_MUL && formula_is_op(f, p.b, OP_PARAM) && q.op != OP_PARAM)
        return formula_mul(f, formula_mul(f, p.a, b), p.b); /* what is small is multiplied first */
    return formula_binary(f, OP_MUL, a, b);
}

expr formula_mul(formula *f, expr a, expr b)
{
    split p = take_factor(f, a), q = take_factor(f, b);
    double factor = p.factor * q.factor;
    if (factor == 0)
        return formula_number(f, 0);
    split both = take_factor(f, product(f, p.term, q.term));
    return scale(f, factor * both.factor, both.term);
}

/* a / b with one number, whole where possible, in front or below. */
expr formula_divide(formula *f, expr a, expr b)
{
    split p = take_factor(f, a), q = take_factor(f, b);
    node above = f->nodes[p.term], below = f->nodes[q.term];
    if (p.factor == 0 || q.factor == 0)
        return q.factor == 0 ? formula_binary(f, OP_DIV, a, b) : formula_number(f, 0);
    double factor = tidy(p.factor / q.factor), inverse = tidy(q.factor / p.factor);
    if (p.term == q.term)
        return formula_number(f, factor);
    if (above.op == OP_MUL && (above.a == q.term || above.b == q.term))
        return scale(f, factor, above.a == q.term ? above.b : above.a);
    if (below.op == OP_DIV && formula_is_op(f, a, OP_NUMBER))
        return formula_divide(f, formula_mul(f, a, below.b), scale(f, q.factor, below.a));
    if (above.op == OP_DIV &&
        (formula_is_op(f, above.b, OP_NUMBER) || formula_is_op(f, b, OP_NUMBER)))
        return formula_divide(f, scale(f, p.factor, above.a), formula_mul(f, above.b, b));
    if (is_choice_of_numbers(f, a) && formula_is_op(f, b, OP_NUMBER))
        return formula_choose(f, above.a, formula_divide(f, above.b, b),
                              formula_divide(f, above.c, b));
    if (formula_is_number(f, q.term, 1))
        return formula_is_whole(inverse) && fabs(inverse) != 1
                   ? formula_binary(f, OP_DIV, inverse < 0 ? formula_negate(f, p.term) : p.term,
                                    formula_number(f, fabs(inverse)))
                   : scale(f, factor, p.term);
    if (formula_is_whole(inverse) && fabs(inverse) != 1) {
        expr inner = scale(f, fabs(inverse), q.term);
        return formula_binary(f, OP_DIV, inverse < 0 ? formula_negate(f, p.term) : p.term, inner);
    }
    if (factor < 0 && !formula_is_op(f, p.term, OP_NUMBER))
        return formula_negate(f, formula_divide(f, scale(f, -factor, p.term), q.term));
    return formula_binary(f, OP_DIV, scale(f, factor, p.term), q.term);
}

static expr whole_power(formula *f, expr a, double n)
{
    const node it = f->nodes[a];
    const expr exponent = formula_number(f, n);
    if (n < 0)
        return formula_build(f, "1/a", whole_power(f, a, -n));
    if (n <= 1)
        return n < 1 ? formula_number(f, 1) : a;
    if (it.op == OP_POW)
        return formula_power(f, it.a, formula_number(f, it.value * n));
    if ((it.op == OP_NEG || it.op == OP_ABS) && fmod(n, 2) == 0)
        return formula_power(f, it.a, exponent);
    if (it.op == OP_DIV && formula_is_number(f, it.a, 1))
        return formula_build(f, "1/a^b", it.b, exponent);
    if (it.op == OP_SQRT && fmod(n, 2) == 0)
        return formula_power(f, it.a, formula_number(f, n / 2));
    if (it.op == OP_MUL && formula_is_op(f, it.a, OP_NUMBER))
        return scale(f, pow(value_of(f, it.a), n), formula_power(f, it.b, exponent));
    return formula_make_raw(f, (node){OP_POW, a, NO_EXPR, NO_EXPR, n});
}

expr formula_power(formula *f, expr a, expr b)
{
    const double n = value_of(f, b);
    if (both_numbers(f, a, b))
        return formula_number(f, pow(value_of(f, a), n));
    if (formula_is_op(f, b, OP_NUMBER) && formula_is_whole(n))
        return whole_power(f, a, n);
    if (formula_is_op(f, a, OP_EXP))
        return formula_build(f, "exp(a*b)", b, f->nodes[a].a);
    if (!formula_is_op(f, b, OP_NUMBER) || fabs(n) > 64 || 2 * n != floor(2 * n))
        return formula_build(f, "exp(a*log(b))", b, a);
    expr rest = whole_power(f, a, fabs(n) - 0.5), root = formula_unary(f, OP_SQRT, a);
    return formula_build(f, n > 0 ? "a*b" : "1/(a*b)", rest, root);
}

expr formula_unary(formula *f, opcode op, expr a)
{
    node it = f->nodes[a], wanted = {op, a, NO_EXPR, NO_EXPR, 0};
    split p = take_factor(f, a);
    if (op == OP_NEG)
        return formula_negate(f, a);
    if (it.op == OP_NUMBER) {
        expr made = formula_make_raw(f, wanted);
        return f->full ? made
                       : formula_number(
                             f, (double)formula_evaluate(f, made, &(point){.in = IN_DOUBLE}));
    }
    const bool is_odd = op == OP_SIN || op == OP_TAN || op == OP_ATAN || op == OP_TANH ||
                        op == OP_ERF || op == OP_SIGN;
    if (p.factor < 0 && is_odd)
        return formula_negate(f, formula_unary(f, op, formula_negate(f, a)));
    if (p.factor < 0 && (op == OP_ABS || op == OP_COS))
        return formula_unary(f, op, formula_negate(f, a));
    if (op == OP_ABS && (it.op == OP_ABS || it.op == OP_EXP || it.op == OP_SQRT))
        return a;
    if (op == OP_SQRT && it.op == OP_POW && it.value == 2)
        return formula_unary(f, OP_ABS, it.a);
    return formula_make_raw(f, wanted);
}

/* The number first: hks_max(0, x) keeps a NaN x. */
expr formula_extreme(formula *f, opcode op, expr a, expr b)
{
    if (both_numbers(f, a, b)) {
        bool smaller = value_of(f, a) < value_of(f, b);
        return smaller == (op == OP_MIN) ? a : b;
    }
    bool swap = !formula_contains_op(f, b, OP_X) && formula_contains_op(f, a, OP_X);
    return a == b ? a : formula_binary(f, op, swap ? b : a, swap ? a : b);
}

static bool holds(opcode op, double a, double b)
{
    return op == OP_LESS ? a < b : op == OP_AT_MOST ? a <= b : a <= b && a >= b;
}

/* max(k, u) < c is u < c where k < c; and so on, for both orders and for min. */
expr formula_compare(formula *f, opcode op, expr a, expr b)
{
    node p = f->nodes[a], q = f->nodes[b];
    bool p_extreme = p.op == OP_MIN || p.op == OP_MAX, q_extreme = q.op == OP_MIN || q.op == OP_MAX;
    if (op != OP_EQUAL && p_extreme && both_numbers(f, p.a, b) &&
        holds(op, value_of(f, p.a), value_of(f, b)) == (p.op == OP_MAX))
        return formula_compare(f, op, p.b, b);
    if (op != OP_EQUAL && q_extreme && both_numbers(f, a, q.a) &&
        holds(op, value_of(f, a), value_of(f, q.a)) == (q.op == OP_MIN))
        return formula_compare(f, op, a, q.b);
    return formula_binary(f, op, a, b);
}

expr formula_choose(formula *f, expr condition, expr yes, expr no)
{
    node it = f->nodes[condition];
    if (yes == no)
        return yes;
    if (both_numbers(f, it.a, it.b))
        return holds(it.op, value_of(f, it.a), value_of(f, it.b)) ? yes : no;
    return formula_make_raw(f, (node){OP_SELECT, condition, yes, no, 0});
}
