/* Probe: one file, two plugins. filter_response_norm: gamma x / sqrt(mean(x^2) + eps) + beta over
 * the positions of a sample; its partner tlu: max(x, tau) with tau learned per channel.
 * Singh, Krishnan 2020, arXiv:1911.09737, equations 1 to 3. */
#include <hillock/kernel.h>

HK_VALUE(return hks_max(a.t[0], a.x);)
HK_SLOPE(return a.x > a.t[0] ? 1 : 0;)
HK_GRADIENT(return a.x > a.t[0] ? 0 : (real)1;)
HK_SLOTS({.name = "tau", .doc = "floor", .role = HK_LEARNED, .extent = HK_PER_CHANNEL});
HK_LEARNED_TABLE(HK_READS_X);

static const hk_slot affine[] = {
    {.name = "gamma", .doc = "scale", .role = HK_LEARNED, .extent = HK_PER_CHANNEL, .value = 1},
    {.name = "beta", .doc = "shift", .role = HK_LEARNED, .extent = HK_PER_CHANNEL}, {0}};
HK_PARAMS({.name = "eps", .doc = "added to the mean square", .type = HK_REAL, .value = 1e-6,
           .flags = HK_LOW_OPEN, .high = 1});

static hk_domain domain(const hk_context *c) { return (void)c, HK_OVER_SAMPLE; }

/* 1 / sqrt(mean of x^2 + eps). */
static double inverse(const hk_context *c, const hk_moments *s, int64_t j)
{
    return 1 / sqrt(s->m2[j] / (double)s->rows + s->mean[j] * s->mean[j] + c->params[0]);
}

static void coefficients(const hk_context *c, const hk_moments *s, float *coef)
{
    for (int64_t j = 0; j < c->channels; j++) {
        coef[j] = (float)((double)c->slots[0][j] * inverse(c, s, j));
        coef[c->channels + j] = c->slots[1][j];
    }
}

static void gradient(const hk_context *c, const float *coef, const hk_moments *s,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots)
{
    for (int64_t j = 0; j < c->channels; j++) {
        double r = inverse(c, s, j), dyx = sum_dyx[j] + s->mean[j] * sum_dy[j];
        bcoef[j] = coef[j];
        bcoef[c->channels + j] = (float)(-(double)coef[j] * r * r * dyx / (double)s->rows);
        bcoef[2 * c->channels + j] = 0;
        dslots[0][j] += (float)(dyx * r);
        dslots[1][j] += (float)sum_dy[j];
    }
}

static const hk_normalization frn = {
    .domain = domain, .n_coef = 2, .coefficients = coefficients, .gradient = gradient};
HK_BUNDLE({HK_NORMALIZATION_ROW(filter_response_norm), .normalization = &frn, .params = params,
           .slots = affine, .summary = "gamma * x / sqrt(mean(x^2) + eps) + beta", .aliases = "frn",
           .source = "Singh, Krishnan 2020"},
          {HK_ACTIVATION_ROW(tlu), .activation = &hk_table, .slots = slots,
           .summary = "max(x, tau), tau learned", .source = "Singh, Krishnan 2020"});
