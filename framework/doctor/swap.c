/* Giving a recorded layer a second activation for some of its channels.
 *
 * The tensor of the activation stays where it is, so that all who read it go on; it becomes a
 * channel override. The leaves that it needs are recorded last and then moved before it, where they
 * would stand had the net been recorded so: order decides digests and what may be computed when. */
#include "doctor/treat.h"

#include <string.h>

static hk_status override_in_place(hk_tensor *y, const hki_use *g)
{
    hk_net *net = y->net;
    int first = net->n_tensors;
    hk_tensor *made = hki_record_override(y->inputs[0], hki_use_of(y), y->inputs + 1, g);
    if (!made)
        return hk_last_status();
    void *old = y->attributes;
    y->op = made->op;
    y->n_inputs = made->n_inputs;
    y->attributes = made->attributes;
    memcpy(y->inputs, made->inputs, sizeof y->inputs);
    hki_free(old);
    net->n_tensors--; /* made: recorded last */
    hki_free(made);
    hki_move_before(net, first, y->id); /* the leaves */
    return HK_OK;
}

hk_status hki_layer_override_channels(hk_net *net, int layer, const hki_use *g)
{
    hki_act_choice act = {.other = *g};
    hk_status status = HK_OK;
    if (layer < 0)
        return hki_fail(HK_BAD_ARGUMENT,
                        "an activation that belongs to no layer cannot be swapped");
    hki_drop_plans(net);
    for (int id = 0; id < net->n_tensors && !status; id++) {
        hk_tensor *y = net->tensors[id];
        if (y->role != HKI_COMPUTED || y->layer != layer || !hki_is_activation(y))
            continue;
        act.use = *hki_use_of(y);
        if (!hki_is_channel_override(y)) {
            status = override_in_place(y, g);
            id = y->id;
            continue;
        }
        const hki_use *other = hki_use_of(hki_override_part(y, 1));
        if (other->plugin != g->plugin || memcmp(other->params, g->params, sizeof g->params))
            status = hki_fail(HK_BAD_ARGUMENT,
                              "layer %s: channels were swapped to %s before; a third "
                              "activation, %s, cannot be had",
                              hki_layer_name(net, layer), other->plugin->name, g->plugin->name);
    }
    return status ? status : hki_choose_for_layer(net, layer, &act);
}
