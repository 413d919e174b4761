/* Every entry of the engine's table against a plain reference in double, on shapes chosen to reach
 * every way a driver reads an image, for each instruction set, and bit for bit for 1 to 4 threads.
 * Outputs are filled with NaN first and followed by guard words: what is not written is seen, and
 * what is written beyond as well. */
#include <stdlib.h>

#include <hillock/tensor.h>

#include "core/base.h"
#include "engine/conv.h"
#include "check.h"

/* ---- Arrays ---------------------------------------------------------------------------------- */

enum { GUARD = 16, THREADS = 4 };
static const float guard_value = 12345.0f;

static uint64_t seed = 1;

static float next_value(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(seed >> 40) / (1 << 23) - 1);
}

static float *values(int64_t n)
{
    float *p = hki_alloc_array((size_t)n, sizeof *p);
    for (int64_t i = 0; i < n; i++)
        p[i] = next_value();
    return p;
}

static void poison(float *p, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        p[i] = NAN;
    for (int64_t i = n; i < n + GUARD; i++)
        p[i] = guard_value;
}

static float *output(int64_t n)
{
    float *p = hki_alloc_array((size_t)(n + GUARD), sizeof *p);
    poison(p, n);
    return p;
}

static bool guarded(const float *p, int64_t n)
{
    for (int64_t i = n; i < n + GUARD; i++)
        if (p[i] != guard_value)
            return false;
    return true;
}

/* What is expected, and the sum of the absolute products that the error is measured by. */
typedef struct expected {
    double *value, *size;
    int64_t n;
    double bound; /* of the error */
} expected;

static expected expect(int64_t n)
{
    return (expected){hki_alloc_array((size_t)n, 8), hki_alloc_array((size_t)n, 8), n, 1e-6};
}

static void forget(expected *e)
{
    hki_free(e->value);
    hki_free(e->size);
}

UNWATCHED static void take(expected *e, int64_t at, double product)
{
    e->value[at] += product;
    e->size[at] += fabs(product);
}

UNWATCHED static void compare(const char *what, const char *shape, const float *found,
                              const expected *e)
{
    int64_t wrong = -1;
    for (int64_t i = 0; i < e->n && wrong < 0; i++)
        if (!(fabs((double)found[i] - e->value[i]) <= e->bound * e->size[i] + 1e-30))
            wrong = i;
    CHECK(wrong < 0);
    CHECK(guarded(found, e->n));
    if (wrong >= 0)
        printf("  %s of %s, %s: [%lld] is %.9g, expected %.9g (sum of sizes %.3g)\n", what, shape,
               hki_isa_name(hki_isa()), (long long)wrong, (double)found[wrong], e->value[wrong],
               e->size[wrong]);
}

/* Calls body for each instruction set of this processor and each number of threads; the outputs
 * that it leaves must be the same bits for any number. */
typedef void body_function(const void *job, float *const *out);

static void everywhere(const char *what, const char *shape, body_function *body, const void *job,
                       const expected *e, int outputs)
{
    hk_isa widest = hki_isa();
    for (int isa = 0; isa <= (int)widest; isa++) {
        hki_isa_cap((hk_isa)isa);
        float *first[3] = {NULL}, *again[3] = {NULL};
        for (int o = 0; o < outputs; o++) {
            first[o] = output(e[o].n);
            again[o] = output(e[o].n);
        }
        hk_set_threads(1);
        body(job, first);
        for (int o = 0; o < outputs; o++)
            compare(what, shape, first[o], &e[o]);
        for (int threads = 2; threads <= THREADS; threads++) {
            hk_set_threads(threads);
            for (int o = 0; o < outputs; o++)
                poison(again[o], e[o].n);
            body(job, again);
            for (int o = 0; o < outputs; o++)
                CHECK(memcmp(first[o], again[o], (size_t)(e[o].n + GUARD) * sizeof(float)) == 0);
        }
        for (int o = 0; o < outputs; o++) {
            hki_free(first[o]);
            hki_free(again[o]);
        }
    }
    hki_isa_cap(HK_ISA_COUNT);
    hk_set_threads(0);
}

