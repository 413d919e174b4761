/* A net out of a file: the whole of it, or what fits of it. */
#include "nn/store.h"

#include <stdio.h>
#include <string.h>

#include "io/json.h"
#include "nn/graph_json.h"

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

/* A weight in PyTorch's order, [out, in] or [out, in, height, width], is not ours: [in, out] or [height,
 * width, in, out]. */
static bool is_turned(const hki_st_tensor *found, const hk_tensor *t)
{
    const int64_t *theirs = found->dims, *ours = t->shape.dims;
    if (found->ndim != t->shape.ndim || (found->ndim != 2 && found->ndim != 4))
        return false;
    return found->ndim == 2 ? theirs[0] == ours[1] && theirs[1] == ours[0]
                            : theirs[0] == ours[3] && theirs[1] == ours[2] &&
                                  theirs[2] == ours[0] && theirs[3] == ours[1];
}

/* The file has weights that only fit turned: so are its square ones, whose shapes do not tell. */
static bool is_in_other_order(const hk_net *net, const hki_st_file *file)
{
    char text[HKI_STORED_TEXT];
    for (int i = 0; i < net->n_tensors; i++) {
        const hk_tensor *t = net->tensors[i];
        const hki_st_tensor *found = t->role == HKI_LEARNED ? hki_store_find(file, t->name) : NULL;
        if (found && is_turned(found, t) && !hki_stored_fits(found, &t->shape, text))
            return true;
    }
    return false;
}

/* Takes over tensor t where the file has it with its shape. */
static bool take(const hki_st_file *file, hk_tensor *t, bool other_order, char *reason, size_t size)
{
    char text[HKI_STORED_TEXT];
    const hki_st_tensor *found = hki_store_find(file, t->name);
    const bool turned = other_order && found && is_turned(found, t);
    if (!found)
        snprintf(reason, size, "starts anew: the file has none");
    else if (!hki_stored_fits(found, &t->shape, text) || turned)
        snprintf(reason, size, "starts anew: the file has %s%s, the net %s", text,
                 turned ? " in the order [out, in]" : "", hki_shape_text(&t->shape));
    else
        hki_st_floats(found, t->value);
    return !*reason;
}

static hk_status load_fitting(hk_net *net, const char *path, const hki_st_file *file, int *fitting,
                              void (*each)(const char *, const char *, void *), void *user)
{
    char reason[2 * HKI_STORED_TEXT];
    hk_status status = hki_net_fill(net);
    const bool other_order = is_in_other_order(net, file);
    for (int i = 0; i < net->n_tensors && !status; i++) {
        hk_tensor *t = net->tensors[i];
        if (t->role != HKI_LEARNED && t->role != HKI_STATE)
            continue;
        *reason = '\0';
        if (take(file, t, other_order, reason, sizeof reason))
            ++*fitting;
        else
            each(t->name, reason, user);
    }
    for (size_t i = 0; i < file->n_tensors && !status; i++)
        if (!hki_find_tensor(net, file->tensors[i].name) && !hki_is_ours(file->tensors[i].name))
            each(file->tensors[i].name, "is left out: the net has none", user);
    hki_values_changed(net);
    if (!status && !*fitting)
        status = hki_fail(HK_BAD_DATA, "%s: none of its %zu tensors fits the net by name and shape",
                          path, file->n_tensors);
    return status;
}

hk_status hk_net_load_fitting(hk_net *net, const char *path, int *fitting,
                              void (*each)(const char *tensor, const char *reason, void *user),
                              void *user)
{
    hki_st_file file;
    int count = 0;
    if (fitting)
        *fitting = 0;
    if (hki_null(net, path))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_st_read(path, &file);
    if (status)
        return status;
    status = load_fitting(net, path, &file, &count, each ? each : ignore, user);
    if (fitting)
        *fitting = count;
    hki_st_clear(&file);
    return status;
}
