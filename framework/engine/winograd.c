/* Convolutions of 3x3, stride 1, by Winograd's F(4x4, 3x3): 36 products a tile of 4x4 results in
 * place of 144; or, where a small image has too few of those tiles and the filters were packed,
 * F(2x2, 3x3): 16 in place of 36. Tiles are taken in blocks that fit the second-level cache: their
 * patches are transformed, a matrix product for each plane follows, and the results are transformed
 * back. For the filters' gradient both sides are transformed and the 36 products summed over all
 * tiles.
 * |error| <= 1e-5 sum |a||b|. */
#include "engine/conv.h"

#include <string.h>

#include "core/base.h"

enum {
    PLANES = 36,               /* of tiles of 4x4 */
    BLOCK_FLOATS = 192 * 1024, /* transformed, of a block */
    MOST_TILES = 64,           /* of a block; a multiple of tile rows may be more */
    LEAST_TILES = 28,          /* to read the filters for */
    FEW_TILES = 16,            /* the same once they are transformed */
    LEAST_BLOCKS = 4,          /* for threads to share, */
    LEAST_ROWS = 8,            /* if each has so many tiles */
    SLICE = 64,                /* filters whose results a block makes at a time */
    WEIGHT_TASKS = 16,
    LARGEST = 512 * 512,      /* channels * filters */
    LARGEST_SMALL = 128 * 128 /* the same for tiles of 2x2 */
};

/* A grid of tiles over the destination; its patches come from the source. */
typedef struct grid {
    int side, planes; /* of a tile of results: 4 and 36, or 2 and 16 */
    int64_t n;
    int h, w, c;   /* source */
    int oh, ow, k; /* destination */
    int ph, pw;
    int64_t down, across, units; /* tiles; a unit is a row of tiles */
    int64_t per_block, tiles;    /* units, tiles of a block */
    int slice;
} grid;

static grid grid_of(int side, int64_t n, int h, int w, int c, int oh, int ow, int k, int ph, int pw)
{
    const int planes = (side + 2) * (side + 2);
    grid g = {side, planes, n, h, w, c, oh, ow, k, ph, pw, .down = hki_ceil(oh, side)};
    g.across = hki_ceil(ow, side);
    g.units = n * g.down;
    g.slice = (int)hki_min(SLICE, k);
    int64_t tiles = BLOCK_FLOATS / (g.planes * (c + g.slice));
    tiles = hki_max(LEAST_TILES, hki_min(MOST_TILES, tiles));
    int64_t share = hki_max(hki_ceil(LEAST_ROWS, g.across), hki_ceil(g.units, LEAST_BLOCKS));
    g.per_block = hki_min(hki_ceil(tiles, g.across), hki_min(share, g.units));
    g.tiles = g.per_block * g.across;
    return g;
}

static grid forward_grid(const hki_conv *c, int side)
{
    return grid_of(side, c->n, c->h, c->w, c->c, c->oh, c->ow, c->k, c->ph, c->pw);
}

static grid data_grid(const hki_conv *c)
{
    return grid_of(4, c->n, c->oh, c->ow, c->k, c->h, c->w, c->c, 2 - c->ph, 2 - c->pw);
}

static int64_t tiles_of(const hki_conv *c, int side)
{
    return c->n * hki_ceil(c->oh, side) * hki_ceil(c->ow, side);
}

/* The tiles that the forward pass takes; 0: none. */
static int side_of(const hki_conv *c, bool packed)
{
    int64_t filters = (int64_t)c->c * c->k;
    bool fits = c->kh == 3 && c->kw == 3 && c->sh == 1 && c->sw == 1 && c->dh == 1 && c->dw == 1 &&
                c->groups == 1 && c->c >= 16 && c->k >= 16 && filters <= LARGEST &&
                hki_min(c->oh, c->ow) >= 3 && hki_min(c->h, c->w) >= 3;
    if (fits && tiles_of(c, 4) >= (packed ? FEW_TILES : LEAST_TILES))
        return 4;
    return fits && packed && tiles_of(c, 2) >= FEW_TILES && filters <= LARGEST_SMALL ? 2 : 0;
}

