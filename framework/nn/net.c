/* A net: its graph, the plugins its layer functions use, the names of its layers. */
#include "nn/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

/* ---- Choices --------------------------------------------------------------------------------------- */

hk_status hki_act_choice_parse(const char *spec, size_t length, hki_act_choice *out)
{
    char first[HKI_MAX_SPEC], *second = first;
    *out = (hki_act_choice){0};
    if (length >= sizeof first)
        return hki_fail(HK_BAD_ARGUMENT,
                        "activation \"%.64s..\": the spec has %zu bytes, at most %d are possible",
                        spec, length, HKI_MAX_SPEC - 1);
    snprintf(first, sizeof first, "%.*s", (int)length, spec);
    strsep(&second, "~"); /* ends the first */
    hk_status status = hki_use_parse(HK_ACTIVATION, first, &out->use);
    if (status || !second)
        return status;
    status = hki_use_parse(HK_ACTIVATION, second, &out->other);
    return status ? status : hki_override_check(&out->use, &out->other);
}

static char *act_choice_spec(const hki_act_choice *act)
{
    char *spec = hki_use_spec(&act->use);
    if (!act->other.plugin || !spec)
        return spec;
    char *other = hki_use_spec(&act->other);
    char *both = other ? hki_format("%s~%s", spec, other) : NULL;
    hki_free(spec);
    hki_free(other);
    return both;
}

hki_override *hki_find_override(const hki_choices *choices, const char *layer)
{
    for (int i = 0; i < choices->n_overrides; i++)
        if (!strcmp(choices->overrides[i].layer, layer))
            return &choices->overrides[i];
    return NULL;
}

static hki_override *new_override(hki_choices *choices, const char *layer, size_t length)
{
    if (length >= HKI_LAYER_NAME)
        return hki_fail_null(
            HK_BAD_ARGUMENT,
            "activation of layer %.64s..: the name has %zu bytes, at most %d are possible", layer,
            length, HKI_LAYER_NAME - 1);
    if (choices->n_overrides == HKI_MAX_OVERRIDES)
        return hki_fail_null(HK_BAD_ARGUMENT, "at most %d layers have an activation of their own",
                             HKI_MAX_OVERRIDES);
    if (!choices->overrides)
        choices->overrides = hki_alloc_array(HKI_MAX_OVERRIDES, sizeof *choices->overrides);
    if (!choices->overrides)
        return NULL;
    hki_override *own = &choices->overrides[choices->n_overrides++];
    memcpy(own->layer, layer, length);
    return own;
}

/* "relu+conv2=prelu+fc1=relu~elu" */
static hk_status parse_activation(hki_choices *choices, const char *text)
{
    size_t length = hki_part_length(text);
    hk_status status = hki_act_choice_parse(text, length, &choices->activation);
    while (text[length] && !status) {
        const char *layer = text + length + 1;
        const size_t name = strcspn(layer, "=");
        hki_override *own = new_override(choices, layer, name);
        if (!own)
            return hk_last_status();
        text = layer + name + 1;
        length = hki_part_length(text);
        status = hki_act_choice_parse(text, length, &own->act);
    }
    return status;
}

static hk_status write_activation_spec(hki_choices *choices)
{
    char *activation = act_choice_spec(&choices->activation);
    for (int i = 0; i < choices->n_overrides && activation; i++) {
        char *base = activation, *own = act_choice_spec(&choices->overrides[i].act);
        activation = own ? hki_format("%s+%s=%s", base, choices->overrides[i].layer, own) : NULL;
        hki_free(base);
        hki_free(own);
    }
    if (!activation)
        return HK_NO_MEMORY;
    hki_free(choices->activation_spec);
    choices->activation_spec = activation;
    return HK_OK;
}

static hk_status choose(hki_choices *choices, const hk_net_options *options)
{
    const char *activation = options->activation ? options->activation : "relu";
    const char *normalization = options->normalization ? options->normalization : "batch_norm";
    const char *initializer = options->initializer ? options->initializer : "he_normal";
    const char *weight_norm = options->weight_norm ? options->weight_norm : "none";
    hk_status status = parse_activation(choices, activation);
    if (!status)
        status = hki_use_parse(HK_NORMALIZATION, normalization, &choices->normalization);
    if (!status)
        status = hki_use_parse(HK_INITIALIZER, initializer, &choices->initializer);
    if (!status)
        status = hki_use_parse(HK_NORMALIZATION, weight_norm, &choices->weight_norm);
    if (status)
        return status;
    /* As files keep them: by name, whatever path the user gave. */
    choices->normalization_spec = hki_use_spec(&choices->normalization);
    choices->initializer_spec = hki_use_spec(&choices->initializer);
    choices->weight_norm_spec = hki_use_spec(&choices->weight_norm);
    bool complete =
        choices->normalization_spec && choices->initializer_spec && choices->weight_norm_spec;
    return complete ? write_activation_spec(choices) : HK_NO_MEMORY;
}

