/* The gain of an activation f: the factor 1 / sqrt(E[f(z)^2]), z ~ N(0,1), by which weights are
 * widened so that the mean square stays the same from layer to layer (He, Zhang, Ren, Sun 2015,
 * arXiv:1502.01852, is the case of relu, sqrt(2)). Computed from the plugin, so that any
 * activation has one. */
#include "plugin/loader.h"

#include <math.h>

/* Midpoints of cells whose borders are multiples of 1/512: kinks and steps at 0, 1/2, 1, 3, 6 ..
 * fall on borders, where they cost no accuracy, for a deviation of 1. Beyond 12 the density is below
 * 1e-31. */
double hki_mean_square(const hki_use *use, double deviation, bool of_slope)
{
    enum { CELLS_PER_UNIT = 512, REACH = 12 };
    const double density_at_0 = 0.3989422804014327; /* 1 / sqrt(2 pi) */
    const hk_activation *act = use->plugin->activation;
    hki_probe probe;
    double slots[HK_MAX_SLOTS];
    if (!act || !act->value || act->channels_out || act->traits & HK_ROWWISE)
        return (double)NAN;
    hki_probe_start(use, 1, &probe);
    for (int i = 0; i < HK_MAX_SLOTS; i++)
        slots[i] = (double)probe.values[i][0];
    hk_scalar64 at = {.u = 0.5, .p = use->params, .t = slots};
    double sum = 0;
    for (int i = -REACH * CELLS_PER_UNIT; i < REACH * CELLS_PER_UNIT; i++) {
        double z = (i + 0.5) / CELLS_PER_UNIT;
        at.x = deviation * z;
        at.y = act->value(&at);
        double y = of_slope ? act->slope(&at) : at.y;
        sum += y * y * exp(-0.5 * z * z);
    }
    return sum * density_at_0 / CELLS_PER_UNIT;
}

double hki_gain(const hki_use *use)
{
    double square = hki_mean_square(use, 1, false);
    /* exp() differs in its last bit between processors: the rounding keeps weights the same. */
    return isfinite(square) && square > 0 ? rint(0x1p40 / sqrt(square)) * 0x1p-40 : 1;
}
