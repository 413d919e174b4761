/* quantise.h - a net in whole steps, as --quantise asks for. */
#pragma once
#include "net/network.h"
#include <jansson.h>
#include <stdio.h>

/* Quantises the net in place, by the training images of the data that were given or that it learned
 * from. */
int net_quantise(const network *it, const options *given, hk_quantisation **out);
/* A line for each part: layer, range, step, units that have one value from now on. */
void net_quantise_print(FILE *to, const char *spec, const hk_quantisation *of);
json_t *net_quantise_json(const char *spec, const hk_quantisation *of);
