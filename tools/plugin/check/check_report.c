/* What hillock check prints: a line a test, or with many plugins a line each and what is wrong. */
#include "plugin/check/check.h"

#include <string.h>
#include "output.h"

static const char *get(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is(const json_t *row, const char *result)
{
    return strcmp(get(row, "result"), result) == 0;
}

void check_report_count(const json_t *plugin, tally *sum)
{
    size_t i;
    json_t *row;
    sum->plugins += strcmp(get(plugin, "kind"), "file") != 0;
    json_array_foreach(json_object_get(plugin, "tests"), i, row)
    {
        const bool speed = strcmp(get(row, "test"), "speed") == 0;
        sum->tests += !is(row, "skipped");
        sum->failed += is(row, "failed");
        sum->warnings += is(row, "warning") && !speed;
        sum->speed_warnings += is(row, "warning") && speed;
    }
}

static void print_test(const json_t *row, const char *file)
{
    printf("  %-8s %-11s ",
           is(row, "failed")    ? "FAILED"
           : is(row, "skipped") ? "-"
                                : get(row, "result"),
           get(row, "test"));
    tool_put_text(stdout, get(row, "detail"));
    putchar('\n');
    if (!is(row, "failed"))
        return;
    printf("  %21sagain: hillock check ", "");
    tool_put_word(stdout, file);
    printf(" --test %s", get(row, "test"));
    const long long seed = json_integer_value(json_object_get(row, "seed"));
    if (seed && seed != CHECK_SEED)
        printf(" --seed %lld", seed);
    putchar('\n');
}

static void print_heading(const json_t *plugin, bool brief, const tally *sum)
{
    if (brief)
        printf("%-8s ", sum->failed ? "FAILED" : sum->warnings ? "warning" : "ok");
    printf("%s ", get(plugin, "kind"));
    tool_put_text(stdout, get(plugin, "name"));
    if (brief) {
        printf(", %d tests\n", sum->tests);
    } else if (strcmp(get(plugin, "name"), get(plugin, "file")) != 0) {
        fputs(", ", stdout);
        tool_put_text(stdout, get(plugin, "file"));
        putchar('\n');
    } else {
        putchar('\n');
    }
}

void check_report_print(const json_t *plugin, bool brief)
{
    tally sum = {0};
    size_t i;
    json_t *row;
    check_report_count(plugin, &sum);
    if (brief && strcmp(get(plugin, "kind"), "file") == 0 && !sum.failed && !sum.warnings)
        return;
    print_heading(plugin, brief, &sum);
    json_array_foreach(json_object_get(plugin, "tests"), i, row)
    {
        if (!brief || is(row, "failed") || is(row, "warning"))
            print_test(row, get(plugin, "file"));
    }
}
