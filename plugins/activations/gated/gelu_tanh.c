/* gelu_tanh: gelu with Phi approximated by a tanh, at most 4.8e-4 away. Since
 * (1 + tanh u) / 2 = sigmoid(2 u), it is a sigmoid gate and keeps its negative tail; beyond 16 the
 * gate is shut or open to the last bit, and a cube would overflow.
 * Hendrycks, Gimpel 2016, arXiv:1606.08415, section 2. */
#include <hillock/kernel.h>

#define TWO_SQRT_2_OVER_PI 1.59576912160573071176
#define CUBIC 0.044715

HK_VALUE(const real x = hks_min(16, hks_max(-16, a.x));
         const real u = (real)TWO_SQRT_2_OVER_PI * x * (1 + (real)CUBIC * x * x);
         return a.x * hks_quick_sigmoid(u);)
HK_SLOPE(const real x = hks_min(16, hks_max(-16, a.x));
         const real u = (real)TWO_SQRT_2_OVER_PI * x * (1 + (real)CUBIC * x * x);
         const real du = (real)TWO_SQRT_2_OVER_PI * (1 + (real)(3 * CUBIC) * x * x);
         return hks_quick_sigmoid(u) * (1 + x * du * hks_quick_sigmoid(-u));)

HK_ELEMENTWISE(gelu_tanh, HK_READS_X, .aliases = "gelu_new", .tags = "gated",
               .formula = "x*sigmoid(1.59576912160573071176*x*(1 + 0.044715*x^2))",
               .summary = "x * sigmoid(1.595769 * (x + 0.044715 * x^3))",
               .source = "Hendrycks, Gimpel 2016");
