/* The weights that read a layer's channels: made 0, or brought to the size that new ones have. As long
 * as a channel is 0 for all inputs, the function does not depend on them. */
#include "doctor/treat.h"

#include <math.h>
#include <string.h>

#include "engine/engine.h"

/* Where a channel of zeros goes in, one comes out, and no other channel notices. */
static bool keeps_channels_apart(const hk_tensor *t)
{
    static const char *const names[] = {"reshape", "maxpool", "avgpool", "sum", "dropout", "scale"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(t->op->name, names[i]))
            return true;
    return t->op == &hki_op_normalize && hki_domain_of(hki_use_of(t)) == HK_OVER_BATCH;
}

typedef struct cut {
    const hk_tensor *logits;
    const bool *dead;
    bool calms; /* instead of cutting off */
    int64_t channels;
    hk_optimizer *optimizer; /* its moments of what changes are reset */
    double *sums;            /* [channels] of |w|, and nothing changes; NULL: it does */
} cut;

/* n weights from `at` on, which read this channel at one place. He et al. 2015: deviation
 * sqrt(2 / fan_in). */
static void change_row(const cut *it, int64_t channel, hk_tensor *weight, int64_t at, int64_t n)
{
    float *w = weight->value + at;
    for (int64_t i = 0; it->sums && i < n; i++)
        it->sums[channel] += (double)fabsf(w[i]);
    if (it->sums || !it->dead[channel])
        return;
    double square = 0, fan_in = (double)hki_rows(&weight->shape, 1);
    for (int64_t i = 0; i < n; i++)
        square += (double)w[i] * (double)w[i];
    double share = it->calms ? sqrt(2 / fan_in) / sqrt(square / (double)n) : 0;
    if (!(share < 1))
        return;
    for (int64_t i = 0; i < n; i++)
        w[i] = (float)((double)w[i] * share);
    hki_optimizer_reset(it->optimizer, weight, at, 1, n);
}

/* The rows of a weight that read dead channels. filters[kh, kw, c / groups, k]: channel j is read by
 * the filters of its group. Row r of a dense weight belongs to channel r % channels, however images
 * were flattened. */
static void change_weight(const cut *it, hk_tensor *weight, const hk_tensor *reader)
{
    int64_t units = hki_channels(&weight->shape), rows = hki_rows(&weight->shape, 1);
    if (reader->op == &hki_op_linear) {
        for (int64_t r = 0; r < rows; r++)
            change_row(it, r % it->channels, weight, r * units, units);
        return;
    }
    int groups = hki_conv_of(reader, 1).groups;
    int64_t depth = weight->shape.dims[2], taps = rows / depth, share = units / groups;
    for (int64_t j = 0; j < depth * groups; j++)
        for (int64_t tap = 0; tap < taps; tap++)
            change_row(it, j, weight, (tap * depth + j % depth) * units + j / depth * share, share);
}

static hk_status cut_reader(const cut *it, const hk_tensor *from, const hk_tensor *reader);

static hk_status cut_readers(const cut *it, const hk_tensor *from)
{
    hk_status status = HK_OK;
    if (from == it->logits)
        return hki_fail(HK_BAD_ARGUMENT, "they are the net's output");
    for (int id = from->id + 1; id <= it->logits->id && !status; id++) {
        const hk_tensor *reader = from->net->tensors[id];
        for (int i = 0; i < reader->n_inputs && !status; i++)
            if (reader->inputs[i] == from)
                status = cut_reader(it, from, reader);
    }
    return status;
}

static hk_status cut_reader(const cut *it, const hk_tensor *from, const hk_tensor *reader)
{
    if (!hki_is_product(reader)) {
        if (keeps_channels_apart(reader) && hki_channels(&reader->shape) % it->channels == 0)
            return cut_readers(it, reader);
        return hki_fail(HK_BAD_ARGUMENT,
                        "%s reads them, without weights of its own that could be 0",
                        reader->op->name);
    }
    hk_tensor *weight = reader->inputs[1];
    while (weight->op == &hki_op_drop_connect)
        weight = weight->inputs[0];
    if (reader->inputs[0] != from || weight->op)
        return hki_fail(HK_BAD_ARGUMENT, "the weight that reads them is normalized: 0 in one place "
                                         "changes it in others");
    if (it->dead || it->sums)
        change_weight(it, weight, reader);
    return HK_OK;
}

hk_status hki_change_readers(const hk_tensor *y, const hk_tensor *logits, const bool *dead,
                             bool calms, hk_optimizer *optimizer)
{
    cut it = {logits, dead, calms, hki_channels(&y->shape), optimizer, NULL};
    return cut_readers(&it, y);
}

void hki_sum_readers(const hk_tensor *y, const hk_tensor *logits, double *sums)
{
    const int64_t channels = hki_channels(&y->shape);
    memset(sums, 0, (size_t)channels * sizeof *sums);
    cut_readers(&(cut){.logits = logits, .channels = channels, .sums = sums}, y);
}
