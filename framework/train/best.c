/* The best epoch of a training by its validation figures, and the net's values in it.
 *
 * While training goes on, the net has the last epoch's values and `other` the best epoch's; showing the
 * best exchanges the two. A file holds the best under the tensors' own names, so that whoever reads it
 * has the best net, and the last, from which training goes on, beside it. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"
#include "nn/store.h"

#define LAST HKI_OPTIMIZER_PREFIX "last."
_Static_assert(sizeof LAST - 1 + HKI_MAX_TENSOR_NAME <= HKI_MAX_NAME,
               "every stored tensor has a last value that can be stored");

/* The next tensor from number *i on that a file stores; NULL: no more. */
static hk_tensor *next_stored(const hk_trainer *t, int *i)
{
    while (*i < t->optimizer->n_tensors) {
        hk_tensor *tensor = t->logits->net->tensors[(*i)++];
        if (tensor->role == HKI_LEARNED || tensor->role == HKI_STATE)
            return tensor;
    }
    return NULL;
}

static size_t length(const hk_tensor *tensor)
{
    return (size_t)hki_count(&tensor->shape, 1);
}

hk_status hki_best_start(hk_trainer *t)
{
    const hk_train_options *o = &t->options;
    if (o->patience < 0)
        return hki_fail(HK_BAD_ARGUMENT, "patience %d: expected 0 or more epochs", o->patience);
    if ((o->patience || o->keep_best) && !o->validation)
        return hki_fail(HK_BAD_ARGUMENT, "%s needs a validation set",
                        o->patience ? "patience" : "keeping the best epoch");
    if (o->keep_best && o->doctor)
        return hki_fail(HK_BAD_ARGUMENT,
                        "keeping the best epoch and treatments exclude each other: "
                        "a treatment may change what the net consists of");
    if (!o->keep_best)
        return HK_OK;
    size_t n = 0;
    const hk_tensor *tensor;
    for (int i = 0; (tensor = next_stored(t, &i));)
        n += length(tensor);
    t->other = hki_alloc_array(n, sizeof *t->other);
    return t->other ? HK_OK : HK_NO_MEMORY;
}

static void copy_net(hk_trainer *t)
{
    float *to = t->other;
    const hk_tensor *tensor;
    for (int i = 0; (tensor = next_stored(t, &i));) {
        memcpy(to, tensor->value, length(tensor) * sizeof *to);
        to += length(tensor);
    }
}

void hki_best_update(hk_trainer *t)
{
    const hk_metrics *now = &t->report.validation;
    hk_best_epoch *best = &t->report.best;
    if (!now->n || !isfinite(now->loss))
        return;
    const double score = now->regression ? now->r2 : now->accuracy;
    bool equal = !(score < best->score) && !(score > best->score);
    if (best->epoch && !(score > best->score) && !(equal && now->loss < best->loss))
        return;
    *best = (hk_best_epoch){t->epoch, t->report.train_loss, now->loss, score};
    if (t->other)
        copy_net(t);
}

void hki_best_show(hk_trainer *t, bool best)
{
    if (!t->other || !t->report.best.epoch || t->shows_best == best)
        return;
    float *other = t->other;
    const hk_tensor *tensor;
    for (int i = 0; (tensor = next_stored(t, &i));) {
        for (size_t k = 0; k < length(tensor); k++) {
            float value = tensor->value[k];
            tensor->value[k] = *other;
            *other++ = value;
        }
    }
    t->shows_best = best;
    hki_values_changed(t->logits->net);
}

/* ---- In a file --------------------------------------------------------------------------------- */

void hki_best_text(const hk_trainer *t, char text[HKI_BEST_SIZE])
{
    const hk_best_epoch *best = &t->report.best;
    const double values[] = {best->train_loss, best->loss, best->score};
    char number[HKI_NUMBER_SIZE];
    hki_text out = {text, HKI_BEST_SIZE, 0};
    hki_say(&out, "%d", best->epoch);
    for (int i = 0; i < 3; i++)
        hki_say(&out, " %s", hki_number_text(values[i], 17, number));
}

void hki_best_list(const hk_trainer *t, hki_moments *to)
{
    const float *next = t->other;
    const hk_tensor *tensor;
    for (int i = 0; (tensor = next_stored(t, &i));) {
        char *name = to->names[to->n];
        hki_st_tensor *last = &to->tensors[to->n++];
        snprintf(name, sizeof *to->names, LAST "%s", tensor->name);
        *last = (hki_st_tensor){.name = name, .ndim = tensor->shape.ndim, .data = next};
        memcpy(last->dims, tensor->shape.dims, sizeof last->dims);
        next += length(tensor);
    }
}

/* The tensor's last value in the file; NULL: none of its shape. */
static const float *last_value(const hki_st_file *file, const hk_tensor *tensor)
{
    char name[HKI_MAX_NAME];
    snprintf(name, sizeof name, LAST "%s", tensor->name);
    const hki_st_tensor *found = hki_store_find(file, name);
    bool fits =
        found && found->ndim == tensor->shape.ndim &&
        memcmp(found->dims, tensor->shape.dims, (size_t)found->ndim * sizeof *found->dims) == 0;
    return fits ? found->data : NULL;
}

/* Epoch, train_loss, loss, score, as hki_best_text writes them. */
static bool parse_best(const char *text, int64_t epochs, hk_best_epoch *out)
{
    char copy[HKI_BEST_SIZE], *rest = copy;
    double *const values[] = {&out->train_loss, &out->loss, &out->score};
    int64_t epoch;
    if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy ||
        !hki_parse_int(strsep(&rest, " "), 1, epochs, &epoch))
        return false;
    out->epoch = (int)epoch;
    for (int i = 0; i < 3; i++) {
        const char *number = strsep(&rest, " ");
        if (!number || !hki_parse_double(number, values[i]))
            return false;
    }
    return !rest;
}

hk_status hki_best_check(const hk_trainer *t, const char *path, const hki_st_file *file,
                         int64_t epochs, hk_best_epoch *best)
{
    const char *text = hki_st_meta_get(file, HKI_BEST_KEY);
    const hk_tensor *tensor;
    int have = 0, stored = 0;
    *best = (hk_best_epoch){0};
    if (text && !parse_best(text, epochs, best))
        return hki_fail(HK_BAD_DATA,
                        "%s: the best epoch is \"%.100s\", expected its number, up to "
                        "%lld, and three figures",
                        path, text, (long long)epochs);
    for (int i = 0; (tensor = next_stored(t, &i)); stored++)
        have += last_value(file, tensor) != NULL;
    if (have && have < stored)
        return hki_fail(HK_BAD_DATA,
                        "%s: has the last epoch's values of %d tensors, the net has %d", path, have,
                        stored);
    if (t->other && best->epoch && !have)
        return hki_fail(HK_BAD_DATA,
                        "%s: was trained without keeping the best epoch, so that it "
                        "cannot be resumed with it",
                        path);
    return HK_OK;
}

void hki_best_load(hk_trainer *t, const hki_st_file *file, hk_best_epoch best)
{
    t->report.best = best;
    t->shows_best = false;
    if (t->other)
        copy_net(t);
    hk_tensor *tensor;
    for (int i = 0; (tensor = next_stored(t, &i));) {
        const float *last = last_value(file, tensor);
        if (last)
            memcpy(tensor->value, last, length(tensor) * sizeof *last);
    }
    hki_values_changed(t->logits->net);
}