/* Scratch of exactly the bytes asked for, full of NaN, so that a sanitizer sees one too many. */
static void *dirty_scratch(size_t bytes)
{
    void *p = hki_alloc(bytes);
    memset(p, 0xff, bytes);
    return p;
}

/* ---- Convolution ----------------------------------------------------------------------------- */

typedef struct conv_job {
    hki_conv c;
    float *x, *w, *bias, *dy;
} conv_job;

/* size, channels and so on; oh and ow follow from the padding on both sides. */
static hki_conv conv(int n, int h, int w, int c, int k, int kh, int kw, int s, int pad, int d,
                     int groups)
{
    return (hki_conv){.n = n,
                      .h = h,
                      .w = w,
                      .c = c,
                      .k = k,
                      .kh = kh,
                      .kw = kw,
                      .sh = s,
                      .sw = s,
                      .ph = pad,
                      .pw = pad,
                      .dh = d,
                      .dw = d,
                      .groups = groups,
                      .oh = (h + 2 * pad - (kh - 1) * d - 1) / s + 1,
                      .ow = (w + 2 * pad - (kw - 1) * d - 1) / s + 1};
}

/* The padding that TensorFlow calls same: odd paddings have more at the end. */
static hki_conv conv_same(int n, int size, int c, int k, int kernel, int s)
{
    hki_conv g = conv(n, size, size, c, k, kernel, kernel, s, 0, 1, 1);
    g.oh = g.ow = (size + s - 1) / s;
    int pad = (g.oh - 1) * s + kernel - size;
    g.ph = g.pw = pad > 0 ? pad / 2 : 0;
    return g;
}

typedef void product_visitor(void *user, int64_t y, int64_t x, int64_t w);

/* Every product of the convolution: y[y] += x[x] * w[w]. */
UNWATCHED static void visit(const hki_conv *c, product_visitor *each, void *user)
{
    int cg = c->c / c->groups, kg = c->k / c->groups;
    for (int64_t n = 0; n < c->n; n++)
        for (int oh = 0; oh < c->oh; oh++)
            for (int ow = 0; ow < c->ow; ow++)
                for (int i = 0; i < c->kh; i++)
                    for (int j = 0; j < c->kw; j++) {
                        int h = oh * c->sh - c->ph + i * c->dh, w = ow * c->sw - c->pw + j * c->dw;
                        if (h < 0 || h >= c->h || w < 0 || w >= c->w)
                            continue;
                        for (int ci = 0; ci < cg; ci++)
                            for (int k = 0; k < c->k; k++)
                                each(user, ((n * c->oh + oh) * c->ow + ow) * c->k + k,
                                     ((n * c->h + h) * c->w + w) * c->c + k / kg * cg + ci,
                                     (((int64_t)i * c->kw + j) * cg + ci) * c->k + k);
                    }
}

typedef struct conv_reference {
    const conv_job *job;
    expected e[4]; /* y, dx, dw, dbias */
} conv_reference;

UNWATCHED static void take_all(void *user, int64_t y, int64_t x, int64_t w)
{
    conv_reference *r = user;
    const conv_job *j = r->job;
    take(&r->e[0], y, (double)j->x[x] * (double)j->w[w]);
    take(&r->e[1], x, (double)j->dy[y] * (double)j->w[w]);
    take(&r->e[2], w, (double)j->x[x] * (double)j->dy[y]);
}

/* An epilogue that copies the rows it is told of, and the order in which a part gets them. */
typedef struct told {
    int channels;
    const float *y;
    float *copy;
    int64_t next[HKI_MAX_PARTS]; /* first row that may come, by part */
    bool ordered[HKI_MAX_PARTS];
} told;

static void copy_rows(void *user, int part, int64_t first, int64_t rows)
{
    told *t = user;
    t->ordered[part] = t->ordered[part] && first >= t->next[part] && rows > 0;
    t->next[part] = first + rows;
    for (int64_t i = first * t->channels; i < (first + rows) * t->channels; i++)
        t->copy[i] = isnan(t->copy[i]) ? t->y[i] : INFINITY; /* once only */
}

