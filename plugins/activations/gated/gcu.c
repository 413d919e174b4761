/* gcu: x cos(x), the growing cosine unit.
 * Noel, Arunkumar, Trivedi, Dutta 2021, arXiv:2108.12943. */
#include <hillock/kernel.h>

HK_VALUE(return a.x * hks_cos(a.x);)
HK_SLOPE(return hks_cos(a.x) - a.x * hks_sin(a.x);)

HK_ELEMENTWISE(gcu, HK_READS_X, .tags = "gated", .formula = "x*cos(x)", .summary = "x * cos(x)",
               .source = "Noel, Arunkumar, Trivedi, Dutta 2021");
