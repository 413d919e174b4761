/* The data model of a comparison: growing it and giving it back. */
#include "compare/results.h"
#include "compare/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const compare_axis_names[AXES] = {"data",          "model",       "activation",
                                              "normalization", "initializer", "weight_norm",
                                              "treatment",     "optimizer"};
const char *const compare_run_state_names[RUN_STATES] = {"planned", "running", "ok",
                                                         "failed",  "timeout", "cancelled"};

/* Room for one more of `count` elements; the rooms are powers of two. */
static void *grow(void *items, int count, size_t size)
{
    if (count & (count - 1))
        return items;
    return count < 1 << 28 ? realloc(items, (count ? 2 * (size_t)count : 1) * size) : NULL;
}

row_record *compare_results_add_row(results *r)
{
    row_record *rows = grow(r->rows, r->n_rows, sizeof *rows);
    if (!rows)
        return NULL;
    r->rows = rows;
    rows[r->n_rows] = (row_record){.rate = (double)NAN};
    return &rows[r->n_rows++];
}

run_record *compare_results_add_run(results *r)
{
    run_record *runs = grow(r->runs, r->n_runs, sizeof *runs);
    if (!runs)
        return NULL;
    r->runs = runs;
    runs[r->n_runs] = (run_record){.rate = (double)NAN};
    compare_figures_clear(compare_run_figures, &runs[r->n_runs]);
    return &runs[r->n_runs++];
}

look_record *compare_results_add_look(results *r)
{
    look_record *looks = grow(r->looks, r->n_looks, sizeof *looks);
    if (!looks)
        return NULL;
    r->looks = looks;
    looks[r->n_looks] = (look_record){0};
    return &looks[r->n_looks++];
}

epoch_record *compare_run_add_epoch(run_record *run)
{
    epoch_record *epochs = grow(run->epochs, run->n_epochs, sizeof *epochs);
    if (!epochs)
        return NULL;
    run->epochs = epochs;
    epochs[run->n_epochs] = (epoch_record){0};
    compare_figures_clear(compare_epoch_figures, &epochs[run->n_epochs]);
    return &epochs[run->n_epochs++];
}

layer_record *compare_epoch_add_layer(epoch_record *epoch)
{
    layer_record *layers = grow(epoch->layers, epoch->n_layers, sizeof *layers);
    if (!layers)
        return NULL;
    epoch->layers = layers;
    compare_figures_clear(compare_layer_figures, &layers[epoch->n_layers]);
    return &layers[epoch->n_layers++];
}

bool compare_run_has_ended(const run_record *run)
{
    return run->state != RUN_PLANNED && run->state != RUN_RUNNING;
}

void compare_run_take_stream(run_record *run)
{
    const int n = run->n_epochs < 10 ? run->n_epochs > 0 : run->n_epochs / 10;
    double early = 0, late = 0;
    for (int i = 0; i < n; i++) {
        early += run->epochs[i].online_accuracy;
        late += run->epochs[run->n_epochs - 1 - i].online_accuracy;
    }
    run->early_accuracy = n ? early / n : (double)NAN;
    run->late_accuracy = n ? late / n : (double)NAN;
}

bool compare_run_fail(run_record *run, run_state state, const char *failure, const char *reason,
                      const char *last_lines)
{
    run->state = state;
    run->failure = strdup(failure);
    run->reason = strdup(reason);
    run->last_lines = strdup(last_lines);
    return run->failure && run->reason && run->last_lines;
}

void compare_constant_reason(const char *layer, char *out, size_t size)
{
    snprintf(out, size,
             "the same answer for all samples: nothing of the input is left behind %.95s",
             *layer ? layer : "some layer");
}

void compare_epoch_clear(epoch_record *epoch)
{
    free(epoch->layers);
    *epoch = (epoch_record){0};
}

void compare_run_clear(run_record *run)
{
    for (int i = 0; i < run->n_epochs; i++)
        compare_epoch_clear(&run->epochs[i]);
    free(run->epochs);
    free(run->failure);
    free(run->reason);
    free(run->last_lines);
    *run = (run_record){0};
}

void compare_row_clear(row_record *row)
{
    for (int i = 0; i < AXES; i++)
        free(row->specs[i]);
    free(row->plugin_digests);
    free(row->data_digest);
    free(row->recipe);
    *row = (row_record){0};
}

void compare_results_free(results *r)
{
    if (!r)
        return;
    for (int i = 0; i < r->n_rows; i++)
        compare_row_clear(&r->rows[i]);
    for (int i = 0; i < r->n_runs; i++)
        compare_run_clear(&r->runs[i]);
    for (int i = 0; i < r->n_looks; i++)
        free(r->looks[i].verdicts);
    free(r->looks);
    free(r->rows);
    free(r->runs);
    free(r->name);
    free(r->command);
    free(r->provenance);
    free(r->settings);
    free(r);
}
