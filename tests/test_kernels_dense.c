/* The kernels beside products, each instruction set against the definition in double: transposed
 * matrices, softmax, sums, and products whose right side is read in place. */
#include "check.h"
#include "engine/kernels.h"

#include <stdlib.h>

#include "core/base.h"

static float number(int64_t i)
{
    return (float)sin((double)i * 0.7) * 3;
}

static float *numbers(int64_t n)
{
    float *x = hki_alloc_array((size_t)n, sizeof *x);
    for (int64_t i = 0; i < n; i++)
        x[i] = number(i);
    return x;
}

/* Columns beyond `columns` must survive. */
static void check_transpose(int64_t rows, int64_t columns)
{
    int64_t x_row = columns + 3, y_row = rows + 5;
    float *x = numbers(rows * x_row), *y = hki_alloc_array((size_t)(columns * y_row), sizeof *y);
    hki_kernels_active()->transpose(rows, columns, x, x_row, y, y_row);
    int64_t wrong = 0;
    for (int64_t c = 0; c < columns; c++)
        for (int64_t r = 0; r < y_row; r++)
            wrong += y[c * y_row + r] != (r < rows ? x[r * x_row + c] : 0);
    CHECK_EQUAL(wrong, 0);
    hki_free(x);
    hki_free(y);
}

static void check_dots(int64_t n, int64_t rows)
{
    float *a = numbers(n), *b = numbers(rows * n), *y = hki_alloc_array((size_t)rows, sizeof *y);
    hki_kernels_active()->dots(n, a, rows, b, n, y);
    for (int64_t j = 0; j < rows; j++) {
        double sum = 0, sizes = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += (double)a[i] * (double)b[j * n + i];
            sizes += fabs((double)a[i] * (double)b[j * n + i]);
        }
        CHECK_NEAR(y[j], sum, 1e-6 * sizes);
    }
    hki_free(a);
    hki_free(b);
    hki_free(y);
}

static void check_softmax(int64_t rows, int64_t n)
{
    float *x = numbers(rows * n), *p = hki_alloc_array((size_t)(rows * n), sizeof *p);
    float *most = numbers(rows), *sum = numbers(rows);
    hki_kernels_active()->softmax(rows, n, x, p);
    hki_kernels_active()->softmax_sums(rows, n, x, most, sum);
    for (int64_t r = 0; r < rows; r++) {
        double all = 0, largest = (double)x[r * n];
        for (int64_t i = 0; i < n; i++) {
            all += exp((double)x[r * n + i]);
            largest = fmax(largest, (double)x[r * n + i]);
        }
        for (int64_t i = 0; i < n; i++)
            CHECK_NEAR(p[r * n + i], exp((double)x[r * n + i]) / all, 1e-6);
        CHECK(most[r] == (float)largest);
        CHECK_NEAR(sum[r], all / exp(largest), 1e-6 * all / exp(largest));
    }
    x[n / 2] = NAN;
    hki_kernels_active()->softmax_sums(1, n, x, most, sum);
    CHECK(most[0] != most[0] && sum[0] != sum[0]);
    hki_free(x);
    hki_free(p);
    hki_free(most);
    hki_free(sum);
}

static void check_sums(int64_t n)
{
    float *x = numbers(n);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
    }
    CHECK_NEAR(hki_kernels_active()->sum(n, x), sum, 1e-9 * (double)n);
    CHECK_NEAR(hki_kernels_active()->sum_squares(n, x), squares, 1e-9 * (double)n);
    hki_free(x);
}

/* Everywhere: calls `check` for each instruction set that this processor has. */
static void everywhere(void (*check)(void))
{
    for (int isa = HK_BASELINE; isa < HK_ISA_COUNT; isa++) {
        hki_isa_cap((hk_isa)isa);
        if (hki_isa() == (hk_isa)isa)
            check();
    }
    hki_isa_cap(HK_ISA_COUNT);
}

static void all_transposes(void)
{
    check_transpose(1, 1);
    check_transpose(16, 32);
    check_transpose(37, 50);
    check_transpose(5, 100);
    check_transpose(64, 3);
}

static void all_dots(void)
{
    check_dots(1, 1);
    check_dots(17, 6);
    check_dots(1000, 3);
    check_dots(40000, 5); /* more than one run of a sum */
}

static void all_softmaxes(void)
{
    check_softmax(3, 1);
    check_softmax(7, 10);
    check_softmax(2, 16);
    check_softmax(2, 100);
}

static void all_sums(void)
{
    check_sums(1);
    check_sums(15);
    check_sums(10007);
}

static void transposes(void)
{
    everywhere(all_transposes);
}

static void dots(void)
{
    everywhere(all_dots);
}

static void softmaxes(void)
{
    everywhere(all_softmaxes);
}

static void sums(void)
{
    everywhere(all_sums);
}

/* The last row of b is the last that may be read: the block ends with it. */
static void a_right_side_read_in_place_is_not_overrun(void)
{
    enum { M = 3, N = 21, K = 40 };
    float *a = numbers(M * K), *b = malloc(K * N * sizeof *b), y[M * N];
    void *scratch = hki_alloc(hki_engine_active()->gemm_scratch(M, N, K, false, false));
    for (int i = 0; i < K * N; i++)
        b[i] = number(i);
    hki_engine_active()->gemm(M, N, K, false, false, a, b, NULL, y, scratch);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int l = 0; l < K; l++)
                sum += (double)a[i * K + l] * (double)b[l * N + j];
            CHECK_NEAR(y[i * N + j], sum, 1e-6 * 9 * K);
        }
    free(b);
    hki_free(a);
    hki_free(scratch);
}

int main(void)
{
    RUN(transposes);
    RUN(dots);
    RUN(softmaxes);
    RUN(sums);
    RUN(a_right_side_read_in_place_is_not_overrun);
    return check_result();
}
