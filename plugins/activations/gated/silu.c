/* silu: x sigmoid(x). swish is the form with a learned steepness.
 * Hendrycks, Gimpel 2016, arXiv:1606.08415; Elfwing, Uchibe, Doya 2018, arXiv:1702.03118. */
#include <hillock/kernel.h>

HK_VALUE(return a.x * hks_quick_sigmoid(a.x);)
HK_SLOPE(return hks_quick_sigmoid(a.x) * (1 + a.x * hks_quick_sigmoid(-a.x));)

HK_ELEMENTWISE(silu, HK_READS_X, .aliases = "swish1,sil", .tags = "core,gated",
               .formula = "x*sigmoid(x)", .summary = "x * sigmoid(x)",
               .source = "Hendrycks, Gimpel 2016; Elfwing, Uchibe, Doya 2018");
