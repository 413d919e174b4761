/* The training loop: batches, steps, evaluation, reports.
 *
 * Layers are probed on inputs of the validation set, else of the training set, by a plan of their own: it
 * keeps every result, where the plan for evaluation fuses operations. Which units learn is judged by the
 * training plan on training samples. What is found may decide how training goes on: so neither looks at
 * the test set. */
#include "train/trainer.h"

#include <math.h>
#include <string.h>

#include <hillock/saved.h>
#include "io/json.h"
#include "data/data.h"
#include "nn/nn.h"
#include "ops/ops.h"

enum { PROBE_BATCH = 32 };

/* ---- Making a trainer ---------------------------------------------------------------------------- */

static hk_status take_options(hk_trainer *t, const hk_train_options *options)
{
    t->options = *options;
    t->options.schedule = options->schedule ? options->schedule : "constant";
    if (!options->train)
        return hki_fail(HK_BAD_ARGUMENT, "training needs a training set");
    if (options->epochs < 0 || options->batch < 0)
        return hki_fail(HK_BAD_ARGUMENT, "epochs %d, batch %d: both must be at least 1",
                        options->epochs, options->batch);
    if (!(options->clip >= 0))
        return hki_fail(HK_BAD_ARGUMENT, "clip %g: expected a gradient norm, or 0 for none",
                        options->clip);
    const hki_tasks *stream = options->train->stream;
    int64_t n = hk_data_shape_of(options->train).n;
    t->options.epochs = options->epochs ? options->epochs : 1;
    if (stream && options->epochs > stream->tasks)
        return hki_fail(HK_BAD_ARGUMENT, "epochs %d: the stream has %lld tasks, an epoch each",
                        options->epochs, (long long)stream->tasks);
    if (stream &&
        (options->patience || options->keep_best || options->class_weights || options->team))
        return hki_fail(
            HK_BAD_ARGUMENT,
            "a stream of tasks has no best epoch to keep or to wait for, no class weights, "
            "and is trained by one process");
    t->report.online_accuracy = t->report.effective_rank = t->report.weight_magnitude = (double)NAN;
    t->options.batch = (int)hki_min(options->batch ? options->batch : 64, n);
    t->steps_per_epoch = (n + t->options.batch - 1) / t->options.batch;
    t->optimizer_spec = hki_copy_text(options->optimizer ? options->optimizer : "adam");
    if (!t->optimizer_spec)
        return HK_NO_MEMORY;
    hk_status status = hki_train_hooks.open(t);
    return status ? status : hki_schedule_parse(t->options.schedule, &t->schedule);
}

static const hk_data *probed_data(const hk_trainer *t)
{
    return t->options.validation ? t->options.validation : t->options.train;
}

/* The probe sees as many inputs as cost little beside an epoch: 32 and one for every 64, at most 1024. */
static hk_status make_probe(hk_trainer *t)
{
    int64_t few = PROBE_BATCH + hk_data_shape_of(t->options.train).n / 64;
    t->to_probe = hki_min(hki_min(few, 1024), hk_data_shape_of(probed_data(t)).n);
    hk_plan_options plan = {
        .batch = hki_min(PROBE_BATCH, t->to_probe), .output = t->logits, .probe = 1};
    hk_status status = hk_plan_new(t->logits->net, &plan, &t->probed);
    if (!status)
        status = hki_probe_new(t->probed, &t->probe);
    if (!status)
        status = hki_learning_by(t->plan, t->logits, t->labels, t->options.train, &t->learning);
    if (status)
        return status;
    t->to_judge = hki_min(hki_min(few, 1024), hk_data_shape_of(t->options.train).n);
    t->report.n_layers = hki_probe_layers(t->probe);
    hki_free(t->layers);
    t->layers = hki_alloc_array((size_t)t->report.n_layers, sizeof *t->layers);
    t->report.layers = t->layers;
    return t->layers ? HK_OK : HK_NO_MEMORY;
}

