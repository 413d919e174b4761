/* apl: adaptive piecewise linear, relu plus two hinges a max(0, b - x) learned for each channel.
 * It starts as relu. The authors use one to five hinges and a weight decay of 0.001 on both.
 * Agostinelli, Hoffman, Sadowski, Baldi 2014, arXiv:1412.6830 */
#include <hillock/kernel.h>

enum { A1, B1, A2, B2 };
#define LEARNED .role = HK_LEARNED, .extent = HK_PER_CHANNEL
HK_SLOTS({.name = "a1", .doc = "minus the slope of the first hinge", LEARNED, .value = 0},
         {.name = "b1", .doc = "where the first hinge bends", LEARNED, .value = 0},
         {.name = "a2", .doc = "minus the slope of the second hinge", LEARNED, .value = 0},
         {.name = "b2", .doc = "where the second hinge bends", LEARNED, .value = -1});

HK_VALUE(return hks_max(0, a.x) + a.t[A1] * hks_max(0, a.t[B1] - a.x) +
                    a.t[A2] * hks_max(0, a.t[B2] - a.x);)
HK_SLOPE(const real relu = a.x > 0 ? 1 : 0;
         return relu - (a.x < a.t[B1] ? a.t[A1] : 0) - (a.x < a.t[B2] ? a.t[A2] : 0);)
HK_GRADIENT(const real size = slot < A2 ? a.t[A1] : a.t[A2];
            const real depth = (slot < A2 ? a.t[B1] : a.t[B2]) - a.x;
            return depth <= 0                 ? 0
                   : slot == A1 || slot == A2 ? depth
                                              : size;)

HK_ELEMENTWISE_LEARNED(apl, HK_READS_X, .tags = "piecewise",
                       .formula = "max(0, x) + a1*max(0, b1 - x) + a2*max(0, b2 - x)",
                       .summary = "max(0, x) + a1 max(0, b1 - x) + a2 max(0, b2 - x), learned",
                       .source = "Agostinelli, Hoffman, Sadowski, Baldi 2014");
