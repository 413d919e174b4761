/* Planning: from a recorded graph to steps with fixed buffers: what is needed, in which order,
 * and, once place.c has given every buffer its place, all pointers. */
#include "graph/place.h"

#include <string.h>

#include "graph/fuse.h"

/* ---- What is needed ----------------------------------------------------------------------------- */

static void mark_kept(hki_planner *p, const hk_tensor *tensor)
{
    if (tensor)
        p->needed[tensor->id] = p->kept[tensor->id] = true;
}

/* Ids only grow from inputs to results, so one pass down the list marks all ancestors, and one
 * pass up finds what depends on something learned. */
static void mark_needed(hki_planner *p)
{
    mark_kept(p, p->options->loss);
    mark_kept(p, p->options->output);
    for (int i = 0; i < p->options->n_keep; i++)
        mark_kept(p, p->options->keep[i]);
    for (int id = p->net->n_tensors - 1; id >= 0; id--)
        for (int i = 0; p->needed[id] && i < p->net->tensors[id]->n_inputs; i++)
            p->needed[p->net->tensors[id]->inputs[i]->id] = true;

    for (int id = 0; id < p->net->n_tensors; id++) {
        hk_tensor *t = p->net->tensors[id];
        if (!p->needed[id])
            continue;
        p->wants[id] = p->options->loss && ((t->role == HKI_LEARNED && !t->frozen) ||
                                            (t->role == HKI_INPUT && p->kept[id]));
        p->uses[id] += p->kept[id] || p->options->probe;
        for (int i = 0; i < t->n_inputs; i++) {
            p->wants[id] = p->wants[id] || p->wants[t->inputs[i]->id];
            p->uses[t->inputs[i]->id]++;
        }
    }
}

/* A fused tensor's last part stands for all of them: the others are needed no more. */
static hk_status fuse(hki_planner *p)
{
    for (int id = p->net->n_tensors - 1; id >= 0; id--) {
        hk_tensor *t = p->net->tensors[id];
        if (!p->needed[id] || t->role != HKI_COMPUTED)
            continue;
        if (hki_fuser.fuse(t, p->uses, p->wants[id], !p->kept[id], &p->fused[id]))
            return HK_NO_MEMORY;
        const hk_tensor *parts[HKI_MAX_FUSED];
        int n = p->fused[id] ? hki_fuser.parts(p->fused[id], parts) : 0;
        for (int i = 0; i < n - 1; i++)
            p->needed[parts[i]->id] = false;
    }
    return HK_OK;
}

/* Whether y or what it is computed from has samples. */
static bool concerns_samples(const hk_tensor *y)
{
    bool any = hki_is_batched(&y->shape);
    for (int i = 0; i < y->n_inputs; i++)
        any = any || hki_is_batched(&y->inputs[i]->shape);
    return any;
}

/* Counts and bytes are plain products from here on: here is where they are known to fit. */
static hk_status put_in_order(hki_planner *p)
{
    const bool cuts = p->options->parts > 1;
    for (int id = 0; id < p->net->n_tensors; id++) {
        hk_tensor *t = p->net->tensors[id];
        size_t sample = (size_t)hki_sample_count(&t->shape) * sizeof(float), bytes;
        if (!p->needed[id])
            continue;
        if (hki_is_batched(&t->shape) &&
            (!hki_mul(sample, (size_t)p->batch, &bytes) || bytes > HKI_MAX_BYTES))
            return hki_fail(HK_NO_MEMORY, "a plan for %lld samples of %s needs too much memory",
                            (long long)p->batch, hki_shape_text(&t->shape));
        if (t->role == HKI_COMPUTED && cuts && !hki_is_batched(&t->shape) && concerns_samples(t) &&
            !t->op->gathers)
            return hki_fail(
                HK_BAD_ARGUMENT,
                "the net has a %s over the whole batch, which cannot be computed in parts",
                t->op->name);
        if (t->role == HKI_COMPUTED) {
            p->step_of[id] = p->n_steps;
            p->order[p->n_steps++] = p->fused[id] ? p->fused[id] : t;
        }
    }
    p->end = 2 * p->n_steps;
    return HK_OK;
}

/* ---- Binding: from storages to pointers --------------------------------------------------------------- */

static void *address(const hki_planner *p, const hk_plan *plan, int index)
{
    return index == HKI_NOWHERE ? NULL : plan->arena + p->storages[index].offset;
}

static float *value_address(const hki_planner *p, const hk_plan *plan, const hk_tensor *t)
{
    while (t->role == HKI_COMPUTED && p->value_of[t->id] == HKI_NOWHERE && t->op->is_view)
        t = t->inputs[0]; /* a view of a constant or parameter */
    return t->value ? t->value : address(p, plan, p->value_of[t->id]);
}

