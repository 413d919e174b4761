/* Reading images for the convolutions: in place, as padded strips, or image by image. */
#include "engine/conv.h"

#include <string.h>

#include "core/base.h"

enum {
    SOME_CHANNELS = 8, /* below, the taps of a row should stay together */
    SMALL_IMAGE = 8,   /* columns up to which images, not columns, are the rows of a product */
    SMALL_SOURCE = 18, /* and columns of what they are read from */
    ENOUGH_IMAGES = 8
};

static bool is_pointwise(const hki_image *g)
{
    return g->v.taps == 1 && g->h.taps == 1 && g->v.step == 1 && g->h.step == 1 && g->v.pad == 0 &&
           g->h.pad == 0 && g->v.source == g->v.dest && g->h.source == g->h.dest;
}

bool hki_image_flatten(hki_image *g)
{
    if (!is_pointwise(g) || g->scattered)
        return false;
    g->v.source = g->v.dest = g->n * g->v.dest;
    g->n = 1;
    return true;
}

hki_form hki_form_of(const hki_image *g)
{
    int64_t taps = g->v.taps * g->h.taps;
    if (taps == 0 || (is_pointwise(g) && g->x_pixel == g->c))
        return HKI_DIRECT;
    if (g->n >= ENOUGH_IMAGES && g->h.dest <= SMALL_IMAGE && g->h.source <= SMALL_SOURCE &&
        g->c >= SOME_CHANNELS)
        return HKI_IMAGES;
    bool in_place = g->h.pad <= 0 && g->x_pixel == g->c &&
                    hki_axis_extent(&g->h, g->h.dest) - g->h.pad <= g->h.source;
    return in_place ? HKI_DIRECT : HKI_STRIP;
}

/* Floats of a row of the source as a strip holds it. */
static int64_t strip_row(const hki_image *g)
{
    return hki_axis_extent(&g->h, g->h.dest) * g->c;
}

int64_t hki_band_floats(const hki_image *g, hki_form form, int64_t rows)
{
    return form == HKI_STRIP ? hki_axis_extent(&g->v, rows) * strip_row(g) : 0;
}

int64_t hki_band_rows(const hki_image *g, hki_form form, int64_t floats, int64_t bands)
{
    int64_t row = (form == HKI_STRIP ? strip_row(g) : g->h.source * g->c) * g->v.step;
    int64_t halo = hki_max(0, g->v.taps - 1) * g->v.gap;
    int64_t most = hki_max(1, floats / hki_max(1, row) - halo / g->v.step);
    int64_t share = hki_ceil(g->n * g->v.dest, bands);
    return hki_ceil(g->v.dest, hki_ceil(g->v.dest, hki_min(most, share)));
}

hki_band hki_band_read(const hki_image *g, hki_form form, int64_t image, int64_t row, int64_t rows,
                       float *strip)
{
    ptrdiff_t x_row = g->h.source * g->x_pixel;
    const float *x = g->x + image * g->v.source * x_row;
    if (form == HKI_DIRECT)
        return (hki_band){x - g->h.pad * g->x_pixel, 0, x_row, g->h.step * g->c};

    int64_t c = g->c, first = row * g->v.step - g->v.pad;
    int64_t end = hki_min(g->v.source, first + hki_axis_extent(&g->v, rows));
    /* Columns -pad .. -pad + width - 1, zeros where there is no image: before `from`, from `until` on. */
    int64_t width = hki_axis_extent(&g->h, g->h.dest);
    int64_t from = hki_min(width, hki_max(0, g->h.pad));
    int64_t until = hki_max(from, hki_min(width, g->h.source + g->h.pad));
    for (int64_t s = hki_max(0, first); s < end; s++) {
        const float *pixels = x + s * x_row + (from - g->h.pad) * g->x_pixel;
        float *to = strip + (s - first) * width * c;
        memset(to, 0, sizeof *to * (size_t)(from * c));
        if (g->x_pixel == c)
            memcpy(to + from * c, pixels, sizeof *to * (size_t)((until - from) * c));
        else
            for (int64_t i = from; i < until; i++)
                memcpy(to + i * c, pixels + (i - from) * g->x_pixel, sizeof *to * (size_t)c);
        memset(to + until * c, 0, sizeof *to * (size_t)((width - until) * c));
    }
    return (hki_band){strip, first, width * c, g->h.step * c};
}

/* Neighbouring images must not all fall into the same few sets of the cache. */
int64_t hki_pitch(int64_t floats)
{
    return floats % 256 == 0 ? floats + 16 : (int64_t)hki_lines(floats);
}

void hki_images_pack(int64_t n, int64_t pieces, int64_t pixels, int64_t c, ptrdiff_t x_pixel,
                     const float *x, float *out)
{
    int64_t floats = pixels * c, pitch = hki_pitch(floats);
    bool whole = x_pixel == c;
#pragma omp parallel for collapse(2) num_threads(hki_team((pieces * n), (n * pieces * floats)))    \
    schedule(static)
    for (int64_t i = 0; i < pieces; i++)
        for (int64_t image = 0; image < n; image++) {
            float *to = out + (i * n + image) * pitch;
            const float *from = x + (image * pieces + i) * pixels * x_pixel;
            for (int64_t p = 0; p < (whole ? 1 : pixels); p++)
                memcpy(to + p * c, from + p * x_pixel, sizeof *to * (size_t)(whole ? floats : c));
            memset(to + floats, 0, sizeof *to * (size_t)(pitch - floats));
        }
}
