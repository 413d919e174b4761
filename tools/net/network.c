/* A net of a model or out of a file. */
#include "net/network.h"

#include "crash.h"
#include "output.h"

#include <string.h>

void net_free(network *it)
{
    hk_net_free(it->net);
    *it = (network){0};
}

static void add_cost(const hk_layer_info *layer, void *user)
{
    *(int64_t *)user += layer->multiply_adds;
}

int64_t net_multiply_adds(const hk_net *net)
{
    int64_t cost = 0;
    hk_net_each_layer(net, add_cost, &cost);
    return cost;
}

static void set_name(network *it)
{
    const int length = (int)strcspn(it->spec, ":");
    snprintf(it->name, sizeof it->name, "%.*s", length ? length : 7, length ? it->spec : "own net");
}

/* As far as it comes, for the caller to free. */
static bool build(const char *spec, hk_net_options choices, hk_data_shape images, network *out)
{
    *out = (network){0};
    if (hk_model_find(spec, &out->model, out->spec) == HK_OK &&
        (out->net = hk_net_create(choices))) {
        tool_crash_limit(spec);
        out->logits = hk_model_build(out->net, spec, images.height, images.width, images.channels,
                                     images.classes);
        tool_crash_limit(NULL);
    }
    set_name(out);
    return out->logits;
}

int net_new(const char *spec, hk_net_options choices, hk_data_shape images, network *out)
{
    if (build(spec, choices, images, out))
        return EXIT_DONE;
    net_free(out);
    return tool_failed();
}

const char *net_norm_remedy(const hk_plugin *model)
{
    for (const hk_param *p = model->params; p && p->name; p++)
        if (strcmp(p->name, "norm") == 0)
            return ", which norm=1 in its spec adds";
    return "";
}

hk_data_shape net_input_shape(const network *it)
{
    const hk_tensor *input = hk_tensor_input(it->logits);
    const hk_shape of = hk_tensor_shape(input), out = hk_tensor_shape(it->logits);
    hk_data_shape images = {0, 1, 1, 1, (int)out.dims[out.ndim - 1]};
    if (of.ndim == 4)
        images.height = (int)of.dims[1], images.width = (int)of.dims[2];
    images.channels = (int)of.dims[of.ndim - 1];
    return images;
}

int net_choices(const options *given, const char *file, hk_saved *saved, hk_net_options *out)
{
    *out = (hk_net_options){.activation = given->act,
                            .normalization = given->norm,
                            .initializer = given->init,
                            .weight_norm = given->weight_norm,
                            .seed = (uint64_t)given->seed};
    if (!file)
        return EXIT_DONE;
    if (hk_net_peek(file, saved) != HK_OK)
        return tool_failed();
    if (!out->activation && *saved->activation)
        out->activation = saved->activation;
    if (!out->normalization && *saved->normalization)
        out->normalization = saved->normalization;
    if (!out->initializer && *saved->initializer)
        out->initializer = saved->initializer;
    if (!out->weight_norm && *saved->weight_norm)
        out->weight_norm = saved->weight_norm;
    out->most_floats = 4 * saved->floats + (1 << 16);
    return EXIT_DONE;
}

/* A file without a graph: its model, and the weights. */
static bool rebuild(const char *file, const hk_saved *saved, network *out)
{
    hk_saved texts;
    hk_net_options choices;
    const hk_data_shape images = {0, saved->height, saved->width, saved->channels, saved->classes};
    return net_choices(&(options){0}, file, &texts, &choices) == EXIT_DONE &&
           build(saved->model, choices, images, out) &&
           hk_net_load_weights(out->net, file, NULL) == HK_OK;
}

/* HK_UNKNOWN_NAME of a net is a plugin that is not here. */
static int open_failed(const char *file, hk_status status)
{
    if (status != HK_UNKNOWN_NAME)
        return tool_failed();
    return tool_fail(EXIT_USAGE,
                     "%s: made with a plugin that is not here, which --plugin may load: %s", file,
                     hk_message());
}

int net_open(const char *file, network *out)
{
    hk_saved saved;
    *out = (network){0};
    if (hk_net_peek(file, &saved) != HK_OK)
        return tool_failed();
    if (!saved.has_graph && !*saved.model)
        return tool_fail(EXIT_BAD_DATA,
                         "%s: holds tensors and neither a graph nor the name of a model: another "
                         "program's file; train --from takes what fits of it",
                         file);
    bool done = saved.has_graph ? hk_net_load(file, &out->net, &out->logits) == HK_OK
                                : rebuild(file, &saved, out);
    if (!done) {
        const bool lacks_plugin = saved.has_graph || (out->model && !out->net);
        const hk_status status = lacks_plugin ? hk_last_status() : HK_BAD_DATA;
        net_free(out);
        return open_failed(file, status);
    }
    if (saved.has_graph && *saved.model && hk_model_find(saved.model, &out->model, NULL) != HK_OK)
        out->model = NULL; /* nor is it needed */
    snprintf(out->spec, sizeof out->spec, "%s", saved.model);
    set_name(out);
    if (*hk_net_remarks(out->net))
        tool_note("%s: %s", file, hk_net_remarks(out->net));
    return EXIT_DONE;
}

