/* Training: the same bits for any number of threads and across a stop, rules that learn, reports
 * that say what is so, and failures that are told. Small nets on small glyphs. */
#include <hillock/hillock.h>
#include <stdlib.h>
#include <unistd.h>
#include "check.h"
#include "nn/nn.h"

static hk_data *train_set, *test_set;

static void open_data(void)
{
    CHECK_EQUAL(hk_data_open("glyphs:train=101,test=40,size=14", &train_set, &test_set), HK_OK);
    if (!train_set)
        printf("  %s\n", hk_message());
}

static hk_tensor *named(const hk_net *net, const char *name)
{
    for (int i = 0; i < net->n_tensors; i++)
        if (!strcmp(hk_tensor_name(net->tensors[i]), name))
            return net->tensors[i];
    return NULL;
}

/* Everything that has a state or a random number in it. */
static hk_tensor *busy_net(uint64_t seed)
{
    hk_net *net = hk_net_new(.activation = "prelu+conv2=lgb", .seed = seed);
    hk_tensor *x = hk_input(net, 14, 14, 1);
    x = hk_maxpool(hk_act(hk_norm(hk_conv(x, 8, 3))), 2);
    x = hk_channel_dropout(hk_act(hk_norm(hk_conv(x, 12, 3))), 0.1);
    x = hk_dropout(hk_act(hk_linear(x, 24)), 0.2);
    return hk_linear(x, 10);
}

static hk_tensor *plain_net(uint64_t seed)
{
    hk_net *net = hk_net_new(.normalization = "none", .seed = seed);
    return hk_linear(hk_act(hk_linear(hk_input(net, 14, 14, 1), 32)), 10);
}

static void free_net_of(hk_tensor *logits)
{
    hk_net_free(hk_tensor_net(logits));
}

/* ---- The same bits -------------------------------------------------------------------------- */

static void train_and_digest(uint64_t seed, char digest[65])
{
    hk_tensor *logits = busy_net(seed);
    hk_epoch_report report;
    CHECK_EQUAL(hk_fit(logits, &report, .train = train_set, .test = test_set, .epochs = 2,
                       .batch = 50, .augment = "crop=1,flip", .seed = seed),
                HK_OK);
    CHECK_EQUAL(report.epoch, 2);
    hk_net_digest(hk_tensor_net(logits), digest);
    free_net_of(logits);
}

/* The last batch of an epoch is a single image. */
static void threads_change_no_bit(void)
{
    char first[65], again[65];
    for (int threads = 1; threads <= 4; threads++) {
        hk_set_threads(threads);
        train_and_digest(7, threads == 1 ? first : again);
        if (threads > 1)
            CHECK_TEXT(again, first);
    }
    hk_set_threads(2);
    train_and_digest(7, again);
    CHECK_TEXT(again, first);
    train_and_digest(8, again);
    CHECK(strcmp(again, first) != 0);
}

static int stop_after_two(const hk_epoch_report *report, void *user)
{
    (void)user;
    return report->epoch == 2;
}

static void resuming_changes_no_bit(void)
{
    static const char *const optimizers[] = {"adam:lr=0.002", "sgd:lr=0.05,momentum=0.9,nesterov=1",
                                             "rmsprop:lr=0.001", "sgd:lr=0.1"};
    char path[64], through[65], resumed[65];
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-resume", (int)getpid());
    for (int o = 0; o < 4; o++) {
        hk_train_options options = {.train = train_set,
                                    .test = o ? NULL : test_set,
                                    .epochs = 4,
                                    .batch = 50,
                                    .optimizer = optimizers[o],
                                    .seed = 3,
                                    .schedule = "step:every=1,factor=0.5",
                                    .augment = "crop=2",
                                    .clip = 1};
        hk_tensor *logits = busy_net(3);
        hk_trainer *trainer;
        CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
        CHECK_EQUAL(hk_trainer_run(trainer), HK_OK);
        hk_net_digest(hk_tensor_net(logits), through);
        hk_trainer_free(trainer);
        free_net_of(logits);

        logits = busy_net(3);
        options.epoch = stop_after_two;
        CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
        CHECK_EQUAL(hk_trainer_run(trainer), HK_STOPPED);
        CHECK_EQUAL(hk_trainer_save(trainer, path, "busy"), HK_OK);
        hk_trainer_free(trainer);
        free_net_of(logits);

        logits = busy_net(3);
        options.epoch = NULL;
        CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
        CHECK_EQUAL(hk_trainer_resume(trainer, path), HK_OK);
        CHECK_EQUAL(hk_trainer_run(trainer), HK_OK);
        CHECK_EQUAL(hk_trainer_report(trainer)->epoch, 4);
        CHECK_NEAR(hk_trainer_report(trainer)->rate, 0.125, 1e-12);
        hk_net_digest(hk_tensor_net(logits), resumed);
        CHECK_TEXT(resumed, through);
        hk_trainer_free(trainer);
        free_net_of(logits);
    }
    unlink(path);
}

