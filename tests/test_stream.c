/* Streams of tasks: what a task shows, the same bits however they are learned, measures against known
 * values. Four pixels by four, whose values say where they come from. */
#include <hillock/hillock.h>
#include <math.h>
#include <unistd.h>
#include "check.h"
#include "data/data.h"
#include "doctor/continual.h"
#include "doctor/examine.h"
#include "nn/nn.h"

enum { SIDE = 4, PIXELS = SIDE * SIDE, CLASSES = 5, IMAGES = 40 };

/* Pixel p of image i is 100 i + p, its class i % CLASSES. */
static hk_data *numbered(void)
{
    static float x[IMAGES * PIXELS];
    int32_t labels[IMAGES];
    hk_data *data = NULL;
    for (int i = 0; i < IMAGES * PIXELS; i++)
        x[i] = (float)(i / PIXELS * 100 + i % PIXELS);
    for (int i = 0; i < IMAGES; i++)
        labels[i] = i % CLASSES;
    CHECK_EQUAL(hk_data_from_arrays(IMAGES, SIDE, SIDE, 1, CLASSES, x, labels, &data), HK_OK);
    return data;
}

static hk_data *stream_of(const char *spec, uint64_t seed, int whole)
{
    hk_data *data = numbered();
    CHECK_EQUAL(hk_data_stream(data, spec, seed, whole), HK_OK);
    return data;
}

/* Where the pixels of an image come from, and which image it is. */
static int places_of(const hk_data *data, uint32_t image, int places[PIXELS], int32_t *label)
{
    float x[PIXELS];
    CHECK_EQUAL(hk_data_read(data, &image, 1, x, label), HK_OK);
    for (int p = 0; p < PIXELS; p++)
        places[p] = (int)x[p] % 100;
    return (int)x[0] / 100;
}

static bool is_permutation(const int *places, int n)
{
    int seen = 0;
    for (int p = 0; p < n; p++)
        seen |= 1 << places[p];
    return seen == (1 << n) - 1;
}

static void pixels_are_permuted(void)
{
    hk_data *train = stream_of("permute:tasks=3,images=10", 1, 0);
    hk_data *test = stream_of("permute:tasks=3,images=10", 1, 1);
    hk_data *other = stream_of("permute:tasks=3", 2, 0);
    int places[3][PIXELS], also[PIXELS], images[10];
    int32_t label;
    CHECK_EQUAL(hk_data_shape_of(train).n, 10);
    CHECK_EQUAL(hk_data_shape_of(test).n, IMAGES);
    for (int t = 0; t < 3; t++) {
        hki_data_show_task(train, t);
        hki_data_show_task(test, t);
        for (uint32_t i = 0; i < 10; i++) {
            const int image = places_of(train, i, i ? also : places[t], &label);
            CHECK_EQUAL(label, image % CLASSES);
            CHECK(i == 0 || !memcmp(also, places[t], sizeof also)); /* one for all images */
            CHECK(t == 0 || images[i] == image);                    /* which stay the same */
            images[i] = image;
        }
        CHECK(is_permutation(places[t], PIXELS));
        CHECK(t == 0 || memcmp(places[t], places[t - 1], sizeof also) != 0);
        places_of(test, 3, also, &label);
        CHECK(!memcmp(also, places[t], sizeof also));
    }
    places_of(other, 0, also, &label);
    CHECK(memcmp(also, places[0], sizeof also) != 0);
    hk_data_free(train);
    hk_data_free(test);
    hk_data_free(other);
}

static void classes_are_permuted(void)
{
    hk_data *data = stream_of("labels:tasks=4", 1, 0);
    int before[CLASSES] = {0}, answer[CLASSES], places[PIXELS], changes = 0;
    for (int t = 0; t < 4; t++) {
        hki_data_show_task(data, t);
        memset(answer, -1, sizeof answer);
        for (uint32_t i = 0; i < IMAGES; i++) {
            int32_t label;
            const int image = places_of(data, i, places, &label);
            for (int p = 0; p < PIXELS; p++)
                CHECK_EQUAL(places[p], p);
            CHECK(answer[image % CLASSES] < 0 || answer[image % CLASSES] == label);
            answer[image % CLASSES] = label;
        }
        CHECK(is_permutation(answer, CLASSES));
        changes += memcmp(answer, before, sizeof answer) != 0;
        memcpy(before, answer, sizeof answer);
    }
    CHECK(changes >= 3);
    CHECK_TEXT(hk_data_class_name(data, 3), "3");
    hk_data_free(data);
}

