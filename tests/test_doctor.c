/* The doctor: units that were made dead in known ways are found, all of them and no others, and the
 * cause is named; a healthy net is called healthy. What is true is known by construction, or from
 * the plain outputs of the layers. */
#include <hillock/doctor.h>
#include <hillock/hillock.h>
#include <stdlib.h>
#include <unistd.h>
#include "check.h"
#include "nn/nn.h"
#include "io/io.h"
#include "refuse.h"
#include "doctor/examine.h"

static hk_data *train_set, *test_set;

static void open_data(void)
{
    CHECK_EQUAL(hk_data_open("glyphs:train=300,test=200,size=14", &train_set, &test_set), HK_OK);
}

static hk_tensor *named(const hk_net *net, const char *name)
{
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->value && !strcmp(hk_tensor_name(net->tensors[i]), name))
            return net->tensors[i];
    printf("  no tensor %s\n", name);
    return NULL;
}

static void free_net_of(hk_tensor *logits)
{
    hk_net_free(hk_tensor_net(logits));
}

/* ---- Nets ------------------------------------------------------------------------------------ */

static hk_tensor *convolutions(const char *activation, const char *normalization)
{
    hk_net *net = hk_net_new(.activation = activation, .normalization = normalization, .seed = 3);
    hk_tensor *x = hk_input(net, 14, 14, 1);
    x = hk_maxpool(hk_act(hk_norm(hk_conv(x, 8, 3))), 2);
    x = hk_act(hk_norm(hk_conv(x, 8, 3, .groups = 8)));
    x = hk_act(hk_norm(hk_conv(x, 12, 3, .stride = 2)));
    x = hk_act(hk_linear(x, 20));
    x = hk_act(hk_linear(x, 16));
    return hk_linear(x, 10);
}

static hk_tensor *residual(const char *activation, const char *normalization)
{
    hk_net *net = hk_net_new(.activation = activation, .normalization = normalization, .seed = 5);
    hk_tensor *x = hk_act(hk_norm(hk_conv(hk_input(net, 14, 14, 1), 8, 3)));
    x = hk_act(hk_add(hk_norm(hk_conv(x, 8, 3)), x));
    return hk_linear(hk_global_avgpool(x), 10);
}

static hk_examination *examine(hk_tensor *logits, const hk_data *data, const hk_record *record,
                               hk_tensor *start)
{
    hk_examination *e = NULL;
    hk_examine_options options = {.record = record, .start = start};
    CHECK_EQUAL(hk_examine(logits, data, &options, &e), HK_OK);
    if (!e)
        printf("  %s\n", hk_message());
    return e;
}

/* ---- Built cases ----------------------------------------------------------------------------- */

static void spoil_bias(float *w, float *b, int64_t rows, int64_t columns, int64_t u, double value)
{
    (void)w, (void)rows, (void)columns;
    b[u] = (float)value;
}

/* Weights of one sign, for inputs that are never below 0. */
static void spoil_sign(float *w, float *b, int64_t rows, int64_t columns, int64_t u, double value)
{
    for (int64_t r = 0; r < rows; r++)
        w[r * columns + u] = (float)(value * fabs((double)w[r * columns + u]));
    b[u] = value > 0 ? 10 : 0;
}

static void spoil_size(float *w, float *b, int64_t rows, int64_t columns, int64_t u, double value)
{
    for (int64_t r = 0; r < rows; r++)
        w[r * columns + u] *= (float)value;
    b[u] = -0.05f;
}

typedef struct spoiled {
    const char *name;
    hk_tensor *(*net)(const char *activation, const char *normalization);
    const char *activation, *normalization, *layer;
    const char *weight, *bias; /* names after the layer's */
    void (*spoil)(float *w, float *b, int64_t rows, int64_t columns, int64_t u, double value);
    double value;
    hk_cause cause;
} spoiled;

