/* Activations, in double: the reference's slope and gradients against difference quotients.
 *
 * A derivative must lie between the two one-sided quotients, give or take their rounding: at a kink
 * (relu at 0) that is any subgradient, at a jump anything, and where the curve is smooth the two
 * quotients agree to six digits. */
#include "plugin/check/check.h"

#include <math.h>
#include <string.h>
#include <hillock/kernel.h>

typedef struct curve {
    const hk_activation *act;
    hk_scalar64 at;
    int slot; /* the one that moves; -1: x */
} curve;

static double curve_at(const curve *c, double offset)
{
    double t[HK_MAX_SLOTS];
    hk_scalar64 a = c->at;
    memcpy(t, a.t, sizeof t);
    a.t = t;
    if (c->slot < 0)
        a.x += offset;
    else
        t[c->slot] += offset;
    return c->act->value(&a);
}

/* As `is` is the derivative. */
static void check_derivative(const use *u, const curve *c, double is)
{
    const double origin = c->slot < 0 ? c->at.x : c->at.t[c->slot];
    const double h = 1e-6 * fmax(1, fabs(origin));
    const double y = curve_at(c, 0), left = (y - curve_at(c, -h)) / h;
    const double right = (curve_at(c, h) - y) / h;
    const double tolerance = 2e-6 * (1 + fabs(is)) + 1e-15 * fabs(y) / h;
    if (isnan(y))
        check_fail("%s: value() is NaN at x = %.9g", check_spec_text(u), c->at.x);
    else if (!isfinite(y) || !isfinite(left) ||
             !isfinite(right)) /* overflow, or a pole beside it */
        return;
    else if (!(is >= fmin(left, right) - tolerance && is <= fmax(left, right) + tolerance))
        check_fail("%s: at x = %.9g%s %s is %.9g, expected %.9g", check_spec_text(u), c->at.x,
                   c->at.training ? " in training" : "",
                   c->slot < 0 ? "the derivative" : u->plugin->slots[c->slot].name, is,
                   (left + right) / 2);
}

/* Dense around 0, where most kinks are; far out a few. */
static double point(int i, int n)
{
    static const double far[] = {10, 20, 50, 100, 1000};
    const double z = 2.0 * i / (n - 1) - 1;
    return i >= n ? (i % 2 ? -1 : 1) * far[(i - n) / 2] : 8 * z * fabs(z);
}

enum { POINTS = 2001, FAR = 10, VARIANTS = 8 };

/* One setting of parameters and slots: the slope, or the gradients of learned slots. */
static void check_points(const use *u, bool slots)
{
    const hk_activation *act = u->plugin->activation;
    double t[HK_MAX_SLOTS] = {0};
    for (int k = 0; k < u->n_slots; k++)
        t[k] = (double)u->slots[k][0];
    for (int i = 0; i < POINTS + FAR && !check_has_failed(); i++) {
        curve c = {.act = act, .slot = -1};
        c.at = (hk_scalar64){.x = point(i, POINTS), .p = u->params, .t = t};
        c.at.u = (double)hks_uniform(3, (uint64_t)i);
        c.at.training = (int)u->context.training;
        c.at.y = act->value(&c.at);
        if (!slots)
            check_derivative(u, &c, act->slope(&c.at));
        for (int k = 0; slots && k < u->n_slots; k++)
            if (u->plugin->slots[k].role == HK_LEARNED) {
                c.slot = k;
                check_derivative(u, &c, act->gradient(&c.at, k));
            }
    }
}

static void check_variants(const subject *s, bool slots)
{
    check_begin_call(slots ? "gradient" : "slope", -1, 1, 1);
    for (uint64_t variant = 0; variant < VARIANTS && !check_has_failed(); variant++) {
        const int mark = check_arrays_mark();
        use *u = check_use_new(s->plugin, 1, 1);
        u->context.training = variant % 2;
        if (variant > 1)
            check_use_vary(u, variant);
        check_points(u, slots);
        check_arrays_release(mark);
    }
    check_end_call();
}

void check_test_derivative(const subject *s)
{
    if (!s->plugin->activation->value)
        check_skip("no double reference: see gradient");
    else if (s->plugin->activation->traits & HK_SURROGATE)
        check_skip("a surrogate is declared: backward is not the derivative");
    else
        check_variants(s, false);
}

void check_test_gradients(const subject *s)
{
    const hk_activation *act = s->plugin->activation;
    bool learns = false;
    for (const hk_slot *slot = s->plugin->slots; slot && slot->name; slot++)
        learns |= slot->role == HK_LEARNED;
    if (!learns || !act->value)
        check_skip(learns ? "no double reference: see gradient" : "nothing is learned");
    else if (!act->gradient)
        check_fail("it has learned slots and value(), but no gradient()");
    else
        check_variants(s, true);
}

/* ---- What backward reads --------------------------------------------------------------------- */

/* With NaN in place of what is not declared, nothing changes. */
static void check_reads_of(const use *u, const hk_scalar64 *full, bool x)
{
    const hk_activation *act = u->plugin->activation;
    hk_scalar64 a = *full;
    *(x ? &a.x : &a.y) = (double)NAN;
    bool same = act->slope(&a) == act->slope(full) || isnan(act->slope(full));
    for (int k = 0; act->gradient && k < u->n_slots; k++)
        if (u->plugin->slots[k].role == HK_LEARNED)
            same &= act->gradient(&a, k) == act->gradient(full, k);
    if (!same)
        check_fail(
            "backward depends on %s, which it does not declare (HK_READS_%c), as at x = %.9g",
            x ? "x" : "y", x ? 'X' : 'Y', full->x);
}

/* The framework keeps neither x nor y for a backward that has not asked for it: the kernels get
 * NULL, so the bits of dx must come without. */
void check_test_reads(const subject *s)
{
    const hk_activation *act = s->plugin->activation;
    for (uint64_t key = 1; act->value && key < 3; key++) {
        const int mark = check_arrays_mark();
        use *u = check_use_new(s->plugin, 1, 1);
        check_use_vary(u, key);
        double t[HK_MAX_SLOTS] = {0};
        for (int k = 0; k < u->n_slots; k++)
            t[k] = (double)u->slots[k][0];
        for (int i = 0; i < 101; i++) {
            hk_scalar64 a = {.x = point(i, 101), .u = 0.3, .p = u->params, .t = t};
            a.y = act->value(&a);
            if (!(act->reads & HK_READS_X))
                check_reads_of(u, &a, true);
            if (!(act->reads & HK_READS_Y))
                check_reads_of(u, &a, false);
        }
        check_arrays_release(mark);
    }
    use *u = check_use_new(s->plugin, 5, 12);
    if (!check_use_channels_out(u) || check_has_failed())
        return;
    pass *p = check_pass_new(u, 2);
    check_host_run(u, HK_BASELINE, p);
}

/* ---- Gradients against differences of float results ------------------------------------------ */

double check_host_loss(const use *u, const pass *p)
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
    double l = check_host_loss(u, p);
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
    const double centre = check_host_loss(u, p);
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
