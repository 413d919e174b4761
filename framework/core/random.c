/* Keys of random streams, and permutations. */
#include "core/base.h"

#include <hillock/random.h>

uint64_t hki_key(uint64_t seed, hki_stream stream, uint64_t a, uint64_t b)
{
    uint32_t w[4];
    hks_philox(seed, (uint64_t)stream, w);
    hks_philox((uint64_t)w[0] << 32 | w[1], a, w);
    hks_philox((uint64_t)w[0] << 32 | w[1], b, w);
    return (uint64_t)w[0] << 32 | w[1];
}

void hki_permutation(uint64_t key, uint32_t n, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)((uint64_t)hks_bits(key, i) * i >> 32);
        uint32_t swap = out[i - 1];
        out[i - 1] = out[j];
        out[j] = swap;
    }
}