/* Two tasks take four of the five classes, then the next round begins. */
static void classes_come_in_turn(void)
{
    hk_data *data = stream_of("classes:tasks=6,per=2,images=9", 1, 0);
    CHECK_EQUAL(hk_data_shape_of(data).classes, 2);
    CHECK_EQUAL(hk_data_shape_of(data).n, 8);
    for (int t = 0, seen = 0; t < 6; t++) {
        int count[2] = {0}, of[2] = {-1, -1}, places[PIXELS];
        hki_data_show_task(data, t);
        seen = t % 2 ? seen : 0;
        for (uint32_t i = 0; i < 8; i++) {
            int32_t label;
            const int class = places_of(data, i, places, &label) % CLASSES;
            CHECK(label == 0 || label == 1);
            CHECK(of[label] < 0 || of[label] == class);
            of[label] = class;
            count[label]++;
        }
        CHECK(count[0] == 4 && count[1] == 4 && of[0] != of[1]);
        CHECK(!(seen & (1 << of[0] | 1 << of[1])));
        seen |= 1 << of[0] | 1 << of[1];
    }
    hk_data_free(data);
}

static void wrong_streams_are_refused(void)
{
    static const struct {
        const char *spec, *sentence;
    } cases[] = {
        {"shuffle", "no stream named \"shuffle\"; known: permute, labels, classes"},
        {"permute:per=2", "\"permute\" has no parameter \"per\"; known: tasks, images"},
        {"labels:tasks=0", "tasks=0 is outside [1, 1000000]"},
        {"permute:images=41", "images=41, expected 1..40"},
        {"classes:per=6", "per=6, expected at most the 5 classes"},
        {"classes:per=3,images=2", "images=2, expected 3..24"},
    };
    hk_data *data = numbered(), *part = NULL;
    int64_t tasks;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(hk_data_stream(data, cases[i].spec, 1, 0) != HK_OK);
        CHECK_CONTAINS(hk_message(), cases[i].sentence);
        CHECK_EQUAL(hk_data_shape_of(data).n, IMAGES);
    }
    CHECK_EQUAL(hk_stream_tasks("shuffle", &tasks), HK_UNKNOWN_NAME);
    CHECK_EQUAL(hk_stream_tasks("classes:tasks=7", &tasks), HK_OK);
    CHECK_EQUAL(tasks, 7);
    CHECK_EQUAL(hk_data_stream(data, "permute", 1, 0), HK_OK);
    CHECK_EQUAL(hk_data_stream(data, "permute", 1, 0), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_split(data, 0.5, 1, &part), HK_BAD_ARGUMENT);
    hk_data_free(data);
}

/* ---- Learning ------------------------------------------------------------------------------------ */

static hk_tensor *net_of(int classes)
{
    hk_net *net = hk_net_new(.seed = 5);
    return hk_linear(hk_act(hk_linear(hk_input(net, SIDE, SIDE, 1), 8)), classes);
}

static void free_net_of(hk_tensor *logits)
{
    hk_net_free(hk_tensor_net(logits));
}

static int stop_after_two(const hk_epoch_report *report, void *user)
{
    (void)user;
    return report->epoch == 2;
}

/* Through a stream, or to its middle and from there on. */
static void learn(const char *stream, int classes, int parts, const char *doctor, bool in_two,
                  char digest[65])
{
    hk_data *data = stream_of(stream, 1, 0);
    char path[64];
    hk_train_options options = {
        .train = data, .epochs = 4, .batch = 8, .parts = parts, .doctor = doctor};
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-stream", (int)getpid());
    for (int part = 0; part <= in_two; part++) {
        hk_tensor *logits = net_of(classes);
        hk_trainer *trainer = NULL;
        options.epoch = in_two && !part ? stop_after_two : NULL;
        CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
        if (part)
            CHECK_EQUAL(hk_trainer_resume(trainer, path), HK_OK);
        CHECK_EQUAL(hk_trainer_run(trainer), options.epoch ? HK_STOPPED : HK_OK);
        if (options.epoch)
            CHECK_EQUAL(hk_trainer_save(trainer, path, "own"), HK_OK);
        hk_net_digest(hk_tensor_net(logits), digest);
        hk_trainer_free(trainer);
        free_net_of(logits);
    }
    unlink(path);
    hk_data_free(data);
}

