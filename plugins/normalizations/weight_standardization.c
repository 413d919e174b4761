/* weight_standardization: a weight (w - mean) / sqrt(var + eps), mean and biased variance over the
 * inputs of each output unit. What follows should normalize or scale, as the length of the weights
 * is no longer learned. Qiao, Wang, Liu, Shen, Yuille 2019, arXiv:1903.10520, equations 7 and 8. */
#include <hillock/moments.h>

HK_PARAMS(HK_EPS_PARAM(1e-5));

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_WEIGHT;
}

/* Mean and 1 / sqrt(var + eps) of each column. */
HK_INLINE void scales(const hk_context *context, int64_t first, int64_t width, const float *w,
                      float *mean, float *r)
{
    double exact[HK_COLUMNS], m2[HK_COLUMNS];
    hks_column_moments(context->rows, context->channels, first, width, w, exact, m2);
    for (int64_t j = 0; j < width; j++) {
        mean[j] = (float)exact[j];
        r[j] = (float)(1 / sqrt(m2[j] / (double)context->rows + context->params[0]));
    }
}

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t channels = context->channels, end = context->rows * channels;
    for (int64_t first = 0; first < channels; first += HK_COLUMNS) {
        const int64_t width = hks_column_width(first, channels);
        float mean[HK_COLUMNS], r[HK_COLUMNS];
        scales(context, first, width, tile->x, mean, r);
        for (int64_t at = first; at < end; at += channels) {
            HK_VECTORIZE
            for (int64_t j = 0; j < width; j++)
                tile->y[at + j] = (tile->x[at + j] - mean[j]) * r[j];
        }
    }
}

/* dx = r (dy - mean(dy) - y mean(dy y)). */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t rows = context->rows, channels = context->channels, end = rows * channels;
    for (int64_t first = 0; first < channels; first += HK_COLUMNS) {
        const int64_t width = hks_column_width(first, channels);
        float mean[HK_COLUMNS], r[HK_COLUMNS], level[HK_COLUMNS], slope[HK_COLUMNS];
        double sum[HK_COLUMNS], along[HK_COLUMNS];
        scales(context, first, width, tile->x, mean, r);
        hks_column_dots(rows, channels, first, width, tile->dy, NULL, sum);
        hks_column_dots(rows, channels, first, width, tile->dy, tile->y, along);
        for (int64_t j = 0; j < width; j++) {
            level[j] = (float)(sum[j] / (double)rows);
            slope[j] = (float)(along[j] / (double)rows);
        }
        for (int64_t at = first; at < end; at += channels) {
            HK_VECTORIZE
            for (int64_t j = 0; j < width; j++)
                tile->dx[at + j] =
                    r[j] * (tile->dy[at + j] - level[j] - tile->y[at + j] * slope[j]);
        }
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_normalization weight_standardization = {.domain = domain, .kernels = HK_KERNELS};

HK_BUNDLE({HK_NORMALIZATION_ROW(weight_standardization), .normalization = &weight_standardization,
           .aliases = "weight_std", .params = params,
           .summary = "(w - mean) / sqrt(var + eps) for each output unit",
           .source = "Qiao, Wang, Liu, Shen, Yuille 2019", .tags = "weight"});
