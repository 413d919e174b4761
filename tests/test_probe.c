/* Probes: every figure of a unit against a reference in double over the same inputs, known dead
 * channels found exactly, the same bits for any number of threads, and no trace in the training. */
#include <hillock/hillock.h>
#include <hillock/random.h>
#include <stdlib.h>
#include "check.h"
#include "core/base.h"
#include "nn/nn.h"
#include "refuse.h"
#include "train/probe.h"

enum { IMAGES = 45, SIZE = 9, BATCH = 16 };

static hk_data *noise;

static hk_data *set_of(int64_t n, int size, const float *x)
{
    int32_t *labels = calloc((size_t)n, sizeof *labels);
    hk_data *set = NULL;
    for (int64_t i = 0; i < n; i++)
        labels[i] = (int32_t)(i % 10);
    CHECK_EQUAL(hk_data_from_arrays(n, size, size, 1, 10, x, labels, &set), HK_OK);
    free(labels);
    return set;
}

static void make_noise(void)
{
    static float x[IMAGES * SIZE * SIZE];
    for (int i = 0; i < IMAGES * SIZE * SIZE; i++)
        x[i] = 2 * hks_uniform(5, (uint64_t)i) - 1;
    noise = set_of(IMAGES, SIZE, x);
}

/* A net that ends in `logits`, watched. */
typedef struct subject {
    hk_tensor *logits;
    hk_plan *plan;
    hki_probe *probe;
} subject;

static subject subject_of(hk_tensor *logits, int64_t batch)
{
    subject s = {.logits = logits};
    hk_plan_options how = {.batch = batch, .output = logits, .probe = 1};
    CHECK_EQUAL(hk_plan_new(hk_tensor_net(logits), &how, &s.plan), HK_OK);
    CHECK_EQUAL(hki_probe_new(s.plan, &s.probe), HK_OK);
    return s;
}

static void look(const subject *s, const hk_data *data)
{
    int64_t n = hk_data_shape_of(data).n;
    CHECK_EQUAL(hki_probe_run(s->probe, hk_tensor_input(s->logits), data, n), HK_OK);
}

static void free_subject(subject *s)
{
    hki_probe_free(s->probe);
    hk_plan_free(s->plan);
    hk_net_free(hk_tensor_net(s->logits));
}

static float *biases_of(const hk_tensor *logits, const char *name)
{
    const hk_net *net = hk_tensor_net(logits);
    for (int i = 0; i < net->n_tensors; i++)
        if (!strcmp(hk_tensor_name(net->tensors[i]), name))
            return net->tensors[i]->value;
    return NULL;
}

/* ---- Against a reference ------------------------------------------------------------------------ */

static hk_tensor *last_activation(const hk_tensor *logits)
{
    const hk_net *net = hk_tensor_net(logits);
    for (int i = net->n_tensors - 1; i >= 0; i--)
        if (net->tensors[i]->op == &hki_op_activate)
            return net->tensors[i];
    return NULL;
}

typedef struct column {
    double max, min, mean, variance, mean_abs, zeros;
} column;

static column column_of(const float *v, int64_t rows, int64_t channels, int64_t j)
{
    column c = {.max = -1e30, .min = 1e30};
    for (int64_t r = 0; r < rows; r++) {
        double at = (double)v[r * channels + j];
        c.max = fmax(c.max, at);
        c.min = fmin(c.min, at);
        c.mean += at / (double)rows;
        c.mean_abs += fabs(at) / (double)rows;
        c.zeros += (at == 0) / (double)rows;
    }
    for (int64_t r = 0; r < rows; r++)
        c.variance += pow((double)v[r * channels + j] - c.mean, 2) / (double)rows;
    return c;
}

static void compare_unit(const hki_unit *unit, const column *x, const column *y)
{
    CHECK_NEAR(unit->max, y->max, 0);
    CHECK_NEAR(unit->min, y->min, 0);
    CHECK_NEAR(unit->mean, y->mean, 1e-6 * y->mean_abs);
    CHECK_NEAR(unit->variance, y->variance, 1e-5 * y->variance);
    CHECK_NEAR(unit->mean_abs, y->mean_abs, 1e-6 * y->mean_abs);
    CHECK_NEAR(unit->zeros, y->zeros, 1e-12);
    CHECK_NEAR(unit->x_max, x->max, 0);
    CHECK_NEAR(unit->x_min, x->min, 0);
    CHECK_NEAR(unit->x_mean, x->mean, 1e-6 * x->mean_abs);
    CHECK_NEAR(unit->x_variance, x->variance, 1e-5 * x->variance);
}

