/* The forward() of a net in PyTorch, a statement for each operation: modules where torch.nn has them, functions
 * where torch has those, activations by their formula.
 *
 * A value that the next statement alone reads is "x", another one "x12", by the number of its tensor. Images are
 * [batch, channels, height, width]: every tensor of four dimensions is. */
#include "export/text.h"
#include "export/torch.h"
#include "output.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct forward {
    hk_tensor *logits;
    FILE *to;
    bool *needed, *depends; /* by tensor, as in graph.h */
    char refused[256];      /* why there is none; or "" */
} forward;

__attribute__((format(printf, 3, 4))) static void refuse(forward *f, const hk_tensor *t,
                                                         const char *format, ...)
{
    char reason[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    const char *layer = export_layer(t);
    if (!*f->refused)
        snprintf(f->refused, sizeof f->refused, "%.40s%s%s", layer, *layer ? ": " : "", reason);
}

/* ---- Names of values ----------------------------------------------------------------------------- */

static bool is_statement(const forward *f, const hk_tensor *t)
{
    return f->needed[t->id] && f->depends[t->id] && !export_is_nothing(t);
}

static const hk_tensor *source(const hk_tensor *t)
{
    while (export_is_nothing(t))
        t = t->inputs[0];
    return t;
}

/* Whether the next statement alone reads it, or nothing but the end. */
static bool is_passing(const forward *f, const hk_tensor *t)
{
    bool is_next = true;
    for (int id = t->id + 1; id <= f->logits->id; id++) {
        const hk_tensor *reader = f->logits->net->tensors[id];
        if (!is_statement(f, reader))
            continue;
        for (int i = 0; i < reader->n_inputs; i++)
            if (!is_next && source(reader->inputs[i]) == t)
                return false;
        is_next = false;
    }
    return true;
}

static void put_name(const forward *f, const hk_tensor *t)
{
    putc('x', f->to);
    if (!is_passing(f, t))
        fprintf(f->to, "%d", t->id);
}

static void begin(const forward *f, const hk_tensor *t)
{
    fputs("        ", f->to);
    put_name(f, t);
    fputs(" = ", f->to);
}

/* An array of the class; of channels, as it broadcasts to an image. */
static void put_leaf(forward *f, const hk_tensor *t, int ndim)
{
    char name[HKI_MAX_TENSOR_NAME];
    if (!export_is_array(t) || t->shape.ndim > 1) {
        refuse(f, t, "an operand that is no vector of the file");
        return;
    }
    hki_torch_name(t, name);
    if (!export_torch_is_path(name))
        refuse(f, t, "\"%.64s\" is no name in Python", name);
    fprintf(f->to, "self.%s%s", name, ndim == 4 && t->shape.dims[0] > 1 ? ".view(-1, 1, 1)" : "");
}

/* Input i as an operand of a result with `ndim` dimensions. */
static void put_input(forward *f, const hk_tensor *t, int i, int ndim)
{
    const hk_tensor *input = source(t->inputs[i]);
    if (!f->depends[input->id])
        put_leaf(f, input, ndim);
    else if (input->shape.ndim != ndim)
        refuse(f, t, "operands of %d and %d dimensions", input->shape.ndim, ndim);
    else
        put_name(f, input);
}

static void put_x(forward *f, const hk_tensor *t)
{
    put_input(f, t, 0, t->inputs[0]->shape.ndim);
}

/* ---- Activations --------------------------------------------------------------------------------- */

static const export_language python = {
    .functions =
        {[OP_MIN] = "least",         [OP_MAX] = "greatest",      [OP_ABS] = "torch.abs",
         [OP_SIGN] = "torch.sign",   [OP_FLOOR] = "torch.floor", [OP_CAP] = "least",
         [OP_CLAMP] = "clamp",       [OP_EXP] = "exp",           [OP_EXPM1] = "expm1",
         [OP_LOG] = "torch.log",     [OP_LOG1P] = "torch.log1p", [OP_SQRT] = "torch.sqrt",
         [OP_SIN] = "torch.sin",     [OP_COS] = "torch.cos",     [OP_TAN] = "torch.tan",
         [OP_ATAN] = "torch.atan",   [OP_TANH] = "torch.tanh",   [OP_SIGMOID] = "torch.sigmoid",
         [OP_SOFTPLUS] = "softplus", [OP_ERF] = "torch.erf",     [OP_ERFC] = "torch.erfc",
         [OP_NORMAL] = "normal",     [OP_BELL] = "bell",         [OP_SECH2] = "sech2",
         [OP_POW] = "torch.pow"},
    .begin = "",
    .end = "",
    .suffix = "",
    .choice = "torch.where(%c, %a, %b)"};

/* Exponentials end below infinity: what torch.where() does not choose has a gradient of 0, and 0 times that would
 * be NaN. */
static const char *const functions[][2] = {
    {"exp", "x):\n    return torch.exp(x.clamp(max=88.7))"},
    {"expm1", "x):\n    return torch.expm1(x.clamp(max=88.7))"},
    {"least", "a, b):\n    return torch.where(a < b, a, b)"},
    {"greatest", "a, b):\n    return torch.where(a > b, a, b)"},
    {"clamp", "x):\n    return x.clamp(-1e30, 1e30)"},
    {"softplus", "x):\n    return F.relu(x) + torch.log1p(torch.exp(-torch.abs(x)))"},
    {"normal", "x):\n    return 0.5 * torch.erfc(-0.7071067811865476 * x)"},
    {"bell", "x):\n    return torch.exp(-0.5 * x * x)"},
    {"sech2", "x):\n    return 1 - torch.tanh(x) ** 2"},
};

void export_put_torch_functions(const char *method, FILE *to)
{
    char call[16];
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        snprintf(call, sizeof call, "%s(", functions[i][0]);
        if (strstr(method, call))
            fprintf(to, "def %s(%s\n\n\n", functions[i][0], functions[i][1]);
    }
}

