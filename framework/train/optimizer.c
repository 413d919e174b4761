/* An optimizer: an update rule over all learned tensors of a net, with their moments. */
#include "train/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/plan.h"
#include "ops/ops.h"

hk_status hk_optimizer_new(hk_net *net, const char *spec, hk_optimizer **out)
{
    *out = NULL;
    hk_optimizer *optimizer = hki_alloc(sizeof *optimizer);
    if (!optimizer)
        return HK_NO_MEMORY;
    optimizer->net = net;
    optimizer->n_tensors = net->n_tensors;
    hk_status status = hki_rule_parse(spec, &optimizer->rule);
    int moments = status ? 0 : hki_rule_moments(&optimizer->rule);
    for (int i = 0; i < moments && !status; i++) {
        size_t floats = (size_t)hk_net_parameters(net);
        optimizer->moments[i] = hki_alloc_array(floats, sizeof(float));
        status = optimizer->moments[i] ? HK_OK : HK_NO_MEMORY;
    }
    if (status)
        hk_optimizer_free(optimizer);
    else
        *out = optimizer;
    return status;
}

void hk_optimizer_free(hk_optimizer *optimizer)
{
    if (!optimizer)
        return;
    hki_free(optimizer->moments[0]);
    hki_free(optimizer->moments[1]);
    hki_free(optimizer);
}

static double square_at(const void *x, int64_t i)
{
    double v = (double)((const float *)x)[i];
    return v * v;
}

double hki_gradient_norm(const hk_tensor *t)
{
    return sqrt(hki_sum_terms(hki_count(&t->shape, 1), square_at, t->gradient));
}

/* What gradients are multiplied with so that their norm is at most `clip`. */
static float clip_factor(const hk_net *net, double clip)
{
    double square = 0;
    if (!(clip > 0))
        return 1;
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->role == HKI_LEARNED && !net->tensors[i]->frozen) {
            double norm = hki_gradient_norm(net->tensors[i]);
            square += norm * norm;
        }
    double factor = clip / (sqrt(square) + 1e-6);
    return factor < 1 ? (float)factor : 1;
}

void hk_optimizer_step(hk_optimizer *optimizer, hk_plan *plan, double rate, double clip)
{
    hk_net *net = optimizer->net;
    float factor = clip_factor(net, clip);
    int64_t offset = 0;
    optimizer->step++;
    for (int i = 0; i < optimizer->n_tensors; i++) {
        hk_tensor *t = net->tensors[i];
        if (t->role != HKI_LEARNED)
            continue;
        int64_t n = hki_count(&t->shape, 1);
        float *m = optimizer->moments[0] ? optimizer->moments[0] + offset : NULL;
        float *v = optimizer->moments[1] ? optimizer->moments[1] + offset : NULL;
        if (!t->frozen) {
            hki_rule_update(&optimizer->rule, optimizer->step, rate, !t->no_decay, n, t->value,
                            t->gradient, factor, m, v);
            hki_clamp(t);
        }
        offset += n;
    }
    hk_net_clear_gradients(net);
    hk_plan_commit(plan);
}
