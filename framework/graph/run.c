/* Running a plan: forward, backward, commit. Nothing here allocates, but for the one scratch
 * buffer that accumulated gradients need the first time. */
#include "graph/plan.h"

#include <math.h>
#include <string.h>

#include <hillock/random.h>

void hki_plan_set_step(hk_plan *plan, uint64_t step)
{
    plan->step = step;
}

void hki_plan_watch(hk_plan *plan, hki_watch *watch, void *watcher)
{
    plan->watch = watch;
    plan->watcher = watcher;
}

static hki_call call_of(const hk_plan *plan, const hki_step *step)
{
    hki_call call = step->call;
    call.batch = plan->last_n;
    call.packed = plan->last_n == plan->batch && !plan->net->exposed ? step->packed : NULL;
    /* by place among the computed tensors, so that a learned slot more or less changes no mask */
    call.key = hki_key(plan->net->seed, HKI_STREAM_STEP, (uint64_t)step->place, plan->step);
    return call;
}

hk_status hk_plan_forward(hk_plan *plan, int64_t n)
{
    if (hki_null(plan))
        return HK_BAD_ARGUMENT;
    if (n < 1 || n > plan->batch)
        return hki_fail(HK_BAD_ARGUMENT, "a plan for %lld samples cannot run %lld",
                        (long long)plan->batch, (long long)n);
    plan->last_n = n;
    for (int s = 0; s < plan->n_steps && plan->packed_version != plan->net->version; s++) {
        hki_call call = plan->steps[s].call;
        call.batch = plan->batch;
        if (plan->steps[s].packed) /* what was made of other values */
            call.tensor->op->pack(&call, plan->steps[s].packed);
    }
    plan->packed_version = plan->net->version;
    for (int s = 0; s < plan->n_steps; s++) {
        hki_call call = call_of(plan, &plan->steps[s]);
        double started = plan->watch ? hk_now() : 0;
        if (!call.tensor->op->is_view)
            call.tensor->op->forward(&call);
        if (plan->watch)
            plan->watch(plan->watcher, &call, false, hk_now() - started);
    }
    plan->has_forward = true;
    return HK_OK;
}

/* Gradients of leaves that already hold something are written aside and added. */
static bool adds_to_leaf(const hk_plan *plan, const hki_step *step, int i)
{
    return step->learned[i] && (!step->is_first[i] || plan->net->has_gradients);
}

static hk_status make_leaf_scratch(hk_plan *plan)
{
    int64_t count = 0;
    for (int s = 0; s < plan->n_steps; s++) {
        int64_t of_step = 0;
        for (int i = 0; i < plan->steps[s].call.tensor->n_inputs; i++)
            if (adds_to_leaf(plan, &plan->steps[s], i))
                of_step += hki_count(&plan->steps[s].learned[i]->shape, 1);
        count = of_step > count ? of_step : count;
    }
    if (count <= plan->leaf_scratch_count)
        return HK_OK;
    float *scratch = hki_alloc_array((size_t)count, sizeof *scratch);
    if (!scratch)
        return HK_NO_MEMORY;
    hki_free(plan->leaf_scratch);
    plan->leaf_scratch = scratch;
    plan->leaf_scratch_count = count;
    return HK_OK;
}

static void step_backward(hk_plan *plan, const hki_step *step)
{
    hki_call call = call_of(plan, step);
    double started = plan->watch ? hk_now() : 0;
    float *aside = plan->leaf_scratch;
    call.scratch = step->back_scratch;
    for (int i = 0; i < call.tensor->n_inputs; i++) {
        if (adds_to_leaf(plan, step, i)) {
            call.dx[i] = aside;
            aside += hki_count(&step->learned[i]->shape, 1);
        } else if (step->learned[i]) {
            call.dx[i] = step->learned[i]->gradient;
        }
    }
    if (!call.tensor->op->is_view)
        call.tensor->op->backward(&call);
    else if (call.dx[0] && call.dx[0] != call.dy)
        memcpy(call.dx[0], call.dy,
               (size_t)hki_count(&call.tensor->shape, call.batch) * sizeof(float));
    for (int i = 0; i < call.tensor->n_inputs; i++) {
        float *sum = adds_to_leaf(plan, step, i) ? step->learned[i]->gradient : step->add_to[i];
        const float *term = call.dx[i];
        if (!sum)
            continue;
        int64_t n = hki_count(&call.tensor->inputs[i]->shape, call.batch);
#pragma omp parallel for simd num_threads(hki_threads_for(n)) schedule(static)
        for (int64_t k = 0; k < n; k++)
            sum[k] += term[k];
    }
    if (plan->watch)
        plan->watch(plan->watcher, &call, true, hk_now() - started);
}

hk_status hk_plan_backward(hk_plan *plan)
{
    if (hki_null(plan))
        return HK_BAD_ARGUMENT;
    if (!plan->loss || !plan->has_forward)
        return hki_fail(HK_BAD_ARGUMENT, plan->loss
                                             ? "backward requires a forward pass first"
                                             : "backward requires a loss: this plan has none");
    if (make_leaf_scratch(plan))
        return HK_NO_MEMORY;
    /* Learned tensors that no gradient reaches have one of zero, unless there is one. */
    for (int id = 0; id < plan->net->n_tensors && !plan->net->has_gradients; id++) {
        hk_tensor *t = plan->net->tensors[id];
        if (t->role == HKI_LEARNED && (id >= plan->n_tensors || !plan->reached[id]))
            memset(t->gradient, 0, (size_t)hki_count(&t->shape, 1) * sizeof(float));
    }
    plan->has_forward = false;
    if (plan->loss_gradient)
        *plan->loss_gradient = 1;
    for (int s = plan->n_steps - 1; s >= 0; s--)
        if (plan->steps[s].has_backward)
            step_backward(plan, &plan->steps[s]);
    plan->net->has_gradients = true;
    return HK_OK;
}

void hk_plan_commit(hk_plan *plan)
{
    if (hki_null(plan))
        return;
    bool learns = plan->training && plan->last_n;
    double sum = 0; /* of the layers' mean activities, to balance a layer against the net */
    int layers = 0;
    for (int s = 0; learns && s < plan->n_steps; s++) {
        hki_call call = call_of(plan, &plan->steps[s]);
        double mean = call.tensor->op->activity ? call.tensor->op->activity(&call) : (double)NAN;
        if (!isnan(mean)) {
            sum += mean;
            layers++;
        }
    }
    for (int s = 0; learns && s < plan->n_steps; s++) {
        hki_call call = call_of(plan, &plan->steps[s]);
        if (call.tensor->op->commit)
            call.tensor->op->commit(&call, layers ? sum / layers : 0);
    }
    hki_values_changed(plan->net);
    plan->step++;
}