/* Of the plan that trains: what the hooks read, and of a stream the answers. Freed by the caller. */
static hk_tensor **kept_tensors(const hk_trainer *t, int *n)
{
    const int hooked = hki_train_hooks.keep(t, NULL);
    hk_tensor **kept = hki_alloc_array((size_t)hooked + 1, sizeof *kept);
    if (!kept)
        return NULL;
    hki_train_hooks.keep(t, kept);
    kept[hooked] = t->logits;
    *n = hooked + (t->options.train->stream != NULL);
    return kept;
}

static hk_status make_plans(hk_trainer *t)
{
    hk_plan_options plan = {.batch = t->options.batch,
                            .training = 1,
                            .loss = t->loss,
                            .parts = t->options.parts,
                            .team = t->options.team,
                            .own_statistics = t->options.own_statistics};
    hk_tensor **kept = kept_tensors(t, &plan.n_keep);
    plan.keep = kept;
    hk_status status = kept ? hk_plan_new(t->logits->net, &plan, &t->plan) : HK_NO_MEMORY;
    hki_free(kept);
    if (!status)
        status = hki_evaluation_plan(t->logits, &t->evaluation);
    return status || t->options.no_probes ? status : make_probe(t);
}

static void free_plans(hk_trainer *t)
{
    hki_learning_free(t->learning);
    hki_probe_free(t->probe);
    hk_plan_free(t->probed);
    hk_plan_free(t->evaluation);
    hk_plan_free(t->plan);
    t->learning = NULL;
    t->probe = NULL;
    t->plan = t->evaluation = t->probed = NULL;
}

/* Softmax cross-entropy of labels, or the mean squared error of targets. */
static hk_tensor *make_loss(hk_trainer *t)
{
    hk_net *net = t->logits->net;
    const hk_train_options *o = &t->options;
    if (hk_data_is_regression(o->train)) {
        if (o->class_weights || o->smoothing != 0)
            return hki_fail_null(HK_BAD_ARGUMENT,
                                 "class weights and label smoothing are for classes; "
                                 "%s has numbers to learn",
                                 hk_data_spec(o->train));
        t->labels = hk_input(net, 1);
        return t->loss = hk_mse(t->logits, t->labels);
    }
    t->labels = hk_labels(net);
    return t->loss = o->class_weights ? hk_weighted_cross_entropy(t->logits, t->labels,
                                                                  o->smoothing, o->class_weights)
                                      : hk_cross_entropy(t->logits, t->labels, o->smoothing);
}

/* A normalization of one value is always its shift: what stands before it can never be learned. A net whose
 * slots are all zero there may only begin so. */
static hk_status check_normalizations(const hk_trainer *t)
{
    const hk_net *net = t->logits->net;
    const hk_tensor *cause;
    bool suspect = false;
    for (int i = 0; i < net->n_tensors && !suspect; i++) {
        const hk_tensor *y = net->tensors[i];
        suspect = y->role == HKI_COMPUTED && hki_is_normalization(y) && hki_rows(&y->shape, 1) == 1;
    }
    hk_status status = suspect ? hki_find_constant(t->logits, t->options.train, &cause) : HK_OK;
    if (status || !suspect || !cause || !hki_is_normalization(cause))
        return status;
    for (int i = 1; i < cause->n_inputs; i++) {
        const hk_tensor *slot = cause->inputs[i];
        for (int64_t k = 0; k < hki_count(&slot->shape, 1); k++)
            if (slot->value[k] != 0)
                return hki_fail(
                    HK_BAD_SHAPE,
                    "%s of %s gives all samples the same: its input of %s has one value "
                    "to a set, and nothing before it can be learned",
                    hki_use_of(cause)->plugin->name, hki_layer_name(net, cause->layer),
                    hki_shape_text(&cause->inputs[0]->shape));
    }
    return HK_OK;
}