static const spoiled spoils[] = {
    {"bias, convolution", convolutions, "relu", "none", "conv1", "weight", "bias", spoil_bias, -90,
     HK_CAUSE_BIAS},
    {"bias, depthwise", convolutions, "relu", "none", "conv2", "weight", "bias", spoil_bias, -90,
     HK_CAUSE_BIAS},
    {"bias, strided, elu", convolutions, "elu", "none", "conv3", "weight", "bias", spoil_bias, -90,
     HK_CAUSE_BIAS},
    {"bias, dense", convolutions, "relu", "batch_norm", "fc1", "weight", "bias", spoil_bias, -90,
     HK_CAUSE_BIAS},
    {"bias above, sigmoid", convolutions, "sigmoid", "none", "fc2", "weight", "bias", spoil_bias,
     60, HK_CAUSE_BIAS},
    {"bias below, tanh", convolutions, "tanh", "batch_norm", "fc1", "weight", "bias", spoil_bias,
     -60, HK_CAUSE_BIAS},
    {"bias, gelu", convolutions, "gelu", "none", "conv1", "weight", "bias", spoil_bias, -60,
     HK_CAUSE_BIAS},
    {"beta, batch_norm", convolutions, "relu", "batch_norm", "conv1", "weight", "norm.beta",
     spoil_bias, -90, HK_CAUSE_BIAS},
    {"beta, group_norm, silu", convolutions, "silu", "group_norm:groups=4", "conv3", "weight",
     "norm.beta", spoil_bias, -90, HK_CAUSE_BIAS},
    {"beta before an addition", residual, "relu", "batch_norm", "conv2", "weight", "norm.beta",
     spoil_bias, -90, HK_CAUSE_BIAS},
    {"negative weights, dense", convolutions, "relu", "none", "fc1", "weight", "bias", spoil_sign,
     -1, HK_CAUSE_WEIGHTS},
    {"negative weights, convolution", convolutions, "relu", "none", "conv3", "weight", "bias",
     spoil_sign, -1, HK_CAUSE_WEIGHTS},
    {"negative weights, depthwise", convolutions, "relu", "none", "conv2", "weight", "bias",
     spoil_sign, -1, HK_CAUSE_WEIGHTS},
    {"large weights, sigmoid", convolutions, "sigmoid", "none", "fc2", "weight", "bias", spoil_sign,
     100, HK_CAUSE_WEIGHTS},
    {"no weights, dense", convolutions, "relu", "none", "fc2", "weight", "bias", spoil_size, 1e-7,
     HK_CAUSE_WEIGHTS},
    {"bias, dense, behind", convolutions, "relu", "none", "fc2", "weight", "bias", spoil_bias, -90,
     HK_CAUSE_BIAS},
    {"beta, batch_norm, gelu", residual, "gelu", "batch_norm", "conv1", "weight", "norm.beta",
     spoil_bias, -60, HK_CAUSE_BIAS},
    {"bias before an addition, elu", residual, "elu", "none", "conv2", "weight", "bias", spoil_bias,
     -90, HK_CAUSE_BIAS},
    {"threshold of lgb_relu", convolutions, "lgb_relu", "none", "fc1", "weight", "act.theta",
     spoil_bias, 1000, HK_CAUSE_THRESHOLD},
    {"floor of tlu", convolutions, "tlu", "none", "fc2", "weight", "act.tau", spoil_bias, 50,
     HK_CAUSE_THRESHOLD},
    {"threshold before an addition", residual, "lgb_relu", "batch_norm", "conv2", "weight",
     "act.theta", spoil_bias, 1000, HK_CAUSE_THRESHOLD},
    {"bias, depthwise, mish", convolutions, "mish", "none", "conv2", "weight", "bias", spoil_bias,
     -90, HK_CAUSE_BIAS},
    {"beta, layer_norm", convolutions, "relu", "layer_norm", "conv3", "weight", "norm.beta",
     spoil_bias, -90, HK_CAUSE_BIAS},
    {"bias above, dense, sigmoid", convolutions, "sigmoid", "batch_norm", "fc1", "weight", "bias",
     spoil_bias, 60, HK_CAUSE_BIAS},
    {"no gamma, batch_norm", convolutions, "relu", "batch_norm", "conv1", "norm.gamma", "norm.beta",
     spoil_size, 0, HK_CAUSE_WEIGHTS},
};

static const int64_t victims[] = {1, 4, 6};

static bool is_victim(int64_t u)
{
    return u == victims[0] || u == victims[1] || u == victims[2];
}

static void spoil(const spoiled *s, hk_net *net)
{
    char name[2][64], digest[65];
    hk_net_digest(net, digest); /* fills it */
    snprintf(name[0], sizeof name[0], "%s.%s", s->layer, s->weight);
    snprintf(name[1], sizeof name[1], "%s.%s", s->layer, s->bias);
    hk_tensor *w = named(net, name[0]), *b = named(net, name[1]);
    for (int i = 0; i < 3; i++)
        s->spoil(w->value, b->value, hki_rows(&w->shape, 1), hki_channels(&w->shape), victims[i],
                 s->value);
}

static const hk_layer_finding *layer_named(const hk_examination *e, const char *name)
{
    for (int i = 0; i < e->n_layers; i++)
        if (!strcmp(e->layers[i].layer, name))
            return &e->layers[i];
    return NULL;
}

/* The victims and no others; the depthwise channels of conv2 that read nothing but a dead one; the channels of
 * conv1 that nothing but a dead one of these reads. */
static void check_units(const hk_layer_finding *layer, const hk_layer_finding *hit,
                        bool is_depthwise)
{
    const bool starved = !strcmp(hit->layer, "conv1") && !strcmp(layer->layer, "conv2");
    const bool unread = !strcmp(hit->layer, "conv2") && !strcmp(layer->layer, "conv1");
    const bool others = is_depthwise && (starved || unread);
    for (int64_t u = 0; u < layer->units; u++) {
        CHECK_EQUAL(layer->found[u].not_learning, (layer == hit || others) && is_victim(u));
        if (others && is_victim(u))
            CHECK_EQUAL(layer->found[u].cause, starved ? HK_CAUSE_STARVED : HK_CAUSE_READERS);
    }
}

static void check_healthy(hk_tensor *logits, const char *name)
{
    hk_examination *e = examine(logits, train_set, NULL, NULL);
    CHECK_EQUAL(e->not_learning, 0);
    CHECK_EQUAL(e->n_advice, 0);
    for (int i = 0; i < e->n_layers; i++) {
        CHECK_TEXT(e->layers[i].why, "");
        if (e->layers[i].not_learning)
            printf("  \"%s\", %s: %s\n", name, e->layers[i].layer, e->layers[i].why);
    }
    hk_examination_free(e);
}

static void check_spoiled(const spoiled *s)
{
    hk_tensor *logits = s->net(s->activation, s->normalization);
    CHECK(logits);
    check_healthy(logits, s->name);
    spoil(s, hk_tensor_net(logits));
    hk_examination *e = examine(logits, train_set, NULL, NULL);
    const hk_layer_finding *layer = layer_named(e, s->layer);
    int before = check_case_failed;
    CHECK_EQUAL(layer->not_learning, 3);
    CHECK_EQUAL(layer->causes[s->cause], 3);
    CHECK_EQUAL(layer->cause, s->cause);
    CHECK_CONTAINS(layer->why, "3 of ");
    for (int i = 0; i < e->n_layers; i++)
        check_units(&e->layers[i], layer, s->net == convolutions);
    CHECK(e->n_advice > 0);
    if (check_case_failed != before)
        printf("  in \"%s\": %s\n", s->name, layer->why);
    hk_examination_free(e);
    free_net_of(logits);
}

