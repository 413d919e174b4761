/* hillock worker: the hidden command that a pool executes. Reads one request from its channel,
 * trains, evaluates on the test set once, and reports; pool.h says what. */
#include "compare/worker.h"

#include "net/network.h"
#include "output.h"
#include "workers/process.h"
#include "page/text.h"
#include "net/summary.h"
#include "compare/describe.h"
#include "compare/message.h"
#include "workers/frame.h"
#include "compare/rate.h"
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct work {
    json_t *request;
    options asked; /* the same, as the command line would say it */
    hk_data *train, *validation, *test;
    network it;
    hk_recipe recipe;
    char optimizer[512];
    hk_trainer *trainer;
    double told;          /* when progress was, last */
    double train_seconds; /* of all epochs */
    bool unheard;         /* a report could not be sent */
} work;

/* ---- The request ----------------------------------------------------------------------------- */

static const char *text_of(const work *w, const char *name)
{
    return json_string_value(json_object_get(w->request, name));
}

static int64_t whole_of(const work *w, const char *name)
{
    return json_integer_value(json_object_get(w->request, name));
}

static double real_of(const work *w, const char *name)
{
    return json_number_value(json_object_get(w->request, name));
}

static bool flag_of(const work *w, const char *name)
{
    return json_is_true(json_object_get(w->request, name));
}

static json_t *read_request(void)
{
    frame_reader incoming = {0};
    const char *fault;
    json_t *request = NULL;
    while (!(request = worker_frame_take(&incoming, &fault)) && !fault)
        if (!worker_frame_read(&incoming, PROCESS_CHANNEL))
            break;
    worker_frame_reader_clear(&incoming);
    return request;
}

static void understand(work *w)
{
    w->asked = (options){.data = text_of(w, "data"),
                         .model = text_of(w, "model"),
                         .act = text_of(w, "act"),
                         .norm = text_of(w, "norm"),
                         .init = text_of(w, "init"),
                         .weight_norm = text_of(w, "weight_norm"),
                         .optimizer = text_of(w, "optimizer"),
                         .schedule = text_of(w, "schedule"),
                         .augment = text_of(w, "augment"),
                         .epochs = whole_of(w, "epochs"),
                         .batch = whole_of(w, "batch"),
                         .seed = whole_of(w, "seed"),
                         .clip = real_of(w, "clip"),
                         .smoothing = real_of(w, "smoothing")};
}

/* ---- Reports --------------------------------------------------------------------------------- */

static int report(work *w, json_t *message)
{
    w->unheard = !worker_frame_send(PROCESS_CHANNEL, message);
    json_decref(message);
    return w->unheard;
}

static const char *failure_class(hk_status status)
{
    static const char *const classes[HK_STATUS_COUNT] = {
        [HK_BAD_ARGUMENT] = "argument", [HK_UNKNOWN_NAME] = "name", [HK_BAD_SHAPE] = "shape",
        [HK_BAD_PLUGIN] = "plugin",     [HK_BAD_DATA] = "data",     [HK_IO] = "io",
        [HK_NO_MEMORY] = "memory",      [HK_DIVERGED] = "diverged"};
    return classes[status] ? classes[status] : "contract";
}

static int fails(work *w, const char *failure, const char *sentence)
{
    char *reason = page_text_plain(sentence);
    report(w, json_pack("{s:s, s:s, s:s}", "type", "failed", "failure", failure, "reason",
                        reason ? reason : ""));
    free(reason);
    return EXIT_FAILED;
}

static int tell_failure(work *w)
{
    return fails(w, failure_class(hk_last_status()), hk_message());
}

static int on_batch(const hk_progress *p, void *user)
{
    work *w = user;
    if (hk_now() - w->told < 0.1)
        return 0;
    w->told = hk_now();
    return report(w, json_pack("{s:s, s:i, s:i, s:I, s:I, s:o, s:o, s:o}", "type", "progress",
                               "epoch", p->epoch, "epochs", p->epochs, "done", (json_int_t)p->done,
                               "of", (json_int_t)p->of, "loss", tool_json_number(p->loss),
                               "images_per_s", tool_json_number(p->images_per_s), "seconds_left",
                               tool_json_number(p->seconds_left)));
}

static int on_epoch(const hk_epoch_report *r, void *user)
{
    work *w = user;
    const int epochs = w->recipe.epochs;
    const epoch_record epoch = net_summary_epoch(r, hk_data_shape_of(w->train).n);
    const bool histograms = r->epoch == 1 || r->epoch == (epochs + 1) / 2 || r->epoch == epochs;
    w->train_seconds += epoch.seconds;
    return report(w, compare_message_of_epoch(&epoch, histograms));
}

/* ---- The work -------------------------------------------------------------------------------- */