/* What does not fit is refused and changes nothing. */
static void wrong_resumes_are_refused(void)
{
    static const struct {
        const char *optimizer;
        int batch;
        const char *sentence;
    } cases[] = {{"sgd:lr=0.1", 50, "was trained with optimizer adam"},
                 {"adam", 20, "resume with the same data and batch"}};
    char path[64], before[65], after[65];
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-wrong", (int)getpid());
    hk_tensor *logits = plain_net(1);
    hk_trainer *trainer;
    hk_train_options options = {.train = train_set, .batch = 50};
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_run(trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_save(trainer, path, NULL), HK_OK);
    hk_trainer_free(trainer);
    for (int i = 0; i < 3; i++) {
        hk_tensor *other = plain_net(2);
        options.optimizer = i < 2 ? cases[i].optimizer : NULL;
        options.batch = i < 2 ? cases[i].batch : 50;
        if (i == 2)
            CHECK_EQUAL(hk_net_save(logits, path, NULL), HK_OK); /* a net alone */
        CHECK_EQUAL(hk_trainer_new(other, &options, &trainer), HK_OK);
        hk_net_digest(hk_tensor_net(other), before);
        CHECK_EQUAL(hk_trainer_resume(trainer, path), HK_BAD_DATA);
        CHECK_CONTAINS(hk_message(), i < 2 ? cases[i].sentence : "holds no training to resume");
        hk_net_digest(hk_tensor_net(other), after);
        CHECK_TEXT(after, before);
        hk_trainer_free(trainer);
        free_net_of(other);
    }
    free_net_of(logits);
    unlink(path);
}

/* ---- The best epoch -------------------------------------------------------------------------- */

typedef struct course {
    hk_net *net;
    int best, stop;
    char digest[65]; /* of the best epoch */
    hk_best_epoch figures;
} course;

static int follow(const hk_epoch_report *report, void *user)
{
    course *c = user;
    if (report->best.epoch == report->epoch)
        hk_net_digest(c->net, c->digest);
    c->figures = report->best;
    return report->epoch == c->stop;
}

/* Up to `stop`, from `from` or from the start; into `to` at the end. */
static course train_course(hk_train_options options, int stop, const char *from, const char *to,
                           char digest[65])
{
    hk_tensor *logits = busy_net(3);
    course c = {.net = hk_tensor_net(logits), .stop = stop};
    hk_trainer *trainer;
    options.epoch = follow;
    options.user = &c;
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
    if (from)
        CHECK_EQUAL(hk_trainer_resume(trainer, from), HK_OK);
    CHECK_EQUAL(hk_trainer_run(trainer), stop ? HK_STOPPED : HK_OK);
    if (to)
        CHECK_EQUAL(hk_trainer_save(trainer, to, NULL), HK_OK);
    c.best = hk_trainer_report(trainer)->epoch;
    hk_net_digest(c.net, digest);
    hk_trainer_free(trainer);
    free_net_of(logits);
    return c;
}

/* A rate so high that later epochs are worse: the net is that of the best one, also in the file, and
 * when training is interrupted after it. */
