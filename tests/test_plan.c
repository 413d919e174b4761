/* Plans: buffers are shared and nobody notices, gradients are kept, added and zero where they
 * should be, a smaller batch is as good as a plan of its own, and misuse is told. */
#include <hillock/hillock.h>
#include <hillock/random.h>
#include <stdlib.h>
#include "check.h"
#include "graph/graph.h"
#include "ops/ops.h"

static void fill(float *x, int64_t n, uint64_t key)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = 2 * hks_uniform(key, (uint64_t)i) - 1;
}

static hk_plan *new_plan(hk_tensor *any, hk_plan_options options)
{
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(hk_tensor_net(any), &options, &plan), HK_OK);
    if (!plan)
        printf("  %s\n", hk_message());
    return plan;
}

static void run_both_ways(hk_plan *plan, int64_t n)
{
    CHECK_EQUAL(hk_plan_forward(plan, n), HK_OK);
    CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
}

/* ---- Reuse ---------------------------------------------------------------------------------- */

static int64_t bytes_of_values(const hk_net *net, int64_t batch)
{
    int64_t bytes = 0;
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->role == HKI_COMPUTED)
            bytes += hki_count(&net->tensors[i]->shape, batch) * (int64_t)sizeof(float);
    return bytes;
}

static void deep_chain_reuses_buffers(void)
{
    hk_net *net = hk_net_new(.normalization = "none", .activation = "sigmoid");
    hk_tensor *x = hk_input(net, 64), *y = x;
    for (int i = 0; i < 30; i++)
        y = hk_act(hk_linear(y, 64));
    hk_tensor *loss = hk_mean(y, HK_ALL_AXES);
    int64_t all = bytes_of_values(net, 100), one = 100 * 64 * (int64_t)sizeof(float);
    hk_plan *forward = new_plan(y, (hk_plan_options){.batch = 100, .output = y});
    hk_plan *both = new_plan(y, (hk_plan_options){.batch = 100, .training = 1, .loss = loss});
    /* forward: the input, and two at a time; backward keeps one of each pair and two gradients */
    CHECK(hk_plan_bytes(forward) < 6 * one);
    CHECK(hk_plan_bytes(both) < all / 2 + 8 * one);
    CHECK(hk_plan_bytes(both) > 30 * one);
    hk_plan_free(forward);
    hk_plan_free(both);
    hk_net_free(net);
}

/* What a plan would take can be asked where it could not be had. */
static void size_is_known_without_a_plan(void)
{
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *x = hk_input(net, 8, 8, 3), *y = hk_act(hk_conv(x, 16, 3));
    hk_plan_options options = {.batch = 5, .output = y};
    int64_t bytes = 0;
    CHECK(hk_plan_size(net, &options, &bytes) == HK_OK);
    hk_plan *plan = new_plan(y, options);
    CHECK_EQUAL(bytes, hk_plan_bytes(plan));
    hk_plan_free(plan);
    options.batch = (int64_t)1 << 24; /* 8 x 8 x 16 floats: 64 GiB */
    CHECK(hk_plan_size(net, &options, &bytes) == HK_OK);
    CHECK(bytes >= (int64_t)1 << 36);
    hk_net_free(net);
}

enum { CHANNELS = 12, BATCH = 5, POOL = 40 };

