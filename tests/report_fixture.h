/* report_fixture.h - comparisons made up in memory, the same every time, for the tests of reports.
 */
#pragma once
#include "compare/results.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture_plan {
    const char *const *data, *const *models, *const *acts, *const *optimizers; /* end with NULL */
    int norms; /* so many, "norm0" ... */
    int seeds, epochs, layers;
    bool failures; /* some runs crash, time out and diverge */
    bool unfinished;
} fixture_plan;

static uint64_t fixture_state;

/* Uniform in 0..1, by a linear congruential generator (Knuth's MMIX). */
static double fixture_random(void)
{
    fixture_state = fixture_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(fixture_state >> 11) * 0x1p-53;
}

static double fixture_normal(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += fixture_random();
    return sum;
}

static void fixture_histogram(layer_record *l, double dead, double width)
{
    l->low = -0.3 * width;
    l->high = 3.5 * width;
    for (int i = 0; i < HISTOGRAM_BINS; i++) {
        double x = l->low + (i + 0.5) * (l->high - l->low) / HISTOGRAM_BINS;
        l->histogram[i] = (int64_t)(20000 * exp(-x * x / (2 * width * width)) * (1 - dead));
    }
    l->histogram[2] += (int64_t)(30000 * (0.5 + dead));
}

static void fixture_layer(layer_record *l, int at, int act, int epoch, int epochs, double rate)
{
    char name[32];
    snprintf(name, sizeof name, at < 2 ? "conv%d" : "fc%d", at + 1);
    strcpy(l->layer, name);
    l->units = at == 0 ? 6 : at == 1 ? 16 : 84;
    double fate = act == 0 ? 0.1 + 0.16 * at : act == 7 ? 0.02 : 0.03 * act * (at == 2);
    l->dead = fmin(1, fmax(0, fate * (0.3 + epoch / (double)epochs) * (0.5 + 30 * rate) +
                                  0.02 * fixture_normal()));
    l->gradient_dead = l->dead * 0.8;
    l->dormant = fmin(1, l->dead * 1.2);
    l->saturated = 0;
    l->mean = 0.3;
    l->variance = 0.8 + 0.1 * at;
    l->gradient_norm = 0.5 * pow(0.35, at + (act == 0)) * exp(0.2 * fixture_normal()) / epoch;
    l->update_ratio = 1e-3;
    if (epoch == 1 || epoch == epochs || epoch == (epochs + 1) / 2)
        fixture_histogram(l, l->dead, 1 + 0.2 * epoch);
}

static void fixture_end(run_record *run, int act, double final)
{
    run->state = RUN_OK;
    run->test_accuracy = final - 0.004 + 0.001 * fixture_normal();
    run->test_loss = 2.2 * (1 - run->test_accuracy);
    run->test_macro_f1 = run->test_accuracy - 0.003;
    run->seconds = 30 + 4 * act;
    run->images_per_s = 60000 / (8 + 1.3 * act);
    run->peak_mib = 180 + 10 * act;
    snprintf(run->digest, sizeof run->digest, "5f3a%lld", (long long)run->id);
}

static void fixture_fail(run_record *run, int how)
{
    static const char *const classes[] = {"signal SIGSEGV", "diverged", "timeout"};
    static const char *const reasons[] = {"the worker was ended by SIGSEGV",
                                          "loss is nan at step 311 of epoch 2",
                                          "not done after 60 s"};
    static const char *const lines[] = {"prelu: kernel entered\ncell 17 of 16", NULL, "epoch 2"};
    run->state = how == 2 ? RUN_TIMEOUT : RUN_FAILED;
    run->failure = strdup(classes[how]);
    run->reason = strdup(reasons[how]);
    run->last_lines = lines[how] ? strdup(lines[how]) : NULL;
}

