/* Gradients against differences of float results: by x, and by every learned slot. The loss is the
 * sum of dy y. */
#include "plugin/check/host.h"

#include <math.h>

static double loss(const use *u, const pass *p)
{
    double sum = 0;
    check_host_forward(u, HK_BASELINE, p);
    for (int64_t i = 0; i < p->out; i++)
        sum += (double)p->dy[i] * (double)p->y[i];
    return sum;
}

/* The loss with one value moved. */
static double moved(const use *u, const pass *p, float *value, float by)
{
    const float kept = *value;
    *value = kept + by;
    double l = loss(u, p);
    *value = kept;
    return l;
}

/* Each of n values against its slope, which is counted from `start`. A slope is right when it is the
 * central quotient; at a kink, where the two sides differ much more than a curve would, anything
 * between them is. Fails with the place and both numbers. */
static void check_slopes(const use *u, const pass *p, const char *name, float *values,
                         const float *slopes, float start, int64_t n)
{
    const float h = 0x1p-7f;
    const double centre = loss(u, p);
    double scale = 0; /* of all slopes: float results cannot tell less */
    for (int64_t i = 0; i < n; i++)
        scale = fmax(scale, fabs((double)(slopes[i] - start)));
    for (int64_t i = 0; i < n && !check_has_failed(); i++) {
        const double right = (moved(u, p, &values[i], h) - centre) / (double)h;
        const double left = (centre - moved(u, p, &values[i], -h)) / (double)h;
        const double found = (double)(slopes[i] - start), expected = (left + right) / 2;
        const double tolerance = 1e-3 * fabs(expected) + 5e-4 * (1 + scale);
        const bool kink = fabs(right - left) > 0.05 * (1 + fabs(expected));
        if (fabs(found - expected) <= tolerance ||
            (kink && found >= fmin(left, right) - tolerance &&
             found <= fmax(left, right) + tolerance))
            continue;
        check_fail("%s, %s[%lld] = %.9g in %lld x %lld: the gradient is %.7g, differences say %.7g",
                   check_spec_text(u), name, (long long)i, (double)values[i],
                   (long long)u->context.rows, (long long)u->context.channels, found, expected);
    }
}

void check_differences(const use *u)
{
    pass *p = check_pass_new(u, 1);
    check_host_run(u, HK_BASELINE, p);
    check_slopes(u, p, "x", p->x, p->dx, 0, p->in);
    for (int k = 0; k < u->n_slots; k++)
        if (p->dslots[k])
            check_slopes(u, p, u->plugin->slots[k].name, u->slots[k], p->dslots[k], 1,
                         u->lengths[k]);
}
