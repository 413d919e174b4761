/* derivative, "form=2": the last choice has the slope of the one before */
#include "zoo.h"

HK_PARAMS({.name = "form", .doc = "of the bend", .type = HK_CHOICE, .choices = "line|bend|bow"});
HK_VALUE(return a.p[0] < 1 ? a.x : a.p[0] < 2 ? hks_tanh(a.x) : hks_tanh(2 * a.x);)
HK_SLOPE(return a.p[0] < 1 ? 1 : hks_sech2(a.x);)
HK_ELEMENTWISE(animal, HK_READS_X, WORDS, .params = params);
