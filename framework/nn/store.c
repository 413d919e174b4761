/* A net in a file: learned tensors and state as safetensors, its choices as metadata. */
#include "nn/store.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/graph_json.h"

_Static_assert(HKI_MAX_DIMS == HK_MAX_DIMS, "what a tensor has, a file can hold");
_Static_assert(HK_MAX_SPEC == HKI_MAX_SPEC, "what a net is made of, a program can be told");

static bool is_stored(const hk_tensor *t)
{
    return t->role == HKI_LEARNED || t->role == HKI_STATE;
}

void hk_net_digest(hk_net *net, char out[65])
{
    if (out)
        out[0] = '\0';
    if (hki_null(net, out) || hki_net_fill(net))
        return;
    hki_piece *pieces = hki_alloc_array((size_t)net->n_tensors, sizeof *pieces);
    size_t n = 0;
    if (!pieces)
        return;
    for (int i = 0; i < net->n_tensors; i++) {
        const hk_tensor *t = net->tensors[i];
        if (is_stored(t))
            pieces[n++] = (hki_piece){t->value, (size_t)hki_count(&t->shape, 1) * sizeof(float)};
    }
    hki_sha256_hex(pieces, n, out);
    hki_free(pieces);
}

/* ---- Texts of the metadata, which have room in an hk_saved -------------------------------------------- */

#define TEXT(name)                                                                                 \
    {                                                                                              \
        "hk." #name, offsetof(hk_saved, name)                                                      \
    }
static const struct {
    const char *key;
    size_t place;
} texts[] = {TEXT(model),       TEXT(activation),  TEXT(normalization),
             TEXT(initializer), TEXT(weight_norm), TEXT(data)};
enum { TEXTS = sizeof texts / sizeof *texts };

/* A text that would be cut names another net. */
static hk_status check_texts(hk_status status, const char *path, const hki_st_meta *meta, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < TEXTS; k++)
            if (!strcmp(meta[i].key, texts[k].key) && strlen(meta[i].value) >= HK_MAX_SPEC)
                return hki_fail(status, "%s: %s has %zu bytes, at most %d are possible", path,
                                meta[i].key, strlen(meta[i].value), HK_MAX_SPEC - 1);
    return HK_OK;
}

/* ---- Saving ------------------------------------------------------------------------------------------ */

/* "28x28x1", or "" for another input. */
static void describe_input(hk_tensor *logits, char *text, size_t size)
{
    const hk_tensor *input = hk_tensor_input(logits);
    text[0] = '\0';
    if (input && input->shape.ndim == 4)
        snprintf(text, size, "%lldx%lldx%lld", (long long)input->shape.dims[1],
                 (long long)input->shape.dims[2], (long long)input->shape.dims[3]);
}

/* What a file holds of a net, while it is written. */
typedef struct contents {
    hki_st_tensor *tensors;
    size_t n;
    char (*names)[HKI_CONSTANT_NAME]; /* of constants */
    char *graph, *card, *plugins;
} contents;

/* Every parameter and state of the net; of its graph, also the constants. */
static hk_status list_tensors(const hk_net *net, hk_tensor *const *graph, int n_graph,
                              size_t n_more, contents *out)
{
    out->tensors =
        hki_alloc_array((size_t)(net->n_tensors + n_graph) + n_more, sizeof *out->tensors);
    out->names = hki_alloc_array((size_t)n_graph, sizeof *out->names);
    if (!out->tensors || !out->names)
        return HK_NO_MEMORY;
    for (int i = 0; i < net->n_tensors + n_graph; i++) {
        const bool of_graph = i >= net->n_tensors;
        const int place = i - net->n_tensors;
        const hk_tensor *t = of_graph ? graph[place] : net->tensors[i];
        if (of_graph ? t->role != HKI_FIXED : !is_stored(t))
            continue;
        hki_st_tensor *to = &out->tensors[out->n++];
        *to = (hki_st_tensor){.name = t->name, .ndim = t->shape.ndim, .data = t->value};
        memcpy(to->dims, t->shape.dims, sizeof to->dims);
        if (of_graph)
            to->name = hki_constant_name(place, out->names[place]);
    }
    return HK_OK;
}

static hk_status gather(hk_tensor *logits, size_t n_more, contents *out)
{
    int n_graph;
    hk_tensor **graph = hki_graph_tensors(logits, &n_graph);
    hk_status status = graph ? hki_graph_write(graph, n_graph, logits, &out->graph) : HK_NO_MEMORY;
    if (!status)
        status = list_tensors(logits->net, graph, n_graph, n_more, out);
    if (!status) {
        out->card = hki_card_text(logits->net);
        out->plugins = hki_plugins_text(graph, n_graph);
        status = out->card && out->plugins ? HK_OK : HK_NO_MEMORY;
    }
    hki_free(graph);
    return status;
}

