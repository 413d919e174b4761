/* A program in the making: its steps and what they hold. */
#include "export/export.h"
#include "output.h"
#include "options.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int export_refuse(export_program *p, const char *layer, const char *format, ...)
{
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (!p->failed)
        tool_fail(EXIT_USAGE, "export: %s%s%s", layer, *layer ? ": " : "", sentence);
    p->failed = true;
    return -1;
}

void export_program_free(export_program *p)
{
    for (int i = 0; i < p->n; i++)
        free(p->steps[i].map);
    for (int i = 0; i < p->n_owned; i++)
        free(p->owned[i]);
    free(p->owned);
    free(p->steps);
    hk_plan_free(p->plan);
    *p = (export_program){0};
}

int64_t export_count(const hk_shape *shape)
{
    int64_t n = 1;
    for (int i = 0; i < shape->ndim; i++)
        n *= shape->dims[i] == HK_BATCH ? 1 : shape->dims[i];
    return n;
}

int64_t export_channels(const hk_shape *shape)
{
    return shape->ndim && shape->dims[shape->ndim - 1] != HK_BATCH ? shape->dims[shape->ndim - 1]
                                                                   : 1;
}

int export_add(export_program *p, export_step step)
{
    for (int i = 0; i < step.n_inputs; i++)
        if (step.inputs[i] < 0)
            p->failed = true;
    if (p->failed)
        return -1;
    if (p->n == p->room) {
        export_step *more = realloc(p->steps, (size_t)(2 * p->room + 64) * sizeof *more);
        if (!more)
            return export_refuse(p, "", "out of memory");
        p->steps = more;
        p->room = 2 * p->room + 64;
    }
    step.layer = step.layer ? step.layer : "";
    step.name = step.name ? step.name : "";
    p->steps[p->n] = step;
    return p->n++;
}

/* A copy that lives as long as the program; NULL: no memory. */
static const float *keep(export_program *p, const float *values, int64_t n)
{
    float **more = realloc(p->owned, (size_t)(p->n_owned + 1) * sizeof *more);
    float *copy = more ? malloc((size_t)n * sizeof *copy) : NULL;
    p->owned = more ? more : p->owned;
    if (!copy)
        return NULL;
    memcpy(copy, values, (size_t)n * sizeof *copy);
    p->owned[p->n_owned++] = copy;
    return copy;
}

int export_constant(export_program *p, const char *name, hk_shape shape, const float *values,
                    bool own)
{
    const float *kept = own ? keep(p, values, export_count(&shape)) : values;
    if (!kept)
        return export_refuse(p, "", "out of memory");
    return export_add(
        p, (export_step){.kind = EXPORT_CONSTANT, .name = name, .shape = shape, .values = kept});
}

/* What continues another step belongs to its layer. */
static const char *layer_of(const export_program *p, int step)
{
    return step < 0 ? "" : p->steps[step].layer;
}

int export_reshape(export_program *p, int x, hk_shape shape)
{
    return export_add(p, (export_step){.kind = EXPORT_RESHAPE,
                                       .layer = layer_of(p, x),
                                       .shape = shape,
                                       .inputs = {x},
                                       .n_inputs = 1});
}

int export_reduce(export_program *p, export_kind kind, int x, unsigned axes)
{
    if (x < 0 || !axes)
        return x;
    hk_shape shape = p->steps[x].shape;
    for (int i = 0; i < shape.ndim; i++)
        if (axes >> i & 1u) {
            if (shape.dims[i] == HK_BATCH)
                return export_refuse(p, layer_of(p, x),
                                     "an operation joins the samples of a batch, which an exported "
                                     "net has one by one");
            shape.dims[i] = 1;
        }
    return export_add(p, (export_step){.kind = kind,
                                       .layer = layer_of(p, x),
                                       .shape = shape,
                                       .inputs = {x},
                                       .n_inputs = 1,
                                       .axes = axes});
}

/* ---- Maps ------------------------------------------------------------------------------------- */

static hk_shape broadcast(hk_shape a, hk_shape b)
{
    if (a.ndim < b.ndim)
        return broadcast(b, a);
    for (int i = 1; i <= b.ndim; i++)
        if (a.dims[a.ndim - i] == 1)
            a.dims[a.ndim - i] = b.dims[b.ndim - i];
    return a;
}

/* Binds a name: a step becomes an input, once. */
static void bind(export_step *step, const export_name *it)
{
    export_map *map = step->map;
    const int at = map->f.n_parameters++;
    int input = 0;
    map->names[at] = (parameter){.value = it->number};
    snprintf(map->names[at].name, sizeof map->names[at].name, "%s", it->name);
    map->operands[at] = -1;
    if (it->step < 0)
        return;
    while (input < step->n_inputs && step->inputs[input] != it->step)
        input++;
    if (input == step->n_inputs)
        step->inputs[step->n_inputs++] = it->step;
    map->operands[at] = input;
}

/* A name of a number is the number. */
static expr number_of(formula *f, expr e, void *user)
{
    const export_map *map = user;
    const node *it = &f->nodes[e];
    return it->op == OP_PARAM && map->operands[it->a] < 0
               ? formula_number(f, f->parameters[it->a].value)
               : e;
}

static void parse(export_map *map, const char *text, formula_error *error)
{
    map->f.parameters = map->names;
    formula_number(&map->f, 0); /* node 0 is what a full formula answers with */
    expr value = formula_parse(&map->f, text, false, error);
    if (error->sentence[0])
        return;
    value = formula_rebuild(&map->f, value, number_of, map, false);
    map->value = formula_lower(&map->f, formula_stabilise(&map->f, value));
    map->within = formula_find_bounds(&map->f, NULL, map->value, &map->value, 1);
    if (map->f.full)
        snprintf(error->sentence, sizeof error->sentence, "the formula is too large");
}

int export_map_of(export_program *p, int x, const char *text, const export_name *names)
{
    formula_error error = {0};
    if (x < 0 || p->failed)
        return -1;
    export_step step = {.kind = EXPORT_MAP,
                        .layer = layer_of(p, x),
                        .shape = p->steps[x].shape,
                        .inputs = {x},
                        .n_inputs = 1,
                        .map = calloc(1, sizeof(export_map))};
    if (!step.map)
        return export_refuse(p, "", "out of memory");
    for (; names && names->name; names++)
        bind(&step, names);
    for (int i = 1; i < step.n_inputs; i++)
        step.shape = broadcast(step.shape, p->steps[step.inputs[i]].shape);
    parse(step.map, text, &error);
    const int made = error.sentence[0] ? export_refuse(p, step.layer, "the formula \"%s\": %s",
                                                       text, error.sentence)
                                       : export_add(p, step);
    if (made < 0)
        free(step.map);
    return made;
}
