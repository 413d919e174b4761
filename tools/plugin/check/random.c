/* Activations that draw random numbers: they come from the key and the place, and training means what
 * evaluation does. */
#include "plugin/check/check.h"

#include <math.h>
#include <string.h>

enum { DRAWS = 4000, INPUTS = 12 };

/* Over the keys, of each input. */
typedef struct average {
    double mean[INPUTS], square[INPUTS], plain[INPUTS]; /* plain: in evaluation */
} average;

static double error_of(const average *a, int j)
{
    return sqrt(fmax(0, a->square[j] - a->mean[j] * a->mean[j]) / DRAWS);
}

/* How far the mean over the keys is from evaluation, as factor * plain + shift, in standard errors; the
 * largest of all inputs. */
static double distance_from(const average *a, double factor, double shift)
{
    double worst = 0;
    for (int j = 0; j < INPUTS; j++) {
        const double error = error_of(a, j) + 1e-7 * fabs(a->plain[j]);
        const double off = fabs(a->mean[j] - factor * a->plain[j] - shift);
        if (a->square[j] - a->mean[j] * a->mean[j] > 1e-12 * a->square[j])
            worst = fmax(worst, off / error);
    }
    return worst;
}

/* A mean that is evaluation times one factor, or plus one number, has lost a scale or a centre; what is not
 * linear in its random numbers may well be elsewhere. */
static void check_mean(const average *a)
{
    double across = 0, along = 0, shift = 0;
    for (int j = 0; j < INPUTS; j++) {
        across += a->plain[j] * a->mean[j], along += a->plain[j] * a->plain[j];
        shift += (a->mean[j] - a->plain[j]) / INPUTS;
    }
    const double factor = along > 0 ? across / along : 1, off = distance_from(a, 1, 0);
    if (off > 8 && fabs(factor - 1) > 0.02 && distance_from(a, factor, 0) < 5)
        check_fail("over %d keys the mean is %.3g of evaluation, for every x: what is dropped is "
                   "missing in what is kept",
                   DRAWS, factor);
    else if (off > 8 && distance_from(a, 1, shift) < 5)
        check_fail("over %d keys the mean is evaluation plus %.3g, for every x", DRAWS, shift);
    check_tell("over %d keys the mean is %.1f standard errors from evaluation", DRAWS, off);
}

enum { FAR_ROWS = 64 };
static void run_at(const use *u, const pass *p, int64_t first_row)
{
    hk_tile tile = check_tile_of(u, p, 0, FAR_ROWS);
    tile.first_row = first_row;
    tile.dy = NULL, tile.dx = NULL, tile.dslots = NULL;
    check_begin_call("forward", HK_BASELINE, FAR_ROWS, u->context.channels);
    check_kernel_of(u->plugin, HK_BASELINE, false)(&u->context, &tile);
    check_end_call();
}

/* Equal rows far apart in a large batch have other numbers, when rows side by side have: places are
 * counted in 64 bits. */
static void check_far_rows(const subject *s)
{
    static const int64_t far[] = {256, 32768, 65536, 1 << 24, 1 << 30};
    use *u = check_use_new(s->plugin, FAR_ROWS, 8);
    u->context.training = 1;
    pass *near = check_pass_new(u, 0), *other = check_pass_new(u, 0);
    for (int64_t i = 0; i < near->in; i++)
        near->x[i] = other->x[i] = i / 8 % 2 ? 1 : -1;
    u->context.rows = (int64_t)1 << 31;
    run_at(u, near, 0), run_at(u, other, 2);
    if (check_first_difference(near->y, other->y, near->out) < 0)
        return; /* one draw for all rows */
    for (int i = 0; i < 5; i++) {
        run_at(u, other, far[i]);
        if (check_first_difference(near->y, other->y, near->out) < 0)
            check_fail("rows from number %lld on have the random numbers of rows 0 to 63",
                       (long long)far[i]);
    }
}

/* a.u is uniform in [0, 1): 0 is in, and comes once in 16 million numbers. */
static void check_rare_draws(const subject *s)
{
    use *u = check_use_new(s->plugin, 1, 4);
    pass *p = check_pass_new(u, 2);
    u->context.training = 1;
    for (int i = 0; i < 2; i++) {
        u->context.key = check_rare_keys[i];
        check_host_run(u, HK_BASELINE, p);
        for (int64_t j = 0; j < p->out && !check_has_failed(); j++)
            if (!isfinite(p->y[j]) || !isfinite(p->dx[j]))
                check_fail("where its random number is %s, y is %g and dx is %g at x = %g",
                           i ? "1 - 2^-24, the largest" : "0, as one in 2^24 is", (double)p->y[j],
                           (double)p->dx[j], (double)p->x[j]);
    }
}

void check_test_random(const subject *s)
{
    average a = {0};
    int64_t differ = 0;
    const bool draws = s->plugin->activation->traits & HK_STOCHASTIC;
    use *u = draws ? check_use_new(s->plugin, 1, INPUTS) : NULL;
    if (!u || check_use_channels_out(u) != INPUTS) {
        check_skip(u ? "it changes the number of channels" : "not stochastic");
        return;
    }
    pass *p = check_pass_new(u, 2), *plain = check_pass_copy(u, p), *first = check_pass_copy(u, p);
    check_forward(u, HK_BASELINE, plain, 0, 1);
    u->context.training = 1;
    for (int draw = 0; draw < DRAWS; draw++) {
        u->context.key = (uint64_t)draw;
        check_forward(u, HK_BASELINE, draw ? p : first, 0, 1);
        const float *y = draw ? p->y : first->y;
        differ += draw && check_first_difference(y, first->y, INPUTS) >= 0;
        for (int j = 0; j < INPUTS; j++) {
            a.plain[j] = (double)plain->y[j];
            a.mean[j] += (double)y[j] / DRAWS;
            a.square[j] += (double)y[j] * (double)y[j] / DRAWS;
        }
    }
    u->context.key = 0;
    check_forward(u, HK_BASELINE, p, 0, 1);
    if (check_first_difference(p->y, first->y, INPUTS) >= 0)
        check_fail("the same key gives other numbers the second time");
    if (!differ)
        check_fail("HK_STOCHASTIC is declared, but %d keys give the same numbers", DRAWS);
    check_mean(&a);
    check_far_rows(s);
    check_rare_draws(s);
}