/* Those of torch.nn.functional that take x and the plugin's parameters, in this order. */
static bool is_function(const char *plugin)
{
    static const char *const names[] = {
        "celu",       "elu",        "gelu",     "hardshrink", "hardswish", "hardtanh",
        "leaky_relu", "logsigmoid", "mish",     "relu",       "selu",      "silu",
        "softplus",   "softshrink", "softsign", "tanhshrink", "threshold"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], plugin) == 0)
            return true;
    return false;
}

typedef struct formula_of {
    forward *f;
    const export_program *p;
    int ndim;
} formula_of;

static void put_slot(const void *user, const export_step *step, int i)
{
    const formula_of *of = user;
    const char *name = of->p->steps[step->inputs[i]].name;
    put_leaf(of->f, hki_find_tensor(of->f->logits->net, name), of->ndim);
}

static void put_map(forward *f, const hk_tensor *t, const export_program *p, int step)
{
    const formula_of of = {f, p, t->shape.ndim};
    const bounds within = p->steps[step].map->within;
    char result[32] = "x = ";
    if (!is_passing(f, source(t->inputs[0])))
        fprintf(f->to, "        x = x%d\n", source(t->inputs[0])->id);
    if (isfinite(within.low))
        fprintf(f->to, "        x = x.clamp(min=%.1f)\n", within.low);
    if (isfinite(within.high))
        fprintf(f->to, "        x = x.clamp(max=%.1f)\n", within.high);
    if (!is_passing(f, t))
        snprintf(result, sizeof result, "x%d = ", t->id);
    export_put_map(&p->steps[step], &python, "        ", result, put_slot, &of, f->to);
}

