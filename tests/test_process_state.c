/* The library leaves the process as it found it: jansson's allocator stays the program's, and locale,
 * signals, floating-point mode, random numbers, threads, environment and folder stay what they are. */
#include <hillock/hillock.h>
#include <fenv.h>
#include <jansson.h>
#include <locale.h>
#include <omp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static const char *file = "test_process_state.safetensors";

/* What the library does on a long day: loads plugins, trains, saves, loads, examines, fails. */
static void work(void)
{
    hk_data *train = NULL, *test = NULL;
    hk_epoch_report report;
    hk_saved saved;
    int missing;
    CHECK_EQUAL(hk_data_open("glyphs:train=40,test=20", &train, &test), HK_OK);
    hk_net *net = hk_net_new(.activation = "mish", .seed = 1);
    hk_tensor *x = hk_act(hk_norm(hk_conv(hk_input(net, 28, 28, 1), 4, 5, .stride = 2)));
    x = hk_linear(x, 10);
    CHECK_EQUAL(hk_fit(x, &report, .train = train, .test = test, .epochs = 1), HK_OK);
    CHECK_EQUAL(hk_net_save(x, file, "a \"model\""), HK_OK);
    CHECK_EQUAL(hk_net_load_weights(net, file, &missing), HK_OK);
    CHECK_EQUAL(hk_net_peek(file, &saved), HK_OK);
    CHECK_TEXT(saved.model, "a \"model\"");
    hk_examination *examination = NULL;
    CHECK_EQUAL(hk_examine(x, test, NULL, &examination), HK_OK);
    CHECK_EQUAL(hk_plugin_load("./absent.so"), HK_BAD_PLUGIN);
    CHECK_EQUAL(hk_net_peek("absent.safetensors", &saved), HK_BAD_DATA);
    hk_examination_free(examination);
    hk_net_free(net);
    hk_data_free(train);
    hk_data_free(test);
    unlink(file);
}

/* ---- Two allocators that count --------------------------------------------------------------- */

static long of_hillock, of_json, live_hillock, live_json;

static void *hillock_allocate(void *user, size_t bytes)
{
    (void)user;
    of_hillock++, live_hillock++;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}
static void hillock_release(void *user, void *block)
{
    (void)user;
    live_hillock--;
    free(block);
}
static void *json_allocate(size_t bytes)
{
    of_json++, live_json++;
    return malloc(bytes);
}
static void json_release(void *block)
{
    live_json -= block != NULL;
    free(block);
}

static void use_json(void)
{
    json_t *value = json_pack("{s:[i,i], s:s}", "shape", 3, 4, "name", "net");
    char *text = json_dumps(value, JSON_COMPACT);
    CHECK_TEXT(text, "{\"shape\":[3,4],\"name\":\"net\"}");
    json_release(text);
    json_decref(value);
}

static void json_keeps_its_allocator(void)
{
    json_malloc_t allocate;
    json_free_t release;
    json_set_alloc_funcs(json_allocate, json_release);
    hk_set_allocator(&(hk_allocator){hillock_allocate, hillock_release, NULL});
    use_json();
    CHECK(of_json > 0 && live_json == 0 && of_hillock == 0);
    json_t *held = json_string("held while the library works");
    work();
    CHECK(of_hillock > 100);
    json_decref(held);
    CHECK_EQUAL(live_json, 0); /* the library's JSON came and went with the program's allocator */
    json_get_alloc_funcs(&allocate, &release);
    CHECK(allocate == json_allocate && release == json_release);
    use_json();
    CHECK_EQUAL(live_json, 0);
    json_set_alloc_funcs(malloc, free);
}

/* ---- The rest of the process ------------------------------------------------------------------ */

typedef struct state {
    char locale[64], folder[512], environment[8192];
    sigset_t mask;
    void (*handlers[32])(int);
    int rounding, max_threads;
    uint32_t control; /* of the floating-point unit */
    mode_t umask;
} state;

extern char **environ;

static state look(void)
{
    state s;
    memset(&s, 0, sizeof s);
    snprintf(s.locale, sizeof s.locale, "%s", setlocale(LC_ALL, NULL));
    CHECK(getcwd(s.folder, sizeof s.folder) != NULL);
    for (char **at = environ; *at; at++)
        strncat(s.environment, *at, sizeof s.environment - strlen(s.environment) - 1);
    pthread_sigmask(SIG_SETMASK, NULL, &s.mask);
    for (int i = 1; i < 32; i++) {
        struct sigaction action;
        sigaction(i, NULL, &action);
        s.handlers[i] = action.sa_handler;
    }
    s.rounding = fegetround();
    s.max_threads = omp_get_max_threads();
    s.control = hk_float_mode();
    s.umask = umask(0);
    umask(s.umask);
    return s;
}

static void the_process_stays_as_it_is(void)
{
    srand(5);
    int first = rand(), second = rand();
    setlocale(LC_ALL, "C");
    setenv("HILLOCK_TEST_STATE", "1", 1);
    srand(5);
    CHECK_EQUAL(rand(), first);
    fesetround(FE_UPWARD);
    state before = look();
    work();
    state after = look();
    fesetround(FE_TONEAREST);
    CHECK_EQUAL(rand(), second);
    CHECK_TEXT(after.locale, before.locale);
    CHECK_TEXT(after.folder, before.folder);
    CHECK_TEXT(after.environment, before.environment);
    CHECK(memcmp(&after.mask, &before.mask, sizeof after.mask) == 0);
    CHECK(memcmp(after.handlers, before.handlers, sizeof after.handlers) == 0);
    CHECK_EQUAL(after.rounding, before.rounding);
    CHECK_EQUAL(after.max_threads, before.max_threads);
    CHECK_EQUAL(after.control, before.control);
    CHECK_EQUAL(after.umask, before.umask);
}

int main(void)
{
    RUN(json_keeps_its_allocator); /* the first: no block may be older than its allocator */
    hk_set_threads(1);
    RUN(the_process_stays_as_it_is);
    return check_result();
}
