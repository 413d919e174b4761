/* An optimizer: an update rule over all learned tensors of a net, with their moments. */
#include "train/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/plan.h"

enum { SLICE = 4096 }; /* elements: 16 KiB of each array */

/* Lists the slices of the learned tensors, or only counts them where `slices` is NULL. */
static int64_t cut(const hk_net *net, int n_tensors, hki_slice *slices)
{
    int64_t n_slices = 0, moment = 0;
    for (int i = 0; i < n_tensors; i++) {
        hk_tensor *t = net->tensors[i];
        int64_t n = t->role == HKI_LEARNED ? hki_count(&t->shape, 1) : 0;
        for (int64_t first = 0; first < n; first += SLICE, n_slices++)
            if (slices)
                slices[n_slices] = (hki_slice){.tensor = t,
                                               .first = first,
                                               .n = n - first < SLICE ? n - first : SLICE,
                                               .moment = moment + first};
        moment += n;
    }
    return n_slices;
}

/* Slices and moments for what the net has learned so far. */
static hk_status allocate(hk_optimizer *optimizer)
{
    optimizer->n_tensors = optimizer->net->n_tensors;
    optimizer->n_slices = cut(optimizer->net, optimizer->n_tensors, NULL);
    size_t n = (size_t)optimizer->n_slices, floats = (size_t)hk_net_parameters(optimizer->net);
    optimizer->slices = hki_alloc_array(n, sizeof *optimizer->slices);
    optimizer->squares = hki_alloc_array(n, sizeof *optimizer->squares);
    optimizer->moved = hki_alloc_array(n, sizeof *optimizer->moved);
    if (!optimizer->slices || !optimizer->squares || !optimizer->moved)
        return HK_NO_MEMORY;
    cut(optimizer->net, optimizer->n_tensors, optimizer->slices);
    for (int m = 0; m < hki_rule_moments(&optimizer->rule); m++)
        if (!(optimizer->moments[m] = hki_alloc_array(floats, sizeof(float))))
            return HK_NO_MEMORY;
    return HK_OK;
}

static void clear(hk_optimizer *optimizer)
{
    hki_free(optimizer->slices);
    hki_free(optimizer->squares);
    hki_free(optimizer->moved);
    hki_free(optimizer->moments[0]);
    hki_free(optimizer->moments[1]);
}

hk_status hk_optimizer_new(hk_net *net, const char *spec, hk_optimizer **out)
{
    if (out)
        *out = NULL;
    if (hki_null(net, spec, out))
        return HK_BAD_ARGUMENT;
    hk_optimizer *optimizer = hki_alloc(sizeof *optimizer);
    if (!optimizer)
        return HK_NO_MEMORY;
    optimizer->net = net;
    hk_status status = hki_rule_parse(spec, &optimizer->rule);
    if (!status)
        status = allocate(optimizer);
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
    clear(optimizer);
    hki_free(optimizer);
}

/* ---- When the net has changed ------------------------------------------------------------------ */

hk_status hki_optimizer_refit(hk_optimizer *optimizer)
{
    hk_optimizer old = *optimizer,
                 fresh = {
                     .net = old.net, .rule = old.rule, .step = old.step, .measures = old.measures};
    hk_status status = allocate(&fresh);
    if (status) {
        clear(&fresh);
        return status;
    }
    for (int64_t i = 0, j = 0; i < old.n_slices; i++, j++) { /* tensors keep their order */
        const hki_slice *p = &old.slices[i];
        while (fresh.slices[j].tensor != p->tensor)
            j++;
        for (int m = 0; m < hki_rule_moments(&old.rule); m++)
            memcpy(fresh.moments[m] + fresh.slices[j].moment, old.moments[m] + p->moment,
                   (size_t)p->n * sizeof(float));
    }
    clear(&old);
    *optimizer = fresh;
    return HK_OK;
}

