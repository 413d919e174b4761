/* Update rules against values worked out by hand and against the formulas in double. */
#include "check.h"
#include "graph/graph.h"
#include "train/train.h"

#include <hillock/train.h>

static hki_rule rule(const char *spec)
{
    hki_rule out;
    CHECK_EQUAL(hki_rule_parse(spec, &out), HK_OK);
    return out;
}

static void step(const hki_rule *r, int64_t t, double rate, bool decay, int64_t n, float *w,
                 const float *g, float scale, float *m, float *v)
{
    hki_update numbers = hki_rule_prepare(r, t, rate, decay, scale);
    hki_rule_update(r, &numbers, n, w, g, m, v);
}

/* w after `steps` steps with the same gradient. */
static float walk(const char *spec, int steps, float w, float g)
{
    hki_rule r = rule(spec);
    float m = 0, v = 0;
    for (int t = 1; t <= steps; t++)
        step(&r, t, 1, true, 1, &w, &g, 1, &m, &v);
    return w;
}

static void first_steps_by_hand(void)
{
    CHECK_NEAR(walk("sgd:lr=0.1", 1, 1, 0.5f), 0.95, 1e-7);
    CHECK_NEAR(walk("sgd:lr=0.1", 2, 1, 0.5f), 0.9, 1e-7);
    CHECK_NEAR(walk("sgd:lr=0.1,momentum=0.9", 1, 1, 0.5f), 0.95, 1e-7); /* no 1 - momentum */
    CHECK_NEAR(walk("sgd:lr=0.1,momentum=0.9", 2, 1, 0.5f), 0.855, 1e-7);
    CHECK_NEAR(walk("sgd:lr=0.1,momentum=0.9,nesterov=1", 1, 1, 0.5f), 0.905, 1e-7);
    CHECK_NEAR(walk("sgd:lr=0.1,momentum=0.9,nesterov=1", 2, 1, 0.5f), 0.7695, 1e-7);
    CHECK_NEAR(walk("sgd:lr=0.5,decay=0.1", 1, 2, 0), 1.9, 1e-6);
    CHECK_NEAR(walk("adam", 1, 1, 0.1f), 0.9990000001, 6e-8);
    CHECK_NEAR(walk("adam:lr=0.25", 1, 1, -1e-3f), 1.25 - 0.25e-5, 1e-6); /* eps is felt */
    CHECK_NEAR(walk("adam:lr=0.5,decay=0.1", 1, 2, 0), 1.5, 1e-6);        /* coupled: G = 0.2 */
    CHECK_NEAR(walk("adamw:lr=0.5,decay=0.1", 1, 2, 0), 1.9, 1e-6);       /* decoupled */
    CHECK_NEAR(walk("rmsprop", 1, 1, 1), 0.9, 1e-6);
    CHECK_NEAR(walk("rmsprop", 1, 0, 1e-8f), -0.01 / 1.1, 1e-7); /* eps outside the root */
}

/* The moments of a unit that died do not stay denormal, where arithmetic is slow. */
static void moments_fade_to_nothing(void)
{
    const char *const specs[] = {"sgd:lr=0.1,momentum=0.9", "adam:beta2=0.9", "rmsprop:alpha=0.9"};
    for (int i = 0; i < 3; i++) {
        hki_rule r = rule(specs[i]);
        float w = 1, g = 0.5f, m = 0, v = 0;
        for (int t = 1; t <= 2000; t++, g = 0)
            step(&r, t, 1, true, 1, &w, &g, 1, &m, &v);
        CHECK(w != 1 && m == 0 && v == 0);
    }
}

/* ---- The formulas again, in double and spelt out --------------------------------------------- */

typedef struct reference {
    double w, m, v;
} reference;

static void reference_step(const hki_rule *r, int t, double rate, double g, reference *at)
{
    double lr = r->lr * rate;
    if (r->kind == HKI_ADAMW)
        at->w -= lr * r->decay * at->w;
    else
        g += r->decay * at->w;
    if (r->kind == HKI_SGD) {
        at->m = t == 1 ? g : r->momentum * at->m + g;
        at->w -= lr * (r->nesterov > 0 ? g + r->momentum * at->m : at->m);
    } else if (r->kind == HKI_RMSPROP) {
        at->m = r->alpha * at->m + (1 - r->alpha) * g * g;
        at->w -= lr * g / (sqrt(at->m) + r->eps);
    } else {
        at->m = r->beta1 * at->m + (1 - r->beta1) * g;
        at->v = r->beta2 * at->v + (1 - r->beta2) * g * g;
        double mean = at->m / (1 - pow(r->beta1, t)), square = at->v / (1 - pow(r->beta2, t));
        at->w -= lr * mean / (sqrt(square) + r->eps);
    }
}

