/* Chains: convolution, normalization, addition and activation in one step compute what they compute
 * one by one. A plan that keeps every result fuses nothing but single normalizations. */
#include <hillock/hillock.h>
#include <hillock/random.h>
#include <stdlib.h>
#include "check.h"
#include "bad_plugins/build.h"
#include "graph/plan.h"
#include "ops/fused/fused.h"

enum { BATCH = 5, SIZE = 9, CHANNELS = 16, MOST = 128 };

/* A net behind x [batch, SIZE, SIZE, CHANNELS], and how many steps do the work of several. */
typedef struct subject {
    const char *name, *activation, *normalization;
    hk_tensor *(*build)(hk_tensor *x);
    int fused;
} subject;

static hk_tensor *plain(hk_tensor *x)
{
    return hk_act(hk_norm(hk_conv(x, 24, 3)));
}

static hk_tensor *without_normalization(hk_tensor *x)
{
    return hk_act(hk_conv(x, 8, 3, .stride = 2));
}

static hk_tensor *residual(hk_tensor *x)
{
    hk_tensor *y = hk_act(hk_norm(hk_conv(x, CHANNELS, 3)));
    return hk_act(hk_add(hk_norm(hk_conv(y, CHANNELS, 3)), x));
}

static hk_tensor *two_residuals(hk_tensor *x)
{
    hk_tensor *y = residual(residual(x));
    hk_tensor *shortcut = hk_norm(hk_conv(y, 12, 1, .stride = 2, .padding = HK_VALID));
    return hk_act(hk_add(shortcut, hk_norm(hk_conv(y, 12, 3, .stride = 2, .pad = 1))));
}

static hk_tensor *added_twice(hk_tensor *x)
{
    hk_tensor *y = hk_conv(x, CHANNELS, 3);
    return hk_act(hk_add(y, hk_norm(y))); /* the convolution has two readers */
}

static hk_tensor *normalized_first(hk_tensor *x)
{
    return hk_add(hk_conv(hk_act(hk_norm(x)), CHANNELS, 3, .groups = 4), x);
}

static hk_tensor *normalized_sum(hk_tensor *x)
{
    return hk_add(x, hk_norm(hk_conv(x, CHANNELS, 3, .groups = CHANNELS)));
}

static hk_tensor *own_input(hk_tensor *x)
{
    return hk_act(hk_add(hk_norm(hk_conv(x, CHANNELS, 3)), x));
}

static void fill(float *x, int64_t n, uint64_t key)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = 2 * hks_uniform(key, (uint64_t)i) - 1;
}

static int fused_steps(const hk_plan *plan)
{
    int n = 0;
    for (int s = 0; s < plan->n_steps; s++) {
        const hki_fused *c = hki_fused_of(plan->steps[s].call.tensor);
        n += c && (c->conv != NULL) + (c->norm != NULL) + (c->add != NULL) + (c->act != NULL) > 1;
    }
    return n;
}

typedef struct result {
    hk_plan *plan;
    float loss;
    float *gradients; /* of x, then of everything learned */
    int64_t n;
} result;

static void collect(result *r, const float *gradient, int64_t n)
{
    CHECK(gradient != NULL);
    for (int64_t i = 0; gradient && i < n; i++)
        r->gradients[r->n++] = gradient[i];
}

