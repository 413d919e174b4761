/* hillock inspect: what a model, a saved net or a plugin consists of. */
#include "net/inspect.h"
#include "net/network.h"
#include "output.h"

#include <string.h>

/* ---- Models: layers, shapes, costs ---------------------------------------------------------- */

typedef struct layer_table {
    json_t *rows; /* NULL: print */
    int64_t parameters, multiply_adds, bytes;
} layer_table;

static const char *shape_text(const hk_shape *shape, char out[64])
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < shape->ndim; i++)
        if (shape->dims[i] != HK_BATCH)
            used += (size_t)snprintf(out + used, used < 64 ? 64 - used : 0, "%s%lld",
                                     used ? " x " : "", (long long)shape->dims[i]);
    return out;
}

static void put_layer(const hk_layer_info *layer, void *user)
{
    layer_table *table = user;
    char shape[64];
    table->parameters += layer->parameters;
    table->multiply_adds += layer->multiply_adds;
    table->bytes += layer->bytes;
    if (!table->rows) {
        printf("  %-10s %-28s %16s %12s %14s %12s\n", layer->name, layer->kind,
               shape_text(&layer->output, shape), tool_grouped(layer->parameters),
               tool_grouped(layer->multiply_adds), tool_grouped(layer->bytes));
        return;
    }
    json_array_append_new(table->rows,
                          json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "layer", layer->name, "kind",
                                    layer->kind, "output", shape_text(&layer->output, shape),
                                    "parameters", (json_int_t)layer->parameters, "multiply_adds",
                                    (json_int_t)layer->multiply_adds, "bytes",
                                    (json_int_t)layer->bytes));
}

/* Bytes of a plan that trains, or that predicts a single image. */
static hk_status plan_bytes(const network *it, int training, int64_t batch, int64_t *bytes)
{
    hk_plan_options wanted = {.batch = batch, .training = training, .output = it->logits};
    if (training)
        wanted.loss = hk_cross_entropy(it->logits, hk_labels(it->net), 0);
    return hk_plan_size(it->net, &wanted, bytes);
}

const char *net_contract(const hk_plugin *plugin, char text[NET_CONTRACT])
{
    const hk_plugin_info info = hk_plugin_describe(plugin);
    snprintf(text, NET_CONTRACT, "%d.%d, of hillock %d.%d", info.major, info.minor, HK_ABI_MAJOR,
             HK_ABI_MINOR);
    return text;
}

static int inspect_network(const network *it, const options *given, hk_data_shape images)
{
    layer_table table = {.rows = given->json ? json_array() : NULL};
    int64_t batch = given->batch ? given->batch : 64, predicting, training;
    char text[NET_CONTRACT];
    const char *contract = it->model ? net_contract(it->model, text) : "";
    if (!given->json)
        printf("%s: %s; %s\n  %-10s %-28s %16s %12s %14s %12s\n  %-10s %-28s %4d x %3d x %3d\n",
               it->name, it->model ? it->model->summary : "recorded by a program",
               it->model ? it->model->source : "no source", "layer", "", "output", "parameters",
               "multiply-adds", "bytes", "input", "", images.height, images.width, images.channels);
    hk_net_each_layer(it->net, put_layer, &table);
    if (plan_bytes(it, 0, 1, &predicting) != HK_OK ||
        plan_bytes(it, 1, batch, &training) != HK_OK) {
        json_decref(table.rows);
        return tool_failed();
    }
    if (!given->json) {
        printf("  %-10s %-28s %16s %12s %14s %12s\n", "total", "for one image", "",
               tool_grouped(table.parameters), tool_grouped(table.multiply_adds),
               tool_grouped(table.bytes));
        printf(
            "memory: parameters %s bytes; buffers %s to predict one image, %s to train batches of "
            "%lld\n",
            tool_grouped(table.parameters * 4), tool_grouped(predicting), tool_grouped(training),
            (long long)batch);
        if (*contract)
            printf("contract   %s\n", contract);
        return EXIT_DONE;
    }
    return tool_json_print(
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "model", it->name, "source",
                  it->model ? it->model->source : "", "contract", contract, "parameters",
                  (json_int_t)table.parameters, "multiply_adds", (json_int_t)table.multiply_adds,
                  "memory_predict", (json_int_t)predicting, "memory_train", (json_int_t)training,
                  "batch", (json_int_t)batch, "layers", table.rows));
}