static hk_status prepare(hk_trainer *t)
{
    const hk_data *const sets[] = {t->options.train, t->options.validation, t->options.test};
    hk_status status = HK_OK;
    t->input = hk_tensor_input(t->logits);
    for (int i = 0; i < 3 && !status; i++)
        if (sets[i])
            status = hki_check_data(t->logits, sets[i]);
    if (status)
        return status;
    if ((status = check_normalizations(t)))
        return status;
    if (!make_loss(t))
        return hk_last_status();
    hk_loader_options loader = {.batch = t->options.batch,
                                .shuffle = 1,
                                .augment = t->options.augment,
                                .seed = t->options.seed,
                                .rank = t->options.team ? t->options.team->rank : 0,
                                .ranks = t->options.team ? t->options.team->ranks : 1};
    if ((status = hk_optimizer_new(t->logits->net, t->optimizer_spec, &t->optimizer)) ||
        (status = hki_best_start(t)) || (status = make_plans(t)) ||
        (status = hki_train_hooks.start(t)))
        return status;
    return hk_loader_new(t->options.train, &loader, &t->loader);
}

/* What the net learns from, and how, for its file. */
static hk_status set_card(const hk_trainer *t)
{
    const hk_train_options *o = &t->options;
    hk_card card;
    json_t *recipe = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:s*}", "optimizer", t->optimizer_spec, "schedule",
        o->schedule, "augment", o->augment ? o->augment : "none", "batch", o->batch, "epochs",
        o->epochs, "smoothing", o->smoothing, "clip", o->clip, "doctor", o->doctor);
    char *text = hki_json_text(recipe);
    hk_status status = text ? hk_data_card(o->train, &card) : HK_NO_MEMORY;
    card.recipe = text;
    if (!status)
        status = hk_net_set_card(t->logits->net, &card);
    json_decref(recipe);
    hki_free(text);
    return status;
}

hk_status hk_trainer_new(hk_tensor *logits, const hk_train_options *options, hk_trainer **out)
{
    if (out)
        *out = NULL;
    if (hki_null(logits, options, out))
        return HK_BAD_ARGUMENT;
    hk_trainer *t = hki_alloc(sizeof *t);
    if (!t)
        return HK_NO_MEMORY;
    t->logits = logits;
    hk_status status = take_options(t, options);
    if (!status)
        status = prepare(t);
    if (!status)
        status = set_card(t);
    if (status)
        hk_trainer_free(t);
    else
        *out = t;
    return status;
}

void hk_trainer_free(hk_trainer *t)
{
    if (!t)
        return;
    hk_loader_free(t->loader);
    free_plans(t);
    hki_train_hooks.close(t);
    hk_optimizer_free(t->optimizer);
    hki_free(t->layers);
    hki_free(t->optimizer_spec);
    hki_free(t->other);
    hki_free(t);
}

const hk_epoch_report *hk_trainer_report(const hk_trainer *t)
{
    return hki_null(t) ? NULL : &t->report;
}

int64_t hk_trainer_arena(const hk_trainer *t)
{
    return hki_null(t) ? 0 : hk_plan_bytes(t->plan);
}

/* ---- One epoch ------------------------------------------------------------------------------------ */

/* The first of the largest logits. */
static int64_t right_answers(int64_t n, int64_t classes, const float *logits, const int32_t *labels)
{
    int64_t right = 0;
    for (int64_t i = 0; i < n; i++, logits += classes) {
        int64_t best = 0;
        for (int64_t k = 1; k < classes; k++)
            best = logits[k] > logits[best] ? k : best;
        right += best == labels[i];
    }
    return right;
}