static result run(const subject *s, bool apart, int training)
{
    result r = {.gradients = malloc(sizeof(float) << 20)};
    hk_net *net =
        hk_net_new(.activation = s->activation, .normalization = s->normalization, .seed = 3);
    hk_tensor *x = hk_input(net, SIZE, SIZE, CHANNELS), *y = s->build(x);
    if (!y) {
        printf("  %s: %s\n", s->name, hk_message());
        exit(1);
    }
    hk_tensor *weight = hk_input(net, hki_sample_count(&y->shape));
    hk_tensor *flat = hk_reshape(y, HK_SHAPE(HK_BATCH, hki_sample_count(&y->shape)));
    hk_tensor *loss = hk_mean(hk_mul(flat, weight), HK_ALL_AXES), *keep[MOST] = {x};
    int n_keep = 1;
    for (int i = 0; apart && i < net->n_tensors; i++)
        if (net->tensors[i]->role == HKI_COMPUTED && net->tensors[i] != loss)
            keep[n_keep++] = net->tensors[i];
    hk_plan_options options = {
        .batch = BATCH, .training = training, .loss = loss, .keep = keep, .n_keep = n_keep};
    CHECK_EQUAL(hk_plan_new(net, &options, &r.plan), HK_OK);
    int fused = fused_steps(r.plan);
    CHECK_EQUAL(fused, apart ? 0 : s->fused);
    if (fused != (apart ? 0 : s->fused))
        printf("  %s with %s, %s\n", s->name, s->activation, s->normalization);
    fill(hk_plan_value(r.plan, x), BATCH * hki_sample_count(&x->shape), 1);
    fill(hk_plan_value(r.plan, weight), BATCH * hki_sample_count(&y->shape), 2);
    for (int i = 0; i < 2; i++) { /* the second step meets buffers in use */
        hk_net_clear_gradients(net);
        CHECK_EQUAL(hk_plan_forward(r.plan, BATCH - i), HK_OK);
        CHECK_EQUAL(hk_plan_backward(r.plan), HK_OK);
    }
    r.loss = *hk_plan_value(r.plan, loss);
    collect(&r, hk_plan_gradient(r.plan, x), (BATCH - 1) * hki_sample_count(&x->shape));
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->role == HKI_LEARNED)
            collect(&r, net->tensors[i]->gradient, hki_count(&net->tensors[i]->shape, 1));
    hk_plan_free(r.plan);
    hk_net_free(net);
    return r;
}

/* The same up to rounding: moments are merged from other tiles. */
static void compare(const subject *s, int training)
{
    result one = run(s, false, training), many = run(s, true, training);
    double largest = 0, away = 0;
    CHECK_NEAR(one.loss, many.loss, 1e-6);
    CHECK_EQUAL(one.n, many.n);
    for (int64_t i = 0; i < one.n && i < many.n; i++) {
        largest = fmax(largest, fabs((double)many.gradients[i]));
        away = fmax(away, fabs((double)one.gradients[i] - (double)many.gradients[i]));
    }
    CHECK(largest > 0);
    CHECK_NEAR(away / largest, 0, 2e-5);
    if (!(away <= 2e-5 * largest))
        printf("  %s with %s, %s\n", s->name, s->activation, s->normalization);
    free(one.gradients);
    free(many.gradients);
}

static const subject subjects[] = {
    {"plain", "silu", "batch_norm", plain, 1},
    {"plain", "silu", "group_norm:groups=4", plain, 1},
    {"plain", "tanh", "none", plain, 1},
    {"plain", "prelu", "batch_norm", plain, 1},
    {"plain", "softmax", "batch_norm", plain, 1},
    {"plain", "silu", "local_response_norm", plain, 0},
    {"plain", "silu", "rms_norm", plain, 1},
    {"without normalization", "gelu", "batch_norm", without_normalization, 1},
    {"without normalization", "sigmoid", "batch_norm", without_normalization, 1},
    {"residual", "softplus", "batch_norm", residual, 2},
    {"residual", "tanh", "layer_norm", residual, 2},
    {"residual", "prelu", "instance_norm", residual, 2},
    {"two residuals", "silu", "batch_norm", two_residuals, 6},
    {"two residuals", "sigmoid", "batch_norm", two_residuals, 6},
    {"added twice", "silu", "batch_norm", added_twice, 1},
    {"normalized first", "silu", "batch_norm", normalized_first, 1},
    {"normalized sum", "silu", "batch_norm", normalized_sum, 1},
    {"own input", "silu", "group_norm:groups=2", own_input, 1},
    {"own input", "softmax", "batch_norm", own_input, 1},
    {"residual", "many_slots", "many_slots_norm", residual, 2}, /* the widest step there can be */
    {"without normalization", "many_slots", "none", without_normalization, 1},
    {"residual", "many_slots~many_slots", "many_slots_norm", residual, 2},
};

