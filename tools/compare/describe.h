/* describe.h - what a worker says of a row before it is run: code of strangers is loaded there, so
 * that a plugin that crashes when loaded ends a worker and not the comparison. */
#pragma once
#include "net/network.h"
#include <jansson.h>

/* {act, norm, init: canonical, act as it runs; plugins: "relu 1f3a.. he_normal 77c0..", name and
 * SHA-256 of the file of each; parameters, multiply_adds}, after everything up to the first step
 * has been prepared for images of this shape. The library's failure otherwise. */
hk_status compare_describe_row(const options *asked, hk_data_shape images, json_t **out);
/* {text: the list with each set, @core, written out}. */
hk_status compare_describe_list(hk_kind kind, const char *list, json_t **out);
