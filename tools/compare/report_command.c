/* hillock report: reads a comparison and writes it as a page, Markdown, CSV, JSON or LaTeX, by the name of
 * the file that is to be written; or one figure of it. */
#include "page/draft.h"
#include "page/print.h"
#include "compare/report/beside.h"
#include "compare/report/formats.h"
#include "options.h"
#include "output.h"
#include "compare/store.h"
#include "memory.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void put_json(FILE *to, const analysis *a)
{
    json_t *it = compare_report_json(a);
    json_dumpf(it, to, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putc('\n', to);
    json_decref(it);
}

typedef struct format {
    const char *extension;
    void (*write)(FILE *to, const analysis *a);
} format;

static const format formats[] = {{".html", report_html},
                                 {".md", report_markdown},
                                 {".csv", report_csv},
                                 {".json", put_json},
                                 {".tex", report_latex}};

static bool ends_in(const char *path, const char *extension)
{
    const size_t length = strlen(path), end = strlen(extension);
    return length > end && strcasecmp(path + length - end, extension) == 0;
}

static const format *format_of(const char *path)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (ends_in(path, formats[i].extension))
            return &formats[i];
    return NULL;
}

static void told(const char *path, int64_t size)
{
    tool_note("wrote %s, %s bytes", path, tool_grouped(size));
}

static int write_report(const analysis *a, const char *path)
{
    draft d;
    page_draft_open(&d);
    format_of(path)->write(d.to, a);
    const int status = page_draft_save(&d, path);
    if (!status)
        told(path, (int64_t)d.size);
    return status;
}

/* NAME, or NAME:2 for that of the second table. */
static int find_figure(const analysis *a, const char *asked, FILE *to)
{
    char name[32];
    const char *colon = strchr(asked, ':');
    snprintf(name, sizeof name, "%.*s", (int)strcspn(asked, ":"), asked);
    size_t n = 0;
    while (report_figure_names[n])
        n++;
    if (report_figure_write(to, a, name, colon ? atoi(colon + 1) - 1 : 0))
        return EXIT_DONE;
    return tool_fail(EXIT_USAGE,
                     "report: --figure is \"%s\", expected a name and, behind a colon, a "
                     "table from 1 to %d%s",
                     asked, a->n_panels, tool_known(name, report_figure_names, n));
}

static int write_figure(const analysis *a, const options *given)
{
    const char *path = given->out;
    const bool is_pdf = ends_in(path, ".pdf");
    char *figure = NULL;
    FILE *to = tool_memory_stream(&figure, NULL);
    int status = find_figure(a, given->figure, to);
    fclose(to);
    draft d;
    if (!status && is_pdf) {
        status = page_print_pdf(path, figure);
        if (!status)
            tool_note("wrote %s", path);
    } else if (!status) {
        page_draft_open(&d);
        page_print_svg(d.to, figure);
        status = page_draft_save(&d, path);
        if (!status)
            told(path, (int64_t)d.size);
    }
    free(figure);
    return status;
}

static void put_mean(tool_table *t, const standing *s)
{
    if (!s || !s->score.n)
        tool_table_cell(t, "-");
    else if (s->score.n == 1)
        tool_table_cell(t, "%.2f %%", 100 * s->score.mean);
    else
        tool_table_cell(t, "%.2f %% +- %.2f", 100 * s->score.mean, 100 * s->score.sd);
}

/* The tables of both, line by line. */
static void print_beside(const analysis *a)
{
    for (int k = 0; k < a->n_panels; k++) {
        beside b;
        if (!report_beside(a, k, &b))
            continue;
        char here[128], there[128];
        snprintf(here, sizeof here, ">%.120s", a->of->name);
        snprintf(there, sizeof there, ">%.120s", a->with->of->name);
        const char *const names[] = {"<row", here, there, "difference", NULL};
        tool_table *t = tool_table_new(names);
        for (int i = 0; i < b.n; i++) {
            const double difference = report_beside_difference(&b.rows[i]);
            tool_table_cell(t, "%s", b.rows[i].label);
            put_mean(t, b.rows[i].here);
            put_mean(t, b.rows[i].there);
            if (isfinite(difference))
                tool_table_cell(t, "%+.2f", 100 * difference);
            else
                tool_table_cell(t, "-");
        }
        printf(
            "\n%s on %s: test %s, mean +- standard deviation; nothing is tested between the two\n",
            b.here->model, b.here->data_name, b.here->score_name);
        tool_table_print(stdout, t, 0, NULL);
        free(b.rows);
    }
}