/* tanh(x)' = 1 - tanh(x)^2 is largest at the x closest to 0; tanh is saturated beyond 0.95. */
static void compare_tanh(const hki_unit *unit, const float *y, int64_t rows, int64_t channels,
                         int64_t j)
{
    double slope = 0, saturated = 0;
    for (int64_t r = 0; r < rows; r++) {
        double at = (double)y[r * channels + j];
        slope = fmax(slope, 1 - at * at);
        saturated += y[r * channels + j] > 1 - 0.05f || y[r * channels + j] < -1 + 0.05f;
    }
    CHECK_NEAR(unit->slope, slope, 1e-6);
    CHECK_NEAR(unit->saturated, saturated / (double)rows, 1e-12);
}

static void units_match(const char *activation, int channels)
{
    hk_net *net = hk_net_new(.activation = activation, .seed = 3);
    hk_tensor *x = hk_conv(hk_input(net, SIZE, SIZE, 1), channels, 3);
    subject s = subject_of(hk_linear(hk_act(x), 10), BATCH);
    hk_tensor *act = last_activation(s.logits);
    hk_plan *reference;
    hk_plan_options how = {.batch = IMAGES,
                           .output = s.logits,
                           .probe = 1,
                           .n_keep = 2,
                           .keep = (hk_tensor *[]){x, act}};
    CHECK_EQUAL(hk_plan_new(net, &how, &reference), HK_OK);
    uint32_t index[IMAGES];
    int32_t labels[IMAGES];
    for (uint32_t i = 0; i < IMAGES; i++)
        index[i] = i;
    hk_data_read(noise, index, IMAGES, hk_plan_value(reference, hk_tensor_input(x)), labels);
    CHECK_EQUAL(hk_plan_forward(reference, IMAGES), HK_OK);
    look(&s, noise);
    const float *in = hk_plan_value(reference, x), *out = hk_plan_value(reference, act);
    for (int j = 0; j < channels; j++) {
        hki_unit unit;
        column before = column_of(in, IMAGES * SIZE * SIZE, channels, j);
        column after = column_of(out, IMAGES * SIZE * SIZE, channels, j);
        hki_probe_unit(s.probe, 0, j, &unit);
        compare_unit(&unit, &before, &after);
        if (!strcmp(activation, "tanh"))
            compare_tanh(&unit, out, IMAGES * SIZE * SIZE, channels, j);
    }
    hk_plan_free(reference);
    free_subject(&s);
}

static void every_figure_of_a_unit(void)
{
    static const int channels[] = {1, 3, 6, 16, 33, 64, 70};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        units_match("relu", channels[i]);
        units_match("tanh", channels[i]);
    }
}

static void what_mixes_channels_has_no_slope(void)
{
    hk_net *net = hk_net_new(.activation = "softmax+fc2=glu", .seed = 3);
    hk_tensor *x = hk_act(hk_linear(hk_input(net, SIZE, SIZE, 1), 8));
    subject s = subject_of(hk_linear(hk_act(hk_linear(x, 8)), 10), BATCH);
    hki_unit unit;
    hk_layer_report report;
    look(&s, noise);
    hki_probe_unit(s.probe, 0, 7, &unit);
    CHECK(isnan(unit.slope) && unit.x_variance > 0);
    hki_probe_unit(s.probe, 1, 3, &unit);
    CHECK(isnan(unit.slope) && isnan(unit.x_max) && isnan(unit.x_mean) && unit.variance > 0);
    hki_probe_report(s.probe, 1, &report);
    CHECK(report.units == 4 && isnan(report.gradient_dead) && report.never_positive == 0);
    free_subject(&s);
}

/* ---- By hand ------------------------------------------------------------------------------------ */

/* One layer whose outputs are those of its biases, whatever the input. */
static subject constant_layer(const char *activation, int units, const float *biases)
{
    hk_net *net = hk_net_new(.activation = activation);
    hk_tensor *x = hk_input(net, SIZE, SIZE, 1);
    subject s = subject_of(hk_linear(hk_act(hk_linear(x, units, .init = "constant")), 10), BATCH);
    memcpy(biases_of(s.logits, "fc1.bias"), biases, (size_t)units * sizeof *biases);
    look(&s, noise);
    return s;
}

