/* hillock doctor: which units of a saved net do not learn, why, and what to do. */
#include "net/doctor.h"
#include "net/quantise.h"
#include "memory.h"
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- Before the first step ------------------------------------------------------------------- */

/* The same net with its initial values: drawn again by the seed, if their digest is that of the record.
 * A training that began with the values of another file cannot be rebuilt. A net that was treated has
 * another activation than at its start: its model is built anew, where it is one of the catalogue. */
static int rebuild_start(const options *given, const network *it, const hk_record *record,
                         network *out)
{
    hk_saved saved;
    hk_net_options choices;
    char digest[65];
    *out = (network){0};
    if (!record)
        return EXIT_DONE;
    int status = net_open(given->operands[0], out);
    if (!status && hk_net_redraw(out->net, record->seed) != HK_OK)
        status = tool_failed();
    if (status)
        return status;
    hk_net_digest(out->net, digest);
    if (!strcmp(digest, record->start))
        return EXIT_DONE;
    net_free(out);
    if (!it->model)
        return EXIT_DONE;
    status = net_choices(&(options){.seed = (int64_t)record->seed}, given->operands[0], &saved,
                         &choices);
    if (!status)
        status = net_new(saved.model, choices, net_input_shape(it), out);
    if (status)
        return status;
    hk_net_digest(out->net, digest);
    if (strcmp(digest, record->start) != 0)
        net_free(out);
    return EXIT_DONE;
}

/* ---- As text --------------------------------------------------------------------------------- */

const char *net_doctor_verdict(const hk_examination *found, char *text, size_t size)
{
    if (found->not_learning)
        snprintf(text, size, "%s of %s units do%s not learn", tool_grouped(found->not_learning),
                 tool_grouped(found->units), found->not_learning == 1 ? "es" : "");
    else
        snprintf(text, size, "All %s units learn", tool_grouped(found->units));
    return text;
}

static void put_table(const hk_examination *e)
{
    enum { BEFORE = 9 };
    const char *names[BEFORE + HK_SEEN_POINTS + 1] = {"<layer",    "<activation",   "units",
                                                      "no slope",  "never above 0", "dormant",
                                                      "saturated", "zeros",         "rank"};
    char after[HK_SEEN_POINTS][48];
    for (int p = 0; p < e->n_seen; p++) {
        snprintf(after[p], sizeof after[p], "%s %s", p ? "after" : "do not learn, after",
                 tool_grouped(e->seen[p]));
        names[BEFORE + p] = after[p];
    }
    tool_table *t = tool_table_new(names);
    for (int i = 0; i < e->n_layers; i++) {
        const hk_layer_finding *l = &e->layers[i];
        tool_table_cell(t, "%s", l->layer);
        tool_table_cell(t, "%.14s", l->activation);
        tool_table_cell(t, "%lld", (long long)l->units);
        tool_table_cell(t, "%lld", (long long)l->gradient_dead);
        tool_table_cell(t, "%lld", (long long)l->never_positive);
        tool_table_cell(t, "%lld", (long long)l->dormant);
        tool_table_cell(t, "%.1f %%", 100 * l->saturated);
        tool_table_cell(t, "%.1f %%", 100 * l->zeros);
        tool_table_cell(t, "%.1f", l->effective_rank);
        for (int p = 0; p < e->n_seen; p++)
            tool_table_cell(t, "%.1f %%", 100 * (double)l->not_learning_seen[p] / (double)l->units);
    }
    tool_table_print(stdout, t, 0, NULL);
}

/* A line of a list. */
__attribute__((format(printf, 1, 2))) static void put_item(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        tool_out_of_memory();
    va_end(arguments);
    tool_put_wrapped(stdout, text, 2);
    free(text);
}

void net_doctor_put_command(FILE *to, const findings *c, const char *before)
{
    const char *file = c->given->operands[0], *end = strrchr(file, '.');
    const char *best = c->tried ? net_trial_treatment(c->tried) : NULL;
    char treated[512];
    if (!c->found->not_learning || (c->tried && !best))
        return;
    snprintf(treated, sizeof treated, "%.*s-treated%s", end ? (int)(end - file) : (int)strlen(file),
             file, end ? end : "");
    fprintf(to, "%shillock doctor ", before);
    tool_put_word(to, file);
    fputs(" --data ", to);
    tool_put_word(to, hk_data_spec(c->data));
    if (best) {
        fprintf(to, " --treat %s --out ", best);
        tool_put_word(to, treated);
    } else {
        fputs(" --try-treatments", to);
    }
    putc('\n', to);
}

