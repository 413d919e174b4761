/* A net out of a file: the whole of it, or what fits of it. */
#include "nn/store.h"

#include <stdio.h>
#include <string.h>

#include "io/json.h"
#include "nn/graph_json.h"
#include "nn/torch.h"

/* ---- Plugins, and the files they were in ------------------------------------------------------------- */

/* SHA-256 of the plugin's file; false where it is Hillock's own or cannot be read. */
static bool plugin_digest(const hk_plugin *plugin, char out[65])
{
    enum { MOST = 1 << 28 };
    const char *file = hk_plugin_describe(plugin).file;
    uint8_t *bytes;
    size_t size;
    if (hki_plugin_is_own(file) || hki_file_read(file, NULL, MOST, &bytes, &size))
        return false;
    hki_sha256_hex(&(hki_piece){bytes, size}, 1, out);
    hki_free(bytes);
    return true;
}

static void add_plugin(json_t *to, const hk_plugin *plugin)
{
    char digest[65];
    if (!json_object_get(to, plugin->name) && plugin_digest(plugin, digest))
        json_object_set_new(to, plugin->name, json_string(digest));
}

/* Calls add_plugin() for what computes a tensor, or initializes it. */
static void add_plugins(json_t *to, const hk_tensor *t)
{
    for (const hki_constant *c = t->op ? t->op->kept : NULL; c && c->name; c++)
        if (c->form == HKI_ACTIVATION || c->form == HKI_NORMALIZATION)
            add_plugin(to, ((const hki_use *)((const char *)t->attributes + c->offset))->plugin);
    if (t->role == HKI_LEARNED && t->init)
        add_plugin(to, ((const hki_fill *)t->init)->use.plugin);
}

char *hki_plugins_text(hk_tensor *const *tensors, int n)
{
    json_t *all = json_object();
    for (int i = 0; i < n; i++)
        add_plugins(all, tensors[i]);
    char *text = hki_json_text(all);
    json_decref(all);
    return text;
}

/* What is another file now. */
static hk_status compare_plugins(const char *path, const hki_st_file *file, hk_net *net)
{
    char text[1024] = "";
    hki_text out = {text, sizeof text, 0};
    const char *plugins = hki_st_meta_get(file, "hk.plugins"), *name;
    json_t *saved = NULL, *digest;
    const size_t size = plugins ? strlen(plugins) : 0;
    hk_status status =
        size ? hki_json_read(path, "list of plugins", plugins, size, 16 * size, &saved) : HK_OK;
    if (status)
        return status;
    json_t *now = json_object();
    for (int i = 0; i < net->n_tensors; i++)
        add_plugins(now, net->tensors[i]);
    json_object_foreach(saved, name, digest)
    {
        const char *then = json_string_value(digest),
                   *found = json_string_value(json_object_get(now, name));
        if (then && (!found || strcmp(then, found)))
            hki_say(
                &out,
                "%splugin %.64s is not the file that the net was saved with (sha256 %.8s..., now %.8s...)",
                out.used ? "; " : "", name, then, found ? found : "Hillock's own");
    }
    json_decref(saved);
    json_decref(now);
    net->choices->remarks = *text ? hki_copy_text(text) : NULL;
    return *text && !net->choices->remarks ? HK_NO_MEMORY : HK_OK;
}

const char *hk_net_remarks(const hk_net *net)
{
    return !hki_null(net) && net->choices->remarks ? net->choices->remarks : "";
}

/* ---- The whole net ------------------------------------------------------------------------------------- */

static void copy_constants(hk_net *net, const hki_st_file *file)
{
    char name[HKI_CONSTANT_NAME];
    for (int i = 0; i < net->n_tensors; i++) {
        hk_tensor *t = net->tensors[i];
        if (t->role == HKI_FIXED)
            hki_st_floats(hki_store_find(file, hki_constant_name(i, name)), t->value);
    }
}

static const char *spec_of(const hki_st_file *file, const char *key)
{
    const char *spec = hki_st_meta_get(file, key);
    return spec && *spec ? spec : NULL;
}

static hk_net *new_net(const char *path, const hki_st_file *file)
{
    if (hki_refuse_paths(path, file))
        return NULL;
    return hk_net_new(.activation = spec_of(file, "hk.activation"),
                      .normalization = spec_of(file, "hk.normalization"),
                      .initializer = spec_of(file, "hk.initializer"),
                      .weight_norm = spec_of(file, "hk.weight_norm"));
}

static hk_status rebuild(const char *path, const hki_st_file *file, hk_net **out,
                         hk_tensor **logits)
{
    const char *graph = hki_st_meta_get(file, "hk.graph");
    if (!graph)
        return hki_fail(HK_BAD_DATA,
                        "%s: holds values and no graph, as files of other programs and of Hillock "
                        "before 0.2 do: record its net, and load them into it",
                        path);
    hk_net *net = new_net(path, file);
    if (!net)
        return hk_last_status();
    hk_status status = hki_graph_read(path, file, graph, net, logits);
    if (!status)
        status = hki_net_restore(net, path, file, NULL);
    if (!status)
        copy_constants(net, file);
    if (!status)
        status = compare_plugins(path, file, net);
    if (status) {
        hk_net_free(net);
        *logits = NULL;
        return status;
    }
    *out = net;
    return HK_OK;
}

hk_status hk_net_load(const char *path, hk_net **net, hk_tensor **logits)
{
    hki_st_file file;
    if (net)
        *net = NULL;
    if (logits)
        *logits = NULL;
    if (hki_null(path, net, logits))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_st_read(path, &file);
    if (status)
        return status;
    status = rebuild(path, &file, net, logits);
    hki_st_clear(&file);
    return status;
}

