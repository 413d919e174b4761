/* plugin_use.h - plugins in tests without the framework: files loaded, gradients compared with
 * differences. A plugin is used as in hillock check (tools/plugin/check), though without guard pages:
 * here are too many arrays. check_arrays_release(0) gives them all back. [one thread] */
#pragma once
#include <hillock/kernel.h>

#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "plugin/check/check.h"

#define TEST_HELPER static inline __attribute__((unused)) /* not every program uses every one */

/* ---- The plugins ----------------------------------------------------------------------------- */

enum { MAX_PLUGINS = 256 };
static const hk_plugin *plugins[MAX_PLUGINS];
static int plugin_count;

TEST_HELPER void load_file(const char *path)
{
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const hk_bundle *bundle = file ? dlsym(file, "hk_bundle_entry") : NULL;
    CHECK(bundle != NULL);
    if (!bundle) {
        printf("  %s: %s\n", path, dlerror());
        return;
    }
    CHECK(bundle->magic == HK_MAGIC && bundle->major == HK_ABI_MAJOR &&
          bundle->minor == HK_ABI_MINOR);
    CHECK(bundle->size == sizeof(hk_plugin) && bundle->count >= 1);
    for (uint32_t i = 0; i < bundle->count && plugin_count < MAX_PLUGINS; i++)
        plugins[plugin_count++] = &bundle->plugins[i];
    const char *slash = strrchr(path, '/');
    char expected[512];
    snprintf(expected, sizeof expected, "%s.so", bundle->plugins[0].name);
    CHECK_TEXT(slash ? slash + 1 : path, expected);
}

TEST_HELPER void load_directory(const char *directory)
{
    DIR *open = opendir(directory);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        const size_t length = strlen(entry->d_name);
        char path[4096];
        if (length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0 &&
            snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) < (int)sizeof path)
            load_file(path);
    }
    if (open)
        closedir(open);
}

static const hk_plugin *find(hk_kind kind, const char *name)
{
    for (int i = 0; i < plugin_count; i++)
        if (plugins[i]->kind == kind && strcmp(plugins[i]->name, name) == 0)
            return plugins[i];
    return NULL;
}

/* ---- Parameters and slots by name ------------------------------------------------------------ */

TEST_HELPER void set_param(use *u, const char *name, double value)
{
    for (int i = 0; u->plugin->params && u->plugin->params[i].name; i++)
        if (strcmp(u->plugin->params[i].name, name) == 0) {
            u->params[i] = value;
            return;
        }
    CHECK_TEXT("no such parameter", name);
}

/* Real parameters at 0.5 to 1.5 times their default, learned slots moved: where the bounds of these tests
 * hold. (check_use_vary() goes through whole ranges.) */
TEST_HELPER void vary_near_defaults(use *u, uint64_t key)
{
    for (int i = 0; u->plugin->params && u->plugin->params[i].name; i++) {
        const hk_param *p = &u->plugin->params[i];
        /* a float, so that kernels and reference have the same number */
        double value = (double)((float)p->value * (0.5f + hks_uniform(key, (uint64_t)i)));
        if (p->type == HK_REAL && (p->low >= p->high || (value > p->low && value < p->high)))
            u->params[i] = value;
    }
    check_use_start(u);
    check_use_move(u, key);
}

TEST_HELPER bool has_slot(const use *u, const char *name)
{
    for (int i = 0; i < u->n_slots; i++)
        if (strcmp(u->plugin->slots[i].name, name) == 0)
            return true;
    return false;
}

TEST_HELPER float *slot(const use *u, const char *name)
{
    for (int i = 0; i < u->n_slots; i++)
        if (strcmp(u->plugin->slots[i].name, name) == 0)
            return u->slots[i];
    CHECK_TEXT("no such slot", name);
    return NULL;
}

/* Names the plugin once when something in the case has failed since `before`. */
TEST_HELPER void name_failure(const hk_plugin *plugin, int before)
{
    if (check_case_failed > before)
        printf("  above: %s\n", plugin->name);
}

#define EACH(kind_, plugin)                                                                        \
    for (int at_ = 0, before_ = 0; at_ < plugin_count; at_++)                                      \
        for (const hk_plugin *plugin = (before_ = check_case_failed, plugins[at_]);                \
             plugin && plugin->kind == (kind_); name_failure(plugin, before_), plugin = NULL)

/* ---- Comparing ------------------------------------------------------------------------------- */

TEST_HELPER bool same_bits(const float *a, const float *b, int64_t n)
{
    return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

TEST_HELPER float *normals(int64_t n, uint64_t key, float scale)
{
    float *x = check_guarded("normals", n);
    check_fill_normal(x, n, key, scale);
    return x;
}

/* Change of the loss when n values move along a random direction, against what `slope` says:
 * differences of fp32 results, summed in double. */
TEST_HELPER void check_along(const use *u, const pass *p, float *value, const float *slope,
                             float start, int64_t n, uint64_t key)
{
    const float h = 0x1p-11f;
    const int mark = check_arrays_mark();
    float *kept = normals(n, 0, 0), *direction = normals(n, key, 1);
    double expected = 0, size = 0;
    memcpy(kept, value, (size_t)n * sizeof *kept);
    for (int64_t i = 0; i < n; i++) {
        expected += (double)(slope[i] - start) * (double)direction[i];
        size += fabs((double)(slope[i] - start) * (double)direction[i]);
    }
    for (int64_t i = 0; i < n; i++)
        value[i] = kept[i] + h * direction[i];
    double above = check_host_loss(u, p);
    for (int64_t i = 0; i < n; i++)
        value[i] = kept[i] - h * direction[i];
    double below = check_host_loss(u, p);
    memcpy(value, kept, (size_t)n * sizeof *kept);
    CHECK_NEAR((above - below) / (2 * (double)h), expected, 2e-3 * (1 + size));
    check_arrays_release(mark);
}

TEST_HELPER void check_projections(const use *u, const pass *p)
{
    check_host_run(u, HK_BASELINE, p);
    for (uint64_t key = 30; key < 34; key++)
        check_along(u, p, p->x, p->dx, 0, p->in, key);
    for (int k = 0; k < u->n_slots; k++)
        if (u->plugin->slots[k].role == HK_LEARNED)
            check_along(u, p, u->slots[k], p->dslots[k], 1, u->lengths[k], 40);
}

/* ---- The first case of every program --------------------------------------------------------- */

/* Without arguments the directories the program was compiled for. */
static const char *const *directories;

TEST_HELPER void plugin_files_load(void)
{
    check_no_guards = true;
    mallopt(M_TRIM_THRESHOLD, 1 << 28); /* the same memory again and again */
    for (int i = 0; directories[i]; i++)
        load_directory(directories[i]);
    CHECK(plugin_count > 0);
    printf("  %d plugins\n", plugin_count);
}

/* main()'s arguments: directories to take plugins from instead. */
TEST_HELPER void choose_directories(int argc, char **argv)
{
    static const char *const built[] = {
#ifdef HILLOCK_PLUGIN_FILES
        HILLOCK_PLUGIN_FILES,
#endif
        NULL};
    directories = argc > 1 ? (const char *const *)argv + 1 : built;
}
