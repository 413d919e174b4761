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

/* A layer, and what explains its units. */
typedef struct layer_state {
    const hki_observer *now;
    const hki_learning *start; /* before the first step, or NULL */
    const hk_record *record;
    const hk_record_layer *own;               /* the record's row of this layer, or NULL */
    const hk_tensor *weight, *scale, *offset; /* NULL: has none of one float or column a unit */
    const char *offset_name;
    bool unscaled; /* it reads the net's inputs, and they are far from 0 and 1 */
    int i;         /* among the layers */
} layer_state;

static const hk_tensor *named(const hki_sampled *s, const char *suffix)
{
    const hk_net *net = s->tensor->net;
    char name[HKI_MAX_NAME];
    snprintf(name, sizeof name, "%s.%s", hki_layer_name(net, s->tensor->layer), suffix);
    const hk_tensor *t = hki_find_tensor(net, name);
    return t && t->role == HKI_LEARNED && hki_channels(&t->shape) == s->channels_in ? t : NULL;
}

static layer_state state_of(const hki_observer *now, const hki_learning *start,
                            const hk_record *record, const hk_examination *e, int i)
{
    const hki_sampled *s = &now->layers[i];
    const hk_tensor *beta = named(s, "norm.beta");
    const double deviation = e->input_deviation, mean = fabs(e->input_mean);
    const bool far = deviation > far_deviation || mean > far_mean ||
                     (mean > far_mean * deviation && mean > 1 / far_mean);
    layer_state l = {.now = now,
                     .start = start,
                     .record = record,
                     .weight = named(s, "weight"),
                     .scale = named(s, "norm.gamma"),
                     .offset = beta ? beta : named(s, "bias"),
                     .offset_name = beta ? "beta" : "bias",
                     .i = i};
    /* No activation, convolution or dense layer between the layer's own product and the net's input. */
    const hk_tensor *t = s->tensor->inputs[0];
    int products = 0;
    while (t && t->role == HKI_COMPUTED && !hki_is_activation(t) && products < 2) {
        products += hki_is_product(t);
        t = t->inputs[0];
    }
    l.unscaled = deviation > 0 && far && t && t->role == HKI_INPUT && products < 2;
    for (int k = 0; record && k < record->n_layers; k++)
        if (!strcmp(record->layers[k].layer, e->layers[i].layer))
            l.own = &record->layers[k];
    return l;
}

static void fill_parameters(const layer_state *l, int64_t u, hk_unit_finding *out)
{
    out->bias = l->offset ? (double)l->offset->value[u] : 0;
    if (l->weight) {
        int64_t columns = hki_channels(&l->weight->shape), rows = hki_rows(&l->weight->shape, 1);
        double square = 0, negative = 0;
        for (int64_t r = 0; r < rows; r++) {
            double w = (double)l->weight->value[r * columns + u];
            square += w * w;
            negative += w < 0;
        }
        out->weight = sqrt(square);
        out->negative = negative / (double)rows;
    }
    if (l->scale)
        out->weight = fabs((double)l->scale->value[u]);
}

/* What computes unit u: the second part where its channel was treated. */
static const hk_tensor *activation_of(const layer_state *l, int64_t u)
{
    const hk_tensor *y = l->now->layers[l->i].tensor;
    return hki_override_part(y, hki_is_channel_override(y) && hki_override_mask(y)->value[u] > 0);
}

/* The slot of unit u now; where it is not one number for all or for each unit, at the start. */
static double slot_of(const hk_tensor *activation, int slot, int64_t u)
{
    const hk_tensor *t = activation->inputs[1 + slot];
    const int64_t n = hki_count(&t->shape, 1);
    if (n != 1 && n != hki_channels(&activation->shape))
        return hki_use_of(activation)->plugin->slots[slot].value;
    return (double)t->value[n == 1 ? 0 : u];
}

/* Has the unit's activation a slope anywhere between low and high, with its slots as they are, or `anew`, as
 * they were at the start? Its bends lie near 0. */
