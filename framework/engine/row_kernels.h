/* engine/row_kernels.h - passes over the rows of a matrix [rows x channels]: sums, moments, affine
 * maps. Part of kernels_template.h. */

static void column_sums(int64_t rows, int64_t columns, const float *x, ptrdiff_t x_row,
                        float *out)
{
    for (int64_t c = 0; c < columns; c += LANES) {
        int64_t left = columns - c;
        vec total = {0};
        for (int64_t from = 0; from < rows; from += HKI_DEPTH) {
            int64_t to = hki_min(rows, from + HKI_DEPTH);
            vec sum = {0};
            for (int64_t r = from; r < to; r++)
                sum += load_some(x + r * x_row + c, left);
            total += sum;
        }
        store_some(out + c, total, left);
    }
}
