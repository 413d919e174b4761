/* Memory: a training step asks for none, and wherever it is refused the caller is told, nothing
 * leaks, and the same operation works afterwards. */
#include <hillock/hillock.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "check.h"
#include "core/base.h"

/* ---- An allocator that counts and refuses --------------------------------------------------- */

static atomic_int asked;   /* since the count was last set to 0 */
static int refuse_at;      /* the request that gets nothing, from 1; 0: none */
static bool refuse_onward; /* and all after it */

static void *allocate(void *user, size_t bytes)
{
    (void)user;
    int number = ++asked;
    if (refuse_at && (number == refuse_at || (refuse_onward && number > refuse_at)))
        return NULL;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void release(void *user, void *block)
{
    (void)user;
    free(block);
}

/* ---- Counting what the C library is asked for, past our allocator too ----------------------- */

static atomic_long system_calls;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define COUNTS_SYSTEM_CALLS 1
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes)
{
    system_calls++;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    system_calls++;
    return __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    system_calls++;
    return __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    system_calls++;
    return __libc_memalign(alignment, bytes);
}
#endif

/* ---- A training step ------------------------------------------------------------------------ */

static hk_data *train_set, *test_set;

static hk_tensor *lenet(hk_net *net)
{
    hk_tensor *x = hk_input(net, 14, 14, 1);
    x = hk_maxpool(hk_act(hk_norm(hk_conv(x, 4, 5))), 2);
    x = hk_dropout(hk_act(hk_conv(x, 6, 3, .padding = HK_VALID), .use = "lgb"), 0.1);
    x = hk_act(hk_linear(hk_maxpool(x, 2), 20));
    return hk_linear(x, 10);
}

static hk_net *new_net(void)
{
    return hk_net_new(.activation = "prelu", .seed = 1);
}

typedef struct steps {
    int calls, asked_before, asked_after;
    long system_before, system_after;
} steps;

/* From the end of the first step to the end of the last. */
static int count_step(const hk_progress *progress, void *user)
{
    steps *s = user;
    (void)progress;
    if (s->calls++ == 0) {
        s->asked_before = asked;
        s->system_before = system_calls;
    }
    s->asked_after = asked;
    s->system_after = system_calls;
    return 0;
}

static void a_step_allocates_nothing(void)
{
    for (int threads = 1; threads <= 2; threads++) {
        hk_net *net = new_net();
        steps s = {0};
        hk_set_threads(threads);
        CHECK_EQUAL(hk_fit(lenet(net), NULL, .train = train_set, .batch = 7, .clip = 1,
                           .augment = "crop=2,flip", .progress = count_step, .user = &s),
                    HK_OK);
        CHECK_EQUAL(s.calls, 9);
        CHECK_EQUAL(s.asked_after - s.asked_before, 0);
#ifdef COUNTS_SYSTEM_CALLS
        if (threads == 1) /* OpenMP takes memory for a team when the number of threads changes */
            CHECK_EQUAL(s.system_after - s.system_before, 0);
        CHECK(s.system_after > 0);
#endif
        hk_net_free(net);
    }
    hk_set_threads(0);
}

/* Gradients added from two walks need one buffer, once. */
static void accumulation_allocates_once(void)
{
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, 6), *loss = hk_mean(hk_act(hk_linear(x, 8)), HK_ALL_AXES);
    hk_plan *plan;
    CHECK_EQUAL(
        hk_plan_new(net, &(hk_plan_options){.batch = 3, .training = 1, .loss = loss}, &plan),
        HK_OK);
    asked = 0;
    for (int i = 0; i < 4; i++) {
        CHECK_EQUAL(hk_plan_forward(plan, 3), HK_OK);
        CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
    }
    CHECK_EQUAL(asked, 1);
    hk_plan_free(plan);
    hk_net_free(net);
}

/* ---- Refusals ------------------------------------------------------------------------------- */

static char path[64];

static hk_status build_graph(void)
{
    hk_net *net = new_net();
    hk_status status = net && lenet(net) ? HK_OK : hk_last_status();
    hk_net_free(net);
    return status;
}

static hk_status make_plan(void)
{
    hk_net *net = new_net();
    hk_tensor *logits = net ? lenet(net) : NULL;
    hk_tensor *loss = logits ? hk_cross_entropy(logits, hk_labels(net), 0) : NULL;
    hk_plan *plan = NULL;
    hk_status status = hk_last_status();
    if (loss)
        status =
            hk_plan_new(net, &(hk_plan_options){.batch = 4, .training = 1, .loss = loss}, &plan);
    for (int i = 0; i < 2 && !status; i++) /* the second walk adds */
        if (!(status = hk_plan_forward(plan, 3)))
            status = hk_plan_backward(plan);
    hk_plan_free(plan);
    hk_net_free(net);
    return status;
}

static hk_status open_data(void)
{
    hk_data *train = NULL, *test = NULL, *part = NULL;
    hk_loader *loader = NULL;
    hk_status status = hk_data_open("glyphs:train=12,test=10,size=8", &train, &test);
    if (!status)
        status = hk_data_split(train, 0.5, 1, &part);
    if (!status)
        status = hk_loader_new(
            train, &(hk_loader_options){.batch = 4, .shuffle = 1, .augment = "crop=1"}, &loader);
    if (!status) {
        hk_loader_start(loader, 0);
        CHECK(hk_loader_next(loader).n > 0);
    }
    hk_loader_free(loader);
    hk_data_free(part);
    hk_data_free(train);
    hk_data_free(test);
    return status;
}

