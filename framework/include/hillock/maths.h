/* hillock/maths.h - for plugins in C: vectorizable functions of one number, sums over rows. Included by
 * kernel.h; imports nothing but libm.
 *
 * hks_exp(x) and the like are type-generic: of a float, code of this file, for kernels; of a double, libm,
 * for the reference. Contraction is off and the float functions are branch-free, so the bits of a result
 * do not depend on position, tiling or instruction set. */
#pragma once
#ifdef __FAST_MATH__
#error "a Hillock plugin must not be built with -ffast-math or -Ofast"
#endif

/* So that `cc -O2 -shared -fPIC` is enough. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("O3", "no-trapping-math", "fp-contract=off")
#endif
#ifdef HK_OUT_OF_LINE /* for bodies of hundreds of functions, which inlined take minutes to compile */
#define HK_INLINE static __attribute__((noinline, unused))
#else
#define HK_INLINE static inline __attribute__((always_inline, unused))
#endif

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- Functions of one number -------------------------------------------------------------------
 * Float results: error of at most 5 ulp over the whole range, or 1e-7 near zero; denormal results are 0;
 * NaN in, NaN out. tests/experiments/ulp.c has the bound of each function, tried on every float. Polynomials are minimax fits made for this file, evaluated in pairs (Estrin 1960):
 * faster than Horner's rule, since latency counts. */

#define hks_exp(x) _Generic((x), float : hks_exp32, double : exp)(x)
#define hks_expm1(x) _Generic((x), float : hks_expm1_32, double : expm1)(x)
#define hks_log(x) _Generic((x), float : hks_log32, double : log)(x)
#define hks_log1p(x) _Generic((x), float : hks_log1p_32, double : log1p)(x)
#define hks_log1p_unit(x) _Generic((x), float : hks_log1p_unit32, double : log1p)(x) /* 0 to 1 */
#define hks_tanh(x) _Generic((x), float : hks_tanh32, double : tanh)(x)
#define hks_sech2(x) _Generic((x), float : hks_sech2_32, double : hks_sech2_64)(x) /* 1 - tanh^2 */
#define hks_sigmoid(x) _Generic((x), float : hks_sigmoid32, double : hks_sigmoid64)(x)
#define hks_softplus(x) _Generic((x), float : hks_softplus32, double : hks_softplus64)(x)
#define hks_erf(x) _Generic((x), float : hks_erf32, double : erf)(x)
#define hks_erfc(x) _Generic((x), float : hks_erfc32, double : erfc)(x)
#define hks_normal_cdf(x) _Generic((x), float : hks_normal_cdf32, double : hks_normal_cdf64)(x)
#define hks_sqrt(x) _Generic((x), float : hks_sqrt32, double : sqrt)(x)
#define hks_rsqrt(x) _Generic((x), float : hks_rsqrt32, double : hks_rsqrt64)(x) /* 1 / sqrt(x) */
#define hks_atan(x) _Generic((x), float : hks_atan32, double : atan)(x)
#define hks_sin(x) _Generic((x), float : hks_sin32, double : sin)(x) /* float: |x| <= 1e6; */
#define hks_cos(x) _Generic((x), float : hks_cos32, double : cos)(x) /* beyond, error 1e-16 |x| */
#define hks_abs(x) _Generic((x), float : hks_abs32, double : fabs)(x)
#define hks_floor(x) _Generic((x), float : __builtin_floorf, double : floor)(x)
/* A third faster, for gates: relative error up to 2e-7 (1 + |exponent of e|); flushes to 0 below 2^-40. */
#define hks_quick_exp(x) _Generic((x), float : hks_quick_exp32, double : exp)(x) /* x < 87 */
#define hks_quick_sigmoid(x) _Generic((x), float : hks_quick_sigmoid32, double : hks_sigmoid64)(x)
#define hks_bell(x) _Generic((x), float : hks_bell32, double : hks_bell64)(x) /* exp(-x^2 / 2) */
/* 1 / sqrt(x) without special values: 2^-100 <= x < infinity. */
#define hks_rsqrt_plain(x) _Generic((x), float : hks_rsqrt_plain32, double : hks_rsqrt64)(x)
/* Return b if the comparison is false: hks_max(0, x) and hks_min(6, x) propagate a NaN x. */
#define hks_min(a, b) _Generic((a) + (b), float : hks_min32, double : hks_min64)(a, b)
#define hks_max(a, b) _Generic((a) + (b), float : hks_max32, double : hks_max64)(a, b)

