/* Normalizations: what evaluation does with what training learned, and sets that are degenerate. */
#include "plugin/check/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <hillock/kernel.h>

/* ---- Running values -------------------------------------------------------------------------- */

static bool is_close(double a, double b)
{
    return fabs(a - b) <= 2e-3 * fabs(b) + 1e-6;
}

/* The most steps on one batch: enough for a memory of ten thousand. */
enum { MOST_STEPS = 150000 };

static uint32_t digest_of_slots(const use *u)
{
    uint32_t digest = 2166136261u; /* FNV-1a (Fowler, Noll, Vo 1991) */
    for (int k = 0; k < u->n_slots; k++)
        for (int64_t j = 0; j < u->lengths[k]; j++)
            digest = (digest ^ hks_to_bits(u->slots[k][j])) * 16777619u;
    return digest;
}

/* Steps on the batch of a pass until running values rest: no bit of a slot changes any more. */
static void update_until_rest(use *u, const pass *p)
{
    const hk_moments seen = check_host_moments(u, p->x, u->context.rows);
    check_begin_call("update", -1, u->context.rows, u->context.channels);
    for (int step = 0; step < MOST_STEPS; step++) {
        const uint32_t before = digest_of_slots(u);
        u->plugin->normalization->update(&u->context, &seen, NULL);
        check_clamp_slots(u);
        if (digest_of_slots(u) == before)
            break;
    }
    check_end_call();
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
    const double unbiased = sqrt(1 - 1 / (double)u->context.rows);
    pass *plain = check_pass_copy(u, p);
    u->context.training = 1;
    check_host_forward(u, HK_BASELINE, p);
    u->context.training = 0;
    check_host_forward(u, HK_BASELINE, plain);
    const int64_t channels = u->context.channels;
    for (int64_t j = 0; j < channels && !check_has_failed(); j++) {
        const double ratio =
            (double)(plain->y[j] - plain->y[j + channels]) / (double)(p->y[j] - p->y[j + channels]);
        if (fabs(ratio - 1) > 0.005 && fabs(ratio - unbiased) > 0.005 &&
            fabs(ratio - 1 / unbiased) > 0.005)
            check_fail("when running values rest on one batch, evaluation scales channel %lld by "
                       "%.4g of what training does: frozen() does not use what update() learns",
                       (long long)j, ratio);
        if (fabsf(plain->y[j] - p->y[j]) > 0.1f * (1 + fabsf(p->y[j])))
            check_fail("when running values rest on one batch, evaluation gives %.4g where "
                       "training gives %.4g",
                       (double)plain->y[j], (double)p->y[j]);
    }
}

/* The weight of the new batch in a running value, measured: of two batches in a row. A doc that states it
 * must not mean the weight of the old ones. */
static void check_share(const subject *s)
{
    use *u = check_use_new(s->plugin, 8, 5);
    pass *p = check_pass_new(u, 2), *other = check_pass_new(u, 2);
    float before[HK_MAX_SLOTS] = {0}, once[HK_MAX_SLOTS] = {0};
    for (int64_t i = 0; i < other->in; i++)
        other->x[i] = 2 * other->x[i] + 5;
    u->context.training = 1;
    update_until_rest(u, p);
    for (int k = 0; k < u->n_slots; k++)
        before[k] = u->slots[k][0];
    check_host_update(u, other);
    for (int k = 0; k < u->n_slots; k++)
        once[k] = u->slots[k][0];
    update_until_rest(u, other);
    for (const hk_param *q = s->plugin->params; q && q->name; q++)
        for (int k = 0; k < u->n_slots; k++) {
            const double whole = (double)u->slots[k][0] - (double)before[k];
            const double share = whole != 0 ? ((double)once[k] - (double)before[k]) / whole : 0;
            if (q->doc && strstr(q->doc, "weight of the new") && !is_close(q->value, 0.5) &&
                is_close(share, 1 - q->value))
                check_fail("a new batch has the weight %.3g in %s, but %s = %.3g is documented as "
                           "\"%s\"",
                           share, s->plugin->slots[k].name, q->name, q->value, q->doc);
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
    check_use_move(u, check_seed);
    float *moved[HK_MAX_SLOTS];
    for (int k = 0; k < u->n_slots; k++) {
        moved[k] = check_unguarded("a slot", (size_t)u->lengths[k] * sizeof(float));
        memcpy(moved[k], u->slots[k], (size_t)u->lengths[k] * sizeof(float));
    }
    pass *p = check_pass_new(u, 2);
    for (int64_t i = 0; i < p->in; i++)
        p->x[i] += 3;
    u->context.training = 1;
    check_host_update(u, p);
    update_until_rest(u, p);
    for (int k = 0; k < u->n_slots && !check_has_failed(); k++)
        if (s->plugin->slots[k].role == HK_STATE)
            check_bias(u, p, k);
        else if (check_first_difference(u->slots[k], moved[k], u->lengths[k]) >= 0)
            check_fail("update() changed %s, which is learned", s->plugin->slots[k].name);
    check_frozen(u, p);
    check_share(s);
}

/* ---- Degenerate sets -------------------------------------------------------------------------- */

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

/* Long after, in evaluation; where nothing varies that is what training gives, give or take the rounding
 * of large numbers. */
static void check_long_after(use *u, pass *p, const char *what, bool constant)
{
    pass *trained = check_pass_copy(u, p);
    update_until_rest(u, p);
    u->context.training = 1;
    check_host_forward(u, HK_BASELINE, trained);
    u->context.training = 0;
    check_host_run(u, HK_BASELINE, p);
    require_finite(u, p, what);
    for (int64_t i = 0; constant && i < p->in && !check_has_failed(); i++)
        if (fabsf(p->y[i] - trained->y[i]) > 0.1f)
            check_fail("%s, long after: evaluation gives %.6g where training gives %.6g: is eps in "
                       "frozen() as well?",
                       what, (double)p->y[i], (double)trained->y[i]);
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
    const hk_normalization *norm = s->plugin->normalization;
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
        if (norm->frozen && norm->update && check_host_domain(u) == HK_OVER_BATCH)
            check_long_after(u, p, sets[i % 6].what, sets[i % 6].width == 0);
        check_arrays_release(mark);
    }
}