static void the_best_epoch_is_kept(void)
{
    char path[64], through[65], now[65];
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-best", (int)getpid());
    hk_train_options options = {.train = train_set,
                                .validation = test_set,
                                .epochs = 12,
                                .batch = 10,
                                .optimizer = "adam:lr=0.2",
                                .seed = 3,
                                .keep_best = 1};
    course all = train_course(options, 0, NULL, NULL, through);
    CHECK(all.figures.epoch > 0 && all.figures.epoch < 12);
    CHECK_TEXT(through, all.digest);

    options.keep_best = 0;
    train_course(options, 0, NULL, NULL, now);
    CHECK(strcmp(now, through) != 0); /* the last epoch is another */

    options.keep_best = 1;
    for (int stop = 1; stop < 12; stop += 5) {
        course half = train_course(options, stop, NULL, path, now);
        hk_tensor *logits = busy_net(5);
        CHECK_EQUAL(hk_net_load_weights(hk_tensor_net(logits), path, NULL), HK_OK);
        hk_net_digest(hk_tensor_net(logits), now);
        CHECK_TEXT(now, half.digest);
        free_net_of(logits);
        course rest = train_course(options, 0, path, path, now);
        CHECK_TEXT(now, through);
        CHECK_EQUAL(rest.figures.epoch, all.figures.epoch);
        CHECK_NEAR(rest.figures.loss, all.figures.loss, 0);
    }
    options.keep_best = 0; /* the last epoch's net is in the file, too */
    options.epochs = 14;
    train_course(options, 0, NULL, NULL, through);
    train_course(options, 0, path, NULL, now);
    CHECK_TEXT(now, through);
    unlink(path);
}

static void patience_ends(void)
{
    char path[64], digest[65], now[65];
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-patience", (int)getpid());
    hk_train_options options = {.train = train_set,
                                .validation = test_set,
                                .epochs = 30,
                                .batch = 10,
                                .optimizer = "adam:lr=0.05",
                                .seed = 3,
                                .patience = 3};
    course all = train_course(options, 0, NULL, NULL, digest);
    CHECK(all.best < 30);
    CHECK_EQUAL(all.best, all.figures.epoch + 3);
    train_course(options, all.best - 1, NULL, path, now);
    course rest = train_course(options, 0, path, path, now);
    CHECK_EQUAL(rest.best, all.best);
    CHECK_TEXT(now, digest);
    rest = train_course(options, 0, path, NULL, now); /* it has ended */
    CHECK_EQUAL(rest.best, all.best);
    CHECK_TEXT(now, digest);

    options.keep_best = 1;
    hk_tensor *logits = busy_net(3);
    hk_trainer *trainer;
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_resume(trainer, path), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "was trained without keeping the best epoch");
    hk_trainer_free(trainer);
    options.doctor = "reset";
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "exclude each other");
    options.validation = NULL;
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "patience needs a validation set");
    options.patience = -1;
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_BAD_ARGUMENT);
    free_net_of(logits);
    unlink(path);
}

/* ---- Learning ------------------------------------------------------------------------------- */

static void every_rule_learns(void)
{
    static const char *const rules[] = {
        "sgd:lr=0.05", "sgd:lr=0.02,momentum=0.9", "sgd:lr=0.02,momentum=0.9,nesterov=1,decay=1e-4",
        "adam",        "adamw:decay=0.1",          "rmsprop:lr=0.001"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        hk_tensor *logits = plain_net(1);
        hk_epoch_report first, last;
        CHECK_EQUAL(hk_fit(logits, &first, .train = train_set, .batch = 20, .optimizer = rules[i]),
                    HK_OK);
        CHECK_EQUAL(hk_fit(logits, &last, .train = train_set, .batch = 20, .epochs = 4,
                           .optimizer = rules[i]),
                    HK_OK);
        if (!(last.train_loss < 0.8 * first.train_loss))
            printf("  %s: from %g to %g\n", rules[i], first.train_loss, last.train_loss);
        CHECK(last.train_loss < 0.8 * first.train_loss);
        free_net_of(logits);
    }
}

/* Targets of 0.91 and nine times 0.01 leave an entropy of 0.5003 at best. */
static void smoothing_bounds_the_loss(void)
{
    hk_tensor *logits = plain_net(1);
    hk_epoch_report report;
    CHECK_EQUAL(hk_fit(logits, &report, .train = train_set, .batch = 20, .epochs = 40,
                       .smoothing = 0.1, .optimizer = "adam:lr=0.005"),
                HK_OK);
    CHECK(report.train_loss > 0.5 && report.train_loss < 0.7);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .smoothing = 1), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "smoothing 1");
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .clip = (double)NAN), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "clip nan");
    free_net_of(logits);
}

