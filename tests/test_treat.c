/* Treatments: the mean output, or the function, stays; the units can learn again; a treated net goes
 * wherever a net goes, and training with treatments gives the same bits. */
#include <hillock/doctor.h>
#include <hillock/hillock.h>
#include <stdlib.h>
#include <unistd.h>
#include "check.h"
#include "nn/nn.h"
#include "io/io.h"
#include "train/optimizer.h"

static hk_data *gray, *gray_test, *coloured, *coloured_test;
static const char *file_a = "test_treat_a.safetensors", *file_b = "test_treat_b.safetensors";

static void open_data(void)
{
    CHECK_EQUAL(hk_data_open("glyphs:train=300,test=60", &gray, &gray_test), HK_OK);
    CHECK_EQUAL(
        hk_data_open("glyphs:train=120,test=60,size=32,channels=3", &coloured, &coloured_test),
        HK_OK);
}

static hk_tensor *named(const hk_tensor *logits, const char *name)
{
    const hk_net *net = hk_tensor_net(logits);
    for (int i = 0; i < net->n_tensors; i++)
        if (!strcmp(hk_tensor_name(net->tensors[i]), name))
            return net->tensors[i];
    printf("no tensor %s\n", name);
    return NULL;
}

static hk_tensor *build(const char *model, const char *activation, const hk_data *data)
{
    hk_data_shape d = hk_data_shape_of(data);
    hk_net *net = hk_net_new(.activation = activation, .seed = 3);
    hk_tensor *logits = hk_model_build(net, model, d.height, d.width, d.channels, d.classes);
    CHECK(logits != NULL);
    if (!logits)
        printf("  %s\n", hk_message());
    return logits;
}

/* Trained for a moment, so that biases and running averages are what they are in earnest. */
static hk_tensor *trained(const char *model, const char *activation, const hk_data *data)
{
    hk_tensor *logits = build(model, activation, data);
    CHECK_EQUAL(
        hk_fit(logits, NULL, .train = data, .epochs = 1, .batch = 30, .seed = 1, .no_probes = 1),
        HK_OK);
    return logits;
}

static void free_net_of(hk_tensor *logits)
{
    hk_net_free(hk_tensor_net(logits));
}

/* Every other unit of a layer dies of its bias, or beta. */
static int64_t kill(hk_tensor *logits, const char *bias)
{
    hk_tensor *b = named(logits, bias);
    int64_t n = hk_tensor_shape(b).dims[0], killed = 0;
    for (int64_t i = 0; i < n; i += 2, killed++)
        b->value[i] = -30;
    return killed;
}

static int64_t kill_all(hk_tensor *logits, const char *const *biases)
{
    int64_t killed = 0;
    for (; *biases; biases++)
        killed += kill(logits, *biases);
    return killed;
}

static float *predict(hk_tensor *logits, const hk_data *data)
{
    hk_data_shape d = hk_data_shape_of(data);
    size_t pixels = (size_t)(d.height * d.width * d.channels);
    float *x = calloc((size_t)d.n * pixels, sizeof *x), *y = calloc((size_t)d.n * 10, sizeof *y);
    for (uint32_t i = 0; i < d.n; i++) {
        int32_t label;
        hk_data_read(data, &i, 1, x + i * pixels, &label);
    }
    CHECK_EQUAL(hk_net_predict(logits, d.n, x, y), HK_OK);
    free(x);
    return y;
}

/* The largest difference of a logit's mean, and of a logit, relative to the logits' size. */
static void compare(const float *a, const float *b, int64_t n, double *of_means, double *of_any)
{
    double size = 1;
    *of_means = *of_any = 0;
    for (int64_t i = 0; i < n * 10; i++) {
        size = fmax(size, fabs((double)a[i]));
        *of_any = fmax(*of_any, fabs((double)a[i] - (double)b[i]));
    }
    for (int j = 0; j < 10; j++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)a[i * 10 + j] - (double)b[i * 10 + j];
        *of_means = fmax(*of_means, fabs(sum / (double)n) / size);
    }
    *of_any /= size;
}

