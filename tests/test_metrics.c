/* Metrics against numbers worked out by hand, the area under the curve against counting pairs. */
#include "check.h"
#include "refuse.h"
#include "core/base.h"

#include <hillock/random.h>
#include <hillock/train.h>
#include <stdlib.h>

/* Three classes, six samples; the guesses are 0 1 2 2 0 0 (the last a tie of all three):
 *   true 0: guessed 0, 0    true 1: guessed 1, 2    true 2: guessed 2, 0 */
static const float logits[6][3] = {
    {2, 0, 0}, {0, 2, 0}, {0, 0, 2}, {0, 1, 2}, {3, 0, 1}, {5, 5, 5},
};
static const int32_t labels[6] = {0, 1, 2, 1, 2, 0};

static void counts_by_hand(void)
{
    hk_evaluation e;
    CHECK_EQUAL(hk_evaluation_from(6, 3, logits[0], labels, &e), HK_OK);
    static const int64_t confusion[9] = {2, 0, 0, 0, 1, 1, 1, 0, 1};
    CHECK_EQUAL(e.classes, 3);
    CHECK_EQUAL(e.total.n, 6);
    CHECK(memcmp(e.confusion, confusion, sizeof confusion) == 0);
    CHECK_NEAR(e.total.accuracy, 4.0 / 6, 1e-15);
    CHECK_NEAR(e.precision[0], 2.0 / 3, 1e-15);
    CHECK_NEAR(e.precision[1], 1, 1e-15);
    CHECK_NEAR(e.precision[2], 0.5, 1e-15);
    CHECK_NEAR(e.recall[0], 1, 1e-15);
    CHECK_NEAR(e.recall[1], 0.5, 1e-15);
    CHECK_NEAR(e.recall[2], 0.5, 1e-15);
    CHECK_NEAR(e.f1[0], 0.8, 1e-15);
    CHECK_NEAR(e.f1[1], 2.0 / 3, 1e-15);
    CHECK_NEAR(e.f1[2], 0.5, 1e-15);
    CHECK_NEAR(e.total.macro_f1, (0.8 + 2.0 / 3 + 0.5) / 3, 1e-15);
    double one_of = log(exp(2) + 2), ramp = log(1 + exp(1) + exp(2));
    double miss = log(exp(3) + 1 + exp(1));
    double loss = 3 * (one_of - 2) + (ramp - 1) + (miss - 1) + log(3);
    CHECK_NEAR(e.total.loss, loss / 6, 1e-14);
    hk_evaluation_clear(&e);
    CHECK(!e.confusion && !e.auc && e.classes == 0);
    hk_evaluation_clear(&e);
}

/* p[0] in order: samples 3 (.09), 1 and 2 (.107), 5 (1/3), 0 (.787), 4 (.844). Positives 5 and 0
 * have ranks 4 and 5: (9 - 3) / (2 * 4). For class 1: p[1] is .042 for 4, .107 for 0 and 2, .245
 * for 3, 1/3 for 5, .787 for 1; positives 3 and 1 have ranks 4 and 6: (10 - 3) / 8. For class 2:
 * .107 for 0 and 1, .114 for 4, 1/3 for 5, .665 for 3, .787 for 2; 4 and 2: 3 + 6: (9 - 3) / 8. */
static void areas_by_hand(void)
{
    hk_evaluation e;
    CHECK_EQUAL(hk_evaluation_from(6, 3, logits[0], labels, &e), HK_OK);
    CHECK_NEAR(e.auc[0], 0.75, 1e-15);
    CHECK_NEAR(e.auc[1], 0.875, 1e-15);
    CHECK_NEAR(e.auc[2], 0.75, 1e-15);
    CHECK_NEAR(e.total.auc, (0.75 + 0.875 + 0.75) / 3, 1e-15);
    hk_evaluation_clear(&e);
}

static void ties_count_half(void)
{
    const float flat[4][2] = {{1, 1}, {1, 1}, {1, 1}, {1, 1}};
    const int32_t truth[4] = {0, 1, 1, 0};
    hk_evaluation e;
    CHECK_EQUAL(hk_evaluation_from(4, 2, flat[0], truth, &e), HK_OK);
    CHECK_NEAR(e.total.auc, 0.5, 1e-15);
    CHECK_NEAR(e.total.accuracy, 0.5, 1e-15); /* the first maximum wins */
    CHECK_EQUAL(e.confusion[0], 2);
    CHECK_EQUAL(e.confusion[2], 2);
    hk_evaluation_clear(&e);
}

