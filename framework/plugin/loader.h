/* plugin/loader.h - between the files of this folder: how a file on disk becomes a checked table.
 *
 * search.c says where files are and whether others could have written them, loader.c brings one
 * into memory and finds its bundle, adopt.c lays out its tables as this version has them, reach.c says
 * whether what they lead to is there, table.c checks each plugin of the bundle, registry.c keeps them,
 * find.c finds them by name, lists.c by their tags, use.c by a spec. The message of a failure begins
 * with plugin "FILE": and ends with its code, (P01) to (P16). */
#pragma once
#include <sys/stat.h>
#include "plugin/registry.h"

enum {
    HKI_MAX_PLUGIN_NAME = 32, /* letters of a plugin, parameter or slot name */
    HKI_MAX_BUNDLE = 256,     /* plugins of one file */
    HKI_MAX_TEXT = 16384      /* bytes of a name, a summary, a doc */
};

/* HK_BAD_PLUGIN; the file is the first argument of the format. */
#define hki_refuse(format, ...) hki_fail(HK_BAD_PLUGIN, "plugin \"%s\": " format, __VA_ARGS__)

/* ---- loader.c -------------------------------------------------------------------------------- */

/* A file in memory; its code stays there unless hki_library_close() gives it back. */
typedef struct hki_library {
    void *handle;
    const hk_bundle *bundle;
} hki_library;

/* Brings the file at the absolute `path` into memory; `file` is what stat() returned for it. The
 * bundle's mark, version and sizes are right afterwards, its plugins still unchecked.
 * HK_BAD_PLUGIN. [one thread] */
hk_status hki_library_open(const char *path, const struct stat *file, hki_library *out);
/* Its checks of the file itself, before any of its code can run. */
hk_status hki_object_check(const char *path, const struct stat *file);
/* The absolute path of the shared library that holds this code; NULL: it is part of the program. */
const char *hki_own_library(void);
void hki_library_close(hki_library *library); /* for files that turn out to be unusable */
/* The mark, version and sizes, of bundles that are linked in, too. */
hk_status hki_bundle_check(const char *file, const hk_bundle *bundle);

/* The file that is being opened, or whose tables are being checked; NULL: none. Of a crash then it is the
 * cause. */
extern const char *volatile hki_opening;

/* ---- adopt.c --------------------------------------------------------------------------------- */

/* A plugin with the table of its kind, as this version of the contract lays them out. Not to be moved: it
 * points into itself. */
typedef struct hki_adopted {
    hk_plugin plugin;
    union {
        hk_activation activation;
        hk_normalization normalization;
        hk_initializer initializer;
        hk_model model;
    } table;
} hki_adopted;

/* Copies plugin `index` of a bundle that hki_bundle_check() has passed. What an earlier 1.n did not have is
 * 0. HK_BAD_PLUGIN: its table cannot be read. */
hk_status hki_adopt(const char *file, const hk_bundle *bundle, uint32_t index, hki_adopted *out);
/* Bytes of a kind's table as 1.0 had it, and as this version has it. */
typedef struct hki_table_size {
    uint32_t first, now;
} hki_table_size;
hki_table_size hki_table_size_of(hk_kind kind);

/* ---- reach.c --------------------------------------------------------------------------------- */

bool hki_is_readable(const void *at, size_t size);
/* What is wrong with a text of at most HKI_MAX_TEXT bytes of UTF-8, "is not UTF-8"; NULL: nothing. */
const char *hki_text_fault(const char *text);
/* Everything that a plugin's table leads to can be read. HK_BAD_PLUGIN. */
hk_status hki_reach_check(const char *file, const hk_plugin *plugin);

/* ---- table.c --------------------------------------------------------------------------------- */

/* Checks all that can be checked without calling the plugin. HK_BAD_PLUGIN. */
hk_status hki_table_check(const char *file, const hk_plugin *plugin);
/* A letter, then at most 31 of a-z 0-9 _; `text` need not end after `length`. */
bool hki_name_is_valid(const char *text, size_t length);

/* ---- search.c -------------------------------------------------------------------------------- */

/* Calls `visit` for each plugin directory in order of search. `refused` says why an entry of
 * HILLOCK_PLUGIN_PATH is not one (NULL: it is). Stops at the first status other than HK_OK. */
typedef hk_status hki_directory_visit(void *user, const char *directory, const char *refused);
hk_status hki_each_directory(hki_directory_visit *visit, void *user);

/* Calls `visit` for each *.so of a directory in alphabetical order; none where it cannot be read.
 * Stops at the first status other than HK_OK. */
typedef hk_status hki_file_visit(void *user, const char *path);
hk_status hki_each_file(const char *directory, hki_file_visit *visit, void *user);

/* HK_BAD_PLUGIN (P02) when someone else could have written the file or its directory. */
hk_status hki_trust_check(const char *path, const struct stat *file);

/* ---- registry.c ------------------------------------------------------------------------------ */

/* One loaded file: complete before it is listed, never changed or freed afterwards. */
typedef struct hki_plugin_file {
    struct hki_plugin_file *next;
    dev_t device; /* with inode: the same file under another path is the same */
    ino_t inode;
    char *path;
    char *warning;   /* NULL: nothing unusual */
    int minor;       /* of the contract that the file asks for */
    bool incomplete; /* some plugins of the file were refused; the warning says why */
    size_t count;
    hki_adopted plugins[];
} hki_plugin_file;

/* Loads one file: `searched` in a directory, where nobody else may have written it, or typed by
 * the user, where that is only a warning. The same file twice is one record. [any thread] */
hk_status hki_registry_load(const char *path, bool searched, const hki_plugin_file **out);
/* Registers the plugins that are linked in. HK_NO_MEMORY. [any thread] */
hk_status hki_registry_prepare(void);
/* Among what is loaded; kind 0: any; NULL when there is none. [any thread] */
const hk_plugin *hki_registry_lookup(hk_kind kind, const char *name, bool or_alias);
/* An allocated copy of what is loaded, by kind and name; kind 0: all. [any thread] */
hk_status hki_registry_list(hk_kind kind, hk_plugin_info **out, size_t *count);

/* The first plugin of this kind in the file at `path`, which the user typed. */
hk_status hki_plugin_from_file(hk_kind kind, const char *path, const hk_plugin **out);

/* "an activation" */
const char *hki_kind_phrase(hk_kind kind);

/* ---- kernels.c ------------------------------------------------------------------------------- */

/* An activation on its own: one channel, evaluation mode, slots at their start. */
typedef struct hki_probe {
    hk_context context;
    float *slots[HK_MAX_SLOTS];
    float values[HK_MAX_SLOTS][HK_MAX_FIXED];
} hki_probe;
/* Points into `use` and itself; allocates nothing. */
void hki_probe_start(const hki_use *use, int64_t rows, hki_probe *probe);
