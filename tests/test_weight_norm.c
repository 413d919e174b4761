/* Normalized weights in nets: gradients through layers, the net's choice and the layer's own, what
 * the first weight starts, saving and loading. */
#include "gradient.h"

#include <hillock/kernel.h>
#include <math.h>
#include <unistd.h>

#include "nn/nn.h"

static const char *const specs[] = {"weight_norm", "weight_standardization", "spectral_norm"};

static hk_tensor *named(const hk_net *net, const char *name)
{
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->name && !strcmp(net->tensors[i]->name, name))
            return net->tensors[i];
    CHECK_TEXT("no such tensor", name);
    return NULL;
}

static hk_tensor *small_net(hk_net *net)
{
    hk_tensor *x = hk_input(net, 5, 5, 2);
    x = hk_act(hk_norm(hk_conv(x, 6, 3)));
    return hk_linear(x, 4);
}

/* Logits in evaluation for fixed images. */
static void predict(hk_tensor *logits, float out[12])
{
    float x[3 * 50];
    for (int i = 0; i < 150; i++)
        x[i] = hks_normal(9, (uint64_t)i);
    CHECK_EQUAL(hk_net_predict(logits, 3, x, out), HK_OK);
}

/* The check draws positive weights after the plan is made: u and v of spectral_norm, from a start
 * of ones, go with them. */
static void gradients_flow_through_normalized_weights(void)
{
    for (int i = 0; i < 3; i++) {
        hk_net *net = hk_net_new(.seed = 2, .initializer = "ones");
        hk_tensor *x = hk_input(net, 5, 5, 4);
        hk_tensor *y = hk_conv(x, 6, 3, .groups = 2, .stride = 2, .weight_norm = specs[i]);
        hk_tensor *leaves[4] = {x, named(net, "conv1.weight"), named(net, "conv1.bias")};
        int n = 3;
        if (i == 0)
            leaves[n++] = named(net, "conv1.weight_norm.g");
        gradient_check(specs[i], y, leaves, n, 3, 0.1f, 2, 3e-3);
        hk_net_free(net);
        net = hk_net_new(.seed = 2, .initializer = "ones");
        x = hk_input(net, 7);
        y = hk_linear(x, 5, .weight_norm = specs[i]);
        gradient_check(specs[i], y, (hk_tensor *[]){x, named(net, "fc1.weight")}, 2, 3, 0.1f, 2,
                       3e-3);
        hk_net_free(net);
    }
}

/* g starts as the length of v, and u and v of spectral_norm have seen the first weight. */
static void first_weights_are_seen(void)
{
    float plain[12], normalized[12];
    hk_net *one = hk_net_new(.seed = 3),
           *other = hk_net_new(.seed = 3, .weight_norm = "weight_norm");
    predict(small_net(one), plain);
    predict(small_net(other), normalized);
    for (int i = 0; i < 12; i++)
        CHECK_NEAR(normalized[i], plain[i], 1e-5);
    CHECK_EQUAL(hk_net_parameters(other), hk_net_parameters(one) + 6 + 4);
    hk_net_free(one), hk_net_free(other);

    hk_net *net = hk_net_new(.seed = 4);
    hk_tensor *x = hk_input(net, 2), *y = hk_linear(x, 2, .weight_norm = "spectral_norm");
    hk_plan_options options = {.batch = 1, .output = y, .keep = &y->inputs[1], .n_keep = 1};
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    CHECK_EQUAL(hk_plan_forward(plan, 1), HK_OK);
    const float *w = hk_plan_value(plan, y->inputs[1]);
    const double a = (double)w[0], b = (double)w[1], c = (double)w[2], d = (double)w[3];
    const double sum = a * a + b * b + c * c + d * d, det = a * d - b * c;
    CHECK_NEAR(sqrt((sum + sqrt(sum * sum - 4 * det * det)) / 2), 1, 1e-4); /* of a 2 x 2 matrix */
    hk_plan_free(plan);
    hk_net_free(net);
}

static int n_layers;
static int64_t n_counted;

static void count_layer(const hk_layer_info *info, void *user)
{
    (void)user;
    n_layers++;
    n_counted += info->parameters;
}

