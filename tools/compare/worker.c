/* hillock worker: the hidden command that a pool executes. Reads one request from its channel,
 * trains, evaluates on the test set once, and reports; workers/pool.h says what. */
#include "compare/worker.h"
#include "net/network.h"
#include "output.h"
#include "workers/process.h"
#include "page/text.h"
#include "net/summary.h"
#include "compare/describe.h"
#include "compare/figures.h"
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
    run_record run;
    double reported;      /* when progress was, last */
    double train_seconds; /* of all epochs */
    bool send_failed;     /* a report could not be sent */
} work;

static const char *text_of(const work *w, const char *name)
{
    return json_string_value(json_object_get(w->request, name));
}

static bool flag_of(const work *w, const char *name)
{
    return json_is_true(json_object_get(w->request, name));
}

/* ---- Reports --------------------------------------------------------------------------------- */

static int report(work *w, json_t *message)
{
    w->send_failed = !worker_frame_send(PROCESS_CHANNEL, message);
    json_decref(message);
    return w->send_failed;
}

static int fails(work *w, const char *failure, const char *sentence)
{
    char *reason = page_text_plain(sentence);
    report(w, json_pack("{s:s, s:s, s:s}", "type", "failed", "failure", failure, "reason",
                        reason ? reason : ""));
    free(reason);
    return EXIT_FAILED;
}

static int fails_with_last(work *w)
{
    static const char *const classes[HK_STATUS_COUNT] = {
        [HK_BAD_ARGUMENT] = "argument", [HK_UNKNOWN_NAME] = "name", [HK_BAD_SHAPE] = "shape",
        [HK_BAD_PLUGIN] = "plugin",     [HK_BAD_DATA] = "data",     [HK_IO] = "io",
        [HK_NO_MEMORY] = "memory",      [HK_DIVERGED] = "diverged"};
    const char *failure = classes[hk_last_status()];
    return fails(w, failure ? failure : "contract", hk_message());
}

static int on_batch(const hk_progress *p, void *user)
{
    work *w = user;
    if (hk_now() - w->reported < 0.1)
        return 0;
    w->reported = hk_now();
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
    epoch_record *kept = compare_run_add_epoch(&w->run);
    if (kept)
        kept->online_accuracy = epoch.online_accuracy;
    return report(w, compare_message_of_epoch(&epoch, histograms));
}

/* ---- The work -------------------------------------------------------------------------------- */

/* Says that this model's code runs; NULL: no more. */
static void enter_model(work *w, const char *model)
{
    char text[128] = "";
    if (model)
        snprintf(text, sizeof text, "model %.100s was built", model);
    char *plain = page_text_plain(text);
    report(w, json_pack("{s:s, s:s}", "type", "stage", "text", plain ? plain : ""));
    free(plain);
}

/* The net, in two stages: what goes wrong while the plugins of its layers are loaded is no fault of the
 * model's, what goes wrong later is. 0, or a failure that the library tells. */
static int make_net(work *w, hk_data_shape images)
{
    hk_net_options choices;
    const char *model = w->asked.model ? w->asked.model : "lenet5";
    if (net_choices(&w->asked, NULL, NULL, &choices))
        return EXIT_FAILED;
    hk_net *layers = hk_net_create(choices);
    hk_net_free(layers);
    if (!layers)
        return EXIT_FAILED;
    enter_model(w, model);
    const int status = net_new(model, choices, images, &w->it);
    enter_model(w, NULL);
    return status;
}

/* From the data to the trainer; 0, or a failure that the library tells. */
static int prepare(work *w)
{
    const double rate = compare_message_number(w->request, "rate");
    if (net_open_data(&w->asked, &w->train, &w->test) ||
        (w->asked.val > 0 &&
         hk_data_split(w->train, w->asked.val, (uint64_t)w->asked.seed, &w->validation)) ||
        net_open_stream(&w->asked, w->train, w->validation, w->test) ||
        make_net(w, hk_data_shape_of(w->train)))
        return EXIT_FAILED;
    w->recipe = net_choose_recipe(&w->asked, w->it.model, hk_data_spec(w->train),
                                  hk_data_shape_of(w->train).n);
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
    return hk_trainer_new(w->it.logits, &how, &w->trainer) != HK_OK;
}

