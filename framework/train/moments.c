/* An optimizer's moments in a file: a tensor for each learned tensor and moment,
 * "optimizer.0.conv1.weight". */
#include "train/optimizer.h"

#include <stdio.h>
#include <string.h>

#include "nn/store.h"

_Static_assert(sizeof HKI_OPTIMIZER_PREFIX "0." + HKI_MAX_TENSOR_NAME <= HKI_MAX_NAME,
               "every learned tensor has moments that can be stored");

hk_status hki_moments_list(const hk_optimizer *optimizer, hki_moments *out)
{
    size_t most = 3 * (size_t)optimizer->n_tensors; /* two moments, and what best.c adds */
    *out = (hki_moments){.names = hki_alloc_array(most, sizeof *out->names),
                         .tensors = hki_alloc_array(most, sizeof *out->tensors)};
    if (!out->names || !out->tensors) {
        hki_moments_clear(out);
        return HK_NO_MEMORY;
    }
    for (int m = 0; m < hki_rule_moments(&optimizer->rule); m++) {
        const float *next = optimizer->moments[m];
        for (int i = 0; i < optimizer->n_tensors; i++) {
            const hk_tensor *t = optimizer->net->tensors[i];
            if (t->role != HKI_LEARNED)
                continue;
            char *name = out->names[out->n];
            hki_st_tensor *moment = &out->tensors[out->n++];
            snprintf(name, sizeof *out->names, HKI_OPTIMIZER_PREFIX "%d.%s", m, t->name);
            *moment = (hki_st_tensor){.name = name, .ndim = t->shape.ndim, .data = next};
            memcpy(moment->dims, t->shape.dims, sizeof moment->dims);
            next += hki_count(&t->shape, 1);
        }
    }
    return HK_OK;
}

void hki_moments_clear(hki_moments *moments)
{
    hki_free(moments->names);
    hki_free(moments->tensors);
    *moments = (hki_moments){0};
}

/* The file's tensor of this name and shape, NULL without. */
static const hki_st_tensor *stored(const hki_st_file *file, const hki_st_tensor *moment)
{
    char text[HKI_STORED_TEXT];
    const hk_shape shape = hki_stored_shape(moment);
    const hki_st_tensor *found = hki_store_find(file, moment->name);
    return found && hki_stored_fits(found, &shape, text) ? found : NULL;
}

hk_status hki_moments_load(hk_optimizer *optimizer, const char *path, const hki_st_file *file)
{
    hki_moments moments;
    hk_status status = hki_moments_list(optimizer, &moments);
    for (size_t i = 0; i < moments.n && !status; i++)
        if (!stored(file, &moments.tensors[i]))
            status = hki_fail(HK_BAD_DATA, "%s: tensor %s is missing or has another shape", path,
                              moments.tensors[i].name);
    for (size_t i = 0; i < moments.n && !status; i++)
        hki_st_floats(stored(file, &moments.tensors[i]),
                      (float *)(uintptr_t)moments.tensors[i].data);
    hki_moments_clear(&moments);
    return status;
}
