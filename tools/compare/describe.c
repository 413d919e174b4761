/* Asks a row's net what it is, and tries to train it on a single grey image. */
#include "compare/describe.h"
#include "output.h"
#include "memory.h"

#include <hillock/registry.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>

typedef struct digests {
    char text[4096];
    size_t used;
} digests;

/* Each name once. */
static void add_digest(digests *to, const char *name, size_t length, const char *file)
{
    char digest[SHA256_DIGEST_STRING_LENGTH] = "";
    size_t n;
    for (const char *word = to->text; *word; word += n, word += strspn(word, " ")) {
        n = strcspn(word, " ");
        if (n == length && memcmp(word, name, n) == 0)
            return;
    }
    if (to->used + length + sizeof digest + 2 > sizeof to->text)
        return;
    const bool is_file = file && file[0] == '/' && SHA256File(file, digest);
    to->used +=
        (size_t)snprintf(to->text + to->used, sizeof to->text - to->used, "%s%.*s %s",
                         to->used ? " " : "", (int)length, name, is_file ? digest : "built-in");
}

/* The plugins of a canonical spec: "relu:a=1e+5+conv2=mish~elu" has three. */
static hk_status add_digests(digests *to, hk_kind kind, const char *spec)
{
    hk_status status = HK_OK;
    for (const char *at = spec; at && status == HK_OK;) {
        char name[128];
        const hk_plugin *plugin;
        const size_t length = strcspn(at, ":+~");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        status = hk_plugin_find(kind, name, &plugin);
        if (status == HK_OK)
            add_digest(to, name, length, hk_plugin_describe(plugin).file);
        at = net_spec_end(at);
        if (at)
            at += *at == '~' ? 1 : strcspn(at, "=") + 1;
    }
    return status;
}

static hk_status describe_net(const network *it, const hk_recipe *recipe, json_t **out)
{
    const hk_net *net = it->net;
    digests plugins = {.used = 0};
    const char *norm = hk_net_normalization(net), *init = hk_net_initializer(net);
    char *act = net_running_activation(net);
    const struct {
        hk_kind kind;
        const char *spec;
    } used[] = {{HK_ACTIVATION, act},
                {HK_NORMALIZATION, norm},
                {HK_INITIALIZER, init},
                {HK_NORMALIZATION, hk_net_weight_norm(net)},
                {HK_MODEL, it->model->name}};
    hk_status status = act ? HK_OK : HK_NO_MEMORY;
    for (size_t i = 0; i < sizeof used / sizeof *used && !status; i++)
        status = add_digests(&plugins, used[i].kind, used[i].spec);
    if (!status)
        *out = json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:s, s:{s:s, s:s, s:s, s:i, s:i}}",
            "type", "description", "model", it->spec, "act", act, "norm", norm, "init", init,
            "weight_norm", hk_net_weight_norm(net), "plugins", plugins.text, "parameters",
            (json_int_t)hk_net_parameters(net), "multiply_adds", (json_int_t)net_multiply_adds(net),
            "has_norm", hk_net_has_norm(net), "norm_remedy", net_norm_remedy(it->model), "recipe",
            "optimizer", recipe->optimizer, "schedule", recipe->schedule, "augment",
            recipe->augment, "epochs", recipe->epochs, "batch", recipe->batch);
    free(act);
    return status ? status : *out ? HK_OK : HK_NO_MEMORY;
}

/* The trainer reads the optimizer, the schedule and the augmentation, and plans the net. */
static hk_status try_training(const options *asked, const network *it, const hk_recipe *recipe,
                              hk_data *data)
{
    hk_trainer *trainer = NULL;
    hk_train_options how = net_train_options(asked, recipe, 1);
    how.train = data;
    how.batch = 1;
    how.no_probes = 1;
    hk_status status = hk_trainer_new(it->logits, &how, &trainer);
    hk_trainer_free(trainer);
    return status;
}

hk_status compare_describe_row(const options *asked, const network *it, hk_data_shape images,
                               json_t **out)
{
    hk_data *data = NULL;
    const hk_recipe recipe = net_choose_recipe(asked, it->model, asked->data, images.n);
    const int32_t label = 0;
    float *grey = calloc((size_t)images.height * (size_t)images.width * (size_t)images.channels,
                         sizeof *grey);
    hk_status status = asked->quantise ? hk_quantise_check(asked->quantise) : HK_OK;
    if (!status)
        status = grey ? hk_data_from_arrays(1, images.height, images.width, images.channels,
                                            images.classes, grey, &label, &data)
                      : HK_NO_MEMORY;
    free(grey);
    if (!status)
        status = try_training(asked, it, &recipe, data);
    if (!status)
        status = describe_net(it, &recipe, out);
    hk_data_free(data);
    return status;
}

hk_status compare_describe_list(hk_kind kind, const char *list, json_t **out)
{
    char **items, *text = NULL;
    size_t n, used = 0, room = 1;
    hk_status status = hk_spec_list(kind, list, &items, &n);
    for (size_t i = 0; i < n; i++)
        room += strlen(items[i]) + 1;
    if (!status && !(text = malloc(room)))
        status = HK_NO_MEMORY;
    for (size_t i = 0; !status && i < n; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%s", i ? "," : "", items[i]);
    hk_spec_list_free(items, n);
    *out = text ? json_pack("{s:s, s:s}", "type", "list", "text", text) : NULL;
    free(text);
    return status;
}
