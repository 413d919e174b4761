/* The statistics of a comparison: known answers, what is refused, and what simulated sweeps show of
 * the claims: how often they are wrong where nothing differs, and right where something does. */
#include <stddef.h>
#include "stats/stats.h"

#include <hillock/random.h>
#include <stdlib.h>

#include "check.h"

/* Of scipy 1.10.1, whose quantiles are good to nine digits; closed forms hold ours to more. */
static void distributions_have_known_values(void)
{
    static const double cdf[][3] = {
        {0, 5, 0.5},
        {-2.5, 4, 0.0333832724059941},
        {1.3, 1.5, 0.82098530439921},
        {-40, 3, 1.71903403945793e-05},
        {3.2, 30, 0.998380699144023},
        {-7, 200, 1.89471432504447e-11},
        {0.01, 7, 0.503849841178189},
    };
    static const double quantile[][3] = {
        {0.975, 4, 2.7764451051978},         {0.975, 1, 12.7062047364321},
        {0.0001, 9, -6.01013212935539},      {0.6, 2.5, 0.281459512586636},
        {0.3, 500, -0.524734986813247},      {0.975, HUGE_VAL, 1.95996398454005},
        {0.2, HUGE_VAL, -0.841621233572914},
    };
    static const double noncentral[][4] = {
        {2.776, 4, 3.354, 0.289209215797576}, {0, 3, 1, 0.158655253931457},
        {-1, 5, 2, 0.00231637565407516},      {12, 1, 2, 0.867521236640826},
        {3, 100, 4, 0.162160856469888},       {2, 999, 1.5, 0.691110373776381},
        {5, 9, 5, 0.457251235676813},         {1, 2, -3, 0.999846803637175},
    };
    for (size_t i = 0; i < sizeof cdf / sizeof *cdf; i++)
        CHECK_NEAR(stats_student_cdf(cdf[i][0], cdf[i][1]) / cdf[i][2], 1, 1e-12);
    for (size_t i = 0; i < sizeof quantile / sizeof *quantile; i++)
        CHECK_NEAR(stats_student_quantile(quantile[i][0], quantile[i][1]) / quantile[i][2], 1,
                   1e-9);
    for (size_t i = 0; i < sizeof noncentral / sizeof *noncentral; i++)
        CHECK_NEAR(stats_noncentral_t_cdf(noncentral[i][0], noncentral[i][1], noncentral[i][2]),
                   noncentral[i][3], 1e-11);
    CHECK_NEAR(stats_student_quantile(1e-10, HUGE_VAL), -6.36134090240406, 1e-12);
    CHECK(isinf(stats_student_quantile(1, 3)) && isnan(stats_student_quantile(1.1, 3)));
    CHECK(isnan(stats_student_cdf(1, 0)) && stats_student_cdf(-HUGE_VAL, 3) == 0);
}

/* One degree of freedom is Cauchy's distribution, two have a square root for a distribution. */
static void student_has_its_closed_forms(void)
{
    CHECK(isnan(stats_student_quantile(1.5, 3)) && isnan(stats_student_cdf(0, 0)));
    CHECK_NEAR(stats_student_cdf(0, 0.5), 0.5, 1e-15);
    const double pi = acos(-1);
    for (double t = -30; t <= 30; t += 0.7) {
        CHECK_NEAR(stats_student_cdf(t, 1), 0.5 + atan(t) / pi, 1e-14);
        CHECK_NEAR(stats_student_cdf(t, 2), 0.5 + t / (2 * sqrt(2 + t * t)), 1e-14);
        CHECK_NEAR(stats_noncentral_t_cdf(t, 2, 0), stats_student_cdf(t, 2), 1e-13);
    }
    for (double p = 0.01; p < 1; p += 0.07) {
        CHECK_NEAR(stats_student_quantile(p, 1), tan(pi * (p - 0.5)), 1e-12);
        CHECK_NEAR(stats_student_cdf(stats_student_quantile(p, 6.5), 6.5), p, 1e-14);
    }
}

static const double ours[] = {0.912, 0.918, 0.909, 0.921, 0.915, 0.907, 0.919};
static const double base[] = {0.905, 0.914, 0.911, 0.910, 0.909, 0.906, 0.907};

/* Every bit of the numbers, NAN among them; what lies between members is anything. */
static bool same_numbers(const double *from, const double *to, size_t bytes)
{
    return memcmp(from, to, bytes) == 0;
}

static bool same_summary(const sample_summary *a, const sample_summary *b)
{
    return a->n == b->n &&
           same_numbers(&a->mean, &b->mean, sizeof *a - offsetof(sample_summary, mean));
}

static bool same_test(const paired_test *a, const paired_test *b)
{
    return a->n == b->n && a->seeds_needed == b->seeds_needed &&
           same_numbers(&a->difference, &b->difference,
                        offsetof(paired_test, seeds_needed) - offsetof(paired_test, difference));
}

static bool same_standing(const standing *a, const standing *b)
{
    return a->row == b->row && a->rank == b->rank && a->failures == b->failures &&
           a->runs == b->runs && same_summary(&a->score, &b->score) &&
           same_test(&a->against, &b->against) &&
           same_numbers(&a->p_adjusted, &b->p_adjusted, 2 * sizeof(double)) &&
           a->verdict == b->verdict && a->why == b->why && strcmp(a->letters, b->letters) == 0;
}

static void sample_is_described(void)
{
    sample_summary s = stats_sample_summarize(ours, 7);
    CHECK_EQUAL(s.n, 7);
    CHECK_NEAR(s.mean, 6.401 / 7, 1e-15);
    CHECK_NEAR(s.sd, 0.0052870011303555635, 1e-15);
    CHECK_NEAR(s.median, 0.915, 1e-15);
    CHECK_NEAR(s.low, 0.909538910916512, 1e-10);
    CHECK_NEAR(s.high, 0.9193182319406308, 1e-10);
    CHECK_NEAR(stats_sample_summarize(ours, 4).median, 0.915, 1e-15); /* of 0.912 and 0.918 */
    sample_summary again = stats_sample_summarize(ours, 7);
    CHECK(same_summary(&s, &again));
}

