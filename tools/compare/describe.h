/* describe.h - what a worker says of a row before it is run: code of strangers is loaded there, so
 * that a plugin that crashes when loaded ends a worker and not the comparison. */
#pragma once
#include "net/network.h"
#include <jansson.h>

/* {model, act, norm, init: canonical, act as it runs; plugins: "relu 1f3a.. he_normal 77c0..", name and
 * SHA-256 of the file of each; parameters, multiply_adds; has_norm, norm_remedy; recipe: {optimizer, schedule, augment,
 * epochs, batch} for so many samples}, after everything up to the first step has been prepared for
 * the net. The library's failure otherwise. */
hk_status compare_describe_row(const options *asked, const network *it, hk_data_shape images,
                               json_t **out);
/* {text: the list with each set, @core, written out}. */
hk_status compare_describe_list(hk_kind kind, const char *list, json_t **out);
