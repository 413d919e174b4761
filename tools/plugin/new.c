/* hillock new: the source of a plugin, from a formula or as a scaffold to be filled in. Writes one
 * file, and never over one that is there. */
#include "plugin/formula/formula.h"
#include "options.h"
#include "output.h"
#include "page/draft.h"
#include "memory.h"

#include <hillock/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_plugin_name(const char *text)
{
    static const char *const rest = "abcdefghijklmnopqrstuvwxyz0123456789_";
    return *text >= 'a' && *text <= 'z' && strspn(text, rest) == strlen(text) &&
           strlen(text) < PARAMETER_NAME;
}

/* ---- --param NAME=DEFAULT[:LOW:HIGH][:learned] ----------------------------------------------- */

/* A number up to the next colon; *text goes behind it. */
static bool take_number(const char **text, double *out)
{
    char *end;
    size_t length = strcspn(*text, ":");
    *out = strtod(*text, &end);
    bool right = length && end == *text + length && strspn(*text, "0123456789+-.eE") >= length &&
                 *out - *out == 0;
    *text = end + (*end == ':');
    return right;
}

static bool parse_parameter(const char *text, parameter *out)
{
    size_t length = strcspn(text, "=");
    *out = (parameter){0};
    if (!text[length] || length >= sizeof out->name)
        return false;
    memcpy(out->name, text, length);
    text += length + 1;
    if (!take_number(&text, &out->value))
        return false;
    if (*text && strcmp(text, "learned") != 0 &&
        !(take_number(&text, &out->low) && take_number(&text, &out->high) && out->low < out->high &&
          out->low <= out->value && out->value <= out->high))
        return false;
    out->learned = strcmp(text, "learned") == 0;
    return out->learned || !*text;
}

static int check_parameter(const parameter *all, int n, int counts[2])
{
    const parameter *it = &all[n];
    if (!is_plugin_name(it->name))
        return tool_fail(EXIT_USAGE,
                         "new: --param: \"%s\" is no name; expected a letter, then a-z, "
                         "0-9 and _",
                         it->name);
    if (!formula_name_is_free(it->name))
        return tool_fail(EXIT_USAGE, "new: --param: \"%s\" has a meaning in formulas already",
                         it->name);
    for (int i = 0; i < n; i++)
        if (strcmp(all[i].name, it->name) == 0)
            return tool_fail(EXIT_USAGE, "new: --param: \"%s\" twice", it->name);
    if (++counts[it->learned] > (it->learned ? HK_MAX_SLOTS : HK_MAX_PARAMS))
        return tool_fail(EXIT_USAGE, "new: --param: at most %d parameters, and %d that are learned",
                         HK_MAX_PARAMS, HK_MAX_SLOTS);
    return EXIT_DONE;
}

static int read_parameters(const options *given, parameter *out)
{
    int counts[2] = {0};
    for (int i = 0; i < given->params.n; i++) {
        if (!parse_parameter(given->params.items[i], &out[i]))
            return tool_fail(EXIT_USAGE,
                             "new: --param is \"%s\", expected NAME=DEFAULT[:LOW:HIGH][:learned] "
                             "with LOW <= DEFAULT <= HIGH",
                             given->params.items[i]);
        int status = check_parameter(out, i, counts);
        if (status)
            return status;
    }
    return EXIT_DONE;
}

/* Whether what stands there is a term of a sum by itself: "+ b" at the end, "b -" at the beginning. */
static bool is_term(const char *text, const char *begin, const char *end)
{
    while (begin > text && begin[-1] == ' ')
        begin--;
    while (*end == ' ')
        end++;
    return (begin == text || strchr("+-(", begin[-1])) && (!*end || strchr("+-)", *end)) &&
           !(begin == text && !*end);
}