/* By one measure: what hk_evaluate says of the same samples, whatever the training loss is made of. */
static void training_is_measured_as_validation_is(void)
{
    hk_tensor *logits = plain_net(1);
    hk_epoch_report report;
    hk_evaluation seen;
    CHECK_EQUAL(hk_fit(logits, &report, .train = train_set, .validation = train_set, .batch = 20,
                       .epochs = 2, .smoothing = 0.1),
                HK_OK);
    CHECK_EQUAL(hk_evaluate(logits, train_set, &seen), HK_OK);
    CHECK_EQUAL(report.training.n, seen.total.n);
    CHECK_NEAR(report.training.loss, seen.total.loss, 0);
    CHECK_NEAR(report.training.accuracy, seen.total.accuracy, 0);
    CHECK(report.train_loss > report.training.loss);
    hk_evaluation_clear(&seen);
    CHECK_EQUAL(hk_fit(logits, &report, .train = train_set, .validation = test_set), HK_OK);
    CHECK_EQUAL(report.training.n, hk_data_shape_of(test_set).n);
    CHECK_EQUAL(hk_fit(logits, &report, .train = train_set), HK_OK);
    CHECK_EQUAL(report.training.n, 0);
    free_net_of(logits);
}

/* One sample in ten is of class 1, and pixels say nothing: without weights the net answers with the shares
 * of the classes, with balanced ones with one half. */
static void balanced_weights_even_out_classes(void)
{
    enum { N = 100 };
    float x[N] = {0}, y[2];
    int32_t labels[N];
    double weights[3];
    hk_data *data;
    for (int i = 0; i < N; i++)
        labels[i] = i % 10 == 0;
    CHECK_EQUAL(hk_data_from_arrays(N, 1, 1, 1, 3, x, labels, &data), HK_OK);
    CHECK_EQUAL(hk_class_weights(data, weights), HK_OK);
    CHECK_NEAR(weights[0], 100.0 / (2 * 90), 1e-12);
    CHECK_NEAR(weights[1], 100.0 / (2 * 10), 1e-12);
    CHECK_NEAR(weights[2], 1, 0); /* does not occur */
    for (int weighted = 0; weighted < 2; weighted++) {
        hk_net *net = hk_net_new(.normalization = "none");
        hk_tensor *logits = hk_linear(hk_input(net, 1, 1, 1), 3);
        float z[3];
        CHECK_EQUAL(hk_fit(logits, NULL, .train = data, .epochs = 300, .batch = 100,
                           .optimizer = "adam:lr=0.05", .class_weights = weighted ? weights : NULL),
                    HK_OK);
        CHECK_EQUAL(hk_net_predict(logits, 1, x, z), HK_OK);
        y[weighted] = 1 / (1 + expf(z[0] - z[1])); /* of class 1 among the two */
        hk_net_free(net);
    }
    CHECK_NEAR(y[0], 0.1, 0.01);
    CHECK_NEAR(y[1], 0.5, 0.01);
    hk_tensor *logits = plain_net(1);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set,
                       .class_weights = (double[10]){1, 1, 1, 1, 1, 1, 1, -1, 1, 1}),
                HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "the weight of class 7 is -1");
    free_net_of(logits);
    hk_data_free(data);
}

static double distance(const float *a, const float *b, int64_t n)
{
    double square = 0;
    for (int64_t i = 0; i < n; i++)
        square += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(square);
}

