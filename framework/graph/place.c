/* Placing and packing of storages: see place.h. */
#include "graph/place.h"

#include <stdlib.h>
#include <string.h>

static int backward_time(const hki_planner *p, int step)
{
    return 2 * p->n_steps - 1 - step;
}

static void extend(int *last, int time)
{
    if (*last < time)
        *last = time;
}

static hk_status new_storage(hki_planner *p, size_t bytes, int first, int last, int *out)
{
    *out = HKI_NOWHERE;
    if (!bytes)
        return HK_OK;
    hki_storage *all = hki_reserve(p->storages, p->n_storages, &p->capacity, sizeof *all);
    if (!all)
        return HK_NO_MEMORY;
    p->storages = all;
    *out = (int)p->n_storages;
    all[p->n_storages++] = (hki_storage){hki_whole_lines(bytes), 0, first, last};
    return HK_OK;
}

static void live_until(hki_planner *p, int index, int time)
{
    if (index != HKI_NOWHERE)
        extend(&p->storages[index].last, time);
}

static size_t bytes_of(const hki_planner *p, const hk_tensor *t)
{
    return (size_t)hki_count(&t->shape, p->batch) * sizeof(float);
}

bool hki_only_runs_forward(const hki_planner *p)
{
    return !p->options->loss && !p->options->training;
}

/* Steps that meet in the cache: results that are made while their only reader reads them, and backward
 * steps that begin while the one before makes what they read. */
static void find_meetings(hki_planner *p)
{
    for (int s = 0; s < p->n_steps; s++) {
        hk_tensor *y = p->order[s], *x = y->n_inputs ? y->inputs[0] : NULL;
        p->streams_to[s] = p->begun_by[s] = HKI_NOWHERE;
        if (!x || x->role != HKI_COMPUTED || p->uses[x->id] != 1 || p->parts != 1)
            continue;
        int source = p->step_of[x->id];
        if (y->op->streams && hki_only_runs_forward(p) &&
            y->op->streams(y, p->order[source], p->batch))
            p->streams_to[source] = s;
        if (y->op->begins && p->reached[x->id] && y->op->begins(y, p->order[source]))
            p->begun_by[source] = s;
    }
}

/* When the result of step s is computed. */
static int time_of(const hki_planner *p, int s)
{
    return p->streams_to[s] == HKI_NOWHERE ? s : p->streams_to[s];
}

static void find_last_reads(hki_planner *p)
{
    for (int s = 0; s < p->n_steps; s++) {
        hk_tensor *y = p->order[s];
        hki_operands reads = p->reached[y->id] && y->op->reads ? y->op->reads(y) : 0;
        int back = backward_time(p, s), now = time_of(p, s);
        for (int i = 0; i < y->n_inputs; i++)
            extend(&p->last_read[y->inputs[i]->id], reads & HKI_INPUT_BIT(i) ? back : now);
        extend(&p->last_read[y->id], reads & HKI_OUTPUT_BIT ? back : s);
    }
    /* Views are read under their own name; whoever might overwrite the viewed tensor must know. */
    for (int s = p->n_steps - 1; s >= 0; s--) {
        hk_tensor *y = p->order[s];
        if (y->op->is_view)
            extend(&p->last_read[y->inputs[0]->id], p->kept[y->id] ? p->end : p->last_read[y->id]);
    }
}

static hk_status place_values(hki_planner *p)
{
    for (int id = 0; id < p->net->n_tensors; id++) {
        hk_tensor *t = p->net->tensors[id];
        int last = p->kept[id] ? p->end : p->last_read[id];
        p->value_of[id] = HKI_NOWHERE;
        if (!p->needed[id])
            continue;
        if (t->role == HKI_INPUT) { /* fed once, perhaps run often: never reused */
            if (new_storage(p, bytes_of(p, t), -1, p->end, &p->value_of[id]))
                return HK_NO_MEMORY;
        } else if (t->role == HKI_COMPUTED && p->streams_to[p->step_of[id]] == HKI_NOWHERE) {
            int s = p->step_of[id];
            hk_tensor *y = p->order[s], *x = t->inputs[0];
            int place = p->value_of[x->id];
            /* y may take over x's storage when nothing reads x after this step. */
            bool overwrites = !p->options->probe && y->op->in_place && y->op->in_place(y) &&
                              place != HKI_NOWHERE && p->storages[place].last <= s &&
                              bytes_of(p, x) == bytes_of(p, y);
            if (overwrites || (t->op->is_view && place != HKI_NOWHERE))
                p->value_of[id] = place;
            else if (!t->op->is_view && new_storage(p, bytes_of(p, t), s, s, &p->value_of[id]))
                return HK_NO_MEMORY;
            live_until(p, p->value_of[id], last);
        }
    }
    return HK_OK;
}

bool hki_adds_to(const hk_tensor *y, int i)
{
    return y->op->adds && y->op->adds(y) & HKI_INPUT_BIT(i);
}

