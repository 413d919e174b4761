/* From a net's graph to a program: each operation by its row, in the order of recording. */
#include "export/graph.h"

#include <stdlib.h>
#include <string.h>

/* ---- What rows are given ----------------------------------------------------------------------- */

const char *export_layer(const hk_tensor *t)
{
    return t->layer < 0 ? "" : hki_layer_name(t->net, t->layer);
}

double export_constant_of(const hk_tensor *t, const char *name)
{
    const hki_constant *c = t->op->kept;
    while (strcmp(c->name, name) != 0)
        c++;
    const char *at = (const char *)t->attributes + c->offset;
    return c->form == HKI_INTEGER  ? *(const int *)(const void *)at
           : c->form == HKI_YES_NO ? *(const bool *)(const void *)at
                                   : *(const double *)(const void *)at;
}

/* A constant is a step when it is first read. */
static int constant_step(graph *g, const hk_tensor *t, int *step)
{
    const float *values = t->role == HKI_COMPUTED ? hk_plan_value(g->p->plan, t) : t->value;
    if (*step < 0 && values)
        *step = export_constant(g->p, t->name, t->shape, values, false);
    return *step;
}

int export_input(graph *g, const hk_tensor *t, int i)
{
    const hk_tensor *input = t->inputs[i];
    return g->depends[input->id] ? g->step[input->id]
                                 : constant_step(g, input, &g->step[input->id]);
}

int export_of(graph *g, const hk_tensor *t, export_kind kind)
{
    export_step step = {
        .kind = kind, .layer = export_layer(t), .shape = t->shape, .n_inputs = t->n_inputs};
    for (int i = 0; i < t->n_inputs; i++)
        step.inputs[i] = kind == EXPORT_CONV && i == 1
                             ? constant_step(g, t->inputs[1], &g->filters[t->inputs[1]->id])
                             : export_input(g, t, i);
    return export_add(g->p, step);
}

/* ---- Operations ---------------------------------------------------------------------------------- */

static int at_least_1(const hk_tensor *t, const char *name)
{
    const int n = (int)export_constant_of(t, name);
    return n ? n : 1;
}

/* Behind the image no more is read than is there. */
export_window export_window_of(const hk_tensor *t)
{
    const int64_t *size = t->inputs[0]->shape.dims + 1;
    const bool conv = t->op == &hki_op_conv2d;
    export_window w = {.stride = at_least_1(t, "stride"),
                       .dilation = conv ? at_least_1(t, "dilation") : 1,
                       .groups = conv ? at_least_1(t, "groups") : 1};
    const hk_window asked = {.stride = w.stride,
                             .dilation = w.dilation,
                             .padding = (hk_padding)export_constant_of(t, "padding"),
                             .pad = (int)export_constant_of(t, "pad")};
    for (int i = 0; i < 2; i++) {
        int out;
        w.kernel[i] = conv ? (int)t->inputs[1]->shape.dims[i] : (int)export_constant_of(t, "size");
        hki_window_extent(t->op->name, (int)size[i], w.kernel[i], &asked, &out, &w.before[i]);
        const int reach = (out - 1) * w.stride + (w.kernel[i] - 1) * w.dilation + 1;
        const int behind = reach - (int)size[i] - w.before[i];
        w.behind[i] = behind > 0 ? behind : 0;
    }
    return w;
}

static int convolution(graph *g, const hk_tensor *t)
{
    if (g->depends[t->inputs[1]->id])
        return export_refuse(g->p, export_layer(t), "its filters depend on the input");
    const int step = export_of(g, t, EXPORT_CONV);
    if (step >= 0)
        g->p->steps[step].window = export_window_of(t);
    return step;
}

static int pooling(graph *g, const hk_tensor *t)
{
    const int step =
        export_of(g, t, t->op == &hki_op_maxpool ? EXPORT_MAX_POOL : EXPORT_AVERAGE_POOL);
    if (step >= 0)
        g->p->steps[step].window = export_window_of(t);
    return step;
}

static int product(graph *g, const hk_tensor *t)
{
    if (g->depends[t->inputs[1]->id])
        return export_refuse(g->p, export_layer(t), "its weight depends on the input");
    return export_of(g, t, EXPORT_MATMUL);
}

static int reshape(graph *g, const hk_tensor *t)
{
    return export_of(g, t, EXPORT_RESHAPE);
}

static int concat(graph *g, const hk_tensor *t)
{
    return export_of(g, t, EXPORT_CONCAT);
}

static int binary(graph *g, const hk_tensor *t)
{
    const char *const text = t->op == &hki_op_add   ? "x + b"
                             : t->op == &hki_op_sub ? "x - b"
                             : t->op == &hki_op_mul ? "x*b"
                                                    : "x/b";
    return export_map_of(g->p, export_input(g, t, 0), text,
                         EXPORT_NAMES({"b", export_input(g, t, 1), 0}));
}

