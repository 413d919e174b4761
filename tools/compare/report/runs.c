/* Every run, and where it all comes from. */
#include "compare/figures.h"
#include "compare/report/parts.h"
#include "output.h"
#include "page/text.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Last words of runs are kept up to this much in all: ten thousand crashes would fill a disk. */
enum { MOST_WORDS = 1 << 20 };

static void put_run(FILE *to, const panel *p, const row_view *row, const run_record *run,
                    size_t *words)
{
    const char *state = compare_run_state_names[run->state];
    size_t length = run->last_lines ? strlen(run->last_lines) : 0;
    page_row(to);
    page_text_cell(to, row->label);
    fprintf(to, "<td class=\"number\">%lld<td%s>%s", (long long)run->seed,
            run->state == RUN_OK ? "" : " class=\"failed\"", state);
    if (run->failure && strcmp(run->failure, state) != 0) {
        fputs(": ", to);
        page_put_html(to, run->failure, 200);
    }
    if (run->tuning)
        fputs(" <span class=\"soft\">(tuning)</span>", to);
    page_numbers(to, 2, 100 * compare_run_score(run));
    page_numbers(to, 4, run->test_loss);
    page_numbers(to, 1, 100 * report_run_mean(run, report_dead_column(p).figure), run->seconds);
    page_numbers(to, 0, run->attempts);
    fputs("<td>", to);
    page_put_html(to, run->reason, 2000);
    if (*run->constant) {
        char reason[192];
        compare_constant_reason(run->constant, reason, sizeof reason);
        page_put_html(to, reason, WHOLE_TEXT);
    }
    if (length > *words) {
        fputs(" <span class=\"soft\">(last lines: see the report's JSON)</span>", to);
    } else if (length) {
        *words -= length;
        fputs("<pre>", to);
        page_put_html_lines(to, run->last_lines);
        fputs("</pre>", to);
    }
    putc('\n', to);
}

enum { DEAD_COLUMN = 5 };
static const page_column run_columns[] = {
    {"row", ""},
    {"seed", "number"},
    {"state", ""},
    {"test score %", "number"},
    {"test loss", "number"},
    {NULL, "number"},
    {"seconds", "number"},
    {"attempts", "number"},
    {"reason", ""},
};

static void put_table(FILE *to, const panel *p, bool failed, size_t *words)
{
    char caption[256];
    int n = 0;
    for (int i = 0; i < p->n_rows; i++)
        for (int k = 0; k < p->rows[i].n_tuning + p->rows[i].n_runs; k++)
            n += (p->rows[i].tuning[k].state != RUN_OK) == failed;
    if (!n)
        return;
    snprintf(caption, sizeof caption, "%.80s on %.80s: %d run%s %s", p->model, p->data_name, n,
             n == 1 ? "" : "s", failed ? "without a result" : "with a result");
    page_column columns[sizeof run_columns / sizeof *run_columns];
    memcpy(columns, run_columns, sizeof columns);
    columns[DEAD_COLUMN].name = report_dead_column(p).name;
    page_table(to, caption, "runs", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < p->n_rows; i++) {
        const row_view *row = &p->rows[i];
        for (int k = 0; k < row->n_tuning + row->n_runs; k++)
            if ((row->tuning[k].state != RUN_OK) == failed)
                put_run(to, p, row, &row->tuning[k], words);
    }
    page_table_end(to);
}

/* Of two comparisons on one page each has its own. */
static void put_section(FILE *to, const analysis *a, const char *id, const char *title,
                        const char *how_to_read)
{
    char own_id[32], own_title[160];
    const bool named = a->with || a->is_second;
    snprintf(own_id, sizeof own_id, "%s%s", id, a->is_second ? "2" : "");
    snprintf(own_title, sizeof own_title, "%s%s%.100s", title, named ? ": " : "",
             named ? a->of->name : "");
    page_section(to, own_id, own_title, how_to_read);
}

void report_part_runs(FILE *to, const analysis *a)
{
    size_t words = MOST_WORDS;
    char text[200];
    snprintf(text, sizeof text,
             "%d runs, %d failed, %d not yet done. A failed run counts as a "
             "failure of its row; none is left out.",
             a->runs, a->failures, a->unfinished);
    put_section(to, a, "runs", "Every run", text);
    for (int i = 0; i < a->n_panels; i++)
        put_table(to, &a->panels[i], true, &words);
    page_details(to, "Runs that ended well");
    for (int i = 0; i < a->n_panels; i++)
        put_table(to, &a->panels[i], false, &words);
    page_details_end(to);
    page_section_end(to);
}