/* Names that neither formulas nor --param know are learned: from 0 where they are added, else from 1. */
static int add_learned(const char *text, parameter *all, int *n)
{
    static const char *const letters = "abcdefghijklmnopqrstuvwxyz_", *const digits = "0123456789";
    int counts[2] = {0};
    for (const char *at = text, *end; *at; at = end) {
        end = at + 1;
        if (!strchr(letters, *at) || (at > text && strchr(digits, at[-1]))) /* 1e5 */
            continue;
        while (*end && (strchr(letters, *end) || strchr(digits, *end)))
            end++;
        parameter it = {.value = is_term(text, at, end) ? 0 : 1, .learned = true};
        snprintf(it.name, sizeof it.name, "%.*s", (int)(end - at), at);
        bool known = !formula_name_is_free(it.name) || end - at >= PARAMETER_NAME || *end == '(';
        for (int i = 0; i < *n; i++)
            known = known || strcmp(all[i].name, it.name) == 0;
        if (known || *n == MAX_TEXTS)
            continue;
        all[*n] = it;
        const int status = check_parameter(all, *n, counts);
        if (status)
            return status;
        tool_note("%s is learned, from %g on; --param %s=NUMBER:learned starts elsewhere", it.name,
                  it.value, it.name);
        (*n)++;
    }
    return EXIT_DONE;
}

static int read_all_parameters(const options *given, bool is_normalization, parameter *out, int *n)
{
    *n = given->params.n;
    int status = read_parameters(given, out);
    if (!status && is_normalization)
        status = add_learned(given->formula, out, n);
    bool learns = !is_normalization;
    for (int i = 0; i < *n; i++)
        learns = learns || out[i].learned;
    if (!status && !learns)
        status = tool_fail(EXIT_USAGE, "new: a normalization by a formula learns something: "
                                       "expected a name that is not x, as g in g*tanh(x)");
    return status;
}

static int write_formula(const options *given, hk_kind kind, char **text)
{
    parameter parameters[MAX_TEXTS];
    formula_notes notes;
    formula_error error;
    int n;
    const int status = read_all_parameters(given, kind == HK_NORMALIZATION, parameters, &n);
    if (status)
        return status;
    *text = formula_to_c(&(formula_request){.name = given->operands[1],
                                            .formula = given->formula,
                                            .is_normalization = kind == HK_NORMALIZATION,
                                            .derivative = given->derivative,
                                            .surrogate = given->surrogate,
                                            .parameters = parameters,
                                            .n_parameters = n},
                         &notes, &error);
    if (!*text && error.text) { /* the line that is wrong and a caret under the place */
        fputs("  ", stderr);
        tool_put_text(stderr, error.text);
        fprintf(stderr, "\n  %*s\n", error.column, "^");
        return tool_fail(EXIT_USAGE, "new: column %d: %s", error.column, error.sentence);
    }
    if (!*text)
        return tool_fail(EXIT_USAGE, "new: %s", error.sentence);
    for (int i = 0; i < notes.n; i++)
        tool_note("%s", notes.sentences[i]);
    return EXIT_DONE;
}

/* ---- Scaffolds: the smallest honest plugin of each kind; @ stands for its name --------------- */

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
    "               .formula = \"x/(1 + abs(x)/alpha)\", /* for exports; hillock check proves it */\n"
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

static const char model[] =
    "/* @: two convolutions and a dense layer. Say here what it is for, and where it departs from the\n"
    " * paper.\n"
    " * Unpublished: say here who proposed it, when and where. */\n"
    "#include <hillock/model.h>\n"
    "\n"
    "/* What the user may set, @:width=16. */\n"
    "enum { WIDTH };\n"
    "HK_PARAMS({.name = \"width\", .doc = \"maps of the first convolution\", .type = HK_INTEGER,\n"
    "           .value = 8, .low = 1, .high = 1024});\n"
    "\n"
    "/* x are images; the answer is a number for each class. Nothing need be checked between the lines: a\n"
    " * layer that does not fit returns NULL, which the next ones pass on, and its sentence is kept. */\n"
    "static hk_tensor *build(hk_tensor *x, int classes, const double *p)\n"
    "{                                                             /* 28 x 28 x  1 */\n"
    "    const int width = (int)p[WIDTH];\n"
    "    x = hk_maxpool(hk_act(hk_norm(hk_conv(x, width, 3))), 2); /* 14 x 14 x  8 */\n"
    "    x = hk_maxpool(hk_act(hk_norm(hk_conv(x, 2 * width, 3))), 2); /* 7 x 7 x 16 */\n"
    "    return hk_linear(x, classes);                             /*           10 */\n"
    "}\n"
    "\n"
    "/* The images that it is meant for, and what it then has to learn: hillock check counts. */\n"
    "static const hk_model model = {\n"
    "    .build = build, .height = 28, .width = 28, .channels = 1, .parameters = 9122};\n"
    "\n"
    "HK_MODEL(@, model,\n"
    "         .params = params,\n"
    "         .summary = \"two convolutions and a dense layer\",\n"
    "         .source = \"unpublished\");\n";

