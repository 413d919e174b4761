/* group_norm: gamma (x - mean) / sqrt(var + eps) + beta, over the positions and a group of channels
 * of one sample. groups = 1 is layer_norm over the sample, groups = channels is instance_norm.
 * Wu, He 2018, arXiv:1803.08494, equations 1 to 6.
 *
 * When the channels cannot be shared out evenly, the number of groups is the greatest common
 * divisor of `groups` and the channels, so one spec serves a whole network: with the default 32,
 * 48 channels make 16 groups and 6 channels make 2. So 8, 16 or 32 channels make groups of one channel
 * each: this is instance_norm then. */
#include <hillock/moments.h>

enum { GROUPS, EPS };
HK_PARAMS(
    {.name = "groups",
     .doc =
         "groups of channels, reduced to a divisor of the channels; where each is one channel, as for 16 "
         "channels by default, this is instance_norm",
     .type = HK_INTEGER,
     .value = 32,
     .low = 1,
     .high = 65536},
    HK_EPS_PARAM(1e-5));
HK_SLOTS(HK_GAMMA_SLOT, HK_BETA_SLOT);

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_SAMPLE;
}

/* Channels in a group: channels / gcd(groups, channels). */
static int64_t group_size(const hk_context *context)
{
    int64_t a = (int64_t)context->params[GROUPS], b = context->channels;
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return context->channels / a;
}

static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)
{
    const int64_t size = group_size(context);
    for (int64_t first = 0; first < context->channels; first += size) {
        hks_group g = hks_group_of(seen, first, first + size, context->params[EPS]);
        hks_group_coefficients(context, &g, context->slots[HK_GAMMA], context->slots[HK_BETA],
                               coef);
    }
}

static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    (void)coef;
    const int64_t size = group_size(context);
    for (int64_t first = 0; first < context->channels; first += size) {
        hks_group g = hks_group_of(seen, first, first + size, context->params[EPS]);
        hks_group_gradient(context, &g, seen, context->slots[HK_GAMMA], sum_dy, sum_dyx, bcoef,
                           dslots[HK_GAMMA], dslots[HK_BETA]);
    }
}

static const hk_normalization group_norm = {
    .domain = domain, .n_coef = 2, .coefficients = coefficients, .gradient = gradient};

HK_BUNDLE({HK_NORMALIZATION_ROW(group_norm), .normalization = &group_norm, .aliases = "gn",
           .params = params, .slots = slots,
           .summary = "gamma * (x - mean) / sqrt(var + eps) + beta over groups of channels",
           .source = "Wu, He 2018", .tags = "core,variance"});
