/* Real workers: what they report, that others' plugins end as a class and leave nothing behind, and
 * that a neighbour's death changes no bit. */
#include "check.h"

#include "bad_plugins/build.h"
#include "output.h"
#include "workers/process.h"
#include "compare/message.h"
#include "workers/frame.h"
#include "workers/pool.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { LONG = 300 }; /* seconds: no worker of these takes as long, however busy the machine */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- Messages -------------------------------------------------------------------------------- */

/* Sends one message with one byte changed, or cut; what is read of it. */
static json_t *through(const json_t *message, long changed, long cut, const char **fault)
{
    int ends[2];
    frame_reader reader = {0};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return NULL;
    worker_frame_send(ends[0], message);
    close(ends[0]);
    while (worker_frame_read(&reader, ends[1]))
        ;
    if (changed >= 0 && changed < (long)reader.used)
        reader.bytes[changed] ^= 0x10;
    if (cut >= 0 && cut < (long)reader.used)
        reader.used = (size_t)cut;
    json_t *found = worker_frame_take(&reader, fault);
    worker_frame_reader_clear(&reader);
    close(ends[1]);
    return found;
}

static void messages_arrive_whole_or_not_at_all(void)
{
    const char *fault;
    json_t *sent = json_pack("{s:s, s:f}", "type", "progress", "loss", 0.1), *found;
    const long length = 12 + (long)strlen("{\"type\":\"progress\",\"loss\":0.10000000000000001}");
    found = through(sent, -1, -1, &fault);
    CHECK(json_equal(found, sent) && !fault);
    json_decref(found);
    for (long i = 0; i < length; i++) {
        CHECK(!through(sent, i, -1, &fault));
        CHECK(fault || (i >= 4 && i < 8)); /* a longer length: the rest is waited for */
        CHECK(!through(sent, -1, i, &fault) && !fault);
    }
    json_decref(sent);
}

/* jansson may have been given memory that free() does not know; safetensors gives it the library's. */
static void *allocate_behind(size_t bytes)
{
    char *block = malloc(bytes + 64);
    return block ? block + 64 : NULL;
}

static void free_behind(void *block)
{
    free(block ? (char *)block - 64 : NULL);
}

static void messages_mind_whose_memory_it_is(void)
{
    json_malloc_t allocate;
    json_free_t release;
    const char *fault;
    json_get_alloc_funcs(&allocate, &release);
    json_set_alloc_funcs(allocate_behind, free_behind);
    json_t *sent = json_pack("{s:s}", "type", "progress"), *found = through(sent, -1, -1, &fault);
    CHECK(json_equal(found, sent) && !fault);
    json_decref(found);
    json_decref(sent);
    json_set_alloc_funcs(allocate, release);
}

static const char *fault_of(const char *text)
{
    json_t *report = json_loads(text, 0, NULL);
    const char *fault = report ? compare_message_fault(report) : "not JSON";
    json_decref(report);
    return fault;
}

#define RESULT(digest)                                                                             \
    "{\"type\":\"result\",\"test_loss\":null,\"test_accuracy\":1,\"test_macro_f1\":0.5,"           \
    "\"seconds\":1,\"images_per_s\":1,\"peak_mib\":1,\"digest\":" digest "}"
#define DESCRIPTION(parameters)                                                                                                \
    "{\"type\":\"description\",\"model\":\"\",\"norm_remedy\":\"\",\"act\":\"\",\"norm\":\"\",\"init\":\"\",\"plugins\":\"\"," \
    "\"parameters\":" parameters ",\"multiply_adds\":3}"

