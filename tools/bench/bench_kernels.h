/* bench_kernels.h - what a processor can do at best, in vector extensions; included once per
 * instruction set. The including file defines NAME(kernel), LANES and CHAINS: independent sums that
 * fit the registers beside two operands. */

typedef float NAME(vec) __attribute__((vector_size(LANES * 4)));

/* rounds * CHAINS * LANES multiply-adds, each chain waiting only for itself. The result is there to
 * be wanted. */
static float NAME(spin)(int64_t rounds, const float *start)
{
    NAME(vec) sums[CHAINS], a, b;
    memcpy(&a, start, sizeof a);
    memcpy(&b, start + LANES, sizeof b);
    for (int i = 0; i < CHAINS; i++)
        sums[i] = a + (float)i;
    for (int64_t r = 0; r < rounds; r++)
        UNROLL(CHAINS)
    for (int i = 0; i < CHAINS; i++)
        sums[i] = sums[i] * a + b;
    for (int i = 1; i < CHAINS; i++)
        sums[0] += sums[i];
    return sums[0][0];
}

/* The store is volatile so that no call of memcpy takes the loop's place: above some size that one
 * writes past the caches, which no layer does. */
static void NAME(copy)(int64_t floats, const float *from, float *to)
{
    for (int64_t i = 0; i < floats; i += LANES)
        *(volatile NAME(vec) *)(to + i) = *(const NAME(vec) *)(from + i);
}

static void NAME(change)(int64_t floats, float *x)
{
    for (int64_t i = 0; i < floats; i += LANES)
        *(NAME(vec) *)(x + i) = *(const NAME(vec) *)(x + i) * 0.999f;
}

#undef LANES
#undef CHAINS
#undef NAME
