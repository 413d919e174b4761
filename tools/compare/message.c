/* Requests, and reports of workers: what they must hold, and the way from records and back. */
#include "compare/message.h"
#include "compare/figures.h"
#include "output.h"

#include <math.h>
#include <string.h>

enum { MOST_LAYERS = 4096 };

#define FIELD(its_name, its_form)                                                                  \
    {                                                                                              \
        .name = its_name, .form = FIGURE_##its_form                                                \
    }

static const figure progress[] = {
    FIELD("epoch", INTEGER),     FIELD("epochs", INTEGER), FIELD("done", INTEGER),
    FIELD("of", INTEGER),        FIELD("loss", REAL),      FIELD("images_per_s", REAL),
    FIELD("seconds_left", REAL), {.name = NULL},
};
static const figure failed[] = {FIELD("failure", TEXT), FIELD("reason", TEXT), {.name = NULL}};
static const figure description[] = {
    FIELD("model", TEXT),
    FIELD("act", TEXT),
    FIELD("norm", TEXT),
    FIELD("init", TEXT),
    FIELD("plugins", TEXT),
    FIELD("parameters", INTEGER),
    FIELD("multiply_adds", INTEGER),
    FIELD("norm_remedy", TEXT),
    {.name = NULL},
};
static const figure list[] = {FIELD("text", TEXT), {.name = NULL}};

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
                       : "malformed report: a field is missing, of another type or out of range";
    return "malformed report: unknown type";
}

/* ---- Requests -------------------------------------------------------------------------------- */

/* What a request says as the command line does: text, integer or real. */
static const struct {
    const char *name;
    figure_form form;
    size_t member; /* of options */
} settings[] = {
    {"data", FIGURE_TEXT, offsetof(options, data)},
    {"model", FIGURE_TEXT, offsetof(options, model)},
    {"act", FIGURE_TEXT, offsetof(options, act)},
    {"norm", FIGURE_TEXT, offsetof(options, norm)},
    {"init", FIGURE_TEXT, offsetof(options, init)},
    {"weight_norm", FIGURE_TEXT, offsetof(options, weight_norm)},
    {"optimizer", FIGURE_TEXT, offsetof(options, optimizer)},
    {"schedule", FIGURE_TEXT, offsetof(options, schedule)},
    {"stream", FIGURE_TEXT, offsetof(options, stream)},
    {"doctor", FIGURE_TEXT, offsetof(options, doctor)},
    {"augment", FIGURE_TEXT, offsetof(options, augment)},
    {"quantise", FIGURE_TEXT, offsetof(options, quantise)},
    {"epochs", FIGURE_INTEGER, offsetof(options, epochs)},
    {"batch", FIGURE_INTEGER, offsetof(options, batch)},
    {"seed", FIGURE_INTEGER, offsetof(options, seed)},
    {"clip", FIGURE_REAL, offsetof(options, clip)},
    {"smoothing", FIGURE_REAL, offsetof(options, smoothing)},
    {"validation", FIGURE_REAL, offsetof(options, val)},
};

json_t *compare_message_of_options(const options *given)
{
    json_t *it = json_object();
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const void *member = (const char *)given + settings[i].member;
        const char *text = settings[i].form == FIGURE_TEXT ? *(char *const *)member : NULL;
        if (settings[i].form == FIGURE_INTEGER)
            json_object_set_new(it, settings[i].name, json_integer(*(const int64_t *)member));
        else if (settings[i].form == FIGURE_REAL)
            json_object_set_new(it, settings[i].name, json_real(*(const double *)member));
        else if (text)
            json_object_set_new(it, settings[i].name, tool_json_text(text));
    }
    return it;
}

options compare_message_take_options(const json_t *request)
{
    options asked = {0};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        void *member = (char *)&asked + settings[i].member;
        const json_t *value = json_object_get(request, settings[i].name);
        if (settings[i].form == FIGURE_TEXT)
            *(const char **)member = json_string_value(value);
        else if (settings[i].form == FIGURE_INTEGER)
            *(int64_t *)member = json_integer_value(value);
        else
            *(double *)member = json_number_value(value);
    }
    return asked;
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

bool compare_message_take_epoch(run_record *run, int64_t most, const json_t *report)
{
    size_t i;
    const json_t *layer;
    if (run->n_epochs >= most ||
        json_integer_value(json_object_get(report, "epoch")) != run->n_epochs + 1)
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
