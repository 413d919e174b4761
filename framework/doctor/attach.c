/* The doctor in a training: records its course, and treats dead units between epochs. */
#include "doctor/record.h"

#include <math.h>

static hk_status open_doctor(hk_trainer *t)
{
    hki_attached *own = t->attached = hki_alloc(sizeof *own);
    if (!own)
        return HK_NO_MEMORY;
    hk_status status =
        t->options.doctor ? hki_treatments_parse(t->options.doctor, &own->treatments) : HK_OK;
    const hki_method *first = own->treatments.methods;
    if (status || !own->treatments.n || first->kind != HKI_CONTINUAL)
        return status;
    own->treatments.n = 0; /* nothing is left to do between epochs */
    return t->options.team ? hki_fail(HK_BAD_ARGUMENT, "continual: is for one process")
                           : hki_continual_new(t->logits, first, &own->continual);
}

static void close_doctor(hk_trainer *t)
{
    hki_attached *own = t->attached;
    if (own)
        hk_plan_free(own->features);
    if (own)
        hki_continual_free(own->continual);
    if (own)
        hki_record_free(own->record);
    hki_free(own);
}

/* Units are judged on more inputs than are probed: one that fires rarely had better not be treated. */
static hk_status treat_between(hk_trainer *t)
{
    hki_attached *own = t->attached;
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
    if (done->graph_changed) {
        hk_plan_free(own->features);
        own->features = NULL;
        status = hki_trainer_replan(t);
    }
    if (!status)
        status = hki_record_measure(t);
    if (!status && t->options.treated && t->options.treated(done, t->epoch + 1, t->options.user))
        status = hki_fail(HK_STOPPED, "training was stopped before epoch %d", t->epoch + 1);
    hk_treatment_free(done);
    return status;
}

/* Channels whose activation was swapped for a number of epochs count down. */
static hk_status end_epoch(hk_trainer *t)
{
    const hk_net *net = t->logits->net;
    for (int id = 0; id < net->n_tensors; id++) {
        if (net->tensors[id]->role != HKI_COMPUTED || !hki_is_channel_override(net->tensors[id]))
            continue;
        hk_tensor *mask = hki_override_mask(net->tensors[id]);
        for (int64_t j = 0; j < hki_count(&mask->shape, 1); j++)
            mask->value[j] = fmaxf(mask->value[j] - 1, 0);
    }
    return hki_measure_plasticity(t);
}

static int keep(const hk_trainer *t, hk_tensor **out)
{
    const hki_continual *continual = ((const hki_attached *)t->attached)->continual;
    for (int i = 0; continual && out && i < continual->n_layers; i++)
        out[i] = continual->layers[i].site.y;
    return continual ? continual->n_layers : 0;
}

static void after_forward(hk_trainer *t, int64_t n)
{
    hki_attached *own = t->attached;
    if (own->continual)
        hki_continual_look(own->continual, t->plan, n);
}

static hk_status after_step(hk_trainer *t, double loss)
{
    hki_attached *own = t->attached;
    const uint64_t key = hki_key(t->options.seed, HKI_STREAM_INIT, (uint64_t)t->step, 4);
    hki_record_step(t, loss);
    return own->continual ? hki_continual_step(own->continual, t->logits, key, t->optimizer)
                          : HK_OK;
}

static char *save(const hk_trainer *t, int i)
{
    const hki_attached *own = t->attached;
    return i == 0           ? hki_record_text(t)
           : own->continual ? hki_continual_text(own->continual)
                            : hki_copy_text("");
}

static hk_status load(hk_trainer *t, const char *path, const hki_st_file *file)
{
    hki_attached *own = t->attached;
    hk_status status = hki_record_load(t, path, file);
    if (!status && own->continual)
        status = hki_continual_load(own->continual, path, hki_st_meta_get(file, HKI_CONTINUAL_KEY));
    return status;
}

const struct hki_train_hooks hki_train_hooks = {.open = open_doctor,
                                                .start = hki_record_start,
                                                .close = close_doctor,
                                                .before_epoch = treat_between,
                                                .keep = keep,
                                                .after_forward = after_forward,
                                                .after_step = after_step,
                                                .after_epoch = end_epoch,
                                                .keys = {HKI_RECORD_KEY, HKI_CONTINUAL_KEY},
                                                .save = save,
                                                .load = load,
                                                .loaded = hki_record_measure};
