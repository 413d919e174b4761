/* Nets: what the words record, how weights start, files, and every plugin inside a graph. */
#include <pthread.h>
#include <unistd.h>
#include "gradient.h"
#include "io/io.h"
#include "nn/nn.h"

static hk_tensor *named(const hk_net *net, const char *name)
{
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->role != HKI_DROPPED && !strcmp(hk_tensor_name(net->tensors[i]), name))
            return net->tensors[i];
    return NULL;
}

static void expect_shape(const hk_tensor *t, hk_shape wanted)
{
    CHECK(t != NULL);
    if (!t)
        return;
    hk_shape found = hk_tensor_shape(t);
    CHECK(hki_same_shape(&found, &wanted));
}

static void fill(float *x, int64_t n, uint64_t key)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = 2 * hks_uniform(key, (uint64_t)i) - 1;
}

/* Gives every learned tensor and slot its first values. */
static void start_net(hk_tensor *out)
{
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(hk_tensor_net(out), &(hk_plan_options){.output = out}, &plan), HK_OK);
    hk_plan_free(plan);
}

/* ---- Words ---------------------------------------------------------------------------------- */

static hk_tensor *small_net(hk_net *net)
{
    hk_tensor *x = hk_input(net, 12, 10, 3);
    x = hk_maxpool(hk_act(hk_norm(hk_conv(x, 8, 3))), 2);
    x = hk_act(hk_norm(hk_conv(x, 16, 3, .stride = 2)));
    x = hk_act(hk_linear(x, 20));
    return hk_linear(x, 5);
}

static void words_name_and_infer(void)
{
    hk_net *net = hk_net_new(.activation = "prelu");
    hk_tensor *out = small_net(net);
    expect_shape(out, HK_SHAPE(HK_BATCH, 5));
    expect_shape(named(net, "conv1.weight"), HK_SHAPE(3, 3, 3, 8));
    expect_shape(named(net, "conv1.norm.gamma"), HK_SHAPE(8));
    expect_shape(named(net, "conv1.norm.running_var"), HK_SHAPE(8));
    expect_shape(named(net, "conv1.act.slope"), HK_SHAPE(8));
    expect_shape(named(net, "conv2.weight"), HK_SHAPE(3, 3, 8, 16));
    expect_shape(named(net, "fc1.weight"), HK_SHAPE(3 * 3 * 16, 20));
    expect_shape(named(net, "fc1.bias"), HK_SHAPE(20));
    expect_shape(named(net, "fc2.weight"), HK_SHAPE(20, 5));
    CHECK(!named(net, "conv1.bias") && !named(net, "conv2.bias"));
    CHECK_EQUAL(hk_net_parameters(net),
                3 * 3 * 3 * 8 + 3 * 8 + 3 * 3 * 8 * 16 + 3 * 16 + 144 * 20 + 20 + 20 + 20 * 5 + 5);
    CHECK_TEXT(hk_net_activation(net), "prelu");
    hk_net_free(net);

    net = hk_net_new(.normalization = "none"); /* then the bias stays */
    CHECK(small_net(net) != NULL);
    expect_shape(named(net, "conv1.bias"), HK_SHAPE(8));
    hk_net_free(net);
}

static void words_take_names_and_refuse(void)
{
    hk_net *net = hk_net_new();
    hk_tensor *x = hk_input(net, 8, 8, 4);
    hk_tensor *y = hk_conv(x, 4, 3, .name = "stem", .groups = 4, .stride = 2, .no_bias = 1);
    expect_shape(y, HK_SHAPE(HK_BATCH, 4, 4, 4));
    expect_shape(named(net, "stem.weight"), HK_SHAPE(3, 3, 1, 4));
    CHECK(!named(net, "stem.bias"));
    CHECK(hk_conv(y, 4, 3) != NULL && named(net, "conv1.weight"));
    CHECK(hk_act(hk_act(y, .use = "prelu"), .use = "prelu") != NULL);
    CHECK(named(net, "stem.act.slope") && named(net, "stem.act2.slope"));
    CHECK(hk_act(hk_act(y, .use = "swish"), .use = "mpelu") != NULL); /* beta; alpha and beta */
    CHECK(named(net, "stem.act.beta") && named(net, "stem.act2.alpha"));
    CHECK(!hk_conv(x, 4, 3, .name = "stem"));
    CHECK_CONTAINS(hk_message(), "stem");
    CHECK(!hk_conv(x, 6, 3, .groups = 3));
    CHECK_CONTAINS(hk_message(), "3 groups over 4 channels");
    CHECK(!hk_linear(x, 0) && !hk_conv(NULL, 1, 1) && !hk_norm(NULL) && !hk_act(NULL));
    CHECK(!hk_act(x, .use = "rel"));
    CHECK_CONTAINS(hk_message(), "relu");
    CHECK(!hk_norm(x, .use = "batchnorm"));
    CHECK(!hk_conv(x, 4, 3, .weight_norm = "batch_norm"));
    CHECK_CONTAINS(hk_message(), "does not normalize weights");
    /* a bias of the user's own is not taken away */
    hk_tensor *w = hk_parameter(net, "w", HK_SHAPE(1, 1, 4, 2), "normal");
    hk_tensor *b = hk_parameter(net, "b", HK_SHAPE(2), "constant:value=3");
    CHECK(hk_norm(hk_conv2d(y, w, b, (hk_window){0})) != NULL);
    CHECK(b->role == HKI_LEARNED);
    hk_net_free(net);
    CHECK(!hk_net_new(.activation = "nonesuch"));
    CHECK_EQUAL(hk_last_status(), HK_UNKNOWN_NAME);
    CHECK(!hk_net_new(.initializer = "he_normal:gain=-1"));
    CHECK_EQUAL(hk_last_status(), HK_BAD_ARGUMENT);
}

