/* hillock doctor --treat: treats the dead units of a saved net, and saves it under another name. */
#include "net/doctor.h"

#include <math.h>

void net_treat_print(FILE *to, const hk_treatment *done)
{
    for (int i = 0; i < done->n_layers; i++) {
        const hk_treated_layer *layer = &done->layers[i];
        fprintf(to, "  %s: %lld of %lld units dead, %lld treated", layer->layer,
                (long long)layer->dead, (long long)layer->units, (long long)layer->treated);
        fprintf(to, *layer->note ? "; %s\n" : "%s\n", layer->note);
    }
}

json_t *net_treat_json(const hk_treatment *done)
{
    json_t *layers = json_array();
    for (int i = 0; i < done->n_layers; i++) {
        const hk_treated_layer *it = &done->layers[i];
        json_array_append_new(layers,
                              json_pack("{s:s, s:I, s:I, s:I, s:s}", "layer", it->layer, "units",
                                        (json_int_t)it->units, "dead", (json_int_t)it->dead,
                                        "treated", (json_int_t)it->treated, "note", it->note));
    }
    return json_pack("{s:I, s:I, s:I, s:o, s:o}", "inputs", (json_int_t)done->inputs, "dead",
                     (json_int_t)done->dead, "treated", (json_int_t)done->treated, "shift",
                     tool_json_number(done->shift), "layers", layers);
}

static int treat(const network *it, const options *given, const hk_data *train)
{
    hk_treatment *done;
    hk_treat_options how = {.seed = (uint64_t)given->seed, .inputs = NET_MOST_EXAMINED};
    int status = EXIT_DONE;
    if (hk_treat_saved(it->logits, train, given->treat, &how, given->operands[0], given->out,
                       &done) != HK_OK)
        return tool_failed();
    if (given->json) {
        json_t *all = net_treat_json(done);
        json_object_update_new(
            all, json_pack("{s:o, s:s, s:s}", "file", tool_json_text(given->operands[0]),
                           "treatment", given->treat, "activation", hk_net_activation(it->net)));
        status = tool_json_print(all);
    } else {
        if (done->dead)
            printf("%s, on %s training images:\n", given->treat, tool_grouped(done->inputs));
        else
            printf("Nothing to treat: no unit was dead on %s training images.\n",
                   tool_grouped(done->inputs));
        net_treat_print(stdout, done);
        if (done->treated)
            printf("The mean of a logit has moved by %.2g at most.\n", done->shift);
        tool_put_text(stdout, given->out);
        printf(": %s, %s\n", it->name, hk_net_activation(it->net));
    }
    hk_treatment_free(done);
    return status;
}

int net_treat(options *given)
{
    if (!given->out)
        return tool_fail(EXIT_USAGE,
                         "doctor: --treat needs --out FILE, where the treated net goes");
    return net_run_on_saved(given, true, treat);
}