static void bind_gradients(const hki_planner *p, hk_plan *plan, int s)
{
    hki_step *step = &plan->steps[s];
    hk_tensor *y = p->order[s];
    step->call.dy = address(p, plan, p->gradient_of[y->id]);
    for (int i = 0; i < y->n_inputs; i++) {
        hk_tensor *x = y->inputs[i];
        if (!plan->reached[x->id])
            continue;
        step->is_first[i] = !p->written[x->id];
        p->written[x->id] = true;
        if (x->role == HKI_LEARNED) {
            step->learned[i] = x;
            continue;
        }
        float *gradient = address(p, plan, p->gradient_of[x->id]);
        if (step->is_first[i] || hki_adds_to(y, i)) {
            step->call.dx[i] = gradient;
            step->call.adds |= step->is_first[i] ? 0 : HKI_INPUT_BIT(i);
        } else {
            step->call.dx[i] = address(p, plan, p->contribution_of[s * HKI_MAX_INPUTS + i]);
            step->add_to[i] = gradient;
        }
    }
}

/* What lasts longer than a run: statistics, and where nothing is trained what is packed. */
static void place_lasting(const hki_planner *p, hk_plan *plan, int s, size_t *used)
{
    const hk_tensor *y = p->order[s];
    bool packs = y->op->packed_bytes && hki_only_runs_forward(p);
    size_t statistics = y->op->statistics_bytes ? hki_whole_lines(y->op->statistics_bytes(y)) : 0;
    size_t packed = packs ? y->op->packed_bytes(y, p->batch) : 0;
    void *at = hki_take(plan->arena, used, (size_t)p->parts * statistics);
    void *packed_at = hki_take(plan->arena, used, packed);
    if (plan->steps) {
        plan->steps[s].call.statistics = statistics ? at : NULL;
        plan->steps[s].statistics_bytes = statistics;
        plan->steps[s].packed = packed ? packed_at : NULL;
    }
}

static void bind_step(const hki_planner *p, hk_plan *plan, int s)
{
    hki_step *step = &plan->steps[s];
    hk_tensor *y = p->order[s];
    const hki_work_bytes work = hki_work_of(p, y);
    step->saved_bytes = work.saved;
    step->scratch_bytes = work.scratch;
    step->back_bytes = work.back;
    step->streamed = p->streams_to[s] != HKI_NOWHERE;
    if (step->streamed)
        plan->steps[p->streams_to[s]].source = step;
    step->begun = p->begun_by[s] != HKI_NOWHERE;
    if (step->begun)
        plan->steps[p->begun_by[s]].begins = step;
    step->once = !concerns_samples(y);
    step->has_backward = plan->reached[y->id];
    step->call.tensor = y;
    step->call.training = plan->training;
    step->call.surrogate = true;
    step->call.own_statistics = plan->own_statistics;
    step->call.y = value_address(p, plan, y);
    step->call.saved = address(p, plan, p->saved_of[s]);
    step->call.scratch = address(p, plan, p->scratch_of[s]);
    step->back_scratch = address(p, plan, p->back_scratch_of[s]);
    for (int i = 0; i < y->n_inputs; i++)
        step->call.x[i] = value_address(p, plan, y->inputs[i]);
}

static void bind_steps(const hki_planner *p, hk_plan *plan, size_t lasting)
{
    for (int s = 0, id = 0, place = 0; s < p->n_steps; s++) {
        for (; id < p->order[s]->id; id++)
            place += p->net->tensors[id]->role == HKI_COMPUTED;
        plan->steps[s].place = place;
        bind_step(p, plan, s);
        place_lasting(p, plan, s, &lasting);
    }
    memset(p->written, 0, (size_t)p->net->n_tensors * sizeof *p->written);
    for (int s = p->n_steps - 1; s >= 0; s--)
        if (plan->reached[p->order[s]->id])
            bind_gradients(p, plan, s);
    for (int id = 0; id < p->net->n_tensors; id++) {
        const hk_tensor *t = p->net->tensors[id];
        if (!t->value && !(p->needed[id] && (t->role == HKI_INPUT || p->kept[id])))
            continue;
        plan->values[id] = value_address(p, plan, t);
        plan->gradients[id] =
            t->role == HKI_LEARNED ? t->gradient : address(p, plan, p->gradient_of[id]);
    }
    if (plan->loss)
        plan->loss_gradient = address(p, plan, p->gradient_of[plan->loss->id]);
}