/* ---- The net ----------------------------------------------------------------------------------------- */

hk_net *hk_net_create(hk_net_options options)
{
    hk_net *net = hk_engine_check() ? NULL : hki_alloc(sizeof *net);
    if (!net)
        return NULL;
    net->seed = options.seed;
    net->most_floats = options.most_floats;
    net->initialise = hki_net_fill;
    net->choices = hki_alloc(sizeof *net->choices);
    if (net->choices)
        pthread_mutex_init(&net->choices->lock, NULL);
    if (!net->choices || choose(net->choices, &options)) {
        hk_net_free(net);
        return NULL;
    }
    return net;
}

void hk_net_free(hk_net *net)
{
    hki_choices *choices = net ? net->choices : NULL;
    if (choices) {
        hki_drop_plans(net);
        pthread_mutex_destroy(&choices->lock);
        hki_free(choices->activation_spec);
        hki_free(choices->normalization_spec);
        hki_free(choices->initializer_spec);
        hki_free(choices->weight_norm_spec);
        hki_free(choices->overrides);
        hki_free(choices->layers);
        hki_free(choices->remarks);
        hki_card_free(choices->card);
        hki_free(choices);
    }
    if (net)
        hki_net_clear_graph(net);
    hki_free(net);
}

const char *hk_net_activation(const hk_net *net)
{
    return hki_null_operand(__func__, net) ? "" : net->choices->activation_spec;
}

const char *hk_net_normalization(const hk_net *net)
{
    return hki_null_operand(__func__, net) ? "" : net->choices->normalization_spec;
}

int hk_net_has_norm(const hk_net *net)
{
    bool found = !hki_null(net) && net->choices->has_norm;
    for (int i = 0; net && !found && i < net->n_tensors; i++) /* of a file's graph */
        found = net->tensors[i]->op == &hki_op_normalize;
    return found;
}

const char *hk_net_initializer(const hk_net *net)
{
    return hki_null_operand(__func__, net) ? "" : net->choices->initializer_spec;
}

const char *hk_net_weight_norm(const hk_net *net)
{
    return hki_null_operand(__func__, net) ? "" : net->choices->weight_norm_spec;
}

int64_t hk_net_parameters(const hk_net *net)
{
    int64_t count = 0;
    if (hki_null(net))
        return 0;
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->role == HKI_LEARNED)
            count += hki_count(&net->tensors[i]->shape, 1);
    return count;
}

hk_status hki_choose_for_layer(hk_net *net, int layer, const hki_act_choice *act)
{
    hki_choices *choices = net->choices;
    const char *name = hki_layer_name(net, layer);
    hki_override *own = hki_find_override(choices, name);
    if (!own && !(own = new_override(choices, name, strlen(name))))
        return hk_last_status();
    own->act = *act;
    return write_activation_spec(choices);
}

void hk_net_each_tensor(const hk_net *net, void (*each)(hk_tensor *, void *user), void *user)
{
    if (hki_null(net, each))
        return;
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->role == HKI_LEARNED || net->tensors[i]->role == HKI_STATE)
            each(net->tensors[i], user);
}

hk_tensor *hk_net_tensor(const hk_net *net, const char *name)
{
    if (hki_null(net, name))
        return NULL;
    hk_tensor *found = hki_find_tensor(net, name);
    if (found)
        return found;
    const char **names = hki_alloc_array((size_t)net->n_tensors + 1, sizeof *names);
    size_t n = 0;
    for (int i = 0; names && i < net->n_tensors; i++)
        if (net->tensors[i]->name && net->tensors[i]->role != HKI_DROPPED)
            names[n++] = net->tensors[i]->name;
    if (names)
        hki_fail_unknown("tensor", name, names, n, "those that hk_net_each_tensor() lists");
    hki_free(names);
    return NULL;
}

static hk_status check_values(hk_tensor *tensor, const char *what)
{
    if (!tensor->value)
        return hki_fail(HK_BAD_ARGUMENT,
                        "%s: only parameters, states and constants have values of their own", what);
    return hki_net_fill(tensor->net);
}

hk_status hk_tensor_read(hk_tensor *tensor, float *values)
{
    if (hki_null(tensor, values))
        return HK_BAD_ARGUMENT;
    hk_status status = check_values(tensor, "hk_tensor_read");
    if (!status)
        memcpy(values, tensor->value, (size_t)hki_count(&tensor->shape, 1) * sizeof *values);
    return status;
}

