/* How far the float functions of one number in maths.h are from the truth, over their whole range: every
 * float, or every STRIDE-th, in each instruction set that this processor has. The truth is the function of
 * the C library in long double, 64 bits of mantissa: some thousandths of an ulp. Each line is a function,
 * an instruction set, the largest error in ulp of the true result's float (that a result below 2^-126 is
 * flushed is no error), and the argument where it is. usage: ulp [STRIDE [NAME]] */
#include <hillock/kernel.h>
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 4096 };

typedef void map(int64_t n, const float *x, float *y);

#define FOR_SET(isa, attribute, has, name)                                                         \
    attribute static void name##_##isa(int64_t n, const float *x, float *y)                        \
    {                                                                                              \
        HK_VECTORIZE                                                                               \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i] = hks_##name(x[i]);                                                               \
    }
#define FOR_SETS(name) HK_EACH_ISA(FOR_SET, name)
#define ENTRY(isa, attribute, has, name) name##_##isa,
#define ROW(name, low, high)                                                                       \
    {                                                                                              \
#name, {HK_EACH_ISA(ENTRY, name) }, true_##name, low, high                                 \
    }

static long double true_exp(long double x)
{
    return expl(x);
}
static long double true_expm1(long double x)
{
    return expm1l(x);
}
static long double true_log(long double x)
{
    return logl(x);
}
static long double true_log1p(long double x)
{
    return log1pl(x);
}
static long double true_log1p_unit(long double x)
{
    return log1pl(x);
}
static long double true_tanh(long double x)
{
    return tanhl(x);
}
static long double true_sech2(long double x)
{
    return 1 / (coshl(x) * coshl(x));
}
static long double true_sigmoid(long double x)
{
    return 1 / (1 + expl(-x));
}
static long double true_softplus(long double x)
{
    return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}
static long double true_erf(long double x)
{
    return erfl(x);
}
static long double true_erfc(long double x)
{
    return erfcl(x);
}
static long double true_normal_cdf(long double x)
{
    return erfcl(-x * 0.70710678118654752440084436210485L) / 2;
}
static long double true_sqrt(long double x)
{
    return sqrtl(x);
}
static long double true_rsqrt(long double x)
{
    return x == 0 ? (long double)INFINITY : 1 / sqrtl(x);
}
static long double true_atan(long double x)
{
    return atanl(x);
}
static long double true_sin(long double x)
{
    return sinl(x);
}
static long double true_cos(long double x)
{
    return cosl(x);
}
static long double true_quick_exp(long double x)
{
    return expl(x);
}
static long double true_quick_sigmoid(long double x)
{
    return 1 / (1 + expl(-x));
}
static long double true_bell(long double x)
{
    return expl(-x * x / 2);
}
static long double true_rsqrt_plain(long double x)
{
    return x == 0 ? (long double)INFINITY : 1 / sqrtl(x);
}

FOR_SETS(exp)
FOR_SETS(expm1)
FOR_SETS(log)
FOR_SETS(log1p)
FOR_SETS(log1p_unit)
FOR_SETS(tanh)
FOR_SETS(sech2)
FOR_SETS(sigmoid)
FOR_SETS(softplus)
FOR_SETS(erf)
FOR_SETS(erfc)
FOR_SETS(normal_cdf)
FOR_SETS(sqrt)
FOR_SETS(rsqrt)
FOR_SETS(atan)
FOR_SETS(sin)
FOR_SETS(cos)
FOR_SETS(quick_exp)
FOR_SETS(quick_sigmoid)
FOR_SETS(bell)
FOR_SETS(rsqrt_plain)