/* Room for what the parts gather, and for one row more. */
static hk_status place_numbers(hk_plan *plan)
{
    size_t most = 0;
    for (int s = 0; s < plan->n_steps; s++) {
        const hki_step *step = &plan->steps[s];
        const hki_op *op = step->call.tensor->op;
        const size_t needs[] = {op->gathers ? op->gathers(&step->call, false) : 0,
                                op->gathers ? op->gathers(&step->call, true) : 0,
                                step->statistics_bytes / sizeof *plan->numbers};
        for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
            most = needs[i] > most ? needs[i] : most;
    }
    plan->numbers = hki_alloc_array((size_t)(plan->parts.count + 1) * most, sizeof *plan->numbers);
    return plan->numbers ? HK_OK : HK_NO_MEMORY;
}

/* ---- The plan ------------------------------------------------------------------------------------------ */

/* The planner's arrays in one block; returns its bytes, and counts alone at a base of NULL. */
static size_t place_arrays(hki_planner *p, char *base)
{
    size_t used = 0, n = (size_t)p->net->n_tensors;
    p->order = hki_take(base, &used, n * sizeof *p->order);
    p->uses = hki_take(base, &used, n * sizeof *p->uses);
    p->needed = hki_take(base, &used, n * sizeof *p->needed);
    p->wants = hki_take(base, &used, n * sizeof *p->wants);
    p->kept = hki_take(base, &used, n * sizeof *p->kept);
    p->written = hki_take(base, &used, n * sizeof *p->written);
    p->step_of = hki_take(base, &used, n * sizeof *p->step_of);
    p->last_read = hki_take(base, &used, n * sizeof *p->last_read);
    p->value_of = hki_take(base, &used, n * sizeof *p->value_of);
    p->gradient_of = hki_take(base, &used, n * sizeof *p->gradient_of);
    p->saved_of = hki_take(base, &used, n * sizeof *p->saved_of);
    p->scratch_of = hki_take(base, &used, n * sizeof *p->scratch_of);
    p->back_scratch_of = hki_take(base, &used, n * sizeof *p->back_scratch_of);
    p->streams_to = hki_take(base, &used, n * sizeof *p->streams_to);
    p->begun_by = hki_take(base, &used, n * sizeof *p->begun_by);
    p->contribution_of = hki_take(base, &used, n * HKI_MAX_INPUTS * sizeof *p->contribution_of);
    return used;
}

static hk_status plan_buffers(hki_planner *p, hk_plan *plan, size_t *lasting)
{
    for (int id = 0; id < p->net->n_tensors; id++)
        p->step_of[id] = p->last_read[id] = HKI_NOWHERE;
    mark_needed(p);
    if (fuse(p))
        return HK_NO_MEMORY;
    hk_status status = put_in_order(p);
    if (status)
        return status;
    /* Only results on a path from something learned to the loss have a backward. */
    if (p->options->loss)
        p->reached[p->options->loss->id] = p->wants[p->options->loss->id];
    for (int s = p->n_steps - 1; s >= 0; s--)
        for (int i = 0; i < p->order[s]->n_inputs; i++) {
            int x = p->order[s]->inputs[i]->id;
            p->reached[x] = p->reached[x] || (p->reached[p->order[s]->id] && p->wants[x]);
        }
    status = hki_place(p, lasting);
    if (status)
        return status;
    size_t bytes = *lasting;
    for (int s = 0; s < p->n_steps; s++)
        place_lasting(p, plan, s, &bytes);
    plan->n_steps = p->n_steps;
    plan->bytes = (int64_t)bytes;
    return HK_OK;
}

static hk_status check_options(const hk_net *net, const hk_plan_options *options)
{
    if (!net)
        return hki_fail(HK_BAD_ARGUMENT, "a plan needs a net");
    const hk_tensor *loss = options->loss;
    if (!loss && !options->output)
        return hki_fail(HK_BAD_ARGUMENT, "a plan needs an output or a loss");
    if ((loss && loss->net != net) || (options->output && options->output->net != net))
        return hki_fail(HK_BAD_ARGUMENT, "a plan's output and loss must belong to its net");
    if (options->n_keep < 0 || (options->n_keep && !options->keep))
        return hki_fail(HK_BAD_ARGUMENT, "a plan keeps %d tensors%s", options->n_keep,
                        options->keep ? "" : ", but keep is NULL");
    for (int i = 0; i < options->n_keep; i++)
        if (options->keep[i] && options->keep[i]->net != net)
            return hki_fail(HK_BAD_ARGUMENT, "a plan keeps tensors of its own net alone");
    if (loss && (hki_is_batched(&loss->shape) || hki_sample_count(&loss->shape) != 1))
        return hki_fail(HK_BAD_SHAPE, "a loss is a single number, this tensor has shape %s",
                        hki_shape_text(&loss->shape));
    if (options->batch < 0 || options->batch > HKI_MAX_DIM)
        return hki_fail(HK_BAD_ARGUMENT, "batch %lld is not between 1 and %lld",
                        (long long)options->batch, (long long)HKI_MAX_DIM);
    return HK_OK;
}

