/* What a comparison found, and nothing of how: two sweeps are compared by this text. */
#include "output.h"
#include "compare/store.h"

static json_t *layer_json(const layer_record *layer)
{
    json_t *it = json_pack(
        "{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "layer", tool_json_text(layer->layer),
        "units", (json_int_t)layer->units, "dead", tool_json_number(layer->dead), "gradient_dead",
        tool_json_number(layer->gradient_dead), "dormant", tool_json_number(layer->dormant),
        "saturated", tool_json_number(layer->saturated), "mean", tool_json_number(layer->mean),
        "variance", tool_json_number(layer->variance), "gradient_norm",
        tool_json_number(layer->gradient_norm), "update_ratio",
        tool_json_number(layer->update_ratio));
    if (!layer->has_histogram)
        return it;
    json_t *counts = json_array();
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        json_array_append_new(counts, json_integer(layer->histogram[i]));
    json_object_update_new(it,
                           json_pack("{s:o, s:o, s:o}", "low", tool_json_number(layer->low), "high",
                                     tool_json_number(layer->high), "histogram", counts));
    return it;
}

static json_t *epoch_json(const epoch_record *epoch)
{
    json_t *layers = json_array();
    for (int i = 0; i < epoch->n_layers; i++)
        json_array_append_new(layers, layer_json(&epoch->layers[i]));
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "epoch", epoch->epoch, "train_loss",
                     tool_json_number(epoch->train_loss), "loss", tool_json_number(epoch->loss),
                     "accuracy", tool_json_number(epoch->accuracy), "macro_f1",
                     tool_json_number(epoch->macro_f1), "layers", layers);
}

/* How far a run came before it was ended depends on the machine: only what is whole is told. */
static json_t *run_json(const run_record *run)
{
    json_t *epochs = json_array();
    for (int i = 0; i < run->n_epochs && run->state == RUN_OK; i++)
        json_array_append_new(epochs, epoch_json(&run->epochs[i]));
    return json_pack(
        "{s:i, s:I, s:b, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "row", run->row, "seed",
        (json_int_t)run->seed, "tuning", run->tuning, "rate", tool_json_number(run->rate), "state",
        compare_run_state_names[run->state], "failure", tool_json_text(run->failure), "test_loss",
        tool_json_number(run->test_loss), "test_accuracy", tool_json_number(run->test_accuracy),
        "test_macro_f1", tool_json_number(run->test_macro_f1), "digest",
        tool_json_text(run->digest), "epochs", epochs);
}

static json_t *row_json(const row_record *row)
{
    json_t *it =
        json_pack("{s:o, s:o, s:I, s:I, s:b}", "data_digest", tool_json_text(row->data_digest),
                  "rate", tool_json_number(row->rate), "parameters", (json_int_t)row->parameters,
                  "multiply_adds", (json_int_t)row->multiply_adds, "baseline", row->is_baseline);
    for (int i = 0; i < AXES; i++)
        json_object_set_new(it, compare_axis_names[i], tool_json_text(row->specs[i]));
    return it;
}

json_t *compare_store_canonical(const results *r)
{
    json_t *rows = json_array(), *runs = json_array();
    for (int i = 0; i < r->n_rows; i++)
        json_array_append_new(rows, row_json(&r->rows[i]));
    for (int i = 0; i < r->n_runs; i++)
        json_array_append_new(runs, run_json(&r->runs[i]));
    return json_pack("{s:o, s:o, s:I, s:o, s:o}", "name", tool_json_text(r->name), "settings",
                     json_loads(r->settings, 0, NULL), "seeds", (json_int_t)r->seeds, "rows", rows,
                     "runs", runs);
}