/* y = w x, loss = sum(y): the gradient of w is x, of norm 5. */
static void clipping_limits_the_norm(void)
{
    const double clips[] = {0, 2, 100}, wanted[] = {5, 2, 5};
    for (int i = 0; i < 3; i++) {
        hk_net *net = hk_net_new(.normalization = "none");
        hk_tensor *x = hk_input(net, 2), *w = hk_parameter(net, "w", HK_SHAPE(2), "constant");
        hk_tensor *loss = hk_sum(hk_mul(x, w), HK_ALL_AXES);
        hk_optimizer *optimizer;
        hk_plan *plan;
        CHECK_EQUAL(hk_optimizer_new(net, "sgd:lr=1", &optimizer), HK_OK);
        hk_tensor *later = hk_parameter(net, "later", HK_SHAPE(1000), "constant");
        CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.loss = loss, .training = 1}, &plan),
                    HK_OK);
        memcpy(hk_plan_value(plan, x), (float[]){3, 4}, 2 * sizeof(float));
        float before[2];
        memcpy(before, hk_plan_value(plan, w), sizeof before);
        CHECK_EQUAL(hk_plan_forward(plan, 1), HK_OK);
        CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
        hk_optimizer_step(optimizer, plan, 1, clips[i]);
        CHECK_NEAR(distance(before, hk_plan_value(plan, w), 2), wanted[i], 1e-5);
        CHECK(hk_plan_value(plan, later)[0] == 0); /* recorded after the optimizer was made */
        hk_plan_free(plan);
        hk_optimizer_free(optimizer);
        hk_net_free(net);
    }
}

static void frozen_layers_stay(void)
{
    hk_tensor *logits = busy_net(4);
    hk_net *net = hk_tensor_net(logits);
    char unused[65];
    hk_net_digest(net, unused); /* first values */
    float weight[72], mean[8], slope[8], free_weight[10];
    memcpy(weight, named(net, "conv1.weight")->value, sizeof weight);
    memcpy(mean, named(net, "conv1.norm.running_mean")->value, sizeof mean);
    memcpy(slope, named(net, "conv1.act.slope")->value, sizeof slope);
    memcpy(free_weight, named(net, "fc2.weight")->value, sizeof free_weight);
    CHECK_EQUAL(hk_net_freeze(net, "conv1"), HK_OK);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .batch = 50,
                       .optimizer = "adamw:decay=0.1", .clip = 1),
                HK_OK);
    CHECK(!memcmp(weight, named(net, "conv1.weight")->value, sizeof weight));
    CHECK(!memcmp(slope, named(net, "conv1.act.slope")->value, sizeof slope));
    CHECK(memcmp(mean, named(net, "conv1.norm.running_mean")->value, sizeof mean) != 0);
    CHECK(memcmp(free_weight, named(net, "fc2.weight")->value, sizeof free_weight) != 0);
    free_net_of(logits);
}

/* ---- State ---------------------------------------------------------------------------------- */

static void thresholds_move_in_commit_alone(void)
{
    hk_net *net = hk_net_new(.normalization = "none", .activation = "lgb", .seed = 1);
    hk_tensor *x = hk_input(net, 5), *y = hk_act(hk_linear(x, 6)), *loss = hk_sum(y, HK_ALL_AXES);
    hk_plan *training, *evaluation;
    CHECK_EQUAL(
        hk_plan_new(net, &(hk_plan_options){.batch = 4, .training = 1, .loss = loss}, &training),
        HK_OK);
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = 4, .output = y}, &evaluation), HK_OK);
    hk_tensor *theta = named(net, "fc1.act.theta");
    float start[6], moved[6];
    for (int i = 0; i < 20; i++)
        hk_plan_value(training, x)[i] = hk_plan_value(evaluation, x)[i] = (float)(i % 7) - 3;
    memcpy(start, theta->value, sizeof start);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(hk_plan_forward(training, 4), HK_OK);
        CHECK_EQUAL(hk_plan_backward(training), HK_OK);
    }
    CHECK(!memcmp(start, theta->value, sizeof start));
    hk_plan_commit(training);
    memcpy(moved, theta->value, sizeof moved);
    CHECK(memcmp(start, moved, sizeof moved) != 0);
    CHECK_EQUAL(hk_plan_forward(evaluation, 4), HK_OK);
    hk_plan_commit(evaluation);
    CHECK(!memcmp(moved, theta->value, sizeof moved));
    hk_plan_free(training);
    hk_plan_free(evaluation);
    hk_net_free(net);
}

/* ---- What reports say ----------------------------------------------------------------------- */

typedef struct shares {
    hk_layer_report layer;
    int n_layers;
    int64_t probed;
} shares;

static int take_shares(const hk_epoch_report *report, void *user)
{
    shares *out = user;
    out->n_layers = report->n_layers;
    out->probed = report->probed;
    out->layer = report->layers[0];
    return 0;
}