HK_INLINE float hks_min32(float a, float b)
{
    return a < b ? a : b;
}
HK_INLINE float hks_max32(float a, float b)
{
    return a > b ? a : b;
}
HK_INLINE double hks_min64(double a, double b)
{
    return a < b ? a : b;
}
HK_INLINE double hks_max64(double a, double b)
{
    return a > b ? a : b;
}
HK_INLINE float hks_abs32(float x)
{
    return __builtin_fabsf(x);
}

HK_INLINE uint32_t hks_to_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

HK_INLINE float hks_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^k for k in -126 .. 127, modulo 512. */
HK_INLINE float hks_power_of_two(uint32_t k)
{
    return hks_from_bits((k + 127) << 23);
}

/* Three Newton steps for 1 / sqrt from an estimate by the exponent. */
HK_INLINE float hks_rsqrt_plain32(float x)
{
    float half = 0.5f * x, r = hks_from_bits(0x5F3759DFu - (hks_to_bits(x) >> 1));
    r = r * (1.5f - half * r * r);
    r = r * (1.5f - half * r * r);
    return r + r * (0.5f - half * r * r);
}

HK_INLINE float hks_rsqrt32(float x)
{
    const int small = x < 0x1p-100f;
    float r = hks_rsqrt_plain32(small ? x * 0x1p24f : x);
    r = small ? r * 0x1p12f : r;
    r = x == 0 ? __builtin_inff() : x > 0x1.fffffep127f ? 0 : r;
    return x < 0 ? __builtin_nanf("") : r;
}

HK_INLINE double hks_rsqrt64(double x)
{
    return 1 / sqrt(x + 0); /* +inf at -0, too */
}

/* Two Newton steps for 1 / sqrt from an estimate by the exponent, then a Heron step: error at most 1 ulp.
 * Not libm's: errno prevents vectorization. */
HK_INLINE float hks_sqrt32(float x)
{
    const int small = x < 0x1p-100f;
    float z = small ? x * 0x1p24f : x, r = hks_from_bits(0x5F3759DFu - (hks_to_bits(z) >> 1));
    r = r * (1.5f - 0.5f * z * r * r);
    r = r * (1.5f - 0.5f * z * r * r);
    float s = z * r;
    s = 0.5f * (s + z / s);
    s = small ? s * 0x1p-12f : s;
    s = x == 0 || x > 0x1.fffffep127f ? x : s;
    return x < 0 ? __builtin_nanf("") : s;
}

/* exp(x) = 2^k (1 + *m), |x| < 2^20, |*m| < 0.42. Adding 1.5 * 2^23 rounds to an integer and
 * leaves it in the low bits; only the lowest nine of the result are k. ln 2 is split so that k
 * times its upper part is exact. */
HK_INLINE uint32_t hks_exp_parts(float x, float *m)
{
    float shifted = x * 0x1.715476p0f + 0x1.8p23f, k = shifted - 0x1.8p23f;
    float r = x - k * 0x1.63p-1f - k * -0x1.bd0106p-13f;
    float rr = r * r, high = 0x1.5558f4p-5f + 0x1.123a36p-7f * r + rr * 0x1.6a23b4p-10f;
    *m = r + rr * (0x1.fffffcp-2f + 0x1.555490p-3f * r + rr * high);
    return hks_to_bits(shifted);
}

/* Denormal results are 0. The last line propagates NaN. */
HK_INLINE float hks_exp32(float x)
{
    float m;
    uint32_t k = hks_exp_parts(x, &m);
    float y = hks_from_bits(hks_to_bits(1 + m) + (k << 23));
    y = x < -87.3365402f ? 0 : y;
    return x <= 88.7228317f ? y : x + __builtin_inff();
}

/* exp(-|x|): cheaper than exp. The product propagates NaN, whose low bits k then holds. */
HK_INLINE float hks_exp_minus_abs(float x)
{
    float m, z = -hks_abs32(x);
    uint32_t k = hks_exp_parts(z, &m);
    float y = (1 + m) * hks_power_of_two(k);
    return z < -87.3365402f ? 0 : y;
}

/* 2^u for u < 127, as accurate as u is. 0 below 2^-40, so that products with other small numbers are not
 * denormal, which is a hundred times slower. */
HK_INLINE float hks_quick_power(float u)
{
    float shifted = u + 0x1.8p23f, f = u - (shifted - 0x1.8p23f), ff = f * f;
    float high = 0x1.c6b752p-5f + 0x1.3cea88p-7f * f + ff * 0x1.5bba1ap-10f;
    float y = 1 + f * 0x1.62e42ap-1f + ff * (0x1.ebf9bcp-3f + f * high);
    y *= hks_power_of_two(hks_to_bits(shifted)); /* NaN stays NaN */
    return u < -40 ? 0 : y;
}

