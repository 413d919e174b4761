/* Finds what can be fused among the recorded operations: from the last one back, as long as each is read by
 * the next alone. */
#include "graph/fuse.h"
#include "ops/fused/fused.h"

static bool is_affine(const hk_tensor *t)
{
    if (t->op != &hki_op_normalize)
        return false;
    hk_domain domain = hki_domain_of(hki_use_of(t));
    return domain == HK_OVER_BATCH || domain == HK_OVER_SAMPLE;
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

/* From the last operation to the first; each but the last must be read by the next alone. */
static hki_fused find_fusion(const hk_tensor *last, const int *uses)
{
    hki_fused fused = {0};
    const hk_tensor *t = last;
    const hk_activation *act = t->op == &hki_op_activate ? hki_use_of(t)->plugin->activation : NULL;
    if (act && !act->aux_floats && !act->n_sums && !act->channels_out) { /* a tile is enough */
        fused.act = t;
        t = t->inputs[0];
    }
    if (t != last && uses[t->id] != 1)
        return fused;
    if (normalized_term(t, uses)) {
        fused.add = t;
        t = normalized_term(t, uses); /* which has this one reader */
    }
    if (is_affine(t)) {
        fused.norm = t;
        t = t->inputs[0];
    }
    if (t->op == &hki_op_conv2d && (t == last || uses[t->id] == 1))
        fused.conv = t;
    return fused;
}

static void add_inputs(hk_tensor *to, const hk_tensor *from, int first)
{
    for (int i = first; from && i < from->n_inputs; i++)
        to->inputs[to->n_inputs++] = from->inputs[i];
}

static hk_status fuse(hk_tensor *last, const int *uses, bool has_backward, bool spends_dy,
                      hk_tensor **out)
{
    hki_fused fused = find_fusion(last, uses);
    *out = NULL;
    if (!fused.norm && !(fused.conv && fused.act))
        return HK_OK;
    struct {
        hk_tensor tensor;
        hki_fused fused;
    } *made = hki_alloc(sizeof *made);
    if (!made)
        return HK_NO_MEMORY;
    hk_tensor *t = &made->tensor;
    *t = (hk_tensor){.net = last->net,
                     .id = last->id,
                     .role = HKI_COMPUTED,
                     .shape = last->shape,
                     .layer = last->layer,
                     .op = &hki_op_fused,
                     .attributes = &made->fused};
    fused.has_backward = has_backward;
    fused.spends_dy =
        spends_dy &&
        (!fused.act || hki_use_of(fused.act)->plugin->activation->traits & HK_IN_PLACE);
    if (fused.conv)
        add_inputs(t, fused.conv, 0);
    else
        t->inputs[t->n_inputs++] = fused.norm->inputs[0];
    fused.residual = t->n_inputs;
    if (fused.add)
        t->inputs[t->n_inputs++] = fused.add->inputs[fused.add->inputs[0] == fused.norm];
    fused.norm_slots = t->n_inputs;
    add_inputs(t, fused.norm, 1);
    fused.act_slots = t->n_inputs;
    add_inputs(t, fused.act, 1);
    made->fused = fused;
    *out = t;
    return HK_OK;
}

static int parts(const hk_tensor *tensor, const hk_tensor *out[HKI_MAX_FUSED])
{
    const hki_fused *fused = hki_fused_of(tensor);
    const hk_tensor *const all[] = {fused ? fused->conv : NULL, fused ? fused->norm : NULL,
                                    fused ? fused->add : NULL, fused ? fused->act : NULL};
    int n = 0;
    for (int i = 0; i < HKI_MAX_FUSED; i++)
        if (all[i])
            out[n++] = all[i];
    return n;
}

const struct hki_fuser hki_fuser = {.fuse = fuse, .parts = parts};
