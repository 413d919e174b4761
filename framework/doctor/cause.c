/* Why a unit does not learn. Each cause is a question with a number as its answer, most of them
 * about what would be otherwise: would the unit react without its bias, did it before the first
 * step, has any one step moved its layer by more than its length. hk_cause lists the order in which
 * they are asked: what lies before the layer first, then what happened to it, then what is wrong
 * with it now. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/nn.h"
#include "doctor/examine.h"

/* Thresholds: far beyond what healthy nets show. */
static const double far_mean = 5, far_deviation = 5; /* of inputs that should have 0 and 1 */
static const double huge_growth = 1.5;     /* a step across the parameters, 1.1 times as long */
static const double nearly_nothing = 1e-2; /* norm of weights; initializers give about 1 */
static const double shrunk = 0.05;         /* of the norm at the start */

/* What a layer's units are judged by. */
typedef struct facts {
    const hki_look *look, *start;
    const hk_record *record;
    const hk_record_layer *own;               /* the record's row of this layer, or NULL */
    const hk_tensor *weight, *scale, *offset; /* NULL: has none of one float or column a unit */
    const char *offset_name;
    bool unscaled; /* it reads the net's inputs, and they are far from 0 and 1 */
    int place;     /* among the layers */
} facts;

/* ---- Facts of a layer ------------------------------------------------------------------------ */

static const hk_tensor *named(const hki_sampled *s, const char *suffix)
{
    const hk_net *net = s->tensor->net;
    char name[HKI_MAX_NAME];
    snprintf(name, sizeof name, "%s.%s", hki_layer_name(net, s->tensor->layer), suffix);
    for (int i = 0; i < net->n_tensors; i++) {
        const hk_tensor *t = net->tensors[i];
        if (t->role == HKI_LEARNED && t->name && !strcmp(t->name, name) &&
            hki_channels(&t->shape) == s->channels_in)
            return t;
    }
    return NULL;
}

/* No activation, convolution or dense layer between the layer's own product and the net's input. */
static bool reads_inputs(const hk_tensor *activation)
{
    const hk_tensor *t = activation->inputs[0];
    int products = 0;
    while (t && t->role == HKI_COMPUTED && !hki_is_activation(t) && products < 2) {
        products += t->op == &hki_op_conv2d || t->op == &hki_op_linear;
        t = t->inputs[0];
    }
    return t && t->role == HKI_INPUT && products < 2;
}

static bool are_unscaled(const hk_examination *e)
{
    double deviation = e->input_deviation, mean = fabs(e->input_mean);
    return deviation > 0 && (deviation > far_deviation || mean > far_mean ||
                             (mean > far_mean * deviation && mean > 1 / far_mean));
}

static facts facts_of(const hki_look *look, const hki_look *start, const hk_record *record,
                      const hk_examination *e, int place)
{
    const hki_sampled *s = &look->layers[place];
    facts f = {.look = look, .start = start, .record = record, .place = place};
    f.weight = named(s, "weight");
    f.scale = named(s, "norm.gamma");
    f.offset = named(s, "norm.beta");
    f.offset_name = f.offset ? "beta" : "bias";
    if (!f.offset)
        f.offset = named(s, "bias");
    f.unscaled = reads_inputs(s->tensor) && are_unscaled(e);
    for (int i = 0; record && i < record->n_layers; i++)
        if (!strcmp(record->layers[i].layer, e->layers[place].layer))
            f.own = &record->layers[i];
    return f;
}

/* ---- Facts of a unit ------------------------------------------------------------------------- */

static void fill_parameters(const facts *f, int64_t u, hk_unit_finding *out)
{
    out->bias = f->offset ? (double)f->offset->value[u] : 0;
    if (f->weight) {
        int64_t columns = hki_channels(&f->weight->shape), rows = hki_rows(&f->weight->shape, 1);
        double square = 0, negative = 0;
        for (int64_t r = 0; r < rows; r++) {
            double w = (double)f->weight->value[r * columns + u];
            square += w * w;
            negative += w < 0;
        }
        out->weight = sqrt(square);
        out->negative = negative / (double)rows;
    }
    if (f->scale)
        out->weight = fabs((double)f->scale->value[u]);
}

