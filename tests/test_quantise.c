/* Nets in whole steps, against sums of whole numbers done here. */
#include "check.h"

#include <hillock/hillock.h>
#include <hillock/normal.h>
#include <hillock/random.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "graph/graph.h"

enum { N = 40, SIDE = 6, PIXELS = SIDE * SIDE, CLASSES = 3 };

static hk_data *images(void)
{
    static float x[N * PIXELS];
    int32_t labels[N];
    hk_data *data = NULL;
    for (int i = 0; i < N * PIXELS; i++)
        x[i] = 2 * hks_normal(3, (uint64_t)i);
    for (int i = 0; i < N; i++)
        labels[i] = i % CLASSES;
    CHECK_EQUAL(hk_data_from_arrays(N, SIDE, SIDE, 1, CLASSES, x, labels, &data), HK_OK);
    return data;
}

static float *pixels(void)
{
    float *x = malloc(N * PIXELS * sizeof *x);
    for (int i = 0; i < N * PIXELS; i++)
        x[i] = 2 * hks_normal(3, (uint64_t)i);
    return x;
}

static const float *leaf(const hk_net *net, const char *name)
{
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->name && !strcmp(net->tensors[i]->name, name))
            return net->tensors[i]->value;
    return NULL;
}

static void steps_round_halves_to_even_and_clamp(void)
{
    static const float in[] = {0.25f, 0.75f, 1.25f, -0.25f, -0.75f, 9, -9, 0, 1.6f, 1e30f, -1e30f};
    static const float out[] = {0, 1, 1, 0, -1, 3.5f, -1.5f, 0, 1.5f, 3.5f, -1.5f};
    static const float slope[] = {1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0};
    enum { COUNT = sizeof in / sizeof *in };
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *x = hk_input(net, COUNT), *y;
    CHECK((y = hk_quantise_steps(x, (hk_steps){0.5, -3, 7})) != NULL);
    hk_plan *plan = NULL;
    hk_plan_options how = {
        .loss = hk_sum(y, HK_ALL_AXES), .output = y, .keep = &x, .n_keep = 1, .batch = 1};
    CHECK_EQUAL(hk_plan_new(net, &how, &plan), HK_OK);
    memcpy(hk_plan_value(plan, x), in, sizeof in);
    CHECK_EQUAL(hk_plan_forward(plan, 1), HK_OK);
    for (int i = 0; i < COUNT; i++)
        CHECK(hk_plan_value(plan, y)[i] == out[i]);
    CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
    for (int i = 0; i < COUNT; i++)
        CHECK(hk_plan_gradient(plan, x)[i] == slope[i]);
    hk_plan_value(plan, x)[0] = NAN;
    CHECK_EQUAL(hk_plan_forward(plan, 1), HK_OK);
    CHECK(isnan(hk_plan_value(plan, y)[0]));
    hk_plan_free(plan);
    CHECK(!hk_quantise_steps(x, (hk_steps){0.5, 1, 7}));
    CHECK(!hk_quantise_steps(x, (hk_steps){0, -3, 7}));
    CHECK(!hk_quantise_steps(x, (hk_steps){0.5, 0, 0}));
    CHECK(!hk_quantise_steps(x, (hk_steps){0.5, -3, HK_MOST_STEPS + 1}));
    CHECK_CONTAINS(hk_message(), "whole numbers around 0");
    hk_net_free(net);
}

/* What x becomes, in double, with 2^bits - 1 steps from the least to the most. */
static double in_steps(double x, double low, double high, int most)
{
    const double scale = (double)(float)((high - low) / most);
    const int below = (int)lrint(-low / scale);
    return (double)(float)scale *
           fmin(fmax(nearbyint((double)((float)x / (float)scale)), -below), most - below);
}

static double weight_in_steps(double w, double largest, int most)
{
    return in_steps(w, -largest, largest, 2 * most);
}

