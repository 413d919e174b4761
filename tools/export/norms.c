/* Normalizations in evaluation, and the scaling of inputs and outputs.
 *
 * What is frozen in evaluation is y = scale x + shift, whichever plugin it is. What takes its statistics
 * from the sample at hand stands in a table, by name. */
#include "export/graph.h"

#include <stdlib.h>
#include <string.h>

/* ---- Frozen ------------------------------------------------------------------------------------ */

/* The plugin in use, as the operation shows it. */
static hk_context context_of(const hk_tensor *t, float **slots)
{
    const hki_call call = {.tensor = t, .batch = 1};
    return hki_context_of(&call, t, slots);
}

static int frozen(graph *g, const hk_tensor *t, const hk_normalization *norm)
{
    float *slots[HK_MAX_SLOTS];
    const hk_context context = context_of(t, slots);
    const hk_shape vector = HK_SHAPE(context.channels);
    float *coef = calloc((size_t)(norm->n_coef * context.channels), sizeof *coef);
    if (!coef)
        return export_refuse(g->p, "", "out of memory");
    norm->frozen(&context, coef);
    const int scale = export_constant(g->p, "", vector, coef, true);
    const int shift = export_constant(g->p, "", vector, coef + context.channels, true);
    free(coef);
    return export_map_of(g->p, export_input(g, t, 0), "x*scale + shift",
                         EXPORT_NAMES({"scale", scale, 0}, {"shift", shift, 0}));
}

/* ---- Of the sample at hand --------------------------------------------------------------------- */

double export_parameter_of(const hk_tensor *t, const char *name)
{
    const hki_use *use = hki_use_of(t);
    int i = 0;
    while (strcmp(use->plugin->params[i].name, name) != 0)
        i++;
    return use->params[i];
}

/* The numbers that one statistic is taken over. */
typedef struct set {
    hk_shape view; /* x as it is seen for that */
    unsigned axes; /* of the view */
} set;

/* All positions of a sample and a group of channels. */
static set groups_of(const hk_tensor *t, int64_t groups)
{
    set s = {.view = t->shape};
    const int last = t->shape.ndim - 1;
    const int64_t channels = t->shape.dims[last];
    s.axes = ((1u << last) - 1) & ~1u;
    if (groups == 1) {
        s.axes |= 1u << last;
    } else if (groups < channels) {
        s.view.dims[last] = groups;
        s.view.dims[s.view.ndim++] = channels / groups;
        s.axes |= 1u << (last + 1);
    }
    return s;
}

static set sample_or_row(const hk_tensor *t, bool row)
{
    return row ? (set){t->shape, 1u << (t->shape.ndim - 1)} : groups_of(t, 1);
}

/* x / sqrt(mean(x^2) + eps), of x less its mean where `centred`. */
static int whiten(graph *g, const hk_tensor *t, set s, bool centred)
{
    int x = export_input(g, t, 0);
    const bool seen_otherwise = s.view.ndim != t->shape.ndim;
    if (seen_otherwise)
        x = export_reshape(g->p, x, s.view);
    if (centred)
        x = export_map_of(g->p, x, "x - mean",
                          EXPORT_NAMES({"mean", export_reduce(g->p, EXPORT_MEAN, x, s.axes), 0}));
    const int square = export_map_of(g->p, x, "x*x", NULL);
    const int mean = export_reduce(g->p, EXPORT_MEAN, square, s.axes);
    x = export_map_of(
        g->p, x, "x/sqrt(square + eps)",
        EXPORT_NAMES({"square", mean, 0}, {"eps", -1, export_parameter_of(t, "eps")}));
    return seen_otherwise ? export_reshape(g->p, x, t->shape) : x;
}

/* times gamma, plus beta: the first slots, as many as the plugin has. */
static int affine(graph *g, const hk_tensor *t, int x)
{
    if (t->n_inputs > 1)
        x = export_map_of(g->p, x, "x*gamma", EXPORT_NAMES({"gamma", export_input(g, t, 1), 0}));
    if (t->n_inputs > 2)
        x = export_map_of(g->p, x, "x + beta", EXPORT_NAMES({"beta", export_input(g, t, 2), 0}));
    return x;
}