static void layers_may_have_their_own_activation(void)
{
    hk_net *net = hk_net_new(.activation = "relu+conv2=prelu:start=0.1+fc1=tanh");
    start_net(small_net(net));
    CHECK(!named(net, "conv1.act.slope"));
    CHECK_NEAR(named(net, "conv2.act.slope")->value[3], 0.1, 1e-8);
    hk_net_free(net);

    net = hk_net_new(.activation = "relu+conv7=prelu");
    hk_tensor *out = small_net(net);
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.output = out}, &plan), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "conv7");
    CHECK_CONTAINS(hk_message(), "conv1, conv2, fc1, fc2");
    hk_net_free(net);
    CHECK(!hk_net_new(.activation = "relu+conv1=nonesuch"));
}

/* ---- First values --------------------------------------------------------------------------- */

static double deviation(const hk_tensor *t)
{
    int64_t n = hki_count(&t->shape, 1);
    double sum = 0, square = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)t->value[i];
        square += (double)t->value[i] * (double)t->value[i];
    }
    return sqrt(square / (double)n - sum * sum / (double)n / (double)n);
}

/* sqrt(2 / fan_in) looks through normalization, pooling, addition, dropout; gain 1 at the end. */
static void weights_know_what_follows(void)
{
    hk_net *net = hk_net_new(.activation = "relu+fc1=tanh", .seed = 3);
    hk_tensor *x = hk_input(net, 8, 8, 16);
    hk_tensor *y = hk_conv(x, 64, 5);
    y = hk_act(hk_add(hk_dropout(hk_maxpool(hk_norm(y), 2), 0.1), hk_conv(x, 64, 1, .stride = 2)));
    y = hk_linear(hk_act(hk_linear(y, 200)), 100);
    start_net(hk_mul(hk_softmax(y), y));
    const struct {
        const char *name;
        double gain, fan_in;
    } cases[] = {{"conv1.weight", sqrt(2), 5 * 5 * 16},
                 {"conv2.weight", sqrt(2), 16},
                 {"fc1.weight", 1.5925, 4 * 4 * 64}, /* 1 / sqrt(E[tanh(z)^2]) */
                 {"fc2.weight", 1, 200}};
    for (int i = 0; i < 4; i++) {
        const hk_tensor *t = named(net, cases[i].name);
        double wanted = cases[i].gain / sqrt(cases[i].fan_in);
        double draws = (double)hki_count(&t->shape, 1);
        CHECK_NEAR(deviation(t) / wanted, 1, 5 / sqrt(2 * draws));
    }
    hk_net_free(net);
}

/* Draws depend on a tensor's name and the seed; of the activation comes only the gain. */
static void same_seed_same_weights(void)
{
    const char *const activations[] = {"prelu", "relu", "relu"};
    const uint64_t seeds[] = {5, 5, 6};
    float first[72], second_layer[3];
    for (int i = 0; i < 3; i++) {
        hk_net *net = hk_net_new(.activation = activations[i], .initializer = "he_normal:gain=1",
                                 .seed = seeds[i]);
        start_net(small_net(net));
        const float *w = named(net, "conv1.weight")->value;
        if (i == 0)
            memcpy(first, w, sizeof first);
        CHECK((memcmp(first, w, sizeof first) == 0) == (i < 2));
        second_layer[i] = named(net, "fc1.weight")->value[7];
        hk_net_free(net);
    }
    CHECK(second_layer[0] == second_layer[1] && second_layer[1] != second_layer[2]);
}

