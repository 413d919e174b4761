/* A trial of treatments: from the net of the file each way goes on for the same few epochs, over the same seeds,
 * and is ranked by the statistics of compare. A fresh net of the same model is one of the ways: for a net in
 * ruins nothing may be better. */
#include "net/trial.h"

#include "compare/report/analysis.h"
#include "memory.h"
#include "net/doctor.h"
#include "page/page.h"
#include "page/text.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { SEEDS = 5, MOST_IMAGES = 10000, GOING_ON = 0, FRESH = 1, TIMED_BATCHES = 4 };
static const char *const ways[TRIAL_WAYS] = {
    "going on", "a fresh net", "redo", "reset", "bias", "surrogate", "lgb_relu", "redo,surrogate"};

/* The data of a trial, shared by its runs. */
typedef struct sets {
    hk_data *train, *rest, *test;
} sets;

static int open_sets(const network *it, const options *given, sets *out)
{
    int status = net_open_data_of(given, true, it, &out->train);
    if (!status)
        status = net_open_data_of(given, false, it, &out->test);
    const int64_t n = status ? 0 : hk_data_shape_of(out->train).n;
    if (n > MOST_IMAGES &&
        hk_data_split(out->train, 1 - (double)MOST_IMAGES / (double)n, 1, &out->rest) != HK_OK)
        status = tool_failed();
    return status;
}

static void close_sets(sets *it)
{
    hk_data_free(it->train);
    hk_data_free(it->rest);
    hk_data_free(it->test);
}

static hk_train_options training(const trial *t, const options *given, const sets *data, int seed)
{
    hk_train_options how = net_train_options(given, &t->recipe, seed);
    how.train = data->train;
    how.no_probes = 1;
    return how;
}

/* ---- What it costs --------------------------------------------------------------------------- */

static int after_some(const hk_progress *p, void *user)
{
    *(double *)user = p->images_per_s;
    return p->done >= TIMED_BATCHES * (p->of / TIMED_BATCHES < 64 ? p->of / TIMED_BATCHES : 64);
}

