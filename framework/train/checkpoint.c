/* A training in a file: the net, the optimizer's moments, and in the metadata how far it has come. */
#include "train/trainer.h"

#include <stdio.h>
#include <string.h>

#include "nn/store.h"

/* One stored tensor per learned tensor and moment: "optimizer.0.conv1.weight". */
static size_t describe_moments(const hk_optimizer *optimizer, char (*names)[HKI_MAX_NAME + 16],
                               hki_st_tensor *out)
{
    size_t n = 0;
    for (int m = 0; m < hki_rule_moments(&optimizer->rule); m++) {
        float *next = optimizer->moments[m];
        for (int i = 0; i < optimizer->n_tensors; i++) {
            const hk_tensor *t = optimizer->net->tensors[i];
            if (t->role != HKI_LEARNED)
                continue;
            snprintf(names[n], sizeof names[n], HKI_OPTIMIZER_PREFIX "%d.%s", m, t->name);
            out[n] = (hki_st_tensor){.name = names[n], .ndim = t->shape.ndim, .data = next};
            memcpy(out[n++].dims, t->shape.dims, sizeof t->shape.dims);
            next += hki_count(&t->shape, 1);
        }
    }
    return n;
}

typedef struct moment_list {
    char (*names)[HKI_MAX_NAME + 16];
    hki_st_tensor *tensors;
    size_t n;
} moment_list;

static void free_moments(moment_list *list)
{
    hki_free(list->names);
    hki_free(list->tensors);
}

static hk_status list_moments(const hk_trainer *t, moment_list *list)
{
    size_t most = 2 * (size_t)t->logits->net->n_tensors;
    list->names = hki_alloc_array(most, sizeof *list->names);
    list->tensors = hki_alloc_array(most, sizeof *list->tensors);
    if (!list->names || !list->tensors) {
        free_moments(list);
        return HK_NO_MEMORY;
    }
    list->n = describe_moments(t->optimizer, list->names, list->tensors);
    return HK_OK;
}

static void seed_text(const hk_trainer *t, char *text, size_t size)
{
    snprintf(text, size, "%llu", (unsigned long long)t->options.seed);
}

hk_status hk_trainer_save(hk_trainer *t, const char *path, const char *model)
{
    char epochs[24], step[24], seed[24];
    moment_list moments;
    snprintf(epochs, sizeof epochs, "%d", t->epoch);
    snprintf(step, sizeof step, "%lld", (long long)t->step);
    seed_text(t, seed, sizeof seed);
    char *record = hki_record_text(t->record);
    if (!record)
        return HK_NO_MEMORY;
    const hki_st_meta meta[] = {{"hk.epochs", epochs}, {"hk.step", step}, {"hk.seed", seed},
                                {"hk.optimizer", t->optimizer_spec},
                                {HKI_RECORD_KEY, record},
                                {"hk.data", hk_data_spec(t->options.train)}};
    hk_status status = list_moments(t, &moments);
    if (!status) {
        status = hki_net_store(t->logits, path, model, moments.tensors, moments.n, meta,
                               sizeof meta / sizeof *meta);
        free_moments(&moments);
    }
    hki_free(record);
    return status;
}

static hk_status stored_number(const hki_st_file *file, const char *path, const char *key,
                               int64_t *out)
{
    const char *text = hki_st_meta_get(file, key);
    if (!text || !hki_parse_int(text, 0, INT64_MAX, out))
        return hki_fail(HK_BAD_DATA, "%s: holds no training to resume (metadata %s is %s)", path,
                        key, text ? text : "absent");
    return HK_OK;
}

/* Optimizer, seed and moments must be this training's, all of them. */
static hk_status check_moments(const hk_trainer *t, const char *path, const hki_st_file *file,
                               const moment_list *moments)
{
    const char *spec = hki_st_meta_get(file, "hk.optimizer");
    const char *seed = hki_st_meta_get(file, "hk.seed");
    char own_seed[24];
    seed_text(t, own_seed, sizeof own_seed);
    if (!spec || strcmp(spec, t->optimizer_spec) != 0)
        return hki_fail(HK_BAD_DATA, "%s: was trained with optimizer %s, not %s", path,
                        spec ? spec : "unknown", t->optimizer_spec);
    if (!seed || strcmp(seed, own_seed) != 0)
        return hki_fail(HK_BAD_DATA, "%s: was trained with seed %s, not %s", path,
                        seed ? seed : "unknown", own_seed);
    for (size_t i = 0; i < moments->n; i++) {
        const hki_st_tensor *found = hki_store_find(file, moments->tensors[i].name);
        if (!found || found->ndim != moments->tensors[i].ndim ||
            memcmp(found->dims, moments->tensors[i].dims, sizeof found->dims) != 0)
            return hki_fail(HK_BAD_DATA, "%s: tensor %s is missing or has another shape", path,
                            moments->tensors[i].name);
    }
    return HK_OK;
}

static hk_status resume_from(hk_trainer *t, const char *path, const hki_st_file *file,
                             const moment_list *moments)
{
    int64_t epochs = 0, step = 0;
    hk_status status = stored_number(file, path, "hk.epochs", &epochs);
    if (!status)
        status = stored_number(file, path, "hk.step", &step);
    if (!status)
        status = check_moments(t, path, file, moments);
    if (!status && (epochs > HKI_MAX_EPOCHS || step != epochs * t->steps_per_epoch))
        status = hki_fail(HK_BAD_DATA, "%s: stopped at step %lld of epoch %lld, which does not fit "
                          "%lld steps an epoch: resume with the same data and batch", path,
                          (long long)step, (long long)epochs, (long long)t->steps_per_epoch);
    if (!status)
        status = hki_record_resume(t->record, path, file);
    if (!status)
        status = hki_net_restore(t->logits->net, path, file, NULL);
    if (!status)
        status = hki_record_measure(t->record);
    if (status)
        return status;
    for (size_t i = 0; i < moments->n; i++) {
        hk_shape shape = {.ndim = moments->tensors[i].ndim};
        memcpy(shape.dims, moments->tensors[i].dims, sizeof shape.dims);
        memcpy((float *)moments->tensors[i].data,
               hki_store_find(file, moments->tensors[i].name)->data,
               (size_t)hki_count(&shape, 1) * sizeof(float));
    }
    t->epoch = (int)epochs;
    t->step = t->optimizer->step = step;
    hki_plan_set_step(t->plan, (uint64_t)step);
    return HK_OK;
}

hk_status hk_trainer_resume(hk_trainer *t, const char *path)
{
    hki_st_file file;
    moment_list moments;
    hk_status status = hki_st_read(path, &file);
    if (status)
        return status;
    status = list_moments(t, &moments);
    if (!status) {
        status = resume_from(t, path, &file, &moments);
        free_moments(&moments);
    }
    hki_st_clear(&file);
    return status;
}
