/* sparsemax: the point of the probability simplex nearest to the row, max(0, x - tau) with the tau
 * that makes its sum 1; many outputs are 0. No sort: tau rises to the one that suits the elements
 * above it until none falls out (Michelot 1986), after a few rounds as a rule.
 * Martins, Astudillo 2016, arXiv:1602.02068. */
#include <hillock/kernel.h>

/* (sum - 1) / number of the elements above tau. */
HK_INLINE float next_tau(int64_t n, const float *x, float tau)
{
    float sum[HK_LANES] = {0}, number[HK_LANES] = {0};
    for (int64_t i = 0; i < n; i += HK_LANES) {
        const int64_t width = n - i < HK_LANES ? n - i : HK_LANES;
        for (int64_t j = 0; j < width; j++) {
            sum[j] += x[i + j] > tau ? x[i + j] : 0;
            number[j] += x[i + j] > tau ? 1 : 0;
        }
    }
    return (hks_sum_of_lanes(sum) - 1) / hks_sum_of_lanes(number);
}

/* y is x less its maximum first: the largest is 0, and only what is above -1 can count. */
HK_INLINE void forward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *x = tile->x + row * n, most = hks_largest(n, x);
        float *y = tile->y + row * n, tau = -2, next = -1;
        for (int64_t j = 0; j < n; j++)
            y[j] = x[j] - most;
        for (int64_t round = 0; round < n && next > tau; round++) {
            tau = next;
            next = next_tau(n, y, tau);
        }
        for (int64_t j = 0; j < n; j++)
            y[j] = hks_max(0, y[j] - tau);
    }
}

/* dx = dy - the mean of dy over the support, on the support. */
HK_INLINE void backward(const hk_context *context, const hk_tile *tile)
{
    const int64_t n = context->channels;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *y = tile->y + row * n, *dy = tile->dy + row * n;
        float *dx = tile->dx + row * n, number = 0;
        for (int64_t j = 0; j < n; j++) {
            dx[j] = y[j] > 0 ? dy[j] : 0;
            number += y[j] > 0 ? 1 : 0;
        }
        const float mean = hks_sum(n, dx) / number;
        for (int64_t j = 0; j < n; j++)
            dx[j] -= y[j] > 0 ? mean : 0;
    }
}

HK_BLOCK_KERNELS(forward, backward)

static const hk_activation sparsemax = {
    .reads = HK_READS_Y, .traits = HK_IN_PLACE | HK_ROWWISE, .kernels = HK_KERNELS};

HK_BUNDLE({HK_ACTIVATION_ROW(sparsemax), .activation = &sparsemax, .tags = "rowwise",
           .summary = "max(0, x - tau), tau such that the channels' sum is 1",
           .source = "Martins, Astudillo 2016"});
