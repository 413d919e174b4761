/* The native engine against oneDNN: two implementations that share nothing, on the shapes of the
 * catalogue's models and of the engine's tables, all three passes. Skipped unless the build has
 * that engine, -DHILLOCK_ONEDNN=ON. */
#include <stdlib.h>

#include "core/base.h"
#include "engine/conv.h"
#include "check.h"

static const hki_engine *engines[2]; /* native, oneDNN */
static int different; /* results that are not the same bits: oneDNN did not decline */

/* ---- Arrays: the numbers, and their sizes, by which errors are measured -------------------- */

static uint64_t seed = 1;

typedef struct array {
    float *value, *size;
    int64_t n;
} array;

static array numbers(int64_t n)
{
    array a = {hki_alloc_array((size_t)n, 4), hki_alloc_array((size_t)n, 4), n};
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        a.value[i] = (float)((double)(seed >> 40) / (1 << 23) - 1);
        a.size[i] = fabsf(a.value[i]);
    }
    return a;
}

static void forget(array a)
{
    hki_free(a.value);
    hki_free(a.size);
}

/* |error| <= bound * sum|a||b|, each of the two. */
static void compare(const char *what, const char *shape, const float *native, const float *other,
                    const float *size, double bound, int64_t n)
{
    int64_t wrong = -1;
    for (int64_t i = 0; i < n && wrong < 0; i++)
        if (!(fabs((double)native[i] - (double)other[i]) <= bound * (double)size[i] + 1e-30))
            wrong = i;
    CHECK(wrong < 0);
    if (wrong >= 0)
        printf("  %s of %s: [%lld] is %.9g, oneDNN says %.9g\n", what, shape, (long long)wrong,
               (double)native[wrong], (double)other[wrong]);
    different += memcmp(native, other, (size_t)n * sizeof *native) != 0;
}

/* Sums of products as they stand; and through Winograd's transforms, on one side. */
static const double direct = 2e-6, transformed = 1.1e-5;

/* ---- Passes ---------------------------------------------------------------------------------- */

enum { FORWARD, DATA, WEIGHT, PASSES };
static const char *const names[PASSES] = {"forward", "data gradient", "weight gradient"};

typedef void pass_function(const hki_engine *engine, const void *job, int pass, bool sizes,
                           float *out);

/* Computes n numbers with both engines, and from sizes alone. */
static void hear_both(const char *shape, const void *job, int pass, int64_t n, double bound,
                      pass_function *run)
{
    float *out[3];
    for (int i = 0; i < 3; i++) {
        out[i] = hki_alloc_array((size_t)n, sizeof(float));
        for (int64_t j = 0; j < n; j++)
            out[i][j] = NAN;
        run(engines[i % 2], job, pass, i == 2, out[i]);
    }
    compare(names[pass], shape, out[0], out[1], out[2], bound, n);
    for (int i = 0; i < 3; i++)
        hki_free(out[i]);
}

typedef struct conv_job {
    hki_conv c;
    array x, w, bias, dy;
} conv_job;

static void run_conv(const hki_engine *engine, const void *job, int pass, bool sizes, float *out)
{
    const conv_job *j = job;
    const float *x = sizes ? j->x.size : j->x.value, *w = sizes ? j->w.size : j->w.value;
    const float *dy = sizes ? j->dy.size : j->dy.value;
    void *scratch = hki_alloc(engine->conv_scratch(&j->c));
    if (pass == FORWARD)
        engine->conv_forward(&j->c, x, w, sizes ? j->bias.size : j->bias.value, out, scratch, NULL,
                             NULL, NULL);
    else if (pass == DATA)
        for (int add = 0; add < 1 + (j->c.groups == 1); add++)
            engine->conv_backward_data(&j->c, dy, w, add, out, scratch, NULL);
    else
        engine->conv_backward_weight(&j->c, x, dy, out, out + j->w.n, scratch);
    hki_free(scratch);
}

/* `same` padding where pad < 0. */
static void convolution(int n, int size, int c, int kernel, int k, int stride, int pad, int groups)
{
    int out = pad < 0 ? (size + stride - 1) / stride : (size + 2 * pad - kernel) / stride + 1;
    int before = pad < 0 ? ((out - 1) * stride + kernel - size) / 2 : pad;
    conv_job j = {.c = {.n = n,
                        .h = size,
                        .w = size,
                        .c = c,
                        .oh = out,
                        .ow = out,
                        .k = k,
                        .kh = kernel,
                        .kw = kernel,
                        .sh = stride,
                        .sw = stride,
                        .ph = before > 0 ? before : 0,
                        .pw = before > 0 ? before : 0,
                        .dh = 1,
                        .dw = 1,
                        .groups = groups}};
    j.x = numbers((int64_t)n * size * size * c);
    j.w = numbers((int64_t)kernel * kernel * c / groups * k);
    j.dy = numbers((int64_t)n * out * out * k);
    j.bias = numbers(k);
    char shape[96];
    snprintf(shape, sizeof shape, "%dx%dx%dx%d:%dx%dx%d/%d, %d groups", n, size, size, c, kernel,
             kernel, k, stride, groups);
    double bound = hki_winograd_fits(&j.c, false) ? transformed : direct;
    hear_both(shape, &j, FORWARD, j.dy.n, bound, run_conv);
    hear_both(shape, &j, DATA, j.x.n, bound, run_conv);
    hear_both(shape, &j, WEIGHT, j.w.n + k, bound, run_conv);
    forget(j.x), forget(j.w), forget(j.dy), forget(j.bias);
}

