/* Activations, in double: the reference's slope and gradients against difference quotients.
 *
 * A derivative must lie between the two one-sided quotients, give or take their rounding: at a kink
 * (relu at 0) that is any subgradient, at a jump anything, and where the curve is smooth the two
 * quotients agree to six digits. Float results are compared in differences.c. */
#include "plugin/check/check.h"

#include <math.h>
#include <stdio.h>
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

/* " (channel 3, scale = 0.7)": where slots make a difference. */
static const char *place_text(const use *u, const hk_scalar64 *at)
{
    static char text[256];
    size_t used = (size_t)snprintf(text, sizeof text, " (channel %lld", (long long)at->channel);
    for (int k = 0; k < u->n_slots && used < sizeof text; k++)
        used += (size_t)snprintf(text + used, sizeof text - used, ", %s = %.6g",
                                 u->plugin->slots[k].name, at->t[k]);
    if (used < sizeof text)
        snprintf(text + used, sizeof text - used, ")");
    return at->channel || u->n_slots ? text : "";
}

/* What the curve allows as its derivative. */
typedef struct bounds {
    double low, high;
} bounds;

static void allow(bounds *b, double quotient)
{
    b->low = fmin(b->low, quotient);
    b->high = fmax(b->high, quotient);
}

static double step_of(const curve *c)
{
    return 1e-6 * sqrt(fmax(1, fabs(c->slot < 0 ? c->at.x : c->at.t[c->slot])));
}

/* Between the one-sided quotients over h, and what they become where the curve bends beside a kink
 * (Richardson 1911). Not finite: overflow, or a pole beside it. */
static bounds bounds_over(const curve *c, double y, double h)
{
    bounds b = {HUGE_VAL, -HUGE_VAL};
    for (int side = -1; side <= 1; side += 2) {
        const double whole = (curve_at(c, side * h) - y) / (side * h);
        const double half = (curve_at(c, side * h / 2) - y) / (side * h / 2);
        allow(&b, whole);
        allow(&b, 2 * half - whole);
        if (!isfinite(whole) || !isfinite(half))
            return (bounds){-HUGE_VAL, HUGE_VAL};
    }
    return b;
}

/* Whether `is` is the derivative, over any of three distances: a kink may be nearer than one of them. At a
 * jump, whose quotients grow as the distance shrinks, anything is. Where x and y are 0 nothing is rounded
 * away, and bends may be as near as numbers are. */
static bool is_derivative(const curve *c, double is, bounds *first)
{
    const double y = curve_at(c, 0);
    double h = step_of(c);
    if (!isfinite(y))
        return !isnan(y);
    for (int i = 0; i < 3; i++, h /= 8) {
        const bounds b = bounds_over(c, y, h);
        const double tolerance = 2e-6 * (1 + fabs(is)) + 2e-15 * fabs(y) / h;
        const bool jump =
            i == 2 && fabs(b.low) > 40 * fabs(first->low) && fabs(b.high) > 40 * fabs(first->high);
        if ((is >= b.low - tolerance && is <= b.high + tolerance) || (jump && isfinite(is)))
            return true;
        *first = i ? *first : b;
    }
    const bool is_origin = c->slot < 0 && c->at.x == 0 && y == 0;
    for (h = 1e-9; is_origin && h > 1e-22; h /= 1000) {
        const bounds b = bounds_over(c, y, h);
        if (is >= b.low - 2e-6 * (1 + fabs(is)) && is <= b.high + 2e-6 * (1 + fabs(is)))
            return isfinite(is);
    }
    return false;
}

static double derivative_at(const curve *c)
{
    hk_scalar64 a = c->at;
    a.y = c->act->value(&a);
    return c->slot < 0 ? c->act->slope(&a) : c->act->gradient(&a, c->slot);
}

/* 0 at a single point, between neighbours that are right: what counts as on or off meets there. Where the
 * curve is smooth nothing meets, except at a setting that makes it so, as a threshold of 0. */
static bool is_single_zero(const use *u, const curve *c, double is)
{
    bounds ignored;
    const bounds b = bounds_over(c, curve_at(c, 0), step_of(c));
    if (b.high - b.low <= 1e-4 * (1 + fabs(b.high)) && !strchr(check_spec_text(u), ':'))
        return false;
    for (int side = -1; is == 0 && side <= 1; side += 2) {
        curve beside = *c;
        beside.at.x += side * step_of(c);
        if (!is_derivative(&beside, derivative_at(&beside), &ignored))
            return false;
    }
    return is == 0;
}