static told told_of(int channels, float *const *out)
{
    told t = {.channels = channels, .y = out[0], .copy = out[1]};
    for (int part = 0; part < HKI_MAX_PARTS; part++)
        t.ordered[part] = true;
    return t;
}

static void check_order(const told *t)
{
    for (int part = 0; part < HKI_MAX_PARTS; part++)
        CHECK(t->ordered[part]);
}

/* A prologue that copies the lines it is asked for from x. */
static void copy_lines(void *user, int part, int64_t first, int64_t lines, float *x)
{
    const conv_job *j = user;
    const int64_t line = (int64_t)j->c.w * j->c.c;
    (void)part;
    memcpy(x, j->x + first * line, (size_t)(lines * line) * sizeof *x);
}

static void forward_with(const conv_job *j, const void *packed, const hki_prologue *before,
                         float *const *out)
{
    const hki_engine *engine = hki_engine_active();
    told t = told_of(j->c.k, out);
    void *scratch = dirty_scratch(engine->conv_scratch(&j->c));
    engine->conv_forward(&j->c, before ? NULL : j->x, j->w, j->bias, out[0], scratch, packed,
                         before, &(hki_epilogue){copy_rows, &t});
    check_order(&t);
    hki_free(scratch);
}

static void run_forward(const void *job, float *const *out)
{
    forward_with(job, NULL, NULL, out);
}

static void run_streamed(const void *job, float *const *out)
{
    conv_job j = *(const conv_job *)job;
    forward_with(&j, NULL, &(hki_prologue){copy_lines, &j}, out);
}

/* Line by line, three at a time. */
static void run_lines(const void *job, float *const *out)
{
    const conv_job *j = job;
    const hki_engine *engine = hki_engine_active();
    const int64_t all = j->c.n * j->c.oh, line = (int64_t)j->c.ow * j->c.k;
    void *scratch = dirty_scratch(engine->conv_scratch(&j->c));
    engine->depthwise_prepare(&j->c, j->x, j->w, j->bias, scratch);
    for (int64_t first = 0; first < all; first += 3)
        engine->depthwise_lines(scratch, first, hki_min(3, all - first), out[0] + first * line);
    hki_free(scratch);
}

/* The filters themselves are gone when the pass runs. */
static void run_packed(const void *job, float *const *out)
{
    conv_job j = *(const conv_job *)job;
    void *packed = dirty_scratch(hki_engine_active()->conv_packed_bytes(&j.c));
    hki_engine_active()->conv_pack(&j.c, j.w, packed);
    j.w = NULL;
    forward_with(&j, packed, NULL, out);
    hki_free(packed);
}

static void run_data(const void *job, float *const *out)
{
    const conv_job *j = job;
    void *scratch = dirty_scratch(hki_engine_active()->conv_scratch(&j->c));
    told t = told_of(j->c.c, out);
    hki_engine_active()->conv_backward_data(&j->c, j->dy, j->w, false, out[0], scratch,
                                            &(hki_epilogue){copy_rows, &t});
    check_order(&t);
    hki_free(scratch);
}

/* Adding to 0.5 everywhere. */
static void run_data_added(const void *job, float *const *out)
{
    const conv_job *j = job;
    void *scratch = dirty_scratch(hki_engine_active()->conv_scratch(&j->c));
    for (int64_t i = 0; i < j->c.n * j->c.h * j->c.w * j->c.c; i++)
        out[0][i] = 0.5f;
    told t = told_of(j->c.c, out);
    hki_engine_active()->conv_backward_data(&j->c, j->dy, j->w, true, out[0], scratch,
                                            &(hki_epilogue){copy_rows, &t});
    check_order(&t);
    hki_free(scratch);
}

static void run_weight(const void *job, float *const *out)
{
    const conv_job *j = job;
    void *scratch = dirty_scratch(hki_engine_active()->conv_scratch(&j->c));
    hki_engine_active()->conv_backward_weight(&j->c, j->x, j->dy, out[0], out[1], scratch);
    hki_free(scratch);
}

