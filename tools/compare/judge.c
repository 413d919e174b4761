/* hillock judge: a candidate beside the incumbent, seed by seed, until the race between them is decided
 * (stats/race.c). Each incumbent has a sweep of its own in the ledger, with seeds of its own: those that
 * made it the incumbent were lucky ones. Judged is by the validation data: a search that asked the test
 * data would fit them. */
#include "compare/candidate.h"
#include "compare/figures.h"
#include "compare/message.h"
#include "compare/sweep.h"
#include "output.h"
#include "stats/stats.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 50, SEEDS_OF_AN_INCUMBENT = 1000 };

typedef struct judging {
    const options *given;
    json_t *settings; /* of the ledger */
    bool is_new;      /* it has not begun */
    options asked;    /* the same, for compare; its texts are those of `settings` */
    store *db;
    candidate incumbent, it;
    race_rules rules;
    char list[2 * 5120 + 2 * 4096], name[64]; /* of the activations, of the sweep */
} judging;

/* ---- Settings ---------------------------------------------------------------------------------- */

/* What is not given is not there. */
static json_t *settings_of(const options *given)
{
    const char *key;
    void *next;
    json_t *value, *all = compare_message_of_options(given);
    const options nothing = {.seed = given->seed, .act = given->act};
    json_t *absent = compare_message_of_options(&nothing);
    json_object_set_new(all, "most", json_integer(given->most));
    json_object_set_new(absent, "most", json_integer(0));
    json_object_set_new(all, "effect", json_real(given->effect));
    json_object_set_new(absent, "effect", json_real(0));
    if (given->baseline)
        json_object_set_new(all, "baseline", tool_json_text(given->baseline));
    json_object_foreach_safe(all, next, key, value)
    {
        if (json_equal(value, json_object_get(absent, key)))
            json_object_del(all, key);
    }
    json_decref(absent);
    return all;
}

static int check_settings(const judging *j, const json_t *given)
{
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)given, key, value)
    {
        const json_t *kept = json_object_get(j->settings, key);
        char *text = kept ? tool_json_written(kept, JSON_ENCODE_ANY) : NULL;
        const int status = json_equal(kept, value)
                               ? EXIT_DONE
                               : tool_fail(EXIT_USAGE,
                                           "judge: %s was begun with another --%s, %s; leave it "
                                           "out, or begin another ledger",
                                           j->given->ledger, key, text ? text : "the default");
        free(text);
        if (status)
            return status;
    }
    return EXIT_DONE;
}

static int read_settings(judging *j)
{
    char *kept = NULL;
    json_t *given = settings_of(j->given);
    int status = given ? compare_ledger_settings(j->db, &kept) : tool_no_memory();
    j->is_new = !kept;
    j->settings = kept ? json_loads(kept, 0, NULL) : json_incref(given);
    if (!status && !j->settings)
        status = tool_fail(EXIT_BAD_DATA, "%s: the settings of the ledger are damaged",
                           j->given->ledger);
    if (!status)
        status = check_settings(j, given);
    json_decref(given);
    free(kept);
    if (status)
        return status;
    j->asked = compare_message_take_options(j->settings);
    j->asked.most = json_integer_value(json_object_get(j->settings, "most"));
    j->asked.most = j->asked.most ? j->asked.most : MOST;
    j->rules.most = (int)j->asked.most;
    j->rules.effect = json_number_value(json_object_get(j->settings, "effect"));
    j->rules.effect = j->rules.effect > 0 ? j->rules.effect : 1;
    return EXIT_DONE;
}

/* ---- The two ------------------------------------------------------------------------------------- */

static int find_incumbent(judging *j)
{
    const char *first = json_string_value(json_object_get(j->settings, "baseline"));
    if (!j->is_new)
        return compare_ledger_incumbent(j->db, &j->incumbent);
    first = first ? first : "relu";
    int status =
        compare_candidate_know(&(options){.ledger = j->given->ledger}, first, &j->incumbent);
    j->incumbent.number = 0;
    strcpy(j->incumbent.verdict, "incumbent");
    return status ? status : compare_candidate_make(j->given, first, &j->incumbent);
}

/* One that was decided keeps its verdict; an undecided one of an earlier incumbent begins anew. */
static int find_candidate(judging *j)
{
    const char *text = j->given->operands[0];
    candidate known;
    int status = compare_candidate_know(j->given, text, &j->it);
    if (!status)
        status = compare_ledger_find(j->db, j->it.identity, j->incumbent.number, &known);
    if (!status && known.number >= 0)
        j->it = known;
    else if (!status)
        status = compare_ledger_next(j->db, &j->it.number);
    if (!status && known.number < 0) {
        j->it.number += j->is_new; /* the incumbent's is 0 */
        j->it.against = j->incumbent.number;
        j->it.p = j->it.difference = UNKNOWN;
        status = compare_candidate_make(j->given, text, &j->it);
    }
    j->rules.level = stats_ledger_level(j->it.number);
    return status;
}

