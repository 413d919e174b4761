/* lgb: sigmoid(k (x - theta)), its activity being the mean output; see balance.h for theta's rules.
 * They are stable, linearised, while rate and global are below 8 / k. */
#include "balance.h"

enum { K = BALANCE_PARAMS };
HK_PARAMS(BALANCE_PARAM_ROWS, {.name = "k",
                               .doc = "steepness",
                               .type = HK_REAL,
                               .flags = HK_LOW_OPEN,
                               .value = 4,
                               .low = 0,
                               .high = 64});
HK_SLOTS(BALANCE_SLOT_ROWS);

HK_VALUE(return hks_quick_sigmoid(a.p[K] * (a.x - a.t[THETA]));)
HK_SLOPE(return a.p[K] * a.y * (1 - a.y);)
HK_SUM(return a.y;)

HK_ELEMENTWISE_ADAPTIVE(lgb, HK_READS_Y, balance, .tags = "core,adaptive", .params = params,
                        .formula = "sigmoid(k*(x - theta))",
                        .summary = "sigmoid(k * (x - theta)), theta balances activity",
                        .source = "local-global balance, this project");