hk_status hki_net_store(hk_tensor *logits, const char *path, const char *model,
                        const hki_st_tensor *more, size_t n_more, const hki_st_meta *more_meta,
                        size_t n_more_meta)
{
    const hki_choices *choices = logits->net->choices;
    char input[64], classes[24];
    if (model && strchr(model, '/')) /* data must not choose code to load */
        return hki_fail(HK_BAD_ARGUMENT, "%s: the model \"%.200s\" is a path; name it by its name",
                        path, model);
    contents all = {0};
    hki_st_meta *meta = NULL;
    hk_status status = gather(logits, n_more, &all);
    if (status)
        goto out;
    snprintf(classes, sizeof classes, "%lld", (long long)hki_channels(&logits->shape));
    describe_input(logits, input, sizeof input);
    const hki_st_meta own[] = {{"hk.model", model ? model : ""},
                               {"hk.activation", choices->activation_spec},
                               {"hk.normalization", choices->normalization_spec},
                               {"hk.initializer", choices->initializer_spec},
                               {"hk.weight_norm", choices->weight_norm_spec},
                               {"hk.input", input},
                               {"hk.classes", classes},
                               {"hk.graph", all.graph},
                               {"hk.card", all.card},
                               {"hk.plugins", all.plugins}};
    const size_t n_own = sizeof own / sizeof *own;
    meta = hki_alloc_array(n_own + n_more_meta, sizeof *meta);
    if (!meta) {
        status = HK_NO_MEMORY;
        goto out;
    }
    memcpy(meta, own, sizeof own);
    if (n_more_meta)
        memcpy(meta + n_own, more_meta, n_more_meta * sizeof *meta);
    status = check_texts(HK_BAD_ARGUMENT, path, meta, n_own + n_more_meta);
    if (n_more)
        memcpy(all.tensors + all.n, more, n_more * sizeof *more);
    if (!status)
        status = hki_st_write(path, all.tensors, all.n + n_more, meta, n_own + n_more_meta);
out:
    hki_free(meta);
    hki_free(all.tensors);
    hki_free(all.names);
    hki_free(all.graph);
    hki_free(all.card);
    hki_free(all.plugins);
    return status;
}

hk_status hk_net_save(hk_tensor *logits, const char *path, const char *model)
{
    if (hki_null(logits, path))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_net_fill(logits->net);
    return status ? status : hki_net_store(logits, path, model, NULL, 0, NULL, 0);
}

/* ---- Loading ------------------------------------------------------------------------------------------- */

hk_shape hki_stored_shape(const hki_st_tensor *stored)
{
    hk_shape shape = {.ndim = stored->ndim};
    memcpy(shape.dims, stored->dims, sizeof shape.dims);
    return shape;
}

bool hki_stored_fits(const hki_st_tensor *stored, const hk_shape *expected,
                     char text[HKI_STORED_TEXT])
{
    const hk_shape shape = hki_stored_shape(stored);
    const bool floats = hki_st_is_floats(stored);
    snprintf(text, HKI_STORED_TEXT, "%s%s%s", hki_shape_text(&shape), floats ? "" : " of ",
             floats ? "" : stored->dtype);
    return floats && hki_same_shape(&shape, expected);
}

const hki_st_tensor *hki_store_find(const hki_st_file *file, const char *name)
{
    for (size_t i = 0; i < file->n_tensors; i++)
        if (!strcmp(file->tensors[i].name, name))
            return &file->tensors[i];
    return NULL;
}

bool hki_is_ours(const char *name)
{
    return !strncmp(name, HKI_OPTIMIZER_PREFIX, strlen(HKI_OPTIMIZER_PREFIX)) ||
           !strncmp(name, HKI_CONSTANT_PREFIX, strlen(HKI_CONSTANT_PREFIX));
}

static bool belongs_to_plugin(const char *name)
{
    return strstr(name, ".act") || strstr(name, ".norm.") || strstr(name, ".weight_norm.");
}

/* Everything is checked before the first float is changed. */
static hk_status check_file(const hk_net *net, const char *path, const hki_st_file *file)
{
    for (int i = 0; i < net->n_tensors; i++) {
        const hk_tensor *t = net->tensors[i];
        if (!is_stored(t))
            continue;
        const hki_st_tensor *found = hki_store_find(file, t->name);
        if (!found && !belongs_to_plugin(t->name))
            return hki_fail(HK_BAD_DATA, "%s: has no tensor %s, which the net needs", path,
                            t->name);
        char text[HKI_STORED_TEXT];
        if (found && !hki_stored_fits(found, &t->shape, text))
            return hki_fail(HK_BAD_DATA, "%s: tensor %s has shape %s, the net expects %s", path,
                            t->name, text, hki_shape_text(&t->shape));
    }
    for (size_t i = 0; i < file->n_tensors; i++) {
        const char *name = file->tensors[i].name;
        if (!hki_find_tensor(net, name) && !belongs_to_plugin(name) && !hki_is_ours(name))
            return hki_fail(HK_BAD_DATA, "%s: holds tensor %s, which the net does not have", path,
                            name);
    }
    return HK_OK;
}