/* Images are shaped as the data, where they are given. */
static int inspect_spec(const char *spec, const options *given, hk_net_options choices,
                        hk_data_shape images)
{
    network it = {0};
    hk_data *data = NULL;
    int status = given->data ? net_open_data(given, &data, NULL) : EXIT_DONE;
    if (!status)
        status = net_new(spec, choices, data ? hk_data_shape_of(data) : images, &it);
    if (!status && given->forecast)
        status = net_forecast(&it, given, data);
    else if (!status)
        status = inspect_network(&it, given, images);
    net_free(&it);
    hk_data_free(data);
    return status;
}

static int inspect_model(const char *spec, const options *given)
{
    hk_net_options choices;
    hk_data_shape images = {.classes = 10};
    if (hk_model_images(spec, &images.height, &images.width, &images.channels) != HK_OK)
        return tool_failed();
    net_choices(given, NULL, NULL, &choices);
    return inspect_spec(spec, given, choices, images);
}

/* ---- Saved nets ----------------------------------------------------------------------------- */

static void put_line(const char *label, const char *text)
{
    printf("%-14s ", label);
    tool_put_text(stdout, *text ? text : "not specified");
    putchar('\n');
}

/* What its inputs and outputs mean. */
static void put_card(const hk_card *card)
{
    enum { SHOWN = 10 };
    if (card->feature_names)
        printf("%-14s %d named columns, label: %s\n", "features", card->channels,
               card->label ? card->label : "none");
    for (int i = 0; card->mean && i < card->channels && i < SHOWN; i++)
        printf("%-14s %s: (x - %g) / %g\n", i ? "" : "scaling",
               card->feature_names ? card->feature_names[i] : "channel", card->mean[i],
               card->deviation[i]);
    if (card->channels > SHOWN && card->mean)
        printf("%-14s ... %d more\n", "", card->channels - SHOWN);
    if (card->target_deviation > 0)
        printf("%-14s %s, mean %.6g, deviation %.6g\n", "target",
               card->label ? card->label : "a number", card->target_mean, card->target_deviation);
    if (!card->class_names)
        return;
    printf("%-14s %d:", "classes", card->classes);
    for (int i = 0; i < card->classes && i < SHOWN; i++) {
        fputs(i ? ", " : " ", stdout);
        tool_put_text(stdout, card->class_names[i]);
    }
    puts(card->classes > SHOWN ? ", ..." : "");
}

/* ---- Other programs' files ------------------------------------------------------------------ */

typedef struct tensor_table {
    json_t *metadata, *rows; /* NULL: print */
    int64_t count, bytes;
} tensor_table;

static void put_metadata(const char *key, const char *value, void *user)
{
    enum { SHOWN = 60 };
    char begin[SHOWN + 4];
    tensor_table *table = user;
    if (table->metadata) {
        json_object_set_new(table->metadata, key, json_string(value));
        return;
    }
    snprintf(begin, sizeof begin, "%.*s%s", SHOWN, value, strlen(value) > SHOWN ? "..." : "");
    fputs("metadata       ", stdout);
    tool_put_text(stdout, key);
    fputs(": ", stdout);
    tool_put_text(stdout, begin);
    putchar('\n');
}

static void put_tensor(const hk_stored *tensor, void *user)
{
    tensor_table *table = user;
    char shape[64];
    if (!table->count++ && !table->rows)
        printf("  %-40s %-8s %20s %14s\n", "tensor", "type", "shape", "bytes");
    table->bytes += tensor->bytes;
    if (!table->rows) {
        fputs("  ", stdout);
        tool_put_text(stdout, tensor->name);
        printf("%*s %-8s %20s %14s\n",
               (int)strlen(tensor->name) < 40 ? 40 - (int)strlen(tensor->name) : 0, "",
               tensor->type, tensor->shape.ndim ? shape_text(&tensor->shape, shape) : "one number",
               tool_grouped(tensor->bytes));
        return;
    }
    json_t *dims = json_array();
    for (int i = 0; i < tensor->shape.ndim; i++)
        json_array_append_new(dims, json_integer(tensor->shape.dims[i]));
    json_array_append_new(table->rows, json_pack("{s:s, s:s, s:o, s:I}", "tensor", tensor->name,
                                                 "type", tensor->type, "shape", dims, "bytes",
                                                 (json_int_t)tensor->bytes));
}

