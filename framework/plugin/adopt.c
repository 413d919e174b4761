/* A plugin's tables, laid out as this version of the contract has them.
 *
 * Structs grow at their end alone and say how long they are, so a file of an earlier 1.n has shorter ones:
 * they are copied, and what they lack is 0, which is what a field that was not set is. */
#include "plugin/loader.h"

#include <string.h>

#include "engine/kernels.h"

hki_table_size hki_table_size_of(hk_kind kind)
{
    static const hki_table_size sizes[] = {[HK_ACTIVATION] = {184, sizeof(hk_activation)},
                                           [HK_NORMALIZATION] = {184, sizeof(hk_normalization)},
                                           [HK_INITIALIZER] = {16, sizeof(hk_initializer)},
                                           [HK_MODEL] = {40, sizeof(hk_model)}};
    return kind >= HK_ACTIVATION && kind <= HK_MODEL ? sizes[kind] : (hki_table_size){0, 0};
}

hk_status hki_adopt(const char *file, const hk_bundle *bundle, uint32_t index, hki_adopted *out)
{
    hk_plugin *own = &out->plugin;
    *out = (hki_adopted){.plugin = {.kind = 0}};
    memcpy(own, (const char *)bundle->plugins + (size_t)index * bundle->size, bundle->size);
    const hk_kind kind = (hk_kind)own->kind;
    const void *const tables[] = {[HK_ACTIVATION] = own->activation,
                                  [HK_NORMALIZATION] = own->normalization,
                                  [HK_INITIALIZER] = own->initializer,
                                  [HK_MODEL] = own->model};
    const hki_table_size known = hki_table_size_of(kind);
    if (!known.now || !tables[kind]) /* table.c has a sentence for it */
        return HK_OK;
    const size_t size = (size_t)hki_min(own->size, known.now);
    if (!hki_is_readable(tables[kind], size))
        return hki_refuse("its table of %s cannot be read: its address is none (P10)", file,
                          hki_kind_phrase(kind));
    memcpy(&out->table, tables[kind], size);
    switch (kind) {
    case HK_ACTIVATION: own->activation = &out->table.activation; break;
    case HK_NORMALIZATION: own->normalization = &out->table.normalization; break;
    case HK_INITIALIZER: own->initializer = &out->table.initializer; break;
    case HK_MODEL: own->model = &out->table.model; break;
    }
    return HK_OK;
}
