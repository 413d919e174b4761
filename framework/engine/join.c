/* Few columns would leave most of a vector idle: 6 filters use 6 of 16 lanes. Neighbouring
 * destinations are then taken together, as one with the columns of all of them. Its taps are those
 * of any of them, and its filters are zero where a tap is not a destination's own; so an infinity
 * may spread to the neighbours that share a vector, as NaN. */
#include "engine/conv.h"

#include <string.h>

#include "core/base.h"

/* Taps from the first of `together` destinations to the last tap of the last. */
static int64_t joined_taps(const hki_axis *a, int64_t together)
{
    return a->taps + (together - 1) * a->step;
}

/* Vectors that `together` destinations take per channel of a kernel row. */
static int64_t cost(const hki_image *g, int64_t columns, int64_t together)
{
    return hki_ceil(together * columns, hki_kernels_active()->lanes) * joined_taps(&g->h, together);
}

/* How many destinations to take together. With no more than two vectors of columns they are one
 * panel. */
int64_t hki_join_count(const hki_image *g, int64_t columns)
{
    int64_t best = 1, most = 2 * hki_kernels_active()->lanes / columns;
    if (g->scattered || g->h.taps == 0 || !hki_taps_touch(&g->h))
        return 1;
    for (int64_t n = 2; n <= most; n++)
        if (g->h.dest % n == 0 && cost(g, columns, n) * best < cost(g, columns, best) * n)
            best = n;
    return best;
}

hki_image hki_join_image(const hki_image *g, int64_t together)
{
    hki_image joined = *g;
    joined.h.dest /= together;
    joined.h.taps = joined_taps(&g->h, together);
    joined.h.step *= together;
    return joined;
}

static size_t filter_floats(const hki_image *joined, int64_t columns)
{
    return hki_panels_floats(joined->v.taps * joined->h.taps * joined->c, columns);
}

size_t hki_join_floats(const hki_image *joined, int64_t columns)
{
    return filter_floats(joined, columns) + hki_lines(columns);
}

/* The filters of g, step by step, into those of the joined destinations. */
static void spread_filters(const hki_correlation *g, const hki_image *joined, int64_t together,
                           float *to, ptrdiff_t to_step)
{
    const hki_axis *h = &g->from.h;
    hki_product packed;
    hki_panel_use(&g->b, 0, &packed);
    size_t bytes = sizeof *to * (size_t)g->b.columns;
    for (int64_t i = 0; i < joined->v.taps * joined->h.taps * joined->c; i++, to += to_step) {
        int64_t channel = i % joined->c, tap = i / joined->c % joined->h.taps;
        int64_t row = i / joined->c / joined->h.taps;
        memset(to, 0, sizeof *to * (size_t)to_step);
        for (int64_t d = 0; d < together; d++) {
            int64_t own = tap - d * h->step;
            if (own >= 0 && own < h->taps)
                memcpy(to + d * g->b.columns,
                       packed.b + ((row * h->taps + own) * joined->c + channel) * packed.b_step,
                       bytes);
        }
    }
}

hki_correlation hki_join(const hki_correlation *g, int64_t together, float *room)
{
    hki_correlation joined = *g;
    int64_t columns = together * g->b.columns, lanes = hki_kernels_active()->lanes;
    joined.from = hki_join_image(&g->from, together);
    joined.b = (hki_panels){.b = room,
                            .depth = joined.from.v.taps * joined.from.h.taps * joined.from.c,
                            .columns = columns,
                            .width = (int)(hki_ceil(columns, lanes) * lanes)};
    spread_filters(g, &joined.from, together, room, joined.b.width);
    float *bias = room + filter_floats(&joined.from, columns);
    for (int64_t i = 0; g->bias && i < columns; i++)
        bias[i] = g->bias[i % g->b.columns];
    joined.bias = g->bias ? bias : NULL;
    joined.y_pixel *= together;
    return joined;
}