static void layers_have_the_nets_choice_or_their_own(void)
{
    hk_net *net = hk_net_new(.weight_norm = "weight_norm");
    hk_tensor *x = hk_input(net, 8);
    x = hk_linear(x, 4);
    CHECK(x->inputs[1]->op == &hki_op_normalize_weight);
    x = hk_linear(x, 4, .weight_norm = "none");
    CHECK(x->inputs[1]->role == HKI_LEARNED);
    x = hk_linear(x, 4, .weight_norm = "spectral_norm:iterations=2");
    CHECK_TEXT(hki_use_of(x->inputs[1])->plugin->name, "spectral_norm");
    n_layers = 0, n_counted = 0;
    hk_net_each_layer(net, count_layer, NULL);
    CHECK_EQUAL(n_layers, 3);
    CHECK_EQUAL(n_counted, hk_net_parameters(net));
    CHECK(!hk_linear(x, 4, .weight_norm = "batch_norm"));
    CHECK_CONTAINS(hk_message(), "batch_norm does not normalize weights");
    CHECK(!hk_norm(x, .use = "weight_norm"));
    CHECK_CONTAINS(hk_message(), "belongs to a layer's weight_norm");
    hk_net_free(net);
    CHECK(!hk_net_new(.weight_norm = "weight_morm"));
    CHECK_CONTAINS(hk_message(), "weight_norm");
}

/* An initializer that also fills the bias leaves the one alone that a normalization took out. */
static void dropped_biases_stay_dropped(void)
{
    hk_net *net = hk_net_new(.weight_norm = "weight_norm", .initializer = "torch_default");
    hk_tensor *x = hk_input(net, 4, 4, 2), *y = hk_conv(x, 3, 3);
    hk_tensor *weight = named(net, "conv1.weight");
    CHECK(((const hki_fill *)weight->init)->bias != NULL);
    hk_norm(y);
    CHECK(((const hki_fill *)weight->init)->bias == NULL);
    hk_net_free(net);
}

static void saved_nets_come_back(void)
{
    float before[12], after[12];
    char path[] = P_tmpdir "/hillock-XXXXXX";
    hk_saved saved;
    close(mkstemp(path));
    for (int i = 0; i < 3; i++) {
        hk_net *net = hk_net_new(.seed = 5, .weight_norm = specs[i]);
        hk_net *again = hk_net_new(.seed = 6, .weight_norm = specs[i]);
        hk_tensor *logits = small_net(net);
        predict(logits, before);
        CHECK_EQUAL(hk_net_save(logits, path, "small"), HK_OK);
        CHECK_EQUAL(hk_net_peek(path, &saved), HK_OK);
        CHECK_CONTAINS(saved.weight_norm, specs[i]);
        logits = small_net(again);
        CHECK_EQUAL(hk_net_load_weights(again, path, NULL), HK_OK);
        predict(logits, after);
        CHECK(!memcmp(before, after, sizeof before));
        hk_net_free(net), hk_net_free(again);
    }
    remove(path);
}

/* A file without g: the loaded weight is the first one. */
static void plain_weights_can_be_normalized(void)
{
    float before[12], after[12];
    char path[] = P_tmpdir "/hillock-XXXXXX";
    int missing = 0;
    close(mkstemp(path));
    hk_net *net = hk_net_new(.seed = 5),
           *again = hk_net_new(.seed = 6, .weight_norm = "weight_norm");
    hk_tensor *logits = small_net(net);
    predict(logits, before);
    CHECK_EQUAL(hk_net_save(logits, path, "small"), HK_OK);
    logits = small_net(again);
    CHECK_EQUAL(hk_net_load_weights(again, path, &missing), HK_OK);
    CHECK_EQUAL(missing, 2);
    predict(logits, after);
    for (int i = 0; i < 12; i++)
        CHECK_NEAR(after[i], before[i], 1e-5);
    hk_net_free(net), hk_net_free(again);
    remove(path);
}

int main(void)
{
    RUN(gradients_flow_through_normalized_weights);
    RUN(first_weights_are_seen);
    RUN(layers_have_the_nets_choice_or_their_own);
    RUN(dropped_biases_stay_dropped);
    RUN(saved_nets_come_back);
    RUN(plain_weights_can_be_normalized);
    return check_result();
}
