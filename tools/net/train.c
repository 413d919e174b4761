/* hillock train: one model on one data set, from the recipe to the report. */
#include "net/find_rate.h"
#include "net/network.h"
#include "net/summary.h"
#include "net/doctor.h"
#include "net/events.h"
#include "net/record.h"
#include "net/team.h"

#include "compare/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct training {
    const options *given;
    const char *file; /* --from or --resume */
    hk_saved saved;
    hk_net_options choices;
    hk_data *train, *test, *validation;
    network it;
    hk_recipe recipe;
    hk_trainer *trainer;
    json_t *history;       /* of --json: an object for each epoch */
    int epochs;            /* that this command has trained */
    json_t *treated;       /* what was done before this one; NULL: nothing */
    double *class_weights; /* NULL: none */
    double held_out;       /* share of the training data for validation, 0: none */
    bool keeps_best;
    net_events *events;  /* --tensorboard; NULL: none */
    net_record *record;  /* --db; NULL: none */
    const hk_team *team; /* who trains with this process; NULL: nobody */
    int save_status;     /* of the last --out */
    FILE *to;            /* where tables go: not to standard output when it holds JSON */
} training;

/* A tensor of --from that does not fit: said for the first few. */
typedef struct anew {
    const char *file;
    int count;
} anew;
enum { MOST_ANEW = 8 };

static void note_anew(const char *tensor, const char *reason, void *user)
{
    anew *seen = user;
    if (seen->count++ < MOST_ANEW)
        tool_note("%s: %s %s", seen->file, tensor, reason);
}

static int start_from(const training *t)
{
    anew seen = {t->given->from, 0};
    int fitting;
    if (hk_net_load_fitting(t->it.net, t->given->from, &fitting, note_anew, &seen) != HK_OK)
        return tool_failed();
    if (seen.count > MOST_ANEW)
        tool_note("%s: and %d more tensors", t->given->from, seen.count - MOST_ANEW);
    if (seen.count)
        tool_note("%s: %d tensors fit and were taken", t->given->from, fitting);
    return EXIT_DONE;
}

static int check_resumed(const training *t)
{
    const hk_plugin *model;
    char saved[HK_MAX_SPEC];
    if (!*t->saved.model ||
        (hk_model_find(t->saved.model, &model, saved) == HK_OK && strcmp(saved, t->it.spec) == 0))
        return EXIT_DONE;
    return tool_fail(EXIT_USAGE, "%s: training of %s cannot be resumed as %s", t->file,
                     t->saved.model, t->it.spec);
}

static int build(training *t)
{
    int status = net_choices(t->given, t->file, &t->saved, &t->choices);
    t->choices.most_floats = 0; /* the model is given, and may be larger than what it starts from */
    if (status)
        return status;
    status = net_new(t->given->operands[0], t->choices, hk_data_shape_of(t->train), &t->it);
    if (status)
        return status;
    if (t->given->resume && (status = check_resumed(t)))
        return status;
    if (t->given->from && (status = start_from(t)))
        return status;
    if (t->given->freeze && hk_net_freeze(t->it.net, t->given->freeze) != HK_OK)
        return tool_failed();
    const char *remedy = net_norm_remedy(t->it.model);
    if (t->given->norm && !hk_net_has_norm(t->it.net))
        tool_note("model %s has no normalization layers%s: --norm %s changes nothing", t->it.spec,
                  remedy, t->given->norm);
    t->recipe = net_choose_recipe(t->given, t->it.model, hk_data_spec(t->train),
                                  hk_data_shape_of(t->train).n);
    if (t->given->resume && t->recipe.epochs <= t->saved.epochs)
        t->recipe.epochs += t->saved.epochs; /* all done already: that many more */
    return EXIT_DONE;
}

