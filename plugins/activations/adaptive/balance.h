/* adaptive/balance.h - the threshold that lgb and lgb_relu share. For each channel, theta keeps
 * activity in balance, without a gradient. After a training step, with a_c the running mean of the
 * statistic of channel c, A its mean over the layer and rho the wanted mean,
 *     local:   theta_c += rate (a_c - A)         evens the channels of a layer out
 *     global:  theta_c += global (A - rho)       moves the layer to the network's activity
 * "Local-global balance", this project; kin to homeostatic scaling (Turrigiano 2008) and intrinsic
 * plasticity (Triesch 2005). The defaults are those of docs/lgb.md, where ten times as much loses. */
#pragma once
#include <hillock/kernel.h>

enum { RATE, GLOBAL, MOMENTUM, TARGET, BALANCE_PARAMS };
#define BALANCE_PARAM_ROWS                                                                         \
    {.name = "rate",                                                                               \
     .doc = "step of the local rule",                                                              \
     .type = HK_REAL,                                                                              \
     .value = 0.01,                                                                                \
     .low = 0,                                                                                     \
     .high = 8},                                                                                   \
        {.name = "global",                                                                         \
         .doc = "step of the global rule",                                                         \
         .type = HK_REAL,                                                                          \
         .value = 0.001,                                                                           \
         .low = 0,                                                                                 \
         .high = 8},                                                                               \
        {.name = "momentum",                                                                       \
         .doc = "share of the past in the running means",                                          \
         .type = HK_REAL,                                                                          \
         .flags = HK_HIGH_OPEN,                                                                    \
         .value = 0.9,                                                                             \
         .low = 0,                                                                                 \
         .high = 1},                                                                               \
    {                                                                                              \
        .name = "target", .doc = "wanted mean activity; 0: the network's mean", .type = HK_REAL,   \
        .flags = HK_HIGH_OPEN, .value = 0, .low = 0, .high = 1                                     \
    }

enum { THETA, ACTIVITY, NETWORK };
#define BALANCE_SLOT_ROWS                                                                          \
    {.name = "theta", .doc = "threshold", .role = HK_STATE, .extent = HK_PER_CHANNEL},             \
        {.name = "activity",                                                                       \
         .doc = "running mean activity; -1: none yet",                                             \
         .role = HK_STATE,                                                                         \
         .extent = HK_PER_CHANNEL,                                                                 \
         .value = -1},                                                                             \
    {                                                                                              \
        .name = "network", .doc = "running mean over the network; -1: none yet", .role = HK_STATE, \
        .extent = HK_SHARED, .value = -1                                                           \
    }

/* The first mean is taken as it is, so that no start value has to fade. */
static inline double running(float *mean, double now, double momentum)
{
    *mean = (float)(*mean < 0 ? now : momentum * (double)*mean + (1 - momentum) * now);
    return (double)*mean;
}

static inline void balance(const hk_context *context, const hk_activity *seen)
{
    const double *p = context->params;
    float *const *own = context->slots;
    double layer = 0;
    for (int64_t j = 0; j < context->channels; j++)
        layer += running(&own[ACTIVITY][j], seen->sums[j] / (double)seen->rows, p[MOMENTUM]);
    layer /= (double)context->channels;
    const double network = running(own[NETWORK], seen->network_mean, p[MOMENTUM]);
    const double lift = p[GLOBAL] * (layer - (p[TARGET] > 0 ? p[TARGET] : network));
    for (int64_t j = 0; j < context->channels; j++) {
        double local = p[RATE] * ((double)own[ACTIVITY][j] - layer);
        own[THETA][j] = (float)((double)own[THETA][j] + local + lift);
    }
}
