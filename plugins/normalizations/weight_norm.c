/* weight_norm: a weight w_o = g_o v_o / |v_o|, length and direction of each output unit learned
 * apart. g starts as |v|, so at first nothing changes.
 * Salimans, Kingma 2016, arXiv:1602.07868, equations 2 and 3.
 *
 * A unit whose v is 0 has no direction: its weights are 0 and stay so. */
#include <hillock/moments.h>

enum { G };
HK_SLOTS({.name = "g",
          .doc = "length of a unit's weights",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .value = 1});

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_WEIGHT;
}

/* The first weight, which comes outside training, gives g its start. */
static void update(const hk_context *context, const hk_moments *none, const float *v)
{
    (void)none;
    if (context->training)
        return;
    for (int64_t first = 0; first < context->channels; first += HK_COLUMNS) {
        const int64_t width = hks_column_width(first, context->channels);
        double square[HK_COLUMNS];
        hks_column_dots(context->rows, context->channels, first, width, v, v, square);
        for (int64_t j = 0; j < width; j++)
            context->slots[G][first + j] = (float)sqrt(square[j]);
    }
}

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t channels = context->channels, end = context->rows * channels;
    for (int64_t first = 0; first < channels; first += HK_COLUMNS) {
        const int64_t width = hks_column_width(first, channels);
        double square[HK_COLUMNS];
        float factor[HK_COLUMNS];
        hks_column_dots(context->rows, channels, first, width, tile->x, tile->x, square);
        for (int64_t j = 0; j < width; j++)
            factor[j] =
                square[j] > 0 ? (float)((double)context->slots[G][first + j] / sqrt(square[j])) : 0;
        for (int64_t at = first; at < end; at += channels) {
            HK_VECTORIZE
            for (int64_t j = 0; j < width; j++)
                tile->y[at + j] = factor[j] * tile->x[at + j];
        }
    }
}

/* dg = sum(dy v) / |v|, dv = g / |v| (dy - v dg / |v|), which is normal to v. */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t channels = context->channels, end = context->rows * channels;
    for (int64_t first = 0; first < channels; first += HK_COLUMNS) {
        const int64_t width = hks_column_width(first, channels);
        double square[HK_COLUMNS], along[HK_COLUMNS];
        float factor[HK_COLUMNS], back[HK_COLUMNS];
        hks_column_dots(context->rows, channels, first, width, tile->x, tile->x, square);
        hks_column_dots(context->rows, channels, first, width, tile->dy, tile->x, along);
        for (int64_t j = 0; j < width; j++) {
            const double r = square[j] > 0 ? 1 / sqrt(square[j]) : 0;
            factor[j] = (float)((double)context->slots[G][first + j] * r);
            back[j] = (float)(along[j] * r * r);
            tile->dslots[G][first + j] += (float)(along[j] * r);
        }
        for (int64_t at = first; at < end; at += channels) {
            HK_VECTORIZE
            for (int64_t j = 0; j < width; j++)
                tile->dx[at + j] = factor[j] * (tile->dy[at + j] - back[j] * tile->x[at + j]);
        }
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_normalization weight_norm = {
    .domain = domain, .update = update, .kernels = HK_KERNELS};

HK_BUNDLE({HK_NORMALIZATION_ROW(weight_norm), .normalization = &weight_norm, .slots = slots,
           .summary = "g * v / |v| for each output unit", .source = "Salimans, Kingma 2016",
           .tags = "weight"});