/* Has the activation a slope anywhere between low and high? Its bends lie near 0. */
static bool reacts_between(const hki_use *use, double low, double high)
{
    double slots[HK_MAX_SLOTS] = {0};
    hk_scalar64 at = {.u = 0.5, .p = use->params, .t = slots};
    const hk_activation *activation = use->plugin->activation;
    if (!activation->slope)
        return high > 0;
    for (int i = 0; i < hki_slot_count(use->plugin); i++)
        slots[i] = use->plugin->slots[i].value;
    for (int i = -160; i <= 160; i++) {
        at.x = fmin(fmax(0.1 * i, low), high);
        if (activation->value)
            at.y = activation->value(&at);
        if (fabs(activation->slope(&at)) >= 1e-3)
            return true;
    }
    return false;
}

/* The activation of this unit, which may have been treated. */
static const hki_use *use_of(const hki_sampled *s, int64_t u)
{
    const hk_tensor *y = s->tensor;
    bool swapped = hki_is_mix(y) && hki_mix_swapped(y)->value[u] > 0;
    return hki_use_of(hki_mix_part(y, swapped));
}

static bool reacts_without_bias(const facts *f, const hk_unit_finding *unit, int64_t u)
{
    return reacts_between(use_of(&f->look->layers[f->place], u), unit->x_least - unit->bias,
                          unit->x_most - unit->bias);
}

/* Without an x of its own, a unit does not learn when its output is constant. */
static bool is_constant(const hk_unit_finding *unit)
{
    return isnan(unit->x_most) ||
           unit->x_most - unit->x_least <= 1e-5 * fmax(fabs(unit->x_most), fabs(unit->x_least));
}

static bool was_born_so(const facts *f, int64_t u)
{
    hki_unit before;
    if (!f->start)
        return false;
    hki_probe_unit(f->start->probe, f->place, u, &before);
    return hki_is_not_learning(&before);
}

/* A norm at the start is known of the whole layer: an even share is each unit's. */
static double weight_at_start(const facts *f, int64_t units)
{
    return f->own && !f->scale ? f->own->start / sqrt((double)units) : 1;
}

static bool has_decay(const hk_record *record)
{
    hki_rule rule;
    return record && hki_rule_parse(record->optimizer, &rule) == HK_OK && rule.decay > 0;
}

static hk_cause cause_of(const facts *f, const hk_unit_finding *unit, int64_t u, int64_t units)
{
    bool by_bias = reacts_without_bias(f, unit, u), weak = unit->weight <= nearly_nothing;
    bool large_bias = fabs(unit->bias) > unit->x_most - unit->x_least;
    if (f->unscaled && !weak && !(by_bias && large_bias))
        return HK_CAUSE_INPUT;
    if (was_born_so(f, u))
        return HK_CAUSE_BORN;
    if (is_constant(unit) && !weak)
        return HK_CAUSE_STARVED;
    if (f->own && f->own->growth >= huge_growth)
        return HK_CAUSE_STEP;
    if (has_decay(f->record) && unit->weight < shrunk * weight_at_start(f, units))
        return HK_CAUSE_DECAY;
    return by_bias && !weak ? HK_CAUSE_BIAS : HK_CAUSE_WEIGHTS;
}

/* ---- Sentences ------------------------------------------------------------------------------- */

const char *hk_cause_name(hk_cause cause)
{
    static const char *const names[HK_CAUSE_COUNT] = {"none", "input", "born", "starved",
                                                      "step", "decay", "bias", "weights"};
    return (unsigned)cause < HK_CAUSE_COUNT ? names[cause] : "unknown";
}

/* How far a layer's weights are from those at the start, relative to these. */
static double moved(const facts *f)
{
    const hk_tensor *before = named(&f->start->layers[f->place], "weight");
    double change = 0, length = 0;
    for (int64_t i = 0; i < hki_count(&before->shape, 1); i++) {
        double w = (double)before->value[i], d = (double)f->weight->value[i] - w;
        change += d * d;
        length += w * w;
    }
    return sqrt(change / length);
}

static void say_weights(const facts *f, hki_text *s, int64_t u, const hk_unit_finding *unit)
{
    if (unit->weight <= nearly_nothing)
        hki_say(s, "%s almost 0 (%.2g in unit %lld), so that its inputs hardly count",
                f->scale ? "their gamma is" : "the norm of their weights is", unit->weight,
                (long long)u);
    else
        hki_say(s,
                "the weighted inputs of unit %lld lie between %.3g and %.3g, its %s aside, "
                "where it does not react",
                (long long)u, unit->x_least - unit->bias, unit->x_most - unit->bias,
                f->offset_name);
    if (unit->weight > nearly_nothing && unit->negative >= 0.9)
        hki_say(s, "; %.0f %% of its weights are below 0", 100 * unit->negative);
}

