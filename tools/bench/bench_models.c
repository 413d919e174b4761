/* hillock bench train, infer: whole models on synthetic images, and the time of each layer. */
#include "bench/bench.h"
#include "net/network.h"

#include <hillock/random.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 8, CLASSES = 10 }; /* batches in memory, used in turn */

/* How these are trained here: what their papers' authors, or those who came after, do. */
static const struct {
    const char *model, *optimizer;
    int batch;
} recipes[] = {{"mlp", "adam:lr=0.001", 128},
               {"lenet5", "sgd:lr=0.01,momentum=0.9", 128},
               {"simple_cnn", "adam:lr=0.001", 64},
               {"resnet20", "sgd:lr=0.1,momentum=0.9,decay=1e-4", 128}};

/* Any other: by its own recipe, for the first data that it names and as many samples as one likes. */
static hk_recipe recipe_of(const hk_plugin *model)
{
    const hk_recipe *own = model->model->recipes;
    hk_recipe it = hk_model_recipe(model, own && own->data ? own->data : "", INT32_MAX, 0);
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
        if (strcmp(recipes[i].model, model->name) == 0)
            it.optimizer = recipes[i].optimizer, it.batch = recipes[i].batch;
    return it;
}

/* One line of a profile: a step of the plan, forward and back. */
typedef struct line {
    char layer[64], kind[160];
    timing times[2];
    int64_t multiply_adds[2];
} line;

enum { MOST_LINES = 512 };

/* Each run passes the same steps in the same order. */
typedef struct profile {
    line *lines;
    int n;
    int order[2 * MOST_LINES], known; /* the line of each step, as far as one has been seen */
    int at;                           /* steps of this run that have passed */
    timing optimizer, whole;
} profile;

typedef struct workload {
    const bench *in;
    network it;
    hk_plan *plan;
    hk_optimizer *optimizer;
    hk_tensor *input, *labels;
    int64_t batch, floats; /* floats of one batch */
    int64_t multiply_adds; /* of one image, forward */
    float *images, *classes, *logits;
    int turn;
    profile *profile; /* NULL: not wanted */
} workload;

/* ---- Preparing ------------------------------------------------------------------------------ */

/* The model's net and BATCHES batches of noise. */
static int prepare(workload *of, const bench *in, int64_t batch)
{
    const char *spec = in->given->operands[0];
    hk_data_shape images = {.classes = CLASSES};
    if (hk_model_images(spec, &images.height, &images.width, &images.channels) != HK_OK)
        return tool_failed();
    hk_net_options choices = {
        .activation = in->given->act, .normalization = in->given->norm, .seed = 1};
    int status = net_new(spec, choices, images, &of->it);
    if (status)
        return status;
    of->in = in;
    of->batch = batch;
    of->floats = batch * images.height * images.width * images.channels;
    of->input = hk_tensor_input(of->it.logits);
    of->multiply_adds = net_multiply_adds(of->it.net);
    of->images = calloc((size_t)of->floats * BATCHES, sizeof *of->images);
    of->classes = calloc((size_t)batch * BATCHES, sizeof *of->classes);
    of->logits = calloc((size_t)batch * CLASSES, sizeof *of->logits);
    if (!of->images || !of->classes || !of->logits)
        return tool_fail(EXIT_FAILED, "bench: out of memory for %d batches of %s images", BATCHES,
                         tool_grouped(batch));
    bench_noise(of->images, of->floats * BATCHES);
    for (int64_t i = 0; i < batch * BATCHES; i++)
        of->classes[i] = (float)(hks_bits(2, (uint64_t)i) % CLASSES);
    return EXIT_DONE;
}

static void workload_clear(workload *of)
{
    if (of->profile)
        free(of->profile->lines);
    free(of->profile);
    free(of->images);
    free(of->classes);
    free(of->logits);
    hk_optimizer_free(of->optimizer);
    hk_plan_free(of->plan);
    net_free(&of->it);
}

/* ---- Steps ---------------------------------------------------------------------------------- */

static const float *next_batch(workload *of)
{
    of->turn = (of->turn + 1) % BATCHES;
    return of->images + of->turn * of->floats;
}

static hk_status train_step(workload *of)
{
    memcpy(hk_plan_value(of->plan, of->input), next_batch(of), (size_t)of->floats * sizeof(float));
    memcpy(hk_plan_value(of->plan, of->labels), of->classes + of->turn * of->batch,
           (size_t)of->batch * sizeof(float));
    if (hk_plan_forward(of->plan, of->batch) || hk_plan_backward(of->plan))
        return hk_last_status();
    double started = hk_now();
    hk_optimizer_step(of->optimizer, of->plan, 1, 0);
    if (of->profile)
        bench_timing_add(&of->profile->optimizer, hk_now() - started, (double)NAN);
    return HK_OK;
}