typedef struct outcome {
    int64_t killed, dead, treated;
    double of_means, of_any;
} outcome;

static outcome treat_damaged(const char *model, const hk_data *data, const char *const *biases,
                             const char *methods, hk_tensor **out)
{
    hk_tensor *logits = trained(model, "relu+conv2=relu", data);
    outcome it = {.killed = kill_all(logits, biases)};
    float *before = predict(logits, data), *after;
    hk_treatment *done;
    CHECK_EQUAL(hk_treat(logits, data, methods, NULL, &done), HK_OK);
    if (!done) {
        printf("  %s\n", hk_message());
        exit(1);
    }
    it.dead = done->dead;
    it.treated = done->treated;
    CHECK(done->shift < 1e-3);
    hk_treatment_free(done);
    after = predict(logits, data);
    compare(before, after, hk_data_shape_of(data).n, &it.of_means, &it.of_any);
    printf("  %s %s: %lld killed, %lld dead, %lld treated; means %.2g, any %.2g\n", model, methods,
           (long long)it.killed, (long long)it.dead, (long long)it.treated, it.of_means, it.of_any);
    free(before);
    free(after);
    *out = logits;
    return it;
}

/* Units through which no gradient goes; a method that fits none of them changes nothing. */
static int64_t dead_now(hk_tensor *logits, const hk_data *data)
{
    hk_examination *seen;
    CHECK_EQUAL(hk_examine(logits, data, NULL, &seen), HK_OK);
    int64_t dead =
        seen ? 0 : -1; /* units that are new get a gradient when what reads them is no longer 0 */
    for (int i = 0; seen && i < seen->n_layers; i++)
        dead += seen->layers[i].not_learning - seen->layers[i].causes[HK_CAUSE_READERS];
    hk_examination_free(seen);
    return dead;
}

static const char *const lenet5_biases[] = {"conv1.bias", "conv2.bias", "fc1.bias", "fc2.bias",
                                            NULL};
static const char *const simple_cnn_biases[] = {"conv1.bias", "conv2.bias", "fc1.bias", NULL};
/* Of the first convolution of blocks: its outputs go to the second one alone. */
static const char *const resnet20_biases[] = {"conv2.norm.beta", "conv6.norm.beta",
                                              "conv13.norm.beta", NULL};
/* With the stem, whose outputs go to an addition, too. */
static const char *const resnet20_more[] = {"conv1.norm.beta", "conv2.norm.beta",
                                            "conv13.norm.beta", NULL};

static void reset_keeps_the_mean_output(void)
{
    static const char *const models[] = {"lenet5", "simple_cnn", "resnet20"};
    const char *const *const biases[] = {lenet5_biases, simple_cnn_biases, resnet20_more};
    for (int i = 0; i < 3; i++) {
        hk_tensor *logits;
        const hk_data *data = i < 2 ? gray : coloured;
        outcome it =
            treat_damaged(models[i], data, biases[i], "reset:to=leaky_relu:slope=0.1", &logits);
        CHECK(it.dead >= it.killed);
        CHECK_EQUAL(it.treated, it.dead);
        CHECK(it.of_means <= 1e-5);
        CHECK(it.of_any > 1e-5); /* not the function */
        CHECK_CONTAINS(hk_net_activation(hk_tensor_net(logits)), "=relu~leaky_relu:slope=0.1");
        CHECK(dead_now(logits, data) <= it.dead / 10); /* others may have died of it */
        free_net_of(logits);
    }
}

static void redo_keeps_the_function(void)
{
    static const char *const models[] = {"lenet5", "simple_cnn", "resnet20"};
    const char *const *const biases[] = {lenet5_biases, simple_cnn_biases, resnet20_biases};
    for (int i = 0; i < 3; i++) {
        hk_tensor *logits;
        const hk_data *data = i < 2 ? gray : coloured;
        outcome it = treat_damaged(models[i], data, biases[i], "redo", &logits);
        CHECK(it.dead >= it.killed);
        CHECK(it.treated >= it.killed);
        CHECK(it.of_any <= 1e-5);
        CHECK(dead_now(logits, data) <= it.dead / 5);
        free_net_of(logits);
    }
}

