/* hillock check: tells the truth about a plugin. Tests run in workers, processes of their own, some
 * at the same time; a worker that dies costs the test that it was at, and the next one goes on. */
#include "plugin/check/check.h"
#include "options.h"
#include "output.h"
#include "workers/pool.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_DEATHS = 4 };

/* A file, or a plugin that is linked in. */
typedef struct target {
    char *text;
    json_t *plugins;       /* what report.c prints; the file itself is the first of them */
    json_t *plugin, *test; /* the current ones, borrowed */
    bool running, done;    /* done: no worker is started for it any more */
    bool loading;          /* the current test is "load" */
    bool timed_out, told; /* a test took too much processor time; ended the worker, which said so */
    int64_t next, started_at; /* the test to go on with; the first one of this worker */
    int deaths;
} target;

typedef struct checking {
    const options *given;
    target *targets;
    size_t n, capacity;
    int status; /* of the search for targets */
} checking;

/* ---- What is to be checked ------------------------------------------------------------------- */

static int add_target(checking *c, const char *text)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->targets[i].text, text) == 0)
            return EXIT_DONE;
    if (c->n == c->capacity) {
        size_t capacity = 2 * c->capacity + 16;
        target *more = realloc(c->targets, capacity * sizeof *more);
        if (!more)
            return tool_fail(EXIT_FAILED, "check: out of memory for %zu plugins", capacity);
        c->targets = more;
        c->capacity = capacity;
    }
    c->targets[c->n] = (target){.text = strdup(text), .plugins = json_array()};
    return c->targets[c->n++].text ? EXIT_DONE : tool_fail(EXIT_FAILED, "check: out of memory");
}

static int add_plugin(checking *c, const hk_plugin *plugin)
{
    hk_plugin_info info = hk_plugin_describe(plugin);
    return add_target(c, strchr(info.file, '/') ? info.file : plugin->name);
}

static int add_name(checking *c, const char *name)
{
    int found = 0, status = EXIT_DONE;
    for (hk_kind kind = HK_ACTIVATION; kind <= HK_MODEL && !status; kind++) {
        const hk_plugin *plugin;
        hk_status about = hk_plugin_find(kind, name, &plugin);
        if (about == HK_OK)
            status = add_plugin(c, plugin), found++;
        else if (about != HK_UNKNOWN_NAME && about != HK_BAD_ARGUMENT) /* of another kind */
            return tool_failed();
    }
    return found || status ? status
                           : tool_fail(EXIT_USAGE,
                                       "check: no plugin is called \"%s\"; hillock list shows what "
                                       "there is, a file has a slash: ./%s",
                                       name, name);
}

static void add_listed(const hk_plugin_info *info, void *user)
{
    checking *c = user;
    if (!c->status)
        c->status = add_plugin(c, info->plugin);
}

static void add_refused(const char *file, const char *reason, void *user)
{
    checking *c = user;
    c->status = tool_fail(EXIT_BAD_DATA, "check: %s: %s", file, reason);
}

static int check_test_name(const char *name)
{
    char known[1024] = "";
    size_t used = 0;
    bool found = !name;
    for (const test *t = check_tests; t->name && used < sizeof known; t++) {
        const test *first = check_tests; /* of this name */
        while (strcmp(first->name, t->name) != 0)
            first++;
        found |= name && strcmp(name, t->name) == 0;
        if (first == t)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                                     t->name);
    }
    return found ? EXIT_DONE
                 : tool_fail(EXIT_USAGE, "check: unknown test \"%s\"; known: %s", name, known);
}

/* ---- What workers report ------------------------------------------------------------------------ */

/* JSON is UTF-8; the name of a file may be other: then every letter beyond ASCII is a question mark. */
static json_t *some_text(const char *text)
{
    json_t *it = json_string(text);
    char *plain = it ? NULL : strdup(text);
    for (char *c = plain; c && *c; c++)
        *c = *c & 0x80 ? '?' : *c;
    it = it ? it : json_string(plain ? plain : "");
    free(plain);
    return it;
}

static json_t *find_plugin(target *t, const char *kind, const char *name)
{
    size_t i;
    json_t *plugin;
    json_array_foreach(t->plugins, i, plugin)
    {
        if (strcmp(json_string_value(json_object_get(plugin, "kind")), kind) == 0 &&
            strcmp(json_string_value(json_object_get(plugin, "name")), name) == 0)
            return plugin;
    }
    plugin = json_pack("{s:o, s:o, s:o, s:[]}", "kind", some_text(kind), "name", some_text(name),
                       "file", some_text(t->text), "tests");
    json_array_append_new(t->plugins, plugin);
    return plugin;
}

