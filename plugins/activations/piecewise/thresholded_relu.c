/* thresholded_relu: x above the threshold, else 0; it jumps there.
 * Konda, Memisevic, Krueger 2014, arXiv:1402.3337, "Zero-bias autoencoders and the benefits of
 * co-adapting features". */
#include <hillock/kernel.h>

HK_PARAMS({.name = "threshold",
           .doc = "x passes above it",
           .type = HK_REAL,
           .value = 1,
           .low = 0,
           .high = 1e6});

HK_VALUE(return a.x <= a.p[0] ? 0 : a.x;)
HK_SLOPE(return a.y > 0 ? 1 : 0;)

HK_ELEMENTWISE(thresholded_relu, HK_READS_Y, .tags = "piecewise", .params = params,
               .formula = "x <= threshold ? 0 : x", .summary = "x > threshold ? x : 0",
               .source = "Konda, Memisevic, Krueger 2014");