static void shares_by_hand(void)
{
    static const float biases[8] = {-3, 0, 0.024f, 0.026f, 1, 2, 3, 1.95f}; /* mean |relu| is 1 */
    subject s = constant_layer("relu", 8, biases);
    hk_layer_report report;
    hki_probe_report(s.probe, 0, &report);
    CHECK_TEXT(report.layer, "fc1");
    CHECK_NEAR(report.never_positive, 2.0 / 8, 0);
    CHECK_NEAR(report.dormant, 3.0 / 8, 0);
    CHECK_NEAR(report.gradient_dead, 2.0 / 8, 0);
    CHECK_NEAR(report.saturated, 0, 0);
    CHECK_NEAR(report.mean, 1, 1e-6);
    double variance = 2 + 0.976 * 0.976 + 0.974 * 0.974 + 0 + 1 + 4 + 0.95 * 0.95;
    CHECK_NEAR(report.variance, variance / 8, 1e-6);
    free_subject(&s);
}

static void all_units_off(void)
{
    subject s = constant_layer("relu", 3, (float[]){-1, -2, -3});
    hk_layer_report report;
    hki_probe_report(s.probe, 0, &report);
    CHECK(report.never_positive == 1 && report.dormant == 1 && report.variance == 0);
    CHECK_EQUAL(report.histogram[0], 3 * BATCH);
    free_subject(&s);
}

/* 0, 1 .. 32: bins of width 1, and the largest number is in the last one. */
static void bins_by_hand(void)
{
    float biases[33];
    for (int i = 0; i < 33; i++)
        biases[i] = (float)i;
    subject s = constant_layer("identity", 33, biases);
    hk_layer_report report;
    hki_probe_report(s.probe, 0, &report);
    CHECK_NEAR(report.low, 0, 0);
    CHECK_NEAR(report.high, 32, 0);
    for (int b = 0; b < HK_HISTOGRAM_BINS; b++)
        CHECK_EQUAL(report.histogram[b], b < 31 ? BATCH : 2 * BATCH);
    free_subject(&s);
}

/* ---- Whole nets --------------------------------------------------------------------------------- */

static hk_tensor *deep_net(const char *activation)
{
    hk_net *net = hk_net_new(.activation = activation, .normalization = "none", .seed = 11);
    hk_tensor *x = hk_act(hk_conv(hk_input(net, SIZE, SIZE, 1), 24, 3));
    x = hk_act(hk_conv(x, 40, 3));
    return hk_linear(hk_act(hk_linear(x, 50)), 10);
}

static bool is_planted(int64_t unit)
{
    return unit % 7 == 3;
}

/* Biases far below what the weights can reach: those units are dead, and no other. */
static void planted_dead_units_are_found(void)
{
    static const char *const layers[] = {"conv1", "conv2", "fc1"};
    subject s = subject_of(deep_net("relu"), BATCH);
    for (int i = 0; i < 3; i++) {
        char name[16];
        hk_layer_report report;
        snprintf(name, sizeof name, "%s.bias", layers[i]);
        float *biases = biases_of(s.logits, name);
        hki_probe_report(s.probe, i, &report);
        for (int64_t j = 0; j < report.units; j++)
            biases[j] = is_planted(j) ? -1e5f : i < 2 ? 0.5f : 100;
    }
    look(&s, noise);
    for (int i = 0; i < 3; i++) {
        hk_layer_report report;
        int64_t planted = 0, counted = 0;
        hki_probe_report(s.probe, i, &report);
        for (int64_t j = 0; j < report.units; j++) {
            hki_unit unit;
            hki_probe_unit(s.probe, i, j, &unit);
            planted += is_planted(j);
            CHECK(is_planted(j) == (unit.max <= 0) && is_planted(j) == (unit.slope < 1e-3));
            CHECK(is_planted(j) == (unit.zeros == 1) && is_planted(j) == (unit.x_max < -9e4));
        }
        for (int b = 0; b < HK_HISTOGRAM_BINS; b++)
            counted += report.histogram[b];
        CHECK_TEXT(report.layer, layers[i]);
        CHECK_NEAR(report.never_positive, (double)planted / (double)report.units, 1e-15);
        CHECK_NEAR(report.gradient_dead, report.never_positive, 0);
        CHECK(report.dormant >= report.never_positive && report.low == 0 && report.high > 0);
        CHECK_EQUAL(counted, BATCH * report.units * (i < 2 ? SIZE * SIZE : 1));
    }
    free_subject(&s);
}