static void begin_test(target *t, const char *name)
{
    t->test = json_pack("{s:o, s:s, s:s}", "test", some_text(name), "result", "", "detail", "");
    json_array_append_new(json_object_get(t->plugin, "tests"), t->test);
    t->loading = strcmp(name, "load") == 0;
}

static void set_result(target *t, const char *result, const char *detail)
{
    json_object_set_new(t->test, "result", json_string(result));
    json_object_set_new(t->test, "detail", some_text(detail));
    t->test = NULL;
}

static const char *text_of(const json_t *report, const char *key)
{
    return json_string_value(json_object_get(report, key));
}

static const char *report_fault(const json_t *report)
{
    const int64_t number = json_integer_value(json_object_get(report, "number"));
    const bool right = worker_report_is(report, "plugin")
                           ? text_of(report, "kind") && text_of(report, "name")
                       : worker_report_is(report, "test")
                           ? text_of(report, "name") && number >= 0 && number < MOST_TESTS
                       : worker_report_is(report, "result")
                           ? text_of(report, "result") && text_of(report, "detail")
                           : worker_report_is(report, "end");
    return right ? NULL : "malformed report: missing field or unknown type";
}

/* ---- Starting and ending workers ------------------------------------------------------------- */

static int64_t seed_of(const options *given)
{
    return given->seed ? given->seed : CHECK_SEED;
}

static int start(const checking *c, pool *workers, size_t i)
{
    static const char *const on_the_way[] = {"plugin", "test", "result", NULL};
    target *t = &c->targets[i];
    char from[24], seed[24], budget[32];
    const char *words[16] = {"hillock", "check", "--worker", from, "--seed", seed};
    const char **next = words + 6;
    snprintf(from, sizeof from, "%lld", (long long)t->next);
    snprintf(seed, sizeof seed, "%lld", (long long)seed_of(c->given));
    snprintf(budget, sizeof budget, "%.9g", c->given->seconds);
    if (c->given->seconds > 0)
        *next++ = "--budget", *next++ = budget;
    if (c->given->quick)
        *next++ = "--quick";
    if (c->given->test)
        *next++ = "--test", *next++ = c->given->test;
    *next++ = "--", *next = t->text;
    t->started_at = t->next;
    t->told = false;
    t->plugin = find_plugin(t, "file", t->text);
    t->running = true;
    return worker_pool_start(
        workers, (int64_t)i,
        &(pool_job){.words = words, .reports = on_the_way, .answer = "end", .fault = report_fault});
}

/* Its last line is what an assertion had to say. */
static void take_death(target *t, const pool_event *event)
{
    char death[256];
    const char *line = strrchr(event->last_lines, '\n');
    line = line ? line + 1 : event->last_lines;
    snprintf(death, sizeof death, *line ? "%.110s, printing \"%.120s\"" : "%.110s", event->reason,
             line);
    t->done = event->kind == POOL_TIMEOUT || t->timed_out || t->loading ||
              ++t->deaths >= MOST_DEATHS || t->next == t->started_at;
    if (!t->test && !t->told)
        begin_test(t, "worker");
    if (t->test)
        set_result(t, "failed", death);
    if (t->done) {
        begin_test(t, "rest");
        set_result(t, "skipped", "the remaining tests were not run");
    }
}

static void take_event(target *t, const pool_event *event)
{
    const json_t *report = event->message;
    if (event->kind != POOL_REPORT) {
        t->running = false;
        t->done = true;
        if (event->kind != POOL_OK)
            take_death(t, event);
    } else if (worker_report_is(report, "plugin")) {
        t->plugin = find_plugin(t, text_of(report, "kind"), text_of(report, "name"));
    } else if (worker_report_is(report, "test")) {
        t->next = json_integer_value(json_object_get(report, "number")) + 1;
        begin_test(t, text_of(report, "name"));
    } else if (t->test) {
        const char *result = text_of(report, "result");
        t->timed_out |= strcmp(result, "timeout") == 0;
        t->told = t->timed_out || strcmp(result, "died") == 0;
        set_result(t, t->told ? "failed" : result, text_of(report, "detail"));
        json_object_set(json_array_get(json_object_get(t->plugin, "tests"),
                                       json_array_size(json_object_get(t->plugin, "tests")) - 1),
                        "seed", json_object_get(report, "seed"));
    }
}

