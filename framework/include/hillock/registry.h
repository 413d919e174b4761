/* hillock/registry.h - finding, loading and listing plugins.
 *
 * A plugin is named by a spec, "name", "name:key=value,key=value" or "path/to/file.so:key=...".
 * Names are looked for among loaded plugins, then as NAME.so in the plugin directories:
 * HILLOCK_PLUGIN_PATH (colon separated), the user's data directory
 * ($XDG_DATA_HOME or ~/.local/share)/hillock/plugins-0, the build or install directory; never
 * the current directory. In these directories a file that others could have written is refused;
 * a path that the user typed is loaded with a warning. Loaded code stays until the process ends.
 * All functions may be called from any thread; loading is serialised inside. */
#pragma once
#include <hillock/plugin.h>
#include <hillock/status.h>

/* What is known of one plugin beside its table. Strings live as long as the process. */
typedef struct hk_plugin_info {
    const hk_plugin *plugin;
    const char *file;    /* the shared object, or "built in" */
    const char *warning; /* what is unusual about the file, or NULL */
} hk_plugin_info;

/* Loads every plugin of a file. A path without a slash is looked for as ./path is NOT: it is
 * HK_BAD_ARGUMENT. HK_BAD_PLUGIN: not found or not usable, with the reason. Loading the same
 * file twice is fine and does nothing. */
hk_status hk_plugin_load(const char *path);

/* Finds by name or alias, loading from the plugin directories where needed.
 * HK_UNKNOWN_NAME lists what there is; HK_BAD_PLUGIN when its file cannot be used;
 * HK_BAD_ARGUMENT when only another kind has it, or HILLOCK_PLUGIN_PATH has a relative entry. */
hk_status hk_plugin_find(hk_kind kind, const char *name, const hk_plugin **out);

/* Loads everything in all directories, then calls `each` for every plugin of the kind (0: all)
 * in alphabetical order. Files that cannot be used are reported through `bad` (may be NULL). */
hk_status hk_plugin_each(hk_kind kind, void (*each)(const hk_plugin_info *, void *user),
                         void (*bad)(const char *file, const char *reason, void *user), void *user);

/* Where a loaded plugin came from. */
hk_plugin_info hk_plugin_describe(const hk_plugin *plugin);

/* "activation", "normalization", "initializer". */
const char *hk_kind_name(hk_kind kind);

/* Values of an elementwise activation through its float kernels: y[i] = f(x[i]) and
 * slope[i] = f'(x[i]), evaluation mode, slots at their start; slope may be NULL.
 * HK_BAD_ARGUMENT: the activation mixes channels or changes their number. */
hk_status hk_curve(const char *spec, int64_t n, const float *x, float *y, float *slope);

/* 1 when `tag` is among the plugin's tags. */
int hk_plugin_has_tag(const hk_plugin *plugin, const char *tag);

/* The tags that plugins of the kind (0: all) have, in alphabetical order, after loading everything;
 * to be freed by hk_spec_list_free. */
hk_status hk_plugin_tags(hk_kind kind, char ***out, size_t *count);

/* Splits "relu,lgb:k=4,rate=0.01,@gated" into specs: an item key=value continues the spec before
 * it, @gated stands for the plugins of the kind that have this tag, but for those already there;
 * for kind 0 there are no sets. *out is an array of *count texts, to be freed by
 * hk_spec_list_free. HK_BAD_ARGUMENT: an empty item, or key=value without a spec before it.
 * HK_UNKNOWN_NAME: a set without members; the message names the sets. */
hk_status hk_spec_list(hk_kind kind, const char *text, char ***out, size_t *count);
void hk_spec_list_free(char **list, size_t count);
