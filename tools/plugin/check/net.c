/* The plugin in small real nets, run by the framework itself: three training steps of each, on every
 * instruction set, on one thread and on four, and samples predicted alone and in a batch. Finds what
 * only real contexts, tiles and orders of calls show. */
#include "plugin/check/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hillock/hillock.h>
#include <hillock/kernel.h>
#include "engine/engine.h"

enum { CLASSES = 3, STEPS = 3, MOST_BATCH = 64 };

typedef hk_tensor *layers(hk_tensor *x);

static hk_tensor *wide(hk_tensor *x)
{
    return hk_act(hk_norm(hk_linear(x, 1026)));
}

static hk_tensor *convolutional(hk_tensor *x)
{
    return hk_act(hk_norm(hk_conv(x, 10, 3)));
}

static hk_tensor *depthwise(hk_tensor *x)
{
    hk_tensor *a = hk_act(x);
    const int channels =
        a ? (int)hk_tensor_shape(a).dims[3] : 1; /* half of them, if it is a gate */
    return hk_act(hk_norm(hk_conv(a, 2 * channels, 3, .groups = channels)));
}

static hk_tensor *by_pixels(hk_tensor *x)
{
    return hk_act(hk_norm(hk_conv(x, 2, 1)));
}

/* The batch of 64 images of 33 x 33 has more rows than 16 bits count. */
static const struct {
    const char *name;
    layers *record;
    int side, channels, batch;
} nets[] = {{"three steps of a dense layer of 1026 units", wide, 1, 6, 64},
            {"three steps of a dense layer, a sample at a time", wide, 1, 6, 1},
            {"three steps of a convolution", convolutional, 6, 3, 5},
            {"three steps of a depthwise convolution", depthwise, 5, 4, 7},
            {"three steps of a batch of 69696 pixels", by_pixels, 33, 1, 64}};
enum { NETS = sizeof nets / sizeof *nets };

typedef struct run {
    char digest[65];
    float logits[MOST_BATCH * CLASSES]; /* of the first step */
    bool refused;                       /* this plugin has no such net, and says so */
} run;

static hk_tensor *record(const subject *s, int which)
{
    const hk_plugin *p = s->plugin;
    double params[HK_MAX_PARAMS] = {0};
    const hk_context context = {.params = params};
    for (int i = 0; p->params && p->params[i].name; i++)
        params[i] = p->params[i].value;
    const bool weight = p->normalization && p->normalization->domain(&context) == HK_OVER_WEIGHT;
    hk_net *net = hk_net_new(.activation = p->activation ? p->name : "tanh",
                             .normalization = p->normalization && !weight ? p->name : "none",
                             .initializer = p->initializer ? p->name : "he_normal",
                             .weight_norm = weight ? p->name : "none", .seed = check_seed);
    const int side = nets[which].side;
    hk_tensor *x = net ? hk_input(net, side, side, nets[which].channels) : NULL;
    x = hk_linear(nets[which].record(x), CLASSES, .init = "he_normal");
    if (!x)
        hk_net_free(net);
    return x;
}

static int64_t floats_of_batch(int which)
{
    return (int64_t)nets[which].batch * nets[which].side * nets[which].side * nets[which].channels;
}

/* Trains on the samples, others in each step. False after a failure of the framework. */
static bool train(const subject *s, hk_tensor *logits, int which, const float *x, run *out)
{
    hk_net *net = hk_tensor_net(logits);
    hk_tensor *labels = hk_labels(net);
    hk_plan *plan = NULL;
    hk_optimizer *optimizer = NULL;
    const int64_t n = nets[which].batch, floats = floats_of_batch(which);
    const hk_plan_options options = {
        .batch = n, .training = 1, .loss = hk_cross_entropy(logits, labels, 0), .output = logits};
    bool fine = hk_plan_new(net, &options, &plan) == HK_OK;
    if (!fine && s->plugin->initializer)
        return out->refused = true;
    fine = fine && hk_optimizer_new(net, "sgd:lr=0.01", &optimizer) == HK_OK;
    for (int step = 0; step < STEPS && fine; step++) {
        memcpy(hk_plan_value(plan, hk_tensor_input(logits)), x + step * floats,
               (size_t)floats * sizeof *x);
        for (int64_t i = 0; i < n; i++)
            hk_plan_value(plan, labels)[i] = (float)(i % CLASSES);
        fine = hk_plan_forward(plan, n) == HK_OK;
        if (fine && step == 0)
            memcpy(out->logits, hk_plan_value(plan, logits),
                   (size_t)(n * CLASSES) * sizeof *out->logits);
        fine = fine && hk_plan_backward(plan) == HK_OK;
        if (fine)
            hk_optimizer_step(optimizer, plan, 1, 1);
    }
    hk_net_digest(net, out->digest);
    hk_optimizer_free(optimizer);
    hk_plan_free(plan);
    return fine;
}

