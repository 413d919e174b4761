/* Activations on arrays of one's own: the bits of a net's, for any number of threads; what they refuse.
 * `test_function curves` prints all curves, for tests/python.sh to compare. */
#include <hillock/hillock.h>
#include "check.h"

enum { ROWS = 3000, CHANNELS = 24, N = ROWS * CHANNELS };

static float x[N], dy[N], y[2][N], dx[2][N];
static float values[HK_MAX_SLOTS][1024], gradients[2][HK_MAX_SLOTS][1024];
static float *slots[HK_MAX_SLOTS], *dslots[2][HK_MAX_SLOTS];

static void fixtures_are_made(void)
{
    for (int i = 0; i < N; i++) {
        x[i] = (float)(i % 977 - 488) / 100;
        dy[i] = (float)(i % 89 - 44) / 50;
    }
    for (int i = 0; i < HK_MAX_SLOTS; i++)
        slots[i] = values[i], dslots[0][i] = gradients[0][i], dslots[1][i] = gradients[1][i];
    CHECK(slots[0] == values[0]);
}

static void all_are_their_curves(const hk_plugin_info *info, void *user)
{
    hk_function *f;
    const char *name = info->plugin->name;
    if (info->plugin->activation->traits & HK_ROWWISE || hk_curve(name, 977, x, y[0], dx[0]))
        return;
    CHECK_EQUAL(hk_function_new(name, &f), HK_OK);
    CHECK_EQUAL(hk_function_start(f, 1, slots), HK_OK);
    hk_function_call call = {
        .rows = 977, .channels = 1, .slots = slots, .x = x, .y = y[1], .dx = dx[1]};
    static float ones[977], aux[977 * 4];
    for (int i = 0; i < 977; i++)
        ones[i] = 1;
    call.dy = ones, call.aux = aux;
    CHECK(hk_function_describe(f)->aux_floats <= 4);
    CHECK_EQUAL(hk_function_forward(f, &call), HK_OK);
    CHECK_EQUAL(hk_function_backward(f, &call), HK_OK);
    CHECK(memcmp(y[0], y[1], 977 * sizeof *x) == 0);
    CHECK(memcmp(dx[0], dx[1], 977 * sizeof *x) == 0);
    hk_function_free(f);
    ++*(int *)user;
}

static void curves_are_functions(void)
{
    int n = 0;
    CHECK_EQUAL(hk_plugin_each(HK_ACTIVATION, all_are_their_curves, NULL, &n), HK_OK);
    CHECK(n > 80);
}

/* The gradient of a learned slot is that in a net. */
static void slots_learn_as_in_a_net(void)
{
    hk_function *f;
    hk_net *net = hk_net_new(.activation = "prelu");
    hk_tensor *in = hk_input(net, CHANNELS), *fc = hk_linear(in, CHANNELS), *out = hk_act(fc);
    hk_tensor *loss = hk_mse(out, in), *slope = hk_net_tensor(net, "fc1.act.slope");
    hk_plan *plan;
    hk_tensor *const keep[] = {fc, out};
    hk_plan_options options = {
        .batch = ROWS, .training = 1, .loss = loss, .keep = keep, .n_keep = 2};
    CHECK(slope != NULL);
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    memcpy(hk_plan_value(plan, in), x, sizeof x);
    CHECK_EQUAL(hk_plan_forward(plan, ROWS), HK_OK);
    CHECK_EQUAL(hk_plan_backward(plan), HK_OK);

    CHECK_EQUAL(hk_function_new("prelu", &f), HK_OK);
    CHECK_EQUAL(hk_function_slot(f, 0, CHANNELS), CHANNELS);
    CHECK_EQUAL(hk_function_start(f, CHANNELS, slots), HK_OK);
    for (int threads = 1; threads <= 2; threads++) {
        hk_set_threads(threads);
        hk_function_call call = {.rows = ROWS,
                                 .channels = CHANNELS,
                                 .training = 1,
                                 .slots = slots,
                                 .x = hk_plan_value(plan, fc),
                                 .y = y[0],
                                 .dy = hk_plan_gradient(plan, out),
                                 .dslots = dslots[threads - 1]};
        CHECK_EQUAL(hk_function_forward(f, &call), HK_OK);
        CHECK_EQUAL(hk_function_backward(f, &call), HK_OK); /* dx is not wanted */
        CHECK(memcmp(y[0], hk_plan_value(plan, out), sizeof x) == 0);
        CHECK(memcmp(gradients[threads - 1][0], hk_plan_gradient(plan, slope),
                     CHANNELS * sizeof(float)) == 0);
    }
    hk_function_free(f);
    hk_plan_free(plan);
    hk_net_free(net);
}

