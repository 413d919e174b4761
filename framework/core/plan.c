/* Planning: from a recorded graph to steps with fixed buffers.
 *
 * Time runs 0 .. F-1 for the forward steps and F .. 2F-1 for the same steps backward. Every
 * buffer is an interval of time; buffers whose intervals do not overlap share memory. A tensor
 * may share the buffer of its input (views, work in place), so buffers are counted as storages:
 * value_of[id] and gradient_of[id] say which storage a tensor lives in. */
#include "core/plan.h"

#include <stdlib.h>
#include <string.h>

#include "ops/chain.h"

typedef struct storage {
    size_t bytes, offset;
    int first, last; /* times of first write and last read */
} storage;

enum { NONE = -1 };

typedef struct planner {
    hk_net *net;
    const hk_plan_options *options;
    int64_t batch;
    int n_steps, end;            /* end: a time after every step */
    hk_tensor **order;           /* [n_steps] computed tensors in order; chains in place of theirs */
    hk_tensor **chains;          /* by tensor id; NULL: computed as it was recorded */
    int *uses;                   /* by tensor id: how many read it, one more if it is kept */
    bool *needed, *wants, *kept; /* by tensor id; parts of a chain are not needed */
    int *step_of, *last_read;    /* by tensor id */
    int *value_of, *gradient_of; /* storage by tensor id */
    int *keep_of, *scratch_of, *back_scratch_of; /* storage by step */
    int *contribution_of;        /* [n_steps * HKI_MAX_INPUTS] */
    storage *storages;
    int n_storages, capacity;
} planner;

static int backward_time(const planner *p, int step)
{
    return 2 * p->n_steps - 1 - step;
}

static uint32_t reads_of(const hk_tensor *y)
{
    return y->op->reads ? y->op->reads(y) : 0;
}

/* ---- What is needed ----------------------------------------------------------------------------- */

static void mark_kept(planner *p, const hk_tensor *tensor)
{
    if (tensor)
        p->needed[tensor->id] = p->kept[tensor->id] = true;
}

/* Ids only grow from inputs to results, so one walk down the list marks all ancestors, and one
 * walk up finds what depends on something learned. */
static void mark_needed(planner *p)
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

/* A chain's last tensor stands for all of them: the others are needed no more. */
static hk_status find_chains(planner *p)
{
    for (int id = p->net->n_tensors - 1; id >= 0; id--) {
        hk_tensor *t = p->net->tensors[id];
        if (!p->needed[id] || t->role != HKI_COMPUTED)
            continue;
        if (hki_chain_new(t, p->uses, p->wants[id], !p->kept[id], &p->chains[id]))
            return HK_NO_MEMORY;
        const hki_chain *chain = p->chains[id] ? hki_chain_of(p->chains[id]) : NULL;
        const hk_tensor *parts[] = {chain ? chain->conv : NULL, chain ? chain->norm : NULL,
                                    chain ? chain->add : NULL};
        for (int i = 0; i < 3; i++)
            if (parts[i] && parts[i] != t)
                p->needed[parts[i]->id] = false;
    }
    return HK_OK;
}

static void put_in_order(planner *p)
{
    for (int id = 0; id < p->net->n_tensors; id++) {
        hk_tensor *t = p->net->tensors[id];
        if (!p->needed[id] || t->role != HKI_COMPUTED)
            continue;
        p->step_of[id] = p->n_steps;
        p->order[p->n_steps++] = p->chains[id] ? p->chains[id] : t;
    }
    p->end = 2 * p->n_steps;
}

/* Counts and bytes below are plain products: here is where they are known to fit. */
static hk_status check_sizes(const planner *p)
{
    for (int id = 0; id < p->net->n_tensors; id++) {
        const hk_shape *shape = &p->net->tensors[id]->shape;
        size_t bytes;
        if (p->needed[id] && hki_is_batched(shape) &&
            (!hki_mul((size_t)hki_sample_count(shape) * sizeof(float), (size_t)p->batch, &bytes) ||
             bytes > HKI_MAX_BYTES))
            return hki_fail(HK_NO_MEMORY, "a plan for %lld samples of %s needs too much memory",
                            (long long)p->batch, hki_shape_text(shape));
    }
    return HK_OK;
}