/* The source of a plugin that works and says where to write; to be freed. */
static char *scaffold_text(hk_kind kind, const char *name)
{
    static const char *const texts[] = {[HK_ACTIVATION] = activation,
                                        [HK_NORMALIZATION] = normalization,
                                        [HK_INITIALIZER] = initializer,
                                        [HK_MODEL] = model};
    char *made = NULL;
    FILE *to = tool_memory_stream(&made, NULL);
    for (const char *c = texts[kind]; *c; c++)
        if (*c == '@')
            fputs(name, to);
        else
            putc(*c, to);
    fclose(to);
    return made;
}

/* --out names a folder or a file; without it the current folder is meant. */
static int place_of(const options *given, char out[4096])
{
    const char *name = given->operands[1];
    struct stat info;
    int length;
    if (!given->out)
        length = snprintf(out, 4096, "%s.c", name);
    else if (given->out[strlen(given->out) - 1] == '/')
        length = snprintf(out, 4096, "%s%s.c", given->out, name);
    else if (stat(given->out, &info) == 0 && S_ISDIR(info.st_mode))
        length = snprintf(out, 4096, "%s/%s.c", given->out, name);
    else
        length = snprintf(out, 4096, "%s", given->out);
    return length < 4096 ? EXIT_DONE : tool_fail(EXIT_USAGE, "new: --out is too long");
}

static int write_new(const char *path, const char *text)
{
    draft d;
    if (access(path, F_OK) == 0)
        return tool_fail(EXIT_IO, "new: %s is there already; it is left as it is", path);
    page_draft_open(&d);
    fputs(text, d.to);
    return page_draft_save(&d, path);
}

static int write_source(const options *given, hk_kind kind, char **text)
{
    if (given->formula && kind != HK_ACTIVATION && kind != HK_NORMALIZATION)
        return tool_fail(EXIT_USAGE,
                         "new: only an activation or a normalization is made from a "
                         "formula; without --formula there is a scaffold for every kind");
    if (given->surrogate && kind == HK_NORMALIZATION)
        return tool_fail(EXIT_USAGE, "new: --surrogate is for activations");
    if (given->formula)
        return write_formula(given, kind, text);
    if (given->derivative || given->surrogate || given->params.n)
        return tool_fail(EXIT_USAGE,
                         "new: --derivative, --surrogate and --param go with --formula");
    *text = scaffold_text(kind, given->operands[1]);
    return EXIT_DONE;
}

int plugin_new_command(options *given)
{
    static const char *const kinds[] = {"activation", "normalization", "initializer", "model"};
    const int n_kinds = sizeof kinds / sizeof *kinds;
    char path[4096], *text = NULL;
    const char *wanted = given->operands[0], *name = given->operands[1];
    const hk_plugin *known;
    hk_kind kind = HK_ACTIVATION;
    while (kind <= HK_MODEL && strcmp(hk_kind_name(kind), wanted) != 0)
        kind++;
    if (kind > HK_MODEL)
        return tool_fail(EXIT_USAGE, "new: unknown kind \"%s\"%s", wanted,
                         tool_known(wanted, kinds, n_kinds));
    if (!is_plugin_name(name))
        return tool_fail(EXIT_USAGE,
                         "new: \"%s\" is no plugin name; expected a letter, then at most %d of "
                         "a-z, 0-9 and _",
                         name, PARAMETER_NAME - 2);
    int status = place_of(given, path);
    if (!status)
        status = write_source(given, kind, &text);
    if (!status && hk_plugin_find(kind, name, &known) == HK_OK)
        tool_note("there is a plugin called \"%s\"; name yours by its path, ./%s.so", name, name);
    if (!status)
        status = write_new(path, text);
    if (!status)
        printf("%s\n", path);
    free(text);
    return status;
}
