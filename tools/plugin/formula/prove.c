/* The proof that what is written is the formula. The formula as its author wrote it is computed in extended
 * precision, its derivatives by differences, so that no rule of this folder is believed; the text's
 * expressions are computed in double, as its reference is, and in float, as its kernels are. Over x
 * of every size and the trials' parameters, what differs is a fault. */
#include "plugin/formula/expr.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { NEAR = 129, STEPS = 57, POINTS = NEAR + 2 * STEPS };

/* A long formula of many parameters is tried at all points with the defaults, and each other setting at some
 * of them in turn, so that it takes seconds. */
enum { MOST_NODES = 500000 };

/* Dense around 0, where most kinks are; then by factors of 2^5, from the least float to the largest. */
static double place(int i)
{
    const double z = 2.0 * i / (NEAR - 1) - 1;
    if (i < NEAR)
        return (double)(float)(9 * z * fabs(z));
    i -= NEAR;
    return (i % 2 ? -1 : 1) * (i / 2 == STEPS - 1 ? (double)FLT_MAX : ldexp(1, 5 * (i / 2) - 149));
}

static long double original_at(const original *o, long double x, const double *parameters,
                               arithmetic in)
{
    return formula_evaluate(&o->f, o->value, &(point){.x = x, .parameters = parameters, .in = in});
}

void formula_read_original(original *o, const char *text, formula_error *error)
{
    o->f.as_written = true;
    formula_number(&o->f, 0); /* node 0 is what a full formula answers with */
    o->value = formula_parse(&o->f, text, false, error);
    for (opcode op = OP_SIN; op <= OP_TAN; op++)
        o->is_periodic |= formula_contains_op(&o->f, o->value, op);
    o->is_periodic |= formula_contains_op(&o->f, o->value, OP_FLOOR);
}

/* With x or a parameter moved. A parameter is a double: its step has to be one, too. */
static long double moved_by(const original *o, double x, const double *parameters, int by, double h,
                            arithmetic in)
{
    double values[64];
    memcpy(values, parameters, sizeof values);
    if (by >= 0)
        values[by] += h;
    return original_at(o, by < 0 ? (long double)x + (long double)h : (long double)x, values, in);
}

/* With one step; not known where rounding shows. */
static quotients quotients_by_step(const original *o, double x, const double *parameters, int by,
                                   double h)
{
    long double y[3], noise = 0;
    for (int i = -1; i < 2; i++) {
        y[i + 1] = moved_by(o, x, parameters, by, i * h, IN_EXTENDED);
        noise += fabsl(moved_by(o, x, parameters, by, i * h, DISTURBED) - y[i + 1]);
    }
    const double left = (double)((y[1] - y[0]) / (long double)h);
    const double right = (double)((y[2] - y[1]) / (long double)h);
    const bool known = (double)noise / h <= 1e-7 * (1 + fabs(left) + fabs(right));
    return (quotients){fmin(left, right), fmax(left, right), known && isfinite(left + right)};
}

/* By the smallest of several steps at which rounding does not show, if one of sixteen times its
 * length says the same. */
quotients formula_find_quotients(const original *o, double x, const double *parameters, int by)
{
    const double at = by < 0 ? x : parameters[by], size = fabs(at);
    if (o->is_periodic && fabs(x) > 1000) /* a step might be a period */
        return (quotients){0, 0, false};
    for (int i = 0; i < 5; i++) {
        const double unit = i < 3 && size > 0 ? size : fmax(1, size);
        const double step = ldexp(unit, (const int[]){-30, -22, -14, -22, -14}[i]);
        const volatile double sum =
            at + step; /* of a double, a step that both sides have exactly */
        const double h = by < 0 ? step : sum - at;
        const quotients q = quotients_by_step(o, x, parameters, by, h);
        const quotients wide = quotients_by_step(o, x, parameters, by, 16 * h);
        const double alike = 1e-5 * (1 + fabs(q.low) + fabs(q.high));
        if (q.known)
            return (quotients){q.low, q.high,
                               fabs(q.low - wide.low) <= alike &&
                                   fabs(q.high - wide.high) <= alike};
    }
    return (quotients){0, 0, false};
}

quotients formula_find_value(const original *o, double x, const double *parameters)
{
    const long double y = original_at(o, (long double)x, parameters, IN_EXTENDED);
    const long double other = original_at(o, (long double)x, parameters, DISTURBED);
    return (quotients){(double)y, (double)y,
                       isfinite((double)y) && fabsl(other - y) <= 1e-8L * (fabsl(y) + 1e-3L)};
}

