/* Tests of models: what build() records, for images and parameters of many kinds, and whether that
 * trains. Whatever does not fit must end in a sentence of a layer's. */
#include "plugin/check/check.h"
#include "core/base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hillock/hillock.h>
#include <hillock/kernel.h>

enum { CLASSES = 10, MOST_FLOATS = 1 << 26, MOST_SIDE = 32 };

/* Records the model in a net that the caller frees. Sentences about what build() returned accuse it. */
static hk_tensor *record(hk_net *net, const char *spec, hk_data_shape images)
{
    check_begin_call("build", -1, images.height, images.width);
    hk_tensor *logits =
        hk_model_build(net, spec, images.height, images.width, images.channels, images.classes);
    check_end_call();
    if (!logits && strstr(hk_message(), "build() returned"))
        check_fail("%s, for images of %d x %d x %d in %d classes", hk_message(), images.height,
                   images.width, images.channels, images.classes);
    return logits;
}

static bool records(const char *spec, hk_data_shape images, int64_t most_floats)
{
    hk_net *net = hk_net_new(.most_floats = most_floats);
    const bool done = record(net, spec, images);
    hk_net_free(net);
    return done;
}

static hk_data_shape published(const char *spec)
{
    hk_data_shape images = {.classes = CLASSES};
    if (hk_model_images(spec, &images.height, &images.width, &images.channels) != HK_OK)
        check_fail("%s", hk_message());
    return images;
}

/* Its own images and the smallest must do; for others a sentence is an answer. */
void check_test_sizes(const subject *s)
{
    const char *name = s->plugin->name;
    const hk_model *model = s->plugin->model;
    const int least = model->smallest ? model->smallest : 1;
    const hk_data_shape own = {0, model->height, model->width, model->channels, CLASSES};
    const hk_data_shape must[] = {own,
                                  {0, least, least, model->channels, CLASSES},
                                  {0, model->height, model->width, model->channels, 1},
                                  {0, model->height, model->width, model->channels, 1000}};
    const hk_data_shape may[] = {{0, 1, 1, 1, 2},   {0, least, least + 1, 1, 2},
                                 {0, 33, 29, 1, 3}, {0, 7, 64, 4, 10},
                                 {0, 64, 64, 3, 5}, {0, 2 * model->height, model->width, 1, 10},
                                 {0, 32, 32, 3, 0}};
    for (size_t i = 0; i < sizeof must / sizeof *must; i++)
        if (!records(name, must[i], MOST_FLOATS))
            check_fail("%d x %d x %d in %d classes: %s", must[i].height, must[i].width,
                       must[i].channels, must[i].classes, hk_message());
    for (size_t i = 0; i < sizeof may / sizeof *may; i++)
        records(name, may[i], MOST_FLOATS);
    for (int side = least; side <= 16; side++) /* by ones */
        records(name, (hk_data_shape){0, side, side, model->channels, CLASSES}, MOST_FLOATS);
}

/* A setting much larger than the model is by default is refused in a sentence, which is quick. Layers that fit
 * together on no images are a fault of the setting's. */
void check_setting_of_model(const subject *s, const double *params)
{
    use *u = check_use_new(s->plugin, 1, 1);
    memcpy(u->params, params, sizeof u->params);
    const char *spec = check_spec_text(u);
    const int64_t most_floats = 2 * s->plugin->model->parameters + (1 << 22);
    hk_data_shape images = published(spec);
    if (records(spec, images, most_floats) || hk_last_status() != HK_BAD_SHAPE ||
        strstr(hk_message(), "may have only"))
        return;
    if (images.height != s->plugin->model->height)
        return; /* a parameter says of which size images are */
    images.height *= 8, images.width *= 8;
    if (!records(spec, images, 0) && hk_last_status() == HK_BAD_SHAPE)
        check_fail("%s, which its parameters allow: %s", spec, hk_message());
}

void check_test_count(const subject *s)
{
    hk_net *net = hk_net_new(.activation = "relu", .normalization = "batch_norm");
    const int64_t declared = s->plugin->model->parameters;
    const int64_t count =
        record(net, s->plugin->name, published(s->plugin->name)) ? hk_net_parameters(net) : -1;
    hk_net_free(net);
    if (count < 0)
        check_skip("it was not built");
    else if (!declared)
        check_warn("declares no number of parameters; it has .parameters = %lld", (long long)count);
    else if (count != declared)
        check_fail("has %lld parameters and declares %lld", (long long)count, (long long)declared);
}

enum { BATCH = 3, BUILDS = 4 };

/* Logits of images one at a time are those of the batch, but for roundings, and no probabilities. */
static void check_logits(hk_tensor *logits, int64_t pixels)
{
    float *x = check_guarded("images", BATCH * pixels), y[BATCH][CLASSES], one[CLASSES];
    double sum = 0;
    bool probabilities = true;
    for (int64_t i = 0; i < BATCH * pixels; i++)
        x[i] = hks_normal(1, (uint64_t)i);
    if (hk_net_predict(logits, BATCH, x, y[0]) != HK_OK) {
        check_fail("%s", hk_message());
        return;
    }
    for (int i = 0; i < BATCH && !check_has_failed(); i++) {
        hk_net_predict(logits, 1, x + i * pixels, one);
        for (int c = 0; c < CLASSES; c++) {
            if (fabsf(one[c] - y[i][c]) > 1e-3f * (1 + fabsf(y[i][c])))
                check_fail("class %d of an image has %.6g alone and %.6g in a batch of %d", c,
                           (double)one[c], (double)y[i][c], BATCH);
            probabilities &= y[i][c] >= 0;
            sum += (double)y[i][c];
        }
    }
    if (probabilities && fabs(sum - BATCH) < 1e-4)
        check_fail("build() returns probabilities, expected logits: the loss has the softmax");
}

