/* sqnl: square non-linearity, two parabolas in place of tanh.
 * Wuraola, Patel 2018, IJCNN, "SQNL: a new computationally efficient activation function". */
#include <hillock/kernel.h>

HK_VALUE(const real z = hks_min(2, hks_max(-2, a.x)); return z - z * hks_abs(z) / 4;)
HK_SLOPE(return 1 - hks_min(2, hks_abs(a.x)) / 2;)

HK_ELEMENTWISE(sqnl, HK_READS_X, .tags = "piecewise",
               .formula = "abs(x) >= 2 ? sign(x) : x - x*abs(x)/4",
               .summary = "z - z * |z| / 4, z = min(max(-2, x), 2)",
               .source = "Wuraola, Patel 2018");