int64_t export_groups_of(const hk_tensor *t)
{
    int64_t a = (int64_t)export_parameter_of(t, "groups"), b = t->shape.dims[t->shape.ndim - 1];
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int group_norm(graph *g, const hk_tensor *t)
{
    return affine(g, t, whiten(g, t, groups_of(t, export_groups_of(t)), true));
}

static int instance_norm(graph *g, const hk_tensor *t)
{
    const int64_t channels = t->shape.dims[t->shape.ndim - 1];
    const int x = whiten(g, t, groups_of(t, channels), true);
    return export_parameter_of(t, "affine") > 0 ? affine(g, t, x) : x;
}

static int layer_norm(graph *g, const hk_tensor *t)
{
    return affine(g, t, whiten(g, t, sample_or_row(t, export_parameter_of(t, "over") > 0), true));
}

static int rms_norm(graph *g, const hk_tensor *t)
{
    return affine(g, t, whiten(g, t, sample_or_row(t, export_parameter_of(t, "over") > 0), false));
}

static int filter_response_norm(graph *g, const hk_tensor *t)
{
    const int64_t channels = t->shape.dims[t->shape.ndim - 1];
    return affine(g, t, whiten(g, t, groups_of(t, channels), false));
}

static int unit_norm(graph *g, const hk_tensor *t)
{
    const set s = sample_or_row(t, export_parameter_of(t, "over") < 1);
    const int x = export_input(g, t, 0), square = export_map_of(g->p, x, "x*x", NULL);
    const int sum = export_reduce(g->p, EXPORT_SUM, square, s.axes);
    return export_map_of(g->p, x, "x/max(eps, sqrt(sum))",
                         EXPORT_NAMES({"sum", sum, 0}, {"eps", -1, export_parameter_of(t, "eps")}));
}

static const struct {
    const char *name;
    int (*steps)(graph *g, const hk_tensor *t);
} rows[] = {
    {"group_norm", group_norm},
    {"instance_norm", instance_norm},
    {"layer_norm", layer_norm},
    {"rms_norm", rms_norm},
    {"filter_response_norm", filter_response_norm},
    {"unit_norm", unit_norm},
};

int export_normalization(graph *g, const hk_tensor *t)
{
    const hk_plugin *plugin = hki_use_of(t)->plugin;
    if (plugin->normalization->frozen)
        return frozen(g, t, plugin->normalization);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, plugin->name) == 0)
            return rows[i].steps(g, t);
    return export_refuse(g->p, export_layer(t),
                         "the normalization \"%s\" cannot be exported: it is neither fixed in "
                         "evaluation nor one of those that exports know",
                         plugin->name);
}

/* ---- The card ---------------------------------------------------------------------------------- */

static int vector_of(export_program *p, const double *values, int n)
{
    float *floats = malloc((size_t)n * sizeof *floats);
    if (!floats)
        return export_refuse(p, "", "out of memory");
    for (int i = 0; i < n; i++)
        floats[i] = (float)values[i];
    const int step = export_constant(p, "", HK_SHAPE(n), floats, true);
    free(floats);
    return step;
}

int export_standardised(export_program *p, hk_shape shape)
{
    const hk_card *card = p->card;
    const int x = export_add(p, (export_step){.kind = EXPORT_INPUT, .shape = shape});
    if (!card->mean || card->channels != export_channels(&shape))
        return x;
    return export_map_of(
        p, x, "(x - mean)/deviation",
        EXPORT_NAMES({"mean", vector_of(p, card->mean, card->channels), 0},
                     {"deviation", vector_of(p, card->deviation, card->channels), 0}));
}

int export_rescaled(export_program *p, int output)
{
    const hk_card *card = p->card;
    if (card->target_deviation == 0)
        return output;
    return export_map_of(
        p, output, "x*deviation + mean",
        EXPORT_NAMES({"deviation", -1, card->target_deviation}, {"mean", -1, card->target_mean}));
}
