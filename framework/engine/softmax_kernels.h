/* engine/softmax_kernels.h - the softmax of rows. Part of kernels_template.h. */

/* Lets NaN through. */
INLINE float largest(int64_t n, const float *x)
{
    float most = x[0];
    for (int64_t i = 1; i < n; i++)
        most = x[i] > most || x[i] != x[i] ? x[i] : most;
    return most;
}

/* exp(x - most) of the `left` elements that there are, or of LANES; their sum. */
INLINE float exponentials(int64_t left, const float *x, float most, float *e)
{
    float sum = 0;
    store(e, load_some(x, left) - most);
    for (int i = 0; i < LANES; i++)
        e[i] = hks_exp(e[i]);
    for (int i = 0; i < LANES && i < left; i++)
        sum += e[i];
    return sum;
}

static void softmax(int64_t rows, int64_t n, const float *x, float *p)
{
    float e[LANES];
    for (int64_t r = 0; r < rows; r++, x += n, p += n) {
        float most = largest(n, x), sum = 0;
        for (int64_t i = 0; i < n; i += LANES) {
            sum += exponentials(n - i, x + i, most, e);
            store_some(p + i, load(e), n - i);
        }
        for (int64_t i = 0; i < n; i += LANES)
            store_some(p + i, load_some(p + i, n - i) / sum, n - i);
    }
}

static void softmax_sums(int64_t rows, int64_t n, const float *x, float *most, float *sum)
{
    float e[LANES];
    for (int64_t r = 0; r < rows; r++, x += n) {
        most[r] = largest(n, x);
        sum[r] = 0;
        for (int64_t i = 0; i < n; i += LANES)
            sum[r] += exponentials(n - i, x + i, most[r], e);
    }
}
