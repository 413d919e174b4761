/* Source times packed weights: the forward pass, and each phase of the data gradient. A task is
 * a band of destination rows of one image; or, of small images, one pixel in all of them; or, where
 * there are few pixels for large filters, one panel of the filters, which is then read once. */
#include "engine/conv.h"

#include "core/base.h"

enum {
    STRIP_FLOATS = 24 * 1024,   /* of a task: 96 KiB, to stay in the second level cache, */
    LARGE_FILTERS = 256 * 1024, /* in which these have no place, */
    MANY_FILTERS = 4            /* and so many for each float of the source: panels are the tasks */
};

/* Private memory of a thread: a strip, and the runs of one destination row. */
typedef struct layout {
    hki_form form;
    bool by_panels;
    int64_t rows, bands;     /* of a band; bands of an image */
    size_t strip, temporary; /* floats */
} layout;

/* streams: bands of the source are made one by one, in the strip. */
static layout layout_of(const hki_image *g, int64_t columns, bool streams)
{
    layout l = {.form = hki_form_of(g)};
    int64_t taps = g->v.taps * g->h.taps, filters = taps * g->c * columns;
    int64_t source = g->n * g->v.source * g->h.source * g->c;
    l.by_panels = !streams && l.form != HKI_IMAGES && filters >= LARGE_FILTERS &&
                  filters >= MANY_FILTERS * source;
    l.rows = hki_band_rows(g, l.form, STRIP_FLOATS, l.by_panels ? 1 : HKI_BANDS);
    l.bands = hki_ceil(g->v.dest, l.rows);
    l.strip = hki_lines(streams ? l.rows * g->h.source * g->c : hki_band_floats(g, l.form, l.rows));
    size_t runs = sizeof(hki_run) * (size_t)hki_runs_bound(taps + 1, taps * g->c);
    l.temporary = l.strip + hki_lines((int64_t)(runs / sizeof(float)) + 1) + HKI_APART;
    return l;
}

static size_t packed_floats(const hki_image *g, hki_form form)
{
    int64_t row = hki_pitch(g->h.source * g->c);
    return form == HKI_IMAGES ? (size_t)(g->n * g->v.source * row) : 0;
}

static size_t scratch_floats(const hki_image *g, int64_t columns, bool streams)
{
    layout l = layout_of(g, columns, streams);
    bool any = l.form == HKI_IMAGES || l.by_panels;
    int64_t tasks = any ? HKI_TEAM : hki_min(HKI_TEAM, g->n * l.bands);
    return packed_floats(g, l.form) + (size_t)tasks * l.temporary;
}

size_t hki_correlate_scratch(const hki_image *from, int64_t columns)
{
    hki_image g = *from;
    int64_t together = hki_join_count(&g, columns);
    bool pointwise = hki_image_flatten(&g);
    size_t floats = scratch_floats(&g, columns, false);
    if (pointwise)
        floats = (size_t)hki_max((int64_t)floats, (int64_t)scratch_floats(&g, columns, true));
    if (together > 1) {
        g = hki_join_image(from, together);
        size_t joined =
            hki_join_floats(&g, together * columns) + scratch_floats(&g, together * columns, false);
        floats = joined > floats ? joined : floats;
    }
    return sizeof(float) * floats;
}

bool hki_correlate_streams(const hki_image *from, int64_t columns)
{
    hki_image g = *from;
    return hki_image_flatten(&g) && hki_form_of(&g) == HKI_DIRECT &&
           !layout_of(&g, columns, false).by_panels;
}

