/* The rule for NULL in hillock/status.h, of every function that the public headers declare: each pointer
 * NULL in turn, the others valid, and all of them. null_calls.awk reads the headers and makes the calls.
 * Each runs in a process of its own: no signal, no HK_OK, and a sentence that says what was NULL. */
#include <hillock/hillock.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

typedef enum kind { STATUS, POINTER, OTHER } kind;

typedef struct outcome {
    int status;
    const void *pointer;
    char message[512];
    bool nothing; /* the pointer is NULL, or an empty text */
} outcome;

typedef struct row {
    const char *function, *null;
    kind kind;
    int must_fail;
    void (*call)(outcome *);
} row;

/* Something valid of each type, by the type's name. */
static hk_net *a_hk_net;
static hk_tensor *a_hk_tensor;
static hk_plan *a_hk_plan;
static hk_data *a_hk_data;
static hk_optimizer *a_hk_optimizer;
static hk_trainer *a_hk_trainer;
static const hk_plugin *a_hk_plugin;
static char a_char[HK_MAX_SPEC] = "relu";
static float a_float[4096];
static double a_double[64];
static int a_int[1];
static int32_t a_int32_t[64];
static int64_t a_int64_t[64];
static uint32_t a_uint32_t[64];
static size_t a_size_t[1];
static void *places[8], *a_place = places;
static hk_plan_options a_hk_plan_options[1];
static hk_loader_options a_hk_loader_options[1];
static hk_train_options a_hk_train_options[1];
static hk_examine_options a_hk_examine_options[1];
static hk_treat_options a_hk_treat_options[1];
static hk_forecast_options a_hk_forecast_options[1];
static hk_saved a_hk_saved[1];
static hk_card a_hk_card[1];
static void a_callback(void)
{
}
static hk_function *a_hk_function;
static hk_function_call a_hk_function_call[1];
static hk_epoch_report a_hk_epoch_report[1];
static hk_evaluation a_hk_evaluation[1];
static hk_metrics a_hk_metrics[1];

#include "null_calls.h" /* made by the build: rows[] */

static void make_what_is_valid(void)
{
    hk_set_threads(1); /* threads do not survive a fork */
    a_hk_net = hk_net_new(.seed = 1);
    a_hk_tensor = hk_linear(hk_act(hk_norm(hk_conv(hk_input(a_hk_net, 6, 6, 1), 4, 3))), 3);
    a_hk_plan_options->output = a_hk_tensor;
    CHECK_EQUAL(hk_plan_new(a_hk_net, a_hk_plan_options, &a_hk_plan), HK_OK);
    for (int i = 0; i < 64; i++)
        a_int32_t[i] = i % 3;
    CHECK_EQUAL(hk_data_from_arrays(64, 6, 6, 1, 3, a_float, a_int32_t, &a_hk_data), HK_OK);
    CHECK_EQUAL(hk_optimizer_new(a_hk_net, "sgd:lr=0.1", &a_hk_optimizer), HK_OK);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "relu", &a_hk_plugin), HK_OK);
    CHECK_EQUAL(hk_function_new("relu", &a_hk_function), HK_OK);
}

/* What the child reports: its end, and what the function left. */
static bool run(const row *r, outcome *o)
{
    int ends[2], status = 0;
    if (pipe(ends))
        return false;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        setrlimit(RLIMIT_CPU, &(struct rlimit){20, 20});
        r->call(o);
        o->nothing = !o->pointer || !*(const char *)o->pointer;
        snprintf(o->message, sizeof o->message, "%s", hk_message());
        _exit(write(ends[1], o, sizeof *o) != sizeof *o);
    }
    close(ends[1]);
    bool complete = read(ends[0], o, sizeof *o) == sizeof *o;
    close(ends[0]);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && complete;
}

static void each_pointer_may_be_forgotten(void)
{
    size_t n = sizeof rows / sizeof *rows;
    make_what_is_valid();
    CHECK(n > 250); /* the headers were read */
    for (size_t i = 0; i < n; i++) {
        const row *r = &rows[i];
        outcome o = {.status = -1};
        const char *fault = NULL;
        if (!run(r, &o))
            fault = "the process ended";
        else if (r->must_fail && !strstr(o.message, " is NULL"))
            fault = "the message does not say so";
        else if (r->must_fail && r->kind == STATUS && o.status != HK_BAD_ARGUMENT)
            fault = "the status is not HK_BAD_ARGUMENT";
        else if (r->must_fail && r->kind == POINTER && !o.nothing)
            fault = "it returned something";
        if (fault)
            printf("  %s with %s NULL: %s (status %d, \"%s\")\n", r->function, r->null, fault,
                   o.status, o.message);
        CHECK(!fault);
    }
}

/* NULL passes through what records tensors, and the reason why it is NULL stays. */
static void the_first_message_survives(void)
{
    hk_tensor *x = hk_input(a_hk_net, 6, 6, 1), *y = hk_conv(x, 4, 0);
    char first[512];
    snprintf(first, sizeof first, "%s", hk_message());
    CHECK(!y && *first);
    CHECK(!hk_softmax(hk_linear(hk_act(hk_norm(hk_maxpool(hk_add(y, x), 2))), 3)));
    CHECK_TEXT(hk_message(), first);
    CHECK_EQUAL(hk_fit(NULL, NULL, .train = a_hk_data), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "logits is NULL");
    CHECK_CONTAINS(hk_message(), first);
}

/* In a folder of its own: what saves a net writes one called "relu". */
int main(void)
{
    char folder[] = "/tmp/hillock-null-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder))
        return 1;
    RUN(each_pointer_may_be_forgotten);
    RUN(the_first_message_survives);
    unlink("relu");
    rmdir(folder);
    return check_result();
}
