/* sine: sin(w0 x), the activation of SIREN networks, made for weights by siren_uniform. Beyond 1e30
 * the phase, long without meaning, stays.
 * Sitzmann, Martel, Bergman, Lindell, Wetzstein 2020, arXiv:2006.09661. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "w0",
           .doc = "frequency",
           .type = HK_REAL,
           .flags = HK_LOW_OPEN,
           .value = 30,
           .low = 0,
           .high = 1e4});

#define PHASE (a.p[0] * hks_max((real)-1e30, hks_min((real)1e30, a.x)))
HK_VALUE(return hks_sin(PHASE);)
HK_SLOPE(return a.p[0] * hks_cos(PHASE);)

HK_ELEMENTWISE(sine, HK_READS_X, .aliases = "siren", .tags = "periodic", .params = params,
               .formula = "sin(w0*x)", .summary = "sin(w0 * x)", .source = "Sitzmann et al. 2020");