/* Without `allocates` the plan only knows its size. */
static hk_status make(hk_net *net, const hk_plan_options *options, bool allocates, hk_plan **out)
{
    size_t n = (size_t)net->n_tensors, lasting = 0;
    hk_plan *plan = hki_alloc(sizeof *plan);
    if (!plan)
        return HK_NO_MEMORY;
    *plan = (hk_plan){.net = net,
                      .n_tensors = net->n_tensors,
                      .batch = options->batch ? options->batch : 1,
                      .training = options->training,
                      .own_statistics = options->own_statistics,
                      .packed_version = UINT64_MAX, /* none */
                      .loss = options->loss};
    hk_status status = hki_parts_open(options, &plan->parts);
    if (status) {
        hk_plan_free(plan);
        return status;
    }
    hki_planner p = {.net = net,
                     .options = options,
                     .batch = hki_parts_most(&plan->parts, plan->batch, plan->parts.count),
                     .part_batch = hki_parts_most(&plan->parts, plan->batch, 1),
                     .parts = plan->parts.count};
    status = HK_NO_MEMORY;
    void *arrays = hki_alloc(place_arrays(&p, NULL));
    if (arrays && (plan->values = hki_alloc_array(n, sizeof *plan->values)) &&
        (plan->gradients = hki_alloc_array(n, sizeof *plan->gradients)) &&
        (p.reached = plan->reached = hki_alloc_array(n, sizeof *plan->reached)) &&
        (p.fused = plan->fused = hki_alloc_array(n, sizeof *plan->fused))) {
        place_arrays(&p, arrays);
        status = plan_buffers(&p, plan, &lasting);
    }
    if (!status && allocates) {
        plan->arena = hki_alloc((size_t)plan->bytes);
        plan->steps = hki_alloc_array((size_t)p.n_steps, sizeof *plan->steps);
        status = HK_NO_MEMORY;
        if (plan->arena && plan->steps) {
            bind_steps(&p, plan, lasting);
            status = place_numbers(plan);
        }
    }
    hki_free(p.storages);
    hki_free(arrays);
    if (status)
        hk_plan_free(plan);
    else
        *out = plan;
    return status;
}

hk_status hk_plan_new(hk_net *net, const hk_plan_options *options, hk_plan **out)
{
    if (out)
        *out = NULL;
    if (hki_null(net, options, out))
        return HK_BAD_ARGUMENT;
    hk_status status = check_options(net, options);
    if (!status && net->initialise)
        status = net->initialise(net);
    return status ? status : make(net, options, true, out);
}

hk_status hk_plan_size(hk_net *net, const hk_plan_options *options, int64_t *bytes)
{
    hk_plan *plan = NULL;
    if (bytes)
        *bytes = 0;
    if (hki_null(net, options, bytes))
        return HK_BAD_ARGUMENT;
    hk_status status = check_options(net, options);
    if (!status)
        status = make(net, options, false, &plan);
    *bytes = plan ? plan->bytes : 0;
    hk_plan_free(plan);
    return status;
}

void hk_plan_free(hk_plan *plan)
{
    if (!plan)
        return;
    hki_free(plan->steps);
    hki_free(plan->values);
    hki_free(plan->gradients);
    hki_free(plan->reached);
    for (int id = 0; plan->fused && id < plan->n_tensors; id++)
        hki_free(plan->fused[id]);
    hki_free(plan->fused);
    hki_free(plan->arena);
    hki_free(plan->leaf_scratch);
    hki_free(plan->numbers);
    hki_parts_close(&plan->parts);
    hki_free(plan);
}

int64_t hk_plan_bytes(const hk_plan *plan)
{
    return hki_null(plan) ? 0 : plan->bytes;
}

static bool knows(const hk_plan *plan, const hk_tensor *tensor)
{
    return tensor->net == plan->net && tensor->id < plan->n_tensors;
}

float *hk_plan_value(hk_plan *plan, const hk_tensor *tensor)
{
    if (hki_null(plan, tensor))
        return NULL;
    if (knows(plan, tensor) && tensor->value)
        plan->net->exposed = true;
    return knows(plan, tensor) ? plan->values[tensor->id] : NULL;
}

const float *hk_plan_gradient(hk_plan *plan, const hk_tensor *tensor)
{
    if (hki_null(plan, tensor))
        return NULL;
    return knows(plan, tensor) ? plan->gradients[tensor->id] : NULL;
}