static bool reacts(const layer_state *l, int64_t u, double low, double high, bool anew)
{
    const hk_tensor *y = activation_of(l, u);
    const hki_use *use = hki_use_of(y);
    const hk_activation *activation = use->plugin->activation;
    double slots[HK_MAX_SLOTS] = {0};
    hk_scalar64 at = {
        .u = 0.5, .p = use->params, .t = slots, .channel = u, .training = 1, .surrogate = 1};
    if (!activation->slope)
        return high > 0;
    for (int i = 0; i < hki_slot_count(use->plugin); i++)
        slots[i] = anew ? use->plugin->slots[i].value : slot_of(y, i, u);
    for (int i = -160; i <= 160; i++) {
        at.x = fmin(fmax(0.1 * i, low), high);
        if (activation->value)
            at.y = activation->value(&at);
        if (fabs(activation->slope(&at)) >= 1e-3)
            return true;
    }
    return false;
}

/* A norm at the start is known of the whole layer: an even share is each unit's. */
static double weight_at_start(const layer_state *l, int64_t units)
{
    return l->own && !l->scale ? l->own->start / sqrt((double)units) : 1;
}

static hk_cause cause_of(const layer_state *l, const hk_unit_finding *unit, int64_t u,
                         int64_t units)
{
    const double low = unit->x_min, high = unit->x_max;
    const bool off = unit->gradient_dead, weak = unit->weight <= nearly_nothing;
    const bool by_bias = reacts(l, u, low - unit->bias, high - unit->bias, false);
    /* A unit without an x of its own is known by its output. */
    const bool constant = isnan(high) ? off : high - low <= 1e-5 * fmax(fabs(high), fabs(low));
    if (off && l->unscaled && !weak && !(by_bias && fabs(unit->bias) > high - low))
        return HK_CAUSE_INPUT;
    if (l->start && !hki_learns(l->start, hki_learning_tensor(l->start, l->i), u))
        return HK_CAUSE_BORN;
    if (constant && !weak)
        return HK_CAUSE_STARVED;
    if (!off)
        return HK_CAUSE_READERS;
    if (reacts(l, u, low, high, true) && !reacts(l, u, low, high, false))
        return HK_CAUSE_THRESHOLD;
    if (l->own && l->own->growth >= huge_growth)
        return HK_CAUSE_STEP;
    hki_rule rule;
    if (l->record && hki_rule_parse(l->record->optimizer, &rule) == HK_OK && rule.decay > 0 &&
        unit->weight < shrunk * weight_at_start(l, units))
        return HK_CAUSE_DECAY;
    return by_bias && !weak ? HK_CAUSE_BIAS : HK_CAUSE_WEIGHTS;
}

const char *hk_cause_name(hk_cause cause)
{
    static const char *const names[HK_CAUSE_COUNT] = {"none",    "input",     "born", "starved",
                                                      "readers", "threshold", "step", "decay",
                                                      "bias",    "weights"};
    return (unsigned)cause < HK_CAUSE_COUNT ? names[cause] : "unknown";
}

/* How far a layer's weights are from those at the start, relative to these. */
static double weight_change(const layer_state *l)
{
    const hk_net *start = hki_learning_tensor(l->start, 0)->net;
    const hk_tensor *before = hki_find_tensor(start, hk_tensor_name(l->weight));
    double change = 0, length = 0;
    for (int64_t i = 0; i < hki_count(&before->shape, 1); i++) {
        double w = (double)before->value[i], d = (double)l->weight->value[i] - w;
        change += d * d;
        length += w * w;
    }
    return sqrt(change / length);
}

static void say_weights(const layer_state *l, hki_text *s, int64_t u, const hk_unit_finding *unit)
{
    if (unit->weight <= nearly_nothing)
        hki_say(s, "%s almost 0 (%.2g in unit %lld), so that its inputs hardly count",
                l->scale ? "their gamma is" : "the norm of their weights is", unit->weight,
                (long long)u);
    else
        hki_say(s,
                "the weighted inputs of unit %lld lie between %.3g and %.3g, its %s aside, "
                "where it does not react",
                (long long)u, unit->x_min - unit->bias, unit->x_max - unit->bias, l->offset_name);
    if (unit->weight > nearly_nothing && unit->negative >= 0.9)
        hki_say(s, "; %.0f %% of its weights are below 0", 100 * unit->negative);
}

/* The layer of the first product that reads y; NULL: there is none. */
static const char *reader_of(const hk_tensor *y)
{
    for (int id = y->id + 1; id < y->net->n_tensors; id++) {
        const hk_tensor *t = y->net->tensors[id];
        for (int i = 0; i < t->n_inputs; i++)
            if (t->inputs[i] == y)
                return hki_is_product(t) ? hki_layer_name(t->net, t->layer) : reader_of(t);
    }
    return NULL;
}

