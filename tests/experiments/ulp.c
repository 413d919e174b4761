/* How far the float functions of one number in maths.h are from the truth: every float, or one piece in STRIDE,
 * in each instruction set that this processor has. The truth is the C library in double, within 1e-8 ulp of a
 * float; the worst found is measured again in long double. Each function has its own unit of error and its bound
 * in it, as maths.h says: the status is 1 where one is exceeded, a NaN gives a number, an infinity is wrong, or
 * instruction sets differ in a bit. usage: ulp [STRIDE [NAME]] */
#include <hillock/kernel.h>
#include <float.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <tgmath.h>

enum { PIECE = 4096 };

typedef void map(int64_t n, const float *x, float *y);

#define FOR_SET(isa, attribute, has, name)                                                         \
    attribute static void name##_##isa(int64_t n, const float *x, float *y)                        \
    {                                                                                              \
        HK_VECTORIZE                                                                               \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i] = hks_##name(x[i]);                                                               \
    }
#define ENTRY(isa, attribute, has, name) name##_##isa,

/* `value` is type-generic in x. */
#define FUNCTION(name, value)                                                                      \
    HK_EACH_ISA(FOR_SET, name)                                                                     \
    static map *const maps_##name[] = {HK_EACH_ISA(ENTRY, name)};                                  \
    static double near_##name(double x)                                                            \
    {                                                                                              \
        return value;                                                                              \
    }                                                                                              \
    static long double true_##name(long double x)                                                  \
    {                                                                                              \
        return value;                                                                              \
    }

FUNCTION(exp, exp(x))
FUNCTION(expm1, expm1(x))
FUNCTION(log, log(x))
FUNCTION(log1p, log1p(x))
FUNCTION(log1p_unit, log1p(x))
FUNCTION(tanh, tanh(x))
FUNCTION(sech2, 1 / (cosh(x) * cosh(x)))
FUNCTION(sigmoid, 1 / (1 + exp(-x)))
FUNCTION(softplus, (x > 0 ? x : 0) + log1p(exp(-fabs(x))))
FUNCTION(erf, erf(x))
FUNCTION(erfc, erfc(x))
FUNCTION(normal_cdf, erfc(-x *(__typeof__(x))0.70710678118654752440084436210485L) / 2)
FUNCTION(sqrt, sqrt(x))
FUNCTION(rsqrt, 1 / sqrt(x + 0))
FUNCTION(rsqrt_plain, 1 / sqrt(x))
FUNCTION(atan, atan(x))
FUNCTION(sin, sin(x))
FUNCTION(cos, cos(x))
FUNCTION(abs, fabs(x))
FUNCTION(floor, floor(x))
FUNCTION(quick_exp, exp(x))
FUNCTION(quick_sigmoid, 1 / (1 + exp(-x)))
FUNCTION(bell, exp(-x *x / 2))

/* ---- Units of error -------------------------------------------------------------------------- */

/* The last place of the float that is nearest to `truth`. */
static double ulp(double truth, double x)
{
    uint64_t bits;
    (void)x;
    memcpy(&bits, &truth, sizeof bits);
    const int exponent = (int)(bits >> 52 & 0x7FF) - 1023;
    bits = (uint64_t)((exponent < -126 ? -126 : exponent) - 23 + 1023) << 52;
    memcpy(&truth, &bits, sizeof bits);
    return truth;
}
/* Of a gate: as much as the exponent, rounded, is off. */
static double by_size(double truth, double x)
{
    return fabs(truth) * (1 + fabs(x));
}
static double by_square(double truth, double x)
{
    return fabs(truth) * (1 + x * x / 2);
}
static double absolute(double truth, double x)
{
    (void)truth;
    return 1 / (1 + fabs(x));
}

typedef struct unit {
    const char *name;
    double (*size)(double truth, double x);
    double zero_below; /* a smaller result may be 0 */
} unit;
static const unit ULP = {"ulp", ulp, 0x1p-126};
static const unit BY_SIZE = {"relative / (1 + |x|)", by_size, 0x1.0001p-40};
static const unit BY_SQUARE = {"relative / (1 + x^2/2)", by_square, 0x1.0001p-40};
static const unit ABSOLUTE = {"absolute (1 + |x|)", absolute, 0};

#define ROW(name, unit, bound, ...) /* and the range */                                            \
    {                                                                                              \
#name, maps_##name, near_##name, true_##name, unit, bound, __VA_ARGS__                     \
    }
#define ALL -INFINITY, INFINITY