static hk_status infer_step(workload *of)
{
    return hk_net_predict(of->it.logits, of->batch, next_batch(of), of->logits);
}

/* A repetition is as many steps as fill a part of `seconds`. `passes`: how often the products of a
 * forward run are computed. */
static hk_status repeat(workload *of, hk_status (*step)(workload *), int passes, double seconds,
                        timing *out)
{
    const bench *in = of->in;
    double work = 2.0 * (double)(of->multiply_adds * of->batch * passes);
    for (int i = 0; i < 3; i++)
        if (step(of))
            return hk_last_status();
    double started = hk_now();
    if (step(of))
        return hk_last_status();
    double one = hk_now() - started;
    int steps = one * 10 > seconds ? 1 : (int)(seconds / 10 / one);
    for (double began = hk_now(); bench_goes_on(out, began, seconds);) {
        started = hk_now();
        for (int i = 0; i < steps; i++)
            if (step(of))
                return hk_last_status();
        double each = (hk_now() - started) / steps;
        bench_timing_add(out, each, work / each / bench_limit_peak(in->threads));
    }
    return HK_OK;
}

/* Rates of the form a script reads: the last line is MODEL images_per_s. */
static void put_rate(const workload *of, const char *pass, const timing *times)
{
    char name[160];
    const char *model = of->in->given->operands[0];
    snprintf(name, sizeof name, "%s, batch %lld", model, (long long)of->batch);
    bench_row(of->in, &(result){name, pass, "images/s", "FMA peak", (double)of->batch, 1}, times);
    if (!of->in->rows)
        printf("%s %.1f\n", model, (double)of->batch / bench_timing_median(times));
}

/* ---- Profiles ------------------------------------------------------------------------------- */

/* A step belongs to the line of the same place in a step before; in the first, a backward step to the
 * last line that is like it and not yet taken, and any other to a new line. */
static void count_step(const hk_step_info *step, void *user)
{
    profile *in = user;
    if (in->at == in->known && in->known < 2 * MOST_LINES) {
        int i = step->back ? in->n - 1 : -1;
        while (i >= 0 &&
               (in->lines[i].times[1].n || strcmp(in->lines[i].layer, step->layer) != 0 ||
                strncmp(in->lines[i].kind, step->kind, sizeof in->lines[i].kind - 1) != 0))
            i--;
        if (i < 0 && in->n == MOST_LINES) {
            i = in->n - 1;
        } else if (i < 0) {
            i = in->n++;
            snprintf(in->lines[i].layer, sizeof in->lines[i].layer, "%s", step->layer);
            snprintf(in->lines[i].kind, sizeof in->lines[i].kind, "%s", step->kind);
        }
        in->order[in->known++] = i;
    }
    if (in->at >= in->known)
        return;
    line *at = &in->lines[in->order[in->at++]];
    bench_timing_add(&at->times[step->back], step->seconds, (double)NAN);
    at->multiply_adds[step->back] = step->multiply_adds;
}

static void put_pass(const line *at, int back, double whole, double peak)
{
    double median = bench_timing_median(&at->times[back]);
    double rate = 2.0 * (double)at->multiply_adds[back] / median;
    if (at->times[back].n == 0) {
        printf(" %9s %5s %7s %5s", "-", "", "", "");
        return;
    }
    printf(" %9.3f %4.1f%%", 1e3 * median, 100 * median / whole);
    if (at->multiply_adds[back])
        printf(" %7.1f %4.0f%%", 1e-9 * rate, 100 * rate / peak);
    else
        printf(" %7s %5s", "", "");
}

static void put_profile(const profile *in, double peak)
{
    double whole = bench_timing_median(&in->whole),
           rest = whole - bench_timing_median(&in->optimizer);
    printf("%-10s %-44s %9s %5s %7s %5s %9s %5s %7s %5s\n", "layer", "", "forward", "of", "GFLOP/s",
           "of", "backward", "of", "GFLOP/s", "of");
    printf("%-10s %-44s %9s %5s %7s %5s %9s %5s %7s %5s\n", "", "", "ms", "step", "", "peak", "ms",
           "step", "", "peak");
    for (int i = 0; i < in->n; i++) {
        const line *at = &in->lines[i];
        printf("%-10s %-44s", at->layer, at->kind);
        for (int back = 0; back < 2; back++) {
            put_pass(at, back, whole, peak);
            rest -= at->times[back].n ? bench_timing_median(&at->times[back]) : 0;
        }
        putchar('\n');
    }
    double optimizer = bench_timing_median(&in->optimizer);
    printf("%-55s %9.3f %4.1f%%\n", "optimizer", 1e3 * optimizer, 100 * optimizer / whole);
    printf("%-55s %9.3f %4.1f%%\n", "the rest", 1e3 * rest, 100 * rest / whole);
    printf("%-55s %9.3f\n", "step", 1e3 * whole);
}