/* A random graph: each step takes earlier tensors, so that branches, views and joins arise. */
static hk_tensor *random_graph(hk_net *net, uint64_t key, hk_tensor **x)
{
    hk_tensor *pool[POOL] = { *x = hk_input(net, CHANNELS)};
    uint64_t draw = 0;
    int n = 1;
#define DRAW(limit) ((int)(hks_bits(key, draw++) % (uint32_t)(limit)))
    while (n < POOL) {
        int back = n < 4 ? n : 4; /* mostly recent ones, so that chains arise too */
        hk_tensor *a = pool[n - 1 - DRAW(back)], *b = pool[DRAW(n)], *y = NULL;
        switch (DRAW(15)) {
        case 0: y = hk_add(a, b); break;
        case 1: y = hk_sub(a, b); break;
        case 2: y = hk_mul(a, b); break;
        case 3: y = hk_scale(a, 0.5); break;
        case 4: y = hk_act(a, .use = "relu"); break;
        case 5: y = hk_act(a, .use = "tanh"); break;
        case 6: y = hk_act(a, .use = "prelu"); break;
        case 7: y = hk_dropout(a, 0.25); break;
        case 8: y = hk_flatten(hk_act(hk_reshape(a, HK_SHAPE(HK_BATCH, 3, 4)))); break;
        case 9: y = hk_act(hk_linear(a, CHANNELS), .use = "sigmoid"); break;
        case 10: y = hk_norm(a, .use = "batch_norm"); break;
        case 11: y = hk_add(a, a); break;
        case 12: y = hk_sub(a, hk_mean(a, HK_AXIS(1))); break;
        case 13: y = hk_reshape(a, HK_SHAPE(HK_BATCH, CHANNELS)); break;
        case 14: y = hk_softmax(a); break;
        }
        pool[n] = hk_act(y, .use = n % 5 ? "identity" : "tanh"); /* values stay bounded */
        n++;
    }
#undef DRAW
    return hk_mean(hk_mul(pool[POOL - 1], hk_add(pool[POOL - 2], pool[POOL - 3])), HK_ALL_AXES);
}

typedef struct outcome {
    float loss, dx[BATCH * CHANNELS];
    float *gradients;
} outcome;

/* Loss and all gradients of one plan, on the same values whatever the plan keeps. */
static outcome outcome_of(hk_tensor *x, hk_tensor *loss, int probe, hk_tensor *const *keep,
                          int n_keep)
{
    hk_net *net = hk_tensor_net(x);
    hk_plan *plan = new_plan(x, (hk_plan_options){.batch = BATCH,
                                                  .training = 1,
                                                  .loss = loss,
                                                  .keep = keep,
                                                  .n_keep = n_keep,
                                                  .probe = probe});
    outcome out = {.gradients = calloc((size_t)hk_net_parameters(net) + 1, sizeof(float))};
    hk_net_clear_gradients(net);
    for (int again = 0; again < 2; again++) { /* buffers are dirty the second time */
        fill(hk_plan_value(plan, x), BATCH * CHANNELS, 77);
        hk_net_clear_gradients(net);
        run_both_ways(plan, BATCH);
    }
    out.loss = *hk_plan_value(plan, loss);
    if (hk_plan_gradient(plan, x))
        memcpy(out.dx, hk_plan_gradient(plan, x), sizeof out.dx);
    float *next = out.gradients;
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->role == HKI_LEARNED) {
            int64_t n = hki_count(&net->tensors[i]->shape, 1);
            memcpy(next, hk_plan_gradient(plan, net->tensors[i]), (size_t)n * sizeof *next);
            next += n;
        }
    hk_plan_free(plan);
    return out;
}

/* Everything `loss` depends on; further tensors would change the places of random numbers. */
static int ancestors_of(const hk_tensor *loss, hk_tensor **out)
{
    const hk_net *net = hk_tensor_net(loss);
    bool *needed = calloc((size_t)net->n_tensors, sizeof *needed);
    int n = 0;
    needed[loss->id] = true;
    for (int id = loss->id; id >= 0; id--)
        if (needed[id]) {
            out[n++] = net->tensors[id];
            for (int i = 0; i < net->tensors[id]->n_inputs; i++)
                needed[net->tensors[id]->inputs[i]->id] = true;
        }
    free(needed);
    return n;
}

/* Keeping everything switches sharing off, so it is the reference. */
static void sharing_changes_no_bit(void)
{
    for (uint64_t key = 1; key <= 150; key++) {
        hk_net *net = hk_net_new(.seed = key);
        hk_tensor *x, *loss = random_graph(net, key, &x);
        CHECK(loss != NULL);
        hk_tensor **all = malloc((size_t)net->n_tensors * sizeof *all);
        outcome kept = outcome_of(x, loss, 0, all, ancestors_of(loss, all));
        outcome shared = outcome_of(x, loss, 0, &x, 1);
        outcome probed = outcome_of(x, loss, 1, &x, 1);
        size_t bytes = (size_t)hk_net_parameters(net) * sizeof(float);
        CHECK(isfinite(kept.loss));
        CHECK(!memcmp(&kept.loss, &shared.loss, sizeof kept.loss));
        CHECK(!memcmp(kept.dx, shared.dx, sizeof kept.dx));
        CHECK(!memcmp(kept.gradients, shared.gradients, bytes));
        CHECK(!memcmp(&kept.loss, &probed.loss, sizeof kept.loss));
        CHECK(!memcmp(kept.gradients, probed.gradients, bytes));
        if (check_case_failed) {
            printf("  graph %llu\n", (unsigned long long)key);
            key = 150;
        }
        free(kept.gradients);
        free(shared.gradients);
        free(probed.gradients);
        free(all);
        hk_net_free(net);
    }
}