/* The definition: the share of pairs (positive, negative) in the right order, ties half. */
static void areas_match_counting_pairs(void)
{
    enum { N = 200, K = 2 };
    static float z[N][K];
    static int32_t truth[N];
    for (int i = 0; i < N; i++) {
        truth[i] = (int32_t)(hks_bits(7, (uint64_t)i) % K);
        for (int c = 0; c < K; c++) /* coarse, so that there are ties */
            z[i][c] = floorf(4 * hks_uniform(9, (uint64_t)(i * K + c))) + (truth[i] == c);
    }
    hk_evaluation e;
    CHECK_EQUAL(hk_evaluation_from(N, K, z[0], truth, &e), HK_OK);
    for (int c = 0; c < K; c++) {
        double right = 0, pairs = 0, ties = 0;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                if (truth[i] != c || truth[j] == c)
                    continue;
                double a = 0, b = 0;
                for (int k = 0; k < K; k++) {
                    a += exp((double)(z[i][k] - z[i][c]));
                    b += exp((double)(z[j][k] - z[j][c]));
                }
                bool tie = fabs(a - b) < 1e-9 * a;
                pairs++;
                ties += tie;
                right += tie ? 0.5 : a < b;
            }
        CHECK(ties > 10);
        CHECK_NEAR(e.auc[c], right / pairs, 1e-12);
    }
    hk_evaluation_clear(&e);
}

static void absent_classes_have_no_area(void)
{
    const float z[3][4] = {{3, 0, 0, 0}, {0, 3, 0, 0}, {0, 3, 1, 0}};
    const int32_t truth[3] = {0, 1, 1};
    hk_evaluation e;
    CHECK_EQUAL(hk_evaluation_from(3, 4, z[0], truth, &e), HK_OK);
    CHECK(isnan(e.auc[2]) && isnan(e.auc[3]));
    CHECK_NEAR(e.total.auc, 1, 0);
    CHECK_NEAR(e.precision[3], 0, 0);
    CHECK_NEAR(e.f1[3], 0, 0);
    CHECK_NEAR(e.total.macro_f1, 1, 1e-15); /* over the two that occur */
    CHECK_NEAR(e.total.floor, 2.0 / 3, 1e-15);
    hk_evaluation_clear(&e);
    const int32_t one_class[3] = {1, 1, 1};
    CHECK_EQUAL(hk_evaluation_from(3, 4, z[0], one_class, &e), HK_OK);
    CHECK(isnan(e.total.auc) && isnan(e.auc[1]));
    hk_evaluation_clear(&e);
}

static void large_and_broken_logits(void)
{
    const float large[2][2] = {{3e38f, -3e38f}, {1000, 999}};
    const float broken[2][2] = {{0, 1}, {NAN, 1}};
    const int32_t truth[2] = {0, 1};
    hk_evaluation e;
    CHECK_EQUAL(hk_evaluation_from(2, 2, large[0], truth, &e), HK_OK);
    CHECK_NEAR(e.total.loss, log(1 + exp(1)) / 2, 1e-12);
    hk_evaluation_clear(&e);
    CHECK_EQUAL(hk_evaluation_from(2, 2, broken[0], truth, &e), HK_OK);
    CHECK(!isfinite(e.total.loss) && isnan(e.total.auc) && isnan(e.auc[0]));
    hk_evaluation_clear(&e);
}

static void bad_arguments_are_told(void)
{
    hk_evaluation e;
    const int32_t high[6] = {0, 1, 3, 1, 2, 0}, low[6] = {0, 1, 2, 1, 2, -1};
    CHECK_EQUAL(hk_evaluation_from(6, 3, logits[0], high, &e), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "label 3 of sample 2 is not in 0..2");
    CHECK_EQUAL(hk_evaluation_from(6, 3, logits[0], low, &e), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "label -1 of sample 5");
    CHECK_EQUAL(hk_evaluation_from(0, 3, logits[0], labels, &e), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_evaluation_from(6, 0, logits[0], labels, &e), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_evaluation_from(6, 3, NULL, labels, &e), HK_BAD_ARGUMENT);
    CHECK(!e.confusion);
}

/* ---- Refused memory -------------------------------------------------------------------------- */

static void each_refused_allocation(void)
{
    hk_set_allocator(&countdown);
    for (long k = 0;; k++) {
        hk_evaluation e;
        allocations_left = k;
        hk_status status = hk_evaluation_from(6, 3, logits[0], labels, &e);
        if (status == HK_OK) {
            CHECK_EQUAL(k, 7);
            hk_evaluation_clear(&e);
            break;
        }
        CHECK(status == HK_NO_MEMORY && !e.confusion && !e.auc);
        CHECK_EQUAL(hki_live_blocks(), 0);
    }
    CHECK_EQUAL(hki_live_blocks(), 0);
    hk_set_allocator(NULL);
}

int main(void)
{
    RUN(counts_by_hand);
    RUN(areas_by_hand);
    RUN(ties_count_half);
    RUN(areas_match_counting_pairs);
    RUN(absent_classes_have_no_area);
    RUN(large_and_broken_logits);
    RUN(bad_arguments_are_told);
    RUN(each_refused_allocation);
    return check_result();
}
