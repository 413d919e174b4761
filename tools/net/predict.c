/* hillock predict: classes and probabilities for the test images. */
#include "net/network.h"
#include "output.h"

#include <math.h>
#include <stdlib.h>

enum { BATCH = 256 };

typedef struct prediction {
    const network *it;
    const hk_data *test;
    int classes;
    float *x, *y; /* BATCH images, their logits, then probabilities */
    int32_t *labels;
} prediction;

static int likeliest(int n, const float *y)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = y[i] > y[best] ? i : best;
    return best;
}

/* Probabilities of images first .. first + n - 1. */
static int predict(const prediction *p, int64_t first, int64_t n)
{
    uint32_t index[BATCH];
    for (int64_t i = 0; i < n; i++)
        index[i] = (uint32_t)(first + i);
    hk_data_read(p->test, index, n, p->x, p->labels);
    if (hk_net_predict(p->it->logits, n, p->x, p->y) != HK_OK)
        return tool_failed();
    for (int64_t i = 0; i < n; i++) {
        float *y = p->y + i * p->classes, top = y[likeliest(p->classes, y)];
        double sum = 0;
        for (int k = 0; k < p->classes; k++)
            sum += exp((double)(y[k] - top));
        for (int k = 0; k < p->classes; k++)
            y[k] = (float)(exp((double)(y[k] - top)) / sum);
    }
    return EXIT_DONE;
}

static json_t *image_json(const prediction *p, int64_t index, int32_t label, const float *y)
{
    json_t *all = json_array();
    int best = likeliest(p->classes, y);
    for (int i = 0; i < p->classes; i++)
        json_array_append_new(all, tool_json_number((double)y[i]));
    return json_pack("{s:I, s:o, s:o, s:o, s:o}", "index", (json_int_t)index, "label",
                     tool_json_text(hk_data_class_name(p->test, label)), "prediction",
                     tool_json_text(hk_data_class_name(p->test, best)), "probability",
                     tool_json_number((double)y[best]), "probabilities", all);
}

static void put_class(const prediction *p, int class, const char *end)
{
    tool_put_text(stdout, hk_data_class_name(p->test, class));
    fputs(end, stdout);
}

/* All classes, the likeliest first. */
static int predict_one(const prediction *p, const options *given)
{
    int status = predict(p, given->index, 1);
    if (status)
        return status;
    if (given->json)
        return tool_json_print(image_json(p, given->index, p->labels[0], p->y));
    printf("image %lld, labelled ", (long long)given->index);
    put_class(p, p->labels[0], "\n");
    for (int rank = 0; rank < p->classes; rank++) {
        int best = likeliest(p->classes, p->y);
        printf("%.6f\t", (double)p->y[best]);
        put_class(p, best, "\n");
        p->y[best] = -1;
    }
    return EXIT_DONE;
}

static int predict_all(const prediction *p, const options *given, int64_t images)
{
    json_t *all = json_array();
    int status = EXIT_DONE;
    if (!given->json)
        printf("index\tprediction\tprobability\tlabel\n");
    for (int64_t first = 0; first < images && !status; first += BATCH) {
        int64_t n = images - first < BATCH ? images - first : BATCH;
        status = predict(p, first, n);
        for (int64_t i = 0; i < n && !status; i++) {
            const float *y = p->y + i * p->classes;
            int best = likeliest(p->classes, y);
            if (given->json) {
                json_array_append_new(all, image_json(p, first + i, p->labels[i], y));
                continue;
            }
            printf("%lld\t", (long long)(first + i));
            put_class(p, best, "\t");
            printf("%.6f\t", (double)y[best]);
            put_class(p, p->labels[i], "\n");
        }
    }
    if (!given->json || status) {
        json_decref(all);
        return status;
    }
    return tool_json_print(json_pack("{s:o}", "predictions", all));
}

static int predict_with(const network *it, const options *given, const hk_data *test)
{
    hk_data_shape s = hk_data_shape_of(test);
    prediction p = {it, test, s.classes, NULL, NULL, NULL};
    if (given->index >= s.n)
        return tool_fail(EXIT_USAGE,
                         "predict: --index is %lld, the test data have images 0 to %lld",
                         (long long)given->index, (long long)s.n - 1);
    p.x = calloc((size_t)BATCH * (size_t)s.height * (size_t)s.width,
                 (size_t)s.channels * sizeof *p.x);
    p.y = calloc(BATCH * (size_t)s.classes, sizeof *p.y);
    p.labels = calloc(BATCH, sizeof *p.labels);
    int status;
    if (!p.x || !p.y || !p.labels)
        status = tool_fail(EXIT_FAILED, "predict: out of memory for %d images", BATCH);
    else
        status = given->index >= 0 ? predict_one(&p, given) : predict_all(&p, given, s.n);
    free(p.x);
    free(p.y);
    free(p.labels);
    return status;
}

int net_predict_command(options *given)
{
    return net_run_on_saved(given, predict_with);
}
