/* The Python that loads the file of --torch: a class whose modules and parameters have the names of the file,
 * and which computes what the net does. */
#include "export/torch.h"
#include "output.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool export_torch_is_path(const char *name)
{
    static const char keywords[] =
        " and as assert async await break class continue def del elif else except "
        "finally for from global if import in is lambda nonlocal not or pass raise "
        "return try while with yield ";
    char part[HKI_MAX_TENSOR_NAME + 2];
    for (const char *end = name;; name = end + 1) {
        end = name + strcspn(name, ".");
        snprintf(part, sizeof part, " %.*s ", (int)(end - name), name);
        for (const char *c = name; c < end; c++)
            if (!isalnum((unsigned char)*c) && *c != '_')
                return false;
        if (end == name || isdigit((unsigned char)*name) || strstr(keywords, part))
            return false;
        if (!*end)
            return true;
    }
}

bool export_torch_is_even(const hk_tensor *t, const export_window *w)
{
    for (int i = 0; i < 2; i++) {
        const int reach = (w->kernel[i] - 1) * w->dilation + 1;
        const int64_t size = t->inputs[0]->shape.dims[1 + i], out = t->shape.dims[1 + i];
        if ((size + 2 * w->before[i] - reach) / w->stride + 1 != out)
            return false;
    }
    return true;
}

/* ---- Modules ------------------------------------------------------------------------------------- */

static long long dim(const hk_tensor *t, int i)
{
    return (long long)t->shape.dims[i < 0 ? t->shape.ndim + i : i];
}

static void put_conv(const hk_tensor *t, FILE *to)
{
    const hk_tensor *filters = t->inputs[1];
    const export_window w = export_window_of(t);
    const bool even = export_torch_is_even(t, &w);
    fprintf(
        to,
        "Conv2d(%lld, %lld, (%d, %d), stride=%d, padding=(%d, %d), dilation=%d, groups=%d, bias=%s)",
        dim(t->inputs[0], 3), dim(filters, 3), w.kernel[0], w.kernel[1], w.stride,
        even ? w.before[0] : 0, even ? w.before[1] : 0, w.dilation, w.groups,
        t->n_inputs > 2 ? "True" : "False");
}

static void put_linear(const hk_tensor *t, FILE *to)
{
    fprintf(to, "Linear(%lld, %lld, bias=%s)", dim(t->inputs[1], 0), dim(t->inputs[1], 1),
            t->n_inputs > 2 ? "True" : "False");
}

static void put_batch_norm(const hk_tensor *t, FILE *to)
{
    fprintf(to, "BatchNorm%dd(%lld, eps=%s, momentum=%s)", t->shape.ndim == 4 ? 2 : 1, dim(t, -1),
            tool_shortest(export_parameter_of(t, "eps"), false),
            tool_shortest(export_parameter_of(t, "momentum"), false));
}

static void put_group_norm(const hk_tensor *t, FILE *to)
{
    fprintf(to, "GroupNorm(%lld, %lld, eps=%s)", (long long)export_groups_of(t), dim(t, -1),
            tool_shortest(export_parameter_of(t, "eps"), false));
}

/* Over a whole sample it is of one group. */
static void put_layer_norm(const hk_tensor *t, FILE *to)
{
    const char *eps = tool_shortest(export_parameter_of(t, "eps"), false);
    if (export_parameter_of(t, "over") > 0)
        fprintf(to, "LayerNorm(%lld, eps=%s)", dim(t, -1), eps);
    else
        fprintf(to, "GroupNorm(1, %lld, eps=%s)", dim(t, -1), eps);
}

static void put_prelu(const hk_tensor *t, FILE *to)
{
    fprintf(to, "PReLU(%lld)", dim(t->inputs[1], 0));
}

/* What has a module with the same parameters: `first` is that of input 1. */
typedef struct row {
    const hki_op *op;
    const char *plugin, *first;
    void (*put)(const hk_tensor *t, FILE *to);
} row;

static const row rows[] = {
    {&hki_op_conv2d, "", ".weight", put_conv},
    {&hki_op_linear, "", ".weight", put_linear},
    {&hki_op_normalize, "batch_norm", ".gamma", put_batch_norm},
    {&hki_op_normalize, "group_norm", ".gamma", put_group_norm},
    {&hki_op_normalize, "layer_norm", ".gamma", put_layer_norm},
    {&hki_op_activate, "prelu", ".slope", put_prelu},
};