/* x -> h = exp(x) -> y = 2 h -> loss = sum(h y) */
static void kept_tensors_are_readable(void)
{
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *x = hk_input(net, 3), *h = hk_exp(x), *y = hk_scale(h, 2);
    hk_tensor *loss = hk_sum(hk_mul(h, y), HK_ALL_AXES);
    hk_tensor *keep[] = {x, h, y};
    hk_plan *plan =
        new_plan(x, (hk_plan_options){.batch = 2, .loss = loss, .keep = keep, .n_keep = 3});
    fill(hk_plan_value(plan, x), 6, 3);
    run_both_ways(plan, 2);
    for (int i = 0; i < 6; i++) {
        double e = exp((double)hk_plan_value(plan, x)[i]);
        CHECK_NEAR(hk_plan_value(plan, h)[i], e, 1e-5);
        CHECK_NEAR(hk_plan_value(plan, y)[i], 2 * e, 1e-5);
        CHECK_NEAR(hk_plan_gradient(plan, y)[i], e, 1e-5);
        CHECK_NEAR(hk_plan_gradient(plan, h)[i], 4 * e, 1e-5);
        CHECK_NEAR(hk_plan_gradient(plan, x)[i], 4 * e * e, 1e-4);
    }
    CHECK_NEAR(*hk_plan_gradient(plan, loss), 1, 0);
    hk_plan_free(plan);
    hk_net_free(net);
}

/* ---- Batches -------------------------------------------------------------------------------- */

/* Convolutions whose scratch depends on the batch in odd ways, learned and stateful activations. */
static hk_tensor *image_net(hk_net *net, hk_tensor **x)
{
    hk_tensor *h = *x = hk_input(net, 14, 14, 3);
    h = hk_act(hk_norm(hk_conv(h, 16, 3)), .use = "prelu");
    h = hk_act(hk_conv(h, 16, 3, .groups = 16), .use = "lgb");
    h = hk_act(hk_norm(hk_conv(h, 32, 3, .stride = 3), .use = "layer_norm"), .use = "prelu");
    h = hk_act(hk_conv(h, 48, 3));
    return hk_mean(hk_pow(hk_linear(hk_global_avgpool(h), 4), 2), HK_ALL_AXES);
}

static void smaller_batch_is_its_own_plan(void)
{
    enum { MOST = 90, IMAGE = 14 * 14 * 3 };
    static const int64_t sizes[] = {1, 3, 7, 8, 17, 21, 64, 83};
    hk_net *net = hk_net_new(.seed = 4);
    hk_tensor *x, *loss = image_net(net, &x);
    hk_plan *most = new_plan(x, (hk_plan_options){.batch = MOST, .training = 1, .loss = loss});
    fill(hk_plan_value(most, x), MOST * IMAGE, 9);
    size_t bytes = (size_t)hk_net_parameters(net) * sizeof(float);
    float *first = malloc(bytes);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        float losses[2];
        for (int own = 0; own < 2; own++) {
            hk_plan *plan =
                own ? new_plan(x, (hk_plan_options){.batch = sizes[s], .training = 1, .loss = loss})
                    : most;
            if (own)
                fill(hk_plan_value(plan, x), sizes[s] * IMAGE, 9);
            hk_net_clear_gradients(net);
            run_both_ways(plan, sizes[s]);
            losses[own] = *hk_plan_value(plan, loss);
            float *at = first;
            for (int i = 0; i < net->n_tensors; i++) {
                const hk_tensor *t = net->tensors[i];
                int64_t n = hki_count(&t->shape, 1);
                if (t->role != HKI_LEARNED)
                    continue;
                if (own)
                    CHECK(!memcmp(at, t->gradient, (size_t)n * sizeof *at));
                memcpy(at, t->gradient, (size_t)n * sizeof *at);
                at += n;
            }
            if (own)
                hk_plan_free(plan);
        }
        CHECK(isfinite(losses[0]));
        CHECK(!memcmp(&losses[0], &losses[1], sizeof *losses));
    }
    free(first);
    hk_plan_free(most);
    hk_net_free(net);
}

