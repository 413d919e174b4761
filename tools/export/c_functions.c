/* Functions that a C file has if it calls them, as texts. */
#include "export/c_functions.h"

#include <string.h>

const export_language export_c_language = {
    .functions = {[OP_MIN] = "least",         [OP_MAX] = "greatest", [OP_ABS] = "fabsf",
                  [OP_SIGN] = "sign",         [OP_FLOOR] = "floorf", [OP_CAP] = "least",
                  [OP_CLAMP] = "clamp",       [OP_EXP] = "expf",     [OP_EXPM1] = "expm1f",
                  [OP_LOG] = "logf",          [OP_LOG1P] = "log1pf", [OP_SQRT] = "sqrtf",
                  [OP_SIN] = "sinf",          [OP_COS] = "cosf",     [OP_TAN] = "tanf",
                  [OP_ATAN] = "atanf",        [OP_TANH] = "tanhf",   [OP_SIGMOID] = "sigmoid",
                  [OP_SOFTPLUS] = "softplus", [OP_ERF] = "erff",     [OP_ERFC] = "erfcf",
                  [OP_NORMAL] = "normal",     [OP_BELL] = "bell",    [OP_SECH2] = "sech2",
                  [OP_POW] = "powf"},
    .begin = "const float ",
    .end = ";",
    .suffix = "f",
    .choice = "(%c ? %a : %b)"};

/* NaN comes through: what knows x stands second. */
static const struct {
    const char *name, *text;
} functions[] = {
    {"least", "float a, float b)\n{\n    return a < b ? a : b;"},
    {"greatest", "float a, float b)\n{\n    return a > b ? a : b;"},
    {"sign", "float x)\n{\n    return x > 0 ? 1 : x < 0 ? -1 : x;"},
    {"clamp", "float x)\n{\n    return x < -1e30f ? -1e30f : x > 1e30f ? 1e30f : x;"},
    {"sigmoid", "float x)\n{\n    const float e = expf(-fabsf(x));\n"
                "    return (x < 0 ? e : 1) / (1 + e);"},
    {"softplus", "float x)\n{\n    return (x > 0 ? x : 0) + log1pf(expf(-fabsf(x)));"},
    {"normal", "float x)\n{\n    return 0.5f * erfcf(-0.707106781f * x);"},
    {"bell", "float x)\n{\n    return expf(-0.5f * x * x);"},
    {"sech2", "float x)\n{\n    const float e = expf(-2 * fabsf(x));\n"
              "    return 4 * e / ((1 + e) * (1 + e));"},
};

static bool uses_function(const export_program *p, const char *name)
{
    for (int i = 0; i < p->n; i++)
        for (opcode op = 0; p->steps[i].map && op < OP_COUNT; op++)
            if (export_c_language.functions[op] &&
                strcmp(export_c_language.functions[op], name) == 0 &&
                formula_contains_op(&p->steps[i].map->f, p->steps[i].map->value, op))
                return true;
    return false;
}

static bool uses_kind(const export_program *p, export_kind kind)
{
    for (int i = 0; i < p->n; i++)
        if (p->steps[i].kind == kind)
            return true;
    return false;
}

static const char window_text[] =
    "/* Images are [height, width, channels]; `before` is what of a window lies outside at first. */\n"
    "typedef struct window {\n"
    "    int height, width, channels, kernel_height, kernel_width;\n"
    "    int stride, dilation, groups, before_y, before_x;\n"
    "    int out_height, out_width, out_channels;\n"
    "} window;\n\n";

/* Sums of a block, of a tap and of the taps are added up apart: shorter sums lose fewer digits, and a block's
 * stay in registers. */
static const char products_text[] =
    "/* Adds to each of n <= 8 outputs the products of `in` numbers with its column of k, whose rows are\n"
    " * `step` apart: 32 at a time, since short sums lose fewer digits. */\n"
    "static void add_products(int in, const float *x, const float *k, int step, int n, float *y)\n"
    "{\n"
    "    float sum[8] = {0};\n"
    "    for (int first = 0; first < in; first += 32) {\n"
    "        const int end = in - first < 32 ? in : first + 32;\n"
    "        float part[8] = {0};\n"
    "        for (int i = first; n == 8 && i < end; i++)\n"
    "            for (int j = 0; j < 8; j++)\n"
    "                part[j] += x[i] * k[i * step + j];\n"
    "        for (int i = first; n < 8 && i < end; i++)\n"
    "            for (int j = 0; j < n; j++)\n"
    "                part[j] += x[i] * k[i * step + j];\n"
    "        for (int j = 0; j < 8; j++)\n"
    "            sum[j] += part[j];\n"
    "    }\n"
    "    for (int j = 0; j < n; j++)\n"
    "        y[j] += sum[j];\n"
    "}\n\n";

