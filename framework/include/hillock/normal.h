/* hillock/normal.h - for plugins in C: normal random numbers, functions of a key and an index alone, and
 * the normal number at a given probability. Included by kernel.h. */
#pragma once
#include <hillock/maths.h>
#include <hillock/random.h>

#define hks_normal_at(u) _Generic((u), float : hks_normal_at32, double : hks_normal_at64)(u)

/* Standard normal numbers of `key` (Box, Muller 1958), four per Philox block: two words give a radius and
 * an angle, and thus two numbers. */
HK_INLINE float hks_normal_length(uint32_t word)
{
    return hks_sqrt32(-2 * hks_log32((float)word * 0x1p-32f + 0x1p-33f));
}

HK_INLINE float hks_normal_angle(uint32_t word)
{
    return (float)(word >> 8) * (0x1p-24f * 6.28318531f);
}

/* Number `index` alone. */
HK_INLINE float hks_normal(uint64_t key, uint64_t index)
{
    uint32_t word[4], pair = index & 2;
    hks_philox(key, index / 4, word);
    float angle = hks_normal_angle(word[pair + 1]);
    return hks_normal_length(word[pair]) * (index & 1 ? hks_sin32(angle) : hks_cos32(angle));
}

/* Numbers 4 block .. 4 block + 3. */
HK_INLINE void hks_normal_block(uint64_t key, uint64_t block, float z[4])
{
    uint32_t word[4];
    hks_philox(key, block, word);
    for (int pair = 0; pair < 4; pair += 2) {
        float length = hks_normal_length(word[pair]), angle = hks_normal_angle(word[pair + 1]);
        z[pair] = length * hks_cos32(angle);
        z[pair + 1] = length * hks_sin32(angle);
    }
}

/* Truncated to [low, high] by rejection: number `index` of key, key + 1 ... The interval should have a
 * probability of at least 0.01, for which 10000 draws are enough. */
HK_INLINE float hks_truncated_normal(uint64_t key, uint64_t index, float low, float high)
{
    float z = hks_normal(key, index);
    for (uint64_t again = 1; !(z >= low && z <= high) && again < 10000; again++)
        z = hks_normal(key + again, index);
    return hks_min(hks_max(z, low), high);
}

/* The standard normal number at a.u: the quantile of the middle of its cell of 2^-24. With
 * w = -log(4 u (1 - u)) it is nearly linear in w for small w, in sqrt(w) for large (Giles 2010). */
HK_INLINE float hks_normal_at32(float u)
{
    float v = u - 0.5f + 0x1p-25f, w = -hks_log32((1 - 2 * v) * (1 + 2 * v));
    float p = 0x1.5aa464p-24f, q = -0x1.d9dd48p-12f, s = w - 2.5f, t = w * hks_rsqrt32(w) - 3;
    p = p * s + 0x1.04f99cp-20f;
    p = p * s - 0x1.4ee932p-17f;
    p = p * s - 0x1.a14852p-17f;
    p = p * s + 0x1.442adep-11f;
    p = p * s - 0x1.d0c8b2p-9f;
    p = p * s - 0x1.8332a8p-7f;
    p = p * s + 0x1.652c86p-1f;
    p = p * s + 0x1.0fc8bep+2f;
    q = q * t + 0x1.e97554p-13f;
    q = q * t + 0x1.df11d2p-9f;
    q = q * t - 0x1.52e51cp-7f;
    q = q * t + 0x1.0b2e48p-6f;
    q = q * t - 0x1.61684ep-6f;
    q = q * t + 0x1.b53a86p-6f;
    q = q * t + 0x1.6aa512p+1f;
    q = q * t + 0x1.00696cp+3f;
    return v * (w < 5 ? p : q);
}

/* With one Newton step. */
HK_INLINE double hks_normal_at64(double u)
{
    double v = u - 0.5 + 0x1p-25, z = fabs((double)hks_normal_at32((float)u));
    double tail = 0.5 * erfc(0.70710678118654752440 * z);
    z += (tail - (0.5 - fabs(v))) * 2.50662827463100050242 * exp(0.5 * z * z);
    return copysign(z, v);
}
