/* Tables and JSON of evaluations and layers. */
#include "net/summary.h"

#include "compare/figures.h"
#include "memory.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>

void net_summary_metrics(FILE *to, const hk_metrics *m)
{
    if (m->regression)
        fprintf(to, "loss %.4f R2 %.4f", m->loss, m->r2);
    else
        fprintf(to, "loss %.4f accuracy %.2f %%", m->loss, 100 * m->accuracy);
}

static void print_regression(FILE *to, const hk_metrics *m)
{
    fprintf(to,
            "\n%s test samples: loss %.4f, R2 %.4f, root of the mean squared error %.6g\n"
            "always the mean of the training targets: R2 %.4f\n",
            tool_grouped(m->n), m->loss, m->r2, m->rmse, m->floor);
}

static void put_confusion(FILE *to, const hk_evaluation *e)
{
    const int n = e->classes;
    char(*numbers)[16] = calloc((size_t)n, sizeof *numbers);
    const char **names = calloc((size_t)n + 2, sizeof *names);
    if (!numbers || !names)
        tool_out_of_memory();
    names[0] = "";
    for (int i = 0; i < n; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%d", i);
        names[i + 1] = numbers[i];
    }
    tool_table *t = tool_table_new(names);
    for (int i = 0; i < n; i++) {
        tool_table_cell(t, "%d", i);
        for (int j = 0; j < n; j++)
            tool_table_cell(t, "%lld", (long long)e->confusion[i * n + j]);
    }
    fputs("\nconfusion matrix (row: true class, column: predicted)\n", to);
    tool_table_print(to, t, 2, NULL);
    free(names);
    free(numbers);
}

void net_summary_evaluation(FILE *to, const hk_data *data, const hk_evaluation *e)
{
    if (e->total.regression) {
        print_regression(to, &e->total);
        return;
    }
    put_confusion(to, e);
    fprintf(to, "\nclass  precision  recall      F1     AUC  name\n");
    for (int i = 0; i < e->classes; i++) {
        fprintf(to, "%5d  %9.4f  %6.4f  %6.4f  %6.4f  ", i, e->precision[i], e->recall[i], e->f1[i],
                e->auc[i]);
        tool_put_text(to, hk_data_class_name(data, i));
        putc('\n', to);
    }
    fprintf(to,
            "\n%s test images: loss %.4f, accuracy %.2f %%, macro F1 %.4f, AUC %.4f\n"
            "always the most frequent class: %.2f %%\n",
            tool_grouped(e->total.n), e->total.loss, 100 * e->total.accuracy, e->total.macro_f1,
            e->total.auc, 100 * e->total.floor);
}

/* cause[size]: the layer behind which nothing of the input is left, where the answers are the same. */
static bool answers_the_same(hk_tensor *logits, const hk_data *data, const hk_metrics *m,
                             char *cause, size_t size)
{
    return m->constant && hk_net_constant(logits, data, cause, size) == HK_OK;
}

void net_summary_evaluation_json(json_t *into, hk_tensor *logits, const hk_data *data,
                                 const hk_evaluation *e)
{
    char cause[128];
    const bool same = answers_the_same(logits, data, &e->total, cause, sizeof cause);
    json_object_set_new(into, "constant", same ? tool_json_text(cause) : json_null());
    if (e->total.regression) {
        json_object_update_new(into, json_pack("{s:I, s:o, s:o, s:o, s:o}", "test_images",
                                               (json_int_t)e->total.n, "test_loss",
                                               tool_json_number(e->total.loss), "test_r2",
                                               tool_json_number(e->total.r2), "test_rmse",
                                               tool_json_number(e->total.rmse), "test_floor",
                                               tool_json_number(e->total.floor)));
        return;
    }
    json_t *confusion = json_array(), *classes = json_array();
    for (int i = 0; i < e->classes; i++) {
        json_t *row = json_array();
        for (int j = 0; j < e->classes; j++)
            json_array_append_new(row, json_integer(e->confusion[i * e->classes + j]));
        json_array_append_new(confusion, row);
        json_array_append_new(classes, json_pack("{s:o, s:o, s:o, s:o, s:o}", "name",
                                                 tool_json_text(hk_data_class_name(data, i)),
                                                 "precision", tool_json_number(e->precision[i]),
                                                 "recall", tool_json_number(e->recall[i]), "f1",
                                                 tool_json_number(e->f1[i]), "auc",
                                                 tool_json_number(e->auc[i])));
    }
    json_object_update_new(
        into, json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "test_images",
                        (json_int_t)e->total.n, "test_loss", tool_json_number(e->total.loss),
                        "test_accuracy", tool_json_number(e->total.accuracy), "macro_f1",
                        tool_json_number(e->total.macro_f1), "auc", tool_json_number(e->total.auc),
                        "test_floor", tool_json_number(e->total.floor), "confusion", confusion,
                        "classes", classes));
}

