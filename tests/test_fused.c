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
#ifdef __SANITIZE_ADDRESS__
enum { RANDOM_NETS = 200 };
#else
enum { RANDOM_NETS = 2000 };
#endif

/* A net behind x [batch, SIZE, SIZE, CHANNELS], and how many steps do the work of several; or one that
 * is drawn from a seed, with an input of its own. */
typedef struct subject {
    const char *name, *activation, *normalization;
    hk_tensor *(*build)(hk_tensor *x);
    int fused;
    int streamed; /* steps whose result is made while it is read, where nothing is trained */
    int begun;    /* steps whose backward begins in that of the next one */
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

/* As in MobileNet; and where the depthwise result has another reader, or a reader of more than a pixel. */
static hk_tensor *separable(hk_tensor *x)
{
    hk_tensor *y = hk_act(hk_norm(hk_conv(x, CHANNELS, 3, .groups = CHANNELS, .stride = 2)));
    return hk_act(hk_norm(hk_conv(y, 24, 1)));
}

static hk_tensor *separable_sum(hk_tensor *x)
{
    hk_tensor *y = hk_act(hk_add(hk_norm(hk_conv(x, CHANNELS, 3, .groups = CHANNELS)), x));
    return hk_add(hk_norm(hk_conv(y, CHANNELS, 1)), x);
}

static hk_tensor *separable_read_twice(hk_tensor *x)
{
    hk_tensor *y = hk_act(hk_norm(hk_conv(x, CHANNELS, 3, .groups = CHANNELS)));
    return hk_add(hk_norm(hk_conv(y, CHANNELS, 1)), y);
}

static hk_tensor *depthwise_then_dense(hk_tensor *x)
{
    hk_tensor *y = hk_act(hk_norm(hk_conv(x, CHANNELS, 3, .groups = CHANNELS)));
    return hk_act(hk_norm(hk_conv(y, 24, 3)));
}

/* ---- Nets that nobody thought of ----------------------------------------------------------------- */

static uint64_t seed, draws; /* of the net in work; 0: it is none of these */
static bool nudged;          /* its input is off by the last bit */

static int draw(int n) /* 0 .. n - 1 */
{
    return (int)(hks_uniform(seed, draws++) * (float)n);
}

/* Smooth ones: where a slope jumps, rounding decides on which side an element lies. */
static const char *drawn_activation(void)
{
    static const char *const names[] = {"silu",  "tanh", "gelu",    "softplus", "mish", "sigmoid",
                                        "swish", "gcu",  "softmax", "sine",     "serf", "acon_c"};
    return names[draw(sizeof names / sizeof *names)];
}

static const char *drawn_normalization(int channels)
{
    static const char *const names[] = {"batch_norm", "none",       "layer_norm",
                                        "rms_norm",   "batch_norm", "instance_norm"};
    const char *name = names[draw(sizeof names / sizeof *names)];
    return channels % 2 == 0 && draw(6) == 0 ? "group_norm:groups=2" : name;
}

static hk_tensor *drawn_convolution(hk_tensor *x)
{
    const hk_shape shape = hk_tensor_shape(x);
    int channels = (int)shape.dims[3], size = (int)shape.dims[1], groups = 1,
        filters = 1 + draw(40);
    switch (draw(4)) {
    case 0: groups = filters = channels; break; /* depthwise */
    case 1:
        for (groups = 1 + draw(channels); channels % groups != 0;)
            groups--;
        filters = groups * (1 + draw(4));
        break;
    }
    int taps = size >= 5 ? 1 + 2 * draw(3) : 1 + 2 * draw(2), stride = size > 4 ? 1 + draw(2) : 1;
    return hk_conv(x, filters, taps, .stride = stride, .groups = groups, .pad = taps / 2,
                   .no_bias = draw(3) > 0);
}

static hk_tensor *drawn_block(hk_tensor *x)
{
    if (!x)
        return NULL;
    hk_tensor *y = draw(6) > 0 ? drawn_convolution(x) : x;
    int channels = y ? (int)hk_tensor_shape(y).dims[3] : 0;
    y = y ? hk_norm(y, .use = drawn_normalization(channels)) : NULL;
    const hk_shape *a = &x->shape, *b = y ? &y->shape : NULL;
    if (b && hki_same_shape(a, b) && draw(2) == 0)
        y = draw(2) == 0 ? hk_add(y, x) : hk_add(x, y);
    return y && draw(5) > 0 ? hk_act(y, .use = drawn_activation()) : y;
}

static hk_tensor *drawn(hk_tensor *x)
{
    hk_tensor *y = drawn_block(x);
    for (int more = draw(4); y && more > 0; more--) {
        hk_tensor *side = draw(4) == 0 ? drawn_block(y) : NULL;
        hk_tensor *main = drawn_block(y);
        bool joins = side && main && hki_same_shape(&side->shape, &main->shape);
        y = joins ? hk_add(side, main) : main;
    }
    return y;
}

static hk_tensor *input_of(hk_net *net)
{
    draws = 0;
    if (!seed)
        return hk_input(net, SIZE, SIZE, CHANNELS);
    int size = 2 + draw(11), channels = 1 + draw(40);
    return hk_input(net, size, size, channels);
}

/* ---- One plan and another ------------------------------------------------------------------------- */

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

static int begun_steps(const hk_plan *plan)
{
    int n = 0;
    for (int s = 0; s < plan->n_steps; s++)
        n += plan->steps[s].begun;
    return n;
}

typedef struct result {
    hk_plan *plan;
    int fused;
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

/* Every result but `last` is kept, behind `first`. */
static int keep_all(hk_net *net, hk_tensor *first, const hk_tensor *last, hk_tensor *keep[MOST])
{
    int n = 0;
    keep[n++] = first;
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->role == HKI_COMPUTED && net->tensors[i] != last)
            keep[n++] = net->tensors[i];
    return n;
}

static result run(const subject *s, bool apart, int training)
{
    result r = {.gradients = malloc(sizeof(float) << 20)};
    hk_net *net =
        hk_net_new(.activation = s->activation, .normalization = s->normalization, .seed = 3);
    hk_tensor *x = input_of(net), *y = s->build(x);
    if (!y) {
        printf("  %s: %s\n", s->name, hk_message());
        exit(1);
    }
    hk_tensor *weight = hk_input(net, hki_sample_count(&y->shape));
    hk_tensor *flat = hk_reshape(y, HK_SHAPE(HK_BATCH, hki_sample_count(&y->shape)));
    hk_tensor *loss = hk_mean(hk_mul(flat, weight), HK_ALL_AXES), *keep[MOST] = {x};
    int n_keep = apart ? keep_all(net, x, loss, keep) : 1;
    hk_plan_options options = {
        .batch = BATCH, .training = training, .loss = loss, .keep = keep, .n_keep = n_keep};
    CHECK_EQUAL(hk_plan_new(net, &options, &r.plan), HK_OK);
    int fused = r.fused = fused_steps(r.plan);
    CHECK(fused == (apart ? 0 : s->fused) || (seed && !apart));
    CHECK(begun_steps(r.plan) == (apart ? 0 : s->begun) || (seed && !apart));
    if (!seed && fused != (apart ? 0 : s->fused))
        printf("  %s with %s, %s\n", s->name, s->activation, s->normalization);
    float *images = hk_plan_value(r.plan, x);
    fill(images, BATCH * hki_sample_count(&x->shape), 1);
    for (int64_t i = 0; nudged && i < BATCH * hki_sample_count(&x->shape); i++)
        images[i] = nextafterf(images[i], i % 2 ? 2 : -2);
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

/* The largest distance of two runs' gradients, and the largest gradient of the second. */
static double distance(const result *a, const result *b, double *largest)
{
    double away = fabs((double)a->loss - (double)b->loss);
    *largest = 0;
    CHECK_EQUAL(a->n, b->n);
    for (int64_t i = 0; i < a->n && i < b->n; i++) {
        *largest = fmax(*largest, fabs((double)b->gradients[i]));
        away = fmax(away, fabs((double)a->gradients[i] - (double)b->gradients[i]));
    }
    return away;
}

/* The same up to rounding: moments are merged from other tiles. A drawn net may enlarge that, with the
 * variance of four equal numbers: how much, an input tells whose numbers are off by their last bit.
 * Returns the steps that did the work of several. */
static int compare(const subject *s, int training)
{
    result one = run(s, false, training), many = run(s, true, training);
    double largest, away = distance(&one, &many, &largest), within = 2e-5 * largest;
    CHECK(largest > 0 || seed); /* a softmax of one channel has no gradient */
    if (!seed)
        CHECK_NEAR(one.loss, many.loss, 1e-6);
    if (seed && away > within) {
        nudged = true;
        result off = run(s, true, training);
        nudged = false;
        within += 8 * distance(&off, &many, &largest);
        free(off.gradients);
    }
    CHECK(away <= within);
    if (!(away <= within))
        printf("  %s with %s, %s, seed %llu: %g away, allowed %g of %g\n", s->name, s->activation,
               s->normalization, (unsigned long long)seed, away, within, largest);
    free(one.gradients);
    free(many.gradients);
    return one.fused;
}

static const subject subjects[] = {
    {"plain", "silu", "batch_norm", plain, 1, 0, 0},
    {"plain", "silu", "group_norm:groups=4", plain, 1, 0, 0},
    {"plain", "tanh", "none", plain, 1, 0, 0},
    {"plain", "prelu", "batch_norm", plain, 1, 0, 0},
    {"plain", "softmax", "batch_norm", plain, 1, 0, 0},
    {"plain", "silu", "local_response_norm", plain, 0, 0, 0},
    {"plain", "silu", "rms_norm", plain, 1, 0, 0},
    {"without normalization", "gelu", "batch_norm", without_normalization, 1, 0, 0},
    {"without normalization", "sigmoid", "batch_norm", without_normalization, 1, 0, 0},
    {"residual", "softplus", "batch_norm", residual, 2, 0, 1},
    {"residual", "tanh", "layer_norm", residual, 2, 0, 0},
    {"residual", "prelu", "instance_norm", residual, 2, 0, 0},
    {"two residuals", "silu", "batch_norm", two_residuals, 6, 0, 2},
    {"two residuals", "sigmoid", "batch_norm", two_residuals, 6, 0, 2},
    {"added twice", "silu", "batch_norm", added_twice, 1, 0, 0},
    {"normalized first", "silu", "batch_norm", normalized_first, 1, 0, 0},
    {"normalized sum", "silu", "batch_norm", normalized_sum, 1, 0, 0},
    {"own input", "silu", "group_norm:groups=2", own_input, 1, 0, 0},
    {"own input", "softmax", "batch_norm", own_input, 1, 0, 0},
    /* the widest step there can be */
    {"residual", "many_slots", "many_slots_norm", residual, 2, 0, 1},
    {"without normalization", "many_slots", "none", without_normalization, 1, 0, 0},
    {"residual", "many_slots~many_slots", "many_slots_norm", residual, 2, 0, 0},
    {"separable", "relu6", "batch_norm", separable, 2, 1, 1},
    {"separable", "prelu", "batch_norm", separable, 2, 1, 1},
    {"separable", "softmax", "none", separable, 2, 1, 1},
    {"separable", "silu", "layer_norm", separable, 2, 0, 0}, /* of each sample */
    {"separable sum", "mish", "batch_norm", separable_sum, 2, 1, 0},
    {"separable read twice", "silu", "batch_norm", separable_read_twice, 2, 0, 0},
    {"depthwise, then dense", "silu", "batch_norm", depthwise_then_dense, 2, 0, 1},
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

static void any_net_is_the_same(void)
{
    int fused = 0;
    const subject s = {"drawn", "silu", "batch_norm", drawn, 0, 0, 0};
    for (seed = 1; seed <= RANDOM_NETS; seed++)
        fused += compare(&s, seed % 4 != 0) > 0;
    seed = 0;
    CHECK(fused > RANDOM_NETS / 2);
}

/* ---- Folded into the filters -------------------------------------------------------------------- */

static void train_a_step(hk_plan *plan, const hk_tensor *x, uint64_t key)
{
    fill(hk_plan_value(plan, x), BATCH * hki_sample_count(&x->shape), key);
    CHECK_EQUAL(hk_plan_forward(plan, BATCH), HK_OK);
    hk_plan_commit(plan); /* statistics move */
}

static int streamed_steps(const hk_plan *plan)
{
    int n = 0;
    for (int s = 0; s < plan->n_steps; s++)
        n += plan->steps[s].streamed;
    return n;
}

/* A plan of more samples than it is given packs nothing; one that keeps all results
 * fuses and streams nothing. */
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
        hk_tensor *loss = hk_mean(y, HK_ALL_AXES), *keep[MOST];
        hk_plan *training, *packed, *plain_plan;
        hk_plan_options apart = {
            .batch = BATCH + 1, .output = y, .keep = keep, .n_keep = keep_all(net, x, loss, keep)};
        CHECK_EQUAL(hk_plan_new(net,
                                &(hk_plan_options){.batch = BATCH, .training = 1, .loss = loss},
                                &training),
                    HK_OK);
        CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = BATCH, .output = y}, &packed),
                    HK_OK);
        CHECK_EQUAL(hk_plan_new(net, &apart, &plain_plan), HK_OK);
        CHECK_EQUAL(streamed_steps(packed), s->streamed);
        CHECK_EQUAL(streamed_steps(plain_plan), 0);
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
    RUN(any_net_is_the_same);
    RUN(folding_follows_the_values);
    return check_result();
}