static void check_conv(hki_conv c, bool positive)
{
    int64_t nx = c.n * c.h * c.w * c.c, ny = c.n * c.oh * c.ow * c.k;
    int64_t nw = (int64_t)c.kh * c.kw * (c.c / c.groups) * c.k;
    conv_job job = {c, values(nx), values(nw), next_value() > 0 ? values(c.k) : NULL, values(ny)};
    for (int64_t i = 0; positive && i < nx; i++)
        job.x[i] = fabsf(job.x[i]);
    for (int64_t i = 0; positive && i < nw; i++)
        job.w[i] = fabsf(job.w[i]);
    for (int64_t i = 0; positive && i < ny; i++)
        job.dy[i] = fabsf(job.dy[i]);
    conv_reference r = {&job, {expect(ny), expect(nx), expect(nw), expect(c.k)}};
    for (int i = 0; i < 3 && hki_winograd_fits(&c, i == 0); i++)
        r.e[i].bound = 1e-5;
    for (int64_t i = 0; i < ny; i++) {
        if (job.bias)
            take(&r.e[0], i, (double)job.bias[i % c.k]);
        take(&r.e[3], i % c.k, (double)job.dy[i]);
    }
    visit(&c, take_all, &r);

    char shape[160];
    snprintf(shape, sizeof shape, "%lldx%dx%dx%d->%dx%dx%d %dx%d s%d,%d p%d,%d d%d,%d g%d",
             (long long)c.n, c.h, c.w, c.c, c.oh, c.ow, c.k, c.kh, c.kw, c.sh, c.sw, c.ph, c.pw,
             c.dh, c.dw, c.groups);
    expected forward[2] = {r.e[0], r.e[0]}; /* and what the epilogue saw */
    const hki_conv depthwise = {.c = 2, .k = 2, .groups = 2};
    everywhere("forward", shape, run_forward, &job, forward, 2);
    if (hki_engine_active()->conv_packed_bytes(&c))
        everywhere("forward, packed", shape, run_packed, &job, forward, 2);
    if (hki_engine_active()->conv_streams(&c, &depthwise))
        everywhere("forward, streamed", shape, run_streamed, &job, forward, 2);
    if (hki_is_depthwise(&c))
        everywhere("forward, by lines", shape, run_lines, &job, forward, 1);
    expected data[2] = {r.e[1], r.e[1]};
    everywhere("data gradient", shape, run_data, &job, data, 2);
    for (int64_t i = 0; i < nx; i++)
        take(&r.e[1], i, 0.5);
    if (c.groups == 1)
        everywhere("data gradient, added", shape, run_data_added, &job, data, 2);
    everywhere("weight gradient", shape, run_weight, &job, &r.e[2], 2);
    for (int i = 0; i < 4; i++)
        forget(&r.e[i]);
    hki_free(job.x);
    hki_free(job.w);
    hki_free(job.bias);
    hki_free(job.dy);
}

