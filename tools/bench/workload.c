/* Preparing a model and its batches, and taking steps. */
#include "bench/workload.h"

#include "graph/plan.h"

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

/* ---- Preparing ------------------------------------------------------------------------------ */

/* The model's net and BATCHES batches of noise. */
int bench_workload_prepare(workload *of, const bench *in, int64_t batch)
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

void bench_workload_clear(workload *of)
{
    free(of->images);
    free(of->classes);
    free(of->logits);
    hk_optimizer_free(of->optimizer);
    hk_plan_free(of->plan);
    net_free(&of->it);
}

int bench_workload_prepare_training(workload *of, const bench *in)
{
    const hk_plugin *model;
    if (hk_model_find(in->given->operands[0], &model, NULL) != HK_OK)
        return tool_failed();
    const hk_recipe recipe = recipe_of(model);
    int status = bench_workload_prepare(of, in, in->given->batch ? in->given->batch : recipe.batch);
    if (status)
        return status;
    of->labels = hk_labels(of->it.net);
    hk_tensor *loss = hk_cross_entropy(of->it.logits, of->labels, 0);
    hk_plan_options wanted = {.batch = of->batch,
                              .training = 1,
                              .loss = loss,
                              .parts = (int)in->given->parts,
                              .team = of->team};
    if (!loss || hk_plan_new(of->it.net, &wanted, &of->plan) ||
        hk_optimizer_new(of->it.net, recipe.optimizer, &of->optimizer))
        return tool_failed();
    if (!in->rows)
        printf("%s: %s, batch %lld, %d thread%s, %s %s, buffers %.1f MiB\n", model->name,
               recipe.optimizer, (long long)of->batch, in->threads, in->threads > 1 ? "s" : "",
               hk_engine_name(), hk_isa_name(), (double)hk_plan_bytes(of->plan) / (1 << 20));
    return EXIT_DONE;
}

/* ---- Steps ---------------------------------------------------------------------------------- */

static const float *next_batch(workload *of)
{
    of->turn = (of->turn + 1) % BATCHES;
    return of->images + of->turn * of->floats;
}

hk_status bench_train_step(workload *of)
{
    const hki_parts *parts = &of->plan->parts;
    const int64_t first = hki_part_begin(parts, of->batch, parts->first);
    const int64_t own = hki_parts_samples(parts, of->batch), sample = of->floats / of->batch;
    memcpy(hk_plan_value(of->plan, of->input), next_batch(of) + first * sample,
           (size_t)(own * sample) * sizeof(float));
    memcpy(hk_plan_value(of->plan, of->labels), of->classes + of->turn * of->batch + first,
           (size_t)own * sizeof(float));
    if (hk_plan_forward(of->plan, of->batch) || hk_plan_backward(of->plan))
        return hk_last_status();
    double started = hk_now();
    hk_optimizer_step(of->optimizer, of->plan, 1, 0);
    if (of->optimizer_times)
        bench_timing_add(of->optimizer_times, hk_now() - started, (double)NAN);
    return HK_OK;
}

hk_status bench_infer_step(workload *of)
{
    return hk_net_predict(of->it.logits, of->batch, next_batch(of), of->logits);
}