static void fixture_run(results *r, const fixture_plan *plan, int row, int act, int task, int seed,
                        double rate)
{
    static const double gains[] = {0, 0.0012, 0.001, 0.003, 0.0075, 0.0068, 0.0072, 0.0004};
    run_record *run = compare_results_add_run(r);
    double luck = 0.0012 * fixture_normal();
    double final = 0.981 - 0.07 * (task % 2) - 0.012 * (task / 2) + gains[act % 8] + luck;
    bool fails = plan->failures && act == 2 && seed == 3;
    int epochs = fails ? 1 : plan->epochs;
    run->id = r->n_runs;
    run->row = row;
    run->seed = seed;
    run->attempts = 1 + fails;
    if (plan->unfinished && seed == plan->seeds) {
        run->state = RUN_PLANNED;
        return;
    }
    for (int e = 1; e <= epochs; e++) {
        epoch_record *epoch = compare_run_add_epoch(run);
        epoch->epoch = e;
        double left = exp(-1.6 * e / sqrt((double)plan->epochs));
        epoch->accuracy = final - 0.09 * left + 0.001 * fixture_normal();
        epoch->macro_f1 = epoch->accuracy - 0.003;
        epoch->loss = 2.2 * (1 - epoch->accuracy);
        epoch->train_loss = epoch->loss * (1 - 0.04 * e / plan->epochs * 3);
        epoch->training_loss = epoch->train_loss;
        epoch->training_accuracy = epoch->accuracy + 0.01 * (1 - epoch->accuracy);
        epoch->seconds = 8 + 1.3 * act + 0.1 * fixture_normal();
        epoch->images_per_s = 60000 / epoch->seconds;
        for (int l = 0; l < plan->layers; l++)
            fixture_layer(compare_epoch_add_layer(epoch), l, act, e, plan->epochs, rate);
    }
    if (fails)
        fixture_fail(run, task % 3);
    else
        fixture_end(run, act, final);
}

static void fixture_row(results *r, const fixture_plan *plan, const char *const *specs, int act,
                        int task, double rate)
{
    row_record *row = compare_results_add_row(r);
    for (int k = 0; k < AXES; k++)
        row->specs[k] = strdup(specs[k]);
    row->plugin_digests = strdup("relu 1f3ac0 batch_norm 77c01b he_normal 02fe11");
    row->data_digest = strdup("9a0d77");
    row->recipe = strdup("{\"augment\":\"none\",\"batch\":64,\"epochs\":8,\"optimizer\":"
                         "\"adam:lr=0.001\",\"samples\":54000,\"schedule\":\"constant\","
                         "\"steps\":6752}");
    row->parameters = 61706;
    row->multiply_adds = 416520;
    row->is_baseline = act == 0 && strcmp(specs[AXIS_NORM], "norm0") == 0;
    for (int seed = 1; seed <= plan->seeds; seed++)
        fixture_run(r, plan, r->n_rows - 1, act, task, seed, rate);
}

static results *fixture_new(const fixture_plan *plan)
{
    results *r = calloc(1, sizeof *r);
    fixture_state = 7;
    r->name = strdup("night");
    r->command = strdup("hillock compare --act relu,leaky_relu,prelu --model lenet5,simple_cnn "
                        "--data mnist:data/mnist --data fashion-mnist:data/fashion --seeds 5");
    r->provenance = strdup("{\"version\":\"0.1.0\",\"compiler\":\"gcc 12.2.0\",\"processor\":"
                           "\"8 x Sapphire Rapids\",\"instruction_set\":\"avx512\",\"threads\":1}");
    r->settings = strdup("{\"epochs\":3,\"batch\":64,\"validation\":0.1}");
    r->seeds = plan->seeds;
    r->epochs = plan->epochs;
    for (int d = 0, task = 0; plan->data[d]; d++)
        for (int m = 0; plan->models[m]; m++, task++)
            for (int n = 0; n < plan->norms; n++)
                for (int o = 0; plan->optimizers[o]; o++)
                    for (int a = 0; plan->acts[a]; a++) {
                        char norm[32];
                        snprintf(norm, sizeof norm, "norm%d", n);
                        const char *at = strstr(plan->optimizers[o], "lr=");
                        const char *specs[AXES] = {plan->data[d], plan->models[m],    plan->acts[a],
                                                   norm,          "he_normal",        "none",
                                                   "none",        plan->optimizers[o]};
                        fixture_row(r, plan, specs, a, task, at ? strtod(at + 3, NULL) : 0.02);
                    }
    return r;
}

static const char *const fixture_data[] = {"mnist:data/mnist", "fashion-mnist:data/fashion", NULL};
static const char *const fixture_models[] = {"lenet5", "simple_cnn", NULL};
static const char *const fixture_acts[] = {"relu", "leaky_relu", "prelu",    "elu", "gelu",
                                           "mish", "silu",       "lgb_relu", NULL};
static const char *const fixture_sgd[] = {"sgd:lr=0.02", NULL};
static const char *const fixture_rates[] = {"sgd:lr=0.003", "sgd:lr=0.01", "sgd:lr=0.03",
                                            "sgd:lr=0.1", NULL};
