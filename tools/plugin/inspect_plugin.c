/* hillock inspect, for plugins: everything their tables say. Texts come from the file, so they are
 * written escaped. */
#include "net/inspect.h"
#include "memory.h"
#include "output.h"

#include <hillock/hillock.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- One plugin as JSON, from which the text is made too ------------------------------------ */

static void set_text(json_t *into, const char *key, const char *text)
{
    if (text)
        json_object_set_new(into, key, json_string(text));
}

typedef struct word {
    uint32_t bit;
    const char *text;
} word;

/* "a, b" from the words whose bit is set; they end with NULL. */
static void set_words(json_t *into, const char *key, uint32_t bits, const word *words)
{
    char text[128] = "";
    for (size_t used = 0; words->text; words++)
        if (bits & words->bit)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
                                     words->text);
    set_text(into, key, *text ? text : "nothing");
}

/* Which set a normalization takes its statistics over, with its parameters at their defaults. */
static const char *domain_text(const hk_plugin *plugin)
{
    static const char *const texts[] = {[HK_OVER_BATCH] = "the batch",
                                        [HK_OVER_SAMPLE] = "each sample",
                                        [HK_OVER_ROW] = "each row",
                                        [HK_OVER_WEIGHT] = "a weight"};
    double params[HK_MAX_PARAMS] = {0};
    float *slots[HK_MAX_SLOTS] = {NULL};
    for (int i = 0; plugin->params && plugin->params[i].name; i++)
        params[i] = plugin->params[i].value;
    hk_context context = {
        .rows = 1, .channels = 1, .rows_per_sample = 1, .params = params, .slots = slots};
    hk_domain domain = plugin->normalization->domain(&context);
    return domain >= HK_OVER_BATCH && domain <= HK_OVER_WEIGHT ? texts[domain] : "unknown";
}

static json_t *param_json(const hk_param *param)
{
    static const char *const types[] = {
        [HK_REAL] = "real", [HK_INTEGER] = "integer", [HK_CHOICE] = "choice"};
    json_t *row = json_object();
    set_text(row, "name", param->name);
    set_text(row, "type",
             param->type >= HK_REAL && param->type <= HK_CHOICE ? types[param->type] : "?");
    json_object_set_new(row, "default", tool_json_number(param->value));
    if (param->low < param->high) {
        char range[96];
        snprintf(range, sizeof range, "%c%g, %g%c", param->flags & HK_LOW_OPEN ? '(' : '[',
                 param->low, param->high, param->flags & HK_HIGH_OPEN ? ')' : ']');
        set_text(row, "range", range);
    }
    set_text(row, "choices", param->type == HK_CHOICE ? param->choices : NULL);
    set_text(row, "doc", param->doc);
    return row;
}

static json_t *slot_json(const hk_slot *slot)
{
    static const char *const extents[] = {[HK_PER_CHANNEL] = "per channel",
                                          [HK_SHARED] = "shared",
                                          [HK_PER_ROW] = "per row",
                                          [HK_FIXED] = "fixed"};
    json_t *row = json_object();
    set_text(row, "name", slot->name);
    set_text(row, "role", slot->role == HK_LEARNED ? "learned" : "state");
    set_text(row, "extent",
             slot->extent >= HK_PER_CHANNEL && slot->extent <= HK_FIXED ? extents[slot->extent]
                                                                        : "?");
    json_object_set_new(row, "start", tool_json_number(slot->value));
    if (slot->low < slot->high) {
        char range[96];
        snprintf(range, sizeof range, "[%g, %g]", slot->low, slot->high);
        set_text(row, "range", range);
    }
    if (slot->role == HK_LEARNED)
        json_object_set_new(row, "decayed", json_boolean(!(slot->flags & HK_NO_DECAY)));
    set_text(row, "doc", slot->doc);
    return row;
}

enum { FLOATS = 4096, ROUNDS = 60, CHAIN = 20000 };

static double time_curve(const char *name, int n, const float *x, float *y, float *slope)
{
    const double begin = hk_now();
    const hk_status status = hk_curve(name, n, x, y, slope);
    if (status == HK_NO_MEMORY)
        tool_out_of_memory();
    return status == HK_OK ? hk_now() - begin : -1;
}