static void digest_sees_every_bit(void)
{
    hk_net *net = hk_net_new(.seed = 1), *twin = hk_net_new(.seed = 1);
    small_net(net);
    small_net(twin);
    char a[65], b[65];
    hk_net_digest(net, a); /* fills the net where no plan did */
    hk_net_digest(twin, b);
    CHECK_EQUAL(strlen(a), 64);
    CHECK_TEXT(a, b);
    const char *const tensors[] = {"conv1.weight", "fc2.bias", "conv2.norm.running_mean"};
    for (int i = 0; i < 3; i++) {
        uint32_t *bits = (uint32_t *)named(net, tensors[i])->value + 1;
        *bits ^= 1;
        hk_net_digest(net, b);
        CHECK(strcmp(a, b) != 0);
        *bits ^= 1;
    }
    hk_net_digest(net, b);
    CHECK_TEXT(a, b);
    hk_net_free(net);
    hk_net_free(twin);
}

static void frozen_layers_are_named(void)
{
    hk_net *net = hk_net_new(.activation = "prelu");
    small_net(net);
    CHECK_EQUAL(hk_net_freeze(net, "conv1,fc2"), HK_OK);
    CHECK(named(net, "conv1.weight")->frozen && named(net, "conv1.norm.gamma")->frozen &&
          named(net, "conv1.act.slope")->frozen && named(net, "fc2.bias")->frozen);
    CHECK(!named(net, "conv2.weight")->frozen && !named(net, "fc1.weight")->frozen);
    CHECK_EQUAL(hk_net_freeze(net, "fc1,fc9"), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "\"fc9\"; the net has: conv1, conv2, fc1, fc2");
    hk_net_free(net);
}

/* ---- Files ---------------------------------------------------------------------------------- */

static char *file_in(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-%s", (int)getpid(), name);
    return path;
}

/* Running statistics and thresholds away from their start. */
static void stir(hk_net *net)
{
    for (int i = 0; i < net->n_tensors; i++) {
        hk_tensor *t = net->tensors[i];
        if (t->role == HKI_STATE || t->role == HKI_LEARNED)
            fill(t->value, hki_count(&t->shape, 1), (uint64_t)i);
    }
}

static void saved_nets_come_back(void)
{
    const char *path = file_in("round.safetensors");
    hk_net *net = hk_net_new(.activation = "lgb+fc1=prelu", .seed = 1);
    hk_tensor *out = small_net(net);
    start_net(out);
    stir(net);
    char before[65], after[65];
    hk_net_digest(net, before);
    CHECK_EQUAL(hk_net_save(out, path, "small:width=8"), HK_OK);
    hk_net *copy = hk_net_new(.activation = "lgb+fc1=prelu", .seed = 2);
    hk_tensor *copy_out = small_net(copy);
    int missing = -1;
    CHECK_EQUAL(hk_net_load_weights(copy, path, &missing), HK_OK);
    CHECK_EQUAL(missing, 0);
    hk_net_digest(copy, after);
    CHECK_TEXT(after, before);
    float x[360], y[2][5];
    fill(x, 360, 8);
    CHECK_EQUAL(hk_net_predict(out, 1, x, y[0]), HK_OK);
    CHECK_EQUAL(hk_net_predict(copy_out, 1, x, y[1]), HK_OK);
    CHECK(!memcmp(y[0], y[1], sizeof y[0]));

    hk_saved saved;
    CHECK_EQUAL(hk_net_peek(path, &saved), HK_OK);
    CHECK_TEXT(saved.model, "small:width=8");
    CHECK_TEXT(saved.activation, "lgb+fc1=prelu");
    CHECK_TEXT(saved.normalization, "batch_norm");
    CHECK(saved.height == 12 && saved.width == 10 && saved.channels == 3 && saved.classes == 5);
    hk_net_free(net);
    hk_net_free(copy);
    unlink(path);
}

