/* Activations, in float: every instruction set's kernels against the double reference, special
 * values, memory; gradients by differences where there is no reference. */
#include "plugin/check/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <hillock/kernel.h>

/* ---- The reference of one element ------------------------------------------------------------ */

/* An element of the reference with numbers of its own. */
typedef struct element {
    double x, p[HK_MAX_PARAMS], t[HK_MAX_SLOTS];
    hk_scalar64 at;
    double y, slope;
    double y_tolerance, slope_tolerance; /* how far a float result may be off */
} element;

static void evaluate(const use *u, element *e, double *y, double *slope)
{
    e->at.x = e->x;
    e->at.y = *y = u->plugin->activation->value(&e->at);
    *slope = u->plugin->activation->slope(&e->at);
}

/* 4 ulp of the result, as far as a float has them, and beside 0 a little more. */
static void begin_element(const use *u, const pass *p, int64_t i, element *e)
{
    const int64_t channel = i % u->context.channels;
    *e = (element){.x = (double)p->x[i], .at = {.p = e->p, .t = e->t, .channel = channel}};
    memcpy(e->p, u->params, sizeof e->p);
    for (int k = 0; k < u->n_slots; k++)
        e->t[k] = (double)u->slots[k][u->plugin->slots[k].extent == HK_PER_CHANNEL ? channel : 0];
    e->at.u = (double)hks_uniform(u->context.key, (uint64_t)i);
    e->at.training = (int)u->context.training;
    e->at.surrogate = (int)u->context.surrogate;
    evaluate(u, e, &e->y, &e->slope);
    e->y_tolerance = 1e-7 + 1e-6 * fabs(e->y);
    e->slope_tolerance = 5e-7 + 1e-6 * fabs(e->slope);
}

/* And what four roundings of one number do to the result: sin(30 x) amplifies them, a sum may
 * cancel, beside a kink or a jump either side is right. */
static void widen(const use *u, element *e, double *number)
{
    const double kept = *number;
    double y, slope, y_off = 0, slope_off = 0;
    for (int side = -1; side <= 1; side += 2) {
        *number = kept * (1 + side * 0x1p-22);
        evaluate(u, e, &y, &slope);
        y_off = fmax(y_off, fabs(y - e->y));
        slope_off = fmax(slope_off, fabs(slope - e->slope));
    }
    *number = kept;
    e->y_tolerance += y_off;
    e->slope_tolerance += slope_off;
}

/* What is beyond float may come out as anything; far out, where sin() has lost its argument, a
 * result is only asked to stay in range. */
static bool is_right(const element *e, bool y, double factor, double found)
{
    const double value = y ? e->y : e->slope, tolerance = y ? e->y_tolerance : e->slope_tolerance;
    if (fabs(e->x) > 1e6 && (fabs(found) <= (double)FLT_MAX || fabs(factor * value) > 1e30))
        return true;
    if (!(fmax(1, fabs(factor)) * fabs(value) < 0.999999 * (double)FLT_MAX))
        return true;
    return isnan(tolerance) || fabs(found - factor * value) <= fabs(factor) * tolerance + 1e-12;
}

/* Only a net that diverges has numbers beyond a million: what is wrong there is a warning. */
typedef void reporter(const char *format, ...) __attribute__((format(printf, 1, 2)));
static reporter *reporter_at(double x)
{
    return fabs(x) > 1e6 ? check_warn : check_fail;
}

/* Element i of y and dx. */
static void check_element(const use *u, const pass *p, int isa, int64_t i)
{
    const double y = (double)p->y[i], g = (double)p->dy[i], dx = (double)p->dx[i];
    element e;
    begin_element(u, p, i, &e);
    if (is_right(&e, true, 1, y) && is_right(&e, false, g, dx))
        return;
    widen(u, &e, &e.x);
    for (int k = 0; k < HK_MAX_PARAMS; k++)
        widen(u, &e, &e.p[k]), widen(u, &e, &e.t[k]);
    const double terms = 5e-7 * (1 + fmin(fabs(e.x), 16)); /* of about this size sums are made */
    e.y_tolerance += terms, e.slope_tolerance += terms;
    const bool y_right = is_right(&e, true, 1, y);
    if (y_right && is_right(&e, false, g, dx))
        return;
    reporter_at(e.x)("%s, element %lld: x = %.9g: %s is %.9g, expected %.9g",
                     check_case_text(u, isa), (long long)i, e.x, y_right ? "dx" : "y",
                     y_right ? dx : y, y_right ? g * e.slope : e.y);
}

