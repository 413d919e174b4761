/* Activations: the declared formula, in extended precision as it is written, against value() and slope(). */
#include "plugin/check/check.h"
#include "plugin/formula/expr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <hillock/kernel.h>

enum { CHANNELS = 6, USUAL = 121, OTHERWISE = 25 };

static const declared *formula_of_test;

/* Both go by other ways; double has sixteen digits, and what a body cancels is no more than these. */
static bool is_near(double is, const quotients *q, double relative)
{
    const double allowed = relative * (1 + fmax(fabs(q->low), fabs(q->high)));
    return is >= q->low - allowed && is <= q->high + allowed;
}

/* Or what calculus makes of the formula: a bend narrower than any step is seen by no quotient. */
static bool is_derivative(double is, double x, const double *names)
{
    const declared *d = formula_of_test;
    const point at = {.x = (long double)x, .parameters = names, .in = IN_EXTENDED};
    const double slope = d->slope ? (double)formula_evaluate(&d->f, d->slope, &at) : (double)NAN;
    return fabs(is - slope) <= 1e-8 * (1 + fabs(slope));
}

static void compare_at(const use *u, hk_scalar64 *at)
{
    double names[64] = {0};
    const original *o = &formula_of_test->as_written;
    const int n_params = formula_of_test->n_params;
    memcpy(names, at->p, (size_t)n_params * sizeof *names);
    memcpy(names + n_params, at->t, (size_t)u->n_slots * sizeof *names);
    at->y = u->plugin->activation->value(at);
    const quotients y = formula_find_value(o, at->x, names);
    const quotients slope = formula_find_quotients(o, at->x, names, -1);
    const double is = u->plugin->activation->slope(at);
    if (y.known && !is_near(at->y, &y, 1e-8))
        check_reporter_at(at->x)("%s: at x = %.9g value() is %.9g, the formula %.9g",
                                 check_spec_text(u), at->x, at->y, y.low);
    else if (y.known && slope.known && !is_near(is, &slope, 1e-5) && is != 0 && /* 0: at a kink */
             !is_derivative(is, at->x, names))
        check_reporter_at(at->x)("%s: at x = %.9g slope() is %.9g, that of the formula %.9g",
                                 check_spec_text(u), at->x, is, (slope.low + slope.high) / 2);
}

/* Beyond 16, 24, 31 and 63 bits, where whole numbers of C end. */
static const double far[] = {-1e5, 1e5, -3e9, 3e9, -1e20, 1e20};
enum { FAR = sizeof far / sizeof *far };

static void compare_lives(const subject *s, const double *params)
{
    const int mark = check_arrays_mark();
    use *u = check_use_new(s->plugin, 8, CHANNELS);
    memcpy(u->params, params, sizeof u->params);
    const int n = strchr(check_spec_text(u), ':') ? OTHERWISE : USUAL;
    for (int life = 0; life < (u->n_slots ? LIVES : 1); life++) {
        check_use_live(u, life);
        check_begin_call("value", -1, 1, 1);
        for (int i = 0; i < 2 * n && !check_has_failed(); i++) {
            const double z =
                2.0 * i / (n - 1) - 1; /* dense around 0, then anywhere, then far out */
            double t[HK_MAX_SLOTS] = {0};
            hk_scalar64 at = {.x = i < n             ? 8 * z * fabs(z)
                                   : i < 2 * n - FAR ? check_search_point(41, (uint64_t)i)
                                                     : far[i - 2 * n + FAR],
                              .p = u->params,
                              .t = t,
                              .channel = i % CHANNELS};
            check_slots_at(u, at.channel, t);
            compare_at(u, &at);
        }
        check_end_call();
    }
    check_arrays_release(mark);
}

void check_test_formula(const subject *s)
{
    formula_error error;
    if (!s->plugin->formula) {
        check_skip("no formula");
        return;
    }
    if (!s->plugin->activation || !s->plugin->activation->value) {
        check_fail("it has a formula, but no value() to prove it by");
        return;
    }
    declared *d = formula_declared(s->plugin, &error);
    if (!d) {
        check_fail("the formula \"%s\": %s", s->plugin->formula, error.sentence);
        return;
    }
    formula_of_test = d;
    check_each_setting(s, compare_lives);
    formula_of_test = NULL;
    free(d);
}
