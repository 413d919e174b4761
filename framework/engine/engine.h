/* engine/engine.h - the table of compute kernels behind the operations.
 *
 * An engine is a table of functions; hki_engine() picks one once per process. Layouts: images
 * x[n][h][w][c], filters w[kh][kw][c/groups][k] (output channel fastest), all contiguous floats.
 * Convolutions are cross-correlations. Kernels cannot fail: shapes were checked and `scratch`
 * has the bytes the matching *_scratch function asked for (64-byte aligned, contents free).
 * Every output is written whole. The same bits come out for any thread count: work is cut by
 * shape, never by threads, and sums that cross a cut are added in a fixed order.
 * Accuracy: |error| <= 1e-6 * sum |a||b|; 1e-5 for 3x3 convolutions that Winograd's way takes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hillock/plugin.h>
#include <hillock/status.h>

typedef struct hki_conv {
    int64_t n;     /* images */
    int h, w, c;   /* input height, width, channels */
    int oh, ow, k; /* output height, width, filters */
    int kh, kw;    /* kernel */
    int sh, sw;    /* stride */
    int ph, pw;    /* zero padding before the first row, column (after: whatever oh, ow need) */
    int dh, dw;    /* dilation */
    int groups;    /* divides c and k; groups == c == k is depthwise */
} hki_conv;

typedef struct hki_pool {
    int64_t n;
    int h, w, c, oh, ow, kh, kw, sh, sw, ph, pw; /* as above; padding never wins, never counts */
} hki_pool;

/* Work on the result of a convolution while it is in the cache. A row is a pixel of it with all its
 * channels; rows() is called for ranges of finished rows, on the thread that made them. Ranges
 * are disjoint and cover everything. Those of one part come one at a time and in order, so a part
 * may own sums; different parts run side by side. The cut depends on the shape alone. */
enum { HKI_MAX_PARTS = 64 };
typedef struct hki_epilogue {
    void (*rows)(void *user, int part, int64_t first, int64_t rows);
    void *user;
} hki_epilogue;

/* Work before a convolution of single pixels (1x1), so that its input need not be stored: lines() makes those
 * from `first` on in x, on the thread that reads them next. A line is the pixels
 * across an image; lines are counted through all images. Each is asked for once; different parts run side
 * by side. */
typedef struct hki_prologue {
    void (*lines)(void *user, int part, int64_t first, int64_t lines, float *x);
    void *user;
} hki_prologue;

typedef struct hki_engine {
    const char *name;

    /* Scratch bytes enough for any of the three convolution passes with up to c->n images. */
    size_t (*conv_scratch)(const hki_conv *c);
    /* y = x * w + bias; bias [k] or NULL, after or NULL, packed what conv_pack() made of the
     * same w for the same c, or NULL. before: NULL, or makes x, which then is NULL; only where
     * conv_streams() says so, and for fewer images of the same. */
    void (*conv_forward)(const hki_conv *c, const float *x, const float *w, const float *bias,
                         float *y, void *scratch, const void *packed, const hki_prologue *before,
                         const hki_epilogue *after);
    /* Whether c takes a prologue, and `source`, which computes its x, can be computed by lines. */
    bool (*conv_streams)(const hki_conv *c, const hki_conv *source);
    /* A depthwise convolution by lines: prepared in the scratch, which then points to x, w and bias; then
     * any lines of y, on any thread. */
    void (*depthwise_prepare)(const hki_conv *c, const float *x, const float *w, const float *bias,
                              void *scratch);
    void (*depthwise_lines)(const void *prepared, int64_t first, int64_t lines, float *y);
    /* The filters in the order that the forward pass wants, for who runs it often with the same
     * ones. Bytes; 0: there is nothing to pack. */
    size_t (*conv_packed_bytes)(const hki_conv *c);
    void (*conv_pack)(const hki_conv *c, const float *w, void *packed);
    /* add: dx is added to; only with one group. The rows of `after`, or NULL, are those of dx. */
    void (*conv_backward_data)(const hki_conv *c, const float *dy, const float *w, bool add,
                               float *dx, void *scratch, const hki_epilogue *after);
    /* dw [kh][kw][c/groups][k]; dbias [k] or NULL. */
    void (*conv_backward_weight)(const hki_conv *c, const float *x, const float *dy, float *dw,
                                 float *dbias, void *scratch);

    /* y[m][n] = op(a) op(b) + bias[n]; op is the transpose where ta, tb say so: a is [m][k], or
     * [k][m] if ta; b is [k][n], or [n][k] if tb. bias may be NULL. */
    size_t (*gemm_scratch)(int64_t m, int64_t n, int64_t k, bool ta, bool tb);
    void (*gemm)(int64_t m, int64_t n, int64_t k, bool ta, bool tb, const float *a, const float *b,
                 const float *bias, float *y, void *scratch);

    /* out[c] = sum over rows of x[rows][c]. */
    size_t (*column_sums_scratch)(int64_t rows, int64_t c);
    void (*column_sums)(int64_t rows, int64_t c, const float *x, float *out, void *scratch);

    /* Max pooling remembers in which[n][oh][ow][c] the window position kh_index * kw + kw_index
     * of the first maximum (kh * kw <= 65535); NaN counts as a maximum. `which` may be NULL in
     * the forward pass. Average pooling divides by the number of positions inside the image. */
    void (*max_pool_forward)(const hki_pool *p, const float *x, float *y, uint16_t *which);
    void (*max_pool_backward)(const hki_pool *p, const float *dy, const uint16_t *which, float *dx);
    void (*avg_pool_forward)(const hki_pool *p, const float *x, float *y);
    void (*avg_pool_backward)(const hki_pool *p, const float *dy, float *dx);
} hki_engine;

/* The engine that HILLOCK_ENGINE names, else "native". */
const hki_engine *hki_engine_active(void);
const hki_engine *hki_engine_find(const char *name); /* NULL: not part of this build */

/* The instruction set in use: what the processor has, capped by HILLOCK_ISA. */
hk_isa hki_isa(void);
const char *hki_isa_name(hk_isa isa); /* "avx2" */
/* Tests cap it further; lasts until the next call. HK_ISA_COUNT restores. [one thread] */
void hki_isa_cap(hk_isa isa);
