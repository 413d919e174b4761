/* smooth_leaky: alpha x + (1 - alpha) log(1 + exp(sharpness x)) / sharpness, a leaky relu without a kink, whose
 * slope rises from alpha to 1 and is never below alpha. These properties are those that Lillo and Cheney 2025,
 * arXiv:2509.22562, "Activation function design sustains plasticity in continual learning", ask for nets that go
 * on learning; the formula is our own, that of their Smooth-Leaky may be another. */
#include <hillock/kernel.h>

enum { ALPHA, SHARPNESS };
HK_PARAMS({.name = "alpha",
           .doc = "slope far below 0",
           .type = HK_REAL,
           .value = 0.1,
           .low = 0,
           .high = 1},
          {.name = "sharpness",
           .doc = "of the bend",
           .type = HK_REAL,
           .value = 4,
           .low = 0.01,
           .high = 100});

HK_VALUE(return a.p[ALPHA] * a.x +
                    (1 - a.p[ALPHA]) * hks_softplus(a.p[SHARPNESS] * a.x) / a.p[SHARPNESS];)
HK_SLOPE(return a.p[ALPHA] + (1 - a.p[ALPHA]) * hks_sigmoid(a.p[SHARPNESS] * a.x);)

HK_ELEMENTWISE(smooth_leaky, HK_READS_X, .tags = "softplus", .params = params,
               .formula = "alpha*x + (1 - alpha)*softplus(sharpness*x)/sharpness",
               .summary = "alpha * x + (1 - alpha) * softplus(sharpness * x) / sharpness",
               .source = "after Lillo, Cheney 2025");
