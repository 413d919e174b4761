/* How a model is trained where the user does not say: its own rows first, then what is usual. */
#include <hillock/model.h>
#include "core/base.h"

#include <string.h>

/* Mirrored and shifted images are for photographs, not for characters. Schedules are in shares of the
 * whole training, so that they fit any number of epochs. */
static const hk_recipe usual[] = {
    {.data = "cifar-10",
     .optimizer = "adam:lr=0.001",
     .schedule = "one-cycle",
     .augment = "crop=4,flip",
     .epochs = 15,
     .batch = 64,
     .least_steps = 400},
    {.data = "",
     .optimizer = "adam:lr=0.001",
     .schedule = "step:every=20%,factor=0.7",
     .augment = "none",
     .epochs = 5,
     .batch = 64,
     .least_steps = 400},
    {.data = NULL},
};

/* The first row that fits; NULL: none does. */
static const hk_recipe *find_row(const hk_recipe *rows, const char *data, int64_t samples)
{
    const size_t length = strcspn(data, ":");
    for (const hk_recipe *r = rows; r && r->data; r++) {
        const bool same_data = strlen(r->data) == length && strncmp(r->data, data, length) == 0;
        if ((!*r->data || same_data) && (!r->most || samples <= r->most))
            return r;
    }
    return NULL;
}

/* What a model's row does not say is as usual. */
static hk_recipe combine(const hk_recipe *own, hk_recipe it)
{
    if (!own)
        return it;
    it.optimizer = own->optimizer ? own->optimizer : it.optimizer;
    it.schedule = own->schedule ? own->schedule : it.schedule;
    it.augment = own->augment ? own->augment : it.augment;
    it.epochs = own->epochs ? own->epochs : it.epochs;
    it.batch = own->batch ? own->batch : it.batch;
    it.least_steps = own->least_steps ? own->least_steps : it.least_steps;
    return it;
}

hk_recipe hk_model_recipe(const hk_plugin *model, const char *data, int64_t samples, int batch)
{
    enum { LEAST_BATCH = 8 };
    if (hki_null(model, data) || !model->model)
        return (hk_recipe){0};
    hk_recipe it =
        combine(find_row(model->model->recipes, data, samples), *find_row(usual, data, samples));
    const int usual_batch = it.batch, epochs = it.epochs;
    while (it.batch > LEAST_BATCH && samples < 4 * (int64_t)it.batch)
        it.batch /= 2;
    it.batch = batch ? batch : it.batch;
    int64_t steps = samples > it.batch ? (samples + it.batch - 1) / it.batch : 1;
    if (steps * it.epochs < it.least_steps)
        it.epochs = (int)((it.least_steps + steps - 1) / steps);
    it.is_adapted = (!batch && it.batch != usual_batch) || it.epochs != epochs;
    return it;
}