static hk_status train_batch(hk_trainer *t, const hk_batch *batch, double *loss)
{
    size_t pixels = (size_t)hki_sample_count(&t->input->shape);
    float *labels = hk_plan_value(t->plan, t->labels);
    memcpy(hk_plan_value(t->plan, t->input), batch->x, (size_t)batch->n * pixels * sizeof(float));
    for (int64_t i = 0; i < batch->n; i++)
        labels[i] = batch->targets ? batch->targets[i] : (float)batch->labels[i];
    hk_status status = hk_plan_forward(t->plan, batch->whole);
    if (status)
        return status;
    if (t->options.train->stream)
        t->right += right_answers(batch->n, hki_channels(&t->logits->shape),
                                  hk_plan_value(t->plan, t->logits), batch->labels);
    *loss = (double)*hk_plan_value(t->plan, t->loss);
    if (!isfinite(*loss))
        return hki_fail(HK_DIVERGED, "training diverged: the loss is %s in epoch %d, step %lld",
                        isnan(*loss) ? "not a number" : "infinite", t->epoch + 1,
                        (long long)(t->step % t->steps_per_epoch + 1));
    hki_train_hooks.after_forward(t, batch->n);
    status = hk_plan_backward(t->plan);
    if (status)
        return status;
    t->report.rate = hki_schedule_rate(&t->schedule, t->step, t->steps_per_epoch,
                                       t->steps_per_epoch * t->options.epochs);
    t->optimizer->measures = t->probe && (t->step + 1) % t->steps_per_epoch == 0;
    hk_optimizer_step(t->optimizer, t->plan, t->report.rate, t->options.clip);
    status = hki_train_hooks.after_step(t, *loss);
    t->step++;
    return status;
}

static hk_status report_progress(hk_trainer *t, int64_t done, double loss, double batch_loss,
                                 double began)
{
    int64_t n = hk_data_shape_of(t->options.train).n;
    double rate = (double)done / (hk_now() - began + 1e-9);
    int64_t left = n - done + n * (t->options.epochs - t->epoch - 1);
    hk_progress progress = {.epoch = t->epoch + 1,
                            .epochs = t->options.epochs,
                            .done = done,
                            .of = n,
                            .loss = loss,
                            .images_per_s = rate,
                            .seconds_left = (double)left / rate,
                            .batch_loss = batch_loss,
                            .rate = t->report.rate};
    if (t->options.progress && t->options.progress(&progress, t->options.user))
        return hki_fail(HK_STOPPED, "training was stopped in epoch %d", t->epoch + 1);
    return HK_OK;
}

static hk_status train_epoch(hk_trainer *t)
{
    double sum = 0, began = hk_now();
    int64_t done = 0;
    t->right = 0;
    hk_loader_start(t->loader, t->epoch);
    for (hk_batch batch; (batch = hk_loader_next(t->loader)).whole;) {
        double loss;
        hk_status status = train_batch(t, &batch, &loss);
        if (status)
            return status;
        sum += loss * (double)batch.whole;
        done += batch.whole;
        if ((status = report_progress(t, done, sum / (double)done, loss, began)))
            return status;
    }
    t->report.train_loss = sum / (double)done;
    if (t->options.train->stream)
        t->report.online_accuracy = (double)t->right / (double)done;
    t->report.images_per_s = (double)done / (hk_now() - began + 1e-9);
    return hki_train_hooks.after_epoch(t);
}

/* All samples, or n of them. */
static hk_status evaluate_set(hk_trainer *t, const hk_data *data, int64_t n, hk_metrics *out)
{
    hk_evaluation evaluation;
    memset(out, 0, sizeof *out);
    if (!data || !n)
        return HK_OK;
    n = hki_min(n, hk_data_shape_of(data).n);
    hk_status status = hki_evaluate_by(t->evaluation, t->logits, data, n, &evaluation);
    if (!status) {
        *out = evaluation.total;
        hk_evaluation_clear(&evaluation);
    }
    return status;
}

