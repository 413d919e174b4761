/* hillock predict: classes and probabilities of pictures, tables or test images, in their order. */
#include "net/network.h"
#include "output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256 };

typedef struct prediction {
    const network *it;
    const options *given;
    const hk_data *data;
    int classes;
    bool regression;
    float *x, *y; /* BATCH samples, their probabilities, or numbers */
    int32_t *labels;
    json_t *rows; /* --json; NULL: lines */
} prediction;

static int likeliest(int n, const float *y)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = y[i] > y[best] ? i : best;
    return best;
}

/* Probabilities of samples first .. first + n - 1. */
static int predict(const prediction *p, int64_t first, int64_t n)
{
    uint32_t index[BATCH];
    for (int64_t i = 0; i < n; i++)
        index[i] = (uint32_t)(first + i);
    hk_data_read(p->data, index, n, p->x, p->labels);
    hk_status status = p->regression ? hk_net_estimate(p->it->logits, n, p->x, p->y)
                                     : hk_net_classify(p->it->logits, n, p->x, p->y);
    return status == HK_OK ? EXIT_DONE : tool_failed();
}

static json_t *sample_json(const prediction *p, int64_t index, int32_t label, const float *y)
{
    const char *name = hk_data_sample_name(p->data, index);
    if (p->regression) {
        json_t *row = json_pack("{s:I, s:o, s:o}", "index", (json_int_t)index, "target",
                                tool_json_number(hk_data_target(p->data, index)), "prediction",
                                tool_json_number((double)*y));
        if (*name)
            json_object_set_new(row, "name", tool_json_text(name));
        return row;
    }
    json_t *all = json_array();
    int best = likeliest(p->classes, y);
    for (int i = 0; i < p->classes; i++)
        json_array_append_new(all, tool_json_number((double)y[i]));
    json_t *row =
        json_pack("{s:I, s:o, s:o, s:o, s:o}", "index", (json_int_t)index, "label",
                  label < 0 ? json_null() : tool_json_text(hk_data_class_name(p->data, label)),
                  "prediction", tool_json_text(hk_data_class_name(p->data, best)), "probability",
                  tool_json_number((double)y[best]), "probabilities", all);
    if (*name)
        json_object_set_new(row, "name", tool_json_text(name));
    return row;
}

/* A field of a line: a name as it is, in a CSV quoted where RFC 4180 asks for it. */
static void put_field(const prediction *p, const char *text, bool last)
{
    const char delimiter = p->given->csv ? ',' : '\t';
    if (!p->given->csv || !strpbrk(text, ",\"\n\r")) {
        tool_put_text(stdout, text);
    } else {
        putchar('"');
        for (; *text; text++)
            printf(*text == '"' ? "\"\"" : "%c", *text);
        putchar('"');
    }
    putchar(last ? '\n' : delimiter);
}

/* A number to learn, or "" where it is not known. */
static const char *number_text(double value, char text[32])
{
    text[0] = '\0';
    if (!isnan(value))
        snprintf(text, 32, "%.7g", value);
    return text;
}

static void put_sample(const prediction *p, int64_t index, int32_t label, const float *y)
{
    char text[32];
    int best = likeliest(p->classes, y);
    const char *name = hk_data_sample_name(p->data, index);
    snprintf(text, sizeof text, "%lld", (long long)index);
    put_field(p, *name ? name : text, false);
    if (p->regression) {
        put_field(p, number_text((double)*y, text), false);
        put_field(p, number_text(hk_data_target(p->data, index), text), true);
        return;
    }
    put_field(p, hk_data_class_name(p->data, best), false);
    snprintf(text, sizeof text, "%.6f", (double)y[best]);
    put_field(p, text, false);
    put_field(p, label < 0 ? "" : hk_data_class_name(p->data, label), true);
}

