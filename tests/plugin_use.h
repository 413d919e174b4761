/* plugin_use.h - plugins in tests without the framework: files loaded, slots and blocks kept
 * plainly, gradients compared with differences. [one thread] */
#pragma once
#include <hillock/kernel.h>

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

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

/* ---- A plugin in use: what the framework would keep for one layer ---------------------------- */

typedef struct use {
    const hk_plugin *plugin;
    hk_context context;
    double params[HK_MAX_PARAMS];
    float *slots[HK_MAX_SLOTS];
    int64_t lengths[HK_MAX_SLOTS];
    int n_slots;
} use;

TEST_HELPER float *floats(int64_t n)
{
    float *x = calloc((size_t)n + 16, sizeof *x);
    if (!x)
        exit(2);
    return x;
}

TEST_HELPER double *doubles(int64_t n)
{
    double *x = calloc((size_t)n + 16, sizeof *x);
    if (!x)
        exit(2);
    return x;
}

TEST_HELPER float *normals(int64_t n, uint64_t key, float scale)
{
    float *x = floats(n);
    for (int64_t i = 0; i < n; i++)
        x[i] = scale * hks_normal(key, (uint64_t)i);
    return x;
}

TEST_HELPER void clamp_slot(const use *u, int i)
{
    const hk_slot *slot = &u->plugin->slots[i];
    for (int64_t j = 0; slot->low < slot->high && j < u->lengths[i]; j++)
        u->slots[i][j] = hks_max((float)slot->low, hks_min((float)slot->high, u->slots[i][j]));
}

TEST_HELPER use *use_new(const hk_plugin *plugin, int64_t rows, int64_t channels)
{
    use *u = calloc(1, sizeof *u);
    if (!u)
        exit(2);
    u->plugin = plugin;
    for (int i = 0; plugin->params && plugin->params[i].name; i++)
        u->params[i] = plugin->params[i].value;
    for (; plugin->slots && plugin->slots[u->n_slots].name; u->n_slots++) {
        const hk_slot *slot = &plugin->slots[u->n_slots];
        int64_t n = slot->extent == HK_PER_CHANNEL ? channels
                    : slot->extent == HK_PER_ROW   ? rows
                    : slot->extent == HK_FIXED     ? slot->count
                                                   : 1;
        u->slots[u->n_slots] = floats(n);
        u->lengths[u->n_slots] = n;
        for (int64_t j = 0; j < n; j++)
            u->slots[u->n_slots][j] = (float)slot->value;
    }
    u->context = (hk_context){.rows = rows,
                              .channels = channels,
                              .rows_per_sample = rows,
                              .key = 11,
                              .params = u->params,
                              .slots = u->slots};
    if (plugin->start)
        plugin->start(&u->context);
    return u;
}

TEST_HELPER void use_free(use *u)
{
    for (int i = 0; i < u->n_slots; i++)
        free(u->slots[i]);
    free(u);
}

TEST_HELPER void set_param(use *u, const char *name, double value)
{
    for (int i = 0; u->plugin->params && u->plugin->params[i].name; i++)
        if (strcmp(u->plugin->params[i].name, name) == 0) {
            u->params[i] = value;
            return;
        }
    CHECK_TEXT("no such parameter", name);
}

TEST_HELPER int has_slot(const use *u, const char *name)
{
    for (int i = 0; i < u->n_slots; i++)
        if (strcmp(u->plugin->slots[i].name, name) == 0)
            return 1;
    return 0;
}

TEST_HELPER float *slot(const use *u, const char *name)
{
    for (int i = 0; i < u->n_slots; i++)
        if (strcmp(u->plugin->slots[i].name, name) == 0)
            return u->slots[i];
    CHECK_TEXT("no such slot", name);
    return NULL;
}