static void nothing_changes_a_bit(void)
{
    static const struct {
        const char *spec;
        int classes;
        const char *doctor;
    } streams[] = {{"permute:tasks=4", CLASSES, NULL},
                   {"labels:tasks=4", CLASSES, "redo"},
                   {"classes:tasks=4", 2, NULL},
                   {"permute:tasks=4", CLASSES, "continual:rate=0.05,maturity=3"}};
    for (size_t i = 0; i < 4; i++) {
        const char *doctor = streams[i].doctor;
        char one[65], other[65];
        hk_set_threads(1);
        learn(streams[i].spec, streams[i].classes, 0, doctor, false, one);
        hk_set_threads(2);
        learn(streams[i].spec, streams[i].classes, 0, doctor, false, other);
        CHECK_TEXT(other, one);
        learn(streams[i].spec, streams[i].classes, 0, doctor, true, other);
        CHECK_TEXT(other, one);
        learn(streams[i].spec, streams[i].classes, 2, doctor, false, one);
        hk_set_threads(1);
        learn(streams[i].spec, streams[i].classes, 2, doctor, true, other);
        CHECK_TEXT(other, one);
    }
}

static void another_stream_is_not_resumed(void)
{
    hk_data *data = stream_of("permute:tasks=4", 1, 0), *plain = numbered();
    hk_tensor *logits = net_of(CLASSES);
    hk_train_options options = {.train = data, .epochs = 1};
    hk_trainer *trainer = NULL;
    char path[64];
    snprintf(path, sizeof path, "/tmp/hillock-test-%d-other", (int)getpid());
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_save(trainer, path, "own"), HK_OK);
    hk_trainer_free(trainer);
    options.train = plain;
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_OK);
    CHECK_EQUAL(hk_trainer_resume(trainer, path), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "was trained with stream permute:tasks=4, not none");
    hk_trainer_free(trainer);
    options = (hk_train_options){.train = data, .epochs = 5};
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "the stream has 4 tasks");
    unlink(path);
    free_net_of(logits);
    hk_data_free(data);
    hk_data_free(plain);
}

/* In one batch nothing is learned before the answers: they are those of the new net. */
static void answers_come_before_learning(void)
{
    hk_data *data = stream_of("labels:tasks=1", 1, 0);
    hk_tensor *logits = net_of(CLASSES);
    hk_evaluation before;
    hk_epoch_report report;
    CHECK_EQUAL(hk_evaluate(logits, data, &before), HK_OK);
    CHECK_EQUAL(hk_fit(logits, &report, .train = data, .batch = IMAGES), HK_OK);
    CHECK_NEAR(report.online_accuracy, before.total.accuracy, 1e-12);
    hk_evaluation_clear(&before);
    free_net_of(logits);
    hk_data_free(data);
}

/* Features of a net without an activation, whose first weight says what they are. */
static void measures_are_right(void)
{
    hk_net *net = hk_net_new(.activation = "identity");
    hk_tensor *x = hk_act(hk_linear(hk_input(net, SIDE, SIDE, 1), 2)),
              *logits = hk_linear(x, CLASSES);
    hk_data *data = stream_of("permute:tasks=1", 1, 0);
    hk_epoch_report report;
    CHECK_EQUAL(hk_fit(logits, &report, .train = data, .optimizer = "sgd:lr=1e-30"), HK_OK);
    double sum = 0, n = 0, rank;
    float features[IMAGES * 2];
    for (int i = 0; i < net->n_tensors; i++) {
        const hk_tensor *w = net->tensors[i];
        for (int64_t k = 0;
             w->role == HKI_LEARNED && w->shape.ndim == 2 && k < hki_count(&w->shape, 1); k++, n++)
            sum += fabs((double)w->value[k]);
    }
    CHECK_NEAR(report.weight_magnitude, sum / n, 1e-12);
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = IMAGES, .output = x}, &plan), HK_OK);
    hki_data_images(data, 0, IMAGES, hk_plan_value(plan, hk_tensor_input(logits)));
    CHECK_EQUAL(hk_plan_forward(plan, IMAGES), HK_OK);
    memcpy(features, hk_plan_value(plan, x), sizeof features);
    CHECK_EQUAL(
        hki_effective_rank(report.probed < IMAGES ? report.probed : IMAGES, 2, features, &rank),
        HK_OK);
    CHECK_NEAR(report.effective_rank, rank, 1e-6);
    hk_plan_free(plan);
    free_net_of(logits);
    hk_data_free(data);
}

/* ---- Continual backpropagation ------------------------------------------------------------------ */

