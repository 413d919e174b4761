/* A net's card: what its inputs and outputs mean, as JSON in its file. */
#include "nn/store.h"

#include <math.h>
#include <string.h>

#include "io/json.h"

/* ---- In memory: one JSON object holds everything, and the card points into it ----------------------- */

struct hki_card {
    hk_card card;
    json_t *json; /* owns the texts */
};

static json_t *numbers_json(const double *values, int n)
{
    json_t *array = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(array, json_real(values[i]));
    return array;
}

/* A name that is not UTF-8 keeps its ASCII. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    char *plain = json ? NULL : hki_copy_text(text);
    for (char *c = plain; c && *c; c++)
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    if (plain)
        json = json_string(plain);
    hki_free(plain);
    return json;
}

static json_t *texts_json(const char *const *texts, int n)
{
    json_t *array = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(array, text_json(texts[i]));
    return array;
}

static json_t *card_json(const hk_card *card)
{
    json_t *json = json_pack("{s:i, s:i}", "version", 1, "classes", card->classes);
    if (card->mean && card->deviation) {
        json_object_set_new(json, "mean", numbers_json(card->mean, card->channels));
        json_object_set_new(json, "deviation", numbers_json(card->deviation, card->channels));
    }
    if (card->target_deviation > 0)
        json_object_update_new(json, json_pack("{s:f, s:f}", "target_mean", card->target_mean,
                                               "target_deviation", card->target_deviation));
    if (card->class_names)
        json_object_set_new(json, "class_names", texts_json(card->class_names, card->classes));
    if (card->feature_names)
        json_object_set_new(json, "feature_names", texts_json(card->feature_names, card->channels));
    const char *const texts[][2] = {
        {"label", card->label}, {"data", card->data}, {"recipe", card->recipe}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i][1])
            json_object_set_new(json, texts[i][0], text_json(texts[i][1]));
    return json;
}

/* Room for the n values of a list; NULL: the list is absent or has another length, or no memory. */
static void *room_for(const json_t *list, int n, size_t bytes, bool *no_memory)
{
    void *out = NULL;
    if (n && (int)json_array_size(list) == n && !(out = hki_alloc_array((size_t)n, bytes)))
        *no_memory = true;
    return out;
}

/* The n finite numbers of a list, each above `least`; NULL: another list. */
static double *read_numbers(const json_t *list, int n, double least, bool *no_memory)
{
    double *out = room_for(list, n, sizeof *out, no_memory);
    for (int i = 0; out && i < n; i++) {
        const json_t *value = json_array_get(list, (size_t)i);
        out[i] = json_number_value(value);
        if (json_is_number(value) && isfinite(out[i]) && out[i] > least)
            continue;
        hki_free(out);
        out = NULL;
    }
    return out;
}

static const char **read_texts(const json_t *list, int n, bool *no_memory)
{
    const char **out = room_for(list, n, sizeof *out, no_memory);
    for (int i = 0; out && i < n; i++) {
        out[i] = json_string_value(json_array_get(list, (size_t)i));
        if (out[i])
            continue;
        hki_free(out);
        out = NULL;
    }
    return out;
}

void hki_card_free(hki_card *own)
{
    if (!own)
        return;
    hki_free((void *)own->card.mean);
    hki_free((void *)own->card.deviation);
    hki_free((void *)own->card.class_names);
    hki_free((void *)own->card.feature_names);
    json_decref(own->json);
    hki_free(own);
}

