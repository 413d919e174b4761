/* engine/conv.h - how the convolution drivers see an image.
 *
 * Every pass walks a grid of destination pixels, each with taps into a source image: forward,
 * x is the source; for the data gradient dy is, once per phase of the stride; for the weight
 * gradient x again. Where the source has no padding it is read in place. Else a task copies the
 * rows it needs into a strip of its own, with zeros at the sides; rows above and below the image
 * are never read, their taps are left out. */
#pragma once
#include "engine/kernels.h"

/* One direction: destination d reads sources d * step - pad + t * gap for t < taps. */
typedef struct hki_axis {
    int64_t source, dest, taps, step, gap, pad; /* pad may be negative */
} hki_axis;

/* The taps of d that fall inside the source: from .. to - 1. */
static inline void hki_axis_taps(const hki_axis *a, int64_t d, int64_t *from, int64_t *to)
{
    int64_t at = d * a->step - a->pad;
    *from = at < 0 ? hki_min(a->taps, hki_ceil(-at, a->gap)) : 0;
    *to = at < a->source ? hki_min(a->taps, (a->source - 1 - at) / a->gap + 1) : 0;
    *to = hki_max(*from, *to);
}

/* How many sources `dest` neighbouring destinations span. */
static inline int64_t hki_axis_extent(const hki_axis *a, int64_t dest)
{
    return (dest - 1) * a->step + (a->taps - 1) * a->gap + 1;
}

/* Neighbouring taps are neighbours in memory. */
static inline bool hki_taps_touch(const hki_axis *a)
{
    return a->gap == 1 || a->taps == 1;
}

typedef enum hki_form {
    HKI_DIRECT, /* the source is read in place */
    HKI_STRIP,  /* padded rows are copied */
    HKI_IMAGES  /* small images: pixel by pixel, the images side by side are the rows */
} hki_form;

typedef struct hki_image {
    int64_t n;
    hki_axis v, h; /* vertical, horizontal */
    const float *x;
    int64_t c;         /* channels that are read of each pixel */
    ptrdiff_t x_pixel; /* all its channels */
    bool scattered;    /* the destination is every so many pixels of something larger */
} hki_image;

hki_form hki_form_of(const hki_image *g);
/* 1x1 with stride 1 and no padding, not scattered: all rows of all images become one image.
 * False for others. */
bool hki_image_flatten(hki_image *g);

/* Destination rows that a task takes so that its strip holds at most `floats`, and that a batch is cut
 * into at least `bands` where it has so many rows. */
enum { HKI_BANDS = 16 };
int64_t hki_band_rows(const hki_image *g, hki_form form, int64_t floats, int64_t bands);
int64_t hki_band_floats(const hki_image *g, hki_form form, int64_t rows); /* 0 for HKI_DIRECT */

/* The source as a band of destination rows sees it: what the first horizontal tap of column 0 reads
 * is at a + (source row - first) * row. */
typedef struct hki_band {
    const float *a;
    int64_t first;         /* source row at a */
    ptrdiff_t row, column; /* between source rows, between destination columns */
} hki_band;
hki_band hki_band_read(const hki_image *g, hki_form form, int64_t image, int64_t row, int64_t rows,
                       float *strip);

/* For HKI_IMAGES: x[image][piece][pixels][c] to out[piece][image][pitch]; pieces are rows, or single
 * pixels. */
int64_t hki_pitch(int64_t floats);
void hki_images_pack(int64_t n, int64_t pieces, int64_t pixels, int64_t c, ptrdiff_t x_pixel,
                     const float *x, float *out);

/* ---- The passes ------------------------------------------------------------------------------ */

/* y[image][d_v][d_h] = bias + source * b. */
typedef struct hki_correlation {
    hki_image from;
    hki_panels b; /* depth: taps * from.c */
    const float *bias;
    float *y;
    ptrdiff_t y_pixel, y_row, y_image;
    bool add;                   /* to what y holds */
    const hki_prologue *before; /* makes the source, of single pixels; or NULL */
    const hki_epilogue *after;  /* or NULL */
} hki_correlation;

/* Whether a source that is read pixel by pixel may be made band by band: each band is then read by one
 * thread alone. */
bool hki_correlate_streams(const hki_image *from, int64_t columns);

size_t hki_correlate_scratch(const hki_image *from, int64_t columns);
/* `packed`: the scratch still holds the packed source of HKI_IMAGES from a call before; the result
 * says whether it does now. */
bool hki_correlate(const hki_correlation *g, void *scratch, bool packed);

/* Neighbouring destinations taken together, where there are few columns: how many (1: none), the
 * image they read, the floats that their filters need, the pass itself. */
int64_t hki_join_count(const hki_image *g, int64_t columns);
hki_image hki_join_image(const hki_image *g, int64_t together);
size_t hki_join_floats(const hki_image *joined, int64_t columns);
hki_correlation hki_join(const hki_correlation *g, int64_t together, float *room);

size_t hki_weight_scratch(const hki_conv *c);
void hki_weight_gradient(const hki_conv *c, const float *x, const float *dy, float *dw,
                         void *scratch);
/* x may be NULL where only the shape matters. */
hki_image hki_forward_image(const hki_conv *c, const float *x, int group);

/* Winograd's way (winograd.c), where it fits: 3x3, stride 1, not too few channels or tiles; with
 * packed filters fewer tiles will do. */
bool hki_winograd_fits(const hki_conv *c, bool packed);
size_t hki_winograd_scratch(const hki_conv *c);
void hki_winograd_forward(const hki_conv *c, const float *x, const float *w, const float *bias,
                          float *y, void *scratch, const void *packed, const hki_epilogue *after);
size_t hki_winograd_packed_bytes(const hki_conv *c);
void hki_winograd_pack(const hki_conv *c, const float *w, void *packed);
void hki_winograd_data(const hki_conv *c, const float *dy, const float *w, bool add, float *dx,
                       void *scratch, const hki_epilogue *after);
void hki_winograd_weight(const hki_conv *c, const float *x, const float *dy, float *dw,
                         void *scratch);

bool hki_is_depthwise(const hki_conv *c);
size_t hki_depthwise_scratch(const hki_conv *c);
void hki_depthwise_forward(const hki_conv *c, const float *x, const float *w, const float *bias,
                           float *y, void *scratch, const hki_epilogue *after);
void hki_depthwise_data(const hki_conv *c, const float *dy, const float *w, float *dx,
                        void *scratch, const hki_epilogue *after);
void hki_depthwise_weight(const hki_conv *c, const float *x, const float *dy, float *dw,
                          void *scratch);
/* The phase of a strided data gradient: destinations start + j * stride; taps are those of the
 * kernel from `last` down in steps of `every`. */
typedef struct hki_phase {
    hki_axis axis;
    int64_t last, every;
} hki_phase;
hki_phase hki_phase_of(int size, int out, int taps, int stride, int pad, int gap, int start);
