/* A program as an ONNX model of flat operators, opset 17: the steps become nodes.
 *
 * Images are [batch, channels, height, width] there: every tensor of four dimensions is, and the axes of
 * others are as here. Values are called by the number of their step, constants by their name. */
#include "export/onnx.h"
#include "options.h"
#include "output.h"
#include "page/draft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPSET = 17, IR_VERSION = 8, MOST = INT32_MAX };

/* ---- Constants ----------------------------------------------------------------------------------- */

/* A constant of four dimensions with its axes in another order. */
static void add_turned(onnx *o, const char *name, const export_step *step, const int order[4])
{
    const int64_t *from = step->shape.dims;
    const int64_t strides[] = {from[1] * from[2] * from[3], from[2] * from[3], from[3], 1};
    int64_t to[4], n = 0, at[4];
    float *values = malloc((size_t)export_count(&step->shape) * sizeof *values);
    o->graph.failed |= !values;
    for (int i = 0; i < 4; i++)
        to[i] = from[order[i]];
    for (at[0] = 0; values && at[0] < to[0]; at[0]++)
        for (at[1] = 0; at[1] < to[1]; at[1]++)
            for (at[2] = 0; at[2] < to[2]; at[2]++)
                for (at[3] = 0; at[3] < to[3]; at[3]++) {
                    int64_t place = 0;
                    for (int i = 0; i < 4; i++)
                        place += at[i] * strides[order[i]];
                    values[n++] = step->values[place];
                }
    if (values)
        export_onnx_tensor(o, name, to, 4, values);
    free(values);
}

static const int image_order[] = {0, 3, 1, 2}, filter_order[] = {3, 2, 0, 1};

/* A constant that is a filter here and another operand there is written twice. */
static bool is_taken(const onnx *o, const char *name)
{
    for (int i = 0; i < o->p->n; i++)
        if (strcmp(o->names[i], name) == 0)
            return true;
    return false;
}

/* The value of a step, as its operators want it: of a constant, written here when it is first read. */
static const char *value_of(onnx *o, int i, bool is_filter)
{
    const export_step *step = &o->p->steps[i];
    char *name = o->names[i];
    if (*name)
        return name;
    if (*step->name && !is_taken(o, step->name))
        snprintf(name, EXPORT_NAME, "%s", step->name);
    else
        export_onnx_name(o, name);
    if (step->shape.ndim == 4)
        add_turned(o, name, step, is_filter ? filter_order : image_order);
    else
        export_onnx_tensor(o, name, step->shape.dims, step->shape.ndim, step->values);
    return name;
}

/* ---- Axes ---------------------------------------------------------------------------------------- */

/* Between [n, h, w, c] and [n, c, h, w]. */
static void turn(onnx *o, char value[EXPORT_NAME], bool to_image)
{
    static const attribute ways[][2] = {{{"perm", 0, {0, 2, 3, 1}, 4}, {NULL, 0, {0}, 0}},
                                        {{"perm", 0, {0, 3, 1, 2}, 4}, {NULL, 0, {0}, 0}}};
    export_onnx_new(o, "Transpose", value, INPUTS(value), ways[to_image]);
}

static bool is_turned(const hk_shape *shape) /* its order is another one */
{
    return shape->ndim == 4 && (shape->dims[1] != 1 || shape->dims[2] != 1) && shape->dims[3] != 1;
}

/* Values of `from` in our order as `to`, also in ours; where they are images, both are turned. */
static void reshape_value(onnx *o, char value[EXPORT_NAME], const hk_shape *from,
                          const hk_shape *to)
{
    char shape[EXPORT_NAME];
    int64_t dims[HK_MAX_DIMS];
    const bool back = is_turned(to);
    if (is_turned(from))
        turn(o, value, false);
    for (int i = 0; i < to->ndim; i++)
        dims[i] = to->dims[to->ndim == 4 && !back ? image_order[i] : i];
    export_onnx_ints(o, shape, dims, to->ndim);
    export_onnx_new(o, "Reshape", value, INPUTS(value, shape), NULL);
    if (back)
        turn(o, value, true);
}

/* Input `i` of an elementwise step, whose result has `ndim` dimensions. */
static void operand(onnx *o, int i, int ndim, char out[EXPORT_NAME])
{
    const hk_shape *shape = &o->p->steps[i].shape;
    snprintf(out, EXPORT_NAME, "%s", value_of(o, i, false));
    if (ndim != 4 || shape->ndim == 4 || shape->ndim == 0)
        return;
    hk_shape four = {.ndim = 4, .dims = {1, 1, 1, 1}};
    for (int k = 1; k <= shape->ndim; k++)
        four.dims[4 - k] = shape->dims[shape->ndim - k];
    reshape_value(o, out, shape, &four);
}

