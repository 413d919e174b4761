/* Pooling: a task is a row of an image; going back, a row of the input gathers from the windows
 * that cover it, so that overlapping windows need no order. */
#include "engine/kernels.h"

void hki_native_max_pool_forward(const hki_pool *p, const float *x, float *y, uint16_t *which)
{
    const hki_kernels *kernels = hki_kernels_active();
    int64_t rows = p->n * p->oh, in = (int64_t)p->h * p->w * p->c, out = (int64_t)p->ow * p->c;
#pragma omp parallel for num_threads(hki_team(rows, (rows * out * p->kh * p->kw))) schedule(static)
    for (int64_t r = 0; r < rows; r++)
        kernels->max_forward(p, (int)(r % p->oh), x + r / p->oh * in, y + r * out,
                             which ? which + r * out : NULL);
}

void hki_native_max_pool_backward(const hki_pool *p, const float *dy, const uint16_t *which,
                                  float *dx)
{
    const hki_kernels *kernels = hki_kernels_active();
    int64_t rows = p->n * p->h, in = (int64_t)p->w * p->c, out = (int64_t)p->oh * p->ow * p->c;
#pragma omp parallel for num_threads(hki_team(rows, (rows * in))) schedule(static)
    for (int64_t r = 0; r < rows; r++)
        kernels->max_backward(p, (int)(r % p->h), dy + r / p->h * out, which + r / p->h * out,
                              dx + r * in);
}

void hki_native_avg_pool_forward(const hki_pool *p, const float *x, float *y)
{
    const hki_kernels *kernels = hki_kernels_active();
    int64_t rows = p->n * p->oh, in = (int64_t)p->h * p->w * p->c, out = (int64_t)p->ow * p->c;
#pragma omp parallel for num_threads(hki_team(rows, (rows * out * p->kh * p->kw))) schedule(static)
    for (int64_t r = 0; r < rows; r++)
        kernels->avg_forward(p, (int)(r % p->oh), x + r / p->oh * in, y + r * out);
}

void hki_native_avg_pool_backward(const hki_pool *p, const float *dy, float *dx)
{
    const hki_kernels *kernels = hki_kernels_active();
    int64_t rows = p->n * p->h, in = (int64_t)p->w * p->c, out = (int64_t)p->oh * p->ow * p->c;
#pragma omp parallel for num_threads(hki_team(rows, (rows * in))) schedule(static)
    for (int64_t r = 0; r < rows; r++)
        kernels->avg_backward(p, (int)(r % p->h), dy + r / p->h * out, dx + r * in);
}
