/* tests/gradient.h - gradients of a recorded tensor against differences.
 *
 * The tensor is projected on fixed random numbers; the projection is computed in double from the
 * plan's float values, once a little to each side along a random direction. */
#pragma once
#include <hillock/hillock.h>
#include <hillock/random.h>
#include <stdlib.h>
#include "check.h"
#include "graph/graph.h"

enum { GRADIENT_MAX_LEAVES = 8 };

static float gradient_draw(uint64_t key, int64_t i)
{
    return 2 * hks_uniform(key, (uint64_t)i) - 1;
}

static double gradient_project(hk_plan *plan, const hk_tensor *out, const float *r, int64_t batch)
{
    const float *y = hk_plan_value(plan, out);
    double sum = 0;
    for (int64_t i = 0; i < hki_count(&out->shape, batch); i++)
        sum += (double)y[i] * (double)r[i];
    return sum;
}

/* d projection / d leaf along a direction, by central difference over the plan's own forward. */
static double gradient_difference(hk_plan *plan, const hk_tensor *out, const hk_tensor *leaf,
                                  const float *r, int64_t batch, float step, uint64_t key)
{
    int64_t n = hki_count(&leaf->shape, batch);
    float *x = hk_plan_value(plan, leaf), *saved = malloc((size_t)n * sizeof *saved);
    memcpy(saved, x, (size_t)n * sizeof *x);
    double sides[2];
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < n; i++)
            x[i] = saved[i] + (side ? step : -step) * gradient_draw(key, i);
        hk_plan_forward(plan, batch);
        sides[side] = gradient_project(plan, out, r, batch);
    }
    memcpy(x, saved, (size_t)n * sizeof *x);
    free(saved);
    return (sides[1] - sides[0]) / (2 * (double)step);
}

/* Evenly spaced values in random order: no two are so near that a step makes them change places;
 * shifted by the key, so that two leaves of one value each differ. */
static void gradient_fill(float *x, int64_t n, float low, float high, uint64_t key)
{
    uint32_t *order = malloc((size_t)n * sizeof *order);
    float shift = hks_uniform(key, 0);
    hki_permutation(key, (uint32_t)n, order);
    for (int64_t i = 0; i < n; i++)
        x[i] = low + (high - low) * ((float)order[i] + shift) / (float)n;
    free(order);
}

/* Checks the gradient of `out` by each leaf (inputs and learned tensors), whose values are drawn
 * from [low, high]. */
static void gradient_check(const char *what, hk_tensor *out, hk_tensor *const *leaves, int n_leaves,
                           int64_t batch, float low, float high, double tolerance)
{
    CHECK(out != NULL);
    if (!out) {
        printf("  %s: %s\n", what, hk_message());
        return;
    }
    hk_net *net = hk_tensor_net(out);
    hk_tensor *keep[GRADIENT_MAX_LEAVES + 1];
    memcpy(keep, leaves, (size_t)n_leaves * sizeof *keep);
    keep[n_leaves] = out;
    hk_tensor *r = hki_is_batched(&out->shape) ? hk_input_shaped(net, out->shape)
                                               : hk_parameter(net, "r", out->shape, "constant");
    hk_tensor *loss = hk_sum(hk_mul(out, r), HK_ALL_AXES);
    hk_plan_options options = {
        .batch = batch + 1, .training = 1, .loss = loss, .keep = keep, .n_keep = n_leaves + 1};
    hk_plan *plan;
    CHECK(hk_plan_new(net, &options, &plan) == HK_OK);
    if (!plan) {
        printf("  %s: %s\n", what, hk_message());
        return;
    }
    for (int l = 0; l < n_leaves; l++)
        gradient_fill(hk_plan_value(plan, leaves[l]), hki_count(&leaves[l]->shape, batch), low,
                      high, (uint64_t)l + 7);
    int64_t n_out = hki_count(&out->shape, batch);
    float *weights = hk_plan_value(plan, r);
    for (int64_t i = 0; i < n_out; i++)
        weights[i] = gradient_draw(99, i);

    for (int l = 0; l < n_leaves; l++) {
        int64_t n = hki_count(&leaves[l]->shape, batch);
        for (uint64_t trial = 0; trial < 3; trial++) {
            uint64_t key = 1000 + trial;
            hk_net_clear_gradients(net);
            CHECK(hk_plan_forward(plan, batch) == HK_OK && hk_plan_backward(plan) == HK_OK);
            const float *gradient = hk_plan_gradient(plan, leaves[l]);
            double found = 0, size = 0;
            for (int64_t i = 0; i < n; i++) {
                found += (double)gradient[i] * (double)gradient_draw(key, i);
                size += (double)gradient[i] * (double)gradient[i];
            }
            double expected = gradient_difference(plan, out, leaves[l], weights, batch, 1e-3f, key);
            double allowed = tolerance * (1 + sqrt(size));
            if (!(fabs(found - expected) <= allowed))
                printf("  %s, leaf %d:\n", what, l);
            CHECK_NEAR(found, expected, allowed);
        }
    }
    hk_plan_free(plan);
}