/* A layer of four units whose input is 0 but for its biases; nothing moves at a rate of 0. */
static shares shares_of(const char *activation, const float biases[4], const hk_data *validation)
{
    hk_net *net = hk_net_new(.normalization = "none", .activation = activation);
    hk_tensor *x = hk_input(net, 14, 14, 1);
    hk_tensor *logits = hk_linear(hk_act(hk_linear(x, 4, .init = "constant")), 10);
    char unused[65];
    shares out = {0};
    hk_net_digest(net, unused);
    memcpy(named(net, "fc1.bias")->value, biases, 4 * sizeof *biases);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .validation = validation,
                       .optimizer = "sgd:lr=0", .epoch = take_shares, .user = &out),
                HK_OK);
    CHECK_EQUAL(out.n_layers, 1);
    CHECK_TEXT(out.layer.layer, "fc1");
    CHECK_EQUAL(out.layer.units, 4);
    hk_net_free(net);
    return out;
}

static void shares_are_exact(void)
{
    static const struct {
        const char *activation;
        float biases[4];
        double dead, gradient_dead, saturated;
    } cases[] = {
        {"relu", {1, 2, -1e6f, 3}, 0.25, 0.25, 0},
        {"relu", {-1, -2, -1e6f, -3}, 1, 1, 0},
        {"identity", {1, -2, 3, 0}, 0.5, 0, 0},
        {"prelu", {1, -2, 3, -4}, 0.5, 0, 0},
        {"sigmoid", {0, 100, 0.5f, -0.5f}, 0, 0.25, 0.25},
        {"tanh", {1, -5, 5, 0.5f}, 0.25, 0.5, 0.5}, /* 1 - tanh(5)^2 = 1.8e-4 */
        {"relu6", {3, 7, -7, 1}, 0.25, 0.5, 0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shares s = shares_of(cases[i].activation, cases[i].biases, test_set);
        CHECK_NEAR(s.layer.never_positive, cases[i].dead, 0);
        CHECK_NEAR(s.layer.gradient_dead, cases[i].gradient_dead, 0);
        CHECK_NEAR(s.layer.saturated, cases[i].saturated, 0);
        CHECK_EQUAL(s.probed, 33); /* 32 and one for every 64 of training */
    }
    CHECK_EQUAL(shares_of("relu", (float[4]){1, 1, 1, 1}, NULL).probed, 33);
}

/* One position of one image is enough to be alive: dead is a channel that is off in all maps. */
static void dead_channels_of_images(void)
{
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *x = hk_input(net, 14, 14, 1);
    hk_tensor *logits = hk_linear(hk_global_avgpool(hk_act(hk_conv(x, 8, 3))), 10);
    char unused[65];
    shares out;
    hk_net_digest(net, unused);
    named(net, "conv1.bias")->value[5] = -1e6f;
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .optimizer = "sgd:lr=0",
                       .epoch = take_shares, .user = &out),
                HK_OK);
    CHECK_NEAR(out.layer.dead, 0.125, 0);
    CHECK_NEAR(out.layer.gradient_dead, 0.125, 0);
    CHECK(out.layer.gradient_norm > 0);
    hk_net_free(net);
}

typedef struct seen {
    int calls, epochs;
    int64_t last_done;
    int stop_at_call;
} seen;

static int count_progress(const hk_progress *p, void *user)
{
    seen *s = user;
    CHECK(p->of == 101 && p->done <= p->of && p->images_per_s > 0 && p->seconds_left >= 0);
    CHECK(p->epoch >= 1 && p->epoch <= p->epochs && isfinite(p->loss));
    s->last_done = p->done;
    return ++s->calls == s->stop_at_call;
}

static int check_report(const hk_epoch_report *report, void *user)
{
    seen *s = user;
    CHECK_EQUAL(report->epoch, ++s->epochs);
    CHECK(report->test.n == 40 && report->validation.n == 0);
    CHECK(report->images_per_s > 0 && report->seconds > 0 && report->n_layers == 3);
    CHECK_TEXT(report->layers[1].layer, "conv2");
    for (int i = 0; i < 3; i++)
        CHECK(report->layers[i].gradient_norm > 0 && report->layers[i].dead <= 1);
    return 0;
}