/* With the range that maths.h names, where it names one. */
static const struct {
    const char *name;
    map *maps[HK_ISA_COUNT];
    long double (*truth)(long double);
    float low, high;
} functions[] = {
    ROW(exp, -INFINITY, INFINITY),
    ROW(expm1, -INFINITY, INFINITY),
    ROW(log, 0, INFINITY),
    ROW(log1p, -1, INFINITY),
    ROW(log1p_unit, 0, 1),
    ROW(tanh, -INFINITY, INFINITY),
    ROW(sech2, -INFINITY, INFINITY),
    ROW(sigmoid, -INFINITY, INFINITY),
    ROW(softplus, -INFINITY, INFINITY),
    ROW(erf, -INFINITY, INFINITY),
    ROW(erfc, -INFINITY, INFINITY),
    ROW(normal_cdf, -INFINITY, INFINITY),
    ROW(sqrt, 0, INFINITY),
    ROW(rsqrt, 0, INFINITY),
    ROW(atan, -INFINITY, INFINITY),
    ROW(sin, -1e6f, 1e6f),
    ROW(cos, -1e6f, 1e6f),
    ROW(quick_exp, -INFINITY, 87),
    ROW(quick_sigmoid, -88, 88),
    ROW(bell, -INFINITY, INFINITY),
    ROW(rsqrt_plain, 0x1p-100f, FLT_MAX),
};

typedef struct worst {
    double ulp, absolute; /* absolute: the error there, for results that are nearly 0 */
    float x;
    long wrong; /* specials: NaN for a number, a number for NaN, the wrong infinity */
} worst;

static void compare(float x, float y, long double truth, worst *most)
{
    const float rounded = (float)truth;
    if (isnan(truth) || isinf(rounded) || !isfinite(y)) {
        /* beyond float: infinite, or the largest number for what is as near */
        const int good = isnan(truth) ? isnan(y) : isinf(rounded) ? y == rounded : 0;
        most->wrong += !good;
        most->x = good || most->wrong > 1 ? most->x : x;
        return;
    }
    if (y == 0 && fabsl(truth) < 0x1p-126L) /* flushed, as maths.h says */
        return;
    int exponent;
    frexpl(truth, &exponent);
    const double error = (double)fabsl((long double)y - truth);
    const double ulp = error / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
    if (ulp > most->ulp)
        most->ulp = ulp, most->absolute = error, most->x = x;
}

static worst search(size_t f, int isa, uint32_t stride)
{
    worst most = {0};
#pragma omp parallel
    {
        worst own = {0};
        float x[PIECE], y[PIECE];
#pragma omp for schedule(dynamic)
        for (int64_t piece = 0; piece < (((int64_t)1 << 32) + PIECE - 1) / PIECE; piece += stride) {
            int64_t n = 0;
            for (int64_t i = 0; i < PIECE; i++) {
                const float at = hks_from_bits((uint32_t)(piece * PIECE + i));
                if (at >= functions[f].low && at <= functions[f].high)
                    x[n++] = at;
            }
            functions[f].maps[isa](n, x, y);
            for (int64_t i = 0; i < n; i++)
                compare(x[i], y[i], functions[f].truth((long double)x[i]), &own);
        }
#pragma omp critical
        {
            const long wrong = most.wrong + own.wrong;
            if (own.ulp > most.ulp || (own.wrong && !most.wrong))
                most = own;
            most.wrong = wrong;
        }
    }
    return most;
}

int main(int argc, char **argv)
{
    static const char *const names[] = HK_ISA_NAMES;
    const int has[] = HK_ISA_PRESENT;
    const uint32_t stride = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    printf("every float of one piece of %d in %" PRIu32 "\n%-14s %-9s %10s %12s %16s %s\n", PIECE,
           stride, "function", "set", "ulp", "absolute", "at x", "wrong specials");
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++)
        for (int isa = 0; isa < HK_ISA_COUNT; isa++) {
            if (!has[isa] || (argc > 2 && strcmp(argv[2], functions[f].name) != 0))
                continue;
            const worst it = search(f, isa, stride ? stride : 1);
            printf("%-14s %-9s %10.3f %12.3g %16.9g %ld\n", functions[f].name, names[isa], it.ulp,
                   it.absolute, (double)it.x, it.wrong);
            fflush(stdout);
        }
    return 0;
}
