/* rational: P(x) / Q(x), P of degree 5, Q = 1 + |b1 x| + |b2 x^2| + |b3 x^3| + |b4 x^4|, which is
 * never 0; ten coefficients a layer, at the start the least-squares fit of leaky_relu on [-3, 3].
 * Beyond 1e5, where powers would overflow, the value stays.
 * Molina, Schramowski, Kersting 2020, arXiv:1907.06732 (PAU, safe version). */
#include <hillock/kernel.h>

#define COEFFICIENT(name_, value_)                                                                 \
    {                                                                                              \
        .name = name_, .doc = "coefficient", .role = HK_LEARNED, .extent = HK_SHARED,              \
        .flags = HK_NO_DECAY, .value = value_                                                      \
    }
HK_SLOTS(COEFFICIENT("a0", 0.0297974), COEFFICIENT("a1", 0.6184624), COEFFICIENT("a2", 2.3209695),
         COEFFICIENT("a3", 3.0446019), COEFFICIENT("a4", 1.4796305), COEFFICIENT("a5", 0.2496587),
         COEFFICIENT("b1", 1.1411748), COEFFICIENT("b2", 4.3822723), COEFFICIENT("b3", 0.8681967),
         COEFFICIENT("b4", 0.3452913));

#define A(i) a.t[i]
#define B(j) hks_abs(a.t[5 + (j)])
#define X hks_max((real)-1e5, hks_min((real)1e5, a.x))
#define P(x) (A(0) + x * (A(1) + x * (A(2) + x * (A(3) + x * (A(4) + x * A(5))))))
#define POWER(x, i) (((i)&1 ? x : 1) * ((i)&2 ? x * x : 1) * ((i)&4 ? x * x * x * x : 1))
#define Q(z) (1 + z * (B(1) + z * (B(2) + z * (B(3) + z * B(4)))))

HK_VALUE(const real x = X; const real z = hks_abs(x); return P(x) / Q(z);)
HK_SLOPE(const real x = X; const real z = hks_abs(x); const real r = 1 / Q(z);
         const real dp = A(1) + x * (2 * A(2) + x * (3 * A(3) + x * (4 * A(4) + x * (5 * A(5)))));
         const real dq = B(1) + z * (2 * B(2) + z * (3 * B(3) + z * (4 * B(4))));
         const real slope = r * (dp - P(x) * r * (x < 0 ? -dq : dq));
         return x == a.x ? slope : a.x - a.x;)
HK_GRADIENT(const real x = X; const real z = hks_abs(x); const real r = 1 / Q(z);
            const real by_b = a.t[slot] < 0 ? P(x) * r : -P(x) * r;
            return slot < 6 ? POWER(x, slot) * r : POWER(z, slot - 5) * r * by_b;)

#define CLIPPED "max(-1e5, min(1e5, x))"
HK_ELEMENTWISE_LEARNED(rational, HK_READS_X, .aliases = "pau", .tags = "approximator",
                       .formula = "(a0 + " CLIPPED "*(a1 + " CLIPPED "*(a2 + " CLIPPED
                                  "*(a3 + " CLIPPED "*(a4 + " CLIPPED "*a5)))))/(1 + abs(" CLIPPED
                                  ")*(abs(b1) + abs(" CLIPPED ")*(abs(b2) + abs(" CLIPPED
                                  ")*(abs(b3) + abs(" CLIPPED ")*abs(b4)))))",
                       .summary = "P(x) / Q(x), degrees 5 and 4, learned",
                       .source = "Molina, Schramowski, Kersting 2020");
