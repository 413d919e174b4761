/* engine/dense_kernels.h - what products need beside product() for a transposed matrix: read row by
 * row where few rows meet it, else turned round. Part of kernels_template.h. */

/* y[j] = a . b[j] for `rows` rows of b, a constant. */
INLINE void dot_rows(int64_t n, const float *a, const float *b, ptrdiff_t b_row, float *y, int rows)
{
    float total[4] = {0};
    for (int64_t from = 0; from < n; from += HKI_DEPTH * LANES) {
        int64_t to = hki_min(n, from + HKI_DEPTH * LANES), i = from;
        vec sum[4] = {{0}};
        for (; i + LANES <= to; i += LANES)
            UNROLL(4)
        for (int j = 0; j < rows; j++)
            sum[j] += load(a + i) * load(b + j * b_row + i);
        if (i < to)
            UNROLL(4)
        for (int j = 0; j < rows; j++)
            sum[j] += load_part(a + i, (int)(to - i)) * load_part(b + j * b_row + i, (int)(to - i));
        for (int j = 0; j < rows; j++) {
            float lanes = 0;
            for (int k = 0; k < LANES; k++)
                lanes += sum[j][k];
            total[j] += lanes;
        }
    }
    for (int j = 0; j < rows; j++)
        y[j] = total[j];
}

static void dots(int64_t n, const float *a, int64_t rows, const float *b, ptrdiff_t b_row, float *y)
{
    int64_t j = 0;
    for (; j + 4 <= rows; j += 4)
        dot_rows(n, a, b + j * b_row, b_row, y + j, 4);
    for (; j < rows; j++)
        dot_rows(n, a, b + j * b_row, b_row, y + j, 1);
}

#if LANES == 16
#define LOW_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif LANES == 8
#define LOW_HALVES 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_HALVES 4, 12, 5, 13, 6, 14, 7, 15
#else
#define LOW_HALVES 0, 4, 1, 5
#define HIGH_HALVES 2, 6, 3, 7
#endif

/* A square of LANES x LANES: zipping the first half of the rows with the second, as often as LANES
 * can be halved, turns it round. */
INLINE UNCHECKED void transpose_square(const float *x, ptrdiff_t x_row, float *y, ptrdiff_t y_row)
{
    vec rows[LANES], zipped[LANES];
    UNROLL(16)
    for (int i = 0; i < LANES; i++)
        rows[i] = load(x + i * x_row);
    UNROLL(4)
    for (int done = 1; done < LANES; done *= 2) {
        UNROLL(8)
        for (int i = 0; i < LANES / 2; i++) {
            vec a = rows[i], b = rows[i + LANES / 2];
            zipped[2 * i] = __builtin_shufflevector(a, b, LOW_HALVES);
            zipped[2 * i + 1] = __builtin_shufflevector(a, b, HIGH_HALVES);
        }
        UNROLL(16)
        for (int i = 0; i < LANES; i++)
            rows[i] = zipped[i];
    }
    UNROLL(16)
    for (int i = 0; i < LANES; i++)
        store(y + i * y_row, rows[i]);
}

/* y[c][r] = x[r][c]. */
static void transpose(int64_t rows, int64_t columns, const float *x, ptrdiff_t x_row, float *y,
                      ptrdiff_t y_row)
{
    int64_t whole_rows = rows - rows % LANES, whole_columns = columns - columns % LANES;
    for (int64_t c = 0; c < whole_columns; c += LANES)
        for (int64_t r = 0; r < whole_rows; r += LANES)
            transpose_square(x + r * x_row + c, x_row, y + c * y_row + r, y_row);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = r < whole_rows ? whole_columns : 0; c < columns; c++)
            y[c * y_row + r] = x[r * x_row + c];
}
