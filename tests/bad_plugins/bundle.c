/* Three plugins in one file; the second lacks its function. */
#include <hillock/plugin.h>

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    for (int64_t i = 0; i < weight->count; i++)
        weight->w[weight->first + i] = 0;
    return 0;
}

static const hk_initializer good = {.fill = fill}, bad = {.traits = 0};

#define ROW .kind = HK_INITIALIZER, .size = sizeof(hk_initializer)
HK_BUNDLE({ROW, .name = "bundle", .aliases = "bundle_alias,nothing", .initializer = &good},
          {ROW, .name = "bundle_bad", .initializer = &bad},
          {ROW, .name = "bundle_last", .initializer = &good});