static void say_step(const facts *f, hki_text *s)
{
    hki_say(s,
            "step %lld alone multiplied the norm of the layer's parameters by %.3g; the loss "
            "was %.3g in the first step and at most %.3g, in step %lld",
            (long long)f->own->step, f->own->growth, f->record->first_loss, f->record->most_loss,
            (long long)f->record->most_step);
}

/* The evidence for a cause; u is one of its units. */
static void say_cause(const facts *f, hki_text *s, hk_cause cause, int64_t u,
                      const hk_unit_finding *unit, const hk_examination *e)
{
    switch (cause) {
    case HK_CAUSE_INPUT:
        hki_say(s,
                "the net's inputs are not scaled: mean %.3g and deviation %.3g instead of 0 and "
                "1",
                e->input_mean, e->input_deviation);
        break;
    case HK_CAUSE_BORN:
        hki_say(s, "they did not react to these inputs before the first step either");
        if (f->weight)
            hki_say(s, "; the layer's weights have moved by %.2g %% since", 100 * moved(f));
        break;
    case HK_CAUSE_STARVED:
        hki_say(s, "what comes in never changes: the layers before are dead");
        break;
    case HK_CAUSE_STEP: say_step(f, s); break;
    case HK_CAUSE_DECAY:
        hki_say(s,
                "decay (%s) has shrunk their weights: %.2g in unit %lld, where training began "
                "with about %.2g",
                f->record->optimizer, unit->weight, (long long)u,
                weight_at_start(f, e->layers[f->place].units));
        break;
    case HK_CAUSE_BIAS:
        hki_say(s,
                "the %s of unit %lld is %.3g, out of reach of the weighted inputs, which lie "
                "between %.3g and %.3g",
                f->offset_name, (long long)u, unit->bias, unit->x_least - unit->bias,
                unit->x_most - unit->bias);
        break;
    case HK_CAUSE_WEIGHTS: say_weights(f, s, u, unit); break;
    default: break;
    }
}

static void say_others(hki_text *s, const hk_layer_finding *layer)
{
    const char *before = ". Other causes: ";
    for (int c = 1; c < HK_CAUSE_COUNT; c++)
        if (layer->causes[c] && c != (int)layer->cause) {
            hki_say(s, "%s%s of %lld", before, hk_cause_name((hk_cause)c),
                    (long long)layer->causes[c]);
            before = ", ";
        }
}

static void explain(const facts *f, hk_layer_finding *layer, const hk_examination *e)
{
    hki_text s = {layer->why, sizeof layer->why, 0};
    int64_t u = 0;
    for (int c = 1; c < HK_CAUSE_COUNT; c++)
        if (layer->causes[c] > layer->causes[layer->cause])
            layer->cause = (hk_cause)c;
    if (!layer->not_learning)
        return;
    while (layer->found[u].cause != layer->cause)
        u++;
    hki_say(&s, "%lld of %lld units %s: ", (long long)layer->causes[layer->cause],
            (long long)layer->units, layer->found[u].dead ? "never fire" : "have no slope left");
    say_cause(f, &s, layer->cause, u, &layer->found[u], e);
    say_others(&s, layer);
}

/* ---- All layers ------------------------------------------------------------------------------ */

void hki_find_causes(const hki_look *look, const hki_look *start, const hk_record *record,
                     hk_examination *out)
{
    for (int i = 0; i < out->n_layers; i++) {
        hk_layer_finding *layer = (hk_layer_finding *)&out->layers[i];
        hk_unit_finding *found = (hk_unit_finding *)layer->found;
        facts f = facts_of(look, start, record, out, i);
        for (int64_t u = 0; u < layer->units; u++) {
            if (look->layers[i].channels_in == layer->units)
                fill_parameters(&f, u, &found[u]);
            if (found[u].not_learning)
                found[u].cause = cause_of(&f, &found[u], u, layer->units);
            layer->causes[found[u].cause] += found[u].not_learning;
        }
        explain(&f, layer, out);
    }
}
