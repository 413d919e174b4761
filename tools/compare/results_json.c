/* Results for programs: a report with everything that is known, nothing rounded, and the canonical form,
 * which holds what was found and nothing of how, so that two sweeps are compared by its text. */
#include "compare/report/beside.h"
#include "compare/report/formats.h"
#include "compare/figures.h"
#include "output.h"
#include "page/text.h"

#include <math.h>
#include <stdlib.h>

/* Any text: what is not UTF-8 stands as \xff. */
static json_t *text_json(const char *text)
{
    char *it = text ? page_text_plain(text) : NULL;
    json_t *value = it ? json_string(it) : json_null();
    free(it);
    return value;
}

/* A text that should hold an object. */
static json_t *object_in(const char *text)
{
    json_t *object = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    return object ? object : text_json(text);
}

static void set_number(json_t *to, const char *key, double value)
{
    json_object_set_new(to, key, tool_json_number(value));
}

static void set_integer(json_t *to, const char *key, int64_t value)
{
    json_object_set_new(to, key, json_integer(value));
}

static void set_text(json_t *to, const char *key, const char *text)
{
    json_object_set_new(to, key, text_json(text));
}

static json_t *epoch_json(const epoch_record *epoch, figure_use use)
{
    json_t *it = json_object(), *layers = json_array();
    set_integer(it, "epoch", epoch->epoch);
    compare_figures_to_json(it, compare_epoch_figures, epoch, use);
    for (int i = 0; i < epoch->n_layers; i++) {
        json_t *layer = json_object();
        compare_figures_to_json(layer, compare_layer_figures, &epoch->layers[i], use);
        json_array_append_new(layers, layer);
    }
    json_object_set_new(it, "layers", layers);
    return it;
}

/* How far a run came before it was ended depends on the machine: its canonical form has no epochs. */
static json_t *run_json(const run_record *run, figure_use use)
{
    const bool canonical = use == FIGURES_CANONICAL;
    json_t *it = json_object(), *epochs = json_array();
    set_integer(it, "row", run->row);
    set_integer(it, "seed", run->seed);
    json_object_set_new(it, "tuning", json_boolean(run->tuning));
    set_number(it, "rate", run->rate);
    set_text(it, "state", compare_run_state_names[run->state]);
    set_text(it, "failure", run->failure);
    if (!canonical) {
        set_text(it, "reason", run->reason);
        set_text(it, "last_lines", run->last_lines);
        set_integer(it, "attempts", run->attempts);
    }
    compare_figures_to_json(it, compare_run_figures, run, use);
    for (int i = 0; i < run->n_epochs && (!canonical || run->state == RUN_OK); i++)
        json_array_append_new(epochs, epoch_json(&run->epochs[i], use));
    json_object_set_new(it, "epochs", epochs);
    return it;
}

static json_t *row_json(const row_record *row, figure_use use)
{
    json_t *it = json_object();
    set_text(it, "data_digest", row->data_digest);
    set_number(it, "rate", row->rate);
    set_integer(it, "parameters", row->parameters);
    set_integer(it, "multiply_adds", row->multiply_adds);
    json_object_set_new(it, "baseline", json_boolean(row->is_baseline));
    for (int k = 0; k < AXES; k++)
        set_text(it, compare_axis_names[k], row->specs[k]);
    if (row->recipe)
        json_object_set_new(it, "recipe", object_in(row->recipe));
    if (use != FIGURES_CANONICAL)
        set_text(it, "plugin_digests", row->plugin_digests);
    return it;
}

static void set_rows_and_runs(json_t *it, const results *r, figure_use use)
{
    json_t *rows = json_array(), *runs = json_array();
    for (int i = 0; i < r->n_rows; i++)
        json_array_append_new(rows, row_json(&r->rows[i], use));
    for (int i = 0; i < r->n_runs; i++)
        json_array_append_new(runs, run_json(&r->runs[i], use));
    json_object_set_new(it, "rows", rows);
    json_object_set_new(it, "runs", runs);
}

json_t *compare_canonical_json(const results *r)
{
    json_t *it = json_object();
    set_text(it, "name", r->name);
    json_object_set_new(it, "settings", json_loads(r->settings, 0, NULL));
    set_integer(it, "seeds", r->seeds);
    set_rows_and_runs(it, r, FIGURES_CANONICAL);
    return it;
}

static json_t *test_json(const paired_test *t)
{
    json_t *it = json_object();
    set_integer(it, "n", t->n);
    set_number(it, "difference", t->difference);
    set_number(it, "sd", t->sd);
    set_number(it, "low", t->low);
    set_number(it, "high", t->high);
    set_number(it, "t", t->t);
    set_number(it, "df", t->df);
    set_number(it, "p", t->p);
    set_number(it, "cohen_d", t->cohen_d);
    set_number(it, "wilcoxon_p", t->wilcoxon_p);
    set_number(it, "sign_flip_p", t->flip_p);
    set_number(it, "correlation", t->correlation);
    json_object_set_new(it, "seeds_needed",
                        t->seeds_needed ? json_integer(t->seeds_needed) : json_null());
    return it;
}

