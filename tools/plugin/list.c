/* hillock list: plugins, models and data sets, a line each. */
#include <hillock/data.h>
#include <hillock/registry.h>
#include "options.h"
#include "output.h"

#include <string.h>

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

static void put_plugin(const hk_plugin_info *info, void *user)
{
    listing *to = user;
    const hk_plugin *plugin = info->plugin;
    const char *family = to->given->family;
    to->count++;
    /* The usual ones are those of the set "core", and those of no set: a plugin of one's own. */
    if (family ? !hk_plugin_has_tag(plugin, family)
               : !to->given->all && plugin->tags && !hk_plugin_has_tag(plugin, "core"))
        return;
    to->shown++;
    json_t *tags = json_array();
    for (const char *tag = plugin->tags; tag && *tag;) {
        const size_t length = strcspn(tag, ",");
        json_array_append_new(tags, json_stringn(tag, length));
        tag += length + (tag[length] == ',');
    }
    const char *summary = plugin->summary ? plugin->summary : "";
    char text[512];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", summary);
    if (plugin->model)
        used = (size_t)snprintf(text, sizeof text, "%.200s; %.200s; %d x %d x %d, %s parameters",
                                summary, plugin->source ? plugin->source : "no source",
                                plugin->model->height, plugin->model->width,
                                plugin->model->channels, tool_grouped(plugin->model->parameters));
    for (const hk_param *p = plugin->params; plugin->model && p && p->name && used < sizeof text;
         p++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                 p == plugin->params ? "; takes " : ",", p->name);
    put_row(to, plugin->name, text, json_pack("{s:o}", "tags", tags));
}

static void put_bad(const char *file, const char *reason, void *user)
{
    (void)file;
    (void)user;
    tool_note("%s", reason);
}

static int list_plugins(listing *to, hk_kind kind)
{
    char **tags;
    size_t n;
    /* Files that cannot be used are reported once. */
    if (hk_plugin_each(kind, put_plugin, kind == HK_ACTIVATION ? put_bad : NULL, to) != HK_OK)
        return tool_failed();
    if (to->rows || to->shown == to->count)
        return EXIT_DONE;
    if (hk_plugin_tags(kind, &tags, &n) != HK_OK)
        return tool_failed();
    printf("  %d of %d shown; --all, --family", to->shown, to->count);
    for (size_t i = 0; i < n; i++)
        printf("%s%s", i ? "|" : " ", tags[i]);
    putchar('\n');
    hk_spec_list_free(tags, n);
    return EXIT_DONE;
}

static int list_data(listing *to, hk_kind unused)
{
    (void)unused;
    const char *form, *summary;
    for (int i = 0; (form = hk_data_source(i, &summary)); i++)
        put_row(to, form, summary, json_object());
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
    {"models", list_plugins, HK_MODEL},
    {"data", list_data, HK_ACTIVATION},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

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
    const char *wanted = given->n_operands ? given->operands[0] : NULL, *names[SECTIONS];
    const size_t length = wanted ? strlen(wanted) : 0;
    int named = 0, count = 0;
    for (int i = 0; i < SECTIONS; i++) {
        const char *name = names[i] = sections[i].name; /* or without its s */
        chosen[i] = !wanted || strcmp(name, wanted) == 0 ||
                    (strncmp(name, wanted, length) == 0 && strcmp(name + length, "s") == 0);
        named += chosen[i];
    }
    if (!named)
        return tool_fail(EXIT_USAGE, "list: nothing is called \"%s\"%s", wanted,
                         tool_known(wanted, names, SECTIONS));
    if (given->all && given->family)
        return tool_fail(EXIT_USAGE, "list: --all or --family, not both");
    for (int i = 0; i < SECTIONS; i++) {
        char set[80], **members;
        size_t n;
        snprintf(set, sizeof set, "@%.64s", given->family ? given->family : "");
        if (chosen[i] && given->family) {
            chosen[i] = sections[i].list == list_plugins &&
                        hk_spec_list(sections[i].kind, set, &members, &n) == HK_OK;
            if (chosen[i])
                hk_spec_list_free(members, n);
        }
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
