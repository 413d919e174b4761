/* plot.h - a drawing of an activation as an SVG file. */
#pragma once
#include <stdbool.h>

/* Draws value and derivative of a spec over [low, high] into a file, whole or not at all. Has told the
 * reason when it fails, and returns the exit status. */
int plugin_plot_curve(const char *spec, double low, double high, const char *path);