/* Learned values return to their range, state follows from the sums. */
static void a_step_ends_with_a_commit(void)
{
    hk_function *f;
    double sums[CHANNELS];
    CHECK_EQUAL(hk_function_new("lgb", &f), HK_OK);
    const hk_function_info *info = hk_function_describe(f);
    CHECK(info->changes_slots && info->n_sums == 1);
    CHECK_TEXT(info->spec, "lgb");
    CHECK_EQUAL(hk_function_start(f, CHANNELS, slots), HK_OK);
    hk_function_call call = {.rows = ROWS,
                             .channels = CHANNELS,
                             .training = 1,
                             .slots = slots,
                             .x = x,
                             .y = y[0],
                             .sums = sums};
    float before[CHANNELS];
    memcpy(before, values[1], sizeof before);
    CHECK_EQUAL(hk_function_forward(f, &call), HK_OK);
    CHECK(memcmp(before, values[1], sizeof before) == 0);
    CHECK_EQUAL(hk_function_commit(f, &call), HK_OK);
    CHECK(memcmp(before, values[1], sizeof before) != 0);
    hk_function_free(f);

    CHECK_EQUAL(hk_function_new("arelu", &f), HK_OK);
    info = hk_function_describe(f);
    CHECK(info->changes_slots);
    CHECK_EQUAL(hk_function_start(f, 1, slots), HK_OK);
    values[0][0] = -100;
    CHECK_EQUAL(hk_function_commit(f, &(hk_function_call){.channels = 1, .slots = slots}), HK_OK);
    CHECK_NEAR(values[0][0], info->slots[0].low, 1e-6);
    hk_function_free(f);
}

static void what_does_not_fit_is_refused(void)
{
    hk_function *f;
    CHECK_EQUAL(hk_function_new("mihs", &f), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "did you mean \"mish\"");
    CHECK_EQUAL(hk_function_new("glu", &f), HK_OK);
    CHECK_EQUAL(hk_function_channels(f, 6), 3);
    CHECK_EQUAL(hk_function_channels(f, 5), 0);
    hk_function_call call = {.rows = 2, .channels = 5, .x = x, .y = y[0]};
    CHECK_EQUAL(hk_function_forward(f, &call), HK_BAD_SHAPE);
    CHECK_CONTAINS(hk_message(), "glu cannot work on 5 channels");
    call.channels = 6;
    CHECK_EQUAL(hk_function_backward(f, &call), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "glu: dy is NULL, which backward needs");
    call.rows = -1;
    CHECK_EQUAL(hk_function_forward(f, &call), HK_BAD_ARGUMENT);
    hk_function_free(f);
    CHECK_EQUAL(hk_function_new("prelu", &f), HK_OK);
    CHECK_EQUAL(
        hk_function_forward(f, &(hk_function_call){.rows = 2, .channels = 6, .x = x, .y = y[0]}),
        HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "prelu: the slot \"slope\" is NULL");
    hk_function_free(f);
}

static void print_curve(const hk_plugin_info *info, void *user)
{
    const int n = *(const int *)user;
    if (hk_curve(info->plugin->name, n, x, y[0], dx[0]))
        return;
    printf("%s", info->plugin->name);
    for (int i = 0; i < n; i++)
        printf(" %a %a %a", (double)x[i], (double)y[0][i], (double)dx[0][i]);
    puts("");
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "curves")) {
        fixtures_are_made();
        return hk_plugin_each(HK_ACTIVATION, print_curve, NULL, &(int){977}) != HK_OK;
    }
    RUN(fixtures_are_made);
    RUN(curves_are_functions);
    RUN(slots_learn_as_in_a_net);
    RUN(a_step_ends_with_a_commit);
    RUN(what_does_not_fit_is_refused);
    return check_result();
}