static void put_formula(forward *f, const hk_tensor *t)
{
    export_program p = {0};
    int *steps = malloc((size_t)t->net->n_tensors * sizeof *steps);
    graph g = {.p = &p, .step = steps, .depends = f->depends};
    for (int id = 0; steps && id < t->net->n_tensors; id++)
        steps[id] = -1;
    if (steps)
        steps[t->inputs[0]->id] =
            export_add(&p, (export_step){.kind = EXPORT_INPUT, .shape = t->inputs[0]->shape});
    const int step = steps ? export_activation(&g, t) : -1;
    if (step >= 0)
        put_map(f, t, &p, step);
    else
        refuse(f, t, "its activation has no formula here");
    export_program_free(&p);
    free(steps);
}

static void put_activation(forward *f, const hk_tensor *t)
{
    const hki_use *use = hki_use_of(t);
    if (!is_function(use->plugin->name)) {
        if (use->plugin->formula)
            put_formula(f, t);
        else
            refuse(f, t, "the activation \"%.64s\" has no formula", use->plugin->name);
        return;
    }
    begin(f, t);
    fprintf(f->to, "F.%s(", use->plugin->name);
    put_x(f, t);
    for (int i = 0; use->plugin->params && use->plugin->params[i].name; i++)
        fprintf(f->to, ", %s", tool_shortest(use->params[i], false));
    fputs(")\n", f->to);
}

/* ---- Other operations ---------------------------------------------------------------------------- */

/* "F.pad(x, (left, right, top, below))" */
static void put_padded(forward *f, const hk_tensor *t, const export_window *w, const char *value)
{
    fputs("F.pad(", f->to);
    put_x(f, t);
    fprintf(f->to, ", (%d, %d, %d, %d)%s)", w->before[1], w->behind[1], w->before[0], w->behind[0],
            value);
}

/* A layer norm of rows has the channels last. */
static void put_module(forward *f, const hk_tensor *t, const char *name)
{
    const export_window w = t->op == &hki_op_conv2d ? export_window_of(t) : (export_window){0};
    const bool last = t->op == &hki_op_normalize && t->shape.ndim == 4 &&
                      strcmp(hki_use_of(t)->plugin->name, "layer_norm") == 0 &&
                      export_parameter_of(t, "over") > 0;
    begin(f, t);
    fprintf(f->to, "self.%s(", name);
    if (t->op == &hki_op_conv2d && !export_torch_is_even(t, &w))
        put_padded(f, t, &w, "");
    else
        put_x(f, t);
    fputs(last ? ".movedim(1, -1)).movedim(-1, 1)\n" : ")\n", f->to);
}

static void put_product(forward *f, const hk_tensor *t)
{
    refuse(f, t, "its weight is not of a layer");
}

static void put_normalization(forward *f, const hk_tensor *t)
{
    refuse(f, t, "the normalization \"%.64s\" is no module of torch.nn",
           hki_use_of(t)->plugin->name);
}

/* Padding does not count; PyTorch takes at most half a window of it. */
static void put_pooling(forward *f, const hk_tensor *t)
{
    const export_window w = export_window_of(t);
    const int k = w.kernel[0], pad = w.before[0];
    const bool is_max = t->op == &hki_op_maxpool;
    const bool even = export_torch_is_even(t, &w) && w.before[1] == pad && 2 * pad <= k;
    begin(f, t);
    fprintf(f->to, "F.%s_pool2d(", is_max ? "max" : "avg");
    if (even)
        put_x(f, t);
    else
        put_padded(f, t, &w, is_max ? ", value=float(\"-inf\")" : "");
    fprintf(f->to, ", %d, %d, %d%s)", k, w.stride, even ? pad : 0,
            is_max || !even ? "" : ", count_include_pad=False");
    if (!even && !is_max) { /* the share of each window that lies inside */
        fputs(" / F.avg_pool2d(F.pad(torch.ones_like(", f->to);
        put_x(f, t);
        fprintf(f->to, "), (%d, %d, %d, %d)), %d, %d)", w.before[1], w.behind[1], w.before[0],
                w.behind[0], k, w.stride);
    }
    putc('\n', f->to);
}

