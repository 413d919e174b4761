/* train/optimizer.h - an optimizer's insides, for saving and for reports. */
#pragma once
#include "core/graph.h"
#include "train/train.h"

struct hk_optimizer {
    hk_net *net;
    hki_rule rule;
    int n_tensors;     /* of the net when it was made: those recorded later are not its own */
    int64_t step;      /* steps taken */
    float *moments[2]; /* each [parameters], tensors one after the other in recording order */
};

double hki_gradient_norm(const hk_tensor *learned); /* Euclidean, in double */