static void print_start(const training *t)
{
    hk_data_shape images = hk_data_shape_of(t->train);
    fprintf(t->to, "%s: %s parameters, ", t->it.spec, tool_grouped(hk_net_parameters(t->it.net)));
    const hk_net_options *of = &t->choices;
    char *running = net_running_activation(t->it.net);
    const char *const plugins[] = {
        running,
        !hk_net_has_norm(t->it.net) ? NULL
        : of->normalization         ? of->normalization
                                    : "batch_norm",
        of->weight_norm,
        of->initializer ? of->initializer : "he_normal",
    };
    for (int i = 0; i < 4; i++)
        if (plugins[i]) {
            tool_put_text(t->to, plugins[i]);
            fputs(i < 3 ? ", " : "\ndata: ", t->to);
        }
    free(running);
    tool_put_text(t->to, hk_data_spec(t->train));
    fprintf(t->to, ", %s images of %d x %d x %d", tool_grouped(images.n), images.height,
            images.width, images.channels);
    if (!hk_data_is_regression(t->train))
        fprintf(t->to, " in %d classes", images.classes);
    fprintf(t->to, ", %s for validation, %s for the test\n",
            tool_grouped(t->validation ? hk_data_shape_of(t->validation).n : 0),
            tool_grouped(hk_data_shape_of(t->test).n));
    if (t->validation && !(t->given->val > 0))
        fprintf(t->to, "validation: %g of the training data, by default for --%s\n", t->held_out,
                t->keeps_best ? "keep best" : "patience");
    if (t->given->stream)
        fprintf(t->to, "stream: %s, a task an epoch\n", t->given->stream);
    if (*hk_data_about(t->train)) {
        fputs("read: ", t->to);
        tool_put_text(t->to, hk_data_about(t->train));
        fputc('\n', t->to);
    }
    fprintf(t->to, "recipe: %s, %s, augmentation %s, batches of %d, %s, seed %lld\n",
            t->recipe.optimizer, t->recipe.schedule, t->recipe.augment, t->recipe.batch,
            tool_counted(t->recipe.epochs, "epoch"), (long long)t->given->seed);
    if (t->given->parts > 1)
        fprintf(t->to, "batches in %lld parts on %d process%s%s\n", (long long)t->given->parts,
                t->team ? t->team->ranks : 1, t->team ? "es" : "",
                t->given->no_sync_norm ? ", normalized each for itself" : "");
    if (t->recipe.is_adapted && !t->given->epochs)
        fprintf(t->to, "%s samples: batch %d, %s: %d steps at least\n", tool_grouped(images.n),
                t->recipe.batch, tool_counted(t->recipe.epochs, "epoch"), t->recipe.least_steps);
    else if (t->recipe.is_adapted && !t->given->batch)
        fprintf(t->to, "%s samples: batch %d\n", tool_grouped(images.n), t->recipe.batch);
    for (int i = 0; t->class_weights && i < images.classes; i++) {
        fputs(i ? ", " : "class weights: ", t->to);
        tool_put_text(t->to, hk_data_class_name(t->train, i));
        fprintf(t->to, " %.4g%s", t->class_weights[i], i + 1 < images.classes ? "" : "\n");
    }
    fprintf(t->to, "memory: %.1f MiB for the buffers of a step\n",
            (double)hk_trainer_arena(t->trainer) / (1024 * 1024));
    fflush(t->to);
}

/* Without a validation set its figures are absent. */
static json_t *epoch_json(const training *t, const hk_epoch_report *r)
{
    const epoch_record measured = net_summary_epoch(r, hk_data_shape_of(t->train).n);
    json_t *row = json_pack("{s:i}", "epoch", r->epoch), *value;
    const char *name;
    void *next;
    compare_figures_to_json(row, compare_epoch_figures, &measured, FIGURES_REPORTED);
    json_object_foreach_safe(row, next, name, value)
    {
        if (json_is_null(value))
            json_object_del(row, name);
    }
    json_object_update_new(
        row, json_pack("{s:o, s:o, s:I, s:o}", "rate", tool_json_number(r->rate), "seconds",
                       tool_json_number(r->seconds), /* since training began */
                       "probed", (json_int_t)r->probed, "layers", net_summary_layers_json(r)));
    return row;
}