/* How a flattened image is read: by dense layers whose inputs are in PyTorch's order, or by what has the
 * channels last. */
static bool is_flattened_there(forward *f, const hk_tensor *t)
{
    bool there = false, here = false;
    for (int id = t->id + 1; id <= f->logits->id; id++) {
        const hk_tensor *reader = t->net->tensors[id];
        if (!is_statement(f, reader) || hki_torch_flattened(reader->inputs[0]) != t)
            continue;
        there |= hki_is_product(reader);
        here |= !hki_is_product(reader) && reader->n_inputs > 1;
    }
    if (there && here)
        refuse(f, t, "a number for each channel and place of a flattened image");
    return there;
}

static void put_reshape(forward *f, const hk_tensor *t)
{
    const hk_shape *from = &t->inputs[0]->shape, *to = &t->shape;
    begin(f, t);
    put_x(f, t);
    if (from->ndim == 4 && to->ndim == 2) {
        const bool one = from->dims[1] == 1 && from->dims[2] == 1;
        fputs(one || is_flattened_there(f, t) ? ".flatten(1)\n" : ".movedim(1, -1).flatten(1)\n",
              f->to);
        return;
    }
    if (to->dims[0] != HK_BATCH)
        refuse(f, t, "a shape without the batch in front");
    fputs(from->ndim == 4 ? ".movedim(1, -1).reshape(-1" : ".reshape(-1", f->to);
    for (int i = 1; i < to->ndim; i++)
        fprintf(f->to, ", %lld", (long long)to->dims[i]);
    fputs(to->ndim == 4 ? ").movedim(-1, 1)\n" : ")\n", f->to);
}

static void put_binary(forward *f, const hk_tensor *t)
{
    begin(f, t);
    put_input(f, t, 0, t->shape.ndim);
    fprintf(f->to, " %c ",
            t->op == &hki_op_add   ? '+'
            : t->op == &hki_op_sub ? '-'
            : t->op == &hki_op_mul ? '*'
                                   : '/');
    put_input(f, t, 1, t->shape.ndim);
    putc('\n', f->to);
}

static void put_unary(forward *f, const hk_tensor *t)
{
    begin(f, t);
    if (t->op == &hki_op_exp || t->op == &hki_op_log)
        fprintf(f->to, "torch.%s(", t->op->name);
    put_x(f, t);
    if (t->op == &hki_op_pow)
        fprintf(f->to, " ** %s\n", tool_shortest(export_constant_of(t, "exponent"), false));
    else if (t->op == &hki_op_scale)
        fprintf(f->to, " * %s\n", tool_shortest(export_constant_of(t, "factor"), false));
    else
        fputs(")\n", f->to);
}

static void put_reduction(forward *f, const hk_tensor *t)
{
    static const int image_axes[] = {0, 2, 3, 1};
    const unsigned axes = (unsigned)(int)export_constant_of(t, "axes");
    if (!axes || axes & 1u)
        refuse(f, t, "an operation joins the samples of a batch");
    begin(f, t);
    put_x(f, t);
    fprintf(f->to, ".%s([", export_constant_of(t, "mean") > 0 ? "mean" : "sum");
    for (int i = 0, n = 0; i < t->shape.ndim; i++)
        if (axes >> i & 1u)
            fprintf(f->to, "%s%d", n++ ? ", " : "", t->shape.ndim == 4 ? image_axes[i] : i);
    fputs("], keepdim=True)\n", f->to);
}

static void put_softmax(forward *f, const hk_tensor *t)
{
    begin(f, t);
    fputs("F.softmax(", f->to);
    put_x(f, t);
    fputs(", 1)\n", f->to);
}

static void put_concat(forward *f, const hk_tensor *t)
{
    begin(f, t);
    fputs("torch.cat((", f->to);
    put_x(f, t);
    fputs(", ", f->to);
    put_input(f, t, 1, t->shape.ndim);
    fputs("), 1)\n", f->to);
}

