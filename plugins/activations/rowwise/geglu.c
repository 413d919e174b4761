/* geglu: a gelu(b), x = [a, b] the halves of the channels.
 * Shazeer 2020, arXiv:2002.05202, "GLU variants improve transformer". */
#include <hillock/kernel.h>

#define DENSITY_AT_0 0.39894228040143267794 /* 1 / sqrt(2 pi) */

HK_GATE(return a.x * hks_normal_cdf(a.x);)
HK_GATE_SLOPE(const real bell = hks_bell(a.x);
              return hks_normal_cdf(a.x) + a.x * (real)DENSITY_AT_0 * bell;)

HK_GATED_HALVES(geglu, .tags = "rowwise", .summary = "a * gelu(b), x = [a, b]",
                .source = "Shazeer 2020");
