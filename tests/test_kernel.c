/* The mathematics of maths.h against libm in double, over floats of every size; the same bits on
 * every instruction set; Philox and the normal numbers drawn from it. */
#include <hillock/kernel.h>

#include <float.h>

#include "check.h"

enum { BATCH = 4096 };

/* ---- Each function as a loop, once for each instruction set ---------------------------------- */

typedef void loop(int64_t n, const float *x, float *y);

#define LOOP(isa, attribute, has, name)                                                            \
    attribute static void name##_##isa(int64_t n, const float *x, float *y)                        \
    {                                                                                              \
        HK_VECTORIZE                                                                               \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i] = FUNCTION(x[i]);                                                                 \
    }
#define LOOPS(name) HK_EACH_ISA(LOOP, name)
#define ENTRY(isa, attribute, has, name) name##_##isa,
#define ALL(name)                                                                                  \
    {                                                                                              \
        HK_EACH_ISA(ENTRY, name)                                                                   \
    }

#define FUNCTION hks_exp
LOOPS(exp)
#undef FUNCTION
#define FUNCTION hks_expm1
LOOPS(expm1)
#undef FUNCTION
#define FUNCTION hks_log
LOOPS(log)
#undef FUNCTION
#define FUNCTION hks_log1p
LOOPS(log1p)
#undef FUNCTION
#define FUNCTION hks_tanh
LOOPS(tanh)
#undef FUNCTION
#define FUNCTION hks_sigmoid
LOOPS(sigmoid)
#undef FUNCTION
#define FUNCTION hks_softplus
LOOPS(softplus)
#undef FUNCTION
#define FUNCTION hks_erf
LOOPS(erf)
#undef FUNCTION
#define FUNCTION hks_erfc
LOOPS(erfc)
#undef FUNCTION
#define FUNCTION hks_sqrt
LOOPS(sqrt)
#undef FUNCTION
#define FUNCTION hks_rsqrt
LOOPS(rsqrt)
#undef FUNCTION
#define FUNCTION hks_atan
LOOPS(atan)
#undef FUNCTION
#define FUNCTION hks_sin
LOOPS(sin)
#undef FUNCTION
#define FUNCTION hks_cos
LOOPS(cos)

typedef struct function {
    const char *name;
    loop *loops[HK_ISA_COUNT];
    double (*exact)(double);
    double largest; /* |x| up to which it is promised */
    double at_zero, at_infinity, at_minus_infinity;
} function;

