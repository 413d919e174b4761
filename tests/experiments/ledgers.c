/* What the keeps of hillock judge are worth: simulated ledgers of candidates whose truth is known.
 * Printed: how many ledgers of candidates that are no better hold a keep, and how often one that leads
 * by d_z is kept, as which candidate of its ledger, after how many seeds.
 *
 *     ledgers [LEDGERS [CANDIDATES]]
 *
 * 200 ledgers of 500 candidates take some seconds. */
#include <hillock/random.h>
#include <stdio.h>
#include <stdlib.h>

#include "stats/stats.h"

enum { MOST = 50, TRIALS = 2000 };

typedef struct noise {
    const char *what;
    double collapse; /* share of runs that collapse, by 60 deviations */
    double grain;    /* scores come in steps of so much, as those of small test sets; 0: not */
    double tail;     /* share of runs with five times the deviation */
} noise;

static const noise noises[] = {
    {"normal", 0, 0, 0},
    {"30 % of runs collapse", 0.3, 0, 0},
    {"scores in steps of a deviation", 0, 1, 0},
    {"a tenth with five times the deviation", 0, 0, 0.1},
};

static uint64_t drawn;

static double uniform(void)
{
    return (double)hks_uniform(79, drawn++);
}

/* Box and Muller 1958. */
static double normal(void)
{
    double radius = sqrt(-2 * log(1 - uniform()));
    return radius * cos(2 * acos(-1) * uniform());
}

/* A run's score about its seed's; two of them differ by a deviation of 1. */
static double score(const noise *of, double mean)
{
    double it = mean + normal() / sqrt(2) * (uniform() < of->tail ? 5 : 1);
    it -= uniform() < of->collapse ? 60 : 0;
    return of->grain > 0 ? round(it / of->grain) * of->grain : it;
}

/* A candidate that leads by so much, against an incumbent whose runs are there. */
static race judge(const noise *of, double lead, const double *shared, const double *incumbent,
                  double effect, int64_t k)
{
    double candidate[MOST];
    const race_rules rules = {stats_ledger_level(k), effect, MOST};
    for (int s = 0; s < MOST; s++)
        candidate[s] = score(of, shared[s] + lead);
    return stats_race(candidate, incumbent, MOST, &rules);
}

static void draw_incumbent(const noise *of, double *shared, double *incumbent)
{
    for (int s = 0; s < MOST; s++) {
        shared[s] = normal();
        incumbent[s] = score(of, shared[s]);
    }
}

/* All candidates of a ledger are held against the same runs of the incumbent. */
static void simulate_ledgers(const noise *of, int ledgers, int candidates)
{
    int false_ledgers = 0, spent = 0;
    long seeds = 0;
    for (int l = 0; l < ledgers; l++) {
        double shared[MOST], incumbent[MOST];
        int kept = 0;
        draw_incumbent(of, shared, incumbent);
        for (int k = 1; k <= candidates; k++) {
            const race it = judge(of, 0, shared, incumbent, 1, k);
            kept += it.verdict == RACE_KEEP;
            spent += it.verdict == RACE_SPENT;
            seeds += it.n;
        }
        false_ledgers += kept > 0;
    }
    printf("%s: %d of %d ledgers of %d no-op candidates hold a false keep (%.1f %%), "
           "%.1f seeds a candidate, %.2f %% ran all %d\n",
           of->what, false_ledgers, ledgers, candidates, 100.0 * false_ledgers / ledgers,
           (double)seeds / ledgers / candidates, 100.0 * spent / ledgers / candidates, MOST);
}

static void simulate_power(double lead, double effect, int64_t k)
{
    int kept = 0, lost = 0;
    long seeds = 0;
    for (int i = 0; i < TRIALS; i++) {
        double shared[MOST], incumbent[MOST];
        draw_incumbent(&noises[0], shared, incumbent);
        const race it = judge(&noises[0], lead, shared, incumbent, effect, k);
        kept += it.verdict == RACE_KEEP;
        lost += it.verdict == RACE_DROP;
        seeds += it.verdict == RACE_KEEP ? it.n : 0;
    }
    printf("d_z %4.2f, --effect %3.1f, candidate %3lld: kept %5.1f %%, dropped early %4.1f %%, "
           "%4.1f seeds to a keep\n",
           lead, effect, (long long)k, 100.0 * kept / TRIALS, 100.0 * lost / TRIALS,
           kept ? (double)seeds / kept : 0);
}

int main(int argc, char **argv)
{
    static const int64_t places[] = {1, 10, 100, 500};
    static const double leads[] = {-1, 0, 0.5, 0.75, 1, 1.5, 2};
    const int ledgers = argc > 1 ? atoi(argv[1]) : 200, candidates = argc > 2 ? atoi(argv[2]) : 500;
    for (size_t i = 0; i < sizeof noises / sizeof *noises; i++)
        simulate_ledgers(&noises[i], ledgers, candidates);
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        for (size_t k = 0; k < sizeof places / sizeof *places; k++)
            simulate_power(leads[i], 1, places[k]);
    simulate_power(0.5, 0.5, 1);
    return 0;
}
