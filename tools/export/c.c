/* A program as one C99 file: no memory of its own but constants, no library but libm. */
#include "export/c_functions.h"
#include "export/place.h"
#include "export/text.h"
#include "options.h"
#include "output.h"
#include "page/draft.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct c_file {
    const export_program *p;
    FILE *to;
    char name[64]; /* of the file, as an identifier */
    int64_t *places, scratch;
} c_file;

/* ---- Constants --------------------------------------------------------------------------------------- */

/* Within a string: as it is, or in octal. */
static void put_character(unsigned char it, FILE *to)
{
    if (it >= ' ' && it <= '~' && !strchr("\"\\?", it))
        putc(it, to);
    else
        fprintf(to, "\\%03o", (unsigned)it);
}

/* A compiler takes a hundred times as long, and as much memory, for a number as for four bytes of a string. */
static void put_bytes(float value, FILE *to)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; i++, bits >>= 8)
        put_character((unsigned char)bits, to);
}

static void put_constants(const c_file *c)
{
    for (int i = 0; i < c->p->n; i++) {
        const export_step *step = &c->p->steps[i];
        const int64_t n = export_count(&step->shape);
        if (step->kind != EXPORT_CONSTANT)
            continue;
        if (*step->name)
            fprintf(c->to, "/* %s */\n", step->name);
        fprintf(c->to,
                "static const union {\n    char bytes[%lld];\n    float values[%lld];\n} c%d = {",
                (long long)(4 * n + 1), (long long)n, i);
        for (int64_t k = 0; k < n; k++) {
            fputs(k % 8 ? "" : k ? "\"\n    \"" : "\n    \"", c->to);
            put_bytes(step->values[k], c->to);
        }
        fputs(n ? "\"};\n\n" : "\"\"};\n\n", c->to);
    }
}

/* ---- Steps ------------------------------------------------------------------------------------------- */

static void put_values(const c_file *c, int step)
{
    const int root = export_root(c->p, step);
    const export_kind kind = c->p->steps[root].kind;
    if (kind == EXPORT_INPUT)
        fputs("inputs", c->to);
    else if (kind == EXPORT_CONSTANT)
        fprintf(c->to, "c%d.values", root);
    else if (c->places[root])
        fprintf(c->to, "scratch + %lld", (long long)c->places[root]);
    else
        fputs("scratch", c->to);
}

/* The index into a smaller tensor of element i of a larger one that it broadcasts to; the dimensions that
 * are as large, or not, are taken together. */
static void put_index(const hk_shape *big, const hk_shape *small, FILE *to)
{
    int64_t below = 1, stride = 1;
    bool any = false;
    for (int k = 1; k <= small->ndim;) {
        const bool same = small->dims[small->ndim - k] == big->dims[big->ndim - k];
        int64_t extent = 1;
        for (;
             k <= small->ndim && (small->dims[small->ndim - k] == big->dims[big->ndim - k]) == same;
             k++)
            extent *= big->dims[big->ndim - k] == HK_BATCH ? 1 : big->dims[big->ndim - k];
        const bool all = below * extent == export_count(big);
        if (same && extent > 1) {
            fputs(any ? " + i" : "i", to);
            if (below > 1)
                fprintf(to, " / %lld", (long long)below);
            if (!all)
                fprintf(to, " %% %lld", (long long)extent);
            if (stride > 1)
                fprintf(to, " * %lld", (long long)stride);
            any = true;
        }
        stride *= same ? extent : 1;
        below *= extent;
    }
    fputs(any ? "" : "0", to);
}

static void put_input(const void *user, const export_step *step, int i)
{
    const c_file *c = user;
    fprintf(c->to, "in%d[", i);
    put_index(&step->shape, &c->p->steps[step->inputs[i]].shape, c->to);
    putc(']', c->to);
}

static void put_map(const c_file *c, int i)
{
    const export_step *step = &c->p->steps[i];
    const bounds within = step->map->within;
    const int64_t n = export_count(&step->shape);
    fputs("    {\n        const float *in0 = ", c->to);
    put_values(c, step->inputs[0]);
    for (int k = 1; k < step->n_inputs; k++) {
        fprintf(c->to, ", *in%d = ", k);
        put_values(c, step->inputs[k]);
    }
    fputs(";\n        float *y = ", c->to);
    put_values(c, i);
    fprintf(c->to, ";\n        for (int i = 0; i < %lld; i++) {\n            %sfloat x = in0[",
            (long long)n, isfinite(within.low) || isfinite(within.high) ? "" : "const ");
    put_index(&step->shape, &c->p->steps[step->inputs[0]].shape, c->to);
    fputs("];\n", c->to);
    if (isfinite(within.low))
        fprintf(c->to, "            x = x < %.1ff ? %.1ff : x;\n", within.low, within.low);
    if (isfinite(within.high))
        fprintf(c->to, "            x = x > %.1ff ? %.1ff : x;\n", within.high, within.high);
    export_put_map(step, &export_c_language, "            ", "y[i] = ", put_input, c, c->to);
    fputs("        }\n    }\n", c->to);
}