static void the_same_for_any_number_of_threads(void)
{
    static const char *const activations[] = {"relu", "mish", "prelu"};
    for (int a = 0; a < 3; a++) {
        subject s = subject_of(deep_net(activations[a]), BATCH);
        hk_layer_report first[3], again;
        hki_unit unit[3], other;
        for (int threads = 1; threads <= 4; threads++) {
            hk_set_threads(threads);
            look(&s, noise);
            for (int i = 0; i < 3; i++) {
                hki_probe_report(s.probe, i, threads == 1 ? &first[i] : &again);
                hki_probe_unit(s.probe, i, 20, threads == 1 ? &unit[i] : &other);
                if (threads > 1)
                    CHECK(!memcmp(&again, &first[i], sizeof again) &&
                          !memcmp(&other, &unit[i], sizeof other));
            }
        }
        free_subject(&s);
    }
    hk_set_threads(0);
}

/* ---- In training -------------------------------------------------------------------------------- */

static hk_data *train_set, *test_set;

typedef struct watching {
    hk_tensor *logits;
    float *weights; /* of conv2 before the last step */
    int64_t steps, probed;
    int n_layers;
    hk_layer_report layer;
} watching;

static hk_tensor *weight_of(const watching *w)
{
    return hki_layer_weight(hk_tensor_net(w->logits), 1);
}

static int before_the_last(const hk_progress *p, void *user)
{
    watching *w = user;
    const hk_tensor *weight = weight_of(w);
    if (p->done < p->of)
        memcpy(w->weights, weight->value, (size_t)hki_count(&weight->shape, 1) * sizeof(float));
    return 0;
}

static int keep_report(const hk_epoch_report *report, void *user)
{
    watching *w = user;
    w->n_layers = report->n_layers;
    w->probed = report->probed;
    if (report->n_layers)
        w->layer = report->layers[1];
    return 0;
}

static watching train(const char *optimizer, int no_probes, char digest[65], double *ratio)
{
    watching w = {.logits = deep_net("relu")};
    hk_tensor *weight = weight_of(&w);
    int64_t n = hki_count(&weight->shape, 1);
    double moved = 0, length = 0;
    w.weights = calloc((size_t)n, sizeof *w.weights);
    CHECK_EQUAL(hk_fit(w.logits, NULL, .train = train_set, .test = test_set, .batch = 32,
                       .epochs = 2, .optimizer = optimizer, .no_probes = no_probes,
                       .progress = before_the_last, .epoch = keep_report, .user = &w),
                HK_OK);
    for (int64_t i = 0; i < n; i++) {
        moved += pow((double)weight->value[i] - (double)w.weights[i], 2);
        length += pow((double)weight->value[i], 2);
    }
    *ratio = sqrt(moved / length);
    hk_net_digest(hk_tensor_net(w.logits), digest);
    free(w.weights);
    hk_net_free(hk_tensor_net(w.logits));
    return w;
}

static void probes_leave_no_trace(void)
{
    char with[65], without[65];
    double ratio;
    watching w = train("adam", 0, with, &ratio);
    CHECK_EQUAL(w.n_layers, 3);
    CHECK_EQUAL(w.probed, 32 + 150 / 64);
    CHECK(w.layer.variance > 0 && w.layer.high > w.layer.low && w.layer.dormant < 1);
    w = train("adam", 1, without, &ratio);
    CHECK(w.n_layers == 0 && w.probed == 0);
    CHECK_TEXT(without, with);
}

/* Of the same net, by how far biases reach: relu units far below 0 are dead, those of leaky_relu never above 0. */
static void dead_is_what_gets_no_gradient(void)
{
    static const char *const activations[] = {"relu", "leaky_relu"};
    for (int a = 0; a < 2; a++) {
        watching w = {.logits = deep_net(activations[a])};
        char digest[65];
        hk_net_digest(hk_tensor_net(w.logits), digest); /* fills it */
        for (int j = 0; j < 40; j++)
            biases_of(w.logits, "conv2.bias")[j] = is_planted(j) ? -1e5f : 0.5f;
        CHECK_EQUAL(hk_fit(w.logits, NULL, .train = train_set, .optimizer = "sgd:lr=0",
                           .epoch = keep_report, .user = &w),
                    HK_OK);
        CHECK_NEAR(w.layer.never_positive, 6.0 / 40, 1e-15);
        CHECK_NEAR(w.layer.dead, a ? 0 : 6.0 / 40, 1e-15);
        hk_net_free(hk_tensor_net(w.logits));
    }
}