static const char *const specs[] = {
    "sgd:lr=0.05",
    "sgd:lr=0.05,momentum=0.9,decay=0.01",
    "sgd:lr=0.05,momentum=0.9,nesterov=1,decay=0.01",
    "adam:lr=0.01",
    "adam:lr=0.01,beta1=0.8,beta2=0.95,eps=1e-3,decay=0.1",
    "adamw:lr=0.01,decay=0.3",
    "rmsprop:lr=0.01,alpha=0.9,eps=1e-4,decay=0.02",
};
enum { SPECS = sizeof specs / sizeof specs[0], N = 9000, STEPS = 12 };

static float gradient(int i, int t)
{
    return (float)sin(i * 0.37 + t * 1.3) * (i % 7 == 0 ? 1e-4f : 1.0f);
}

static void many_steps_follow_the_formulas(void)
{
    for (int s = 0; s < SPECS; s++) {
        hki_rule r = rule(specs[s]);
        double worst = 0;
        for (int i = 0; i < 50; i++) {
            float w = (float)cos(i), m = 0, v = 0;
            reference at = {(double)w, 0, 0};
            for (int t = 1; t <= STEPS; t++) {
                float g = gradient(i, t), scale = t % 3 ? 1.0f : 0.25f;
                double rate = 1.0 / t;
                step(&r, t, rate, true, 1, &w, &g, scale, &m, &v);
                reference_step(&r, t, rate, (double)(scale * g), &at);
            }
            worst = fmax(worst, fabs((double)w - at.w));
        }
        CHECK_NEAR(worst, 0, 2e-6);
    }
}

static void decay_can_be_left_out(void)
{
    hki_rule sgd = rule("sgd:lr=0.5,decay=0.1"), adamw = rule("adamw:lr=0.5,decay=0.1");
    float w = 2, g = 0, m = 0, v = 0;
    step(&sgd, 1, 1, false, 1, &w, &g, 1, NULL, NULL);
    step(&adamw, 1, 1, false, 1, &w, &g, 1, &m, &v);
    CHECK(w == 2.0f);
}

/* The same bits as for each element alone. */
static void elements_do_not_meet(void)
{
    static float w[2][N], g[N], m[2][N], v[2][N];
    for (int s = 0; s < SPECS; s++) {
        hki_rule r = rule(specs[s]);
        memset(m, 0, sizeof m);
        memset(v, 0, sizeof v);
        for (int i = 0; i < N; i++)
            w[0][i] = w[1][i] = (float)cos(i);
        for (int t = 1; t <= 3; t++) {
            for (int i = 0; i < N; i++)
                g[i] = gradient(i, t);
            step(&r, t, 0.5, true, N, w[0], g, 0.5f, m[0], v[0]);
            for (int i = 0; i < N; i++)
                step(&r, t, 0.5, true, 1, &w[1][i], &g[i], 0.5f, &m[1][i], &v[1][i]);
        }
        CHECK(memcmp(w[0], w[1], sizeof w[0]) == 0);
        CHECK(memcmp(m[0], m[1], sizeof m[0]) == 0);
        CHECK(memcmp(v[0], v[1], sizeof v[0]) == 0);
    }
}

/* Three clipped steps of a net large enough to be shared out; the weights into w. */
enum { INPUTS = 300, UNITS = 101 };
static void optimize(int threads, float *w)
{
    hk_optimizer *optimizer = NULL;
    hk_plan *plan = NULL;
    hk_net *net = hk_net_new(.activation = "relu", .seed = 3);
    hk_tensor *x = hk_input(net, INPUTS), *y = hk_linear(x, UNITS);
    hk_tensor *loss = hk_mean(hk_mul(y, y), HK_ALL_AXES), *weight = y->inputs[1];
    hk_plan_options options = {.batch = 2, .training = 1, .loss = loss};
    hk_set_threads(threads);
    CHECK(loss && weight && hk_optimizer_new(net, "adamw:lr=0.1", &optimizer) == HK_OK);
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    for (int i = 0; i < 2 * INPUTS; i++)
        hk_plan_value(plan, x)[i] = gradient(i, 1);
    for (int t = 0; t < 3; t++) {
        CHECK_EQUAL(hk_plan_forward(plan, 2), HK_OK);
        CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
        hk_optimizer_step(optimizer, plan, 1, 1e-3);
    }
    memcpy(w, hk_plan_value(plan, weight), sizeof *w * INPUTS * UNITS);
    hk_plan_free(plan);
    hk_optimizer_free(optimizer);
    hk_net_free(net);
    hk_set_threads(0);
}