void check_test_samples(const subject *s)
{
    const char *name = s->plugin->name;
    hk_data_shape images = published(name);
    int64_t parameters = 0;
    images.height = images.height < MOST_SIDE ? images.height : MOST_SIDE;
    images.width = images.width < MOST_SIDE ? images.width : MOST_SIDE;
    for (int i = 0; i < BUILDS && !check_has_failed(); i++) {
        const int mark = check_arrays_mark();
        hk_net *net = hk_net_new(.seed = 1, .most_floats = MOST_FLOATS);
        hk_tensor *logits = record(net, name, images);
        if (logits && i == 0)
            check_logits(logits, (int64_t)images.height * images.width * images.channels);
        if (i && hk_net_parameters(net) != parameters)
            check_fail("build() records %lld parameters, and %lld another time",
                       (long long)parameters, (long long)hk_net_parameters(net));
        parameters = hk_net_parameters(net);
        hk_net_free(net);
        check_arrays_release(mark);
    }
}

/* A model has memory from the framework alone: what is left of a net that was freed is the model's doing.
 * The first time, plugins are loaded, which stay. */
void check_test_leaks(const subject *s)
{
    const char *name = s->plugin->name;
    records(name, published(name), MOST_FLOATS);
    const size_t before = hki_live_blocks();
    records(name, published(name), MOST_FLOATS);
    const size_t after = hki_live_blocks();
    if (after > before)
        check_fail("keeps %zu blocks of memory each time it is built", after - before);
}

/* ---- Training ---------------------------------------------------------------------------------- */

enum { IMAGES = 4, EPOCHS = 4 };

static hk_data *noise(hk_data_shape of)
{
    const int64_t n = (int64_t)IMAGES * of.height * of.width * of.channels;
    float *x = malloc((size_t)n * sizeof *x);
    const int32_t labels[IMAGES] = {0, 1, 2, 3};
    hk_data *data = NULL;
    for (int64_t i = 0; x && i < n; i++)
        x[i] = hks_normal(1, (uint64_t)i);
    if (!x || hk_data_from_arrays(IMAGES, of.height, of.width, of.channels, CLASSES, x, labels,
                                  &data) != HK_OK)
        check_skip("no memory for images");
    free(x);
    return data;
}

/* losses[epoch - 1] */
static int keep_loss(const hk_epoch_report *report, void *user)
{
    double *losses = user;
    losses[report->epoch - 1] = report->train_loss;
    return 0;
}

static bool train(const char *name, hk_data *data, int threads, double losses[EPOCHS],
                  char digest[65])
{
    hk_net *net = hk_net_new(.seed = 1);
    hk_set_threads(threads);
    hk_tensor *logits = record(net, name, published(name));
    check_begin_call("build", -1, 0, 0);
    hk_status status =
        hk_fit(logits, NULL, .train = data, .epochs = EPOCHS, .batch = IMAGES, .no_probes = 1,
               .optimizer = "adam:lr=0.001", .epoch = keep_loss, .user = losses);
    check_end_call();
    if (status == HK_OK)
        hk_net_digest(net, digest);
    else
        check_fail("%d threads: %s", threads, hk_message());
    hk_net_free(net);
    hk_set_threads(0);
    return status == HK_OK;
}

/* Four images, a step an epoch. */
void check_test_training(const subject *s)
{
    const char *name = s->plugin->name;
    hk_data *data = noise(published(name));
    double losses[EPOCHS], lowest = HUGE_VAL;
    char digest[65], other[65];
    if (data && train(name, data, 1, losses, digest) && train(name, data, 4, losses, other)) {
        for (int i = 1; i < EPOCHS; i++)
            lowest = fmin(lowest, losses[i]);
        if (strcmp(digest, other) != 0)
            check_fail("one thread and four learn other bits");
        if (!(lowest < losses[0]))
            check_warn("the loss of %d images did not fall in %d steps: %g, then %g at best",
                       IMAGES, EPOCHS, losses[0], lowest);
    }
    hk_data_free(data);
}

/* Optimizer, schedule and augmentation of each recipe are understood. */
void check_test_recipes(const subject *s)
{
    const hk_recipe *rows = s->plugin->model->recipes;
    hk_data *data = rows ? noise(published(s->plugin->name)) : NULL;
    hk_net *net = hk_net_new();
    hk_tensor *logits = record(net, s->plugin->name, published(s->plugin->name));
    for (const hk_recipe *r = rows; logits && data && r && r->data; r++) {
        hk_trainer *trainer = NULL;
        const hk_recipe it = hk_model_recipe(s->plugin, r->data, r->most ? r->most : 1 << 20, 0);
        const hk_train_options how = {.train = data,
                                      .optimizer = it.optimizer,
                                      .schedule = it.schedule,
                                      .augment = it.augment,
                                      .epochs = it.epochs,
                                      .batch = 1};
        if (hk_trainer_new(logits, &how, &trainer) != HK_OK)
            check_fail("the recipe for \"%s\": %s", r->data, hk_message());
        hk_trainer_free(trainer);
    }
    hk_net_free(net);
    hk_data_free(data);
    if (!rows)
        check_skip("no recipes of its own");
}