static json_t *standing_json(const analysis *a, const panel *p, const standing *s)
{
    json_t *it = json_object();
    const row_view *row = &p->rows[s->row];
    char reason[200];
    set_integer(it, "row", row->record - a->of->rows);
    set_text(it, "label", row->label);
    set_integer(it, "rank", s->rank);
    set_text(it, "letters", s->letters);
    set_text(it, "verdict", report_verdict_name(s->verdict));
    set_text(it, "not_tested", report_verdict_reason(p, s, reason, sizeof reason));
    set_number(it, "could_show", s->could_show);
    json_object_set_new(it, "learned", isnan(p->floor) ? json_null() : json_boolean(s->learned));
    set_integer(it, "failures", s->failures);
    set_integer(it, "runs", s->runs);
    set_integer(it, "n", s->score.n);
    set_number(it, "mean", s->score.mean);
    set_number(it, "sd", s->score.sd);
    set_number(it, "median", s->score.median);
    set_number(it, "low", s->score.low);
    set_number(it, "high", s->score.high);
    set_number(it, "bootstrap_low", s->score.boot_low);
    set_number(it, "bootstrap_high", s->score.boot_high);
    set_number(it, "p_adjusted", s->p_adjusted);
    set_number(it, "corrected_low", s->corrected_low);
    set_number(it, "corrected_high", s->corrected_high);
    if (s->verdict != VERDICT_BASELINE)
        json_object_set_new(it, "against_baseline", test_json(&s->against));
    if (p->is_stream) {
        json_t *aging = test_json(&row->aging);
        set_number(aging, "p_adjusted", row->aging_p);
        set_text(aging, "verdict", report_aging_name(row));
        set_number(it, "early", row->early);
        json_object_set_new(it, "late_less_early", aging);
    }
    set_number(it, "dead", row->dead);
    if (isnan(row->dead) && isfinite(row->never_positive))
        set_number(it, "never_positive", row->never_positive);
    set_number(it, "epoch_seconds", row->epoch_seconds);
    return it;
}

json_t *compare_look_json(const analysis *a)
{
    json_t *it = json_array();
    for (const panel *p = a->panels; p < a->panels + a->n_panels; p++) {
        json_t *one = json_object(), *rows = json_object();
        char text[200];
        set_text(one, "data", p->data);
        set_text(one, "model", p->model);
        for (int i = 0; i < p->n_ranked; i++) {
            report_verdict_write(p, &p->standings[i], text, sizeof text);
            set_text(rows, p->rows[p->standings[i].row].label, text);
        }
        json_object_set_new(one, "rows", rows);
        json_array_append_new(it, one);
    }
    return it;
}

static json_t *looks_json(const results *r)
{
    json_t *looks = json_array();
    for (int i = 0; i < r->n_looks; i++) {
        json_t *look = json_object();
        set_integer(look, "seeds", r->looks[i].seeds);
        json_object_set_new(look, "verdicts", object_in(r->looks[i].verdicts));
        json_array_append_new(looks, look);
    }
    return looks;
}

/* What both sweeps have of a row. */
static json_t *beside_row_json(const beside_row *row)
{
    json_t *it = json_object();
    set_text(it, "label", row->label);
    set_number(it, "mean", row->here ? row->here->score.mean : UNKNOWN);
    set_number(it, "with_mean", row->there ? row->there->score.mean : UNKNOWN);
    set_number(it, "difference", report_beside_difference(row));
    return it;
}

/* The other sweep, whole, and the tables that belong together. */
static json_t *beside_json(const analysis *a)
{
    json_t *it = json_object(), *tables = json_array();
    json_object_set_new(it, "differs", report_beside_settings(a));
    for (int k = 0; k < a->n_panels; k++) {
        beside b;
        if (!report_beside(a, k, &b))
            continue;
        json_t *one = json_object(), *rows = json_array();
        set_integer(one, "comparison", k);
        set_integer(one, "with_comparison", b.there - a->with->panels);
        for (int i = 0; i < b.n; i++)
            json_array_append_new(rows, beside_row_json(&b.rows[i]));
        json_object_set_new(one, "rows", rows);
        json_array_append_new(tables, one);
        free(b.rows);
    }
    json_object_set_new(it, "tables", tables);
    json_object_set_new(it, "report", compare_report_json(a->with));
    return it;
}

json_t *compare_report_json(const analysis *a)
{
    const results *r = a->of;
    json_t *it = json_object(), *panels = json_array();
    set_integer(it, "schema", TOOL_JSON_SCHEMA);
    set_text(it, "name", r->name);
    set_text(it, "sentence", a->sentence);
    set_text(it, "command", r->command);
    json_object_set_new(it, "settings", object_in(r->settings));
    json_object_set_new(it, "provenance", object_in(r->provenance));
    set_integer(it, "runs_failed", a->failures);
    set_integer(it, "runs_unfinished", a->unfinished);
    for (const panel *p = a->panels; p < a->panels + a->n_panels; p++) {
        json_t *one = json_object(), *standings = json_array();
        set_text(one, "data", p->data);
        set_text(one, "model", p->model);
        set_text(one, "sentence", p->sentence);
        set_integer(one, "seeds", p->seeds);
        set_integer(one, "unfinished", p->unfinished);
        set_number(one, "floor", p->floor);
        for (int i = 0; i < p->n_standings; i++)
            json_array_append_new(standings, standing_json(a, p, &p->standings[i]));
        json_object_set_new(one, "standings", standings);
        json_array_append_new(panels, one);
    }
    json_object_set_new(it, "comparisons", panels);
    json_object_set_new(it, "looks", looks_json(r));
    set_rows_and_runs(it, r, FIGURES_REPORTED);
    if (a->with)
        json_object_set_new(it, "with", beside_json(a));
    return it;
}
