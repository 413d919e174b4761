/* stats.h - the statistics of a comparison, each with its source; see docs/comparing.md.
 *
 * Numbers that cannot be given (a deviation of one value, a test of one pair, anything for which
 * there was no memory) are NAN. Nothing here allocates for the caller, prints, or depends on the
 * order in which rows are given. */
#pragma once
#include <math.h>
#include <stdbool.h>

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
    int seeds_needed;      /* for power 0.8 at level alpha (see paired_compare); -1: over 1000 */
} paired_test;
/* `tests`: how many tests share the level 0.05; seeds_needed is for alpha = 0.05 / tests and for
 * d_z corrected for few seeds (Hedges), with two seeds therefore -1. Differences that are all the
 * same number other than 0 have no t: t and cohen_d are NAN, and p is that of all signs agreeing,
 * 2^(1 - n). */
paired_test stats_paired_compare(const double *a, const double *b, int n, int tests);
/* Its p alone, which is some hundred times cheaper. */
double stats_paired_p(const double *a, const double *b, int n);
/* Its wilcoxon_p. Differences of 0 are dropped; above 50 others by the normal approximation. */
double stats_signed_rank_p(const double *a, const double *b, int n);
/* Seeds at which a paired t test finds an effect d_z with power 0.8; -1: over 1000. */
int stats_seeds_for_effect(double effect, int tests);

/* Holm 1979: p values adjusted so that the family's error rate is controlled. NAN stays NAN and is
 * not counted as a test. `adjusted` is another array than p. */
void stats_holm_adjust(const double *p, int n, double *adjusted);

/* ---- A whole leaderboard -------------------------------------------------------------------- */
typedef enum verdict {
    VERDICT_BASELINE,
    VERDICT_TIE,
    VERDICT_BETTER,
    VERDICT_WORSE,
    VERDICT_FAILED
} verdict;

typedef struct standing {
    int row;  /* index of the caller */
    int rank; /* 1 for the best mean among rows without failures; equal means share it */
    int failures, runs;
    sample_summary score; /* of the runs that ended well */
    paired_test against;  /* the baseline, over seeds both have; description only in failed rows */
    double p_holm;        /* the primary test; NAN for the baseline and failed rows */
    verdict verdict;
    int group; /* rows with the same group are one statistical tie; 1 is the best; 0: failed */
} standing;

/* scores[row * seeds + s], NAN where the run failed; a higher score is better. Fills
 * standings[rows] in order of rank: rows with failures behind those without. A row with a failure
 * is VERDICT_FAILED and takes no part in tests; if that is the baseline, nothing is tested.
 *
 * Each row joins the best group in which no row differs significantly from it, so no two rows of a
 * group differ, and a row with scattered scores may tie with a group above its neighbours in
 * rank. Groups are split only where the primary test has found something, so that under a global
 * null hypothesis all claims together keep the error rate of 5 %. False: out of memory. */
bool stats_leaderboard(const double *scores, int rows, int seeds, int baseline,
                       standing *standings);
