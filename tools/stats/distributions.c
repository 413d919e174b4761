/* distributions.c - normal, Student's t, noncentral t.
 *
 * Student's tail is the regularised incomplete beta function, by its continued fraction (DLMF
 * 8.17.22); tails are computed as such, never as 1 minus something, so small p values keep their
 * digits. Quantiles bisect those tails down to neighbouring doubles: some microseconds, no table of
 * coefficients. The noncentral t is integrated numerically over the deviation in its denominator.
 */
#include "stats.h"

#include <float.h>
#include <math.h>

double stats_normal_cdf(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

double stats_log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* 1 / (1 + c1 / (1 + c2 / ...)) of DLMF 8.17.22 by Lentz's method, as in Thompson and Barnett 1986,
 * J. Comput. Phys. 64. Converges fast for x below (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), value = d;
    for (int m = 1; m < 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / (1 + even * d);
        c = 1 + even / c;
        value *= c * d;
        d = 1 / (1 + odd * d);
        c = 1 + odd / c;
        value *= c * d;
        if (fabs(c * d - 1) < 4 * DBL_EPSILON)
            break;
    }
    return value;
}

/* P(T > |t|) is half the incomplete beta function I_x(df / 2, 1 / 2) at x = df / (df + t^2). */
static double student_tail(double t, double df)
{
    double square = t * t, a = df / 2, b = 0.5;
    if (isinf(df))
        return stats_normal_cdf(-fabs(t));
    double x = df / (df + square), y = square / (df + square); /* 1 - x, but with all its digits */
    if (isinf(square) || x <= 0)
        return 0;
    if (y <= 0)
        return 0.5;
    double front = exp(stats_log_gamma(a + b) - stats_log_gamma(a) - stats_log_gamma(b) +
                       a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2))
        return 0.5 * front * beta_fraction(a, b, x) / a;
    return 0.5 * (1 - front * beta_fraction(b, a, y) / b);
}

double stats_student_cdf(double t, double df)
{
    if (isnan(t) || !(df > 0))
        return UNKNOWN;
    return t < 0 ? student_tail(t, df) : 1 - student_tail(t, df);
}

double stats_student_quantile(double p, double df)
{
    if (!(p >= 0 && p <= 1) || !(df > 0))
        return UNKNOWN;
    double tail = fmin(p, 1 - p), low = 0, high = 1;
    if (tail <= 0)
        return p > 0.5 ? (double)INFINITY : -(double)INFINITY;
    while (student_tail(high, df) > tail && high < 1e150)
        high *= 2;
    for (double middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2)
        *(student_tail(middle, df) > tail ? &low : &high) = middle;
    return p > 0.5 ? high : -high;
}

/* T = (Z + noncentrality) / S with S = chi / sqrt(df), so P(T <= t) is the mean of
 * Phi(t s - noncentrality) over S. With s = exp(u) the integrand falls off exponentially to both
 * sides, where the trapezoidal rule converges faster than any power of the step (Trefethen and
 * Weideman 2014, SIAM Review 56). */
double stats_noncentral_t_cdf(double t, double df, double noncentrality)
{
    enum { POINTS = 600 };
    if (isnan(t) || !(df > 0) || isnan(noncentrality))
        return UNKNOWN;
    /* Tails below 1e-17: to the left those of a power of s or of a normal deviate, to the right
     * after Laurent and Massart 2000, Annals of Statistics 28, lemma 1. */
    double from = -40 / df - 9 / sqrt(2 * df), to = 0.5 * log1p(2 * sqrt(40 / df) + 80 / df);
    double step = (to - from) / POINTS, sum = 0;
    double constant = log(2) + df / 2 * log(df / 2) - stats_log_gamma(df / 2);
    for (int i = 0; i <= POINTS; i++) {
        double u = from + i * step, s = exp(u);
        sum += exp(constant + df * (u - s * s / 2)) * stats_normal_cdf(t * s - noncentrality);
    }
    return fmin(1, sum * step);
}
