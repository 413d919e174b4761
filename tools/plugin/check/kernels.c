/* Activations, in float: every instruction set's kernels against the double reference, or against one
 * another where there is none; then gradients by differences as well. */
#include "plugin/check/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <hillock/kernel.h>

/* ---- The reference of one element ------------------------------------------------------------ */

/* An element of the reference with numbers of its own. */
typedef struct element {
    double x, p[HK_MAX_PARAMS], t[HK_MAX_SLOTS];
    hk_scalar64 at;
    double y, slope;
    double y_tolerance, slope_tolerance; /* how far a float result may be off */
} element;

static void evaluate(const use *u, element *e, double *y, double *slope)
{
    e->at.x = e->x;
    e->at.y = *y = u->plugin->activation->value(&e->at);
    *slope = u->plugin->activation->slope(&e->at);
}

/* 4 ulp of the result, as far as a float has them, and beside 0 a little more. */
static void begin_element(const use *u, const pass *p, int64_t i, element *e)
{
    const int64_t channel = i % u->context.channels;
    *e = (element){.x = (double)p->x[i], .at = {.p = e->p, .t = e->t, .channel = channel}};
    memcpy(e->p, u->params, sizeof e->p);
    check_slots_at(u, channel, e->t);
    e->at.u = (double)hks_uniform(u->context.key, (uint64_t)i);
    e->at.training = (int)u->context.training;
    e->at.surrogate = (int)u->context.surrogate;
    evaluate(u, e, &e->y, &e->slope);
    e->y_tolerance = 1e-7 + 1e-6 * fabs(e->y);
    e->slope_tolerance = 5e-7 + 1e-6 * fabs(e->slope);
}

/* And what four roundings of one number do to the result: sin(30 x) amplifies them, a sum may
 * cancel, beside a kink or a jump either side is right. Products of the smallest floats are 0. */
static void widen(const use *u, element *e, double *number)
{
    const double kept = *number;
    double y, slope, y_off = 0, slope_off = 0;
    for (int side = -1; side <= 1; side += 2) {
        *number =
            kept * (1 + side * 0x1p-22) + (kept != 0 && fabs(kept) < 1e-36 ? side * 1e-36 : 0);
        evaluate(u, e, &y, &slope);
        y_off = fmax(y_off, fabs(y - e->y));
        slope_off = fmax(slope_off, fabs(slope - e->slope));
    }
    *number = kept;
    e->y_tolerance += y_off;
    e->slope_tolerance += slope_off;
}

/* What is beyond float may come out as anything; far out, where sin() has lost its argument, a
 * result is only asked to stay in range. */
static bool is_right(const element *e, bool y, double factor, double found)
{
    const double value = y ? e->y : e->slope, tolerance = y ? e->y_tolerance : e->slope_tolerance;
    if (fabs(e->x) > 1e6 && (fabs(found) <= (double)FLT_MAX || fabs(factor * value) > 1e30))
        return true;
    if (!(fmax(1, fabs(factor)) * fabs(value) < 0.999999 * (double)FLT_MAX))
        return true;
    return isnan(tolerance) || fabs(found - factor * value) <= fabs(factor) * tolerance + 1e-12;
}

/* Only a net that diverges has numbers beyond a million: what is wrong there is a warning. */
check_reporter *check_reporter_at(double x)
{
    return fabs(x) > 1e6 ? check_warn : check_fail;
}

static double largest_factor(const element *e)
{
    double largest = 1;
    for (int k = 0; k < HK_MAX_PARAMS; k++)
        largest = fmax(largest, fmax(fabs(e->p[k]), fabs(e->t[k])));
    return largest;
}

void check_element(const use *u, const pass *p, int isa, int64_t i, bool spread)
{
    const double y = (double)p->y[i], g = (double)p->dy[i], dx = (double)p->dx[i];
    element e;
    begin_element(u, p, i, &e);
    if (is_right(&e, true, 1, y) && is_right(&e, false, g, dx))
        return;
    widen(u, &e, &e.x);
    for (int k = 0; k < HK_MAX_PARAMS; k++)
        widen(u, &e, &e.p[k]), widen(u, &e, &e.t[k]);
    double terms = 5e-7 * (1 + fmin(fabs(e.x), 16)); /* of about this size sums are made */
    if (spread)
        terms = 5e-7 * (1 + fabs(e.x)) * largest_factor(&e);
    e.y_tolerance += terms, e.slope_tolerance += terms;
    const bool y_right = is_right(&e, true, 1, y);
    if (y_right && is_right(&e, false, g, dx))
        return;
    check_reporter_at(e.x)("%s, element %lld: x = %.9g: %s is %.9g, expected %.9g",
                           check_case_text(u, isa), (long long)i, e.x, y_right ? "dx" : "y",
                           y_right ? dx : y, y_right ? g * e.slope : e.y);
}