/* What a plan prepared from the weights does not outlive them. */
static void predictions_follow_the_weights(void)
{
    const char *path = file_in("follow.safetensors");
    hk_net *net = hk_net_new(.seed = 1), *other = hk_net_new(.seed = 2);
    hk_tensor *out = small_net(net), *other_out = small_net(other);
    float x[360], first[5], y[2][5];
    fill(x, 360, 8);
    CHECK_EQUAL(hk_net_predict(out, 1, x, first), HK_OK);
    CHECK_EQUAL(hk_net_predict(other_out, 1, x, y[0]), HK_OK);
    CHECK(memcmp(first, y[0], sizeof first));
    CHECK_EQUAL(hk_net_save(other_out, path, NULL), HK_OK);
    CHECK_EQUAL(hk_net_load_weights(net, path, NULL), HK_OK);
    CHECK_EQUAL(hk_net_predict(out, 1, x, y[1]), HK_OK);
    CHECK(!memcmp(y[0], y[1], sizeof y[0]));

    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.output = out}, &plan), HK_OK);
    float *weight = hk_plan_value(plan, named(net, "conv1.weight"));
    for (int turn = 0; turn < 2; turn++) { /* written long after it was handed out */
        weight[0] += 1;
        CHECK_EQUAL(hk_net_predict(out, 1, x, y[turn]), HK_OK);
    }
    CHECK(memcmp(y[0], y[1], sizeof y[0]));
    hk_plan_free(plan);
    hk_net_free(net);
    hk_net_free(other);
    unlink(path);
}

static void another_activation_starts_anew(void)
{
    const char *path = file_in("other.safetensors");
    hk_net *net = hk_net_new(.activation = "lgb", .seed = 1);
    hk_tensor *out = small_net(net);
    start_net(out);
    stir(net);
    CHECK_EQUAL(hk_net_save(out, path, NULL), HK_OK);
    hk_net *other = hk_net_new(.activation = "prelu");
    hk_tensor *other_out = small_net(other);
    int missing;
    CHECK_EQUAL(hk_net_load_weights(other, path, &missing), HK_OK);
    CHECK_EQUAL(missing, 3); /* a slope for each activation */
    CHECK_NEAR(named(other, "conv1.act.slope")->value[0], 0.25, 0);
    CHECK(named(other, "fc1.weight")->value[3] == named(net, "fc1.weight")->value[3]);
    CHECK(named(other, "conv1.norm.running_var")->value[3] ==
          named(net, "conv1.norm.running_var")->value[3]);
    float x[360] = {0}, y[5];
    CHECK_EQUAL(hk_net_predict(other_out, 1, x, y), HK_OK);
    hk_net_free(net);
    hk_net_free(other);
    unlink(path);
}

/* A file that does not fit changes nothing. */
static void wrong_files_are_refused(void)
{
    const char *path = file_in("wrong.safetensors");
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *out = hk_linear(hk_act(hk_linear(hk_input(net, 4), 3)), 2);
    CHECK_EQUAL(hk_net_save(out, path, NULL), HK_OK);
    for (int i = 0; i < 3; i++) {
        hk_net *other = hk_net_new(.normalization = "none", .seed = 9);
        hk_tensor *y = hk_act(hk_linear(hk_input(other, 4), i == 0 ? 7 : 3));
        y = i == 1 ? y : hk_linear(y, 2);
        y = i == 2 ? hk_linear(y, 2) : y;
        char before[65], after[65];
        hk_net_digest(other, before);
        CHECK_EQUAL(hk_net_load_weights(other, path, NULL), HK_BAD_DATA);
        static const char *const parts[] = {"fc1.weight has shape [4, 3], the net expects [4, 7]",
                                            "holds tensor fc2.weight", "has no tensor fc3.weight"};
        CHECK_CONTAINS(hk_message(), parts[i]);
        hk_net_digest(other, after);
        CHECK_TEXT(after, before);
        hk_net_free(other);
    }
    CHECK_EQUAL(hk_net_load_weights(net, file_in("absent"), NULL), HK_BAD_DATA);
    CHECK_EQUAL(hk_net_save(out, "/nonesuch/file", NULL), HK_IO);
    hk_net_free(net);
    unlink(file_in("wrong.safetensors"));
}

/* ---- Prediction ----------------------------------------------------------------------------- */

enum { IMAGES = 70, PIXELS = 12 * 10 * 3, CALLERS = 8 };

typedef struct caller {
    hk_tensor *logits;
    const float *x;
    float y[IMAGES * 5];
    hk_status status;
    pthread_t thread;
} caller;

static void *predict(void *user)
{
    caller *c = user;
    for (int i = 0; i < 3; i++)
        c->status = c->status ? c->status : hk_net_predict(c->logits, IMAGES, c->x, c->y);
    return NULL;
}

