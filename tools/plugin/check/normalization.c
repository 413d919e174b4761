/* Normalizations: gradients by differences, what is normalized over what, what evaluation does with
 * what training learned, and degenerate sets. */
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
    static const int64_t shapes[][2] = {{12, 1}, {12, 3}, {6, 9}};
    for (int i = 0; !check_has_failed(); i++) { /* 6 of each choice of the parameters */
        const int mark = check_arrays_mark();
        const int64_t channels = shapes[i % 6 / 2][1];
        use *u = use_after_training(s, shapes[i % 6 / 2][0], channels, i / 6);
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
} spread;

/* Of `count` numbers, `inner` side by side, the next ones `stride` further on. */
static void add_set(spread *all, const float *y, int64_t count, int64_t inner, int64_t stride)
{
    double mean = 0, square = 0;
    for (int64_t i = 0; i < count; i++) {
        const double v = (double)y[i / inner * stride + i % inner];
        mean += v / (double)count, square += v * v / (double)count;
    }
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
    *together = (spread){.low = HUGE_VAL};
    add_set(together, p->y, p->in, p->in, 0);
    check_arrays_release(mark);
    return sets;
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
    } else if (fabs(small->high / large->high - 1) > 0.01) {
        check_fail(
            "%s: the variance over %s is %.4g with 24 rows in each of 2 samples, but %.4g with 6 "
            "in each of 3: divide by the numbers of the set",
            name, over[domain], large->high, small->high);
    } else {
        check_tell("mean 0 and variance %.3f over %s", large->high, over[domain]);
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
        }
        check_arrays_release(mark);
        if (!exists)
            return;
    }
}

/* ---- Evaluation ------------------------------------------------------------------------------ */

static bool is_close(double a, double b)
{
    return fabs(a - b) <= 2e-3 * fabs(b) + 1e-6;
}

/* After many steps on one batch a running variance is that of the batch: which of the two? */
static void check_bias(const use *u, const pass *p, int k)
{
    const int64_t channels = u->context.channels, rows = u->context.rows;
    const hk_slot *slot = &u->plugin->slots[k];
    bool biased = u->lengths[k] == channels, unbiased = biased;
    for (int64_t j = 0; biased | unbiased && j < channels; j++) {
        double mean = 0, m2 = 0;
        for (int64_t r = 0; r < rows; r++)
            mean += (double)p->x[r * channels + j] / (double)rows;
        for (int64_t r = 0; r < rows; r++)
            m2 += ((double)p->x[r * channels + j] - mean) * ((double)p->x[r * channels + j] - mean);
        biased &= is_close((double)u->slots[k][j], m2 / (double)rows);
        unbiased &= is_close((double)u->slots[k][j], m2 / (double)(rows - 1));
    }
    const char *doc = slot->doc ? slot->doc : "", *stated = strstr(doc, "biased");
    if ((biased || unbiased) && stated &&
        unbiased != (stated >= doc + 2 && strncmp(stated - 2, "un", 2) == 0))
        check_fail("slot %s is the %s variance of the batch, its doc states \"%s\"", slot->name,
                   biased ? "biased (divided by n)" : "unbiased (divided by n - 1)", doc);
    if (biased || unbiased)
        check_tell("evaluation uses what training learned; %s is %s", slot->name,
                   biased ? "biased (n)" : "unbiased (n - 1)");
}

/* The factor of x in evaluation over that in training is 1, or differs by n against n - 1. */
static void check_frozen(use *u, pass *p)
{
    enum { ROWS = 8 };
    pass *plain = check_pass_copy(u, p);
    u->context.training = 1;
    check_host_forward(u, HK_BASELINE, p);
    u->context.training = 0;
    check_host_forward(u, HK_BASELINE, plain);
    const int64_t channels = u->context.channels;
    for (int64_t j = 0; j < channels && !check_has_failed(); j++) {
        const double ratio =
            (double)(plain->y[j] - plain->y[j + channels]) / (double)(p->y[j] - p->y[j + channels]);
        if (fabs(ratio - 1) > 0.005 && fabs(ratio - sqrt((ROWS - 1.0) / ROWS)) > 0.005)
            check_fail(
                "after 500 steps on one batch, evaluation scales channel %lld by %.4g of what "
                "training does: frozen() does not use what update() learns",
                (long long)j, ratio);
        if (fabsf(plain->y[j] - p->y[j]) > 0.1f * (1 + fabsf(p->y[j])))
            check_fail(
                "after 500 steps on one batch, evaluation gives %.4g where training gives %.4g",
                (double)plain->y[j], (double)p->y[j]);
    }
}

void check_test_evaluation(const subject *s)
{
    const hk_normalization *norm = s->plugin->normalization;
    use *u = check_use_new(s->plugin, 8, 5);
    if (!norm->frozen || !norm->update || check_host_domain(u) != HK_OVER_BATCH) {
        check_skip("nothing is learned for evaluation");
        return;
    }
    pass *p = check_pass_new(u, 2);
    for (int64_t i = 0; i < p->in; i++)
        p->x[i] += 3;
    u->context.training = 1;
    for (int step = 0; step < 500; step++)
        check_host_update(u, p);
    const use *fresh = check_use_new(s->plugin, 8, 5);
    for (int k = 0; k < u->n_slots && !check_has_failed(); k++)
        if (s->plugin->slots[k].role == HK_STATE)
            check_bias(u, p, k);
        else if (check_first_difference(u->slots[k], fresh->slots[k], u->lengths[k]) >= 0)
            check_fail("update() changed %s, which is learned", s->plugin->slots[k].name);
    check_frozen(u, p);
}

static void require_finite(const use *u, const pass *p, const char *what)
{
    for (int64_t i = 0; i < p->in && !check_has_failed(); i++)
        if (!isfinite(p->y[i]) || !isfinite(p->dx[i]))
            check_fail("%s, %s: y is %g and dx is %g at element %lld", check_spec_text(u), what,
                       (double)p->y[i], (double)p->dx[i], (long long)i);
    for (int k = 0; k < u->n_slots; k++)
        for (int64_t j = 0; j < u->lengths[k]; j++)
            if (!isfinite(u->slots[k][j]) || (p->dslots[k] && !isfinite(p->dslots[k][j])))
                check_fail("%s, %s: slot %s or its gradient is not finite", check_spec_text(u),
                           what, u->plugin->slots[k].name);
}

void check_test_degenerate(const subject *s)
{
    static const struct {
        const char *what;
        int64_t rows;
        float centre, width;
    } sets[] = {{"a single row", 1, 0, 1},
                {"only zeros", 8, 0, 0},
                {"constant channels", 8, 5, 0},
                {"a mean of 10000", 8, 1e4f, 1},
                {"numbers around 1e15", 8, 0, 1e15f},
                {"numbers around 1e-15", 8, 0, 1e-15f}};
    for (int i = 0; i < 12; i++) {
        const int mark = check_arrays_mark();
        use *u = check_use_new(s->plugin, sets[i % 6].rows, 6);
        u->context.training = i >= 6;
        pass *p = check_pass_new(u, sets[i % 6].width);
        for (int64_t k = 0; k < p->in; k++)
            p->x[k] += sets[i % 6].centre;
        check_host_run(u, HK_BASELINE, p);
        check_host_update(u, p);
        require_finite(u, p, sets[i % 6].what);
        check_arrays_release(mark);
    }
}

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
