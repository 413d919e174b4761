/* Normalizations: gradients by differences, what is normalized over what, memory. What evaluation does
 * with what training learned is in evaluation.c. */
#include "plugin/check/check.h"

#include <math.h>
#include <string.h>

/* A layer in the middle of its life: slots moved, running statistics of numbers around 3. */
static use *use_after_training(const subject *s, int64_t rows, int64_t channels, int which)
{
    use *u = check_use_new(s->plugin, rows, channels);
    u->context.rows_per_sample = rows / 2;
    check_use_vary(u, 50);
    if (!check_use_choose(u, which) || !check_host_domain(u))
        return NULL;
    check_use_start(u);
    check_use_vary(u, 51);
    check_use_choose(u, which);
    pass *p = check_pass_new(u, check_host_domain(u) == HK_OVER_WEIGHT ? 1 : 2);
    for (int64_t i = 0; check_host_domain(u) == HK_OVER_BATCH && i < p->in; i++)
        p->x[i] += 3;
    for (int step = 0; step < 10; step++)
        check_host_update(u, p);
    return u;
}

void check_test_gradient_of_normalization(const subject *s)
{
    static const int64_t shapes[][2] = {{12, 1}, {12, 3}, {6, 9},   {4, 17},
                                        {2, 70}, {6, 6},  {2, 1025}};
    for (int i = 0; !check_has_failed(); i++) { /* 14 of each choice of the parameters */
        const int mark = check_arrays_mark();
        const int64_t channels = shapes[i % 14 / 2][1];
        use *u = use_after_training(s, shapes[i % 14 / 2][0], channels, i / 14);
        if (u && (check_host_domain(u) != HK_OVER_ROW || channels > 2)) { /* two make a step */
            u->context.training = (uint32_t)i % 2;
            check_differences(u);
        }
        check_arrays_release(mark);
        if (!u)
            break;
    }
}

/* ---- Mean and variance ----------------------------------------------------------------------- */

typedef struct spread {
    double mean;      /* the largest, either sign, over sets */
    double low, high; /* variances */
    double count;     /* of the numbers of a set */
    double rows;      /* of the set: what a channel of it has */
} spread;

/* Of `count` numbers, `inner` side by side, the next ones `stride` further on. */
static void add_set(spread *all, const float *y, int64_t count, int64_t inner, int64_t stride)
{
    double mean = 0, square = 0;
    for (int64_t i = 0; i < count; i++) {
        const double v = (double)y[i / inner * stride + i % inner];
        mean += v / (double)count, square += v * v / (double)count;
    }
    all->count = (double)count;
    all->mean = fmax(all->mean, fabs(mean));
    all->low = fmin(all->low, square - mean * mean);
    all->high = fmax(all->high, square - mean * mean);
}

/* Training on channels of different means and widths, times `scale`. */
static spread measure(const subject *s, int which, int64_t samples, int64_t each, float scale,
                      spread *together)
{
    const int mark = check_arrays_mark();
    use *u = check_use_new(s->plugin, samples * each, 12);
    check_use_choose(u, which);
    check_use_start(u);
    u->context.training = 1;
    u->context.rows_per_sample = each;
    pass *p = check_pass_new(u, 3);
    for (int64_t i = 0; i < p->in; i++)
        p->x[i] = scale * (5 + (float)(i % 12) + p->x[i] * (1 + 0.2f * (float)(i % 12)));
    check_host_forward(u, HK_BASELINE, p);
    const int64_t channels = u->context.channels, rows = u->context.rows;
    const hk_domain domain = check_host_domain(u);
    const int64_t set = domain == HK_OVER_ROW ? 1 : u->context.rows_per_sample;
    spread sets = {.low = HUGE_VAL};
    if (domain == HK_OVER_BATCH)
        for (int64_t j = 0; j < channels; j++)
            add_set(&sets, p->y + j, rows, 1, channels);
    else
        for (int64_t r = 0; r < rows; r += set)
            add_set(&sets, p->y + r * channels, set * channels, set * channels, 0);
    sets.rows = (double)(domain == HK_OVER_BATCH ? rows : set);
    *together = (spread){.low = HUGE_VAL};
    add_set(together, p->y, p->in, p->in, 0);
    check_arrays_release(mark);
    return sets;
}

/* One variance, whichever the number of the set: biased, or unbiased as the deviation of a sample is, over
 * all of its numbers or each channel of its rows. */
static bool is_of_the_set(const spread *large, const spread *small)
{
    const double ratio = small->high / large->high;
    const double unbiased = (1 - 1 / small->count) / (1 - 1 / large->count);
    const double of_rows = (1 - 1 / small->rows) / (1 - 1 / large->rows);
    return fabs(ratio - 1) <= 0.01 || fabs(ratio - unbiased) <= 0.002 ||
           fabs(ratio - of_rows) <= 0.002;
}