/* The exponent stands in the text: whole powers are products. */
static int unary(graph *g, const hk_tensor *t)
{
    char text[64];
    const int x = export_input(g, t, 0);
    if (t->op == &hki_op_pow)
        snprintf(text, sizeof text, "x^(%.17g)", export_constant_of(t, "exponent"));
    else if (t->op == &hki_op_scale)
        snprintf(text, sizeof text, "x*(%.17g)", export_constant_of(t, "factor"));
    else
        snprintf(text, sizeof text, "%s(x)", t->op->name);
    return export_map_of(g->p, x, text, NULL);
}

static int reduction(graph *g, const hk_tensor *t)
{
    const unsigned asked = (unsigned)(int)export_constant_of(t, "axes");
    const hk_shape *x = &t->inputs[0]->shape;
    const unsigned axes = asked ? asked : (1u << x->ndim) - 1;
    const export_kind kind = export_constant_of(t, "mean") > 0 ? EXPORT_MEAN : EXPORT_SUM;
    const int step = export_reduce(g->p, kind, export_input(g, t, 0), axes);
    return step < 0 || asked ? step : export_reshape(g->p, step, t->shape);
}

static int softmax(graph *g, const hk_tensor *t)
{
    const unsigned last = 1u << (t->shape.ndim - 1);
    const int x = export_input(g, t, 0), most = export_reduce(g->p, EXPORT_LARGEST, x, last);
    const int e = export_map_of(g->p, x, "exp(x - most)", EXPORT_NAMES({"most", most, 0}));
    const int sum = export_reduce(g->p, EXPORT_SUM, e, last);
    return export_map_of(g->p, e, "x/sum", EXPORT_NAMES({"sum", sum, 0}));
}

/* What only training does. */
static int nothing(graph *g, const hk_tensor *t)
{
    return export_input(g, t, 0);
}

static int noise(graph *g, const hk_tensor *t)
{
    if (export_constant_of(t, "in_evaluation") > 0)
        return export_refuse(g->p, export_layer(t),
                             "its %s draws random numbers in evaluation, too, which no export does",
                             t->op->name);
    return nothing(g, t);
}

/* The formula of a use, its slots from input `first` on. */
static int activation_of(graph *g, const hk_tensor *t, const hki_use *use, int first)
{
    export_name names[HK_MAX_PARAMS + HK_MAX_SLOTS + 1] = {{0}};
    const hk_plugin *plugin = use->plugin;
    formula_error error = {0};
    int n = 0;
    if (!plugin->formula)
        return export_refuse(g->p, export_layer(t),
                             "the activation \"%s\" has no formula, by which alone another program "
                             "can compute it",
                             plugin->name);
    declared *d = formula_declared(plugin, &error);
    if (!d)
        return export_refuse(g->p, export_layer(t), "the formula of \"%s\": %s", plugin->name,
                             error.sentence);
    for (int i = 0; i < d->n_params; i++)
        names[n++] = (export_name){plugin->params[i].name, -1, use->params[i]};
    for (int i = 0; i < hki_slot_count(plugin); i++) /* a state may be for training alone */
        if (formula_contains(&d->f, d->value, formula_leaf(&d->f, OP_PARAM, d->n_params + i)))
            names[n++] = (export_name){plugin->slots[i].name, export_input(g, t, first + i), 0};
    free(d);
    return export_map_of(g->p, export_input(g, t, 0), plugin->formula, names);
}

int export_activation(graph *g, const hk_tensor *t)
{
    return activation_of(g, t, hki_use_of(t), 1);
}

/* Both, and the mask chooses. */
static int override(graph *g, const hk_tensor *t)
{
    const hki_use *f = hki_use_of(hki_override_part(t, 0)),
                  *other = hki_use_of(hki_override_part(t, 1));
    const int mask = 1 + hki_slot_count(f->plugin);
    const int one = activation_of(g, t, f, 1), two = activation_of(g, t, other, mask + 1);
    return export_map_of(g->p, one, "mask > 0 ? other : x",
                         EXPORT_NAMES({"mask", export_input(g, t, mask), 0}, {"other", two, 0}));
}

/* ---- The table: what each operation is in steps ---------------------------------------------------- */