static void spoiled_units_are_found_with_their_cause(void)
{
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++)
        check_spoiled(&spoils[i]);
}

/* ---- Trained cases: what does not learn is read off the layers' plain outputs ------------------------ */

/* Has unit u of the relu behind a layer ever an output above 0? From a plan of our own. */
static void find_silent(hk_tensor *logits, const hk_data *data, const char *layer, bool *silent)
{
    hk_net *net = hk_tensor_net(logits);
    int64_t n = hk_data_shape_of(data).n;
    hk_tensor *y = NULL;
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->op == &hki_op_activate &&
            !strcmp(hki_layer_name(net, net->tensors[i]->layer), layer))
            y = net->tensors[i];
    hk_plan *plan;
    CHECK_EQUAL(
        hk_plan_new(net, &(hk_plan_options){.batch = n, .output = logits, .keep = &y, .n_keep = 1},
                    &plan),
        HK_OK);
    uint32_t *index = calloc((size_t)n, sizeof *index);
    int32_t *labels = calloc((size_t)n, sizeof *labels);
    for (int64_t i = 0; i < n; i++)
        index[i] = (uint32_t)i;
    hk_data_read(data, index, n, hk_plan_value(plan, hk_tensor_input(logits)), labels);
    CHECK_EQUAL(hk_plan_forward(plan, n), HK_OK);
    const float *value = hk_plan_value(plan, y);
    int64_t units = hki_channels(&y->shape);
    for (int64_t u = 0; u < units; u++)
        silent[u] = true;
    for (int64_t i = 0; i < hki_count(&y->shape, n); i++)
        silent[i % units] = silent[i % units] && !(value[i] > 0);
    hk_plan_free(plan);
    free(index);
    free(labels);
}

/* The layer's units without a slope, not fewer than `least`, are the silent ones, all by this cause; to others
 * that do not learn nothing comes back. */
static void check_layer(const hk_examination *e, hk_tensor *logits, const hk_data *data,
                        const char *name, int64_t least, hk_cause cause, const char *evidence)
{
    bool silent[512];
    const hk_layer_finding *layer = layer_named(e, name);
    find_silent(logits, data, name, silent);
    CHECK(layer->not_learning >= least);
    CHECK_EQUAL(layer->cause, cause);
    CHECK_EQUAL(layer->causes[cause] + layer->causes[HK_CAUSE_READERS], layer->not_learning);
    CHECK_CONTAINS(layer->why, evidence);
    for (int64_t u = 0; u < layer->units; u++) {
        const hk_unit_finding *unit = &layer->found[u];
        CHECK_EQUAL(unit->gradient_dead, silent[u]);
        CHECK(unit->not_learning || !silent[u]);
        CHECK_EQUAL(unit->cause, silent[u]            ? cause
                                 : unit->not_learning ? HK_CAUSE_READERS
                                                      : HK_CAUSE_NONE);
    }
}

/* A model that was trained, its record, and the same model as it began. */
typedef struct trained {
    hk_tensor *logits, *start;
    hk_record *record;
} trained;

static hk_tensor *build(const char *model, const char *activation, const hk_data *data)
{
    hk_data_shape s = hk_data_shape_of(data);
    hk_net *net = hk_net_new(.activation = activation, .seed = 4);
    return hk_model_build(net, model, s.height, s.width, s.channels, s.classes);
}

