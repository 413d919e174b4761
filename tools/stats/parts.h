/* parts.h - what the files of this folder share among themselves. */
#pragma once
#include <math.h>

/* A number that cannot be given. */
#define UNKNOWN ((double)NAN)

/* Differences of a and b up to this size are rounding. */
double stats_score_rounding(const double *a, const double *b, int n);

double stats_log_gamma(double x); /* of x > 0; infinite at 0 */
