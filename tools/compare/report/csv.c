/* The report for spreadsheets: a line a run, numbers as they are, empty where there is none. */
#include "compare/report/formats.h"

#include "page/text.h"

#include <math.h>

static void put_number(FILE *to, double value)
{
    putc(',', to);
    if (isfinite(value))
        fprintf(to, "%.9g", value);
}

static void put_last_epoch(FILE *to, const run_record *run)
{
    const epoch_record none = {
        .train_loss = (double)NAN, .loss = (double)NAN, .accuracy = (double)NAN};
    const epoch_record *last = run->n_epochs ? &run->epochs[run->n_epochs - 1] : &none;
    fprintf(to, ",%d", run->n_epochs);
    put_number(to, last->train_loss);
    put_number(to, last->loss);
    put_number(to, last->accuracy);
    put_number(to, report_run_share(run, LAYER_DEAD));
}

static void put_run(FILE *to, const row_record *row, const run_record *run)
{
    for (int k = 0; k < AXES; k++) {
        page_put_csv(to, row->specs[k]);
        putc(',', to);
    }
    fprintf(to, "%lld,%d", (long long)run->seed, run->tuning);
    put_number(to, isfinite(run->rate) ? run->rate : row->rate);
    fprintf(to, ",%s,", compare_run_state_names[run->state]);
    page_put_csv(to, run->failure);
    putc(',', to);
    page_put_csv(to, run->reason);
    put_number(to, run->test_accuracy);
    put_number(to, run->test_macro_f1);
    put_number(to, run->test_loss);
    put_last_epoch(to, run);
    put_number(to, run->seconds);
    put_number(to, run->images_per_s);
    put_number(to, run->peak_mib);
    fprintf(to, ",%lld,%lld,%d\r\n", (long long)row->parameters, (long long)row->multiply_adds,
            run->attempts);
}

void report_csv(FILE *to, const analysis *a)
{
    for (int k = 0; k < AXES; k++)
        fprintf(to, "%s,", compare_axis_names[k]);
    fputs("seed,tuning,rate,state,failure,reason,test_accuracy,test_macro_f1,test_loss,epochs,"
          "train_loss,validation_loss,validation_accuracy,dead,seconds,images_per_s,peak_mib,"
          "parameters,multiply_adds,attempts\r\n",
          to);
    for (int i = 0; i < a->of->n_runs; i++)
        put_run(to, &a->of->rows[a->of->runs[i].row], &a->of->runs[i]);
}