static int after_epoch(const hk_epoch_report *r, void *user)
{
    training *t = user;
    tool_progress_clear();
    fprintf(t->to, "\n%s %d/%d: loss %.4f", t->given->stream ? "task" : "epoch", r->epoch,
            t->recipe.epochs, r->train_loss);
    if (t->given->stream)
        fprintf(t->to, ", online accuracy %.2f %%, effective rank %.1f, mean |w| %.4g",
                100 * r->online_accuracy, r->effective_rank, r->weight_magnitude);
    if (r->validation.n) {
        fputs(", validation ", t->to);
        net_summary_metrics(t->to, &r->validation);
    }
    fprintf(t->to, ", %s images/s, %.1f s\n", tool_grouped((int64_t)r->images_per_s), r->seconds);
    net_summary_layers(t->to, r);
    fflush(t->to);
    if (t->events)
        net_events_epoch(t->events, r);
    const bool histograms =
        r->epoch == 1 || r->epoch == (t->recipe.epochs + 1) / 2 || r->epoch == t->recipe.epochs;
    if (t->record && !t->save_status)
        t->save_status = net_record_epoch(t->record, r, hk_data_shape_of(t->train).n, histograms);
    json_t *row = t->given->json ? epoch_json(t, r) : NULL;
    if (row && t->treated)
        json_object_set(row, "treated", t->treated);
    if (row)
        json_array_append_new(t->history, row);
    json_decref(t->treated);
    t->treated = NULL;
    t->epochs++;
    if (t->given->out && hk_trainer_save(t->trainer, t->given->out, t->it.spec) != HK_OK)
        t->save_status = tool_failed();
    return t->save_status || r->epoch == t->given->stop || tool_progress_interrupted();
}

static int before_epoch(const hk_treatment *done, int epoch, void *user)
{
    training *t = user;
    tool_progress_clear();
    fprintf(t->to, "\nbefore epoch %d: %s: %s of %s dead units treated (%s inputs)\n", epoch,
            t->given->doctor, tool_grouped(done->treated), tool_grouped(done->dead),
            tool_grouped(done->inputs));
    net_treat_print(t->to, done);
    fflush(t->to);
    json_decref(t->treated);
    t->treated = net_treat_json(done);
    return tool_progress_interrupted();
}

/* The trainer checks the recipe. It is not given the test set, which is measured once, at the end. */
static int run_epochs(training *t)
{
    hk_train_options how = net_train_options(t->given, &t->recipe, t->given->seed);
    how.train = t->train;
    how.validation = t->validation;
    how.class_weights = t->class_weights;
    how.patience = (int)t->given->patience;
    how.keep_best = t->keeps_best;
    how.epoch = after_epoch;
    how.treated = before_epoch;
    how.no_probes = t->given->no_probes;
    how.parts = (int)t->given->parts;
    how.team = t->team;
    how.own_statistics = t->given->no_sync_norm;
    how.user = t;
    if (hk_trainer_new(t->it.logits, &how, &t->trainer) != HK_OK)
        return tool_failed();
    if (t->given->resume && hk_trainer_resume(t->trainer, t->given->resume) != HK_OK)
        return tool_failed();
    print_start(t);
    tool_progress_start();
    hk_status status = hk_trainer_run(t->trainer);
    tool_progress_clear();
    if (t->save_status)
        return t->save_status;
    if (tool_progress_interrupted() && t->given->out && t->epochs)
        return tool_fail(EXIT_INTERRUPTED, "train: interrupted; continue with --resume %s",
                         t->given->out);
    if (tool_progress_interrupted())
        return tool_fail(EXIT_INTERRUPTED, "train: interrupted; nothing was saved");
    return status == HK_OK || status == HK_STOPPED ? EXIT_DONE : tool_failed();
}

static hk_metrics best_metrics(const training *t)
{
    const hk_best_epoch *best = &hk_trainer_report(t->trainer)->best;
    return (hk_metrics){.loss = best->loss,
                        .accuracy = best->score,
                        .r2 = best->score,
                        .regression = hk_data_is_regression(t->train)};
}

/* What this run wrote; -1: nothing. */
static int64_t bytes_written(const training *t)
{
    struct stat found;
    const bool wrote = t->given->out && t->epochs;
    return wrote && stat(t->given->out, &found) == 0 ? (int64_t)found.st_size : -1;
}

