/* hillock/quantise.h - a trained net as integers of few bits would run it, simulated.
 *
 * Weights of convolutions and dense layers become whole steps around 0, as many up as down; what they read,
 * the outputs of activations and the input of the net become whole steps from their least to their most,
 * as seen on training images. Everything between, sums, biases and normalizations among it, stays in
 * float: a simulation of accuracy, not of speed (Jacob et al. 2018, arXiv:1712.05877, equations 3 and 12,
 * without their folding of batch normalization). */
#pragma once
#include <hillock/data.h>
#include <hillock/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What became steps: an activation's output, or what a layer reads. */
typedef struct hk_quantised {
    char layer[HK_MAX_LAYER_NAME]; /* that it is the output of; "input" */
    int is_activation;
    double low, high; /* of the values that were seen, and 0 */
    hk_steps steps;
    int64_t units;    /* channels */
    int64_t constant; /* of them, those with one value on all images that had more before */
} hk_quantised;

typedef struct hk_quantisation {
    int bits;
    int per_channel; /* 1: each output channel of a weight has its own scale; 0: one a weight */
    int64_t images;  /* that ranges were taken from, and constant units counted on */
    int64_t units, constant; /* of all activations */
    int n;
    const hk_quantised *parts; /* [n], in order of computing */
} hk_quantisation;

/* Quantises the net that ends in `logits`, in place: later plans and predictions are of the quantised net;
 * its parameters keep their values. Free plans made before it. The spec is "int8" or "int4", with
 * ",per=channel" for a scale of each output channel of a weight and ",images=N", the number of images of
 * `training` that ranges are taken from, the first ones, default 1024 or as many as there are. Free *out with
 * hk_quantisation_free. HK_UNKNOWN_NAME, HK_BAD_ARGUMENT: the spec, with the choices; the net is quantised
 * already; HK_BAD_SHAPE: net and data do not fit; HK_DIVERGED: values that are not finite; HK_NO_MEMORY,
 * after which the net can only be freed. [one thread] per net. */
hk_status hk_quantise(hk_tensor *logits, const hk_data *training, const char *spec,
                      hk_quantisation **out);
/* Whether it is such a spec; fails as above. [any thread] */
hk_status hk_quantise_check(const char *spec);
void hk_quantisation_free(hk_quantisation *quantisation);

#ifdef __cplusplus
}
#endif
