/* One plugin or kind of noise on given numbers, for another framework to repeat;
 * catalogue_parity.py is the other half.
 *     catalogue_parity KIND SPEC N H W C FOLDER
 * reads FOLDER/x and FOLDER/dy, float32 [N][H][W][C], and writes to FOLDER/out, float32:
 *     act, act-training, norm: y, dx, gradients of the learned slots in order; norm goes on with
 *         the state after the step and y in evaluation
 *     weight: x is a weight [N H W][C]: normalized; then the gradient of x and slots, and the state
 *     init: a weight of C filters of N x N over H channels, then their biases; reads nothing
 *     dropout, channel_dropout, ...: y and dx */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hillock/hillock.h>
#include "graph/graph.h"

typedef struct job {
    const char *kind, *spec;
    int64_t n, h, w, c;
    const char *folder;
    FILE *out;
} job;

static int is(const job *j, const char *kind)
{
    return strcmp(j->kind, kind) == 0;
}

static void read_floats(const job *j, const char *name, int64_t count, float *to)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", j->folder, name);
    FILE *file = fopen(path, "rb");
    if (!file || fread(to, sizeof *to, (size_t)count, file) != (size_t)count)
        perror(path), exit(1);
    fclose(file);
}

static void write_floats(const job *j, const float *from, int64_t count)
{
    fwrite(from, sizeof *from, (size_t)count, j->out);
}

static hk_status complain(void)
{
    fprintf(stderr, "%s\n", hk_message());
    return HK_BAD_ARGUMENT;
}