int net_conform(const char *file, const network *it, hk_data *data)
{
    const hk_card *card = hk_net_card(it->net);
    hk_data_shape a = net_input_shape(it), b = hk_data_shape_of(data);
    if (card->mean && a.channels == b.channels && hk_data_conform(data, card) != HK_OK)
        return tool_failed();
    if (card->classes)
        b.classes = a.classes;
    if (a.height != b.height || a.width != b.width || a.channels != b.channels ||
        a.classes != b.classes)
        return tool_fail(EXIT_USAGE,
                         "%s: a net for images of %d x %d x %d in %d classes; the data have "
                         "%d x %d x %d in %d",
                         file, a.height, a.width, a.channels, a.classes, b.height, b.width,
                         b.channels, b.classes);
    return EXIT_DONE;
}

int net_open_data(const options *given, hk_data **train, hk_data **test)
{
    hk_status status = hk_data_open(given->data ? given->data : "glyphs", train, test);
    return status == HK_OK ? EXIT_DONE : tool_failed();
}

int net_take_stream(options *given)
{
    int64_t tasks;
    if (!given->stream)
        return EXIT_DONE;
    if (hk_stream_tasks(given->stream, &tasks) != HK_OK)
        return tool_failed();
    if (given->epochs && given->epochs != tasks)
        return tool_fail(EXIT_USAGE,
                         "--epochs %lld, and a stream of %lld tasks: a task is an epoch, leave "
                         "--epochs out",
                         (long long)given->epochs, (long long)tasks);
    given->epochs = tasks;
    return EXIT_DONE;
}

int net_open_stream(const options *given, hk_data *train, hk_data *validation, hk_data *test)
{
    hk_data *const sets[] = {train, validation, test};
    for (int i = 0; given->stream && i < 3; i++)
        if (sets[i] &&
            hk_data_stream(sets[i], given->stream, (uint64_t)given->seed, i > 0) != HK_OK)
            return tool_failed();
    return EXIT_DONE;
}

int net_open_data_of(const options *given, bool training, const network *it, hk_data **data)
{
    const char *file = given->operands[0];
    hk_data *unused = NULL;
    int status = EXIT_DONE;
    const hk_card *card = hk_net_card(it->net);
    const char *spec = given->data ? given->data : card->data ? card->data : "glyphs";
    const bool alone = card->mean && !training; /* the scaling is the card's */
    if (hk_data_open(spec,
                     training ? data
                     : alone  ? NULL
                              : &unused,
                     training ? NULL : data) != HK_OK)
        status = tool_failed();
    hk_data_free(unused);
    return status ? status : net_conform(file, it, *data);
}

int net_open_with_data(const options *given, bool training, network *it, hk_data **data)
{
    int status = net_open(given->operands[0], it);
    if (!status)
        status = net_open_data_of(given, training, it, data);
    if (!status && !given->data && hk_net_card(it->net)->data && !given->json)
        tool_note("%s: on the data that it learned from, %s", given->operands[0],
                  hk_net_card(it->net)->data);
    return status;
}

int net_run_on_saved(const options *given, bool training,
                     int (*body)(const network *it, const options *given, const hk_data *data))
{
    hk_data *data = NULL;
    network it = {0};
    int status = net_open_with_data(given, training, &it, &data);
    if (!status)
        status = body(&it, given, data);
    net_free(&it);
    hk_data_free(data);
    return status;
}

hk_recipe net_choose_recipe(const options *given, const hk_plugin *model, const char *data,
                            int64_t samples)
{
    hk_recipe recipe = hk_model_recipe(model, data, samples, (int)given->batch);
    if (given->stream) { /* a rate that falls would be taken for a loss of plasticity */
        recipe.schedule = "constant";
        recipe.augment = "none";
    }
    if (given->optimizer)
        recipe.optimizer = given->optimizer;
    if (given->schedule)
        recipe.schedule = given->schedule;
    if (given->augment)
        recipe.augment = given->augment;
    if (given->epochs)
        recipe.epochs = (int)given->epochs;
    return recipe;
}

hk_train_options net_train_options(const options *given, const hk_recipe *recipe, int64_t seed)
{
    return (hk_train_options){.optimizer = recipe->optimizer,
                              .schedule = recipe->schedule,
                              .augment = recipe->augment,
                              .epochs = recipe->epochs,
                              .batch = recipe->batch,
                              .clip = given->clip,
                              .smoothing = given->smoothing,
                              .doctor = given->doctor,
                              .seed = (uint64_t)seed,
                              .progress = tool_progress_batch};
}
