/* anytime.c - a paired test that may be looked at after every seed.
 *
 * If two rows do not differ, then at each seed the difference is as likely to have the other sign,
 * whatever its size and whatever happened at the seeds before. So a bettor who stakes a share b of the
 * capital on the sign gets 1 + b or 1 - b times as much with equal chance, and the capital is a fair
 * game: a nonnegative martingale that begins with 1, for any b that is chosen from the sizes and the
 * past. By Ville's inequality (1939) it ever reaches 1 / p with probability p at most, so that 1 over
 * its highest value so far is a p value at every moment, also at the one at which somebody decides to
 * stop (Ramdas, Ruf, Larsson, Koolen 2020, arXiv:2009.03167, which tests symmetry so; Shafer 2021,
 * "Testing by betting", J. Royal Statistical Society A 184).
 *
 * Bets by the bounds of accuracies, 0 and 1 (Waudby-Smith and Ramdas 2024, J. Royal Statistical Society
 * B 86), would need hundreds of seeds, since rows differ by a hundredth of that range; signs have no
 * scale. If differences are normal with mean m and deviation s, the best share is tanh(m x / s^2) at a
 * difference x: the odds of its sign. The effect m / s is not known: the capital is divided among some,
 * of both signs; s follows from it and from the root of the mean square of all differences so far,
 * which says nothing of their signs. */
#include "stats.h"

#include <stdlib.h>

static const double effects[] = {0.5, 1, 2, 4};
enum { EFFECTS = sizeof effects / sizeof *effects };

double stats_anytime_share(double effect, double size)
{
    return tanh(effect * sqrt(1 + effect * effect) * size);
}

double stats_anytime_p(const double *a, const double *b, int n)
{
    const double rounding = stats_score_rounding(a, b, n);
    double capital[2 * EFFECTS], squares = 0, highest = 1;
    int seen = 0;
    for (int k = 0; k < 2 * EFFECTS; k++)
        capital[k] = 1.0 / (2 * EFFECTS);
    for (int i = 0; i < n; i++) {
        const double x = a[i] - b[i];
        double sum = 0;
        if (fabs(x) <= rounding)
            continue; /* no sign to bet on */
        squares += x * x;
        const double size = x / sqrt(squares / ++seen);
        for (int k = 0; k < 2 * EFFECTS; k++) {
            const double effect = k < EFFECTS ? effects[k] : -effects[k - EFFECTS];
            capital[k] *= 1 + stats_anytime_share(effect, size);
            sum += capital[k];
        }
        highest = fmax(highest, sum);
    }
    return n < 1 ? UNKNOWN : 1 / highest;
}