static const struct {
    const hki_op *op;
    int (*steps)(graph *g, const hk_tensor *t); /* -1 after a sentence */
} rows[] = {
    {&hki_op_conv2d, convolution},
    {&hki_op_linear, product},
    {&hki_op_normalize, export_normalization},
    {&hki_op_activate, export_activation},
    {&hki_op_override, override},
    {&hki_op_maxpool, pooling},
    {&hki_op_avgpool, pooling},
    {&hki_op_reshape, reshape},
    {&hki_op_concat, concat},
    {&hki_op_add, binary},
    {&hki_op_sub, binary},
    {&hki_op_mul, binary},
    {&hki_op_div, binary},
    {&hki_op_exp, unary},
    {&hki_op_log, unary},
    {&hki_op_pow, unary},
    {&hki_op_scale, unary},
    {&hki_op_reduce, reduction},
    {&hki_op_softmax, softmax},
    {&hki_op_dropout, noise},
    {&hki_op_alpha_dropout, noise},
    {&hki_op_gaussian_dropout, noise},
    {&hki_op_gaussian_noise, noise},
    {&hki_op_drop_path, noise},
    {&hki_op_drop_block, nothing},
    {&hki_op_drop_connect, nothing},
};

bool export_is_nothing(const hk_tensor *t)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == t->op)
            return rows[i].steps == nothing ||
                   (rows[i].steps == noise && export_constant_of(t, "in_evaluation") <= 0);
    return false;
}

static int steps_of(graph *g, const hk_tensor *t)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == t->op)
            return rows[i].steps(g, t);
    return export_refuse(g->p, export_layer(t), "the operation \"%s\" cannot be exported",
                         t->op->name);
}

/* ---- The walk -------------------------------------------------------------------------------------- */

void export_mark(const hk_tensor *logits, bool *needed, bool *depends)
{
    hk_tensor *const *tensors = logits->net->tensors;
    needed[logits->id] = true;
    for (int id = logits->id; id >= 0; id--)
        for (int i = 0; needed[id] && i < tensors[id]->n_inputs; i++)
            needed[tensors[id]->inputs[i]->id] = true;
    for (int id = 0; id <= logits->id; id++) {
        depends[id] = tensors[id]->role == HKI_INPUT;
        for (int i = 0; i < tensors[id]->n_inputs; i++)
            depends[id] |= depends[tensors[id]->inputs[i]->id];
    }
}

/* Runs the net once for the values of what is computed of constants alone. */
static bool find_constants(graph *g, const hk_tensor *logits, hk_tensor *output)
{
    hk_tensor **keep = calloc((size_t)logits->id + 1, sizeof *keep);
    int n = 0;
    for (int id = 0; keep && id <= logits->id; id++)
        if (g->needed[id] && !g->depends[id] && logits->net->tensors[id]->role == HKI_COMPUTED)
            keep[n++] = logits->net->tensors[id];
    const hk_plan_options wanted = {.batch = 1, .output = output, .keep = keep, .n_keep = n};
    const bool done = keep && hk_plan_new(logits->net, &wanted, &g->p->plan) == HK_OK &&
                      (!n || hk_plan_forward(g->p->plan, 1) == HK_OK);
    free(keep);
    return done;
}

static int input_step(graph *g, const hk_tensor *t)
{
    if (g->has_input)
        return export_refuse(g->p, "", "the net has more than one input");
    g->has_input = true;
    return export_standardised(g->p, t->shape);
}

static void walk(graph *g, hk_tensor *logits)
{
    hk_tensor *const *tensors = logits->net->tensors;
    for (int id = 0; id < logits->net->n_tensors; id++)
        g->step[id] = g->filters[id] = -1;
    for (int id = 0; id <= logits->id && !g->p->failed; id++) {
        if (!g->needed[id] || !g->depends[id])
            continue;
        g->step[id] =
            tensors[id]->role == HKI_INPUT ? input_step(g, tensors[id]) : steps_of(g, tensors[id]);
    }
    if (!g->p->failed && !g->depends[logits->id])
        export_refuse(g->p, "", "the output does not depend on an input");
    if (!g->p->failed)
        g->p->output = export_rescaled(g->p, g->step[logits->id]);
}

bool export_program_of(hk_tensor *logits, const char *title, export_program *out)
{
    const size_t n = (size_t)logits->net->n_tensors;
    *out = (export_program){.card = hk_net_card(logits->net), .title = title};
    graph g = {.p = out,
               .step = calloc(n, sizeof *g.step),
               .filters = calloc(n, sizeof *g.filters),
               .depends = calloc(n, sizeof *g.depends),
               .needed = calloc(n, sizeof *g.needed)};
    if (!g.step || !g.filters || !g.depends || !g.needed) {
        export_refuse(out, "", "out of memory");
    } else {
        export_mark(logits, g.needed, g.depends);
        if (find_constants(&g, logits, logits))
            walk(&g, logits);
        else
            export_refuse(out, "", "%s", hk_message());
    }
    free(g.step);
    free(g.filters);
    free(g.depends);
    free(g.needed);
    return !out->failed;
}