/* A file with neither a graph nor a model: what it holds. */
static int list_tensors(const char *file, const options *given)
{
    tensor_table table = {0};
    if (given->json)
        table = (tensor_table){.metadata = json_object(), .rows = json_array()};
    if (hk_stored_each(file, put_tensor, put_metadata, &table) != HK_OK) {
        json_decref(table.metadata);
        json_decref(table.rows);
        return tool_failed();
    }
    if (given->json)
        return tool_json_print(json_pack("{s:s, s:I, s:o, s:o}", "file", file, "bytes",
                                         (json_int_t)table.bytes, "metadata", table.metadata,
                                         "tensors", table.rows));
    printf("%s in %s bytes: another program's, of which train --from takes what fits by name and "
           "shape\n",
           tool_counted(table.count, "tensor"), tool_grouped(table.bytes));
    return EXIT_DONE;
}

/* ---- Files ---------------------------------------------------------------------------------- */

/* What a file says of its net, line by line. */
static void put_saved(const char *file, const hk_saved *saved)
{
    const char *const lines[][2] = {
        {"file", file},
        {"model", saved->model},
        {"activation", saved->activation},
        {"normalization", saved->normalization},
        {"initializer", saved->initializer},
        {"weight norm", saved->weight_norm},
        {"data", saved->data},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        put_line(lines[i][0], lines[i][1]);
    printf("%-14s %d\n", "epochs", saved->epochs);
}

/* The net as it stands in the file, unless the command line chooses other plugins for its model. */
static int inspect_file(const char *file, const options *given)
{
    hk_saved saved;
    hk_net_options choices;
    network it = {0};
    int status = net_choices(given, file, &saved, &choices);
    if (status)
        return status;
    if (!saved.has_graph && !*saved.model && !given->forecast)
        return list_tensors(file, given);
    const bool as_it_is = !given->act && !given->norm && !given->init && !given->weight_norm &&
                          !(given->forecast && *saved.model);
    if (as_it_is && (status = net_open(file, &it)))
        return status;
    if (!given->json)
        put_saved(file, &saved);
    if (as_it_is && !given->json)
        put_card(hk_net_card(it.net));
    hk_data_shape images = {0, saved.height, saved.width, saved.channels, saved.classes};
    if (as_it_is && given->forecast)
        status = hk_net_redraw(it.net, (uint64_t)given->seed) == HK_OK
                     ? net_forecast(&it, given, NULL)
                     : tool_failed();
    else if (as_it_is)
        status = inspect_network(&it, given, net_input_shape(&it));
    else if (*saved.model)
        status = inspect_spec(saved.model, given, choices, images);
    else
        status =
            tool_fail(EXIT_USAGE,
                      "%s: its net is not one of the models, whose plugins could be chosen", file);
    net_free(&it);
    return status;
}

/* ---- What is meant -------------------------------------------------------------------------- */

static bool is_model(const char *spec)
{
    char name[HK_MAX_SPEC];
    const hk_plugin *model;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(spec, ":"), spec);
    return hk_model_find(name, &model, NULL) == HK_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), n = strlen(end);
    return length >= n && strcmp(text + length - n, end) == 0;
}

/* elu:alpha=0.5 is none. */
static bool is_file(const char *what)
{
    const char first = what[strcspn(what, "/.:")];
    return first == '/' || first == '.';
}

int net_inspect_command(options *given)
{
    const char *what = given->operands[0];
    if ((given->data || given->nets) && !given->forecast)
        return tool_fail(EXIT_USAGE, "inspect: --data and --nets belong to --forecast");
    if (is_model(what))
        return inspect_model(what, given);
    if (given->forecast && (ends_with(what, ".so") || !is_file(what)))
        return tool_fail(EXIT_USAGE,
                         "inspect: --forecast is for models and saved nets; \"%s\" is "
                         "neither",
                         what);
    if (ends_with(what, ".so"))
        return plugin_inspect_file(what, given);
    if (is_file(what))
        return inspect_file(what, given);
    return plugin_inspect(what, given);
}
