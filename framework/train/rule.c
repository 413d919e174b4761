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

#include <hillock/plugin.h>
#include <math.h>

#define KEY(name) #name, offsetof(hki_rule, name)
#define LR(value) {KEY(lr), value, 0, HUGE_VAL, 0}
#define DECAY(value) {KEY(decay), value, 0, HUGE_VAL, 0}
#define EPS {KEY(eps), 1e-8, 0, HUGE_VAL, HK_LOW_OPEN}
#define BETAS {KEY(beta1), 0.9, 0, 1, HK_HIGH_OPEN}, {KEY(beta2), 0.999, 0, 1, HK_HIGH_OPEN}

static const hki_choice choices[HKI_RULE_COUNT] = {
    [HKI_SGD] = {"sgd", {LR(0.1), {KEY(momentum), 0, 0, 1, HK_HIGH_OPEN},
                         {KEY(nesterov), 0, 0, 1, 0}, DECAY(0)}},
    [HKI_ADAM] = {"adam", {LR(0.001), BETAS, EPS, DECAY(0)}},
    [HKI_ADAMW] = {"adamw", {LR(0.001), BETAS, EPS, DECAY(0.01)}},
    [HKI_RMSPROP] = {"rmsprop", {LR(0.01), {KEY(alpha), 0.99, 0, 1, HK_HIGH_OPEN}, EPS, DECAY(0)}},
};

hk_status hki_rule_parse(const char *spec, hki_rule *out)
{
    int chosen = 0;
    *out = (hki_rule){0};
    hk_status status = hki_choice_parse("optimizer", choices, HKI_RULE_COUNT, spec, out, &chosen);
    if (status != HK_OK)
        return status;
    out->kind = (hki_rule_kind)chosen;
    if (out->nesterov > 0 && out->nesterov < 1)
        return hki_fail(HK_BAD_ARGUMENT, "optimizer sgd: nesterov=%g, expected 0 or 1",
                        out->nesterov);
    if (out->nesterov > 0 && !(out->momentum > 0))
        return hki_fail(HK_BAD_ARGUMENT, "optimizer sgd: nesterov=1 needs a momentum above 0");
    return HK_OK;
}

int hki_rule_moments(const hki_rule *rule)
{
    switch (rule->kind) {
    case HKI_SGD:
        return rule->momentum > 0;
    case HKI_RMSPROP:
        return 1;
    default:
        return 2;
    }
}

/* The numbers of one step, rounded to float once. */
typedef struct numbers {
    float scale, decay;             /* G = scale g + decay w */
    float lr;                       /* of adam: over 1 - b1^t */
    float keep, take;               /* m = keep m + take G */
    float keep_square, take_square; /* the same for squares of G */
    float eps, root;                /* sqrt(v) root + eps */
    float shrink;                   /* w shrink: the decoupled decay */
    bool nesterov;
} numbers;

typedef void kernel(const numbers *c, int64_t n, float *restrict w, const float *restrict g,
                    float *restrict m, float *restrict v); /* [parallel] */

static void sgd_plain(const numbers *c, int64_t n, float *restrict w, const float *restrict g,
                      float *restrict m, float *restrict v)
{
    (void)m, (void)v;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        w[i] -= c->lr * (c->scale * g[i] + c->decay * w[i]);
}

static void sgd_momentum(const numbers *c, int64_t n, float *restrict w, const float *restrict g,
                         float *restrict m, float *restrict v)
{
    (void)v;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float G = c->scale * g[i] + c->decay * w[i];
        m[i] = c->keep * m[i] + G;
        w[i] -= c->lr * (c->nesterov ? G + c->keep * m[i] : m[i]);
    }
}

static void adam(const numbers *c, int64_t n, float *restrict w, const float *restrict g,
                 float *restrict m, float *restrict v)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float G = c->scale * g[i] + c->decay * w[i];
        m[i] = c->keep * m[i] + c->take * G;
        v[i] = c->keep_square * v[i] + c->take_square * (G * G);
        w[i] = c->shrink * w[i] - c->lr * m[i] / (sqrtf(v[i]) * c->root + c->eps);
    }
}

static void rmsprop(const numbers *c, int64_t n, float *restrict w, const float *restrict g,
                    float *restrict m, float *restrict v)
{
    (void)v;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float G = c->scale * g[i] + c->decay * w[i];
        m[i] = c->keep_square * m[i] + c->take_square * (G * G);
        w[i] -= c->lr * G / (sqrtf(m[i]) + c->eps);
    }
}

static kernel *kernel_of(const hki_rule *rule)
{
    switch (rule->kind) {
    case HKI_SGD:
        return rule->momentum > 0 ? sgd_momentum : sgd_plain;
    case HKI_RMSPROP:
        return rmsprop;
    default:
        return adam;
    }
}

static numbers prepare(const hki_rule *rule, int64_t step, double rate, bool decay, float scale)
{
    double lr = rule->lr * rate, t = (double)step;
    bool is_adam = rule->kind == HKI_ADAM || rule->kind == HKI_ADAMW;
    bool decoupled = rule->kind == HKI_ADAMW;
    double square = is_adam ? rule->beta2 : rule->alpha;
    return (numbers){
        .scale = scale,
        .decay = decay && !decoupled ? (float)rule->decay : 0,
        .shrink = decay && decoupled ? (float)(1 - lr * rule->decay) : 1,
        .lr = (float)(is_adam ? lr / (1 - pow(rule->beta1, t)) : lr),
        .keep = (float)(is_adam ? rule->beta1 : rule->momentum),
        .take = (float)(1 - rule->beta1),
        .keep_square = (float)square,
        .take_square = (float)(1 - square),
        .root = (float)(1 / sqrt(1 - pow(square, t))),
        .eps = (float)rule->eps,
        .nesterov = rule->nesterov > 0,
    };
}

void hki_rule_update(const hki_rule *rule, int64_t step, double rate, bool decay, int64_t n,
                     float *w, const float *g, float scale, float *m, float *v)
{
    const int64_t chunk = 4096; /* 16 KiB of each array */
    int64_t chunks = (n + chunk - 1) / chunk;
    const numbers c = prepare(rule, step, rate, decay, scale);
    kernel *update = kernel_of(rule);
#pragma omp parallel for num_threads(hki_threads_for(n)) schedule(static)
    for (int64_t i = 0; i < chunks; i++) {
        int64_t first = i * chunk, left = n - first;
        update(&c, left < chunk ? left : chunk, w + first, g + first, m ? m + first : NULL,
               v ? v + first : NULL);
    }
}
