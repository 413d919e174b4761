/* A net in whole steps: by which images, and as a table. */
#include "net/quantise.h"
#include "output.h"
#include "table.h"

int net_quantise(const network *it, const options *given, hk_quantisation **out)
{
    hk_data *training = NULL;
    int status = net_open_data_of(given, true, it, &training);
    if (!status && hk_quantise(it->logits, training, given->quantise, out) != HK_OK)
        status = tool_failed();
    hk_data_free(training);
    return status;
}

void net_quantise_print(FILE *to, const char *spec, const hk_quantisation *of)
{
    const char *const names[] = {"<layer", "from", "to", "step", "units", "become constant", NULL};
    char text[256];
    snprintf(text, sizeof text,
             "simulated as %s: weights and activations of %d bits, ranges from %s training images",
             spec, of->bits, tool_grouped(of->images));
    putc('\n', to);
    tool_put_wrapped(to, text, 0);
    tool_table *t = tool_table_new(names);
    for (int i = 0; i < of->n; i++) {
        const hk_quantised *p = &of->parts[i];
        tool_table_cell(t, "%s%s", p->layer, p->is_activation ? "" : ", as read");
        tool_table_cell(t, "%.4g", p->low);
        tool_table_cell(t, "%.4g", p->high);
        tool_table_cell(t, "%.3g", p->steps.scale);
        tool_table_cell(t, p->is_activation ? "%lld" : "-", (long long)p->units);
        tool_table_cell(t, p->is_activation ? "%lld" : "-", (long long)p->constant);
    }
    tool_table_print(to, t, 0, NULL);
    fprintf(to, "%s of %s units have one value on all of them, and had more before\n",
            tool_grouped(of->constant), tool_grouped(of->units));
}

json_t *net_quantise_json(const char *spec, const hk_quantisation *of)
{
    json_t *parts = json_array();
    for (int i = 0; i < of->n; i++) {
        const hk_quantised *p = &of->parts[i];
        json_array_append_new(parts,
                              json_pack("{s:s, s:b, s:o, s:o, s:o, s:i, s:i, s:I, s:I}", "layer",
                                        p->layer, "is_activation", p->is_activation, "low",
                                        tool_json_number(p->low), "high", tool_json_number(p->high),
                                        "scale", tool_json_number(p->steps.scale), "least",
                                        p->steps.low, "most", p->steps.high, "units",
                                        (json_int_t)p->units, "constant", (json_int_t)p->constant));
    }
    return json_pack("{s:o, s:i, s:b, s:I, s:I, s:I, s:o}", "spec", tool_json_text(spec), "bits",
                     of->bits, "per_channel", of->per_channel, "images", (json_int_t)of->images,
                     "units", (json_int_t)of->units, "constant", (json_int_t)of->constant, "parts",
                     parts);
}