/* ---- Maps ---------------------------------------------------------------------------------------- */

/* The operator of an operation; those of two operands may have others than expressions. */
static const char *const operators[OP_COUNT] = {
    [OP_ADD] = "Add",           [OP_SUB] = "Sub",      [OP_MUL] = "Mul",
    [OP_DIV] = "Div",           [OP_POW] = "Pow",      [OP_MIN] = "Min",
    [OP_MAX] = "Max",           [OP_LESS] = "Less",    [OP_AT_MOST] = "LessOrEqual",
    [OP_EQUAL] = "Equal",       [OP_SELECT] = "Where", [OP_NEG] = "Neg",
    [OP_ABS] = "Abs",           [OP_SIGN] = "Sign",    [OP_FLOOR] = "Floor",
    [OP_EXP] = "Exp",           [OP_LOG] = "Log",      [OP_SQRT] = "Sqrt",
    [OP_SIN] = "Sin",           [OP_COS] = "Cos",      [OP_TAN] = "Tan",
    [OP_ATAN] = "Atan",         [OP_TANH] = "Tanh",    [OP_SIGMOID] = "Sigmoid",
    [OP_SOFTPLUS] = "Softplus", [OP_ERF] = "Erf",
};

/* What has no operator, of a. */
static const struct {
    opcode op;
    const char *text;
} spelled[] = {
    {OP_EXPM1, "exp(a) - 1"},
    {OP_LOG1P, "log(1 + a)"},
    {OP_ERFC, "1 - erf(a)"},
    {OP_NORMAL, "0.5*(1 + erf(a*0.70710678118654752440))"},
    {OP_BELL, "exp(-0.5*a*a)"},
    {OP_SECH2, "1 - tanh(a)*tanh(a)"},
    {OP_CLAMP, "min(1e30, max(-1e30, a))"},
};

/* Replaces what has no operator; as they stand, or they would be simplified back. */
static expr spell(formula *f, expr e, void *user)
{
    (void)user;
    const node it = f->nodes[e];
    if (it.op == OP_CAP)
        return formula_binary(f, OP_MIN, formula_number(f, it.value), it.a);
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++)
        if (spelled[i].op == it.op) {
            f->as_written = true;
            const expr text = formula_build(f, spelled[i].text, it.a);
            f->as_written = false;
            return text;
        }
    return e;
}

/* x ends where the value is constant. */
static void add_bounds(onnx *o, char x[EXPORT_NAME], bounds within)
{
    char low[EXPORT_NAME] = "", high[EXPORT_NAME] = "";
    if (isfinite(within.low))
        export_onnx_float(o, low, (float)within.low);
    if (isfinite(within.high))
        export_onnx_float(o, high, (float)within.high);
    if (*low || *high)
        export_onnx_new(o, "Clip", x, INPUTS(x, low, *high ? high : NULL), NULL);
}

typedef char value_name[EXPORT_NAME];

static void add_expression(onnx *o, const export_map *map, expr e, value_name *inputs,
                           value_name *values)
{
    const node *it = &map->f.nodes[e];
    const bool first = it->a >= 0 && formula_is_op(&map->f, it->a, OP_NUMBER);
    const bool second = it->b >= 0 && formula_is_op(&map->f, it->b, OP_NUMBER);
    if (it->op == OP_X)
        memcpy(values[e], inputs[0], EXPORT_NAME);
    else if (it->op == OP_NUMBER)
        export_onnx_float(o, values[e], (float)it->value);
    else if (it->op == OP_PARAM)
        memcpy(values[e], inputs[map->operands[it->a]], EXPORT_NAME);
    else if (it->op == OP_MAX && first != second)
        export_onnx_new(o, "Clip", values[e],
                        INPUTS(values[first ? it->b : it->a], values[first ? it->a : it->b]), NULL);
    else if (it->op == OP_MIN && first != second)
        export_onnx_new(o, "Clip", values[e],
                        INPUTS(values[first ? it->b : it->a], "", values[first ? it->a : it->b]),
                        NULL);
    else
        export_onnx_new(o, operators[it->op], values[e],
                        INPUTS(values[it->a], it->b < 0 ? NULL : values[it->b],
                               it->c < 0 ? NULL : values[it->c]),
                        NULL);
}