void net_summary_constant(hk_tensor *logits, const hk_data *data, const hk_metrics *metrics)
{
    char cause[128], reason[192];
    if (!answers_the_same(logits, data, metrics, cause, sizeof cause))
        return;
    compare_constant_reason(cause, reason, sizeof reason);
    tool_note("the net gives %s", reason);
}

void net_summary_layers(FILE *to, const hk_epoch_report *epoch)
{
    if (!epoch->n_layers)
        return;
    static const char *const names[] = {"<layer",   "units",     "dead", "gradient-dead",
                                        "dormant",  "saturated", "mean", "variance",
                                        "gradient", "update",    NULL};
    tool_table *t = tool_table_new(names);
    char note[48];
    for (int i = 0; i < epoch->n_layers; i++) {
        const hk_layer_report *layer = &epoch->layers[i];
        const double shares[] = {layer->dead, layer->gradient_dead, layer->dormant,
                                 layer->saturated};
        tool_table_cell(t, "%s", layer->layer);
        tool_table_cell(t, "%lld", (long long)layer->units);
        for (int k = 0; k < 4; k++)
            tool_table_cell(t, isnan(shares[k]) ? "-" : "%.1f %%", 100 * shares[k]);
        tool_table_cell(t, "%.3g", layer->mean);
        tool_table_cell(t, "%.3g", layer->variance);
        tool_table_cell(t, "%.2g", layer->gradient_norm);
        tool_table_cell(t, "%.1g", layer->update_ratio);
    }
    snprintf(note, sizeof note, "(%s inputs)", tool_grouped(epoch->probed));
    tool_table_print(to, t, 2, note);
}

json_t *net_summary_layers_json(const hk_epoch_report *epoch)
{
    json_t *layers = json_array();
    for (int i = 0; i < epoch->n_layers; i++) {
        json_t *layer = json_object();
        compare_figures_to_json(layer, compare_layer_figures, &epoch->layers[i], FIGURES_ALL);
        json_array_append_new(layers, layer);
    }
    return layers;
}

epoch_record net_summary_epoch(const hk_epoch_report *r, int64_t images)
{
    const hk_metrics none = {
        .loss = (double)NAN, .accuracy = (double)NAN, .macro_f1 = (double)NAN, .r2 = (double)NAN};
    const hk_metrics *validation = r->validation.n ? &r->validation : &none;
    const hk_metrics *training = r->training.n ? &r->training : &none;
    return (epoch_record){
        .epoch = r->epoch,
        .train_loss = r->train_loss,
        .training_loss = training->loss,
        .training_accuracy = training->accuracy,
        .training_r2 = training->r2,
        .loss = validation->loss,
        .accuracy = validation->accuracy,
        .macro_f1 = validation->macro_f1,
        .r2 = validation->r2,
        .online_accuracy = r->online_accuracy,
        .effective_rank = r->effective_rank,
        .weight_magnitude = r->weight_magnitude,
        .seconds = (double)images / r->images_per_s,
        .images_per_s = r->images_per_s,
        .layers = (layer_record *)r->layers,
        .n_layers = r->n_layers,
    };
}

hk_status net_summary_run(hk_tensor *logits, const hk_data *test, const hk_evaluation *evaluation,
                          run_record *run)
{
    const hk_metrics *total = &evaluation->total;
    run->test_loss = total->loss;
    run->test_accuracy = total->accuracy;
    run->test_macro_f1 = total->macro_f1;
    run->test_floor = total->floor;
    run->test_r2 = total->r2;
    run->test_rmse = total->rmse;
    return total->constant ? hk_net_constant(logits, test, run->constant, sizeof run->constant)
                           : HK_OK;
}

double net_summary_dead(const hk_epoch_report *epoch)
{
    double dead = 0, units = 0;
    for (int i = 0; i < epoch->n_layers; i++) {
        if (isnan(epoch->layers[i].dead)) /* not judged */
            continue;
        dead += epoch->layers[i].dead * (double)epoch->layers[i].units;
        units += (double)epoch->layers[i].units;
    }
    return units > 0 ? dead / units : 0;
}
