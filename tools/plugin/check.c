/* hillock check: tells the truth about a plugin. Tests run in workers, processes of their own, some
 * at the same time; a worker that dies costs the test that it was at, and the next one goes on. */
#include "plugin/check/check.h"
#include "options.h"
#include "output.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_JOBS = 64, MOST_DEATHS = 4 };

/* A file, or a plugin that is linked in. */
typedef struct target {
    char *text;
    json_t *plugins;       /* what report.c prints; the file itself is the first of them */
    json_t *plugin, *test; /* the ones at hand, borrowed */
    child worker;
    bool loading;                 /* that is the test at hand */
    bool running, ended, stopped; /* ended: it said so; stopped: not to be started again */
    int64_t next, started_at;     /* the test to go on with; the first one of this worker */
    int deaths;
    time_t since; /* the current test runs since then */
} target;

typedef struct checking {
    const options *given;
    target *targets;
    size_t n, room;
    int status; /* of looking for targets */
} checking;

/* ---- What is to be checked ------------------------------------------------------------------- */

static int add_target(checking *c, const char *text)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->targets[i].text, text) == 0)
            return EXIT_DONE;
    if (c->n == c->room) {
        size_t room = 2 * c->room + 16;
        target *more = realloc(c->targets, room * sizeof *more);
        if (!more)
            return tool_fail(EXIT_FAILED, "check: out of memory for %zu plugins", room);
        c->targets = more;
        c->room = room;
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
    for (hk_kind kind = HK_ACTIVATION; kind <= HK_INITIALIZER && !status; kind++) {
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

static int find_targets(checking *c)
{
    const options *given = c->given;
    if (!given->all && !given->n_operands)
        return tool_fail(EXIT_USAGE, "check: expected FILE or NAME, or --all");
    if (given->all && hk_plugin_each((hk_kind)0, add_listed, add_refused, c) != HK_OK)
        return tool_failed();
    for (int i = 0; i < given->n_operands && !c->status; i++)
        c->status = strchr(given->operands[i], '/') ? add_target(c, given->operands[i])
                                                    : add_name(c, given->operands[i]);
    return c->status;
}

static bool has_test(const test *tests, const char *name)
{
    while (tests->name && strcmp(tests->name, name) != 0)
        tests++;
    return tests->name;
}

static int check_test_name(const char *name)
{
    static const test *const lists[] = {check_file_tests, check_common_tests,
                                        check_activation_tests, check_normalization_tests,
                                        check_initializer_tests};
    char known[1024] = "";
    size_t used = 0;
    bool found = !name;
    for (int i = 0; i < 5; i++) {
        found |= name && has_test(lists[i], name);
        for (const test *t = lists[i]; t->name && used < sizeof known; t++) {
            int first = 0; /* list that has it */
            while (!has_test(lists[first], t->name))
                first++;
            if (first == i)
                used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
                                         used ? ", " : "", t->name);
        }
    }
    return found ? EXIT_DONE
                 : tool_fail(EXIT_USAGE, "check: unknown test \"%s\"; known: %s", name, known);
}

/* ---- What workers say ------------------------------------------------------------------------ */

/* JSON knows UTF-8 alone; a file's name, or what a plugin wrote in our worker's place, may be other:
 * then every letter beyond ASCII is a question mark. */
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
    t->since = time(NULL);
    t->loading = strcmp(name, "load") == 0;
}

static void set_result(target *t, const char *result, const char *detail)
{
    json_object_set_new(t->test, "result", json_string(result));
    json_object_set_new(t->test, "detail", some_text(detail));
    t->test = NULL;
}

static const char *result_name(char verdict)
{
    return verdict == 'o'   ? "ok"
           : verdict == 'w' ? "warning"
           : verdict == 's' ? "skipped"
                            : "failed";
}

static int64_t number_of(const char *text)
{
    const long long number = strtoll(text, NULL, 10), most = 999999; /* --worker takes one more */
    return number < most ? number : most;
}

/* A line of the worker: letter, tab, field, tab, field. */
static void hear(target *t, char *line)
{
    char *first = line[1] == '\t' ? line + 2 : line + strlen(line), *second = strchr(first, '\t');
    if (second)
        *second++ = '\0';
    if (line[0] == 'E')
        t->ended = true;
    else if (line[0] == 'P' && second)
        t->plugin = find_plugin(t, first, second);
    else if (line[0] == 'T' && second)
        t->next = number_of(first) + 1, begin_test(t, second);
    else if (line[0] == 'R' && second && t->test)
        t->stopped |= first[0] == 't', set_result(t, result_name(first[0]), second);
}

