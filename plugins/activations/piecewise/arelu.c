/* arelu: attention-based relu. One learned pair a layer: a damps what is negative, b raises what is
 * positive by sigmoid(b).
 * Chen, Li, Xu 2020, arXiv:2006.13858 */
#include <hillock/kernel.h>

enum { A, B };
HK_SLOTS({.name = "a",
          .doc = "slope where x is negative",
          .role = HK_LEARNED,
          .extent = HK_SHARED,
          .flags = HK_NO_DECAY,
          .value = 0.9,
          .low = 0.01,
          .high = 0.99},
         {.name = "b",
          .doc = "the other slope is 1 + sigmoid(b)",
          .role = HK_LEARNED,
          .extent = HK_SHARED,
          .flags = HK_NO_DECAY,
          .value = 2});

HK_VALUE(return a.x * (a.x < 0 ? a.t[A] : 1 + hks_sigmoid(a.t[B]));)
HK_SLOPE(return a.x < 0 ? a.t[A] : 1 + hks_sigmoid(a.t[B]);)
HK_GRADIENT(const real by_b = hks_sigmoid(a.t[B]) * hks_sigmoid(-a.t[B]);
            return slot == A ? hks_min(0, a.x) : hks_max(0, a.x) * by_b;)

HK_ELEMENTWISE_LEARNED(arelu, HK_READS_X, .tags = "piecewise",
                       .formula = "x*(x < 0 ? a : 1 + sigmoid(b))",
                       .summary = "x < 0 ? a * x : (1 + sigmoid(b)) * x, learned",
                       .source = "Chen, Li, Xu 2020");