/* Moves parameters and learned slots away from their defaults, inside their ranges. */
TEST_HELPER void vary(use *u, uint64_t key)
{
    for (int i = 0; u->plugin->params && u->plugin->params[i].name; i++) {
        const hk_param *p = &u->plugin->params[i];
        double value = p->value * (0.5 + (double)hks_uniform(key, (uint64_t)i));
        if (p->type == HK_REAL && (p->low >= p->high || (value > p->low && value < p->high)))
            u->params[i] = value;
    }
    for (int i = 0; i < u->n_slots; i++) {
        for (int64_t j = 0; j < u->lengths[i]; j++)
            if (u->plugin->slots[i].role == HK_LEARNED)
                u->slots[i][j] += 0.3f * hks_normal(key + 1 + (uint64_t)i, (uint64_t)j);
        clamp_slot(u, i);
    }
}

TEST_HELPER void new_gradients(const use *u, float *dslots[HK_MAX_SLOTS], float start)
{
    for (int i = 0; i < HK_MAX_SLOTS; i++) {
        dslots[i] = NULL;
        if (i >= u->n_slots || u->plugin->slots[i].role != HK_LEARNED)
            continue;
        dslots[i] = floats(u->lengths[i]);
        for (int64_t j = 0; j < u->lengths[i]; j++)
            dslots[i][j] = start;
    }
}

TEST_HELPER void free_gradients(float *dslots[HK_MAX_SLOTS])
{
    for (int i = 0; i < HK_MAX_SLOTS; i++)
        free(dslots[i]);
}

/* ---- Running an activation ------------------------------------------------------------------- */

TEST_HELPER int has_isa(int isa)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (isa == HK_AVX2)
        return __builtin_cpu_supports("avx2") != 0;
    if (isa == HK_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    return isa == HK_BASELINE;
}

TEST_HELPER int64_t channels_out(const use *u)
{
    const hk_activation *act = u->plugin->activation;
    return act->channels_out ? act->channels_out(&u->context, u->context.channels)
                             : u->context.channels;
}

/* A matrix of inputs, outputs and gradients; y and dx as separate as the caller makes them. */
typedef struct pass {
    float *x, *y, *dy, *dx, *aux, *sums;
    float *dslots[HK_MAX_SLOTS];
} pass;

/* Rows first .. first + rows - 1 of the pass as a tile, with only what the plugin declared. */
TEST_HELPER hk_tile tile_of(const use *u, const pass *p, int64_t first, int64_t rows)
{
    const hk_activation *act = u->plugin->activation;
    const int64_t in = u->context.channels, out = act ? channels_out(u) : in;
    const int64_t aux = act ? act->aux_floats : u->plugin->normalization->aux_floats;
    return (hk_tile){.rows = rows,
                     .first_row = first,
                     .x = p->x + first * in,
                     .y = p->y + first * out,
                     .dy = p->dy + first * out,
                     .dx = p->dx + first * in,
                     .aux = aux ? p->aux + first * aux : NULL,
                     .dslots = p->dslots,
                     .sums = p->sums};
}

TEST_HELPER void forward(const use *u, int isa, const pass *p, int64_t first, int64_t rows)
{
    hk_tile tile = tile_of(u, p, first, rows);
    tile.dy = NULL, tile.dx = NULL, tile.dslots = NULL;
    while (!u->plugin->activation->kernels[isa].forward)
        isa--;
    u->plugin->activation->kernels[isa].forward(&u->context, &tile);
}

TEST_HELPER void backward(const use *u, int isa, const pass *p, int64_t first, int64_t rows)
{
    const hk_activation *act = u->plugin->activation;
    hk_tile tile = tile_of(u, p, first, rows);
    tile.x = act->reads & HK_READS_X ? tile.x : NULL;
    tile.y = act->reads & HK_READS_Y ? tile.y : NULL;
    tile.sums = NULL;
    while (!act->kernels[isa].backward)
        isa--;
    act->kernels[isa].backward(&u->context, &tile);
}

