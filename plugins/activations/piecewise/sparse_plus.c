/* sparse_plus: smelu of half-width 1; its slope is the sparse sigmoid clip((x + 1) / 2, 0, 1).
 * The name is that of JAX and Keras; the parabola Shamir, Lin, Coviello 2020, arXiv:2010.09931. */
#include <hillock/kernel.h>

HK_VALUE(const real z = hks_max(-1, a.x) + 1; return a.x >= 1 ? a.x : z * z / 4;)
HK_SLOPE(return hks_min(1, hks_max(0, (a.x + 1) / 2));)

HK_ELEMENTWISE(sparse_plus, HK_READS_X, .tags = "piecewise",
               .formula = "x >= 1 ? x : max(0, x + 1)^2/4",
               .summary = "0, (x + 1)^2 / 4 for |x| < 1, x",
               .source = "JAX; Shamir, Lin, Coviello 2020");
