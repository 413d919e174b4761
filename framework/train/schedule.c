/* Learning-rate schedules, as multipliers of the base rate, step by step.
 *
 * With e the step and T the steps in all:
 *   step        factor^floor(epoch / every)
 *   cosine      min + (1 - min) (1 + cos(pi e / T)) / 2           Loshchilov & Hutter 2017,
 *               arXiv:1608.03983, equation 5, without restarts
 *   one-cycle   1/start up to 1 over the share `up` of the steps, then down to 1/start/end, both
 *               along half a cosine                               Smith & Topin 2018,
 *               arXiv:1708.07120; phases end on the last step they contain, as in PyTorch
 *   warmup      times min(1, (e + 1) / W)                         Goyal et al. 2017,
 *               arXiv:1706.02677, section 2.2
 * Cosine and one-cycle run over the steps after the warmup; step counts epochs from the start. */
#include "train/train.h"

#include "core/spec.h"
#include <math.h>

#define PI 3.14159265358979323846
#define WARMUP HKI_REAL("warmup", 0, 0, HUGE_VAL, 0)

static const hki_choice schedules[HKI_SCHEDULE_COUNT] = {
    [HKI_CONSTANT] = {"constant", {WARMUP}},
    [HKI_STEP] = {"step",
                  {WARMUP, HKI_REAL("every", 10, 0, HUGE_VAL, HK_LOW_OPEN),
                   HKI_REAL("factor", 0.1, 0, HUGE_VAL, HK_LOW_OPEN)}},
    [HKI_COSINE] = {"cosine", {WARMUP, HKI_REAL("min", 0, 0, 1, 0)}},
    [HKI_ONE_CYCLE] = {"one-cycle",
                       {WARMUP, HKI_REAL("up", 0.3, 0, 1, HK_HIGH_OPEN),
                        HKI_REAL("start", 25, 1, HUGE_VAL, 0),
                        HKI_REAL("end", 1e4, 1, HUGE_VAL, 0)}},
};

hk_status hki_schedule_parse(const char *spec, hki_schedule *out)
{
    double values[HK_MAX_PARAMS];
    int kind = hki_spec_choice("schedule", spec, schedules, HKI_SCHEDULE_COUNT, values);
    *out = (hki_schedule){0};
    if (kind < 0)
        return hk_last_status();
    const hk_param *params = schedules[kind].params;
    *out = (hki_schedule){.kind = (hki_schedule_kind)kind,
                          .warmup = hki_spec_value(params, values, "warmup"),
                          .every = hki_spec_value(params, values, "every"),
                          .factor = hki_spec_value(params, values, "factor"),
                          .min = hki_spec_value(params, values, "min"),
                          .up = hki_spec_value(params, values, "up"),
                          .start = hki_spec_value(params, values, "start"),
                          .end = hki_spec_value(params, values, "end")};
    return HK_OK;
}

/* From `a` to `b` along half a cosine while `share` goes from 0 to 1. */
static double ease(double a, double b, double share)
{
    return b + (a - b) * (1 + cos(PI * share)) / 2;
}

static double one_cycle(const hki_schedule *s, double e, double total)
{
    double low = 1 / s->start, peak = fmax(0, s->up * total - 1), last = total - 1;
    if (e < peak)
        return ease(low, 1, e / peak);
    return last > peak ? ease(1, low / s->end, fmin(1, (e - peak) / (last - peak))) : 1;
}

double hki_schedule_rate(const hki_schedule *schedule, int64_t step, int64_t steps_per_epoch,
                         int64_t total_steps)
{
    double warmup = round(schedule->warmup * (double)steps_per_epoch), rate = 1;
    double e = fmax(0, (double)step - warmup); /* after the warmup, of a total */
    double total = fmax(1, (double)total_steps - warmup);
    double epoch = floor((double)step / (double)steps_per_epoch);
    switch (schedule->kind) {
    case HKI_STEP: rate = pow(schedule->factor, floor(epoch / schedule->every)); break;
    case HKI_COSINE: rate = ease(1, schedule->min, fmin(1, e / total)); break;
    case HKI_ONE_CYCLE: rate = one_cycle(schedule, e, total); break;
    default: break;
    }
    return (double)step < warmup ? rate * ((double)step + 1) / warmup : rate;
}