static void reports_have_their_form(void)
{
    CHECK(!fault_of(RESULT("\"a\"")));
    CHECK(fault_of(RESULT("1")));
    CHECK(!fault_of(DESCRIPTION("1")));
    CHECK(fault_of(DESCRIPTION("-1")));
    CHECK(fault_of(DESCRIPTION("1.5")));
    CHECK(fault_of("{}"));
    CHECK(fault_of("{\"type\":1}"));
    CHECK(fault_of("{\"type\":\"unknown\"}"));
    CHECK(fault_of("{\"type\":\"progress\",\"epoch\":1}"));
    CHECK(!fault_of("{\"type\":\"failed\",\"failure\":\"io\",\"reason\":\"\"}"));
    CHECK(fault_of("{\"type\":\"epoch\",\"epoch\":1,\"train_loss\":1,\"loss\":1,\"accuracy\":1,"
                   "\"macro_f1\":1,\"seconds\":1,\"images_per_s\":1,\"layers\":[1]}"));
}

/* ---- Workers --------------------------------------------------------------------------------- */

typedef struct run {
    const char *act, *plugin, *optimizer;
    double rate; /* 0: the optimizer's own */
    int threads; /* 0: the pool's */
    bool plain;  /* neither probes nor validation nor test */
} run;

static json_t *request_of(const run *r)
{
    json_t *request = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:i, s:b, s:b, s:f}", "data", "glyphs:train=200,test=100",
        "model", "mlp:width=32,depth=2", "act", r->act ? r->act : "relu", "epochs", 3, "batch", 32,
        "seed", 7, "probes", !r->plain, "test", !r->plain, "validation", r->plain ? 0.0 : 0.2);
    if (r->plugin)
        json_object_set_new(request, "plugins", json_pack("[s]", r->plugin));
    if (r->optimizer)
        json_object_set_new(request, "optimizer", json_string(r->optimizer));
    if (r->rate > 0)
        json_object_set_new(request, "rate", json_real(r->rate));
    if (r->threads)
        json_object_set_new(request, "threads", json_integer(r->threads));
    return request;
}

static pool *pool_of(int jobs, double deadline)
{
    return worker_pool_new(&(pool_limits){.jobs = jobs,
                                          .threads = 1,
                                          .deadline = deadline,
                                          .memory_mib = 512,
                                          .program = HILLOCK_TOOL});
}

static int start(pool *workers, int64_t id, const run *r)
{
    json_t *request = request_of(r);
    const int status = compare_message_request(workers, id, request);
    json_decref(request);
    return status;
}

/* How a run ended; the texts are kept. */
typedef struct outcome {
    pool_event_kind kind;
    char failure[64], reason[512], last_lines[2049], digest[65];
} outcome;

static void keep(outcome *out, const pool_event *event)
{
    const char *digest = json_string_value(json_object_get(event->message, "digest"));
    out->kind = event->kind;
    snprintf(out->failure, sizeof out->failure, "%s", event->failure ? event->failure : "");
    snprintf(out->reason, sizeof out->reason, "%s", event->reason ? event->reason : "");
    snprintf(out->last_lines, sizeof out->last_lines, "%s", event->last_lines);
    snprintf(out->digest, sizeof out->digest, "%s", digest ? digest : "");
}

/* All runs, so many at a time. */
static void run_all(const run *runs, outcome *out, int n, int jobs, double deadline)
{
    int next = 0, ended = 0;
    pool *workers = pool_of(jobs, deadline);
    while (workers && ended < n) {
        for (; next < n && worker_pool_has_room(workers); next++)
            CHECK_EQUAL(start(workers, next, &runs[next]), 0);
        const pool_event event = worker_pool_next(workers, LONG);
        if (event.kind == POOL_NOTHING)
            break;
        if (event.kind != POOL_REPORT)
            keep(&out[event.id], &event), ended++;
    }
    CHECK_EQUAL(ended, n);
    worker_pool_free(workers);
}

/* Processes that have the mark of this test in their environment, without this one. */
static char mark[600];

static bool is_marked(const char *pid)
{
    char path[300], environment[8192];
    snprintf(path, sizeof path, "/proc/%s/environ", pid);
    FILE *file = fopen(path, "re");
    const size_t n = file ? fread(environment, 1, sizeof environment, file) : 0;
    if (file)
        fclose(file);
    return n && memmem(environment, n, mark, strlen(mark));
}

