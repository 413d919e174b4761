/* plugin/registry.h - what the rest of the framework uses of the registry: a use of a plugin. */
#pragma once
#include <hillock/registry.h>
#include "core/spec.h"

/* A parsed spec: the plugin and its parameter values. Plain data, copied freely. */
typedef struct hki_use {
    const hk_plugin *plugin;
    double params[HK_MAX_PARAMS];
} hki_use;

/* The file lies in a directory of Hillock's own plugins, those of the build or the installation, or is no
 * file: a plugin that is linked in. */
bool hki_plugin_is_own(const char *path);

/* Parses "name:key=value,..." (or a path with a slash before the colon). Messages name the
 * spec, the plugin, the parameter, its range and the choices. */
hk_status hki_use_parse(hk_kind kind, const char *spec, hki_use *out);

/* The canonical spec: name and only the parameters that differ from their defaults, in table
 * order, as short as they are exact. Allocated; NULL when allocation fails. */
char *hki_use_spec(const hki_use *use);

/* "relu:a=1e+5+conv2=prelu" has two parts, the second for a layer that is named: the bytes before
 * the next '+layer=', or all. */
size_t hki_part_length(const char *spec);

/* Number of floats a slot has in a block of this shape. */
int64_t hki_slot_length(const hk_slot *slot, int64_t rows, int64_t channels);
int hki_slot_count(const hk_plugin *plugin);

/* The table of kernels by hk_isa; NULL: plugins of this kind have none. */
const hk_kernels *hki_kernels_of(const hk_plugin *plugin);

/* The kernels for the instruction set in use. */
hk_block *hki_forward(const hk_plugin *plugin);
hk_block *hki_backward(const hk_plugin *plugin);

/* 1 / sqrt(E[f(z)^2]) for z ~ N(0,1) by quadrature over the double reference; 1 without one. */
double hki_gain(const hki_use *use);
/* E[f(z)^2], or of f', for z ~ N(0, deviation^2), likewise; NAN without a reference. */
double hki_mean_square(const hki_use *use, double deviation, bool of_slope);
