/* The gradient of the filters: for each tap, x transposed times dy, summed over all pixels.
 *
 * Large images: the pixels are cut into chunks by shape, each with a partial gradient of its own,
 * added in order at the end. Large filters are also cut by kernel row and by columns.
 * Few channels: the patch of x that each pixel sees is copied in one piece, so that all taps are
 * one product; whichever of taps and filters wastes fewer lanes runs along the vectors. Where two
 * neighbours together see no more vectors than one, they are one pixel with twice the filters.
 * Small images: x and dy of some images are packed pixel by pixel, the images side by side; a task
 * then owns a tile of one tap and adds all their pixels. The next images follow when all have. */
#include "engine/conv.h"

#include <string.h>

#include "core/base.h"

enum {
    PIXELS = HKI_PIXELS,        /* that a band should have */
    STRIP_FLOATS = 128 * 1024,  /* of a task */
    LARGE_FILTERS = 128 * 1024, /* from which they are cut as well */
    PARTIAL_FLOATS = 1024 * 1024,
    MOST_CHUNKS = 16,
    PATCH = 64, /* floats up to which patches are laid out, */
    PIECE = 8,  /* where a kernel row has no more: too few sums for a product */
    PATCH_PIXELS = 128,
    TILE_ROWS = 56,            /* of a task; a multiple of the usual register blocks */
    BLOCK_FLOATS = 256 * 1024, /* of packed images, or twice the gradient, which they all pass */
    BLOCK_IMAGES = 8,          /* at least */
    TILE_COLUMNS = 64
};

typedef struct layout {
    hki_form form;
    int64_t depth, k;                   /* rows and columns of the gradient of one group */
    int64_t rows, bands, units, chunks; /* of a band; bands an image; all bands; chunks of them */
    int64_t v_parts, column_parts;
    int64_t block;                   /* images that are packed together */
    size_t strip, dy, runs, patches; /* floats of a thread */
    ptrdiff_t pitch;                 /* from patch to patch; 0: none */
    bool transposed;                 /* with patches: chunks have [k][depth] */
    size_t partial;                  /* floats of all chunks; 0: straight into dw */
    bool copies_dy;
} layout;

/* Vectors of 16 that a row of n takes. */
static int64_t vectors(int64_t n)
{
    return hki_ceil(n, 16);
}

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

static void plan_bands(layout *l, const hki_image *g, int groups)
{
    int64_t pixels = PIXELS, size = l->depth * l->k;
    /* Few channels: patches, and which way round. */
    if (g->v.taps > 1 && hki_taps_touch(&g->h) && g->h.taps * g->c <= PIECE && l->depth <= PATCH &&
        size <= LARGE_FILTERS) {
        pixels = PATCH_PIXELS;
        l->form = HKI_STRIP;
        l->pitch = (ptrdiff_t)hki_lines((g->v.taps - 1) * g->h.taps * g->c + PIECE);
        l->transposed = l->k * vectors(l->depth) < l->depth * vectors(l->k);
    }
    l->rows =
        hki_min(hki_max(1, pixels / g->h.dest), hki_band_rows(g, l->form, STRIP_FLOATS, HKI_BANDS));
    l->bands = hki_ceil(g->v.dest, l->rows);
    l->units = g->n * l->bands;
    l->chunks = hki_min(l->units, MOST_CHUNKS);
    l->v_parts = l->column_parts = 1;
    if (size > LARGE_FILTERS) {
        l->chunks = hki_max(1, hki_min(l->chunks, PARTIAL_FLOATS / size));
        l->v_parts = g->v.taps;
        l->column_parts = hki_ceil(l->k, TILE_COLUMNS);
    }
    bool straight = l->chunks == 1 && groups == 1 && !l->transposed;
    l->partial = straight ? 0 : hki_lines(l->chunks * size);
    l->strip = hki_lines(hki_band_floats(g, l->form, l->rows) + (l->pitch ? PIECE : 0));
    l->patches = (size_t)(l->rows * g->h.dest * l->pitch);
    l->copies_dy = (l->k % 16 != 0 || groups > 1) && !l->transposed;
    l->dy = l->copies_dy ? (size_t)(l->rows * g->h.dest) * hki_lines(l->k) : 0;
    l->runs = run_floats(l->rows, l->rows * (g->h.dest + HKI_DEPTH));
}

/* Floats of an image and its dy, packed pixel by pixel. */
static int64_t packed_floats(const hki_image *g, int64_t k)
{
    return g->v.source * g->h.source * hki_pitch(g->c) + g->v.dest * g->h.dest * hki_pitch(k);
}

static layout layout_of(const hki_conv *c)
{
    hki_image g = image_of(c, NULL, 0);
    layout l = {.form = hki_form_of(&g), .k = c->k / c->groups};
    l.depth = g.v.taps * g.h.taps * g.c;
    if (l.form == HKI_IMAGES) {
        int64_t pixels = g.v.dest * g.h.dest, floats = hki_max(BLOCK_FLOATS, 2 * l.depth * l.k);
        l.block = hki_min(g.n, hki_max(BLOCK_IMAGES, floats / packed_floats(&g, l.k)));
        l.runs = run_floats(pixels, pixels * l.block + pixels * HKI_DEPTH);
    } else {
        plan_bands(&l, &g, c->groups);
    }
    return l;
}

