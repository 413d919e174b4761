/* A use of a plugin out of its spec, and back. */
#include "plugin/loader.h"

#include <stdio.h>
#include <string.h>

hk_status hki_use_parse(hk_kind kind, const char *spec, hki_use *out)
{
    char name[HKI_MAX_SPEC];
    const char *what = hk_kind_name(kind);
    size_t length = spec ? strcspn(spec, ":") : 0;
    *out = (hki_use){.plugin = NULL};
    if (!spec || !*spec)
        return hki_fail(HK_BAD_ARGUMENT, "%s: the spec is empty; write name or name:key=value",
                        what);
    if (length == 0 || length >= sizeof name)
        return hki_fail(HK_BAD_ARGUMENT,
                        "%s \"%.200s\": the name has %zu bytes, 1 to %d are possible", what, spec,
                        length, HKI_MAX_SPEC - 1);
    snprintf(name, sizeof name, "%.*s", (int)length, spec);
    hk_status status = strchr(name, '/') ? hki_plugin_from_file(kind, name, &out->plugin)
                                         : hk_plugin_find(kind, name, &out->plugin);
    if (status == HK_OK)
        status = hki_spec_values(what, out->plugin->name, spec, length, out->plugin->params,
                                 out->params);
    if (status != HK_OK)
        out->plugin = NULL;
    return status;
}

char *hki_use_spec(const hki_use *use)
{
    return hki_spec_text(use->plugin->name, use->plugin->params, use->params, 0, NULL);
}
