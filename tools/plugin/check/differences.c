/* Gradients of float results against differences of the loss, the sum of dy y: dx and what is added to the
 * slots' gradients, of activations without a double reference and of normalizations. */
#include "plugin/check/check.h"

#include <float.h>
#include <math.h>
#include <string.h>

double check_host_loss(const use *u, const pass *p)
{
    double sum = 0;
    check_host_forward(u, HK_BASELINE, p);
    for (int64_t i = 0; i < p->out; i++)
        sum += (double)p->dy[i] * (double)p->y[i];
    return sum;
}

enum {
    MANY = 400,
    SOME = 24
}; /* so many results are a wide row; of those so many values are tried */

/* A value that moves, and what the results were before. */
typedef struct mover {
    const use *u;
    const pass *p;
    float *value;
    const float *y;
    double size;   /* the largest number that a result is made of */
    double cancel; /* how far the slope may be off where its terms cancel */
} mover;

/* Quotients over one distance; `rounding` is how far they may be off by that of the results, `own` by that
 * of each for itself. */
typedef struct quotients {
    double left, right, central, rounding, own;
} quotients;

/* What the roundings of the results may add up to: each by itself, and where rows are wide the rounding
 * of what they have in common, such as a logarithm of their sum. */
typedef struct roundings {
    double squares, common;
} roundings;

/* What the loss gains when the value moves by h, and its roundings. A result that stays as it was has
 * none of its own: a large gradient elsewhere does not hide a small one. */
static double gain_over(const mover *m, float h, roundings *all)
{
    const float kept = *m->value;
    double gain = 0;
    *m->value = kept + h;
    check_host_forward(m->u, HK_BASELINE, m->p);
    *m->value = kept;
    for (int64_t i = 0; i < m->p->out; i++) {
        const double dy = (double)m->p->dy[i], y = (double)m->y[i];
        all->common += m->p->out > MANY ? (double)FLT_EPSILON * fabs(dy * y) : 0;
        if (m->p->y[i] == m->y[i])
            continue;
        const double rounding = 4 * (double)FLT_EPSILON * dy * (fabs(y) + m->size);
        gain += dy * ((double)m->p->y[i] - y);
        all->squares += rounding * rounding;
    }
    return gain;
}

static quotients quotients_over(const mover *m, float h)
{
    const float above = *m->value + h - *m->value, below = *m->value - (*m->value - h);
    roundings all = {0};
    const double right = gain_over(m, h, &all), left = -gain_over(m, -h, &all);
    const double own = 1e-5 + m->cancel + sqrt(all.squares) / (double)h;
    return (quotients){left / (double)below, right / (double)above,
                       (left + right) / ((double)below + (double)above),
                       own + all.common / 2 / (double)h, own};
}

/* A slope is right when it is the central quotient, over the first distance where a shorter one says the same:
 * a kink, of the curve or of its slope, may be nearer than that. Where the two sides differ much more
 * than a curve would, anything between them is. */
static bool is_slope(const mover *m, double found, double *expected)
{
    float h = 0x1p-7f;
    quotients q = quotients_over(m, h);
    *expected = q.central;
    if (fabs(found - q.central) <= 1e-3 * fabs(q.central) + q.rounding)
        return true;
    for (int i = 0; i < 2; i++, h /= 8) {
        const quotients nearer = quotients_over(m, h / 8);
        const double off = fabs(nearer.central - q.central);
        const double tolerance = q.rounding + 1e-3 * fabs(q.central);
        const double low = fmin(q.left, q.right), high = fmax(q.left, q.right);
        const bool kink =
            fabs(nearer.right - nearer.left) > 1e-3 * (1 + fabs(nearer.central)) + 2 * nearer.own &&
            fabs(nearer.right - nearer.left) > 0.4 * (high - low);
        if (kink && found >= low - tolerance && found <= high + tolerance)
            return true;
        if (off <= tolerance + nearer.rounding && !kink)
            return fabs(found - q.central) <= tolerance + off;
        q = nearer;
    }
    return fabs(found - q.central) <= 1e-3 * fabs(q.central) + q.rounding ||
           (found >= fmin(q.left, q.right) - q.rounding &&
            found <= fmax(q.left, q.right) + q.rounding);
}

/* Each of n values, or where they are many some of them, against its slope, which is counted from
 * `start`. Fails with the place and both numbers. */
static void check_slopes(const mover *all, const char *name, float *values, const float *slopes,
                         float start, int64_t n)
{
    mover m = *all;
    for (int64_t i = 0; i < n && !check_has_failed(); i += n > MANY ? n / SOME : 1) {
        const double found = (double)(slopes[i] - start);
        double expected;
        m.value = &values[i];
        m.cancel = values == m.p->x ? 4 * (double)FLT_EPSILON * (double)m.p->terms[i] : 0;
        if (!is_slope(&m, found, &expected))
            check_fail(
                "%s, %s[%lld] = %.9g in %lld x %lld: the gradient is %.7g, differences say %.7g",
                check_spec_text(m.u), name, (long long)i, (double)values[i],
                (long long)m.u->context.rows, (long long)m.u->context.channels, found, expected);
    }
}

/* All inputs of a row are the same, and move together: where that is smooth, however the gradient is shared
 * among the tied, it adds up to the slope. */
static void check_ties(const use *u)
{
    enum { BACK, HERE, AHEAD, STEPS };
    const float h = 0x1p-7f;
    double loss[STEPS], sum = 0;
    pass *p = check_pass_new(u, 1);
    const int64_t width = u->context.channels;
    for (int step = AHEAD; step >= BACK; step--) {
        for (int64_t i = 0; i < p->in; i++)
            p->x[i] = 0.7f + (float)(i / width) / 4 + (float)(step - HERE) * h;
        loss[step] = check_host_loss(u, p);
    }
    for (int64_t i = 0; i < p->in; i++)
        p->x[i] = 0.7f + (float)(i / width) / 4;
    check_host_run(u, HK_BASELINE, p);
    for (int64_t i = 0; i < p->in; i++)
        sum += (double)p->dx[i];
    const double right = (loss[AHEAD] - loss[HERE]) / (double)h;
    const double left = (loss[HERE] - loss[BACK]) / (double)h;
    const double slack = 0.02 * (1 + fabs(left) + fabs(right));
    if (fabs(right - left) < slack && fabs(sum - (left + right) / 2) > slack)
        check_fail(
            "%s: where the inputs of a row are equal and move together, the loss changes by %.6g, "
            "their gradients add up to %.6g",
            check_spec_text(u), (left + right) / 2, sum);
}

void check_differences(const use *u)
{
    pass *p = check_pass_new(u, 1);
    float *y = check_unguarded("the results", (size_t)p->out * sizeof *y);
    for (int64_t i = 0; p->out > MANY && i < p->out; i++)
        p->dy[i] = fabsf(p->dy[i]); /* sums over wide rows would cancel to nearly 0 */
    check_host_run(u, HK_BASELINE, p);
    memcpy(y, p->y, (size_t)p->out * sizeof *y);
    mover m = {.u = u, .p = p, .y = y, .size = 1};
    for (int64_t i = 0; i < p->in; i++)
        m.size = fmax(m.size, fabs((double)p->x[i]));
    check_slopes(&m, "x", p->x, p->dx, 0, p->in);
    for (int k = 0; k < u->n_slots; k++)
        if (p->dslots[k])
            check_slopes(&m, u->plugin->slots[k].name, u->slots[k], p->dslots[k], 1, u->lengths[k]);
    if (u->plugin->activation && u->context.channels <= SOME && !check_has_failed())
        check_ties(u);
}