/* One input, three units, two outputs; rows of `out` are what reads a unit. */
static hk_tensor *three_units(hk_tensor **in, hk_tensor **out)
{
    hk_net *net = hk_net_new(.activation = "identity");
    hk_tensor *h = hk_act(hk_linear(hk_input(net, 1), 3)), *logits = hk_linear(h, 2);
    *in = h->inputs[0]->inputs[1];
    *out = logits->inputs[1];
    return logits;
}

static void units_of_low_utility_begin_anew(void)
{
    static const float weights[] = {1, -2, 0.5f, 0.5f, -1, 4}; /* sums 3, 1, 5 */
    static const double activity[] = {2, 4, 1}, outgoing[] = {3, 1, 5};
    const hki_method method = {.kind = HKI_CONTINUAL, .rate = 0.375, .decay = 0.9, .maturity = 1};
    hk_tensor *in, *out, *logits = three_units(&in, &out);
    hki_continual *it;
    hk_plan *plan;
    CHECK_EQUAL(hki_continual_new(logits, &method, &it), HK_OK);
    CHECK_EQUAL(it->n_layers, 1);
    hk_plan_options options = {
        .batch = 2, .output = logits, .keep = &it->layers[0].site.y, .n_keep = 1};
    CHECK_EQUAL(hk_plan_new(hk_tensor_net(logits), &options, &plan), HK_OK);
    memcpy(out->value, weights, sizeof weights);
    memcpy(in->value, (float[]){1, 2, -0.5f}, 3 * sizeof(float));
    hki_values_changed(hk_tensor_net(logits));
    memcpy(hk_plan_value(plan, hk_tensor_input(logits)), (float[]){1, -3}, 2 * sizeof(float));
    CHECK_EQUAL(hk_plan_forward(plan, 2), HK_OK);
    hki_continual_look(it, plan, 2);
    const hki_units_watched *layer = it->layers; /* mean |x| is 2 */
    for (int j = 0; j < 3; j++)
        CHECK_NEAR(layer->activity[j], activity[j], 1e-12);
    CHECK_EQUAL(hki_continual_step(it, logits, 7, NULL), HK_OK);
    for (int j = 0; j < 3; j++)
        CHECK_NEAR(layer->utility[j], 0.1 * activity[j] * outgoing[j], 1e-12);
    CHECK(it->replaced == 0 && layer->due == 0);
    CHECK_EQUAL(hki_continual_step(it, logits, 7, NULL), HK_OK); /* all are mature: 1.125 are due */
    for (int j = 0; j < 3; j++)
        CHECK_NEAR(layer->utility[j], j == 1 ? 0 : 0.19 * activity[j] * outgoing[j], 1e-12);
    CHECK(it->replaced == 1 && layer->age[1] == 0 && layer->age[0] == 2);
    CHECK(layer->due == 0.125);
    CHECK(out->value[2] == 0 && out->value[3] == 0 && out->value[0] == 1 && out->value[5] == 4);
    CHECK(in->value[1] != 2 && in->value[0] == 1 && in->value[2] == -0.5f);
    CHECK_EQUAL(hki_continual_step(it, logits, 8, NULL), HK_OK); /* two are mature */
    CHECK(it->replaced == 1 && layer->due == 0.875 && layer->age[1] == 1);
    CHECK_EQUAL(hki_continual_step(it, logits, 8, NULL),
                HK_OK); /* the new one, which nobody reads */
    CHECK(it->replaced == 2 && layer->due == 1 && layer->age[1] == 0 && layer->age[0] == 4);
    hki_continual_free(it);
    hk_plan_free(plan);
    free_net_of(logits);
}

static void continual_goes_by_itself(void)
{
    hk_data *data = numbered();
    hk_tensor *logits = net_of(CLASSES);
    hk_train_options options = {.train = data, .doctor = "continual,redo"};
    hk_trainer *trainer = NULL;
    hk_treatment *done = NULL;
    CHECK_EQUAL(hk_trainer_new(logits, &options, &trainer), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "continual goes by itself");
    CHECK_EQUAL(hk_treat(logits, data, "continual", NULL, &done), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "continual is for training");
    free_net_of(logits);
    hk_data_free(data);
}

int main(void)
{
    RUN(pixels_are_permuted);
    RUN(classes_are_permuted);
    RUN(classes_come_in_turn);
    RUN(wrong_streams_are_refused);
    RUN(nothing_changes_a_bit);
    RUN(another_stream_is_not_resumed);
    RUN(answers_come_before_learning);
    RUN(measures_are_right);
    RUN(units_of_low_utility_begin_anew);
    RUN(continual_goes_by_itself);
    return check_result();
}