static void say_threshold(const layer_state *l, hki_text *s, int64_t u, const hk_unit_finding *unit)
{
    const hk_tensor *y = activation_of(l, u);
    const hk_plugin *plugin = hki_use_of(y)->plugin;
    int worst = 0;
    for (int i = 1; i < hki_slot_count(plugin); i++)
        if (fabs(slot_of(y, i, u) - plugin->slots[i].value) >
            fabs(slot_of(y, worst, u) - plugin->slots[worst].value))
            worst = i;
    hki_say(s,
            "what %s has learned itself puts unit %lld out of reach: %s is %.3g and began with "
            "%.3g; its inputs lie between %.3g and %.3g",
            plugin->name, (long long)u, plugin->slots[worst].name, slot_of(y, worst, u),
            plugin->slots[worst].value, unit->x_min, unit->x_max);
}

static void say_readers(const layer_state *l, hki_text *s, int64_t u)
{
    const char *reader = reader_of(l->now->layers[l->i].tensor);
    hki_say(s, "nothing comes back to unit %lld, which reacts to its inputs: what reads it",
            (long long)u);
    hki_say(s, reader ? ", %s, is dead or has weights of 0" : " is dead or 0", reader);
}

/* The evidence for a cause; u is one of its units. */
static void say_cause(const layer_state *l, hki_text *s, hk_cause cause, int64_t u,
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
        hki_say(s, "they did not learn before the first step either");
        if (l->weight)
            hki_say(s, "; the layer's weights have moved by %.2g %% since", 100 * weight_change(l));
        break;
    case HK_CAUSE_STARVED:
        hki_say(s, "what comes in never changes: the layers before are dead");
        break;
    case HK_CAUSE_READERS: say_readers(l, s, u); break;
    case HK_CAUSE_THRESHOLD: say_threshold(l, s, u, unit); break;
    case HK_CAUSE_STEP:
        hki_say(s,
                "step %lld alone multiplied the norm of the layer's parameters by %.3g; the loss "
                "was %.3g in the first step and at most %.3g, in step %lld",
                (long long)l->own->step, l->own->growth, l->record->first_loss, l->record->max_loss,
                (long long)l->record->max_loss_step);
        break;
    case HK_CAUSE_DECAY:
        hki_say(s,
                "decay (%s) has shrunk their weights: %.2g in unit %lld, where training began "
                "with about %.2g",
                l->record->optimizer, unit->weight, (long long)u,
                weight_at_start(l, e->layers[l->i].units));
        break;
    case HK_CAUSE_BIAS:
        hki_say(s,
                "the %s of unit %lld is %.3g, out of reach of the weighted inputs, which lie "
                "between %.3g and %.3g",
                l->offset_name, (long long)u, unit->bias, unit->x_min - unit->bias,
                unit->x_max - unit->bias);
        break;
    case HK_CAUSE_WEIGHTS: say_weights(l, s, u, unit); break;
    default: break;
    }
}

/* Names the cause of most units, with its evidence, then the others. */
static void explain(const layer_state *l, hk_layer_finding *layer, const hk_examination *e)
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
            (long long)layer->units,
            !layer->found[u].gradient_dead   ? "get no gradient"
            : layer->found[u].never_positive ? "never fire"
                                             : "have no slope left");
    say_cause(l, &s, layer->cause, u, &layer->found[u], e);
    const char *before = ". Other causes: ";
    for (int c = 1; c < HK_CAUSE_COUNT; c++)
        if (layer->causes[c] && c != (int)layer->cause) {
            hki_say(&s, "%s%s of %lld", before, hk_cause_name((hk_cause)c),
                    (long long)layer->causes[c]);
            before = ", ";
        }
}

void hki_find_causes(const hki_observer *observer, const hki_learning *start,
                     const hk_record *record, hk_examination *out)
{
    for (int i = 0; i < out->n_layers; i++) {
        hk_layer_finding *layer = (hk_layer_finding *)&out->layers[i];
        hk_unit_finding *found = (hk_unit_finding *)layer->found;
        layer_state state = state_of(observer, start, record, out, i);
        for (int64_t u = 0; u < layer->units; u++) {
            if (observer->layers[i].channels_in == layer->units)
                fill_parameters(&state, u, &found[u]);
            if (found[u].not_learning)
                found[u].cause = cause_of(&state, &found[u], u, layer->units);
            layer->causes[found[u].cause] += found[u].not_learning;
        }
        explain(&state, layer, out);
    }
}