/* Reads what there is; false at the end. */
static bool read_lines(target *t)
{
    child *w = &t->worker;
    ssize_t n = read(w->results, w->text + w->used, sizeof w->text - 1 - w->used);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    w->used += (size_t)n;
    w->text[w->used] = '\0';
    char *line = w->text;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        hear(t, line);
    }
    w->used -= (size_t)(line - w->text);
    memmove(w->text, line, w->used);
    if (w->used == sizeof w->text - 1) /* no line of ours is as long */
        w->used = 0;
    return true;
}

/* ---- Starting and ending workers ------------------------------------------------------------- */

static int start(checking *c, target *t)
{
    const orders o = {c->given->test, c->given->quick, t->next};
    t->started_at = t->next;
    t->plugin = find_plugin(t, "file", t->text);
    t->since = time(NULL);
    int error = check_child_start(&t->worker, t->text, &o);
    t->running = !error;
    return error ? tool_fail(EXIT_FAILED, "check: a worker cannot be started: %s", strerror(error))
                 : EXIT_DONE;
}

static void add_failure(target *t, const char *name, const char *detail)
{
    begin_test(t, name);
    set_result(t, "failed", detail);
}

/* The worker's pipe is closed, or it is `late`. */
static void end(target *t, bool late)
{
    char death[256];
    check_child_end(&t->worker, late, death);
    t->running = false;
    if (t->ended)
        return;
    const bool expected = t->stopped;
    t->deaths++;
    t->stopped |= late || t->loading || t->deaths >= MOST_DEATHS || t->next == t->started_at;
    if (t->test)
        set_result(t, "failed", death);
    else if (!expected)
        add_failure(t, "worker", death);
    if (t->stopped) {
        begin_test(t, "rest");
        set_result(t, "skipped", "the tests behind this one were not run");
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

static int jobs_of(const options *given)
{
    cpu_set_t set;
    int jobs = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    if (given->jobs)
        jobs = (int)given->jobs;
    return jobs < MOST_JOBS ? jobs : MOST_JOBS;
}

/* Waits until a worker says something, ends, or is late. */
static void wait_for_workers(checking *c)
{
    struct pollfd wait[MOST_JOBS];
    target *who[MOST_JOBS];
    nfds_t n = 0;
    for (size_t i = 0; i < c->n && n < MOST_JOBS; i++)
        if (c->targets[i].running) {
            wait[n] = (struct pollfd){c->targets[i].worker.results, POLLIN, 0};
            who[n++] = &c->targets[i];
        }
    poll(wait, n, 1000);
    for (nfds_t i = 0; i < n; i++) {
        const bool late = time(NULL) - who[i]->since > WALL_SECONDS;
        if (late || (wait[i].revents && !read_lines(who[i])))
            end(who[i], late);
    }
}

/* Keeps so many workers running; reports in the order of the targets. */
static int run_all(checking *c)
{
    const int jobs = jobs_of(c->given);
    bool separate = false;
    for (size_t reported = 0; reported < c->n;) {
        int running = 0, status = EXIT_DONE;
        for (size_t i = 0; i < c->n; i++)
            running += c->targets[i].running;
        for (size_t i = 0; i < c->n && running < jobs && !status; i++) {
            target *t = &c->targets[i];
            if (!t->running && !t->ended && !t->stopped)
                status = start(c, t), running++;
        }
        if (status)
            return status;
        if (running)
            wait_for_workers(c);
        for (; reported < c->n && !c->targets[reported].running &&
               (c->targets[reported].ended || c->targets[reported].stopped);
             reported++)
            if (!c->given->json)
                report(c, &c->targets[reported], &separate);
    }
    return EXIT_DONE;
}

/* ---- The verdict ----------------------------------------------------------------------------- */

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
    const bool bad = sum.failed || (c->given->strict && sum.warnings);
    if (c->given->json)
        tool_json_print(json_pack("{s:b, s:i, s:i, s:i, s:i, s:O}", "good", !bad, "plugins",
                                  sum.plugins, "tests", sum.tests, "failed", sum.failed, "warnings",
                                  sum.warnings + sum.speed_warnings, "checked", all));
    else
        printf("\n%s: %d plugin%s, %d tests, %d failed, %d warnings\n", bad ? "FAILED" : "good",
               sum.plugins, sum.plugins == 1 ? "" : "s", sum.tests, sum.failed,
               sum.warnings + sum.speed_warnings);
    json_decref(all);
    return !bad ? EXIT_DONE : sum.plugins ? EXIT_FAILED : EXIT_BAD_DATA;
}

int plugin_check_command(options *given)
{
    checking c = {.given = given};
    if (given->worker >= 0)
        return check_worker_run(given->operands[0],
                                &(orders){given->test, given->quick, given->worker});
    int status = check_test_name(given->test);
    if (!status)
        status = find_targets(&c);
    if (!status)
        status = run_all(&c);
    if (!status)
        status = verdict(&c);
    for (size_t i = 0; i < c.n; i++) {
        free(c.targets[i].text);
        json_decref(c.targets[i].plugins);
    }
    free(c.targets);
    return status;
}
