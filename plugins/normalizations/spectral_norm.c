/* spectral_norm: a weight w / s with s = v.(W u), the largest singular value of W[fan_in x units];
 * the unit vectors u and v follow it by power iteration, one a step, 15 for the first weight. It
 * bounds how much a dense layer stretches; of a convolution it bounds the matrix, not the layer.
 * Miyato, Kataoka, Koyama, Yoshida 2018, arXiv:1802.05957, algorithm 1 and equation 12. */
#include <hillock/kernel.h>

enum { ITERATIONS };
HK_PARAMS({.name = "iterations",
           .doc = "power iterations a step",
           .type = HK_INTEGER,
           .value = 1,
           .low = 1,
           .high = 100});

enum { U, V };
HK_SLOTS({.name = "u", .doc = "right singular vector", .role = HK_STATE, .extent = HK_PER_CHANNEL},
         {.name = "v", .doc = "left singular vector", .role = HK_STATE, .extent = HK_PER_ROW});

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_WEIGHT;
}

static void set_unit(int64_t n, float *x)
{
    double square = 0;
    for (int64_t i = 0; i < n; i++)
        square += (double)x[i] * (double)x[i];
    const float size = (float)sqrt(square);
    for (int64_t i = 0; i < n; i++)
        x[i] = size > 0 ? x[i] / size : 1 / hks_sqrt((float)n);
}

static void start(const hk_context *context)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[U][j] = hks_normal(context->key, (uint64_t)j);
    for (int64_t i = 0; i < context->rows; i++)
        context->slots[V][i] = hks_normal(context->key + 1, (uint64_t)i);
    set_unit(context->channels, context->slots[U]);
    set_unit(context->rows, context->slots[V]);
}

/* v = W u, u = W^T v, both scaled to length 1. */
static void iterate(const hk_context *context, const float *w)
{
    const int64_t rows = context->rows, n = context->channels;
    float *u = context->slots[U], *v = context->slots[V];
    for (int64_t i = 0; i < rows; i++)
        v[i] = hks_dot(n, w + i * n, u);
    set_unit(rows, v);
    memset(u, 0, (size_t)n * sizeof *u);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++)
            u[j] += v[i] * w[i * n + j];
    set_unit(n, u);
}

/* The first weight comes outside training. */
static void update(const hk_context *context, const hk_moments *none, const float *w)
{
    const int times = context->training ? (int)context->params[ITERATIONS] : 15;
    (void)none;
    for (int i = 0; i < times; i++)
        iterate(context, w);
}

/* Kept from 0, where there is no direction to follow. */
HK_INLINE float singular_value(const hk_context *context, const float *w)
{
    const int64_t n = context->channels;
    double s = 0;
    for (int64_t i = 0; i < context->rows; i++)
        s += (double)context->slots[V][i] * (double)hks_dot(n, w + i * n, context->slots[U]);
    return hks_max(1e-12f, (float)s);
}

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const float r = 1 / singular_value(context, tile->x);
    HK_VECTORIZE
    for (int64_t i = 0; i < context->rows * context->channels; i++)
        tile->y[i] = tile->x[i] * r;
}

/* dx = (dy - sum(dy y) v u^T) / s, u and v being constants. */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    const float *u = context->slots[U], r = 1 / singular_value(context, tile->x);
    double along = 0;
    for (int64_t i = 0; i < context->rows; i++)
        along += (double)hks_dot(n, tile->dy + i * n, tile->y + i * n);
    for (int64_t i = 0; i < context->rows; i++) {
        const float back = (float)along * context->slots[V][i];
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            tile->dx[i * n + j] = (tile->dy[i * n + j] - back * u[j]) * r;
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_normalization spectral_norm = {
    .domain = domain, .update = update, .kernels = HK_KERNELS};

HK_BUNDLE({HK_NORMALIZATION_ROW(spectral_norm), .normalization = &spectral_norm, .params = params,
           .slots = slots, .start = start, .summary = "w / its largest singular value",
           .source = "Miyato, Kataoka, Koyama, Yoshida 2018", .tags = "weight"});
