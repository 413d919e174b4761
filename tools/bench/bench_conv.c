/* hillock bench conv: the three passes of a convolution or a product, against the multiply-adds of
 * the processor. */
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

typedef struct layer {
    int n, h, w, c; /* images; h = 0: a product of n rows of c numbers */
    int kh, kw, k;  /* filters */
    int stride, groups, is_valid;
} layer;

/* The convolutions of the catalogue's models at the batches they are trained with; `table`: those
 * the engine was designed by. */
static const struct {
    const char *name, *shapes;
} sets[] = {
    {"table", "128x32x32x3:3x3x16 128x32x32x16:3x3x16 128x32x32x16:3x3x32/2 128x16x16x32:3x3x32 "
              "128x8x8x64:3x3x64 64x16x16x64:3x3x128 64x8x8x256:3x3x256 64x4x4x512:3x3x512 "
              "64x2x2x512:3x3x512 128x14x14x6:5x5x16,valid 64x14x14x32:3x3x64 128x784:128"},
    {"lenet5", "128x28x28x1:5x5x6 128x14x14x6:5x5x16,valid 128x400:120 128x120:84 128x84:10"},
    {"simple_cnn", "64x28x28x1:3x3x32 64x14x14x32:3x3x64 64x3136:128 64x128:10"},
    {"resnet20", "128x32x32x3:3x3x16 128x32x32x16:3x3x16 128x32x32x16:3x3x32/2 "
                 "128x32x32x16:1x1x32/2 128x16x16x32:3x3x32 128x16x16x32:3x3x64/2 "
                 "128x16x16x32:1x1x64/2 128x8x8x64:3x3x64"},
    {"vgg11", "64x32x32x3:3x3x64 64x16x16x64:3x3x128 64x8x8x128:3x3x256 64x8x8x256:3x3x256 "
              "64x4x4x256:3x3x512 64x4x4x512:3x3x512 64x2x2x512:3x3x512"},
    {"mobilenet", "64x32x32x3:3x3x32 64x32x32x32:3x3x32,groups=32 64x32x32x32:1x1x64 "
                  "64x32x32x64:3x3x64/2,groups=64 64x16x16x64:1x1x128 "
                  "64x16x16x128:3x3x128,groups=128 64x16x16x128:1x1x128 "
                  "64x16x16x128:3x3x128/2,groups=128 64x8x8x128:1x1x256 "
                  "64x8x8x256:3x3x256,groups=256 64x8x8x256:1x1x256"},
};

/* Numbers with x in between, each at most 2^16; the rest of the text, NULL for others. */
static const char *read_numbers(const char *text, int *const *into, int n)
{
    for (int i = 0; i < n; i++) {
        char *end;
        long value = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
        if (value < 1 || value > 1 << 16 || (i + 1 < n && *end++ != 'x'))
            return NULL;
        *into[i] = (int)value;
        text = end;
    }
    return text;
}

static bool read_shape(const char *text, layer *out)
{
    *out = (layer){.stride = 1, .groups = 1};
    const char *at = read_numbers(text, (int *[]){&out->n, &out->h, &out->w, &out->c}, 4);
    if (at && *at == ':') {
        at = read_numbers(at + 1, (int *[]){&out->kh, &out->kw, &out->k}, 3);
        if (at && *at == '/')
            at = read_numbers(at + 1, (int *[]){&out->stride}, 1);
        if (at && strncmp(at, ",valid", 6) == 0) {
            out->is_valid = 1;
            at += 6;
        }
        if (at && strncmp(at, ",groups=", 8) == 0)
            at = read_numbers(at + 8, (int *[]){&out->groups}, 1);
        return at && !*at && out->c % out->groups == 0 && out->k % out->groups == 0;
    }
    *out = (layer){.stride = 1, .groups = 1};
    at = read_numbers(text, (int *[]){&out->n, &out->c}, 2);
    at = at && *at == ':' ? read_numbers(at + 1, (int *[]){&out->k}, 1) : NULL;
    return at && !*at;
}

/* Either the filters or the input have a gradient. */
static hk_tensor *record(const layer *s, hk_net *net, bool by_weight, hk_tensor **input)
{
    hk_shape shape = s->h ? HK_SHAPE(s->kh, s->kw, s->c / s->groups, s->k) : HK_SHAPE(s->c, s->k);
    hk_window window = {
        .stride = s->stride, .groups = s->groups, .padding = s->is_valid ? HK_VALID : HK_SAME};
    hk_tensor *filters = NULL;
    *input = s->h ? hk_input(net, s->h, s->w, s->c) : hk_input(net, s->c);
    hk_tensor *x = by_weight ? *input : bench_study_input(*input, s->c);
    if (by_weight) {
        filters = hk_parameter(net, "filters", shape, "normal:std=1");
    } else {
        int64_t n = (s->h ? (int64_t)s->kh * s->kw * s->c / s->groups : s->c) * s->k;
        float *values = calloc((size_t)n, sizeof *values);
        if (values) {
            bench_noise(values, n);
            filters = hk_constant(net, shape, values);
        }
        free(values);
    }
    return s->h ? hk_conv2d(x, filters, NULL, window) : hk_matmul(x, filters);
}

/* Forward and one of the gradients; a row for forward only with the first of them. */
static int conv_rows(const bench *in, const char *name, const layer *s, bool by_weight)
{
    study of = {.net = hk_net_new(.seed = 1)};
    hk_tensor *input = NULL, *y = of.net ? record(s, of.net, by_weight, &input) : NULL;
    int status = bench_study_measure(in, &of, input, y, s->n);
    if (!status && !by_weight)
        bench_study_row(in, &of, name, "forward", 0);
    if (!status)
        bench_study_row(in, &of, name, by_weight ? "bwd-weight" : "bwd-data", 1);
    bench_study_clear(&of);
    return status;
}

int bench_conv(const bench *in)
{
    int status = EXIT_DONE, used;
    char known[256] = "";
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        strcat(strcat(known, i ? ", " : ""), sets[i].name);
    for (int i = 0; i < in->given->n_operands && !status; i++) {
        const char *shapes = in->given->operands[i];
        char text[64];
        layer s;
        for (size_t j = 0; j < sizeof sets / sizeof *sets; j++)
            if (strcmp(sets[j].name, in->given->operands[i]) == 0)
                shapes = sets[j].shapes;
        for (; !status && sscanf(shapes, "%63s%n", text, &used) == 1; shapes += used) {
            if (!read_shape(text, &s))
                return tool_fail(
                    EXIT_USAGE,
                    "bench conv: \"%s\", expected batch x height x width x channels : height x "
                    "width x filters / stride, such as 128x32x32x16:3x3x16/1, with ,valid and "
                    ",groups=N behind it; batch x inputs : units; or one of %s",
                    text, known);
            status = conv_rows(in, text, &s, false);
            if (!status)
                status = conv_rows(in, text, &s, true);
        }
    }
    return status;
}