static int count_marked(long *one)
{
    int n = 0;
    DIR *processes = opendir("/proc");
    for (struct dirent *it; processes && (it = readdir(processes));)
        if (*it->d_name >= '1' && *it->d_name <= '9' && is_marked(it->d_name) &&
            strtol(it->d_name, NULL, 10) != getpid()) {
            n++;
            if (one)
                *one = strtol(it->d_name, NULL, 10);
        }
    if (processes)
        closedir(processes);
    return n;
}

/* Soon, not at once: processes start and end. */
static bool becomes(int marked)
{
    for (const double until = now() + LONG; now() < until; usleep(10000))
        if (count_marked(NULL) == marked)
            return true;
    return false;
}

static bool all_gone(void)
{
    return becomes(0);
}

static int count_descriptors(void)
{
    int n = 0;
    DIR *open_ones = opendir("/proc/self/fd");
    while (open_ones && readdir(open_ones))
        n++;
    if (open_ones)
        closedir(open_ones);
    return n;
}

/* The mark goes to the workers among the places where plugins are looked for. */
static void plugins_are_built(void)
{
    static const char *const sources[] = {"crash", "loop",   "memory_bomb",       "exits_at_once",
                                          "exits", "prints", "constructor_crash", "aborts"};
    char source[64], places[1300];
    CHECK(begin_builds());
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        snprintf(source, sizeof source, "../zoo/%s.c", sources[i]);
        CHECK(build(sources[i], source, "-lm"));
    }
    CHECK(build("offspring", "offspring.c", "-lm"));
    CHECK(build("stubborn", "offspring.c", "-lm -DSTUBBORN"));
    CHECK(build("daemon", "offspring.c", "-lm -DDAEMON"));
    CHECK(build("chatter", "chatter.c", "-lm"));
    snprintf(mark, sizeof mark, "%s/none", built_in);
    snprintf(places, sizeof places, "%s:%s", mark, HILLOCK_PLUGIN_DIR);
    setenv("HILLOCK_PLUGIN_PATH", places, 1);
}

/* ---- What comes of runs ---------------------------------------------------------------------- */

static void check_epoch(const json_t *epoch, int number)
{
    const json_t *layers = json_object_get(epoch, "layers"), *first = json_array_get(layers, 0);
    CHECK_EQUAL(json_integer_value(json_object_get(epoch, "epoch")), number);
    CHECK(compare_message_number(epoch, "train_loss") > 0 &&
          compare_message_number(epoch, "loss") > 0);
    CHECK(compare_message_number(epoch, "accuracy") > 0 &&
          compare_message_number(epoch, "macro_f1") > 0);
    CHECK(compare_message_number(epoch, "seconds") > 0 &&
          compare_message_number(epoch, "images_per_s") > 0);
    CHECK_EQUAL(json_array_size(layers), 2);
    CHECK_TEXT(json_string_value(json_object_get(first, "layer")), "fc1");
    CHECK_EQUAL(json_integer_value(json_object_get(first, "units")), 32);
    CHECK(compare_message_number(first, "variance") > 0 &&
          compare_message_number(first, "update_ratio") > 0);
    CHECK_EQUAL(json_array_size(json_object_get(first, "histogram")), 32);
}

static void a_run_reports_in_order(void)
{
    int epochs = 0, reports = 0;
    pool *workers = pool_of(1, 0);
    CHECK(worker_pool_has_room(workers) && worker_pool_running(workers) == 0);
    CHECK_EQUAL(start(workers, 42, &(run){0}), 0);
    CHECK(!worker_pool_has_room(workers) && worker_pool_running(workers) == 1);
    pool_event event;
    while ((event = worker_pool_next(workers, LONG)).kind == POOL_REPORT) {
        CHECK_EQUAL(event.id, 42);
        reports++;
        if (worker_report_is(event.message, "epoch"))
            check_epoch(event.message, ++epochs);
    }
    CHECK_EQUAL(event.kind, POOL_OK);
    CHECK_EQUAL(event.id, 42);
    CHECK_EQUAL(epochs, 3);
    CHECK(reports > epochs);
    CHECK(compare_message_number(event.message, "test_accuracy") > 0.1);
    CHECK(compare_message_number(event.message, "test_loss") > 0);
    CHECK(compare_message_number(event.message, "peak_mib") > 1);
    CHECK_EQUAL(strlen(json_string_value(json_object_get(event.message, "digest"))), 64);
    CHECK(worker_pool_has_room(workers) && worker_pool_running(workers) == 0);
    CHECK_EQUAL(worker_pool_next(workers, 0).kind, POOL_NOTHING);
    worker_pool_free(workers);
}