/* On a net that no plan has filled yet, too. */
static void many_threads_predict_alike(void)
{
    static caller callers[CALLERS];
    static float x[IMAGES * PIXELS], y[IMAGES * 5];
    hk_net *net = hk_net_new(.activation = "swish", .seed = 1);
    hk_tensor *out = small_net(net);
    fill(x, IMAGES * PIXELS, 1);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller){.logits = out, .x = x};
        CHECK_EQUAL(pthread_create(&callers[i].thread, NULL, predict, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i].thread, NULL);
    CHECK_EQUAL(hk_net_predict(out, IMAGES, x, y), HK_OK);
    for (int i = 0; i < CALLERS; i++) {
        CHECK_EQUAL(callers[i].status, HK_OK);
        CHECK(!memcmp(callers[i].y, y, sizeof y));
    }
    CHECK_EQUAL(hk_net_predict(out, 0, x, y), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_net_predict(NULL, 1, x, y), HK_BAD_ARGUMENT);
    hk_net_free(net);
}

/* ---- Plugins in a graph --------------------------------------------------------------------- */

static void weights_are_normalized(void)
{
    hk_net *net = hk_net_new(.normalization = "none", .seed = 1);
    hk_tensor *x = hk_input(net, 9), *y = hk_linear(x, 6, .weight_norm = "spectral_norm");
    hk_tensor *used = y->inputs[1], *loss = hk_mean(hk_mul(y, y), HK_ALL_AXES);
    hk_plan *plan;
    hk_plan_options options = {.batch = 4, .training = 1, .loss = loss, .keep = &used, .n_keep = 1};
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    fill(hk_plan_value(plan, x), 36, 1);
    for (int step = 0; step < 200; step++) {
        CHECK_EQUAL(hk_plan_forward(plan, 4), HK_OK);
        hk_plan_commit(plan);
    }
    /* the largest singular value, by power iteration in double */
    const float *w = hk_plan_value(plan, used);
    double u[6] = {1, -1, 1, 1, -1, 1}, v[9], size = 0;
    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < 9; i++) {
            v[i] = 0;
            for (int j = 0; j < 6; j++)
                v[i] += (double)w[i * 6 + j] * u[j];
        }
        size = 0;
        for (int j = 0; j < 6; j++) {
            u[j] = 0;
            for (int i = 0; i < 9; i++)
                u[j] += (double)w[i * 6 + j] * v[i];
            size += u[j] * u[j];
        }
        for (int j = 0; j < 6; j++)
            u[j] /= sqrt(size);
    }
    CHECK_NEAR(sqrt(sqrt(size)), 1, 1e-4);
    CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
    CHECK(hk_plan_gradient(plan, named(net, "fc1.weight"))[0] != 0);
    hk_plan_free(plan);
    hk_net_free(net);
}

static void channels_may_change(void)
{
    hk_net *net = hk_net_new(.activation = "crelu+conv1=glu", .seed = 2);
    hk_tensor *x = hk_input(net, 4, 4, 3), *y = hk_act(x); /* away from the kink at 0 */
    expect_shape(y, HK_SHAPE(HK_BATCH, 4, 4, 6));
    y = hk_act(hk_norm(hk_conv(y, 8, 3)));
    expect_shape(y, HK_SHAPE(HK_BATCH, 4, 4, 4));
    y = hk_linear(hk_global_avgpool(y), 3);
    hk_tensor *leaves[] = {x, named(net, "conv1.weight"), named(net, "conv1.norm.gamma")};
    gradient_check("crelu and glu", y, leaves, 3, 2, 0.15f, 1.9f, 1e-2);
    CHECK(!hk_act(hk_conv(x, 7, 3), .use = "glu"));
    CHECK_CONTAINS(hk_message(), "glu cannot work on 7 channels");
    hk_net_free(net);
}

/* A kink or jump at a multiple of 0.05 between 0.15 and 1.9, or minus that: differences say nothing
 * there. Slots differ, so that learned bends are found. */
static bool bends(const hk_plugin *plugin)
{
    double p[HK_MAX_PARAMS] = {0}, t[HK_MAX_SLOTS] = {0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4};
    if (!plugin->activation || !plugin->activation->value)
        return false;
    for (int i = 0; plugin->params && plugin->params[i].name; i++)
        p[i] = plugin->params[i].value;
    for (int i = -38; i <= 38; i++) {
        double slopes[2];
        for (int side = 0; side < 2; side++) {
            hk_scalar64 at = {.x = i / 20.0 + (side ? 1e-6 : -1e-6), .p = p, .t = t};
            at.y = plugin->activation->value(&at);
            slopes[side] = plugin->activation->slope(&at);
        }
        if (abs(i) >= 3 && fabs(slopes[1] - slopes[0]) > 0.01)
            return true;
    }
    return false;
}

/* The differences see one random mask, since the key belongs to the step; surrogates are not the
 * derivative on purpose. Shapes: an image, one channel, an odd number. */
