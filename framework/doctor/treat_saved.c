/* Treatment as the public interface offers it: of a net, and of a net in a file. */
#include "doctor/treat.h"

#include <string.h>

#include "nn/store.h"

/* A method that fits nowhere is a mistake. */
static hk_status judge(hk_status status, hk_treatment **out)
{
    if (status || (*out)->treated || !(*out)->dead)
        return status;
    const hk_treated_layer *first = (*out)->layers;
    status =
        hki_fail(HK_BAD_ARGUMENT, "none of %lld dead units could be treated: those of %s, by %s",
                 (long long)(*out)->dead, first->layer, first->note);
    hk_treatment_free(*out);
    *out = NULL;
    return status;
}

static hk_status parse_once(const char *methods, hki_treatments *how)
{
    hk_status status = hki_treatments_parse(methods, how);
    if (!status && how->methods[0].kind == HKI_CONTINUAL)
        return hki_fail(HK_BAD_ARGUMENT,
                        "treatment \"%.200s\": continual is for training, this happens once",
                        methods);
    if (!status && how->every)
        return hki_fail(HK_BAD_ARGUMENT,
                        "treatment \"%.200s\": every= is for training, this happens once", methods);
    return status;
}

hk_status hk_treat(hk_tensor *logits, const hk_data *data, const char *methods,
                   const hk_treat_options *options, hk_treatment **out)
{
    hki_treatments how;
    if (out)
        *out = NULL;
    if (hki_null(logits, data, methods, out))
        return HK_BAD_ARGUMENT;
    hk_status status = parse_once(methods, &how);
    if (!status)
        status = hki_treat(logits, data, &how, options, out);
    return judge(status, out);
}

/* With the moments, and what else the first file holds beside its net. */
static hk_status save(hk_tensor *logits, const hki_st_file *file, hk_optimizer *optimizer,
                      const char *path)
{
    hki_moments moments = {0};
    hki_st_meta *meta = hki_alloc_array(file->n_meta, sizeof *meta);
    hk_status status = meta ? HK_OK : HK_NO_MEMORY;
    size_t n_meta = 0;
    for (size_t i = 0; i < file->n_meta && !status; i++)
        if (!hki_has_word(HKI_NET_KEYS, file->meta[i].key, strlen(file->meta[i].key)))
            meta[n_meta++] = file->meta[i];
    if (!status && optimizer)
        status = hki_optimizer_refit(optimizer);
    if (!status && optimizer)
        status = hki_moments_list(optimizer, &moments);
    if (!status)
        status = hki_net_store(logits, path, hki_st_meta_get(file, "hk.model"), moments.tensors,
                               moments.n, meta, n_meta);
    hki_moments_clear(&moments);
    hki_free(meta);
    return status;
}

hk_status hk_treat_saved(hk_tensor *logits, const hk_data *data, const char *methods,
                         const hk_treat_options *options, const char *from, const char *to,
                         hk_treatment **out)
{
    hki_treatments how;
    hki_st_file file;
    hk_treat_options own = options ? *options : (hk_treat_options){0};
    own.optimizer = NULL;
    if (out)
        *out = NULL;
    if (hki_null(logits, data, methods, from, to, out))
        return HK_BAD_ARGUMENT;
    hk_status status = parse_once(methods, &how);
    if (!status)
        status = hki_st_read(from, &file);
    if (status)
        return status;
    const char *optimizer = hki_st_meta_get(&file, "hk.optimizer"); /* NULL: holds no training */
    if (optimizer && logits)
        status = hk_optimizer_new(logits->net, optimizer, &own.optimizer);
    if (own.optimizer)
        status = hki_moments_load(own.optimizer, from, &file);
    if (!status)
        status = judge(hki_treat(logits, data, &how, &own, out), out);
    if (!status)
        status = save(logits, &file, own.optimizer, to);
    if (status) {
        hk_treatment_free(*out);
        *out = NULL;
    }
    hk_optimizer_free(own.optimizer);
    hki_st_clear(&file);
    return status;
}

void hk_treatment_free(hk_treatment *treatment)
{
    if (!treatment)
        return;
    hki_free((void *)(uintptr_t)treatment->layers);
    hki_free(treatment);
}
