/* Probe: normalizes a weight. y = w / s, s = v.(W u) the largest singular value of W[rows x
 * channels]; u, v follow it by one power iteration a step, in update().
 * Miyato, Kataoka, Koyama, Yoshida 2018, arXiv:1802.05957, algorithm 1 and equation 12. */
#include <hillock/kernel.h>

enum { U, V };
HK_SLOTS({.name = "u", .doc = "right vector", .role = HK_STATE, .extent = HK_PER_CHANNEL},
         {.name = "v", .doc = "left vector", .role = HK_STATE, .extent = HK_PER_ROW});

static hk_domain domain(const hk_context *c) { return (void)c, HK_OVER_WEIGHT; }

static void set_unit(int64_t n, float *x)
{
    const float size = hks_sqrt(hks_dot(n, x, x));
    for (int64_t i = 0; i < n; i++)
        x[i] = size > 0 ? x[i] / size : 1;
}

/* v = W u, u = W^T v, both scaled to length 1. */
static void update(const hk_context *c, const hk_moments *none, const float *w)
{
    float *u = c->slots[U], *v = c->slots[V];
    (void)none;
    for (int64_t i = 0; i < c->rows; i++)
        v[i] = hks_dot(c->channels, w + i * c->channels, u);
    set_unit(c->rows, v);
    for (int64_t j = 0; j < c->channels; j++)
        u[j] = 0;
    for (int64_t i = 0; i < c->rows * c->channels; i++)
        u[i % c->channels] += v[i / c->channels] * w[i];
    set_unit(c->channels, u);
}

static void start(const hk_context *c)
{
    for (int64_t j = 0; j < c->channels; j++)
        c->slots[U][j] = hks_normal(c->key, (uint64_t)j);
    for (int64_t i = 0; i < c->rows; i++)
        c->slots[V][i] = hks_normal(c->key, (uint64_t)(c->channels + i));
    set_unit(c->channels, c->slots[U]);
    set_unit(c->rows, c->slots[V]);
}

HK_INLINE float singular_value(const hk_context *c, const float *w)
{
    float s = 0;
    for (int64_t i = 0; i < c->rows; i++)
        s += c->slots[V][i] * hks_dot(c->channels, w + i * c->channels, c->slots[U]);
    return s;
}

HK_INLINE void forward(const hk_context *c, const hk_tile *tile)
{
    const float s = singular_value(c, tile->x);
    for (int64_t i = 0; i < c->rows * c->channels; i++)
        tile->y[i] = tile->x[i] / s;
}

/* dW = (G - sum(G y) v u^T) / s, u and v being constants. */
HK_INLINE void backward(const hk_context *c, const hk_tile *tile)
{
    const int64_t n = c->channels;
    const float s = singular_value(c, tile->x);
    const float along = hks_dot(c->rows * n, tile->dy, tile->x) / s;
    for (int64_t i = 0; i < c->rows * n; i++)
        tile->dx[i] = (tile->dy[i] - along * c->slots[V][i / n] * c->slots[U][i % n]) / s;
}

HK_BLOCK_KERNELS(forward, backward)
static const hk_normalization spectral_norm = {
    .domain = domain, .update = update, .kernels = HK_KERNELS};
HK_BUNDLE({HK_NORMALIZATION_ROW(spectral_norm), .normalization = &spectral_norm, .slots = slots,
           .start = start, .summary = "w / its largest singular value",
           .source = "Miyato, Kataoka, Koyama, Yoshida 2018"});