hk_status hki_net_restore(hk_net *net, const char *path, const hki_st_file *file, int *missing)
{
    hk_status status = hki_net_fill(net);
    if (!status)
        status = check_file(net, path, file);
    if (status)
        return status;
    int absent = 0;
    for (int i = 0; i < net->n_tensors; i++) {
        hk_tensor *t = net->tensors[i];
        if (!is_stored(t))
            continue;
        const hki_st_tensor *found = hki_store_find(file, t->name);
        if (found) {
            hki_st_floats(found, t->value);
        } else {
            absent++;
            t->filled = t->filled && !strstr(t->name, ".weight_norm.");
        }
    }
    hki_values_changed(net);
    const char *card = net->choices->card ? NULL : hki_st_meta_get(file, "hk.card");
    if (card && *card && (status = hki_card_read(path, card, net)))
        return status;
    if (missing)
        *missing = absent;
    return hki_net_fill(net); /* normalizations of weights, anew where the file has none */
}

hk_status hk_net_load_weights(hk_net *net, const char *path, int *missing)
{
    hki_st_file file;
    if (hki_null(net, path))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_st_read(path, &file);
    if (status)
        return status;
    status = hki_net_restore(net, path, &file, missing);
    hki_st_clear(&file);
    return status;
}

/* ---- Looking into a file ----------------------------------------------------------------------------------- */

static void copy_meta(const hki_st_file *file, const char *key, char *text, size_t size)
{
    const char *value = hki_st_meta_get(file, key);
    snprintf(text, size, "%s", value ? value : "");
}

static int int_meta(const hki_st_file *file, const char *key, int64_t most)
{
    const char *value = hki_st_meta_get(file, key);
    int64_t number;
    return value && hki_parse_int(value, 0, most, &number) ? (int)number : 0;
}

static int64_t count_floats(const hki_st_file *file)
{
    int64_t floats = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        hk_shape shape = hki_stored_shape(&file->tensors[i]);
        floats += hki_count(&shape, 1);
    }
    return floats;
}

/* "28x28x1" */
static void parse_input(const hki_st_file *file, hk_saved *out)
{
    int *const sizes[] = {&out->height, &out->width, &out->channels};
    char text[64], *rest = text;
    copy_meta(file, "hk.input", text, sizeof text);
    for (int i = 0; i < 3; i++) {
        const char *part = strsep(&rest, "x");
        int64_t number;
        if (part && hki_parse_int(part, 1, HKI_MAX_DIM, &number))
            *sizes[i] = (int)number;
    }
}

hk_status hki_refuse_paths(const char *path, const hki_st_file *file)
{
    const char *const keys[] = {"hk.activation", "hk.normalization", "hk.initializer",
                                "hk.weight_norm", "hk.model"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *spec = hki_st_meta_get(file, keys[i]);
        if (spec && strchr(spec, '/'))
            return hki_fail(HK_BAD_DATA,
                            "%s: names the plugin %s by its path; load it yourself and "
                            "choose it by name",
                            path, spec);
    }
    return HK_OK;
}

hk_status hk_net_peek(const char *path, hk_saved *out)
{
    hki_st_file file;
    if (out)
        memset(out, 0, sizeof *out);
    if (hki_null(path, out))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_st_read_header(path, &file);
    if (status)
        return status;
    status = check_texts(HK_BAD_DATA, path, file.meta, file.n_meta);
    for (int i = 0; i < TEXTS && !status; i++)
        copy_meta(&file, texts[i].key, (char *)out + texts[i].place, HK_MAX_SPEC);
    out->classes = int_meta(&file, "hk.classes", HKI_MAX_DIM);
    out->epochs = int_meta(&file, "hk.epochs", HKI_MAX_EPOCHS);
    out->floats = count_floats(&file);
    out->has_graph = hki_st_meta_get(&file, "hk.graph") != NULL;
    parse_input(&file, out);
    if (!status)
        status = hki_refuse_paths(path, &file);
    hki_st_clear(&file);
    return status;
}

hk_status hk_stored_each(const char *path, void (*tensor)(const hk_stored *tensor, void *user),
                         void (*metadata)(const char *key, const char *value, void *user),
                         void *user)
{
    hki_st_file file;
    if (hki_null(path))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_st_read_header(path, &file);
    for (size_t i = 0; i < file.n_meta && metadata; i++)
        metadata(file.meta[i].key, file.meta[i].value, user);
    for (size_t i = 0; i < file.n_tensors && tensor; i++) {
        const hki_st_tensor *t = &file.tensors[i];
        tensor(&(hk_stored){t->name, t->dtype, hki_stored_shape(t), (int64_t)t->bytes}, user);
    }
    hki_st_clear(&file);
    return status;
}