static void check_slot_sums(const use *u, const pass *p, int isa, int k)
{
    const bool per_channel = u->plugin->slots[k].extent == HK_PER_CHANNEL;
    const int64_t channels = u->context.channels;
    for (int64_t j = 0; j < (per_channel ? channels : 1) && !check_has_failed(); j++) {
        double sum = 0, size = 0;
        for (int64_t i = j; i < p->in; i += per_channel ? channels : 1) {
            element e;
            begin_element(u, p, i, &e);
            const double part = (double)p->dy[i] * u->plugin->activation->gradient(&e.at, k);
            sum += part, size += fabs(part);
        }
        const double found = (double)p->dslots[k][j] - 1;
        if (!(fabs(found - sum) <= 3e-6 * (1 + size)))
            check_fail("%s: gradient of %s[%lld] is %.9g, expected %.9g", check_case_text(u, isa),
                       u->plugin->slots[k].name, (long long)j, found, sum);
    }
}

static void check_shape(const subject *s, int isa, int64_t rows, int64_t channels)
{
    const int mark = check_arrays_mark();
    use *u = check_use_new(s->plugin, rows, channels);
    u->context.training = rows != 2;
    u->context.surrogate = rows == 7;
    check_use_vary(u, 5);
    pass *p = check_pass_new(u, 3);
    check_host_run(u, isa, p);
    for (int64_t i = 0; i < p->in && !check_has_failed(); i++)
        check_element(u, p, isa, i);
    for (int k = 0; k < u->n_slots; k++)
        if (u->plugin->slots[k].role == HK_LEARNED && s->plugin->activation->gradient)
            check_slot_sums(u, p, isa, k);
    check_arrays_release(mark);
}

void check_test_kernels(const subject *s)
{
    static const int64_t rows[] = {1, 2, 7, 61};
    if (!s->plugin->activation->value) {
        check_skip("no double reference: see gradient");
        return;
    }
    int sets = 0;
    for (int isa = 0; isa < HK_ISA_COUNT; isa++) {
        if (!check_has_kernels(s->plugin, isa))
            continue;
        sets++;
        for (int r = 0; r < 4; r++)
            for (int64_t channels = 1; channels <= 70 && !check_has_failed();
                 channels += 1 + (r > 1) * (channels % 5))
                check_shape(s, isa, rows[r], channels);
        check_shape(s, isa, 3, 300);
    }
    check_tell("1 to 70 elements a row, %d instruction sets agree with the double reference", sets);
}

void check_test_gradient(const subject *s)
{
    static const int64_t channels[] = {4, 12, 30};
    const hk_activation *act = s->plugin->activation;
    if (act->value || act->traits & HK_SURROGATE) {
        check_skip(act->value ? "there is a double reference: see derivative and kernels"
                              : "a surrogate is declared: backward is not the derivative");
        return;
    }
    for (int i = 0; i < 6 && !check_has_failed(); i++) {
        const int mark = check_arrays_mark();
        use *u = check_use_new(s->plugin, 3, channels[i / 2]);
        u->context.training = (uint32_t)i % 2;
        check_use_vary(u, channels[i / 2] == 12 ? 3 : 4);
        if (check_use_channels_out(u) > 0)
            check_differences(u);
        check_arrays_release(mark);
    }
}

/* ---- Special values -------------------------------------------------------------------------- */

static const float special[] = {0,       -0.0f,    0x1p-149f, -0x1p-149f, 1e-30f, -1e-30f, 30,
                                -30,     100,      -100,      1e4f,       -1e4f,  1e20f,   -1e20f,
                                FLT_MAX, -FLT_MAX, INFINITY,  -INFINITY,  NAN};
enum { SPECIAL = sizeof special / sizeof *special, FINITE = SPECIAL - 3, COLUMNS = 12 };

/* A row of the value under test, between rows of ordinary numbers. dy is 1, which overflows
 * nothing. */
