/* The gradient of the filters: for each tap, x transposed times dy, summed over all pixels.
 *
 * Large images: the pixels are cut into chunks by shape, each with a partial gradient of its own,
 * added in order at the end. Large filters are also cut by kernel row and by columns.
 * Small images: x and dy are packed pixel by pixel, the images side by side; a task then owns a
 * tile of one tap and sums over everything. */
#include "engine/conv.h"

#include <string.h>

#include "core/core.h"

enum {
    PIXELS = HKI_DEPTH,          /* that a band should have */
    STRIP_FLOATS = 128 * 1024,   /* of a task */
    LARGE_FILTERS = 128 * 1024,  /* from which they are cut as well */
    PARTIAL_FLOATS = 1024 * 1024,
    MOST_CHUNKS = 16,
    TILE_ROWS = 56,              /* of a task; a multiple of the usual register blocks */
    TILE_COLUMNS = 64
};

typedef struct layout {
    hki_form form;
    int64_t depth, k; /* rows and columns of the gradient of one group */
    int64_t rows, bands, units, chunks; /* of a band; bands an image; all bands; chunks of them */
    int64_t v_parts, column_parts;
    size_t strip, dy, runs; /* floats of a thread */
    size_t partial;         /* floats of all chunks; 0: straight into dw */
    bool copies_dy;
} layout;

static hki_image image_of(const hki_conv *c, const float *x, int group)
{
    hki_image g = hki_forward_image(c, x, group);
    hki_image_flatten(&g);
    return g;
}

static size_t run_floats(int64_t pieces, int64_t steps)
{
    return hki_lines((int64_t)sizeof(hki_run) / 4 * hki_runs_bound(pieces, steps));
}

static layout layout_of(const hki_conv *c)
{
    hki_image g = image_of(c, NULL, 0);
    layout l = {.form = hki_form_of(&g), .k = c->k / c->groups};
    l.depth = g.v.taps * g.h.taps * g.c;
    l.copies_dy = l.k % 16 != 0 || c->groups > 1;
    if (l.form == HKI_IMAGES) {
        int64_t pixels = g.v.dest * g.h.dest;
        l.runs = run_floats(pixels, pixels * g.n + pixels * HKI_DEPTH);
        return l;
    }
    int64_t rows = hki_max(1, PIXELS / g.h.dest);
    l.rows = hki_min(rows, hki_band_rows(&g, l.form, STRIP_FLOATS));
    l.bands = hki_ceil(g.v.dest, l.rows);
    l.units = g.n * l.bands;
    l.chunks = hki_min(l.units, MOST_CHUNKS);
    l.v_parts = l.column_parts = 1;
    if (l.depth * l.k > LARGE_FILTERS) {
        l.chunks = hki_max(1, hki_min(l.chunks, PARTIAL_FLOATS / (l.depth * l.k)));
        l.v_parts = g.v.taps;
        l.column_parts = hki_ceil(l.k, TILE_COLUMNS);
    }
    bool straight = l.chunks == 1 && c->groups == 1;
    l.partial = straight ? 0 : hki_lines(l.chunks * l.depth * l.k);
    l.strip = hki_lines(hki_band_floats(&g, l.form, l.rows));
    l.dy = l.copies_dy ? (size_t)(l.rows * g.h.dest) * hki_lines(l.k) : 0;
    l.runs = run_floats(l.rows, l.rows * (g.h.dest + HKI_DEPTH));
    return l;
}

static size_t packed_x_floats(const hki_image *g)
{
    return (size_t)(g->n * g->v.source * g->h.source * hki_pitch(g->c));
}

static size_t packed_dy_floats(const hki_image *g, int64_t k)
{
    return (size_t)(g->n * g->v.dest * g->h.dest * hki_pitch(k));
}

size_t hki_weight_scratch(const hki_conv *c)
{
    layout l = layout_of(c);
    hki_image g = image_of(c, NULL, 0);
    size_t shared = l.partial;
    int64_t tasks = l.chunks * l.v_parts * l.column_parts;
    if (l.form == HKI_IMAGES) {
        shared = packed_x_floats(&g) + packed_dy_floats(&g, l.k);
        tasks = HKI_TEAM;
    }
    size_t team = (size_t)hki_min(tasks, HKI_TEAM);
    return sizeof(float) * (shared + team * (l.strip + l.dy + l.runs));
}

/* dw tile += over `columns` of b, whose rows are `step` apart, panel by panel. */
static void multiply(hki_product p, const float *b, ptrdiff_t step, int64_t columns)
{
    float *y = p.y;
    hki_panels panels = {
        .b = b, .columns = columns, .step = step, .width = hki_panel_width(p.rows, columns)};
    for (int64_t i = 0; i < hki_panel_count(&panels); i++) {
        p.y = y + hki_panel_use(&panels, i, &p);
        hki_kernels_active()->product(&p);
    }
}

