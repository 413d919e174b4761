/* Treatment as the public interface offers it: of a net, and of a net in a file. */
#include "train/treat.h"

#include <stdio.h>
#include <string.h>

#include "nn/store.h"
#include "train/optimizer.h"

static void forget_moments(void *user, const hk_tensor *learned, int64_t first, int64_t stride,
                           int64_t n)
{
    if (user)
        hki_optimizer_forget(user, learned, first, stride, n);
}

/* A method that fits nowhere is a mistake. */
static hk_status judge(hk_status status, hk_treatment **out)
{
    if (status || (*out)->treated || !(*out)->dead)
        return status;
    const hk_treated_layer *first = (*out)->layers;
    status = hki_fail(HK_BAD_ARGUMENT, "none of %lld dead units could be treated: those of %s, by %s",
                      (long long)(*out)->dead, first->layer, first->note);
    hk_treatment_free(*out);
    *out = NULL;
    return status;
}

static hk_status parse_once(const char *methods, hki_treatments *how)
{
    hk_status status = hki_treatments_parse(methods, how);
    if (!status && how->every)
        return hki_fail(HK_BAD_ARGUMENT, "treatment \"%.200s\": every= is for training, this happens "
                        "once", methods);
    return status;
}

hk_status hk_treat(hk_tensor *logits, const hk_data *data, const char *methods,
                   const hk_treat_options *options, hk_treatment **out)
{
    hki_treatments how;
    *out = NULL;
    hk_status status = parse_once(methods, &how);
    if (!status)
        status = hki_treat(logits, data, &how, options, forget_moments,
                           options ? options->optimizer : NULL, out);
    return judge(status, out);
}

/* ---- In a file ------------------------------------------------------------------------------- */

/* What a file holds beside its net goes into the new file: training's state, its metadata. */
typedef struct belongings {
    hki_st_file file;
    hki_st_tensor *more;
    hki_st_meta *meta;
    size_t n_more, n_meta;
    float *zeros; /* moments of what is new */
    char (*names)[HKI_MAX_NAME + 16];
} belongings;

static void moment_name(char *out, size_t size, int m, const hk_tensor *learned)
{
    snprintf(out, size, HKI_OPTIMIZER_PREFIX "%d.%s", m, learned->name);
}

static void forget_stored(void *user, const hk_tensor *learned, int64_t first, int64_t stride,
                          int64_t n)
{
    const belongings *it = user;
    char name[HKI_MAX_NAME + 16];
    for (int m = 0; m < 2; m++) {
        moment_name(name, sizeof name, m, learned);
        const hki_st_tensor *found = hki_store_find(&it->file, name);
        for (int64_t k = 0; found && k < n; k++)
            ((float *)(uintptr_t)found->data)[first + k * stride] = 0; /* the file's own copy */
    }
}

static void take_meta(belongings *it)
{
    static const char *const own[] = {"hk.model", "hk.activation", "hk.normalization", "hk.input",
                                      "hk.initializer", "hk.weight_norm", "hk.classes", "hk.format",
                                      "hk.digest"};
    for (size_t i = 0; i < it->file.n_meta; i++) {
        bool kept = true;
        for (size_t k = 0; k < sizeof own / sizeof *own; k++)
            kept = kept && strcmp(own[k], it->file.meta[i].key) != 0;
        if (kept)
            it->meta[it->n_meta++] = it->file.meta[i];
    }
}

/* Moments of what the net has learned so far: the file's, or zeros for what is new. */
static void take_moments(belongings *it, const hk_net *net, int m)
{
    for (int i = 0; i < net->n_tensors; i++) {
        const hk_tensor *t = net->tensors[i];
        char *name = it->names[it->n_more];
        if (t->role != HKI_LEARNED)
            continue;
        moment_name(name, sizeof *it->names, m, t);
        const hki_st_tensor *found = hki_store_find(&it->file, name);
        hki_st_tensor *out = &it->more[it->n_more++];
        *out = (hki_st_tensor){.name = name, .ndim = t->shape.ndim,
                               .data = found ? found->data : it->zeros};
        memcpy(out->dims, t->shape.dims, sizeof out->dims);
    }
}

static bool has_moments(const hki_st_file *file, int m)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, HKI_OPTIMIZER_PREFIX "%d.", m);
    for (size_t i = 0; i < file->n_tensors; i++)
        if (!strncmp(file->tensors[i].name, prefix, strlen(prefix)))
            return true;
    return false;
}

static hk_status take_belongings(belongings *it, const hk_net *net)
{
    size_t most = 2 * (size_t)net->n_tensors, longest = 1;
    for (int i = 0; i < net->n_tensors; i++) {
        const hk_tensor *t = net->tensors[i];
        size_t n = t->role == HKI_LEARNED ? (size_t)hki_count(&t->shape, 1) : 0;
        longest = n > longest ? n : longest;
    }
    it->more = hki_alloc_array(most, sizeof *it->more);
    it->names = hki_alloc_array(most, sizeof *it->names);
    it->meta = hki_alloc_array(it->file.n_meta, sizeof *it->meta);
    it->zeros = hki_alloc_array(longest, sizeof *it->zeros);
    if (!it->more || !it->names || !it->meta || !it->zeros)
        return HK_NO_MEMORY;
    take_meta(it);
    for (int m = 0; m < 2; m++)
        if (has_moments(&it->file, m))
            take_moments(it, net, m);
    return HK_OK;
}

static hk_status treat_and_save(belongings *it, hk_tensor *logits, const hk_data *data,
                                const hki_treatments *how, const hk_treat_options *options,
                                const char *to, hk_treatment **out)
{
    hk_status status = judge(hki_treat(logits, data, how, options, forget_stored, it, out), out);
    if (!status)
        status = take_belongings(it, logits->net);
    if (!status)
        status = hki_net_store(logits, to, hki_st_meta_get(&it->file, "hk.model"), it->more,
                               it->n_more, it->meta, it->n_meta);
    return status;
}

hk_status hk_treat_saved(hk_tensor *logits, const hk_data *data, const char *methods,
                         const hk_treat_options *options, const char *from, const char *to,
                         hk_treatment **out)
{
    hki_treatments how;
    belongings it = {0};
    *out = NULL;
    hk_status status = parse_once(methods, &how);
    if (!status)
        status = hki_st_read(from, &it.file);
    if (status)
        return status;
    status = treat_and_save(&it, logits, data, &how, options, to, out);
    if (status) {
        hk_treatment_free(*out);
        *out = NULL;
    }
    hki_free(it.more);
    hki_free(it.names);
    hki_free(it.meta);
    hki_free(it.zeros);
    hki_st_clear(&it.file);
    return status;
}

void hk_treatment_free(hk_treatment *treatment)
{
    if (!treatment)
        return;
    hki_free((void *)(uintptr_t)treatment->layers);
    hki_free(treatment);
}
