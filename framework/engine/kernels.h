/* engine/kernels.h - what is compiled once per instruction set, and the types the drivers share.
 *
 * A kernel is serial, knows nothing of images or layers, and cannot fail. The drivers (correlate.c,
 * conv_weight.c, depthwise.c, gemm.c, pool.c) cut the work into tasks, share them out to threads
 * and call the kernels; they are compiled once. */
#pragma once
#include "engine/engine.h"

/* Lengths of sums: products are added up in registers for at most this many steps before they
 * join the sum in memory. Bounds the rounding error, and keeps what is read in the caches: sums
 * over pixels, where a and b are far apart from step to step, are cut to runs of HKI_PIXELS. */
enum { HKI_DEPTH = 512, HKI_PIXELS = 256 };

/* A piece of the inner dimension: `length` steps (at most HKI_DEPTH) from a + run.a and from step
 * run.b of b. A product goes through a list of them: the taps of a convolution, rows of pixels. */
typedef struct hki_run {
    ptrdiff_t a;
    int64_t b, length;
} hki_run;

/* y[i][j] = start + sum over runs and their steps l of
 *           a[run.a + i * a_row + l * a_step] * b[(run.b + l) * b_step + j].
 * One of a_row, a_step is 1. b is read in whole vectors; y is touched only where j < columns. */
typedef struct hki_product {
    int64_t rows;
    int columns; /* at most 4 vectors */
    const float *a;
    ptrdiff_t a_row, a_step;
    const float *b;
    ptrdiff_t b_step;
    const hki_run *runs;
    int64_t n_runs;
    float *y;
    ptrdiff_t y_row;
    const float *bias; /* start, [columns]; NULL: zero */
    bool add;          /* start from what y holds instead */
} hki_product;

/* Depthwise: `pixels` outputs in a row with the same rows x columns of taps, channel by channel.
 * Tap (t, u) of output i reads x + t * x_row + u * x_column + i * x_step
 * and w + t * w_row + u * w_column. */
typedef struct hki_taps {
    int64_t pixels, channels, rows, columns;
    ptrdiff_t x_row, x_column, x_step, w_row, w_column, y_step;
    ptrdiff_t y_row; /* to the next row of outputs */
} hki_taps;

/* Winograd's tiles in a row: where their pixels are. */
typedef struct hki_tiles {
    int side;             /* 4, or 2: of a tile of results */
    const float *row[6];  /* rows of pixels, from column 0 on; NULL: outside, all zero */
    int64_t first, width; /* column of the first tile's first pixel; columns there are */
    int64_t tiles, channels;
    ptrdiff_t pixel;        /* from pixel to pixel */
    ptrdiff_t pitch, plane; /* of what is transformed: from tile to tile, from plane to plane */
} hki_tiles;

/* The numbers of an optimizer's step, rounded to float once. */
typedef struct hki_update {
    float scale, decay;             /* G = scale g + decay w */
    float lr;                       /* of adam: over 1 - b1^t */
    float keep, take;               /* m = keep m + take G */
    float keep_square, take_square; /* the same for squares of G */
    float eps, root;                /* sqrt(v) root + eps */
    float shrink;                   /* w shrink: the decoupled decay */
    bool nesterov;
} hki_update;

/* On w[n] from its gradient g[n]; m and v are the moments, NULL where there are none. */
typedef void hki_update_kernel(const hki_update *u, int64_t n, float *w, const float *g, float *m,
                               float *v);

