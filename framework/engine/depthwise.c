/* One filter a channel: every tap is a product of vectors of channels. A task is a row of an
 * image; the columns of a row are taken together where they have the same taps. */
#include "engine/conv.h"

#include <string.h>

#include "core/base.h"

enum {
    MOST_CHUNKS = 16,
    EPILOGUE_FLOATS = 4096, /* rows of an image that the epilogue takes at a time: 16 KiB, */
    LEAST_BANDS = 4         /* if that leaves enough for threads to share */
};

/* What a destination row or column reads. */
typedef struct place {
    int64_t source, taps, w; /* the first source, how many, the tap of the kernel it meets */
    int64_t alike;           /* destinations from here on, of the same phase, with the same taps */
} place;

/* One direction of a pass. */
typedef struct direction {
    int64_t dest, source;
    int64_t phases, step; /* destinations d and d + phases read sources `step` apart */
    int64_t gap, every;   /* from one tap to the next: sources, taps of the kernel */
    place *at;            /* [dest] */
} direction;

typedef struct sweep {
    int64_t n, c, kernel_columns;
    direction v, h;
    const float *x, *w, *bias;
    float *y;
    int64_t together;     /* rows of a band, which the epilogue takes at a time */
    int64_t bands, parts; /* of all rows; of the bands */
    const hki_epilogue *after;
} sweep;

enum { PREPARED_BYTES = (sizeof(sweep) + 63) / 64 * 64 }; /* a sweep at the start of the scratch */

bool hki_is_depthwise(const hki_conv *c)
{
    return c->groups > 1 && c->groups == c->c && c->groups == c->k;
}

static int64_t chunks_of(const hki_conv *c)
{
    return hki_min(c->n * c->oh, MOST_CHUNKS);
}

static size_t place_bytes(int64_t most)
{
    return ((size_t)most * sizeof(place) + 63) / 64 * 64;
}

size_t hki_depthwise_scratch(const hki_conv *c)
{
    return PREPARED_BYTES + place_bytes(hki_max(c->h, c->oh)) + place_bytes(hki_max(c->w, c->ow)) +
           sizeof(float) * hki_lines(chunks_of(c) * c->kh * c->kw * c->c);
}

static place place_of(const hki_phase *p, int64_t d)
{
    int64_t from, to;
    hki_axis_taps(&p->axis, d, &from, &to);
    return (place){.source = d * p->axis.step - p->axis.pad + from * p->axis.gap,
                   .taps = to - from,
                   .w = p->last - from * p->every};
}

static void count_alike(direction *d)
{
    for (int64_t i = d->dest - 1; i >= 0; i--) {
        const place *next = i + d->phases < d->dest ? &d->at[i + d->phases] : NULL;
        d->at[i].alike = 1; /* not same ? next->alike + 1 : 1, which gcc 14.2 reads through NULL */
        if (next && next->taps == d->at[i].taps && next->w == d->at[i].w)
            d->at[i].alike += next->alike;
    }
}

static direction forward(int size, int out, int taps, int stride, int pad, int gap, place *at)
{
    hki_phase p = {{size, out, taps, stride, gap, pad}, .last = 0, .every = -1};
    direction d = {out, size, .phases = 1, .step = stride, .gap = gap, .every = 1, .at = at};
    for (int64_t i = 0; i < out; i++)
        at[i] = place_of(&p, i);
    count_alike(&d);
    return d;
}

/* Phases differ in their first tap; gap and every are those of any that has two. */
static direction backward(int size, int out, int taps, int stride, int pad, int gap, place *at)
{
    direction d = {size, out, .phases = stride, .step = 1, .at = at};
    for (int start = 0; start < stride; start++) {
        hki_phase p = hki_phase_of(size, out, taps, stride, pad, gap, start);
        for (int64_t i = start; i < size; i += stride)
            at[i] = place_of(&p, i / stride);
        if (p.axis.taps > 1) {
            d.gap = p.axis.gap;
            d.every = -p.every;
        }
    }
    count_alike(&d);
    return d;
}

static sweep sweep_of(const hki_conv *c, bool back, void *scratch)
{
    direction (*way)(int, int, int, int, int, int, place *) = back ? backward : forward;
    place *columns = (place *)((char *)scratch + PREPARED_BYTES);
    place *rows = (place *)((char *)columns + place_bytes(back ? c->w : c->ow));
    return (sweep){.n = c->n,
                   .c = c->c,
                   .kernel_columns = c->kw,
                   .v = way(c->h, c->oh, c->kh, c->sh, c->ph, c->dh, rows),
                   .h = way(c->w, c->ow, c->kw, c->sw, c->pw, c->dw, columns)};
}

