/* selu: elu scaled so that mean 0 and variance 1 are a stable fixed point of a layer with
 * lecun_normal weights.
 * Klambauer, Unterthiner, Mayr, Hochreiter 2017, arXiv:1706.02515, equation 2 and appendix. */
#include <hillock/kernel.h>

#define LAMBDA 1.0507009873554804934
#define ALPHA 1.6732632423543772848

HK_VALUE(return (real)LAMBDA * (a.x > 0 ? a.x : (real)ALPHA * hks_expm1(a.x));)
HK_SLOPE(return a.y > 0 ? (real)LAMBDA : a.y + (real)(LAMBDA * ALPHA);)

HK_ELEMENTWISE(selu, HK_READS_Y, .tags = "core,exponential",
               .formula = "1.0507009873554804934*(x > 0 ? x : 1.6732632423543772848*expm1(x))",
               .summary = "1.0507 * (x > 0 ? x : 1.67326 * (exp(x) - 1))",
               .source = "Klambauer, Unterthiner, Mayr, Hochreiter 2017");
