/* Data sets and nets: what a net should know of its data, and data made to fit a net. */
#include "data/data.h"

#include <stdio.h>
#include <string.h>

hk_status hk_data_card(const hk_data *data, hk_card *out)
{
    if (out)
        *out = (hk_card){0};
    if (hki_null(data, out))
        return HK_BAD_ARGUMENT;
    *out = (hk_card){.channels = data->shape.channels,
                     .mean = data->scale,
                     .deviation = data->scale + data->shape.channels,
                     .classes = data->shape.classes,
                     .class_names = data->targets ? NULL : (const char *const *)data->names,
                     .feature_names = (const char *const *)data->features,
                     .label = data->label,
                     .target_mean = data->targets ? data->target_mean : 0,
                     .target_deviation = data->targets ? data->target_deviation : 0,
                     .data = data->spec};
    return HK_OK;
}

const char *hk_data_sample_name(const hk_data *data, int64_t sample)
{
    bool known = !hki_null(data) && data->samples && sample >= 0 && sample < data->shape.n;
    return known ? data->samples[data->stream ? data->stream->sample[sample] : sample] : "";
}

/* ---- Conforming ------------------------------------------------------------------------------ */

static int find_name(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}

/* to[class of the set] = class of the net; -1 where no sample has it. */
static hk_status map_classes(const hk_data *data, const hk_card *card, int32_t *to)
{
    char known[512] = "";
    for (int k = 0; k < data->shape.classes; k++)
        to[k] = card->class_names   ? find_name(card->class_names, card->classes, data->names[k])
                : k < card->classes ? k
                                    : -1;
    for (int64_t i = 0; i < data->shape.n; i++) {
        if (data->labels[i] < 0 || to[data->labels[i]] >= 0)
            continue;
        for (int k = 0; k < card->classes && card->class_names; k++)
            hki_add_name(known, sizeof known, card->class_names[k]);
        return hki_fail(HK_BAD_DATA, "%s: class \"%.64s\" is none of the %d that the net knows%s%s",
                        data->spec ? data->spec : "data", data->names[data->labels[i]],
                        card->classes, *known ? ": " : "", known);
    }
    return HK_OK;
}

/* from[i] = the column that is the net's i-th. */
static hk_status map_columns(const hk_data *data, const hk_card *card, int *from)
{
    const int n = data->shape.channels;
    const bool named = data->features && card->feature_names;
    for (int i = 0; i < n; i++) {
        from[i] =
            named ? find_name((const char *const *)data->features, n, card->feature_names[i]) : i;
        if (from[i] < 0)
            return hki_fail(HK_BAD_DATA, "%s: no column \"%.64s\", which the net learned from",
                            data->spec, card->feature_names[i]);
    }
    return HK_OK;
}

/* Tables are floats; one row of scratch. */
static void move_columns(hk_data *data, const int *from, float *scratch)
{
    const size_t n = (size_t)data->shape.channels;
    for (int64_t row = 0; row < data->shape.n && data->floats; row++) {
        float *x = data->floats + (size_t)row * n;
        memcpy(scratch, x, n * sizeof *x);
        for (size_t i = 0; i < n; i++)
            x[i] = scratch[from[i]];
    }
}

static hk_status apply(hk_data *data, const hk_card *card, const int32_t *to, const int *from,
                       float *scratch)
{
    const size_t n = (size_t)data->shape.channels;
    char **features =
        data->features && card->feature_names ? hki_copy_texts(card->feature_names, n) : NULL;
    if (data->features && card->feature_names && !features)
        return HK_NO_MEMORY;
    const int classes = data->shape.classes;
    data->shape.classes = card->classes ? card->classes : classes;
    hk_status status = card->class_names || data->shape.classes > classes
                           ? hki_data_name(data, card->class_names)
                           : HK_OK;
    if (status) {
        data->shape.classes = classes;
        hki_free(features);
        return status;
    }
    for (int64_t i = 0; i < data->shape.n; i++)
        data->labels[i] = data->labels[i] < 0 ? -1 : to[data->labels[i]];
    if (features) {
        move_columns(data, from, scratch);
        hki_free(data->features);
        data->features = features;
    }
    for (int c = 0; c < data->shape.channels && card->mean; c++)
        hki_data_scale(data, c, card->mean[c], card->deviation[c]);
    data->target_mean = card->target_mean;
    data->target_deviation = card->target_deviation;
    return HK_OK;
}

hk_status hk_data_conform(hk_data *data, const hk_card *card)
{
    if (hki_null(data, card))
        return HK_BAD_ARGUMENT;
    const hk_data_shape *s = &data->shape;
    if (card->channels && card->channels != s->channels)
        return hki_fail(HK_BAD_DATA, "%s: %d %s, the net learned from %d", data->spec, s->channels,
                        s->height == 1 && s->width == 1 ? "features" : "channels", card->channels);
    if (!data->targets != !(card->target_deviation > 0))
        return hki_fail(HK_BAD_DATA, "%s: has %s, the net learned %s", data->spec,
                        data->targets ? "numbers to learn" : "classes",
                        data->targets ? "classes" : "numbers: target=NAME says which column");
    int32_t *to = hki_alloc_array((size_t)s->classes, sizeof *to);
    int *from = hki_alloc_array((size_t)s->channels, sizeof *from);
    float *scratch = hki_alloc_array((size_t)s->channels, sizeof *scratch);
    hk_status status = to && from && scratch ? HK_OK : HK_NO_MEMORY;
    if (!status && card->classes)
        status = map_classes(data, card, to);
    for (int k = 0; k < s->classes && !status && !card->classes; k++)
        to[k] = k;
    if (!status)
        status = map_columns(data, card, from);
    if (!status)
        status = apply(data, card, to, from, scratch);
    hki_free(to);
    hki_free(from);
    hki_free(scratch);
    return status;
}