static trained train(const char *model, const char *activation, hk_train_options options)
{
    trained out = {build(model, activation, options.train), build(model, activation, options.train),
                   NULL};
    char path[64];
    hk_trainer *trainer;
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-doctor", (int)getpid());
    CHECK_EQUAL(hk_trainer_new(out.logits, &options, &trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_run(trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_save(trainer, path, model), HK_OK);
    hk_trainer_free(trainer);
    CHECK_EQUAL(hk_record_read(path, &out.record), HK_OK);
    CHECK(out.record);
    unlink(path);
    return out;
}

static void trained_free(trained *it)
{
    free_net_of(it->logits);
    free_net_of(it->start);
    hk_record_free(it->record);
}

/* The first epoch is one step of the whole set at a rate that is absurd; the rest is gentle. */
static void check_huge_step(const char *model, const char *optimizer, const char *layer)
{
    trained it = train(model, "relu",
                       (hk_train_options){.train = train_set,
                                          .batch = 300,
                                          .epochs = 3,
                                          .optimizer = optimizer,
                                          .schedule = "step:every=1,factor=1e-5"});
    hk_examination *e = examine(it.logits, train_set, it.record, it.start);
    check_layer(e, it.logits, train_set, layer, 3, HK_CAUSE_STEP, "step 1 alone multiplied the");
    hk_examination_free(e);
    trained_free(&it);
}

static void one_huge_step_is_found_in_the_record(void)
{
    check_huge_step("mlp:width=32,depth=2", "sgd:lr=20", "fc2");
    check_huge_step("mlp:width=32,depth=2", "adam:lr=1", "fc1");
    check_huge_step("lenet5", "adam:lr=1", "conv2");
}

/* Bytes instead of standardised pixels. */
static hk_data *as_bytes(const hk_data *data)
{
    hk_data_shape s = hk_data_shape_of(data);
    int64_t pixels = (int64_t)s.height * s.width * s.channels;
    uint32_t *index = calloc((size_t)s.n, sizeof *index);
    int32_t *labels = calloc((size_t)s.n, sizeof *labels);
    float *x = calloc((size_t)(s.n * pixels), sizeof *x), least = 0, most = 0;
    hk_data *out = NULL;
    for (int64_t i = 0; i < s.n; i++)
        index[i] = (uint32_t)i;
    hk_data_read(data, index, s.n, x, labels);
    for (int64_t i = 0; i < s.n * pixels; i++) {
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
    }
    for (int64_t i = 0; i < s.n * pixels; i++)
        x[i] = 255 * (x[i] - least) / (most - least);
    CHECK_EQUAL(hk_data_from_arrays(s.n, s.height, s.width, s.channels, s.classes, x, labels, &out),
                HK_OK);
    free(index);
    free(labels);
    free(x);
    return out;
}

static void unscaled_inputs_are_named(void)
{
    static const char *const models[] = {"mlp:width=32,depth=1", "lenet5"};
    static const char *const layers[] = {"fc1", "conv1"};
    static const char *const optimizers[] = {"sgd:lr=0.01", "adam:lr=0.1"};
    hk_data *bytes = as_bytes(train_set);
    for (int i = 0; i < 2; i++) {
        trained it =
            train(models[i], "relu",
                  (hk_train_options){
                      .train = bytes, .batch = 20, .epochs = 2, .optimizer = optimizers[i]});
        hk_examination *e = examine(it.logits, bytes, it.record, it.start);
        check_layer(e, it.logits, bytes, layers[i], 3, HK_CAUSE_INPUT, "are not scaled: mean");
        CHECK(e->input_mean > 10 && e->input_deviation > 20);
        hk_examination_free(e);
        trained_free(&it);
    }
    hk_data_free(bytes);
}

static void dead_from_birth_is_born_dead(void)
{
    trained it =
        train("mlp:width=4,depth=6,bias=0", "relu",
              (hk_train_options){.train = train_set, .batch = 50, .optimizer = "sgd:lr=1e-4"});
    hk_examination *e = examine(it.logits, train_set, it.record, it.start);
    check_layer(e, it.logits, train_set, "fc6", 1, HK_CAUSE_BORN, "before the first step");
    CHECK(!strcmp(e->advice[e->n_advice - 1].treatment, ""));
    CHECK_CONTAINS(e->advice[e->n_advice - 1].text, "did not react at the start");
    hk_examination_free(e);
    trained_free(&it);
}

static void check_decay(const char *model, const char *optimizer, const char *layer)
{
    trained it = train(
        model, "relu",
        (hk_train_options){.train = train_set, .batch = 10, .epochs = 5, .optimizer = optimizer});
    hk_examination *e = examine(it.logits, train_set, it.record, it.start);
    check_layer(e, it.logits, train_set, layer, 3, HK_CAUSE_DECAY, optimizer);
    hk_examination_free(e);
    trained_free(&it);
}

static void decay_is_named(void)
{
    check_decay("mlp:width=32,depth=2", "sgd:lr=0.01,decay=5", "fc2");
    check_decay("lenet5", "adamw:lr=0.01,decay=30", "conv2");
}

/* All of conv1 dead: nothing reaches the layers behind, whose biases are still 0. */
static void units_without_inputs_are_starved(void)
{
    hk_tensor *logits = convolutions("relu", "none");
    char digest[65];
    hk_net_digest(hk_tensor_net(logits), digest);
    for (int u = 0; u < 8; u++)
        named(hk_tensor_net(logits), "conv1.bias")->value[u] = -90;
    hk_examination *e = examine(logits, train_set, NULL, NULL);
    CHECK_EQUAL(e->not_learning, e->units);
    check_layer(e, logits, train_set, "conv1", 8, HK_CAUSE_BIAS, "bias of unit 0 is -90");
    check_layer(e, logits, train_set, "conv2", 8, HK_CAUSE_STARVED, "never changes");
    check_layer(e, logits, train_set, "fc2", 16, HK_CAUSE_STARVED, "never changes");
    hk_examination_free(e);
    free_net_of(logits);
}

/* ---- What arrives ---------------------------------------------------------------------------- */

static void fill(hk_tensor *logits, const char *name, float value)
{
    hk_tensor *t = named(hk_tensor_net(logits), name);
    for (int64_t i = 0; i < hki_count(&t->shape, 1); i++)
        t->value[i] = value;
}

static hk_tensor *dense(const char *activation)
{
    char digest[65];
    hk_net *net = hk_net_new(.activation = activation, .seed = 4);
    hk_tensor *x = hk_act(hk_linear(hk_input(net, 14, 14, 1), 32));
    x = hk_linear(hk_act(hk_linear(x, 32)), 10);
    hk_net_digest(net, digest); /* fills it */
    return x;
}

static void check_causes(hk_tensor *logits, hk_cause fc1, const char *why, hk_cause fc2)
{
    hk_examination *e = examine(logits, train_set, NULL, NULL);
    CHECK_EQUAL(e->layers[0].causes[fc1], fc1 ? 32 : 0);
    CHECK_EQUAL(e->layers[1].causes[fc2], 32);
    CHECK_CONTAINS(e->layers[0].why, why);
    hk_examination_free(e);
    free_net_of(logits);
}

static void what_nothing_comes_back_to_does_not_learn(void)
{
    hk_tensor *off = dense("relu"), *zero = dense("relu"), *new = dense("leaky_relu");
    fill(off, "fc2.bias", -100);
    check_causes(off, HK_CAUSE_READERS, "what reads it, fc2, is dead or has weights of 0",
                 HK_CAUSE_BIAS);
    fill(zero, "fc2.weight", 0);
    fill(zero, "fc2.bias", 1);
    fill(zero, "fc3.weight", 0);
    fill(zero, "fc3.bias", 1);
    check_causes(zero, HK_CAUSE_READERS, "32 of 32 units get no gradient: nothing comes back to",
                 HK_CAUSE_READERS);
    fill(new, "fc3.weight", 0);
    check_causes(new, HK_CAUSE_READERS, "nothing comes back", HK_CAUSE_READERS);
}

static hk_data *numbers(float low)
{
    enum { N = 60 };
    float x[N];
    int32_t labels[N];
    hk_data *out;
    for (int i = 0; i < N; i++) {
        x[i] = low + (float)i / N;
        labels[i] = i % 2;
    }
    CHECK_EQUAL(hk_data_from_arrays(N, 1, 1, 1, 2, x, labels, &out), HK_OK);
    return out;
}

/* Unit 0 reacts above 0, unit 1 below; the bias of unit 2 keeps it off. Examination and treatment see the
 * images that they are given, those of training, and agree. */
static void training_images_decide_and_treatment_agrees(void)
{
    hk_data *sets[2] = {numbers(-1.5f), numbers(0.5f)};
    for (int i = 0; i < 2; i++) {
        char digest[65];
        hk_net *net = hk_net_new(.normalization = "none");
        hk_tensor *logits = hk_linear(hk_act(hk_linear(hk_input(net, 1, 1, 1), 3)), 2);
        hk_net_digest(net, digest);
        memcpy(named(net, "fc1.weight")->value, (float[]){1, -1, 1}, 3 * sizeof(float));
        memcpy(named(net, "fc1.bias")->value, (float[]){0, 0, -9}, 3 * sizeof(float));
        hk_examination *e = examine(logits, sets[i], NULL, NULL);
        hk_treatment *done;
        CHECK_EQUAL(e->not_learning, 2);
        CHECK_EQUAL(e->layers[0].found[i].not_learning, 1);
        CHECK_EQUAL(e->layers[0].found[1 - i].cause, HK_CAUSE_NONE);
        CHECK_EQUAL(e->layers[0].found[2].cause, i ? HK_CAUSE_BIAS : HK_CAUSE_WEIGHTS);
        CHECK_EQUAL(hk_treat(logits, sets[i], "bias", NULL, &done), HK_OK);
        CHECK_EQUAL(done->dead, 2);
        hk_treatment_free(done);
        hk_examination_free(e);
        hk_net_free(net);
    }
    hk_data_free(sets[0]);
    hk_data_free(sets[1]);
}

/* Running averages that lag behind, or are wrong, stop nothing: training does not read them. */
static void running_averages_are_no_cause(void)
{
    static const char *const names[] = {"batch_norm", "batch_norm:momentum=0.01"};
    for (int i = 0; i < 2; i++) {
        hk_tensor *logits = convolutions("relu", names[i]);
        CHECK_EQUAL(
            hk_fit(logits, NULL, .train = train_set, .batch = 50, .optimizer = "sgd:lr=0.05"),
            HK_OK);
        hk_examination *before = examine(logits, train_set, NULL, NULL);
        fill(logits, "conv1.norm.running_mean", 1000);
        fill(logits, "conv3.norm.running_mean", -1000);
        hk_examination *after = examine(logits, train_set, NULL, NULL);
        CHECK_EQUAL(after->not_learning, before->not_learning);
        for (int k = 0; k < 3; k++)
            CHECK_EQUAL(after->layers[k].not_learning, 0);
        hk_examination_free(before);
        hk_examination_free(after);
        free_net_of(logits);
    }
}

/* Neither values nor gradients that wait for a step, nor the graph. */
static void an_examination_leaves_the_net_alone(void)
{
    hk_tensor *logits = convolutions("lgb_relu", "batch_norm");
    hk_net *net = hk_tensor_net(logits);
    hk_tensor *labels = hk_labels(net), *loss = hk_cross_entropy(logits, labels, 0);
    hk_plan_options how = {.batch = 4, .training = 1, .loss = loss};
    hk_plan *plan;
    char before[65], after[65];
    CHECK_EQUAL(hk_plan_new(net, &how, &plan), HK_OK);
    memset(hk_plan_value(plan, labels), 0, 4 * sizeof(float));
    memset(hk_plan_value(plan, hk_tensor_input(logits)), 0, (size_t)4 * 14 * 14 * sizeof(float));
    *hk_plan_value(plan, hk_tensor_input(logits)) = 1;
    CHECK_EQUAL(hk_plan_forward(plan, 4), HK_OK);
    CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
    const hk_tensor *weight = named(net, "fc3.weight");
    const size_t bytes = (size_t)hki_count(&weight->shape, 1) * sizeof(float);
    float *gradient = malloc(bytes);
    memcpy(gradient, weight->gradient, bytes);
    const int n_tensors = net->n_tensors;
    hk_net_digest(net, before);
    hk_examination_free(examine(logits, train_set, NULL, NULL));
    hk_net_digest(net, after);
    CHECK_TEXT(after, before);
    CHECK_EQUAL(net->n_tensors, n_tensors);
    CHECK(net->has_gradients && !memcmp(gradient, weight->gradient, bytes));
    free(gradient);
    hk_plan_free(plan);
    hk_net_free(net);
}

static void a_healthy_net_is_called_healthy(void)
{
    static const char *const activations[] = {"tanh", "elu",  "leaky_relu", "prelu",
                                              "silu", "gelu", "mish",       "selu"};
    hk_data *train28, *test28;
    CHECK_EQUAL(hk_data_open("glyphs:train=1000,test=300", &train28, &test28), HK_OK);
    for (int a = 0; a < 8; a++) {
        trained it = train("lenet5", activations[a], (hk_train_options){.train = train28});
        hk_examination *e = examine(it.logits, train28, it.record, it.start);
        CHECK_EQUAL(e->not_learning, 0);
        CHECK_EQUAL(e->n_advice, 0);
        CHECK_EQUAL(e->units, 6 + 16 + 120 + 84);
        for (int i = 0; i < e->n_layers; i++) {
            CHECK_TEXT(e->layers[i].why, "");
            CHECK_EQUAL(e->layers[i].cause, HK_CAUSE_NONE);
            CHECK_TEXT(e->layers[i].activation, activations[a]);
        }
        hk_examination_free(e);
        trained_free(&it);
    }
    hk_data_free(train28);
    hk_data_free(test28);
}

/* ---- Figures --------------------------------------------------------------------------------- */

/* A dense layer of units whose outputs are known: x, -x, x + 1e6, 0, 1e-3 x, for inputs 1 .. n. */
static void figures_are_those_defined(void)
{
    enum { N = 200 };
    static const float weights[5] = {1, -1, 1, 0, 1e-3f}, biases[5] = {0, 0, 1e6f, 0, 0};
    float x[N];
    int32_t labels[N]; /* both, so that the loss is never 0 */
    hk_data *data;
    for (int i = 0; i < N; i++) {
        x[i] = (float)(i + 1);
        labels[i] = i % 2;
    }
    CHECK_EQUAL(hk_data_from_arrays(N, 1, 1, 1, 2, x, labels, &data), HK_OK);
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *logits = hk_linear(hk_act(hk_linear(hk_input(net, 1, 1, 1), 5)), 2);
    char digest[65];
    hk_net_digest(net, digest);
    memcpy(named(net, "fc1.weight")->value, weights, sizeof weights);
    memcpy(named(net, "fc1.bias")->value, biases, sizeof biases);
    hk_examination *e = examine(logits, data, NULL, NULL);
    const hk_unit_finding *unit = e->layers[0].found;
    double mean = (100.5 + 1000100.5 + 0.1005) / 5;
    CHECK_EQUAL(e->inputs, N);
    CHECK_EQUAL(e->n_seen, 2);
    CHECK_EQUAL(e->seen[0], 64);
    CHECK_EQUAL(e->layers[0].not_learning_seen[0], 2);
    CHECK_EQUAL(e->layers[0].not_learning_seen[1], 2);
    CHECK_EQUAL(e->layers[0].never_positive, 2);
    CHECK_EQUAL(e->layers[0].gradient_dead, 2);
    CHECK_EQUAL(e->layers[0].dormant, 4); /* next to the third, all but that */
    CHECK_NEAR(unit[0].score, 100.5 / mean, 1e-6);
    CHECK_NEAR(unit[2].score, 1000100.5 / mean, 1e-4);
    CHECK_NEAR(unit[1].zeros, 1, 0);
    CHECK_NEAR(e->layers[0].zeros, 0.4, 1e-9);
    CHECK_NEAR(unit[0].x_max, 200, 0);
    CHECK_NEAR(unit[1].x_min, -200, 0);
    CHECK_NEAR(unit[1].negative, 1, 0);
    CHECK_NEAR(e->input_mean, 100.5, 1e-9);
    CHECK_EQUAL(unit[1].cause, HK_CAUSE_INPUT);
    CHECK_EQUAL(unit[3].cause, HK_CAUSE_WEIGHTS);
    hk_examination_free(e);
    hk_net_free(net);
    hk_data_free(data);
}

/* Puts x = 0, 1, ... where it is seen first, second, ... */
static void in_order_of_seeing(int n, float *x, const int32_t *labels)
{
    float *places = calloc((size_t)n, sizeof *places);
    hk_data *data;
    CHECK_EQUAL(hk_data_from_arrays(n, 1, 1, 1, 2, x, labels, &data), HK_OK);
    hki_spread_images(data, 0, n, places);
    for (int i = 0; i < n; i++)
        x[(int)places[i]] = (float)i;
    hk_data_free(data);
    free(places);
}

/* Units that wake up late: unit u fires on inputs from a number on. */
static void fewer_are_ill_the_more_is_seen(void)
{
    enum { N = 1500 };
    static const float from[4] = {10, 100, 500, 1200};
    float *x = calloc(N, sizeof *x);
    int32_t *labels = calloc(N, sizeof *labels);
    hk_data *data;
    char digest[65];
    for (int i = 0; i < N; i++) {
        x[i] = (float)i;
        labels[i] = i % 2;
    }
    in_order_of_seeing(N, x, labels);
    CHECK_EQUAL(hk_data_from_arrays(N, 1, 1, 1, 2, x, labels, &data), HK_OK);
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *logits = hk_linear(hk_act(hk_linear(hk_input(net, 1, 1, 1), 4)), 2);
    hk_net_digest(net, digest);
    for (int u = 0; u < 4; u++) {
        named(net, "fc1.weight")->value[u] = 1;
        named(net, "fc1.bias")->value[u] = -from[u];
    }
    hk_examination *e = examine(logits, data, NULL, NULL);
    CHECK_EQUAL(e->n_seen, 4);
    for (int p = 0; p < 4; p++)
        CHECK_EQUAL(e->layers[0].not_learning_seen[p], 3 - p);
    CHECK_EQUAL(e->not_learning, 0);
    hk_examination_free(e);
    hk_net_free(net);
    hk_data_free(data);
    free(x);
    free(labels);
}

/* Known singular values: a diagonal matrix turned by reflections from both sides. */
static void effective_rank_is_the_exponent_of_the_entropy(void)
{
    enum { R = 9, C = 5 };
    static const double values[C] = {8, 4, 2, 1, 0};
    float a[R * C] = {0}, ones[3 * 3] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, zeros[4] = {0};
    double entropy = 0, rank;
    for (int k = 0; k < C; k++)
        entropy -= values[k] > 0 ? values[k] / 15 * log(values[k] / 15) : 0;
    for (int i = 0; i < R; i++)
        for (int j = 0; j < C; j++)
            for (int k = 0; k < C; k++) /* (1 - 2 uu') diag (1 - 2 vv'), u and v even */
                a[i * C + j] += (float)(((i == k) - 2.0 / R) * values[k] * ((k == j) - 2.0 / C));
    CHECK_EQUAL(hki_effective_rank(R, C, a, &rank), HK_OK);
    CHECK_NEAR(rank, exp(entropy), 1e-5);
    CHECK_EQUAL(hki_effective_rank(3, 3, ones, &rank), HK_OK);
    CHECK_NEAR(rank, 1, 1e-6);
    CHECK_EQUAL(hki_effective_rank(2, 2, zeros, &rank), HK_OK);
    CHECK_NEAR(rank, 0, 0);
    CHECK_EQUAL(hki_effective_rank(1, 1, ones, &rank), HK_OK);
    CHECK_NEAR(rank, 1, 0);
}

static void threads_change_no_figure(void)
{
    hk_tensor *logits = convolutions("relu", "batch_norm");
    hk_examination *one, *two;
    hk_set_threads(1);
    one = examine(logits, train_set, NULL, NULL);
    hk_set_threads(3);
    two = examine(logits, train_set, NULL, NULL);
    hk_set_threads(2);
    for (int i = 0; i < one->n_layers; i++) {
        const hk_layer_finding *a = &one->layers[i], *b = &two->layers[i];
        CHECK(!memcmp(a->found, b->found, (size_t)a->units * sizeof *a->found));
        CHECK(!memcmp(&a->effective_rank, &b->effective_rank, sizeof a->effective_rank));
    }
    hk_examination_free(one);
    hk_examination_free(two);
    free_net_of(logits);
}

/* ---- The record ------------------------------------------------------------------------------ */

static int stop_after_two(const hk_epoch_report *report, void *user)
{
    (void)user;
    return report->epoch == 2;
}

static void check_same_record(const hk_record *a, const hk_record *b)
{
    CHECK_TEXT(a->start, b->start);
    CHECK_EQUAL(a->steps, b->steps);
    CHECK_EQUAL(a->max_loss_step, b->max_loss_step);
    CHECK_NEAR(a->max_loss, b->max_loss, 0);
    CHECK_NEAR(a->first_loss, b->first_loss, 0);
    for (int i = 0; i < a->n_layers && i < b->n_layers; i++) {
        CHECK_NEAR(a->layers[i].growth, b->layers[i].growth, 0);
        CHECK_NEAR(a->layers[i].start, b->layers[i].start, 0);
        CHECK_EQUAL(a->layers[i].step, b->layers[i].step);
    }
}

static void a_stop_leaves_the_record_as_it_would_be(void)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-record", (int)getpid());
    hk_record *records[2] = {NULL, NULL};
    hk_train_options options = {.train = train_set,
                                .batch = 50,
                                .epochs = 4,
                                .optimizer = "sgd:lr=0.5,momentum=0.9",
                                .clip = 1};
    for (int stop = 0; stop < 2; stop++) {
        hk_trainer *trainer;
        hk_tensor *logits = build("mlp:width=16", "tanh", train_set);
        options.epoch = stop ? stop_after_two : NULL;
        CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
        CHECK_EQUAL(hk_trainer_run(trainer), stop ? HK_STOPPED : HK_OK);
        CHECK_EQUAL(hk_trainer_save(trainer, path, "mlp:width=16"), HK_OK);
        hk_trainer_free(trainer);
        free_net_of(logits);
        if (stop) {
            logits = build("mlp:width=16", "tanh", train_set);
            options.epoch = NULL;
            CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
            CHECK_EQUAL(hk_trainer_resume(trainer, path), HK_OK);
            CHECK_EQUAL(hk_trainer_run(trainer), HK_OK);
            CHECK_EQUAL(hk_trainer_save(trainer, path, "mlp:width=16"), HK_OK);
            hk_trainer_free(trainer);
            free_net_of(logits);
        }
        CHECK_EQUAL(hk_record_read(path, &records[stop]), HK_OK);
    }
    CHECK_EQUAL(records[0]->steps, 24);
    CHECK_EQUAL(records[0]->n_layers, 3);
    CHECK(records[0]->max_loss >= records[0]->first_loss);
    CHECK_TEXT(records[0]->optimizer, "sgd:lr=0.5,momentum=0.9");
    CHECK_EQUAL(strlen(records[0]->start), 64);
    check_same_record(records[1], records[0]);
    hk_record_free(records[0]);
    hk_record_free(records[1]);
    unlink(path);
}

static void a_damaged_record_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "{}",
        "x 1 2 3",
        "x 1 2 3 4 5",
        "x -1 2 3 4",
        "x 1 inf 3 4",
        "x 1 2 3 4\n",
        "x 1 2 3 4\n1 1 1",
        "x 1 2 3 4\n1 1 1 ",
        "x 1 2 3 4\n-1 1 1 fc1",
        "x 1 2 3 4\n1 0.5 1 fc1",
        "x 1 2 3 4\n1 1 1 fc1\n",
        "x 1 2 3 4\n1 1 1 a-name-that-is-much-too-long-for-a-layer-of-a-net-it-has-over-63-bytes",
        "a-digest-of-sixty-four-bytes-and-then-one-more-is-not-a-digest-ok 1 2 3 4"};
    char path[64];
    hk_record *record = (hk_record *)path;
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-damaged", (int)getpid());
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const hki_st_meta meta[] = {
            {"hk.record", texts[i]}, {"hk.seed", "1"}, {"hk.optimizer", "adam"}};
        CHECK_EQUAL(hki_st_write(path, NULL, 0, meta, 3), HK_OK);
        CHECK_EQUAL(hk_record_read(path, &record), HK_BAD_DATA);
        CHECK_CONTAINS(hk_message(), "is not the record of a training");
        CHECK(!record);
    }
    CHECK_EQUAL(hki_st_write(path, NULL, 0, NULL, 0), HK_OK);
    CHECK_EQUAL(hk_record_read(path, &record), HK_OK); /* a net alone */
    CHECK(!record);
    unlink(path);
    CHECK_EQUAL(hk_record_read(path, &record), HK_BAD_DATA);
}

