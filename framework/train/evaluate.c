/* Running a data set through an evaluation plan. */
#include "train/evaluate.h"

#include <string.h>

#include "data/data.h"
#include "ops/ops.h"

enum { EVALUATION_BATCH = 128 };

hk_status hki_evaluation_plan(hk_tensor *logits, hk_plan **out)
{
    hk_plan_options options = {.batch = EVALUATION_BATCH, .output = logits};
    return hk_plan_new(logits->net, &options, out);
}

hk_status hki_check_data(hk_tensor *logits, const hk_data *data)
{
    const hk_tensor *input = hk_tensor_input(logits);
    hk_data_shape d = hk_data_shape_of(data);
    hk_shape images = HK_SHAPE(HK_BATCH, d.height, d.width, d.channels);
    if (!input)
        return hki_fail(HK_BAD_ARGUMENT, "the net's output is not computed from an input");
    if (hki_sample_count(&input->shape) != hki_sample_count(&images) ||
        (input->shape.ndim == 4 && !hki_same_shape(&input->shape, &images)))
        return hki_fail(HK_BAD_SHAPE, "data %s has images %s, the net expects %s",
                        hk_data_spec(data), hki_shape_text(&images), hki_shape_text(&input->shape));
    if (data->targets && (logits->shape.ndim != 2 || hki_channels(&logits->shape) != 1))
        return hki_fail(HK_BAD_SHAPE,
                        "data %s has one number to learn, expected an output [batch, 1], not %s",
                        hk_data_spec(data), hki_shape_text(&logits->shape));
    if (logits->shape.ndim != 2 || hki_channels(&logits->shape) != d.classes)
        return hki_fail(HK_BAD_SHAPE, "data %s has %d classes, the net's output is %s",
                        hk_data_spec(data), d.classes, hki_shape_text(&logits->shape));
    return HK_OK;
}

/* Which sample of the data is the i-th of `n` at equal distances. */
static int64_t sample_at(const hk_data *data, int64_t i, int64_t n)
{
    return n == data->shape.n ? i : i * data->shape.n / n;
}

static hk_status evaluate_regression(const hk_data *data, int64_t n, const float *outputs,
                                     hk_evaluation *out)
{
    float *targets = hki_alloc_array((size_t)n, sizeof *targets);
    if (!targets)
        return HK_NO_MEMORY;
    for (int64_t i = 0; i < n; i++)
        targets[i] = hki_data_standard_target(data, sample_at(data, i, n));
    *out = (hk_evaluation){.classes = 1};
    hk_status status = hk_regression_from(n, outputs, targets, &out->total);
    out->total.rmse *= data->target_deviation;
    hki_free(targets);
    return status;
}

static hk_status evaluate_classes(const hk_data *data, int64_t n, const float *outputs,
                                  hk_evaluation *out)
{
    int32_t *labels = hki_alloc_array((size_t)n, sizeof *labels);
    if (!labels)
        return HK_NO_MEMORY;
    for (int64_t i = 0; i < n; i++)
        labels[i] = data->labels[sample_at(data, i, n)];
    hk_status status = hk_evaluation_from(n, data->shape.classes, outputs, labels, out);
    hki_free(labels);
    return status;
}

hk_status hki_evaluate_by(hk_plan *plan, hk_tensor *logits, const hk_data *data, int64_t n,
                          hk_evaluation *out)
{
    const hk_tensor *input = hk_tensor_input(logits);
    const size_t pixels = (size_t)hki_sample_count(&input->shape);
    int64_t classes = hki_channels(&logits->shape);
    float *outputs = hki_alloc_array((size_t)n * (size_t)classes, sizeof *outputs);
    hk_status status = outputs ? HK_OK : HK_NO_MEMORY;
    for (int64_t done = 0, now; done < n && !status; done += now) {
        now = hki_min(n - done, EVALUATION_BATCH);
        float *x = hk_plan_value(plan, input);
        if (n == data->shape.n)
            hki_data_images(data, done, now, x);
        for (int64_t i = 0; n != data->shape.n && i < now; i++)
            hki_data_images(data, sample_at(data, done + i, n), 1, x + (size_t)i * pixels);
        status = hk_plan_forward(plan, now);
        memcpy(outputs + done * classes, hk_plan_value(plan, logits),
               (size_t)(now * classes) * sizeof *outputs);
    }
    if (!status)
        status = data->targets ? evaluate_regression(data, n, outputs, out)
                               : evaluate_classes(data, n, outputs, out);
    if (!status)
        out->total.constant = n > 1 && hki_rows_are_equal(outputs, n, classes);
    hki_free(outputs);
    return status;
}

hk_status hk_evaluate(hk_tensor *logits, const hk_data *data, hk_evaluation *out)
{
    hk_plan *plan;
    if (out)
        memset(out, 0, sizeof *out);
    if (hki_null(logits, data, out))
        return HK_BAD_ARGUMENT;
    hk_status status = hki_evaluation_plan(logits, &plan);
    if (status)
        return status;
    status = hki_check_data(logits, data);
    if (!status)
        status = hki_evaluate_by(plan, logits, data, data->shape.n, out);
    hk_plan_free(plan);
    return status;
}
