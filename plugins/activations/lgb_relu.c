/* lgb_relu: max(0, x - theta) with the balancing threshold of lgb, on the share of positive
 * outputs. A channel that never fires has activity 0, below the layer's mean, so its threshold
 * falls until it fires again: dead units revive. See lgb for the two rules.
 * "Local-global balance", this project. */
#include <hillock/kernel.h>

enum { RATE, GLOBAL, MOMENTUM, TARGET };
HK_PARAMS({.name = "rate", .doc = "step of the local rule", .type = HK_REAL, .value = 0.1,
           .low = 0, .high = 8},
          {.name = "global", .doc = "step of the global rule", .type = HK_REAL, .value = 0.01,
           .low = 0, .high = 8},
          {.name = "momentum", .doc = "share of the past in the running means", .type = HK_REAL,
           .flags = HK_HIGH_OPEN, .value = 0.9, .low = 0, .high = 1},
          {.name = "target", .doc = "wanted share of positive outputs; 0: the network's mean",
           .type = HK_REAL, .flags = HK_HIGH_OPEN, .value = 0, .low = 0, .high = 1});

enum { THETA, ACTIVITY, NETWORK };
HK_SLOTS({.name = "theta", .doc = "threshold", .role = HK_STATE, .extent = HK_PER_CHANNEL},
         {.name = "activity", .doc = "running share of positive outputs; -1: none yet",
          .role = HK_STATE, .extent = HK_PER_CHANNEL, .value = -1},
         {.name = "network", .doc = "running mean over the network; -1: none yet",
          .role = HK_STATE, .extent = HK_SHARED, .value = -1});

HK_VALUE(const real z = a.x - a.t[THETA];
         return z < 0 ? 0 : z;)
HK_SLOPE(return a.y > 0 ? 1 : 0;)
HK_SUM(return a.y > 0 ? 1 : 0;)

/* The first mean is taken as it is, so that no start value has to fade. */
static double running(float *mean, double now, double momentum)
{
    *mean = (float)(*mean < 0 ? now : momentum * (double)*mean + (1 - momentum) * now);
    return (double)*mean;
}

static void update(const hk_context *context, const hk_activity *seen)
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

HK_ELEMENTWISE_ADAPTIVE(lgb_relu, HK_READS_Y, update,
                        .params = params,
                        .summary = "max(0, x - theta), theta balances activity",
                        .source = "local-global balance, this project");