static void check_slot_sums(const use *u, const pass *p, int isa, int k)
{
    const bool per_channel = u->plugin->slots[k].extent == HK_PER_CHANNEL;
    const int64_t channels = u->context.channels;
    for (int64_t j = 0; j < (per_channel ? channels : 1) && !check_has_failed(); j++) {
        double sum = 0, size = 0;
        for (int64_t i = j; i < p->in; i += per_channel ? channels : 1) {
            element e;
            begin_element(u, p, i, &e);
            const double part = (double)p->dy[i] * u->plugin->activation->gradient(&e.at, k);
            sum += part, size += fabs(part);
        }
        const double found = (double)p->dslots[k][j] - 1;
        if (!(fabs(found - sum) <= 3e-6 * (1 + size)))
            check_fail("%s: gradient of %s[%lld] is %.9g, expected %.9g", check_case_text(u, isa),
                       u->plugin->slots[k].name, (long long)j, found, sum);
    }
}

/* ---- Shapes and settings ---------------------------------------------------------------------- */

/* Without a double reference: an instruction set's results against the baseline's. What a row sums may be
 * summed in another order. */
static void check_against_baseline(const use *u, const pass *p, int isa)
{
    pass *base = check_pass_copy(u, p);
    check_host_run(u, HK_BASELINE, base);
    const struct {
        const char *name;
        const float *found, *expected;
        int64_t n;
    } results[] = {{"y", p->y, base->y, p->out}, {"dx", p->dx, base->dx, p->in}};
    for (int r = 0; r < 2; r++) {
        const int64_t width = results[r].n / u->context.rows;
        double size = 0;
        for (int64_t i = 0; i < results[r].n && !check_has_failed(); i++) {
            const double found = (double)results[r].found[i];
            const double expected = (double)results[r].expected[i];
            size = i % width ? size : 0;
            for (int64_t j = i; i % width == 0 && j < i + width; j++) {
                const double other = fabs((double)results[r].expected[j]);
                size = other > size ? other : size; /* gcc 12 for aarch64 fails at fmax() here */
            }
            if (!(fabs(found - expected) <= 1e-5 * (1 + size)) && found != expected &&
                !isnan(expected))
                check_fail("%s: %s[%lld] is %.9g, in baseline %.9g", check_case_text(u, isa),
                           results[r].name, (long long)i, found, expected);
        }
    }
}

/* A pass, its x `spread` numbers of any size, all of them `same`, or where that is NaN normal ones, through
 * the kernels of one set. */
static void check_pass(use *u, int isa, bool spread, double same)
{
    const hk_activation *act = u->plugin->activation;
    if (check_use_channels_out(u) < 1)
        return;
    pass *p = check_pass_new(u, 3);
    if (spread)
        check_fill_search(p->x, p->in, 60);
    for (int64_t i = 0; !isnan(same) && i < p->in; i++)
        p->x[i] = (float)same;
    check_host_run(u, isa, p);
    for (int64_t i = 0; act->value && i < p->in && !check_has_failed(); i++)
        check_element(u, p, isa, i, spread);
    for (int k = 0; act->value && act->gradient && k < u->n_slots && !spread && p->in < 2048; k++)
        if (u->plugin->slots[k].role == HK_LEARNED)
            check_slot_sums(u, p, isa, k);
    if (!act->value && isa)
        check_against_baseline(u, p, isa);
}

/* Kernels on normal numbers, as a case to be made small; x NaN: those, else every x. */
typedef struct trial {
    const subject *s;
    int isa;
    uint32_t training, surrogate;
    double rows, channels, x;
} trial;

static void run_trial(void *of)
{
    const trial *it = of;
    const int mark = check_arrays_mark();
    use *u = check_use_new(it->s->plugin, (int64_t)it->rows, (int64_t)it->channels);
    u->context.training = it->training;
    u->context.surrogate = it->surrogate;
    check_use_vary(u, 4);
    check_pass(u, it->isa, false, it->x);
    check_arrays_release(mark);
}

