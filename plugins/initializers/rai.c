/* rai: randomized asymmetric. The fan_in weights and the bias of a unit are normal with deviation
 * 0.6007 / sqrt(fan_in); then one of these fan_in + 1 numbers, at random, is drawn from
 * Beta(2, 1) instead, which is positive: fewer relu units are born dead. The deviation keeps the
 * second moment from layer to layer.
 * Lu, Shin, Su, Karniadakis 2020, arXiv:1903.06733, section 4. */
#include <hillock/kernel.h>

/* Independent streams beside that of the weights. */
enum { BIAS = 1, PLACE, VALUE };

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const double deviation = 0.6007 / sqrt((double)weight->fan_in);
    const int64_t rows = weight->rows, columns = weight->columns;
    const int64_t places = weight->bias ? rows + 1 : rows;
    const hk_weight bias = {.w = weight->bias, .count = columns, .key = weight->key + BIAS};
    hks_fill_normal(weight, 0, deviation);
    if (weight->bias)
        hks_fill_normal(&bias, 0, deviation);
    for (int64_t j = 0; j < columns; j++) {
        /* the product may round up to `places` */
        int64_t drawn = (int64_t)(hks_uniform(weight->key + PLACE, (uint64_t)j) * (float)places);
        int64_t place = drawn < places ? drawn : places - 1;
        float *chosen = place < rows ? &weight->w[place * columns + j] : &weight->bias[j];
        *chosen = hks_sqrt(hks_uniform(weight->key + VALUE, (uint64_t)j)); /* Beta(2, 1) */
    }
    return NULL;
}

static const hk_initializer rai = {.traits = HK_FILLS_BIAS, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(rai), .initializer = &rai, .aliases = "randomized_asymmetric",
           .summary = "N(0, 0.6007^2 / fan_in), one of a unit's weights and bias Beta(2, 1)",
           .source = "Lu, Shin, Su, Karniadakis 2020", .tags = "variance"});
