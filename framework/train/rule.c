/* Update rules: what an optimizer does to one tensor, with PyTorch's conventions (1.13).
 *
 * G is the clipped gradient, with decay * w added (coupled) except in adamw:
 *   sgd      m = momentum m + G; w -= lr m, or lr (G + momentum m) with nesterov
 *            Sutskever et al. 2013; the rate stays outside the buffer, and since that starts at
 *            zero, the first step leaves m = G
 *   adam     m = b1 m + (1 - b1) G; v = b2 v + (1 - b2) G^2;
 *            w -= lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
 *            Kingma & Ba 2015, arXiv:1412.6980, algorithm 1
 *   adamw    w -= lr decay w, then adam                          Loshchilov & Hutter 2019,
 *            arXiv:1711.05101, algorithm 2
 *   rmsprop  m = alpha m + (1 - alpha) G^2; w -= lr G / (sqrt(m) + eps)
 *            Tieleman & Hinton 2012; eps outside the root
 *
 * Elements do not depend on each other, and every operation is rounded alike in a vector and
 * alone: the same bits for any number of threads. */
#include "train/train.h"

#include "core/spec.h"
#include <float.h>
#include <math.h>

#define LR(value) HKI_REAL("lr", value, 0, HUGE_VAL, 0)
#define DECAY(value) HKI_REAL("decay", value, 0, HUGE_VAL, 0)
#define EPS HKI_REAL("eps", 1e-8, 0, HUGE_VAL, HK_LOW_OPEN)
#define CLIP HKI_REAL("clip", 0, 0, HUGE_VAL, 0)
#define BELOW_1(name, value) HKI_REAL(name, value, 0, 1, HK_HIGH_OPEN)
#define BETAS BELOW_1("beta1", 0.9), BELOW_1("beta2", 0.999)

static const hki_choice rules[HKI_RULE_COUNT] = {
    [HKI_SGD] = {"sgd",
                 {LR(0.1), BELOW_1("momentum", 0), HKI_WHOLE("nesterov", 0, 0, 1), DECAY(0), CLIP}},
    [HKI_ADAM] = {"adam", {LR(0.001), BETAS, EPS, DECAY(0), CLIP}},
    [HKI_ADAMW] = {"adamw", {LR(0.001), BETAS, EPS, DECAY(0.01), CLIP}},
    [HKI_RMSPROP] = {"rmsprop", {LR(0.01), BELOW_1("alpha", 0.99), EPS, DECAY(0), CLIP}},
};

hk_status hki_rule_parse(const char *spec, hki_rule *out)
{
    double values[HK_MAX_PARAMS];
    int kind = hki_spec_choice("optimizer", spec, rules, HKI_RULE_COUNT, values);
    *out = (hki_rule){0};
    if (kind < 0)
        return hk_last_status();
    const hk_param *params = rules[kind].params;
    *out = (hki_rule){.kind = (hki_rule_kind)kind,
                      .lr = hki_spec_value(params, values, "lr"),
                      .decay = hki_spec_value(params, values, "decay"),
                      .momentum = hki_spec_value(params, values, "momentum"),
                      .nesterov = hki_spec_value(params, values, "nesterov") > 0,
                      .beta1 = hki_spec_value(params, values, "beta1"),
                      .beta2 = hki_spec_value(params, values, "beta2"),
                      .eps = hki_spec_value(params, values, "eps"),
                      .alpha = hki_spec_value(params, values, "alpha"),
                      .clip = hki_spec_value(params, values, "clip")};
    if (out->nesterov && !(out->momentum > 0))
        return hki_fail(HK_BAD_ARGUMENT, "optimizer sgd: nesterov=1 needs a momentum above 0");
    return HK_OK;
}

int hki_rule_moments(const hki_rule *rule)
{
    switch (rule->kind) {
    case HKI_SGD: return rule->momentum > 0;
    case HKI_RMSPROP: return 1;
    default: return 2;
    }
}

hki_update hki_rule_prepare(const hki_rule *rule, int64_t step, double rate, bool decay,
                            float scale)
{
    double lr = rule->lr * rate, t = (double)step;
    bool is_adam = rule->kind == HKI_ADAM || rule->kind == HKI_ADAMW;
    bool decoupled = rule->kind == HKI_ADAMW;
    double square = is_adam ? rule->beta2 : rule->alpha;
    return (hki_update){
        .scale = scale,
        .decay = decay && !decoupled ? (float)rule->decay : 0,
        .shrink = decay && decoupled ? (float)(1 - lr * rule->decay) : 1,
        .lr = (float)(is_adam ? lr / (1 - pow(rule->beta1, t)) : lr),
        .keep = (float)(is_adam ? rule->beta1 : rule->momentum),
        .take = (float)(1 - rule->beta1),
        .keep_square = (float)square,
        .take_square = (float)(1 - square),
        .root = (float)(1 / sqrt(1 - pow(square, t))),
        .eps = fmaxf((float)rule->eps, FLT_MIN), /* 0 / 0 where a gradient is 0 */
        .nesterov = rule->nesterov,
    };
}

/* Moments of units that get no gradient fade until they are denormal, and stay so: 0.9 times the
 * least number is rounded up to itself. Each operation on one takes a hundred cycles, so that a net
 * with dead units would be trained at half the speed. Here they count as 0. */
void hki_rule_update(const hki_rule *rule, const hki_update *numbers, int64_t n, float *w,
                     const float *g, float *m, float *v)
{
    const hki_kernels *kernels = hki_kernels_active();
    hki_update_kernel *kernel = rule->kind == HKI_RMSPROP ? kernels->rmsprop
                                : rule->kind != HKI_SGD   ? kernels->adam
                                : rule->momentum > 0      ? kernels->momentum
                                                          : kernels->sgd;
    const uint32_t before = hk_float_mode();
    hk_set_float_mode(before | HK_FLUSH_DENORMALS);
    kernel(numbers, n, w, g, m, v);
    hk_set_float_mode(before);
}