static void check_shape(const subject *s, int isa, int64_t rows, int64_t channels)
{
    trial it = {s, isa, rows != 2, rows == 7, (double)rows, (double)channels, (double)NAN};
    run_trial(&it);
    if (!check_has_failed())
        return;
    finding f = {.run = run_trial, .of = &it};
    check_small_add_size(&f, &it.channels, 1);
    check_small_add_size(&f, &it.rows, 1);
    check_small_add(&f, &it.x, 1);
    check_make_small(&f);
}

/* Whatever is set and learned, with numbers of any size. */
static void try_setting(const subject *s, const double *params)
{
    for (int isa = 0; isa < HK_ISA_COUNT; isa++)
        for (int life = 0; life < LIVES && check_has_kernels(s->plugin, isa); life++) {
            const int mark = check_arrays_mark();
            use *u = check_use_new(s->plugin, 6, 14);
            memcpy(u->params, params, sizeof u->params);
            u->context.training = (uint32_t)life % 2;
            check_use_live(u, life);
            if (!check_has_failed() && (life == 0 || u->n_slots))
                check_pass(u, isa, true, (double)NAN);
            check_arrays_release(mark);
        }
}

void check_test_kernels(const subject *s)
{
    static const int64_t rows[] = {1, 2, 7, 61};
    static const int64_t wide[] = {300, 513, 600, 1025, 2050}; /* beside the framework's tiles */
    int sets = 0;
    for (int isa = 0; isa < HK_ISA_COUNT; isa++) {
        if (!check_has_kernels(s->plugin, isa))
            continue;
        sets++;
        for (int r = 0; r < 4; r++)
            for (int64_t channels = 1; channels <= 70 && !check_has_failed();
                 channels += 1 + (r > 1) * (channels % 5))
                check_shape(s, isa, rows[r], channels);
        for (int w = 0; w < 5 && !check_has_failed(); w++)
            check_shape(s, isa, 3, wide[w]);
        check_shape(s, isa, 1000, 1);
        check_shape(s, isa, 650, 3);
    }
    check_each_setting(s, try_setting);
    check_tell("1 to 2050 elements a row, %d instruction sets agree with %s", sets,
               s->plugin->activation->value ? "the double reference" : "baseline");
}

static void differ_in_setting(const subject *s, const double *params)
{
    for (int life = 0; life < LIVES && !check_has_failed(); life++) {
        const int mark = check_arrays_mark();
        use *u = check_use_new(s->plugin, 2, 8);
        memcpy(u->params, params, sizeof u->params);
        check_use_live(u, life);
        if ((life == 0 || u->n_slots) && check_use_channels_out(u) > 0)
            check_differences(u);
        check_arrays_release(mark);
    }
}

/* Differences of normal numbers, as a case to be made small. */
typedef struct shape {
    const subject *s;
    uint32_t training;
    uint64_t key;
    double rows, channels;
} shape;

static void differ_in_shape(void *of)
{
    const shape *it = of;
    const int mark = check_arrays_mark();
    use *u = check_use_new(it->s->plugin, (int64_t)it->rows, (int64_t)it->channels);
    u->context.training = it->training;
    check_use_vary(u, it->key);
    if (check_use_channels_out(u) > 0)
        check_differences(u);
    check_arrays_release(mark);
}

void check_test_gradient(const subject *s)
{
    static const int64_t shapes[][2] = {{3, 4},    {3, 12},   {3, 30},  {2, 513},
                                        {1, 1025}, {1, 2049}, {600, 1}, {300, 3}};
    if (s->plugin->activation->value) {
        check_skip("there is a double reference: see derivative and kernels");
        return;
    }
    for (int i = 0; i < 16 && !check_has_failed(); i++) {
        shape it = {s, (uint32_t)i % 2, check_seed + (uint64_t)i / 2, (double)shapes[i / 2][0],
                    (double)shapes[i / 2][1]};
        differ_in_shape(&it);
        finding f = {.run = differ_in_shape, .of = &it};
        check_small_add_size(&f, &it.channels, 1);
        check_small_add_size(&f, &it.rows, 1);
        if (check_has_failed())
            check_make_small(&f);
    }
    check_each_setting(s, differ_in_setting);
}
