/* swiglu: a silu(b), x = [a, b] the halves of the channels.
 * Shazeer 2020, arXiv:2002.05202, "GLU variants improve transformer". */
#include <hillock/kernel.h>

HK_GATE(return a.x * hks_quick_sigmoid(a.x);)
HK_GATE_SLOPE(return hks_quick_sigmoid(a.x) * (1 + a.x * hks_quick_sigmoid(-a.x));)

HK_GATED_HALVES(swiglu, .tags = "core,rowwise", .summary = "a * silu(b), x = [a, b]",
                .source = "Shazeer 2020");
