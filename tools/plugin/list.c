/* hillock list: plugins, models and data sets, a line each. */
#include "models.h"
#include "options.h"
#include "output.h"

#include <string.h>

static const struct {
    const char *form, *summary;
} sources[] = {
    {"mnist:DIR", "IDX files, plain or .gz; handwritten digits, 28 x 28 x 1"},
    {"fashion-mnist:DIR", "IDX files, plain or .gz; articles of clothing, 28 x 28 x 1"},
    {"cifar-10:DIR", "CIFAR-10 binary files; photographs, 32 x 32 x 3"},
    {"csv:FILE", "numbers and a label a line; csv:FILE,label=first,test=0.2,seed=1"},
    {"glyphs",
     "drawn characters, made here; glyphs:train=6000,test=1000,size=28,channels=1,seed=1"},
};

/* Rows of one kind: to standard output, or into an array. */
typedef struct listing {
    const options *given;
    json_t *rows;     /* NULL: print */
    int shown, count; /* of plugins */
} listing;

static void put_row(const listing *to, const char *name, const char *summary, json_t *row)
{
    if (to->rows) {
        json_object_update_new(row, json_pack("{s:o, s:o}", "name", tool_json_text(name), "summary",
                                              tool_json_text(summary)));
        json_array_append_new(to->rows, row);
        return;
    }
    json_decref(row);
    printf("  %-18s ", name);
    tool_put_text(stdout, summary);
    putchar('\n');
}

static json_t *tags_json(const char *tags)
{
    json_t *all = json_array();
    while (tags && *tags) {
        const size_t length = strcspn(tags, ",");
        json_array_append_new(all, json_stringn(tags, length));
        tags += length + (tags[length] == ',');
    }
    return all;
}

/* The usual ones are those of the set "core", and those of no set: a plugin of one's own. */
static bool is_wanted(const options *given, const hk_plugin *plugin)
{
    if (given->family)
        return hk_plugin_has_tag(plugin, given->family);
    return given->all || !plugin->tags || hk_plugin_has_tag(plugin, "core");
}

static void put_plugin(const hk_plugin_info *info, void *user)
{
    listing *to = user;
    const hk_plugin *plugin = info->plugin;
    to->count++;
    if (!is_wanted(to->given, plugin))
        return;
    to->shown++;
    put_row(to, plugin->name, plugin->summary ? plugin->summary : "",
            json_pack("{s:o}", "tags", tags_json(plugin->tags)));
}

static void put_bad(const char *file, const char *reason, void *user)
{
    (void)file;
    (void)user;
    tool_note("%s", reason);
}

/* What was left out, and how to see it. */
static int put_count(const listing *it, hk_kind kind)
{
    char **tags;
    size_t n;
    if (it->rows || it->shown == it->count)
        return EXIT_DONE;
    if (hk_plugin_tags(kind, &tags, &n) != HK_OK)
        return tool_failed();
    printf("  %d of %d shown; --all, --family", it->shown, it->count);
    for (size_t i = 0; i < n; i++)
        printf("%s%s", i ? "|" : " ", tags[i]);
    putchar('\n');
    hk_spec_list_free(tags, n);
    return EXIT_DONE;
}

static int list_plugins(listing *to, hk_kind kind)
{
    /* Files that cannot be used are told of once. */
    hk_status status = hk_plugin_each(kind, put_plugin, kind == HK_ACTIVATION ? put_bad : NULL, to);
    return status == HK_OK ? put_count(to, kind) : tool_failed();
}

static int list_models(listing *to, hk_kind unused)
{
    (void)unused;
    for (const hk_model *model = hk_models; model->name; model++) {
        char text[256];
        snprintf(text, sizeof text, "%s; %s; %d x %d x %d, %s parameters", model->summary,
                 model->source, model->height, model->width, model->channels,
                 tool_grouped(model->parameters));
        put_row(to, model->name, text, json_object());
    }
    return EXIT_DONE;
}

static int list_data(listing *to, hk_kind unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        put_row(to, sources[i].form, sources[i].summary, json_object());
    return EXIT_DONE;
}

static const struct {
    const char *name;
    int (*list)(listing *to, hk_kind kind);
    hk_kind kind;
} sections[] = {
    {"activations", list_plugins, HK_ACTIVATION},
    {"normalizations", list_plugins, HK_NORMALIZATION},
    {"initializers", list_plugins, HK_INITIALIZER},
    {"models", list_models, HK_ACTIVATION},
    {"data", list_data, HK_ACTIVATION},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* "activation" as well, as other commands name the kind. */
static bool is_called(int section, const char *wanted)
{
    const char *name = sections[section].name;
    const size_t n = strlen(wanted);
    return strncmp(name, wanted, n) == 0 && (!name[n] || strcmp(name + n, "s") == 0);
}

static bool has_family(int section, const char *family)
{
    char set[80], **members;
    size_t n;
    if (sections[section].list != list_plugins)
        return false;
    snprintf(set, sizeof set, "@%.64s", family);
    if (hk_spec_list(sections[section].kind, set, &members, &n) != HK_OK)
        return false;
    hk_spec_list_free(members, n);
    return true;
}

static int no_family(const char *family)
{
    char **tags;
    size_t n;
    if (hk_plugin_tags(0, &tags, &n) != HK_OK)
        return tool_failed();
    tool_fail(EXIT_USAGE, "list: no plugin here is in the family \"%s\"%s", family,
              tool_known(family, (const char *const *)tags, n));
    hk_spec_list_free(tags, n);
    return EXIT_USAGE;
}

static int choose(const options *given, bool chosen[SECTIONS])
{
    const char *wanted = given->n_operands ? given->operands[0] : NULL;
    int named = 0, count = 0;
    for (int i = 0; i < SECTIONS; i++)
        named += chosen[i] = !wanted || is_called(i, wanted);
    if (!named)
        return tool_fail(EXIT_USAGE,
                         "list: nothing is called \"%s\"; known: activations, "
                         "normalizations, initializers, models, data",
                         wanted);
    if (given->all && given->family)
        return tool_fail(EXIT_USAGE, "list: --all or --family, not both");
    for (int i = 0; i < SECTIONS; i++) {
        chosen[i] = chosen[i] && (!given->family || has_family(i, given->family));
        count += chosen[i];
    }
    return count ? EXIT_DONE : no_family(given->family);
}

int plugin_list_command(options *given)
{
    bool chosen[SECTIONS];
    int status = choose(given, chosen);
    if (status)
        return status;
    json_t *result = given->json ? json_object() : NULL;
    for (int i = 0; i < SECTIONS && !status; i++) {
        if (!chosen[i])
            continue;
        listing to = {given, given->json ? json_array() : NULL, 0, 0};
        if (!to.rows)
            printf("%s\n", sections[i].name);
        status = sections[i].list(&to, sections[i].kind);
        if (to.rows)
            json_object_set_new(result, sections[i].name, to.rows);
    }
    if (!status && result)
        return tool_json_print(result);
    json_decref(result);
    return status;
}
