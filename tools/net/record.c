/* From a training to a sweep of one row. */
#include "net/record.h"
#include "compare/figures.h"
#include "compare/message.h"
#include "compare/provenance.h"
#include "net/summary.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int net_record_open(const char *file, net_record **out)
{
    net_record *it = calloc(1, sizeof *it);
    *out = it;
    return it ? compare_store_open(file, true, &it->db) : tool_no_memory();
}

void net_record_close(net_record *it)
{
    if (!it)
        return;
    compare_store_close(it->db);
    compare_run_clear(&it->run);
    free(it);
}

int net_record_epoch(net_record *it, const hk_epoch_report *report, int64_t images, bool histograms)
{
    const epoch_record epoch = net_summary_epoch(report, images);
    json_t *message = compare_message_of_epoch(&epoch, histograms);
    json_object_set_new(message, "epoch", json_integer(it->run.n_epochs + 1));
    const bool taken =
        message && compare_message_take_epoch(&it->run, it->run.n_epochs + 1, message);
    json_decref(message);
    if (taken) /* of a resumed training the first is a later one */
        it->run.epochs[it->run.n_epochs - 1].epoch = report->epoch;
    return taken ? EXIT_DONE : tool_no_memory();
}

/* The command, from what it was read as: all that is not the default. */
static char *command_text(const net_recorded *of, const json_t *settings)
{
    char *text = NULL;
    size_t size;
    const char *key;
    const json_t *value;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    fputs("hillock train ", to);
    tool_put_word(to, of->given->operands[0]);
    json_object_foreach((json_t *)settings, key, value)
    {
        if (json_is_number(value) && !(json_number_value(value) > 0))
            continue;
        fprintf(to, " --%s ", strcmp(key, "validation") == 0 ? "val" : key);
        if (json_is_string(value))
            tool_put_word(to, json_string_value(value));
        else
            fprintf(to, "%.9g", json_number_value(value));
    }
    return fclose(to) == 0 ? text : NULL;
}

static char *name_of(const options *given)
{
    char name[64], day[32];
    const time_t now = time(NULL);
    struct tm when;
    localtime_r(&now, &when);
    strftime(day, sizeof day, "%Y-%m-%d-%H%M%S", &when);
    snprintf(name, sizeof name, "train-%s-%d", day, (int)getpid());
    return strdup(given->name ? given->name : name);
}

static bool fill_row(row_record *row, const net_recorded *of)
{
    const hk_net *net = of->net->net;
    char *act = net_running_activation(net), digest[65];
    const char *const specs[AXES] = {[AXIS_DATA] = hk_data_spec(of->train),
                                     [AXIS_MODEL] = of->net->spec,
                                     [AXIS_ACT] = act ? act : "",
                                     [AXIS_NORM] = hk_net_normalization(net),
                                     [AXIS_INIT] = hk_net_initializer(net),
                                     [AXIS_WEIGHT_NORM] = hk_net_weight_norm(net),
                                     [AXIS_DOCTOR] = of->given->doctor ? of->given->doctor : "none",
                                     [AXIS_OPTIMIZER] = of->recipe->optimizer};
    bool good = act && compare_provenance_of_data(of->train, of->test, digest);
    for (int i = 0; i < AXES; i++)
        good = (row->specs[i] = strdup(specs[i])) && good;
    free(act);
    row->data_digest = strdup(digest);
    row->plugin_digests = strdup("");
    row->parameters = hk_net_parameters(net);
    row->multiply_adds = net_multiply_adds(net);
    row->is_baseline = true;
    json_t *recipe = json_pack("{s:s, s:s, s:s, s:i, s:i, s:I}", "optimizer", of->recipe->optimizer,
                               "schedule", of->recipe->schedule, "augment", of->recipe->augment,
                               "batch", of->recipe->batch, "epochs", of->recipe->epochs, "samples",
                               (json_int_t)hk_data_shape_of(of->train).n);
    row->recipe = tool_json_written(recipe, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(recipe);
    return good && row->data_digest && row->plugin_digests && row->recipe;
}

static results *results_of(const net_recorded *of)
{
    results *it = calloc(1, sizeof *it);
    row_record *row = it ? compare_results_add_row(it) : NULL;
    json_t *settings = compare_message_of_options(of->given);
    json_t *provenance = compare_provenance_json((int)of->given->threads, 1);
    if (row && settings && provenance) {
        it->command = command_text(of, settings);
        it->name = name_of(of->given);
        it->settings = tool_json_written(settings, JSON_COMPACT | JSON_SORT_KEYS);
        it->provenance = tool_json_written(provenance, JSON_COMPACT);
        it->seeds = 1;
        it->seeds_before = of->given->seed - 1;
        it->epochs = of->recipe->epochs;
    }
    json_decref(settings);
    json_decref(provenance);
    if (row && fill_row(row, of) && it->command && it->name && it->settings && it->provenance)
        return it;
    compare_results_free(it);
    tool_no_memory();
    return NULL;
}

static int write_run(net_record *it, const net_recorded *of, int64_t id)
{
    run_record *run = &it->run;
    compare_figures_clear(compare_run_figures, run);
    run->id = id;
    run->state = RUN_OK;
    run->seconds = of->last->seconds;
    run->images_per_s = of->last->images_per_s;
    snprintf(run->digest, sizeof run->digest, "%s", of->digest);
    compare_run_take_stream(run);
    return net_summary_run(of->net->logits, of->test, of->evaluation, run) == HK_OK
               ? compare_store_end(it->db, run)
               : tool_failed();
}

int net_record_write(net_record *it, const net_recorded *of)
{
    results *found = NULL, *asked = results_of(of);
    const store_plan plan = {.asked = asked};
    int status = asked ? compare_store_plan(it->db, &plan) : EXIT_FAILED;
    if (!status)
        status = compare_store_read(it->db, asked->name, &found);
    if (!status && (found->n_runs != 1 || found->runs[0].state != RUN_PLANNED))
        status = tool_fail(EXIT_USAGE,
                           "train: %s has a training \"%s\" already; give this one another --name",
                           of->given->db, asked->name);
    if (!status)
        status = write_run(it, of, found->runs[0].id);
    if (!status)
        tool_note("%s: kept as \"%s\"", of->given->db, asked->name);
    compare_results_free(asked);
    compare_results_free(found);
    return status;
}
