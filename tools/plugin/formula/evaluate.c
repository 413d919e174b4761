/* The value of an expression at a point, in extended precision, in double, or as float kernels have it. */
#include "plugin/formula/expr.h"

#include <float.h>
#include <math.h>

static long double operation(const node *it, const long double *v)
{
    const long double a = v[it->a], b = it->b < 0 ? 0 : v[it->b];
    long double e;
    switch (it->op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_DIV: return a / b;
    case OP_POW: return powl(a, it->b < 0 ? (long double)it->value : b);
    case OP_MIN: return a < b ? a : b;
    case OP_MAX: return a > b ? a : b;
    case OP_ROOT_SUM: /* no difference of nearly equal numbers */
        e = (fabsl(a) + sqrtl(a * a + b)) / 2;
        return a < 0 ? b / 4 / e : e;
    case OP_LESS: return a < b;
    case OP_AT_MOST: return a <= b;
    case OP_EQUAL: return a <= b && a >= b;
    case OP_SELECT: return a > 0 ? b : v[it->c];
    case OP_NEG: return -a;
    case OP_ABS: return fabsl(a);
    case OP_SIGN: return a > 0 ? 1 : a < 0 ? -1 : a;
    case OP_FLOOR: return floorl(a);
    case OP_CAP: return (long double)it->value < a ? (long double)it->value : a;
    case OP_CLAMP:
        return fabsl(a) > (long double)CLAMP_AT ? copysignl((long double)CLAMP_AT, a) : a;
    case OP_EXP: return expl(a);
    case OP_EXPM1: return expm1l(a);
    case OP_LOG: return logl(a);
    case OP_LOG1P: return log1pl(a);
    case OP_SQRT: return sqrtl(a);
    case OP_SIN: return sinl(a);
    case OP_COS: return cosl(a);
    case OP_TAN: return tanl(a);
    case OP_ATAN: return atanl(a);
    case OP_TANH: return tanhl(a);
    case OP_SIGMOID: e = expl(-fabsl(a)); return (a < 0 ? e : 1) / (1 + e);
    case OP_SOFTPLUS: return (a > 0 ? a : 0) + log1pl(expl(-fabsl(a)));
    case OP_ERF: return erfl(a);
    case OP_ERFC: return erfcl(a);
    case OP_NORMAL: return 0.5L * erfcl(-0.70710678118654752440L * a);
    case OP_BELL: return expl(-0.5L * a * a);
    case OP_SECH2: e = expl(-2 * fabsl(a)); return 4 * e / ((1 + e) * (1 + e));
    case OP_LOG_COSH: return fabsl(a) + log1pl(expm1l(-2 * fabsl(a)) / 2);
    default: e = a * (a + 2); return e / (e + 2); /* OP_TANH_LOG */
    }
}

/* Whether maths.h has 0 for results that are denormal. */
static bool flushes(opcode op)
{
    return op == OP_EXP || op == OP_SIGMOID || op == OP_SOFTPLUS || op == OP_ERFC ||
           op == OP_NORMAL || op == OP_BELL || op == OP_SECH2;
}

/* Of node i, in units of 2^-64: 8 to 23, up or down. Not alike for all, or they would cancel. */
static long double disturbance(expr i)
{
    const unsigned number = (unsigned)i * 0x9E3779B9u >> 27;
    const long double size = 8 + (int)(number % 16);
    return number < 16 ? size : -size;
}

long double formula_evaluate(const formula *f, expr e, const point *at)
{
    long double v[MAX_NODES];
    bool in[MAX_NODES];
    const long double error = at->in == IN_FLOAT_UP     ? 0x1p-23L
                              : at->in == IN_FLOAT_DOWN ? -0x1p-23L
                                                        : 0;
    formula_mark(f, e, in);
    for (expr i = 0; i <= e; i++) {
        const node *it = &f->nodes[i];
        if (!in[i])
            continue;
        switch (it->op) {
        case OP_NUMBER: v[i] = (long double)it->value; break;
        case OP_X: v[i] = at->x; break;
        case OP_Y: v[i] = at->y; break;
        case OP_SURROGATE: v[i] = 0; break;
        case OP_PARAM: v[i] = at->parameters ? (long double)at->parameters[it->a] : 0; break;
        default: v[i] = operation(it, v);
        }
        if (it->op >= OP_EXP && fabsl(v[i]) < 1e38L)
            v[i] += v[i] * error;
        if (at->in >= IN_FLOAT && flushes(it->op) && fabsl(v[i]) < (long double)FLT_MIN)
            v[i] = 0;
        if (at->in == DISTURBED && it->op > OP_PARAM && (it->op < OP_LESS || it->op >= OP_EXP))
            v[i] += v[i] * 0x1p-64L * disturbance(i);
        if (at->in >= IN_DOUBLE)
            v[i] = (long double)(at->in == IN_DOUBLE ? (double)v[i] : (double)(float)v[i]);
    }
    return v[e];
}