static hk_status load_plugins(const work *w)
{
    size_t i;
    const json_t *path;
    hk_status status = HK_OK;
    json_array_foreach(json_object_get(w->request, "plugins"), i, path)
    {
        const char *text = json_string_value(path);
        if (status == HK_OK && text)
            status = hk_plugin_load(text);
    }
    return status;
}

static int open_sets(work *w)
{
    const double share = real_of(w, "validation");
    int status = net_open_data(&w->asked, &w->train, &w->test);
    if (!status && share > 0 &&
        hk_data_split(w->train, share, (uint64_t)w->asked.seed, &w->validation) != HK_OK)
        status = EXIT_FAILED;
    return status;
}

static int build(work *w)
{
    hk_net_options choices;
    int status = net_choices(&w->asked, NULL, NULL, &choices);
    if (!status)
        status = net_new(w->asked.model ? w->asked.model : "lenet5", choices,
                         hk_data_shape_of(w->train), &w->it);
    return status;
}

static hk_status prepare(work *w)
{
    const double rate = compare_message_number(w->request, "rate");
    w->recipe = net_choose_recipe(&w->asked, w->it.model, w->train);
    if (!isnan(rate)) {
        compare_rate_put(w->recipe.optimizer, rate, w->optimizer, sizeof w->optimizer);
        w->recipe.optimizer = w->optimizer;
    }
    hk_train_options how = net_train_options(&w->asked, &w->recipe, w->asked.seed);
    how.train = w->train;
    how.validation = w->validation;
    how.no_probes = !flag_of(w, "probes");
    how.progress = on_batch;
    how.epoch = on_epoch;
    how.user = w;
    return hk_trainer_new(w->it.logits, &how, &w->trainer);
}

/* The only look at the test set. */
static int finish(work *w)
{
    const double none = (double)NAN;
    const hk_epoch_report *last = hk_trainer_report(w->trainer);
    run_record run = {.test_loss = none, .test_accuracy = none, .test_macro_f1 = none};
    if (flag_of(w, "test")) {
        hk_evaluation evaluation;
        if (hk_evaluate(w->it.logits, w->test, &evaluation) != HK_OK)
            return tell_failure(w);
        run.test_loss = evaluation.total.loss;
        run.test_accuracy = evaluation.total.accuracy;
        run.test_macro_f1 = evaluation.total.macro_f1;
        hk_evaluation_clear(&evaluation);
        if (!isfinite(run.test_loss))
            return fails(w, "diverged", "the loss on the test set is not finite");
    }
    run.seconds = last->seconds;
    run.images_per_s = (double)hk_data_shape_of(w->train).n * last->epoch / w->train_seconds;
    run.peak_mib = worker_process_memory("VmHWM:");
    hk_net_digest(w->it.net, run.digest);
    if (!*run.digest)
        return tell_failure(w);
    return report(w, compare_message_of_run(&run)) ? EXIT_IO : EXIT_DONE;
}

/* Questions about a row, or about a list, before anything is trained. */
static int answer(work *w, const json_t *images)
{
    json_t *found = NULL;
    hk_data_shape shape = {.n = 1};
    hk_status status = HK_OK;
    if (!images)
        status = compare_describe_list((hk_kind)whole_of(w, "kind"), text_of(w, "list"), &found);
    else if (json_unpack((json_t *)images, "[i, i, i, i]", &shape.height, &shape.width,
                         &shape.channels, &shape.classes) == 0)
        status = compare_describe_row(&w->asked, shape, &found);
    return status || !found ? tell_failure(w) : report(w, found) ? EXIT_IO : EXIT_DONE;
}

static int carry_out(work *w)
{
    const json_t *images = json_object_get(w->request, "images");
    hk_set_threads((int)whole_of(w, "threads"));
    if (load_plugins(w) != HK_OK)
        return tell_failure(w);
    if (images || text_of(w, "list"))
        return answer(w, images);
    if (open_sets(w) || build(w) || prepare(w) != HK_OK)
        return tell_failure(w);
    const hk_status status = hk_trainer_run(w->trainer);
    if (w->unheard)
        return EXIT_IO;
    return status == HK_OK ? finish(w) : tell_failure(w);
}

/* What a plugin printed must not decide how the worker ends. */
static void forget_output(void)
{
    fflush(stdout);
    if (!freopen("/dev/null", "w", stdout))
        clearerr(stdout);
}

int compare_worker_run(options *given)
{
    work w = {.request = NULL};
    (void)given;
    fcntl(PROCESS_CHANNEL, F_SETFD, FD_CLOEXEC); /* it is not for what a plugin starts */
    w.request = read_request();
    if (!w.request)
        return tool_fail(EXIT_USAGE, "worker: is started by hillock compare, not by hand");
    understand(&w);
    const int status = carry_out(&w);
    hk_trainer_free(w.trainer);
    net_free(&w.it);
    hk_data_free(w.train);
    hk_data_free(w.validation);
    hk_data_free(w.test);
    json_decref(w.request);
    forget_output();
    return status;
}