static void reports_agree_with_evaluation(void)
{
    hk_tensor *logits = busy_net(5);
    seen s = {0};
    hk_epoch_report report;
    hk_evaluation found;
    CHECK_EQUAL(hk_fit(logits, &report, .train = train_set, .test = test_set, .epochs = 2,
                       .batch = 50, .progress = count_progress, .epoch = check_report, .user = &s),
                HK_OK);
    CHECK(s.calls == 2 * 3 && s.epochs == 2 && s.last_done == 101);
    CHECK_EQUAL(hk_evaluate(logits, test_set, &found), HK_OK);
    CHECK_NEAR(found.total.loss, report.test.loss, 0);
    CHECK_NEAR(found.total.accuracy, report.test.accuracy, 0);
    CHECK_NEAR(found.total.macro_f1, report.test.macro_f1, 0);
    hk_evaluation_clear(&found);
    free_net_of(logits);
}

static void callbacks_stop(void)
{
    hk_tensor *logits = busy_net(5);
    seen s = {.stop_at_call = 3};
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .batch = 50, .progress = count_progress,
                       .user = &s),
                HK_STOPPED);
    CHECK_CONTAINS(hk_message(), "stopped in epoch 1");
    CHECK_EQUAL(s.calls, 3);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .epochs = 5, .epoch = stop_after_two),
                HK_STOPPED);
    CHECK_CONTAINS(hk_message(), "after epoch 2");
    free_net_of(logits);
}

/* ---- What goes wrong ------------------------------------------------------------------------ */

static void divergence_is_told(void)
{
    hk_tensor *logits = plain_net(1);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .batch = 50, .optimizer = "sgd:lr=1e30"),
                HK_DIVERGED);
    CHECK_CONTAINS(hk_message(), "training diverged: the loss is");
    CHECK_CONTAINS(hk_message(), "in epoch 1, step ");
    free_net_of(logits);
}

static void what_does_not_fit_is_refused(void)
{
    hk_tensor *logits = plain_net(1);
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *small = hk_linear(hk_input(net, 13, 14, 1), 10);
    hk_tensor *few = hk_linear(hk_input(net, 14, 14, 1), 9);
    CHECK_EQUAL(hk_fit(small, NULL, .train = train_set), HK_BAD_SHAPE);
    CHECK_CONTAINS(hk_message(), "the net expects [batch, 13, 14, 1]");
    CHECK_EQUAL(hk_fit(few, NULL, .train = train_set), HK_BAD_SHAPE);
    CHECK_CONTAINS(hk_message(), "10 classes, the net's output is [batch, 9]");
    CHECK_EQUAL(hk_fit(logits, NULL, .epochs = 1), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .epochs = -1), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .optimizer = "adan"), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "adamw");
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .schedule = "steps"), HK_UNKNOWN_NAME);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .augment = "rotate"), HK_UNKNOWN_NAME);
    hk_trainer *trainer;
    CHECK_EQUAL(hk_trainer_new(NULL, &(hk_train_options){.train = train_set}, &trainer),
                HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_fit(logits, NULL, .train = train_set, .batch = 1000), HK_OK); /* one batch */
    hk_net_free(net);
    free_net_of(logits);
}

int main(void)
{
    setenv("HILLOCK_PLUGIN_PATH", HILLOCK_PLUGIN_DIR, 1);
    RUN(open_data);
    RUN(threads_change_no_bit);
    RUN(resuming_changes_no_bit);
    RUN(wrong_resumes_are_refused);
    RUN(the_best_epoch_is_kept);
    RUN(patience_ends);
    RUN(every_rule_learns);
    RUN(smoothing_bounds_the_loss);
    RUN(training_is_measured_as_validation_is);
    RUN(balanced_weights_even_out_classes);
    RUN(clipping_limits_the_norm);
    RUN(frozen_layers_stay);
    RUN(thresholds_move_in_commit_alone);
    RUN(shares_are_exact);
    RUN(dead_channels_of_images);
    RUN(reports_agree_with_evaluation);
    RUN(callbacks_stop);
    RUN(divergence_is_told);
    RUN(what_does_not_fit_is_refused);
    hk_data_free(train_set);
    hk_data_free(test_set);
    return check_result();
}