static void threads_do_not_meet(void)
{
    static float w[2][INPUTS * UNITS];
    optimize(1, w[0]);
    for (int threads = 2; threads <= 4; threads++) {
        optimize(threads, w[1]);
        CHECK(memcmp(w[0], w[1], sizeof w[0]) == 0);
    }
}

static void moments_are_counted(void)
{
    static const int expected[SPECS] = {0, 1, 1, 2, 2, 2, 1};
    for (int s = 0; s < SPECS; s++) {
        hki_rule r = rule(specs[s]);
        CHECK_EQUAL(hki_rule_moments(&r), expected[s]);
    }
    hki_rule r = rule("adam");
    step(&r, 1, 1, true, 0, NULL, NULL, 1, NULL, NULL); /* nothing to do is fine */
}

static void defaults_are_pytorchs(void)
{
    hki_rule adam = rule("adam"), adamw = rule("adamw"), rmsprop = rule("rmsprop");
    CHECK(adam.lr == 0.001 && adam.beta1 == 0.9 && adam.beta2 == 0.999 && adam.eps == 1e-8);
    CHECK(adam.decay == 0 && adamw.decay == 0.01);
    CHECK(rmsprop.lr == 0.01 && rmsprop.alpha == 0.99 && rmsprop.eps == 1e-8);
    hki_rule sgd = rule("sgd");
    CHECK(sgd.lr == 0.1 && sgd.momentum == 0 && sgd.nesterov == 0 && sgd.decay == 0);
}

static void bad_specs_are_told(void)
{
    static const struct {
        const char *spec;
        hk_status status;
        const char *says;
    } cases[] = {
        {"adm", HK_UNKNOWN_NAME, "no optimizer named \"adm\"; did you mean \"adam\"?"},
        {"newton", HK_UNKNOWN_NAME, "known: sgd, adam, adamw, rmsprop"},
        {"newton:lr=1", HK_UNKNOWN_NAME, "known: sgd, adam, adamw, rmsprop"},
        {"sgd:beta1=0.9", HK_UNKNOWN_NAME,
         "\"sgd\" has no parameter \"beta1\"; known: lr, momentum, nesterov, decay"},
        {"adam:lr=-1", HK_BAD_ARGUMENT, "optimizer \"adam:lr=-1\": lr=-1 is outside [0, inf)"},
        {"adam:lr=fast", HK_BAD_ARGUMENT, "lr=fast is not a number"},
        {"adam:beta1=1", HK_BAD_ARGUMENT, "beta1=1 is outside [0, 1)"},
        {"adam:eps=0", HK_BAD_ARGUMENT, "eps=0 is outside (0, inf)"},
        {"adam:lr=nan", HK_BAD_ARGUMENT, "lr=nan"},
        {"adam:lr=1,lr=2", HK_BAD_ARGUMENT, "lr is given twice"},
        {"sgd:nesterov=1", HK_BAD_ARGUMENT, "needs a momentum above 0"},
        {"sgd:momentum=0.9,nesterov=0.5", HK_BAD_ARGUMENT, "nesterov=0.5 is not a whole number"},
        {"sgd:momentum=0.9,nesterov=2", HK_BAD_ARGUMENT, "nesterov=2 is outside [0, 1]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hki_rule out;
        CHECK_EQUAL(hki_rule_parse(cases[i].spec, &out), cases[i].status);
        CHECK_CONTAINS(hk_message(), cases[i].says);
    }
}

int main(void)
{
    RUN(first_steps_by_hand);
    RUN(moments_fade_to_nothing);
    RUN(many_steps_follow_the_formulas);
    RUN(decay_can_be_left_out);
    RUN(elements_do_not_meet);
    RUN(threads_do_not_meet);
    RUN(moments_are_counted);
    RUN(defaults_are_pytorchs);
    RUN(bad_specs_are_told);
    return check_result();
}
