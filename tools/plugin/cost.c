/* Cycles of an activation's kernels. hk_curve runs them; what it needs for no points at all is
 * taken off. The clock rate is that of a chain of additions, each of which waits one cycle. */
#include "plugin/cost.h"

#include <hillock/hillock.h>
#include <math.h>
#include <stddef.h>

enum { FLOATS = 4096, ROUNDS = 60, CHAIN = 20000 };

static double time_chain(void)
{
    unsigned long sum = 0;
    double begin = hk_now();
    for (int i = 0; i < CHAIN; i++) {
        sum += 3;
        __asm__ volatile("" : "+r"(sum)); /* the additions stay, one behind the other */
    }
    return (hk_now() - begin) / CHAIN;
}

static double time_curve(const char *name, int n, const float *x, float *y, float *slope)
{
    double begin = hk_now();
    return hk_curve(name, n, x, y, slope) == HK_OK ? hk_now() - begin : -1;
}

bool plugin_cost_cycles(const char *name, double *forward, double *backward)
{
    static float x[FLOATS], y[FLOATS], slope[FLOATS];
    double cycle = HUGE_VAL, nothing = HUGE_VAL, value = HUGE_VAL, both = HUGE_VAL;
    for (int i = 0; i < FLOATS; i++)
        x[i] = (float)((i * 37 % FLOATS) - FLOATS / 2) * (8.0f / FLOATS);
    for (int i = 0; i < ROUNDS; i++) {
        cycle = fmin(cycle, time_chain());
        nothing = fmin(nothing, time_curve(name, 0, x, y, NULL));
        value = fmin(value, time_curve(name, FLOATS, x, y, NULL));
        both = fmin(both, time_curve(name, FLOATS, x, y, slope));
    }
    *forward = fmax(0, value - nothing) / cycle / FLOATS;
    *backward = fmax(0, both - value) / cycle / FLOATS;
    return nothing >= 0;
}