/* Two dense layers with relu between: the whole net by hand. */
static void dense_net_is_what_whole_numbers_make(const char *spec, int bits, bool per_channel)
{
    enum { UNITS = 5 };
    hk_data *data = images();
    float *x = pixels(), y[N * CLASSES];
    hk_net *net = hk_net_new(.seed = 4, .activation = "relu");
    hk_tensor *logits = hk_linear(hk_act(hk_linear(hk_input(net, SIDE, SIDE, 1), UNITS)), CLASSES);
    CHECK_EQUAL(hk_net_predict(logits, N, x, y), HK_OK); /* a plan that must be forgotten */
    static double hidden[N][UNITS], most_hidden = 0, low = 0, high = 0;
    const int steps = (1 << bits) - 1, half = (1 << (bits - 1)) - 1;
    const float *w1 = leaf(net, "fc1.weight"), *w2 = leaf(net, "fc2.weight");
    double largest1[UNITS] = {0}, largest2[CLASSES] = {0}, any1 = 0, any2 = 0;
    most_hidden = low = high = 0;
    for (int i = 0; i < PIXELS * UNITS; i++) {
        largest1[i % UNITS] = fmax(largest1[i % UNITS], fabs((double)w1[i]));
        any1 = fmax(any1, fabs((double)w1[i]));
    }
    for (int i = 0; i < UNITS * CLASSES; i++) {
        largest2[i % CLASSES] = fmax(largest2[i % CLASSES], fabs((double)w2[i]));
        any2 = fmax(any2, fabs((double)w2[i]));
    }
    for (int i = 0; i < N * PIXELS; i++) {
        low = fmin(low, (double)x[i]);
        high = fmax(high, (double)x[i]);
    }
    for (int i = 0; i < N; i++) /* the range of what relu gives, before anything is in steps */
        for (int u = 0; u < UNITS; u++) {
            double sum = 0;
            for (int k = 0; k < PIXELS; k++)
                sum += (double)x[i * PIXELS + k] * (double)w1[k * UNITS + u];
            most_hidden = fmax(most_hidden, sum);
        }
    for (int i = 0; i < N; i++)
        for (int u = 0; u < UNITS; u++) {
            double sum = 0;
            for (int k = 0; k < PIXELS; k++)
                sum += in_steps((double)x[i * PIXELS + k], low, high, steps) *
                       weight_in_steps((double)w1[k * UNITS + u], per_channel ? largest1[u] : any1,
                                       half);
            hidden[i][u] = in_steps(fmax(sum, 0), 0, most_hidden, steps);
        }
    hk_quantisation *of = NULL;
    CHECK_EQUAL(hk_quantise(logits, data, spec, &of), HK_OK);
    CHECK_EQUAL(of->bits, bits);
    CHECK_EQUAL(of->per_channel, per_channel);
    CHECK_EQUAL(of->images, N);
    CHECK_EQUAL(of->n, 2);
    CHECK_EQUAL(of->units, UNITS);
    CHECK(!of->parts[0].is_activation && of->parts[1].is_activation);
    CHECK_TEXT(of->parts[0].layer, "input");
    CHECK_TEXT(of->parts[1].layer, "fc1");
    CHECK_NEAR(of->parts[0].low, low, 1e-12);
    CHECK_NEAR(of->parts[1].high, most_hidden, 1e-5);
    CHECK_EQUAL(hk_net_predict(logits, N, x, y), HK_OK);
    int far = 0; /* a sum on the edge of two steps may fall on either side */
    for (int i = 0; i < N; i++)
        for (int c = 0; c < CLASSES; c++) {
            double sum = 0;
            for (int u = 0; u < UNITS; u++)
                sum += hidden[i][u] * weight_in_steps((double)w2[u * CLASSES + c],
                                                      per_channel ? largest2[c] : any2, half);
            far += fabs((double)y[i * CLASSES + c] - sum) > 1e-5;
        }
    CHECK(far <= 3);
    hk_quantisation_free(of);
    hk_net_free(net);
    hk_data_free(data);
    free(x);
}

static void nets_are_what_whole_numbers_make(void)
{
    dense_net_is_what_whole_numbers_make("int8", 8, false);
    dense_net_is_what_whole_numbers_make("int8:per=channel", 8, true);
    dense_net_is_what_whole_numbers_make("int4,per=channel,images=1000", 4, true);
}

/* Of three units one answers within half a step of the largest, one is dead before. */
static void constant_units_are_counted(void)
{
    hk_data *data = images();
    hk_net *net = hk_net_new(.seed = 4, .activation = "relu");
    hk_tensor *logits = hk_linear(hk_act(hk_linear(hk_input(net, SIDE, SIDE, 1), 3)), CLASSES);
    float y[CLASSES], *x = pixels();
    CHECK_EQUAL(hk_net_predict(logits, 1, x, y), HK_OK);
    float *w = (float *)leaf(net, "fc1.weight"), *bias = (float *)leaf(net, "fc1.bias");
    for (int i = 0; i < PIXELS; i++)
        w[3 * i + 1] *= 1e-4f;
    bias[2] = -1e6f;
    hki_values_changed(net);
    hk_quantisation *of = NULL;
    CHECK_EQUAL(hk_quantise(logits, data, "int8:per=channel", &of), HK_OK);
    CHECK_EQUAL(of->units, 3);
    CHECK_EQUAL(of->constant, 1);
    hk_quantisation_free(of);
    hk_net_free(net);
    hk_data_free(data);
    free(x);
}

