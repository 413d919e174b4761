/* rate.h - the learning rate in the spec of an optimizer: "sgd:lr=0.1,momentum=0.9". */
#pragma once
#include <stddef.h>

/* NAN where the spec does not say it. */
double compare_rate_in(const char *optimizer);
/* The spec without it: "sgd:momentum=0.9". */
void compare_rate_left_out(const char *optimizer, char *out, size_t size);
/* The spec with another: "sgd:momentum=0.9,lr=0.01". */
void compare_rate_put(const char *optimizer, double rate, char *out, size_t size);
