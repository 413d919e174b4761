/* train/train.h - what the training files share: schedules and update rules. */
#pragma once
#include <hillock/train.h>
#include "core/base.h"
#include "engine/kernels.h"

/* ---- Schedules: what the base rate is multiplied by at each step ----------------------------- */

typedef enum hki_schedule_kind {
    HKI_CONSTANT,
    HKI_STEP,
    HKI_COSINE,
    HKI_ONE_CYCLE,
    HKI_EXPONENTIAL,
    HKI_SCHEDULE_COUNT
} hki_schedule_kind;

/* "3": epochs; "20%": a share of the whole training. */
typedef struct hki_length {
    double value; /* epochs, or the share as 0.2 */
    bool is_share;
} hki_length;

enum { HKI_MAX_MILESTONES = 16 };
typedef struct hki_schedule {
    hki_schedule_kind kind;
    hki_length warmup; /* linear rise before, or during, the rest */
    hki_length every;  /* step: times `factor` every so many epochs, or at the milestones */
    hki_length at[HKI_MAX_MILESTONES];
    int n_at; /* 0: `every` holds */
    double factor;
    double min;            /* cosine: where it ends, as a share of the base rate */
    double up, start, end; /* one-cycle: share of steps that rise, divisors of the rate */
    double from, to;       /* exponential */
    hki_length over;       /* exponential: all of it by default */
} hki_schedule;

/* hk_train_options.schedule in train.h has the specs. */
hk_status hki_schedule_parse(const char *spec, hki_schedule *out);
/* The multiplier at `step` (from 0) of `total_steps`. */
double hki_schedule_rate(const hki_schedule *schedule, int64_t step, int64_t steps_per_epoch,
                         int64_t total_steps);

/* ---- Update rules: the arithmetic of an optimizer on one tensor ------------------------------ */

typedef enum hki_rule_kind {
    HKI_SGD,
    HKI_ADAM,
    HKI_ADAMW,
    HKI_RMSPROP,
    HKI_RULE_COUNT
} hki_rule_kind;

typedef struct hki_rule {
    hki_rule_kind kind;
    double lr, decay;
    double momentum; /* sgd */
    bool nesterov;
    double beta1, beta2, eps; /* adam, adamw; rmsprop has eps */
    double alpha;             /* rmsprop */
    double clip;              /* maximum gradient norm; 0: none */
} hki_rule;

/* As hk_optimizer_new takes it. */
hk_status hki_rule_parse(const char *spec, hki_rule *out);

/* How many further tensors of a parameter's size the rule keeps: 0, 1 (m) or 2 (m and v). */
int hki_rule_moments(const hki_rule *rule);

/* The numbers of step `step`, counted from 1: the learning rate is multiplied by `rate`, gradients
 * by `scale` (of clipping); `decay` says whether w is decayed. */
hki_update hki_rule_prepare(const hki_rule *rule, int64_t step, double rate, bool decay,
                            float scale);
/* One step on w[n], part of a tensor or all, from its gradient g[n]; m and v are zero before step 1
 * and NULL where the rule keeps none. The same bits however a tensor is cut. [parallel] */
void hki_rule_update(const hki_rule *rule, const hki_update *numbers, int64_t n, float *w,
                     const float *g, float *m, float *v);