hk_status hk_tensor_write(hk_tensor *tensor, const float *values)
{
    if (hki_null(tensor, values))
        return HK_BAD_ARGUMENT;
    hk_status status = check_values(tensor, "hk_tensor_write");
    if (!status) {
        memcpy(tensor->value, values, (size_t)hki_count(&tensor->shape, 1) * sizeof *values);
        hki_values_changed(tensor->net);
    }
    return status;
}

/* ---- Layers -------------------------------------------------------------------------------------------- */

static bool layer_exists(const hki_choices *choices, const char *name)
{
    for (int i = 0; i < choices->n_layers; i++)
        if (!strcmp(choices->layers[i], name))
            return true;
    return false;
}

/* The least number that no layer named so has, in one walk over them; 0: out of memory. */
static int free_number(const hki_choices *choices, const char *prefix)
{
    const size_t length = strlen(prefix);
    bool *taken = hki_alloc_array((size_t)choices->n_layers + 2, sizeof *taken);
    int number = 0;
    for (int i = 0; taken && i < choices->n_layers; i++) {
        const char *digits = choices->layers[i] + length;
        char *end;
        if (strncmp(choices->layers[i], prefix, length) != 0 || *digits < '1' || *digits > '9')
            continue;
        const long found = strtol(digits, &end, 10);
        if (!*end && found <= choices->n_layers)
            taken[found] = true;
    }
    while (taken && taken[++number])
        ;
    hki_free(taken);
    return number;
}

#define SPEC_SIGNS "+=~," /* of "relu+conv2=relu~elu" and of lists of layers */

int hki_layer_add(hk_net *net, const char *name, const char *prefix)
{
    hki_choices *choices = net->choices;
    char text[HKI_LAYER_NAME];
    if (name && hki_check_name("a layer", name, sizeof text))
        return -1;
    bool in_specs = !name || !strpbrk(name, SPEC_SIGNS),
         taken = name && layer_exists(choices, name);
    if (!in_specs || taken) {
        hki_fail(HK_BAD_ARGUMENT,
                 in_specs ? "the net already has a layer named %s"
                          : "layer %s: a name without + = ~ and comma is expected, for specs",
                 name);
        return -1;
    }
    void *all = hki_reserve(choices->layers, (size_t)choices->n_layers, &choices->layer_capacity,
                            HKI_LAYER_NAME);
    if (!all)
        return -1;
    choices->layers = all;
    const int number = name ? 1 : free_number(choices, prefix);
    if (!number)
        return -1;
    snprintf(text, sizeof text, "%s%d", prefix, number);
    snprintf(choices->layers[choices->n_layers], HKI_LAYER_NAME, "%s", name ? name : text);
    return choices->n_layers++;
}

const char *hki_layer_name(const hk_net *net, int layer)
{
    return layer < 0 ? "net" : net->choices->layers[layer];
}

hk_tensor *hki_layer_weight(const hk_net *net, int layer)
{
    char name[HKI_LAYER_NAME + 8];
    snprintf(name, sizeof name, "%s.weight", hki_layer_name(net, layer));
    return hki_find_tensor(net, name);
}

/* "conv1, fc1" into text, as much as fits. */
static const char *list_layers(const hki_choices *choices, char *text, size_t size)
{
    text[0] = '\0';
    for (int i = 0; i < choices->n_layers; i++)
        hki_add_name(text, size, choices->layers[i]);
    return text;
}

static hk_status freeze_layer(hk_net *net, const char *name)
{
    char known[512];
    if (!layer_exists(net->choices, name))
        return hki_fail(HK_UNKNOWN_NAME, "no layer named \"%.64s\"; the net has: %s", name,
                        list_layers(net->choices, known, sizeof known));
    for (int i = 0; i < net->n_tensors; i++) {
        hk_tensor *t = net->tensors[i];
        if (t->role == HKI_LEARNED && !strcmp(hki_layer_name(net, t->layer), name))
            t->frozen = true;
    }
    return HK_OK;
}

hk_status hk_net_freeze(hk_net *net, const char *layers)
{
    if (hki_null(net, layers))
        return HK_BAD_ARGUMENT;
    char *list = hki_copy_text(layers), *rest = list;
    hk_status status = list ? HK_OK : HK_NO_MEMORY;
    while (rest && *rest && !status)
        status = freeze_layer(net, strsep(&rest, ","));
    hki_free(list);
    return status;
}

hk_status hki_check_overrides(const hk_net *net)
{
    char known[512];
    for (int i = 0; i < net->choices->n_overrides; i++)
        if (!layer_exists(net->choices, net->choices->overrides[i].layer))
            return hki_fail(HK_UNKNOWN_NAME,
                            "activation \"%s\": no layer named \"%s\"; the net has: %s",
                            net->choices->activation_spec, net->choices->overrides[i].layer,
                            list_layers(net->choices, known, sizeof known));
    return HK_OK;
}
