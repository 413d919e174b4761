/* The framework's part: moments and the affine pass of normalizations, updates, weights. */
#include "plugin/check/check.h"

#include <math.h>
#include <string.h>

/* ---- Normalizations -------------------------------------------------------------------------- */

hk_domain check_host_domain(const use *u)
{
    const hk_normalization *norm = u->plugin->normalization;
    const hk_context context = {.params = u->params}; /* all there is when a net is built */
    check_begin_call("domain", -1, u->context.rows, u->context.channels);
    const hk_domain domain = norm->domain(&context);
    check_end_call();
    const bool sets = domain == HK_OVER_BATCH || domain == HK_OVER_SAMPLE;
    if (domain < HK_OVER_BATCH || domain > HK_OVER_WEIGHT)
        check_fail("%s: domain() is %d, expected HK_OVER_BATCH to HK_OVER_WEIGHT",
                   check_spec_text(u), (int)domain);
    else if (sets && !norm->coefficients)
        check_fail("%s: domain() promises sets, but there is no coefficients()",
                   check_spec_text(u));
    else if (!sets && !norm->kernels[0].forward)
        check_fail("%s: domain() promises rows or a weight, but there are no kernels",
                   check_spec_text(u));
    else
        return domain;
    return (hk_domain)0;
}

static bool is_frozen(const use *u)
{
    return !u->context.training && u->plugin->normalization->frozen;
}

hk_moments check_host_moments(const use *u, const float *x, int64_t rows)
{
    const int64_t channels = u->context.channels;
    double *mean = check_guarded_doubles("the means", channels);
    double *m2 = check_guarded_doubles("the sums of squares", channels);
    for (int64_t i = 0; i < rows * channels; i++)
        mean[i % channels] += (double)x[i] / (double)rows;
    for (int64_t i = 0; i < rows * channels; i++) {
        const double away = (double)x[i] - mean[i % channels];
        m2[i % channels] += away * away;
    }
    return (hk_moments){rows, mean, m2};
}

static void protect_moments(const hk_moments *seen, bool read_only)
{
    check_make_read_only(seen->mean, read_only);
    check_make_read_only(seen->m2, read_only);
}

/* coef of one set; all of it must be written. */
static float *coefficients_of(const use *u, const hk_moments *seen)
{
    const hk_normalization *norm = u->plugin->normalization;
    const int64_t n = norm->n_coef * u->context.channels;
    float *coef = check_filled("coef", n, NAN);
    const bool protect =
        check_is_first_call(u, is_frozen(u) ? CALLS_FROZEN : CALLS_COEFFICIENTS, true, true);
    if (protect)
        check_protect_slots(u, true), protect_moments(seen, true);
    check_begin_call(is_frozen(u) ? "frozen" : "coefficients", -1, u->context.rows,
                     u->context.channels);
    if (is_frozen(u))
        norm->frozen(&u->context, coef);
    else
        norm->coefficients(&u->context, seen, coef);
    check_end_call();
    if (protect)
        check_protect_slots(u, false), protect_moments(seen, false);
    return coef;
}

static void normalize_set(const use *u, const pass *p, int64_t at, int64_t rows)
{
    const int64_t channels = u->context.channels;
    const float *x = p->x + at;
    const int mark = check_arrays_mark();
    const hk_moments seen = check_host_moments(u, x, rows);
    const float *coef = coefficients_of(u, &seen);
    for (int64_t i = 0; i < rows * channels; i++)
        p->y[at + i] = coef[i % channels] * x[i] + coef[channels + i % channels];
    check_arrays_release(mark);
}

/* Behind frozen() there are no moments, and sums are taken around 0. */
static void normalize_set_back(const use *u, const pass *p, int64_t at, int64_t rows)
{
    const int64_t channels = u->context.channels;
    const float *x = p->x + at, *dy = p->dy + at;
    const int mark = check_arrays_mark();
    const hk_moments seen = check_host_moments(u, x, rows);
    float *coef = coefficients_of(u, &seen), *bcoef = check_filled("bcoef", 3 * channels, NAN);
    double *sum_dy = check_guarded_doubles("sum_dy", channels);
    double *sum_dyx = check_guarded_doubles("sum_dyx", channels);
    for (int64_t i = 0; i < rows * channels; i++) {
        const double centre = is_frozen(u) ? 0 : seen.mean[i % channels];
        sum_dy[i % channels] += (double)dy[i];
        sum_dyx[i % channels] += (double)dy[i] * ((double)x[i] - centre);
    }
    const void *inputs[] = {coef, sum_dy, sum_dyx, seen.mean, seen.m2};
    const bool protect = check_is_first_call(u, CALLS_GRADIENT, !is_frozen(u), true);
    for (int i = 0; i < 5 && protect; i++)
        check_make_read_only(inputs[i], true);
    if (protect)
        check_protect_slots(u, true);
    check_begin_call("gradient", -1, u->context.rows, channels);
    u->plugin->normalization->gradient(&u->context, coef, is_frozen(u) ? NULL : &seen, sum_dy,
                                       sum_dyx, bcoef, p->dslots);
    check_end_call();
    for (int i = 0; i < 5 && protect; i++)
        check_make_read_only(inputs[i], false);
    if (protect)
        check_protect_slots(u, false);
    for (int64_t i = 0; i < rows * channels; i++) {
        const float *b = bcoef + i % channels;
        p->dx[at + i] = b[0] * dy[i] + b[channels] * x[i] + b[2 * channels];
        p->terms[at + i] = fabsf(b[0] * dy[i]) + fabsf(b[channels] * x[i]) + fabsf(b[2 * channels]);
    }
    check_arrays_release(mark);
}