HK_INLINE float hks_quick_exp32(float x)
{
    return hks_quick_power(x * 0x1.715476p0f);
}

/* exp(-x^2 / 2), the normal density over its peak. */
HK_INLINE float hks_bell32(float x)
{
    return hks_quick_power(x * x * -0x1.715476p-1f);
}

HK_INLINE double hks_bell64(double x)
{
    return exp(-0.5 * x * x);
}

/* 2^k (1 + m) - 1 = 2 (2^(k-1) m + (2^(k-1) - 1/2)): exact for k = 0, in range for k = 128.
 * For x > -80. */
HK_INLINE float hks_expm1_inside(float x)
{
    float m, half = hks_power_of_two(hks_exp_parts(x, &m) - 1);
    return 2 * (half * m + (half - 0.5f));
}

HK_INLINE float hks_expm1_32(float x)
{
    float y = hks_expm1_inside(x);
    y = x < -18 ? -1 : y;
    return x <= 88.73f ? y : x + __builtin_inff();
}

/* log(2^k (1 + f)), f in [sqrt 1/2 - 1, sqrt 2 - 1]. */
HK_INLINE float hks_log_of_parts(float k, float f)
{
    float ff = f * f, above = 0x1.437798p3f + f * 0x1.0d40fep3f + ff;
    float below = 0x1.43779ap4f + f * 0x1.e4e598p4f + ff * (0x1.830fa2p3f + f);
    float tail = k * -0x1.bd0106p-13f - ff * above / below;
    return tail + f + k * 0x1.63p-1f;
}

/* `result`, the logarithm of x, unless x is not positive or not finite. */
HK_INLINE float hks_log_unless_special(float x, float result)
{
    result = x > 0x1.fffffep127f ? x : result;
    return x > 0 ? result : x == 0 ? -__builtin_inff() : __builtin_nanf("");
}

/* x = 2^k m, m in [sqrt 1/2, sqrt 2): adding to the bits of x what sqrt 1/2 lacks of 1 leaves k in
 * the exponent. */
HK_INLINE float hks_log32(float x)
{
    float scaled = x < 0x1p-126f ? x * 0x1p23f : x;
    uint32_t bits = hks_to_bits(scaled) + (0x3F800000u - 0x3F3504F3u);
    float k = (float)((int32_t)(bits >> 23) - (x < 0x1p-126f ? 127 + 23 : 127));
    float f = hks_from_bits((bits & 0x007FFFFFu) + 0x3F3504F3u) - 1;
    return hks_log_unless_special(x, hks_log_of_parts(k, f));
}

/* The same for u, 1 + x rounded; f is corrected for that rounding. */
HK_INLINE float hks_log1p_32(float x)
{
    float u = 1 + x, lost = x - (u - 1);
    uint32_t bits = hks_to_bits(u) + (0x3F800000u - 0x3F3504F3u);
    float k = (float)((int32_t)(bits >> 23) - 127);
    float f = hks_from_bits((bits & 0x007FFFFFu) + 0x3F3504F3u) - 1;
    f += lost * (0.5f * hks_from_bits(0x7F800000u - (bits & 0x7F800000u)));
    return hks_log_unless_special(u, hks_log_of_parts(k, f));
}

/* With t = expm1(-2 |x|), tanh |x| = -t / (t + 2): no cancellation anywhere. */
HK_INLINE float hks_tanh32(float x)
{
    float z = -2 * hks_abs32(x), t = hks_expm1_inside(z);
    t = z < -18 ? -1 : t;
    return __builtin_copysignf(t / (t + 2), x);
}

/* The derivative of tanh; shares its exponential. */
HK_INLINE float hks_sech2_32(float x)
{
    float z = -2 * hks_abs32(x), m;
    uint32_t k = hks_exp_parts(z, &m);
    float four =
        (1 + m) * hks_power_of_two(k + 2); /* of e, which may be denormal where this is not */
    four = z < -88.7228317f ? 0 : four;
    float r = 1 / (1 + four / 4);
    return four * r * r;
}

HK_INLINE double hks_sech2_64(double x)
{
    double e = exp(-2 * fabs(x));
    return 4 * e / ((1 + e) * (1 + e));
}