const char *net_doctor_experience(const hk_examination *found)
{
    return 2 * found->not_learning > found->units
               ? "More than half of the units do not learn. For a dense net ruined like that, starting over "
                 "came first by far in our table, and no treatment near it (docs/dead-neurons.md): a "
                 "fresh net may be best. How many units a treatment reaches is not how well the net "
                 "learns after it; a trial on this net shows that."
               : "How many units a treatment reaches is not how well the net learns after it: in our table "
                 "(docs/dead-neurons.md) that differs between dense and convolutional nets. A trial on "
                 "this net shows it, against going on and against starting over.";
}

static void put_reasons(const findings *c)
{
    const hk_examination *e = c->found;
    if (e->not_learning)
        printf("\nWhy\n");
    for (int i = 0; i < e->n_layers; i++)
        if (*e->layers[i].why) {
            put_item("%s: %s", e->layers[i].layer, e->layers[i].why);
        }
    if (e->n_advice)
        printf("\nWhat to do\n");
    for (int i = 0; i < e->n_advice; i++) {
        const hk_advice *a = &e->advice[i];
        put_item("%d. %s%s%s%s", i + 1, *a->treatment ? "--treat " : "", a->treatment,
                 *a->treatment ? ": " : "", a->text);
    }
    if (c->tried)
        net_trial_print(stdout, c->tried);
    else if (e->not_learning)
        put_item("%s", net_doctor_experience(e));
    net_doctor_put_command(stdout, c, "\n  ");
}

static int put_findings(const findings *c)
{
    const hk_examination *e = c->found;
    char answer[128];
    tool_put_text(stdout, c->given->operands[0]);
    printf(": %s, %s training images of ", c->it->name, tool_grouped(e->inputs));
    tool_put_text(stdout, hk_data_spec(c->data));
    printf("\n%s.\n\n", net_doctor_verdict(e, answer, sizeof answer));
    put_table(e);
    put_reasons(c);
    if (e->not_learning && !c->record)
        printf("\nThe file has no record of a training: neither its optimizer steps nor its "
               "initial weights are known.\n");
    if (c->quantised)
        net_quantise_print(stdout, c->given->quantise, c->quantised);
    return EXIT_DONE;
}

/* ---- As JSON --------------------------------------------------------------------------------- */

static json_t *unit_json(int64_t u, const hk_unit_finding *it)
{
    return json_pack("{s:I, s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "unit",
                     (json_int_t)u, "cause", hk_cause_name(it->cause), "never_positive",
                     it->never_positive, "gradient_dead", it->gradient_dead, "dormant", it->dormant,
                     "score", tool_json_number(it->score), "zeros", tool_json_number(it->zeros),
                     "x_least", tool_json_number(it->x_min), "x_most", tool_json_number(it->x_max),
                     "bias", tool_json_number(it->bias), "weight", tool_json_number(it->weight),
                     "negative", tool_json_number(it->negative));
}

static json_t *layer_json(const hk_layer_finding *l, int n_seen)
{
    json_t *seen = json_array(), *units = json_array(), *causes = json_object();
    for (int c = 1; c < HK_CAUSE_COUNT; c++)
        if (l->causes[c])
            json_object_set_new(causes, hk_cause_name((hk_cause)c), json_integer(l->causes[c]));
    for (int p = 0; p < n_seen; p++)
        json_array_append_new(seen, json_integer(l->not_learning_seen[p]));
    for (int64_t u = 0; u < l->units; u++)
        if (l->found[u].not_learning || l->found[u].never_positive || l->found[u].dormant)
            json_array_append_new(units, unit_json(u, &l->found[u]));
    return json_pack("{s:s, s:o, s:I, s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:I, s:o, s:s, s:o, s:o, "
                     "s:o}",
                     "layer", l->layer, "activation", tool_json_text(l->activation), "units",
                     (json_int_t)l->units, "never_positive", (json_int_t)l->never_positive,
                     "gradient_dead", json_integer(l->gradient_dead), "dormant",
                     (json_int_t)l->dormant, "ill", (json_int_t)l->not_learning, "ill_seen", seen,
                     "saturated", tool_json_number(l->saturated), "effective_rank",
                     tool_json_number(l->effective_rank), "rank_rows", (json_int_t)l->rank_rows,
                     "zeros", tool_json_number(l->zeros), "cause", hk_cause_name(l->cause),
                     "causes", causes, "why", tool_json_text(l->why), "found", units);
}