static void add_map(onnx *o, int i)
{
    const export_step *step = &o->p->steps[i];
    export_map *map = step->map;
    const expr value = formula_rebuild(&map->f, map->value, spell, NULL, true);
    value_name inputs[EXPORT_INPUTS], *values = calloc((size_t)value + 1, sizeof *values);
    bool in[MAX_NODES];
    o->graph.failed |= !values || map->f.full;
    if (o->graph.failed) {
        free(values);
        return;
    }
    for (int k = 0; k < step->n_inputs; k++)
        operand(o, step->inputs[k], step->shape.ndim, inputs[k]);
    add_bounds(o, inputs[0], map->within);
    formula_mark(&map->f, value, in);
    for (expr e = 0; e <= value; e++)
        if (in[e])
            add_expression(o, map, e, inputs, values);
    memcpy(o->names[i], values[value], EXPORT_NAME);
    free(values);
}

/* ---- Other steps --------------------------------------------------------------------------------- */

static void add_windowed(onnx *o, int i)
{
    const export_step *step = &o->p->steps[i];
    const export_window *w = &step->window;
    const bool conv = step->kind == EXPORT_CONV;
    const attribute all[] = {
        {"kernel_shape", 0, {w->kernel[0], w->kernel[1]}, 2},
        {"strides", 0, {w->stride, w->stride}, 2},
        {"pads", 0, {w->before[0], w->before[1], w->behind[0], w->behind[1]}, 4},
        {conv ? "dilations" : NULL, 0, {w->dilation, w->dilation}, 2},
        {"group", w->groups, {0}, 0},
        {NULL, 0, {0}, 0}};
    const char *inputs[4] = {value_of(o, step->inputs[0], false)};
    for (int k = 1; k < step->n_inputs; k++)
        inputs[k] = value_of(o, step->inputs[k], k == 1);
    export_onnx_new(o,
                    conv                            ? "Conv"
                    : step->kind == EXPORT_MAX_POOL ? "MaxPool"
                                                    : "AveragePool",
                    o->names[i], inputs, all);
}

static void add_product(onnx *o, int i)
{
    const export_step *step = &o->p->steps[i];
    char *y = o->names[i];
    snprintf(y, EXPORT_NAME, "%s", value_of(o, step->inputs[0], false));
    if (step->shape.ndim == 4)
        turn(o, y, false);
    export_onnx_new(o, "MatMul", y, INPUTS(y, value_of(o, step->inputs[1], false)), NULL);
    if (step->n_inputs > 2)
        export_onnx_new(o, "Add", y, INPUTS(y, value_of(o, step->inputs[2], false)), NULL);
    if (step->shape.ndim == 4)
        turn(o, y, true);
}

/* ReduceSum has its axes as an input, the others as an attribute. */
static void add_reduction(onnx *o, int i)
{
    static const int64_t image_axes[] = {0, 2, 3, 1};
    const export_step *step = &o->p->steps[i];
    char axes[EXPORT_NAME];
    attribute all[] = {{"keepdims", 1, {0}, 0}, {NULL, 0, {0}, 0}, {NULL, 0, {0}, 0}};
    int64_t list[HK_MAX_DIMS];
    int n = 0;
    for (int k = 0; k < step->shape.ndim; k++)
        if (step->axes >> k & 1u)
            list[n++] = step->shape.ndim == 4 ? image_axes[k] : k;
    const char *x = value_of(o, step->inputs[0], false);
    if (step->kind == EXPORT_SUM) {
        export_onnx_ints(o, axes, list, n);
        export_onnx_new(o, "ReduceSum", o->names[i], INPUTS(x, axes), all);
        return;
    }
    all[1] = (attribute){.name = "axes", .n = n};
    memcpy(all[1].list, list, sizeof all[1].list);
    export_onnx_new(o, step->kind == EXPORT_MEAN ? "ReduceMean" : "ReduceMax", o->names[i],
                    INPUTS(x), all);
}

static void add_reshape(onnx *o, int i)
{
    const export_step *step = &o->p->steps[i];
    snprintf(o->names[i], EXPORT_NAME, "%s", value_of(o, step->inputs[0], false));
    reshape_value(o, o->names[i], &o->p->steps[step->inputs[0]].shape, &step->shape);
}

static void add_concat(onnx *o, int i)
{
    const export_step *step = &o->p->steps[i];
    const int ndim = step->shape.ndim;
    export_onnx_new(
        o, "Concat", o->names[i],
        INPUTS(value_of(o, step->inputs[0], false), value_of(o, step->inputs[1], false)),
        ATTRIBUTES({"axis", ndim == 4 ? 1 : ndim - 1, {0}, 0}));
}