/* Only results on a path from something learned to the loss walk back. */
static void mark_reached(const planner *p, bool *reached)
{
    if (!p->options->loss || !p->wants[p->options->loss->id])
        return;
    reached[p->options->loss->id] = true;
    for (int s = p->n_steps - 1; s >= 0; s--) {
        hk_tensor *y = p->order[s];
        for (int i = 0; reached[y->id] && i < y->n_inputs; i++)
            if (p->wants[y->inputs[i]->id])
                reached[y->inputs[i]->id] = true;
    }
}

/* ---- Storages ------------------------------------------------------------------------------------ */

static hk_status new_storage(planner *p, size_t bytes, int first, int last, int *out)
{
    *out = NONE;
    if (!bytes)
        return HK_OK;
    if (p->n_storages == p->capacity) {
        int capacity = p->capacity ? 2 * p->capacity : 256;
        storage *grown = hki_grow(p->storages, (size_t)p->capacity * sizeof *grown,
                                  (size_t)capacity * sizeof *grown);
        if (!grown)
            return HK_NO_MEMORY;
        p->storages = grown;
        p->capacity = capacity;
    }
    *out = p->n_storages;
    p->storages[p->n_storages++] = (storage){(bytes + 63) / 64 * 64, 0, first, last};
    return HK_OK;
}

static void live_until(planner *p, int index, int time)
{
    if (index != NONE && p->storages[index].last < time)
        p->storages[index].last = time;
}

static size_t bytes_of(const planner *p, const hk_tensor *t)
{
    return (size_t)hki_count(&t->shape, p->batch) * sizeof(float);
}

static void find_last_reads(planner *p, const bool *reached)
{
    for (int s = 0; s < p->n_steps; s++) {
        hk_tensor *y = p->order[s];
        uint32_t reads = reached[y->id] ? reads_of(y) : 0;
        for (int i = 0; i < y->n_inputs; i++) {
            int time = reads & 1u << i ? backward_time(p, s) : s;
            if (p->last_read[y->inputs[i]->id] < time)
                p->last_read[y->inputs[i]->id] = time;
        }
        if (reads & HKI_READS_OUTPUT && p->last_read[y->id] < backward_time(p, s))
            p->last_read[y->id] = backward_time(p, s);
        if (p->last_read[y->id] < s)
            p->last_read[y->id] = s;
    }
}

/* y may take over x's storage when nothing reads x after this step. */
static bool may_overwrite(const planner *p, int s)
{
    hk_tensor *y = p->order[s], *x = y->inputs[0];
    return !p->options->probe && y->op->in_place && y->op->in_place(y) &&
           p->value_of[x->id] != NONE && p->storages[p->value_of[x->id]].last <= s &&
           bytes_of(p, x) == bytes_of(p, y);
}

static hk_status place_values(planner *p)
{
    for (int id = 0; id < p->net->n_tensors; id++) {
        hk_tensor *t = p->net->tensors[id];
        int last = p->kept[id] ? p->end : p->last_read[id];
        p->value_of[id] = NONE;
        if (!p->needed[id])
            continue;
        if (t->role == HKI_INPUT) { /* fed once, perhaps run often: never reused */
            if (new_storage(p, bytes_of(p, t), -1, p->end, &p->value_of[id]))
                return HK_NO_MEMORY;
        } else if (t->role == HKI_COMPUTED) {
            int s = p->step_of[id];
            bool view_of_storage = t->op->is_view && p->value_of[t->inputs[0]->id] != NONE;
            if (view_of_storage || may_overwrite(p, s))
                p->value_of[id] = p->value_of[t->inputs[0]->id];
            else if (!t->op->is_view && new_storage(p, bytes_of(p, t), s, s, &p->value_of[id]))
                return HK_NO_MEMORY;
            live_until(p, p->value_of[id], last);
        }
    }
    return HK_OK;
}

