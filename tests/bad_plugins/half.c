/* y = x / 2, written against plugin.h alone. Right as it stands; a test breaks one thing at a
 * time: FAULT, ACT and ENTRY are further initializers, which win over those before them. */
#include <hillock/plugin.h>

#ifndef NAME
#define NAME "half"
#endif
#ifndef FAULT
#define FAULT
#endif
#ifndef ACT
#define ACT
#endif
#ifndef ENTRY
#define ENTRY
#endif
#ifndef PARAM
#define PARAM
#endif
#ifndef SLOT
#define SLOT
#endif
#define ROW_OF_PARAM .name = "extra", .type = HK_REAL, .value = 0.5, .high = 1
#define ROW_OF_SLOT .name = "more", .role = HK_LEARNED, .extent = HK_SHARED

static void forward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < tile->rows * context->channels; i++) {
        tile->y[i] = tile->x[i] / 2 + context->slots[0][0];
        tile->aux[i] = tile->x[i];
    }
}

static void backward(const hk_context *context, const hk_tile *tile)
{
    for (int64_t i = 0; i < tile->rows * context->channels; i++) {
        tile->dx[i] = tile->dy[i] / 2;
        tile->dslots[0][0] += tile->dy[i];
    }
}

static double value(const hk_scalar64 *at)
{
    return at->x / 2 + at->t[0];
}

static double slope(const hk_scalar64 *at)
{
    (void)at;
    return 0.5;
}

static void start(const hk_context *context)
{
    context->slots[0][0] = (float)context->params[0];
}

#ifdef WIDER
static int64_t wider(const hk_context *context, int64_t channels)
{
    (void)context;
    return 2 * channels;
}
#endif

static const hk_param params[] = {
    {.name = "shift", .type = HK_REAL, .value = 0, .low = 0, .high = 1, .flags = HK_HIGH_OPEN},
    {.name = "steps", .type = HK_INTEGER, .value = 3, .low = 1, .high = 64},
    {.name = "over", .type = HK_CHOICE, .choices = "sample|channels|all", .value = 1},
    {.name = "any", .type = HK_REAL, .value = 0.1},
    {ROW_OF_PARAM PARAM},
    {0},
};

static const hk_slot slots[] = {
    {.name = "offset", .role = HK_LEARNED, .extent = HK_SHARED},
    {ROW_OF_SLOT SLOT},
    {0},
};

static const hk_activation activation = {
    .aux_floats = 1, .kernels = {{forward, backward}}, .value = value, .slope = slope ACT};

static const hk_plugin plugins[] = {{.kind = HK_ACTIVATION,
                                     .size = sizeof(hk_activation),
                                     .name = NAME,
                                     .summary = "x / 2",
                                     .params = params,
                                     .slots = slots,
                                     .start = start,
                                     .activation = &activation FAULT}};

extern const hk_bundle hk_bundle_entry;
__attribute__((visibility("default"))) const hk_bundle hk_bundle_entry = {.magic = HK_MAGIC,
                                                                          .major = HK_ABI_MAJOR,
                                                                          .minor = HK_ABI_MINOR,
                                                                          .size = sizeof(hk_plugin),
                                                                          .count = 1,
                                                                          .plugins = plugins ENTRY};
