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

/* What is fetched ahead of columns that are walked through on their own: about the next tile. */
enum { AHEAD_FLOATS = 2048 };

/* Sums of `n` rows side by side, of one vector of channels. */
INLINE void sum_products(const float *x, const float *dy, int64_t channels, int64_t left,
                         vec centre, vec *sum, vec *product, int n)
{
    UNROLL(4)
    for (int i = 0; i < n; i++) {
        vec g = load_some(dy + i * channels, left);
        __builtin_prefetch(x + i * channels + AHEAD_FLOATS);
        sum[i] += g;
        product[i] += g * (load_some(x + i * channels, left) - centre);
    }
}

INLINE void gradient_columns(int64_t rows, int64_t channels, const float *x, const float *centre,
                             const float *dy, int64_t left, float *sum_dy, float *sum_dyx,
                             int vectors)
{
    vec sum[2][4] = {{{0}}}, product[2][4] = {{{0}}}, around[2];
    UNROLL(2)
    for (int j = 0; j < vectors; j++)
        around[j] = load_some(centre + j * LANES, left - j * LANES);
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4)
        UNROLL(2)
    for (int j = 0; j < vectors; j++)
        sum_products(x + r * channels + j * LANES, dy + r * channels + j * LANES, channels,
                     left - j * LANES, around[j], sum[j], product[j], 4);
    for (; r < rows; r++)
        UNROLL(2)
    for (int j = 0; j < vectors; j++)
        sum_products(x + r * channels + j * LANES, dy + r * channels + j * LANES, channels,
                     left - j * LANES, around[j], sum[j], product[j], 1);
    UNROLL(2)
    for (int j = 0; j < vectors; j++) {
        store_some(sum_dy + j * LANES, sum[j][0] + sum[j][1] + (sum[j][2] + sum[j][3]),
                   left - j * LANES);
        store_some(sum_dyx + j * LANES,
                   product[j][0] + product[j][1] + (product[j][2] + product[j][3]),
                   left - j * LANES);
    }
}

static void gradient_sums(int64_t rows, int64_t channels, const float *x, const float *centre,
                          const float *dy, float *sum_dy, float *sum_dyx)
{
    int64_t c = 0;
    for (; c + 2 * LANES <= channels; c += 2 * LANES)
        gradient_columns(rows, channels, x + c, centre + c, dy + c, 2 * LANES, sum_dy + c,
                         sum_dyx + c, 2);
    for (; c < channels; c += LANES)
        gradient_columns(rows, channels, x + c, centre + c, dy + c, channels - c, sum_dy + c,
                         sum_dyx + c, 1);
}

/* Row by row, so that memory is walked through in one direction: the coefficients come from the
 * first-level cache. */
INLINE void affine_rows(int64_t rows, int64_t channels, const float *scale, const float *shift,
                        const float *x, const float *add, float *y)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < channels; c += LANES) {
            int64_t i = r * channels + c, left = channels - c;
            vec v = load_some(x + i, left);
            if (scale)
                v = load_some(scale + c, left) * v + load_some(shift + c, left);
            if (add)
                v += load_some(add + i, left);
            store_some(y + i, v, left);
        }
}

static void affine(int64_t rows, int64_t channels, const float *coef, const float *x,
                   const float *add, float *y)
{
    if (coef && add)
        affine_rows(rows, channels, coef, coef + channels, x, add, y);
    else if (coef)
        affine_rows(rows, channels, coef, coef + channels, x, NULL, y);
    else
        affine_rows(rows, channels, NULL, NULL, x, add, y);
}

static void affine_backward(int64_t rows, int64_t channels, const float *bcoef, const float *dy,
                            const float *x, float *dx)
{
    const float *p = bcoef, *q = p + channels, *r = q + channels;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t c = 0; c < channels; c += LANES) {
            int64_t i = row * channels + c, left = channels - c;
            store_some(
                dx + i,
                load_some(p + c, left) * load_some(dy + i, left) +
                    (load_some(q + c, left) * load_some(x + i, left) + load_some(r + c, left)),
                left);
        }
}
