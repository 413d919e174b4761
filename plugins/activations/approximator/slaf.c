/* slaf: a polynomial of degree 4, its coefficients learned for each channel; at the start the best
 * parabola for relu on normally distributed inputs. Large inputs make it unstable.
 * Goyal, Goyal, Lall 2019, arXiv:1906.09529, "Learning activation functions". */
#include <hillock/kernel.h>

#define COEFFICIENT(name_, value_)                                                                 \
    {                                                                                              \
        .name = name_, .doc = "coefficient", .role = HK_LEARNED, .extent = HK_PER_CHANNEL,         \
        .flags = HK_NO_DECAY, .value = value_                                                      \
    }
HK_SLOTS(COEFFICIENT("a0", 0.19947114), COEFFICIENT("a1", 0.5), COEFFICIENT("a2", 0.19947114),
         COEFFICIENT("a3", 0), COEFFICIENT("a4", 0));

#define A(i) a.t[i]
HK_VALUE(return A(0) + a.x * (A(1) + a.x * (A(2) + a.x * (A(3) + a.x * A(4))));)
HK_SLOPE(return A(1) + a.x * (2 * A(2) + a.x * (3 * A(3) + a.x * (4 * A(4))));)
HK_GRADIENT(const real square = a.x * a.x;
            return slot < 4 ? (slot & 1 ? a.x : 1) * (slot & 2 ? square : 1) : square * square;)

HK_ELEMENTWISE_LEARNED(slaf, HK_READS_X, .tags = "approximator",
                       .formula = "a0 + x*(a1 + x*(a2 + x*(a3 + x*a4)))",
                       .summary = "a0 + a1 x + a2 x^2 + a3 x^3 + a4 x^4, learned",
                       .source = "Goyal, Goyal, Lall 2019");