static void a_row_is_described(void)
{
    pool *workers = pool_of(1, 0);
    json_t *request = request_of(&(run){.act = "elu:alpha=1"});
    json_object_set_new(request, "images", json_pack("[i, i, i, i]", 28, 28, 1, 10));
    CHECK_EQUAL(compare_message_request(workers, 7, request), 0);
    json_decref(request);
    const pool_event event = worker_pool_next(workers, LONG);
    CHECK_EQUAL(event.kind, POOL_OK);
    CHECK_EQUAL(event.id, 7);
    CHECK_TEXT(json_string_value(json_object_get(event.message, "act")), "elu");
    CHECK_EQUAL(compare_message_number(event.message, "parameters"), 785 * 32 + 33 * 32 + 33 * 10);
    CHECK_EQUAL(compare_message_number(event.message, "multiply_adds"),
                784 * 32 + 32 * 32 + 32 * 10);
    worker_pool_free(workers);
}

/* Beside others, with more threads, without probes: the same bits. A rate is that of the spec. */
static void bits_do_not_depend_on_company(void)
{
    enum { N = 8 };
    outcome alone[N], together[N];
    const run runs[N] = {{0},
                         {.act = "mish"},
                         {.threads = 2},
                         {.optimizer = "sgd:lr=0.01,momentum=0.9"},
                         {.optimizer = "sgd:lr=0.5,momentum=0.9", .rate = 0.01},
                         {.optimizer = "sgd", .rate = 0.01},
                         {.plain = true},
                         {.plain = true, .threads = 2}};
    run_all(runs, alone, N, 1, LONG);
    run_all(runs, together, N, 3, LONG);
    for (int i = 0; i < N; i++) {
        CHECK_EQUAL(alone[i].kind, POOL_OK);
        CHECK_TEXT(together[i].digest, alone[i].digest);
    }
    CHECK_TEXT(alone[2].digest, alone[0].digest);
    CHECK_TEXT(alone[4].digest, alone[3].digest);
    CHECK_TEXT(alone[7].digest, alone[6].digest);
    CHECK(strcmp(alone[1].digest, alone[0].digest) != 0);
    CHECK(strcmp(alone[5].digest, alone[3].digest) != 0);
}

/* ---- Hostile plugins ------------------------------------------------------------------------- */

typedef struct animal {
    const char *name, *failure, *words; /* failure: "", it is well */
} animal;

static const animal zoo[] = {{"crash", "signal SIGSEGV", "Segmentation fault"},
                             {"aborts", "signal SIGABRT", "Aborted"},
                             {"exits_at_once", "contract", "sent no result"},
                             {"exits", "contract", "sent no result"},
                             {"constructor_crash", "signal SIGILL", "Illegal"},
                             {"chatter", "contract", "not a frame"},
                             {"prints", "", ""},
                             {"offspring", "", ""},
                             {"daemon", "", ""},
                             {"memory_bomb", "memory", "512 MiB"},
                             {"loop", "timeout", "for more than"},
                             {"stubborn", "timeout", "for more than"}};
enum { ANIMALS = sizeof zoo / sizeof *zoo, ENDLESS = 2 }; /* the last two never end */

