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

/* ---- Calls ------------------------------------------------------------------------------------------ */

/* Of all samples of this process. */
static hki_call call_of(const hk_plan *plan, const hki_step *step)
{
    hki_call call = step->call;
    for (int i = 0; i < call.tensor->n_inputs; i++)
        if (step->learned[i])
            call.dx[i] = step->learned[i]->gradient;
    call.batch = hki_parts_samples(&plan->parts, plan->last_n);
    call.packed = call.batch == plan->batch && !plan->net->exposed ? step->packed : NULL;
    /* by place among the computed tensors, so that a learned slot more or less changes no mask */
    call.key = hki_key(plan->net->seed, HKI_STREAM_STEP, (uint64_t)step->place, plan->step);
    return call;
}

static void *behind(void *first, size_t bytes)
{
    return first ? (char *)first + bytes : NULL;
}

/* Of the samples of part p of this process, counted from 0; NULL stays NULL. */
static hki_call part_of(const hk_plan *plan, const hki_step *step, int p, bool back)
{
    const hki_parts *parts = &plan->parts;
    const hk_tensor *y = step->call.tensor;
    hki_call call = call_of(plan, step);
    if (back)
        call.scratch = step->back_scratch;
    if (step->once || parts->of == 1)
        return call;
    const int part = parts->first + p;
    const int64_t begin = hki_part_begin(parts, plan->last_n, part);
    const int64_t before = begin - hki_part_begin(parts, plan->last_n, parts->first);
    const size_t bytes = (size_t)before * sizeof(float);
    call.part = part;
    call.batch = hki_part_begin(parts, plan->last_n, part + 1) - begin;
    call.key = hki_key(call.key, HKI_STREAM_STEP, (uint64_t)part, 0);
    if (hki_is_batched(&y->shape)) {
        call.y = behind(call.y, bytes * (size_t)hki_sample_count(&y->shape));
        call.dy = behind((float *)call.dy, bytes * (size_t)hki_sample_count(&y->shape));
    }
    for (int i = 0; i < y->n_inputs; i++) {
        const size_t sample = (size_t)hki_sample_count(&y->inputs[i]->shape);
        if (!hki_is_batched(&y->inputs[i]->shape))
            continue;
        call.x[i] = behind((float *)call.x[i], bytes * sample);
        call.dx[i] = behind(call.dx[i], bytes * sample);
    }
    call.saved = behind(call.saved, (size_t)p * step->saved_bytes);
    call.scratch =
        behind(call.scratch, (size_t)p * (back ? step->back_bytes : step->scratch_bytes));
    call.statistics = behind(call.statistics, (size_t)p * step->statistics_bytes);
    return call;
}

static int parts_of(const hk_plan *plan, const hki_step *step)
{
    return step->once ? 1 : plan->parts.count;
}

/* One step, forward or backward. */
typedef struct pass {
    const hk_plan *plan;
    const hki_step *step;
    bool back;
    double *gathered; /* [parts][n_gathered] */
    size_t n_gathered;
    const double *whole; /* what was gathered, of all; NULL: nothing is */
    /* Of input 0: forward where that is made as it is read, backward where that begins here; else without a
     * tensor. */
    hki_call source;
    float *aside; /* [parts][aside_floats]: gradients that go aside, input i's from at[i] on */
    int64_t aside_floats, at[HKI_MAX_INPUTS];
} pass;

/* Where there are as many parts as threads, each part is one thread's: less to share out than the loops of a
 * part, which then begin no threads of their own. Else the loops of each part are shared out. */
static void each_part(const pass *it, int parts, void (*work)(const void *it, int64_t p))
{
    const int threads = hki_threads();
    hki_each(parts < threads ? 1 : threads, parts, work, it);
}

/* Something to compute: samples, or what all of them have in common. */
static bool has_work(const hki_call *call)
{
    return call->batch > 0 || !hki_is_batched(&call->tensor->shape);
}

static hki_call call_of_part(const pass *it, int p)
{
    hki_call call = part_of(it->plan, it->step, p, it->back);
    call.source = !it->back && it->source.tensor ? &it->source : NULL;
    call.begins = it->back && it->source.tensor ? &it->source : NULL;
    call.begun = it->step->begun;
    return call;
}