static void add_steps(onnx *o)
{
    static void (*const add[])(onnx *, int) = {
        [EXPORT_CONV] = add_windowed,     [EXPORT_MATMUL] = add_product,
        [EXPORT_MAX_POOL] = add_windowed, [EXPORT_AVERAGE_POOL] = add_windowed,
        [EXPORT_MAP] = add_map,           [EXPORT_SUM] = add_reduction,
        [EXPORT_MEAN] = add_reduction,    [EXPORT_LARGEST] = add_reduction,
        [EXPORT_RESHAPE] = add_reshape,   [EXPORT_CONCAT] = add_concat,
    };
    for (int i = 1; i < o->p->n; i++)
        if (o->p->steps[i].kind != EXPORT_CONSTANT)
            add[o->p->steps[i].kind](o, i);
}

/* ---- The model ----------------------------------------------------------------------------------- */

static void add_value_info(onnx *o, int field, const char *name, const hk_shape *shape)
{
    wire dims = {0}, tensor = {0}, type = {0}, info = {0};
    for (int i = 0; i < shape->ndim; i++) {
        const int64_t n = shape->dims[shape->ndim == 4 ? image_order[i] : i];
        wire dim = {0};
        if (n == HK_BATCH)
            export_wire_text(&dim, 2, "batch");
        else
            export_wire_int(&dim, 1, n);
        export_wire_message(&dims, 1, &dim);
    }
    export_wire_int(&tensor, 1, EXPORT_FLOAT);
    export_wire_message(&tensor, 2, &dims);
    export_wire_message(&type, 1, &tensor);
    export_wire_text(&info, 1, name);
    export_wire_message(&info, 2, &type);
    export_wire_message(&o->graph, field, &info);
}

static void add_property(wire *model, const char *key, const char *value)
{
    wire it = {0};
    export_wire_text(&it, 1, key);
    export_wire_text(&it, 2, value);
    export_wire_message(model, 14, &it);
}

/* "classes": a JSON list. */
static void add_classes(wire *model, const hk_card *card)
{
    json_t *names = json_array();
    for (int i = 0; card->class_names && i < card->classes; i++)
        json_array_append_new(names, tool_json_text(card->class_names[i]));
    char *text = card->class_names ? tool_json_written(names, JSON_COMPACT) : NULL;
    if (text)
        add_property(model, "classes", text);
    free(text);
    json_decref(names);
}

/* Whether a constant is called as something that is made here. */
static bool clashes(const export_program *p, const char *prefix)
{
    const size_t n = strlen(prefix);
    for (int i = 0; i < p->n; i++) {
        const char *name = p->steps[i].name, *rest = name + n;
        if (*name && strncmp(name, prefix, n) == 0 &&
            (strcmp(rest, "input") == 0 || strcmp(rest, "output") == 0 ||
             strspn(rest, "0123456789") == strlen(rest)))
            return true;
    }
    return false;
}

static void make_model(onnx *o, wire *model)
{
    const export_program *p = o->p;
    wire opset = {0};
    snprintf(o->names[0], EXPORT_NAME, "%sinput", o->prefix);
    char output[EXPORT_NAME];
    snprintf(output, sizeof output, "%soutput", o->prefix);
    export_wire_text(&o->graph, 2, p->title);
    add_steps(o);
    export_onnx_add(o, "Identity", output, INPUTS(o->names[p->output]), NULL);
    add_value_info(o, 11, o->names[0], &p->steps[0].shape);
    add_value_info(o, 12, output, &p->steps[p->output].shape);
    export_wire_int(model, 1, IR_VERSION);
    export_wire_text(model, 2, "hillock");
    export_wire_text(model, 3, HK_VERSION);
    export_wire_message(model, 7, &o->graph);
    export_wire_text(&opset, 1, "");
    export_wire_int(&opset, 2, OPSET);
    export_wire_message(model, 8, &opset);
    add_classes(model, p->card);
}

int export_write_onnx(const export_program *p, const char *path)
{
    wire model = {0};
    draft file;
    onnx o = {.p = p, .names = calloc((size_t)p->n, sizeof *o.names)};
    while (clashes(p, o.prefix) && strlen(o.prefix) + 1 < sizeof o.prefix)
        strcat(o.prefix, "_");
    if (o.names)
        make_model(&o, &model);
    int status = !o.names || model.failed ? tool_no_memory() : EXIT_DONE;
    if (!status && model.n > MOST)
        status = tool_fail(EXIT_USAGE,
                           "export: %s: a model of 2 GiB or more is not one file in ONNX", path);
    if (!status) {
        page_draft_open(&file);
        fwrite(model.bytes, 1, model.n, file.to);
        status = page_draft_save(&file, path);
    }
    free(model.bytes);
    free(o.names);
    return status;
}
