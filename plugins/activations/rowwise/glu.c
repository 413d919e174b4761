/* glu: a sigmoid(b): the second half gates the first, x = [a, b] the halves of the channels.
 * Dauphin, Fan, Auli, Grangier 2017, arXiv:1612.08083, equation 1. */
#include <hillock/kernel.h>

HK_GATE(return hks_sigmoid(a.x);)
HK_GATE_SLOPE(return hks_sigmoid(a.x) * hks_sigmoid(-a.x);)

HK_GATED_HALVES(glu, .tags = "core,rowwise", .summary = "a * sigmoid(b), x = [a, b]",
                .source = "Dauphin, Fan, Auli, Grangier 2017");