static void profile_rows(const workload *of, double peak)
{
    for (int i = 0; i < of->profile->n; i++) {
        line *at = &of->profile->lines[i];
        for (int back = 0; back < 2; back++) {
            timing *times = &at->times[back];
            double work = 2.0 * (double)at->multiply_adds[back];
            char name[256];
            for (int r = 0; r < times->n; r++)
                times->share[r] = work / times->seconds[r] / peak;
            snprintf(name, sizeof name, "%s %s", at->layer, at->kind);
            if (times->n)
                bench_row(of->in,
                          &(result){name, back ? "backward" : "forward", "GFLOP/s",
                                    work > 0 ? "FMA peak" : NULL, work, 1e9},
                          times);
        }
    }
    bench_row(of->in, &(result){"optimizer", "step", "GFLOP/s", NULL, 0, 1e9},
              &of->profile->optimizer);
}

/* The step is timed once more with a watch on every layer. */
static int run_profile(workload *of, double seconds)
{
    of->profile = calloc(1, sizeof *of->profile);
    if (of->profile)
        of->profile->lines = calloc(MOST_LINES, sizeof *of->profile->lines);
    if (!of->profile || !of->profile->lines)
        return tool_fail(EXIT_FAILED, "bench: out of memory for a profile");
    hk_plan_profile(of->plan, count_step, of->profile);
    double peak = bench_limit_peak(of->in->threads);
    for (double started = hk_now(); bench_goes_on(&of->profile->whole, started, seconds);) {
        double again = bench_limit_peak(of->in->threads);
        peak = again > peak ? again : peak;
        double begun = hk_now();
        of->profile->at = 0;
        if (train_step(of))
            return tool_failed();
        bench_timing_add(&of->profile->whole, hk_now() - begun, (double)NAN);
    }
    if (of->in->rows)
        profile_rows(of, peak);
    else
        put_profile(of->profile, peak);
    return EXIT_DONE;
}

static int prepare_training(workload *of, const bench *in)
{
    const hk_plugin *model;
    if (hk_model_find(in->given->operands[0], &model, NULL) != HK_OK)
        return tool_failed();
    const hk_recipe recipe = recipe_of(model);
    int status = prepare(of, in, in->given->batch ? in->given->batch : recipe.batch);
    if (status)
        return status;
    of->labels = hk_labels(of->it.net);
    hk_tensor *loss = hk_cross_entropy(of->it.logits, of->labels, 0);
    hk_plan_options wanted = {.batch = of->batch, .training = 1, .loss = loss};
    if (!loss || hk_plan_new(of->it.net, &wanted, &of->plan) ||
        hk_optimizer_new(of->it.net, recipe.optimizer, &of->optimizer))
        return tool_failed();
    if (!in->rows)
        printf("%s: %s, batch %lld, %d thread%s, %s %s, buffers %.1f MiB\n", model->name,
               recipe.optimizer, (long long)of->batch, in->threads, in->threads > 1 ? "s" : "",
               hk_engine_name(), hk_isa_name(), (double)hk_plan_bytes(of->plan) / (1 << 20));
    return EXIT_DONE;
}

int bench_train(const bench *in)
{
    workload of = {0};
    timing times = {0};
    double seconds = bench_seconds(in, 5);
    int status = prepare_training(&of, in);
    if (!status && repeat(&of, train_step, 3, seconds, &times) != HK_OK)
        status = tool_failed();
    if (!status && in->given->profile)
        status = run_profile(&of, seconds);
    if (!status)
        put_rate(&of, "train", &times);
    workload_clear(&of);
    return status;
}

int bench_infer(const bench *in)
{
    workload of = {0};
    timing times = {0};
    int status = prepare(&of, in, in->given->batch ? in->given->batch : 1);
    if (!status && repeat(&of, infer_step, 1, bench_seconds(in, 2), &times) != HK_OK)
        status = tool_failed();
    if (!status)
        put_rate(&of, "infer", &times);
    workload_clear(&of);
    return status;
}