/* ---- Wrong use ------------------------------------------------------------------------------- */

static void refuses(hk_tensor *logits, const hk_data *data, hk_tensor *start, hk_status status,
                    const char *sentence)
{
    hk_examination *e = NULL;
    hk_examine_options options = {.start = start};
    CHECK_EQUAL(hk_examine(logits, data, &options, &e), status);
    CHECK_CONTAINS(hk_message(), sentence);
    CHECK(!e);
}

static void wrong_use_gets_a_sentence(void)
{
    hk_data *other;
    CHECK_EQUAL(hk_data_open("glyphs:train=20,test=20,size=16", &other, NULL), HK_OK);
    hk_tensor *logits = build("mlp:width=8", "relu", test_set);
    hk_tensor *flat = build("mlp:depth=0", "relu", test_set);
    hk_tensor *wider = build("mlp:width=9", "relu", test_set);
    char digest[65];
    refuses(NULL, test_set, NULL, HK_BAD_ARGUMENT, "logits is NULL");
    refuses(logits, NULL, NULL, HK_BAD_ARGUMENT, "data is NULL");
    refuses(logits, other, NULL, HK_BAD_SHAPE, "the net expects [batch, 14, 14, 1]");
    refuses(flat, test_set, NULL, HK_BAD_ARGUMENT, "has no activation");
    hk_examination *e;
    CHECK_EQUAL(hk_examine(logits, test_set, &(hk_examine_options){.tau = (double)NAN}, &e),
                HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "tau nan, inputs 0: expected 0 or more");
    CHECK_EQUAL(hk_examine(logits, test_set, &(hk_examine_options){.inputs = -1}, &e),
                HK_BAD_ARGUMENT);
    hk_net_digest(hk_tensor_net(logits), digest);
    hk_tensor *bias = named(hk_tensor_net(logits), "fc1.bias");
    bias->value[0] = -1e6f;
    refuses(logits, test_set, flat, HK_BAD_ARGUMENT, "not the same layers");
    refuses(logits, test_set, wider, HK_BAD_ARGUMENT, "not the same layers");
    bias->value[0] = NAN;
    refuses(logits, test_set, NULL, HK_DIVERGED, "layer fc1 has outputs that are not finite");
    free_net_of(logits);
    free_net_of(flat);
    free_net_of(wider);
    hk_data_free(other);
}

