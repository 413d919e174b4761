/* hillock inspect MODEL --forecast: a forecast as a table and as JSON. */
#include "net/network.h"

#include "output.h"
#include <hillock/forecast.h>

#include <math.h>

static json_t *estimate_json(hk_estimate value)
{
    return json_pack("{s:o, s:o}", "mean", tool_json_number(value.mean), "error",
                     tool_json_number(value.error));
}

static json_t *layer_json(const hk_forecast_layer *l)
{
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "layer", l->layer, "activation", l->activation, "units", (json_int_t)l->units, "outputs",
        (json_int_t)l->outputs, "mean", estimate_json(l->mean), "square", estimate_json(l->square),
        "square_squared", estimate_json(l->square_squared), "difference",
        estimate_json(l->difference), "gradient", estimate_json(l->gradient), "dead_units",
        estimate_json(l->dead_units), "dead", estimate_json(l->dead), "silent",
        estimate_json(l->silent), "square_theory", tool_json_number(l->square_theory),
        "gradient_theory", tool_json_number(l->gradient_theory), "silent_theory",
        tool_json_number(l->silent_theory), "gain", tool_json_number(l->gain), "mend",
        tool_json_number(l->mend), "mend_gradient", tool_json_number(l->mend_gradient));
}

/* "-" where there is none. */
static void put_number(int width, double value)
{
    if (isnan(value))
        printf(" %*s", width, "-");
    else
        printf(" %*.3g", width, value);
}

static void put_table(const network *it, const hk_forecast *f)
{
    printf("%s before training: %lld nets, %lld inputs each\n", it->name, (long long)f->nets,
           (long long)f->inputs);
    printf("  %-10s %-16s %6s %9s %9s %9s %9s %9s %9s %7s %7s %7s %7s\n", "", "", "", "", "mean",
           "in", "gradient", "in", "", "dead", "dead", "", "gain to");
    printf("  %-10s %-16s %6s %9s %9s %9s %9s %9s %9s %7s %7s %7s %7s\n", "layer", "activation",
           "units", "mean", "square", "theory", "squared", "theory", "apart", "units %", "nets %",
           "gain", "keep");
    for (int k = 0; k < f->n_layers; k++) {
        const hk_forecast_layer *l = &f->layers[k];
        const double wide[] = {l->mean.mean,       l->square.mean,
                               l->square_theory,   l->gradient.mean,
                               l->gradient_theory, l->difference.mean / l->square.mean};
        const double narrow[] = {100 * l->dead_units.mean, 100 * l->dead.mean, l->gain, l->mend};
        printf("  %-10s %-16s %6lld", l->layer, l->activation, (long long)l->units);
        for (int i = 0; i < 6; i++)
            put_number(9, wide[i]);
        for (int i = 0; i < 4; i++)
            put_number(7, narrow[i]);
        putchar('\n');
    }
    const double silent = f->layers[f->n_layers - 1].silent_theory;
    printf("born dead: %.4f, standard error %.4f\n", f->born_dead.mean, f->born_dead.error);
    if (silent > 0)
        printf("silenced by a given input, with symmetric weights: %.4f exactly\n", silent);
    puts(f->verdict);
}

int net_forecast(const network *it, const options *given, const hk_data *data)
{
    hk_forecast *f;
    hk_forecast_options wanted = {.data = data, .nets = given->nets, .seed = (uint64_t)given->seed};
    int status = EXIT_DONE;
    if (hk_forecast_new(it->logits, &wanted, &f) != HK_OK)
        return tool_failed();
    if (given->json) {
        json_t *layers = json_array();
        for (int i = 0; i < f->n_layers; i++)
            json_array_append_new(layers, layer_json(&f->layers[i]));
        status = tool_json_print(
            json_pack("{s:s, s:I, s:I, s:o, s:o, s:s, s:s, s:o}", "model", it->name, "nets",
                      (json_int_t)f->nets, "inputs", (json_int_t)f->inputs, "born_dead",
                      estimate_json(f->born_dead), "depth", tool_json_number(f->depth), "depth_why",
                      f->depth_why, "verdict", f->verdict, "layers", layers));
    } else {
        put_table(it, f);
    }
    hk_forecast_free(f);
    return status;
}