/* The runs of destination row r of the image, from its first column. */
static int64_t row_runs(const hki_image *g, const hki_band *band, int64_t r, hki_run *runs)
{
    int64_t from, to, n = 0;
    hki_axis_taps(&g->v, r, &from, &to);
    for (int64_t t = from; t < to; t++) {
        ptrdiff_t a = (r * g->v.step - g->v.pad + t * g->v.gap - band->first) * band->row;
        int64_t b = t * g->h.taps * g->c;
        if (hki_taps_touch(&g->h))
            n = hki_run_add(runs, n, a, b, g->h.taps * g->c, 1);
        else
            for (int64_t u = 0; u < g->h.taps; u++)
                n = hki_run_add(runs, n, a + u * g->h.gap * g->c, b + u * g->c, g->c, 1);
    }
    return n;
}

/* Rows row .. row + rows - 1 of one image, panels first .. until - 1. `flat`: the rows follow each other
 * without a seam on both sides, and become one. */
static void multiply_band(const hki_correlation *g, const layout *l, int64_t image, int64_t row,
                          int64_t rows, int64_t first, int64_t until, bool flat, float *temporary)
{
    const hki_image *from = &g->from;
    hki_band band = g->before ? (hki_band){temporary, row, from->h.source * from->c, from->c}
                              : hki_band_read(from, l->form, image, row, rows, temporary);
    hki_run *runs = (hki_run *)(temporary + l->strip);
    hki_product p = {.rows = flat ? rows * from->h.dest : from->h.dest,
                     .a = band.a,
                     .a_row = band.column,
                     .a_step = 1,
                     .runs = runs,
                     .y_row = g->y_pixel,
                     .add = g->add};
    for (int64_t i = first; i < until; i++) {
        int64_t column = hki_panel_use(&g->b, i, &p);
        p.bias = g->bias ? g->bias + column : NULL;
        int64_t from_tap = 0, to_tap = -1, listed = row; /* taps, and the row that has the runs */
        for (int64_t r = row; r < row + rows; r += flat ? rows : 1) {
            int64_t t0, t1;
            hki_axis_taps(&from->v, r, &t0, &t1);
            if (t0 != from_tap || t1 != to_tap) {
                p.n_runs = row_runs(from, &band, r, runs);
                from_tap = t0, to_tap = t1, listed = r;
            }
            p.a = band.a + (r - listed) * from->v.step * band.row;
            p.y = g->y + image * g->y_image + r * g->y_row + column;
            hki_kernels_active()->product(&p);
        }
    }
}

/* Destination pixel (r, d) of all images: taps outside are left out, and nothing is padded. */
static void pixel_task(const hki_correlation *g, const float *packed, int64_t panel, int64_t r,
                       int64_t d, hki_run *runs)
{
    const hki_image *from = &g->from;
    int64_t pitch = hki_pitch(from->h.source * from->c), t0, t1, u0, u1;
    hki_product p = {.rows = from->n,
                     .a = packed,
                     .a_row = pitch,
                     .a_step = 1,
                     .runs = runs,
                     .y_row = g->y_image,
                     .add = g->add};
    hki_axis_taps(&from->v, r, &t0, &t1);
    hki_axis_taps(&from->h, d, &u0, &u1);
    for (int64_t t = t0; t < t1; t++)
        for (int64_t u = u0; u < u1; u++) {
            int64_t sv = r * from->v.step - from->v.pad + t * from->v.gap;
            int64_t sh = d * from->h.step - from->h.pad + u * from->h.gap;
            p.n_runs = hki_run_add(runs, p.n_runs, sv * from->n * pitch + sh * from->c,
                                   (t * from->h.taps + u) * from->c, from->c, 1);
        }
    int64_t column = hki_panel_use(&g->b, panel, &p);
    p.bias = g->bias ? g->bias + column : NULL;
    p.y = g->y + r * g->y_row + d * g->y_pixel + column;
    hki_kernels_active()->product(&p);
}

/* What a team runs. */
typedef struct job {
    hki_correlation g;
    layout l;
    int64_t parts, pixels; /* of the bands; of a row, for the epilogue */
    bool flat;
    float *packed, *temporary;
} job;