static json_t *result_json(const training *t, const hk_evaluation *evaluation, const char *digest)
{
    const hk_epoch_report *last = hk_trainer_report(t->trainer);
    const hk_best_epoch *best = &last->best;
    hk_metrics figures = last->validation; /* of the epoch whose net this is */
    if (t->keeps_best)
        figures = best_metrics(t);
    else if (!figures.n) /* resumed, with no epoch left to train */
        figures.loss = figures.accuracy = (double)NAN;
    const bool regression = hk_data_is_regression(t->train);
    json_t *result = json_pack(
        "{s:s, s:s, s:o, s:I, s:s, s:s, s:s, s:i, s:I, s:i, s:o}", "model", t->it.spec,
        "activation", hk_net_activation(t->it.net), "data", tool_json_text(hk_data_spec(t->train)),
        "parameters", (json_int_t)hk_net_parameters(t->it.net), "optimizer", t->recipe.optimizer,
        "schedule", t->recipe.schedule, "augment", t->recipe.augment, "batch", t->recipe.batch,
        "seed", (json_int_t)t->given->seed, "epochs", last->epoch, "train_loss",
        tool_json_number(t->keeps_best ? best->train_loss : last->train_loss));
    json_t *weights = t->class_weights ? json_array() : NULL;
    for (int i = 0; weights && i < hk_data_shape_of(t->train).classes; i++)
        json_array_append_new(weights, tool_json_number(t->class_weights[i]));
    if (weights)
        json_object_set_new(result, "class_weights", weights);
    if (t->given->parts > 1)
        json_object_set_new(result, "parts", json_integer(t->given->parts));
    if (t->given->stream)
        json_object_set_new(result, "stream", tool_json_text(t->given->stream));
    if (t->validation)
        json_object_update_new(
            result, json_pack("{s:f, s:I, s:i, s:s, s:o, s:o}", "validation", t->held_out,
                              "patience", (json_int_t)t->given->patience, "best_epoch", best->epoch,
                              "keep", t->keeps_best ? "best" : "last", "validation_loss",
                              tool_json_number(figures.loss),
                              regression ? "validation_r2" : "validation_accuracy",
                              tool_json_number(regression ? figures.r2 : figures.accuracy)));
    net_summary_evaluation_json(result, t->it.logits, t->test, evaluation);
    json_object_update_new(result, json_pack("{s:o, s:o, s:I, s:s, s:I, s:o, s:O}", "images_per_s",
                                             tool_json_number(last->images_per_s), "seconds",
                                             tool_json_number(last->seconds), "memory",
                                             (json_int_t)hk_trainer_arena(t->trainer), "digest",
                                             digest, "probed", (json_int_t)last->probed, "layers",
                                             net_summary_layers_json(last), "history", t->history));
    if (bytes_written(t) >= 0)
        json_object_set_new(result, "wrote",
                            json_pack("{s:o, s:I}", "file", tool_json_text(t->given->out), "bytes",
                                      (json_int_t)bytes_written(t)));
    return result;
}

/* Why training ended, and which epoch's net this is. */
static void print_best(const training *t)
{
    const hk_epoch_report *last = hk_trainer_report(t->trainer);
    const hk_best_epoch *best = &last->best;
    if (!t->validation || !best->epoch)
        return;
    if (t->given->patience && last->epoch - best->epoch >= t->given->patience)
        fprintf(t->to, "\nended after epoch %d of %d: %s without a better validation %s",
                last->epoch, t->recipe.epochs, tool_counted(t->given->patience, "epoch"),
                hk_data_is_regression(t->train) ? "R2" : "accuracy");
    const hk_metrics figures = best_metrics(t);
    fprintf(t->to, "\nbest epoch %d of %d: validation ", best->epoch, last->epoch);
    net_summary_metrics(t->to, &figures);
    fprintf(t->to, "; this is the net of epoch %d\n", t->keeps_best ? best->epoch : last->epoch);
}

static int finish(training *t)
{
    char digest[65];
    hk_evaluation evaluation;
    if (hk_evaluate(t->it.logits, t->test, &evaluation) != HK_OK)
        return tool_failed();
    hk_net_digest(t->it.net, digest);
    int status = EXIT_DONE;
    if (t->events)
        net_events_test(t->events, hk_trainer_report(t->trainer)->epoch, &evaluation.total);
    print_best(t);
    if (t->given->json) {
        status = tool_json_print(result_json(t, &evaluation, digest));
    } else {
        net_summary_evaluation(t->to, t->test, &evaluation);
        fprintf(t->to, "digest %s\n", digest);
        if (bytes_written(t) >= 0)
            fprintf(t->to, "wrote %s, %s bytes\n", t->given->out, tool_grouped(bytes_written(t)));
    }
    net_summary_constant(t->it.logits, t->test, &evaluation.total);
    if (t->record && !status)
        status = net_record_write(t->record, &(net_recorded){.given = t->given,
                                                             .net = &t->it,
                                                             .train = t->train,
                                                             .test = t->test,
                                                             .recipe = &t->recipe,
                                                             .evaluation = &evaluation,
                                                             .last = hk_trainer_report(t->trainer),
                                                             .digest = digest});
    hk_evaluation_clear(&evaluation);
    return status;
}

