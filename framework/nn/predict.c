/* Inference: evaluation plans are kept in a small pool, one for each caller at a time. Single
 * images have plans of their own; many are taken so many at a time as stay near. */
#include "nn/nn.h"

#include <string.h>

#include "graph/plan.h"

/* NEAR_FLOATS: what a few processors have in their second-level caches. Bits depend on how many samples are
 * taken together, so the machine is not asked. */
enum { LEAST_SAMPLES = 16, MOST_SAMPLES = 64, NEAR_FLOATS = 1 << 20 };

/* Samples of a plan: what a step reads and writes of them stays near, unless the weights, which each run
 * reads, are much beside them. */
static int64_t samples_for(const hk_tensor *logits)
{
    int64_t weights = 0, most = 1, samples = MOST_SAMPLES;
    for (int id = 0; id <= logits->id; id++) {
        const hk_tensor *t = logits->net->tensors[id];
        if (t->role == HKI_LEARNED)
            weights += hki_count(&t->shape, 1);
        const bool computes = t->role == HKI_COMPUTED && !t->op->is_view;
        const int64_t floats =
            computes ? hki_count(&t->shape, 1) + hki_count(&t->inputs[0]->shape, 1) : 0;
        most = floats > most ? floats : most;
    }
    while (4 * weights <= NEAR_FLOATS && samples > LEAST_SAMPLES && samples * most > NEAR_FLOATS)
        samples /= 2;
    return samples;
}

static hki_pooled *take_pooled(hki_choices *choices, const hk_tensor *logits, int64_t batch)
{
    hki_pooled *found = NULL;
    pthread_mutex_lock(&choices->lock);
    for (int i = 0; i < HKI_POOLED_PLANS && !found; i++) {
        hki_pooled *p = &choices->pool[i];
        if (!p->busy && (!p->plan || (p->logits == logits && p->plan->batch == batch)))
            found = p;
    }
    if (found)
        found->busy = true;
    pthread_mutex_unlock(&choices->lock);
    return found;
}

static hk_status run(hk_plan *plan, const hk_tensor *input, const hk_tensor *logits, int64_t n,
                     const float *x, float *y)
{
    int64_t in = hki_sample_count(&input->shape), out = hki_sample_count(&logits->shape);
    for (int64_t done = 0; done < n; done += plan->batch) {
        int64_t now = n - done < plan->batch ? n - done : plan->batch;
        memcpy(hk_plan_value(plan, input), x + done * in, (size_t)(now * in) * sizeof *x);
        hk_status status = hk_plan_forward(plan, now);
        if (status)
            return status;
        memcpy(y + done * out, hk_plan_value(plan, logits), (size_t)(now * out) * sizeof *y);
    }
    return HK_OK;
}

void hki_drop_plans(hk_net *net)
{
    for (int i = 0; i < HKI_POOLED_PLANS; i++) {
        hk_plan_free(net->choices->pool[i].plan);
        net->choices->pool[i] = (hki_pooled){0};
    }
}

hk_status hk_net_predict(hk_tensor *logits, int64_t n, const float *x, float *y)
{
    if (hki_null(logits, x, y))
        return HK_BAD_ARGUMENT;
    const hk_tensor *input = hk_tensor_input(logits);
    if (!input || n < 1)
        return hki_fail(HK_BAD_ARGUMENT, "predicting needs logits that depend on an input, and at "
                                         "least one image");
    hki_choices *choices = logits->net->choices;
    int64_t batch = n == 1 ? 1 : samples_for(logits);
    hki_pooled *pooled = take_pooled(choices, logits, batch);
    hki_pooled own = {0}; /* all taken: a plan for this call alone */
    hki_pooled *used = pooled ? pooled : &own;
    hk_status status = HK_OK;
    if (!used->plan) {
        status = hk_plan_new(logits->net, &(hk_plan_options){.batch = batch, .output = logits},
                             &used->plan);
        used->logits = logits;
    }
    if (!status)
        status = run(used->plan, input, logits, n, x, y);
    if (!pooled)
        hk_plan_free(own.plan);
    pthread_mutex_lock(&choices->lock);
    used->busy = false;
    pthread_mutex_unlock(&choices->lock);
    return status;
}
