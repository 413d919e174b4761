/* How a name becomes a plugin: what is loaded, then NAME.so in the plugin directories, then, for
 * an alias, everything there is. */
#include "plugin/loader.h"

#include <stdio.h>
#include <string.h>

/* Where refused files are reported; `bad` may be NULL. */
typedef struct reporter {
    void (*bad)(const char *file, const char *reason, void *user);
    void *user;
} reporter;

static void report(const reporter *to, const char *file, const char *reason)
{
    char copy[1024]; /* the message must survive what `bad` does */
    snprintf(copy, sizeof copy, "%s", reason);
    if (to->bad)
        to->bad(file, copy, to->user);
}

static hk_status load_file(void *user, const char *path)
{
    const hki_plugin_file *file;
    hk_status status = hki_registry_load(path, true, &file);
    if (status == HK_NO_MEMORY)
        return status;
    if (status != HK_OK)
        report(user, path, hk_message());
    return HK_OK;
}

static hk_status load_directory(void *user, const char *directory, const char *refused)
{
    if (!refused)
        return hki_each_file(directory, load_file, user);
    report(user, directory, refused);
    return HK_OK;
}

/* The search for NAME.so in the directories. */
typedef struct search {
    const char *name;
    char path[HKI_MAX_PATH]; /* "" until it is found */
    struct stat about;
} search;

/* All directories are looked at, so that a second file of the same name is noticed: nobody wins
 * silently. */
static hk_status search_directory(void *user, const char *directory, const char *refused)
{
    search *it = user;
    char path[HKI_MAX_PATH];
    struct stat about;
    if (refused)
        return hki_fail(HK_BAD_ARGUMENT, "%s, not \"%s\"", refused, directory);
    if (snprintf(path, sizeof path, "%s/%s.so", directory, it->name) >= HKI_MAX_PATH ||
        stat(path, &about) != 0)
        return HK_OK;
    if (!it->path[0]) {
        memcpy(it->path, path, sizeof path);
        it->about = about;
    } else if (about.st_dev != it->about.st_dev || about.st_ino != it->about.st_ino) {
        return hki_refuse("\"%s\" already comes from %s; remove one (P14)", path, it->name,
                          it->path);
    }
    return HK_OK;
}

/* Loads NAME.so if there is one. A file that lacks the name because that very plugin was refused
 * is a bad plugin, not an unknown name. */
static hk_status load_named(hk_kind kind, const char *name)
{
    search it = {.name = name};
    const hki_plugin_file *file;
    hk_status status = hki_each_directory(search_directory, &it);
    if (status != HK_OK || !it.path[0])
        return status;
    status = hki_registry_load(it.path, true, &file);
    if (status == HK_OK && file->incomplete && !hki_registry_lookup(kind, name, true))
        return hki_fail(HK_BAD_PLUGIN, "%s", file->warning);
    return status;
}

/* Long lists of names give the usual ones: those of the set "core", and those of no set. */
static hk_status fail_unknown(hk_kind kind, const char *name)
{
    hk_plugin_info *all;
    size_t count, left_out = 0;
    char known[768] = "", more[32];
    const size_t length = strlen(name);
    if (length > 3 && strcmp(name + length - 3, ".so") == 0)
        return hki_fail(HK_UNKNOWN_NAME, "no %s named \"%.64s\"; a file has a slash: ./%.64s",
                        hk_kind_name(kind), name, name);
    hk_status status = hki_registry_list(kind, &all, &count);
    const char **names = status == HK_OK ? hki_alloc_array(count, sizeof *names) : NULL;
    if (!names) {
        hki_free(all);
        return HK_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const hk_plugin *plugin = all[i].plugin;
        names[i] = plugin->name;
        if (plugin->tags && !hk_plugin_has_tag(plugin, "core"))
            left_out++;
        else
            hki_add_name(known, sizeof known - sizeof more, plugin->name);
    }
    snprintf(more, sizeof more, "and %zu more", left_out);
    if (left_out)
        hki_add_name(known, sizeof known, more);
    status = hki_fail_unknown(hk_kind_name(kind), name, names, count, count ? known : "none");
    hki_free(names);
    hki_free(all);
    return status;
}

hk_status hk_plugin_find(hk_kind kind, const char *name, const hk_plugin **out)
{
    if (out)
        *out = NULL;
    if (hki_null(name, out))
        return HK_BAD_ARGUMENT;
    if (kind < HK_ACTIVATION || kind > HK_MODEL)
        return hki_fail(HK_BAD_ARGUMENT, "hk_plugin_find: unknown kind %d", (int)kind);
    hk_status status = hki_registry_prepare();
    if (status != HK_OK || (*out = hki_registry_lookup(kind, name, false)))
        return status;
    if (hki_name_is_valid(name, strlen(name)))
        status = load_named(kind, name);
    if (status != HK_OK || (*out = hki_registry_lookup(kind, name, true)))
        return status;
    status = hki_each_directory(load_directory, &(reporter){NULL, NULL});
    if (status != HK_OK || (*out = hki_registry_lookup(kind, name, true)))
        return status;
    const hk_plugin *other = hki_registry_lookup(0, name, true);
    if (other)
        return hki_fail(HK_BAD_ARGUMENT, "\"%s\" is %s, %s is wanted here", name,
                        hki_kind_phrase((hk_kind)other->kind), hki_kind_phrase(kind));
    return fail_unknown(kind, name);
}

hk_status hk_plugin_each(hk_kind kind, void (*each)(const hk_plugin_info *, void *user),
                         void (*bad)(const char *file, const char *reason, void *user), void *user)
{
    reporter to = {bad, user};
    hk_plugin_info *all;
    size_t count;
    if (hki_null(each))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_registry_prepare();
    if (status == HK_OK)
        status = hki_each_directory(load_directory, &to);
    if (status != HK_OK)
        return status;
    status = hki_registry_list(kind, &all, &count);
    for (size_t i = 0; i < count; i++)
        each(&all[i], user);
    hki_free(all);
    return status;
}
