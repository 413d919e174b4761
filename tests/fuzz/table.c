/* The table of a plugin: lines of text for its name, aliases, tags, and a parameter's name and
 * choices; then bytes for numbers. A table that is accepted can be used in specs. */
#include "fuzz.h"

#include <hillock/plugin.h>
#include "plugin/loader.h"

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context, (void)weight;
    return NULL;
}

static void take(const uint8_t **from, size_t *left, void *to, size_t size)
{
    size = size < *left ? size : *left;
    if (size)
        memcpy(to, *from, size);
    *from += size;
    *left -= size;
}

static void use(const hk_plugin *plugin)
{
    hki_use use = {.plugin = plugin};
    for (int i = 0; i < 2 && plugin->params[i].name; i++)
        use.params[i] = plugin->params[i].value + 1; /* is not its default */
    char *spec = hki_use_spec(&use);
    REQUIRE(spec && strlen(spec) < HKI_MAX_SPEC && hki_slot_count(plugin) <= 1);
    hki_free(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *rest = text, *lines[6];
    for (int i = 0; i < 6; i++)
        lines[i] = strsep(&rest, "\n");
    const uint8_t *from = data + (rest ? (size_t)(rest - text) : size);
    size_t left = size - (size_t)(from - data);
    static const hk_initializer initializer = {.fill = fill};
    hk_param params[3] = {0};
    hk_slot slots[2] = {0};
    take(&from, &left, &params[0], sizeof params[0]);
    take(&from, &left, &slots[0], sizeof slots[0]);
    params[0].name = lines[3], params[0].choices = lines[4], params[0].doc = "";
    slots[0].name = lines[5], slots[0].doc = "";
    const hk_plugin plugin = {.kind = HK_INITIALIZER,
                              .size = sizeof initializer,
                              .name = lines[0],
                              .aliases = lines[1],
                              .tags = lines[2],
                              .params = params,
                              .slots = slots,
                              .initializer = &initializer};
    if (hki_table_check("FILE", &plugin) == HK_OK)
        use(&plugin);
    free(text);
    return 0;
}