/* ---- Large images ---------------------------------------------------------------------------- */

typedef struct pass {
    const hki_conv *conv;
    layout l;
    hki_image image;
    const float *dy; /* of the group */
    float *dw;       /* [chunk][depth][k], or the gradient itself */
} pass;

/* Pixels of the band that kernel row t sees, as runs. */
static int64_t pixel_runs(const hki_image *g, const hki_band *band, int64_t row, int64_t rows,
                          int64_t t, hki_run *runs)
{
    int64_t n = 0;
    for (int64_t r = row; r < row + rows; r++) {
        int64_t source = r * g->v.step - g->v.pad + t * g->v.gap;
        if (source >= 0 && source < g->v.source)
            n = hki_run_add(runs, n, (source - band->first) * band->row, (r - row) * g->h.dest,
                            g->h.dest, band->column);
    }
    return n;
}

/* dy of a band, with zeros up to whole vectors. */
static void copy_dy(const pass *s, const float *dy, int64_t pixels, float *to)
{
    ptrdiff_t step = (ptrdiff_t)hki_lines(s->l.k);
    size_t bytes = sizeof *to * (size_t)s->l.k;
    for (int64_t i = 0; i < pixels; i++, to += step, dy += s->conv->k) {
        memcpy(to, dy, bytes);
        memset(to + s->l.k, 0, sizeof *to * (size_t)step - bytes);
    }
}

/* Adds one band to the tile: taps of g (some rows of the kernel), `columns` filters from b on. */
static void band_tile(const pass *s, const hki_image *g, const hki_band *band, int64_t row,
                      int64_t rows, const float *b, ptrdiff_t b_step, int64_t columns, float *dw,
                      hki_run *runs)
{
    hki_product p = {
        .a_row = 1, .a_step = band->column, .runs = runs, .y_row = s->l.k, .add = true};
    bool touch = hki_taps_touch(&g->h);
    for (int64_t t = 0; t < g->v.taps; t++) {
        p.n_runs = pixel_runs(g, band, row, rows, t, runs);
        p.rows = touch ? g->h.taps * g->c : g->c;
        for (int64_t u = 0; p.n_runs > 0 && u < (touch ? 1 : g->h.taps); u++) {
            p.a = band->a + u * g->h.gap * g->c;
            p.y = dw + (t * g->h.taps + u) * g->c * s->l.k;
            multiply(p, b, b_step, columns);
        }
    }
}

static void chunk_task(const pass *s, int64_t task, float *temporary)
{
    const layout *l = &s->l;
    hki_image g = s->image;
    int64_t chunk = task % l->chunks, part = task / l->chunks;
    int64_t v = part % l->v_parts, tile = part / l->v_parts;
    if (l->v_parts > 1) {
        g.v.pad -= v * g.v.gap;
        g.v.taps = 1;
    }
    int64_t first = tile * TILE_COLUMNS;
    int64_t columns = l->column_parts > 1 ? hki_min(TILE_COLUMNS, l->k - first) : l->k;
    int64_t depth = l->depth / l->v_parts;
    float *dw = s->dw + (chunk * l->depth + v * depth) * l->k + first;
    for (int64_t r = 0; r < depth; r++)
        memset(dw + r * l->k, 0, sizeof *dw * (size_t)columns);

    float *dy_copy = temporary + l->strip;
    hki_run *runs = (hki_run *)(dy_copy + l->dy);
    int64_t from = l->units * chunk / l->chunks, to = l->units * (chunk + 1) / l->chunks;
    for (int64_t unit = from; unit < to; unit++) {
        int64_t image = unit / l->bands, row = unit % l->bands * l->rows;
        int64_t rows = hki_min(l->rows, g.v.dest - row);
        hki_band band = hki_band_read(&g, l->form, image, row, rows, temporary);
        const float *dy = s->dy + (image * g.v.dest + row) * g.h.dest * s->conv->k;
        ptrdiff_t step = s->conv->k;
        if (l->copies_dy) {
            copy_dy(s, dy, rows * g.h.dest, dy_copy);
            dy = dy_copy;
            step = (ptrdiff_t)hki_lines(l->k);
        }
        band_tile(s, &g, &band, row, rows, dy + first, step, columns, dw, runs);
    }
}

/* The chunks' gradients [chunk][depth][k] added up in order. */
static void add_chunks(const pass *s, float *dw)
{
    const layout *l = &s->l;
    int64_t size = l->depth * l->k;
#pragma omp parallel for num_threads(hki_team(l->depth, l->chunks * size)) schedule(static)
    for (int64_t r = 0; r < l->depth; r++)
        hki_kernels_active()->column_sums(l->chunks, l->k, s->dw + r * l->k, size,
                                          dw + r * s->conv->k);
}