/* As soon as it is known that compare can run it. */
static int write_down(judging *j)
{
    char *text = tool_json_written(j->settings, JSON_COMPACT | JSON_SORT_KEYS);
    int status = text ? EXIT_DONE : tool_no_memory();
    if (!status && j->is_new)
        status = compare_ledger_begin(j->db, text, &j->incumbent);
    free(text);
    if (status || *j->it.verdict)
        return status;
    strcpy(j->it.verdict, "more");
    return compare_ledger_add(j->db, &j->it);
}

static size_t put_spec(const judging *j, const candidate *it, char *out, size_t size)
{
    if (strncmp(it->spec, "candidate_", strlen("candidate_")) == 0)
        compare_candidate_path(j->given->ledger, it->spec, out, size);
    else
        snprintf(out, size, "%s", it->spec);
    return strlen(out);
}

static int make_sweep(judging *j, sweep *s)
{
    static char *no_words[] = {NULL};
    size_t used = put_spec(j, &j->incumbent, j->list, sizeof j->list / 2);
    j->list[used++] = ',';
    put_spec(j, &j->it, j->list + used, sizeof j->list - used);
    snprintf(j->name, sizeof j->name, "incumbent-%lld", (long long)j->incumbent.number);
    j->asked.act = j->list;
    j->asked.name = j->name;
    j->asked.until_decided = j->asked.no_probes = true;
    j->asked.threads = j->given->threads;
    j->asked.jobs = j->given->jobs;
    j->asked.deadline = j->given->deadline;
    j->asked.operands = no_words;
    if (j->asked.data)
        j->asked.data_sets = (text_list){{j->asked.data}, 1};
    *s = (sweep){.given = &j->asked, .file = j->given->ledger, .db = j->db};
    const int status = compare_plan_make(&j->asked, &s->plan);
    if (!status)
        s->plan.asked->seeds_before = SEEDS_OF_AN_INCUMBENT * j->incumbent.number;
    return status;
}

/* ---- The race ------------------------------------------------------------------------------------ */

static void drop(candidate *it, const char *reason)
{
    snprintf(it->verdict, sizeof it->verdict, "drop");
    snprintf(it->reason, sizeof it->reason, "%s", reason);
}

typedef struct pairs {
    double candidate[SEEDS_OF_AN_INCUMBENT], incumbent[SEEDS_OF_AN_INCUMBENT], floor;
    int n;
    bool same; /* nets, all of them */
    const run_record *failed;
} pairs;

/* Seeds at which the incumbent failed say nothing of the candidate. */
static pairs read_pairs(const results *found)
{
    pairs all = {.same = true, .floor = UNKNOWN};
    const int half = found->n_runs / 2;
    for (int i = 0; i < half; i++) {
        const run_record *incumbent = &found->runs[i], *run = &found->runs[half + i];
        if (run->state != RUN_OK && !all.failed)
            all.failed = run;
        if (run->state != RUN_OK || incumbent->state != RUN_OK)
            continue;
        all.incumbent[all.n] = compare_last_score(incumbent);
        all.candidate[all.n++] = compare_last_score(run);
        all.floor = run->test_floor;
        all.same = all.same && strcmp(run->digest, incumbent->digest) == 0;
    }
    return all;
}

static void decide(judging *j, const results *found)
{
    char text[256];
    candidate *it = &j->it;
    const pairs of = read_pairs(found);
    const race seen = stats_race(of.candidate, of.incumbent, of.n, &j->rules);
    const sample_summary score = stats_sample_summarize(of.candidate, seen.n);
    const double incumbent = stats_sample_summarize(of.incumbent, seen.n).mean;
    it->seeds = found->seeds;
    it->p = seen.p;
    it->difference = score.mean - incumbent;
    if (of.failed) {
        snprintf(text, sizeof text, "it failed at seed %lld: %.200s", (long long)of.failed->seed,
                 of.failed->reason ? of.failed->reason : "");
        drop(it, text);
    } else if (of.n >= FEWEST_SEEDS && of.same) {
        drop(it, "its nets are those of the incumbent, weight by weight");
    } else if (seen.verdict == RACE_KEEP && !isnan(of.floor) && !(score.low > of.floor)) {
        drop(it, "it has not learned: its interval does not lie above the floor");
    } else if (seen.verdict == RACE_KEEP) {
        it->seeds = seen.n;
        snprintf(it->verdict, sizeof it->verdict, "keep");
    } else if (seen.verdict == RACE_DROP) {
        it->seeds = seen.n;
        snprintf(text, sizeof text, "a lead of %g deviations would have shown by now",
                 j->rules.effect);
        drop(it, text);
    } else if (found->seeds >= j->rules.most) {
        drop(it, "all seeds of the budget were run, and no lead was shown");
    }
}