static void report(const checking *c, target *t, bool *separate)
{
    size_t i;
    json_t *plugin;
    json_array_foreach(t->plugins, i, plugin)
    {
        if (json_array_size(json_object_get(plugin, "tests")) == 0)
            continue;
        if (*separate && !c->given->all)
            putchar('\n');
        check_report_print(plugin, c->given->all);
        *separate = true;
    }
    fflush(stdout);
}

/* Of a test; without the time for which others had the processors. */
static double wall_seconds(const options *given)
{
    return given->quick ? QUICK_WALL_SECONDS : WALL_SECONDS + 60 * given->seconds;
}

/* As many workers as the pool has capacity for; reports in the order of the targets. */
static int run_all(const checking *c)
{
    bool separate = false;
    pool *workers = worker_pool_new(
        &(pool_limits){.jobs = c->given->jobs ? (int)c->given->jobs : worker_processors(),
                       .deadline = wall_seconds(c->given),
                       .per_report = true,
                       .cpu_seconds = 20 * CPU_SECONDS + 20 * (int64_t)c->given->seconds,
                       .memory_mib = MEMORY_MIB});
    int status = workers ? EXIT_DONE : EXIT_FAILED;
    for (size_t reported = 0; reported < c->n && !status;) {
        for (size_t i = reported; i < c->n && worker_pool_has_room(workers) && !status; i++)
            if (!c->targets[i].running && !c->targets[i].done)
                status = start(c, workers, i);
        if (status)
            break;
        const pool_event event = worker_pool_next(workers, wall_seconds(c->given));
        if (event.kind != POOL_NOTHING)
            take_event(&c->targets[event.id], &event);
        for (; reported < c->n && c->targets[reported].done; reported++)
            if (!c->given->json)
                report(c, &c->targets[reported], &separate);
    }
    worker_pool_free(workers);
    return status;
}

static int verdict(const checking *c)
{
    tally sum = {0};
    size_t i;
    json_t *all = json_array(), *plugin;
    for (size_t k = 0; k < c->n; k++)
        json_array_foreach(c->targets[k].plugins, i, plugin)
        {
            check_report_count(plugin, &sum);
            if (json_array_size(json_object_get(plugin, "tests")))
                json_array_append(all, plugin);
        }
    const bool bad = sum.failed || (c->given->strict && sum.warnings) || !sum.tests;
    if (c->given->json)
        tool_json_print(json_pack("{s:b, s:i, s:i, s:i, s:i, s:O}", "good", !bad, "plugins",
                                  sum.plugins, "tests", sum.tests, "failed", sum.failed, "warnings",
                                  sum.warnings + sum.speed_warnings, "checked", all));
    else
        printf("\n%s: %d plugin%s, %d tests, %d failed, %d warnings\n", bad ? "FAILED" : "good",
               sum.plugins, sum.plugins == 1 ? "" : "s", sum.tests, sum.failed,
               sum.warnings + sum.speed_warnings);
    json_decref(all);
    if (!sum.tests)
        return tool_fail(EXIT_BAD_DATA, "check: nothing was tested");
    return !bad ? EXIT_DONE : sum.plugins ? EXIT_FAILED : EXIT_BAD_DATA;
}

int plugin_check_command(options *given)
{
    checking c = {.given = given};
    if (given->worker >= 0)
        return check_worker_run(given->operands[0], &(orders){.only = given->test,
                                                              .quick = given->quick,
                                                              .from = given->worker,
                                                              .seed = (uint64_t)seed_of(given),
                                                              .seconds = given->seconds});
    c.status = check_test_name(given->test);
    if (!c.status && !given->all && !given->n_operands)
        c.status = tool_fail(EXIT_USAGE, "check: expected FILE or NAME, or --all");
    if (!c.status && given->all && hk_plugin_each((hk_kind)0, add_listed, add_refused, &c) != HK_OK)
        c.status = tool_failed();
    for (int i = 0; i < given->n_operands && !c.status; i++)
        c.status = strchr(given->operands[i], '/') ? add_target(&c, given->operands[i])
                                                   : add_name(&c, given->operands[i]);
    int status = c.status ? c.status : run_all(&c);
    if (!status)
        status = verdict(&c);
    for (size_t i = 0; i < c.n; i++) {
        free(c.targets[i].text);
        json_decref(c.targets[i].plugins);
    }
    free(c.targets);
    return status;
}