/* A number for each channel, or one for all. */
static void put_numbers(const double *values, int n, int ndim, FILE *to)
{
    if (n > 1)
        fputs("torch.tensor([", to);
    for (int i = 0; i < n; i++)
        fprintf(to, "%s%s", i ? ", " : "", tool_shortest(values[i], false));
    if (n > 1)
        fputs(ndim == 4 ? "], device=x.device).view(-1, 1, 1)" : "], device=x.device)", to);
}

/* As samples are in the data, standardised. */
static void put_inputs(forward *f, const hk_tensor *t)
{
    const hk_card *card = hk_net_card(t->net);
    const int ndim = t->shape.ndim, n = card->channels;
    begin(f, t);
    if (card->mean && n == export_channels(&t->shape)) {
        fputs("(x - ", f->to);
        put_numbers(card->mean, n, ndim, f->to);
        fputs(") / ", f->to);
        put_numbers(card->deviation, n, ndim, f->to);
        putc('\n', f->to);
    } else {
        fputs("x\n", f->to);
    }
}

static const struct {
    const hki_op *op;
    void (*put)(forward *f, const hk_tensor *t);
} rows[] = {
    {&hki_op_conv2d, put_product},      {&hki_op_linear, put_product},
    {&hki_op_activate, put_activation}, {&hki_op_normalize, put_normalization},
    {&hki_op_maxpool, put_pooling},     {&hki_op_avgpool, put_pooling},
    {&hki_op_reshape, put_reshape},     {&hki_op_concat, put_concat},
    {&hki_op_add, put_binary},          {&hki_op_sub, put_binary},
    {&hki_op_mul, put_binary},          {&hki_op_div, put_binary},
    {&hki_op_exp, put_unary},           {&hki_op_log, put_unary},
    {&hki_op_pow, put_unary},           {&hki_op_scale, put_unary},
    {&hki_op_reduce, put_reduction},    {&hki_op_softmax, put_softmax},
};

static void put_statement(forward *f, const hk_tensor *t)
{
    char module[HKI_MAX_TENSOR_NAME];
    if (t->role == HKI_INPUT) {
        put_inputs(f, t);
        return;
    }
    if (export_torch_module(t, module)) {
        put_module(f, t, module);
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == t->op) {
            rows[i].put(f, t);
            return;
        }
    refuse(f, t, "the operation \"%s\"", t->op->name);
}

static void put_body(forward *f)
{
    const hk_card *card = hk_net_card(f->logits->net);
    int inputs = 0;
    for (int id = 0; id <= f->logits->id; id++) {
        const hk_tensor *t = f->logits->net->tensors[id];
        if (!is_statement(f, t))
            continue;
        if (t->role == HKI_INPUT && inputs++)
            refuse(f, t, "more than one input");
        put_statement(f, t);
    }
    fputs("        return ", f->to);
    put_name(f, source(f->logits));
    if (card->target_deviation > 0)
        fprintf(f->to, " * %s + %s", tool_shortest(card->target_deviation, false),
                tool_shortest(card->target_mean, false));
}

void export_put_forward(hk_tensor *logits, FILE *to)
{
    const size_t n = (size_t)logits->net->n_tensors;
    char *body = NULL;
    size_t size;
    forward f = {.logits = logits,
                 .to = open_memstream(&body, &size),
                 .needed = calloc(n, sizeof *f.needed),
                 .depends = calloc(n, sizeof *f.depends)};
    if (f.to && f.needed && f.depends) {
        export_mark(logits, f.needed, f.depends);
        put_body(&f);
    } else {
        refuse(&f, logits, "out of memory");
    }
    if (f.to && fclose(f.to) != 0)
        refuse(&f, logits, "out of memory");
    if (*f.refused)
        fprintf(to, "    # forward() is yours to write: %s", f.refused);
    else
        fprintf(to, "    def forward(self, x):\n%s", body);
    free(body);
    free(f.needed);
    free(f.depends);
}