static pass *special_pass(const use *u, float value)
{
    pass *p = check_pass_new(u, 1);
    for (int j = 0; j < COLUMNS; j++)
        p->x[COLUMNS + j] = value;
    for (int64_t i = 0; i < p->out; i++)
        p->dy[i] = 1;
    return p;
}

static void check_special(const subject *s, int isa, float value)
{
    reporter *const say = reporter_at((double)value);
    const int mark = check_arrays_mark();
    use *u = check_use_new(s->plugin, 3, COLUMNS);
    if (check_use_channels_out(u) > 0) {
        const int64_t out = check_use_channels_out(u);
        pass *plain = special_pass(u, 1), *p = special_pass(u, value);
        check_host_run(u, isa, plain), check_host_run(u, isa, p);
        for (int64_t j = out; isfinite(value) && j < 2 * out; j++)
            if (isnan(p->y[j]))
                say("%s, %s: y is NaN at x = %g", check_spec_text(u), check_isa_names[isa],
                    (double)value);
        for (int64_t j = COLUMNS; isfinite(value) && j < 2 * COLUMNS && !check_has_failed(); j++)
            if (isnan(p->dx[j]))
                say("%s, %s: dx is NaN at x = %g", check_spec_text(u), check_isa_names[isa],
                    (double)value);
            else if (s->plugin->activation->value)
                check_element(u, p, isa, j);
        if (isinf(value) && isnan(p->y[out]))
            check_tell("finite numbers stay finite; y(%g) is NaN", (double)value);
        for (int64_t j = out; isnan(value) && j < 2 * out; j++)
            if (s->plugin->activation->value && !isnan(p->y[j]))
                check_fail("%s: NaN at x becomes y = %g: it would hide an error",
                           check_spec_text(u), (double)p->y[j]);
        for (int row = 0; row < 3; row += 2)
            if (check_first_difference(p->y + row * out, plain->y + row * out, out) >= 0 ||
                check_first_difference(p->dx + row * COLUMNS, plain->dx + row * COLUMNS, COLUMNS) >=
                    0)
                check_fail("%s, %s: %g in one row changes another row", check_spec_text(u),
                           check_isa_names[isa], (double)value);
    }
    check_arrays_release(mark);
}

void check_test_special(const subject *s)
{
    for (int isa = 0; isa < HK_ISA_COUNT; isa++)
        for (int i = 0; check_has_kernels(s->plugin, isa) && i < SPECIAL && !check_has_failed();
             i++)
            check_special(s, isa, special[i]);
}

static void run_guarded(const subject *s, int isa, int64_t rows, int64_t channels)
{
    const int mark = check_arrays_mark();
    use *u = check_use_new(s->plugin, rows, channels);
    u->context.training = 1;
    const int64_t out = check_use_channels_out(u);
    if (out < 0 || out != check_use_channels_out(u))
        check_fail("channels_out(%lld) is %lld, or something else the next time",
                   (long long)channels, (long long)out);
    if (out > 0) {
        pass *p = check_pass_new(u, 2);
        check_host_run(u, isa, p);
        for (int64_t i = 0; i < p->out; i++)
            if (isnan(p->y[i]))
                check_fail("%s: y[%lld] was not written, or is NaN for x = %.9g",
                           check_case_text(u, isa), (long long)i, (double)p->x[i % p->in]);
        for (int64_t i = 0; i < p->in; i++)
            if (isnan(p->dx[i]))
                check_fail("%s: dx[%lld] was not written, was read, or is NaN for x = %.9g",
                           check_case_text(u, isa), (long long)i, (double)p->x[i]);
    }
    check_arrays_release(mark);
}

/* A write outside, or to an input, ends the worker, which says where it was. */
void check_test_memory_of_activation(const subject *s)
{
    for (int before = 0; before < 2; before++)
        for (int isa = 0; isa < HK_ISA_COUNT; isa++)
            for (int64_t n = 1; check_has_kernels(s->plugin, isa) && n <= 70 && !check_has_failed();
                 n += 1 + (n > 36) * 5) {
                check_guard_before = before;
                run_guarded(s, isa, 1, n);
                run_guarded(s, isa, 3, n);
            }
}
