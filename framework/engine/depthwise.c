/* One filter a channel: every tap is a product of vectors of channels. A task is a row of an
 * image; the columns of a row are taken together where they have the same taps. */
#include "engine/conv.h"

#include <string.h>

#include "core/core.h"

enum { MOST_CHUNKS = 16 };

/* Destination pixels of a pass, or of a phase of one. */
typedef struct sweep {
    int64_t n, c;
    hki_axis v, h;
    const float *x, *w;
    const float *bias;
    float *y;
    ptrdiff_t w_v, w_h; /* from one tap's filter to the next */
    ptrdiff_t y_pixel, y_row, y_image;
} sweep;

bool hki_is_depthwise(const hki_conv *c)
{
    return c->groups > 1 && c->groups == c->c && c->groups == c->k;
}

static int64_t chunks_of(const hki_conv *c)
{
    return hki_min(c->n * c->oh, MOST_CHUNKS);
}

static size_t tap_floats(int64_t taps) /* two offsets a tap, for one thread */
{
    return hki_lines(2 * taps * (int64_t)(sizeof(ptrdiff_t) / sizeof(float)));
}

size_t hki_depthwise_scratch(const hki_conv *c)
{
    int64_t taps = (int64_t)c->kh * c->kw;
    return sizeof(float) * (hki_lines(chunks_of(c) * taps * c->c) + HKI_TEAM * tap_floats(taps));
}

/* From column d of row r on: its taps, and how many columns have the same. */
static hki_taps taps_at(const sweep *s, int64_t r, int64_t d, ptrdiff_t *offsets)
{
    int64_t t0, t1, u0, u1, next0, next1, until = d + 1;
    hki_axis_taps(&s->v, r, &t0, &t1);
    hki_axis_taps(&s->h, d, &u0, &u1);
    for (; until < s->h.dest; until++) {
        hki_axis_taps(&s->h, until, &next0, &next1);
        if (next0 != u0 || next1 != u1)
            break;
    }
    int n = 0;
    ptrdiff_t *w_tap = offsets + s->v.taps * s->h.taps;
    for (int64_t t = t0; t < t1; t++)
        for (int64_t u = u0; u < u1; u++, n++) {
            int64_t sv = r * s->v.step - s->v.pad + t * s->v.gap;
            int64_t sh = d * s->h.step - s->h.pad + u * s->h.gap;
            offsets[n] = (sv * s->h.source + sh) * s->c;
            w_tap[n] = t * s->w_v + u * s->w_h;
        }
    return (hki_taps){.pixels = until - d,
                      .channels = s->c,
                      .n = n,
                      .x_tap = offsets,
                      .w_tap = w_tap,
                      .x_step = s->h.step * s->c,
                      .y_step = s->y_pixel};
}

static void run_sweep(const sweep *s, ptrdiff_t *offsets)
{
    const hki_kernels *kernels = hki_kernels_active();
    int64_t rows = s->n * s->v.dest, taps = s->v.taps * s->h.taps;
    ptrdiff_t x_image = s->v.source * s->h.source * s->c;
    size_t each = tap_floats(taps) / (sizeof(ptrdiff_t) / sizeof(float));
#pragma omp parallel for num_threads(hki_team(rows, rows * s->h.dest * taps * s->c))               \
    schedule(static)
    for (int64_t i = 0; i < rows; i++) {
        int64_t image = i / s->v.dest, r = i % s->v.dest;
        float *y = s->y + image * s->y_image + r * s->y_row;
        for (int64_t d = 0; d < s->h.dest;) {
            hki_taps t = taps_at(s, r, d, offsets + (size_t)hki_team_member() * each);
            kernels->taps_forward(&t, s->x + image * x_image, s->w, s->bias, y + d * s->y_pixel);
            d += t.pixels;
        }
    }
}

static sweep forward_sweep(const hki_conv *c, const float *x)
{
    hki_image g = hki_forward_image(c, x, 0);
    ptrdiff_t pixel = c->c;
    return (sweep){.n = c->n, .c = c->c, .v = g.v, .h = g.h, .x = x,
                   .w_v = c->kw * pixel, .w_h = pixel,
                   .y_pixel = pixel, .y_row = c->ow * pixel, .y_image = c->oh * c->ow * pixel};
}

void hki_depthwise_forward(const hki_conv *c, const float *x, const float *w, const float *bias,
                           float *y, void *scratch)
{
    sweep s = forward_sweep(c, x);
    s.w = w;
    s.bias = bias;
    s.y = y;
    run_sweep(&s, scratch);
}

void hki_depthwise_data(const hki_conv *c, const float *dy, const float *w, float *dx,
                        void *scratch)
{
    ptrdiff_t pixel = c->c;
    for (int i = 0; i < c->sh * c->sw; i++) {
        int row = i / c->sw, column = i % c->sw;
        hki_phase v = hki_phase_of(c->h, c->oh, c->kh, c->sh, c->ph, c->dh, row);
        hki_phase h = hki_phase_of(c->w, c->ow, c->kw, c->sw, c->pw, c->dw, column);
        sweep s = {.n = c->n, .c = c->c, .v = v.axis, .h = h.axis, .x = dy,
                   .w = w + (v.last * c->kw + h.last) * pixel,
                   .w_v = -v.every * c->kw * pixel, .w_h = -h.every * pixel,
                   .y = dx + (row * (ptrdiff_t)c->w + column) * pixel,
                   .y_pixel = c->sw * pixel, .y_row = c->sh * c->w * pixel,
                   .y_image = (ptrdiff_t)c->h * c->w * pixel};
        run_sweep(&s, scratch);
    }
}

void hki_depthwise_weight(const hki_conv *c, const float *x, const float *dy, float *dw,
                          void *scratch)
{
    const hki_kernels *kernels = hki_kernels_active();
    sweep s = forward_sweep(c, x);
    int64_t rows = c->n * c->oh, chunks = chunks_of(c), size = (int64_t)c->kh * c->kw * c->c;
    float *sums = scratch, *offsets = sums + hki_lines(chunks * size);
    size_t each = tap_floats(s.v.taps * s.h.taps);
#pragma omp parallel for num_threads(hki_team(chunks, rows * c->ow * size)) schedule(static)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        float *sum = sums + chunk * size;
        memset(sum, 0, sizeof *sum * (size_t)size);
        for (int64_t i = rows * chunk / chunks; i < rows * (chunk + 1) / chunks; i++) {
            const float *image = x + i / c->oh * ((ptrdiff_t)c->h * c->w * c->c);
            for (int64_t d = 0; d < c->ow;) {
                ptrdiff_t *mine = (ptrdiff_t *)(offsets + (size_t)hki_team_member() * each);
                hki_taps t = taps_at(&s, i % c->oh, d, mine);
                kernels->taps_weight(&t, image, dy + (i * c->ow + d) * c->c, sum);
                d += t.pixels;
            }
        }
    }
    kernels->column_sums(chunks, size, sums, size, dw);
}