/* Whether a setting was left to each model's recipe, which the table of recipes has as resolved. */
static bool is_of_recipe(const char *key, const json_t *value)
{
    static const char *const keys[] = {"augment", "batch", "epochs", "schedule"};
    bool is = false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        is = is || strcmp(key, keys[i]) == 0;
    return is && (json_is_null(value) || (json_is_integer(value) && !json_integer_value(value)));
}

static void put_object(FILE *to, const char *caption, const char *text)
{
    static const page_column columns[] = {{"name", ""}, {"value", ""}};
    const char *key;
    json_t *value, *object = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    page_table(to, caption, "", columns, 2);
    json_object_foreach(object, key, value)
    {
        page_row(to);
        fputs("<td class=\"soft\">", to);
        page_put_html(to, key, WHOLE_TEXT);
        fputs("\n<td>", to);
        char *written =
            tool_json_written(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
        page_put_html(to,
                      is_of_recipe(key, value) ? "each model's recipe, below"
                      : json_is_null(value)    ? "none"
                      : json_is_string(value)  ? json_string_value(value)
                                               : written,
                      WHOLE_TEXT);
        free(written);
        putc('\n', to);
    }
    if (!json_is_object(object)) {
        page_row(to);
        page_text_cell(to, text && *text ? text : "nothing was recorded");
    }
    page_table_end(to);
    json_decref(object);
}

static void put_digest(FILE *to, const char *of, const char *digest)
{
    page_row(to);
    page_text_cell(to, of);
    page_text_cell(to, digest);
}

/* Each data set once; rows mostly share their plugins: those of one panel stand for all. */
static void put_digests(FILE *to, const analysis *a)
{
    static const page_column columns[] = {{"data or plugins", ""}, {"SHA-256", ""}};
    const row_record *rows = a->of->rows;
    page_details(to, "Files: digests of plugins and data");
    page_table(to, "As they were when the comparison ran", "", columns, 2);
    for (int i = 0; i < a->of->n_rows; i++) {
        const char *before = i ? rows[i - 1].data_digest : NULL, *digest = rows[i].data_digest;
        if (digest && (!before || strcmp(before, digest) != 0))
            put_digest(to, rows[i].specs[AXIS_DATA], digest);
    }
    for (int i = 0; a->n_panels && i < a->panels[0].n_rows; i++)
        put_digest(to, a->panels[0].rows[i].label, a->panels[0].rows[i].record->plugin_digests);
    page_table_end(to);
    page_details_end(to);
}

/* What was seen at each look, a line for each table and row. */
static void put_looks(FILE *to, const results *r)
{
    static const page_column columns[] = {
        {"seeds", "number"}, {"data", ""}, {"model", ""}, {"row", ""}, {"verdict then", ""}};
    const char *row;
    json_t *table, *said;
    size_t k;
    if (!r->n_looks)
        return;
    page_details(to, "Every look at this sweep");
    page_table(to, "What the command said each time it said something new", "", columns,
               sizeof columns / sizeof *columns);
    for (const look_record *look = r->looks; look < r->looks + r->n_looks; look++) {
        json_t *tables = json_loads(look->verdicts, JSON_REJECT_DUPLICATES, NULL);
        json_array_foreach(tables, k, table)
        {
            json_object_foreach(json_object_get(table, "rows"), row, said)
            {
                page_row(to);
                page_numbers(to, 0, (double)look->seeds);
                page_text_cell(to, json_string_value(json_object_get(table, "data")));
                page_text_cell(to, json_string_value(json_object_get(table, "model")));
                page_text_cell(to, row);
                page_text_cell(to, json_string_value(said));
            }
        }
        json_decref(tables);
    }
    page_table_end(to);
    page_details_end(to);
}

void report_part_provenance(FILE *to, const analysis *a)
{
    put_section(to, a, "provenance", "How to reproduce this",
                "The command, the settings all runs share, and what they ran on.");
    fputs("<pre>", to);
    page_put_html(to, a->of->command ? a->of->command : "not recorded", WHOLE_TEXT);
    fputs("</pre>\n", to);
    page_grid_begin(to, GRID_WIDE);
    fputs("<div>", to);
    put_object(to, "Settings", a->of->settings);
    fputs("</div><div>", to);
    put_object(to, "Provenance", a->of->provenance);
    fputs("</div>\n", to);
    page_grid_end(to);
    report_part_recipes(to, a);
    put_looks(to, a->of);
    put_digests(to, a);
    page_section_end(to);
}