static void gradient_of_bands(pass *s, float *dw, float *scratch)
{
    const layout *l = &s->l;
    s->dw = l->partial ? scratch : dw;
    float *temporary = scratch + l->partial;
    size_t each = l->strip + l->dy + l->runs;
    int64_t tasks = l->chunks * l->v_parts * l->column_parts;
    int64_t work = s->image.n * s->image.v.dest * s->image.h.dest * l->depth * l->k;
#pragma omp parallel for num_threads(hki_team(tasks, work)) schedule(static)
    for (int64_t t = 0; t < tasks; t++)
        chunk_task(s, t, temporary + (size_t)hki_team_member() * each);
    if (l->partial)
        add_chunks(s, dw);
}

/* ---- Small images ---------------------------------------------------------------------------- */

/* All destination pixels that see tap (t, u), each with all images. */
static int64_t image_runs(const hki_image *g, int64_t t, int64_t u, hki_run *runs)
{
    int64_t n = 0, pitch = hki_pitch(g->c);
    for (int64_t r = 0; r < g->v.dest; r++)
        for (int64_t d = 0; d < g->h.dest; d++) {
            int64_t sv = r * g->v.step - g->v.pad + t * g->v.gap;
            int64_t sh = d * g->h.step - g->h.pad + u * g->h.gap;
            if (sv >= 0 && sv < g->v.source && sh >= 0 && sh < g->h.source)
                n = hki_run_add(runs, n, (sv * g->h.source + sh) * g->n * pitch,
                                (r * g->h.dest + d) * g->n, g->n, pitch);
        }
    return n;
}

/* A tile of one tap, summed pass by pass so that both sides stay in the cache. */
static void tile_task(const pass *s, const float *x, const float *dy, int64_t tap, int64_t tile,
                      float *dw, hki_run *runs)
{
    const hki_image *g = &s->image;
    int64_t down = hki_ceil(g->c, TILE_ROWS);
    int64_t c0 = g->c * (tile % down) / down, c1 = g->c * (tile % down + 1) / down;
    int64_t k0 = tile / down * TILE_COLUMNS, columns = hki_min(TILE_COLUMNS, s->l.k - k0);
    int64_t n = image_runs(g, tap / g->h.taps, tap % g->h.taps, runs), from = 0;
    hki_product p = {.rows = c1 - c0,
                     .a = x + c0,
                     .a_row = 1,
                     .a_step = hki_pitch(g->c),
                     .y = dw + (tap * g->c + c0) * s->conv->k + k0,
                     .y_row = s->conv->k};
    do {
        int64_t to = from, steps = 0;
        while (to < n && steps + runs[to].length <= HKI_DEPTH)
            steps += runs[to++].length;
        p.runs = runs + from;
        p.n_runs = to - from;
        p.add = from > 0;
        multiply(p, dy + k0, hki_pitch(s->l.k), columns);
        from = to;
    } while (from < n);
}

static void gradient_of_images(const pass *s, float *dw, float *scratch)
{
    const hki_image *g = &s->image;
    float *x = scratch, *dy = x + packed_x_floats(g);
    float *temporary = dy + packed_dy_floats(g, s->l.k);
    hki_images_pack(g->n, g->v.source * g->h.source, g->c, g->x_pixel, g->x, x);
    hki_images_pack(g->n, g->v.dest * g->h.dest, s->l.k, s->conv->k, s->dy, dy);
    int64_t tiles = hki_ceil(g->c, TILE_ROWS) * hki_ceil(s->l.k, TILE_COLUMNS);
    int64_t tasks = g->v.taps * g->h.taps * tiles;
    int64_t work = g->n * g->v.dest * g->h.dest * s->l.depth * s->l.k;
#pragma omp parallel for num_threads(hki_team(tasks, work)) schedule(static)
    for (int64_t t = 0; t < tasks; t++)
        tile_task(s, x, dy, t / tiles, t % tiles, dw,
                  (hki_run *)(temporary + (size_t)hki_team_member() * s->l.runs));
}

void hki_weight_gradient(const hki_conv *c, const float *x, const float *dy, float *dw,
                         void *scratch)
{
    pass s = {.conv = c, .l = layout_of(c)};
    for (int group = 0; group < c->groups; group++) {
        s.image = image_of(c, x, group);
        s.dy = dy + (ptrdiff_t)group * s.l.k;
        float *to = dw + (ptrdiff_t)group * s.l.k;
        if (s.l.form == HKI_IMAGES)
            gradient_of_images(&s, to, scratch);
        else
            gradient_of_bands(&s, to, scratch);
    }
}