/* All 7^7 samples with replacement, exactly: the bootstrap of 10,000 must come near. */
static void bootstrap_is_near_the_exact_one(void)
{
    enum { ALL = 823543 };
    sample_summary s = stats_sample_summarize(ours, 7);
    long below = 0, above = 0;
    for (int code = 0; code < ALL; code++) {
        double sum = 0;
        for (int digit = 0, rest = code; digit < 7; digit++, rest /= 7)
            sum += ours[rest % 7];
        below += sum / 7 < s.boot_low - 1e-12;
        above += sum / 7 > s.boot_high + 1e-12;
    }
    CHECK_NEAR((double)below / ALL, 0.025, 0.005);
    CHECK_NEAR((double)above / ALL, 0.025, 0.005);
}

static void pairs_have_known_values(void)
{
    paired_test test = stats_paired_compare(ours, base, 7, SIGNIFICANCE);
    CHECK_NEAR(test.difference, 0.00557142857142858, 1e-15);
    CHECK_NEAR(test.sd, 0.00506152621439894, 1e-15);
    CHECK_NEAR(test.t, 2.91228649679341, 1e-11);
    CHECK_NEAR(test.df, 6, 0);
    CHECK_NEAR(test.p, 0.0269001580691766, 1e-12);
    CHECK(test.p == stats_paired_p(ours, base, 7));
    CHECK_NEAR(test.cohen_d, 1.10074083101241, 1e-11);
    CHECK_NEAR(test.low, 0.000890297576543431, 1e-10);
    CHECK_NEAR(test.high, 0.0102525595663137, 1e-10);
    paired_test back = stats_paired_compare(base, ours, 7, SIGNIFICANCE);
    CHECK(back.t == -test.t && back.p == test.p && back.wilcoxon_p == test.wilcoxon_p);
    CHECK(back.seeds_needed == test.seeds_needed);
}

/* Hours of sleep gained by ten patients on two drugs; Student 1908 gives a mean of 1.58, and odds
 * of 0.9985 that the second is better. One difference is 0, two are equal. */