static void check_plugin(const hk_plugin_info *info, void *user)
{
    const hk_plugin *plugin = info->plugin;
    const bool is_norm = plugin->kind == HK_NORMALIZATION;
    int *count = user;
    hk_context context = {.params = (double[HK_MAX_PARAMS]){0}};
    if ((plugin->activation && plugin->activation->traits & HK_SURROGATE) || bends(plugin))
        return;
    if (is_norm && (!strcmp(plugin->name, "none") ||
                    plugin->normalization->domain(&context) == HK_OVER_WEIGHT))
        return;
    const hk_shape shapes[] = {HK_SHAPE(HK_BATCH, 5, 4, 6), HK_SHAPE(HK_BATCH, 1),
                               HK_SHAPE(HK_BATCH, 17)};
    for (int s = 0; s < 3; s++)
        for (int64_t batch = 1; batch <= 3; batch += 2) {
            char spec[64];
            bool in_groups = is_norm && !strcmp(plugin->name, "group_norm");
            snprintf(spec, sizeof spec, "%s%s", plugin->name,
                     !in_groups ? ""
                     : s == 0   ? ":groups=3"
                                : ":groups=1");
            hk_net *net = hk_net_new(.seed = 3);
            hk_tensor *x = hk_input_shaped(net, shapes[s]);
            hk_tensor *y = is_norm ? hk_norm(x, .use = spec) : hk_act(x, .use = spec);
            hk_tensor *leaves[GRADIENT_MAX_LEAVES] = {x};
            int n = 1;
            if (!y && plugin->activation && plugin->activation->channels_out) {
                CHECK_CONTAINS(hk_message(), "cannot work on"); /* glu of an odd number */
                hk_net_free(net);
                continue;
            }
            for (int i = 1; y && i < y->n_inputs && n < GRADIENT_MAX_LEAVES; i++)
                if (y->inputs[i]->role == HKI_LEARNED)
                    leaves[n++] = y->inputs[i];
            char what[96];
            snprintf(what, sizeof what, "%s, shape %d, batch %d", spec, s, (int)batch);
            gradient_check(what, y, leaves, n, batch, 0.15f, 1.9f, 5e-3);
            if (!is_norm)
                gradient_check(what, hk_act(hk_neg(x), .use = spec), &x, 1, batch, 0.15f, 1.9f,
                               5e-3);
            hk_net_free(net);
            ++*count;
        }
}

static void bad_file(const char *file, const char *reason, void *user)
{
    (void)user;
    check_case_failed++;
    printf("%s: %s\n", file, reason);
}

static void every_plugin_has_a_true_gradient(void)
{
    int count = 0;
    CHECK_EQUAL(hk_plugin_each(HK_ACTIVATION, check_plugin, bad_file, &count), HK_OK);
    CHECK(count >= 6 * 70);
    CHECK_EQUAL(hk_plugin_each(HK_NORMALIZATION, check_plugin, bad_file, &count), HK_OK);
    CHECK(count >= 6 * 75);
}

/* Where nothing is kept, gradients take the place of gradients: no bit may change. */
static void check_in_place(const hk_plugin_info *info, void *user)
{
    float gradients[2][4 * 6];
    (void)user;
    for (int kept = 0; kept < 2; kept++) {
        hk_net *net =
            hk_net_new(.normalization = "none", .activation = info->plugin->name, .seed = 3);
        hk_tensor *x = hk_input(net, 4), *y = hk_linear(x, 6), *z = hk_act(y);
        hk_tensor *loss = hk_mean(hk_exp(hk_scale(z, 0.5)), HK_ALL_AXES), *all[] = {y, z};
        hk_plan *plan;
        CHECK_EQUAL(
            hk_plan_new(
                net,
                &(hk_plan_options){
                    .batch = 9, .training = 1, .loss = loss, .keep = all, .n_keep = kept ? 2 : 0},
                &plan),
            HK_OK);
        fill(hk_plan_value(plan, x), 36, 2);
        CHECK_EQUAL(hk_plan_forward(plan, 9), HK_OK);
        CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
        memcpy(gradients[kept], named(net, "fc1.weight")->gradient, sizeof gradients[kept]);
        hk_plan_free(plan);
        hk_net_free(net);
    }
    CHECK(!memcmp(gradients[0], gradients[1], sizeof gradients[0]));
}

static void every_activation_works_in_place(void)
{
    CHECK_EQUAL(hk_plugin_each(HK_ACTIVATION, check_in_place, bad_file, NULL), HK_OK);
}