static void gather_part(const void *given, int64_t p)
{
    const pass *it = given;
    const hki_call call = call_of_part(it, (int)p);
    if (call.batch)
        call.tensor->op->gather(&call, it->back, it->gathered + (size_t)p * it->n_gathered);
}

/* What the step has to know of all samples, in plan->numbers, where it->whole points then. */
static hk_status gather(pass *it)
{
    const hki_parts *parts = &it->plan->parts;
    const hk_tensor *y = it->step->call.tensor;
    it->n_gathered = y->op->gathers ? y->op->gathers(&it->step->call, it->back) : 0;
    if (!it->n_gathered)
        return HK_OK;
    it->whole = it->gathered = it->plan->numbers;
    memset(it->gathered, 0, (size_t)parts->count * it->n_gathered * sizeof *it->gathered);
    each_part(it, parts->count, gather_part);
    return hki_parts_join(parts, it->back ? NULL : y->op->join, y, it->gathered, it->n_gathered);
}

/* ---- Forward ---------------------------------------------------------------------------------------- */

/* The statistics of all samples, to where those of the first part are: what commit reads. */
static hk_status join_statistics(const hk_plan *plan, const hki_step *step, const double *whole)
{
    const size_t n = step->statistics_bytes / sizeof *plan->numbers;
    double *first = step->call.statistics;
    if (!first || !plan->training || plan->parts.of == 1)
        return HK_OK;
    hk_status status = HK_OK;
    if (!whole) {
        memcpy(plan->numbers, first, (size_t)plan->parts.count * step->statistics_bytes);
        status = hki_parts_join(&plan->parts, step->call.tensor->op->join, step->call.tensor,
                                plan->numbers, n);
    }
    memcpy(first, plan->numbers, step->statistics_bytes);
    return status;
}

static void part_forward(const void *given, int64_t p)
{
    const pass *it = given;
    hki_call call = call_of_part(it, (int)p);
    call.whole = it->whole;
    if (has_work(&call))
        call.tensor->op->forward(&call);
    else if (call.statistics)
        memset(call.statistics, 0, it->step->statistics_bytes);
}

static hk_status step_forward(hk_plan *plan, const hki_step *step)
{
    const double started = plan->watch ? hk_now() : 0;
    pass it = {.plan = plan, .step = step};
    if (step->source) /* then there is one part */
        it.source = call_of(plan, step->source);
    hk_status status = gather(&it);
    if (!status && !step->call.tensor->op->is_view)
        each_part(&it, parts_of(plan, step), part_forward);
    if (!status)
        status = join_statistics(plan, step, it.whole);
    if (plan->watch) {
        hki_call call = call_of(plan, step);
        call.source = it.source.tensor ? &it.source : NULL;
        plan->watch(plan->watcher, &call, false, hk_now() - started);
    }
    return status;
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
    hk_status status = HK_OK;
    for (int s = 0; !status && s < plan->n_steps; s++)
        if (!plan->steps[s].streamed)
            status = step_forward(plan, &plan->steps[s]);
    plan->has_forward = !status;
    return status;
}

/* ---- Backward --------------------------------------------------------------------------------------- */

/* Gradients of leaves that already hold something are written aside and added. */
static bool adds_to_leaf(const hk_plan *plan, const hki_step *step, int i)
{
    return step->learned[i] && (!step->is_first[i] || plan->net->has_gradients);
}

/* Gradients of what has no samples, which are sums over them, have one summand a part. */
static bool in_parts(const hk_plan *plan, const hki_step *step)
{
    return plan->parts.of > 1 && !step->once;
}

/* The gradient of input i is written aside first. */
static bool goes_aside(const hk_plan *plan, const hki_step *step, int i)
{
    const hk_tensor *x = step->call.tensor->inputs[i];
    if (in_parts(plan, step))
        return !hki_is_batched(&x->shape) && (step->learned[i] || step->call.dx[i]);
    return adds_to_leaf(plan, step, i);
}

/* Floats of all gradients of a step that go aside, and where each begins. */
static int64_t aside_floats(const hk_plan *plan, const hki_step *step, int64_t *at)
{
    int64_t count = 0;
    for (int i = 0; i < step->call.tensor->n_inputs; i++) {
        at[i] = count;
        if (goes_aside(plan, step, i))
            count += hki_count(&step->call.tensor->inputs[i]->shape, 1);
    }
    return count;
}

