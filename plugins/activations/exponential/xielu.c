/* xielu: the integral of an expanded elu: a parabola of curvature ap = softplus(p) on the right,
 * an (exp(x) - 1 - x) on the left, an = beta + softplus(n), and beta x on both sides. p and n are
 * learned, one pair a layer; at the start ap = an = 0.8.
 * Huang, Schlag 2024, arXiv:2411.13010, "Deriving activation functions using integration". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "beta", .doc = "slope at 0", .type = HK_REAL, .value = 0.5, .high = 10});
enum { P, N };
HK_SLOTS({.name = "p",
          .doc = "softplus(p) is the curvature of the right side",
          .role = HK_LEARNED,
          .extent = HK_SHARED,
          .flags = HK_NO_DECAY,
          .value = 0.20338247} /* log(exp(0.8) - 1) */,
         {.name = "n",
          .doc = "beta + softplus(n) is that of the left side",
          .role = HK_LEARNED,
          .extent = HK_SHARED,
          .flags = HK_NO_DECAY,
          .value = -1.0502256} /* log(exp(0.3) - 1) */);

HK_VALUE(const real right = hks_softplus(a.t[P]) * (a.x * a.x);
         const real left = (a.p[0] + hks_softplus(a.t[N])) * (hks_expm1(a.x) - a.x);
         return (a.x > 0 ? right : left) + a.p[0] * a.x;)
HK_SLOPE(const real right = 2 * hks_softplus(a.t[P]) * a.x;
         const real left = (a.p[0] + hks_softplus(a.t[N])) * hks_expm1(a.x);
         return (a.x > 0 ? right : left) + a.p[0];)
HK_GRADIENT(const real right = a.x > 0 ? a.x * a.x : 0;
            const real left = a.x > 0 ? 0 : hks_expm1(a.x) - a.x;
            return slot == P ? right * hks_sigmoid(a.t[P]) : left * hks_sigmoid(a.t[N]);)

HK_ELEMENTWISE_LEARNED(
    xielu, HK_READS_X, .tags = "exponential", .params = params,
    .formula = "(x > 0 ? softplus(p)*x^2 : (beta + softplus(n))*(expm1(x) - x)) + beta*x",
    .summary = "(x > 0 ? ap x^2 : an (exp(x) - 1 - x)) + beta x, learned",
    .source = "Huang, Schlag 2024");