static void swaps_that_change_slopes_alone_keep_every_bit(void)
{
    static const char *const methods[] = {"lgb_relu", "surrogate", "surrogate:to=helu,epochs=3"};
    for (int i = 0; i < 3; i++) {
        hk_tensor *logits;
        outcome it = treat_damaged("lenet5", gray, lenet5_biases, methods[i], &logits);
        CHECK_EQUAL(it.treated, it.dead);
        CHECK(it.of_any == 0);
        free_net_of(logits);
    }
}

/* Of relu's outputs a share q is above 0. */
static void bias_makes_a_share_fire(void)
{
    hk_tensor *logits;
    const char *const biases[] = {"conv1.bias", "fc1.bias", NULL};
    outcome it = treat_damaged("lenet5", gray, biases, "bias:q=0.25", &logits);
    hk_tensor *act = NULL;
    hk_net *net = hk_tensor_net(logits);
    for (int i = 0; i < net->n_tensors && !act; i++)
        if (net->tensors[i]->role == HKI_COMPUTED && hki_is_activation(net->tensors[i]))
            act = net->tensors[i];
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = 300, .output = act}, &plan), HK_OK);
    for (uint32_t i = 0; i < 300; i++) {
        int32_t label;
        hk_data_read(gray, &i, 1, hk_plan_value(plan, hk_tensor_input(logits)) + i * 784, &label);
    }
    CHECK_EQUAL(hk_plan_forward(plan, 300), HK_OK);
    for (int c = 0; c < 6; c += 2) {
        double fires = 0;
        for (int64_t r = 0; r < 300 * 784; r++)
            fires += hk_plan_value(plan, act)[r * 6 + c] > 0;
        CHECK_NEAR(fires / (300 * 784), 0.25, 0.01);
    }
    hk_plan_free(plan);
    CHECK(dead_now(logits, gray) <= it.dead / 10);
    free_net_of(logits);
}

/* ---- What cannot be done --------------------------------------------------------------------- */

static void refused(hk_tensor *logits, const char *methods, hk_status status, const char *part)
{
    hk_treatment *done;
    CHECK_EQUAL(hk_treat(logits, gray, methods, NULL, &done), status);
    CHECK(done == NULL);
    CHECK_CONTAINS(hk_message(), part);
}

static void wrong_use_is_told(void)
{
    hk_tensor *logits = build("lenet5", "relu", gray);
    refused(logits, "amputate", HK_UNKNOWN_NAME, "known: reset, lgb_relu, surrogate, redo, bias");
    refused(logits, "", HK_UNKNOWN_NAME, "known: reset, lgb_relu");
    refused(logits, "amputate:q=1", HK_UNKNOWN_NAME, "no treatment named \"amputate\"");
    refused(logits, "bias:q=0.1,q=0.2", HK_BAD_ARGUMENT, "q is given twice");
    refused(logits, "bias:p=1", HK_UNKNOWN_NAME, "known: q, every");
    refused(logits, "bias:q=2", HK_BAD_ARGUMENT, "q=2");
    refused(logits, "reset:to=nothing", HK_UNKNOWN_NAME, "nothing");
    refused(logits, "redo,bias:q=0.1,every=2", HK_BAD_ARGUMENT, "every= is for training");
    refused(NULL, "redo", HK_BAD_ARGUMENT, "logits is NULL");
    kill(logits, "fc1.bias");
    refused(logits, "reset:to=relu", HK_BAD_ARGUMENT, "they have this activation already");
    refused(logits, "reset:to=softmax", HK_BAD_ARGUMENT, "mixes channels");
    hk_treatment *done;
    CHECK_EQUAL(hk_treat(logits, gray, "redo", &(hk_treat_options){.inputs = -1}, &done),
                HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "a treatment of -1 inputs");
    CHECK_EQUAL(hk_treat(logits, coloured, "redo", NULL, &done), HK_BAD_SHAPE);
    CHECK_EQUAL(hk_treat(logits, gray, "surrogate,reset", NULL, &done), HK_OK);
    CHECK_CONTAINS(done->layers[0].note, "swapped to relu_bsilu before");
    hk_treatment_free(done);
    free_net_of(logits);

    logits = build("mlp:bias=0", "relu", gray);
    hk_tensor *w = named(logits, "fc1.weight");
    for (int64_t i = 0; i < hki_count(&w->shape, 1); i++)
        w->value[i] = 0;
    refused(logits, "bias", HK_BAD_ARGUMENT, "they have no bias");
    free_net_of(logits);
}