static void check_animal(const animal *it, const outcome *found)
{
    CHECK_TEXT(found->failure, it->failure);
    CHECK_CONTAINS(found->reason, it->words);
    CHECK_EQUAL(found->kind, !*it->failure                         ? POOL_OK
                             : strcmp(it->failure, "timeout") == 0 ? POOL_TIMEOUT
                                                                   : POOL_FAILED);
    if (strcmp(it->name, "prints") == 0)
        CHECK_CONTAINS(found->last_lines, "forward of");
}

/* Each that ends between two that are well; two at a time. */
static void animals_are_told_apart(void)
{
    enum { N = 2 * (ANIMALS - ENDLESS) + 1 };
    static outcome found[N], late[ENDLESS];
    run runs[N + 2] = {{0}};
    char paths[ANIMALS][512];
    const int before = count_descriptors();
    for (int i = 0; i < ANIMALS; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s.so", built_in, zoo[i].name);
        if (!SANITIZED || strcmp(zoo[i].name, "memory_bomb") != 0) /* of another kind there */
            runs[i < ANIMALS - ENDLESS ? 2 * i + 1 : N + i - (ANIMALS - ENDLESS)] =
                (run){.act = "animal", .plugin = paths[i]};
    }
    run_all(runs, found, N, 2, LONG);
    for (int i = 0; i < N; i++)
        if (runs[i].plugin) {
            check_animal(&zoo[i / 2], &found[i]);
        } else {
            CHECK_TEXT(found[i].digest, found[0].digest);
            CHECK_EQUAL(found[i].kind, POOL_OK);
        }
    run_all(runs + N, late, ENDLESS, ENDLESS, 1);
    for (int i = 0; i < ENDLESS; i++)
        check_animal(&zoo[ANIMALS - ENDLESS + i], &late[i]);
    CHECK(all_gone());
    CHECK_EQUAL(count_descriptors(), before);
}

/* Whatever the clock says: the deadline is far away. */
static void processor_time_is_limited(void)
{
    char path[512];
    snprintf(path, sizeof path, "%s/loop.so", built_in);
    pool *workers = worker_pool_new(&(pool_limits){
        .jobs = 1, .threads = 1, .deadline = 2 * LONG, .cpu_seconds = 1, .program = HILLOCK_TOOL});
    CHECK_EQUAL(start(workers, 1, &(run){.act = "animal", .plugin = path}), 0);
    const pool_event event = worker_pool_next(workers, LONG);
    CHECK_EQUAL(event.kind, POOL_TIMEOUT);
    CHECK_TEXT(event.failure, "timeout");
    CHECK_CONTAINS(event.reason, "1 s of processor time");
    worker_pool_free(workers);
}

static void reasons_come_from_the_worker(void)
{
    enum { N = 4 };
    outcome found[N];
    char text[512];
    snprintf(text, sizeof text, "%s/text.so", built_in);
    FILE *file = fopen(text, "we");
    CHECK(file && fputs("not a plugin", file) >= 0 && fclose(file) == 0);
    const run runs[N] = {
        {.rate = 1e30}, {.plugin = text}, {.act = "no_such_thing"}, {.optimizer = "sgd:lr=-1"}};
    run_all(runs, found, N, 2, LONG);
    CHECK_TEXT(found[0].failure, "diverged");
    CHECK_CONTAINS(found[0].reason, "step");
    CHECK_TEXT(found[1].failure, "plugin");
    CHECK_CONTAINS(found[1].reason, "text.so");
    CHECK_TEXT(found[2].failure, "name");
    CHECK_CONTAINS(found[2].reason, "no_such_thing");
    CHECK_TEXT(found[3].failure, "argument");
    for (int i = 0; i < N; i++)
        CHECK_EQUAL(found[i].kind, POOL_FAILED);
}

static void what_cannot_be_started_is_told(void)
{
    pool *workers =
        worker_pool_new(&(pool_limits){.jobs = 1, .deadline = LONG, .program = "/no/such/program"});
    CHECK_EQUAL(start(workers, 1, &(run){0}), 0);
    const pool_event event = worker_pool_next(workers, LONG);
    CHECK_EQUAL(event.kind, POOL_FAILED);
    CHECK_TEXT(event.failure, "exit 127");
    CHECK_CONTAINS(event.last_lines, "/no/such/program");
    worker_pool_free(workers);
}

