/* plugin/registry.h - what the rest of the framework uses of the registry: a use of a plugin. */
#pragma once
#include <hillock/registry.h>
#include "core/core.h"

/* A parsed spec: the plugin and its parameter values. Plain data, copied freely. */
typedef struct hki_use {
    const hk_plugin *plugin;
    double params[HK_MAX_PARAMS];
} hki_use;

/* Parses "name:key=value,..." (or a path with a slash before the colon). Messages name the
 * spec, the plugin, the parameter, its range and the choices. */
hk_status hki_use_parse(hk_kind kind, const char *spec, hki_use *out);

/* The canonical spec: name and only the parameters that differ from their defaults, in table
 * order, as short as they can be said exactly. Allocated; NULL when memory is refused. */
char *hki_use_spec(const hki_use *use);

/* A number with at most `digits` digits, with a point whatever the locale. */
enum { HKI_NUMBER_SIZE = 40 };
const char *hki_number_text(double value, int digits, char out[HKI_NUMBER_SIZE]);
/* With as few digits as give the same number when it is read again. */
const char *hki_shortest_number(double value, char out[HKI_NUMBER_SIZE]);

/* Splits "name:key=value,key=value": calls `each` per pair. For other specs (models, data,
 * optimizers). `what` names the kind of thing in messages. */
typedef hk_status hki_spec_pair(void *user, const char *key, const char *value);
hk_status hki_spec_parse(const char *what, const char *spec, char *name, size_t name_size,
                         hki_spec_pair *each, void *user);

/* Number of floats a slot has in a block of this shape. */
int64_t hki_slot_length(const hk_slot *slot, int64_t rows, int64_t channels);
int hki_slot_count(const hk_plugin *plugin);

/* The kernels for the instruction set in use. */
hk_block *hki_forward(const hk_plugin *plugin);
hk_block *hki_backward(const hk_plugin *plugin);

/* 1 / sqrt(E[f(z)^2]) for z ~ N(0,1) by quadrature over the double reference; 1 without one. */
double hki_gain(const hki_use *use);
/* E[f(z)^2], or of f', for z ~ N(0, deviation^2), likewise; NAN without a reference. */
double hki_mean_square(const hki_use *use, double deviation, bool of_slope);