/* What is reserved for a batch must do for fewer rows, which may be cut into more chunks. */
static void chunks_of_fewer_rows_fit(void)
{
    static const int64_t channels[] = {1, 3, 16, 64, 500, 5000};
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++) {
        int64_t grain = hki_tile_rows(channels[c]), step = 1 + grain / 7;
        int most = 0;
        for (int64_t rows = 1; rows < 200 * grain; rows += step) {
            int count = hki_chunks_of(rows, channels[c], grain).count;
            most = count > most ? count : most;
            CHECK(most <= hki_chunks_most(rows, channels[c], grain) && most <= HKI_MAX_CHUNKS);
        }
    }
}

/* ---- Gradients ------------------------------------------------------------------------------ */

static void gradients_accumulate(void)
{
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *x = hk_input(net, 4), *y = hk_act(hk_linear(x, 3)), *w = NULL;
    hk_tensor *loss = hk_sum(y, HK_ALL_AXES);
    hk_plan *plan = new_plan(x, (hk_plan_options){.batch = 5, .loss = loss});
    for (int i = 0; i < net->n_tensors; i++)
        if (!strcmp(hk_tensor_name(net->tensors[i]), "fc1.weight"))
            w = net->tensors[i];
    float each[2][12], *at = hk_plan_value(plan, x);
    for (int pass = 0; pass < 2; pass++) {
        fill(at, 20, 5 + (uint64_t)pass);
        hk_net_clear_gradients(net);
        run_both_ways(plan, 5);
        memcpy(each[pass], hk_plan_gradient(plan, w), sizeof each[pass]);
    }
    hk_net_clear_gradients(net);
    for (int pass = 0; pass < 2; pass++) {
        fill(at, 20, 5 + (uint64_t)pass);
        run_both_ways(plan, 5);
    }
    for (int i = 0; i < 12; i++)
        CHECK_NEAR(hk_plan_gradient(plan, w)[i], each[0][i] + each[1][i], 0);
    hk_plan_free(plan);
    hk_net_free(net);
}

/* x w w against x u v with u = v = w: the gradients of u and v add up to that of w. */
static void shared_parameter_adds_its_uses(void)
{
    float found[9], parts[2][9];
    for (int shared = 0; shared < 2; shared++) {
        hk_net *net = hk_net_new(.normalization = "none");
        hk_tensor *x = hk_input(net, 3), *u = hk_parameter(net, "u", HK_SHAPE(3, 3), "constant");
        hk_tensor *v = shared ? u : hk_parameter(net, "v", HK_SHAPE(3, 3), "constant");
        hk_tensor *y = hk_matmul(hk_exp(hk_matmul(x, u)), v);
        hk_plan *plan = new_plan(x, (hk_plan_options){.batch = 2, .loss = hk_sum(y, HK_ALL_AXES)});
        fill(hk_plan_value(plan, x), 6, 1);
        fill(hk_plan_value(plan, u), 9, 2);
        fill(hk_plan_value(plan, v), 9, 2);
        run_both_ways(plan, 2);
        memcpy(shared ? found : parts[0], hk_plan_gradient(plan, u), sizeof found);
        if (!shared)
            memcpy(parts[1], hk_plan_gradient(plan, v), sizeof found);
        hk_plan_free(plan);
        hk_net_free(net);
    }
    for (int i = 0; i < 9; i++)
        CHECK_NEAR(found[i], parts[0][i] + parts[1][i], 1e-5);
}