/* Clock cycles an element of forward and of backward, of 4096 floats on one core, the best of many
 * rounds; what hk_curve needs for no points at all is taken off. The clock rate is that of a chain of
 * additions, each of which waits one cycle. False where the activation has no curve. */
static bool measure_cycles(const char *name, double *forward, double *backward)
{
    static float x[FLOATS], y[FLOATS], slope[FLOATS];
    unsigned long sum = 0;
    double cycle = HUGE_VAL, nothing = HUGE_VAL, value = HUGE_VAL, both = HUGE_VAL;
    for (int i = 0; i < FLOATS; i++)
        x[i] = (float)((i * 37 % FLOATS) - FLOATS / 2) * (8.0f / FLOATS);
    for (int i = 0; i < ROUNDS; i++) {
        const double begin = hk_now();
        for (int k = 0; k < CHAIN; k++) {
            sum += 3;
            __asm__ volatile("" : "+r"(sum)); /* the additions stay, one behind the other */
        }
        cycle = fmin(cycle, (hk_now() - begin) / CHAIN);
        nothing = fmin(nothing, time_curve(name, 0, x, y, NULL));
        value = fmin(value, time_curve(name, FLOATS, x, y, NULL));
        both = fmin(both, time_curve(name, FLOATS, x, y, slope));
    }
    *forward = fmax(0, value - nothing) / cycle / FLOATS;
    *backward = fmax(0, both - value) / cycle / FLOATS;
    return nothing >= 0;
}

static void set_activation(json_t *it, const char *name, const hk_activation *activation)
{
    static const word reads[] = {{HK_READS_X, "x"}, {HK_READS_Y, "y"}, {0, NULL}};
    static const word traits[] = {{HK_IN_PLACE, "in place"},
                                  {HK_STOCHASTIC, "stochastic"},
                                  {HK_ROWWISE, "row by row"},
                                  {HK_SURROGATE, "surrogate gradient"},
                                  {0, NULL}};
    char keeps[128];
    double forward, backward;
    const bool x = activation->reads & HK_READS_X;
    int n = snprintf(keeps, sizeof keeps, "%s", x ? "its input, 4 bytes an element" : "");
    if (activation->aux_floats)
        snprintf(keeps + n, sizeof keeps - (size_t)n, "%s%lld bytes a row", x ? "; " : "",
                 4 * (long long)activation->aux_floats);
    set_words(it, "backward reads", activation->reads, reads);
    /* beside its output, which the next layer keeps */
    set_text(it, "backward keeps", *keeps ? keeps : "nothing beside the output");
    set_words(it, "traits", activation->traits, traits);
    if (measure_cycles(name, &forward, &backward)) {
        json_object_set_new(it, "forward cycles", tool_json_number(round(10 * forward) / 10));
        json_object_set_new(it, "backward cycles", tool_json_number(round(10 * backward) / 10));
    }
}

