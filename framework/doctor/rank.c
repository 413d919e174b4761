/* Effective rank: singular values are roots of the eigenvalues of the Gram matrix A'A, which is
 * brought to tridiagonal form by reflections (Householder 1958) and whose eigenvalues are then
 * found one by one by bisection: the pivots of T - x tell by their signs how many eigenvalues lie
 * below x (Givens 1954). No vectors, no iteration that could fail. Roots halve the digits: a
 * singular value below 1e-8 of the largest is noise, and weighs nothing in the entropy. */
#include "doctor/examine.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* g[n x n], upper triangle and its mirror. */
static void multiply_by_itself(int64_t rows, int64_t n, const float *a, double *g)
{
#pragma omp parallel for num_threads(hki_threads_for((rows * n * n / 2))) schedule(static, 1)
    for (int64_t i = 0; i < n; i++) {
        double *row = g + i * n;
        for (int64_t r = 0; r < rows; r++) {
            const float *x = a + r * n;
            double v = (double)x[i];
            for (int64_t j = i; j < n && v != 0; j++)
                row[j] += v * (double)x[j];
        }
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            g[i * n + j] = g[j * n + i];
}

/* g = H g H with H = 1 - 2 v v', v[first .. n - 1] of length 1; u is scratch[n]. */
static void reflect(int64_t n, int64_t first, const double *v, double *u, double *g)
{
    double along = 0;
    for (int64_t i = first; i < n; i++) {
        u[i] = 0;
        for (int64_t j = first; j < n; j++)
            u[i] += g[i * n + j] * v[j];
        along += v[i] * u[i];
    }
    for (int64_t i = first; i < n; i++)
        u[i] = 2 * (u[i] - along * v[i]);
    for (int64_t i = first; i < n; i++)
        for (int64_t j = first; j < n; j++)
            g[i * n + j] -= v[i] * u[j] + u[i] * v[j];
}

/* The tridiagonal matrix similar to the symmetric g: its diagonal d[n], squares e2[n - 1] of the
 * rest; v[n], u[n] are scratch. */
static void make_tridiagonal(int64_t n, double *g, double *d, double *e2, double *v, double *u)
{
    for (int64_t k = 0; k + 1 < n; k++) {
        double square = 0;
        for (int64_t i = k + 1; i < n; i++) {
            v[i] = g[i * n + k];
            square += v[i] * v[i];
        }
        e2[k] = square;
        v[k + 1] += v[k + 1] < 0 ? -sqrt(square) : sqrt(square);
        double length = 0;
        for (int64_t i = k + 1; i < n; i++)
            length += v[i] * v[i];
        for (int64_t i = k + 1; i < n && length > 0; i++)
            v[i] /= sqrt(length);
        if (length > 0)
            reflect(n, k + 1, v, u, g);
    }
    for (int64_t i = 0; i < n; i++)
        d[i] = g[i * n + i];
}

/* The k-th smallest eigenvalue, between 0 and most, to 1e-16 of most. */
static double eigenvalue(int64_t n, const double *d, const double *e2, int64_t k, double most)
{
    double low = 0, high = most;
    for (int step = 0; step < 54; step++) {
        double middle = (low + high) / 2, pivot = 1;
        int64_t below = 0;
        for (int64_t i = 0; i < n; i++) {
            pivot = d[i] - middle - (i ? e2[i - 1] / pivot : 0);
            if (pivot == 0)
                pivot = -DBL_MIN;
            below += pivot < 0;
        }
        if (below > k)
            high = middle;
        else
            low = middle;
    }
    return low;
}

hk_status hki_effective_rank(int64_t rows, int64_t n, const float *a, double *out)
{
    double *g = hki_alloc_array((size_t)(n * n + 5 * n), sizeof *g);
    if (!g)
        return HK_NO_MEMORY;
    double *d = g + n * n, *e2 = d + n, *v = e2 + n, *u = v + n, *s = u + n;
    double trace = 0, sum = 0, entropy = 0;
    multiply_by_itself(rows, n, a, g);
    for (int64_t i = 0; i < n; i++)
        trace += g[i * n + i];
    make_tridiagonal(n, g, d, e2, v, u);
#pragma omp parallel for num_threads(hki_threads_for((n * n * 54))) schedule(static)
    for (int64_t k = 0; k < n; k++)
        s[k] = sqrt(eigenvalue(n, d, e2, k, trace));
    for (int64_t i = 0; i < n; i++)
        sum += s[i];
    for (int64_t i = 0; i < n; i++)
        if (s[i] > 0)
            entropy -= s[i] / sum * log(s[i] / sum);
    *out = sum > 0 ? exp(entropy) : 0;
    hki_free(g);
    return HK_OK;
}