/* Scalars in the middle, as a view, and one that depends on nothing learned. */
static void any_scalar_has_a_backward(void)
{
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *x = hk_input(net, 2), *w = hk_parameter(net, "w", HK_SHAPE(2), "constant");
    hk_tensor *middle = hk_sum(hk_mul(x, w), HK_ALL_AXES); /* d / dw = sum of x */
    hk_tensor *after = hk_exp(middle), *unused = hk_parameter(net, "v", HK_SHAPE(2), "constant");
    hk_tensor *view = hk_reshape(hk_scale(middle, 3), HK_SHAPE(1, 1));
    hk_tensor *fixed = hk_sum(x, HK_ALL_AXES);
    const float in[] = {1, 2, 3, 4};
    const struct {
        hk_tensor *loss;
        float factor;
    } cases[] = {{middle, 1}, {view, 3}, {fixed, 0}};
    for (int i = 0; i < 3; i++) {
        hk_plan *plan =
            new_plan(x, (hk_plan_options){.batch = 2, .loss = cases[i].loss, .output = after});
        memcpy(hk_plan_value(plan, x), in, sizeof in);
        hk_plan_value(plan, w)[0] = hk_plan_value(plan, w)[1] = 0.5f;
        hk_net_clear_gradients(net);
        run_both_ways(plan, 2);
        CHECK_NEAR(hk_plan_gradient(plan, w)[0], cases[i].factor * 4, 0);
        CHECK_NEAR(hk_plan_gradient(plan, w)[1], cases[i].factor * 6, 0);
        CHECK_NEAR(*hk_plan_value(plan, after), exp(5), 1e-3);
        CHECK(hk_plan_value(plan, unused) != NULL); /* parameters always have one */
        CHECK_NEAR(hk_plan_gradient(plan, unused)[0], 0, 0);
        hk_plan_free(plan);
    }
    hk_net_free(net);
}

/* Each plan adds to what the other found; tensors recorded after a plan are strangers to it. */
static void two_plans_of_one_net(void)
{
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *x = hk_input(net, 2), *w = hk_parameter(net, "w", HK_SHAPE(2), "constant");
    hk_tensor *y = hk_mul(x, w), *one = hk_sum(y, HK_ALL_AXES);
    hk_plan *a = new_plan(x, (hk_plan_options){.batch = 1, .loss = one});
    hk_tensor *v = NULL;
    for (int i = 0; i < 100; i++) { /* far behind the arrays of the first plan */
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        v = hk_parameter(net, name, HK_SHAPE(2), "constant:value=1");
    }
    hk_tensor *two = hk_sum(hk_mul(hk_mul(y, v), v), HK_ALL_AXES);
    CHECK(hk_plan_value(a, v) == NULL && hk_plan_gradient(a, two) == NULL);
    hk_plan *b = new_plan(x, (hk_plan_options){.batch = 1, .loss = two});
    CHECK(hk_plan_value(b, v) == hk_plan_value(b, v) && hk_plan_value(b, v)[0] == 1);
    const float in[] = {3, 5};
    memcpy(hk_plan_value(a, x), in, sizeof in);
    memcpy(hk_plan_value(b, x), in, sizeof in);
    run_both_ways(a, 1);
    CHECK_NEAR(hk_plan_gradient(a, w)[1], 5, 0);
    CHECK_NEAR(hk_plan_gradient(b, v)[1], 0, 0);
    run_both_ways(b, 1);
    CHECK_NEAR(hk_plan_gradient(a, w)[0], 6, 0);
    CHECK_NEAR(hk_plan_gradient(b, w)[1], 10, 0);
    hk_plan_free(a);
    hk_plan_free(b);
    hk_net_free(net);
}