/* The logits of a sample do not depend on the others of its batch, in evaluation. */
static void check_batch_cut(hk_tensor *logits, int which)
{
    const int64_t n = nets[which].batch < 8 ? nets[which].batch : 8;
    const int64_t each = (int64_t)nets[which].side * nets[which].side * nets[which].channels;
    float *x = check_unguarded("samples", (size_t)(n * each) * sizeof *x);
    float together[8 * CLASSES], alone[CLASSES];
    check_fill_normal(x, n * each, check_seed + 9, 1);
    if (hk_net_predict(logits, n, x, together) != HK_OK)
        check_fail("%s: %s", nets[which].name, hk_message());
    for (int64_t i = 0; i < n && !check_has_failed(); i++) {
        if (hk_net_predict(logits, 1, x + i * each, alone) != HK_OK)
            check_fail("%s: %s", nets[which].name, hk_message());
        for (int j = 0; j < CLASSES; j++)
            if (!(fabsf(alone[j] - together[i * CLASSES + j]) <= 1e-3f * (1 + fabsf(alone[j]))) &&
                !isnan(alone[j]))
                check_fail("%s: in evaluation a sample alone gives %.9g, in a batch of %lld %.9g",
                           nets[which].name, (double)alone[j], (long long)n,
                           (double)together[i * CLASSES + j]);
    }
}

static run run_net(const subject *s, int which, const float *x, int isa, int threads, bool cut)
{
    run result = {.digest = ""};
    hki_isa_cap((hk_isa)isa);
    hk_set_threads(threads);
    check_begin_call(nets[which].name, -1, 0, 0);
    hk_tensor *logits = record(s, which);
    result.refused = !logits;
    if (logits && !train(s, logits, which, x, &result))
        check_fail("%s, %s: %s", nets[which].name, check_isa_names[isa], hk_message());
    if (logits && cut && !result.refused && !check_has_failed())
        check_batch_cut(logits, which);
    check_end_call();
    if (logits)
        hk_net_free(hk_tensor_net(logits));
    hki_isa_cap(HK_ISA_COUNT);
    hk_set_threads(0);
    return result;
}

static void compare_sets(int which, int isa, const run *base, const run *other)
{
    for (int i = 0; i < nets[which].batch * CLASSES; i++) {
        const double expected = (double)base->logits[i], found = (double)other->logits[i];
        if (!(fabs(found - expected) <= 2e-3 * (1 + fabs(expected))) && found != expected &&
            !(isnan(found) && isnan(expected)))
            check_fail("%s: logit %d is %.9g with %s, with baseline %.9g", nets[which].name, i,
                       found, check_isa_names[isa], expected);
    }
}

/* A normalization over the batch without values of its own for evaluation needs its batch there. */
static bool needs_its_batch(const subject *s)
{
    return s->plugin->normalization && !s->plugin->normalization->frozen &&
           s->plugin->normalization->coefficients;
}

/* Whether it was refused. */
static bool check_net(const subject *s, int which)
{
    float *x = check_unguarded("samples", (size_t)(STEPS * floats_of_batch(which)) * sizeof *x);
    check_fill_normal(x, STEPS * floats_of_batch(which), check_seed, 1);
    const run base = run_net(s, which, x, HK_BASELINE, 1, !needs_its_batch(s));
    for (int isa = 1; isa < HK_ISA_COUNT && !base.refused && !check_has_failed(); isa++) {
        if (!check_machine_has(isa))
            continue;
        const run one = run_net(s, which, x, isa, 1, false);
        compare_sets(which, isa, &base, &one);
    }
    if (base.refused || check_has_failed() || nets[which].batch < MOST_BATCH)
        return base.refused;
    const run four = run_net(s, which, x, HK_BASELINE, 4, false);
    if (strcmp(base.digest, four.digest) != 0)
        check_fail("%s: four threads train another net than one (digests %.12s, %.12s)",
                   nets[which].name, four.digest, base.digest);
    return false;
}

void check_test_net(const subject *s)
{
    const hk_plugin *own = NULL;
    int refused = 0;
    if (hk_plugin_find((hk_kind)s->plugin->kind, s->plugin->name, &own) != HK_OK ||
        own != s->plugin) {
        check_skip("another plugin has its name");
        return;
    }
    for (int which = 0; which < NETS && !check_has_failed(); which++) {
        const int mark = check_arrays_mark();
        refused += check_net(s, which);
        check_arrays_release(mark);
    }
    if (refused)
        check_tell("%d of %d small nets train as they should, the others are refused: %s",
                   NETS - refused, NETS, hk_message());
}