/* ---- Life and death -------------------------------------------------------------------------- */

static bool shows(const char *pid, const char *part)
{
    char path[600], target[512];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *open_ones = opendir(path);
    for (struct dirent *it; open_ones && (it = readdir(open_ones));) {
        snprintf(path, sizeof path, "/proc/%s/fd/%s", pid, it->d_name);
        const ssize_t n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        found |= strstr(target, part) != NULL;
    }
    if (open_ones)
        closedir(open_ones);
    return found;
}

static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* A worker that hangs inherits nothing, costs nothing and ends with its pool. */
static void a_pool_ends_its_workers(void)
{
    char path[512], worker[24];
    long pid = 0;
    snprintf(path, sizeof path, "%s/loop.so", built_in);
    const int inherited = open(path, O_RDONLY); /* on purpose without O_CLOEXEC */
    snprintf(path, sizeof path, "%s/stubborn.so", built_in);
    pool *workers = pool_of(1, 2 * LONG);
    CHECK_EQUAL(start(workers, 1, &(run){.act = "animal", .plugin = path}), 0);
    CHECK(becomes(2)); /* the worker and what the plugin started */
    const double before = cpu_seconds();
    CHECK_EQUAL(worker_pool_next(workers, 1).kind, POOL_NOTHING);
    CHECK(cpu_seconds() - before < 0.05);
    CHECK_EQUAL(count_marked(&pid), 2);
    snprintf(worker, sizeof worker, "%ld", pid);
    CHECK(!shows(worker, "loop.so"));
    close(inherited);
    worker_pool_free(workers);
    CHECK(all_gone());
}

/* Two coordinators: one is killed, one interrupted; their workers' plugins would stay for ever. */
static void coordinate(const char *plugin, int told)
{
    pool *workers = pool_of(2, 600);
    int status = start(workers, 1, &(run){.act = "animal", .plugin = plugin}) ||
                 start(workers, 2, &(run){.act = "animal", .plugin = plugin});
    tool_progress_start();
    if (write(told, &status, sizeof status) < 0)
        _exit(1);
    status = worker_pool_next(workers, 600).kind != POOL_NOTHING;
    worker_pool_free(workers);
    _exit(status);
}

static void end_coordinator(int signal_number, int *status)
{
    char path[512];
    int ends[2], started = 1;
    snprintf(path, sizeof path, "%s/stubborn.so", built_in);
    CHECK_EQUAL(pipe(ends), 0);
    fflush(NULL);
    const pid_t coordinator = fork();
    if (coordinator == 0)
        coordinate(path, ends[1]);
    CHECK(read(ends[0], &started, sizeof started) == sizeof started && !started);
    CHECK(becomes(4)); /* two for each worker */
    kill(coordinator, signal_number);
    waitpid(coordinator, status, 0);
    CHECK(all_gone());
    close(ends[0]), close(ends[1]);
}

static void none_outlives_its_coordinator(void)
{
    int status = 0;
    end_coordinator(SIGKILL, &status);
    CHECK(WIFSIGNALED(status));
    end_coordinator(SIGINT, &status);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void builds_are_removed(void)
{
    end_builds();
    CHECK(access(built_in, F_OK) != 0);
}

int main(void)
{
    RUN(messages_arrive_whole_or_not_at_all);
    RUN(messages_mind_whose_memory_it_is);
    RUN(reports_have_their_form);
    RUN(plugins_are_built);
    RUN(a_run_reports_in_order);
    RUN(a_row_is_described);
    RUN(bits_do_not_depend_on_company);
    RUN(animals_are_told_apart);
    RUN(processor_time_is_limited);
    RUN(reasons_come_from_the_worker);
    RUN(what_cannot_be_started_is_told);
    RUN(a_pool_ends_its_workers);
    RUN(none_outlives_its_coordinator);
    RUN(builds_are_removed);
    return check_result();
}
