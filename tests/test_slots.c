/* Plugins with as many slots as plugin.h allows, on both sides of a residual: whatever is done with a
 * net is done with theirs. */
#include <hillock/hillock.h>
#include <hillock/normal.h>
#include <hillock/random.h>
#include <stdlib.h>
#include "check.h"
#include "bad_plugins/build.h"
#include "graph/graph.h"

enum { N = 96, SIDE = 6, CLASSES = 3, WIDTH = 8 };

static hk_data *data;
static const char *const activations[] = {"many_slots", "many_slots~many_slots",
                                          "relu+conv2=many_slots", "relu~many_slots"};

static void fixtures_are_made(void)
{
    static float x[N][SIDE * SIDE];
    static int32_t labels[N];
    for (int i = 0; i < N; i++) {
        labels[i] = i % CLASSES;
        for (int j = 0; j < SIDE * SIDE; j++)
            x[i][j] = hks_uniform(7, (uint64_t)(i * SIDE * SIDE + j)) +
                      (j % CLASSES == labels[i] ? 0.7f : 0);
    }
    CHECK(begin_builds());
    CHECK_EQUAL(hk_plugin_load(build("many_slots", "../zoo/good_many_slots.c", "-lm")), HK_OK);
    CHECK_EQUAL(hk_plugin_load(build("many_slots_norm", "../zoo/good_many_slots_norm.c", "-lm")),
                HK_OK);
    CHECK_EQUAL(hk_data_from_arrays(N, SIDE, SIDE, 1, CLASSES, x[0], labels, &data), HK_OK);
}

static hk_tensor *new_net(const char *activation, uint64_t seed)
{
    hk_net *net =
        hk_net_new(.activation = activation, .normalization = "many_slots_norm", .seed = seed);
    hk_tensor *x = hk_act(hk_norm(hk_conv(hk_input(net, SIDE, SIDE, 1), WIDTH, 3)));
    x = hk_act(hk_add(hk_norm(hk_conv(x, WIDTH, 3)), x));
    hk_tensor *logits = hk_linear(hk_global_avgpool(x), CLASSES);
    if (!logits)
        printf("  %s: %s\n", activation, hk_message());
    CHECK(logits != NULL);
    return logits;
}

static hk_epoch_report fit(hk_tensor *logits, int no_probes)
{
    hk_epoch_report report = {0};
    hk_status status = hk_fit(logits, &report, .train = data, .epochs = 4, .batch = 16,
                              .no_probes = no_probes, .optimizer = "adam:lr=0.01");
    CHECK_EQUAL(status, HK_OK);
    CHECK(isfinite(report.train_loss));
    return report;
}

static void it_learns_with_and_without_probes(void)
{
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
        char digests[2][65];
        for (int no_probes = 0; no_probes < 2; no_probes++) {
            hk_tensor *logits = new_net(activations[i], 1);
            hk_epoch_report report = fit(logits, no_probes);
            CHECK(report.train_loss < 1.09); /* log 3: no better than guessing */
            hk_net_digest(hk_tensor_net(logits), digests[no_probes]);
            hk_net_free(hk_tensor_net(logits));
        }
        CHECK_TEXT(digests[0], digests[1]);
    }
}

static void saved_and_loaded_it_is_the_same(void)
{
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
        hk_tensor *one = new_net(activations[i], 1), *other = new_net(activations[i], 2);
        char digests[2][65];
        int missing = -1;
        fit(one, 1);
        CHECK_EQUAL(hk_net_save(one, path_of("net.safetensors"), NULL), HK_OK);
        CHECK_EQUAL(hk_net_load_weights(hk_tensor_net(other), path_of("net.safetensors"), &missing),
                    HK_OK);
        CHECK_EQUAL(missing, 0);
        hk_net_digest(hk_tensor_net(one), digests[0]);
        hk_net_digest(hk_tensor_net(other), digests[1]);
        CHECK_TEXT(digests[0], digests[1]);
        hk_net_free(hk_tensor_net(one));
        hk_net_free(hk_tensor_net(other));
    }
}

static void it_is_examined_and_forecast(void)
{
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
        hk_tensor *logits = new_net(activations[i], 1);
        hk_forecast *forecast = NULL;
        hk_examination *found = NULL;
        hk_treatment *treatment = NULL;
        CHECK_EQUAL(hk_forecast_new(logits, &(hk_forecast_options){.nets = 2}, &forecast), HK_OK);
        CHECK_EQUAL(hk_examine(logits, data, NULL, &found), HK_OK);
        CHECK_EQUAL(found ? found->n_layers : 0, 2);
        CHECK_EQUAL(hk_treat(logits, data, "bias", NULL, &treatment), HK_OK);
        hk_forecast_free(forecast);
        hk_examination_free(found);
        hk_treatment_free(treatment);
        hk_net_free(hk_tensor_net(logits));
    }
}

/* Relu units that are dead get all the slots of the activation that treats them. */
static void dead_units_are_reset_to_it(void)
{
    hk_tensor *logits = new_net("relu", 1);
    hk_net *net = hk_tensor_net(logits);
    hk_treatment *treatment = NULL;
    hk_plan *plan = NULL;
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.output = logits}, &plan), HK_OK);
    for (int i = 0; i < net->n_tensors; i++)
        if (!strcmp(hk_tensor_name(net->tensors[i]), "conv1.norm.shift_a1"))
            hk_plan_value(plan, net->tensors[i])[2] = -30;
    hk_plan_free(plan);
    CHECK_EQUAL(hk_treat(logits, data, "reset:to=many_slots", NULL, &treatment), HK_OK);
    CHECK_EQUAL(treatment ? treatment->treated : 0, 1);
    hk_treatment_free(treatment);
    fit(logits, 0);
    hk_net_free(net);
}

/* A step that is far too large, up and down: each slot of pelu ends at a bound of its range. */
static void every_slot_stays_in_its_range(void)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        hk_net *net = hk_net_new(.activation = "pelu", .seed = 1);
        hk_tensor *x = hk_input(net, 5), *y = hk_act(hk_linear(x, 4));
        hk_optimizer *optimizer = NULL;
        hk_plan *plan = NULL;
        float values[4];
        hk_plan_options how = {
            .batch = 8, .training = 1, .loss = hk_scale(hk_sum(y, HK_ALL_AXES), sign)};
        CHECK_EQUAL(hk_plan_new(net, &how, &plan), HK_OK);
        CHECK_EQUAL(hk_optimizer_new(net, "sgd:lr=1e6", &optimizer), HK_OK);
        for (int i = 0; i < 8 * 5; i++)
            hk_plan_value(plan, x)[i] = hks_normal(3, (uint64_t)i);
        CHECK_EQUAL(hk_plan_forward(plan, 8), HK_OK);
        CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
        hk_optimizer_step(optimizer, plan, 1, 0);
        for (int k = 0; k < 2; k++) {
            CHECK_EQUAL(hk_tensor_read(hk_net_tensor(net, k ? "fc1.act.b" : "fc1.act.a"), values),
                        HK_OK);
            for (int i = 0; i < 4; i++)
                CHECK(values[i] == 0.1f || values[i] == 100);
        }
        hk_optimizer_free(optimizer);
        hk_plan_free(plan);
        hk_net_free(net);
    }
}

int main(void)
{
    RUN(fixtures_are_made);
    RUN(it_learns_with_and_without_probes);
    RUN(saved_and_loaded_it_is_the_same);
    RUN(it_is_examined_and_forecast);
    RUN(dead_units_are_reset_to_it);
    RUN(every_slot_stays_in_its_range);
    hk_data_free(data);
    end_builds();
    return check_result();
}
