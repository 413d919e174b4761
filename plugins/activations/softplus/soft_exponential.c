/* soft_exponential: with alpha from -1 to 1, learned for each channel, it runs from a logarithm
 * through the identity (alpha = 0, the start) to an exponential. For alpha < 0 it ends where
 * w = 1 - alpha (x + alpha) is 0: w is kept at 1e-6 or above, and computed in double, for it
 * cancels near its end.
 * Godfrey, Gashler 2015, arXiv:1602.01321 */
#include <hillock/kernel.h>

#define LEAST_W 1e-6
#define W hks_max(LEAST_W, 1 - (double)a.t[0] * ((double)a.x + (double)a.t[0]))
#define LOG_W (hks_log((real)W) + (real)(W - (double)(real)W) / (real)W) /* what rounding lost */
#define NEAR_0 (real)1e-8

HK_SLOTS({.name = "alpha",
          .doc = "-1: logarithm, 0: identity, 1: exponential",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .low = -1,
          .high = 1});

HK_VALUE(const real alpha = a.t[0], upper = hks_expm1(alpha * a.x) / alpha + alpha;
         return alpha < -NEAR_0  ? -LOG_W / alpha
                : alpha > NEAR_0 ? upper
                                 : a.x;)
HK_SLOPE(const real lower = W > LEAST_W ? 1 / (real)W : 0;
         return a.t[0] < -NEAR_0 ? lower : hks_exp(a.t[0] * a.x);)

/* Above 0 the derivative is 1 + x^2 (1/2 + z/3 + z^2/8 + ...), z = alpha x; below it is
 * 1/w + (x + alpha)^2 (1/2 + 2d/3 + 3d^2/4 + ...), d = 1 - w. The closed forms cancel near 0. */
HK_GRADIENT(
    const real alpha = a.t[0], d = (real)(1 - W), z = alpha * a.x;
    real up = 0, down = 0, factorial = (real)6227020800.0; /* of k + 2 */
    for (int k = 11; k >= 0; factorial /= (real)(k + 2), k--) {
        up = up * z + (real)(k + 1) / factorial;
        down = down * d + (real)(k + 1) / (real)(k + 2);
    } const real far_up = ((z - 1) * hks_expm1(z) + z) / (alpha * alpha);
    const real upper = 1 + (hks_abs(z) < (real)0.5 ? a.x * a.x * up : far_up);
    const real inside = W > LEAST_W ? 1 / (real)W : 0, q = a.x + alpha;
    const real far_down = (LOG_W + d * inside) / (alpha * alpha);
    const real lower = inside + (hks_abs(d) < (real)0.25 ? q * q * down : far_down);
    return alpha < -NEAR_0 ? lower : upper;)

HK_ELEMENTWISE_LEARNED(
    soft_exponential, HK_READS_X, .tags = "softplus",
    .formula =
        "alpha < -1e-8 ? -log(max(1e-6, 1 - alpha*(x + alpha)))/alpha : alpha > 1e-8 ? expm1(alpha*x)/alpha + alpha : x",
    .summary = "alpha < 0: -log(1 - alpha (x + alpha)) / alpha, 0: x, "
               "> 0: (exp(alpha x) - 1) / alpha + alpha",
    .source = "Godfrey, Gashler 2015");