/* All classes, the likeliest first. */
static int predict_one(const prediction *p)
{
    const int64_t index = p->given->index >= 0 ? p->given->index : 0;
    const char *name = hk_data_sample_name(p->data, index);
    int status = predict(p, index, 1);
    if (status)
        return status;
    if (p->given->json)
        return tool_json_print(sample_json(p, index, p->labels[0], p->y));
    if (*name)
        tool_put_text(stdout, name);
    else
        printf("image %lld", (long long)index);
    if (p->regression) {
        char text[32];
        printf(", target %s\n", number_text(hk_data_target(p->data, index), text));
        puts(number_text((double)p->y[0], text));
        return EXIT_DONE;
    }
    fputs(p->labels[0] < 0 ? "\n" : ", labelled ", stdout);
    if (p->labels[0] >= 0) {
        tool_put_text(stdout, hk_data_class_name(p->data, p->labels[0]));
        putchar('\n');
    }
    for (int rank = 0; rank < p->classes; rank++) {
        int best = likeliest(p->classes, p->y);
        printf("%.6f\t", (double)p->y[best]);
        tool_put_text(stdout, hk_data_class_name(p->data, best));
        putchar('\n');
        p->y[best] = -1;
    }
    return EXIT_DONE;
}

static int predict_all(const prediction *p, int64_t samples)
{
    int status = EXIT_DONE;
    const char *const first_heading = *hk_data_sample_name(p->data, 0) ? "name" : "index";
    const char *const of_classes[] = {first_heading, "prediction", "probability", "label"},
                      *const of_numbers[] = {first_heading, "prediction", "target"};
    const int columns = p->regression ? 3 : 4;
    for (int i = 0; i < columns && !p->rows; i++)
        put_field(p, p->regression ? of_numbers[i] : of_classes[i], i == columns - 1);
    for (int64_t first = 0; first < samples && !status; first += BATCH) {
        int64_t n = samples - first < BATCH ? samples - first : BATCH;
        status = predict(p, first, n);
        for (int64_t i = 0; i < n && !status; i++) {
            const float *y = p->y + i * p->classes;
            if (p->rows)
                json_array_append_new(p->rows, sample_json(p, first + i, p->labels[i], y));
            else
                put_sample(p, first + i, p->labels[i], y);
        }
    }
    return status || !p->rows ? status
                              : tool_json_print(json_pack("{s:O}", "predictions", p->rows));
}

static int predict_with(const network *it, const options *given, const hk_data *data)
{
    hk_data_shape s = hk_data_shape_of(data);
    prediction p = {.it = it,
                    .given = given,
                    .data = data,
                    .classes = s.classes,
                    .regression = hk_data_is_regression(data)};
    if (given->index >= s.n)
        return tool_fail(EXIT_USAGE, "predict: --index is %lld, the data have samples 0 to %lld",
                         (long long)given->index, (long long)s.n - 1);
    const bool one = given->index >= 0 || (given->n_operands > 1 && s.n == 1 && !given->csv);
    p.x = calloc((size_t)BATCH * (size_t)s.height * (size_t)s.width,
                 (size_t)s.channels * sizeof *p.x);
    p.y = calloc(BATCH * (size_t)s.classes, sizeof *p.y);
    p.labels = calloc(BATCH, sizeof *p.labels);
    p.rows = given->json && !one ? json_array() : NULL;
    int status;
    if (!p.x || !p.y || !p.labels)
        status = tool_fail(EXIT_FAILED, "predict: out of memory for %d samples", BATCH);
    else
        status = one ? predict_one(&p) : predict_all(&p, s.n);
    json_decref(p.rows);
    free(p.x);
    free(p.y);
    free(p.labels);
    return status;
}

/* Samples of one's own: FILE, FOLDER or -. */
static int predict_samples(const options *given)
{
    network it;
    hk_data *data = NULL;
    int status =
        given->data
            ? tool_fail(EXIT_USAGE, "predict: --data and %s are two sources of samples; give one",
                        given->operands[1])
            : net_open(given->operands[0], &it);
    if (status)
        return status;
    hk_data_shape s = net_input_shape(&it);
    if (hk_data_samples(given->operands[1], hk_net_card(it.net), s.height, s.width, s.channels,
                        &data) != HK_OK)
        status = tool_failed();
    if (!status)
        status = predict_with(&it, given, data);
    net_free(&it);
    hk_data_free(data);
    return status;
}

int net_predict_command(options *given)
{
    return given->n_operands > 1 ? predict_samples(given)
                                 : net_run_on_saved(given, false, predict_with);
}
