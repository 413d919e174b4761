/* doctor/treat.h - treatments of dead units: what they are, and the layers they work on. */
#pragma once
#include <hillock/doctor.h>
#include "nn/nn.h"
#include "train/optimizer.h"
#include "train/probe.h"

typedef enum hki_treatment_kind {
    HKI_RESET,     /* another activation, one with a slope below 0, for good */
    HKI_LGB_RELU,  /* another activation, with a threshold that falls until the unit fires */
    HKI_SURROGATE, /* another slope, for some epochs */
    HKI_REDO,      /* new incoming weights, outgoing ones 0 */
    HKI_BIAS,      /* a bias with which a share of the inputs fires */
    HKI_CONTINUAL, /* continual backpropagation: while training, after each step (continual.h) */
    HKI_TREATMENT_COUNT
} hki_treatment_kind;

typedef struct hki_method {
    hki_treatment_kind kind;
    const char *name;
    hki_use to;                   /* the first three */
    double q, epochs;             /* bias; surrogate */
    double rate, decay, maturity; /* continual */
} hki_method;

enum { HKI_MAX_METHODS = 8 };
typedef struct hki_treatments {
    hki_method methods[HKI_MAX_METHODS];
    int n;
    int64_t every; /* epochs, in training; 0: not given */
} hki_treatments;

/* "reset:to=elu,bias:q=0.2". HK_UNKNOWN_NAME lists the methods or the keys, HK_BAD_ARGUMENT. */
hk_status hki_treatments_parse(const char *spec, hki_treatments *out);

/* As hk_treat. */
hk_status hki_treat(hk_tensor *logits, const hk_data *data, const hki_treatments *how,
                    const hk_treat_options *options, hk_treatment **out);
/* Gives all activations of a layer the alternative g, in place: nets that are recorded with
 * hki_choose_for_layer's spec are the same. Plans made before are of no use any more. HK_BAD_ARGUMENT:
 * they have another alternative. */
hk_status hki_layer_override_channels(hk_net *net, int layer, const hki_use *g);

/* ---- Sites: the inputs of all activations, and the logits ------------------------------------ */

typedef struct hki_site {
    const hk_tensor *x;
    hk_tensor *y;                              /* the activation; NULL for the logits */
    hk_tensor *product, *weight, *bias, *norm; /* that x is computed with; NULL without */
    bool weight_is_normed;
    int64_t channels;
    double *mean;   /* [channels] of x before the treatment */
    double *square; /* [channels], mean of x^2 */
    float *coef;    /* scratch for the norm's coefficients, NULL without */
    bool *dead;     /* [channels] */
    bool *redrawn;  /* [channels]: its mean is not kept */
    double q;       /* share of the inputs that is to fire; 0: as it is */
    hk_treated_layer *report;
} hki_site;

hk_status hki_site_open(const hk_tensor *x, hk_tensor *y, hki_site *out);
void hki_site_clear(hki_site *site);
/* The slot of this name of the site's normalization, NULL without. */
hk_tensor *hki_site_slot(const hki_site *site, const char *name);
/* What moves one channel of x up or down by itself: beta or the bias; NULL without. */
hk_tensor *hki_site_bias(const hki_site *site);

/* Draws the weights that make the site's dead channels anew, and cuts off what reads them; their moments in the
 * optimizer, which may be NULL, are reset. HK_BAD_ARGUMENT: the message says what stands against it; then
 * nothing changed. */
hk_status hki_site_renew(const hki_site *site, const hk_tensor *logits, uint64_t seed,
                         hk_optimizer *optimizer);

/* Fills the sites' means from one run of the plan, which was made with .probe = 1. */
hk_status hki_keep_means(hk_plan *plan, int64_t n, hki_site *sites, int n_sites);
/* Runs the plan and on the way brings every mean back to what it was, then makes units fire where q
 * says so. *shift is how much the mean of a logit is off in the end. */
hk_status hki_restore_means(hk_plan *plan, int64_t n, hki_site *sites, int n_sites, double *shift);

/* Can all that reads y be cut off from some of its channels? HK_BAD_ARGUMENT: the message names what cannot. Where
 * `dead` is given, it is; or, with `calms`, the weights that read them become no larger than new
 * ones. Their moments in the optimizer, which may be NULL, are reset. */
hk_status hki_change_readers(const hk_tensor *y, const hk_tensor *logits, const bool *dead,
                             bool calms, hk_optimizer *optimizer);
/* sums[channels] = sum of |w| over the weights that read each channel of y, all of which could be cut off. */
void hki_sum_readers(const hk_tensor *y, const hk_tensor *logits, double *sums);