/* In evaluation the running statistics are constants: differences must agree. */
static void evaluation_has_a_backward(void)
{
    hk_net *net = hk_net_new(.activation = "tanh", .seed = 2);
    hk_tensor *x = hk_input(net, 4), *y = hk_act(hk_norm(hk_linear(x, 3)));
    hk_tensor *loss = hk_sum(hk_mul(y, y), HK_ALL_AXES), *gamma = NULL;
    for (int i = 0; i < net->n_tensors; i++) {
        hk_tensor *t = net->tensors[i];
        if (!strcmp(hk_tensor_name(t), "fc1.norm.gamma"))
            gamma = t;
    }
    hk_plan *training = new_plan(x, (hk_plan_options){.batch = 6, .training = 1, .loss = loss});
    for (uint64_t step = 0; step < 3; step++) {
        fill(hk_plan_value(training, x), 24, step);
        CHECK_EQUAL(hk_plan_forward(training, 6), HK_OK);
        hk_plan_commit(training);
    }
    hk_plan *plan =
        new_plan(x, (hk_plan_options){.batch = 6, .loss = loss, .keep = &x, .n_keep = 1});
    fill(hk_plan_value(plan, x), 24, 40);
    hk_net_clear_gradients(net);
    run_both_ways(plan, 6);
    hk_tensor *const leaves[] = {x, gamma};
    for (int l = 0; l < 2; l++) {
        float gradient[24];
        int64_t n = hki_count(&leaves[l]->shape, 6);
        memcpy(gradient, hk_plan_gradient(plan, leaves[l]), (size_t)n * sizeof *gradient);
        for (int64_t i = 0; i < n; i++) {
            float *at = hk_plan_value(plan, leaves[l]) + i, middle = *at;
            double sides[2];
            for (int side = 0; side < 2; side++) {
                *at = middle + (side ? 1e-2f : -1e-2f);
                CHECK_EQUAL(hk_plan_forward(plan, 6), HK_OK);
                sides[side] = (double)*hk_plan_value(plan, loss);
            }
            *at = middle;
            CHECK_NEAR(gradient[i], (sides[1] - sides[0]) / 2e-2, 5e-3);
        }
    }
    hk_plan_free(training);
    hk_plan_free(plan);
    hk_net_free(net);
}

static void kept_targets_have_a_gradient(void)
{
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *leaf[] = {hk_input(net, 2), hk_input(net, 2)};
    hk_tensor *const losses[] = {hk_binary_cross_entropy(leaf[0], leaf[1]),
                                 hk_mse(leaf[0], leaf[1])};
    for (int i = 0; i < 2; i++) {
        hk_plan *plan =
            new_plan(leaf[0], (hk_plan_options){.loss = losses[i], .keep = leaf, .n_keep = 2});
        memcpy(hk_plan_value(plan, leaf[0]), (float[]){2, -1}, 2 * sizeof(float));
        memcpy(hk_plan_value(plan, leaf[1]), (float[]){1, 0.5f}, 2 * sizeof(float));
        run_both_ways(plan, 1);
        CHECK_NEAR(hk_plan_gradient(plan, leaf[1])[0], -1, 1e-6);
        CHECK_NEAR(hk_plan_gradient(plan, leaf[1])[1], i ? 1.5 : 0.5, 1e-6);
        hk_plan_free(plan);
    }
    hk_net_free(net);
}

/* ---- Misuse --------------------------------------------------------------------------------- */

static void misuse_is_told(void)
{
    hk_net *net = hk_net_new(.normalization = "none"), *other = hk_net_new();
    hk_tensor *x = hk_input(net, 2), *y = hk_linear(x, 2), *loss = hk_sum(y, HK_ALL_AXES);
    hk_tensor *stranger = hk_input(other, 2);
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = 3}, &plan), HK_BAD_ARGUMENT);
    CHECK(plan == NULL);
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.loss = y}, &plan), HK_BAD_SHAPE);
    CHECK_CONTAINS(hk_message(), "[batch, 2]");
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.output = stranger}, &plan), HK_BAD_ARGUMENT);
    CHECK_EQUAL(
        hk_plan_new(net, &(hk_plan_options){.loss = loss, .keep = &stranger, .n_keep = 1}, &plan),
        HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = -1, .output = y}, &plan),
                HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "batch -1");
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = INT64_C(1) << 40, .output = y}, &plan),
                HK_BAD_ARGUMENT);

    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = 3, .output = y}, &plan), HK_OK);
    CHECK_EQUAL(hk_plan_forward(plan, 0), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_plan_forward(plan, 4), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "a plan for 3 samples cannot run 4");
    CHECK_EQUAL(hk_plan_forward(plan, 3), HK_OK);
    CHECK_EQUAL(hk_plan_backward(plan), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "requires a loss");
    CHECK(hk_plan_value(plan, stranger) == NULL);
    hk_plan_free(plan);

    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = 3, .loss = loss}, &plan), HK_OK);
    CHECK_EQUAL(hk_plan_backward(plan), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "requires a forward pass first");
    run_both_ways(plan, 3);
    CHECK_EQUAL(hk_plan_backward(plan), HK_BAD_ARGUMENT); /* its buffers are used up */
    hk_plan_free(plan);
    hk_net_free(net);
    hk_net_free(other);
}

