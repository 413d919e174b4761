/* auto_gain: normal with variance gain^2 / fan_in, gain = 1 / sqrt(E[f(z)^2]) with z normal, for
 * any activation f: Hillock integrates its double reference. The first layer looks at the data,
 * not at what f made of something, so there the gain is 1.
 * Poole, Lahiri, Raghu, Sohl-Dickstein, Ganguli 2016, arXiv:1606.05340, section 2;
 * Bingham, Miikkulainen 2023, arXiv:2109.08958. */
#include <hillock/kernel.h>

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    (void)context;
    const double gain = weight->first_layer ? 1 : weight->gain;
    hks_fill_normal(weight, 0, gain / sqrt((double)weight->fan_in));
    return NULL;
}

static const hk_initializer auto_gain = {.traits = HK_FILLS_RANGES, .fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(auto_gain), .initializer = &auto_gain, .aliases = "auto_init",
           .summary = "N(0, 1 / (fan_in * E[f(z)^2])), f the activation",
           .source = "Bingham, Miikkulainen 2023", .tags = "core,variance"});
