/* Which plugins there are: the files that were loaded.
 *
 * A file is one record, complete before it is linked into the list and never changed or freed
 * afterwards; so a table that was found once stays valid without a lock. The lock covers the list
 * and loading; it is never held while a caller's function runs. */
#include "plugin/loader.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static hki_plugin_file *records; /* the latest first */

const char *hki_kind_phrase(hk_kind kind)
{
    static const char *const phrases[] = {
        [HK_ACTIVATION] = "an activation",
        [HK_NORMALIZATION] = "a normalization",
        [HK_INITIALIZER] = "an initializer",
        [HK_MODEL] = "a model",
    };
    return kind >= HK_ACTIVATION && kind <= HK_MODEL ? phrases[kind] : "a plugin";
}

const char *hk_kind_name(hk_kind kind)
{
    return strchr(hki_kind_phrase(kind), ' ') + 1; /* behind the article */
}

/* ---- Looking among what is loaded; the lock is held ------------------------------------------ */

/* The plugin of this name in this file; kind 0: any. */
static const hk_plugin *search_file(const hki_plugin_file *file, hk_kind kind, const char *name,
                                    size_t length, bool or_alias)
{
    for (size_t i = 0; i < file->count; i++) {
        const hk_plugin *plugin = &file->plugins[i].plugin;
        if ((!kind || plugin->kind == kind) &&
            ((strlen(plugin->name) == length && memcmp(plugin->name, name, length) == 0) ||
             (or_alias && hki_has_word(plugin->aliases, name, length))))
            return plugin;
    }
    return NULL;
}

/* ---- Adding a bundle; the lock is held ------------------------------------------------------- */

/* No plugin of the kind, in another file or earlier in this one, is called so. */
static hk_status check_free(const hki_plugin_file *file, const hk_plugin *plugin, const char *name,
                            size_t length)
{
    hk_kind kind = (hk_kind)plugin->kind;
    for (const hki_plugin_file *other = file; other; other = other->next)
        if (search_file(other, kind, name, length, true))
            return hki_refuse("%s \"%.*s\" already comes from %s; rename it (P14)", file->path,
                              hk_kind_name(kind), (int)length, name, other->path);
    return HK_OK;
}

/* One bad plugin does not remove the others of its bundle; it becomes a warning. */
static hk_status add_plugins(hki_plugin_file *file, const hk_bundle *bundle)
{
    for (uint32_t i = 0; i < bundle->count; i++) {
        const hk_plugin *plugin = &file->plugins[file->count].plugin;
        hk_status status = hki_adopt(file->path, bundle, i, &file->plugins[file->count]);
        size_t length;
        if (status == HK_OK)
            status = hki_table_check(file->path, plugin);
        if (status == HK_OK)
            status = check_free(file, plugin, plugin->name, strlen(plugin->name));
        for (const char *word = hki_next_word(plugin->aliases, ',', &length);
             word && status == HK_OK; word = hki_next_word(word + length, ',', &length))
            status = check_free(file, plugin, word, length);
        if (status == HK_OK) {
            file->count++;
            continue;
        }
        file->incomplete = true;
        if (bundle->count == 1)
            break;
        char *text = file->warning ? hki_format("%s; %s", file->warning, hk_message())
                                   : hki_copy_text(hk_message());
        if (!text)
            return HK_NO_MEMORY;
        hki_free(file->warning);
        file->warning = text;
    }
    return file->count ? HK_OK : HK_BAD_PLUGIN; /* the message is the last plugin's */
}

static hk_status add_bundle(const char *path, const struct stat *about, const hk_bundle *bundle,
                            const char *warning, const hki_plugin_file **out)
{
    hki_plugin_file *file = hki_alloc(sizeof *file + bundle->count * sizeof *file->plugins);
    hk_status status = HK_NO_MEMORY;
    if (!file || !(file->path = hki_copy_text(path)) ||
        (*warning && !(file->warning = hki_copy_text(warning))))
        goto fail;
    file->device = about->st_dev;
    file->inode = about->st_ino;
    file->minor = bundle->minor;
    file->next = records;
    status = add_plugins(file, bundle);
    if (status != HK_OK)
        goto fail;
    records = file;
    *out = file;
    return HK_OK;
fail:
    if (file) {
        hki_free(file->path);
        hki_free(file->warning);
    }
    hki_free(file);
    return status;
}

/* Registers what is linked in, once; a failed allocation is tried again at the next call. */
static hk_status add_built_in(void)
{
    hk_status status = HK_OK;
#ifdef HILLOCK_STATIC_PLUGINS
    extern const hk_bundle *const hki_static_bundles[]; /* made by the build; ends with NULL */
    static size_t done;
    const struct stat nowhere = {0};
    const hki_plugin_file *file;
    for (; hki_static_bundles[done] && status == HK_OK; done += status == HK_OK) {
        status = hki_bundle_check("built in", hki_static_bundles[done]);
        if (status == HK_OK)
            status = add_bundle("built in", &nowhere, hki_static_bundles[done], "", &file);
    }
#endif
    return status;
}

/* ---- Loading --------------------------------------------------------------------------------- */

static hk_status load_locked(const char *path, const struct stat *about, const char *warning,
                             const hki_plugin_file **out)
{
    hki_library library;
    for (const hki_plugin_file *file = records; file; file = file->next)
        if (file->device == about->st_dev && file->inode == about->st_ino) {
            *out = file;
            return HK_OK;
        }
    hki_opening = path;
    hk_status status = hki_library_open(path, about, &library);
    if (status == HK_OK) {
        status = add_bundle(path, about, library.bundle, warning, out);
        if (status != HK_OK)
            hki_library_close(&library);
    }
    hki_opening = NULL;
    return status;
}