static void residual_outputs_are_left_alone(void)
{
    hk_tensor *logits = trained("resnet20", "relu", coloured);
    hk_treatment *done;
    kill(logits, "conv1.norm.beta");
    CHECK_EQUAL(hk_treat(logits, coloured, "redo", NULL, &done), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "conv1, by redo: add reads them");
    kill(logits, "conv2.norm.beta");
    CHECK_EQUAL(hk_treat(logits, coloured, "redo", NULL, &done), HK_OK);
    CHECK(done && done->n_layers >= 2 && done->treated < done->dead);
    CHECK_EQUAL(done->layers[0].treated, 0);
    CHECK_CONTAINS(done->layers[0].note, "add");
    hk_treatment_free(done);
    free_net_of(logits);
}

static void a_healthy_net_is_left_alone(void)
{
    hk_tensor *logits = build("lenet5", "leaky_relu", gray);
    char before[65], after[65];
    hk_treatment *done;
    hk_net_digest(hk_tensor_net(logits), before);
    CHECK_EQUAL(hk_treat(logits, gray, "reset:to=elu", NULL, &done), HK_OK);
    CHECK(done && done->dead == 0 && done->treated == 0 && !done->graph_changed);
    CHECK(done && done->inputs == 300);
    hk_treatment_free(done);
    hk_net_digest(hk_tensor_net(logits), after);
    CHECK_TEXT(after, before);
    CHECK_TEXT(hk_net_activation(hk_tensor_net(logits)), "leaky_relu");
    free_net_of(logits);
}

/* ---- Mixed activations ----------------------------------------------------------------------- */

/* Loss and gradients of a small net whose one activation is `spec`, `swapped` channels of it. */
static float *gradients(const char *spec, int swapped, const char *weight, double nudge,
                        float *loss)
{
    hk_net *net = hk_net_new(.activation = spec, .initializer = "normal:std=0.05", .seed = 5);
    hk_tensor *logits = hk_linear(hk_act(hk_linear(hk_input(net, 28, 28, 1), 16)), 10);
    hk_tensor *labels = hk_labels(net), *out = hk_cross_entropy(logits, labels, 0);
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = 8, .training = 1, .loss = out}, &plan),
                HK_OK);
    for (int c = 0; c < swapped; c++)
        named(logits, "fc1.act.swapped")->value[c] = 1;
    hk_tensor *w = named(logits, weight);
    w->value[3] += (float)nudge;
    for (uint32_t i = 0; i < 8; i++) {
        int32_t label;
        hk_data_read(gray, &i, 1, hk_plan_value(plan, hk_tensor_input(logits)) + i * 784, &label);
        hk_plan_value(plan, labels)[i] = (float)label;
    }
    CHECK_EQUAL(hk_plan_forward(plan, 8), HK_OK);
    CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
    *loss = *hk_plan_value(plan, out);
    size_t n = (size_t)hki_count(&w->shape, 1);
    float *copy = calloc(n, sizeof *copy);
    memcpy(copy, w->gradient, n * sizeof *copy);
    hk_plan_free(plan);
    hk_net_free(net);
    return copy;
}

