/* Requests, and reports of workers: what they must hold, and the way from records and back. */
#include "compare/message.h"

#include "compare/figures.h"

#include <math.h>
#include <string.h>

enum { MOST_LAYERS = 4096 };

#define INTEGER(its_name)                                                                          \
    {                                                                                              \
        .name = its_name, .form = FIGURE_INTEGER                                                   \
    }
#define REAL(its_name)                                                                             \
    {                                                                                              \
        .name = its_name, .form = FIGURE_REAL                                                      \
    }
#define TEXT(its_name)                                                                             \
    {                                                                                              \
        .name = its_name, .form = FIGURE_TEXT                                                      \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const figure progress[] = {
    INTEGER("epoch"), INTEGER("epochs"),    INTEGER("done"),      INTEGER("of"),
    REAL("loss"),     REAL("images_per_s"), REAL("seconds_left"), END};
static const figure failed[] = {TEXT("failure"), TEXT("reason"), END};
static const figure description[] = {TEXT("act"),
                                     TEXT("norm"),
                                     TEXT("init"),
                                     TEXT("plugins"),
                                     INTEGER("parameters"),
                                     INTEGER("multiply_adds"),
                                     END};
static const figure list[] = {TEXT("text"), END};

static bool has_layers(const json_t *report)
{
    const json_t *layers = json_object_get(report, "layers"), *it;
    size_t i;
    json_array_foreach(layers, i, it)
    {
        if (!compare_figures_fit(compare_layer_figures, it))
            return false;
    }
    return json_is_array(layers) && i <= MOST_LAYERS &&
           json_is_integer(json_object_get(report, "epoch"));
}

const char *compare_message_fault(const json_t *report)
{
    const struct {
        const char *type;
        const figure *figures;
    } reports[] = {{"progress", progress},          {"epoch", compare_epoch_figures},
                   {"result", compare_run_figures}, {"failed", failed},
                   {"description", description},    {"list", list}};
    const char *type = json_string_value(json_object_get(report, "type"));
    for (size_t i = 0; type && i < sizeof reports / sizeof *reports; i++)
        if (strcmp(type, reports[i].type) == 0)
            return compare_figures_fit(reports[i].figures, report) &&
                           (strcmp(type, "epoch") != 0 || has_layers(report))
                       ? NULL
                       : "malformed report: a field is missing or of another type";
    return "malformed report: unknown type";
}

int compare_message_request(pool *workers, int64_t id, const json_t *request)
{
    static const char *const words[] = {"hillock", "worker", NULL};
    static const char *const on_the_way[] = {"progress", "epoch", NULL};
    return worker_pool_start(workers, id,
                             &(pool_job){.words = words,
                                         .request = request,
                                         .reports = on_the_way,
                                         .answer = json_object_get(request, "images")
                                                       ? "description"
                                                   : json_object_get(request, "list") ? "list"
                                                                                      : "result",
                                         .fault = compare_message_fault});
}

double compare_message_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* ---- From and to records --------------------------------------------------------------------- */

json_t *compare_message_of_epoch(const epoch_record *epoch, bool histograms)
{
    json_t *layers = json_array();
    for (int i = 0; i < epoch->n_layers; i++) {
        layer_record layer = epoch->layers[i];
        if (!histograms || !isfinite(layer.low) || !isfinite(layer.high)) {
            layer.low = layer.high = (double)NAN;
            layer.histogram[0] = -1;
        }
        json_t *it = json_object();
        compare_figures_to_json(it, compare_layer_figures, &layer, FIGURES_ALL);
        json_array_append_new(layers, it);
    }
    json_t *it =
        json_pack("{s:s, s:i, s:o}", "type", "epoch", "epoch", epoch->epoch, "layers", layers);
    compare_figures_to_json(it, compare_epoch_figures, epoch, FIGURES_ALL);
    return it;
}

json_t *compare_message_of_run(const run_record *run)
{
    json_t *it = json_pack("{s:s}", "type", "result");
    compare_figures_to_json(it, compare_run_figures, run, FIGURES_ALL);
    return it;
}

bool compare_message_take_epoch(run_record *run, const json_t *report)
{
    size_t i;
    const json_t *layer;
    if (json_integer_value(json_object_get(report, "epoch")) != run->n_epochs + 1)
        return true;
    epoch_record *to = compare_run_add_epoch(run);
    if (!to)
        return false;
    to->epoch = run->n_epochs;
    compare_figures_from_json(compare_epoch_figures, report, to);
    json_array_foreach(json_object_get(report, "layers"), i, layer)
    {
        layer_record *next = compare_epoch_add_layer(to);
        if (!next)
            return false;
        compare_figures_from_json(compare_layer_figures, layer, next);
    }
    return true;
}

void compare_message_take_result(run_record *run, const json_t *report)
{
    run->state = RUN_OK;
    compare_figures_from_json(compare_run_figures, report, run);
}

bool compare_message_take_failure(run_record *run, const pool_event *event)
{
    const run_state state = event->kind == POOL_TIMEOUT ? RUN_TIMEOUT : RUN_FAILED;
    return compare_run_fail(run, state, event->failure, event->reason, event->last_lines);
}

bool compare_message_may_retry(const run_record *run, const pool_event *event)
{
    enum { MOST_ATTEMPTS = 3 };
    return strcmp(event->failure, "signal SIGKILL") == 0 && run->attempts < MOST_ATTEMPTS;
}
