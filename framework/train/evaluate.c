/* Running a data set through an evaluation plan. */
#include "train/evaluate.h"

#include <string.h>

#include "ops/ops.h"

enum { EVALUATION_BATCH = 128 };

hk_status hki_evaluator_new(hk_tensor *logits, hki_evaluator *out)
{
    *out = (hki_evaluator){.logits = logits, .input = hk_tensor_input(logits)};
    hk_plan_options options = {.batch = EVALUATION_BATCH, .output = logits};
    hk_status status = hk_plan_new(logits->net, &options, &out->plan);
    if (status)
        hki_evaluator_clear(out);
    return status;
}

void hki_evaluator_clear(hki_evaluator *e)
{
    hk_plan_free(e->plan);
    hki_free(e->outputs);
    hki_free(e->labels);
    *e = (hki_evaluator){0};
}

hk_status hki_check_data(const hk_tensor *input, const hk_tensor *logits, const hk_data *data)
{
    hk_data_shape d = hk_data_shape_of(data);
    hk_shape images = HK_SHAPE(HK_BATCH, d.height, d.width, d.channels);
    if (!input)
        return hki_fail(HK_BAD_ARGUMENT, "the net's output is not computed from an input");
    if (hki_sample_count(&input->shape) != hki_sample_count(&images) ||
        (input->shape.ndim == 4 && !hki_same_shape(&input->shape, &images)))
        return hki_fail(HK_BAD_SHAPE, "data %s has images %s, the net expects %s",
                        hk_data_spec(data), hki_shape_text(&images),
                        hki_shape_text(&input->shape));
    if (logits->shape.ndim != 2 || hki_channels(&logits->shape) != d.classes)
        return hki_fail(HK_BAD_SHAPE, "data %s has %d classes, the net's output is %s",
                        hk_data_spec(data), d.classes, hki_shape_text(&logits->shape));
    return HK_OK;
}

/* Room for the logits and labels of n samples, kept for the next evaluation. */
static hk_status reserve(hki_evaluator *e, int64_t n)
{
    if (n <= e->room)
        return HK_OK;
    size_t classes = (size_t)hki_channels(&e->logits->shape);
    float *outputs = hki_alloc_array((size_t)n * classes, sizeof *outputs);
    int32_t *labels = hki_alloc_array((size_t)n, sizeof *labels);
    if (!outputs || !labels) {
        hki_free(outputs);
        hki_free(labels);
        return HK_NO_MEMORY;
    }
    hki_free(e->outputs);
    hki_free(e->labels);
    e->outputs = outputs;
    e->labels = labels;
    e->room = n;
    return HK_OK;
}

hk_status hki_evaluator_run(hki_evaluator *e, const hk_data *data, hk_evaluation *out)
{
    int64_t n = hk_data_shape_of(data).n, classes = hki_channels(&e->logits->shape);
    hk_status status = reserve(e, n);
    for (int64_t done = 0; done < n && !status; done += EVALUATION_BATCH) {
        uint32_t index[EVALUATION_BATCH];
        int64_t now = n - done < EVALUATION_BATCH ? n - done : EVALUATION_BATCH;
        for (int64_t i = 0; i < now; i++)
            index[i] = (uint32_t)(done + i);
        hk_data_read(data, index, now, hk_plan_value(e->plan, e->input), e->labels + done);
        status = hk_plan_forward(e->plan, now);
        memcpy(e->outputs + done * classes, hk_plan_value(e->plan, e->logits),
               (size_t)(now * classes) * sizeof(float));
    }
    return status ? status
                  : hk_evaluation_from(n, (int)classes, e->outputs, e->labels, out);
}

hk_status hk_evaluate(hk_tensor *logits, const hk_data *data, hk_evaluation *out)
{
    hki_evaluator e;
    memset(out, 0, sizeof *out);
    hk_status status = hki_evaluator_new(logits, &e);
    if (status)
        return status;
    status = hki_check_data(e.input, logits, data);
    if (!status)
        status = hki_evaluator_run(&e, data, out);
    hki_evaluator_clear(&e);
    return status;
}
