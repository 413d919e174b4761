/* identity: x. For the last layer of a network, and as the null hypothesis of a comparison. */
#include <hillock/kernel.h>

HK_VALUE(return a.x;)
HK_SLOPE(return 1;)

HK_ELEMENTWISE(identity, 0, .aliases = "linear", .tags = "core,piecewise", .formula = "x",
               .summary = "x", .source = "none");
