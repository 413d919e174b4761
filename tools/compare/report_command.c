/* hillock report: reads a comparison and writes it as a page, Markdown, CSV or JSON, by the name of
 * the file that is to be written. */
#include "page/draft.h"
#include "compare/report/formats.h"
#include "options.h"
#include "output.h"
#include "compare/store.h"

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

static const format formats[] = {
    {".html", report_html}, {".md", report_markdown}, {".csv", report_csv}, {".json", put_json}};

static const format *format_of(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t end = strlen(formats[i].extension);
        if (length > end && strcasecmp(path + length - end, formats[i].extension) == 0)
            return &formats[i];
    }
    return NULL;
}

static int report(const results *found, const options *given, const char *path)
{
    int status = EXIT_DONE;
    analysis *a = report_analysis_new(found);
    if (!a)
        return EXIT_FAILED;
    draft d;
    if (path && !page_draft_open(&d)) {
        status = tool_no_memory();
    } else if (path) {
        format_of(path)->write(d.to, a);
        status = page_draft_save(&d, path);
        if (!status)
            tool_note("wrote %s, %s bytes", path, tool_grouped((int64_t)d.size));
    }
    if (!status && given->json)
        put_json(stdout, a);
    else if (!status) {
        tool_put_text(stdout, a->sentence);
        putchar('\n');
        if (a->looked) {
            tool_put_text(stdout, a->looked);
            putchar('\n');
        }
    }
    report_analysis_free(a);
    return status;
}

int compare_report_command(options *given)
{
    const char *path = given->out ? given->out : given->json ? NULL : "report.html";
    store *from;
    results *found;
    if (path && !format_of(path))
        return tool_fail(EXIT_USAGE,
                         "report: --out is \"%s\", expected a name that ends in .html, "
                         ".md, .csv or .json",
                         path);
    int status = compare_store_open(given->db ? given->db : STORE_DEFAULT_FILE, false, &from);
    if (status)
        return status;
    status = compare_store_read(from, given->name, &found);
    compare_store_close(from);
    if (status)
        return status;
    status = report(found, given, path);
    compare_results_free(found);
    return status;
}
