/* Finds chains among the recorded operations: from the last one back, as long as each is read by
 * the next alone. */
#include "graph/fuse.h"
#include "ops/fused/chain.h"

static bool is_affine(const hk_tensor *t)
{
    if (t->op != &hki_op_normalize)
        return false;
    hk_domain domain = hki_domain_of(hki_use_of(t));
    return domain == HK_OVER_BATCH || domain == HK_OVER_SAMPLE;
}

/* Needs no more than a tile of z: nothing kept, counted or widened. */
static bool is_plain_activation(const hk_tensor *t)
{
    if (t->op != &hki_op_activate)
        return false;
    const hk_activation *a = hki_use_of(t)->plugin->activation;
    return !a->aux_floats && !a->n_sums && !a->channels_out;
}

static bool works_in_place(const hk_tensor *activation)
{
    return hki_use_of(activation)->plugin->activation->traits & HK_IN_PLACE;
}

/* Of an addition without broadcasting: the input that is a normalization of its own, the later one
 * if both are; NULL: neither. */
static const hk_tensor *normalized_term(const hk_tensor *t, const int *uses)
{
    const hk_tensor *a = t->inputs[0], *b = t->inputs[1], *found = NULL;
    if (t->op != &hki_op_add || !hki_same_shape(&a->shape, &b->shape))
        return NULL;
    if (is_affine(a) && uses[a->id] == 1)
        found = a;
    if (is_affine(b) && uses[b->id] == 1 && (!found || b->id > a->id))
        found = b;
    return found;
}

/* Walks from the last operation to the first; each but the last must be read by the next alone. */
static hki_chain find_chain(const hk_tensor *last, const int *uses)
{
    hki_chain chain = {0};
    const hk_tensor *t = last;
    if (is_plain_activation(t)) {
        chain.act = t;
        t = t->inputs[0];
    }
    if (t != last && uses[t->id] != 1)
        return chain;
    if (normalized_term(t, uses)) {
        chain.add = t;
        t = normalized_term(t, uses); /* which has this one reader */
    }
    if (is_affine(t)) {
        chain.norm = t;
        t = t->inputs[0];
    }
    if (t->op == &hki_op_conv2d && (t == last || uses[t->id] == 1))
        chain.conv = t;
    return chain;
}

static void add_inputs(hk_tensor *to, const hk_tensor *from, int first)
{
    for (int i = first; from && i < from->n_inputs; i++)
        to->inputs[to->n_inputs++] = from->inputs[i];
}

static hk_status fuse(hk_tensor *last, const int *uses, bool walks_back, bool spends_dy,
                      hk_tensor **out)
{
    hki_chain chain = find_chain(last, uses);
    *out = NULL;
    if (!chain.norm && !(chain.conv && chain.act))
        return HK_OK;
    struct {
        hk_tensor tensor;
        hki_chain chain;
    } *made = hki_alloc(sizeof *made);
    if (!made)
        return HK_NO_MEMORY;
    hk_tensor *t = &made->tensor;
    *t = (hk_tensor){.net = last->net,
                     .id = last->id,
                     .role = HKI_COMPUTED,
                     .shape = last->shape,
                     .layer = last->layer,
                     .op = &hki_op_chain,
                     .attributes = &made->chain};
    chain.walks_back = walks_back;
    chain.spends_dy = spends_dy && (!chain.act || works_in_place(chain.act));
    if (chain.conv)
        add_inputs(t, chain.conv, 0);
    else
        t->inputs[t->n_inputs++] = chain.norm->inputs[0];
    chain.residual = t->n_inputs;
    if (chain.add)
        t->inputs[t->n_inputs++] = chain.add->inputs[chain.add->inputs[0] == chain.norm];
    chain.norm_slots = t->n_inputs;
    add_inputs(t, chain.norm, 1);
    chain.act_slots = t->n_inputs;
    add_inputs(t, chain.act, 1);
    made->chain = chain;
    *out = t;
    return HK_OK;
}

static int parts(const hk_tensor *tensor, const hk_tensor *out[HKI_MAX_FUSED])
{
    const hki_chain *chain = hki_chain_of(tensor);
    const hk_tensor *const all[] = {chain ? chain->conv : NULL, chain ? chain->norm : NULL,
                                    chain ? chain->add : NULL, chain ? chain->act : NULL};
    int n = 0;
    for (int i = 0; i < HKI_MAX_FUSED; i++)
        if (all[i])
            out[n++] = all[i];
    return n;
}

const struct hki_fuser hki_fuser = {.fuse = fuse, .parts = parts};