static hk_status make_leaf_scratch(hk_plan *plan)
{
    int64_t count = 0, at[HKI_MAX_INPUTS];
    for (int s = 0; s < plan->n_steps; s++) {
        const hki_step *step = &plan->steps[s];
        int64_t of_step = aside_floats(plan, step, at) * parts_of(plan, step);
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

static void add(int64_t n, const float *term, float *sum)
{
#pragma omp parallel for simd num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t k = 0; k < n; k++)
        sum[k] += term[k];
}

static void part_backward(const void *given, int64_t p)
{
    const pass *it = given;
    const hk_plan *plan = it->plan;
    const hki_step *step = it->step;
    float *aside = it->aside_floats ? it->aside + p * it->aside_floats : NULL;
    hki_call call = call_of_part(it, (int)p);
    call.whole = it->whole;
    for (int i = 0; i < call.tensor->n_inputs; i++)
        if (goes_aside(plan, step, i))
            call.dx[i] = aside + it->at[i];
    if (!has_work(&call)) {
        if (aside)
            memset(aside, 0, (size_t)it->aside_floats * sizeof *aside);
    } else if (!call.tensor->op->is_view)
        call.tensor->op->backward(&call);
    else if (call.dx[0] && call.dx[0] != call.dy)
        memcpy(call.dx[0], call.dy,
               (size_t)hki_count(&call.tensor->shape, call.batch) * sizeof(float));
}

/* All parts; the gradients that go aside are added up along the tree, into the first part's. */
static void all_backward(const pass *it)
{
    const int parts = parts_of(it->plan, it->step);
    const int64_t n = it->aside_floats;
    each_part(it, parts, part_backward);
    for (int apart = 1; n && apart < parts; apart *= 2)
        for (int p = 0; p + apart < parts; p += 2 * apart)
            add(n, it->aside + (p + apart) * n, it->aside + p * n);
}

/* From aside to where it belongs: the sum over processes, too. Gradients of leaves travel while the
 * backward pass goes on. */
static hk_status bring(hk_plan *plan, const hki_step *step, int i, float *aside)
{
    hk_tensor *leaf = step->learned[i];
    const int64_t n = hki_count(&step->call.tensor->inputs[i]->shape, 1);
    float *place = leaf ? leaf->gradient : step->call.dx[i];
    if (leaf && !adds_to_leaf(plan, step, i)) {
        memcpy(place, aside, (size_t)n * sizeof *place);
        hki_parts_sum(&plan->parts, place, n);
        return HK_OK;
    }
    if (in_parts(plan, step))
        hki_parts_sum(&plan->parts, aside, n);
    hk_status status = in_parts(plan, step) ? hki_parts_wait(&plan->parts) : HK_OK;
    if (leaf)
        add(n, aside, place);
    else
        memcpy(place, aside, (size_t)n * sizeof *place);
    return status;
}

static hk_status step_backward(hk_plan *plan, const hki_step *step)
{
    const double started = plan->watch ? hk_now() : 0;
    hki_call call = call_of(plan, step);
    pass it = {.plan = plan, .step = step, .back = true, .aside = plan->leaf_scratch};
    it.aside_floats = aside_floats(plan, step, it.at);
    if (step->begins) /* then there is one part */
        it.source = part_of(plan, step->begins, 0, true);
    hk_status status = gather(&it);
    if (status)
        return status;
    all_backward(&it);
    for (int i = 0; i < call.tensor->n_inputs; i++) {
        if (!status && goes_aside(plan, step, i))
            status = bring(plan, step, i, it.aside + it.at[i]);
        if (step->add_to[i])
            add(hki_count(&call.tensor->inputs[i]->shape, call.batch), call.dx[i], step->add_to[i]);
    }
    if (plan->watch) {
        call.begun = step->begun;
        call.begins = step->begins ? &it.source : NULL;
        plan->watch(plan->watcher, &call, true, hk_now() - started);
    }
    return status;
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
    hk_status status = HK_OK;
    for (int s = plan->n_steps - 1; !status && s >= 0; s--)
        if (plan->steps[s].has_backward)
            status = step_backward(plan, &plan->steps[s]);
    const hk_status arrived = hki_parts_wait(&plan->parts);
    plan->net->has_gradients = true;
    return status ? status : arrived;
}

/* ---- Commit ----------------------------------------------------------------------------------------- */

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