/* The net in whole steps, by its training data, on the test set. */
static hk_status quantise(work *w, run_record *run)
{
    hk_quantisation *of = NULL;
    hk_evaluation evaluation = {0};
    hk_status status = hk_quantise(w->it.logits, w->train, w->asked.quantise, &of);
    if (!status)
        status = hk_evaluate(w->it.logits, w->test, &evaluation);
    if (!status) {
        const hk_metrics *m = &evaluation.total;
        run->quantised_score = m->regression ? m->r2 : m->accuracy;
        run->quantised_constant = of->units ? (double)of->constant / (double)of->units : 0;
    }
    hk_evaluation_clear(&evaluation);
    hk_quantisation_free(of);
    return status;
}

/* The only look at the test set. */
static int finish(work *w)
{
    const hk_epoch_report *last = hk_trainer_report(w->trainer);
    run_record *run = &w->run;
    compare_figures_clear(compare_run_figures, run);
    compare_run_take_stream(run);
    if (flag_of(w, "test")) {
        hk_evaluation evaluation;
        if (hk_evaluate(w->it.logits, w->test, &evaluation) != HK_OK)
            return fails_with_last(w);
        if (net_summary_run(w->it.logits, w->test, &evaluation, run) != HK_OK)
            return fails_with_last(w);
        hk_evaluation_clear(&evaluation);
        if (!isfinite(run->test_loss))
            return fails(w, "diverged", "the loss on the test set is not finite");
    }
    run->seconds = last->seconds;
    run->images_per_s = (double)hk_data_shape_of(w->train).n * last->epoch / w->train_seconds;
    run->peak_mib = worker_process_memory("VmHWM:");
    hk_net_digest(w->it.net, run->digest);
    if (!*run->digest || (w->asked.quantise && flag_of(w, "test") && quantise(w, run)))
        return fails_with_last(w);
    return report(w, compare_message_of_run(run)) ? EXIT_IO : EXIT_DONE;
}

/* Questions about a row, or about a list, before anything is trained. */
static int answer(work *w, const json_t *images)
{
    json_t *found = NULL;
    hk_data_shape shape = {.n = json_integer_value(json_object_get(w->request, "samples"))};
    hk_status status = HK_OK;
    if (!images)
        status =
            compare_describe_list((hk_kind)json_integer_value(json_object_get(w->request, "kind")),
                                  text_of(w, "list"), &found);
    else if (json_unpack((json_t *)images, "[i, i, i, i]", &shape.height, &shape.width,
                         &shape.channels, &shape.classes) == 0)
        status = make_net(w, shape) ? hk_last_status()
                                    : compare_describe_row(&w->asked, &w->it, shape, &found);
    return status || !found ? fails_with_last(w) : report(w, found) ? EXIT_IO : EXIT_DONE;
}

static int run_request(work *w)
{
    size_t i;
    const json_t *images = json_object_get(w->request, "images"), *path;
    hk_set_threads((int)json_integer_value(json_object_get(w->request, "threads")));
    json_array_foreach(json_object_get(w->request, "plugins"), i, path)
    {
        const char *text = json_string_value(path);
        if (text && hk_plugin_load(text) != HK_OK)
            return fails_with_last(w);
    }
    if (images || text_of(w, "list"))
        return answer(w, images);
    if (prepare(w))
        return fails_with_last(w);
    const hk_status status = hk_trainer_run(w->trainer);
    if (w->send_failed)
        return EXIT_IO;
    return status == HK_OK ? finish(w) : fails_with_last(w);
}

int compare_worker_run(options *given)
{
    work w = {.request = NULL};
    frame_reader incoming = {0};
    const char *fault;
    (void)given;
    fcntl(PROCESS_CHANNEL, F_SETFD, FD_CLOEXEC); /* it is not for what a plugin starts */
    while (!(w.request = worker_frame_take(&incoming, &fault)) && !fault)
        if (!worker_frame_read(&incoming, PROCESS_CHANNEL))
            break;
    worker_frame_reader_clear(&incoming);
    if (!w.request)
        return tool_fail(EXIT_USAGE, "worker: is started by hillock compare, not by hand");
    w.asked = compare_message_take_options(w.request);
    const int status = run_request(&w);
    hk_trainer_free(w.trainer);
    net_free(&w.it);
    compare_run_clear(&w.run);
    hk_data_free(w.train);
    hk_data_free(w.validation);
    hk_data_free(w.test);
    json_decref(w.request);
    fflush(stdout); /* what a plugin printed must not decide how the worker ends */
    if (!freopen("/dev/null", "w", stdout))
        clearerr(stdout);
    return status;
}
