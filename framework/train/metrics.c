/* Metrics of a classifier from its logits: loss, accuracy, confusion and what follows from it, and
 * the area under the ROC curve of each class against the rest.
 *
 * The area is the Mann-Whitney statistic over the probabilities p[c], with mid-ranks for ties:
 * (R - P (P + 1) / 2) / (P N), R the sum of the ranks of the P positives among P + N samples
 * (Hanley & McNeil 1982). It takes no threshold and no trapezoids. */
#include "train/train.h"

#include <math.h>
#include <stdlib.h>

/* One sample seen from one class. */
typedef struct scored {
    double p;
    bool positive;
} scored;

static int by_probability(const void *a, const void *b)
{
    double one = ((const scored *)a)->p, other = ((const scored *)b)->p;
    return (one > other) - (one < other);
}

/* Area under the curve from samples in any order; NAN unless both sides occur. */
static double area(scored *samples, int64_t n)
{
    double ranks = 0, positives = 0;
    qsort(samples, (size_t)n, sizeof *samples, by_probability);
    for (int64_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && !(samples[end].p > samples[first].p);)
            end++;
        double middle = (double)(first + 1 + end) / 2; /* of the ranks first + 1 .. end */
        for (int64_t i = first; i < end; i++) {
            ranks += samples[i].positive ? middle : 0;
            positives += samples[i].positive;
        }
    }
    double negatives = (double)n - positives;
    if (!(positives > 0 && negatives > 0))
        return (double)NAN;
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

/* A sample's softmax is exp(z[c] - top) / sum: equal gaps give equal probabilities, to the bit. */
typedef struct softmax {
    double top, sum;
} softmax;

/* Fills loss, accuracy and confusion, and the softmax of every sample. */
static void count(int64_t n, int classes, const float *logits, const int32_t *labels, softmax *s,
                  hk_evaluation *out)
{
    double loss = 0;
    int64_t right = 0;
    for (int64_t i = 0; i < n; i++) {
        const float *z = logits + i * classes;
        int guess = 0;
        for (int c = 1; c < classes; c++)
            if (z[c] > z[guess])
                guess = c;
        s[i] = (softmax){.top = (double)z[guess]};
        for (int c = 0; c < classes; c++)
            s[i].sum += exp((double)z[c] - s[i].top);
        loss += log(s[i].sum) - ((double)z[labels[i]] - s[i].top);
        right += guess == labels[i];
        out->confusion[(int64_t)labels[i] * classes + guess]++;
    }
    out->total.n = n;
    out->total.loss = loss / (double)n;
    out->total.accuracy = (double)right / (double)n;
}