static void an_override_of_no_or_all_channels_is_one_activation(void)
{
    for (int all = 0; all < 2; all++) {
        float loss, mixed_loss;
        float *pure = gradients(all ? "elu" : "silu", 0, "fc1.bias", 0, &loss);
        float *mixed = gradients("silu~elu", all ? 16 : 0, "fc1.bias", 0, &mixed_loss);
        CHECK(loss == mixed_loss && !memcmp(pure, mixed, 16 * sizeof *pure));
        free(pure);
        free(mixed);
    }
}

/* Both parts have learned slots. */
static void gradients_of_a_channel_override_are_right(void)
{
    static const char *const weights[] = {"fc1.bias", "fc1.act.slope", "fc1.act.other.slope"};
    for (int i = 0; i < 3; i++)
        for (int swapped = 2; swapped < 7;
             swapped += 4) { /* channel 3 is in part 0, then in part 1 */
            float high, low, loss;
            const double h = 1e-2;
            float *g = gradients("prelu~prelu", swapped, weights[i], 0, &loss);
            free(gradients("prelu~prelu", swapped, weights[i], h, &high));
            free(gradients("prelu~prelu", swapped, weights[i], -h, &low));
            CHECK_NEAR(g[3], ((double)high - (double)low) / (2 * h), 2e-4);
            free(g);
        }
}

/* ---- Files ----------------------------------------------------------------------------------- */

static hk_tensor *load(const char *path)
{
    hk_saved saved;
    CHECK_EQUAL(hk_net_peek(path, &saved), HK_OK);
    hk_net *net = hk_net_new(.activation = saved.activation, .seed = 77);
    hk_tensor *logits =
        hk_model_build(net, saved.model, saved.height, saved.width, saved.channels, saved.classes);
    int missing = -1;
    CHECK_EQUAL(hk_net_load_weights(net, path, &missing), HK_OK);
    CHECK_EQUAL(missing, 0);
    return logits;
}

static void a_treated_file_holds_all_of_it(void)
{
    hk_tensor *logits = build("lenet5", "relu", gray), *loaded;
    hk_trainer *trainer;
    hk_train_options options = {.train = gray, .epochs = 1, .batch = 30, .seed = 4};
    hk_treatment *done;
    char digest[65], other[65];
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_run(trainer), HK_OK);
    kill(logits, "conv1.bias");
    kill(logits, "fc2.bias");
    CHECK_EQUAL(hk_trainer_save(trainer, file_a, "lenet5"), HK_OK);
    hk_trainer_free(trainer);
    free_net_of(logits);

    loaded = load(file_a);
    CHECK_EQUAL(hk_treat_saved(loaded, gray, "reset:to=prelu", NULL, file_a, file_b, &done), HK_OK);
    CHECK(done && done->treated >= 45);
    hk_treatment_free(done);
    hk_net_digest(hk_tensor_net(loaded), digest);
    float *a = predict(loaded, gray);
    free_net_of(loaded);

    loaded = load(file_b);
    hk_net_digest(hk_tensor_net(loaded), other);
    CHECK_TEXT(other, digest);
    float *b = predict(loaded, gray);
    CHECK(!memcmp(a, b, 3000 * sizeof *a));
    free(a);
    free(b);

    options.epochs = 2;
    CHECK_EQUAL(hk_trainer_new(loaded, &options, &trainer), HK_OK);
    hk_status status = hk_trainer_resume(trainer, file_b);
    CHECK_EQUAL(status, HK_OK);
    if (status)
        printf("  %s\n", hk_message());
    CHECK_EQUAL(hk_trainer_run(trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_report(trainer)->epoch, 2);
    hk_trainer_free(trainer);
    free_net_of(loaded);
}

