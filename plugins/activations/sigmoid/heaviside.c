/* heaviside: 1 where x > 0, else 0, for binary and spiking nets. Its slope is 0 everywhere, so
 * backward uses that of another function: all that passes through for |x| <= 1, or a smooth bump.
 * Bengio, Leonard, Courville 2013, arXiv:1308.3432 (straight through, with a slope of 1 everywhere), clipped as by
 * Hubara, Courbariaux, Soudry, El-Yaniv, Bengio 2016, arXiv:1602.02830, equation 4;
 * Zenke, Ganguli 2018, arXiv:1705.11146, SuperSpike (fast_sigmoid). */
#include <hillock/kernel.h>

enum { STRAIGHT_THROUGH, SIGMOID, FAST_SIGMOID, ATAN };
HK_PARAMS({.name = "slope",
           .doc = "what backward takes for the slope",
           .type = HK_CHOICE,
           .choices = "straight_through|sigmoid|fast_sigmoid|atan"},
          {.name = "k",
           .doc = "steepness; bumps are 1 / k wide",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 1,
           .low = 0,
           .high = 1000});

HK_VALUE(return a.x > 0 ? 1 : a.x <= 0 ? 0 : a.x;)
/* With e = exp(-z), the slope of the sigmoid at +-z is e / (1 + e)^2. An == for each choice would
 * be made a branch, and the loop no vector loop. */
#define IS(choice) (hks_abs(a.p[0] - choice) < (real)0.5)
HK_SLOPE(const real size = hks_abs(a.x), z = a.p[1] * size, e = hks_exp(-z);
         const real w = IS(SIGMOID) ? e : z, above = IS(SIGMOID) ? e : 1;
         const real bump = above / (1 + w * (w + (IS(ATAN) ? 0 : 2)));
         const real straight = size <= 1 ? 1 : 0;
         return (real)a.surrogate * (IS(STRAIGHT_THROUGH) ? straight : bump);)

HK_ELEMENTWISE(heaviside, HK_READS_X | HK_SURROGATE, .aliases = "step", .tags = "sigmoid,surrogate",
               .params = params, .formula = "x > 0 ? 1 : 0",
               .summary = "x > 0 ? 1 : 0, with the slope of another function",
               .source = "Hubara et al. 2016; Zenke, Ganguli 2018");
