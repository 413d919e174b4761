/* good: a batch normalization whose scale and shift are the sums of eight learned slots each */
#include "many_slots.h"

HK_SLOTS(FOUR_SLOTS("scale_a", HK_PER_CHANNEL, 0.125), FOUR_SLOTS("scale_b", HK_SHARED, 0.125),
         FOUR_SLOTS("shift_a", HK_PER_CHANNEL, 0), FOUR_SLOTS("shift_b", HK_SHARED, 0));
enum { HALF = HK_MAX_SLOTS / 2 };

static hk_domain domain(const hk_context *context)
{
    return (void)context, HK_OVER_BATCH;
}

/* Of channel j: the sum of the slots first .. first + HALF - 1. */
static double sum_at(const hk_context *context, int first, int64_t j)
{
    double sum = 0;
    for (int i = first; i < first + HALF; i++)
        sum += (double)context->slots[i][slots[i].extent == HK_SHARED ? 0 : j];
    return sum;
}

static double inverse_deviation(const hk_moments *seen, int64_t j)
{
    return 1 / sqrt(seen->m2[j] / (double)seen->rows + 1e-5);
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    for (int64_t j = 0; j < context->channels; j++) {
        const double scale = sum_at(context, 0, j) * inverse_deviation(seen, j);
        coef[j] = (float)scale;
        coef[context->channels + j] = (float)(sum_at(context, HALF, j) - scale * seen->mean[j]);
    }
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)coef;
    for (int64_t j = 0; j < context->channels; j++) {
        const double n = (double)seen->rows, r = inverse_deviation(seen, j);
        const double scale = sum_at(context, 0, j) * r, slope = -scale * r * r * sum_dyx[j] / n;
        bcoef[j] = (float)scale;
        bcoef[context->channels + j] = (float)slope;
        bcoef[2 * context->channels + j] = (float)(-scale * sum_dy[j] / n - slope * seen->mean[j]);
        for (int i = 0; i < HK_MAX_SLOTS; i++)
            dslots[i][slots[i].extent == HK_SHARED ? 0 : j] +=
                (float)(i < HALF ? sum_dyx[j] * r : sum_dy[j]);
    }
}

static const hk_normalization many_slots_norm = {
    .domain = domain, .n_coef = 2, .coefficients = coefficients, .gradient = gradient};
HK_BUNDLE({HK_NORMALIZATION_ROW(many_slots_norm), .normalization = &many_slots_norm, WORDS,
           .slots = slots});
