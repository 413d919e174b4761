/* bilinear: a b, x = [a, b] the halves of the channels.
 * Shazeer 2020, arXiv:2002.05202, "GLU variants improve transformer". */
#include <hillock/kernel.h>

HK_GATE(return a.x;)
HK_GATE_SLOPE(return 1;)

HK_GATED_HALVES(bilinear, .tags = "rowwise", .summary = "a * b, x = [a, b]",
                .source = "Shazeer 2020");
