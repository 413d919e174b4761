/* The doctor in a training: records its course, and treats dead units between epochs. */
#include "doctor/record.h"
#include "doctor/treat.h"
#include "train/hooks.h"
#include "train/trainer.h"

typedef struct attached {
    hki_treatments treatments; /* n = 0: none */
    hki_record *record;
} attached;

static hk_status open_doctor(hk_trainer *t)
{
    attached *own = t->attached = hki_alloc(sizeof *own);
    if (!own)
        return HK_NO_MEMORY;
    return t->options.doctor ? hki_treatments_parse(t->options.doctor, &own->treatments) : HK_OK;
}

static hk_status start_record(hk_trainer *t)
{
    attached *own = t->attached;
    return hki_record_new(t->optimizer, &own->record);
}

static void close_doctor(hk_trainer *t)
{
    attached *own = t->attached;
    if (own)
        hki_record_free(own->record);
    hki_free(own);
}

/* Units are judged on more inputs than are probed: one that fires rarely had better not be treated. */
static hk_status treat_between(hk_trainer *t)
{
    attached *own = t->attached;
    int64_t every = own->treatments.every ? own->treatments.every : 1;
    if (!own->treatments.n || !t->epoch || t->epoch % every)
        return HK_OK;
    int64_t n = hk_data_shape_of(t->options.train).n;
    hk_treat_options options = {
        .inputs = hki_min(hki_min(64 + n / 64, 1000), n),
        .seed = hki_key(t->options.seed, HKI_STREAM_INIT, (uint64_t)t->epoch, 2),
        .optimizer = t->optimizer};
    hk_treatment *done;
    hk_status status = hki_treat(t->logits, t->options.train, &own->treatments, &options, &done);
    if (status)
        return status;
    if (done->graph_changed)
        status = hki_trainer_replan(t);
    if (!status)
        status = hki_record_measure(own->record);
    if (!status && t->options.treated && t->options.treated(done, t->epoch + 1, t->options.user))
        status = hki_fail(HK_STOPPED, "training was stopped before epoch %d", t->epoch + 1);
    hk_treatment_free(done);
    return status;
}

static void record_step(hk_trainer *t, double loss)
{
    attached *own = t->attached;
    hki_record_step(own->record, loss);
}

static void count_epoch(hk_trainer *t)
{
    hki_treat_epoch(t->logits->net);
}

static char *save_record(const hk_trainer *t)
{
    const attached *own = t->attached;
    return hki_record_text(own->record);
}

static hk_status load_record(hk_trainer *t, const char *path, const hki_st_file *file)
{
    attached *own = t->attached;
    return hki_record_resume(own->record, path, file);
}

static hk_status measure_loaded(hk_trainer *t)
{
    attached *own = t->attached;
    return hki_record_measure(own->record);
}

const struct hki_train_hooks hki_train_hooks = {.open = open_doctor,
                                                .start = start_record,
                                                .close = close_doctor,
                                                .before_epoch = treat_between,
                                                .after_step = record_step,
                                                .after_epoch = count_epoch,
                                                .key = HKI_RECORD_KEY,
                                                .save = save_record,
                                                .load = load_record,
                                                .loaded = measure_loaded};