static const char conv_text[] =
    "/* k: [kernel height, kernel width, channels / groups, out channels]; bias: NULL or as many. */\n"
    "static void conv(const window *w, const float *x, const float *k, const float *bias, float *y)\n"
    "{\n"
    "    const int in = w->channels / w->groups, out = w->out_channels / w->groups;\n"
    "    for (int at = 0; at < w->out_height * w->out_width; at++, y += w->out_channels) {\n"
    "        const int top = at / w->out_width * w->stride - w->before_y;\n"
    "        const int left = at % w->out_width * w->stride - w->before_x;\n"
    "        for (int o = 0; o < w->out_channels; o++)\n"
    "            y[o] = bias ? bias[o] : 0;\n"
    "        for (int place = 0; place < w->kernel_height * w->kernel_width; place++) {\n"
    "            const int row = top + place / w->kernel_width * w->dilation;\n"
    "            const int column = left + place % w->kernel_width * w->dilation;\n"
    "            if (row < 0 || row >= w->height || column < 0 || column >= w->width)\n"
    "                continue;\n"
    "            const float *from = x + (row * w->width + column) * w->channels;\n"
    "            const float *taps = k + place * in * w->out_channels;\n"
    "            for (int o = 0; in * out == 1 && o < w->out_channels; o++)\n"
    "                y[o] += from[o] * taps[o];\n"
    "            for (int group = 0; in * out > 1 && group < w->groups; group++, from += in)\n"
    "                for (int o = group * out, n; o < (group + 1) * out; o += n) {\n"
    "                    n = (group + 1) * out - o < 8 ? (group + 1) * out - o : 8;\n"
    "                    add_products(in, from, taps + o, w->out_channels, n, y + o);\n"
    "                }\n"
    "        }\n"
    "    }\n"
    "}\n\n";

static const char pool_text[] =
    "/* The largest of each window, or the average of what lies inside. */\n"
    "static void pool(const window *w, int largest, const float *x, float *y)\n"
    "{\n"
    "    for (int at = 0; at < w->out_height * w->out_width; at++, y += w->channels) {\n"
    "        const int top = at / w->out_width * w->stride - w->before_y;\n"
    "        const int left = at % w->out_width * w->stride - w->before_x;\n"
    "        int n = 0;\n"
    "        for (int place = 0; place < w->kernel_height * w->kernel_width; place++) {\n"
    "            const int row = top + place / w->kernel_width;\n"
    "            const int column = left + place % w->kernel_width;\n"
    "            if (row < 0 || row >= w->height || column < 0 || column >= w->width)\n"
    "                continue;\n"
    "            const float *from = x + (row * w->width + column) * w->channels;\n"
    "            for (int i = 0; i < w->channels; i++)\n"
    "                y[i] = n == 0                    ? from[i]\n"
    "                       : !largest                ? y[i] + from[i]\n"
    "                       : from[i] > y[i] || from[i] != from[i] ? from[i]\n"
    "                                                 : y[i];\n"
    "            n++;\n"
    "        }\n"
    "        for (int i = 0; !largest && i < w->channels; i++)\n"
    "            y[i] /= (float)n;\n"
    "    }\n"
    "}\n\n";

static const char dense_text[] =
    "/* x: [rows, in], weight: [in, out]; bias: NULL or [out]. */\n"
    "static void dense(int rows, int in, int out, const float *x, const float *weight,\n"
    "                  const float *bias, float *y)\n"
    "{\n"
    "    for (int row = 0; row < rows; row++, x += in, y += out) {\n"
    "        for (int o = 0; o < out; o++)\n"
    "            y[o] = bias ? bias[o] : 0;\n"
    "        for (int o = 0; o < out; o += 8)\n"
    "            add_products(in, x, weight + o, out, out - o < 8 ? out - o : 8, y + o);\n"
    "    }\n"
    "}\n\n";

void export_put_c_functions(const export_program *p, FILE *to)
{
    const bool conv = uses_kind(p, EXPORT_CONV), dense = uses_kind(p, EXPORT_MATMUL);
    const bool pool = uses_kind(p, EXPORT_MAX_POOL) || uses_kind(p, EXPORT_AVERAGE_POOL);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (uses_function(p, functions[i].name))
            fprintf(to, "static float %s(%s\n}\n\n", functions[i].name, functions[i].text);
    fputs(conv || pool ? window_text : "", to);
    fputs(conv || dense ? products_text : "", to);
    fputs(conv ? conv_text : "", to);
    fputs(pool ? pool_text : "", to);
    fputs(dense ? dense_text : "", to);
}
