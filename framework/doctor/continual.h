/* doctor/continual.h - continual backpropagation while training (continual.c). */
#pragma once
#include "doctor/treat.h"
#include "train/trainer.h"

#define HKI_CONTINUAL_KEY "hk.continual"

/* The units of one layer. */
typedef struct hki_units_watched {
    hki_site site;
    double *activity; /* [channels] mean |h| of the last batch */
    double *utility;  /* [channels] decaying mean, of a unit since it was made */
    int64_t *age;     /* [channels] steps since then */
    double due;       /* units to be replaced, a fraction of one mostly */
} hki_units_watched;

typedef struct hki_continual {
    double rate, decay; /* replaced, of the mature units and steps; of the utility */
    int64_t maturity;   /* steps */
    hki_units_watched *layers;
    int n_layers;
    int64_t replaced; /* units so far */
    double *outgoing; /* scratch, of the widest layer: sums |w| */
} hki_continual;

/* Finds the layers. HK_BAD_ARGUMENT: there are none whose units can be replaced. */
hk_status hki_continual_new(hk_tensor *logits, const hki_method *method, hki_continual **out);
void hki_continual_free(hki_continual *it);
/* Between forward and backward: how active the units are, by values that `plan` keeps, for n samples. */
void hki_continual_look(hki_continual *it, hk_plan *plan, int64_t n);
/* After a step. `key`: of the random weights of units that are replaced; the optimizer may be NULL. */
hk_status hki_continual_step(hki_continual *it, hk_tensor *logits, uint64_t key,
                             hk_optimizer *optimizer);
/* As text of that metadata, to be freed by hki_free; NULL: no memory. And back: HK_BAD_DATA. */
char *hki_continual_text(const hki_continual *it);
hk_status hki_continual_load(hki_continual *it, const char *path, const char *text);
