/* The value of an expression at a point, in double or as float kernels have it. */
#include "plugin/formula/expr.h"

#include <math.h>

static double operation(const node *it, const double *v)
{
    const double a = v[it->a], b = it->b < 0 ? 0 : v[it->b];
    const double e = exp(-fabs(a)), w = e * e, m = a * (a + 2);
    const double s = (fabs(a) + sqrt(a * a + b)) / 2;
    switch (it->op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_DIV: return a / b;
    case OP_POW: return pow(a, it->value);
    case OP_MIN: return a < b ? a : b;
    case OP_MAX: return a > b ? a : b;
    case OP_ROOT_SUM: return a < 0 ? b / 4 / s : s; /* no difference of nearly equal numbers */
    case OP_LESS: return a < b;
    case OP_AT_MOST: return a <= b;
    case OP_EQUAL: return a <= b && a >= b;
    case OP_SELECT: return a > 0 ? b : v[it->c];
    case OP_NEG: return -a;
    case OP_ABS: return fabs(a);
    case OP_SIGN: return (a > 0) - (a < 0);
    case OP_FLOOR: return floor(a);
    case OP_CAP: return CAP_AT < a ? CAP_AT : a;
    case OP_EXP: return exp(a);
    case OP_EXPM1: return expm1(a);
    case OP_LOG: return log(a);
    case OP_LOG1P: return log1p(a);
    case OP_SQRT: return sqrt(a);
    case OP_SIN: return sin(a);
    case OP_COS: return cos(a);
    case OP_TAN: return tan(a);
    case OP_ATAN: return atan(a);
    case OP_TANH: return tanh(a);
    case OP_SIGMOID: return (a < 0 ? e : 1) / (1 + e);
    case OP_SOFTPLUS: return (a > 0 ? a : 0) + log1p(e);
    case OP_ERF: return erf(a);
    case OP_ERFC: return erfc(a);
    case OP_NORMAL: return 0.5 * erfc(-0.70710678118654752440 * a);
    case OP_BELL: return exp(-0.5 * a * a);
    case OP_SECH2: return 4 * w / ((1 + w) * (1 + w));
    default: return m / (m + 2); /* OP_TANH_LOG */
    }
}

double formula_evaluate(const formula *f, expr e, const point *at)
{
    double v[MAX_NODES];
    for (expr i = 0; i <= e; i++) {
        const node *it = &f->nodes[i];
        switch (it->op) {
        case OP_NUMBER: v[i] = it->value; break;
        case OP_X: v[i] = at->x; break;
        case OP_Y: v[i] = at->y; break;
        case OP_PARAM: v[i] = at->parameters ? at->parameters[it->a] : 0; break;
        default: v[i] = operation(it, v);
        }
        const double error = at->in == IN_FLOAT_UP     ? 0x1p-23
                             : at->in == IN_FLOAT_DOWN ? -0x1p-23
                                                       : 0;
        if (it->op >= OP_EXP && fabs(v[i]) < 1e38)
            v[i] += v[i] * error;
        if (at->in != IN_DOUBLE)
            v[i] = (double)(float)v[i];
    }
    return v[e];
}
