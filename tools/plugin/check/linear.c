/* Backward is linear in dy: what it makes of a gradient a million times as large, or as small, is that many
 * times what it made of it. */
#include "plugin/check/check.h"

#include <float.h>
#include <math.h>

static double largest(const float *x, int64_t n)
{
    double size = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i]) && fabs((double)x[i]) > size)
            size = fabs((double)x[i]);
    return size;
}

/* found[i] is factor times one[i], which begins with `start`; sums round each number by its largest term. */
static void require_times(const use *u, int isa, const char *what, const float *one,
                          const float *found, int64_t n, double factor, double start)
{
    const double size = largest(one, n);
    for (int64_t i = 0; i < n && !check_has_failed(); i++) {
        const double expected = factor * ((double)one[i] - start);
        const double off = fabs((double)found[i] - start - expected);
        const double rounding = 1e-5 * factor * size + 1e-6 * fabs(start) + (double)FLT_MIN;
        if (isfinite(one[i]) && fabs(expected) < 1e37 && !(off <= 1e-4 * fabs(expected) + rounding))
            check_fail("%s: %s[%lld] is %.9g of dy and %.9g of %g dy, expected %.9g: backward is "
                       "linear in dy",
                       check_case_text(u, isa), what, (long long)i, (double)one[i],
                       (double)found[i], factor, expected + start);
    }
}

static void check_factor(use *u, int isa, const pass *one, double factor)
{
    pass *p = check_pass_copy(u, one);
    for (int64_t i = 0; i < p->out; i++)
        p->dy[i] *= (float)factor;
    check_host_run(u, isa, p);
    require_times(u, isa, "dx", one->dx, p->dx, p->in, factor, 0);
    for (int k = 0; k < u->n_slots && factor > 1; k++) /* what is below 1 is lost beside it */
        if (u->plugin->slots[k].role == HK_LEARNED)
            require_times(u, isa, u->plugin->slots[k].name, one->dslots[k], p->dslots[k],
                          u->lengths[k], factor, 1);
}

static void check_use_linear(const subject *s, int isa, int64_t channels, int which)
{
    const int mark = check_arrays_mark();
    use *u = check_use_new(s->plugin, 24, channels);
    u->context.training = 1;
    check_use_vary(u, 6);
    const bool chosen = check_use_choose(u, which);
    if (chosen && (!s->plugin->activation || check_use_channels_out(u) > 0)) {
        pass *one = check_pass_new(u, 2);
        check_host_run(u, isa, one);
        check_factor(u, isa, one, 0x1p-24);
        check_factor(u, isa, one, 0x1p20);
    }
    check_arrays_release(mark);
}

void check_test_linear(const subject *s)
{
    static const int64_t channels[] = {1, 12, 35};
    if (s->plugin->activation && s->plugin->activation->traits & HK_SURROGATE) {
        check_skip("backward is a surrogate, which need not be linear in dy");
        return;
    }
    for (int isa = 0; isa < HK_ISA_COUNT; isa++)
        for (int c = 0; c < 3 && (check_has_kernels(s->plugin, isa) || isa == 0); c++)
            for (int which = 0; which < 3 && !check_has_failed(); which++)
                check_use_linear(s, isa, channels[c], which);
}
