/* networks.h - the networks, one file each, for the catalogue. */
#pragma once
#include "models.h"

typedef hk_tensor *hki_network(hk_tensor *x, const hk_model_values *values, int classes);

/* What a spec adds to a layer: normalization for norm=1, dropout for dropout=0.5; else x. */
hk_tensor *hki_norm(hk_tensor *x, const hk_model_values *values);
hk_tensor *hki_dropout(hk_tensor *x, const hk_model_values *values);

hki_network hki_mlp, hki_lenet5, hki_simple_cnn, hki_resnet20, hki_vgg11, hki_mobilenet;