static void print_answer(const analysis *a)
{
    for (const analysis *it = a; it; it = it->with) {
        if (a->with) {
            tool_put_text(stdout, it->of->name);
            fputs(": ", stdout);
        }
        tool_put_wrapped(stdout, it->sentence, 0);
        if (it->looked)
            tool_put_wrapped(stdout, it->looked, 0);
    }
    if (a->with)
        print_beside(a);
}

/* `other` may be NULL. */
static int report(const results *found, const results *other, const options *given,
                  const char *path)
{
    analysis *a = report_analysis_new(found), *with = other ? report_analysis_new(other) : NULL;
    int status = a && (with || !other) ? EXIT_DONE : EXIT_FAILED;
    if (!status && with && !report_analysis_join(a, with))
        status = EXIT_FAILED;
    if (!status && given->figure)
        status = write_figure(a, given);
    else if (!status && path)
        status = write_report(a, path);
    if (!status && given->json)
        put_json(stdout, a);
    else if (!status)
        print_answer(a);
    report_analysis_free(a);
    report_analysis_free(with);
    return status;
}

/* The sweeps of a file. */
static int list(store *from, bool json)
{
    size_t i;
    const json_t *it;
    json_t *sweeps;
    int status = compare_store_list(from, &sweeps);
    if (status)
        return status;
    if (json)
        return tool_json_print(json_pack("{s:o}", "sweeps", sweeps));
    json_array_foreach(sweeps, i, it)
    {
        const char *name, *line;
        json_int_t rows, seeds, runs, ok, failed;
        json_unpack((json_t *)it, "{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "name", &name, "command",
                    &line, "rows", &rows, "seeds", &seeds, "runs", &runs, "ok", &ok, "failed",
                    &failed);
        tool_put_text(stdout, name);
        printf(": %s, %s each, %lld of %s done", tool_counted(rows, "row"),
               tool_counted(seeds, "seed"), (long long)(ok + failed), tool_counted(runs, "run"));
        if (failed)
            printf(", %lld failed", (long long)failed);
        fputs("\n  ", stdout);
        tool_put_text(stdout, line);
        putchar('\n');
    }
    json_decref(sweeps);
    return EXIT_DONE;
}

static int check_options(const options *given, const char *path)
{
    if (given->figure &&
        !(given->out && (ends_in(given->out, ".svg") || ends_in(given->out, ".pdf"))))
        return tool_fail(EXIT_USAGE, "report: --figure needs --out FILE.svg or FILE.pdf");
    if (!given->figure && !given->list && path && !format_of(path))
        return tool_fail(EXIT_USAGE,
                         "report: --out is \"%s\", expected a name that ends in .html, "
                         ".md, .csv, .json or .tex",
                         path);
    if (given->with && (given->figure || given->list || (path && ends_in(path, ".csv"))))
        return tool_fail(EXIT_USAGE,
                         "report: --with goes with .html, .md, .tex and JSON, not with %s",
                         given->figure ? "--figure"
                         : given->list ? "--list"
                                       : ".csv");
    return EXIT_DONE;
}

int compare_report_command(options *given)
{
    const char *path = given->out ? given->out : given->json ? NULL : "report.html";
    store *from;
    results *found = NULL, *other = NULL;
    int status = check_options(given, path);
    if (status)
        return status;
    status = compare_store_open(given->db ? given->db : STORE_DEFAULT_FILE, false, &from);
    if (status)
        return status;
    if (given->list)
        status = list(from, given->json);
    else
        status = compare_store_read(from, given->name, &found);
    if (!status && given->with)
        status = compare_store_read(from, given->with, &other);
    compare_store_close(from);
    if (!status && other && strcmp(other->name, found->name) == 0)
        status = tool_fail(EXIT_USAGE, "report: --with %s is the comparison itself", given->with);
    if (!status && !given->list)
        status = report(found, other, given, path);
    compare_results_free(found);
    compare_results_free(other);
    return status;
}
