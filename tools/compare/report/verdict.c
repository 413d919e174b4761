/* What verdicts are called, in every format. */
#include "compare/report/analysis.h"

#include <math.h>
#include <stdio.h>

const char *report_verdict_name(verdict v)
{
    static const char *const names[] = {[VERDICT_BASELINE] = "baseline",
                                        [VERDICT_BETTER] = "better",
                                        [VERDICT_WORSE] = "worse",
                                        [VERDICT_NOT_SHOWN] = "not shown",
                                        [VERDICT_NOT_TESTED] = "not tested"};
    return names[v];
}

const char *report_verdict_reason(const panel *p, const standing *s, char *out, size_t size)
{
    const char *twin = p->same_net ? p->rows[p->same_net[s->row]].label : "";
    switch (s->why) {
    case IS_TESTED: return NULL;
    case UNTESTED_SAME_NET: snprintf(out, size, "the same net as %s", twin); break;
    case UNTESTED_FAILED: snprintf(out, size, "failed %d of %d", s->failures, s->runs); break;
    case UNTESTED_BASELINE_FAILED: snprintf(out, size, "the baseline failed"); break;
    case UNTESTED_FEW_SEEDS:
        snprintf(out, size, "%d seed%s, expected %d at least", s->runs, s->runs == 1 ? "" : "s",
                 FEWEST_SEEDS);
        break;
    case UNTESTED_NONE_LEARNED: snprintf(out, size, "no net has learned"); break;
    case UNTESTED_NEITHER_LEARNED:
        snprintf(out, size, "neither it nor the baseline has learned");
        break;
    }
    return out;
}

void report_verdict_write(const panel *p, const standing *s, char *out, size_t size)
{
    char reason[160];
    const char *why = report_verdict_reason(p, s, reason, sizeof reason);
    const bool said = s->why == UNTESTED_NONE_LEARNED || s->why == UNTESTED_NEITHER_LEARNED;
    size_t used = (size_t)snprintf(out, size, "%s%s%s", report_verdict_name(s->verdict),
                                   why ? ": " : "", why ? why : "");
    if (isfinite(s->could_show) && used < size)
        used += (size_t)snprintf(out + used, size - used, ", 80 %% for %.2f", 100 * s->could_show);
    if (!s->learned && !said && used < size)
        snprintf(out + used, size - used, ", has not learned");
}
