/* local_response_norm: x / (k + alpha / size * sum x^2)^beta, the sum over `size` neighbouring
 * channels of the same position, fewer at the ends; of an even size one more lies before than
 * behind. Krizhevsky, Sutskever, Hinton 2012, NIPS 25, section 3.3, in PyTorch's form: AlexNet
 * itself does not divide by the size, there alpha=5e-4,k=2 is what it calls 1e-4.
 *
 * Rows are walked in blocks of columns; what neighbours contribute is computed again at the seams,
 * so nothing has to be kept. */
#include <hillock/kernel.h>

enum { SIZE, ALPHA, BETA, K };
enum { MOST = 65, BLOCK = 256 }; /* channels in a window, columns at once */
HK_PARAMS({.name = "size",
           .doc = "channels in a window",
           .type = HK_INTEGER,
           .value = 5,
           .low = 1,
           .high = MOST},
          {.name = "alpha",
           .doc = "factor of the mean square",
           .type = HK_REAL,
           .value = 1e-4,
           .low = 0,
           .high = 1e6},
          {.name = "beta", .doc = "exponent", .type = HK_REAL, .value = 0.75, .low = 0, .high = 10},
          {.name = "k",
           .doc = "added to the mean square",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1,
           .low = 0,
           .high = 1e6});

static hk_domain domain(const hk_context *context)
{
    (void)context;
    return HK_OVER_ROW;
}

/* Columns first .. end - 1 of a row of n; what lies outside the row is left out. */
typedef struct range {
    int64_t n, first, end;
} range;

HK_INLINE range wider(range a, int64_t before, int64_t after)
{
    range r = {a.n, a.first > before ? a.first - before : 0, a.end + after};
    r.end = r.end < r.n ? r.end : r.n;
    return r;
}

/* out[i - first] = sum of a[j] b[j] for j from i - before to i + after. */
HK_INLINE void window_sums(range over, const float *a, const float *b, int64_t before,
                           int64_t after, float *out)
{
    memset(out, 0, (size_t)(over.end - over.first) * sizeof *out);
    for (int64_t d = -before; d <= after; d++) {
        const int64_t from = over.first < -d ? -d : over.first;
        const int64_t to = over.end > over.n - d ? over.n - d : over.end;
        HK_VECTORIZE
        for (int64_t i = from; i < to; i++)
            out[i - over.first] += a[i + d] * b[i + d];
    }
}

/* base = k + alpha / size * sum x^2, power = base^-beta. */
HK_INLINE void bases(const double *p, range over, const float *x, float *base, float *power)
{
    const int64_t before = (int64_t)p[SIZE] / 2, after = (int64_t)p[SIZE] - 1 - before;
    const float factor = (float)(p[ALPHA] / p[SIZE]), k = (float)p[K], beta = (float)p[BETA];
    window_sums(over, x, x, before, after, base);
    HK_VECTORIZE
    for (int64_t i = 0; i < over.end - over.first; i++) {
        base[i] = k + factor * base[i];
        power[i] = hks_exp(-beta * hks_log(base[i]));
    }
}

HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    float base[BLOCK], power[BLOCK];
    for (int64_t row = 0; row < tile->rows; row++)
        for (int64_t first = 0; first < n; first += BLOCK) {
            const range own = wider((range){n, first, first}, 0, BLOCK);
            const float *x = tile->x + row * n;
            float *y = tile->y + row * n;
            bases(context->params, own, x, base, power);
            HK_VECTORIZE
            for (int64_t i = 0; i < own.end - first; i++)
                y[first + i] = x[first + i] * power[i];
        }
}

/* dx_i = dy_i power_i - 2 alpha beta / size x_i sum dy_j x_j power_j / base_j, over all j in whose
 * window i lies: the mirrored window. */
HK_INLINE void backward_block(const double *p, int64_t n, int64_t first, const float *x,
                              const float *dy, float *dx)
{
    const int64_t before = (int64_t)p[SIZE] / 2, after = (int64_t)p[SIZE] - 1 - before;
    const range own = wider((range){n, first, first}, 0, BLOCK), all = wider(own, after, before);
    const int64_t at = own.first - all.first, count = all.end - all.first;
    const float factor = (float)(2 * p[ALPHA] * p[BETA] / p[SIZE]);
    const range inside = {count, at, at + own.end - own.first};
    float base[BLOCK + MOST], power[BLOCK + MOST], sums[BLOCK];
    bases(p, all, x, base, power);
    HK_VECTORIZE
    for (int64_t i = 0; i < count; i++)
        base[i] = dy[all.first + i] * power[i] / base[i];
    window_sums(inside, base, x + all.first, after, before, sums);
    HK_VECTORIZE
    for (int64_t i = 0; i < own.end - own.first; i++)
        dx[first + i] = dy[first + i] * power[at + i] - factor * x[first + i] * sums[i];
}

HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++)
        for (int64_t first = 0; first < n; first += BLOCK)
            backward_block(context->params, n, first, tile->x + row * n, tile->dy + row * n,
                           tile->dx + row * n);
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_normalization local_response_norm = {.domain = domain, .kernels = HK_KERNELS};

HK_BUNDLE({HK_NORMALIZATION_ROW(local_response_norm), .normalization = &local_response_norm,
           .aliases = "lrn", .params = params,
           .summary = "x / (k + alpha / size * sum x^2)^beta over neighbouring channels",
           .source = "Krizhevsky, Sutskever, Hinton 2012", .tags = "length"});
