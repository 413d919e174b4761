/* dirac, eye: the identity. A convolution has 1 at the centre of its kernel from each input channel
 * to the output channel of the same number, within its group; a dense layer, whose kernel is a
 * point, is the identity matrix. Channels beyond the smaller number are 0. For residual nets and
 * for looking for mistakes.
 *
 * The centre of an even kernel is the place that "same" padding puts over the output. */
#include <hillock/kernel.h>

HK_PARAMS({.name = "gain", .doc = "the weight of an identity", .type = HK_REAL, .value = 1});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const int64_t columns = weight->columns, side = (int64_t)sqrt((double)weight->kernel);
    const int64_t inputs = weight->rows / weight->kernel; /* of a group */
    const int64_t outputs = weight->fan_out / weight->kernel;
    const int64_t centre = (side - 1) / 2 * (side + 1) * inputs; /* its first row */
    if (side * side != weight->kernel)
        return "the kernel must be a square";
    memset(weight->w, 0, (size_t)(weight->rows * columns) * sizeof *weight->w);
    for (int64_t j = 0; j < columns; j++)
        if (j % outputs < inputs)
            weight->w[(centre + j % outputs) * columns + j] = (float)context->params[0];
    return NULL;
}

static const char *fill_eye(const hk_context *context, const hk_weight *weight)
{
    return weight->kernel == 1 ? fill(context, weight)
                               : "is for dense layers; the identity of a convolution is dirac";
}

static const hk_initializer dirac = {.fill = fill};
static const hk_initializer eye = {.fill = fill_eye};

HK_BUNDLE({HK_INITIALIZER_ROW(dirac), .initializer = &dirac, .params = params,
           .summary = "gain at the centre of the kernel, from a channel to its namesake",
           .source = "none", .tags = "fixed"},
          {HK_INITIALIZER_ROW(eye), .initializer = &eye, .params = params,
           .summary = "gain * the identity matrix", .source = "none", .tags = "fixed"});