void hki_optimizer_reset(hk_optimizer *optimizer, const hk_tensor *learned, int64_t first,
                         int64_t stride, int64_t n)
{
    int64_t i = 0, n_slices = optimizer ? optimizer->n_slices : 0;
    while (i < n_slices && optimizer->slices[i].tensor != learned)
        i++;
    if (i == n_slices)
        return;
    for (int m = 0; m < hki_rule_moments(&optimizer->rule); m++)
        for (int64_t k = 0; k < n; k++)
            optimizer->moments[m][optimizer->slices[i].moment + first + k * stride] = 0;
}

/* ---- A step ---------------------------------------------------------------------------------------- */

double hki_gradient_norm(const hk_tensor *t)
{
    return sqrt(hki_kernels_active()->sum_squares(hki_count(&t->shape, 1), t->gradient));
}

/* What gradients are multiplied with so that their norm is at most `clip`. */
static float clip_factor(const hk_optimizer *optimizer, double clip)
{
    const hki_kernels *kernels = hki_kernels_active();
    double square = 0;
    if (!(clip > 0))
        return 1;
#pragma omp parallel for num_threads(hki_threads_for((optimizer->n_slices * SLICE)))               \
    schedule(static)
    for (int64_t i = 0; i < optimizer->n_slices; i++) {
        const hki_slice *p = &optimizer->slices[i];
        optimizer->squares[i] =
            p->tensor->frozen ? 0 : kernels->sum_squares(p->n, p->tensor->gradient + p->first);
    }
    for (int64_t i = 0; i < optimizer->n_slices; i++)
        square += optimizer->squares[i];
    double factor = clip / (sqrt(square) + 1e-6);
    return factor < 1 ? (float)factor : 1;
}

/* One slice; where changes are measured, also how far it moved. [parallel] */
static void update(const hk_optimizer *optimizer, int64_t slice, const hki_update *numbers)
{
    const hki_slice *p = &optimizer->slices[slice];
    float *w = p->tensor->value + p->first, change[SLICE];
    float *m = optimizer->moments[0] ? optimizer->moments[0] + p->moment : NULL;
    float *v = optimizer->moments[1] ? optimizer->moments[1] + p->moment : NULL;
    if (optimizer->measures)
        memcpy(change, w, (size_t)p->n * sizeof *change);
    hki_rule_update(&optimizer->rule, numbers, p->n, w, p->tensor->gradient + p->first, m, v);
    if (!optimizer->measures)
        return;
    for (int64_t i = 0; i < p->n; i++)
        change[i] = w[i] - change[i];
    optimizer->moved[slice] = hki_kernels_active()->sum_squares(p->n, change);
}

double hki_update_ratio(const hk_optimizer *optimizer, const hk_tensor *t)
{
    double moved = 0, length = hki_kernels_active()->sum_squares(hki_count(&t->shape, 1), t->value);
    for (int64_t i = 0; i < optimizer->n_slices; i++)
        moved += optimizer->slices[i].tensor == t ? optimizer->moved[i] : 0;
    return length > 0 ? sqrt(moved / length) : 0;
}

void hk_optimizer_step(hk_optimizer *optimizer, hk_plan *plan, double rate, double clip)
{
    if (hki_null(optimizer, plan))
        return;
    const hki_rule *rule = &optimizer->rule;
    float factor = clip_factor(optimizer, clip > 0 ? clip : rule->clip);
    optimizer->step++;
    const hki_update decayed = hki_rule_prepare(rule, optimizer->step, rate, true, factor);
    const hki_update plain = hki_rule_prepare(rule, optimizer->step, rate, false, factor);
#pragma omp parallel for num_threads(hki_threads_for((optimizer->n_slices * SLICE)))               \
    schedule(static)
    for (int64_t i = 0; i < optimizer->n_slices; i++) {
        const hk_tensor *t = optimizer->slices[i].tensor;
        if (!t->frozen)
            update(optimizer, i, t->no_decay ? &plain : &decayed);
    }
    for (int i = 0; i < optimizer->n_tensors; i++)
        if (optimizer->net->tensors[i]->role == HKI_LEARNED && !optimizer->net->tensors[i]->frozen)
            hki_clamp(optimizer->net->tensors[i]);
    hk_net_clear_gradients(optimizer->net);
    hk_plan_commit(plan);
}
