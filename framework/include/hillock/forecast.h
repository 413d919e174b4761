/* hillock/forecast.h - signal propagation in a net at initialization.
 *
 * A forecast initializes the net many times, propagates inputs forward and random gradients backward
 * through it, and compares with mean-field theory, nets of infinite width. It answers: do outputs or
 * gradients vanish or explode, do different inputs become indistinguishable, how often is the net born
 * dead, from what depth on can it not learn, and which gain would preserve the mean square.
 * docs/dead-neurons.md defines the statistics. */
#pragma once
#include <hillock/data.h>
#include <hillock/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A signal is lost if its mean square is multiplied by less than this, or by more than its inverse. */
#define HK_SIGNAL_LOST 1e-6

/* A mean over independent nets, and its standard error. */
typedef struct hk_estimate {
    double mean, error;
} hk_estimate;

/* One activation; the last layer of a forecast is the output of the net. */
typedef struct hk_forecast_layer {
    char layer[HK_MAX_LAYER_NAME], activation[64]; /* "fc1", "relu"; "output" for the last */
    int64_t units, outputs;                        /* channels; outputs per sample */
    hk_estimate mean;
    hk_estimate square;         /* mean square of the outputs of a sample; 1 for the inputs */
    hk_estimate square_squared; /* mean of its square */
    hk_estimate difference;     /* half the mean squared difference of the outputs of two inputs */
    hk_estimate gradient;       /* mean square of the gradient of these outputs; 1 for the net's */
    hk_estimate dead_units;     /* share of units with the same output for all inputs */
    hk_estimate dead;           /* share of nets in which all units are dead */
    hk_estimate silent;         /* share of inputs for which all outputs are 0 */
    double square_theory, gradient_theory; /* mean field: nets of infinite width */
    double silent_theory; /* the same, exactly, for symmetric weights; NAN: only known of dense
                             layers that rectify, without biases */
    double gain;          /* sqrt(fan_in mean(w^2)) of the weight before; NAN: none */
    double mend; /* the gain that preserves the mean square, 1 / sqrt(E[f(z)^2]); NAN: none */
    double mend_gradient; /* factor on the mean square gradient per layer with that gain */
} hk_forecast_layer;

typedef struct hk_forecast {
    int64_t nets, inputs; /* number of nets; of inputs to each */
    int n_layers;
    const hk_forecast_layer *layers; /* [n_layers], in order of computing */
    hk_estimate born_dead; /* share of nets with the same output and no gradient for all inputs */
    double depth; /* number of layers from which on such a net cannot learn; INFINITY: none found */
    const char *depth_why; /* "gradients vanish"; "" */
    char verdict[512];     /* a summary in a sentence or two */
} hk_forecast;

typedef struct hk_forecast_options {
    const hk_data *data; /* inputs come from it; NULL: random directions, mean square 1, each with
                            its mirror image */
    int64_t nets;        /* at most 1,000,000; 0: 20 to 1000, as many as go quickly */
    int64_t inputs;      /* an even number; 0: 32, or 2 where an input is a single number */
    uint64_t seed;
    int zero_;
} hk_forecast_options;

/* Forecasts the net that ends in `logits`; `options` may be NULL. Reinitializes all parameters, and leaves
 * those of the net's own seed: trained values are lost. Free *out with hk_forecast_free.
 * HK_BAD_ARGUMENT: the net has no input, or `nets` or `inputs` is out of range; HK_BAD_SHAPE: net and data do not fit; HK_NO_MEMORY.
 * [one thread] per net. */
hk_status hk_forecast_new(hk_tensor *logits, const hk_forecast_options *options, hk_forecast **out);
void hk_forecast_free(hk_forecast *forecast);

/* Relu nets without biases, with independent symmetric weights, `depth` layers of `width` units
 * (Lu, Shin, Su, Karniadakis 2020, arXiv:1903.06733). */
/* Probability that all outputs are 0 for a given input: 1 - (1 - 2^-width)^depth. */
double hk_silent(int width, int depth);
/* Probability that the output is the same for all inputs, for one input variable. Exact up to a depth of
 * 2; beyond that, hk_silent(), an upper bound. */
double hk_born_dead(int width, int depth);

#ifdef __cplusplus
}
#endif
