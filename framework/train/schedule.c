/* Learning-rate schedules, as multipliers of the base rate, step by step.
 *
 * With e the step and T the steps in all:
 *   step        factor^floor(epoch / every), or factor^(milestones reached)
 *   cosine      min + (1 - min) (1 + cos(pi e / T)) / 2           Loshchilov & Hutter 2017,
 *               arXiv:1608.03983, equation 5, without restarts
 *   one-cycle   1/start up to 1 over the share `up` of the steps, then down to 1/start/end, both
 *               along half a cosine                               Smith & Topin 2018,
 *               arXiv:1708.07120; phases end on the last step they contain, as in PyTorch
 *   exponential from (to / from)^(e / O), O the steps of `over`, then `to`
 *   warmup      times min(1, (e + 1) / W)                         Goyal et al. 2017,
 *               arXiv:1706.02677, section 2.2
 * Cosine, one-cycle and exponential run over the steps after the warmup; step counts epochs from the
 * start. */
#include "train/train.h"

#include "core/spec.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PI 3.14159265358979323846
#define WARMUP HKI_ANY_TEXT("warmup", "0")

static const hki_choice schedules[HKI_SCHEDULE_COUNT] = {
    [HKI_CONSTANT] = {"constant", {WARMUP}},
    [HKI_STEP] = {"step",
                  {WARMUP, HKI_ANY_TEXT("every", "10"), HKI_ANY_TEXT("at", NULL),
                   HKI_REAL("factor", 0.1, 0, HUGE_VAL, HK_LOW_OPEN)}},
    [HKI_COSINE] = {"cosine", {WARMUP, HKI_REAL("min", 0, 0, 1, 0)}},
    [HKI_ONE_CYCLE] = {"one-cycle",
                       {WARMUP, HKI_REAL("up", 0.3, 0, 1, HK_HIGH_OPEN),
                        HKI_REAL("start", 25, 1, HUGE_VAL, 0),
                        HKI_REAL("end", 1e4, 1, HUGE_VAL, 0)}},
    [HKI_EXPONENTIAL] = {"exponential",
                         {WARMUP, HKI_REAL("from", 1, 0, HUGE_VAL, HK_LOW_OPEN),
                          HKI_REAL("to", 0.01, 0, HUGE_VAL, HK_LOW_OPEN),
                          HKI_ANY_TEXT("over", "100%")}},
};

/* A length of `length` bytes, "3" or "20%". */
static hk_status parse_length(const char *spec, const char *name, const char *text, size_t length,
                              hki_length *out)
{
    char number[HKI_NUMBER_SIZE];
    bool is_share = length && text[length - 1] == '%';
    snprintf(number, sizeof number, "%.*s", (int)(length - is_share), text);
    if (length >= sizeof number || !hki_parse_double(number, &out->value) || out->value < 0 ||
        (is_share && out->value > 100))
        return hki_fail(HK_BAD_ARGUMENT,
                        "schedule \"%.200s\": %s=%.*s is no length: expected epochs, 3, or a share "
                        "of the whole training, 20%%",
                        spec, name, (int)length, text);
    *out = (hki_length){is_share ? out->value / 100 : out->value, is_share};
    return HK_OK;
}

/* The lengths of a parameter, of which `most` may be given, joined by +; none: it is not given. */
static hk_status parse_lengths(const char *spec, const hk_param *params, const double *values,
                               const char *name, hki_length *out, int most, int *n)
{
    size_t at = (size_t)hki_spec_value(params, values, name), length;
    int found = 0;
    hk_status status = HK_OK;
    for (const char *text = at ? spec + at : NULL; text && !status; found++) {
        length = strcspn(text, most > 1 ? "+," : ",");
        if (found == most)
            return hki_fail(HK_BAD_ARGUMENT, "schedule \"%.200s\": %s has more than %d lengths",
                            spec, name, most);
        status = parse_length(spec, name, text, length, &out[found]);
        text = text[length] == '+' ? text + length + 1 : NULL;
    }
    if (n)
        *n = found;
    return status;
}

