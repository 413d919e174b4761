/* The scaffolds of hillock new: each the smallest honest plugin of its kind, with the places to
 * write marked. @ stands for the plugin's name. */
#include "plugin/scaffold.h"

#include <stdio.h>
#include <stdlib.h>

static const char activation[] =
    "/* @: say here what it computes, and why.\n"
    " * Unpublished: say here who proposed it, when and where. */\n"
    "#include <hillock/kernel.h>\n"
    "\n"
    "/* What the user may set, @:alpha=2. a.p[0] in the bodies; HK_SLOTS makes it learned. */\n"
    "HK_PARAMS({.name = \"alpha\", .doc = \"width of the bend\", .type = HK_REAL,\n"
    "           .flags = HK_LOW_OPEN, .value = 1, .low = 0, .high = 100});\n"
    "\n"
    "/* f(x) and f'(x). Write numbers that are not whole as (real)0.5, and hks_exp(a.x). */\n"
    "HK_VALUE(return a.x / (1 + hks_abs(a.x) / a.p[0]);)\n"
    "HK_SLOPE(const real w = 1 + hks_abs(a.x) / a.p[0];\n"
    "         return 1 / (w * w);)\n"
    "\n"
    "/* HK_READS_Y instead, when the slope is written with a.y: that needs no memory for x. */\n"
    "HK_ELEMENTWISE(@, HK_READS_X,\n"
    "               .params = params,\n"
    "               .summary = \"x / (1 + |x| / alpha)\",\n"
    "               .source = \"unpublished\");\n";

static const char normalization[] =
    "/* @: x / sqrt(mean(x^2) + eps), each channel of a sample by itself. Say here what it is\n"
    " * for.\n"
    " * Unpublished: say here who proposed it, when and where. */\n"
    "#include <hillock/kernel.h>\n"
    "\n"
    "HK_PARAMS({.name = \"eps\", .doc = \"added to the mean square\", .type = HK_REAL,\n"
    "           .flags = HK_LOW_OPEN, .value = 1e-5, .low = 0, .high = 1});\n"
    "\n"
    "/* What mean and m2 = sum (x - mean)^2 are taken over: HK_OVER_BATCH, or each sample. */\n"
    "static hk_domain domain(const hk_context *context)\n"
    "{\n"
    "    (void)context;\n"
    "    return HK_OVER_SAMPLE;\n"
    "}\n"
    "\n"
    "static double scale(const hk_context *context, const hk_moments *seen, int64_t j)\n"
    "{\n"
    "    double square = seen->m2[j] / (double)seen->rows + seen->mean[j] * seen->mean[j];\n"
    "    return 1 / sqrt(square + context->params[0]);\n"
    "}\n"
    "\n"
    "/* y = coef[0] x + coef[1], for each channel j. */\n"
    "static void coefficients(const hk_context *context, const hk_moments *seen, float *coef)\n"
    "{\n"
    "    for (int64_t j = 0; j < context->channels; j++) {\n"
    "        coef[j] = (float)scale(context, seen, j);\n"
    "        coef[context->channels + j] = 0;\n"
    "    }\n"
    "}\n"
    "\n"
    "/* dx = bcoef[0] dy + bcoef[1] x + bcoef[2], from the sums of dy and of dy (x - mean):\n"
    " * with r the scale, dx = r dy - r^3 x mean(dy x). */\n"
    "static void gradient(const hk_context *context, const float *coef, const hk_moments *seen,\n"
    "                     const double *sum_dy, const double *sum_dyx, float *bcoef,\n"
    "                     float *const *dslots)\n"
    "{\n"
    "    (void)coef, (void)dslots;\n"
    "    for (int64_t j = 0; j < context->channels; j++) {\n"
    "        const double r = scale(context, seen, j);\n"
    "        const double sum = sum_dyx[j] + seen->mean[j] * sum_dy[j];\n"
    "        bcoef[j] = (float)r;\n"
    "        bcoef[context->channels + j] = (float)(-r * r * r * sum / (double)seen->rows);\n"
    "        bcoef[2 * context->channels + j] = 0;\n"
    "    }\n"
    "}\n"
    "\n"
    "static const hk_normalization normalization = {\n"
    "    .domain = domain, .n_coef = 2, .coefficients = coefficients, .gradient = gradient};\n"
    "\n"
    "HK_BUNDLE({HK_NORMALIZATION_ROW(@), .normalization = &normalization,\n"
    "           .params = params,\n"
    "           .summary = \"x / sqrt(mean(x^2) + eps), by channel and sample\",\n"
    "           .source = \"unpublished\"});\n";

static const char initializer[] =
    "/* @: normal with variance scale^2 / fan_in. Say here what it keeps, and for which nets.\n"
    " * Unpublished: say here who proposed it, when and where. */\n"
    "#include <hillock/kernel.h>\n"
    "\n"
    "HK_PARAMS({.name = \"scale\", .doc = \"factor of the deviation\", .type = HK_REAL,\n"
    "           .flags = HK_LOW_OPEN, .value = 1, .low = 0, .high = 1000});\n"
    "\n"
    "/* Writes w[first .. first + count - 1] of a matrix [rows x columns], output channel last. A\n"
    " * number depends on the key and its index alone, so any part can be filled at any time.\n"
    " * Answers NULL, or a constant sentence that says what does not fit. */\n"
    "static const char *fill(const hk_context *context, const hk_weight *weight)\n"
    "{\n"
    "    const double deviation = context->params[0] / sqrt((double)weight->fan_in);\n"
    "    for (int64_t i = weight->first; i < weight->first + weight->count; i++)\n"
    "        weight->w[i] = (float)(deviation * (double)hks_normal(weight->key, (uint64_t)i));\n"
    "    return NULL;\n"
    "}\n"
    "\n"
    "static const hk_initializer initializer = {.traits = HK_FILLS_RANGES, .fill = fill};\n"
    "\n"
    "HK_BUNDLE({HK_INITIALIZER_ROW(@), .initializer = &initializer,\n"
    "           .params = params,\n"
    "           .summary = \"N(0, scale^2 / fan_in)\",\n"
    "           .source = \"unpublished\"});\n";

char *plugin_scaffold_text(hk_kind kind, const char *name)
{
    static const char *const texts[] = {[HK_ACTIVATION] = activation,
                                        [HK_NORMALIZATION] = normalization,
                                        [HK_INITIALIZER] = initializer};
    char *made = NULL;
    size_t size;
    FILE *to = open_memstream(&made, &size);
    if (!to)
        return NULL;
    for (const char *c = texts[kind]; *c; c++)
        if (*c == '@')
            fputs(name, to);
        else
            putc(*c, to);
    if (fclose(to) == 0)
        return made;
    free(made);
    return NULL;
}
