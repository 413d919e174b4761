/* The Python that loads the file of --torch: the net's layers as modules of torch.nn, under the names that
 * the file has, with how the net uses them. */
#include "export/graph.h"
#include "output.h"

#include <ctype.h>
#include <string.h>

static bool is_identifier(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return false;
    return *name && !isdigit((unsigned char)*name);
}

static int64_t dim(const hk_tensor *t, int i)
{
    return t->shape.dims[i];
}

/* What padding() of a module cannot say: more behind than before. */
static void put_uneven(const export_window *w)
{
    printf("  # after F.pad(x, (%d, %d, %d, %d))", w->before[1], w->behind[1], w->before[0],
           w->behind[0]);
}

static void put_conv(const hk_tensor *t)
{
    const hk_tensor *filters = t->inputs[1];
    const int groups = (int)export_constant_of(t, "groups");
    const export_window w = export_window_of_conv(t);
    const bool even = w.before[0] == w.behind[0] && w.before[1] == w.behind[1];
    printf("Conv2d(%lld, %lld, (%lld, %lld), stride=%d, padding=(%d, %d), dilation=%d, groups=%d, "
           "bias=%s)",
           (long long)dim(t->inputs[0], 3), (long long)dim(filters, 3), (long long)dim(filters, 0),
           (long long)dim(filters, 1), w.stride, even ? w.before[0] : 0, even ? w.before[1] : 0,
           w.dilation, groups ? groups : 1, t->n_inputs > 2 ? "True" : "False");
    if (!even)
        put_uneven(&w);
}

static void put_linear(const hk_tensor *t)
{
    printf("Linear(%lld, %lld, bias=%s)", (long long)dim(t->inputs[1], 0),
           (long long)dim(t->inputs[1], 1), t->n_inputs > 2 ? "True" : "False");
}

static void put_norm(const hk_tensor *t)
{
    const hki_use *use = hki_use_of(t);
    const long long channels = (long long)dim(t, t->shape.ndim - 1);
    double eps = 0;
    for (int i = 0; use->plugin->params && use->plugin->params[i].name; i++)
        if (strcmp(use->plugin->params[i].name, "eps") == 0)
            eps = use->params[i];
    printf("BatchNorm%dd(%lld, eps=%g)", t->shape.ndim == 4 ? 2 : 1, channels, eps);
}

static void put_prelu(const hk_tensor *t)
{
    printf("PReLU(%lld)", (long long)dim(t, t->shape.ndim - 1));
}

/* What has a module in torch.nn with these names. */
static void put_module(const hk_tensor *t)
{
    static const struct {
        const hki_op *op;
        const char *plugin, *place; /* NULL: any; behind the layer's name */
        void (*put)(const hk_tensor *t);
    } rows[] = {{&hki_op_conv2d, NULL, "", put_conv},
                {&hki_op_linear, NULL, "", put_linear},
                {&hki_op_normalize, "batch_norm", ".norm", put_norm},
                {&hki_op_activate, "prelu", ".act", put_prelu}};
    const char *layer = export_layer(t);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && is_identifier(layer); i++)
        if (rows[i].op == t->op &&
            (!rows[i].plugin || strcmp(rows[i].plugin, hki_use_of(t)->plugin->name) == 0)) {
            printf("        self.%s%s = torch.nn.", layer, rows[i].place);
            rows[i].put(t);
            putchar('\n');
        }
}

/* A text as Python writes it. */
static void put_quoted(const char *text)
{
    putchar('"');
    for (; *text; text++)
        if (isprint((unsigned char)*text) && *text != '"' && *text != '\\')
            putchar(*text);
        else
            printf("\\x%02x", (unsigned)(unsigned char)*text);
    putchar('"');
}

void export_print_torch(hk_tensor *logits, const char *title, const char *path)
{
    printf(
        "# %s: its layers, in the order of computing. Images are [batch, channels, height, width].\n",
        title);
    printf(
        "import torch\nfrom safetensors.torch import load_file\n\n\nclass Net(torch.nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n");
    for (int id = 0; id <= logits->id; id++)
        if (logits->net->tensors[id]->role == HKI_COMPUTED)
            put_module(logits->net->tensors[id]);
    printf("\n    # def forward(self, x): what joins them\n\n\nnet = Net()\n"
           "net.load_state_dict(load_file(");
    put_quoted(path);
    printf("))\nnet.eval()\n");
}