#define HALF_PI ((double)1.57079632679489661923f) /* the nearest float */
#define NOT_A_NUMBER ((double)NAN)
static const function functions[] = {
    {"exp", ALL(exp), exp, HUGE_VAL, 1, HUGE_VAL, 0},
    {"expm1", ALL(expm1), expm1, HUGE_VAL, 0, HUGE_VAL, -1},
    {"log", ALL(log), log, HUGE_VAL, -HUGE_VAL, HUGE_VAL, NOT_A_NUMBER},
    {"log1p", ALL(log1p), log1p, HUGE_VAL, 0, HUGE_VAL, NOT_A_NUMBER},
    {"tanh", ALL(tanh), tanh, HUGE_VAL, 0, 1, -1},
    {"sigmoid", ALL(sigmoid), hks_sigmoid64, HUGE_VAL, 0.5, 1, 0},
    {"softplus", ALL(softplus), hks_softplus64, HUGE_VAL, 0.69314718055994531, HUGE_VAL, 0},
    {"erf", ALL(erf), erf, HUGE_VAL, 0, 1, -1},
    {"erfc", ALL(erfc), erfc, HUGE_VAL, 1, 0, 2},
    {"sqrt", ALL(sqrt), sqrt, HUGE_VAL, 0, HUGE_VAL, NOT_A_NUMBER},
    {"rsqrt", ALL(rsqrt), hks_rsqrt64, HUGE_VAL, HUGE_VAL, 0, NOT_A_NUMBER},
    {"atan", ALL(atan), atan, HUGE_VAL, 0, HALF_PI, -HALF_PI},
    {"sin", ALL(sin), sin, 1e6, 0, NOT_A_NUMBER, NOT_A_NUMBER},
    {"cos", ALL(cos), cos, 1e6, 1, NOT_A_NUMBER, NOT_A_NUMBER},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* |found - exact| in units of the last place of a normal float of that size. A denormal result may
 * be given as 0. */
static double ulps(float found, double exact)
{
    float nearest = (float)exact;
    if (nearest == found || (isnan(exact) && isnan(found)) ||
        (found == 0 && fabs(exact) < 0x1p-126))
        return 0;
    if (!isfinite(nearest) || !isfinite(found))
        return HUGE_VAL;
    int exponent;
    frexp(exact, &exponent);
    return fabs((double)found - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

/* ---- Accuracy -------------------------------------------------------------------------------- */

typedef struct worst {
    double ulp;
    float at;
} worst;

static void measure(const function *f, const float *x, worst *w)
{
    float y[BATCH];
    f->loops[0](BATCH, x, y);
    for (int i = 0; i < BATCH; i++) {
        double exact = f->exact((double)x[i]), off = ulps(y[i], exact);
        if ((double)fabsf(x[i]) <= f->largest && off > w->ulp)
            *w = (worst){off, x[i]};
    }
}

/* A million floats of every exponent and both signs, and a million between -20 and 20. */
static void functions_are_within_4_ulp(void)
{
    float x[BATCH];
    for (int k = 0; k < FUNCTIONS; k++) {
        const function *f = &functions[k];
        worst w = {0};
        for (uint64_t first = 0; first < 1u << 20; first += BATCH) {
            for (uint64_t i = 0; i < BATCH; i++)
                x[i] = hks_from_bits(hks_bits(7, first + i));
            measure(f, x, &w);
            for (uint64_t i = 0; i < BATCH; i++)
                x[i] = hks_uniform(8, first + i) * 40 - 20;
            measure(f, x, &w);
        }
        printf("  %-9s %.2f ulp at %.9g\n", f->name, w.ulp, (double)w.at);
        CHECK(w.ulp <= 4);
    }
}

/* Every float near the places where formulas change or results overflow, vanish or cancel. */
static void functions_hold_around_their_edges(void)
{
    static const float edges[] = {
        0x1p-149f,   0x1p-126f,   1e-20f, 1e-7f,       0.34657359f, 0.5f,
        0.70710678f, 0.78539816f, 1,      1.41421356f, 1.57079633f, 3.14159265f,
        9.19f,       10.05f,      16,     17.328679f,  87.33654f,   88.72283f,
        89,          103.97208f,  104,    1e5f,        0x1p64f,     0x1.fffffep127f};
    float x[BATCH];
    for (int k = 0; k < FUNCTIONS; k++) {
        worst w = {0};
        for (size_t e = 0; e < sizeof edges / sizeof *edges; e++)
            for (int side = 0; side < 2; side++) {
                uint32_t bits = hks_to_bits(edges[e]);
                uint32_t first = bits < BATCH / 2 ? 0 : bits - BATCH / 2;
                for (uint32_t i = 0; i < BATCH; i++)
                    x[i] = hks_from_bits((first + i) | (uint32_t)side << 31);
                for (int i = 0; i < BATCH; i++)
                    x[i] = isfinite(x[i]) ? x[i] : 0;
                measure(&functions[k], x, &w);
            }
        if (w.ulp > 4)
            printf("  %s is %.2f ulp off at %.9g\n", functions[k].name, w.ulp, (double)w.at);
        CHECK(w.ulp <= 4);
    }
}

/* At 4.00095 the rounding of the square shows: 1.01e-6 of the bell. */
static void bell_is_as_far_off_as_its_exponent(void)
{
    double most = 0;
    for (uint32_t i = 0; i < 1u << 20; i++) {
        const float x = i ? hks_uniform(12, i) * 7.4f : 4.00095f;
        const double z = (double)x, off = fabs((double)hks_bell(x) / hks_bell(z) - 1);
        most = fmax(most, off / (1 + z * z / 2));
    }
    CHECK(most < 2e-7);
}

/* exp(-2 x) is denormal from 43.67 on, the slope of tanh from 44.36 on. */
static void sech2_lasts_as_long_as_its_result(void)
{
    for (float x = 43.5f; x < 44.3f; x += 0.001f)
        CHECK_NEAR((double)hks_sech2(x) / hks_sech2((double)x), 1, 1e-6);
    CHECK(hks_sech2(44.5f) == 0);
}

/* In gates small numbers may be as far off as their logarithm is, and vanish below 2^-40. */
static void quick_functions_keep_their_promise(void)
{
    double e = 0, s = 0, bell = 0, phi = 0, root = 0;
    for (uint64_t i = 0; i < 1u << 20; i++) {
        const float x = hks_uniform(10, i) * 114 - 27, u = x / 8, power = hks_exp(x);
        const double size = fabs((double)x), exact = exp((double)x), z = (double)u;
        e = fmax(e, fabs((double)hks_quick_exp(x) / exact - 1) / (1 + size));
        s = fmax(s, fabs((double)hks_quick_sigmoid(x) / hks_sigmoid((double)x) - 1) / (1 + size));
        bell = fmax(bell, fabs((double)hks_bell(u) - hks_bell(z)));
        phi = fmax(phi, fabs((double)hks_normal_cdf(u) - hks_normal_cdf(z)) * (1 + fabs(z)));
        root = fmax(root, fabs((double)hks_rsqrt_plain(power) * sqrt((double)power) - 1));
    }
    printf("  exp %.2g, sigmoid %.2g, bell %.2g, normal_cdf %.2g, rsqrt %.2g\n", e, s, bell, phi,
           root);
    CHECK(e < 2.2e-7 && s < 2.2e-7 && bell < 2e-7 && phi < 2.5e-7 && root < 2e-7);
    for (float x = -28; x > -FLT_MAX; x *= 1.5f)
        CHECK(hks_quick_exp(x) == 0 && hks_quick_sigmoid(x) == 0 && hks_quick_sigmoid(-x) == 1 &&
              hks_bell(x) == 0 && hks_normal_cdf(x) == 0 && hks_normal_cdf(-x) == 1);
    CHECK(isnan(hks_quick_exp((float)NAN)) && isnan(hks_quick_sigmoid((float)NAN)));
    CHECK(isnan(hks_bell((float)NAN)) && isnan(hks_normal_cdf((float)NAN)));
    CHECK(hks_quick_exp(0.0f) == 1 && hks_quick_sigmoid(0.0f) == 0.5f && hks_bell(0.0f) == 1);
}

/* Some NaN have bits set that a function might take for a number's: a payload. */
static void any_nan_stays_nan(void)
{
    int numbers = 0;
    for (uint32_t i = 0; i < 1u << 14; i++) {
        const uint32_t payload = i < 1u << 13 ? i + 1 : hks_bits(11, i) >> 9 | 1;
        const float x = hks_from_bits((i & 1) << 31 | 0x7F800000u | payload);
        numbers += !isnan(hks_quick_exp(x)) + !isnan(hks_quick_sigmoid(x)) + !isnan(hks_bell(x)) +
                   !isnan(hks_normal_cdf(x)) + !isnan(hks_sech2(x)) + !isnan(hks_log1p_unit(x));
        for (int k = 0; k < FUNCTIONS; k++) {
            float y;
            functions[k].loops[0](1, &x, &y);
            numbers += !isnan(y);
        }
    }
    CHECK_EQUAL(numbers, 0);
}

static int same(float found, double expected)
{
    return isnan(expected) ? isnan(found) : (double)found == expected;
}

static void special_values_are_kept(void)
{
    const float x[4] = {0, INFINITY, -INFINITY, NAN};
    for (int k = 0; k < FUNCTIONS; k++) {
        const function *f = &functions[k];
        float y[4];
        f->loops[0](4, x, y);
        CHECK(same(y[0], (double)(float)f->at_zero));
        CHECK(same(y[1], f->at_infinity));
        CHECK(same(y[2], f->at_minus_infinity));
        CHECK(isnan(y[3]));
        if (check_case_failed)
            printf("  in %s\n", f->name);
    }
    CHECK(isinf(hks_exp(100.0f)));
    CHECK(isnan(hks_log(-1.0f)));
    CHECK(hks_log1p(-1.0f) == -INFINITY);
    CHECK(hks_sqrt(4.0f) == 2 && hks_sqrt(1e4f) == 100);
    CHECK(fabsf(hks_sin(1e30f)) <= 1 && fabsf(hks_cos(-3e38f)) <= 1);
    CHECK(isnan(hks_max(0, NAN)) && isnan(hks_min(6.0f, (float)NAN)));
    CHECK(hks_max(2.0f, 3) == 3 && hks_min(2, 3.0) == 2 && hks_abs(-1.5f) == 1.5f);
    CHECK(hks_exp(1.0) == exp(1.0)); /* double goes to libm */
}

/* Vector bodies, scalar tails, every instruction set and every pointer offset: the same bits. */
static void bits_do_not_depend_on_the_instruction_set(void)
{
    const int has[HK_ISA_COUNT] = HK_ISA_PRESENT;
    float x[BATCH], expected[BATCH], found[BATCH + 16];
    for (uint64_t i = 0; i < BATCH; i++)
        x[i] = i % 2 ? hks_from_bits(hks_bits(9, i)) : hks_uniform(9, i) * 200 - 100;
    for (int k = 0; k < FUNCTIONS; k++) {
        for (int64_t i = 0; i < BATCH; i++)
            functions[k].loops[0](1, x + i, expected + i);
        for (int isa = 0; isa < HK_ISA_COUNT; isa++) {
            if (!has[isa])
                continue;
            for (int64_t offset = 0; offset < 16; offset++) {
                functions[k].loops[isa](BATCH - offset, x + offset, found + offset / 2);
                int differ = 0;
                for (int64_t i = offset; i < BATCH; i++) {
                    float got = found[offset / 2 + i - offset];
                    differ += isnan(expected[i]) ? !isnan(got)
                                                 : hks_to_bits(got) != hks_to_bits(expected[i]);
                }
                CHECK_EQUAL(differ, 0);
            }
        }
    }
}

/* ---- Random numbers -------------------------------------------------------------------------- */

/* From the tables that come with Random123 (kat_vectors); a counter of ours has 64 bits. */
static void philox_gives_the_known_answer(void)
{
    uint32_t word[4];
    hks_philox(0, 0, word);
    CHECK_EQUAL(word[0], 0x6627e8d5);
    CHECK_EQUAL(word[1], 0xe169c58d);
    CHECK_EQUAL(word[2], 0xbc57ac4c);
    CHECK_EQUAL(word[3], 0x9b00dbd8);
    CHECK_EQUAL(hks_bits(0, 2), 0xbc57ac4c);
    CHECK_NEAR(hks_uniform(0, 0), 0x6627e8p-24, 0);
}

/* Moments of a normal: 0, 1, 0, 3, each within five standard errors; sum and product of
 * neighbours too, as they come from one angle or one block. */
static void normal_numbers_are_normal(void)
{
    enum { N = 1 << 20 };
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag[4] = {0}, most = 0, last[4] = {0};
    int beyond = 0;
    for (uint64_t i = 0; i < N; i++) {
        double z = (double)hks_normal(42, i);
        m1 += z, m2 += z * z, m3 += z * z * z, m4 += z * z * z * z;
        for (int k = 1; k < 4; k++)
            lag[k] += z * last[k], last[4 - k] = k < 3 ? last[3 - k] : last[4 - k];
        last[1] = z;
        beyond += fabs(z) > 1.959963984540054;
        most = fmax(most, fabs(z));
    }
    const double n = N, error = 5 / sqrt(n);
    CHECK_NEAR(m1 / n, 0, error);
    CHECK_NEAR(m2 / n, 1, error * sqrt(2));
    CHECK_NEAR(m3 / n, 0, error * sqrt(15));
    CHECK_NEAR(m4 / n, 3, error * sqrt(96));
    CHECK_NEAR(beyond / n, 0.05, error * sqrt(0.05 * 0.95));
    for (int k = 1; k < 4; k++)
        CHECK_NEAR(lag[k] / n, 0, error);
    CHECK(most > 4.5 && most < 7);
    CHECK(hks_normal(1, 0) != hks_normal(2, 0));
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static void sums_have_every_element(void)
{
    float a[100], b[100];
    for (int i = 0; i < 100; i++)
        a[i] = (float)i, b[i] = (float)(i % 7);
    for (int n = 0; n <= 100; n++) {
        double sum = 0, dot = 0;
        for (int i = 0; i < n; i++)
            sum += (double)a[i], dot += (double)a[i] * (double)b[i];
        CHECK_NEAR(hks_sum(n, a), sum, 0);
        CHECK_NEAR(hks_dot(n, a, b), dot, 0);
    }
}

int main(void)
{
    RUN(functions_are_within_4_ulp);
    RUN(functions_hold_around_their_edges);
    RUN(bell_is_as_far_off_as_its_exponent);
    RUN(sech2_lasts_as_long_as_its_result);
    RUN(quick_functions_keep_their_promise);
    RUN(any_nan_stays_nan);
    RUN(special_values_are_kept);
    RUN(bits_do_not_depend_on_the_instruction_set);
    RUN(philox_gives_the_known_answer);
    RUN(normal_numbers_are_normal);
    RUN(sums_have_every_element);
    return check_result();
}