static void dense_convolutions(void)
{
    check_conv(conv(2, 32, 32, 16, 16, 3, 3, 1, 1, 1, 1), false); /* strips */
    check_conv(conv(1, 9, 11, 16, 32, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(2, 12, 12, 17, 10, 3, 3, 1, 1, 1, 1), false); /* odd channels */
    check_conv(conv(2, 10, 10, 48, 40, 3, 3, 1, 0, 1, 1), false); /* in place, three vectors */
    check_conv(conv(1, 14, 14, 64, 72, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(3, 14, 14, 6, 16, 5, 5, 1, 0, 1, 1), false);
    check_conv(conv(1, 12, 10, 8, 130, 3, 2, 1, 1, 1, 1), false);
    check_conv(conv(1, 9, 10, 100, 150, 3, 3, 1, 1, 1, 1), false); /* filters cut into tiles */
}

/* Rows and columns of tiles that are whole, cut by the border, and more than a block of them. */
static void winograd_convolutions(void)
{
    check_conv(conv(2, 32, 32, 16, 16, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(3, 14, 13, 24, 40, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(1, 8, 8, 64, 64, 3, 3, 1, 1, 1, 1), false); /* tiles of 2x2, when packed */
    check_conv(conv(30, 3, 4, 16, 70, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(7, 9, 9, 33, 17, 3, 3, 1, 0, 1, 1), false);
    check_conv(conv(2, 20, 16, 20, 16, 3, 3, 1, 2, 1, 1), false);
    check_conv(conv(28, 4, 4, 144, 136, 3, 3, 1, 1, 1, 1), true);
    check_conv(conv(2, 7, 5, 40, 24, 3, 3, 1, 2, 1, 1), false);   /* 2x2 */
    check_conv(conv(1, 17, 13, 16, 40, 3, 3, 1, 1, 1, 1), false); /* of 4x4, when packed */
}

static void few_channels(void)
{
    check_conv(conv(2, 28, 28, 1, 6, 5, 5, 1, 2, 1, 1), false); /* patches */
    check_conv(conv(2, 15, 13, 3, 16, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(3, 12, 12, 1, 32, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(9, 14, 14, 6, 16, 5, 5, 1, 0, 1, 1), false); /* dx: columns taken together */
    check_conv(conv(3, 16, 16, 3, 16, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(2, 13, 12, 5, 6, 3, 3, 2, 1, 1, 1), false);
    check_conv(conv(2, 11, 11, 3, 7, 3, 3, 2, 1, 2, 1), false);
    check_conv(conv(1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1), false);
    check_conv(conv(1, 5, 5, 1, 1, 5, 5, 1, 0, 1, 1), false);
    check_conv(conv(1, 3, 3, 2, 3, 5, 5, 1, 2, 1, 1), false); /* kernel larger than the image */
}

static void strides_and_dilations(void)
{
    check_conv(conv_same(2, 32, 16, 32, 3, 2), false);
    check_conv(conv_same(2, 17, 16, 19, 3, 2), false);
    check_conv(conv_same(9, 17, 16, 19, 3, 2), false);            /* phases of 9 and of 8 columns */
    check_conv(conv(2, 15, 15, 16, 32, 1, 1, 2, 0, 1, 1), false); /* phases without taps */
    check_conv(conv(2, 16, 16, 5, 9, 3, 3, 3, 0, 1, 1), false);
    check_conv(conv(2, 16, 16, 16, 9, 2, 2, 4, 0, 1, 1), false); /* gaps between windows */
    check_conv(conv(2, 20, 18, 16, 8, 3, 3, 1, 2, 2, 1), false);
    check_conv(conv(1, 21, 18, 6, 8, 3, 3, 2, 2, 3, 1), false);
    check_conv(conv(1, 20, 20, 16, 8, 3, 3, 2, 2, 2, 1), false);
    hki_conv uneven = conv(2, 13, 18, 8, 12, 3, 5, 1, 0, 1, 1);
    uneven.sw = 2, uneven.ph = 1, uneven.pw = 3, uneven.dh = 2;
    uneven.oh = 11, uneven.ow = 10;
    check_conv(uneven, false);
    check_conv(conv(1, 2, 2, 4, 4, 1, 1, 3, 0, 1, 1), false);    /* stride beyond the image */
    check_conv(conv(1, 12, 12, 4, 20, 3, 3, 1, 4, 1, 1), false); /* more padding than kernel */
}

static void pointwise(void)
{
    check_conv(conv(3, 14, 14, 24, 40, 1, 1, 1, 0, 1, 1), false);
    check_conv(conv(9, 7, 7, 16, 33, 1, 1, 1, 0, 1, 1), false);
    check_conv(conv(5, 1, 1, 20, 10, 1, 1, 1, 0, 1, 1), false);
    check_conv(conv(2, 6, 6, 3, 5, 1, 1, 1, 1, 1, 1), false); /* padded */
}

static void small_images(void)
{
    check_conv(conv(12, 8, 8, 16, 24, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(90, 8, 8, 16, 24, 3, 3, 1, 1, 1, 1), false); /* in two blocks of images */
    check_conv(conv(90, 8, 8, 12, 24, 3, 3, 1, 1, 1, 1), false); /* and not by Winograd */
    check_conv(conv(17, 4, 4, 20, 66, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(8, 2, 2, 64, 65, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(10, 1, 1, 16, 16, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(9, 8, 8, 16, 16, 3, 3, 2, 1, 1, 1), false);
    check_conv(conv(9, 5, 5, 16, 120, 5, 5, 1, 0, 1, 1), false);
    check_conv(conv(8, 5, 5, 256, 16, 3, 3, 1, 1, 1, 1), false);
    check_conv(conv(1, 4, 4, 40, 40, 3, 3, 1, 1, 1, 1), false); /* one image */
}

static void groups(void)
{
    check_conv(conv(2, 10, 10, 12, 8, 3, 3, 1, 1, 1, 4), false);
    check_conv(conv(2, 10, 10, 32, 32, 3, 3, 2, 1, 1, 2), false);
    check_conv(conv(9, 6, 6, 32, 48, 3, 3, 1, 1, 1, 2), false);
    check_conv(conv(2, 9, 9, 6, 12, 3, 3, 1, 1, 1, 6), false); /* two filters a channel */
    check_conv(conv(2, 9, 9, 10, 20, 1, 1, 1, 0, 1, 5), false);
}

static void depthwise(void)
{
    check_conv(conv(2, 14, 14, 32, 32, 3, 3, 1, 1, 1, 32), false);
    check_conv(conv(2, 13, 14, 17, 17, 3, 3, 1, 1, 1, 17), false);
    check_conv(conv(3, 13, 14, 24, 24, 3, 3, 2, 1, 1, 24), false);
    check_conv(conv(1, 9, 9, 5, 5, 5, 5, 1, 2, 2, 5), false);
    check_conv(conv(2, 7, 7, 40, 40, 7, 7, 1, 0, 1, 40), false);
    check_conv(conv(2, 8, 8, 4, 4, 1, 1, 3, 0, 1, 4), false);
    check_conv(conv(1, 1, 1, 3, 3, 3, 3, 2, 1, 1, 3), false);
}

/* Sums of one sign round in one direction: long ones must be cut. */
static void long_sums_stay_accurate(void)
{
    check_conv(conv(24, 32, 32, 8, 8, 3, 3, 1, 1, 1, 1), true);
    check_conv(conv(10, 4, 4, 512, 20, 3, 3, 1, 1, 1, 1), true);
    check_conv(conv(20, 30, 30, 16, 16, 3, 3, 1, 1, 1, 16), true);
}

/* ---- Products and sums ----------------------------------------------------------------------- */

typedef struct gemm_job {
    int64_t m, n, k;
    bool ta, tb;
    const float *a, *b, *bias;
} gemm_job;

static void run_gemm(const void *job, float *const *out)
{
    const gemm_job *j = job;
    const hki_engine *engine = hki_engine_active();
    void *scratch = dirty_scratch(engine->gemm_scratch(j->m, j->n, j->k, j->ta, j->tb));
    engine->gemm(j->m, j->n, j->k, j->ta, j->tb, j->a, j->b, j->bias, out[0], scratch);
    hki_free(scratch);
}

UNWATCHED static void check_gemm(int64_t m, int64_t n, int64_t k)
{
    float *a = values(m * k), *b = values(k * n), *bias = values(n);
    for (int form = 0; form < 8; form++) {
        bool ta = form & 1, tb = form & 2;
        gemm_job job = {m, n, k, ta, tb, a, b, form & 4 ? bias : NULL};
        expected e = expect(m * n);
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                if (job.bias)
                    take(&e, i * n + j, (double)bias[j]);
                for (int64_t l = 0; l < k; l++)
                    take(&e, i * n + j,
                         (double)a[ta ? l * m + i : i * k + l] *
                             (double)b[tb ? j * k + l : l * n + j]);
            }
        char shape[80];
        snprintf(shape, sizeof shape, "%lldx%lldx%lld%s%s", (long long)m, (long long)n,
                 (long long)k, ta ? " ta" : "", tb ? " tb" : "");
        everywhere("gemm", shape, run_gemm, &job, &e, 1);
        forget(&e);
    }
    hki_free(a);
    hki_free(b);
    hki_free(bias);
}

static void products(void)
{
    static const int64_t shapes[][3] = {{1, 1, 1},    {1, 10, 84},    {7, 17, 3},    {64, 10, 84},
                                        {33, 65, 70}, {130, 128, 40}, {5, 130, 600}, {2, 48, 1025},
                                        {115, 33, 1}, {17, 80, 512},  {3, 2, 513}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_gemm(shapes[i][0], shapes[i][1], shapes[i][2]);
}

typedef struct sums_job {
    int64_t rows, c;
    const float *x;
} sums_job;

static void run_sums(const void *job, float *const *out)
{
    const sums_job *j = job;
    void *scratch = dirty_scratch(hki_engine_active()->column_sums_scratch(j->rows, j->c));
    hki_engine_active()->column_sums(j->rows, j->c, j->x, out[0], scratch);
    hki_free(scratch);
}

static void column_sums(void)
{
    static const int64_t shapes[][2] = {{1, 1}, {1, 33}, {700, 3}, {40000, 10}, {3000, 64}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int64_t rows = shapes[i][0], c = shapes[i][1];
        float *x = values(rows * c);
        sums_job job = {rows, c, x};
        expected e = expect(c);
        for (int64_t j = 0; j < rows * c; j++)
            take(&e, j % c, (double)(x[j] = fabsf(x[j])));
        everywhere("column sums", "", run_sums, &job, &e, 1);
        forget(&e);
        hki_free(x);
    }
}

/* ---- Pooling --------------------------------------------------------------------------------- */

typedef struct pool_job {
    hki_pool p;
    const float *x, *dy;
    uint16_t *which;
} pool_job;

static hki_pool pool(int n, int h, int w, int c, int size, int stride, int pad)
{
    return (hki_pool){.n = n,
                      .h = h,
                      .w = w,
                      .c = c,
                      .kh = size,
                      .kw = size,
                      .sh = stride,
                      .sw = stride,
                      .ph = pad,
                      .pw = pad,
                      .oh = (h + 2 * pad - size) / stride + 1,
                      .ow = (w + 2 * pad - size) / stride + 1};
}

static void run_max(const void *job, float *const *out)
{
    const pool_job *j = job;
    hki_engine_active()->max_pool_forward(&j->p, j->x, out[0], j->which);
    hki_engine_active()->max_pool_backward(&j->p, j->dy, j->which, out[1]);
}

static void run_avg(const void *job, float *const *out)
{
    const pool_job *j = job;
    hki_engine_active()->avg_pool_forward(&j->p, j->x, out[0]);
    hki_engine_active()->avg_pool_backward(&j->p, j->dy, out[1]);
}

/* One output pixel: the average, or the first maximum, and where its gradient goes. */
static void expect_pool(const pool_job *j, int64_t at, bool max, expected *y, expected *dx)
{
    const hki_pool *p = &j->p;
    int c = (int)(at % p->c), ow = (int)(at / p->c % p->ow);
    int oh = (int)(at / p->c / p->ow % p->oh);
    int64_t image = at / p->c / p->ow / p->oh, best = -1, count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < p->kh * p->kw; i++) {
            int h = oh * p->sh - p->ph + i / p->kw, w = ow * p->sw - p->pw + i % p->kw;
            if (h < 0 || h >= p->h || w < 0 || w >= p->w)
                continue;
            int64_t from = ((image * p->h + h) * p->w + w) * p->c + c;
            if (pass == 0) {
                count++;
                best = best < 0 || j->x[from] > j->x[best] ? from : best;
            } else if (!max) {
                take(y, at, (double)j->x[from] / (double)count);
                take(dx, from, (double)j->dy[at] / (double)count);
            }
        }
    if (max) {
        take(y, at, (double)j->x[best]);
        take(dx, best, (double)j->dy[at]);
    }
}

static void check_pool(hki_pool p)
{
    int64_t nx = p.n * p.h * p.w * p.c, ny = p.n * p.oh * p.ow * p.c;
    float *x = values(nx), *dy = values(ny);
    for (int64_t i = 0; i < nx; i++)
        x[i] = rintf(x[i] * 4); /* many ties */
    pool_job job = {p, x, dy, hki_alloc_array((size_t)ny, sizeof(uint16_t))};
    char shape[80];
    snprintf(shape, sizeof shape, "%dx%dx%d window %d stride %d pad %d", p.h, p.w, p.c, p.kh, p.sh,
             p.ph);
    for (int max = 0; max < 2; max++) {
        expected e[2] = {expect(ny), expect(nx)};
        for (int64_t i = 0; i < ny; i++)
            expect_pool(&job, i, max, &e[0], &e[1]);
        everywhere(max ? "max pool" : "avg pool", shape, max ? run_max : run_avg, &job, e, 2);
        forget(&e[0]);
        forget(&e[1]);
    }
    float *alone = output(ny), *with = output(ny);
    hki_engine_active()->max_pool_forward(&p, x, alone, NULL);
    hki_engine_active()->max_pool_forward(&p, x, with, job.which);
    CHECK(memcmp(alone, with, (size_t)ny * sizeof *alone) == 0);
    hki_free(alone);
    hki_free(with);
    hki_free(x);
    hki_free(dy);
    hki_free(job.which);
}

static void pools(void)
{
    check_pool(pool(2, 8, 8, 16, 2, 2, 0));
    check_pool(pool(2, 9, 7, 6, 2, 2, 0));
    check_pool(pool(2, 11, 12, 19, 3, 2, 1)); /* overlapping, padded */
    check_pool(pool(1, 7, 7, 33, 7, 1, 0));
    check_pool(pool(3, 6, 5, 1, 3, 1, 1));
    check_pool(pool(1, 10, 10, 4, 2, 3, 0)); /* gaps: their gradient is zero */
}

static void nan_counts_as_a_maximum(void)
{
    hki_pool p = pool(1, 2, 2, 3, 2, 2, 0);
    const float x[12] = {1, NAN, -INFINITY, 5, 2, -INFINITY, 5, NAN, -INFINITY, 3, 9, -INFINITY};
    hk_isa widest = hki_isa();
    for (int isa = 0; isa <= (int)widest; isa++) {
        float y[3];
        uint16_t which[3];
        hki_isa_cap((hk_isa)isa);
        hki_engine_active()->max_pool_forward(&p, x, y, which);
        CHECK_NEAR(y[0], 5, 0);
        CHECK_EQUAL(which[0], 1);
        CHECK(isnan(y[1]));
        CHECK_EQUAL(which[1], 0);
        CHECK(isinf(y[2]) && y[2] < 0);
        CHECK_EQUAL(which[2], 0);
    }
    hki_isa_cap(HK_ISA_COUNT);
}

/* ---- Choice of the instruction set ----------------------------------------------------------- */

static void threads_are_as_many_as_were_set(void)
{
    const int usual = hki_threads();
    hk_set_threads(usual + 1);
    CHECK_EQUAL(hki_threads(), usual + 1);
    hk_set_threads(0);
    CHECK_EQUAL(hki_threads(), usual);
}

static void instruction_sets(void)
{
    hk_isa widest = hki_isa();
    printf("  up to %s\n", hki_isa_name(widest));
    hki_isa_cap(HK_BASELINE);
    CHECK_EQUAL(hki_isa(), HK_BASELINE);
    hki_isa_cap(HK_ISA_COUNT);
    CHECK_EQUAL(hki_isa(), widest);
    CHECK_TEXT(hki_engine_active()->name, "native");
}

int main(void)
{
    RUN(threads_are_as_many_as_were_set);
    RUN(instruction_sets);
    RUN(dense_convolutions);
    RUN(winograd_convolutions);
    RUN(few_channels);
    RUN(strides_and_dilations);
    RUN(pointwise);
    RUN(small_images);
    RUN(groups);
    RUN(depthwise);
    RUN(long_sums_stay_accurate);
    RUN(products);
    RUN(column_sums);
    RUN(pools);
    RUN(nan_counts_as_a_maximum);
    return check_result();
}
