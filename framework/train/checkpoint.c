/* A training in a file: the net, the optimizer's moments, and in the metadata how far it has come; where
 * the best epoch is kept, the net is that epoch's, and the last one's values stand beside it. */
#include "train/trainer.h"

#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "nn/store.h"

hk_status hk_trainer_save(hk_trainer *t, const char *path, const char *model)
{
    char epochs[24], step[24], seed[24], parts[24], best[HKI_BEST_SIZE];
    const bool shown = t && t->shows_best;
    hki_moments moments;
    if (hki_null(t, path))
        return HK_BAD_ARGUMENT;
    snprintf(epochs, sizeof epochs, "%d", t->epoch);
    snprintf(step, sizeof step, "%lld", (long long)t->step);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)t->options.seed);
    snprintf(parts, sizeof parts, "%d", t->options.parts);
    hki_best_text(t, best);
    char *attached[HKI_ATTACHED_TEXTS];
    bool complete = true;
    for (int i = 0; i < HKI_ATTACHED_TEXTS; i++)
        complete = (attached[i] = hki_train_hooks.save(t, i)) && complete;
    hki_st_meta meta[8 + HKI_ATTACHED_TEXTS] = {{"hk.epochs", epochs},
                                                {"hk.step", step},
                                                {"hk.seed", seed},
                                                {"hk.optimizer", t->optimizer_spec},
                                                {"hk.data", hk_data_spec(t->options.train)}};
    size_t n_meta = 5;
    for (int i = 0; i < HKI_ATTACHED_TEXTS && complete; i++)
        if (*attached[i])
            meta[n_meta++] = (hki_st_meta){hki_train_hooks.keys[i], attached[i]};
    if (t->options.parts > 1)
        meta[n_meta++] = (hki_st_meta){"hk.parts", parts};
    if (t->options.train->stream)
        meta[n_meta++] = (hki_st_meta){"hk.stream", t->options.train->stream->spec};
    if (t->report.best.epoch)
        meta[n_meta++] = (hki_st_meta){HKI_BEST_KEY, best};
    hk_status status = complete ? hki_moments_list(t->optimizer, &moments) : HK_NO_MEMORY;
    if (!status) {
        hki_best_show(t, true);
        if (t->shows_best)
            hki_best_list(t, &moments);
        status = hki_net_store(t->logits, path, model, moments.tensors, moments.n, meta, n_meta);
        hki_best_show(t, shown);
        hki_moments_clear(&moments);
    }
    for (int i = 0; i < HKI_ATTACHED_TEXTS; i++)
        hki_free(attached[i]);
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

/* The file's training must be this one: the same optimizer, seed, data and batch. */
static hk_status check_training(const hk_trainer *t, const char *path, const hki_st_file *file,
                                int64_t *epochs, int64_t *step)
{
    hk_status status = stored_number(file, path, "hk.epochs", epochs);
    if (!status)
        status = stored_number(file, path, "hk.step", step);
    if (status)
        return status;
    const char *spec = hki_st_meta_get(file, "hk.optimizer");
    const char *seed = hki_st_meta_get(file, "hk.seed");
    char own_seed[24];
    snprintf(own_seed, sizeof own_seed, "%llu", (unsigned long long)t->options.seed);
    if (!spec || strcmp(spec, t->optimizer_spec) != 0)
        return hki_fail(HK_BAD_DATA, "%s: was trained with optimizer %s, not %s", path,
                        spec ? spec : "unknown", t->optimizer_spec);
    if (!seed || strcmp(seed, own_seed) != 0)
        return hki_fail(HK_BAD_DATA, "%s: was trained with seed %s, not %s", path,
                        seed ? seed : "unknown", own_seed);
    const char *stream = hki_st_meta_get(file, "hk.stream");
    const char *own = t->options.train->stream ? t->options.train->stream->spec : "none";
    if (strcmp(stream ? stream : "none", own) != 0)
        return hki_fail(HK_BAD_DATA, "%s: was trained with stream %s, not %s", path,
                        stream ? stream : "none", own);
    int64_t parts = 1;
    if (hki_st_meta_get(file, "hk.parts") &&
        (status = stored_number(file, path, "hk.parts", &parts)))
        return status;
    if (parts != (t->options.parts ? t->options.parts : 1))
        return hki_fail(HK_BAD_DATA, "%s: was trained with batches in %lld part%s, not %d", path,
                        (long long)parts, parts == 1 ? "" : "s",
                        t->options.parts ? t->options.parts : 1);
    if (*epochs > HKI_MAX_EPOCHS || *step != *epochs * t->steps_per_epoch)
        return hki_fail(HK_BAD_DATA,
                        "%s: epoch %lld ended at step %lld, here it ends at step %lld: resume with "
                        "the same data and batch",
                        path, (long long)*epochs, (long long)*step,
                        (long long)(*epochs > HKI_MAX_EPOCHS ? -1 : *epochs * t->steps_per_epoch));
    return HK_OK;
}

hk_status hk_trainer_resume(hk_trainer *t, const char *path)
{
    hki_st_file file;
    hk_best_epoch best;
    int64_t epochs = 0, step = 0;
    if (hki_null(t, path))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_st_read(path, &file);
    if (status)
        return status;
    status = check_training(t, path, &file, &epochs, &step);
    if (!status)
        status = hki_best_check(t, path, &file, epochs, &best);
    if (!status)
        status = hki_train_hooks.load(t, path, &file);
    if (!status)
        status = hki_moments_load(t->optimizer, path, &file);
    if (!status)
        status = hki_net_restore(t->logits->net, path, &file, NULL);
    if (!status) {
        hki_best_load(t, &file, best);
        status = hki_train_hooks.loaded(t);
    }
    if (!status) {
        t->epoch = t->report.epoch = (int)epochs;
        hki_trainer_show_task(t, t->epoch - (t->epoch > 0));
        t->step = t->optimizer->step = step;
        hki_plan_set_step(t->plan, (uint64_t)step);
    }
    hki_st_clear(&file);
    return status;
}
