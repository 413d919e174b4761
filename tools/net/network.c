/* A net out of the catalogue or out of a file. */
#include "net/network.h"

#include "output.h"

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

/* As far as it comes, for the caller to free. */
static bool build(const char *spec, hk_net_options choices, hk_data_shape images, network *out)
{
    *out = (network){0};
    if (hk_model_find(spec, &out->model, NULL) == HK_OK && (out->net = hk_net_create(choices)))
        out->logits = hk_model_build(out->net, spec, images.height, images.width, images.channels,
                                     images.classes);
    return out->logits;
}

int net_new(const char *spec, hk_net_options choices, hk_data_shape images, network *out)
{
    if (build(spec, choices, images, out))
        return EXIT_DONE;
    net_free(out);
    return tool_failed();
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

int net_open(const char *file, hk_data_shape images, network *out)
{
    hk_saved saved;
    hk_net_options choices;
    *out = (network){0};
    int status = net_choices(&(options){0}, file, &saved, &choices);
    if (status)
        return status;
    if (!*saved.model)
        return tool_fail(EXIT_BAD_DATA, "%s: does not say which model it was saved from", file);
    if (saved.height != images.height || saved.width != images.width ||
        saved.channels != images.channels || saved.classes != images.classes)
        return tool_fail(EXIT_USAGE,
                         "%s: a net for images of %d x %d x %d in %d classes; the data have "
                         "%d x %d x %d in %d",
                         file, saved.height, saved.width, saved.channels, saved.classes,
                         images.height, images.width, images.channels, images.classes);
    if (build(saved.model, choices, images, out) &&
        hk_net_load_weights(out->net, file, NULL) == HK_OK)
        return EXIT_DONE;
    const bool lacks_plugin = out->model && !out->net && hk_last_status() == HK_UNKNOWN_NAME;
    net_free(out);
    return lacks_plugin ? tool_fail(EXIT_USAGE,
                                    "%s: made with a plugin that is not here, which "
                                    "--plugin may load: %s",
                                    file, hk_message())
                        : tool_failed();
}

int net_open_data(const options *given, hk_data **train, hk_data **test)
{
    hk_data *unused = NULL;
    hk_status status =
        hk_data_open(given->data ? given->data : "glyphs", train ? train : &unused, test);
    hk_data_free(unused);
    return status == HK_OK ? EXIT_DONE : tool_failed();
}

int net_run_on_saved(const options *given,
                     int (*body)(const network *it, const options *given, const hk_data *test))
{
    hk_data *test = NULL;
    network it = {0};
    int status = net_open_data(given, NULL, &test);
    if (!status)
        status = net_open(given->operands[0], hk_data_shape_of(test), &it);
    if (!status)
        status = body(&it, given, test);
    net_free(&it);
    hk_data_free(test);
    return status;
}

hk_recipe net_choose_recipe(const options *given, const hk_model *model, const hk_data *data)
{
    hk_recipe recipe = *hk_model_recipe(model, hk_data_spec(data));
    if (given->optimizer)
        recipe.optimizer = given->optimizer;
    if (given->schedule)
        recipe.schedule = given->schedule;
    if (given->augment)
        recipe.augment = given->augment;
    if (given->epochs)
        recipe.epochs = (int)given->epochs;
    if (given->batch)
        recipe.batch = (int)given->batch;
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