static void image_task(const void *given, int64_t t)
{
    const job *j = given;
    int64_t across = j->g.from.h.dest, pixels = j->g.from.v.dest * across;
    pixel_task(&j->g, j->packed, t / pixels, t % pixels / across, t % across,
               (hki_run *)(j->temporary + (size_t)hki_team_member() * j->l.temporary));
}

static void correlate_images(job *j, bool packed)
{
    const hki_image *from = &j->g.from;
    j->packed = j->temporary;
    j->temporary += packed_floats(from, j->l.form);
    if (!packed)
        hki_images_pack(from->n, from->v.source, from->h.source, from->c, from->x_pixel, from->x,
                        j->packed);
    int64_t pixels = from->v.dest * from->h.dest, tasks = pixels * hki_panel_count(&j->g.b);
    int64_t work = from->n * pixels * j->g.b.depth * j->g.b.columns / HKI_AT_ONCE;
    hki_each(hki_team(tasks, work), tasks, image_task, j);
}

static void part_task(const void *given, int64_t part)
{
    const job *j = given;
    const hki_correlation *g = &j->g;
    int64_t down = g->from.v.dest, bands = j->l.bands, tasks = g->from.n * bands;
    int64_t panels = hki_panel_count(&g->b);
    float *own = j->temporary + (size_t)hki_team_member() * j->l.temporary;
    for (int64_t t = tasks * part / j->parts; t < tasks * (part + 1) / j->parts; t++) {
        int64_t row = t % bands * j->l.rows, rows = hki_min(j->l.rows, down - row);
        if (g->before) /* the images are one image */
            g->before->lines(g->before->user, (int)part, row, rows, own);
        multiply_band(g, &j->l, t / bands, row, rows, 0, panels, j->flat, own);
        if (g->after)
            g->after->rows(g->after->user, (int)part, (t / bands * down + row) * j->pixels,
                           rows * j->pixels);
    }
}

static void panel_task(const void *given, int64_t panel)
{
    const job *j = given;
    int64_t down = j->g.from.v.dest;
    float *own = j->temporary + (size_t)hki_team_member() * j->l.temporary;
    for (int64_t t = 0; t < j->g.from.n * j->l.bands; t++) {
        int64_t row = t % j->l.bands * j->l.rows, rows = hki_min(j->l.rows, down - row);
        multiply_band(&j->g, &j->l, t / j->l.bands, row, rows, panel, panel + 1, j->flat, own);
    }
}

bool hki_correlate(const hki_correlation *given, void *scratch, bool packed)
{
    job j = {.g = *given, .temporary = scratch};
    hki_correlation *g = &j.g;
    bool dense = g->y_pixel == g->b.columns && !g->before;
    int64_t together = dense ? hki_join_count(&g->from, g->b.columns) : 1;
    if (together > 1) {
        *g = hki_join(given, together, j.temporary);
        j.temporary += hki_join_floats(&g->from, g->b.columns);
    }
    bool pointwise = hki_image_flatten(&g->from);
    const hki_image *from = &g->from;
    int64_t pixels = from->n * from->v.dest * from->h.dest;
    int64_t work = pixels * g->b.depth * g->b.columns / HKI_AT_ONCE;
    j.l = layout_of(from, g->b.columns, g->before);
    j.pixels = from->h.dest * together;
    j.flat = pointwise && j.l.form == HKI_DIRECT && g->y_row == from->h.dest * g->y_pixel;
    if (j.l.form != HKI_IMAGES && !j.l.by_panels) {
        j.parts = hki_min(from->n * j.l.bands, HKI_MAX_PARTS);
        hki_each(hki_team(j.parts, work), j.parts, part_task, &j);
        return false;
    }
    if (j.l.form == HKI_IMAGES) {
        correlate_images(&j, packed);
    } else {
        int64_t panels = hki_panel_count(&g->b);
        hki_each(hki_team(panels, work), panels, panel_task, &j);
    }
    if (g->after)
        hki_run_epilogue(g->after, pixels * together, given->b.columns);
    return j.l.form == HKI_IMAGES;
}
