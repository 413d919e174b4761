/* The operations that a saved net may consist of, and what their slots must look like. */
#include "ops/ops.h"

#include <string.h>

static const hki_op *const all[] = {
    &hki_op_conv2d,
    &hki_op_linear,
    &hki_op_normalize,
    &hki_op_activate,
    &hki_op_override,
    &hki_op_maxpool,
    &hki_op_avgpool,
    &hki_op_reshape,
    &hki_op_concat,
    &hki_op_add,
    &hki_op_sub,
    &hki_op_mul,
    &hki_op_div,
    &hki_op_exp,
    &hki_op_log,
    &hki_op_pow,
    &hki_op_scale,
    &hki_op_quantise,
    &hki_op_reduce,
    &hki_op_softmax,
    &hki_op_dropout,
    &hki_op_alpha_dropout,
    &hki_op_gaussian_dropout,
    &hki_op_gaussian_noise,
    &hki_op_drop_path,
    &hki_op_drop_block,
    &hki_op_drop_connect,
    &hki_op_normalize_weight,
};

const hki_op *hki_op_at(int i)
{
    return i >= 0 && (size_t)i < sizeof all / sizeof *all ? all[i] : NULL;
}

const hki_op *hki_op_find(const char *name)
{
    const hki_op *op = NULL;
    for (int i = 0; (op = hki_op_at(i)) && strcmp(op->name, name); i++)
        continue;
    return op;
}

hk_status hki_check_slots(const hki_use *use, const hk_tensor *y, int first, int n, int64_t rows,
                          const hk_shape *x)
{
    const hk_plugin *plugin = use->plugin;
    if (n != hki_slot_count(plugin))
        return hki_fail(HK_BAD_SHAPE, "%s: %d slots for %s, which has %d", y->op->name, n,
                        plugin->name, hki_slot_count(plugin));
    for (int i = 0; i < n; i++) {
        const hk_tensor *found = y->inputs[first + i];
        const hk_shape *slot = &found->shape;
        const int64_t length = hki_slot_length(&plugin->slots[i], rows, hki_channels(x));
        if (found->role != (plugin->slots[i].role == HK_LEARNED ? HKI_LEARNED : HKI_STATE) ||
            slot->ndim != 1 || slot->dims[0] != length)
            return hki_fail(HK_BAD_SHAPE, "%s: slot %s of %s is a tensor %s, expected a %s [%lld]",
                            y->op->name, plugin->slots[i].name, plugin->name, hki_shape_text(slot),
                            plugin->slots[i].role == HK_LEARNED ? "parameter" : "state",
                            (long long)length);
    }
    return HK_OK;
}