/* With the range that maths.h names, where it names one. */
static const struct {
    const char *name;
    map *const *maps;
    double (*near)(double);
    long double (*truth)(long double);
    const unit *unit;
    double bound;
    float low, high;
} functions[] = {
    ROW(exp, &ULP, 1.1, ALL),
    ROW(expm1, &ULP, 2, ALL),
    ROW(log, &ULP, 1.5, ALL),
    ROW(log1p, &ULP, 2.1, ALL),
    ROW(log1p_unit, &ULP, 2.2, 0, 1),
    ROW(tanh, &ULP, 3, ALL),
    ROW(sech2, &ULP, 5, ALL),
    ROW(sigmoid, &ULP, 3, ALL),
    ROW(softplus, &ULP, 3, ALL),
    ROW(erf, &ULP, 3.6, ALL),
    ROW(erfc, &ULP, 4.4, ALL),
    ROW(normal_cdf, &ABSOLUTE, 2.5e-7, ALL),
    ROW(sqrt, &ULP, 1.1, ALL),
    ROW(rsqrt, &ULP, 2, ALL),
    ROW(rsqrt_plain, &ULP, 1.3, 0x1p-100f, FLT_MAX),
    ROW(atan, &ULP, 2, ALL),
    ROW(sin, &ULP, 2, -1e6f, 1e6f),
    ROW(cos, &ULP, 2, -1e6f, 1e6f),
    ROW(abs, &ULP, 0, ALL),
    ROW(floor, &ULP, 0, ALL),
    ROW(quick_exp, &BY_SIZE, 2e-7, -INFINITY, 87),
    ROW(quick_sigmoid, &BY_SIZE, 2e-7, ALL),
    ROW(bell, &BY_SQUARE, 2e-7, ALL),
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* ---- The search ------------------------------------------------------------------------------ */

typedef struct worst {
    double error; /* in the function's unit */
    float x;
    int64_t inputs, numbers; /* numbers: from a NaN, where NaN is due */
    int64_t infinities;      /* wrong, or a number where one is due */
    int64_t bits;            /* different in another instruction set */
} worst;

static void compare(size_t f, float x, float y, worst *most)
{
    const double truth = functions[f].near((double)x);
    const bool large = isinf((float)truth);
    if (isnan(truth))
        most->numbers += !isnan(y);
    else if (large || !isfinite(y))
        most->infinities += !large || (double)y != (double)(float)truth;
    else if (y != 0 || fabs(truth) >= functions[f].unit->zero_below) {
        const double error = fabs((double)y - truth);
        if (error > most->error * functions[f].unit->size(truth, (double)x)) {
            most->error = error / functions[f].unit->size(truth, (double)x);
            most->x = x;
        }
    }
}

/* Bits of `y` that are others in `other`; one NaN is as good as another. */
static int64_t differences(int64_t n, const float *y, const float *other)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += hks_to_bits(y[i]) != hks_to_bits(other[i]) && !(isnan(y[i]) && isnan(other[i]));
    return count;
}

static void measure(size_t f, int64_t piece, worst *most)
{
    const int has[] = HK_ISA_PRESENT;
    float x[PIECE], y[PIECE], other[PIECE];
    int64_t n = 0;
    for (int64_t i = 0; i < PIECE; i++) {
        const float at = hks_from_bits((uint32_t)(piece * PIECE + i));
        if (isnan(at) || (at >= functions[f].low && at <= functions[f].high))
            x[n++] = at;
    }
    functions[f].maps[0](n, x, y);
    for (int isa = 1; isa < HK_ISA_COUNT; isa++)
        if (has[isa]) {
            functions[f].maps[isa](n, x, other);
            most->bits += differences(n, y, other);
        }
    for (int64_t i = 0; i < n; i++)
        compare(f, x[i], y[i], most);
    most->inputs += n;
}

static worst search(size_t f, uint32_t stride)
{
    worst most = {0};
#pragma omp parallel
    {
        worst own = {0};
#pragma omp for schedule(dynamic)
        for (int64_t piece = 0; piece < ((int64_t)1 << 32) / PIECE; piece += stride)
            measure(f, piece, &own);
#pragma omp critical
        {
            if (own.error > most.error)
                most.error = own.error, most.x = own.x;
            most.inputs += own.inputs, most.numbers += own.numbers;
            most.infinities += own.infinities, most.bits += own.bits;
        }
    }
    float y;
    functions[f].maps[0](1, &most.x, &y);
    const long double truth = functions[f].truth((long double)most.x);
    most.error = (double)fabs((long double)y - truth) /
                 functions[f].unit->size((double)truth, (double)most.x);
    return most;
}

int main(int argc, char **argv)
{
    static const char *const names[] = HK_ISA_NAMES;
    const int has[] = HK_ISA_PRESENT;
    const uint32_t stride = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    bool beyond = false;
    printf("one piece of %d floats in %" PRIu32 "; instruction sets:", PIECE, stride);
    for (int isa = 0; isa < HK_ISA_COUNT; isa++)
        printf(has[isa] ? " %s" : "", names[isa]);
    printf("\n%-14s %10s %6s %14s  %-22s %10s %6s %6s %6s\n", "function", "largest", "bound",
           "at x", "unit", "inputs", "no NaN", "no inf", "bits");
    for (size_t f = 0; f < FUNCTIONS; f++) {
        if (argc > 2 && strcmp(argv[2], functions[f].name) != 0)
            continue;
        const worst it = search(f, stride ? stride : 1);
        const bool good =
            it.error <= functions[f].bound && !it.numbers && !it.infinities && !it.bits;
        printf("%-14s %10.4g %6.3g %14.9g  %-22s %10" PRId64 " %6" PRId64 " %6" PRId64 " %6" PRId64
               "%s\n",
               functions[f].name, it.error, functions[f].bound, (double)it.x,
               functions[f].unit->name, it.inputs, it.numbers, it.infinities, it.bits,
               good ? "" : "  BEYOND");
        fflush(stdout);
        beyond |= !good;
    }
    return beyond;
}
