/* What the claims of a comparison are worth: simulated sweeps of eight rows, the first of which is the
 * baseline, whose truth is known. Printed for each case: in how many sweeps anything false is claimed,
 * and how often the row that is better is found, by today's rule and by the one of 0.1, which tested the
 * pairs without the baseline only where a pair with it had been told apart, each family at 5 %.
 *
 *     claims [SWEEPS]
 *
 * 2,000 sweeps a case take some seconds. */
#include <hillock/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats/stats.h"

enum { ROWS = 8, MOST_SEEDS = 50, WINNER = ROWS - 1 };

typedef struct scenario {
    const char *what;
    int seeds;
    double lead;              /* of the last row, in deviations of a difference */
    double collapse_baseline; /* share of its runs that collapse, by 60 deviations */
    double collapse;          /* the same of every other row */
} scenario;

static const scenario scenarios[] = {
    {"all equal", 5, 0, 0, 0},
    {"all equal, 30 % of runs collapse", 5, 0, 0.3, 0.3},
    {"one row leads by 2", 5, 2, 0, 0},
    {"one row leads by 3", 5, 3, 0, 0},
    {"one row leads by 1", 10, 1, 0, 0},
    {"one row leads by 1.5", 10, 1.5, 0, 0},
    {"one row leads by 1", 20, 1, 0, 0},
    {"the baseline collapses in 30 %", 5, 0, 0.3, 0},
    {"the same, and one row leads by 3", 5, 3, 0.3, 0},
    {"the same, and one row leads by 6", 5, 6, 0.3, 0},
};

static uint64_t drawn;

static double uniform(void)
{
    return (double)hks_uniform(78, drawn++);
}

/* Box and Muller 1958. */
static double normal(void)
{
    double radius = sqrt(-2 * log(1 - uniform()));
    return radius * cos(2 * acos(-1) * uniform());
}

/* A seed's effect that all rows share, and noise of deviation 1 / sqrt 2 a row. */
static void simulate(const scenario *it, double out[ROWS][MOST_SEEDS])
{
    for (int s = 0; s < it->seeds; s++) {
        const double shared = normal();
        for (int row = 0; row < ROWS; row++) {
            const double collapses = row ? it->collapse : it->collapse_baseline;
            out[row][s] = shared + normal() / sqrt(2) + (row == WINNER ? it->lead : 0) -
                          (uniform() < collapses ? 60 : 0);
        }
    }
}

typedef bool verdicts[ROWS][ROWS]; /* of i < j: whether they are told apart */

static void judge(double test(const double *, const double *, int), int seeds,
                  double scores[ROWS][MOST_SEEDS], verdicts apart)
{
    double p[ROWS * ROWS], adjusted[ROWS * ROWS], level;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < ROWS; j++)
            p[i * ROWS + j] = i < j ? test(scores[i], scores[j], seeds) : UNKNOWN;
    if (!stats_family_adjust(p, ROWS, 0, adjusted, &level))
        exit(1);
    for (int i = 0; i < ROWS; i++)
        for (int j = i + 1; j < ROWS; j++)
            apart[i][j] = adjusted[i * ROWS + j] <= SIGNIFICANCE;
}

static void judge_before(const scenario *it, double scores[ROWS][MOST_SEEDS], verdicts apart)
{
    double p[ROWS * ROWS], adjusted[ROWS * ROWS];
    bool found = false;
    for (int family = 0; family < 2; family++) {
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < ROWS; j++)
                p[i * ROWS + j] = i < j && (i == 0) == !family
                                      ? stats_paired_p(scores[i], scores[j], it->seeds)
                                      : UNKNOWN;
        stats_holm_adjust(p, ROWS * ROWS, adjusted);
        for (int i = 0; i < ROWS; i++)
            for (int j = i + 1; j < ROWS; j++)
                if ((i == 0) == !family)
                    apart[i][j] = (!family || found) && adjusted[i * ROWS + j] <= SIGNIFICANCE;
        for (int j = 1; j < ROWS; j++)
            found = found || apart[0][j];
    }
}

typedef struct tally {
    int wrong, beats, any, pairs; /* sweeps, sweeps, sweeps, pairs of the row that leads */
} tally;

/* A pair differs in truth where one of the two leads, or is a baseline that collapses. */
static void take(tally *to, const scenario *it, verdicts apart)
{
    const bool sick = it->collapse_baseline > it->collapse;
    int wrong = 0, found = 0;
    for (int i = 0; i < ROWS; i++)
        for (int j = i + 1; j < ROWS; j++) {
            const bool leads = j == WINNER && it->lead > 0;
            found += leads && apart[i][j];
            wrong += !leads && !(sick && i == 0) && apart[i][j];
        }
    to->wrong += wrong > 0;
    to->beats += it->lead > 0 && apart[0][WINNER];
    to->any += found > 0;
    to->pairs += found;
}

static void print(const char *rule, const scenario *it, const tally *of, int sweeps)
{
    const double n = sweeps / 100.0;
    printf("  %-7s false claims in %4.1f %%", rule, of->wrong / n);
    if (it->lead > 0)
        printf(
            "; the leader beats the baseline in %5.1f %%, any row in %5.1f %%, of seven rows %4.2f",
            of->beats / n, of->any / n, (double)of->pairs / sweeps);
    putchar('\n');
}

/* --until-decided: equal rows looked at after every seed up to 50, where it is enough to look at the end,
 * since these p never rise; and the seeds at which a row that leads by so much is found. */
static void look_at_every_seed(int sweeps)
{
    static const double leads[] = {0, 0.75, 1, 1.5, 2};
    for (size_t k = 0; k < sizeof leads / sizeof *leads; k++) {
        const scenario it = {"", MOST_SEEDS, leads[k], 0, 0};
        long seeds = 0;
        int claims = 0;
        for (int sweep = 0; sweep < sweeps; sweep++) {
            double scores[ROWS][MOST_SEEDS];
            verdicts apart = {{false}};
            simulate(&it, scores);
            int n = leads[k] > 0 ? 3 : MOST_SEEDS;
            for (; n <= MOST_SEEDS && !apart[0][WINNER]; n++)
                judge(stats_anytime_p, n, scores, apart);
            bool any = apart[0][WINNER];
            for (int i = 0; i < ROWS && leads[k] <= 0; i++)
                for (int j = i + 1; j < ROWS; j++)
                    any = any || apart[i][j];
            claims += any;
            seeds += n - 1;
        }
        printf(
            "looked at after every seed, one row leads by %g: %s in %.1f %%, %.1f seeds on average\n",
            leads[k], leads[k] > 0 ? "found" : "false claims", claims * 100.0 / sweeps,
            (double)seeds / sweeps);
    }
}

int main(int argc, char **argv)
{
    const int sweeps = argc > 1 ? atoi(argv[1]) : 2000;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        const scenario *it = &scenarios[i];
        tally before = {0}, now = {0};
        for (int sweep = 0; sweep < sweeps; sweep++) {
            double scores[ROWS][MOST_SEEDS];
            verdicts apart = {{false}};
            simulate(it, scores);
            judge_before(it, scores, apart);
            take(&before, it, apart);
            memset(apart, 0, sizeof apart);
            judge(stats_paired_p, it->seeds, scores, apart);
            take(&now, it, apart);
        }
        printf("%s, %d seeds\n", it->what, it->seeds);
        print("before", it, &before, sweeps);
        print("now", it, &now, sweeps);
    }
    look_at_every_seed(sweeps / 2);
    return 0;
}
