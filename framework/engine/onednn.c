/* The oneDNN engine, optional: convolutions and products by Intel's library, everything else by the
 * native engine. A second opinion on every shape; and there may be machines where it is faster.
 * Written against version 2 of its C interface.
 *
 * Filters go through a layout of the library's choice; images stay channels last. What the library
 * declines is computed natively, since kernels cannot fail. Its weight gradients may change with
 * the number of threads: Hillock's promise of equal bits holds for the native engine alone. */
#include "engine/kernels.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "core/base.h"

static dnnl_engine_t processor; /* made once, kept until the process ends */

__attribute__((constructor)) static void start(void)
{
    if (dnnl_engine_create(&processor, dnnl_cpu, 0) != dnnl_success)
        processor = NULL;
}

typedef enum pass { FORWARD, DATA, WEIGHT } pass;

/* One pass of one convolution. `filters` are as Hillock stores them, `own` as the library wants. */
typedef struct job {
    const hki_conv *c;
    dnnl_memory_desc_t x, filters, own, bias, y;
    dnnl_dims_t strides, gaps, before, after;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t forward, wanted; /* wanted is forward itself for that pass */
    dnnl_primitive_t convolution;
    dnnl_memory_t memory[5]; /* x, filters, own, bias, y */
} job;

static bool describe(job *of)
{
    const hki_conv *c = of->c;
    dnnl_dims_t x = {c->n, c->c, c->h, c->w}, y = {c->n, c->k, c->oh, c->ow}, bias = {c->k};
    dnnl_dims_t filters = {c->groups, c->k / c->groups, c->c / c->groups, c->kh, c->kw};
    int first = c->groups == 1; /* without groups the first dimension is left out */
    const dnnl_dims_t strides = {c->sh, c->sw}, gaps = {c->dh - 1, c->dw - 1};
    const dnnl_dims_t before = {c->ph, c->pw};
    const dnnl_dims_t after = {(c->oh - 1) * c->sh + (c->kh - 1) * c->dh + 1 - c->h - c->ph,
                               (c->ow - 1) * c->sw + (c->kw - 1) * c->dw + 1 - c->w - c->pw};
    memcpy(of->strides, strides, sizeof strides);
    memcpy(of->gaps, gaps, sizeof gaps);
    memcpy(of->before, before, sizeof before);
    memcpy(of->after, after, sizeof after);
    dnnl_format_tag_t layout = first ? dnnl_hwio : dnnl_hwigo;
    return !dnnl_memory_desc_init_by_tag(&of->x, 4, x, dnnl_f32, dnnl_nhwc) &&
           !dnnl_memory_desc_init_by_tag(&of->y, 4, y, dnnl_f32, dnnl_nhwc) &&
           !dnnl_memory_desc_init_by_tag(&of->bias, 1, bias, dnnl_f32, dnnl_x) &&
           !dnnl_memory_desc_init_by_tag(&of->filters, 5 - first, filters + first, dnnl_f32,
                                         layout) &&
           !dnnl_memory_desc_init_by_tag(&of->own, 5 - first, filters + first, dnnl_f32,
                                         dnnl_format_tag_any);
}

static bool plan_pass(job *of, pass which, bool has_bias)
{
    const dnnl_memory_desc_t *bias = has_bias ? &of->bias : NULL;
    dnnl_convolution_desc_t what;
    if (dnnl_dilated_convolution_forward_desc_init(
            &what, dnnl_forward_training, dnnl_convolution_direct, &of->x, &of->own, bias, &of->y,
            of->strides, of->gaps, of->before, of->after) ||
        dnnl_primitive_desc_create(&of->forward, &what, NULL, processor, NULL))
        return false;
    of->wanted = of->forward;
    if (which == FORWARD)
        return true;
    of->wanted = NULL;
    dnnl_status_t status = which == DATA
                               ? dnnl_dilated_convolution_backward_data_desc_init(
                                     &what, dnnl_convolution_direct, &of->x, &of->own, &of->y,
                                     of->strides, of->gaps, of->before, of->after)
                               : dnnl_dilated_convolution_backward_weights_desc_init(
                                     &what, dnnl_convolution_direct, &of->x, &of->own, bias, &of->y,
                                     of->strides, of->gaps, of->before, of->after);
    return !status && !dnnl_primitive_desc_create(&of->wanted, &what, NULL, processor, of->forward);
}

/* Brings the filters into the other layout, one way or back. */
static bool reorder(job *of, dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_memory_desc_t *a, *b;
    dnnl_primitive_desc_t what = NULL;
    dnnl_primitive_t copy = NULL;
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    bool done = !dnnl_memory_get_memory_desc(from, &a) && !dnnl_memory_get_memory_desc(to, &b) &&
                !dnnl_reorder_primitive_desc_create(&what, a, processor, b, processor, NULL) &&
                !dnnl_primitive_create(&copy, what) &&
                !dnnl_primitive_execute(copy, of->stream, 2, arguments);
    dnnl_primitive_destroy(copy);
    dnnl_primitive_desc_destroy(what);
    return done;
}

enum { X, FILTERS, OWN, BIAS, Y };