/* The convolution whose pixels are pairs of c's; false where that saves no patches. */
static bool pairs_of(const hki_conv *c, hki_conv *pairs)
{
    layout one = layout_of(c);
    if (!one.transposed || c->groups > 1 || c->dw > 1 || c->ow % 2 != 0)
        return false;
    *pairs = *c;
    pairs->ow /= 2;
    pairs->k *= 2;
    pairs->kw += c->sw;
    pairs->sw *= 2;
    layout two = layout_of(pairs);
    return two.transposed && vectors(two.depth) == vectors(one.depth);
}

static size_t filter_floats(const hki_conv *c)
{
    return hki_lines((int64_t)c->kh * c->kw * c->c * c->k);
}

size_t hki_weight_scratch(const hki_conv *c)
{
    hki_conv pairs;
    if (pairs_of(c, &pairs))
        return sizeof(float) * filter_floats(&pairs) + hki_weight_scratch(&pairs);
    layout l = layout_of(c);
    hki_image g = image_of(c, NULL, 0);
    size_t shared = l.partial;
    int64_t tasks = l.chunks * l.v_parts * l.column_parts;
    if (l.form == HKI_IMAGES) {
        shared = (size_t)(l.block * packed_floats(&g, l.k));
        tasks = HKI_TEAM;
    }
    size_t team = (size_t)hki_min(tasks, HKI_TEAM);
    return sizeof(float) * (shared + team * (l.strip + l.patches + l.dy + l.runs));
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

/* What the pixels of row r see, to their patches: PIECE floats of each kernel row, more than it
 * has; the next one overwrites the rest. */
static void lay_row(const hki_image *g, const hki_band *band, int64_t r, float *to, ptrdiff_t pitch)
{
    static const float zeros[PIECE];
    const int64_t pixels = g->h.dest; /* not looked up again after each copy */
    for (int64_t t = 0; t < g->v.taps; t++, to += g->h.taps * g->c) {
        int64_t source = r * g->v.step - g->v.pad + t * g->v.gap;
        bool inside = source >= 0 && source < g->v.source;
        const float *from = inside ? band->a + (source - band->first) * band->row : zeros;
        ptrdiff_t step = inside ? band->column : 0;
        for (int64_t d = 0; d < pixels; d++)
            memcpy(to + d * pitch, from + d * step, sizeof zeros);
    }
}

/* Adds one band, all taps at once. */
static void band_patches(const pass *s, const hki_band *band, int64_t row, int64_t rows,
                         const float *dy, ptrdiff_t dy_step, float *dw, float *patches)
{
    const hki_image *g = &s->image;
    ptrdiff_t pitch = s->l.pitch;
    for (int64_t r = 0; r < rows; r++)
        lay_row(g, band, row + r, patches + r * g->h.dest * pitch, pitch);
    hki_run all = {.length = rows * g->h.dest};
    hki_product p = {.rows = s->l.depth,
                     .a = patches,
                     .a_row = 1,
                     .a_step = pitch,
                     .runs = &all,
                     .n_runs = 1,
                     .y = dw,
                     .y_row = s->l.k,
                     .add = true};
    if (!s->l.transposed) {
        multiply(p, dy, dy_step, s->l.k);
        return;
    }
    p.rows = s->l.k;
    p.a = dy;
    p.a_step = dy_step;
    p.y_row = s->l.depth;
    multiply(p, patches, pitch, s->l.depth);
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
        p.n_runs = 0; /* the pixels that kernel row t sees */
        for (int64_t r = 0; r < rows; r++) {
            int64_t source = (row + r) * g->v.step - g->v.pad + t * g->v.gap;
            if (source >= 0 && source < g->v.source)
                p.n_runs = hki_run_add(runs, p.n_runs, (source - band->first) * band->row,
                                       r * g->h.dest, g->h.dest, band->column);
        }
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

    float *patches = temporary + l->strip, *dy_copy = patches + l->patches;
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
        if (l->pitch > 0)
            band_patches(s, &band, row, rows, dy, step, dw, patches);
        else
            band_tile(s, &g, &band, row, rows, dy + first, step, columns, dw, runs);
    }
}

static void gradient_of_bands(pass *s, float *dw, float *scratch)
{
    const layout *l = &s->l;
    s->dw = l->partial ? scratch : dw;
    float *temporary = scratch + l->partial;
    size_t each = l->strip + l->patches + l->dy + l->runs;
    int64_t tasks = l->chunks * l->v_parts * l->column_parts;
    int64_t work = s->image.n * s->image.v.dest * s->image.h.dest * l->depth * l->k;
#pragma omp parallel for num_threads(hki_team(tasks, work)) schedule(static)
    for (int64_t t = 0; t < tasks; t++)
        chunk_task(s, t, temporary + (size_t)hki_team_member() * each);
    int64_t size = l->depth * l->k;
    for (int64_t i = 0; l->transposed && i < size; i++) { /* [chunk][k][depth] */
        float sum = 0;
        for (int64_t chunk = 0; chunk < l->chunks; chunk++)
            sum += s->dw[chunk * size + i];
        dw[i % l->depth * s->conv->k + i / l->depth] = sum;
    }
    if (l->partial && !l->transposed) { /* [chunk][depth][k], added up in order */
#pragma omp parallel for num_threads(hki_team(l->depth, (l->chunks * size))) schedule(static)
        for (int64_t r = 0; r < l->depth; r++)
            hki_kernels_active()->column_sums(l->chunks, l->k, s->dw + r * l->k, size,
                                              dw + r * s->conv->k);
    }
}