/* A wrong label must not reach outside the logits: it shows as a loss that is no number. */
static void wrong_label_is_not_a_number(void)
{
    static const float labels[] = {3, -1, 1e9f, NAN};
    hk_net *net = hk_net_new(.normalization = "none");
    hk_tensor *x = hk_input(net, 2), *y = hk_linear(x, 3), *wanted = hk_labels(net);
    hk_tensor *loss = hk_cross_entropy(y, wanted, 0.1);
    hk_plan *plan = new_plan(x, (hk_plan_options){.loss = loss});
    for (int i = 0; i < 4; i++) {
        *hk_plan_value(plan, wanted) = labels[i];
        run_both_ways(plan, 1);
        CHECK(isnan(*hk_plan_value(plan, loss)));
    }
    *hk_plan_value(plan, wanted) = 2;
    run_both_ways(plan, 1);
    CHECK(isfinite(*hk_plan_value(plan, loss)));
    hk_plan_free(plan);
    hk_net_free(net);
}

/* Two samples of classes 2 and 0: sum of w loss over sum of w, in double, and its slopes. */
static void weighted_entropy_is_a_weighted_mean(void)
{
    const double w[] = {0.5, 1, 4}, smoothings[] = {0, 0.3};
    const float z[2][3] = {{1, -1, 0.5F}, {0.2F, 2, -1.5F}}, labels[] = {2, 0};
    for (int s = 0; s < 2; s++) {
        hk_net *net = hk_net_new();
        hk_tensor *x = hk_input(net, 3), *wanted = hk_labels(net);
        hk_tensor *loss = hk_weighted_cross_entropy(x, wanted, smoothings[s], w);
        hk_plan *plan =
            new_plan(x, (hk_plan_options){.batch = 2, .loss = loss, .keep = &x, .n_keep = 1});
        memcpy(hk_plan_value(plan, x), z, sizeof z);
        memcpy(hk_plan_value(plan, wanted), labels, sizeof labels);
        run_both_ways(plan, 2);
        double sum = 0, weight = w[2] + w[0];
        for (int i = 0; i < 2; i++) {
            double all = 0, target[3], total = 0;
            for (int k = 0; k < 3; k++) {
                all += exp((double)z[i][k]);
                target[k] =
                    w[k] * (smoothings[s] / 3 + (k == (int)labels[i] ? 1 - smoothings[s] : 0));
                total += target[k];
            }
            for (int k = 0; k < 3; k++) {
                sum -= target[k] * log(exp((double)z[i][k]) / all);
                CHECK_NEAR(hk_plan_gradient(plan, x)[3 * i + k],
                           (total * exp((double)z[i][k]) / all - target[k]) / weight, 1e-6);
            }
        }
        CHECK_NEAR(*hk_plan_value(plan, loss), sum / weight, 1e-6);
        hk_plan_free(plan);
        hk_net_free(net);
    }
}

int main(void)
{
    RUN(weighted_entropy_is_a_weighted_mean);
    RUN(deep_chain_reuses_buffers);
    RUN(size_is_known_without_a_plan);
    RUN(sharing_changes_no_bit);
    RUN(kept_tensors_are_readable);
    RUN(smaller_batch_is_its_own_plan);
    RUN(chunks_of_fewer_rows_fit);
    RUN(gradients_accumulate);
    RUN(shared_parameter_adds_its_uses);
    RUN(any_scalar_has_a_backward);
    RUN(two_plans_of_one_net);
    RUN(evaluation_has_a_backward);
    RUN(kept_targets_have_a_gradient);
    RUN(misuse_is_told);
    RUN(wrong_label_is_not_a_number);
    return check_result();
}