/* The k-th block and all after it refused, for every k: a status, and nothing is lost. */
static void refused_memory_is_told(void)
{
    hk_tensor *logits = build("mlp:width=8", "relu", test_set);
    hk_tensor *start = build("mlp:width=8", "relu", test_set);
    hk_examine_options options = {.start = start};
    hk_examination *e = NULL;
    hk_status status = HK_NO_MEMORY;
    char digest[65];
    hk_net_digest(hk_tensor_net(logits), digest);
    hk_net_digest(hk_tensor_net(start), digest);
    named(hk_tensor_net(logits), "fc1.bias")->value[3] = -1e6f;
    size_t before = hki_live_blocks();
    for (long k = 0; status == HK_NO_MEMORY && k < 1000; k++) {
        allocations_left = k;
        status = hk_examine(logits, test_set, &options, &e);
        allocations_left = -1;
        CHECK(status == HK_NO_MEMORY || status == HK_OK);
        CHECK(status == HK_OK ? e != NULL : e == NULL && hki_live_blocks() == before);
    }
    CHECK_EQUAL(status, HK_OK);
    hk_examination_free(e);
    CHECK_EQUAL(hki_live_blocks(), before);
    free_net_of(logits);
    free_net_of(start);
}

int main(void)
{
    hk_set_allocator(&countdown);
    RUN(open_data);
    RUN(spoiled_units_are_found_with_their_cause);
    RUN(one_huge_step_is_found_in_the_record);
    RUN(unscaled_inputs_are_named);
    RUN(dead_from_birth_is_born_dead);
    RUN(decay_is_named);
    RUN(units_without_inputs_are_starved);
    RUN(what_nothing_comes_back_to_does_not_learn);
    RUN(training_images_decide_and_treatment_agrees);
    RUN(running_averages_are_no_cause);
    RUN(an_examination_leaves_the_net_alone);
    RUN(a_healthy_net_is_called_healthy);
    RUN(figures_are_those_defined);
    RUN(fewer_are_ill_the_more_is_seen);
    RUN(effective_rank_is_the_exponent_of_the_entropy);
    RUN(threads_change_no_figure);
    RUN(a_stop_leaves_the_record_as_it_would_be);
    RUN(a_damaged_record_is_refused);
    RUN(wrong_use_gets_a_sentence);
    RUN(refused_memory_is_told);
    hk_data_free(train_set);
    hk_data_free(test_set);
    return check_result();
}
