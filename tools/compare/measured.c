/* Reports become records. The pool has looked at their form; a figure that is null is NAN. */
#include "compare/measured.h"

#include "compare/message.h"
#include <stdlib.h>
#include <string.h>

static int64_t whole(const json_t *of, const char *key)
{
    return json_integer_value(json_object_get(of, key));
}

static bool copy_text(char **to, const json_t *of, const char *key)
{
    free(*to);
    return (*to = strdup(json_string_value(json_object_get(of, key))));
}

static void take_histogram(layer_record *to, const json_t *from)
{
    const json_t *counts = json_object_get(from, "histogram");
    to->low = compare_message_number(from, "low");
    to->high = compare_message_number(from, "high");
    to->has_histogram = counts != NULL;
    for (size_t i = 0; counts && i < HISTOGRAM_BINS; i++)
        to->histogram[i] = json_integer_value(json_array_get(counts, i));
}

static bool take_layer(epoch_record *epoch, const json_t *from)
{
    layer_record *to = compare_epoch_add_layer(epoch);
    if (!to || !copy_text(&to->layer, from, "layer"))
        return false;
    to->units = whole(from, "units");
    to->dead = compare_message_number(from, "dead");
    to->gradient_dead = compare_message_number(from, "gradient_dead");
    to->dormant = compare_message_number(from, "dormant");
    to->saturated = compare_message_number(from, "saturated");
    to->mean = compare_message_number(from, "mean");
    to->variance = compare_message_number(from, "variance");
    to->gradient_norm = compare_message_number(from, "gradient_norm");
    to->update_ratio = compare_message_number(from, "update_ratio");
    take_histogram(to, from);
    return true;
}

bool compare_measured_epoch(run_record *run, const json_t *message)
{
    size_t i;
    const json_t *layer;
    if (whole(message, "epoch") != run->n_epochs + 1)
        return true;
    epoch_record *to = compare_run_add_epoch(run);
    if (!to)
        return false;
    to->epoch = run->n_epochs;
    to->train_loss = compare_message_number(message, "train_loss");
    to->loss = compare_message_number(message, "loss");
    to->accuracy = compare_message_number(message, "accuracy");
    to->macro_f1 = compare_message_number(message, "macro_f1");
    to->seconds = compare_message_number(message, "seconds");
    to->images_per_s = compare_message_number(message, "images_per_s");
    json_array_foreach(json_object_get(message, "layers"), i, layer)
    {
        if (!take_layer(to, layer))
            return false;
    }
    return true;
}

bool compare_measured_result(run_record *run, const json_t *message)
{
    run->state = RUN_OK;
    run->test_loss = compare_message_number(message, "test_loss");
    run->test_accuracy = compare_message_number(message, "test_accuracy");
    run->test_macro_f1 = compare_message_number(message, "test_macro_f1");
    run->seconds = compare_message_number(message, "seconds");
    run->images_per_s = compare_message_number(message, "images_per_s");
    run->peak_mib = compare_message_number(message, "peak_mib");
    return copy_text(&run->digest, message, "digest");
}

bool compare_measured_nothing(const run_record *run, const pool_event *event)
{
    enum { MOST_ATTEMPTS = 3 };
    return strcmp(event->failure, "signal SIGKILL") == 0 && run->attempts < MOST_ATTEMPTS;
}

bool compare_measured_failure(run_record *run, const pool_event *event)
{
    const run_state state = event->kind == POOL_TIMEOUT ? RUN_TIMEOUT : RUN_FAILED;
    return compare_run_fail(run, state, event->failure, event->reason, event->last_lines);
}