/* The row of t, and the name of the module: that of input 1 without its last part. */
static const row *row_of(const hk_tensor *t, char name[HKI_MAX_TENSOR_NAME])
{
    const hk_tensor *leaf = t->n_inputs > 1 ? hki_torch_origin(t->inputs[1]) : NULL;
    const char *plugin =
        t->op == &hki_op_normalize || t->op == &hki_op_activate ? hki_use_of(t)->plugin->name : "";
    const char *last = leaf && leaf->name ? strrchr(leaf->name, '.') : NULL;
    for (size_t i = 0; last && i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == t->op && strcmp(rows[i].plugin, plugin) == 0 &&
            strcmp(rows[i].first, last) == 0) {
            snprintf(name, HKI_MAX_TENSOR_NAME, "%.*s", (int)(last - leaf->name), leaf->name);
            return export_torch_is_path(name) ? &rows[i] : NULL;
        }
    return NULL;
}

bool export_torch_module(const hk_tensor *t, char name[HKI_MAX_TENSOR_NAME])
{
    return row_of(t, name) != NULL;
}

/* ---- The class ----------------------------------------------------------------------------------- */

/* The module of a name, up to `length`; NULL: none computes something. */
static const row *find_module(const hk_tensor *logits, const char *name, size_t length,
                              const hk_tensor **t)
{
    char module[HKI_MAX_TENSOR_NAME];
    for (int id = 0; id <= logits->id; id++) {
        const row *it = row_of(*t = logits->net->tensors[id], module);
        if (it && strlen(module) == length && memcmp(module, name, length) == 0)
            return it;
    }
    return NULL;
}

/* Whether an array before t begins with these letters of its name. */
static bool is_begun(const hk_tensor *t, size_t length)
{
    for (int id = 0; id < t->id; id++) {
        const hk_tensor *other = t->net->tensors[id];
        if (export_is_array(other) && strncmp(other->name, t->name, length) == 0)
            return true;
    }
    return false;
}

/* The modules that it is the first array of, and itself where it is in none that computes something. */
static void put_array(const hk_tensor *logits, const hk_tensor *t, FILE *to)
{
    char name[HKI_MAX_TENSOR_NAME];
    const hk_tensor *computed;
    const row *module = NULL;
    hki_torch_name(t, name);
    if (!export_torch_is_path(name))
        return;
    const char *last = name, *dot = name;
    for (; (dot = strchr(dot, '.')); last = ++dot) {
        const size_t n = (size_t)(dot - name);
        module = find_module(logits, name, n, &computed);
        if (is_begun(t, n + 1))
            continue;
        fprintf(to, "        self.%.*s = torch.nn.", (int)n, name);
        if (module)
            module->put(computed, to);
        fputs(module ? "\n" : "Module()\n", to);
    }
    if (module)
        return;
    if (t->role == HKI_LEARNED)
        fprintf(to, "        self.%s = torch.nn.Parameter(torch.empty(", name);
    else
        fprintf(to, "        self.%.*sregister_buffer(\"%s\", torch.empty(", (int)(last - name),
                name, last);
    const hk_shape shape = hki_torch_order_of(t).shape;
    for (int i = 0; i < shape.ndim; i++)
        fprintf(to, "%s%lld", i ? ", " : "", (long long)shape.dims[i]);
    fputs("))\n", to);
}

/* A text as Python writes it. */
static void put_quoted(const char *text, FILE *to)
{
    putc('"', to);
    for (; *text; text++)
        if (isprint((unsigned char)*text) && *text != '"' && *text != '\\')
            putc(*text, to);
        else
            fprintf(to, "\\x%02x", (unsigned)(unsigned char)*text);
    putc('"', to);
}

void export_put_torch(hk_tensor *logits, const char *title, const char *path, FILE *to)
{
    char *method = NULL;
    size_t size;
    FILE *text = open_memstream(&method, &size);
    if (text)
        export_put_forward(logits, text);
    if (!text || fclose(text) != 0) {
        tool_no_memory();
        free(method);
        return;
    }
    fprintf(to, "# %s. Images are [batch, channels, height, width].\n", title);
    fputs(
        "import torch\nimport torch.nn.functional as F\nfrom safetensors.torch import load_file\n\n\n",
        to);
    export_put_torch_functions(method, to);
    fputs("class Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n", to);
    for (int id = 0; id < logits->net->n_tensors; id++)
        if (export_is_array(logits->net->tensors[id]))
            put_array(logits, logits->net->tensors[id], to);
    fprintf(to, "\n%s\n\n\nnet = Net()\nnet.load_state_dict(load_file(", method);
    put_quoted(path, to);
    fputs("))\nnet.eval()\n", to);
    free(method);
}