static int say_cost(const options *given, const trial *t, const sets *data)
{
    network it = {0};
    double images_per_s = 1;
    int status = net_open(given->operands[0], &it);
    hk_train_options how = training(t, given, data, 1);
    how.progress = after_some;
    how.user = &images_per_s;
    if (!status)
        hk_fit_with(it.logits, NULL, how); /* stopped; whatever fails fails again below */
    net_free(&it);
    const double runs = TRIAL_WAYS * t->seeds;
    const double seconds = runs * t->recipe.epochs * (double)t->images / images_per_s;
    if (!status)
        fprintf(stderr, "trial: %d ways, %d seeds, %s of %s images each: about %.0f min %02.0f s\n",
                TRIAL_WAYS, t->seeds, tool_counted(t->recipe.epochs, "epoch"),
                tool_grouped(t->images), floor(seconds / 60), fmod(seconds, 60));
    return status;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* Prepares the net. A treatment that fits nowhere leaves a note. */
static int begin(const options *given, const sets *data, trial *t, int way, int seed, network *it)
{
    const hk_treat_options how = {.seed = (uint64_t)seed, .inputs = NET_MOST_EXAMINED};
    hk_treatment *done = NULL;
    int status = net_open(given->operands[0], it);
    if (status || way == GOING_ON)
        return status;
    if (way == FRESH)
        return hk_net_redraw(it->net, (uint64_t)seed) == HK_OK ? EXIT_DONE : tool_failed();
    hk_status treated = hk_treat(it->logits, data->train, ways[way], &how, &done);
    if (treated == HK_BAD_ARGUMENT)
        snprintf(t->notes[way], sizeof t->notes[way], "%.250s", hk_message());
    else if (!treated && !done->dead)
        snprintf(t->notes[way], sizeof t->notes[way], "no unit is dead");
    else if (treated)
        status = tool_failed();
    hk_treatment_free(done);
    return status;
}

static int run_one(const options *given, const sets *data, trial *t, int way, int seed)
{
    network it = {0};
    hk_evaluation found = {0};
    double *score = &t->scores[way * t->seeds + seed - 1];
    int status = begin(given, data, t, way, seed, &it);
    *score = (double)NAN;
    if (!status && !*t->notes[way]) {
        hk_status trained = hk_fit_with(it.logits, NULL, training(t, given, data, seed));
        if (trained == HK_OK && hk_evaluate(it.logits, data->test, &found) == HK_OK)
            *score = isnan(found.total.accuracy) ? found.total.r2 : found.total.accuracy;
        else if (trained != HK_DIVERGED)
            status = tool_failed();
    }
    hk_evaluation_clear(&found);
    net_free(&it);
    return status;
}

/* Ways that could not be tried stand behind the others, outside of the family of tests. */
static bool rank(trial *t)
{
    double scores[TRIAL_WAYS * TRIAL_MOST_SEEDS];
    int tried[TRIAL_WAYS];
    t->n = 0;
    for (int w = 0; w < TRIAL_WAYS; w++)
        if (!*t->notes[w]) {
            memcpy(scores + t->n * t->seeds, t->scores + w * t->seeds,
                   (size_t)t->seeds * sizeof *scores);
            tried[t->n++] = w;
        }
    const score_table table = {
        .scores = scores, .rows = t->n, .seeds = t->seeds, .baseline = GOING_ON, .floor = UNKNOWN};
    if (!stats_leaderboard(&table, t->standings))
        return false;
    for (int i = 0; i < t->n; i++)
        t->standings[i].row = tried[t->standings[i].row];
    return true;
}

int net_trial_run(const network *it, const options *given, trial *t)
{
    sets data = {0};
    int done = 0, status = open_sets(it, given, &data);
    tool_progress_start();
    *t = (trial){.seeds = given->seeds ? (int)given->seeds : SEEDS};
    if (!status) {
        memcpy(t->names, ways, sizeof ways);
        t->images = hk_data_shape_of(data.train).n;
        t->tested = hk_data_shape_of(data.test).n;
        t->recipe = net_choose_recipe(given, it->model, hk_data_spec(data.train), t->images);
        t->recipe.epochs = given->epochs ? (int)given->epochs : 2;
        status = say_cost(given, t, &data);
    }
    for (int seed = 1; seed <= t->seeds && !status; seed++)
        for (int w = 0; w < TRIAL_WAYS && !status; w++) {
            tool_progress_label("trial, run %d of %d: %s", ++done, TRIAL_WAYS * t->seeds, ways[w]);
            status = run_one(given, &data, t, w, seed);
        }
    tool_progress_clear();
    close_sets(&data);
    return status || rank(t) ? status : tool_no_memory();
}

/* ---- What it says ---------------------------------------------------------------------------- */

char *net_trial_sentence(const trial *t)
{
    char *text = NULL;
    FILE *to = tool_memory_stream(&text, NULL);
    int better = 0;
    for (int i = 0; i < t->n; i++)
        if (t->standings[i].verdict == VERDICT_BETTER)
            fprintf(to, better++ ? ", %s" : "Better than going on: %s",
                    t->names[t->standings[i].row]);
    if (!better)
        fputs("No way was shown to be better than going on", to);
    const standing *first = t->standings;
    bool alone = t->n > 1 && better;
    for (int i = 1; i < t->n && alone; i++)
        alone = report_told_apart(first, &t->standings[i]);
    if (alone)
        fprintf(to, "; %s beats every other way", t->names[first->row]);
    fputc('.', to);
    fclose(to);
    return text;
}

const char *net_trial_treatment(const trial *t)
{
    const int first = t->standings[0].row;
    return first == GOING_ON || first == FRESH ? NULL : t->names[first];
}

void net_trial_print(FILE *to, const trial *t)
{
    static const char *const columns[] = {"rank", "<way",     "<accuracy or R2",   "<95 % interval",
                                          "p",    "<letters", "<against going on", NULL};
    char *sentence = net_trial_sentence(t);
    tool_table *table = tool_table_new(columns);
    fprintf(to, "\nTrial: %s of %s images (%s), %d seeds, judged by %s test images\n",
            tool_counted(t->recipe.epochs, "epoch"), tool_grouped(t->images), t->recipe.optimizer,
            t->seeds, tool_grouped(t->tested));
    for (int i = 0; i < t->n; i++) {
        const standing *s = &t->standings[i];
        tool_table_cell(table, "%d", s->rank);
        tool_table_cell(table, "%s", t->names[s->row]);
        tool_table_cell(table, "%.2f %% +- %.2f", 100 * s->score.mean, 100 * s->score.sd);
        tool_table_cell(table, "%.2f to %.2f", 100 * fmax(s->score.low, 0),
                        100 * fmin(s->score.high, 1));
        tool_table_cell(table, isnan(s->p_adjusted) ? "-" : "%.2g", s->p_adjusted);
        tool_table_cell(table, "%s", *s->letters ? s->letters : "-");
        tool_table_cell(table, "%s", report_verdict_name(s->verdict));
    }
    tool_table_print(to, table, 2, NULL);
    for (int w = 0; w < TRIAL_WAYS; w++)
        if (*t->notes[w])
            fprintf(to, "  %s was not tried: %s\n", t->names[w], t->notes[w]);
    tool_put_wrapped(to, sentence, 2);
    free(sentence);
}

json_t *net_trial_json(const trial *t)
{
    json_t *rows = json_array();
    char *sentence = net_trial_sentence(t);
    for (int i = 0; i < t->n; i++) {
        const standing *s = &t->standings[i];
        json_t *scores = json_array();
        for (int k = 0; k < t->seeds; k++)
            json_array_append_new(scores, tool_json_number(t->scores[s->row * t->seeds + k]));
        json_array_append_new(
            rows,
            json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o}", "way", t->names[s->row],
                      "rank", s->rank, "mean", tool_json_number(s->score.mean), "sd",
                      tool_json_number(s->score.sd), "low", tool_json_number(s->score.low), "high",
                      tool_json_number(s->score.high), "p_adjusted",
                      tool_json_number(s->p_adjusted), "letters", s->letters, "verdict",
                      report_verdict_name(s->verdict), "scores", scores));
    }
    json_t *it = json_pack("{s:o, s:i, s:i, s:I, s:I, s:o}", "sentence", tool_json_text(sentence),
                           "seeds", t->seeds, "epochs", t->recipe.epochs, "images",
                           (json_int_t)t->images, "tested", (json_int_t)t->tested, "ways", rows);
    free(sentence);
    return it;
}

void net_trial_page(FILE *to, const trial *t)
{
    static const page_column columns[] = {
        {"way", ""},        {"score %", "number"}, {"SD", "number"}, {"low", "number"},
        {"high", "number"}, {"p", "number"},       {"letters", ""},  {"against going on", ""}};
    char *sentence = net_trial_sentence(t);
    page_section(to, "trial", "Trial of treatments", sentence);
    page_table(to, "Test scores after the trial's epochs; intervals of 95 %", "", columns,
               sizeof columns / sizeof *columns);
    for (int i = 0; i < t->n; i++) {
        const standing *s = &t->standings[i];
        page_row(to);
        page_text_cell(to, t->names[s->row]);
        page_numbers(to, 2, 100 * s->score.mean, 100 * s->score.sd, 100 * s->score.low,
                     100 * s->score.high);
        page_numbers(to, 4, s->p_adjusted);
        page_text_cell(to, s->letters);
        page_text_cell(to, report_verdict_name(s->verdict));
    }
    page_table_end(to);
    page_section_end(to);
    free(sentence);
}
