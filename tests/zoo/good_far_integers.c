/* good: its whole numbers are int's, so that it is another function beyond 2^31, which is told as a warning */
#include "zoo.h"

HK_VALUE(return a.x - (real)(int)a.x;)
HK_SLOPE(return 1;)
HK_ELEMENTWISE(good_far_integers, HK_READS_X, .summary = "x - its whole part",
               .formula = "x < 0 ? x + floor(-x) : x - floor(x)", .source = "hillock's tests");
