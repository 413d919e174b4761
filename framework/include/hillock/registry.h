/* hillock/registry.h - loading, finding and listing plugins.
 *
 * A plugin is named by a spec, "name", "name:key=value,key=value" or "path/to/file.so:key=...".
 * Names are searched among loaded plugins, then as NAME.so in the plugin directories:
 * HILLOCK_PLUGIN_PATH (colon separated), the user's data directory
 * ($XDG_DATA_HOME or ~/.local/share)/hillock/plugins-1, the build or install directory; never
 * the current directory. A file in these directories that other users may write is refused; one
 * that is given by its path is loaded with a warning. Plugins are never unloaded.
 * All functions are [any thread]. */
#pragma once
#include <hillock/plugin.h>
#include <hillock/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A plugin and where it came from. Strings are never freed. */
typedef struct hk_plugin_info {
    const hk_plugin *plugin;
    const char *file;    /* path of the shared object, or "built in" */
    const char *warning; /* about the file's permissions, or NULL */
    int major, minor;    /* of the contract that the file asks for, see plugin.h */
} hk_plugin_info;

/* Loads all plugins of a file; loading it again has no effect. HK_BAD_ARGUMENT: a path must contain a
 * slash. HK_BAD_PLUGIN: not found or invalid; the message has the reason. */
hk_status hk_plugin_load(const char *path);

/* Loads a file as hk_plugin_load() does, then calls `each` for its plugins in their order. Those that were
 * refused beside others are reported to `bad`, once; `bad` may be NULL. */
hk_status hk_plugin_each_of(const char *path, void (*each)(const hk_plugin_info *, void *user),
                            void (*bad)(const char *file, const char *reason, void *user),
                            void *user);

/* Finds a plugin by name or alias and loads it from the plugin directories if necessary.
 * HK_UNKNOWN_NAME: the message lists the known names; HK_BAD_PLUGIN: its file is invalid;
 * HK_BAD_ARGUMENT: the plugin is of another kind, or HILLOCK_PLUGIN_PATH has a relative entry. */
hk_status hk_plugin_find(hk_kind kind, const char *name, const hk_plugin **out);

/* Loads all plugins of all directories, then calls `each` for those of the kind (0: all) in alphabetical
 * order. Invalid files are reported to `bad`; `bad` may be NULL. */
hk_status hk_plugin_each(hk_kind kind, void (*each)(const hk_plugin_info *, void *user),
                         void (*bad)(const char *file, const char *reason, void *user), void *user);

/* Where a plugin came from. */
hk_plugin_info hk_plugin_describe(const hk_plugin *plugin);

/* "activation", "normalization", "initializer", "model". */
const char *hk_kind_name(hk_kind kind);

/* Evaluates an elementwise activation with its float kernels: y[i] = f(x[i]), slope[i] = f'(x[i]) for
 * i < n, in evaluation mode, with initial slots; `slope` may be NULL.
 * HK_BAD_ARGUMENT: the activation is rowwise or changes the number of channels. */
hk_status hk_curve(const char *spec, int64_t n, const float *x, float *y, float *slope);

/* 1 if `tag` is among the plugin's tags. */
int hk_plugin_has_tag(const hk_plugin *plugin, const char *tag);

/* Loads all plugins; *out is the array of the *count tags that those of the kind (0: all) have, in
 * alphabetical order. Free it with hk_spec_list_free. */
hk_status hk_plugin_tags(hk_kind kind, char ***out, size_t *count);

/* Splits "relu,lgb:k=4,rate=0.01,@gated" into specs: an item key=value continues the spec before it,
 * @gated stands for the plugins of the kind with this tag, except those already listed; kind 0 has no
 * sets. *out is an array of *count strings; free it with hk_spec_list_free.
 * HK_BAD_ARGUMENT: an empty item, or key=value without a spec before it.
 * HK_UNKNOWN_NAME: an empty set; the message lists the sets. */
hk_status hk_spec_list(hk_kind kind, const char *text, char ***out, size_t *count);
void hk_spec_list_free(char **list, size_t count);

#ifdef __cplusplus
}
#endif