/* The net's card is what this object says; takes it over. */
static hk_status take_card(const char *path, json_t *json, hk_net *net)
{
    const json_t *mean = json_object_get(json, "mean"),
                 *deviation = json_object_get(json, "deviation"),
                 *classes = json_object_get(json, "class_names"),
                 *features = json_object_get(json, "feature_names");
    bool no_memory = false;
    hki_card *own = hki_alloc(sizeof *own);
    if (!own) {
        json_decref(json);
        return HK_NO_MEMORY;
    }
    own->json = json;
    hk_card *card = &own->card;
    card->channels = (int)json_array_size(mean ? mean : features);
    card->classes = (int)json_integer_value(json_object_get(json, "classes"));
    card->mean = read_numbers(mean, card->channels, -HUGE_VAL, &no_memory);
    card->deviation = read_numbers(deviation, card->channels, 0, &no_memory);
    card->class_names = read_texts(classes, card->classes, &no_memory);
    card->feature_names = read_texts(features, card->channels, &no_memory);
    card->target_mean = json_number_value(json_object_get(json, "target_mean"));
    card->target_deviation = json_number_value(json_object_get(json, "target_deviation"));
    card->label = json_string_value(json_object_get(json, "label"));
    card->data = json_string_value(json_object_get(json, "data"));
    card->recipe = json_string_value(json_object_get(json, "recipe"));
    if (no_memory) {
        hki_card_free(own);
        return HK_NO_MEMORY;
    }
    if (!mean != !card->mean || !deviation != !card->deviation || !card->mean != !card->deviation ||
        !classes != !card->class_names || !features != !card->feature_names || card->classes < 0 ||
        !isfinite(card->target_mean) || !isfinite(card->target_deviation) ||
        card->target_deviation < 0 || json_integer_value(json_object_get(json, "version")) != 1) {
        hki_card_free(own);
        return hki_fail(
            HK_BAD_DATA,
            "%s: its card is not of version 1, or its lists do not belong together: mean, "
            "deviation and feature_names have a value for each channel, class_names one "
            "for each class, target_deviation is above 0",
            path);
    }
    hki_card_free(net->choices->card);
    net->choices->card = own;
    return HK_OK;
}

hk_status hk_net_set_card(hk_net *net, const hk_card *card)
{
    if (hki_null(net, card))
        return HK_BAD_ARGUMENT;
    return take_card("the card of a net", card_json(card), net);
}

const hk_card *hk_net_card(const hk_net *net)
{
    static const hk_card none;
    return !hki_null(net) && net->choices->card ? &net->choices->card->card : &none;
}

/* ---- In files ---------------------------------------------------------------------------------------- */

char *hki_card_text(const hk_net *net)
{
    return net->choices->card ? hki_json_text(net->choices->card->json) : hki_copy_text("");
}

hk_status hki_card_read(const char *path, const char *text, hk_net *net)
{
    const size_t size = strlen(text);
    json_t *json;
    hk_status status = hki_json_read(path, "card", text, size, 16 * size, &json);
    return status ? status : take_card(path, json, net);
}

/* ---- Use ----------------------------------------------------------------------------------------------- */

hk_status hk_net_standardise(hk_tensor *logits, int64_t n, const float *raw, float *x)
{
    if (hki_null(logits, raw, x))
        return HK_BAD_ARGUMENT;
    const hk_card *card = hk_net_card(logits->net);
    const hk_tensor *input = hk_tensor_input(logits);
    if (!input || n < 0 || !card->mean || hki_channels(&input->shape) != card->channels)
        return hki_fail(HK_BAD_ARGUMENT,
                        "standardise: the net's card has a scaling for %d channels, its input has "
                        "%lld; %lld samples",
                        card->mean ? card->channels : 0,
                        (long long)(input ? hki_channels(&input->shape) : 0), (long long)n);
    for (int64_t i = 0; i < n * hki_sample_count(&input->shape); i++) {
        const int c = (int)(i % card->channels);
        x[i] = (raw[i] - (float)card->mean[c]) * (float)(1 / card->deviation[c]);
    }
    return HK_OK;
}

hk_status hk_net_classify(hk_tensor *logits, int64_t n, const float *x, float *probabilities)
{
    hk_status status = hk_net_predict(logits, n, x, probabilities);
    if (status)
        return status;
    const int64_t classes = hki_sample_count(&logits->shape);
    for (int64_t i = 0; i < n; i++) {
        float *y = probabilities + i * classes, top = y[0];
        double sum = 0;
        for (int64_t k = 1; k < classes; k++)
            top = y[k] > top ? y[k] : top;
        for (int64_t k = 0; k < classes; k++)
            sum += exp((double)(y[k] - top));
        for (int64_t k = 0; k < classes; k++)
            y[k] = (float)(exp((double)(y[k] - top)) / sum);
    }
    return HK_OK;
}

hk_status hk_net_estimate(hk_tensor *output, int64_t n, const float *x, float *y)
{
    if (hki_null(output, x, y))
        return HK_BAD_ARGUMENT;
    const hk_card *card = hk_net_card(output->net);
    if (!(card->target_deviation > 0) || hki_sample_count(&output->shape) != 1)
        return hki_fail(HK_BAD_ARGUMENT,
                        "estimate: the net's card is not of regression, or its output is %s, "
                        "expected [batch, 1]",
                        hki_shape_text(&output->shape));
    hk_status status = hk_net_predict(output, n, x, y);
    for (int64_t i = 0; i < n && !status; i++)
        y[i] = (float)((double)y[i] * card->target_deviation + card->target_mean);
    return status;
}