static bool is_open(const judging *j)
{
    return !*j->it.verdict || strcmp(j->it.verdict, "more") == 0;
}

/* As many seeds at a time as there are jobs for; the verdict is that of the first at which there is one. */
static int run_race(judging *j, sweep *s)
{
    const int64_t jobs = compare_plan_limits(&j->asked).jobs, step = jobs > 3 ? jobs / 2 : 1;
    const int64_t last = j->given->seeds ? j->it.seeds + j->given->seeds : j->rules.most;
    int64_t *seeds = &s->plan.asked->seeds;
    int status = EXIT_DONE;
    if (s->plan.asked->n_rows == 1) {
        drop(&j->it, "it is the incumbent");
        return compare_ledger_decide(j->db, &j->it);
    }
    for (*seeds = j->it.seeds; !status && is_open(j) && *seeds < last;) {
        *seeds = *seeds + step < last ? *seeds + step : last;
        *seeds = *seeds < j->rules.most ? *seeds : j->rules.most;
        status = compare_sweep_run(s);
        if (!status) {
            decide(j, s->found);
            status = compare_ledger_decide(j->db, &j->it);
        }
    }
    return status;
}

/* ---- The answer ---------------------------------------------------------------------------------- */

static void print_text(const judging *j)
{
    const candidate *it = &j->it;
    printf("%s: candidate %lld, ", it->verdict, (long long)it->number);
    tool_put_text(stdout, it->asked);
    printf(", after %s", tool_counted(it->seeds, "seed"));
    if (isfinite(it->difference))
        printf(": %+.2f points of validation accuracy on the incumbent, p %.2g, its level %.2g",
               100 * it->difference, it->p, j->rules.level);
    if (*it->reason) {
        fputs("; ", stdout);
        tool_put_text(stdout, it->reason);
    }
    putchar('\n');
}

static int print_json(const judging *j, const candidate *against)
{
    const candidate *it = &j->it;
    return tool_json_print(
        json_pack("{s:s, s:I, s:o, s:{s:I, s:o}, s:I, s:I, s:o, s:o, s:o, s:f, s:o}", "verdict",
                  it->verdict, "number", (json_int_t)it->number, "candidate",
                  tool_json_text(it->asked), "incumbent", "number", (json_int_t)against->number,
                  "candidate", tool_json_text(against->asked), "seeds", (json_int_t)it->seeds,
                  "most", (json_int_t)j->rules.most, "difference", tool_json_number(it->difference),
                  "p", tool_json_number(it->p), "level", tool_json_number(j->rules.level), "effect",
                  j->rules.effect, "reason", tool_json_text(*it->reason ? it->reason : NULL)));
}

static int answer(judging *j)
{
    const int told = j->given->json ? print_json(j, &j->incumbent) : EXIT_DONE;
    if (!j->given->json)
        print_text(j);
    return told                                 ? told
           : is_open(j)                         ? EXIT_MORE
           : strcmp(j->it.verdict, "keep") == 0 ? EXIT_DONE
                                                : EXIT_DROP;
}

static int judge(judging *j)
{
    sweep s = {.given = NULL};
    int status = read_settings(j);
    if (!status)
        status = find_incumbent(j);
    if (!status)
        status = find_candidate(j);
    if (status || !is_open(j))
        return status ? status : answer(j);
    fprintf(stderr, "candidate %lld of ", (long long)j->it.number);
    tool_put_text(stderr, j->given->ledger);
    fprintf(stderr, ": at most %s of it and of the incumbent; kept at p <= %.2g\n",
            tool_counted(j->rules.most, "seed"), j->rules.level);
    status = make_sweep(j, &s);
    if (!status)
        status = write_down(j);
    if (!status)
        status = run_race(j, &s);
    compare_sweep_clear(&s);
    return status ? status : answer(j);
}

int compare_judge_command(options *given)
{
    judging j = {.given = given};
    if (!given->ledger)
        return tool_fail(EXIT_USAGE, "judge: --ledger FILE is missing: the file that remembers "
                                     "the search");
    tool_progress_start();
    int status = compare_store_open(given->ledger, true, &j.db);
    if (!status)
        status = judge(&j);
    compare_store_close(j.db);
    json_decref(j.settings);
    return status;
}