/* Views are read under their own name; whoever might overwrite the viewed tensor must know. */
static void pass_reads_to_viewed(planner *p)
{
    for (int s = p->n_steps - 1; s >= 0; s--) {
        hk_tensor *y = p->order[s];
        if (!y->op->is_view)
            continue;
        int last = p->kept[y->id] ? p->end : p->last_read[y->id];
        if (p->last_read[y->inputs[0]->id] < last)
            p->last_read[y->inputs[0]->id] = last;
    }
}

static int gradient_in_place(const hk_tensor *y)
{
    if (y->op->gradient_in_place)
        return y->op->gradient_in_place(y);
    return y->op->is_view || (y->op->in_place && y->op->in_place(y)) ? 0 : -1;
}

static bool adds_to(const hk_tensor *y, int i)
{
    return y->op->adds && y->op->adds(y) & 1u << i;
}

static hk_status place_gradient(planner *p, int s, int i, bool is_first)
{
    hk_tensor *y = p->order[s], *x = y->inputs[i];
    int time = backward_time(p, s), *contribution = &p->contribution_of[s * HKI_MAX_INPUTS + i];
    bool same_buffer = i == gradient_in_place(y) && !p->kept[y->id] &&
                       p->gradient_of[y->id] != NONE && bytes_of(p, x) == bytes_of(p, y);
    if (!is_first && y->op->is_view) {
        *contribution = p->gradient_of[y->id]; /* dy itself is what must be added */
        return HK_OK;
    }
    if (!is_first)
        return adds_to(y, i) ? HK_OK
                             : new_storage(p, bytes_of(p, x), time, time, contribution);
    int last = p->kept[x->id] || p->step_of[x->id] == NONE ? p->end
                                                           : backward_time(p, p->step_of[x->id]);
    if (same_buffer) {
        p->gradient_of[x->id] = p->gradient_of[y->id];
        live_until(p, p->gradient_of[x->id], last);
        return HK_OK;
    }
    return new_storage(p, bytes_of(p, x), time, last, &p->gradient_of[x->id]);
}

static hk_status place_gradients(planner *p, const bool *reached, bool *written)
{
    for (int id = 0; id < p->net->n_tensors; id++)
        p->gradient_of[id] = NONE;
    const hk_tensor *loss = p->options->loss;
    if (!loss || !reached[loss->id])
        return HK_OK;
    if (new_storage(p, sizeof(float), p->n_steps - 1, p->end, &p->gradient_of[loss->id]))
        return HK_NO_MEMORY;
    for (int s = p->n_steps - 1; s >= 0; s--) {
        hk_tensor *y = p->order[s];
        for (int i = 0; reached[y->id] && i < y->n_inputs; i++) {
            hk_tensor *x = y->inputs[i];
            if (!reached[x->id] || x->role == HKI_LEARNED)
                continue;
            if (place_gradient(p, s, i, !written[x->id]))
                return HK_NO_MEMORY;
            written[x->id] = true;
        }
    }
    return HK_OK;
}

static hk_status place_work(planner *p, const bool *reached)
{
    for (int s = 0; s < p->n_steps; s++) {
        hk_tensor *y = p->order[s];
        bool walks_back = reached[y->id];
        int back = backward_time(p, s);
        size_t keep = y->op->keep_bytes ? y->op->keep_bytes(y, p->batch) : 0;
        size_t scratch = y->op->scratch_bytes ? y->op->scratch_bytes(y, p->batch) : 0;
        size_t back_scratch =
            y->op->back_scratch_bytes ? y->op->back_scratch_bytes(y, p->batch) : scratch;
        if (new_storage(p, keep, s, walks_back ? back : s, &p->keep_of[s]) ||
            new_storage(p, scratch, s, s, &p->scratch_of[s]) ||
            new_storage(p, walks_back ? back_scratch : 0, back, back, &p->back_scratch_of[s]))
            return HK_NO_MEMORY;
    }
    return HK_OK;
}