static hk_tensor *noise(const job *j, hk_tensor *x)
{
    static const struct {
        const char *name;
        hk_tensor *(*of)(hk_tensor *, double);
    } kinds[] = {{"dropout", hk_dropout},
                 {"channel_dropout", hk_channel_dropout},
                 {"alpha_dropout", hk_alpha_dropout},
                 {"channel_alpha_dropout", hk_channel_alpha_dropout}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (is(j, kinds[i].name))
            return kinds[i].of(x, strtod(j->spec, NULL));
    return NULL;
}

static hk_tensor *record(const job *j, hk_tensor *x)
{
    return is(j, "norm")                ? hk_norm(x, .use = j->spec)
           : strncmp(j->kind, "act", 3) ? noise(j, x)
                                        : hk_act(x, .use = j->spec);
}

static void write_tensors(const job *j, const hk_net *net, hki_role role)
{
    for (int i = 0; i < net->n_tensors; i++) {
        const hk_tensor *t = net->tensors[i];
        if (t->role == role)
            write_floats(j, role == HKI_LEARNED ? t->gradient : t->value, hki_count(&t->shape, 1));
    }
}

/* y of the same net in evaluation. */
static hk_status evaluate(const job *j, hk_net *net, const hk_tensor *x, hk_tensor *y)
{
    hk_plan *plan;
    hk_plan_options options = {.batch = j->n, .output = y};
    if (hk_plan_new(net, &options, &plan))
        return complain();
    read_floats(j, "x", hki_count(&x->shape, j->n), hk_plan_value(plan, x));
    hk_plan_forward(plan, j->n);
    write_floats(j, hk_plan_value(plan, y), hki_count(&y->shape, j->n));
    hk_plan_free(plan);
    return HK_OK;
}

static hk_status run_tensor(const job *j, hk_net *net)
{
    hk_tensor *x = hk_input(net, j->h, j->w, j->c), *y = record(j, x);
    if (!y)
        return complain();
    hk_tensor *dy = hk_input_shaped(net, y->shape), *loss = hk_sum(hk_mul(y, dy), HK_ALL_AXES);
    hk_tensor *keep[] = {x, y};
    hk_plan_options options = {
        .batch = j->n, .training = !is(j, "act"), .loss = loss, .keep = keep, .n_keep = 2};
    hk_plan *plan;
    if (hk_plan_new(net, &options, &plan))
        return complain();
    read_floats(j, "x", hki_count(&x->shape, j->n), hk_plan_value(plan, x));
    read_floats(j, "dy", hki_count(&y->shape, j->n), hk_plan_value(plan, dy));
    hk_plan_forward(plan, j->n);
    hk_plan_backward(plan);
    write_floats(j, hk_plan_value(plan, y), hki_count(&y->shape, j->n));
    write_floats(j, hk_plan_gradient(plan, x), hki_count(&x->shape, j->n));
    write_tensors(j, net, HKI_LEARNED);
    hk_plan_commit(plan);
    hk_plan_free(plan);
    if (!is(j, "norm"))
        return HK_OK;
    write_tensors(j, net, HKI_STATE);
    return evaluate(j, net, x, y);
}

/* The weight shows as the result of a dense layer for the rows of an identity matrix. */
static hk_status run_weight(const job *j, hk_net *net)
{
    const int64_t rows = j->n * j->h * j->w, size = rows * j->c;
    hk_tensor *x = hk_input(net, rows);
    hk_tensor *y = hk_linear(x, (int)j->c, 1, .weight_norm = j->spec);
    if (!y)
        return complain();
    hk_tensor *dy = hk_input_shaped(net, y->shape), *loss = hk_sum(hk_mul(y, dy), HK_ALL_AXES);
    hk_tensor *weight = y->inputs[1]->inputs[0];
    read_floats(j, "x", size, weight->value);
    weight->filled = true;
    hk_plan_options options = {.batch = rows, .training = 1, .loss = loss, .keep = &y, .n_keep = 1};
    hk_plan *plan;
    if (hk_plan_new(net, &options, &plan))
        return complain();
    float *identity = hk_plan_value(plan, x);
    memset(identity, 0, (size_t)(rows * rows) * sizeof *identity);
    for (int64_t i = 0; i < rows; i++)
        identity[i * rows + i] = 1;
    read_floats(j, "dy", size, hk_plan_value(plan, dy));
    hk_plan_forward(plan, rows);
    hk_plan_backward(plan);
    write_floats(j, hk_plan_value(plan, y), size);
    write_tensors(j, net, HKI_LEARNED);
    write_tensors(j, net, HKI_STATE);
    hk_plan_free(plan);
    return HK_OK;
}

static hk_status run_initializer(const job *j, hk_net *net)
{
    hk_tensor *x = hk_input(net, 8, 8, j->h);
    hk_tensor *y = hk_conv(hk_act(x), (int)j->c, (int)j->n, .init = j->spec);
    hk_plan_options options = {.batch = 1, .output = hk_act(y)}; /* relu gives the gain */
    hk_plan *plan;
    if (!y || hk_plan_new(net, &options, &plan))
        return complain();
    write_floats(j, y->inputs[1]->value, j->n * j->n * j->h * j->c);
    write_floats(j, y->inputs[2]->value, j->c);
    hk_plan_free(plan);
    return HK_OK;
}

int main(int argc, char **argv)
{
    char path[4096];
    if (argc != 8)
        return fprintf(stderr, "catalogue_parity KIND SPEC N H W C FOLDER\n"), 2;
    job j = {argv[1],        argv[2],        atoll(argv[3]), atoll(argv[4]),
             atoll(argv[5]), atoll(argv[6]), argv[7],        NULL};
    snprintf(path, sizeof path, "%s/out", j.folder);
    hk_net *net = hk_net_new(.normalization = "none", .seed = 1);
    j.out = fopen(path, "wb");
    if (!net || !j.out)
        return complain(), 1;
    hk_status status = is(&j, "weight") ? run_weight(&j, net)
                       : is(&j, "init") ? run_initializer(&j, net)
                                        : run_tensor(&j, net);
    hk_net_free(net);
    return fclose(j.out) == 0 && status == HK_OK ? 0 : 1;
}
