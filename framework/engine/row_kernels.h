/* engine/row_kernels.h - passes over the rows of a matrix [rows x channels]: sums, moments, affine
 * maps. Part of kernels_template.h. Rows are short: a channel is summed over four rows side by side,
 * so that the additions need not wait for each other. */

/* Sums of up to four rows side by side; `n` is how many take part. */
INLINE void sum_rows(const float *x, int64_t channels, int64_t left, vec *sum, int n)
{
    UNROLL(4)
    for (int i = 0; i < n; i++)
        sum[i] += load_some(x + i * channels, left);
}

/* Columns of `vectors` neighbouring vectors, so that a row is read in one pass. */
INLINE void sum_columns(int64_t rows, const float *x, ptrdiff_t x_row, int64_t left, float *out,
                        int vectors)
{
    vec total[4] = {{0}};
    for (int64_t r = 0; r < rows;) {
        int64_t to = hki_min(rows, r + HKI_DEPTH);
        vec sum[4][4] = {{{0}}};
        for (; r + 4 <= to; r += 4)
            UNROLL(4)
        for (int j = 0; j < vectors; j++)
            sum_rows(x + r * x_row + j * LANES, x_row, left - j * LANES, sum[j], 4);
        for (; r < to; r++)
            UNROLL(4)
        for (int j = 0; j < vectors; j++)
            sum_rows(x + r * x_row + j * LANES, x_row, left - j * LANES, sum[j], 1);
        UNROLL(4)
        for (int j = 0; j < vectors; j++)
            total[j] += sum[j][0] + sum[j][1] + (sum[j][2] + sum[j][3]);
    }
    UNROLL(4)
    for (int j = 0; j < vectors; j++)
        store_some(out + j * LANES, total[j], left - j * LANES);
}

static void column_sums(int64_t rows, int64_t columns, const float *x, ptrdiff_t x_row, float *out)
{
    int64_t c = 0;
    for (; c + 4 * LANES <= columns; c += 4 * LANES)
        sum_columns(rows, x + c, x_row, 4 * LANES, out + c, 4);
    for (; c + 2 * LANES <= columns; c += 2 * LANES)
        sum_columns(rows, x + c, x_row, 2 * LANES, out + c, 2);
    for (; c < columns; c += LANES)
        sum_columns(rows, x + c, x_row, columns - c, out + c, 1);
}

INLINE void sum_squares(const float *x, int64_t channels, int64_t left, vec centre, vec *sum, int n)
{
    UNROLL(4)
    for (int i = 0; i < n; i++) {
        vec away = load_some(x + i * channels, left) - centre;
        sum[i] += away * away;
    }
}

static void moments(int64_t rows, int64_t channels, const float *x, float *mean, float *m2)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        int64_t left = channels - c, r = 0;
        vec sum[4] = {{0}}, square[4] = {{0}};
        for (; r + 4 <= rows; r += 4)
            sum_rows(x + r * channels + c, channels, left, sum, 4);
        for (; r < rows; r++)
            sum_rows(x + r * channels + c, channels, left, sum, 1);
        vec centre = (sum[0] + sum[1] + (sum[2] + sum[3])) / (float)rows;
        for (r = 0; r + 4 <= rows; r += 4)
            sum_squares(x + r * channels + c, channels, left, centre, square, 4);
        for (; r < rows; r++)
            sum_squares(x + r * channels + c, channels, left, centre, square, 1);
        store_some(mean + c, centre, left);
        store_some(m2 + c, square[0] + square[1] + (square[2] + square[3]), left);
    }
}

INLINE void sum_products(const float *x, const float *dy, int64_t channels, int64_t left,
                         vec centre, vec *sum, vec *product, int n)
{
    UNROLL(4)
    for (int i = 0; i < n; i++) {
        vec g = load_some(dy + i * channels, left);
        sum[i] += g;
        product[i] += g * (load_some(x + i * channels, left) - centre);
    }
}

static void gradient_sums(int64_t rows, int64_t channels, const float *x, const float *centre,
                          const float *dy, float *sum_dy, float *sum_dyx)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        int64_t left = channels - c, r = 0;
        vec sum[4] = {{0}}, product[4] = {{0}}, around = load_some(centre + c, left);
        for (; r + 4 <= rows; r += 4)
            sum_products(x + r * channels + c, dy + r * channels + c, channels, left, around, sum,
                         product, 4);
        for (; r < rows; r++)
            sum_products(x + r * channels + c, dy + r * channels + c, channels, left, around, sum,
                         product, 1);
        store_some(sum_dy + c, sum[0] + sum[1] + (sum[2] + sum[3]), left);
        store_some(sum_dyx + c, product[0] + product[1] + (product[2] + product[3]), left);
    }
}

static void affine(int64_t rows, int64_t channels, const float *coef, const float *x,
                   const float *add, float *y)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        int64_t left = channels - c, end = rows * channels + c;
        vec scale = coef ? load_some(coef + c, left) : (vec){0} + 1.0f;
        vec shift = coef ? load_some(coef + channels + c, left) : (vec){0};
        for (int64_t i = c; !add && i < end; i += channels)
            store_some(y + i, scale * load_some(x + i, left) + shift, left);
        for (int64_t i = c; add && i < end; i += channels)
            store_some(y + i, scale * load_some(x + i, left) + shift + load_some(add + i, left),
                       left);
    }
}

static void affine_backward(int64_t rows, int64_t channels, const float *bcoef, const float *dy,
                            const float *x, float *dx)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        int64_t left = channels - c, end = rows * channels + c;
        vec p = load_some(bcoef + c, left), q = load_some(bcoef + channels + c, left);
        vec r = load_some(bcoef + 2 * channels + c, left);
        for (int64_t i = c; i < end; i += channels)
            store_some(dx + i, p * load_some(dy + i, left) + (q * load_some(x + i, left) + r),
                       left);
    }
}
