/* Nets whose answer does not depend on the question: which layer it is, and what is no such net. */
#include "check.h"

#include <hillock/hillock.h>
#include <hillock/random.h>
#include <hillock/saved.h>

enum { SAMPLES = 40, COLUMNS = 6 };

static hk_data *some_data(void)
{
    float x[SAMPLES * COLUMNS];
    int32_t labels[SAMPLES];
    hk_data *data;
    for (int i = 0; i < SAMPLES * COLUMNS; i++)
        x[i] = 2 * hks_uniform(1, (uint64_t)i) - 1;
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i % 3;
    CHECK_EQUAL(hk_data_from_arrays(SAMPLES, 1, 1, COLUMNS, 3, x, labels, &data), HK_OK);
    return data;
}

/* Two layers, the hidden one with a normalization or without. */
static hk_tensor *two_layers(hk_net *net, const char *norm)
{
    hk_tensor *x = hk_linear(hk_input(net, 1, 1, COLUMNS), 8);
    return hk_linear(hk_act(norm ? hk_norm(x, norm) : x), 3);
}

static void set(hk_net *net, const char *name, float value, int n)
{
    float values[64];
    for (int i = 0; i < n; i++)
        values[i] = value;
    CHECK_EQUAL(hk_tensor_write(hk_net_tensor(net, name), values), HK_OK);
}

static void check_cause(hk_tensor *logits, const hk_data *data, const char *expected)
{
    char cause[64];
    hk_evaluation evaluation;
    CHECK_EQUAL(hk_net_constant(logits, data, cause, sizeof cause), HK_OK);
    CHECK_TEXT(cause, expected);
    CHECK_EQUAL(hk_evaluate(logits, data, &evaluation), HK_OK);
    CHECK_EQUAL(evaluation.total.constant, *expected != 0);
    hk_evaluation_clear(&evaluation);
}

static void an_ordinary_net_depends_on_its_input(void)
{
    hk_data *data = some_data();
    hk_net *net = hk_net_new(.seed = 1);
    check_cause(two_layers(net, NULL), data, "");
    hk_net_free(net);
    hk_data_free(data);
}

static void dead_units_are_named(void)
{
    hk_data *data = some_data();
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *logits = two_layers(net, NULL);
    set(net, "fc1.bias", -100, 8);
    check_cause(logits, data, "relu of fc1");
    hk_net_free(net);
    hk_data_free(data);
}

static void a_branch_around_them_saves_the_net(void)
{
    hk_data *data = some_data();
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *x = hk_linear(hk_input(net, 1, 1, COLUMNS), 8);
    hk_tensor *logits = hk_linear(hk_add(x, hk_act(hk_linear(x, 8))), 3);
    set(net, "fc2.bias", -100, 8);
    check_cause(logits, data, "");
    hk_net_free(net);
    hk_data_free(data);
}

static void a_normalization_of_one_value_is_refused(void)
{
    hk_data *data = some_data();
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *logits = two_layers(net, "instance_norm");
    check_cause(logits, data, "instance_norm of fc1");
    CHECK_EQUAL(hk_fit(logits, NULL, .train = data), HK_BAD_SHAPE);
    CHECK_CONTAINS(hk_message(), "instance_norm of fc1");
    hk_net_free(net);
    net = hk_net_new(.seed = 1);
    CHECK_EQUAL(hk_fit(two_layers(net, "layer_norm"), NULL, .train = data), HK_OK);
    hk_net_free(net);
    hk_data_free(data);
}

int main(void)
{
    RUN(an_ordinary_net_depends_on_its_input);
    RUN(dead_units_are_named);
    RUN(a_branch_around_them_saves_the_net);
    RUN(a_normalization_of_one_value_is_refused);
    return check_result();
}
