/* Pooling: a task is a row of an image; going back, a row of the input gathers from the windows
 * that cover it, so that overlapping windows need no order. */
#include "engine/kernels.h"

#include "core/base.h"

/* x, y: of the direction that is taken; `in`, `out` floats of an image of one, of a row of the other. */
typedef struct pooling {
    const hki_pool *p;
    const hki_kernels *kernels;
    const float *x;
    float *y;
    const uint16_t *which;
    uint16_t *chosen;
    int64_t in, out;
} pooling;

static void max_task(const void *given, int64_t r)
{
    const pooling *j = given;
    j->kernels->max_forward(j->p, (int)(r % j->p->oh), j->x + r / j->p->oh * j->in,
                            j->y + r * j->out, j->chosen ? j->chosen + r * j->out : NULL);
}

static void max_back_task(const void *given, int64_t r)
{
    const pooling *j = given;
    int64_t image = r / j->p->h * j->in;
    j->kernels->max_backward(j->p, (int)(r % j->p->h), j->x + image, j->which + image,
                             j->y + r * j->out);
}

static void avg_task(const void *given, int64_t r)
{
    const pooling *j = given;
    j->kernels->avg_forward(j->p, (int)(r % j->p->oh), j->x + r / j->p->oh * j->in,
                            j->y + r * j->out);
}

static void avg_back_task(const void *given, int64_t r)
{
    const pooling *j = given;
    j->kernels->avg_backward(j->p, (int)(r % j->p->h), j->x + r / j->p->h * j->in,
                             j->y + r * j->out);
}

/* Images of `in` pixels become images of `down` rows of `across` pixels, each of `taps` others. */
static void each_row(pooling j, int64_t in, int64_t down, int64_t across, int64_t taps,
                     void (*task)(const void *job, int64_t r))
{
    int64_t rows = j.p->n * down;
    j.kernels = hki_kernels_active();
    j.in = in * j.p->c;
    j.out = across * j.p->c;
    hki_each(hki_team(rows, rows * j.out * taps), rows, task, &j);
}

static void pool_forward(pooling j, void (*task)(const void *job, int64_t r))
{
    const hki_pool *p = j.p;
    each_row(j, (int64_t)p->h * p->w, p->oh, p->ow, (int64_t)p->kh * p->kw, task);
}

static void pool_backward(pooling j, void (*task)(const void *job, int64_t r))
{
    const hki_pool *p = j.p;
    each_row(j, (int64_t)p->oh * p->ow, p->h, p->w, 1, task);
}

void hki_native_max_pool_forward(const hki_pool *p, const float *x, float *y, uint16_t *which)
{
    pool_forward((pooling){.p = p, .x = x, .y = y, .chosen = which}, max_task);
}

void hki_native_max_pool_backward(const hki_pool *p, const float *dy, const uint16_t *which,
                                  float *dx)
{
    pool_backward((pooling){.p = p, .x = dy, .y = dx, .which = which}, max_back_task);
}

void hki_native_avg_pool_forward(const hki_pool *p, const float *x, float *y)
{
    pool_forward((pooling){.p = p, .x = x, .y = y}, avg_task);
}

void hki_native_avg_pool_backward(const hki_pool *p, const float *dy, float *dx)
{
    pool_backward((pooling){.p = p, .x = dy, .y = dx}, avg_back_task);
}