typedef struct hki_kernels {
    int lanes;    /* floats in a vector */
    int few_rows; /* up to here a product takes 4 vectors of columns at a time, else 2 */
    void (*product)(const hki_product *p);
    /* out[c] = sum over rows of x[r * x_row + c]. */
    void (*column_sums)(int64_t rows, int64_t columns, const float *x, ptrdiff_t x_row, float *out);
    /* Normalization, over rows of one set. m2 = sum (x - mean)^2. */
    void (*moments)(int64_t rows, int64_t channels, const float *x, float *mean, float *m2);
    /* Sums of dy and dy (x - centre). */
    void (*gradient_sums)(int64_t rows, int64_t channels, const float *x, const float *centre,
                          const float *dy, float *sum_dy, float *sum_dyx);
    /* y = coef[0] x + coef[1] + add; coef (1 and 0) or add may be NULL, y may be x or add. */
    void (*affine)(int64_t rows, int64_t channels, const float *coef, const float *x,
                   const float *add, float *y);
    /* dx = bcoef[0] dy + bcoef[1] x + bcoef[2]; dx may be dy. */
    void (*affine_backward)(int64_t rows, int64_t channels, const float *bcoef, const float *dy,
                            const float *x, float *dx);

    /* Winograd's transforms (winograd_kernels.h): of patches of x, of tiles of dy, of results back into
     * (`add`: onto) `rows` rows of y that lie y_row apart, of n filters, of n filters' gradients back. */
    void (*winograd_input)(const hki_tiles *t, float *v);
    void (*winograd_gradient)(const hki_tiles *t, float *d);
    void (*winograd_output)(const hki_tiles *t, const float *m, const float *bias, int rows,
                            bool add, float *y, ptrdiff_t y_row);
    void (*winograd_filter)(int side, const float *w, ptrdiff_t tap, ptrdiff_t each, int n,
                            float *u, ptrdiff_t plane);
    void (*winograd_filter_gradient)(const float *m, ptrdiff_t plane, int64_t n, float *dw,
                                     ptrdiff_t tap);

    /* y[j] = sum over i < n of a[i] * b[j][i]. */
    void (*dots)(int64_t n, const float *a, int64_t rows, const float *b, ptrdiff_t b_row,
                 float *y);
    /* y[c][r] = x[r][c]. */
    void (*transpose)(int64_t rows, int64_t columns, const float *x, ptrdiff_t x_row, float *y,
                      ptrdiff_t y_row);

    /* p = softmax of each row of x[rows][n]; its largest number and sum of exp(x - largest). */
    void (*softmax)(int64_t rows, int64_t n, const float *x, float *p);
    void (*softmax_sums)(int64_t rows, int64_t n, const float *x, float *most, float *sum);

    hki_update_kernel *sgd, *momentum, *adam, *rmsprop;
    /* In double. */
    double (*sum)(int64_t n, const float *x);
    double (*sum_squares)(int64_t n, const float *x);

    /* y = bias + sum over taps of x * w; bias may be NULL. */
    void (*taps_forward)(const hki_taps *t, const float *x, const float *w, const float *bias,
                         float *y);
    /* dw += sum over pixels of x * dy. */
    void (*taps_weight)(const hki_taps *t, const float *x, const float *dy, float *dw);

    /* One output row of one image going forward, one input row going back. */
    void (*max_forward)(const hki_pool *p, int oh, const float *x, float *y, uint16_t *which);
    void (*max_backward)(const hki_pool *p, int ih, const float *dy, const uint16_t *which,
                         float *dx);
    void (*avg_forward)(const hki_pool *p, int oh, const float *x, float *y);
    void (*avg_backward)(const hki_pool *p, int ih, const float *dy, float *dx);
} hki_kernels;

#define HKI_KERNELS_OF(isa, ...) extern const hki_kernels hki_kernels_##isa;
HK_EACH_ISA(HKI_KERNELS_OF, )
const hki_kernels *hki_kernels_active(void);

/* ---- Small things every driver needs --------------------------------------------------------- */

/* Threads with temporary space of their own; scratch is sized for so many, whatever
 * hk_set_threads() sets later. */
enum { HKI_TEAM = 64 };
int hki_team(int64_t tasks, int64_t work);
/* Floats left free between what two threads write: what the processor fetches ahead for one of them
 * would take lines from the other, and make a single image's convolution as slow as with one thread. */
enum { HKI_APART = 8192 };
enum { HKI_AT_ONCE = 8 };  /* products that take as long as an elementary operation of `work` */
int hki_team_member(void); /* inside the parallel region: 0 .. hki_team() - 1 */