static hk_status place_gradient(hki_planner *p, int s, int i, bool is_first)
{
    hk_tensor *y = p->order[s], *x = y->inputs[i];
    int time = backward_time(p, s), *contribution = &p->contribution_of[s * HKI_MAX_INPUTS + i];
    int in_place = y->op->is_view || (y->op->in_place && y->op->in_place(y)) ? 0 : -1;
    if (y->op->gradient_in_place)
        in_place = y->op->gradient_in_place(y);
    bool same_buffer = i == in_place && !p->kept[y->id] && p->gradient_of[y->id] != HKI_NOWHERE &&
                       bytes_of(p, x) == bytes_of(p, y);
    if (!is_first && y->op->is_view) {
        *contribution = p->gradient_of[y->id]; /* dy itself is what must be added */
        return HK_OK;
    }
    if (!is_first)
        return hki_adds_to(y, i) ? HK_OK : new_storage(p, bytes_of(p, x), time, time, contribution);
    int last = p->kept[x->id] || p->step_of[x->id] == HKI_NOWHERE
                   ? p->end
                   : backward_time(p, p->step_of[x->id]);
    if (same_buffer) {
        p->gradient_of[x->id] = p->gradient_of[y->id];
        live_until(p, p->gradient_of[x->id], last);
        return HK_OK;
    }
    return new_storage(p, bytes_of(p, x), time, last, &p->gradient_of[x->id]);
}

static hk_status place_gradients(hki_planner *p)
{
    for (int id = 0; id < p->net->n_tensors; id++)
        p->gradient_of[id] = HKI_NOWHERE;
    const hk_tensor *loss = p->options->loss;
    if (!loss || !p->reached[loss->id])
        return HK_OK;
    if (new_storage(p, sizeof(float), p->n_steps - 1, p->end, &p->gradient_of[loss->id]))
        return HK_NO_MEMORY;
    for (int s = p->n_steps - 1; s >= 0; s--) {
        hk_tensor *y = p->order[s];
        for (int i = 0; p->reached[y->id] && i < y->n_inputs; i++) {
            hk_tensor *x = y->inputs[i];
            if (!p->reached[x->id] || x->role == HKI_LEARNED)
                continue;
            if (place_gradient(p, s, i, !p->written[x->id]))
                return HK_NO_MEMORY;
            p->written[x->id] = true;
        }
    }
    return HK_OK;
}

hki_work_bytes hki_work_of(const hki_planner *p, const hk_tensor *y)
{
    const hki_op *op = y->op;
    hki_work_bytes work = {
        .saved = op->saved_bytes ? op->saved_bytes(y, p->part_batch) : 0,
        .scratch = op->scratch_bytes ? op->scratch_bytes(y, p->part_batch) : 0,
    };
    work.back = op->back_scratch_bytes ? op->back_scratch_bytes(y, p->part_batch) : work.scratch;
    work.saved = hki_whole_lines(work.saved);
    work.scratch = hki_whole_lines(work.scratch);
    work.back = hki_whole_lines(work.back);
    return work;
}

static hk_status place_work(hki_planner *p)
{
    for (int s = 0; s < p->n_steps; s++) {
        hk_tensor *y = p->order[s];
        bool has_backward = p->reached[y->id];
        int back = backward_time(p, s), now = time_of(p, s);
        int begins = p->begun_by[s] == HKI_NOWHERE ? back : backward_time(p, p->begun_by[s]);
        const hki_work_bytes work = hki_work_of(p, y);
        const size_t n = (size_t)p->parts;
        if (new_storage(p, n * work.saved, now, has_backward ? back : now, &p->saved_of[s]) ||
            new_storage(p, n * work.scratch, now, now, &p->scratch_of[s]) ||
            new_storage(p, has_backward ? n * work.back : 0, begins, back, &p->back_scratch_of[s]))
            return HK_NO_MEMORY;
    }
    return HK_OK;
}

/* ---- Packing: largest first, each at the lowest place free during its time --------------------------- */

static int by_bytes(const void *a, const void *b)
{
    const hki_storage *x = *(hki_storage *const *)a, *y = *(hki_storage *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x > y) - (x < y);
}

static int by_offset(const void *a, const void *b)
{
    const hki_storage *x = *(hki_storage *const *)a, *y = *(hki_storage *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static size_t lowest_free(hki_storage **placed, size_t n, const hki_storage *wanted,
                          hki_storage **busy)
{
    int n_busy = 0;
    for (size_t i = 0; i < n; i++)
        if (placed[i]->first <= wanted->last && wanted->first <= placed[i]->last)
            busy[n_busy++] = placed[i];
    qsort(busy, (size_t)n_busy, sizeof(*busy), by_offset);
    size_t offset = 0;
    for (int i = 0; i < n_busy && busy[i]->offset < offset + wanted->bytes; i++)
        if (busy[i]->offset + busy[i]->bytes > offset)
            offset = busy[i]->offset + busy[i]->bytes;
    return offset;
}

static hk_status assign_offsets(hki_planner *p, size_t *total)
{
    hk_status status = HK_NO_MEMORY;
    size_t n = p->n_storages;
    hki_storage **sorted = hki_alloc_array(n, sizeof *sorted);
    hki_storage **busy = hki_alloc_array(n, sizeof *busy);
    if (!sorted || !busy)
        goto out;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &p->storages[i];
    qsort(sorted, n, sizeof *sorted, by_bytes);
    *total = 0;
    for (size_t i = 0; i < n; i++) {
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

hk_status hki_place(hki_planner *p, size_t *bytes)
{
    find_meetings(p);
    find_last_reads(p);
    if (place_values(p) || place_gradients(p) || place_work(p))
        return HK_NO_MEMORY;
    return assign_offsets(p, bytes);
}
