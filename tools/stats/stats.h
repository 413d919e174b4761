/* stats.h - the statistics of a comparison, each with its source; see docs/comparing.md.
 *
 * Numbers that cannot be given (a deviation of one value, a test of one pair, anything for which
 * there was no memory) are NAN. Nothing here allocates for the caller, prints, or depends on the
 * order in which rows are given. */
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* A number that cannot be given. */
#define UNKNOWN ((double)NAN)

/* The level that each family of tests shares. */
#define SIGNIFICANCE 0.05
/* Scores come out of single precision: what differs by less than this share of them is equal. */
#define SCORE_RESOLUTION 1e-7
/* Differences of a and b up to this size are rounding. */
double stats_score_rounding(const double *a, const double *b, int n);

/* ---- Distributions -------------------------------------------------------------------------- */
double stats_normal_cdf(double z);
double stats_student_cdf(double t, double df); /* df: normal where it is infinite */
double stats_student_quantile(double p, double df);
double stats_log_gamma(double x); /* of x > 0; infinite at 0 */
/* P(T <= t) of the noncentral t distribution, for the power of a t test. */
double stats_noncentral_t_cdf(double t, double df, double noncentrality);

/* ---- One sample ----------------------------------------------------------------------------- */
typedef struct sample_summary {
    int n;
    double mean, sd, median;
    double low, high;           /* 95 % interval of the mean, by Student's t */
    double boot_low, boot_high; /* the same by bootstrap (percentile, fixed seed) */
} sample_summary;
sample_summary stats_sample_summarize(const double *x, int n);

/* ---- Two paired samples: same seed, same data, another plugin ------------------------------- */
typedef struct paired_test {
    int n;
    double difference, sd; /* mean and deviation of a[i] - b[i] */
    double low, high;      /* 95 % interval of the difference */
    double t, df, p;       /* two-sided paired t test */
    double cohen_d;        /* d_z = difference / sd: of the differences, not of the scores */
    double wilcoxon_p;     /* signed rank, exact; NAN where n cannot reach 0.05 (n < 6) */
    double flip_p; /* of the mean, by flipping signs, exact; NAN below 6 and above 18 pairs */
    double
        correlation;  /* of a and b: what pairing takes away; NAN where one of them does not vary */
    int seeds_needed; /* for power 0.8 at `level` (see paired_compare); -1: over 1000, 0: none */
} paired_test;
/* seeds_needed is for a test at this level and for d_z corrected for few seeds (Hedges), of which two
 * seeds leave nothing: none is given below three. Differences that are all the same number other than 0 have no t: t and cohen_d
 * are NAN, and p is that of all signs agreeing, 2^(1 - n). */
paired_test stats_paired_compare(const double *a, const double *b, int n, double level);
/* Its p alone, which is some hundred times cheaper. */
double stats_paired_p(const double *a, const double *b, int n);
/* Its wilcoxon_p. Differences of 0 are dropped; above 50 others by the normal approximation. */
double stats_signed_rank_p(const double *a, const double *b, int n);
/* Its flip_p. */
double stats_sign_flip_p(const double *a, const double *b, int n);
/* Whether the test by t and the exact one say different things: one of the two p is at most 0.05 and
 * the other is above twice that. */
bool stats_tests_part(const paired_test *test);
/* Seeds at which a paired t test finds an effect d_z with power 0.8; -1: over 1000. */
int stats_seeds_for_effect(double effect, double level);
/* The effect d_z that a paired t test of n pairs finds with power 0.8. NAN for n < 2. */
double stats_effect_shown(int n, double level);

/* A p value that holds at whichever n somebody stops: pairs in the order in which they came (anytime.c).
 * It never rises. NAN for n < 1. */
double stats_anytime_p(const double *a, const double *b, int n);
/* The share of its capital that a bettor stakes, who takes a - b to have this effect d_z; size: of the
 * difference, over the root of the mean square of all so far. */
double stats_anytime_share(double effect, double size);

/* ---- One candidate against an incumbent, seed by seed (race.c) -------------------------------- */
typedef enum race_verdict {
    RACE_MORE,
    RACE_KEEP,  /* the candidate is better */
    RACE_DROP,  /* it is not better by the effect asked for */
    RACE_SPENT, /* dropped: all seeds of the budget were run */
    RACE_VERDICTS
} race_verdict;