static hk_status report_layers(hk_trainer *t)
{
    if (!t->probe)
        return HK_OK;
    hk_status status = hki_probe_run(t->probe, t->input, probed_data(t), t->to_probe);
    t->report.probed = t->report.n_layers ? t->to_probe : 0;
    t->report.judged = t->report.n_layers ? t->to_judge : 0;
    for (int i = 0; i < t->report.n_layers; i++) { /* gradients are still those of the last step */
        hk_layer_report *layer = &t->layers[i];
        hki_probe_report(t->probe, i, layer);
        hk_tensor *weight = hki_layer_weight(t->logits->net, hki_probe_tensor(t->probe, i)->layer);
        layer->gradient_norm = weight ? hki_gradient_norm(weight) : 0;
        layer->update_ratio = weight ? hki_update_ratio(t->optimizer, weight) : 0;
    }
    hki_learning_restart(t->learning);
    if (!status)
        status = hki_learning_until(t->learning, t->to_judge);
    for (int i = 0; i < t->report.n_layers; i++)
        t->layers[i].dead = hki_not_learning(t->learning, hki_probe_tensor(t->probe, i));
    return status;
}

void hki_trainer_show_task(const hk_trainer *t, int epoch)
{
    const hk_data *const sets[] = {t->options.train, t->options.validation, t->options.test};
    for (int i = 0; i < 3; i++)
        if (sets[i])
            hki_data_show_task(sets[i], epoch);
}

/* ---- The loop ----------------------------------------------------------------------------------- */

hk_status hki_trainer_replan(hk_trainer *t)
{
    free_plans(t);
    hk_status status = hki_optimizer_refit(t->optimizer);
    if (!status)
        status = make_plans(t);
    if (!status)
        hki_plan_set_step(t->plan, (uint64_t)t->step);
    return status;
}

static hk_status run_epochs(hk_trainer *t)
{
    const hk_train_options *o = &t->options;
    double started = hk_now() - t->report.seconds;
    const int64_t validated = o->validation ? hk_data_shape_of(o->validation).n : 0;
    while (t->epoch < o->epochs &&
           !(o->patience && t->epoch - t->report.best.epoch >= o->patience)) {
        hki_trainer_show_task(t, t->epoch);
        hk_status status = hki_train_hooks.before_epoch(t);
        if (!status)
            status = train_epoch(t);
        if (!status)
            status = evaluate_set(t, o->train, validated, &t->report.training);
        if (!status)
            status = evaluate_set(t, o->validation, validated, &t->report.validation);
        if (!status)
            status = evaluate_set(t, o->test, INT64_MAX, &t->report.test);
        if (!status)
            status = report_layers(t);
        if (status)
            return status;
        t->report.epoch = ++t->epoch;
        t->report.seconds = hk_now() - started;
        hki_best_update(t);
        if (o->epoch && o->epoch(&t->report, o->user))
            return hki_fail(HK_STOPPED, "training was stopped after epoch %d", t->epoch);
    }
    return HK_OK;
}

hk_status hk_trainer_run(hk_trainer *t)
{
    if (hki_null(t))
        return HK_BAD_ARGUMENT;
    hki_best_show(t, false);
    hk_status status = run_epochs(t);
    hki_best_show(t, true);
    if (status || !t->shows_best || t->report.best.epoch == t->epoch)
        return status;
    status = report_layers(t);
    for (int i = 0; i < t->report.n_layers; i++) /* no step was taken with these values */
        t->layers[i].gradient_norm = t->layers[i].update_ratio = (double)NAN;
    return status;
}

hk_status hk_fit_with(hk_tensor *logits, hk_epoch_report *report, hk_train_options options)
{
    hk_trainer *trainer;
    if (hki_null(logits))
        return HK_BAD_ARGUMENT;
    hk_status status = hk_trainer_new(logits, &options, &trainer);
    if (!status)
        status = hk_trainer_run(trainer);
    if (!status && report) {
        *report = *hk_trainer_report(trainer);
        report->layers = NULL; /* they end with the trainer */
        report->n_layers = 0;
    }
    hk_trainer_free(trainer);
    return status;
}
