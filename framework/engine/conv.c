/* Convolution: packs the filters and hands the passes to the drivers that do them. */
#include "engine/conv.h"

#include "core/base.h"

enum {
    ENOUGH_PIXELS = 64, /* to pack the filters for */
    MANY_PIXELS = 4096  /* beside which packing them in every call is nothing */
};

hki_image hki_forward_image(const hki_conv *c, const float *x, int group)
{
    int channels = c->c / c->groups;
    return (hki_image){.n = c->n,
                       .v = {c->h, c->oh, c->kh, c->sh, c->dh, c->ph},
                       .h = {c->w, c->ow, c->kw, c->sw, c->dw, c->pw},
                       .x = x ? x + (ptrdiff_t)group * channels : NULL,
                       .c = channels,
                       .x_pixel = c->c};
}

hki_phase hki_phase_of(int size, int out, int taps, int stride, int pad, int gap, int start)
{
    hki_phase p = {.axis = {.source = out, .step = 1, .gap = 1}, .every = 1};
    p.axis.dest = hki_ceil(hki_max(0, size - start), stride);
    int64_t first = -1;
    for (int64_t k = 0; k < taps; k++)
        if ((start + pad - k * gap) % stride == 0) {
            first = first < 0 ? k : first;
            p.every = p.axis.taps++ ? (k - first) / (p.axis.taps - 1) : 1;
            p.last = k;
        }
    p.axis.gap = p.axis.taps > 1 ? p.every * gap / stride : 1;
    p.axis.pad = -((start + pad - p.last * gap) / stride);
    return p;
}

/* The image that the data gradient of one group reads, for the phases v and h. */
static hki_image phase_image(const hki_conv *c, const hki_phase *v, const hki_phase *h,
                             const float *dy, int group)
{
    int filters = c->k / c->groups;
    return (hki_image){.n = c->n,
                       .v = v->axis,
                       .h = h->axis,
                       .x = dy ? dy + (ptrdiff_t)group * filters : NULL,
                       .c = filters,
                       .x_pixel = c->k,
                       .scattered = c->sh > 1 || c->sw > 1};
}

/* Phases of the data gradient, which start at a row and a column: a stride may be longer than the image. */
static int phases_down(const hki_conv *c)
{
    return (int)hki_min(c->sh, c->h);
}

static int phases_across(const hki_conv *c)
{
    return (int)hki_min(c->sw, c->w);
}

static void phases_at(const hki_conv *c, int row, int column, hki_phase *v, hki_phase *h)
{
    *v = hki_phase_of(c->h, c->oh, c->kh, c->sh, c->ph, c->dh, row);
    *h = hki_phase_of(c->w, c->ow, c->kw, c->sw, c->pw, c->dw, column);
}

static int64_t depth_of(const hki_conv *c)
{
    return (int64_t)c->kh * c->kw * (c->c / c->groups);
}

/* Filters packed for either direction; the rest of the scratch starts after them. */
static size_t filter_floats(const hki_conv *c)
{
    int64_t per_group = c->k / c->groups;
    size_t forward = hki_panels_floats(depth_of(c), per_group);
    size_t back = hki_panels_floats(c->kh * c->kw * per_group, c->c / c->groups);
    return forward > back ? forward : back;
}

static size_t scratch_of(const hki_conv *c)
{
    size_t bias = hki_native_column_sums_scratch(c->n * c->oh * c->ow, c->k);
    size_t weight = hki_is_depthwise(c) ? hki_depthwise_scratch(c) : hki_weight_scratch(c);
    size_t most = bias > weight ? bias : weight;
    if (hki_is_depthwise(c))
        return most;
    hki_image image = hki_forward_image(c, NULL, 0);
    size_t passes = hki_correlate_scratch(&image, c->k / c->groups);
    const int across = phases_across(c);
    for (int i = 0; i < phases_down(c) * across; i++) {
        hki_phase v, h;
        phases_at(c, i / across, i % across, &v, &h);
        image = phase_image(c, &v, &h, NULL, 0);
        size_t back = hki_correlate_scratch(&image, c->c / c->groups);
        passes = back > passes ? back : passes;
    }
    passes += sizeof(float) * filter_floats(c);
    if (hki_winograd_fits(c, true))
        passes = (size_t)hki_max((int64_t)passes, (int64_t)hki_winograd_scratch(c));
    return most > passes ? most : passes;
}