static void put_window(const c_file *c, const export_step *step)
{
    const int64_t *x = c->p->steps[step->inputs[0]].shape.dims + 1, *y = step->shape.dims + 1;
    const export_window *w = &step->window;
    fprintf(c->to,
            "&(const window){%lld, %lld, %lld, %d, %d, %d, %d, %d, %d, %d, %lld, %lld, %lld}",
            (long long)x[0], (long long)x[1], (long long)x[2], w->kernel[0], w->kernel[1],
            w->stride, w->dilation, w->groups, w->before[0], w->before[1], (long long)y[0],
            (long long)y[1], (long long)y[2]);
}

/* ", " and the values of an input, or NULL for a bias that is not there. */
static void put_argument(const c_file *c, const export_step *step, int i)
{
    fputs(", ", c->to);
    if (i < step->n_inputs)
        put_values(c, step->inputs[i]);
    else
        fputs("NULL", c->to);
}

static void put_windowed(const c_file *c, int i)
{
    const export_step *step = &c->p->steps[i];
    const bool conv = step->kind == EXPORT_CONV;
    fprintf(c->to, "    %s(", conv ? "conv" : "pool");
    put_window(c, step);
    if (!conv)
        fprintf(c->to, ", %d", step->kind == EXPORT_MAX_POOL);
    for (int k = 0; k < (conv ? 3 : 1); k++)
        put_argument(c, step, k);
    fputs(",\n         ", c->to);
    put_values(c, i);
    fputs(");\n", c->to);
}

static void put_dense(const c_file *c, int i)
{
    const export_step *step = &c->p->steps[i];
    const int64_t in = export_channels(&c->p->steps[step->inputs[0]].shape);
    const int64_t out = export_channels(&step->shape);
    fprintf(c->to, "    dense(%lld, %lld, %lld", (long long)(export_count(&step->shape) / out),
            (long long)in, (long long)out);
    for (int k = 0; k < 3; k++)
        put_argument(c, step, k);
    fputs(", ", c->to);
    put_values(c, i);
    fputs(");\n", c->to);
}

static void put_reduction(const c_file *c, int i)
{
    const export_step *step = &c->p->steps[i];
    const hk_shape *x = &c->p->steps[step->inputs[0]].shape;
    const int64_t n = export_count(&step->shape), all = export_count(x);
    const bool largest = step->kind == EXPORT_LARGEST;
    fputs("    {\n        const float *x = ", c->to);
    put_values(c, step->inputs[0]);
    fputs(";\n        float *y = ", c->to);
    put_values(c, i);
    fprintf(c->to, ";\n        for (int i = 0; i < %lld; i++)\n            y[i] = %s;\n",
            (long long)n, largest ? "-INFINITY" : "0");
    fprintf(c->to, "        for (int i = 0; i < %lld; i++)\n            y[", (long long)all);
    put_index(x, &step->shape, c->to);
    if (largest) {
        fputs("] = fmaxf(x[i], y[", c->to);
        put_index(x, &step->shape, c->to);
        fputs("]);\n", c->to);
    } else {
        fputs("] += x[i];\n", c->to);
    }
    if (step->kind == EXPORT_MEAN)
        fprintf(c->to, "        for (int i = 0; i < %lld; i++)\n            y[i] /= %lld;\n",
                (long long)n, (long long)(all / n));
    fputs("    }\n", c->to);
}

static void put_concat(const c_file *c, int i)
{
    const export_step *step = &c->p->steps[i];
    const int64_t a = export_channels(&c->p->steps[step->inputs[0]].shape);
    const int64_t both = export_channels(&step->shape);
    fputs("    {\n        const float *a = ", c->to);
    put_values(c, step->inputs[0]);
    fputs(", *b = ", c->to);
    put_values(c, step->inputs[1]);
    fputs(";\n        float *y = ", c->to);
    put_values(c, i);
    fprintf(
        c->to,
        ";\n        for (int i = 0; i < %lld; i++)\n            y[i] = i %% %lld < %lld ? *a++ : "
        "*b++;\n    }\n",
        (long long)export_count(&step->shape), (long long)both, (long long)a);
}

static void put_steps(const c_file *c)
{
    static void (*const put[])(const c_file *, int) = {
        [EXPORT_CONV] = put_windowed,     [EXPORT_MATMUL] = put_dense,
        [EXPORT_MAX_POOL] = put_windowed, [EXPORT_AVERAGE_POOL] = put_windowed,
        [EXPORT_MAP] = put_map,           [EXPORT_SUM] = put_reduction,
        [EXPORT_MEAN] = put_reduction,    [EXPORT_LARGEST] = put_reduction,
        [EXPORT_CONCAT] = put_concat,
    };
    const char *layer = "";
    for (int i = 0; i < c->p->n; i++) {
        const export_step *step = &c->p->steps[i];
        if (c->places[i] < 0)
            continue;
        if (*step->layer && strcmp(step->layer, layer) != 0)
            fprintf(c->to, "    /* %s */\n", step->layer);
        layer = step->layer;
        put[step->kind](c, i);
    }
}

/* ---- The file ---------------------------------------------------------------------------------------- */