static void run(const use *u, int isa, const pass *p, bool back)
{
    const hk_domain domain = u->plugin->activation ? HK_OVER_ROW : check_host_domain(u);
    const int64_t rows = u->context.rows;
    const int64_t set = domain == HK_OVER_SAMPLE ? u->context.rows_per_sample : rows;
    if (domain == HK_OVER_ROW || domain == HK_OVER_WEIGHT)
        (back ? check_backward : check_forward)(u, isa, p, 0, rows);
    else
        for (int64_t at = 0; domain && at < p->in; at += set * u->context.channels)
            (back ? normalize_set_back : normalize_set)(u, p, at, set);
}

void check_host_forward(const use *u, int isa, const pass *p)
{
    run(u, isa, p, false);
}

void check_host_run(const use *u, int isa, const pass *p)
{
    run(u, isa, p, false);
    run(u, isa, p, true);
}

void check_host_update(use *u, const pass *p)
{
    const hk_domain domain = check_host_domain(u);
    const int mark = check_arrays_mark();
    if (!u->plugin->normalization->update || !domain ||
        (domain != HK_OVER_BATCH && domain != HK_OVER_WEIGHT))
        return;
    const hk_moments seen = check_host_moments(u, p->x, u->context.rows);
    const bool protect = check_is_first_call(u, CALLS_UPDATE, true, true);
    if (protect)
        check_make_read_only(p->x, true), protect_moments(&seen, true);
    check_begin_call("update", -1, u->context.rows, u->context.channels);
    u->plugin->normalization->update(&u->context, domain == HK_OVER_BATCH ? &seen : NULL,
                                     domain == HK_OVER_WEIGHT ? p->x : NULL);
    check_end_call();
    if (protect)
        check_make_read_only(p->x, false), protect_moments(&seen, false);
    check_clamp_slots(u);
    check_arrays_release(mark);
}

void check_host_activation_update(use *u, const pass *p)
{
    const hk_activation *act = u->plugin->activation;
    const int64_t channels = u->context.channels, rows = u->context.rows;
    if (!act->update || !act->n_sums)
        return;
    const int mark = check_arrays_mark();
    double *sums = check_guarded_doubles("the statistics", act->n_sums * channels), mean = 0;
    memset(p->sums, 0, (size_t)(act->n_sums * channels) * sizeof *p->sums);
    check_forward(u, HK_BASELINE, p, 0, rows);
    for (int64_t i = 0; i < act->n_sums * channels; i++)
        sums[i] = (double)p->sums[i];
    for (int64_t j = 0; j < channels; j++)
        mean += sums[j] / (double)(rows * channels);
    const bool protect = check_is_first_call(u, CALLS_UPDATE, true, true);
    check_make_read_only(protect ? sums : NULL, true);
    const hk_activity seen = {rows, sums, mean, mean};
    check_begin_call("update", -1, rows, channels);
    act->update(&u->context, &seen);
    check_end_call();
    check_clamp_slots(u);
    check_arrays_release(mark);
}

hk_weight check_host_weight(int64_t rows, int64_t columns)
{
    return (hk_weight){.rows = rows,
                       .columns = columns,
                       .kernel = 1,
                       .fan_in = rows,
                       .fan_out = columns,
                       .count = rows * columns,
                       .gain = 1.25,
                       .key = 99};
}

filled check_host_fill(const hk_plugin *plugin, hk_weight weight, const double *params)
{
    use *u = check_use_new(plugin, weight.rows, weight.columns);
    u->context.key = weight.key;
    if (params)
        memcpy(u->params, params, sizeof u->params);
    weight.w = check_filled("w", weight.rows * weight.columns, NAN);
    weight.bias = check_filled("bias", weight.columns, NAN);
    check_begin_call("fill", -1, weight.rows, weight.columns);
    const char *refusal = plugin->initializer->fill(&u->context, &weight);
    check_end_call();
    return (filled){weight, refusal};
}