/* Fewer images may take another form or be cut finer, and need more: every choice that depends on
 * their number is made before it reaches HKI_TEAM. */
size_t hki_native_conv_scratch(const hki_conv *c)
{
    size_t most = scratch_of(c);
    hki_conv fewer = *c;
    for (fewer.n = 1; fewer.n < c->n && fewer.n <= HKI_TEAM; fewer.n++) {
        size_t bytes = scratch_of(&fewer);
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* Rows for which a product of this image is called. */
static int64_t rows_of(const hki_image *g)
{
    return hki_form_of(g) == HKI_IMAGES ? g->n : g->h.dest;
}

/* w[depth][k] can be read in place where whole vectors fit; packing pays unless one panel takes all
 * its columns, or there are only a few pixels. */
static bool reads_in_place(const hki_conv *c, const hki_panels *p)
{
    return c->groups == 1 && p->columns % hki_kernels_active()->lanes == 0 &&
           (p->columns <= p->width || c->n * c->oh * c->ow < ENOUGH_PIXELS);
}

static void pack_filters(const hki_panels *p, float *packed, const float *w, ptrdiff_t w_row)
{
    int64_t panels = hki_panel_count(p);
#pragma omp parallel for num_threads(hki_team(panels, (p->depth * p->columns))) schedule(static)
    for (int64_t i = 0; i < panels; i++)
        hki_panel_pack(p, packed, i, 0, p->depth, w, w_row, 1);
}

static hki_panels forward_panels(const hki_conv *c, const hki_image *from)
{
    int filters = c->k / c->groups;
    return (hki_panels){
        .depth = depth_of(c), .columns = filters, .width = hki_panel_width(rows_of(from), filters)};
}

size_t hki_native_conv_packed_bytes(const hki_conv *c)
{
    if (c->n * c->oh * c->ow > MANY_PIXELS)
        return 0;
    if (hki_winograd_fits(c, true))
        return hki_winograd_packed_bytes(c);
    return c->groups == 1 ? sizeof(float) * hki_panels_floats(depth_of(c), c->k) : 0;
}

void hki_native_conv_pack(const hki_conv *c, const float *w, void *packed)
{
    if (hki_winograd_fits(c, true)) {
        hki_winograd_pack(c, w, packed);
        return;
    }
    hki_image from = hki_forward_image(c, NULL, 0);
    hki_panels panels = forward_panels(c, &from);
    pack_filters(&panels, packed, w, c->k);
}

typedef struct finishing {
    const hki_epilogue *after;
    int64_t rows, parts;
} finishing;

static void finish_task(const void *given, int64_t part)
{
    const finishing *f = given;
    int64_t first = f->rows * part / f->parts, next = f->rows * (part + 1) / f->parts;
    f->after->rows(f->after->user, (int)part, first, next - first);
}

void hki_run_epilogue(const hki_epilogue *after, int64_t rows, int64_t channels)
{
    finishing f = {after, rows, hki_min(rows, HKI_MAX_PARTS)};
    hki_each(hki_team(f.parts, rows * channels), f.parts, finish_task, &f);
}

void hki_native_conv_forward(const hki_conv *c, const float *x, const float *w, const float *bias,
                             float *y, void *scratch, const void *packed,
                             const hki_prologue *before, const hki_epilogue *after)
{
    if (hki_is_depthwise(c)) {
        hki_depthwise_forward(c, x, w, bias, y, scratch, after);
        return;
    }
    if (hki_winograd_fits(c, packed)) {
        hki_winograd_forward(c, x, w, bias, y, scratch, packed, after);
        return;
    }
    float *panels = scratch;
    int filters = c->k / c->groups;
    for (int g = 0; g < c->groups; g++) {
        ptrdiff_t first = (ptrdiff_t)g * filters;
        hki_correlation job = {.from = hki_forward_image(c, x, g),
                               .bias = bias ? bias + first : NULL,
                               .y = y + first,
                               .y_pixel = c->k,
                               .y_row = (ptrdiff_t)c->ow * c->k,
                               .y_image = (ptrdiff_t)c->oh * c->ow * c->k,
                               .before = before,
                               .after = c->groups == 1 ? after : NULL};
        job.b = forward_panels(c, &job.from);
        if (packed) {
            job.b.b = packed;
        } else if (reads_in_place(c, &job.b)) {
            job.b.b = w;
            job.b.step = c->k;
        } else {
            pack_filters(&job.b, panels, w + first, c->k);
            job.b.b = panels;
        }
        hki_correlate(&job, panels + filter_floats(c), false);
    }
    if (after && c->groups > 1)
        hki_run_epilogue(after, c->n * c->oh * c->ow, c->k);
}

bool hki_native_conv_streams(const hki_conv *c, const hki_conv *source)
{
    hki_image from = hki_forward_image(c, NULL, 0);
    return c->groups == 1 && hki_is_depthwise(source) && hki_correlate_streams(&from, c->k);
}

/* Packs the filters of a phase: its taps in reverse, inputs and outputs exchanged. */
static void pack_phase(const hki_conv *c, const hki_phase *v, const hki_phase *h, int group,
                       const float *w, hki_panels *p, float *packed)
{
    int64_t channels = c->c / c->groups, filters = c->k / c->groups;
    int64_t taps = v->axis.taps * h->axis.taps, panels = hki_panel_count(p);
    p->b = packed;
#pragma omp parallel for num_threads(hki_team((taps * panels), (p->depth * p->columns)))           \
    schedule(static)
    for (int64_t i = 0; i < taps * panels; i++) {
        int64_t tap = i / panels, kh = v->last - tap / h->axis.taps * v->every;
        int64_t kw = h->last - tap % h->axis.taps * h->every;
        const float *from = w + (kh * c->kw + kw) * channels * c->k + group * filters;
        hki_panel_pack(p, packed, i % panels, tap * filters, filters, from, 1, c->k);
    }
}

void hki_native_conv_backward_data(const hki_conv *c, const float *dy, const float *w, bool add,
                                   float *dx, void *scratch, const hki_epilogue *after)
{
    if (hki_is_depthwise(c)) {
        hki_depthwise_data(c, dy, w, dx, scratch, after);
        return;
    }
    if (hki_winograd_fits(c, false)) {
        hki_winograd_data(c, dy, w, add, dx, scratch, after);
        return;
    }
    float *packed = scratch;
    int channels = c->c / c->groups, across = phases_across(c);
    const bool at_once = c->groups == 1 && phases_down(c) * across == 1;
    for (int g = 0; g < c->groups; g++) {
        bool kept = false;
        for (int i = 0; i < phases_down(c) * across; i++) {
            int row = i / across, column = i % across;
            hki_phase v, h;
            phases_at(c, row, column, &v, &h);
            if (add && v.axis.taps * h.axis.taps == 0)
                continue;
            ptrdiff_t pixel = c->c;
            hki_correlation job = {.from = phase_image(c, &v, &h, dy, g),
                                   .add = add,
                                   .y = dx + (row * (ptrdiff_t)c->w + column) * pixel +
                                        (ptrdiff_t)g * channels,
                                   .y_pixel = c->sw * pixel,
                                   .y_row = c->sh * c->w * pixel,
                                   .y_image = (ptrdiff_t)c->h * c->w * pixel,
                                   .after = at_once ? after : NULL};
            job.b = (hki_panels){.depth = v.axis.taps * h.axis.taps * (c->k / c->groups),
                                 .columns = channels,
                                 .width = hki_panel_width(rows_of(&job.from), channels)};
            pack_phase(c, &v, &h, g, w, &job.b, packed);
            kept = hki_correlate(&job, packed + filter_floats(c), kept);
        }
    }
    if (after && !at_once)
        hki_run_epilogue(after, c->n * c->h * c->w, c->c);
}

void hki_native_conv_backward_weight(const hki_conv *c, const float *x, const float *dy, float *dw,
                                     float *dbias, void *scratch)
{
    if (hki_is_depthwise(c))
        hki_depthwise_weight(c, x, dy, dw, scratch);
    else if (hki_winograd_fits(c, false))
        hki_winograd_weight(c, x, dy, dw, scratch);
    else
        hki_weight_gradient(c, x, dy, dw, scratch);
    if (dbias)
        hki_native_column_sums(c->n * c->oh * c->ow, c->k, dy, dbias, scratch);
}