/* Opens the data; --patience and --keep best hold out a share of them where --val does not. */
static int open_data(training *t)
{
    const options *given = t->given;
    const char *const known[] = {"best", "last"};
    t->keeps_best = given->keep && strcmp(given->keep, "best") == 0;
    if (given->keep && !t->keeps_best && strcmp(given->keep, "last") != 0)
        return tool_fail(EXIT_USAGE, "train: --keep is \"%s\"%s", given->keep,
                         tool_known(given->keep, known, 2));
    if (t->keeps_best && given->doctor)
        return tool_fail(EXIT_USAGE, "train: --keep best and --doctor exclude each other: a "
                                     "treatment may change what the net consists of");
    t->held_out = given->val > 0 ? given->val : given->patience || t->keeps_best ? 0.1 : 0;
    int status = net_open_data(given, &t->train, &t->test);
    if (!status && t->held_out > 0 &&
        hk_data_split(t->train, t->held_out, (uint64_t)given->seed, &t->validation) != HK_OK)
        status = tool_failed();
    if (!status)
        status = net_open_stream(given, t->train, t->validation, t->test);
    return status ? status : net_class_weights(given->class_weights, t->train, &t->class_weights);
}

static int train(training *t)
{
    int status =
        t->given->tensorboard ? net_events_open(t->given->tensorboard, &t->events) : EXIT_DONE;
    if (!status && t->given->db)
        status = net_record_open(t->given->db, &t->record);
    if (!status)
        status = run_epochs(t);
    if (!status)
        status = finish(t);
    net_record_close(t->record);
    const int closed = net_events_close(t->events);
    return status ? status : closed;
}

/* Options that a range test has no use for. */
static int check_find_rate(const options *given)
{
    const struct {
        const char *name;
        bool is_given;
    } others[] = {{"--out", given->out},
                  {"--resume", given->resume},
                  {"--doctor", given->doctor},
                  {"--keep", given->keep},
                  {"--patience", given->patience},
                  {"--schedule", given->schedule},
                  {"--epochs", given->epochs},
                  {"--stop", given->stop},
                  {"--tensorboard", given->tensorboard},
                  {"--db", given->db},
                  {"--stream", given->stream}};
    if (given->report && !given->find_rate)
        return tool_fail(EXIT_USAGE, "train: --report goes with --find-rate");
    for (size_t i = 0; given->find_rate && i < sizeof others / sizeof *others; i++)
        if (others[i].is_given)
            return tool_fail(EXIT_USAGE,
                             "train: --find-rate and %s exclude each other: it tries rates for a "
                             "few batches, and keeps no net",
                             others[i].name);
    return EXIT_DONE;
}

int net_train_command(options *given)
{
    training t = {.given = given,
                  .file = given->resume ? given->resume : given->from,
                  .history = json_array()};
    int status;
    status = net_team_open(given, &t.team);
    t.to = given->json ? stderr : stdout;
    if (!status && given->from && given->resume)
        status = tool_fail(EXIT_USAGE, "train: --from and --resume exclude each other");
    if (!status && given->name && !given->db)
        status = tool_fail(EXIT_USAGE, "train: --name goes with --db");
    if (!status)
        status = check_find_rate(given);
    if (!status)
        status = net_take_stream(given);
    if (!status)
        status = open_data(&t);
    if (!status)
        status = build(&t);
    if (!status && given->find_rate)
        status = net_find_rate(given, &t.it, &t.recipe, t.train, t.class_weights);
    else if (!status)
        status = train(&t);
    hk_trainer_free(t.trainer);
    net_free(&t.it);
    hk_data_free(t.train);
    hk_data_free(t.test);
    hk_data_free(t.validation);
    free(t.class_weights);
    json_decref(t.history);
    json_decref(t.treated);
    net_team_close(status);
    return status;
}