/* A file of data must not be able to say which code to load. */
static void files_name_plugins_by_name_alone(void)
{
    char spec[600], dir[] = "/tmp/hillock-XXXXXX", path[64];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/net", dir);
    snprintf(spec, sizeof spec, "%s/leaky_relu.so:slope=0.25+fc1=%s/tanh.so", HILLOCK_PLUGIN_DIR,
             HILLOCK_PLUGIN_DIR);
    hk_net *net = hk_net_new(.activation = spec);
    CHECK(net != NULL);
    CHECK_TEXT(hk_net_activation(net), "leaky_relu:slope=0.25+fc1=tanh");
    hk_tensor *y = hk_linear(hk_act(hk_linear(hk_input(net, 2), 3)), 2);
    hk_saved saved;
    CHECK_EQUAL(hk_net_save(y, path, "mlp"), HK_OK);
    CHECK_EQUAL(hk_net_peek(path, &saved), HK_OK);
    CHECK_TEXT(saved.activation, "leaky_relu:slope=0.25+fc1=tanh");
    hk_net_free(net);

    const float value = 1;
    const hki_st_tensor tensor = {.name = "x", .ndim = 1, .dims = {1}, .data = &value};
    const hki_st_meta meta = {"hk.activation", "./evil.so"};
    CHECK_EQUAL(hki_st_write(path, &tensor, 1, &meta, 1), HK_OK);
    CHECK_EQUAL(hk_net_peek(path, &saved), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "names the plugin ./evil.so by its path");
    unlink(path);
    rmdir(dir);
}

/* Each reason has its own sentence. */
static void names_are_refused_for_a_reason(void)
{
    char longest[HK_MAX_LAYER_NAME + 1], name[300];
    memset(longest, 'n', sizeof longest);
    longest[HK_MAX_LAYER_NAME] = '\0';
    memset(name, 'n', sizeof name);
    name[299] = '\0';
    hk_net *net = hk_net_new();
    hk_tensor *x = hk_linear(hk_input(net, 2), 3, .name = "taken");
    const char *const layers[][2] = {{"", "has 1 to 63 characters, not 0"},
                                     {longest, "has 1 to 63 characters, not 64"},
                                     {"\x1b[31m", "character 1 has the code 27"},
                                     {"caf\xc3\xa9", "character 4 has the code 195"},
                                     {"a+b", "without + = ~ and comma"},
                                     {"taken", "already has a layer named taken"}};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        CHECK(!hk_linear(x, 3, .name = layers[i][0]));
        CHECK_CONTAINS(hk_message(), layers[i][1]);
    }
    CHECK(!hk_parameter(net, name, HK_SHAPE(2), "zeros"));
    CHECK_CONTAINS(hk_message(), "has 1 to 239 characters, not 299");
    CHECK(!hk_parameter(net, "taken.weight", HK_SHAPE(2), "constant"));
    CHECK_CONTAINS(hk_message(), "already has a tensor named taken.weight");
    CHECK(hk_parameter(net, "a tilde~", HK_SHAPE(2), "zeros") != NULL);
    CHECK(!hk_parameter(net, NULL, HK_SHAPE(2), "constant"));
    CHECK_EQUAL(hk_last_status(), HK_BAD_ARGUMENT);
    name[239] = '\0';
    CHECK(hk_parameter(net, name, HK_SHAPE(2), "constant") != NULL);
    name[63] = '\0';
    CHECK_EQUAL(hk_net_freeze(net, "taken,not"), HK_UNKNOWN_NAME);
    CHECK_EQUAL(hk_net_freeze(net, name), HK_UNKNOWN_NAME); /* and not the one it begins with */
    hk_net_free(net);
}

/* What an hk_saved has no room for is neither written nor cut. */
static void long_texts_are_refused(void)
{
    char path[] = "test_net_long.safetensors", text[HK_MAX_SPEC + 1];
    memset(text, 'm', sizeof text);
    text[HK_MAX_SPEC] = '\0';
    hk_net *net = hk_net_new();
    hk_tensor *y = hk_linear(hk_input(net, 2), 2);
    hk_saved saved;
    CHECK_EQUAL(hk_net_save(y, path, text), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "hk.model has 4096 bytes, at most 4095");
    CHECK(access(path, F_OK) != 0);
    const hki_st_meta meta = {"hk.normalization", text};
    CHECK_EQUAL(hki_st_write(path, NULL, 0, &meta, 1), HK_OK);
    CHECK_EQUAL(hk_net_peek(path, &saved), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "hk.normalization has 4096 bytes, at most 4095");
    text[HK_MAX_SPEC - 1] = '\0';
    CHECK_EQUAL(hk_net_save(y, path, text), HK_OK);
    CHECK_EQUAL(hk_net_peek(path, &saved), HK_OK);
    CHECK_TEXT(saved.model, text);
    unlink(path);
    hk_net_free(net);
}