static inline int64_t hki_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t hki_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t hki_ceil(int64_t a, int64_t b) /* a / b, rounded up; a >= 0 */
{
    return (a + b - 1) / b;
}

/* Floats so rounded that the next area starts on a cache line. */
static inline size_t hki_lines(int64_t floats)
{
    return (size_t)hki_ceil(floats, 16) * 16;
}

/* Appends `length` steps as runs of at most HKI_DEPTH; joins them to the run before where they
 * simply go on. Returns the new number of runs. */
int64_t hki_run_add(hki_run *runs, int64_t n, ptrdiff_t a, int64_t b, int64_t length,
                    ptrdiff_t a_step);
/* Room for the runs of `pieces` calls that have `steps` steps together. */
static inline int64_t hki_runs_bound(int64_t pieces, int64_t steps)
{
    return pieces + steps / HKI_DEPTH + 1;
}

/* A matrix b[depth][columns] cut into panels as wide as a product takes. Each panel lies in
 * memory step by step and is filled up with zeros to whole vectors; or, where b is like that
 * already, stays where it is. */
typedef struct hki_panels {
    const float *b;
    int64_t depth, columns;
    int width;      /* columns of all panels but the last */
    ptrdiff_t step; /* 0: packed; else of b in place */
} hki_panels;

int hki_panel_width(int64_t rows, int64_t columns);
int64_t hki_panel_count(const hki_panels *p);
size_t hki_panels_floats(int64_t depth, int64_t columns); /* for any width and instruction set */
/* Packs rows first .. first + n - 1 of panel `index` into packed; element (r, c) of the rows is
 * at from[r * row + c * column]. */
void hki_panel_pack(const hki_panels *p, float *packed, int64_t index, int64_t first, int64_t n,
                    const float *from, ptrdiff_t row, ptrdiff_t column);
/* Sets b, b_step, columns of the product; returns the first column of the panel. */
int64_t hki_panel_use(const hki_panels *p, int64_t index, hki_product *out);

/* ---- The drivers ----------------------------------------------------------------------------- */

size_t hki_native_conv_scratch(const hki_conv *c);
void hki_native_conv_forward(const hki_conv *c, const float *x, const float *w, const float *bias,
                             float *y, void *scratch, const void *packed,
                             const hki_prologue *before, const hki_epilogue *after);
bool hki_native_conv_streams(const hki_conv *c, const hki_conv *source);
void hki_depthwise_prepare(const hki_conv *c, const float *x, const float *w, const float *bias,
                           void *scratch);
void hki_depthwise_lines(const void *prepared, int64_t first, int64_t lines, float *y);
/* The epilogue where the pass before could not call it row by row. */
void hki_run_epilogue(const hki_epilogue *after, int64_t rows, int64_t channels);
size_t hki_native_conv_packed_bytes(const hki_conv *c);
void hki_native_conv_pack(const hki_conv *c, const float *w, void *packed);
void hki_native_conv_backward_data(const hki_conv *c, const float *dy, const float *w, bool add,
                                   float *dx, void *scratch, const hki_epilogue *after);
void hki_native_conv_backward_weight(const hki_conv *c, const float *x, const float *dy, float *dw,
                                     float *dbias, void *scratch);
size_t hki_native_gemm_scratch(int64_t m, int64_t n, int64_t k, bool ta, bool tb);
void hki_native_gemm(int64_t m, int64_t n, int64_t k, bool ta, bool tb, const float *a,
                     const float *b, const float *bias, float *y, void *scratch);
size_t hki_native_column_sums_scratch(int64_t rows, int64_t c);
void hki_native_column_sums(int64_t rows, int64_t c, const float *x, float *out, void *scratch);
void hki_native_max_pool_forward(const hki_pool *p, const float *x, float *y, uint16_t *which);
void hki_native_max_pool_backward(const hki_pool *p, const float *dy, const uint16_t *which,
                                  float *dx);
void hki_native_avg_pool_forward(const hki_pool *p, const float *x, float *y);
void hki_native_avg_pool_backward(const hki_pool *p, const float *dy, float *dx);
