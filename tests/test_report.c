/* Reports: what the sentence claims, what the formats hold, and that no text gets out of its place.
 * With a folder as its argument it writes pages there, for tests/peers/browser.py and for looking.
 */
#include "check.h"
#include "output.h"
#include "compare/report/analysis.h"
#include "page/draft.h"
#include "page/page.h"
#include "page/print.h"
#include "compare/report/formats.h"
#include "compare/report/analysis.h"
#include "page/text.h"
#include "report_fixture.h"
#include "compare/rate.h"

#include <jansson.h>
#include <time.h>
#include <unistd.h>

/* What `write` writes, to be freed. */
static char *written(const results *r, void (*write)(FILE *, const analysis *), size_t *size)
{
    char *text = NULL;
    analysis *a = report_analysis_new(r);
    FILE *to = open_memstream(&text, size);
    write(to, a);
    fclose(to);
    report_analysis_free(a);
    return text;
}

static int times_in(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

static fixture_plan small_plan(void)
{
    return (fixture_plan){.data = fixture_data,
                          .models = fixture_models,
                          .acts = fixture_acts,
                          .optimizers = fixture_sgd,
                          .norms = 1,
                          .seeds = 5,
                          .epochs = 3,
                          .layers = 4,
                          .failures = true};
}

/* ---- The sentence ---------------------------------------------------------------------------- */

static const char *const names[] = {"relu", "mish", "silu", "gelu", "elu", "prelu"};
enum { MOST_ROWS = 6 };

/* A panel of rows with these scores, [rows][seeds], the first being the baseline. */
static panel *panel_of(const double *scores, int rows, int seeds, double floor)
{
    static row_view views[MOST_ROWS];
    static standing standings[MOST_ROWS];
    static int same_net[MOST_ROWS];
    static panel p;
    p = (panel){.rows = views,
                .n_rows = rows,
                .standings = standings,
                .n_standings = seeds ? rows : 0,
                .n_ranked = seeds ? rows : 0,
                .same_net = same_net,
                .seeds = seeds,
                .score_name = "accuracy",
                .floor_name = "the share of the largest class",
                .floor = floor};
    for (int i = 0; i < rows; i++) {
        views[i].label = names[i];
        same_net[i] = i;
    }
    const score_table table = {.scores = scores, .rows = rows, .seeds = seeds, .floor = floor};
    stats_leaderboard(&table, standings);
    return &p;
}

static const char *sentence_of(const panel *p)
{
    static char text[1024];
    char *it = report_sentence_new(p);
    snprintf(text, sizeof text, "%s", it);
    free(it);
    return text;
}

static const char *said_of(const double *scores, int rows, int seeds)
{
    return sentence_of(panel_of(scores, rows, seeds, UNKNOWN));
}

/* The verdict of a row, as formats write it. */
static const char *verdict_of(const panel *p, int row)
{
    static char text[200];
    for (int i = 0; i < p->n_standings; i++)
        if (p->standings[i].row == row)
            report_verdict_write(p, &p->standings[i], text, sizeof text);
    return text;
}

static void sentence_of_rows_above(void)
{
    const double scores[] = {.900, .902, .901, .899, .900, .907, .909, .908, .906, .9065,
                             .909, .908, .907, .907, .908, .908, .910, .910, .906, .9075};
    const char *said = said_of(scores, 4, 5);
    CHECK_CONTAINS(said, "gelu, silu and mish beat relu by 0.7 to 0.8 points.");
    CHECK(!strstr(said, "ahead") && !strstr(said, "told apart"));
}

static void sentence_of_no_difference(void)
{
    const double scores[] = {.90, .91, .92, .93, .91, .91, .92, .90, .92, .93};
    const panel *p = panel_of(scores, 2, 5, UNKNOWN);
    const char *said = sentence_of(p);
    CHECK_CONTAINS(said, "5 seeds show no difference; mish is not shown to differ from relu, where "
                         "2.8 points had a chance of 80 %");
    CHECK(!strstr(said, "beat"));
    CHECK(!strstr(said, "ahead"));
    CHECK_TEXT(verdict_of(p, 1), "not shown, 80 % for 2.76");
}

/* The seeds needed are those of the best row, not of the one that would need the fewest. */
static void sentence_of_seeds_needed(void)
{
    const double scores[] = {.90, .91, .92, .93,  .91,  .95,  .90, .92,
                             .95, .90, .91, .912, .926, .934, .90};
    char expected[128];
    const panel *p = panel_of(scores, 3, 5, UNKNOWN);
    const standing *mish = &p->standings[0], *silu = &p->standings[1];
    CHECK(mish->row == 1 && mish->verdict == VERDICT_NOT_SHOWN && mish->against.seeds_needed > 5);
    CHECK(silu->row == 2 && silu->against.seeds_needed > 5);
    snprintf(expected, sizeof expected,
             "; the +1.0 points of mish, if real, would take about %d seeds to show.",
             mish->against.seeds_needed);
    CHECK_CONTAINS(sentence_of(p), expected);
}

static void sentence_of_a_loser_and_failures(void)
{
    const double n = (double)NAN;
    const double scores[] = {.90, .91, .92, .93, .91, .88, .89, .90, .91, .8901,
                             .90, .91, n,   .93, .91, n,   n,   n,   n,   n};
    const panel *p = panel_of(scores, 4, 5, UNKNOWN);
    const char *said = sentence_of(p);
    CHECK_CONTAINS(said, "mish loses to relu by 2.0 points");
    CHECK_CONTAINS(said, "silu failed 1 of 5, gelu 5 of 5.");
    CHECK_TEXT(verdict_of(p, 1), "worse");
    CHECK_TEXT(verdict_of(p, 2), "not tested: failed 1 of 5");
}

/* A baseline that collapses in some seeds: the others are compared all the same. */
static void sentence_of_a_collapsing_baseline(void)
{
    const double scores[] = {.60,   .95,   .20,   .93,   .90,   .950,  .951, .949,
                             .9505, .9495, .9302, .9308, .9290, .9303, .9297};
    double failed[15];
    memcpy(failed, scores, sizeof scores);
    failed[2] = (double)NAN;
    const panel *p = panel_of(scores, 3, 5, UNKNOWN);
    CHECK_CONTAINS(sentence_of(p),
                   "mish beats silu by 2.0 points; mish and silu are not shown to differ "
                   "from relu, where ");
    CHECK(strncmp(verdict_of(p, 1), "not shown, 80 % for ", 20) == 0);
    p = panel_of(failed, 3, 5, UNKNOWN);
    CHECK_CONTAINS(sentence_of(p),
                   "the baseline has failed runs, so nothing was tested against it; means "
                   "run from 84.50 %");
    CHECK_CONTAINS(sentence_of(p), "; mish beats silu by 2.0 points; relu failed 1 of 5.");
    CHECK_TEXT(verdict_of(p, 1), "not tested: the baseline failed");
}

static void sentence_without_a_test(void)
{
    const double n = (double)NAN;
    const double one[] = {.90, .95, .93, .99}, failed[] = {.9, n, .95, .94}, all[] = {n, n, .9, n};
    CHECK_TEXT(said_of(one, 2, 1),
               "1 seed is too few for a verdict, which takes 3; means run from 90.00 % "
               "(relu) to 95.00 % (mish).");
    const panel *p = panel_of(one, 2, 2, UNKNOWN);
    CHECK_CONTAINS(sentence_of(p), "2 seeds are too few for a verdict");
    CHECK_TEXT(verdict_of(p, 1), "not tested: 2 seeds, expected 3 at least");
    CHECK_TEXT(verdict_of(p, 0), "baseline");
    CHECK_CONTAINS(said_of(failed, 2, 2), "every row but one has failed runs");
    CHECK_CONTAINS(said_of(all, 2, 2), "every row has failed runs");
    CHECK_TEXT(said_of(one, 1, 1), "relu reaches 90.00 %, with nothing to compare it to.");
    CHECK_TEXT(said_of(one, 0, 0), "no seed has been run for every row yet.");
}

/* Rows of a table of which 40 % are of one class; what is above 40 % is above by luck. */
static void sentence_of_nothing_learned(void)
{
    const double scores[] = {.34, .35, .33, .34, .36, .38, .39, .36, .41, .40};
    const panel *p = panel_of(scores, 2, 5, 0.4);
    CHECK_CONTAINS(sentence_of(p),
                   "no net has learned, so there is no verdict: none is above the floor of "
                   "40.00 %, the share of the largest class; means run from 34.40 %");
    CHECK_TEXT(verdict_of(p, 1), "not tested: no net has learned");
    p = panel_of(scores, 2, 5, 0.37);
    CHECK_CONTAINS(sentence_of(p), "no net has learned"); /* not by its interval */
    p = panel_of(scores, 2, 5, 0.35);
    CHECK_CONTAINS(sentence_of(p), "mish beats relu by ");
    CHECK_CONTAINS(sentence_of(p), "; relu has not learned: not above the floor of 35.00 %.");
    CHECK_TEXT(verdict_of(p, 0), "baseline, has not learned");
}

/* t takes one seed that collapsed for scatter; signs do not. */
static void sentence_of_tests_that_part(void)
{
    const double scores[] = {.93, .931, .930, .93, .931, .929, .20, .930,
                             .95, .951, .949, .95, .952, .951, .95, .949};
    CHECK_CONTAINS(said_of(scores, 2, 8),
                   "the exact test by signs says otherwise than t of mish (p 0.0078, "
                   "by t 0.26, before correction)");
}

/* Over random scores: a row is said to beat or lose only where its verdict or its letters say so. */
static void sentence_claims_what_verdicts_do(void)
{
    int claims = 0;
    for (int trial = 0; trial < 400; trial++) {
        double scores[30];
        int seeds = 2 + trial % 4, found = 0;
        fixture_state = (uint64_t)trial;
        for (int i = 0; i < 6 * seeds; i++)
            scores[i] = 0.9 + 0.002 * fixture_normal() + 0.004 * (trial % 3) * (i / seeds % 3);
        const panel *p = panel_of(scores, 6, seeds, UNKNOWN);
        for (int i = 0; i < 6; i++)
            for (int j = i + 1; j < 6; j++)
                found += report_told_apart(&p->standings[i], &p->standings[j]);
        const char *said = sentence_of(p);
        bool claimed = strstr(said, "beat") || strstr(said, "loses") || strstr(said, "lose ") ||
                       strstr(said, "ahead") || strstr(said, "are told apart");
        CHECK(claimed == (found > 0));
        CHECK((found > 0 || seeds == 2) == !strstr(said, "show no difference"));
        claims += claimed;
    }
    CHECK(claims > 20);
}

/* Of several tables some show what is not there. */
static void sentence_of_many_tables(void)
{
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    analysis *a = report_analysis_new(r);
    CHECK_CONTAINS(a->sentence,
                   "of 4 comparisons that were tested; if nothing differed, chance alone would "
                   "find one in 0.2 of them on average.");
    report_analysis_free(a);
    compare_results_free(r);
}

/* ---- Sinks ----------------------------------------------------------------------------------- */

static const char hostile[] = "=<script>alert('1')</script>\"&|`*_[a](http://b)\x1b[31m\r\n\xff"
                              "\xe2\x80\xae\xc2\x9b";

typedef void (*sink)(FILE *to, const char *text);

static const char *through(sink it, const char *text)
{
    static char out[4096];
    memset(out, 0, sizeof out);
    FILE *to = fmemopen(out, sizeof out - 1, "w");
    it(to, text);
    fclose(to);
    return out;
}

static void html_sink(FILE *to, const char *text)
{
    page_put_html(to, text, WHOLE_TEXT);
}

static void html_short(FILE *to, const char *text)
{
    page_put_html(to, text, 4);
}

static void sinks_escape(void)
{
    const char *html = through(html_sink, hostile);
    CHECK(!strpbrk(html, "<>\"'\x1b\n\r\xff"));
    CHECK_CONTAINS(html, "&#60;script&#62;");
    CHECK_CONTAINS(html, "\\x1b[31m\\x0d\\x0a\\xff\\u{202e}\\u{9b}");
    const char *markdown = through(page_put_markdown, hostile);
    CHECK_CONTAINS(markdown, "\\<script\\>alert('1')\\<\\/script\\>");
    CHECK_CONTAINS(markdown, "\\|\\`\\*\\_\\[a\\](http:\\/\\/b)");
    CHECK(!strchr(markdown, '\n'));
    const char *csv = through(page_put_csv, hostile);
    CHECK(strncmp(csv, "\"'=<script>", 11) == 0);
    CHECK_CONTAINS(csv, "\"\"&|");
    CHECK(!strpbrk(csv, "\r\n\x1b"));
    CHECK_TEXT(through(page_put_csv, "-1"), "\"'-1\"");
    CHECK_TEXT(through(page_put_csv, "relu"), "\"relu\"");
    CHECK_TEXT(through(page_put_csv, NULL), "\"\"");
    CHECK_TEXT(through(html_short, "gr\xc3\xbc\xc3\x9f"
                                   "e"),
               "gr\xc3\xbc\xc3\x9f\xe2\x80\xa6");
    CHECK_TEXT(through(html_sink, "\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");
}

/* ---- Formats --------------------------------------------------------------------------------- */

/* Every text of a comparison is hostile, one of them long. */
static results *hostile_results(void)
{
    static char long_name[10001];
    memset(long_name, 'w', sizeof long_name - 1);
    const char *const acts[] = {"relu",    hostile,     "+cmd|' /C calc'!A0",
                                long_name, "</svg><b>", NULL};
    fixture_plan plan = small_plan();
    plan.acts = acts;
    results *r = fixture_new(&plan);
    free(r->command);
    r->command = strdup(hostile);
    free(r->name);
    r->name = strdup("</title><script>");
    free(r->provenance);
    r->provenance = strdup("{\"</td><script>\":\"<img src=x onerror=alert(1)>\"}");
    free(r->settings);
    r->settings = strdup("not <JSON>");
    for (int i = 0; i < r->n_runs; i++)
        if (r->runs[i].reason) {
            free(r->runs[i].reason);
            r->runs[i].reason = strdup("</pre><script>");
            free(r->runs[i].last_lines);
            r->runs[i].last_lines = strdup("</pre><iframe>\nsecond line");
        }
    for (int i = 0; i < r->n_runs; i++)
        for (int e = 0; e < r->runs[i].n_epochs; e++) {
            layer_record *layer = &r->runs[i].epochs[e].layers[0];
            strcpy(layer->layer, "<script>\"'");
        }
    return r;
}

static void page_holds_hostile_names_as_text(void)
{
    size_t size;
    results *r = hostile_results();
    char *html = written(r, report_html, &size);
    CHECK_EQUAL(times_in(html, "<script"), 0);
    CHECK_EQUAL(times_in(html, "<img"), 0);
    CHECK_EQUAL(times_in(html, "<iframe"), 0);
    CHECK_EQUAL(times_in(html, "<b>0"), 0);
    CHECK_EQUAL(times_in(html, "</title>"), times_in(html, "<title>"));
    CHECK(times_in(html, "</title>") > times_in(html, "role=\"img\""));
    CHECK_EQUAL(times_in(html, "</svg>"), times_in(html, "<svg"));
    CHECK_EQUAL(strpbrk(html, "\x1b\r\xff") != NULL, 0);
    CHECK_CONTAINS(html, "&#60;script&#62;alert");
    CHECK_CONTAINS(html, "second line");
    CHECK(size < 2 << 20);
    free(html);
    compare_results_free(r);
}

static void other_formats_hold_hostile_names(void)
{
    size_t size;
    results *r = hostile_results();
    char *csv = written(r, report_csv, &size);
    CHECK_EQUAL(times_in(csv, "\r\n"), 1 + r->n_runs);
    CHECK_EQUAL(times_in(csv, "\n"), times_in(csv, "\r\n"));
    CHECK_EQUAL(times_in(csv, ",\"="), 0);
    CHECK_EQUAL(times_in(csv, ",\"+"), 0);
    free(csv);
    char *markdown = written(r, report_markdown, &size);
    CHECK_EQUAL(times_in(markdown, "<script"), times_in(markdown, "\\<script"));
    CHECK_EQUAL(strpbrk(markdown, "\x1b\r\xff") != NULL, 0);
    free(markdown);
    analysis *a = report_analysis_new(r);
    json_t *json = compare_report_json(a);
    char *text = tool_json_written(json, JSON_COMPACT);
    CHECK(text != NULL);
    json_t *again = json_loads(text ? text : "", 0, NULL);
    CHECK(json_equal(json, again));
    CHECK_CONTAINS(json_string_value(json_object_get(again, "command")), "\\xff");
    json_decref(again);
    json_decref(json);
    free(text);
    report_analysis_free(a);
    compare_results_free(r);
}

static void page_tells_all(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    char *html = written(r, report_html, &size);
    CHECK_EQUAL(times_in(html, "<section id=\"panel"), 4);
    CHECK(times_in(html, "not shown to differ from relu") + times_in(html, "beat relu") > 3);
    CHECK_CONTAINS(html, "prelu failed 1 of 5");
    CHECK_CONTAINS(html, "loss is nan at step 311 of epoch 2");
    CHECK_CONTAINS(html, "cell 17 of 16");
    CHECK_CONTAINS(html, "hillock compare --act relu");
    CHECK_CONTAINS(html, "Sapphire Rapids");
    CHECK_CONTAINS(html, "gelu: value and derivative");
    CHECK_EQUAL(times_in(html, "http:") + times_in(html, "https:") + times_in(html, "<script") +
                    times_in(html, " style=") + times_in(html, "url(h"),
                0);
    CHECK_EQUAL(times_in(html, "nan<") + times_in(html, "inf<") + times_in(html, "\"nan") +
                    times_in(html, " nan "),
                0 + times_in(html, "is nan at"));
    CHECK(size < 1 << 20);
    free(html);
    compare_results_free(r);
}

/* 24 rows on 2 data sets with 2 models: a row has a colour, dashes and a mark that no other has, the same
 * in every figure, and the page stays below 5 MB. */
static void many_rows_are_told_apart(void)
{
    enum { ACTS = 24 };
    static char text[ACTS][16];
    const char *acts[ACTS + 1] = {"relu"};
    size_t size;
    for (int i = 1; i < ACTS; i++) {
        snprintf(text[i], sizeof text[i], "act%d", i);
        acts[i] = text[i];
    }
    fixture_plan plan = small_plan();
    plan.acts = acts;
    plan.epochs = 8;
    plan.layers = 12;
    results *r = fixture_new(&plan);
    char *html = written(r, report_html, &size), mark[64];
    analysis *a = report_analysis_new(r);
    CHECK_EQUAL(a->n_panels, 4);
    for (int k = 0; k < a->n_panels; k++)
        for (int i = 0; i < ACTS; i++) {
            CHECK_EQUAL(a->panels[k].rows[i].colour, i);
            snprintf(mark, sizeof mark, "point %s\"", page_series_class(i));
            CHECK(times_in(html, mark) >= 3 * 4); /* score, loss, cost, of each table */
        }
    CHECK(size < 5000000);
    printf("  %zu bytes\n", size);
    report_analysis_free(a);
    free(html);
    compare_results_free(r);
}

/* What a reader of a paper asks: formulas, recipes, scales, values under the pointer, one meaning of the
 * sign, intervals that belong to their p; and histograms that do not fill the page. */
static void page_answers_readers(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    analysis *a = report_analysis_new(r);
    char *html = written(r, report_html, &size);
    CHECK_CONTAINS(html, "<caption>Formulas</caption>");
    CHECK_CONTAINS(html, "<td>adam:lr=0.001\n<td>constant\n<td>none\n<td class=\"number\">64");
    CHECK_EQUAL(times_in(html, "<svg class=\"scale\""), 2 * 4);
    CHECK_CONTAINS(html, "<title>relu, 2: ");
    CHECK_CONTAINS(html, "never for an interval");
    CHECK_CONTAINS(html, "<details><summary>Distribution of activations</summary>");
    for (int k = 0; k < a->n_panels; k++)
        for (int i = 0; i < a->panels[k].n_ranked; i++) {
            const standing *s = &a->panels[k].standings[i];
            CHECK(isnan(s->corrected_low) ||
                  (s->corrected_low > 0 || s->corrected_high < 0) == (s->p_adjusted <= 0.05));
            CHECK(!(s->score.low < 0) && !(s->score.high > 1));
        }
    report_analysis_free(a);
    free(html);
    compare_results_free(r);
}

/* An interval that goes on beyond the picture has an arrow there. */
static void clipped_intervals_are_marked(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    char *html = written(r, report_html, &size);
    CHECK_EQUAL(times_in(html, "class=\"clip\""), 0);
    free(html);
    for (int i = 0; i < r->n_runs; i++)
        r->runs[i].state = r->runs[i].seed > 2 ? RUN_PLANNED : RUN_OK;
    html = written(r, report_html, &size); /* t of one degree of freedom: 12.7 deviations */
    CHECK(times_in(html, "class=\"clip\"") > 10);
    free(html);
    compare_results_free(r);
}

/* A figure by itself, and the table for a paper. */
static void figures_and_tables_are_printed(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    analysis *a = report_analysis_new(r);
    for (int i = 0; report_figure_names[i]; i++) {
        char *figure = NULL, *svg = NULL;
        FILE *to = open_memstream(&figure, &size);
        CHECK(report_figure_write(to, a, report_figure_names[i], i % 4));
        fclose(to);
        to = open_memstream(&svg, &size);
        page_print_svg(to, figure);
        fclose(to);
        CHECK(strncmp(svg, "<svg xmlns=", 11) == 0 && strstr(svg, "</svg>\n"));
        CHECK_EQUAL(times_in(svg, "<path"), times_in(figure, "<path"));
        CHECK_EQUAL(times_in(svg, "var("), 0);
        CHECK_CONTAINS(svg, ">relu</text>");
        free(figure);
        free(svg);
    }
    CHECK(!report_figure_write(stdout, a, "nothing", 0));
    CHECK(!report_figure_write(stdout, a, "loss", 4));
    report_analysis_free(a);
    char *tex = written(r, report_latex, &size);
    CHECK_EQUAL(times_in(tex, "\\toprule"), 4 + 1); /* a table of formulas */
    CHECK_EQUAL(times_in(tex, "\\end{tabular}"), 4 + 1);
    CHECK_CONTAINS(tex, "leaky\\_relu & $");
    free(tex);
    compare_results_free(r);
}

/* A '+' in a number ends no activation. */
static void page_of_own_layers(void)
{
    static const char *const acts[] = {"relu", "elu:alpha=5e+00+conv2=elu:alpha=1e-1+fc1=relu6",
                                       NULL};
    size_t size;
    fixture_plan plan = small_plan();
    plan.acts = acts;
    results *r = fixture_new(&plan);
    char *html = written(r, report_html, &size);
    CHECK_CONTAINS(html, "elu:alpha=5e+00</figcaption>");
    CHECK_CONTAINS(html, "elu:alpha=1e-1</figcaption>");
    CHECK_CONTAINS(html, "relu6</figcaption>");
    CHECK_EQUAL(times_in(html, " not drawn: a plugin"), 0);
    free(html);
    compare_results_free(r);
}

static void page_of_rates(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    plan.optimizers = fixture_rates;
    results *r = fixture_new(&plan);
    char *html = written(r, report_html, &size);
    CHECK_EQUAL(times_in(html, "<h3>Learning rate against dead units"), 4);
    CHECK_CONTAINS(html, "<td class=\"number\">0.003000<td class=\"number\">5");
    free(html);
    plan.optimizers = fixture_sgd;
    compare_results_free(r);
    r = fixture_new(&plan);
    html = written(r, report_html, &size);
    CHECK_EQUAL(times_in(html, "Learning rate against dead units"), 0);
    free(html);
    compare_results_free(r);
}

/* Each norm and activation is a line; what is not drawn is said, and stands in the table. */
static void page_of_many_rates(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    plan.optimizers = fixture_rates;
    plan.norms = 4;
    results *r = fixture_new(&plan);
    char *html = written(r, report_html, &size);
    CHECK_EQUAL(times_in(html, "The first 24 of 32 lines are drawn; the table has all."), 4);
    CHECK_EQUAL(times_in(html, "<td class=\"number\">0.003000<td class=\"number\">5"), 4 * 32);
    free(html);
    compare_results_free(r);
}

static void rates_in_specs(void)
{
    char text[64];
    CHECK_NEAR(compare_rate_in("sgd:momentum=0.9,lr=0.25"), 0.25, 0);
    CHECK(isnan(compare_rate_in("sgd")) && isnan(compare_rate_in("sgd:xlr=1")) &&
          isnan(compare_rate_in("sgd:")));
    compare_rate_left_out("sgd:lr=0.1,momentum=0.9", text, sizeof text);
    CHECK_TEXT(text, "sgd:momentum=0.9");
    compare_rate_left_out("adam:lr=0.1", text, sizeof text);
    CHECK_TEXT(text, "adam");
    compare_rate_put("sgd:lr=0.1,momentum=0.9", 0.25, text, sizeof text);
    CHECK_TEXT(text, "sgd:momentum=0.9,lr=0.25");
    compare_rate_put("adam", 0.5, text, sizeof text);
    CHECK_TEXT(text, "adam:lr=0.5");
    compare_rate_put("sgd:momentum=0.9", 0.5, text, 12);
    CHECK_TEXT(text, "sgd:momentu");
}

/* What is not there yet is said, and not taken for a failure. */
static void unfinished_is_no_failure(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    plan.failures = false;
    plan.unfinished = true;
    results *r = fixture_new(&plan);
    analysis *a = report_analysis_new(r);
    CHECK_EQUAL(a->failures, 0);
    CHECK_EQUAL(a->unfinished, 32);
    CHECK_EQUAL(a->panels[0].seeds, 4);
    CHECK(!strstr(a->panels[0].sentence, "failed"));
    report_analysis_free(a);
    char *html = written(r, report_html, &size);
    CHECK_CONTAINS(html, "unfinished comparison");
    free(html);
    plan.seeds = 1; /* nothing at all is done */
    compare_results_free(r);
    r = fixture_new(&plan);
    html = written(r, report_html, &size);
    CHECK_CONTAINS(html, "no seed has been run for every row yet");
    free(html);
    compare_results_free(r);
}

/* One net under two names is one row; every format says the same of it. */
static void same_nets_are_one_row(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    plan.failures = false;
    results *r = fixture_new(&plan);
    for (int i = 0; i < r->n_runs; i++) /* leaky_relu is relu */
        if (r->runs[i].row % 8 == 1)
            memcpy(r->runs[i].digest, r->runs[i - plan.seeds].digest, sizeof r->runs[i].digest);
    analysis *a = report_analysis_new(r);
    const panel *p = &a->panels[0];
    CHECK(p->n_ranked == 7 && p->n_standings == 8 && p->standings[7].row == 1);
    CHECK_TEXT(p->rows[0].label, "relu = leaky_relu");
    CHECK_CONTAINS(p->sentence, "; relu = leaky_relu: one net, to the last digit, and one row.");
    json_t *json = compare_report_json(a), *standings, *last;
    standings =
        json_object_get(json_array_get(json_object_get(json, "comparisons"), 0), "standings");
    last = json_array_get(standings, 7);
    CHECK_TEXT(json_string_value(json_object_get(last, "verdict")), "not tested");
    CHECK_TEXT(json_string_value(json_object_get(last, "not_tested")),
               "the same net as relu = leaky_relu");
    json_decref(json);
    report_analysis_free(a);
    char *html = written(r, report_html, &size);
    CHECK_CONTAINS(html, "relu = leaky_relu: one net");
    free(html);
    char *csv = written(r, report_csv, &size);
    CHECK_CONTAINS(csv, ",,not tested,\"the same net as relu = leaky_relu\",\"none\",\"none\"\r\n");
    free(csv);
    compare_results_free(r);
}

/* The floor and what does not lie above it are in every format; an interval ends where accuracies do. */
static void floors_are_said(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    for (int i = 0; i < r->n_runs; i++)
        r->runs[i].test_floor = 0.99;
    r->runs[0].test_accuracy = 0.4;
    analysis *a = report_analysis_new(r);
    const standing *last = &a->panels[0].standings[6]; /* before the failed one */
    CHECK(last->row == 0 && last->score.high <= 1 && last->score.low >= 0);
    json_t *json = compare_report_json(a), *first;
    first = json_array_get(json_object_get(json, "comparisons"), 0);
    CHECK_NEAR(json_number_value(json_object_get(first, "floor")), 0.99, 1e-12);
    json_decref(json);
    report_analysis_free(a);
    const char *const said = "no net has learned";
    char *html = written(r, report_html, &size), *markdown = written(r, report_markdown, &size);
    CHECK_CONTAINS(html, "not tested: no net has learned");
    CHECK_CONTAINS(html, "Floor: 99.00 %");
    CHECK_CONTAINS(markdown, said);
    CHECK_CONTAINS(markdown, "Floor: 99.00");
    free(html);
    free(markdown);
    compare_results_free(r);
}

/* R2 stands where accuracy stands; it may lie below 0. */
static void regression_is_judged_by_r2(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    for (int i = 0; i < r->n_runs; i++) {
        run_record *run = &r->runs[i];
        run->test_r2 = run->test_accuracy - 1.2;
        run->test_accuracy = run->test_macro_f1 = (double)NAN;
        for (int e = 0; e < run->n_epochs; e++) {
            run->epochs[e].r2 = run->epochs[e].accuracy - 0.9;
            run->epochs[e].accuracy = run->epochs[e].macro_f1 = (double)NAN;
        }
    }
    snprintf(r->runs[0].constant, sizeof r->runs[0].constant, "relu of fc<2>");
    analysis *a = report_analysis_new(r);
    const panel *p = &a->panels[0];
    CHECK_TEXT(p->score_name, "R2");
    CHECK(p->standings[0].score.mean < 0 && p->standings[0].score.low < p->standings[0].score.mean);
    CHECK(isfinite(p->rows[0].score.mean[0]));
    report_analysis_free(a);
    char *html = written(r, report_html, &size), *markdown = written(r, report_markdown, &size);
    CHECK_CONTAINS(html, "Scores are test R2");
    CHECK_CONTAINS(html, "nothing of the input is left behind relu of fc&#60;2&#62;");
    CHECK_CONTAINS(markdown, "Test R2 in percent");
    free(html);
    free(markdown);
    compare_results_free(r);
}

/* Rows without a time have no place in the chart of costs, which is left out when it is empty. */
static void page_without_times(void)
{
    size_t size;
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    for (int i = 0; i < r->n_runs; i++)
        for (int e = 0; e < r->runs[i].n_epochs; e++)
            r->runs[i].epochs[e].seconds = (double)NAN;
    char *html = written(r, report_html, &size);
    CHECK_EQUAL(times_in(html, "Validation loss over epochs"), 4);
    CHECK_EQUAL(times_in(html, "Test accuracy against"), 0);
    free(html);
    compare_results_free(r);
}

static void empty_results(void)
{
    size_t size;
    results *r = calloc(1, sizeof *r);
    void (*const all[])(FILE *, const analysis *) = {report_html, report_markdown, report_csv};
    for (int i = 0; i < 3; i++) {
        char *text = written(r, all[i], &size);
        CHECK(size > 50);
        free(text);
    }
    free(r);
}

/* A path is short only where that is unmistakable; a layer's own activation never goes missing. */
static void labels_tell_rows_apart(void)
{
    const char *const acts[] = {
        "relu", "./a/mine.so", "./b/mine.so", "/x/other.so:k=2/3", "relu+conv2=./c/mine.so", NULL};
    const char *const labels[] = {"relu (lr=0.1)", "./a/mine.so (lr=0.1)", "./b/mine.so (lr=0.1)",
                                  "other.so:k=2/3 (lr=0.1)", "relu+conv2=./c/mine.so (lr=0.1)"};
    fixture_plan plan = small_plan();
    plan.acts = acts;
    plan.optimizers = fixture_rates;
    results *r = fixture_new(&plan);
    analysis *a = report_analysis_new(r);
    for (int i = 0; i < 5; i++)
        CHECK_TEXT(a->panels[0].rows[15 + i].label, labels[i]);
    report_analysis_free(a);
    compare_results_free(r);
}

/* Models that choose their own rate, rows whose rate was tuned, two files of one name. */
static void labels_leave_out_what_tells_nothing(void)
{
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    for (int i = 0; i < r->n_rows; i++)
        if (strcmp(r->rows[i].specs[AXIS_MODEL], "lenet5") == 0)
            memcpy(r->rows[i].specs[AXIS_OPTIMIZER], "sgd:lr=0.07", 11);
    strcpy(r->rows[2].specs[AXIS_ACT], "relu");
    memcpy(strstr(r->rows[2].plugin_digests, "1f3ac0"), "beefed", 6);
    analysis *a = report_analysis_new(r);
    CHECK_TEXT(a->panels[0].rows[1].label, "leaky_relu");
    CHECK_TEXT(a->panels[0].rows[0].label, "relu (file 1f3ac0 b)");
    CHECK_TEXT(a->panels[0].rows[2].label, "relu (file beefed b)");
    report_analysis_free(a);
    for (int i = 0; i < r->n_rows; i++)
        r->rows[i].rate = 0.3;
    memcpy(r->rows[1].specs[AXIS_OPTIMIZER], "rms:lr=0.07", 11);
    a = report_analysis_new(r);
    CHECK_TEXT(a->panels[0].rows[1].label, "leaky_relu (rms)");
    CHECK_TEXT(a->panels[0].rows[3].label, "elu (sgd)");
    report_analysis_free(a);
    compare_results_free(r);
}

/* Figures of the analysis against sums by hand. */
static void analysis_averages(void)
{
    fixture_plan plan = small_plan();
    results *r = fixture_new(&plan);
    analysis *a = report_analysis_new(r);
    const row_view *row = &a->panels[0].rows[2]; /* prelu: its third seed failed */
    double dead = 0, low = 1;
    for (int s = 0; s < 5; s++)
        if (s != 2) {
            const epoch_record *last = &row->runs[s].epochs[2];
            dead += last->layers[2].dead / 4;
            low = fmin(low, last->accuracy);
        }
    CHECK_TEXT(row->label, "prelu");
    CHECK_EQUAL(row->n_averaged, 4);
    CHECK_NEAR(report_layer_means(row, offsetof(layer_record, dead))[2 * 3 + 2], dead, 1e-12);
    CHECK_NEAR(row->score.low[2], low, 0);
    double sum = 0;
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        sum += row->histograms[1].shares[AT_END][i];
    CHECK_NEAR(sum, 1, 1e-12);
    CHECK_EQUAL(a->panels[3].n_rows, 8);
    CHECK_EQUAL(a->failures, 4);
    report_analysis_free(a);
    compare_results_free(r);
}

/* A hundred rows in each of four panels, 25 seeds: 10,000 runs. */
static results *large_results(void)
{
    fixture_plan plan = small_plan();
    plan.norms = 12;
    plan.seeds = 26;
    return fixture_new(&plan);
}

static void ten_thousand_runs_make_a_small_page(void)
{
    size_t size;
    results *r = large_results();
    CHECK(r->n_runs >= 9980);
    char *html = written(r, report_html, &size);
    CHECK(size < 5000000);
    printf("  %d runs: %zu bytes\n", r->n_runs, size);
    free(html);
    compare_results_free(r);
}

static int save(const char *path, const char *text)
{
    draft d;
    page_draft_open(&d);
    fputs(text, d.to);
    return page_draft_save(&d, path);
}

static void file_is_written_whole(void)
{
    char folder[] = "/tmp/hillock-report-XXXXXX", path[64], there[8] = "";
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/r.html", folder);
    CHECK_EQUAL(save(path, "abc"), 0);
    CHECK_EQUAL(save(path, "defg"), 0);
    FILE *file = fopen(path, "r");
    CHECK(file && fgets(there, sizeof there, file));
    CHECK_TEXT(there, "defg");
    fclose(file);
    unlink(path);
    rmdir(folder);
    CHECK(save(path, "abc") != 0);
}

/* ---- Pages to look at ------------------------------------------------------------------------ */

static int write_page(const char *folder, const char *name, results *r)
{
    char path[4096];
    size_t size;
    clock_t begin = clock();
    char *html = written(r, report_html, &size);
    snprintf(path, sizeof path, "%s/%s.html", folder, name);
    int status = save(path, html);
    printf("%s: %zu bytes, %.2f s\n", path, size, (double)(clock() - begin) / CLOCKS_PER_SEC);
    free(html);
    compare_results_free(r);
    return status;
}

static int write_pages(const char *folder)
{
    fixture_plan plan = small_plan();
    int status = write_page(folder, "usual", fixture_new(&plan));
    plan.optimizers = fixture_rates;
    plan.epochs = 30;
    plan.layers = 16;
    plan.data = fixture_data + 1;
    status |= write_page(folder, "rates", fixture_new(&plan));
    status |= write_page(folder, "hostile", hostile_results());
    status |= write_page(folder, "large", large_results());
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return write_pages(argv[1]);
    RUN(sentence_of_rows_above);
    RUN(sentence_of_no_difference);
    RUN(sentence_of_seeds_needed);
    RUN(sentence_of_a_loser_and_failures);
    RUN(sentence_of_a_collapsing_baseline);
    RUN(sentence_without_a_test);
    RUN(sentence_of_nothing_learned);
    RUN(sentence_of_tests_that_part);
    RUN(sentence_of_many_tables);
    RUN(sentence_claims_what_verdicts_do);
    RUN(sinks_escape);
    RUN(page_holds_hostile_names_as_text);
    RUN(other_formats_hold_hostile_names);
    RUN(page_tells_all);
    RUN(many_rows_are_told_apart);
    RUN(page_answers_readers);
    RUN(clipped_intervals_are_marked);
    RUN(figures_and_tables_are_printed);
    RUN(page_of_own_layers);
    RUN(page_of_rates);
    RUN(page_of_many_rates);
    RUN(rates_in_specs);
    RUN(unfinished_is_no_failure);
    RUN(same_nets_are_one_row);
    RUN(floors_are_said);
    RUN(regression_is_judged_by_r2);
    RUN(page_without_times);
    RUN(empty_results);
    RUN(labels_tell_rows_apart);
    RUN(labels_leave_out_what_tells_nothing);
    RUN(analysis_averages);
    RUN(ten_thousand_runs_make_a_small_page);
    RUN(file_is_written_whole);
    return check_result();
}
