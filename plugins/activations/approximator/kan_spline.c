/* kan_spline: base silu(x) plus a cubic spline on five cells of [-1, 1], all learned for each
 * channel. Eight B-splines of four cells' width cover the cells; outside [-2.2, 2.2] only the base
 * is left. The weight of the spline in the paper is part of its coefficients.
 * Liu, Wang et al. 2024, arXiv:2404.19756, equations 2.10 and 2.11. */
#include <hillock/kernel.h>

#define COEFFICIENT(name_)                                                                         \
    {                                                                                              \
        .name = name_, .doc = "height of a B-spline", .role = HK_LEARNED, .extent = HK_PER_CHANNEL \
    }
HK_SLOTS({.name = "base",
          .doc = "share of silu",
          .role = HK_LEARNED,
          .extent = HK_PER_CHANNEL,
          .value = 1},
         COEFFICIENT("c1"), COEFFICIENT("c2"), COEFFICIENT("c3"), COEFFICIENT("c4"),
         COEFFICIENT("c5"), COEFFICIENT("c6"), COEFFICIENT("c7"), COEFFICIENT("c8"));

/* B-spline i peaks 0.4 i - 1.8 from 0; a cell is 0.4. WITHIN is how far x is inside `reach` cells
 * from there. */
#define FROM_PEAK(i) ((real)2.5 * a.x + ((real)4.5 - (real)(i)))
#define WITHIN(reach, i) hks_max(0, (reach)-hks_abs(FROM_PEAK(i)))
#define SQUARE(z) ((z) * (z))
#define SPLINE(i) (WITHIN(2, i) * SQUARE(WITHIN(2, i)) - 4 * WITHIN(1, i) * SQUARE(WITHIN(1, i)))
#define SPLINE_SLOPE(i)                                                                            \
    ((4 * SQUARE(WITHIN(1, i)) - SQUARE(WITHIN(2, i))) * (FROM_PEAK(i) < 0 ? -1 : (real)1))
#define HALF(of, i) (T(of, i) + T(of, i + 1) + T(of, i + 2) + T(of, i + 3))
#define T(of, i) a.t[i] * of(i)
#define SUM(of) (HALF(of, 1) + HALF(of, 5))

HK_VALUE(return a.t[0] * (a.x * hks_quick_sigmoid(a.x)) + SUM(SPLINE) * (real)(1.0 / 6);)
HK_SLOPE(const real silu = hks_quick_sigmoid(a.x) * (1 + a.x * hks_quick_sigmoid(-a.x));
         return a.t[0] * silu + (real)1.25 * SUM(SPLINE_SLOPE);)
HK_GRADIENT(return slot == 0 ? a.x * hks_quick_sigmoid(a.x) : SPLINE(slot) * (real)(1.0 / 6);)

HK_ELEMENTWISE_LEARNED(
    kan_spline, HK_READS_X, .tags = "approximator",
    .formula = "base*x*sigmoid(x) + ("
               "c1*(max(0, 2 - abs(2.5*x + 3.5))^3 - 4*max(0, 1 - abs(2.5*x + 3.5))^3) + "
               "c2*(max(0, 2 - abs(2.5*x + 2.5))^3 - 4*max(0, 1 - abs(2.5*x + 2.5))^3) + "
               "c3*(max(0, 2 - abs(2.5*x + 1.5))^3 - 4*max(0, 1 - abs(2.5*x + 1.5))^3) + "
               "c4*(max(0, 2 - abs(2.5*x + 0.5))^3 - 4*max(0, 1 - abs(2.5*x + 0.5))^3) + "
               "c5*(max(0, 2 - abs(2.5*x - 0.5))^3 - 4*max(0, 1 - abs(2.5*x - 0.5))^3) + "
               "c6*(max(0, 2 - abs(2.5*x - 1.5))^3 - 4*max(0, 1 - abs(2.5*x - 1.5))^3) + "
               "c7*(max(0, 2 - abs(2.5*x - 2.5))^3 - 4*max(0, 1 - abs(2.5*x - 2.5))^3) + "
               "c8*(max(0, 2 - abs(2.5*x - 3.5))^3 - 4*max(0, 1 - abs(2.5*x - 3.5))^3))/6",
    .summary = "base * silu(x) + sum of c_i * B_i(x), cubic, learned",
    .source = "Liu, Wang et al. 2024");