typedef struct race_rules {
    double level;  /* of the claim that the candidate is better */
    double effect; /* d_z that is worth finding: missed in at most 1 of 10 by an early drop */
    int most;      /* seeds */
} race_rules;

typedef struct race {
    race_verdict verdict;
    int n;    /* seeds at which it was reached; those after it do not count */
    double p; /* that the candidate is no better, at any moment; it never rises */
} race;
/* Scores in the order of seeds. */
race stats_race(const double *candidate, const double *incumbent, int n, const race_rules *rules);
/* The level of the k-th candidate of a ledger, from 1; all of them add up to SIGNIFICANCE. */
double stats_ledger_level(int64_t k);

/* ---- Many tests ------------------------------------------------------------------------------ */

/* Holm 1979: p values adjusted so that the family's error rate is controlled. NAN stays NAN and is
 * not counted as a test. `adjusted` is another array than p. */
void stats_holm_adjust(const double *p, int n, double *adjusted);

/* All pairs of rows as one family; its error rate is controlled, whatever the truth (family.c has the
 * procedure and its proof). p[rows * rows] of the pairs (i, j), i < j; adjusted likewise, another
 * array. Pairs with the baseline, of which `baseline` is the row, -1: none, come first. *level: that
 * of the tests with the baseline that reject nothing. False: out of memory. */
bool stats_family_adjust(const double *p, int rows, int baseline, double *adjusted, double *level);

/* Compact letters: two rows have a letter in common where they are not told apart, and only there.
 * apart[rows * rows] of the pairs (i, j), i < j. All empty where they would not fit, or there is no
 * memory. */
enum { STATS_LETTERS = 48 };
void stats_letters(const bool *apart, int rows, char (*letters)[STATS_LETTERS]);

/* ---- A whole leaderboard -------------------------------------------------------------------- */
/* What a comparison says of a row against the baseline; the first three are decided. */
typedef enum verdict {
    VERDICT_BASELINE,
    VERDICT_BETTER,
    VERDICT_WORSE,
    VERDICT_NOT_SHOWN, /* tested, and no difference found */
    VERDICT_NOT_TESTED
} verdict;

/* Why a row was not tested. */
typedef enum untested {
    IS_TESTED,
    UNTESTED_SAME_NET,        /* as another row */
    UNTESTED_FAILED,          /* has failed runs */
    UNTESTED_BASELINE_FAILED, /* the baseline has */
    UNTESTED_FEW_SEEDS,       /* fewer than FEWEST_SEEDS */
    UNTESTED_NONE_LEARNED,    /* no row lies above the floor */
    UNTESTED_NEITHER_LEARNED, /* neither this row nor the baseline does */
} untested;
enum { FEWEST_SEEDS = 3 }; /* of two, t has one degree of freedom */

typedef struct standing {
    int row;  /* index of the caller */
    int rank; /* 1 for the best mean among rows without failures; equal means share it */
    int failures, runs;
    sample_summary score; /* of the runs that ended well */
    bool learned;         /* its interval lies above the floor, or there is none to speak of */
    paired_test against; /* the baseline, over seeds both have; description only where not tested */
    double p_adjusted;   /* in the family of all pairs; NAN for the baseline and where not tested */
    /* Of the difference, at the level of its test in the family: without 0 where p_adjusted is at most
     * 0.05. NAN likewise, and for tests that hold at any moment. */
    double corrected_low, corrected_high;
    double could_show; /* the difference that had a chance of 80 %, where none was shown; or NAN */
    verdict verdict;
    untested why;
    char letters[STATS_LETTERS]; /* "ab"; "": it took part in no test */
} standing;

typedef struct score_table {
    const double *scores; /* [rows * seeds], NAN where the run failed; a higher score is better */
    int rows, seeds, baseline;
    double floor; /* the score of a net that has learned nothing; NAN: unknown */
    bool anytime; /* seeds were added until something was decided: tested by stats_anytime_p */
    const int
        *same_net; /* [rows]: the first row that is the same net, itself where none is; or NULL */
} score_table;

/* Fills standings[rows] in order of rank: rows with failures behind those without, rows that are the
 * same net as another one last. Those take no part in any test, nor does any row where there are fewer
 * seeds than FEWEST_SEEDS or no row has learned. All pairs of the others are one family of tests: all
 * that verdicts and letters claim together is wrong in at most 5 % of sweeps. False: out of memory. */
bool stats_leaderboard(const score_table *table, standing *standings);