static void student_s_sleep_is_told_apart(void)
{
    static const double a[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    static const double b[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    paired_test test = stats_paired_compare(a, b, 10, SIGNIFICANCE);
    CHECK_NEAR(test.difference, 1.58, 1e-12);
    CHECK_NEAR(test.t, 4.0621, 5e-5);
    CHECK_NEAR(1 - test.p / 2, 0.9985, 1e-4);
    CHECK_NEAR(test.wilcoxon_p, 2.0 / 512, 1e-15); /* nine of nine signs */
}

/* Sizes of integers, so with ties: every pattern of signs is looked at. */
static double p_by_enumeration(const double *d, int n)
{
    double rank[12], observed = 0, total = 0;
    for (int i = 0; i < n; i++) {
        int less = 0, equal = 0;
        for (int j = 0; j < n; j++) {
            less += fabs(d[j]) < fabs(d[i]);
            equal += fabs(d[j]) == fabs(d[i]);
        }
        rank[i] = less + (equal + 1) / 2.0;
        observed += d[i] > 0 ? rank[i] : 0;
        total += rank[i];
    }
    int extreme = 0;
    for (int signs = 0; signs < 1 << n; signs++) {
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += signs >> i & 1 ? rank[i] : 0;
        extreme += fabs(sum - total / 2) >= fabs(observed - total / 2) - 1e-9;
    }
    return extreme / exp2(n);
}

static void signed_ranks_are_exact(void)
{
    static const double zeros[12];
    uint64_t at = 0;
    for (int n = 6; n <= 12; n++)
        for (int trial = 0; trial < 20; trial++) {
            double d[12];
            for (int i = 0; i < n; i++) {
                int size = 1 + (int)(hks_bits(5, at++) % 6);
                d[i] = hks_bits(5, at++) & 1 ? size : -size;
            }
            CHECK_NEAR(stats_signed_rank_p(d, zeros, n), p_by_enumeration(d, n), 1e-12);
        }
}

static void signed_ranks_know_their_floor(void)
{
    static const double zeros[60];
    double rising[60];
    for (int i = 0; i < 60; i++)
        rising[i] = i + 1;
    CHECK(isnan(stats_signed_rank_p(rising, zeros, 5)));
    CHECK_NEAR(stats_signed_rank_p(rising, zeros, 6), 0.03125, 1e-15);
    CHECK_NEAR(stats_signed_rank_p(rising, zeros, 50) * exp2(49), 1, 1e-12);
    /* By the normal approximation: the sum 1830 has mean 915 and variance 60 * 61 * 121 / 24. */
    CHECK_NEAR(stats_signed_rank_p(rising, zeros, 60) / erfc(915 / sqrt(2 * 18452.5)), 1, 1e-6);
    rising[0] = 0;
    CHECK(isnan(stats_signed_rank_p(rising, zeros, 6))); /* five are left */
    CHECK(isnan(stats_signed_rank_p(zeros, zeros, 60)));
}

static void holm_is_right_by_hand(void)
{
    const double p[] = {0.01, 0.04, (double)NAN, 0.03, 0.005};
    const double expected[] = {0.03, 0.06, (double)NAN, 0.06, 0.02};
    double adjusted[5];
    stats_holm_adjust(p, 5, adjusted);
    for (int i = 0; i < 5; i++)
        CHECK(isnan(p[i]) ? isnan(adjusted[i]) : fabs(adjusted[i] - expected[i]) < 1e-15);
    stats_holm_adjust((const double[]){0.9, 0.8}, 2, adjusted);
    CHECK(adjusted[0] == 1 && adjusted[1] == 1);
    stats_holm_adjust(p, 0, adjusted);
}

/* Cohen's textbook effects; the numbers are those of any power calculator for a paired t test. */
static void seeds_are_those_of_the_power_tables(void)
{
    CHECK_EQUAL(stats_seeds_for_effect(0.2, SIGNIFICANCE), 199);
    CHECK_EQUAL(stats_seeds_for_effect(0.5, SIGNIFICANCE), 34);
    CHECK_EQUAL(stats_seeds_for_effect(-0.8, SIGNIFICANCE), 15);
    CHECK_EQUAL(stats_seeds_for_effect(1, SIGNIFICANCE), 10);
    CHECK_EQUAL(stats_seeds_for_effect(1.5, SIGNIFICANCE), 6);
    CHECK_EQUAL(stats_seeds_for_effect(1.5, SIGNIFICANCE / 7), 10);
    for (int n = 3; n < 40;
         n++) { /* the least effect that n seeds show takes n, a lesser one more */
        const double least = stats_effect_shown(n, SIGNIFICANCE);
        CHECK_EQUAL(stats_seeds_for_effect(least * 1.0001, SIGNIFICANCE), n);
        CHECK_EQUAL(stats_seeds_for_effect(least * 0.9999, SIGNIFICANCE), n + 1);
    }
    CHECK_EQUAL(stats_seeds_for_effect(0.05, SIGNIFICANCE / 7), -1);
    CHECK_EQUAL(stats_seeds_for_effect(0, SIGNIFICANCE), -1);
    CHECK(stats_seeds_for_effect(100, SIGNIFICANCE) >= 2);
}

static void too_little_is_no_claim(void)
{
    paired_test none = stats_paired_compare(NULL, NULL, 0, SIGNIFICANCE),
                one = stats_paired_compare(ours, base, 1, SIGNIFICANCE);
    CHECK(isnan(none.difference) && isnan(none.p));
    CHECK_NEAR(one.difference, 0.007, 1e-15);
    CHECK(isnan(one.sd) && isnan(one.low) && isnan(one.p) && isnan(one.wilcoxon_p));
    CHECK_EQUAL(one.seeds_needed, 0);
    CHECK_EQUAL(stats_paired_compare(ours, base, 2, SIGNIFICANCE).seeds_needed, 0);
    sample_summary empty = stats_sample_summarize(NULL, 0),
                   single = stats_sample_summarize(ours, 1);
    CHECK(isnan(empty.mean) && isnan(empty.median) && empty.n == 0);
    CHECK(single.mean == ours[0] && single.median == ours[0]);
    CHECK(isnan(single.sd) && isnan(single.low) && isnan(single.boot_high));
}

/* Decimal fractions whose differences are all 0.01, but for rounding. */
static void equal_differences_are_counted_not_divided(void)
{
    const double a[] = {0.91, 0.81, 0.73, 0.64, 0.55, 0.46, 0.37};
    const double b[] = {0.90, 0.80, 0.72, 0.63, 0.54, 0.45, 0.36};
    paired_test three = stats_paired_compare(a, b, 3, SIGNIFICANCE),
                seven = stats_paired_compare(a, b, 7, SIGNIFICANCE / 7);
    CHECK(three.sd == 0 && isnan(three.t) && isnan(three.cohen_d));
    CHECK_NEAR(three.p, 0.25, 0);
    CHECK_NEAR(seven.p, 0.015625, 0);
    CHECK_NEAR(seven.low, seven.high, 0);
    CHECK_NEAR(seven.wilcoxon_p, seven.p, 1e-15);
    CHECK_EQUAL(three.seeds_needed, 6);
    CHECK_EQUAL(seven.seeds_needed, 9); /* 2^-8 is the first below 0.05 / 7 */
    paired_test same = stats_paired_compare(a, a, 7, SIGNIFICANCE);
    CHECK(same.difference == 0 && same.t == 0 && same.p == 1 && same.cohen_d == 0);
    CHECK(isnan(same.wilcoxon_p) && same.seeds_needed == -1);
    sample_summary constant = stats_sample_summarize((const double[]){0.1, 0.1, 0.1}, 3);
    CHECK(constant.sd == 0 && constant.low == constant.high);
}

/* Box and Muller 1958. */
static double normal(uint64_t *at)
{
    double radius = sqrt(-2 * log(1 - (double)hks_uniform(78, *at)));
    double angle = 2 * acos(-1) * (double)hks_uniform(78, *at + 1);
    *at += 2;
    return radius * cos(angle);
}

/* ---- Signs -------------------------------------------------------------------------------------- */

/* By hand: of 2^6 patterns of 1, 1, 1, 1, 1, 4 the sum is as far out as 9 in 2, as 7 in 12, as 1 in all. */
static void sign_flips_are_exact(void)
{
    static const double zeros[20], all[] = {1, 1, 1, 1, 1, 4}, some[] = {-1, 1, 1, 1, 1, 4},
                                   far[] = {1, 1, 1, 1, 1, -4};
    CHECK_NEAR(stats_sign_flip_p(all, zeros, 6), 2.0 / 64, 0);
    CHECK_NEAR(stats_sign_flip_p(some, zeros, 6), 12.0 / 64, 0);
    CHECK_NEAR(stats_sign_flip_p(far, zeros, 6), 1, 0);
    CHECK_NEAR(stats_sign_flip_p(zeros, zeros, 6), 1, 0);
    CHECK(isnan(stats_sign_flip_p(all, zeros, 5)) && isnan(stats_sign_flip_p(zeros, zeros, 19)));
}

/* One seed of eight collapses: t sees nothing, signs do. */
static void tests_part_where_one_seed_collapsed(void)
{
    const double a[] = {.95, .951, .949, .95, .952, .951, .95, .949};
    const double b[] = {.93, .931, .930, .93, .931, .929, .20, .930};
    paired_test test = stats_paired_compare(a, b, 8, SIGNIFICANCE);
    CHECK(test.p > 0.2 && stats_tests_part(&test));
    CHECK_NEAR(test.flip_p, 1 / 128.0, 0);
    paired_test sound = stats_paired_compare(ours, base, 7, SIGNIFICANCE);
    CHECK(!stats_tests_part(&sound));
}

/* The effect that five seeds show in 80 of 100 cases takes five seeds. */
static void effect_shown_is_that_of_the_seeds(void)
{
    for (int n = 3; n < 40; n += 4) {
        double effect = stats_effect_shown(n, SIGNIFICANCE / 7);
        CHECK_EQUAL(stats_seeds_for_effect(effect * 1.0001, SIGNIFICANCE / 7), n);
        CHECK_EQUAL(stats_seeds_for_effect(effect * 0.9999, SIGNIFICANCE / 7), n + 1);
    }
    CHECK_NEAR(stats_effect_shown(34, SIGNIFICANCE), 0.5, 0.01);
    CHECK(isnan(stats_effect_shown(1, SIGNIFICANCE)));
}

/* Equal rows, looked at after every seed up to 50; and rows apart by one deviation. */
static void looking_after_every_seed_is_allowed(void)
{
    uint64_t at = 1u << 29;
    int claims = 0, found = 0;
    for (int sweep = 0; sweep < 1000; sweep++) {
        double a[50], b[50], c[50], last = 1;
        for (int i = 0; i < 50; i++) {
            a[i] = normal(&at);
            b[i] = normal(&at);
            c[i] = b[i] + 1 + normal(&at);
        }
        for (int n = 1; n <= 50; n++) {
            const double p = stats_anytime_p(a, b, n);
            CHECK(p <= last && p > 0);
            last = p;
        }
        claims += last <= SIGNIFICANCE;
        found += stats_anytime_p(c, b, 20) <= SIGNIFICANCE;
    }
    printf("  %d of 1000 claim something of equal rows, %d find a difference in 20 seeds\n", claims,
           found);
    CHECK(claims <= 64 && found > 700);
    CHECK_NEAR(stats_anytime_p((double[]){1, 1}, (double[]){1, 1}, 2), 1, 0);
}

/* ---- Races -------------------------------------------------------------------------------------- */

/* The rest of the series 1 / (n log^2 n) from n on is less than 1 / log(n - 1). */
static void levels_of_a_ledger_add_up(void)
{
    double sum = 0, last = 1;
    const int64_t n = 1 << 20;
    for (int64_t k = 1; k < n; k++) {
        CHECK(stats_ledger_level(k) < last && stats_ledger_level(k) > 0);
        sum += last = stats_ledger_level(k);
    }
    CHECK(sum + SIGNIFICANCE / 2.10975 / log((double)n) <= SIGNIFICANCE &&
          sum > 0.96 * SIGNIFICANCE);
}

/* 200 ledgers of 50 candidates that are no better than the incumbent, whose runs they share; and
 * candidates that lead by one deviation. */
static void ledgers_seldom_hold_a_false_keep(void)
{
    uint64_t at = 1u << 28;
    int false_ledgers = 0, kept = 0, lost = 0;
    race_rules rules = {.effect = 1, .most = 50};
    for (int l = 0; l < 200; l++) {
        double incumbent[50], candidate[50];
        bool any = false;
        for (int i = 0; i < 50; i++)
            incumbent[i] = normal(&at);
        for (int k = 1; k <= 50; k++) {
            for (int i = 0; i < 50; i++)
                candidate[i] = normal(&at);
            rules.level = stats_ledger_level(k);
            any = any || stats_race(candidate, incumbent, 50, &rules).verdict == RACE_KEEP;
        }
        false_ledgers += any;
        for (int i = 0; i < 50; i++)
            candidate[i] = incumbent[i] + 1 + normal(&at);
        rules.level = stats_ledger_level(1);
        const race it = stats_race(candidate, incumbent, 50, &rules);
        kept += it.verdict == RACE_KEEP;
        lost += it.verdict == RACE_DROP;
    }
    printf("  %d of 200 ledgers hold a false keep; of 200 leads of one deviation %d are kept\n",
           false_ledgers, kept);
    CHECK(false_ledgers <= 16 && kept >= 170 && lost <= 30);
}

/* The verdict is that of the first seed at which there is one, whatever is run after it; worse
 * candidates go in three seeds, and equal scores say nothing. */
static void a_race_ends_once(void)
{
    const race_rules rules = {.level = 0.01, .effect = 1, .most = 12};
    double zero[12] = {0}, up[12], down[12];
    for (int i = 0; i < 12; i++)
        down[i] = -(up[i] = i < 9 ? 1 : -40);
    const race kept = stats_race(up, zero, 12, &rules);
    CHECK(kept.verdict == RACE_KEEP && kept.n == 8 && kept.p <= 0.01);
    CHECK_EQUAL(stats_race(up, zero, 7, &rules).verdict, RACE_MORE);
    const race dropped = stats_race(down, zero, 12, &rules);
    CHECK(dropped.verdict == RACE_DROP && dropped.n == 3);
    const race spent = stats_race(zero, zero, 12, &rules);
    CHECK(spent.verdict == RACE_SPENT && spent.n == 12);
    CHECK_NEAR(spent.p, 1, 0);
    CHECK_EQUAL(stats_race(zero, zero, 11, &rules).verdict, RACE_MORE);
}

/* ---- Families ----------------------------------------------------------------------------------- */

/* p of the pairs of four rows, the first being the baseline. */
static void adjust(const double p[6], int baseline, double adjusted[6], double *level)
{
    double all[16], out[16];
    for (int i = 0, at = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            all[i * 4 + j] = j > i ? p[at++] : UNKNOWN;
    CHECK(stats_family_adjust(all, 4, baseline, out, level));
    for (int i = 0, at = 0; i < 4; i++)
        for (int j = i + 1; j < 4; j++)
            adjusted[at++] = out[i * 4 + j];
}

/* Three rows against the baseline, x of them equal to it: see family.c; by hand. Pairs with it are held at a
 * third of the level, as if nothing else were asked, which leaves 1 - 0.983426 for the others. */
static void family_is_right_by_hand(void)
{
    const double left = 1 - (1 - pow(1 - 0.05 / 3, 3)) / 0.05;
    double out[6], level;
    /* p of (0,1) (0,2) (0,3) (1,2) (1,3) (2,3) */
    CHECK_NEAR(left, 0.016574, 1e-6);
    adjust((double[]){0.012, 0.9, 0.9, 0.9, 0.9, 0.9}, 0, out, &level);
    CHECK_NEAR(out[0], 0.012 * 3, 1e-14);
    CHECK_NEAR(level, 1 - sqrt(1 - 0.05 * (1 - left / 3)), 1e-15); /* x = 2; of x = 1 more */
    adjust((double[]){0.9, 0.9, 0.9, 0.0002, 0.9, 0.9}, 0, out, &level);
    CHECK_NEAR(out[3], 0.0002 / (left / 3), 1e-15);
    adjust((double[]){0.012, 0.9, 0.9, 0.015, 0.02, 0.9}, 0, out, &level);
    CHECK_NEAR(out[3], 0.015 * 3, 1e-15); /* one of them was told from the baseline */
    CHECK_NEAR(out[4], 0.02 * 3, 1e-15);
    adjust((double[]){0.001, 0.001, 0.001, 0.02, 0.03, 0.9}, 0, out, &level);
    CHECK_NEAR(out[3], 0.02 * 3, 1e-15); /* all were: Holm */
    CHECK_NEAR(out[4], 0.06, 1e-15);
    adjust((double[]){0.001, 0.011, 0.02, 0.03, 0.04, 0.9}, -1, out, &level);
    CHECK_NEAR(out[0], 0.006, 1e-15); /* no baseline: Holm */
    CHECK_NEAR(out[1], 0.055, 1e-15);
    adjust((double[]){UNKNOWN, UNKNOWN, 0.04, UNKNOWN, UNKNOWN, UNKNOWN}, 0, out, &level);
    CHECK_NEAR(out[2], 0.04, 1e-15); /* a pair alone is not corrected */
    CHECK(isnan(out[0]) && isnan(out[5]));
}

static bool share_a_letter(const char *a, const char *b)
{
    for (; *a; a++)
        if (*a != '\'' && strchr(b, *a))
            return true;
    return false;
}

/* A letter in common where rows are not told apart, and only there: Piepho's definition. */
static void letters_say_what_is_apart(void)
{
    enum { N = 9 };
    uint64_t at = 0;
    for (int trial = 0; trial < 300; trial++) {
        bool apart[N * N];
        char letters[N][STATS_LETTERS];
        for (int i = 0; i < N * N; i++)
            apart[i] = (int)(hks_bits(9, at++) % 10) < trial % 11;
        stats_letters(apart, N, letters);
        for (int i = 0; i < N; i++) {
            CHECK(*letters[i]);
            for (int j = i + 1; j < N; j++)
                CHECK(share_a_letter(letters[i], letters[j]) == !apart[i * N + j]);
        }
    }
    bool chain[9] = {[2] = true}; /* the first and the third of three */
    char letters[3][STATS_LETTERS];
    stats_letters(chain, 3, letters);
    CHECK_TEXT(letters[0], "a");
    CHECK_TEXT(letters[1], "ab");
    CHECK_TEXT(letters[2], "b");
}

/* Thirty rows that are all told apart need more than the alphabet. */
static void letters_go_on_after_z(void)
{
    enum { N = 30 };
    bool apart[N * N];
    char letters[N][STATS_LETTERS];
    memset(apart, true, sizeof apart);
    stats_letters(apart, N, letters);
    CHECK_TEXT(letters[25], "z");
    CHECK_TEXT(letters[26], "a'");
}

/* ---- The leaderboard --------------------------------------------------------------------------
 */

static bool rank(const double *scores, int rows, int seeds, int baseline, standing *s)
{
    const score_table table = {
        .scores = scores, .rows = rows, .seeds = seeds, .baseline = baseline, .floor = UNKNOWN};
    return stats_leaderboard(&table, s);
}

enum { ROWS = 5, SEEDS = 6, PLUGINS_AT_ONCE = 8 };
/* The baseline; better; much better; like the baseline; one that failed once. */
static const double scores[ROWS][SEEDS] = {
    {0.70, 0.72, 0.71, 0.69, 0.73, 0.70},        {0.751, 0.770, 0.762, 0.739, 0.781, 0.752},
    {0.850, 0.871, 0.858, 0.842, 0.880, 0.851},  {0.705, 0.712, 0.716, 0.688, 0.727, 0.704},
    {0.95, 0.97, (double)NAN, 0.96, 0.95, 0.97},
};

static void leaderboard_orders_and_judges(void)
{
    static const int row[] = {2, 1, 3, 0, 4};
    static const char *const letters[] = {"a", "b", "c", "c", ""};
    static const verdict verdicts[] = {VERDICT_BETTER, VERDICT_BETTER, VERDICT_NOT_SHOWN,
                                       VERDICT_BASELINE, VERDICT_NOT_TESTED};
    standing s[ROWS];
    CHECK(rank(scores[0], ROWS, SEEDS, 0, s));
    for (int i = 0; i < ROWS; i++) {
        CHECK_EQUAL(s[i].row, row[i]);
        CHECK_EQUAL(s[i].rank, i + 1);
        CHECK_TEXT(s[i].letters, letters[i]);
        CHECK_EQUAL(s[i].verdict, verdicts[i]);
        CHECK_EQUAL(isnan(s[i].p_adjusted), i > 2);
        CHECK_EQUAL(isnan(s[i].could_show), i != 2);
    }
    /* An interval corrected for the family is clear of 0 where the difference is shown. */
    CHECK(s[0].corrected_low > 0 && s[1].corrected_low > 0 && s[1].corrected_high < 0.1);
    CHECK(s[2].corrected_low < 0 && s[2].corrected_high > 0 && isnan(s[3].corrected_low));
    CHECK(s[2].could_show > 0 && s[2].could_show < 0.05);
    CHECK(s[4].why == UNTESTED_FAILED && s[0].why == IS_TESTED);
    CHECK(s[4].failures == 1 && s[4].runs == SEEDS && s[4].score.n == SEEDS - 1);
    CHECK(s[4].against.n == SEEDS - 1 && isnan(s[3].against.difference));
}

static void leaderboard_ignores_the_order_of_rows(void)
{
    static const int order[ROWS] = {3, 4, 0, 2, 1};
    double mixed[ROWS][SEEDS];
    standing a[ROWS], b[ROWS];
    for (int i = 0; i < ROWS; i++)
        memcpy(mixed[i], scores[order[i]], sizeof mixed[i]);
    CHECK(rank(scores[0], ROWS, SEEDS, 0, a) && rank(mixed[0], ROWS, SEEDS, 2, b));
    for (int i = 0; i < ROWS; i++) {
        b[i].row = order[b[i].row];
        CHECK(same_standing(&a[i], &b[i]));
    }
}

/* Nothing is said of rows against it; among themselves they are told apart. */
static void failed_baseline_leaves_the_others(void)
{
    static const char *const letters[] = {"a", "b", "c", "c", ""};
    standing s[ROWS];
    CHECK(rank(scores[0], ROWS, SEEDS, 4, s));
    for (int i = 0; i < ROWS; i++) {
        CHECK_EQUAL(s[i].verdict, VERDICT_NOT_TESTED);
        CHECK_EQUAL(s[i].why, s[i].row == 4 ? UNTESTED_FAILED : UNTESTED_BASELINE_FAILED);
        CHECK_TEXT(s[i].letters, letters[i]);
        CHECK(isnan(s[i].p_adjusted));
    }
    const double nothing[] = {(double)NAN, (double)NAN, (double)NAN, 0.5};
    CHECK(rank(nothing, 2, 2, 0, s));
    CHECK(s[0].row == 1 && s[1].row == 0 && isnan(s[1].score.mean) && s[1].failures == 2);
}

static void leaderboard_of_little_or_equal_claims_nothing(void)
{
    const double equal[] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
    const double few[] = {0.9, 0.91, 0.5, 0.51, 0.1, 0.12};
    standing s[3];
    CHECK(rank(equal, 3, 3, 1, s));
    for (int i = 0; i < 3; i++)
        CHECK(s[i].rank == 1 && strcmp(s[i].letters, "a") == 0 &&
              s[i].verdict == (s[i].row == 1 ? VERDICT_BASELINE : VERDICT_NOT_SHOWN));
    for (int seeds = 1; seeds < FEWEST_SEEDS; seeds++) {
        CHECK(rank(few, 3, seeds, 0, s));
        for (int i = 0; i < 3; i++)
            CHECK(s[i].rank == i + 1 && !*s[i].letters && isnan(s[i].p_adjusted) &&
                  (s[i].row == 0 ? s[i].verdict == VERDICT_BASELINE
                                 : s[i].why == UNTESTED_FEW_SEEDS));
    }
    CHECK(rank(few, 1, 3, 0, s) && s[0].verdict == VERDICT_BASELINE);
}

/* Where the baseline scatters it hides nothing but itself. */
static void collapsing_baseline_hides_no_other_pair(void)
{
    const double out[3][5] = {{.60, .95, .20, .93, .90},
                              {.950, .951, .949, .9505, .9495},
                              {.9302, .9308, .9290, .9303, .9297}};
    standing s[3];
    CHECK(rank(out[0], 3, 5, 0, s));
    CHECK_TEXT(s[0].letters, "a");
    CHECK_TEXT(s[1].letters, "b");
    CHECK_TEXT(s[2].letters, "ab");
    CHECK(s[0].row == 1 && s[0].verdict == VERDICT_NOT_SHOWN && s[0].could_show > 0.5);
}

/* A row that scatters stands where its mean does, with every letter: it ties with nobody at the top. And of
 * one winner and seven that are like each other, the seven have one letter. */
static void letters_are_no_tiers(void)
{
    const double wild[3][5] = {{.950, .951, .949, .9505, .9495},
                               {.99, .21, .98, .96, .90},
                               {.9302, .9308, .9290, .9303, .9297}};
    double out[PLUGINS_AT_ONCE][5];
    standing s[PLUGINS_AT_ONCE];
    CHECK(rank(wild[0], 3, 5, 0, s));
    CHECK(s[0].row == 0 && s[1].row == 2 && s[2].row == 1);
    CHECK_TEXT(s[0].letters, "a");
    CHECK_TEXT(s[1].letters, "b");
    CHECK_TEXT(s[2].letters, "ab");
    for (int i = 0; i < PLUGINS_AT_ONCE; i++)
        for (int k = 0; k < 5; k++)
            out[i][k] = 0.9 + (i == 3 ? 0.02 : 0) + 1e-4 * ((i * 7 + k * 3) % 5);
    CHECK(rank(out[0], PLUGINS_AT_ONCE, 5, 0, s));
    CHECK(s[0].row == 3);
    CHECK_TEXT(s[0].letters, "a");
    for (int i = 1; i < PLUGINS_AT_ONCE; i++)
        CHECK_TEXT(s[i].letters, "b");
}

/* Two rows at the floor of 0.4, one of them the baseline; one above. */
static void rows_at_the_floor_have_not_learned(void)
{
    const double out[3][5] = {
        {.40, .41, .40, .39, .40}, {.42, .43, .39, .37, .41}, {.60, .61, .60, .60, .59}};
    score_table table = {.scores = out[0], .rows = 3, .seeds = 5, .baseline = 0, .floor = 0.4};
    standing s[3];
    CHECK(stats_leaderboard(&table, s));
    CHECK(s[0].learned && s[0].verdict == VERDICT_BETTER);
    CHECK(!s[1].learned && s[1].why == UNTESTED_NEITHER_LEARNED && !s[2].learned);
    CHECK(s[2].verdict == VERDICT_BASELINE);
    const double low[2][5] = {{.40, .40, .40, .40, .40}, {.38, .38, .38, .38, .381}};
    table.scores = low[0];
    table.rows = 2;
    CHECK(stats_leaderboard(&table, s));
    CHECK(s[1].verdict == VERDICT_NOT_TESTED && s[1].why == UNTESTED_NONE_LEARNED &&
          !*s[1].letters);
}

static void same_nets_are_no_test(void)
{
    double out[3][SEEDS];
    memcpy(out[0], scores[0], sizeof out[0]);
    memcpy(out[1], scores[1], sizeof out[1]);
    memcpy(out[2], scores[0], sizeof out[2]);
    const int same_net[] = {0, 1, 0};
    const score_table table = {
        .scores = out[0], .rows = 3, .seeds = SEEDS, .floor = UNKNOWN, .same_net = same_net};
    standing s[3];
    CHECK(stats_leaderboard(&table, s));
    CHECK(s[2].row == 2 && s[2].why == UNTESTED_SAME_NET && !*s[2].letters);
    CHECK_NEAR(s[0].p_adjusted, stats_paired_p(out[1], out[0], SEEDS), 1e-15); /* the only test */
}

/* ---- Simulated sweeps: tests/experiments/claims.c has more -------------------------------------
 */

enum { PLUGINS = 8, MOST = 40 };

/* Accuracies: a seed's effect that all rows share, and noise of deviation 1 / sqrt 2 a row, so that
 * differences of two rows have deviation 1. */
static void simulate(double *out, int seeds, const double *effect, uint64_t *at)
{
    for (int s = 0; s < seeds; s++) {
        double shared = 3 * normal(at);
        for (int row = 0; row < PLUGINS; row++)
            out[row * seeds + s] = 90 + shared + effect[row] + normal(at) / sqrt(2);
    }
}

/* Rows `from` to the last have no difference; whether one of them is told from another. */
static bool tells_apart(const standing *s, int from)
{
    for (int i = 0; i < PLUGINS; i++)
        for (int j = i + 1; j < PLUGINS; j++)
            if (s[i].row >= from && s[j].row >= from && !share_a_letter(s[i].letters, s[j].letters))
                return true;
    return false;
}

/* All equal; and all but a baseline that is far behind. */
static void equal_rows_are_told_apart_in_few_sweeps(void)
{
    static const double effects[2][PLUGINS] = {{0}, {-40}};
    double out[PLUGINS * 5];
    standing s[PLUGINS];
    uint64_t at = 0;
    for (int far = 0; far < 2; far++) {
        int claims = 0;
        for (int sweep = 0; sweep < 500; sweep++) {
            simulate(out, 5, effects[far], &at);
            CHECK(rank(out, PLUGINS, 5, 0, s));
            CHECK(!far || s[0].verdict == VERDICT_BETTER);
            claims += tells_apart(s, far);
        }
        printf("  %d of 500 sweeps tell equal rows apart\n", claims);
        CHECK(claims <= 36 && claims > 3);
    }
}

static bool finds_the_last(const double *out, int seeds)
{
    standing s[PLUGINS];
    CHECK(rank(out, PLUGINS, seeds, 0, s));
    for (int i = 0; i < PLUGINS; i++)
        if (s[i].row == PLUGINS - 1)
            return s[i].verdict == VERDICT_BETTER;
    return false;
}

static void planted_difference_is_found_at_the_seeds_for_it(void)
{
    static const double effect[PLUGINS] = {[PLUGINS - 1] = 1.5};
    double out[PLUGINS * MOST];
    uint64_t at = 1u << 31;
    int seeds = stats_seeds_for_effect(1.5, SIGNIFICANCE / (PLUGINS - 1)), found = 0;
    for (int sweep = 0; sweep < 300; sweep++) {
        simulate(out, seeds, effect, &at);
        found += finds_the_last(out, seeds);
    }
    printf("  found in %d of 300 sweeps of %d seeds\n", found, seeds);
    CHECK(found >= 240);
}

/* A sweep of five seeds, and the recommendation it gives, which is a guess; never more than 40. */
static void planted_difference_is_found_at_the_recommended_seeds(void)
{
    static const double effect[PLUGINS] = {[PLUGINS - 1] = 1.5};
    double out[PLUGINS * MOST];
    uint64_t at = 3u << 30;
    int found = 0, total = 0;
    for (int sweep = 0; sweep < 300; sweep++) {
        simulate(out, 5, effect, &at);
        int seeds =
            stats_paired_compare(out + (PLUGINS - 1) * 5, out, 5, SIGNIFICANCE / (PLUGINS - 1))
                .seeds_needed;
        seeds = seeds < 2 || seeds > MOST ? MOST : seeds;
        total += seeds;
        simulate(out, seeds, effect, &at);
        found += finds_the_last(out, seeds);
    }
    printf("  found in %d of 300 sweeps of %d seeds on average\n", found, total / 300);
    CHECK(found >= 240);
}

/* ---- A published table ------------------------------------------------------------------------
 */

/* Of the README of the Mish repository (Misra 2019): test accuracy in %, SqueezeNet, CIFAR-10, 23
 * runs each, every activation against Mish with 87.48 +- 0.3967: p, Cohen's d, and the 95 %
 * interval of the difference. The runs were not paired, so its test is Student's for two samples.
 */
typedef struct published {
    const char *activation;
    double mean, sd, p, d, low, high;
} published;

static const published baseline_row = {"Mish", 87.48, 0.3967, 0, 0, 0, 0};
enum { RUNS = 23 };

static const published table[] = {
    {"Swish-1", 87.32, 0.414, 0.1973, 0.386, -0.3975, 0.0844},
    {"E-Swish", 87.49, 0.411, 0.9075, 0.034444, -0.2261, 0.2539},
    {"GELU", 87.37, 0.472, 0.4003, 0.250468, -0.3682, 0.1499},
    {"ReLU", 86.66, 0.584, 0, 1.645536, -1.1179, -0.5247},
    {"ELU", 86.41, 0.3371, 0, 2.918232, -1.2931, -0.8556},
    {"LeakyReLU.3", 86.85, 0.4569, 0, 1.47632, -0.8860, -0.3774},
    {"RReLU", 86.87, 0.4478, 0, 1.444091, -0.8623, -0.3595},
    {"SELU", 83.91, 0.5995, 0, 7.020812, -3.8713, -3.2670},
    {"Softplus", 83.004, 1.4015, 0, 4.345453, -4.7778, -4.1735},
    {"HardShrink", 75.03, 0.98345, 0, 16.601747, -12.8948, -12.0035},
    {"Hardtanh", 82.78, 0.4491, 0, 11.093842, -4.9522, -4.4486},
    {"LogSigmoid", 81.98, 1.6751, 0, 4.517156, -6.2221, -4.7753},
    {"PReLU", 85.66, 2.2406, 0.0004, 1.128135, -2.7715, -0.8590},
    {"ReLU6", 86.75, 0.4501, 0, 1.711482, -0.9782, -0.4740},
    {"CELU", 86.23, 0.50941, 0, 2.741669, -1.5231, -0.9804},
    {"Sigmoid", 74.82, 5.7662, 0, 3.098289, -15.0915, -10.2337},
    {"Softshrink", 82.35, 0.71959, 0, 8.830541, -5.4762, -4.7856},
    {"Tanhshrink", 82.35, 0.94508, 0, 7.083564, -5.5646, -4.7032},
    {"Tanh", 83.15, 0.6887, 0, 7.700198, -4.6618, -3.9938},
    {"Softsign", 82.66, 0.6697, 0, 8.761157, -5.1493, -4.4951},
    {"Aria-2", 81.31, 2.35475, 0, 3.655362, -7.1757, -5.1687},
    {"Bent", 85.03, 0.60404, 0, 4.80211, -2.7576, -2.1502},
    {"SQNL", 83.44, 0.46819, 0, 9.317237, -4.3009, -3.7852},
    {"ELiSH", 87.38, 0.47731, 0.4283, 0.235784, -0.3643, 0.1573},
    {"HardELiSH", 85.89, 0.62245, 0, 3.048849, -1.9015, -1.2811},
    {"SReLU", 85.05, 0.5826, 0, 4.883831, -2.7306, -2.1381},
    {"ISRU", 86.85, 0.1106, 0, 5.302987, -4.4855, -3.5815},
    {"FlattenTSwish", 86.93, 0.40047, 0, 1.378742, -0.7865, -0.3127},
    {"SineReLU", 86.48, 0.88062, 0, 1.461675, -1.4041, -0.5924},
    {"WeightedTanh", 80.66, 1.19868, 0, 7.638298, -7.3502, -6.2890},
    {"LeCunTanh", 82.72, 0.58256, 0, 9.551812, -5.0566, -4.4642},
    {"SoftClipping", 55.21, 10.831994, 0, 4.210373, -36.8255, -27.7154},
    {"ISRLU", 86.69, 0.5788, 0, 1.572874, -1.0753, -0.4856},
};
enum { PUBLISHED = sizeof table / sizeof *table };

/* Whether what a row says of itself agrees: means were rounded to 0.01, the others further. */
static bool is_consistent(const published *row)
{
    double middle = (row->low + row->high) / 2, half = (row->high - row->low) / 2;
    double pooled = sqrt((row->sd * row->sd + baseline_row.sd * baseline_row.sd) / 2);
    double error = pooled * sqrt(2.0 / RUNS), df = 2 * RUNS - 2;
    double p = 2 * stats_student_cdf(-fabs(middle) / error, df);
    return fabs(row->mean - baseline_row.mean - middle) <= 0.0101 &&
           fabs(stats_student_quantile(0.975, df) * error / half - 1) <= 0.001 &&
           fabs(fabs(middle) / pooled / row->d - 1) <= 0.002 && fabs(p - row->p) <= 0.0003;
}

static void published_table_is_recomputed(void)
{
    char contradictions[100] = "";
    CHECK_EQUAL(PUBLISHED, 33);
    for (int i = 0; i < PUBLISHED; i++) {
        if (is_consistent(&table[i]))
            continue;
        strcat(contradictions, table[i].activation);
        strcat(contradictions, " ");
        if (strlen(contradictions) > 60)
            break; /* the text is full */
    }
    CHECK_TEXT(contradictions, "Softplus ISRU ");
}

/* What our rules say of the published figures: after Holm's correction, no difference from Mish is shown
 * of four rows. */
static void published_claims_survive_holm(void)
{
    double p[PUBLISHED], adjusted[PUBLISHED];
    char left[100] = "";
    for (int i = 0; i < PUBLISHED; i++) {
        double variance = (table[i].sd * table[i].sd + baseline_row.sd * baseline_row.sd) / RUNS;
        p[i] = 2 * stats_student_cdf(-fabs(table[i].mean - baseline_row.mean) / sqrt(variance),
                                     2 * RUNS - 2);
    }
    stats_holm_adjust(p, PUBLISHED, adjusted);
    for (int i = 0; i < PUBLISHED; i++)
        if (adjusted[i] > SIGNIFICANCE && strlen(left) < 60) {
            strcat(left, table[i].activation);
            strcat(left, " ");
        }
    CHECK_TEXT(left, "Swish-1 E-Swish GELU ELiSH ");
}

int main(void)
{
    RUN(distributions_have_known_values);
    RUN(student_has_its_closed_forms);
    RUN(sample_is_described);
    RUN(bootstrap_is_near_the_exact_one);
    RUN(pairs_have_known_values);
    RUN(student_s_sleep_is_told_apart);
    RUN(signed_ranks_are_exact);
    RUN(signed_ranks_know_their_floor);
    RUN(holm_is_right_by_hand);
    RUN(seeds_are_those_of_the_power_tables);
    RUN(too_little_is_no_claim);
    RUN(equal_differences_are_counted_not_divided);
    RUN(sign_flips_are_exact);
    RUN(tests_part_where_one_seed_collapsed);
    RUN(effect_shown_is_that_of_the_seeds);
    RUN(looking_after_every_seed_is_allowed);
    RUN(levels_of_a_ledger_add_up);
    RUN(ledgers_seldom_hold_a_false_keep);
    RUN(a_race_ends_once);
    RUN(family_is_right_by_hand);
    RUN(letters_say_what_is_apart);
    RUN(letters_go_on_after_z);
    RUN(leaderboard_orders_and_judges);
    RUN(leaderboard_ignores_the_order_of_rows);
    RUN(failed_baseline_leaves_the_others);
    RUN(leaderboard_of_little_or_equal_claims_nothing);
    RUN(collapsing_baseline_hides_no_other_pair);
    RUN(letters_are_no_tiers);
    RUN(rows_at_the_floor_have_not_learned);
    RUN(same_nets_are_no_test);
    RUN(equal_rows_are_told_apart_in_few_sweeps);
    RUN(planted_difference_is_found_at_the_seeds_for_it);
    RUN(planted_difference_is_found_at_the_recommended_seeds);
    RUN(published_table_is_recomputed);
    RUN(published_claims_survive_holm);
    return check_result();
}
