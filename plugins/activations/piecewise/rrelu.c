/* rrelu: x where x >= 0, else slope x. In training each element draws its own slope, uniform in
 * [low, high), from the step's key, so backward draws the same; evaluation takes the middle.
 * Xu, Wang, Chen, Li 2015, arXiv:1505.00853 */
#include <hillock/kernel.h>

HK_PARAMS({.name = "low", .doc = "smallest slope", .type = HK_REAL, .value = 1.0 / 8, .high = 1},
          {.name = "high", .doc = "largest slope", .type = HK_REAL, .value = 1.0 / 3, .high = 1});

#define SLOPE (a.p[0] + (a.p[1] - a.p[0]) * (a.training ? a.u : (real)0.5))
HK_VALUE(return a.x < 0 ? SLOPE * a.x : a.x;)
HK_SLOPE(return a.x > 0 ? 1 : SLOPE;)

HK_ELEMENTWISE(rrelu, HK_READS_X | HK_STOCHASTIC, .tags = "piecewise", .params = params,
               .formula = "x < 0 ? (low + high)/2*x : x",
               .summary = "x >= 0 ? x : slope * x, slope random in training",
               .source = "Xu, Wang, Chen, Li 2015");