/* ---- Packing: largest first, each at the lowest place free during its time --------------------------- */

static int by_bytes(const void *a, const void *b)
{
    const storage *x = *(storage *const *)a, *y = *(storage *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x > y) - (x < y);
}

static int by_offset(const void *a, const void *b)
{
    const storage *x = *(storage *const *)a, *y = *(storage *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static size_t lowest_free(storage **placed, int n, const storage *wanted, storage **busy)
{
    int n_busy = 0;
    for (int i = 0; i < n; i++)
        if (placed[i]->first <= wanted->last && wanted->first <= placed[i]->last)
            busy[n_busy++] = placed[i];
    qsort(busy, (size_t)n_busy, sizeof(*busy), by_offset);
    size_t offset = 0;
    for (int i = 0; i < n_busy && busy[i]->offset < offset + wanted->bytes; i++)
        if (busy[i]->offset + busy[i]->bytes > offset)
            offset = busy[i]->offset + busy[i]->bytes;
    return offset;
}

static hk_status pack(planner *p, size_t *total)
{
    hk_status status = HK_NO_MEMORY;
    size_t n = (size_t)p->n_storages;
    storage **sorted = hki_alloc_array(n, sizeof *sorted);
    storage **busy = hki_alloc_array(n, sizeof *busy);
    if (!sorted || !busy)
        goto out;
    for (int i = 0; i < p->n_storages; i++)
        sorted[i] = &p->storages[i];
    qsort(sorted, n, sizeof *sorted, by_bytes);
    *total = 0;
    for (int i = 0; i < p->n_storages; i++) {
        sorted[i]->offset = lowest_free(sorted, i, sorted[i], busy);
        size_t end;
        if (!hki_add(sorted[i]->offset, sorted[i]->bytes, &end) || end > HKI_MAX_BYTES) {
            status = hki_fail(HK_NO_MEMORY, "a plan for %lld samples needs too much memory",
                              (long long)p->batch);
            goto out;
        }
        if (end > *total)
            *total = end;
    }
    status = HK_OK;
out:
    hki_free(sorted);
    hki_free(busy);
    return status;
}

/* ---- Wiring: from storages to pointers --------------------------------------------------------------- */

static void *address(const planner *p, const hk_plan *plan, int index)
{
    return index == NONE ? NULL : (char *)plan->arena + p->storages[index].offset;
}

static float *value_address(const planner *p, const hk_plan *plan, const hk_tensor *t)
{
    while (t->role == HKI_COMPUTED && p->value_of[t->id] == NONE && t->op->is_view)
        t = t->inputs[0]; /* a view of a constant or parameter */
    return t->value ? t->value : address(p, plan, p->value_of[t->id]);
}

static void wire_gradients(const planner *p, hk_plan *plan, int s, bool *written)
{
    hki_step *step = &plan->steps[s];
    hk_tensor *y = p->order[s];
    step->call.dy = address(p, plan, p->gradient_of[y->id]);
    for (int i = 0; i < y->n_inputs; i++) {
        hk_tensor *x = y->inputs[i];
        if (!plan->reached[x->id])
            continue;
        step->is_first[i] = !written[x->id];
        written[x->id] = true;
        if (x->role == HKI_LEARNED) {
            step->learned[i] = x;
            continue;
        }
        float *gradient = address(p, plan, p->gradient_of[x->id]);
        if (step->is_first[i] || adds_to(y, i)) {
            step->call.dx[i] = gradient;
            step->call.adds |= step->is_first[i] ? 0 : 1u << i;
        } else {
            step->call.dx[i] = address(p, plan, p->contribution_of[s * HKI_MAX_INPUTS + i]);
            step->add_to[i] = gradient;
        }
    }
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t record_bytes(const hk_tensor *y)
{
    return y->op->record_bytes ? whole_lines(y->op->record_bytes(y)) : 0;
}

static size_t prepared_bytes(const planner *p, const hk_tensor *y)
{
    bool can = y->op->prepared_bytes && !p->options->loss && !p->options->training;
    return can ? whole_lines(y->op->prepared_bytes(y, p->batch)) : 0;
}

static void *take_room(char **next, size_t bytes)
{
    void *at = bytes ? *next : NULL;
    *next += bytes;
    return at;
}

static void wire(const planner *p, hk_plan *plan, bool *written)
{
    char *record = plan->records, *prepared = plan->prepared;
    int id = 0, place = 0;
    for (int s = 0; s < p->n_steps; s++) {
        for (; id < p->order[s]->id; id++)
            place += p->net->tensors[id]->role == HKI_COMPUTED;
        hki_step *step = &plan->steps[s];
        hk_tensor *y = p->order[s];
        step->place = place;
        step->walks_back = plan->reached[y->id];
        step->call.tensor = y;
        step->call.training = plan->training;
        step->call.surrogate = true;
        step->call.y = value_address(p, plan, y);
        step->call.keep = address(p, plan, p->keep_of[s]);
        step->call.scratch = address(p, plan, p->scratch_of[s]);
        step->back_scratch = address(p, plan, p->back_scratch_of[s]);
        for (int i = 0; i < y->n_inputs; i++)
            step->call.x[i] = value_address(p, plan, y->inputs[i]);
        step->call.record = take_room(&record, record_bytes(y));
        step->prepared = take_room(&prepared, prepared_bytes(p, y));
    }
    for (int s = p->n_steps - 1; s >= 0; s--)
        if (plan->reached[p->order[s]->id])
            wire_gradients(p, plan, s, written);
    for (id = 0; id < p->net->n_tensors; id++) {
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

/* ---- The plan ------------------------------------------------------------------------------------------ */

static void planner_clear(planner *p)
{
    void *const blocks[] = {p->order,     p->needed,   p->wants,       p->kept,
                            p->step_of,   p->last_read, p->value_of,   p->gradient_of,
                            p->keep_of,   p->scratch_of, p->back_scratch_of, p->contribution_of,
                            p->storages,  p->uses};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        hki_free(blocks[i]);
}

static hk_status planner_init(planner *p, hk_net *net, const hk_plan_options *options)
{
    size_t n = (size_t)net->n_tensors;
    *p = (planner){.net = net, .options = options, .batch = options->batch ? options->batch : 1};
    bool complete = (p->order = hki_alloc_array(n, sizeof *p->order)) &&
                    (p->uses = hki_alloc_array(n, sizeof *p->uses)) &&
                    (p->needed = hki_alloc_array(n, sizeof *p->needed)) &&
                    (p->wants = hki_alloc_array(n, sizeof *p->wants)) &&
                    (p->kept = hki_alloc_array(n, sizeof *p->kept)) &&
                    (p->step_of = hki_alloc_array(n, sizeof *p->step_of)) &&
                    (p->last_read = hki_alloc_array(n, sizeof *p->last_read)) &&
                    (p->value_of = hki_alloc_array(n, sizeof *p->value_of)) &&
                    (p->gradient_of = hki_alloc_array(n, sizeof *p->gradient_of)) &&
                    (p->keep_of = hki_alloc_array(n, sizeof *p->keep_of)) &&
                    (p->scratch_of = hki_alloc_array(n, sizeof *p->scratch_of)) &&
                    (p->back_scratch_of = hki_alloc_array(n, sizeof *p->back_scratch_of)) &&
                    (p->contribution_of =
                         hki_alloc_array(n * HKI_MAX_INPUTS, sizeof *p->contribution_of));
    for (size_t i = 0; complete && i < n; i++)
        p->step_of[i] = p->last_read[i] = NONE;
    return complete ? HK_OK : HK_NO_MEMORY;
}

static hk_status build(planner *p, hk_plan *plan, bool *written)
{
    size_t n = (size_t)p->net->n_tensors, arena = 0, records = 0, prepared = 0;
    p->chains = plan->chains;
    mark_needed(p);
    if (find_chains(p))
        return HK_NO_MEMORY;
    put_in_order(p);
    hk_status status = check_sizes(p);
    if (status)
        return status;
    mark_reached(p, plan->reached);
    find_last_reads(p, plan->reached);
    pass_reads_to_viewed(p);
    if (place_values(p) || place_gradients(p, plan->reached, written) ||
        place_work(p, plan->reached))
        return HK_NO_MEMORY;
    status = pack(p, &arena);
    if (status)
        return status;
    for (int s = 0; s < p->n_steps; s++) {
        records += record_bytes(p->order[s]);
        prepared += prepared_bytes(p, p->order[s]);
    }
    plan->n_steps = p->n_steps;
    plan->arena_bytes = (int64_t)arena;
    if (!(plan->steps = hki_alloc_array((size_t)p->n_steps, sizeof *plan->steps)) ||
        !(plan->arena = hki_alloc(arena)) || !(plan->records = hki_alloc(records)) ||
        !(plan->prepared = hki_alloc(prepared)))
        return HK_NO_MEMORY;
    memset(written, 0, n * sizeof *written);
    wire(p, plan, written);
    return HK_OK;
}

static hk_status check_options(const hk_net *net, const hk_plan_options *options)
{
    const hk_tensor *loss = options->loss;
    if (!loss && !options->output)
        return hki_fail(HK_BAD_ARGUMENT, "a plan needs an output or a loss");
    if ((loss && loss->net != net) || (options->output && options->output->net != net))
        return hki_fail(HK_BAD_ARGUMENT, "a plan's output and loss must belong to its net");
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

hk_status hk_plan_new(hk_net *net, const hk_plan_options *options, hk_plan **out)
{
    *out = NULL;
    hk_status status = net ? check_options(net, options)
                           : hki_fail(HK_BAD_ARGUMENT, "a plan needs a net");
    if (status)
        return status;
    if (net->initialise && (status = net->initialise(net)))
        return status;

    size_t n = (size_t)net->n_tensors;
    planner p = {0};
    bool *written = NULL;
    hk_plan *plan = hki_alloc(sizeof *plan);
    status = HK_NO_MEMORY;
    if (!plan)
        return status;
    plan->net = net;
    plan->n_tensors = net->n_tensors;
    plan->batch = options->batch ? options->batch : 1;
    plan->training = options->training;
    plan->prepared_version = UINT64_MAX; /* none */
    plan->loss = options->loss;
    if ((plan->values = hki_alloc_array(n, sizeof *plan->values)) &&
        (plan->gradients = hki_alloc_array(n, sizeof *plan->gradients)) &&
        (plan->reached = hki_alloc_array(n, sizeof *plan->reached)) &&
        (plan->chains = hki_alloc_array(n, sizeof *plan->chains)) &&
        (written = hki_alloc_array(n, sizeof *written)) && !planner_init(&p, net, options))
        status = build(&p, plan, written);
    planner_clear(&p);
    hki_free(written);
    if (status)
        hk_plan_free(plan);
    else
        *out = plan;
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
    for (int id = 0; plan->chains && id < plan->n_tensors; id++)
        hki_free(plan->chains[id]);
    hki_free(plan->chains);
    hki_free(plan->arena);
    hki_free(plan->records);
    hki_free(plan->prepared);
    hki_free(plan->leaf_scratch);
    hki_free(plan);
}

int64_t hk_plan_bytes(const hk_plan *plan)
{
    return plan->arena_bytes;
}

static bool knows(const hk_plan *plan, const hk_tensor *tensor)
{
    return tensor && tensor->net == plan->net && tensor->id < plan->n_tensors;
}

float *hk_plan_value(hk_plan *plan, const hk_tensor *tensor)
{
    if (knows(plan, tensor) && tensor->value)
        plan->net->exposed = true;
    return knows(plan, tensor) ? plan->values[tensor->id] : NULL;
}

const float *hk_plan_gradient(hk_plan *plan, const hk_tensor *tensor)
{
    return knows(plan, tensor) ? plan->gradients[tensor->id] : NULL;
}