static void check_derivative(const use *u, const curve *c)
{
    const double is = derivative_at(c);
    bounds expected = {0};
    if (isnan(curve_at(c, 0)))
        check_fail("%s: value() is NaN at x = %.9g%s", check_spec_text(u), c->at.x,
                   place_text(u, &c->at));
    else if (!is_derivative(c, is, &expected) && !is_single_zero(u, c, is))
        check_fail("%s: at x = %.9g%s %s is %.9g, expected %.9g%s", check_spec_text(u), c->at.x,
                   c->at.training ? " in training" : "",
                   c->slot < 0 ? "the derivative" : u->plugin->slots[c->slot].name, is,
                   (expected.low + expected.high) / 2, place_text(u, &c->at));
}

/* Dense around 0, where most kinks are; then where formulas have their cases; then anywhere. */
static double point(int i, int n)
{
    static const double cases[] = {0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 4, -4, 6, -6};
    const int k = i - n, many = sizeof cases / sizeof *cases;
    const double z = 2.0 * i / (n - 1) - 1;
    if (k >= 0)
        return k < many ? cases[k] : check_search_point(40, (uint64_t)i);
    return 8 * z * fabs(z);
}

enum { CHANNELS = 67 }; /* more than a vector has, or two */

/* Of the i-th point: each of these, then between them some that no byte and no short holds. */
static int64_t channel_of(int i, int n)
{
    static const int64_t wide[] = {255, 256, 511, 1000, 4097, 65535, 65600};
    return i > n && i % 2 ? wide[i / 2 % 7] : i * 7 / 5 % CHANNELS;
}

static bounds values; /* of all y of a test */

/* A point of a curve, as a case to be made small. */
typedef struct trial {
    use *u;
    curve *c;
    double channel;
} trial;

static void run_trial(void *of)
{
    trial *it = of;
    it->c->at.channel = (int64_t)it->channel;
    it->c->at.y = it->c->act->value(&it->c->at);
    check_derivative(it->u, it->c);
}

static void try_point(use *u, curve *c, double *t)
{
    trial it = {.u = u, .c = c, .channel = (double)c->at.channel};
    run_trial(&it);
    if (!check_has_failed())
        return;
    finding f = {.run = run_trial, .of = &it};
    check_small_add_size(&f, &it.channel, 0);
    check_small_add_params(&f, u);
    check_small_add_slots(&f, u, t);
    check_small_add(&f, &c->at.x, 0);
    check_make_small(&f);
}

/* One setting of parameters and slots, in all channels: the slope, or the gradients of learned slots. */
static void check_points(use *u, bool slots, int n)
{
    const hk_activation *act = u->plugin->activation;
    for (int i = 0; i < 2 * n && !check_has_failed(); i++) {
        double t[HK_MAX_SLOTS] = {0};
        curve c = {.act = act, .slot = -1};
        c.at = (hk_scalar64){.x = point(i, n), .p = u->params, .t = t, .channel = channel_of(i, n)};
        check_slots_at(u, c.at.channel % CHANNELS, t);
        c.at.u = (double)hks_uniform(3, (uint64_t)i);
        c.at.training = (int)u->context.training;
        allow(&values, act->value(&c.at));
        if (!slots)
            try_point(u, &c, t);
        for (int k = 0; slots && k < u->n_slots && !check_has_failed(); k++)
            if (u->plugin->slots[k].role == HK_LEARNED) {
                c.slot = k;
                try_point(u, &c, t);
            }
    }
}

static void try_lives(const subject *s, const double *params, bool slots)
{
    const int mark = check_arrays_mark();
    use *u = check_use_new(s->plugin, 8, CHANNELS);
    memcpy(u->params, params, sizeof u->params);
    const bool usual = !strchr(check_spec_text(u), ':');
    for (int life = 0; life < (u->n_slots ? LIVES : 1); life++)
        for (uint32_t training = 0; training < 2 && !check_has_failed(); training++) {
            u->context.training = training;
            check_use_live(u, life);
            check_begin_call(slots ? "gradient" : "slope", -1, 1, 1);
            check_points(u, slots, usual ? 1001 : 101);
            check_end_call();
        }
    check_arrays_release(mark);
}

static void try_slopes(const subject *s, const double *params)
{
    try_lives(s, params, false);
}

static void try_gradients(const subject *s, const double *params)
{
    try_lives(s, params, true);
}

void check_test_derivative(const subject *s)
{
    values = (bounds){HUGE_VAL, -HUGE_VAL};
    if (!s->plugin->activation->value) {
        check_skip("no double reference: see gradient");
        return;
    }
    check_each_setting(s, try_slopes);
    if (values.low == values.high)
        check_fail("y is %g for every x: are params and slots named in the last line?", values.low);
    else if (s->plugin->activation->traits & HK_SURROGATE)
        check_tell("slope() without its surrogate is the derivative of value()");
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
        check_each_setting(s, try_gradients);
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
        check_slots_at(u, 0, t);
        for (int i = 0; i < 202; i++) {
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