hk_status hki_registry_load(const char *path, bool searched, const hki_plugin_file **out)
{
    char real[PATH_MAX], warning[HKI_MAX_PATH] = "";
    struct stat about;
    *out = NULL;
    if (!realpath(path, real) || stat(real, &about) != 0)
        return hki_refuse("not found: %m (P01)", path);
    if (!S_ISREG(about.st_mode))
        return hki_refuse("is not a regular file (P03)", path);
    hk_status trusted = hki_trust_check(real, &about);
    if (trusted == HK_OK && searched)
        trusted = hki_trust_check(path, &about);
    if (trusted != HK_OK && searched)
        return trusted;
    if (trusted != HK_OK)
        snprintf(warning, sizeof warning, "%s", hk_message());
    pthread_mutex_lock(&lock);
    hk_status status = add_built_in();
    if (status == HK_OK)
        status = load_locked(real, &about, warning, out);
    pthread_mutex_unlock(&lock);
    return status;
}

static hk_status load_typed(const char *path, const hki_plugin_file **out)
{
    *out = NULL;
    if (!strchr(path, '/'))
        return hki_fail(HK_BAD_ARGUMENT,
                        "plugin \"%s\": a path has a slash; write \"./%s\" for a file "
                        "of the current directory",
                        path, path);
    return hki_registry_load(path, false, out);
}

hk_status hk_plugin_load(const char *path)
{
    const hki_plugin_file *file;
    return hki_null(path) ? HK_BAD_ARGUMENT : load_typed(path, &file);
}

hk_status hki_plugin_from_file(hk_kind kind, const char *path, const hk_plugin **out)
{
    const hki_plugin_file *file;
    *out = NULL;
    hk_status status = load_typed(path, &file);
    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < file->count && !*out; i++)
        if (file->plugins[i].plugin.kind == kind)
            *out = &file->plugins[i].plugin;
    if (!*out)
        return hki_fail(HK_BAD_ARGUMENT, "plugin \"%s\": \"%s\" is %s, %s is wanted here (P19)",
                        path, file->plugins[0].plugin.name,
                        hki_kind_phrase((hk_kind)file->plugins[0].plugin.kind),
                        hki_kind_phrase(kind));
    return HK_OK;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

hk_status hki_registry_prepare(void)
{
    pthread_mutex_lock(&lock);
    hk_status status = add_built_in();
    pthread_mutex_unlock(&lock);
    return status;
}

const hk_plugin *hki_registry_lookup(hk_kind kind, const char *name, bool or_alias)
{
    pthread_mutex_lock(&lock);
    const hk_plugin *plugin = NULL;
    for (const hki_plugin_file *file = records; file && !plugin; file = file->next)
        plugin = search_file(file, kind, name, strlen(name), or_alias);
    pthread_mutex_unlock(&lock);
    return plugin;
}

static hk_plugin_info info_of(const hki_plugin_file *file, size_t i)
{
    return (hk_plugin_info){&file->plugins[i].plugin, file->path, file->warning, HK_ABI_MAJOR,
                            file->minor};
}

hk_status hk_plugin_each_of(const char *path, void (*each)(const hk_plugin_info *, void *user),
                            void (*bad)(const char *file, const char *reason, void *user),
                            void *user)
{
    const hki_plugin_file *file;
    if (hki_null(path, (const void *)(uintptr_t)each))
        return HK_BAD_ARGUMENT;
    hk_status status = load_typed(path, &file);
    for (size_t i = 0; !status && i < file->count; i++) {
        const hk_plugin_info info = info_of(file, i);
        each(&info, user);
    }
    if (!status && file->incomplete && bad)
        bad(file->path, file->warning, user);
    return status;
}

static int by_kind_and_name(const void *a, const void *b)
{
    const hk_plugin *p = ((const hk_plugin_info *)a)->plugin,
                    *q = ((const hk_plugin_info *)b)->plugin;
    return p->kind != q->kind ? (p->kind > q->kind) - (p->kind < q->kind)
                              : strcmp(p->name, q->name);
}

hk_status hki_registry_list(hk_kind kind, hk_plugin_info **out, size_t *count)
{
    size_t room = 0;
    *count = 0;
    pthread_mutex_lock(&lock);
    for (const hki_plugin_file *file = records; file; file = file->next)
        room += file->count;
    *out = hki_alloc_array(room, sizeof **out);
    for (const hki_plugin_file *file = records; file && *out; file = file->next)
        for (size_t i = 0; i < file->count; i++)
            if (!kind || file->plugins[i].plugin.kind == kind)
                (*out)[(*count)++] = info_of(file, i);
    pthread_mutex_unlock(&lock);
    if (!*out)
        return HK_NO_MEMORY;
    qsort(*out, *count, sizeof **out, by_kind_and_name);
    return HK_OK;
}

hk_plugin_info hk_plugin_describe(const hk_plugin *plugin)
{
    hk_plugin_info info = {.plugin = plugin, .file = ""};
    if (hki_null(plugin))
        return info;
    pthread_mutex_lock(&lock);
    for (const hki_plugin_file *file = records; file; file = file->next)
        for (size_t i = 0; i < file->count; i++)
            if (&file->plugins[i].plugin == plugin)
                info = info_of(file, i);
    pthread_mutex_unlock(&lock);
    return info;
}
