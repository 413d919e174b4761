/* Activations: special values, and memory: what is written and what must not be. */
#include "plugin/check/check.h"

#include <float.h>
#include <math.h>
#include <string.h>

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

/* A row of NaN alone leaves at least one: else it hides an error. */
static void require_nan(const use *u, const float *y, int64_t out)
{
    int64_t kept = 0;
    for (int64_t j = out; j < 2 * out; j++)
        kept += isnan(y[j]);
    if (u->plugin->activation->value ? kept < out : kept == 0)
        check_fail("%s: NaN at x becomes y = %g: it would hide an error", check_spec_text(u),
                   (double)y[out]);
}

static void check_special(const subject *s, int isa, float value)
{
    check_reporter *const say = check_reporter_at((double)value);
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
                check_element(u, p, isa, j, false);
        if (isinf(value) && isnan(p->y[out]))
            check_tell("finite numbers stay finite; y(%g) is NaN", (double)value);
        if (isnan(value))
            require_nan(u, p->y, out);
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
    /* the framework's tallest tiles, a dense layer's widths, and beyond any array of a kernel's own */
    static const int64_t shapes[][2] = {{2048, 1}, {1024, 2}, {2, 129},  {2, 256},  {2, 513},
                                        {2, 600},  {2, 1025}, {2, 2050}, {2, 4099}, {2, 8194}};
    for (int isa = 0; isa < HK_ISA_COUNT; isa++)
        for (int i = 0; i < 10 && check_has_kernels(s->plugin, isa) && !check_has_failed(); i++)
            run_guarded(s, isa, shapes[i][0], shapes[i][1]);
}