typedef struct gemm_job {
    int64_t m, n, k;
    array x, w, bias, dy;
} gemm_job;

static void run_gemm(const hki_engine *engine, const void *job, int pass, bool sizes, float *out)
{
    const gemm_job *j = job;
    int64_t m = pass == WEIGHT ? j->k : j->m, n = pass == DATA ? j->k : j->n;
    int64_t k = pass == FORWARD ? j->k : pass == DATA ? j->n : j->m;
    const array *a = pass == DATA ? &j->dy : &j->x, *b = pass == WEIGHT ? &j->dy : &j->w;
    const float *bias = sizes ? j->bias.size : j->bias.value;
    void *scratch = hki_alloc(engine->gemm_scratch(m, n, k, pass == WEIGHT, pass == DATA));
    engine->gemm(m, n, k, pass == WEIGHT, pass == DATA, sizes ? a->size : a->value,
                 sizes ? b->size : b->value, pass == FORWARD ? bias : NULL, out, scratch);
    hki_free(scratch);
}

static void product(int64_t m, int64_t k, int64_t n)
{
    gemm_job j = {m, n, k, numbers(m * k), numbers(k * n), numbers(n), numbers(m * n)};
    char shape[96];
    snprintf(shape, sizeof shape, "%lldx%lld:%lld", (long long)m, (long long)k, (long long)n);
    hear_both(shape, &j, FORWARD, m * n, direct, run_gemm);
    hear_both(shape, &j, DATA, m * k, direct, run_gemm);
    hear_both(shape, &j, WEIGHT, k * n, direct, run_gemm);
    forget(j.x), forget(j.w), forget(j.dy), forget(j.bias);
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

enum { SAME = -1 };

static void small_models(void)
{
    convolution(8, 28, 1, 5, 6, 1, SAME, 1); /* lenet5 */
    convolution(8, 14, 6, 5, 16, 1, 0, 1);
    convolution(8, 28, 1, 3, 32, 1, SAME, 1); /* simple_cnn */
    convolution(8, 14, 32, 3, 64, 1, SAME, 1);
}

static void residual(void)
{
    convolution(4, 32, 3, 3, 16, 1, SAME, 1);
    convolution(4, 32, 16, 3, 16, 1, SAME, 1);
    convolution(4, 32, 16, 3, 32, 2, 1, 1);
    convolution(4, 32, 16, 3, 32, 2, SAME, 1);
    convolution(4, 32, 16, 1, 32, 2, 0, 1);
    convolution(4, 16, 32, 3, 32, 1, SAME, 1);
    convolution(4, 16, 32, 3, 64, 2, 1, 1);
    convolution(8, 8, 64, 3, 64, 1, SAME, 1);
}

static void deep(void)
{
    convolution(2, 32, 3, 3, 64, 1, SAME, 1);
    convolution(2, 16, 64, 3, 128, 1, SAME, 1);
    convolution(2, 8, 128, 3, 256, 1, SAME, 1);
    convolution(2, 8, 256, 3, 256, 1, SAME, 1);
    convolution(4, 4, 512, 3, 512, 1, SAME, 1);
    convolution(8, 2, 512, 3, 512, 1, SAME, 1);
}

static void separable(void)
{
    convolution(4, 32, 32, 3, 32, 1, SAME, 32);
    convolution(4, 32, 64, 3, 64, 2, 1, 64);
    convolution(4, 16, 128, 3, 128, 1, SAME, 128);
    convolution(4, 8, 256, 3, 256, 1, SAME, 256);
    convolution(4, 32, 32, 1, 64, 1, 0, 1);
    convolution(4, 16, 128, 1, 128, 1, 0, 1);
    convolution(4, 8, 256, 1, 256, 1, 0, 1);
    convolution(2, 10, 24, 3, 36, 1, SAME, 4); /* groups of several channels */
}

static void dense(void)
{
    const int sizes[][2] = {{784, 128}, {128, 128}, {128, 10},   {400, 120},
                            {120, 84},  {84, 10},   {3136, 128}, {64, 10}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        product(128, sizes[i][0], sizes[i][1]);
        product(1, sizes[i][0], sizes[i][1]);
    }
}

/* oneDNN did not leave its work to the native engine: most of its results are other bits. */
static void independent(void)
{
    CHECK(different > 50);
}

static void not_built(void)
{
    SKIP("this build has no oneDNN engine (-DHILLOCK_ONEDNN=ON)");
}

int main(void)
{
    engines[0] = hki_engine_find("native");
    engines[1] = hki_engine_find("onednn");
    if (!engines[1]) {
        RUN(not_built);
        return check_result();
    }
    RUN(small_models);
    RUN(residual);
    RUN(deep);
    RUN(separable);
    RUN(dense);
    RUN(independent);
    return check_result();
}
