/* What a plugin has: its slots, its kernels for this machine, and a stand-alone use of both. */
#include "plugin/loader.h"

#include "engine/engine.h"

int64_t hki_slot_length(const hk_slot *slot, int64_t rows, int64_t channels)
{
    switch (slot->extent) {
    case HK_PER_CHANNEL: return channels;
    case HK_PER_ROW: return rows;
    case HK_FIXED: return slot->count;
    default: return 1;
    }
}

int hki_slot_count(const hk_plugin *plugin)
{
    int count = 0;
    while (plugin->slots && plugin->slots[count].name)
        count++;
    return count;
}

const hk_kernels *hki_kernels_of(const hk_plugin *plugin)
{
    return plugin->activation      ? plugin->activation->kernels
           : plugin->normalization ? plugin->normalization->kernels
                                   : NULL;
}

/* The nearest row of the kernel table that is filled, at or below the instruction set in use. */
hk_block *hki_forward(const hk_plugin *plugin)
{
    const hk_kernels *kernels = hki_kernels_of(plugin);
    hk_block *kernel = NULL;
    for (int isa = (int)hki_isa(); kernels && isa >= 0 && !kernel; isa--)
        kernel = kernels[isa].forward;
    return kernel;
}

hk_block *hki_backward(const hk_plugin *plugin)
{
    const hk_kernels *kernels = hki_kernels_of(plugin);
    hk_block *kernel = NULL;
    for (int isa = (int)hki_isa(); kernels && isa >= 0 && !kernel; isa--)
        kernel = kernels[isa].backward;
    return kernel;
}

void hki_probe_start(const hki_use *use, int64_t rows, hki_probe *probe)
{
    *probe = (hki_probe){.context = {.rows = rows,
                                     .channels = 1,
                                     .rows_per_sample = rows,
                                     .params = use->params,
                                     .slots = probe->slots}};
    for (int i = 0; i < hki_slot_count(use->plugin); i++) {
        const hk_slot *slot = &use->plugin->slots[i];
        probe->slots[i] = probe->values[i];
        for (int64_t k = 0; k < hki_slot_length(slot, 1, 1); k++)
            probe->values[i][k] = (float)slot->value;
    }
    if (use->plugin->start)
        use->plugin->start(&probe->context);
}