static json_t *plugin_json(const hk_plugin *plugin)
{
    static const char *const sets[HK_ISA_COUNT] = HK_ISA_NAMES;
    static const word fills[] = {
        {HK_FILLS_RANGES, "any part of a weight"}, {HK_FILLS_BIAS, "the bias"}, {0, NULL}};
    const hk_plugin_info info = hk_plugin_describe(plugin);
    char contract[NET_CONTRACT];
    uint32_t kernels = 0;
    word isas[HK_ISA_COUNT + 1] = {{0, NULL}};
    for (int i = 0; i < HK_ISA_COUNT; i++) {
        isas[i] = (word){1u << i, sets[i]};
        if ((plugin->activation && plugin->activation->kernels[i].forward) ||
            (plugin->normalization && plugin->normalization->kernels[i].forward))
            kernels |= 1u << i;
    }
    json_t *it = json_object(), *parameters = json_array(), *slots = json_array();
    set_text(it, "name", plugin->name);
    set_text(it, "kind", hk_kind_name((hk_kind)plugin->kind));
    set_text(it, "aliases", plugin->aliases);
    set_text(it, "summary", plugin->summary);
    set_text(it, "formula", plugin->formula);
    set_text(it, "source", plugin->source);
    set_text(it, "file", info.file);
    set_text(it, "contract", net_contract(plugin, contract));
    set_text(it, "warning", info.warning);
    if (plugin->activation)
        set_activation(it, plugin->name, plugin->activation);
    if (plugin->normalization)
        set_text(it, "statistics over", domain_text(plugin));
    if (plugin->initializer && !(plugin->initializer->traits & HK_FILLS_RANGES))
        set_text(it, "fills", "the whole weight at once");
    else if (plugin->initializer)
        set_words(it, "fills", plugin->initializer->traits, fills);
    else if (kernels)
        set_words(it, "kernels", kernels, isas);
    for (const hk_param *param = plugin->params; param && param->name; param++)
        json_array_append_new(parameters, param_json(param));
    for (const hk_slot *slot = plugin->slots; slot && slot->name; slot++)
        json_array_append_new(slots, slot_json(slot));
    json_object_set_new(it, "parameters", parameters);
    json_object_set_new(it, "slots", slots);
    return it;
}

static void put_value(const json_t *value)
{
    if (json_is_string(value))
        tool_put_text(stdout, json_string_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "yes" : "no", stdout);
    else
        printf("%g", json_number_value(value));
}

/* A row of a table on one line: "  slope     role learned, extent per channel, ..." */
static void put_entry(json_t *row)
{
    const char *key, *separator = "";
    json_t *value;
    json_object_foreach(row, key, value)
    {
        if (strcmp(key, "name") == 0) {
            fputs("  ", stdout);
            put_value(value);
            fputs(": ", stdout);
            continue;
        }
        fputs(separator, stdout);
        if (strcmp(key, "doc") != 0)
            printf("%s ", key);
        put_value(value);
        separator = ", ";
    }
    putchar('\n');
}

static void put_plugin(json_t *it)
{
    const char *key;
    json_t *value, *row;
    size_t i;
    json_object_foreach(it, key, value)
    {
        if (json_is_array(value)) {
            if (json_array_size(value))
                printf("%s\n", key);
            json_array_foreach(value, i, row) put_entry(row);
            continue;
        }
        printf("%-16s ", key);
        put_value(value);
        if (strstr(key, " cycles"))
            fputs(" an element", stdout);
        putchar('\n');
    }
}

static int put_plugins(json_t *all, const options *given)
{
    size_t i;
    json_t *it;
    if (given->json)
        return tool_json_print(json_pack("{s:o}", "plugins", all));
    json_array_foreach(all, i, it)
    {
        if (i)
            putchar('\n');
        put_plugin(it);
    }
    json_decref(all);
    return EXIT_DONE;
}

int plugin_inspect(const char *name, const options *given)
{
    static const hk_kind kinds[] = {HK_ACTIVATION, HK_NORMALIZATION, HK_INITIALIZER};
    json_t *all = json_array();
    for (int i = 0; i < 3; i++) {
        const hk_plugin *plugin;
        hk_status status = hk_plugin_find(kinds[i], name, &plugin);
        if (status == HK_OK) {
            json_array_append_new(all, plugin_json(plugin));
        } else if (status != HK_UNKNOWN_NAME && status != HK_BAD_ARGUMENT) { /* of another kind */
            json_decref(all);
            return tool_failed();
        }
    }
    if (json_array_size(all))
        return put_plugins(all, given);
    json_decref(all);
    return tool_fail(EXIT_USAGE,
                     "inspect: no plugin or model is called \"%s\"; hillock list shows what "
                     "there is",
                     name);
}

static void take_plugin(const hk_plugin_info *info, void *found)
{
    json_array_append_new(found, plugin_json(info->plugin));
}

int plugin_inspect_file(const char *path, const options *given)
{
    json_t *found = json_array();
    if (hk_plugin_each_of(path, take_plugin, NULL, found) != HK_OK) {
        json_decref(found);
        return tool_failed();
    }
    return put_plugins(found, given);
}