typedef struct counts {
    int64_t products[2], bytes[2];
} counts;

static void count(const hk_step_info *info, void *user)
{
    counts *counted = user;
    counted->products[info->back] += info->multiply_adds;
    counted->bytes[info->back] += info->bytes;
}

/* Back, the first layer has the gradient of its weight alone, the second that of its input, too. */
static void profile_counts_products(void)
{
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *y = hk_linear(hk_linear(hk_input(net, 5), 7), 3), *loss = hk_sum(y, HK_ALL_AXES);
    hk_plan_options options = {.batch = 2, .training = 1, .loss = loss};
    hk_plan *plan = NULL;
    counts counted = {0};
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    hk_plan_profile(plan, count, &counted);
    CHECK(plan && hk_plan_forward(plan, 2) == HK_OK && hk_plan_backward(plan) == HK_OK);
    CHECK_EQUAL(counted.products[0], 2 * (5 * 7 + 7 * 3));
    CHECK_EQUAL(counted.products[1], 2 * (5 * 7 + 2 * 7 * 3));
    hk_plan_free(plan);
    hk_net_free(net);
}

static counts counts_of(hk_net *net, hk_plan_options options)
{
    hk_plan *plan = NULL;
    counts counted = {0};
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    hk_plan_profile(plan, count, &counted);
    CHECK(plan && hk_plan_forward(plan, options.batch) == HK_OK);
    CHECK(!options.loss || hk_plan_backward(plan) == HK_OK);
    hk_plan_free(plan);
    return counted;
}

/* Two layers that meet in the cache, counted by hand: each pass over a tensor of a sample, and filters. */
static void profile_counts_bytes(void)
{
    enum {
        PLACES = 8 * 8,
        X = PLACES * 4,
        A = PLACES * 4,
        B = PLACES * 6,
        F = 9 * 4,
        G = 4 * 6,
        N = 2
    };
    hk_net *net = hk_net_new(.seed = 1, .activation = "relu", .normalization = "batch_norm");
    hk_tensor *x = hk_input(net, 8, 8, 4);
    hk_tensor *a = hk_act(hk_norm(hk_conv(x, 4, 3, .groups = 4, .no_bias = 1)));
    hk_tensor *b = hk_act(hk_norm(hk_conv(a, 6, 1, .no_bias = 1))), *loss = hk_sum(b, HK_ALL_AXES);
    const counts predicts = counts_of(net, (hk_plan_options){.batch = N, .output = b});
    CHECK_EQUAL(predicts.products[0], N * (PLACES * F + PLACES * G));
    CHECK_EQUAL(predicts.bytes[0], 4 * (N * (X + B) + F + G)); /* a is never stored */
    const counts trains =
        counts_of(net, (hk_plan_options){.batch = N, .training = 1, .loss = loss});
    /* x, in, in, y of a and b; b and the loss of the sum */
    CHECK_EQUAL(trains.bytes[0], 4 * (N * (X + 3 * A + A + 3 * B + B) + F + G + 1));
    CHECK_EQUAL(trains.bytes[1],
                4 * (/* the sum: loss, db */ 1 + N * B +
                     /* b: db, y, in, dz; dz, in, din; din, da with the in and y of a; din, a */
                     N * (4 * B + 3 * B + B + A + 2 * A + B + A) + 2 * G +
                     /* a: dz, in, din; din, x */ N * (3 * A + A + X) + F));
    hk_net_free(net);
}

int main(void)
{
    setenv("HILLOCK_PLUGIN_PATH", HILLOCK_PLUGIN_DIR, 1);
    RUN(words_name_and_infer);
    RUN(words_take_names_and_refuse);
    RUN(layers_may_have_their_own_activation);
    RUN(weights_know_what_follows);
    RUN(same_seed_same_weights);
    RUN(digest_sees_every_bit);
    RUN(frozen_layers_are_named);
    RUN(saved_nets_come_back);
    RUN(predictions_follow_the_weights);
    RUN(another_activation_starts_anew);
    RUN(wrong_files_are_refused);
    RUN(many_threads_predict_alike);
    RUN(weights_are_normalized);
    RUN(channels_may_change);
    RUN(every_plugin_has_a_true_gradient);
    RUN(every_activation_works_in_place);
    RUN(files_name_plugins_by_name_alone);
    RUN(names_are_refused_for_a_reason);
    RUN(long_texts_are_refused);
    RUN(profile_counts_products);
    RUN(profile_counts_bytes);
    return check_result();
}