/* The taps of the columns alike `h` in row `v`; *x and *w are moved to the first. */
static hki_taps taps_at(const sweep *s, const place *v, const place *h, int64_t image,
                        const float **x, ptrdiff_t *w)
{
    ptrdiff_t row = s->h.source * s->c;
    *x += (image * s->v.source + v->source) * row + h->source * s->c;
    *w = (v->w * s->kernel_columns + h->w) * s->c;
    return (hki_taps){.pixels = h->alike,
                      .channels = s->c,
                      .rows = v->taps,
                      .columns = h->taps,
                      .x_row = s->v.gap * row,
                      .x_column = s->h.gap * s->c,
                      .x_step = s->h.step * s->c,
                      .w_row = s->v.every * s->kernel_columns * s->c,
                      .w_column = s->h.every * s->c,
                      .y_step = s->h.phases * s->c,
                      .y_row = s->h.dest * s->c};
}

/* Row `row` of all images, to y. */
static void sweep_row(const sweep *s, int64_t row, float *y)
{
    const hki_kernels *kernels = hki_kernels_active();
    const int64_t image = row / s->v.dest, r = row % s->v.dest;
    for (int64_t phase = 0; phase < s->h.phases; phase++)
        for (int64_t d = phase; d < s->h.dest; d += s->h.at[d].alike * s->h.phases) {
            const float *x = s->x;
            ptrdiff_t w;
            hki_taps t = taps_at(s, &s->v.at[r], &s->h.at[d], image, &x, &w);
            kernels->taps_forward(&t, x, s->w + w, s->bias, y + d * s->c);
        }
}

void hki_depthwise_prepare(const hki_conv *c, const float *x, const float *w, const float *bias,
                           void *scratch)
{
    sweep *s = scratch;
    *s = sweep_of(c, false, scratch);
    s->x = x;
    s->w = w;
    s->bias = bias;
}

void hki_depthwise_lines(const void *prepared, int64_t first, int64_t lines, float *y)
{
    const sweep *s = prepared;
    for (int64_t i = 0; i < lines; i++)
        sweep_row(s, first + i, y + i * s->h.dest * s->c);
}

static void part_task(const void *given, int64_t part)
{
    const sweep *s = given;
    int64_t rows = s->n * s->v.dest;
    for (int64_t b = s->bands * part / s->parts; b < s->bands * (part + 1) / s->parts; b++) {
        int64_t first = b * s->together, next = hki_min(rows, first + s->together);
        hki_depthwise_lines(s, first, next - first, s->y + first * s->h.dest * s->c);
        if (s->after)
            s->after->rows(s->after->user, (int)part, first * s->h.dest,
                           (next - first) * s->h.dest);
    }
}

/* Short rows go to the epilogue together. */
static void run_sweep(sweep *s, const hki_conv *c)
{
    int64_t rows = s->n * s->v.dest, row = s->h.dest * s->c;
    s->together = hki_max(1, hki_min(EPILOGUE_FLOATS / row, rows / LEAST_BANDS));
    s->bands = hki_ceil(rows, s->together);
    s->parts = hki_min(s->bands, HKI_MAX_PARTS);
    int64_t work = c->n * c->oh * c->ow * c->kh * c->kw * c->c;
    hki_each(hki_team(s->parts, work), s->parts, part_task, s);
}

void hki_depthwise_forward(const hki_conv *c, const float *x, const float *w, const float *bias,
                           float *y, void *scratch, const hki_epilogue *after)
{
    hki_depthwise_prepare(c, x, w, bias, scratch);
    sweep s = *(const sweep *)scratch;
    s.y = y;
    s.after = after;
    run_sweep(&s, c);
}

void hki_depthwise_data(const hki_conv *c, const float *dy, const float *w, float *dx,
                        void *scratch, const hki_epilogue *after)
{
    sweep s = sweep_of(c, true, scratch);
    s.x = dy;
    s.w = w;
    s.y = dx;
    s.after = after;
    run_sweep(&s, c);
}

void hki_depthwise_weight(const hki_conv *c, const float *x, const float *dy, float *dw,
                          void *scratch)
{
    const hki_kernels *kernels = hki_kernels_active();
    sweep s = sweep_of(c, false, scratch);
    int64_t rows = c->n * c->oh, chunks = chunks_of(c), size = (int64_t)c->kh * c->kw * c->c;
    float *sums =
        (float *)((char *)scratch + PREPARED_BYTES + place_bytes(c->oh) + place_bytes(c->ow));
#pragma omp parallel for num_threads(hki_team(chunks, (rows * c->ow * size))) schedule(static)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        float *sum = sums + chunk * size;
        memset(sum, 0, sizeof *sum * (size_t)size);
        for (int64_t i = rows * chunk / chunks; i < rows * (chunk + 1) / chunks; i++)
            for (int64_t d = 0; d < s.h.dest; d += s.h.at[d].alike) {
                const float *from = x;
                ptrdiff_t to;
                hki_taps t =
                    taps_at(&s, &s.v.at[i % s.v.dest], &s.h.at[d], i / s.v.dest, &from, &to);
                kernels->taps_weight(&t, from, dy + (i * s.h.dest + d) * s.c, sum + to);
            }
    }
    kernels->column_sums(chunks, size, sums, size, dw);
}