static void the_last_step_is_measured(void)
{
    static const char *const optimizers[] = {"sgd:lr=0.05,momentum=0.9", "adam", "rmsprop",
                                             "sgd:lr=0"};
    for (int i = 0; i < 4; i++) {
        char digest[65];
        double ratio;
        watching w = train(optimizers[i], 0, digest, &ratio);
        CHECK(i == 3 ? ratio == 0 : ratio > 1e-5);
        CHECK_NEAR(w.layer.update_ratio, ratio, 1e-5 * ratio);
    }
}

/* Units that see only what is negative are dead; those that see what is positive are not. */
static double dead_on(const hk_data *train_on, const hk_data *validation, const hk_data *test)
{
    hk_net *net = hk_net_new(.normalization = "none");
    watching w = {.logits = hk_input(net, 1, 1, 1)};
    for (int i = 0; i < 2; i++)
        w.logits = hk_act(hk_linear(w.logits, 4, .init = "constant:value=1"));
    w.logits = hk_linear(w.logits, 10);
    CHECK_EQUAL(hk_fit(w.logits, NULL, .train = train_on, .validation = validation, .test = test,
                       .optimizer = "sgd:lr=0", .epoch = keep_report, .user = &w),
                HK_OK);
    hk_net_free(net);
    return w.layer.never_positive;
}

static void the_test_set_is_not_looked_at(void)
{
    float up[40], down[40];
    for (int i = 0; i < 40; i++)
        down[i] = -(up[i] = 1);
    hk_data *positive = set_of(40, 1, up), *negative = set_of(40, 1, down);
    CHECK_NEAR(dead_on(positive, NULL, NULL), 0, 0);
    CHECK_NEAR(dead_on(positive, NULL, negative), 0, 0);
    CHECK_NEAR(dead_on(negative, NULL, positive), 1, 0);
    CHECK_NEAR(dead_on(positive, negative, positive), 1, 0);
    CHECK_NEAR(dead_on(negative, positive, negative), 0, 0);
    hk_data_free(positive);
    hk_data_free(negative);
}

/* ---- Refused memory ----------------------------------------------------------------------------- */

static void each_refused_allocation(void)
{
    hk_tensor *logits = deep_net("relu");
    hk_plan *plan;
    hk_plan_options how = {.batch = BATCH, .output = logits, .probe = 1};
    CHECK_EQUAL(hk_plan_new(hk_tensor_net(logits), &how, &plan), HK_OK);
    size_t blocks = hki_live_blocks();
    hk_status status = HK_NO_MEMORY;
    hk_set_allocator(&countdown);
    for (long k = 0; k < 100 && status; k++) {
        hki_probe *probe;
        allocations_left = k;
        status = hki_probe_new(plan, &probe);
        CHECK(status == HK_OK || (status == HK_NO_MEMORY && !probe));
        hki_probe_free(probe);
        CHECK_EQUAL(hki_live_blocks(), blocks);
    }
    CHECK_EQUAL(status, HK_OK);
    hk_set_allocator(NULL);
    hk_plan_free(plan);
    hk_net_free(hk_tensor_net(logits));
}

int main(void)
{
    make_noise();
    CHECK_EQUAL(hk_data_open("glyphs:train=150,test=40,size=9", &train_set, &test_set), HK_OK);
    RUN(every_figure_of_a_unit);
    RUN(what_mixes_channels_has_no_slope);
    RUN(shares_by_hand);
    RUN(all_units_off);
    RUN(bins_by_hand);
    RUN(planted_dead_units_are_found);
    RUN(the_same_for_any_number_of_threads);
    RUN(probes_leave_no_trace);
    RUN(dead_is_what_gets_no_gradient);
    RUN(the_last_step_is_measured);
    RUN(the_test_set_is_not_looked_at);
    RUN(each_refused_allocation);
    hk_data_free(noise);
    hk_data_free(train_set);
    hk_data_free(test_set);
    return check_result();
}
