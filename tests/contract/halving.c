/* An activation of the contract's first day, with all that its table can hold: a parameter, a choice, a learned
 * slot, a state that follows from a statistic. */
#include <hillock/kernel.h>

HK_PARAMS(
    {.name = "knee", .doc = "where it bends", .type = HK_REAL, .value = 0.5, .low = 0, .high = 4},
    {.name = "below", .doc = "what stays there", .type = HK_CHOICE, .choices = "half|tenth"});
HK_SLOTS({.name = "slope",
          .doc = "factor above the knee",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .flags = HK_NO_DECAY,
          .value = 1,
          .low = 0.1,
          .high = 3},
         {.name = "busy",
          .doc = "share above the knee, of the last batch",
          .role = HK_STATE,
          .extent = HK_PER_CHANNEL});
#define KEPT (a.p[1] > 0 ? (real)0.1 : (real)0.5)
HK_VALUE(return a.x > a.p[0] ? KEPT * a.p[0] + a.t[0] * (a.x - a.p[0]) : KEPT * a.x;)
HK_SLOPE(return a.x > a.p[0] ? a.t[0] : KEPT;)
HK_GRADIENT(return slot == 0 && a.x > a.p[0] ? a.x - a.p[0] : 0;)
HK_SUM(return a.x > a.p[0] ? 1 : 0;)

static void remember(const hk_context *context, const hk_activity *activity)
{
    for (int64_t j = 0; j < context->channels; j++)
        context->slots[1][j] = (float)(activity->sums[j] / (double)activity->rows);
}
HK_ELEMENTWISE_LEARNED_ADAPTIVE(halving, HK_READS_X, remember, .params = params, .aliases = "half",
                                .tags = "learned", .summary = "x, scaled on both sides of a knee",
                                .source = "Hillock");
