/* relu: max(0, x), with slope 0 at 0; NaN passes through.
 * Fukushima 1969, IEEE Trans. Systems Science and Cybernetics 5(4);
 * Nair, Hinton 2010, ICML, "Rectified linear units improve restricted Boltzmann machines". */
#include <hillock/kernel.h>

HK_VALUE(return a.x < 0 ? 0 : a.x;)
HK_SLOPE(return a.y > 0 ? 1 : 0;)

HK_ELEMENTWISE(relu, HK_READS_Y, .tags = "core,piecewise", .formula = "max(0, x)",
               .summary = "max(0, x)", .source = "Fukushima 1969; Nair, Hinton 2010");