/* A file whose moments are not those of its net, as one could be written on purpose. */
static void moments_of_another_shape_are_refused(void)
{
    hk_tensor *logits = build("lenet5", "relu", gray);
    hk_trainer *trainer;
    hk_treatment *done = NULL;
    hki_st_file file;
    kill(logits, "fc2.bias");
    CHECK_EQUAL(hk_trainer_new(logits, &(hk_train_options){.train = gray}, &trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_save(trainer, file_a, "lenet5"), HK_OK);
    hk_trainer_free(trainer);
    CHECK_EQUAL(hki_st_read(file_a, &file), HK_OK);
    size_t n_meta = 0;
    for (size_t i = 0; i < file.n_meta; i++)
        if (strcmp(file.meta[i].key, "hk.digest") != 0 &&
            strcmp(file.meta[i].key, "hk.format") != 0)
            file.meta[n_meta++] = file.meta[i];
    for (size_t i = 0; i < file.n_tensors; i++)
        if (!strcmp(file.tensors[i].name, "optimizer.0.fc2.bias"))
            file.tensors[i].dims[0] = 1;
    CHECK_EQUAL(hki_st_write(file_a, file.tensors, file.n_tensors, file.meta, n_meta), HK_OK);
    hki_st_clear(&file);
    CHECK_EQUAL(hk_treat_saved(logits, gray, "redo", NULL, file_a, file_b, &done), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "tensor optimizer.0.fc2.bias is missing or has another shape");
    CHECK(!done);
    free_net_of(logits);
}

/* ---- Training -------------------------------------------------------------------------------- */

typedef struct told {
    int calls;
    int64_t treated;
    int first_epoch;
    int until; /* stop after this epoch */
    hk_trainer *trainer;
} told;

static int treated(const struct hk_treatment *done, int epoch, void *user)
{
    told *it = user;
    it->first_epoch = it->calls++ ? it->first_epoch : epoch;
    it->treated += done->treated;
    return 0;
}

static int after_epoch(const hk_epoch_report *report, void *user)
{
    const told *it = user;
    if (report->epoch == it->until)
        CHECK_EQUAL(hk_trainer_save(it->trainer, file_a, "lenet5"), HK_OK);
    return report->epoch == it->until;
}

/* Epochs `first` + 1 to `last` of four, with units killed from the start. */
static void train(const char *doctor, bool resumed, int last, told *it, char digest[65])
{
    hk_tensor *logits = resumed ? load(file_a) : build("lenet5", "relu", gray);
    hk_train_options options = {.train = gray,
                                .epochs = 4,
                                .batch = 30,
                                .seed = 4,
                                .user = it,
                                .doctor = doctor,
                                .treated = treated,
                                .epoch = after_epoch};
    it->until = last;
    CHECK_EQUAL(hk_trainer_new(logits, &options, &it->trainer), HK_OK);
    if (resumed) {
        CHECK_EQUAL(hk_trainer_resume(it->trainer, file_a), HK_OK);
    } else {
        kill(logits, "conv1.bias");
        kill(logits, "fc1.bias");
    }
    CHECK_EQUAL(hk_trainer_run(it->trainer), last ? HK_STOPPED : HK_OK);
    hk_net_digest(hk_tensor_net(logits), digest);
    hk_trainer_free(it->trainer);
    free_net_of(logits);
}

static void treated_training_gives_the_same_bits(void)
{
    static const char *const doctors[] = {"reset:to=prelu,every=1", "redo:every=2",
                                          "surrogate:epochs=2,every=1", "bias", "lgb_relu:every=2"};
    for (int i = 0; i < 5; i++) {
        char one[65], two[65], resumed[65];
        told a = {0}, b = {0}, c = {0};
        hk_set_threads(1);
        train(doctors[i], false, 0, &a, one);
        hk_set_threads(2);
        train(doctors[i], false, 2, &b, two);
        CHECK(strcmp(one, two) != 0);
        train(doctors[i], true, 0, &c, resumed);
        hk_set_threads(0);
        printf("  %s: %lld treated in %d treatments\n", doctors[i], (long long)a.treated, a.calls);
        CHECK_TEXT(resumed, one);
        CHECK(a.treated >= 63);
        CHECK_EQUAL(b.treated + c.treated, a.treated);
        CHECK_EQUAL(a.first_epoch, strstr(doctors[i], "every=2") ? 3 : 2);
    }
    told it = {0};
    hk_tensor *logits = build("lenet5", "relu", gray);
    CHECK_EQUAL(
        hk_trainer_new(logits, &(hk_train_options){.train = gray, .doctor = "pray"}, &it.trainer),
        HK_UNKNOWN_NAME);
    free_net_of(logits);
}

/* Swapped for two epochs, then relu again. */
static void a_surrogate_is_taken_back(void)
{
    hk_tensor *logits = trained("lenet5", "relu", gray);
    hk_treatment *done;
    kill(logits, "fc1.bias");
    CHECK_EQUAL(hk_treat(logits, gray, "surrogate:epochs=2", NULL, &done), HK_OK);
    hk_treatment_free(done);
    const hk_tensor *swapped = named(logits, "fc1.act.swapped");
    CHECK_NEAR(swapped->value[0], 2, 0);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = gray, .epochs = 1, .no_probes = 1), HK_OK);
    CHECK_NEAR(swapped->value[0], 1, 0);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = gray, .epochs = 2, .no_probes = 1), HK_OK);
    CHECK_NEAR(swapped->value[0], 0, 0);
    free_net_of(logits);
}