static double ratio(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

/* Precision, recall and F1 of each class, the largest share of one, and the mean F1 over those that occur or are predicted: one
 * that does neither has no F1. */
static void rate_classes(hk_evaluation *out)
{
    double sum = 0;
    int seen = 0;
    for (int c = 0; c < out->classes; c++) {
        int64_t hits = out->confusion[(int64_t)c * out->classes + c], truly = 0, predicted = 0;
        for (int k = 0; k < out->classes; k++) {
            truly += out->confusion[(int64_t)c * out->classes + k];
            predicted += out->confusion[(int64_t)k * out->classes + c];
        }
        out->precision[c] = ratio(hits, predicted);
        out->recall[c] = ratio(hits, truly);
        out->f1[c] = ratio(2 * hits, truly + predicted);
        sum += out->f1[c];
        seen += truly + predicted > 0;
        out->total.floor = fmax(out->total.floor, ratio(truly, out->total.n));
    }
    out->total.macro_f1 = sum / seen;
}

/* The areas, and their mean over the classes that have one; NAN throughout when the loss is not
 * finite, for then there are probabilities without an order. */
static void rank_classes(int64_t n, const float *logits, const int32_t *labels, const softmax *s,
                         scored *scratch, hk_evaluation *out)
{
    double sum = 0;
    int known = 0;
    bool ordered = isfinite(out->total.loss);
    for (int c = 0; c < out->classes; c++) {
        for (int64_t i = 0; i < n && ordered; i++) {
            double z = (double)logits[i * out->classes + c];
            scratch[i] = (scored){exp(z - s[i].top) / s[i].sum, labels[i] == c};
        }
        out->auc[c] = ordered ? area(scratch, n) : (double)NAN;
        if (!isnan(out->auc[c])) {
            sum += out->auc[c];
            known++;
        }
    }
    out->total.auc = known ? sum / known : (double)NAN;
    out->total.r2 = out->total.rmse = (double)NAN;
}

static hk_status check(int64_t n, int classes, const int32_t *labels)
{
    if (n < 1 || classes < 1)
        return hki_fail(HK_BAD_ARGUMENT, "evaluation: %jd samples of %d classes", (intmax_t)n,
                        classes);
    for (int64_t i = 0; i < n; i++)
        if (labels[i] < 0 || labels[i] >= classes)
            return hki_fail(HK_BAD_ARGUMENT, "evaluation: label %d of sample %jd is not in 0..%d",
                            (int)labels[i], (intmax_t)i, classes - 1);
    return HK_OK;
}

hk_status hk_evaluation_from(int64_t n, int classes, const float *logits, const int32_t *labels,
                             hk_evaluation *out)
{
    if (out)
        *out = (hk_evaluation){0};
    if (hki_null(logits, labels, out))
        return HK_BAD_ARGUMENT;
    hk_status status = check(n, classes, labels);
    if (status != HK_OK)
        return status;
    const size_t k = (size_t)classes; /* < 2^31 */
    softmax *s = hki_alloc_array((size_t)n, sizeof *s);
    scored *scratch = hki_alloc_array((size_t)n, sizeof *scratch);
    *out = (hk_evaluation){.classes = classes,
                           .confusion = hki_alloc_array(k * k, sizeof *out->confusion),
                           .precision = hki_alloc_array(k, sizeof *out->precision),
                           .recall = hki_alloc_array(k, sizeof *out->recall),
                           .f1 = hki_alloc_array(k, sizeof *out->f1),
                           .auc = hki_alloc_array(k, sizeof *out->auc)};
    if (s && scratch && out->confusion && out->precision && out->recall && out->f1 && out->auc) {
        count(n, classes, logits, labels, s, out);
        rate_classes(out);
        rank_classes(n, logits, labels, s, scratch, out);
    } else {
        status = HK_NO_MEMORY;
        hk_evaluation_clear(out);
    }
    hki_free(scratch);
    hki_free(s);
    return status;
}

hk_status hk_regression_from(int64_t n, const float *y, const float *targets, hk_metrics *out)
{
    if (out)
        *out = (hk_metrics){0};
    if (hki_null(y, targets, out))
        return HK_BAD_ARGUMENT;
    if (n < 1)
        return hki_fail(HK_BAD_ARGUMENT, "evaluation: %jd samples", (intmax_t)n);
    double mean = 0, about_mean = 0, about_zero = 0, errors = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(targets[i]))
            return hki_fail(HK_BAD_ARGUMENT, "evaluation: the target of sample %jd is not known",
                            (intmax_t)i);
        mean += (double)targets[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        const double target = (double)targets[i], error = (double)y[i] - target;
        errors += error * error;
        about_zero += target * target;
        about_mean += (target - mean) * (target - mean);
    }
    const double none = (double)NAN;
    *out = (hk_metrics){.n = n,
                        .regression = 1,
                        .loss = errors / (double)n,
                        .accuracy = none,
                        .macro_f1 = none,
                        .auc = none,
                        .floor = about_mean > 0 ? 1 - about_zero / about_mean : none,
                        .r2 = about_mean > 0 ? 1 - errors / about_mean : none,
                        .rmse = sqrt(errors / (double)n)};
    return HK_OK;
}

void hk_evaluation_clear(hk_evaluation *evaluation)
{
    if (!evaluation)
        return;
    hki_free(evaluation->confusion);
    hki_free(evaluation->precision);
    hki_free(evaluation->recall);
    hki_free(evaluation->f1);
    hki_free(evaluation->auc);
    *evaluation = (hk_evaluation){0};
}
