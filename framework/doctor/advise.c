/* What to do about units that do not learn. Of each treatment it is predicted how many units it would reach; of
 * a shift of the bias this is tried on the sampled inputs themselves. How well the net learns afterwards does
 * not follow from it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "doctor/examine.h"

static const double fired = 0.1; /* share of the inputs that a shifted bias lets through */

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Would at least half of that share of the sampled inputs really lie above its quantile? Not where
 * x takes few values. sorted: scratch for the sample. */
static bool shift_would_work(const hki_sampled *s, int64_t u, float *sorted)
{
    int64_t n = s->rows, above = 0;
    for (int64_t r = 0; r < n; r++)
        sorted[r] = s->x[r * s->channels_in + u];
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    float quantile = sorted[(int64_t)((1 - fired) * (double)(n - 1))];
    for (int64_t r = 0; r < n; r++)
        above += sorted[r] > quantile;
    return (double)above >= fired / 2 * (double)n;
}

/* Numbers of units over all layers. */
typedef struct tally {
    int64_t not_learning, causes[HK_CAUSE_COUNT];
    int64_t
        fed; /* of these, those without a slope, but not for want of inputs, in layers that do not mix */
             /* channels */
    int64_t shifted; /* of these, units that would react with another bias */
    int64_t flat;    /* never above 0: no slope below it */
    int64_t at_relu; /* of these, those behind relu */
} tally;

static void count_layer(const hki_sampled *s, const hk_layer_finding *layer, float *sorted,
                        tally *t)
{
    bool is_relu = !strcmp(layer->activation, "relu");
    for (int64_t u = 0; u < layer->units; u++) {
        const hk_unit_finding *unit = &layer->found[u];
        if (!unit->not_learning)
            continue;
        t->not_learning++;
        t->causes[unit->cause]++;
        if (!layer->has_slope || !unit->gradient_dead || unit->cause == HK_CAUSE_STARVED)
            continue;
        t->flat += unit->never_positive;
        t->at_relu += unit->never_positive && is_relu;
        if (unit->cause == HK_CAUSE_THRESHOLD) /* new weights, another bias: not beyond it */
            continue;
        t->fed++;
        t->shifted += s->x && unit->x_max - unit->x_min > 1e-3 && shift_would_work(s, u, sorted);
    }
}

__attribute__((format(printf, 4, 5))) static void advise(hk_examination *e, const char *treatment,
                                                         int64_t units, const char *format, ...)
{
    va_list arguments;
    if (!units || e->n_advice == HK_MAX_ADVICE)
        return;
    hk_advice *advice = &e->advice[e->n_advice++];
    advice->units = units;
    snprintf(advice->treatment, sizeof advice->treatment, "%s", treatment);
    va_start(arguments, format);
    vsnprintf(advice->text, sizeof advice->text, format, arguments);
    va_end(arguments);
}

/* "1 unit", "18 units". */
typedef struct counted {
    char text[32];
} counted;

static counted units(int64_t n)
{
    counted out;
    snprintf(out.text, sizeof out.text, "%lld unit%s", (long long)n, n == 1 ? "" : "s");
    return out;
}

static void advise_treatments(const tally *t, hk_examination *e)
{
    advise(e, "bias", t->shifted,
           "shift the bias: %s of %lld would react to %.0f %% of the "
           "inputs, as a sample of them shows",
           units(t->shifted).text, (long long)t->not_learning, 100 * fired);
    advise(e, "redo", t->fed,
           "draw the weights of %s anew and set what they feed to 0: the net's "
           "function stays as it is, and they start again",
           units(t->fed).text);
    advise(e, "reset", t->flat,
           "give %s, and no other, a slope below 0: gradients pass on every "
           "input, and the net's mean output stays",
           units(t->flat).text);
    advise(e, "surrogate", t->flat,
           "train on with a surrogate gradient: it passes where the slope of %s is 0",
           units(t->flat).text);
    advise(e, "lgb_relu", t->at_relu,
           "put lgb_relu in the place of relu: its threshold follows the activity of %s",
           units(t->at_relu).text);
}

/* What must change in training, or the units die again. */
static void advise_training(const tally *t, const hk_record *record, hk_examination *e)
{
    const int64_t *n = t->causes;
    const char *optimizer = record ? record->optimizer : "";
    advise(e, "", n[HK_CAUSE_INPUT],
           "scale the inputs, (x - %.3g) / %.3g, and train again: %s died of them", e->input_mean,
           e->input_deviation, units(n[HK_CAUSE_INPUT]).text);
    advise(e, "", n[HK_CAUSE_STEP],
           "train with a lower rate than that of %s, with a warm-up or "
           "clipped gradients: %s died in one step",
           optimizer, units(n[HK_CAUSE_STEP]).text);
    advise(e, "", n[HK_CAUSE_DECAY],
           "train with less decay than %s: it has shrunk the weights of %s", optimizer,
           units(n[HK_CAUSE_DECAY]).text);
    advise(e, "", n[HK_CAUSE_BORN],
           "start wider, with normalization or another initializer (rai): "
           "%s did not react at the start",
           units(n[HK_CAUSE_BORN]).text);
    advise(e, "", n[HK_CAUSE_THRESHOLD],
           "train with an activation whose own parameters cannot leave the range of its inputs: %s "
           "are beyond them",
           units(n[HK_CAUSE_THRESHOLD]).text);
    advise(e, "", n[HK_CAUSE_READERS],
           "treat what reads them first: %s would learn if a gradient came back",
           units(n[HK_CAUSE_READERS]).text);
    advise(e, "", n[HK_CAUSE_STARVED], "treat the layers before first: %s only lack inputs",
           units(n[HK_CAUSE_STARVED]).text);
}

hk_status hki_advise(const hki_observer *observer, const hk_record *record, hk_examination *out)
{
    tally t = {0};
    float *sorted = hki_alloc_array(HKI_SAMPLED_ROWS, sizeof *sorted);
    if (!sorted)
        return HK_NO_MEMORY;
    for (int i = 0; i < out->n_layers; i++)
        count_layer(&observer->layers[i], &out->layers[i], sorted, &t);
    hki_free(sorted);
    advise_treatments(&t, out);
    advise_training(&t, record, out);
    return HK_OK;
}