/* atan |x| = pi/2 - atan(1 / |x|), so t in [0, 1] is enough. */
HK_INLINE float hks_atan32(float x)
{
    float size = hks_abs32(x), t = (size > 1 ? 1 : size) / (size > 1 ? size : 1), z = t * t;
    float p = -0x1.d63p-10f;
    p = p * z + 0x1.65a666p-7f;
    p = p * z - 0x1.fed168p-6f;
    p = p * z + 0x1.dac9e8p-5f;
    p = p * z - 0x1.583492p-4f;
    p = p * z + 0x1.c099fep-4f;
    p = p * z - 0x1.2421b6p-3f;
    p = p * z + 0x1.9991fep-3f;
    p = p * z - 0x1.55553ep-2f;
    float near = t + t * z * p, far = 0x1.921fb6p0f - (near + 0x1.777a5cp-25f);
    return __builtin_copysignf(size > 1 ? far : near, x);
}

HK_INLINE float hks_sigmoid32(float x)
{
    float e = hks_exp_minus_abs(x), one = 1 / (1 + e); /* sigmoid(-x) shares both */
    return x < 0 ? e * one : one;
}

HK_INLINE double hks_sigmoid64(double x)
{
    double e = exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

/* For gates such as silu's; shares its exponential with sigmoid(-x). */
HK_INLINE float hks_quick_sigmoid32(float x)
{
    float e = hks_quick_exp32(-hks_abs32(x)), one = 1 / (1 + e);
    return x < 0 ? e * one : one;
}

/* log(1 + x) for x in [0, 1]. */
HK_INLINE float hks_log1p_unit32(float x)
{
    float xx = x * x, above = 0x1.019892p4f + x * 0x1.68c474p3f + xx;
    float below = 0x1.0198d6p5f + x * 0x1.601926p5f + xx * (0x1.e828eep3f + x);
    return x - xx * above / below;
}

HK_INLINE float hks_softplus32(float x)
{
    return hks_log1p_unit32(hks_exp_minus_abs(x)) + hks_max32(0, x);
}

HK_INLINE double hks_softplus64(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* exp(-x^2) for x >= 0. The square of the upper half of x is exact, so exp sees no rounding that it
 * would amplify; the rest is a factor exp(rest), rest in (-1/8, 0]. */
HK_INLINE float hks_exp_minus_square(float x)
{
    float c = x > 16 ? 16 : x, upper = hks_from_bits(hks_to_bits(c) & 0xFFFFF000u);
    float e = hks_exp32(-upper * upper), rest = (upper - c) * (upper + c);
    float p = 0x1.111112p-7f;
    p = p * rest + 0x1.555556p-5f;
    p = p * rest + 0x1.555556p-3f;
    p = p * rest + 0.5f;
    return e + e * (rest + rest * rest * p);
}

/* Below 1 an odd polynomial, from there 1 - q^8, where q, the eighth root of erfc, is nearly a
 * straight line. From 3.92 on erf is 1 to the last bit. */
HK_INLINE float hks_erf32(float x)
{
    float size = hks_abs32(x), z = x * x, t = hks_min32(2, size - 2);
    float zz = z * z, p = 0x1.4246cap-8f - 0x1.273f92p-11f * z;
    p = 0x1.ce0942p-4f - 0x1.b5a35ap-6f * z + zz * p;
    p = 0x1.20dd74p0f - 0x1.812674p-2f * z + zz * p;
    float tt = t * t, q = -0x1.6c71d0p-9f - 0x1.6014a2p-11f * t + 0x1.3a41b0p-13f * tt;
    q = 0x1.364938p-6f + 0x1.1a21dep-6f * t + tt * q;
    q = 0x1.05d53ap-1f - 0x1.2134f0p-2f * t + tt * q;
    q = q * q;
    q = q * q;
    float far = __builtin_copysignf(1 - q * q, x);
    return size < 1 ? x * p : far;
}

/* erfc |x| = exp(-x^2) g(t) / (1 + 2 |x|) with t = (|x| - 2) / (|x| + 2), a change of variable
 * that makes g smooth on the whole half line (Shepherd, Laframboise 1981, with another pole). */
HK_INLINE float hks_erfc32(float x)
{
    float z = hks_abs32(x), c = z > 16 ? 16 : z, t = (c - 2) / (c + 2);
    float g = 0x1.d1b028p-16f;
    g = g * t - 0x1.7b9976p-12f;
    g = g * t - 0x1.487baep-10f;
    g = g * t + 0x1.4d3d14p-10f;
    g = g * t + 0x1.1b090ep-7f;
    g = g * t - 0x1.079614p-7f;
    g = g * t - 0x1.bc0bd4p-5f;
    g = g * t + 0x1.4ffb12p-3f;
    g = g * t - 0x1.540844p-3f;
    g = g * t - 0x1.7bf5fep-4f;
    g = g * t + 0x1.46e80ep0f;
    float upper = g / (1 + 2 * c) * hks_exp_minus_square(z);
    float far = x < 0 ? 2 - upper : upper;
    return z < 0.5f ? 1 - hks_erf32(x) : far;
}

/* The normal distribution's tail is the bell times a quotient, near 1 / (2 + 1.6 |x|), fitted so
 * that tail and x tail are right to 3e-8; its relative error grows as the tail vanishes. */
HK_INLINE float hks_normal_cdf32(float x)
{
    float z = hks_min32(8, hks_abs32(x));
    float above = 0x1.7c7d0cp2f + z * (0x1.1ef4f2p1f + z * (0x1.b0953ep-2f - 0x1.931092p-10f * z));
    float below = 0x1.7c7d0cp3f + z * (0x1.bf10b8p3f + z * (0x1.82f900p2f + z));
    float tail = hks_bell32(x) * above / below;
    return x < 0 ? tail : 1 - tail;
}

HK_INLINE double hks_normal_cdf64(double x)
{
    return 0.5 * erfc(-0.70710678118654752440 * x);
}

/* The distance of x to the nearest multiple of pi/2, and that multiple modulo 2^32. */
HK_INLINE float hks_quarter_turn(float x, uint32_t *quarter)
{
    double shifted = (double)x * 0x1.45f306dc9c883p-1 + 0x1.8p52, k = shifted - 0x1.8p52;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    *quarter = (uint32_t)bits;
    float r = (float)((double)x - k * 0x1.921fb544p0 - k * 0x1.0b4611a626331p-34);
    r = r > 0.7854f ? 0.7854f : r;
    return r < -0.7854f ? -0.7854f : r;
}

/* sin(r + quarter pi/2). */
HK_INLINE float hks_sine_of(float r, uint32_t quarter)
{
    float z = r * r;
    float s = -0x1.994e6ap-13f, c = 0x1.9a0264p-16f;
    s = s * z + 0x1.110760p-7f;
    s = s * z - 0x1.555546p-3f;
    s = r + r * z * s;
    c = c * z - 0x1.6c0c8cp-10f;
    c = c * z + 0x1.55554ap-5f;
    c = 1 - 0.5f * z + z * z * c;
    float size = quarter & 1 ? c : s;
    return quarter & 2 ? -size : size;
}

HK_INLINE float hks_sin32(float x)
{
    uint32_t quarter;
    float r = hks_quarter_turn(x, &quarter);
    return hks_sine_of(r, quarter);
}

HK_INLINE float hks_cos32(float x)
{
    uint32_t quarter;
    float r = hks_quarter_turn(x, &quarter);
    return hks_sine_of(r, quarter + 1);
}

/* ---- Sums over a row: sixteen interleaved partial sums, vectorizable, in a fixed order -------- */

enum { HK_LANES = 16 };

/* NaN if x[0] is NaN; other NaN may be ignored. */
HK_INLINE float hks_largest(int64_t n, const float *x)
{
    float lane[HK_LANES], most = x[0];
    int64_t i = 0;
    if (n >= HK_LANES) {
        memcpy(lane, x, sizeof lane);
        for (i = HK_LANES; i + HK_LANES <= n; i += HK_LANES)
            for (int j = 0; j < HK_LANES; j++)
                lane[j] = hks_max(lane[j], x[i + j]);
        for (int j = 0; j < HK_LANES; j++)
            most = hks_max(most, lane[j]);
    }
    for (; i < n; i++)
        most = hks_max(most, x[i]);
    return most;
}

HK_INLINE float hks_sum_of_lanes(const float lane[HK_LANES])
{
    float s[HK_LANES];
    memcpy(s, lane, sizeof s);
    for (int half = HK_LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            s[i] += s[i + half];
    return s[0];
}

/* Sum of a b; b may be NULL: 1. */
HK_INLINE float hks_dot(int64_t n, const float *a, const float *b)
{
    float lane[HK_LANES] = {0}, few = 0;
    int64_t i = 0;
    if (n < HK_LANES) {
        for (; i < n; i++)
            few += b ? a[i] * b[i] : a[i];
        return few;
    }
    for (; i + HK_LANES <= n; i += HK_LANES)
        for (int j = 0; j < HK_LANES; j++)
            lane[j] += b ? a[i + j] * b[i + j] : a[i + j];
    for (int j = 0; i + j < n; j++)
        lane[j] += b ? a[i + j] * b[i + j] : a[i + j];
    return hks_sum_of_lanes(lane);
}

HK_INLINE float hks_sum(int64_t n, const float *a)
{
    return hks_dot(n, a, NULL);
}