TEST_HELPER pass *pass_new(const use *u, float scale)
{
    const int64_t rows = u->context.rows, in = u->context.channels;
    const hk_activation *act = u->plugin->activation;
    const int64_t out = act ? channels_out(u) : in;
    const int64_t aux = act ? act->aux_floats : u->plugin->normalization->aux_floats;
    pass *p = calloc(1, sizeof *p);
    if (!p)
        exit(2);
    p->x = normals(rows * in, 1, scale);
    p->dy = normals(rows * out, 2, 1);
    p->y = floats(rows * out);
    p->dx = floats(rows * in);
    p->aux = floats(rows * aux);
    p->sums = act && act->n_sums ? floats(act->n_sums * in) : NULL;
    new_gradients(u, p->dslots, 1);
    return p;
}

TEST_HELPER void pass_free(pass *p)
{
    free(p->x), free(p->y), free(p->dy), free(p->dx), free(p->aux), free(p->sums);
    free_gradients(p->dslots);
    free(p);
}

/* The reference of element i of a matrix. */
TEST_HELPER hk_scalar64 scalar_of(const use *u, const pass *p, int64_t i, double t[HK_MAX_SLOTS])
{
    const int64_t channel = i % u->context.channels;
    for (int k = 0; k < u->n_slots; k++)
        t[k] = (double)u->slots[k][u->plugin->slots[k].extent == HK_PER_CHANNEL ? channel : 0];
    hk_scalar64 a = {.x = (double)p->x[i], .p = u->params, .t = t, .channel = channel};
    a.u = (double)hks_uniform(u->context.key, (uint64_t)i);
    a.training = (int)u->context.training;
    a.surrogate = (int)u->context.surrogate;
    a.y = u->plugin->activation->value(&a);
    return a;
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

TEST_HELPER int same_bits(const float *a, const float *b, int64_t n)
{
    return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

TEST_HELPER double projection(const float *r, const float *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)r[i] * (double)y[i];
    return sum;
}

typedef double loss(const use *u, pass *p); /* sum of dy y after a forward run from p->x */

/* Change of the loss when n values move along a random direction, against what `slope` says:
 * differences of fp32 results, summed in double. */
TEST_HELPER void check_along(const use *u, pass *p, loss *of, float *value, const float *slope,
                             float start, int64_t n, uint64_t key)
{
    const float h = 0x1p-11f;
    float *kept = floats(n), *direction = normals(n, key, 1);
    double expected = 0, size = 0;
    memcpy(kept, value, (size_t)n * sizeof *kept);
    for (int64_t i = 0; i < n; i++) {
        expected += (double)(slope[i] - start) * (double)direction[i];
        size += fabs((double)(slope[i] - start) * (double)direction[i]);
    }
    for (int64_t i = 0; i < n; i++)
        value[i] = kept[i] + h * direction[i];
    double above = of(u, p);
    for (int64_t i = 0; i < n; i++)
        value[i] = kept[i] - h * direction[i];
    double below = of(u, p);
    memcpy(value, kept, (size_t)n * sizeof *kept);
    CHECK_NEAR((above - below) / (2 * (double)h), expected, 2e-3 * (1 + size));
    free(kept), free(direction);
}

TEST_HELPER void check_projections(use *u, pass *p, loss *of)
{
    for (uint64_t key = 30; key < 34; key++)
        check_along(u, p, of, p->x, p->dx, 0, u->context.rows * u->context.channels, key);
    for (int k = 0; k < u->n_slots; k++)
        if (u->plugin->slots[k].role == HK_LEARNED)
            check_along(u, p, of, u->slots[k], p->dslots[k], 1, u->lengths[k], 40);
}

/* ---- The first case of every program --------------------------------------------------------- */

/* Without arguments the directories the program was compiled for. */
static const char *const *directories;

TEST_HELPER void plugin_files_load(void)
{
    for (int i = 0; directories[i]; i++)
        load_directory(directories[i]);
    CHECK(plugin_count > 0);
    printf("  %d plugins\n", plugin_count);
}

/* main()'s arguments: directories to take plugins from instead. */
TEST_HELPER void choose_directories(int argc, char **argv)
{
    static const char *const built[] = {
#ifdef HILLOCK_PLUGIN_DIR
        HILLOCK_PLUGIN_DIR,
#endif
        NULL};
    directories = argc > 1 ? (const char *const *)argv + 1 : built;
}