static void check_moments(const hk_optimizer *optimizer, const hk_tensor *of, int64_t element,
                          float expected)
{
    for (int64_t i = 0; i < optimizer->n_slices; i++)
        if (optimizer->slices[i].tensor == of && optimizer->slices[i].first == 0)
            for (int m = 0; m < 2; m++)
                CHECK_NEAR(optimizer->moments[m][optimizer->slices[i].moment + element], expected,
                           0);
}

static void the_optimizer_forgets_the_units(void)
{
    hk_tensor *logits = build("lenet5", "relu", gray);
    hk_optimizer *optimizer;
    hk_treatment *done;
    kill(logits, "fc1.bias");
    CHECK_EQUAL(hk_optimizer_new(hk_tensor_net(logits), "adam", &optimizer), HK_OK);
    int64_t n = hk_net_parameters(hk_tensor_net(logits));
    for (int64_t i = 0; i < n; i++)
        optimizer->moments[0][i] = optimizer->moments[1][i] = 1;
    hk_treat_options options = {.optimizer = optimizer};
    CHECK_EQUAL(hk_treat(logits, gray, "redo", &options, &done), HK_OK);
    CHECK(done && done->treated >= 60);
    check_moments(optimizer, named(logits, "fc1.weight"), 0, 0);
    check_moments(optimizer, named(logits, "fc1.bias"), 0, 0);
    check_moments(optimizer, named(logits, "fc2.weight"), 0, 0);
    check_moments(optimizer, named(logits, "fc3.weight"), 7, 1);
    hk_treatment_free(done);
    hk_optimizer_free(optimizer);
    free_net_of(logits);
}

int main(void)
{
    open_data();
    RUN(reset_keeps_the_mean_output);
    RUN(redo_keeps_the_function);
    RUN(swaps_that_change_slopes_alone_keep_every_bit);
    RUN(bias_makes_a_share_fire);
    RUN(wrong_use_is_told);
    RUN(residual_outputs_are_left_alone);
    RUN(a_healthy_net_is_left_alone);
    RUN(an_override_of_no_or_all_channels_is_one_activation);
    RUN(gradients_of_a_channel_override_are_right);
    RUN(a_treated_file_holds_all_of_it);
    RUN(moments_of_another_shape_are_refused);
    RUN(treated_training_gives_the_same_bits);
    RUN(a_surrogate_is_taken_back);
    RUN(the_optimizer_forgets_the_units);
    hk_data_free(gray);
    hk_data_free(gray_test);
    hk_data_free(coloured);
    hk_data_free(coloured_test);
    unlink(file_a);
    unlink(file_b);
    return check_result();
}
