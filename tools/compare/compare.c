/* hillock compare, the coordinator: what the command line asks for is planned in the file of
 * results, workers run what is not there yet, and the ranking says what was found. Whatever ends
 * this program, the same command goes on where it ended. */
#include "options.h"
#include "output.h"
#include "compare/report/formats.h"
#include "compare/sweep.h"
#include "net/network.h"

#include <stdlib.h>

/* Whether each row has failed or is better or worse than the baseline. */
static int find_decided(const sweep *s, bool *decided)
{
    analysis *of = report_analysis_new(s->found);
    *decided = of;
    for (const panel *p = of ? of->panels : NULL; of && p < of->panels + of->n_panels; p++)
        for (int i = 0; i < p->n_ranked; i++)
            *decided = *decided && (p->standings[i].verdict < VERDICT_NOT_SHOWN ||
                                    p->standings[i].why == UNTESTED_FAILED ||
                                    p->standings[i].why == UNTESTED_BASELINE_FAILED);
    report_analysis_free(of);
    return of ? EXIT_DONE : EXIT_FAILED;
}

/* As many seeds as were asked for; with --until-decided one more at a time, up to the most. */
static int run_seeds(sweep *s)
{
    bool decided = false;
    int status = EXIT_DONE;
    for (int64_t *seeds = &s->plan.asked->seeds; !status && !decided; ++*seeds) {
        status = compare_sweep_run(s);
        decided = *seeds >= s->plan.asked->most; /* 0: fixed */
        if (!status && !decided)
            status = find_decided(s, &decided);
    }
    return status;
}

/* What is told now is kept: whoever adds seeds until a difference shows has looked more than once. */
static int keep_look(sweep *s, const analysis *of)
{
    json_t *seen = compare_look_json(of);
    char *verdicts = seen ? tool_json_written(seen, JSON_COMPACT) : NULL;
    int status = verdicts ? compare_store_look(s->db, s->found, verdicts) : tool_no_memory();
    json_decref(seen);
    free(verdicts);
    return status;
}

/* A part has no verdict: it is what merge takes. */
static int conclude_part(const sweep *s, int failures)
{
    int told = EXIT_DONE;
    if (s->given->json) {
        told = tool_json_print(json_pack("{s:o, s:i, s:i, s:o, s:i, s:i}", "name",
                                         tool_json_text(s->found->name), "part", s->plan.part,
                                         "parts", s->plan.parts, "db", tool_json_text(s->file),
                                         "runs", s->found->n_runs, "failed", failures));
    } else {
        printf("part %d of %d: %s, %d failed\nhillock merge ", s->plan.part, s->plan.parts,
               tool_counted(s->found->n_runs, "run"), failures);
        tool_put_word(stdout, s->file);
        puts(" ... --db FILE joins the parts");
    }
    return told ? told : failures ? EXIT_SOME_RUNS : EXIT_DONE;
}

static int conclude(sweep *s)
{
    int failures = 0, told = EXIT_DONE;
    for (int i = 0; i < s->found->n_runs; i++)
        failures += !s->found->runs[i].tuning && s->found->runs[i].state != RUN_OK;
    if (s->plan.parts)
        return conclude_part(s, failures);
    analysis *of = s->given->canonical ? NULL : report_analysis_new(s->found);
    const int kept = of ? keep_look(s, of) : EXIT_DONE;
    if (s->given->canonical) {
        told = tool_json_print(compare_canonical_json(s->found));
    } else if (!of) {
        return EXIT_FAILED;
    } else if (s->given->json) {
        told = tool_json_print(compare_report_json(of));
    } else {
        report_ranking_print(of);
        printf("\nhillock report --db ");
        tool_put_word(stdout, s->file);
        fputs(" --name ", stdout);
        tool_put_word(stdout, s->found->name);
        puts(" writes curves, layers, costs and every run into a page");
    }
    report_analysis_free(of);
    return kept ? kept : told ? told : failures ? EXIT_SOME_RUNS : EXIT_DONE;
}

/* A net of which most units die by a rate that is too high, and what is named in the field against that:
 * docs/dead-neurons.md says by whom. A list that was given stays. */
static void fill_in_remedies(options *given)
{
#define DYING "mlp:width=64,depth=3,norm=1"
    const struct {
        const char **list, *otherwise;
    } lists[] = {{&given->model, DYING "," DYING ",dropout=0.2"},
                 {&given->act, "relu,leaky_relu,prelu,elu,selu,lgb_relu"},
                 {&given->norm, "none,batch_norm,layer_norm"},
                 {&given->init, "he_normal,rai,orthogonal"},
                 {&given->weight_norm, "none,spectral_norm"},
                 {&given->doctor, "none,redo,reset,continual"},
                 {&given->optimizer,
                  "adam:lr=0.03,adam:lr=0.003,adam:lr=0.03,clip=1,adamw:lr=0.03,decay=0.1"}};
    for (size_t i = 0; given->remedies && i < sizeof lists / sizeof *lists; i++)
        if (!*lists[i].list)
            *lists[i].list = lists[i].otherwise;
    given->one_at_a_time = given->one_at_a_time || given->remedies;
#undef DYING
}

int compare_command(options *given)
{
    sweep s = {.given = given, .file = given->db ? given->db : STORE_DEFAULT_FILE};
    if (given->canonical && !given->json)
        return tool_fail(EXIT_USAGE, "compare: --canonical needs --json");
    if (given->most && !given->until_decided)
        return tool_fail(EXIT_USAGE, "compare: --most needs --until-decided");
    tool_progress_start();
    fill_in_remedies(given);
    int status = net_take_stream(given);
    if (!status)
        status = compare_plan_make(given, &s.plan);
    if (!status)
        status = compare_store_open(s.file, true, &s.db);
    if (!status)
        status = run_seeds(&s);
    if (!status)
        status = conclude(&s);
    compare_store_close(s.db);
    compare_sweep_clear(&s);
    return status;
}