static hk_status train(void)
{
    hk_net *net = new_net();
    hk_tensor *logits = net ? lenet(net) : NULL;
    hk_status status = hk_last_status();
    if (logits)
        status = hk_fit(logits, NULL, .train = test_set, .test = test_set, .batch = 7,
                        .augment = "flip", .schedule = "cosine");
    hk_net_free(net);
    return status;
}

static hk_status predict(void)
{
    static float x[3 * 14 * 14], y[30];
    hk_net *net = new_net();
    hk_tensor *logits = net ? lenet(net) : NULL;
    hk_status status = logits ? hk_net_predict(logits, 3, x, y) : hk_last_status();
    hk_net_free(net);
    return status;
}

/* Every tensor costs a file many requests: a few will do. */
static hk_tensor *small(hk_net *net)
{
    return hk_linear(hk_act(hk_norm(hk_input(net, 14, 14, 1))), 10);
}

static hk_status save(void)
{
    hk_net *net = new_net();
    hk_tensor *logits = net ? small(net) : NULL;
    hk_trainer *trainer = NULL;
    hk_status status = hk_last_status();
    unlink(path);
    if (logits)
        status = hk_trainer_new(logits, &(hk_train_options){.train = test_set}, &trainer);
    if (!status) {
        status = hk_trainer_save(trainer, path, "lenet");
        CHECK((access(path, F_OK) == 0) == (status == HK_OK));
    }
    hk_trainer_free(trainer);
    hk_net_free(net);
    return status;
}

/* Expects the file of save(). */
static hk_status load(void)
{
    hk_net *net = new_net();
    hk_tensor *logits = net ? small(net) : NULL;
    hk_trainer *trainer = NULL;
    hk_status status = hk_last_status();
    if (logits)
        status = hk_trainer_new(logits, &(hk_train_options){.train = test_set}, &trainer);
    if (!status)
        status = hk_net_load_weights(net, path, NULL);
    if (!status)
        status = hk_trainer_resume(trainer, path);
    hk_trainer_free(trainer);
    hk_net_free(net);
    return status;
}

/* Refuses request k for k = 1, 2 ... until the operation needs fewer. */
static void refuse_everywhere(const char *what, hk_status (*operation)(void))
{
    CHECK_EQUAL(operation(), HK_OK); /* plugins are loaded now, and stay */
    for (int onward = 0; onward < 2; onward++) {
        int k = 1;
        for (bool refused = true; refused && !check_case_failed; k++) {
            size_t live = hki_live_blocks();
            asked = 0;
            refuse_onward = onward;
            refuse_at = k;
            hk_status status = operation();
            refuse_at = 0;
            refused = asked >= k;
            CHECK_EQUAL(status, refused ? HK_NO_MEMORY : HK_OK);
            CHECK_EQUAL(hki_live_blocks(), live);
            if (refused)
                CHECK_CONTAINS(hk_message(), "memory");
            if (check_case_failed)
                printf("  %s, request %d%s: %s\n", what, k, onward ? " and all after it" : "",
                       hk_message());
        }
        CHECK(k > 3);
        CHECK_EQUAL(operation(), HK_OK);
    }
}

static void graphs_and_plans(void)
{
    refuse_everywhere("building a graph", build_graph);
    refuse_everywhere("making a plan", make_plan);
}

static void data(void)
{
    refuse_everywhere("opening data", open_data);
}

static void training(void)
{
    refuse_everywhere("training", train);
    refuse_everywhere("predicting", predict);
}

static void files(void)
{
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-memory", (int)getpid());
    refuse_everywhere("saving", save);
    refuse_everywhere("loading", load);
    unlink(path);
}

/* A plugin is loaded once: the request is refused until the first time it need not be. */
static void plugins(void)
{
    int refusals = 0;
    for (int k = 1; k < 100; k++) {
        size_t live = hki_live_blocks();
        asked = 0;
        refuse_at = k;
        hk_status status = hk_plugin_load(HILLOCK_PLUGIN_DIR "/pelu.so");
        refuse_at = 0;
        if (status == HK_OK)
            break;
        CHECK_EQUAL(status, HK_NO_MEMORY);
        CHECK_EQUAL(hki_live_blocks(), live);
        refusals++;
    }
    CHECK(refusals > 0 && refusals < 90);
    const hk_plugin *found;
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "pelu", &found), HK_OK);
}

int main(void)
{
    static const hk_allocator counting = {allocate, release, NULL};
    hk_set_allocator(&counting);
    setenv("HILLOCK_PLUGIN_PATH", HILLOCK_PLUGIN_DIR, 1);
    if (hk_data_open("glyphs:train=60,test=20,size=14", &train_set, &test_set))
        printf("%s\n", hk_message());
    RUN(a_step_allocates_nothing);
    RUN(accumulation_allocates_once);
    RUN(graphs_and_plans);
    RUN(data);
    RUN(training);
    RUN(files);
    RUN(plugins);
    hk_data_free(train_set);
    hk_data_free(test_set);
    return check_result();
}