typedef struct trial_point {
    const formula *f;
    const expr *roots;
    int root;
    bounds within;
    double x;
    double parameters[64];
} trial_point;

static double value_of(const trial_point *t, double x, const double *parameters, arithmetic in)
{
    const double inside = fmin(t->within.high, fmax(t->within.low, x));
    point at = {.x = (long double)inside, .parameters = parameters, .in = in};
    if (t->root) {
        point whole = at;
        whole.x = (long double)x;
        at.y = formula_evaluate(t->f, t->roots[0], &whole);
    }
    return (double)formula_evaluate(t->f, t->roots[t->root], &at);
}

/* What four roundings of x and of each parameter do to the result. */
static double spread(const trial_point *t, double is)
{
    double sum = 0, values[64];
    memcpy(values, t->parameters, sizeof values);
    for (int i = -1; i < t->f->n_parameters; i++) {
        double *const number = i < 0 ? NULL : &values[i];
        double most = 0;
        for (int side = -1; side <= 1; side += 2) {
            const double factor = 1 + side * 0x1p-22;
            if (number)
                *number = t->parameters[i] * factor;
            most = fmax(most,
                        fabs(value_of(t, number ? t->x : t->x * factor, values, IN_DOUBLE) - is));
        }
        if (number)
            *number = t->parameters[i];
        sum += most;
    }
    return sum;
}

/* How far a number is outside; infinite for none. */
static double outside(const quotients *q, double is)
{
    return isnan(is) ? (double)INFINITY : fmax(0, fmax(q->low - is, is - q->high));
}

/* Whether the root is right at a point; else in what, and what it should be. */
static bool is_right(const trial_point *t, const original *o, int by, fault *out)
{
    const quotients q = t->root ? formula_find_quotients(o, t->x, t->parameters, by)
                                : formula_find_value(o, t->x, t->parameters);
    const double size = fmax(fabs(q.low), fabs(q.high)), far = fabs(t->x);
    const double is = value_of(t, t->x, t->parameters, IN_DOUBLE);
    const double rounded = value_of(t, t->x, t->parameters, IN_FLOAT);
    const bool tiny = t->root && far < 1e-18 && far > 0; /* squares are 0, roots are guarded */
    *out = (fault){t->root, t->x, is, (q.low + q.high) / 2, -1, 0, false};
    if (isnan(is + rounded) && formula_find_value(o, t->x, t->parameters).known) {
        out->is = (double)NAN;
        return false;
    }
    if (!q.known || tiny || size > 0.99 * (double)FLT_MAX)
        return true;
    if (!(outside(&q, is) <= 2e-6 * (1 + size)))
        return false;
    out->is = rounded;
    out->in_float = true;
    if (far > 1e6) /* digits are few there: that it is about right is enough */
        return outside(&q, rounded) <= 0.01 * (1 + size);
    const double terms = 1e-6 * (1 + fmin(far, 16)); /* of about this size sums are made */
    return outside(&q, rounded) <= 2e-6 * size + terms ||
           outside(&q, rounded) <= 2e-6 * size + terms + spread(t, is);
}

/* A learned parameter's place among the roots: 2, 3, ...; by -1 is x. */
static int parameter_of_root(const formula *f, int root)
{
    int by = -1;
    for (int i = 0; root >= 2 && i < f->n_parameters; i++)
        if (f->parameters[i].learned && root-- == 2)
            by = i;
    return by;
}

fault formula_find_fault(const formula *f, const original *o, const expr *roots, int root,
                         bounds within, double reach)
{
    trial_point t = {.f = f, .roots = roots, .root = root, .within = within};
    fault found, none = {.root = -1};
    const int by = parameter_of_root(f, root), trials = ALL_MOVES * f->n_parameters;
    const int64_t nodes = (int64_t)(f->n_nodes + o->f.n_nodes) * POINTS * trials;
    const int stride = (int)(1 + nodes / MOST_NODES);
    for (int trial = 0; trial <= trials; trial++) {
        int moved;
        formula_set_parameters(f, trial, t.parameters, &moved);
        for (int i = trial ? trial % stride : 0; i < POINTS; i += trial ? stride : 1) {
            t.x = place(i);
            if (fabs(t.x) <= reach && !is_right(&t, o, by, &found)) {
                found.moved = moved;
                found.setting = moved < 0 ? 0 : t.parameters[moved];
                return found;
            }
        }
    }
    return none;
}