static bool execute(job *of, pass which, void *const *data)
{
    static const int names[][4] = {
        [FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS},
        [DATA] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST, DNNL_ARG_BIAS},
        [WEIGHT] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_BIAS}};
    const int *name = names[which];
    dnnl_memory_t *m = of->memory;
    const dnnl_memory_desc_t *own = dnnl_primitive_desc_query_md(
        of->wanted, which == WEIGHT ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    const dnnl_memory_desc_t *const of_each[] = {&of->x, &of->filters, own, &of->bias, &of->y};
    for (int i = 0; i < 5; i++)
        if ((i == OWN || data[i]) && dnnl_memory_create(&m[i], of_each[i], processor,
                                                        i == OWN ? DNNL_MEMORY_ALLOCATE : data[i]))
            return false;
    dnnl_exec_arg_t arguments[] = {
        {name[0], m[X]}, {name[1], m[OWN]}, {name[2], m[Y]}, {name[3], m[BIAS]}};
    return (which == WEIGHT || reorder(of, m[FILTERS], m[OWN])) &&
           !dnnl_primitive_create(&of->convolution, of->wanted) &&
           !dnnl_primitive_execute(of->convolution, of->stream, m[BIAS] ? 4 : 3, arguments) &&
           (which != WEIGHT || reorder(of, m[OWN], m[FILTERS]));
}

/* data: x, filters, nothing, bias or NULL, y. False when the library declined. */
static bool convolve(const hki_conv *c, pass which, void *const *data)
{
    job of = {.c = c};
    const int threads = omp_get_max_threads(); /* the caller's setting, restored below */
    omp_set_num_threads(hki_threads());
    bool done = processor &&
                !dnnl_stream_create(&of.stream, processor, dnnl_stream_default_flags) &&
                describe(&of) && plan_pass(&of, which, data[BIAS]) && execute(&of, which, data) &&
                !dnnl_stream_wait(of.stream);
    dnnl_primitive_destroy(of.convolution);
    for (int i = 0; i < 5; i++)
        dnnl_memory_destroy(of.memory[i]);
    if (of.wanted != of.forward)
        dnnl_primitive_desc_destroy(of.wanted);
    dnnl_primitive_desc_destroy(of.forward);
    dnnl_stream_destroy(of.stream);
    omp_set_num_threads(threads);
    return done;
}

/* The library takes pointers to what it only reads as void *. */
static void *plain(const void *p)
{
    return (void *)(uintptr_t)p;
}

static void forward(const hki_conv *c, const float *x, const float *w, const float *bias, float *y,
                    void *scratch, const void *packed, const hki_prologue *before,
                    const hki_epilogue *after)
{
    if (!convolve(c, FORWARD, (void *[]){plain(x), plain(w), NULL, plain(bias), y}))
        hki_native_conv_forward(c, x, w, bias, y, scratch, packed, before, after);
    else if (after)
        hki_run_epilogue(after, c->n * c->oh * c->ow, c->k);
}

/* Its primitives take whole images. */
static bool streams(const hki_conv *c, const hki_conv *source)
{
    (void)c;
    (void)source;
    return false;
}

/* Its own primitives pack on their own. */
static size_t packed_bytes(const hki_conv *c)
{
    (void)c;
    return 0;
}

static int64_t image_floats(const hki_conv *c)
{
    return c->n * c->h * c->w * c->c;
}

/* The native engine's, or a gradient that is to be added to another. */
static size_t conv_scratch(const hki_conv *c)
{
    size_t native = hki_native_conv_scratch(c), floats = (size_t)image_floats(c);
    return native > floats * sizeof(float) ? native : floats * sizeof(float);
}

static void backward_data(const hki_conv *c, const float *dy, const float *w, bool add, float *dx,
                          void *scratch, const hki_epilogue *after)
{
    float *own = add ? scratch : dx;
    if (!convolve(c, DATA, (void *[]){own, plain(w), NULL, NULL, plain(dy)})) {
        hki_native_conv_backward_data(c, dy, w, add, dx, scratch, after);
        return;
    }
    if (add) {
        const int64_t n = image_floats(c);
#pragma omp parallel for simd num_threads(hki_threads_for(n)) schedule(static)
        for (int64_t i = 0; i < n; i++)
            dx[i] += own[i];
    }
    if (after)
        hki_run_epilogue(after, c->n * c->h * c->w, c->c);
}

static void backward_weight(const hki_conv *c, const float *x, const float *dy, float *dw,
                            float *dbias, void *scratch)
{
    if (!convolve(c, WEIGHT, (void *[]){plain(x), dw, NULL, dbias, plain(dy)}))
        hki_native_conv_backward_weight(c, x, dy, dw, dbias, scratch);
}

static void gemm(int64_t m, int64_t n, int64_t k, bool ta, bool tb, const float *a, const float *b,
                 const float *bias, float *y, void *scratch)
{
    const int threads = omp_get_max_threads();
    omp_set_num_threads(hki_threads());
    for (int64_t i = 0; bias && i < m; i++)
        memcpy(y + i * n, bias, (size_t)n * sizeof *y);
    bool failed = dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a, ta ? m : k, b,
                             tb ? k : n, bias ? 1 : 0, y, n) != dnnl_success;
    omp_set_num_threads(threads);
    if (failed)
        hki_native_gemm(m, n, k, ta, tb, a, b, bias, y, scratch);
}

const hki_engine hki_onednn = {
    .name = "onednn",
    .conv_scratch = conv_scratch,
    .conv_forward = forward,
    .conv_streams = streams,
    .depthwise_prepare = hki_depthwise_prepare,
    .depthwise_lines = hki_depthwise_lines,
    .conv_packed_bytes = packed_bytes,
    .conv_pack = hki_native_conv_pack,
    .conv_backward_data = backward_data,
    .conv_backward_weight = backward_weight,
    .gemm_scratch = hki_native_gemm_scratch,
    .gemm = gemm,
    .column_sums_scratch = hki_native_column_sums_scratch,
    .column_sums = hki_native_column_sums,
    .max_pool_forward = hki_native_max_pool_forward,
    .max_pool_backward = hki_native_max_pool_backward,
    .avg_pool_forward = hki_native_avg_pool_forward,
    .avg_pool_backward = hki_native_avg_pool_backward,
};