static void training_is_the_same(void)
{
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        compare(&subjects[i], 1);
}

static void evaluation_is_the_same(void)
{
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        compare(&subjects[i], 0);
}

/* ---- Folded into the filters -------------------------------------------------------------------- */

static void train_a_step(hk_plan *plan, const hk_tensor *x, uint64_t key)
{
    fill(hk_plan_value(plan, x), BATCH * hki_sample_count(&x->shape), key);
    CHECK_EQUAL(hk_plan_forward(plan, BATCH), HK_OK);
    hk_plan_commit(plan); /* statistics move */
}

/* A plan of more samples than it is given packs nothing. */
static void check_folded(const subject *s, hk_plan *packed, hk_plan *plain_plan, const hk_tensor *x,
                         const hk_tensor *y)
{
    int64_t n = BATCH * hki_sample_count(&y->shape);
    hk_plan *const plans[] = {packed, plain_plan};
    float largest = 0, away = 0;
    for (int i = 0; i < 2; i++) {
        fill(hk_plan_value(plans[i], x), BATCH * hki_sample_count(&x->shape), 9);
        CHECK_EQUAL(hk_plan_forward(plans[i], BATCH), HK_OK);
    }
    const float *a = hk_plan_value(packed, y), *b = hk_plan_value(plain_plan, y);
    for (int64_t i = 0; i < n; i++) {
        largest = fmaxf(largest, fabsf(b[i]));
        away = fmaxf(away, fabsf(a[i] - b[i]));
    }
    CHECK(largest > 0);
    CHECK_NEAR(away / largest, 0, 1e-5);
    if (!(away <= 1e-5f * largest))
        printf("  %s with %s, %s\n", s->name, s->activation, s->normalization);
}

static void folding_follows_the_values(void)
{
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        const subject *s = &subjects[i];
        hk_net *net =
            hk_net_new(.activation = s->activation, .normalization = s->normalization, .seed = 3);
        hk_tensor *x = hk_input(net, SIZE, SIZE, CHANNELS), *y = s->build(x);
        hk_tensor *loss = hk_mean(y, HK_ALL_AXES);
        hk_plan *training, *packed, *plain_plan;
        CHECK_EQUAL(hk_plan_new(net,
                                &(hk_plan_options){.batch = BATCH, .training = 1, .loss = loss},
                                &training),
                    HK_OK);
        CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = BATCH, .output = y}, &packed),
                    HK_OK);
        CHECK_EQUAL(
            hk_plan_new(net, &(hk_plan_options){.batch = BATCH + 1, .output = y}, &plain_plan),
            HK_OK);
        for (uint64_t step = 1; step <= 3; step++) {
            train_a_step(training, x, step);
            check_folded(s, packed, plain_plan, x, y);
        }
        hk_plan_free(training);
        hk_plan_free(packed);
        hk_plan_free(plain_plan);
        hk_net_free(net);
    }
}

/* Plugins with as many slots as there can be. */
static void widest_plugins_load(void)
{
    CHECK(begin_builds());
    const char *activation = build("many_slots", "../zoo/good_many_slots.c", "-lm");
    const char *normalization = build("many_slots_norm", "../zoo/good_many_slots_norm.c", "-lm");
    CHECK_EQUAL(hk_plugin_load(activation), HK_OK);
    CHECK_EQUAL(hk_plugin_load(normalization), HK_OK);
    end_builds();
}

int main(void)
{
    RUN(widest_plugins_load);
    RUN(training_is_the_same);
    RUN(evaluation_is_the_same);
    RUN(folding_follows_the_values);
    return check_result();
}
