/* hillock/random.h - counter-based random numbers: functions of a key and an index alone.
 *
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
 * The same key and index give the same number on every machine, for every number of threads and in
 * every order. Self-contained: the framework and plugins share it. [any thread] */
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* out = the four words of block `counter` under `key`. */
static inline void hks_philox(uint64_t key, uint64_t counter, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = 0, c3 = 0;
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* 32 random bits: word index%4 of block index/4. */
static inline uint32_t hks_bits(uint64_t key, uint64_t index)
{
    uint32_t word[4];
    hks_philox(key, index / 4, word);
    return word[index % 4];
}

/* Uniform in [0, 1), a multiple of 2^-24, so exact in a float. */
static inline float hks_uniform(uint64_t key, uint64_t index)
{
    return (float)(hks_bits(key, index) >> 8) * 5.9604644775390625e-8f;
}

#ifdef __cplusplus
}
#endif