static json_t *record_json(const hk_record *r)
{
    if (!r)
        return json_null();
    json_t *layers = json_array();
    for (int i = 0; i < r->n_layers; i++)
        json_array_append_new(layers, json_pack("{s:o, s:o, s:o, s:I}", "layer",
                                                tool_json_text(r->layers[i].layer), "start",
                                                tool_json_number(r->layers[i].start), "growth",
                                                tool_json_number(r->layers[i].growth), "step",
                                                (json_int_t)r->layers[i].step));
    return json_pack("{s:o, s:I, s:o, s:o, s:I, s:o}", "optimizer", tool_json_text(r->optimizer),
                     "steps", (json_int_t)r->steps, "first_loss", tool_json_number(r->first_loss),
                     "most_loss", tool_json_number(r->max_loss), "most_step",
                     (json_int_t)r->max_loss_step, "layers", layers);
}

static json_t *findings_json(const findings *c)
{
    const hk_examination *e = c->found;
    json_t *layers = json_array(), *seen = json_array(), *advice = json_array();
    for (int i = 0; i < e->n_layers; i++)
        json_array_append_new(layers, layer_json(&e->layers[i], e->n_seen));
    for (int p = 0; p < e->n_seen; p++)
        json_array_append_new(seen, json_integer(e->seen[p]));
    for (int i = 0; i < e->n_advice; i++)
        json_array_append_new(advice,
                              json_pack("{s:s, s:I, s:o}", "treatment", e->advice[i].treatment,
                                        "units", (json_int_t)e->advice[i].units, "text",
                                        tool_json_text(e->advice[i].text)));
    json_t *it =
        json_pack("{s:o, s:s, s:o, s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "file",
                  tool_json_text(c->given->operands[0]), "model", c->it->name, "data",
                  tool_json_text(hk_data_spec(c->data)), "inputs", (json_int_t)e->inputs, "seen",
                  seen, "units", (json_int_t)e->units, "ill", (json_int_t)e->not_learning, "tau",
                  tool_json_number(e->tau), "input_mean", tool_json_number(e->input_mean),
                  "input_deviation", tool_json_number(e->input_deviation), "layers", layers,
                  "advice", advice, "record", record_json(c->record));
    if (c->tried)
        json_object_set_new(it, "trial", net_trial_json(c->tried));
    if (c->quantised)
        json_object_set_new(it, "quantised", net_quantise_json(c->given->quantise, c->quantised));
    return it;
}

/* ---- The command ----------------------------------------------------------------------------- */

static int examine(const network *it, const options *given, const hk_data *data)
{
    network start = {0};
    hk_record *record = NULL;
    hk_examination *found = NULL;
    int status = EXIT_DONE;
    if (hk_record_read(given->operands[0], &record) != HK_OK)
        return tool_failed();
    status = rebuild_start(given, it, record, &start);
    hk_examine_options how = {
        .tau = given->tau, .inputs = NET_MOST_EXAMINED, .record = record, .start = start.logits};
    if (!status && hk_examine(it->logits, data, &how, &found) != HK_OK)
        status = tool_failed();
    hk_quantisation *quantised = NULL; /* last: from here on the net is another */
    if (!status && given->quantise)
        status = net_quantise(it, given, &quantised);
    trial tried;
    if (!status && given->try_treatments)
        status = net_trial_run(it, given, &tried);
    findings c = {it, given, data, record, found, quantised, given->try_treatments ? &tried : NULL};
    if (!status && given->report)
        status = net_doctor_page(&c);
    if (!status)
        status = given->json ? tool_json_print(findings_json(&c)) : put_findings(&c);
    hk_examination_free(found);
    hk_quantisation_free(quantised);
    net_free(&start);
    hk_record_free(record);
    return status;
}

int net_doctor_command(options *given)
{
    if ((given->seeds || given->epochs) && !given->try_treatments)
        return tool_fail(EXIT_USAGE, "doctor: --seeds and --epochs go with --try-treatments");
    if (given->treat && given->try_treatments)
        return tool_fail(EXIT_USAGE, "doctor: --try-treatments tries all, --treat does one");
    if (given->out && !given->treat)
        return tool_fail(EXIT_USAGE,
                         "doctor: --out goes with --treat; the findings go to --report");
    if (given->treat && given->quantise)
        return tool_fail(EXIT_USAGE,
                         "doctor: --quantise goes with an examination, not with --treat");
    return given->treat ? net_treat(given) : net_run_on_saved(given, true, examine);
}
