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
    json_t *rows; /* NULL: print */
} listing;

static void put_row(const listing *to, const char *name, const char *summary)
{
    if (to->rows) {
        json_array_append_new(to->rows, json_pack("{s:o, s:o}", "name", json_text(name), "summary",
                                                  json_text(summary)));
        return;
    }
    printf("  %-18s ", name);
    put_text(stdout, summary);
    putchar('\n');
}

static void put_plugin(const hk_plugin_info *info, void *user)
{
    put_row(user, info->plugin->name, info->plugin->summary ? info->plugin->summary : "");
}

static void put_bad(const char *file, const char *reason, void *user)
{
    (void)file;
    (void)user;
    note("%s", reason);
}

static int list_plugins(listing *to, hk_kind kind)
{
    /* Files that cannot be used are told of once. */
    hk_status status = hk_plugin_each(kind, put_plugin, kind == HK_ACTIVATION ? put_bad : NULL, to);
    return status == HK_OK ? EXIT_DONE : failed();
}

static int list_models(listing *to, hk_kind unused)
{
    (void)unused;
    for (const hk_model *model = hk_models; model->name; model++) {
        char text[256];
        snprintf(text, sizeof text, "%s; %s; %d x %d x %d, %s parameters", model->summary,
                 model->source, model->height, model->width, model->channels,
                 grouped(model->parameters));
        put_row(to, model->name, text);
    }
    return EXIT_DONE;
}

static int list_data(listing *to, hk_kind unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        put_row(to, sources[i].form, sources[i].summary);
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

static bool is_section(const char *name)
{
    for (int i = 0; i < SECTIONS; i++)
        if (strcmp(sections[i].name, name) == 0)
            return true;
    return false;
}

int run_list(options *given)
{
    const char *wanted = given->n_operands ? given->operands[0] : NULL;
    if (wanted && !is_section(wanted))
        return complain(EXIT_USAGE,
                        "list: nothing is called \"%s\"; known: activations, "
                        "normalizations, initializers, models, data",
                        wanted);
    json_t *result = given->json ? json_object() : NULL;
    int status = EXIT_DONE;
    for (int i = 0; i < SECTIONS && !status; i++) {
        if (wanted && strcmp(sections[i].name, wanted) != 0)
            continue;
        listing to = {given->json ? json_array() : NULL};
        if (!to.rows)
            printf("%s\n", sections[i].name);
        status = sections[i].list(&to, sections[i].kind);
        if (to.rows)
            json_object_set_new(result, sections[i].name, to.rows);
    }
    if (!status && result)
        return json_print(result);
    json_decref(result);
    return status;
}
