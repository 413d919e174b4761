/* Inference: evaluation plans are kept in a small pool, one for each caller at a time. */
#include "nn/nn.h"

#include <string.h>

enum { PREDICT_BATCH = 64 };

static hki_pooled *take_pooled(hki_choices *choices, const hk_tensor *logits)
{
    hki_pooled *found = NULL;
    pthread_mutex_lock(&choices->lock);
    for (int i = 0; i < HKI_POOLED_PLANS && !found; i++) {
        hki_pooled *p = &choices->pool[i];
        if (!p->busy && (!p->plan || p->logits == logits))
            found = p;
    }
    if (found)
        found->busy = true;
    pthread_mutex_unlock(&choices->lock);
    return found;
}

static void give_back(hki_choices *choices, hki_pooled *pooled)
{
    pthread_mutex_lock(&choices->lock);
    pooled->busy = false;
    pthread_mutex_unlock(&choices->lock);
}

static hk_status run(hk_plan *plan, const hk_tensor *input, const hk_tensor *logits, int64_t n,
                     const float *x, float *y)
{
    int64_t in = hki_sample_count(&input->shape), out = hki_sample_count(&logits->shape);
    for (int64_t done = 0; done < n; done += PREDICT_BATCH) {
        int64_t now = n - done < PREDICT_BATCH ? n - done : PREDICT_BATCH;
        memcpy(hk_plan_value(plan, input), x + done * in, (size_t)(now * in) * sizeof *x);
        hk_status status = hk_plan_forward(plan, now);
        if (status)
            return status;
        memcpy(y + done * out, hk_plan_value(plan, logits), (size_t)(now * out) * sizeof *y);
    }
    return HK_OK;
}

hk_status hk_net_predict(hk_tensor *logits, int64_t n, const float *x, float *y)
{
    const hk_tensor *input = hk_tensor_input(logits);
    if (!input || n < 1)
        return hki_fail(HK_BAD_ARGUMENT, "predicting needs logits that depend on an input, and at "
                        "least one image");
    hki_choices *choices = logits->net->choices;
    hki_pooled *pooled = take_pooled(choices, logits);
    hki_pooled own = {0}; /* all taken: a plan for this call alone */
    hki_pooled *used = pooled ? pooled : &own;
    hk_status status = HK_OK;
    if (!used->plan) {
        status = hk_plan_new(logits->net, &(hk_plan_options){.batch = PREDICT_BATCH,
                                                             .output = logits}, &used->plan);
        used->logits = logits;
    }
    if (!status)
        status = run(used->plan, input, logits, n, x, y);
    if (pooled)
        give_back(choices, pooled);
    else
        hk_plan_free(own.plan);
    return status;
}