/* Steps that wake a dead unit up do not make up for one that they silence. */
static void woken_units_do_not_count(void)
{
    hk_data *data = images();
    hk_net *net = hk_net_new(.seed = 4, .activation = "relu");
    hk_tensor *logits = hk_linear(hk_act(hk_linear(hk_input(net, SIDE, SIDE, 1), 3)), CLASSES);
    float y[CLASSES], *x = pixels(), most = 0;
    for (int i = 0; i < N; i++)
        most = fmaxf(most, x[i * PIXELS]);
    CHECK_EQUAL(hk_net_predict(logits, 1, x, y), HK_OK);
    float *w = (float *)leaf(net, "fc1.weight"), *bias = (float *)leaf(net, "fc1.bias");
    memset(w, 0, PIXELS * 3 * sizeof *w);
    w[0] = 7, w[1] = 0.6f, w[2] = 0.1f; /* of 15 steps: 7, 1 and 0 */
    bias[1] = -0.7f * most, bias[2] = 100;
    hki_values_changed(net);
    hk_quantisation *of = NULL;
    CHECK_EQUAL(hk_quantise(logits, data, "int4", &of), HK_OK);
    CHECK_EQUAL(of->constant, 1);
    hk_quantisation_free(of);
    hk_net_free(net);
    hk_data_free(data);
    free(x);
}

/* A residual, pooling, a normalized weight and an output that is read twice; saved and loaded. */
static void quantised_nets_are_saved_and_keep_their_weights(void)
{
    char path[] = P_tmpdir "/hillock-XXXXXX";
    hk_data *data = images();
    float before[N * CLASSES], after[N * CLASSES], again[N * CLASSES], *x = pixels();
    hk_net *net = hk_net_new(.seed = 4, .activation = "gelu", .weight_norm = "weight_norm");
    hk_tensor *a = hk_act(hk_norm(hk_conv(hk_input(net, SIDE, SIDE, 1), 4, 3)));
    hk_tensor *b = hk_act(hk_add(a, hk_conv(a, 4, 3, .weight_norm = "none")));
    hk_tensor *logits = hk_linear(hk_maxpool(b, 2), CLASSES);
    CHECK_EQUAL(hk_net_predict(logits, N, x, before), HK_OK);
    float *weight = malloc(9 * 16 * sizeof *weight);
    memcpy(weight, leaf(net, "conv2.weight"), 9 * 16 * sizeof *weight);
    hk_quantisation *of = NULL, *twice = NULL;
    CHECK_EQUAL(hk_quantise(logits, data, "int8", &of), HK_OK);
    CHECK_EQUAL(of->n, 3); /* maxpool and the view before fc1 hand steps on */
    CHECK(!memcmp(weight, leaf(net, "conv2.weight"), 9 * 16 * sizeof *weight));
    CHECK_EQUAL(hk_net_predict(logits, N, x, after), HK_OK);
    CHECK(memcmp(before, after, sizeof after) != 0);
    for (int i = 0; i < N * CLASSES; i++)
        CHECK_NEAR(after[i], before[i], 0.2);
    hk_set_threads(1);
    CHECK_EQUAL(hk_net_predict(logits, N, x, again), HK_OK);
    hk_set_threads(0);
    CHECK(!memcmp(after, again, sizeof after));
    CHECK_EQUAL(hk_quantise(logits, data, "int8", &twice), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "quantised already");
    close(mkstemp(path));
    CHECK_EQUAL(hk_net_save(logits, path, "small"), HK_OK);
    hk_net *loaded = NULL;
    hk_tensor *other = NULL;
    CHECK_EQUAL(hk_net_load(path, &loaded, &other), HK_OK);
    CHECK_EQUAL(hk_net_predict(other, N, x, again), HK_OK);
    CHECK(!memcmp(after, again, sizeof after));
    remove(path);
    hk_quantisation_free(of);
    hk_net_free(net), hk_net_free(loaded);
    hk_data_free(data);
    free(x);
    free(weight);
}

static void what_cannot_be_is_said(void)
{
    hk_data *data = images();
    hk_net *net = hk_net_new(.seed = 4);
    hk_tensor *logits = hk_linear(hk_input(net, 3, 3, 1), CLASSES);
    hk_quantisation *of = NULL;
    CHECK_EQUAL(hk_quantise(logits, data, "int8", &of), HK_BAD_SHAPE);
    CHECK(!of);
    CHECK_EQUAL(hk_quantise_check("int9"), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "int8, int4");
    CHECK_EQUAL(hk_quantise_check("int8:per=row"), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "channel");
    CHECK_EQUAL(hk_quantise_check("int8,images=0"), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_quantise_check("int4:per=channel,images=7"), HK_OK);
    hk_net_free(net);
    hk_data_free(data);
}

int main(void)
{
    RUN(steps_round_halves_to_even_and_clamp);
    RUN(nets_are_what_whole_numbers_make);
    RUN(constant_units_are_counted);
    RUN(woken_units_do_not_count);
    RUN(quantised_nets_are_saved_and_keep_their_weights);
    RUN(what_cannot_be_is_said);
    return check_result();
}
