/* reglu: a relu(b), x = [a, b] the halves of the channels.
 * Shazeer 2020, arXiv:2002.05202, "GLU variants improve transformer". */
#include <hillock/kernel.h>

HK_GATE(return hks_max(0, a.x);)
HK_GATE_SLOPE(return a.x > 0 ? 1 : 0;)

HK_GATED_HALVES(reglu, .tags = "rowwise", .summary = "a * relu(b), x = [a, b]",
                .source = "Shazeer 2020");
