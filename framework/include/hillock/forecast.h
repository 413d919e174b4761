/* hillock/forecast.h - what a net will be like before it has learned anything.
 *
 * A forecast draws the net's first weights many times over, by its own initializer, runs inputs
 * forward and random gradients back through its own activations, and puts beside what it sees what
 * theory says of nets of infinite width. It answers: do outputs or gradients vanish or explode, do
 * inputs become alike, how often is the net born dead, at what depth does it stop learning, and
 * which gain would keep the mean square. docs/dead-neurons.md defines the figures. */
#pragma once
#include <hillock/data.h>
#include <hillock/tensor.h>

/* A signal counts as lost when its mean square has fallen below this share, or risen above its
 * inverse: a thousandth or the thousandfold in size. */
#define HK_SIGNAL_LOST 1e-6

/* A mean over nets and its standard error; the nets are independent. */
typedef struct hk_estimate {
    double mean, error;
} hk_estimate;

/* The outputs of one activation; the last layer of a forecast is the net's output. */
typedef struct hk_forecast_layer {
    char layer[64], activation[64]; /* "fc1", "relu"; "output" for the last */
    int64_t units, outputs;         /* channels; numbers for one sample */
    hk_estimate mean;
    hk_estimate square;         /* mean square of a sample's outputs: 1 for the inputs */
    hk_estimate square_squared; /* mean of the square of that */
    hk_estimate difference;     /* half the mean squared difference between two inputs' outputs */
    hk_estimate gradient;       /* mean square of the gradient of these outputs; 1 for the net's */
    hk_estimate dead_units;     /* share of units with the same output for all inputs */
    hk_estimate dead;           /* share of nets in which that is all units: nothing passes */
    hk_estimate silent;         /* share of inputs for which all outputs are 0 */
    double square_theory, gradient_theory; /* in nets of infinite width */
    double silent_theory; /* the same, exactly, for symmetric weights; NAN: only known of dense
                             layers that rectify, without biases */
    double gain;          /* sqrt(fan_in mean(w^2)) of the weight before; NAN: none */
    double mend;          /* the gain that keeps the mean square, 1 / sqrt(E[f(z)^2]); NAN: none */
    double mend_gradient; /* by which a layer multiplies the mean square gradient then */
} hk_forecast_layer;

typedef struct hk_forecast {
    int64_t nets, inputs; /* drawn; run through each */
    int n_layers;
    const hk_forecast_layer *layers; /* [n_layers], in order of computing */
    hk_estimate born_dead; /* share of nets with the same output and no gradient for all inputs */
    double depth;          /* in layers, at which such a net stops learning; INFINITY: none seen */
    const char *depth_why; /* "gradients vanish"; "" */
    char verdict[512];     /* all of it in a sentence or two */
} hk_forecast;

typedef struct hk_forecast_options {
    const hk_data *data; /* inputs come from it; NULL: random directions, mean square 1, each with
                            its mirror image */
    int64_t nets;        /* 0: 20 to 1000, as many as go quickly */
    int64_t inputs;      /* an even number; 0: 32, or 2 where an input is a single number */
    uint64_t seed;
    int zero_;
} hk_forecast_options;

/* Forecasts the net that ends in `logits`; `options` may be NULL. Draws all parameters anew and
 * leaves them as the net's own seed starts them: not for a net that has learned. *out, to be freed by
 * hk_forecast_free, is NULL after a failure. HK_BAD_ARGUMENT: NULL, or the net has no input;
 * HK_BAD_SHAPE: net and data do not fit; HK_NO_MEMORY. [one thread] per net. */
hk_status hk_forecast_new(hk_tensor *logits, const hk_forecast_options *options, hk_forecast **out);
void hk_forecast_free(hk_forecast *forecast);

/* Relu nets without biases, with independent symmetric weights, `depth` layers of `width` units
 * (Lu, Shin, Su, Karniadakis 2020, arXiv:1903.06733). */
/* A given input silences the net: 1 - (1 - 2^-width)^depth. */
double hk_silent(int width, int depth);
/* Of a single input number: the output is the same for all inputs. Exact to a depth of 2; beyond,
 * hk_silent, which bounds it from above. */
double hk_born_dead(int width, int depth);