/* ---- What fits ----------------------------------------------------------------------------------------- */

static void ignore(const char *tensor, const char *reason, void *user)
{
    (void)tensor, (void)reason, (void)user;
}

/* What of a file goes where. */
typedef struct fitting {
    const hki_st_file *file;
    bool is_torch; /* its weights are in PyTorch's order */
    int n, n_turned;
} fitting;

/* By our name, or PyTorch's. */
static const hki_st_tensor *find_stored(const hki_st_file *file, const hk_tensor *t)
{
    char name[HKI_MAX_TENSOR_NAME];
    const hki_st_tensor *found = hki_store_find(file, t->name);
    hki_torch_name(t, name);
    return found ? found : hki_store_find(file, name);
}

static bool fits_turned(const hki_st_tensor *found, const hk_tensor *t)
{
    char text[HKI_STORED_TEXT];
    const hki_torch_order order = hki_torch_order_of(t);
    return order.is_other && hki_stored_fits(found, &order.shape, text);
}

/* Some weights fit only turned; where all fit both ways, being square, the file's own word counts. */
static bool is_torch_file(const hk_net *net, const hki_st_file *file)
{
    char text[HKI_STORED_TEXT];
    const char *format = hki_st_meta_get(file, "format");
    for (int i = 0; i < net->n_tensors; i++) {
        const hk_tensor *t = net->tensors[i];
        const hki_st_tensor *found = t->role == HKI_LEARNED ? find_stored(file, t) : NULL;
        const bool turned = found && fits_turned(found, t);
        const bool as_is = found && hki_stored_fits(found, &t->shape, text);
        if (turned != as_is && hki_torch_order_of(t).is_other)
            return turned;
    }
    return format && strcmp(format, "pt") == 0;
}

static void take_turned(fitting *f, const hki_st_tensor *found, hk_tensor *t, float *buffer)
{
    const hki_torch_order order = hki_torch_order_of(t);
    hki_st_floats(found, buffer);
    hki_torch_turn(t, &order, true, buffer, t->value);
    f->n_turned++;
}

/* Takes over tensor t where the file has it with its shape; else the reason. */
static hk_status take(fitting *f, hk_tensor *t, char *reason, size_t size)
{
    char text[HKI_STORED_TEXT];
    const hki_st_tensor *found = find_stored(f->file, t);
    if (found && f->is_torch && fits_turned(found, t)) {
        float *buffer = hki_alloc_array((size_t)hki_count(&t->shape, 1), sizeof *buffer);
        if (!buffer)
            return HK_NO_MEMORY;
        take_turned(f, found, t, buffer);
        hki_free(buffer);
    } else if (!found) {
        snprintf(reason, size, "starts anew: the file has none");
    } else if (!hki_stored_fits(found, &t->shape, text)) {
        snprintf(reason, size, "starts anew: the file has %s, the net %s", text,
                 hki_shape_text(&t->shape));
    } else {
        hki_st_floats(found, t->value);
    }
    f->n += !*reason;
    return HK_OK;
}

/* Whether a tensor of the file has a place in the net. */
static bool has_place(const hk_net *net, const hki_st_tensor *stored)
{
    for (int i = 0; i < net->n_tensors; i++) {
        char name[HKI_MAX_TENSOR_NAME];
        const hk_tensor *t = net->tensors[i];
        if (t->role != HKI_LEARNED && t->role != HKI_STATE)
            continue;
        hki_torch_name(t, name);
        if (!strcmp(stored->name, t->name) || !strcmp(stored->name, name))
            return true;
    }
    return hki_is_ours(stored->name);
}

#define TURNED "is turned round, as the file's other weights are: PyTorch has the output first"

static hk_status load_fitting(hk_net *net, const char *path, fitting *f,
                              void (*each)(const char *, const char *, void *), void *user)
{
    char reason[2 * HKI_STORED_TEXT];
    int told = 0;
    hk_status status = hki_net_fill(net);
    for (int i = 0; i < net->n_tensors && !status; i++) {
        hk_tensor *t = net->tensors[i];
        if (t->role != HKI_LEARNED && t->role != HKI_STATE)
            continue;
        *reason = '\0';
        status = take(f, t, reason, sizeof reason);
        if (*reason)
            each(t->name, reason, user);
        else if (f->n_turned == 1 && !told++)
            each(t->name, TURNED, user);
    }
    for (size_t i = 0; i < f->file->n_tensors && !status; i++)
        if (!has_place(net, &f->file->tensors[i]))
            each(f->file->tensors[i].name, "is left out: the net has none", user);
    hki_values_changed(net);
    if (!status && !f->n)
        status = hki_fail(HK_BAD_DATA, "%s: none of its %zu tensors fits the net by name and shape",
                          path, f->file->n_tensors);
    return status;
}

hk_status hk_net_load_fitting(hk_net *net, const char *path, int *n_fitting,
                              void (*each)(const char *tensor, const char *reason, void *user),
                              void *user)
{
    hki_st_file file;
    if (n_fitting)
        *n_fitting = 0;
    if (hki_null(net, path))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_st_read(path, &file);
    if (status)
        return status;
    fitting f = {.file = &file, .is_torch = is_torch_file(net, &file)};
    status = load_fitting(net, path, &f, each ? each : ignore, user);
    if (n_fitting)
        *n_fitting = f.n;
    hki_st_clear(&file);
    return status;
}