static void report_statistics(const char *name, hk_domain domain, const spread *large,
                              const spread *small, const spread *scaled, const spread *together)
{
    static const char *const over[] = {[HK_OVER_BATCH] = "a channel of the batch",
                                       [HK_OVER_SAMPLE] = "a sample",
                                       [HK_OVER_ROW] = "a row"};
    if (large->mean > 1e-3) {
        if (domain == HK_OVER_BATCH && together->mean < 1e-3)
            check_fail("%s: the mean over all channels together is 0, that of one channel %.3g: "
                       "statistics over the wrong axis",
                       name, large->mean);
        check_tell("not centred: the mean over %s is up to %.3g", over[domain], large->mean);
    } else if (scaled->high > 1.1 * large->high) {
        check_tell("centred over %s, not scaled", over[domain]);
    } else if (!is_of_the_set(large, small)) {
        check_fail(
            "%s: the variance over %s is %.4g with 24 rows in each of 2 samples, but %.4g with 6 "
            "in each of 3: divide by the numbers of the set",
            name, over[domain], large->high, small->high);
    } else {
        check_tell("mean 0 and variance %.3f over %s", large->high, over[domain]);
    }
}

/* Which channels come out the same when x is eight times as large; how many. */
static int64_t scale_free(const subject *s, int which, int64_t channels, bool *free)
{
    const int mark = check_arrays_mark();
    use *u = check_use_new(s->plugin, 12, channels);
    check_use_choose(u, which);
    check_use_start(u);
    u->context.training = 1;
    u->context.rows_per_sample = 6;
    pass *p = check_pass_new(u, 3), *large = check_pass_copy(u, p);
    for (int64_t i = 0; i < p->in; i++)
        large->x[i] = 8 * p->x[i];
    check_host_forward(u, HK_BASELINE, p), check_host_forward(u, HK_BASELINE, large);
    int64_t n = 0;
    for (int64_t j = 0; j < channels; j++) {
        free[j] = true;
        for (int64_t i = j; i < p->in; i += channels)
            free[j] &= fabsf(large->y[i] - p->y[i]) <= 0.02f * (1 + fabsf(p->y[i]));
        n += free[j];
    }
    check_arrays_release(mark);
    return n;
}

/* A normalization of all of 12 channels is one of all of 7, 10 and 13: none is left over. */
static void check_rest(const subject *s, int which)
{
    static const int64_t channels[] = {12, 7, 10, 13, 22};
    bool free[32];
    for (int c = 0; c < 5; c++) {
        const int64_t n = channels[c], scaled = scale_free(s, which, n, free);
        int64_t left = 0;
        while (left < n && free[left])
            left++;
        if (c == 0 && scaled < n)
            return;
        if (scaled < n)
            check_fail("12 channels are scaled, but of %lld channels number %lld stays as it is",
                       (long long)n, (long long)left);
    }
}

void check_test_statistics(const subject *s)
{
    for (int which = 0; !check_has_failed(); which++) {
        const int mark = check_arrays_mark();
        use *u = check_use_new(s->plugin, 12, 12);
        const bool exists = check_use_choose(u, which);
        const hk_domain domain = exists ? check_host_domain(u) : (hk_domain)0;
        spread together, ignored;
        if (domain == HK_OVER_WEIGHT)
            check_skip("it normalizes a weight");
        else if (domain) {
            const spread large = measure(s, which, 2, 24, 1, &together);
            const spread small = measure(s, which, 3, 6, 1, &ignored);
            const spread scaled = measure(s, which, 2, 24, 8, &ignored);
            report_statistics(check_spec_text(u), domain, &large, &small, &scaled, &together);
            check_rest(s, which);
        }
        check_arrays_release(mark);
        if (!exists)
            return;
    }
}

/* ---- Memory ------------------------------------------------------------------------------------ */

static void compare_kernels(const use *u, int isa)
{
    pass *base = check_pass_new(u, 2), *p = check_pass_copy(u, base);
    check_host_run(u, HK_BASELINE, base), check_host_run(u, isa, p);
    for (int64_t i = 0; i < p->in && !check_has_failed(); i++)
        if (!(fabsf(p->y[i] - base->y[i]) <= 1e-5f * (1 + fabsf(base->y[i]))) ||
            !(fabsf(p->dx[i] - base->dx[i]) <= 1e-4f * (1 + fabsf(base->dx[i]))))
            check_fail("%s: y[%lld] is %.9g, baseline %.9g; dx is %.9g, baseline %.9g",
                       check_case_text(u, isa), (long long)i, (double)p->y[i], (double)base->y[i],
                       (double)p->dx[i], (double)base->dx[i]);
}

/* Every element count, both placements, every choice: what is not written stays NaN, what is
 * written elsewhere ends the worker. */
void check_test_memory_of_normalization(const subject *s)
{
    for (int which = 0, more = 1; more && !check_has_failed(); which++)
        for (int64_t n = 1; more && n <= 70 && !check_has_failed(); n += 1 + (n > 20) * 6)
            for (int isa = 0; isa < HK_ISA_COUNT; isa++) {
                const int mark = check_arrays_mark();
                check_guard_before = n % 2;
                use *u = check_use_new(s->plugin, 6, n);
                u->context.rows_per_sample = 3;
                u->context.training = 1;
                more = check_use_choose(u, which) && check_host_domain(u);
                if (more && (isa == 0 || check_has_kernels(s->plugin, isa)))
                    compare_kernels(u, isa);
                check_arrays_release(mark);
            }
}
