/* Trains a model for 20 steps on fixed batches, for another framework to repeat: writes the weights
 * it starts from (FOLDER/weights.safetensors) and the images and labels of every step
 * (FOLDER/images, float32 [step][batch][height][width][channels]; FOLDER/labels, float32
 * [step][batch]) and prints the loss of each step. step_parity.py is the other half.
 *     step_parity MODEL ACTIVATION DATA OPTIMIZER BATCH FOLDER */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hillock/hillock.h>

enum { STEPS = 20 };

typedef struct run {
    int batch;
    hk_data *data;
    hk_loader *loader;
    hk_net *net;
    const hk_tensor *input, *labels, *loss;
    hk_plan *plan;
    hk_optimizer *optimizer;
    FILE *images_out, *labels_out;
} run;

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file)
        perror(path);
    return file;
}

static hk_status open_batches(run *r, const char *data)
{
    hk_status status = hk_data_open(data, &r->data, NULL);
    hk_loader_options options = {.batch = r->batch, .shuffle = 1, .seed = 1};
    if (status == HK_OK)
        status = hk_loader_new(r->data, &options, &r->loader);
    if (status == HK_OK)
        hk_loader_start(r->loader, 0);
    return status;
}

/* Records and plans the model, and saves its weights as they are at the start. */
static hk_status make_model(run *r, const char *model, const char *activation,
                            const char *optimizer, const char *folder)
{
    char path[4096];
    hk_data_shape shape = hk_data_shape_of(r->data);
    r->net = hk_net_new(.activation = activation, .seed = 1);
    hk_tensor *logits =
        hk_model_build(r->net, model, shape.height, shape.width, shape.channels, shape.classes);
    if (!logits)
        return HK_BAD_ARGUMENT;
    r->input = hk_tensor_input(logits);
    hk_tensor *labels = hk_labels(r->net), *loss = hk_cross_entropy(logits, labels, 0);
    r->labels = labels;
    r->loss = loss;
    hk_plan_options options = {.batch = r->batch, .training = 1, .loss = loss};
    hk_status status = hk_plan_new(r->net, &options, &r->plan);
    if (status == HK_OK)
        status = hk_optimizer_new(r->net, optimizer, &r->optimizer);
    snprintf(path, sizeof path, "%s/weights.safetensors", folder);
    return status == HK_OK ? hk_net_save(logits, path, model) : status;
}

static hk_status step(run *r)
{
    hk_batch batch = hk_loader_next(r->loader);
    hk_data_shape shape = hk_data_shape_of(r->data);
    size_t pixels = (size_t)(shape.height * shape.width * shape.channels);
    float *labels = hk_plan_value(r->plan, r->labels);
    memcpy(hk_plan_value(r->plan, r->input), batch.x, (size_t)batch.n * pixels * sizeof(float));
    for (int64_t i = 0; i < batch.n; i++)
        labels[i] = (float)batch.labels[i];
    fwrite(batch.x, sizeof(float) * pixels, (size_t)batch.n, r->images_out);
    fwrite(labels, sizeof(float), (size_t)batch.n, r->labels_out);
    hk_status status = hk_plan_forward(r->plan, batch.n);
    if (status != HK_OK)
        return status;
    printf("%.9g\n", (double)*hk_plan_value(r->plan, r->loss));
    status = hk_plan_backward(r->plan);
    if (status == HK_OK)
        hk_optimizer_step(r->optimizer, r->plan, 1, 0);
    return status;
}

static hk_status train(run *r, char **argv)
{
    hk_status status = open_batches(r, argv[3]);
    if (status == HK_OK)
        status = make_model(r, argv[1], argv[2], argv[4], argv[6]);
    for (int i = 0; i < STEPS && status == HK_OK; i++)
        status = step(r);
    if (status != HK_OK)
        fprintf(stderr, "%s\n", hk_message());
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return fprintf(stderr, "step_parity MODEL ACTIVATION DATA OPTIMIZER BATCH FOLDER\n"), 2;
    run r = {.batch = atoi(argv[5]),
             .images_out = create(argv[6], "images"),
             .labels_out = create(argv[6], "labels")};
    int good = r.images_out && r.labels_out && train(&r, argv) == HK_OK;
    good = r.images_out && fclose(r.images_out) == 0 && good;
    good = r.labels_out && fclose(r.labels_out) == 0 && good;
    hk_plan_free(r.plan);
    hk_optimizer_free(r.optimizer);
    hk_net_free(r.net);
    hk_loader_free(r.loader);
    hk_data_free(r.data);
    return good ? 0 : 1;
}
