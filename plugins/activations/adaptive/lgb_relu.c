/* lgb_relu: max(0, x - theta), its activity being the share of positive outputs; see balance.h for
 * theta's rules. A channel that never fires has activity 0, below the layer's mean, so its
 * threshold falls until it fires again: dead units revive. */
#include "balance.h"

HK_PARAMS(BALANCE_PARAM_ROWS);
HK_SLOTS(BALANCE_SLOT_ROWS);

HK_VALUE(const real z = a.x - a.t[THETA]; return z < 0 ? 0 : z;)
HK_SLOPE(return a.y > 0 ? 1 : 0;)
HK_SUM(return a.y > 0 ? 1 : 0;)

HK_ELEMENTWISE_ADAPTIVE(lgb_relu, HK_READS_Y, balance, .tags = "core,adaptive", .params = params,
                        .formula = "max(0, x - theta)",
                        .summary = "max(0, x - theta), theta balances activity",
                        .source = "local-global balance, this project");