hk_status hki_schedule_parse(const char *spec, hki_schedule *out)
{
    double values[HK_MAX_PARAMS];
    int kind = hki_spec_choice("schedule", spec, schedules, HKI_SCHEDULE_COUNT, values);
    *out = (hki_schedule){0};
    if (kind < 0)
        return hk_last_status();
    const hk_param *params = schedules[kind].params;
    hki_schedule it = {.kind = (hki_schedule_kind)kind,
                       .every = {10, false},
                       .factor = hki_spec_value(params, values, "factor"),
                       .min = hki_spec_value(params, values, "min"),
                       .up = hki_spec_value(params, values, "up"),
                       .start = hki_spec_value(params, values, "start"),
                       .end = hki_spec_value(params, values, "end"),
                       .from = hki_spec_value(params, values, "from"),
                       .to = hki_spec_value(params, values, "to"),
                       .over = {1, true}};
    bool has_every = hki_spec_value(params, values, "every") > 0;
    hk_status status = parse_lengths(spec, params, values, "warmup", &it.warmup, 1, NULL);
    if (!status)
        status = parse_lengths(spec, params, values, "every", &it.every, 1, NULL);
    if (!status)
        status = parse_lengths(spec, params, values, "over", &it.over, 1, NULL);
    if (!status)
        status = parse_lengths(spec, params, values, "at", it.at, HKI_MAX_MILESTONES, &it.n_at);
    if (status)
        return status;
    if (!(it.every.value > 0))
        return hki_fail(HK_BAD_ARGUMENT, "schedule \"%.200s\": every=0 is outside (0, inf)", spec);
    if (has_every && it.n_at)
        return hki_fail(HK_BAD_ARGUMENT, "schedule \"%.200s\": has every and at, expected one",
                        spec);
    *out = it;
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

static double epochs_of(hki_length length, double all)
{
    return length.is_share ? length.value * all : length.value;
}

/* Through e / O = 1 even where `over` is shorter than a step. */
static double exponential(const hki_schedule *s, double e, double total, int64_t steps_per_epoch)
{
    double over =
        s->over.is_share ? s->over.value * total : s->over.value * (double)steps_per_epoch;
    return s->from * pow(s->to / s->from, fmin(1, e / fmax(over, 1)));
}

/* Times the rate has stepped down before this epoch, of `all`. A share is counted in whole epochs, of
 * which it has one at least; the least tolerance keeps 20 % of 5 at 1. */
static double steps_down(const hki_schedule *s, double epoch, double all)
{
    const double tolerance = 1e-9;
    double every = epochs_of(s->every, all), reached = 0;
    for (int i = 0; i < s->n_at; i++)
        reached += epoch >= epochs_of(s->at[i], all) - tolerance;
    if (s->n_at)
        return reached;
    return s->every.is_share ? floor(epoch / fmax(1, every) + tolerance) : floor(epoch / every);
}

double hki_schedule_rate(const hki_schedule *schedule, int64_t step, int64_t steps_per_epoch,
                         int64_t total_steps)
{
    double all = (double)total_steps / (double)steps_per_epoch, rate = 1;
    double warmup = round(epochs_of(schedule->warmup, all) * (double)steps_per_epoch);
    double e = fmax(0, (double)step - warmup); /* after the warmup, of a total */
    double total = fmax(1, (double)total_steps - warmup);
    double epoch = floor((double)step / (double)steps_per_epoch);
    switch (schedule->kind) {
    case HKI_STEP: rate = pow(schedule->factor, steps_down(schedule, epoch, all)); break;
    case HKI_COSINE: rate = ease(1, schedule->min, fmin(1, e / total)); break;
    case HKI_ONE_CYCLE: rate = one_cycle(schedule, e, total); break;
    case HKI_EXPONENTIAL: rate = exponential(schedule, e, total, steps_per_epoch); break;
    default: break;
    }
    return (double)step < warmup ? rate * ((double)step + 1) / warmup : rate;
}