/* ---- Small images ---------------------------------------------------------------------------- */

/* Adds the packed images to a tile of one tap, pass by pass so that both sides stay in the cache.
 * `add`: not the first. */
static void tile_task(const pass *s, const float *x, const float *dy, int64_t tap, int64_t tile,
                      bool add, float *dw, hki_run *runs)
{
    const hki_image *g = &s->image;
    int64_t down = hki_ceil(g->c, TILE_ROWS);
    int64_t c0 = g->c * (tile % down) / down, c1 = g->c * (tile % down + 1) / down;
    int64_t k0 = tile / down * TILE_COLUMNS, columns = hki_min(TILE_COLUMNS, s->l.k - k0);
    int64_t n = 0, from = 0, pitch = hki_pitch(g->c);
    /* All destination pixels that see the tap, each with all images. */
    for (int64_t d = 0; d < g->v.dest * g->h.dest; d++) {
        int64_t sv = d / g->h.dest * g->v.step - g->v.pad + tap / g->h.taps * g->v.gap;
        int64_t sh = d % g->h.dest * g->h.step - g->h.pad + tap % g->h.taps * g->h.gap;
        if (sv >= 0 && sv < g->v.source && sh >= 0 && sh < g->h.source)
            n = hki_run_add(runs, n, (sv * g->h.source + sh) * g->n * pitch, d * g->n, g->n, pitch);
    }
    hki_product p = {.rows = c1 - c0,
                     .a = x + c0,
                     .a_row = 1,
                     .a_step = pitch,
                     .y = dw + (tap * g->c + c0) * s->conv->k + k0,
                     .y_row = s->conv->k};
    do {
        int64_t to = from, steps = 0;
        while (to < n && steps + runs[to].length <= HKI_DEPTH)
            steps += runs[to++].length;
        p.runs = runs + from;
        p.n_runs = to - from;
        p.add = add || from > 0;
        multiply(p, dy + k0, hki_pitch(s->l.k), columns);
        from = to;
    } while (from < n);
}

/* Block by block: its images are packed, then all tiles add them. */
static void gradient_of_images(const pass *given, float *dw, float *scratch)
{
    pass s = *given;
    hki_image *g = &s.image;
    const int64_t sources = g->v.source * g->h.source, dests = g->v.dest * g->h.dest;
    const int64_t tiles = hki_ceil(g->c, TILE_ROWS) * hki_ceil(s.l.k, TILE_COLUMNS);
    const int64_t images = g->n, blocks = hki_ceil(images, s.l.block);
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t first = images * i / blocks;
        g->n = images * (i + 1) / blocks - first;
        float *x = scratch, *dy = x + g->n * sources * hki_pitch(g->c);
        float *temporary = x + g->n * packed_floats(g, s.l.k);
        hki_images_pack(g->n, sources, 1, g->c, g->x_pixel, g->x + first * sources * g->x_pixel, x);
        hki_images_pack(g->n, dests, 1, s.l.k, s.conv->k, s.dy + first * dests * s.conv->k, dy);
        int64_t tasks = g->v.taps * g->h.taps * tiles, work = g->n * dests * s.l.depth * s.l.k;
#pragma omp parallel for num_threads(hki_team(tasks, work)) schedule(static)
        for (int64_t t = 0; t < tasks; t++)
            tile_task(&s, x, dy, t / tiles, t % tiles, first > 0, dw,
                      (hki_run *)(temporary + (size_t)hki_team_member() * s.l.runs));
    }
}

/* ---- Pairs ----------------------------------------------------------------------------------- */

void hki_weight_gradient(const hki_conv *c, const float *x, const float *dy, float *dw,
                         void *scratch)
{
    hki_conv pairs;
    if (pairs_of(c, &pairs)) {
        float *both = scratch;
        hki_weight_gradient(&pairs, x, dy, both, both + filter_floats(&pairs));
        /* A filter's gradient is the sum of those of the first pixel and, `step` on, of the second. */
        int64_t row = (int64_t)c->kw * c->c, step = (int64_t)c->sw * c->c;
        for (int64_t t = 0; t < c->kh; t++, both += pairs.kw * c->c * pairs.k)
            for (int64_t r = 0; r < row; r++, dw += c->k)
                for (int64_t f = 0; f < c->k; f++)
                    dw[f] = both[r * pairs.k + f] + both[(r + step) * pairs.k + c->k + f];
        return;
    }
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