bool hki_winograd_fits(const hki_conv *c, bool packed)
{
    return side_of(c, packed) != 0;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static size_t run_floats(int64_t steps)
{
    return hki_lines((int64_t)sizeof(hki_run) / 4 * hki_runs_bound(1, steps));
}

/* From plane to plane of transformed tiles; not a power of two, whose lines would all meet in the
 * same few places of the first-level cache. */
static ptrdiff_t plane_of(const grid *g, int64_t channels)
{
    return g->tiles * hki_pitch(channels) + 16;
}

static size_t transformed_floats(const grid *g, int64_t channels)
{
    return (size_t)g->planes * (size_t)plane_of(g, channels);
}

static ptrdiff_t filter_plane(const grid *g)
{
    return (ptrdiff_t)hki_panels_floats(g->c, g->k) + 16; /* as above */
}

static size_t filter_floats(const grid *g)
{
    return (size_t)g->planes * (size_t)filter_plane(g);
}

static size_t pass_floats(const grid *g) /* of a thread */
{
    return transformed_floats(g, g->c) + transformed_floats(g, g->slice) + run_floats(g->c) +
           HKI_APART;
}

static size_t pass_scratch(const grid *g)
{
    int64_t parts = hki_min(hki_ceil(g->units, g->per_block), HKI_MAX_PARTS);
    return sizeof(float) * (filter_floats(g) + (size_t)parts * pass_floats(g));
}

/* The filters' gradient: parts of the units times slices of the filters. */
typedef struct cut {
    int64_t parts, slices;
    size_t partial, each; /* floats: the gradient of a part, what a thread needs */
} cut;

static cut cut_of(const grid *g)
{
    cut t = {.slices = hki_ceil(g->k, g->slice)};
    int64_t most = hki_max(1, WEIGHT_TASKS / t.slices);
    t.parts = hki_min(most, hki_ceil(g->units, g->per_block));
    t.partial = hki_lines(9 * (int64_t)g->c * g->k);
    t.each = transformed_floats(g, g->c) + transformed_floats(g, g->slice) +
             PLANES * (size_t)g->c * hki_lines(g->slice) + run_floats(g->tiles) + HKI_APART;
    return t;
}

size_t hki_winograd_scratch(const hki_conv *c)
{
    grid forward = forward_grid(c, 4), small = forward_grid(c, 2), data = data_grid(c);
    cut t = cut_of(&forward);
    int64_t team = hki_min(HKI_TEAM, t.parts * t.slices);
    size_t weight = sizeof(float) * ((size_t)t.parts * t.partial + (size_t)team * t.each);
    size_t most = weight;
    for (const grid **g = (const grid *[]){&forward, &small, &data, NULL}; *g; g++)
        most = pass_scratch(*g) > most ? pass_scratch(*g) : most;
    return most;
}

/* ---- Patches --------------------------------------------------------------------------------- */

/* One row of tiles of `size` x `size` pixels, over images h x w x channels. */
static hki_tiles tiles_at(const grid *g, const float *x, int h, int w, int channels, int size,
                          int64_t unit, int before)
{
    const float *image = x + unit / g->down * ((int64_t)h * w * channels);
    int64_t row = unit % g->down * g->side - before, pitch = hki_pitch(channels);
    hki_tiles t = {.side = g->side,
                   .width = w,
                   .tiles = g->across,
                   .channels = channels,
                   .pixel = channels,
                   .pitch = pitch,
                   .plane = plane_of(g, channels)};
    for (int i = 0; i < size; i++)
        if (row + i >= 0 && row + i < h)
            t.row[i] = image + (row + i) * w * channels;
    return t;
}

/* Transforms the patches of `units` rows of tiles. */
static void read_units(const grid *g, const float *x, int64_t first, int64_t units, float *v)
{
    for (int64_t i = 0; i < units; i++) {
        hki_tiles t = tiles_at(g, x, g->h, g->w, g->c, g->side + 2, first + i, g->ph);
        t.first = -g->pw;
        hki_kernels_active()->winograd_input(&t, v + i * g->across * t.pitch);
    }
}

/* What the next block will read, and this one write, comes nearer while the products keep the
 * processor busy: a share for each plane. A single image, or a few small ones, are near already. */
typedef struct stretch {
    const float *at;
    int64_t lines;
} stretch;

static stretch stretch_of(const grid *g, const float *x, int h, int w, int channels, int64_t first)
{
    int64_t line = (int64_t)w * channels, rows[2];
    for (int i = 0; i < 2; i++) {
        int64_t unit = hki_min(g->units, first + i * g->per_block);
        rows[i] = unit / g->down * h + hki_min(h, unit % g->down * g->side);
    }
    bool far = g->n > 1 && g->side == 4;
    return (stretch){x + rows[0] * line, far ? (rows[1] - rows[0]) * line / 16 : 0};
}

static void fetch(const stretch *a, int plane)
{
    for (int64_t i = a->lines * plane / PLANES; i < a->lines * (plane + 1) / PLANES; i++)
        __builtin_prefetch(a->at + i * 16, 0, 2);
}

/* ---- Forward, and the data gradient ---------------------------------------------------------- */

/* How the filters of a pass are read: distances from source channel to source channel, from filter
 * to filter, from tap to tap. */
typedef struct order {
    const float *w;
    ptrdiff_t channel, each, tap;
} order;

typedef struct pass {
    grid g;
    const float *x, *bias;
    float *y;
    const float *filters; /* transformed: [planes] panels */
    ptrdiff_t plane;      /* from one to the next */
    int width;            /* columns of a panel */
    bool add;             /* to what y holds */
    const hki_epilogue *after;
    order order; /* of filters that are still to be transformed, to: */
    float *transformed;
    float *temporary;
    int64_t blocks, parts;
} pass;

static void write_units(const pass *s, const float *m, int64_t first, int64_t units, int64_t column,
                        int64_t columns)
{
    const grid *g = &s->g;
    int64_t pitch = hki_pitch(g->slice), line = (int64_t)g->ow * g->k;
    hki_tiles t = {.side = g->side,
                   .width = g->ow,
                   .tiles = g->across,
                   .channels = columns,
                   .pixel = g->k,
                   .pitch = pitch,
                   .plane = plane_of(g, g->slice)};
    for (int64_t i = 0; i < units; i++) {
        int64_t image = (first + i) / g->down, row = (first + i) % g->down * g->side;
        float *y = s->y + (image * g->oh + row) * line + column;
        hki_kernels_active()->winograd_output(&t, m + i * g->across * pitch,
                                              s->bias ? s->bias + column : NULL,
                                              (int)hki_min(g->side, g->oh - row), s->add, y, line);
    }
}

/* The products of a slice of the filters. */
static void multiply(const pass *s, const float *v, int64_t tiles, int64_t column, int64_t columns,
                     const hki_run *runs, int64_t n_runs, stretch *ahead, float *m)
{
    const grid *g = &s->g;
    const hki_kernels *kernels = hki_kernels_active();
    ptrdiff_t v_plane = plane_of(g, g->c), m_plane = plane_of(g, g->slice);
    hki_panels panels = {.b = s->filters, .depth = g->c, .columns = g->k, .width = s->width};
    hki_product p = {.rows = tiles,
                     .a_row = hki_pitch(g->c),
                     .a_step = 1,
                     .runs = runs,
                     .n_runs = n_runs,
                     .y_row = hki_pitch(g->slice)};
    for (int64_t i = column / s->width; i * s->width < column + columns; i++) {
        p.a = v;
        p.y = m + hki_panel_use(&panels, i, &p) - column;
        for (int e = 0; e < g->planes; e++) {
            fetch(&ahead[0], e);
            fetch(&ahead[1], e);
            kernels->product(&p);
            p.a += v_plane;
            p.b += s->plane;
            p.y += m_plane;
        }
        ahead[0].lines = ahead[1].lines = 0; /* once will do */
    }
}

static void pass_block(const pass *s, int64_t first, int64_t units, float *temporary)
{
    const grid *g = &s->g;
    float *m = temporary + transformed_floats(g, g->c);
    hki_run *runs = (hki_run *)(m + transformed_floats(g, g->slice));
    int64_t n_runs = hki_run_add(runs, 0, 0, 0, g->c, 1);
    read_units(g, s->x, first, units, temporary);
    stretch ahead[2] = {stretch_of(g, s->x, g->h, g->w, g->c, first + units),
                        stretch_of(g, s->y, g->oh, g->ow, g->k, first)};
    for (int64_t column = 0; column < g->k; column += g->slice) {
        int64_t columns = hki_min(g->slice, g->k - column);
        multiply(s, temporary, units * g->across, column, columns, runs, n_runs, ahead, m);
        write_units(s, m, first, units, column, columns);
    }
}

/* First row of y that belongs to a unit or a later one. */
static int64_t first_row(const grid *g, int64_t unit)
{
    return (unit / g->down * g->oh + hki_min(g->oh, unit % g->down * g->side)) * g->ow;
}

static pass pass_of(grid g)
{
    return (pass){.g = g, .plane = filter_plane(&g), .width = hki_panel_width(g.tiles, g.k)};
}

/* A row of a panel: the filters of one source channel, transformed. */
static void transform_task(const void *given, int64_t i)
{
    const pass *s = given;
    const grid *g = &s->g;
    const order *o = &s->order;
    const hki_kernels *kernels = hki_kernels_active();
    int64_t first = i / g->c * s->width, channel = i % g->c;
    int64_t columns = hki_min(s->width, g->k - first);
    int64_t row = hki_ceil(columns, kernels->lanes) * kernels->lanes;
    const float *w = o->w + channel * o->channel;
    float *to = s->transformed + first * g->c + channel * row;
    for (int64_t k = 0; k < columns; k += kernels->lanes)
        kernels->winograd_filter(g->side, w + (first + k) * o->each, o->tap, o->each,
                                 (int)hki_min(kernels->lanes, columns - k), to + k, s->plane);
}

static void transform_all(const pass *s, int team)
{
    hki_each(team, hki_ceil(s->g.k, s->width) * s->g.c, transform_task, s);
}

static void part_task(const void *given, int64_t part)
{
    const pass *s = given;
    const grid *g = &s->g;
    float *own = s->temporary + (size_t)hki_team_member() * pass_floats(g);
    for (int64_t b = s->blocks * part / s->parts; b < s->blocks * (part + 1) / s->parts; b++) {
        int64_t first = b * g->per_block, units = hki_min(g->per_block, g->units - first);
        pass_block(s, first, units, own);
        if (s->after)
            s->after->rows(s->after->user, (int)part, first_row(g, first),
                           first_row(g, first + units) - first_row(g, first));
    }
}

/* With s->filters NULL they are transformed first, as s->order says. */
static void run_pass(pass *s, float *scratch)
{
    const grid *g = &s->g;
    s->blocks = hki_ceil(g->units, g->per_block);
    s->parts = hki_min(s->blocks, HKI_MAX_PARTS);
    s->temporary = scratch + filter_floats(g);
    int team = hki_team(s->parts, g->units * g->across * g->planes * g->c * g->k);
    if (!s->filters) {
        s->filters = s->transformed = scratch;
        transform_all(s, team);
    }
    hki_each(team, s->parts, part_task, s);
}

static order forward_order(const hki_conv *c, const float *w)
{
    return (order){w, c->k, 1, (ptrdiff_t)c->c * c->k};
}

void hki_winograd_forward(const hki_conv *c, const float *x, const float *w, const float *bias,
                          float *y, void *scratch, const void *packed, const hki_epilogue *after)
{
    pass s = pass_of(forward_grid(c, side_of(c, packed)));
    s.order = forward_order(c, w);
    s.x = x, s.y = y, s.bias = bias;
    s.filters = packed;
    s.after = after;
    run_pass(&s, scratch);
}

size_t hki_winograd_packed_bytes(const hki_conv *c)
{
    grid g = forward_grid(c, side_of(c, true));
    return sizeof(float) * filter_floats(&g);
}

void hki_winograd_pack(const hki_conv *c, const float *w, void *packed)
{
    pass s = pass_of(forward_grid(c, side_of(c, true)));
    s.order = forward_order(c, w);
    s.transformed = packed;
    transform_all(&s, 1);
}

/* The filters upside down, inputs and outputs exchanged. */
void hki_winograd_data(const hki_conv *c, const float *dy, const float *w, bool add, float *dx,
                       void *scratch, const hki_epilogue *after)
{
    pass s = pass_of(data_grid(c));
    ptrdiff_t tap = (ptrdiff_t)c->c * c->k;
    s.order = (order){w + 8 * tap, 1, c->k, -tap};
    s.x = dy, s.y = dx, s.add = add;
    s.after = after;
    run_pass(&s, scratch);
}

/* ---- The gradient of the filters ------------------------------------------------------------- */

static void read_gradients(const grid *g, const float *dy, int64_t first, int64_t units,
                           int64_t column, int64_t columns, float *d)
{
    int64_t pitch = hki_pitch(g->slice);
    for (int64_t i = 0; i < units; i++) {
        hki_tiles t = tiles_at(g, dy, g->oh, g->ow, g->k, 4, first + i, 0);
        for (int r = 0; r < 4; r++)
            t.row[r] = t.row[r] ? t.row[r] + column : NULL;
        t.channels = columns;
        t.pitch = pitch;
        t.plane = plane_of(g, g->slice);
        hki_kernels_active()->winograd_gradient(&t, d + i * g->across * pitch);
    }
}

/* m += v' d over the tiles of a block. */
static void accumulate(const grid *g, const float *v, const float *d, int64_t tiles,
                       int64_t columns, hki_run *runs, const stretch *ahead, bool add, float *m)
{
    int64_t v_pitch = hki_pitch(g->c), d_pitch = hki_pitch(g->slice), m_pitch = d_pitch;
    hki_product p = {
        .rows = g->c, .a_row = 1, .a_step = v_pitch, .runs = runs, .y_row = m_pitch, .add = add};
    p.n_runs = hki_run_add(runs, 0, 0, 0, tiles, v_pitch);
    for (int e = 0; e < PLANES; e++) {
        hki_panels panels = {.b = d + e * plane_of(g, g->slice),
                             .columns = columns,
                             .step = d_pitch,
                             .width = hki_panel_width(g->c, columns)};
        p.a = v + e * plane_of(g, g->c);
        fetch(&ahead[0], e);
        fetch(&ahead[1], e);
        for (int64_t i = 0; i < hki_panel_count(&panels); i++) {
            p.y = m + e * g->c * m_pitch + hki_panel_use(&panels, i, &p);
            hki_kernels_active()->product(&p);
        }
    }
}

static void weight_task(const grid *g, const cut *t, const float *x, const float *dy, int64_t task,
                        float *dw, float *temporary)
{
    float *d = temporary + transformed_floats(g, g->c), *m = d + transformed_floats(g, g->slice);
    int64_t pitch = hki_pitch(g->slice);
    hki_run *runs = (hki_run *)(m + PLANES * g->c * pitch);
    int64_t part = task % t->parts, column = task / t->parts * g->slice;
    int64_t columns = hki_min(g->slice, g->k - column);
    int64_t blocks = hki_ceil(g->units, g->per_block);
    int64_t from = blocks * part / t->parts, to = blocks * (part + 1) / t->parts;
    for (int64_t b = from; b < to; b++) {
        int64_t first = b * g->per_block, units = hki_min(g->per_block, g->units - first);
        read_units(g, x, first, units, temporary);
        read_gradients(g, dy, first, units, column, columns, d);
        stretch ahead[2] = {stretch_of(g, x, g->h, g->w, g->c, first + units),
                            stretch_of(g, dy, g->oh, g->ow, g->k, first + units)};
        accumulate(g, temporary, d, units * g->across, columns, runs, ahead, b > from, m);
    }
    for (int64_t c = 0; c < g->c; c++)
        hki_kernels_active()->winograd_filter_gradient(
            m + c * pitch, g->c * pitch, columns, dw + c * g->k + column, (ptrdiff_t)g->c * g->k);
}

void hki_winograd_weight(const hki_conv *c, const float *x, const float *dy, float *dw,
                         void *scratch)
{
    grid g = forward_grid(c, 4);
    cut t = cut_of(&g);
    float *partial = scratch, *temporary = partial + (size_t)t.parts * t.partial;
    int64_t tasks = t.parts * t.slices, size = 9 * (int64_t)c->c * c->k;
    bool straight = t.parts == 1;
#pragma omp parallel num_threads(hki_team(tasks, (g.units * g.across * PLANES * g.c * g.k)))
    {
#pragma omp for schedule(static)
        for (int64_t i = 0; i < tasks; i++)
            weight_task(&g, &t, x, dy, i,
                        straight ? dw : partial + (size_t)(i % t.parts) * t.partial,
                        temporary + (size_t)hki_team_member() * t.each);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < 9; i++)
            if (!straight)
                hki_kernels_active()->column_sums(t.parts, size / 9, partial + i * (size / 9),
                                                  (ptrdiff_t)t.partial, dw + i * (size / 9));
    }
}
