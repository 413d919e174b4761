/* race.c - one candidate against an incumbent, seed by seed: kept, dropped, or not yet.
 *
 * Kept: bets on the candidate's sign alone, as in anytime.c. If at each seed the candidate is at most
 * as likely to lead as to trail, by whatever size, the capital is a nonnegative supermartingale that
 * begins with 1: it ever reaches 1 / level with probability `level` at most (Ville 1939), whenever one
 * looks and stops.
 *
 * Dropped: the bet on the one effect that is worth finding. Were the candidate that much better, its
 * capital would be that of the right odds, and 1 / capital a martingale in its turn: it would ever fall
 * to LOST with probability LOST at most. The two together are the sequential probability ratio test of
 * Wald 1945 (Annals of Mathematical Statistics 16), on signs.
 *
 * A ledger of candidates, of which nobody knows how many will come: the k-th is tested at a level that
 * is its share of the whole, and the shares add up to 1, so that the chance of any false keep is at most
 * the whole, however the candidates depend on each other and on what was seen of those before (alpha
 * spending: Foster and Stine 2008, J. Royal Statistical Society B 70; Tian and Ramdas 2021, Statistical
 * Methods in Medical Research 30, arXiv:1910.04900). Shares of 1 / (k log^2 k) fall hardly faster than
 * a series that converges must. */
#include "stats.h"

static const double effects[] = {0.5, 1, 2, 4};
enum { EFFECTS = sizeof effects / sizeof *effects };
#define LOST 0.1
#define SUM_OF_SHARES 2.10975 /* of 1 / (n log^2 n) from n = 2, rounded up */

double stats_ledger_level(int64_t k)
{
    const double n = (double)k + 1;
    return SIGNIFICANCE / (SUM_OF_SHARES * n * log(n) * log(n));
}

race stats_race(const double *candidate, const double *incumbent, int n, const race_rules *rules)
{
    race it = {.p = 1};
    double capital[EFFECTS], worth = 1, squares = 0;
    int seen = 0;
    for (int k = 0; k < EFFECTS; k++)
        capital[k] = 1.0 / EFFECTS;
    for (int i = 0; i < n && it.verdict == RACE_MORE; i++) {
        const double x = candidate[i] - incumbent[i];
        double sum = 0;
        it.n++;
        if (fabs(x) > stats_score_rounding(&candidate[i], &incumbent[i], 1)) {
            squares += x * x;
            const double size = x / sqrt(squares / ++seen);
            for (int k = 0; k < EFFECTS; k++)
                sum += capital[k] *= 1 + stats_anytime_share(effects[k], size);
            worth *= 1 + stats_anytime_share(rules->effect, size);
            it.p = fmin(it.p, 1 / sum);
        }
        if (it.p <= rules->level)
            it.verdict = RACE_KEEP;
        else if (it.n >= FEWEST_SEEDS && worth <= LOST)
            it.verdict = RACE_DROP;
        else if (it.n >= rules->most)
            it.verdict = RACE_SPENT;
    }
    return it;
}