static void put_head(const c_file *c)
{
    const export_program *p = c->p;
    const hk_shape *in = &p->steps[0].shape;
    const char *n = c->name;
    fprintf(c->to, "/* %s, by hillock %s.\n *\n", p->title, HK_VERSION);
    fprintf(c->to, " *     static float scratch[%s_SCRATCH];\n", n);
    fprintf(c->to, " *     float inputs[%s_INPUTS], outputs[%s_OUTPUTS];\n", n, n);
    fprintf(c->to, " *     %s_run(inputs, outputs, scratch);\n *\n", n);
    fputs(" * The inputs are", c->to);
    for (int i = 1; i < in->ndim; i++)
        fprintf(c->to, "%s%lld", i > 1 ? " x " : " ", (long long)in->dims[i]);
    fprintf(c->to,
            " numbers, channels last%s. With -D%s_MAIN it is a program\n"
            " * that reads inputs from standard input and prints their outputs. */\n",
            p->card->mean ? ", as they are in the data" : ", standardised", n);
    fputs("#include <math.h>\n#include <stdio.h>\n\n"
          "#if defined __BYTE_ORDER__ && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__\n"
          "#error \"the numbers stand here as bytes, the lowest first\"\n#endif\n\n",
          c->to);
    fprintf(c->to, "enum { %s_INPUTS = %lld, %s_OUTPUTS = %lld, %s_SCRATCH = %lld };\n\n", n,
            (long long)export_count(in), n, (long long)export_count(&p->steps[p->output].shape), n,
            (long long)(c->scratch ? c->scratch : 1));
    fprintf(c->to, "void %s_run(const float *inputs, float *outputs, float *scratch);\n", n);
}

static void put_string(const char *text, FILE *to)
{
    putc('"', to);
    for (; *text; text++)
        put_character((unsigned char)*text, to);
    putc('"', to);
}

static void put_classes(const c_file *c)
{
    const hk_card *card = c->p->card;
    if (!card->class_names)
        return;
    fprintf(c->to,
            "extern const char *const %s_classes[%d];\n\nconst char *const %s_classes[%d] = {",
            c->name, card->classes, c->name, card->classes);
    for (int i = 0; i < card->classes; i++) {
        fputs(i % 8 ? ", " : i ? ",\n    " : "\n    ", c->to);
        put_string(card->class_names[i], c->to);
    }
    fputs("};\n", c->to);
}

static void put_run(const c_file *c)
{
    fprintf(c->to, "void %s_run(const float *inputs, float *outputs, float *scratch)\n{\n",
            c->name);
    if (!c->scratch)
        fputs("    (void)scratch;\n", c->to);
    put_steps(c);
    fprintf(c->to, "    for (int i = 0; i < %s_OUTPUTS; i++)\n        outputs[i] = (", c->name);
    put_values(c, c->p->output);
    fputs(")[i];\n}\n\n", c->to);
    fprintf(c->to, "#ifdef %s_MAIN\nint main(void)\n{\n", c->name);
    fprintf(c->to,
            "    static float inputs[%s_INPUTS], outputs[%s_OUTPUTS], scratch[%s_SCRATCH];\n",
            c->name, c->name, c->name);
    fprintf(c->to,
            "    for (int i = 0; scanf(\"%%f\", &inputs[i]) == 1;)\n"
            "        if (++i == %s_INPUTS) {\n            i = 0;\n"
            "            %s_run(inputs, outputs, scratch);\n"
            "            for (int k = 0; k < %s_OUTPUTS; k++)\n"
            "                printf(\"%%.9g%%c\", (double)outputs[k], k + 1 < %s_OUTPUTS ? ' ' : "
            "'\\n');\n"
            "        }\n    return 0;\n}\n#endif\n",
            c->name, c->name, c->name, c->name);
}

/* The file's name up to its point, as an identifier. */
static void set_name(c_file *c, const char *path)
{
    const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    size_t n = 0;
    if (!isalpha((unsigned char)*file))
        n = (size_t)snprintf(c->name, sizeof c->name, "net_");
    for (; *file && *file != '.' && n + 1 < sizeof c->name; file++)
        c->name[n++] = isalnum((unsigned char)*file) ? *file : '_';
    c->name[n] = '\0';
}

int export_write_c(const export_program *p, const char *path)
{
    draft file;
    c_file c = {.p = p, .places = calloc((size_t)p->n, sizeof *c.places)};
    c.scratch = c.places ? export_place(p, c.places) : -1;
    if (c.scratch > INT32_MAX || c.scratch < 0) {
        free(c.places);
        return c.scratch <= INT32_MAX
                   ? tool_no_memory()
                   : tool_fail(EXIT_USAGE,
                               "export: %s: its scratch buffer would have %lld floats, at "
                               "most %d are possible",
                               path, (long long)c.scratch, INT32_MAX);
    }
    page_draft_open(&file);
    set_name(&c, path);
    c.to = file.to;
    put_head(&c);
    put_classes(&c);
    putc('\n', c.to);
    export_put_c_functions(p, c.to);
    put_constants(&c);
    put_run(&c);
    free(c.places);
    return page_draft_save(&file, path);
}
