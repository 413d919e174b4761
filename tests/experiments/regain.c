/* How much of what one huge step destroyed comes back, by each treatment and without one.
 *
 *     regain MODEL DATA SEEDS [EPOCHS]          regain lenet5 fashion-mnist:DIR 5
 *
 * For each seed a net is trained for EPOCHS (default 3), then takes one step of Adam on 512 images at
 * a rate of 0.06, which kills about half of its units: half, since a step is as likely to lift a unit
 * as to sink it. Until 60 % are dead, others that live, drawn by the seed, have 100 taken off their
 * biases. From there each method goes on for 3 epochs by the model's recipe. Regained is
 * (after - damaged) / (before - damaged) of the accuracy on the test data: mean and 95 % interval over
 * the seeds, and a paired t test against plain training on, adjusted by Holm; what is not below 0.05 is
 * a tie. */
#include <hillock/doctor.h>
#include <hillock/hillock.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <hillock/random.h>
#include "nn/nn.h"
#include "stats/stats.h"

#define DEAD 0.6 /* share of units */
enum { METHODS = 7, MOST_SEEDS = 50, STEP_IMAGES = 512, EPOCHS_AFTER = 3 };
static const char *const methods[METHODS] = {"",         "reset",     "redo",          "bias",
                                             "lgb_relu", "surrogate", "redo,surrogate"};

typedef struct experiment {
    const char *model;
    hk_data *train, *test, *few; /* few: what the huge step sees */
    hk_recipe recipe;
    uint64_t seed;
    char before[64], damaged[64]; /* files */
} experiment;

static void check(hk_status status)
{
    if (status == HK_OK)
        return;
    fprintf(stderr, "regain: %s\n", hk_message());
    exit(1);
}

static hk_tensor *build(const experiment *e, const char *file)
{
    hk_data_shape d = hk_data_shape_of(e->train);
    hk_tensor *logits = hk_model_build(hk_net_new(.seed = e->seed), e->model, d.height, d.width,
                                       d.channels, d.classes);
    if (!logits)
        check(hk_last_status());
    if (file)
        check(hk_net_load_weights(hk_tensor_net(logits), file, NULL));
    return logits;
}

static void train(const experiment *e, hk_tensor *logits, int epochs)
{
    check(hk_fit(logits, NULL, .train = e->train, .epochs = epochs, .batch = e->recipe.batch,
                 .optimizer = e->recipe.optimizer, .schedule = e->recipe.schedule,
                 .augment = e->recipe.augment, .seed = e->seed, .no_probes = 1));
}

static double accuracy(const experiment *e, hk_tensor *logits)
{
    hk_evaluation seen;
    check(hk_evaluate(logits, e->test, &seen));
    double accuracy = seen.total.accuracy;
    hk_evaluation_clear(&seen);
    return accuracy;
}

static hk_tensor *named(const hk_tensor *logits, const char *layer, const char *part)
{
    const hk_net *net = hk_tensor_net(logits);
    char name[128];
    snprintf(name, sizeof name, "%s.%s", layer, part);
    for (int i = 0; i < net->n_tensors; i++)
        if (strcmp(hk_tensor_name(net->tensors[i]), name) == 0)
            return net->tensors[i];
    return NULL;
}

/* Units that live, each by a draw, until enough are dead: their biases take a step out of reach.
 * Returns the share of dead units that was found before. */
static double sink_some(const experiment *e, hk_tensor *after, uint64_t draw)
{
    hk_examination *seen;
    check(hk_examine(after, e->few, NULL, &seen));
    double share = (double)seen->not_learning / (double)seen->units;
    for (int l = 0; l < seen->n_layers && share < DEAD; l++)
        for (int64_t j = 0; j < seen->layers[l].units; j++) {
            bool sinks = hks_uniform(e->seed * 1000 + draw, (uint64_t)(l * 4096 + j)) < 0.05f;
            bool can_die = strncmp(seen->layers[l].activation, "prelu", 5) != 0;
            if (!seen->layers[l].found[j].not_learning && sinks && can_die)
                named(after, seen->layers[l].layer, "bias")->value[j] -= 100;
        }
    hk_examination_free(seen);
    return share;
}

static double damage(const experiment *e, double *dead)
{
    hk_tensor *after = build(e, e->before);
    check(hk_fit(after, NULL, .train = e->few, .batch = STEP_IMAGES, .optimizer = "adam:lr=0.06",
                 .no_probes = 1));
    *dead = 0;
    for (uint64_t draw = 1; *dead < DEAD; draw++)
        *dead = sink_some(e, after, draw);
    double left = accuracy(e, after);
    check(hk_net_save(after, e->damaged, e->model));
    hk_net_free(hk_tensor_net(after));
    return left;
}

static double go_on(const experiment *e, const char *method)
{
    hk_tensor *logits = build(e, e->damaged);
    hk_treatment *done;
    if (*method) {
        check(hk_treat(logits, e->train, method,
                       &(hk_treat_options){.seed = e->seed, .inputs = 10000}, &done));
        hk_treatment_free(done);
    }
    train(e, logits, EPOCHS_AFTER);
    double after = accuracy(e, logits);
    hk_net_free(hk_tensor_net(logits));
    return after;
}

static void run_seed(experiment *e, int epochs, double regained[METHODS][MOST_SEEDS])
{
    int s = (int)e->seed - 1;
    double dead, before, left;
    hk_tensor *logits = build(e, NULL);
    train(e, logits, epochs);
    before = accuracy(e, logits);
    check(hk_net_save(logits, e->before, e->model));
    hk_net_free(hk_tensor_net(logits));
    left = damage(e, &dead);
    printf("seed %d: accuracy %.4f, damaged %.4f (%.0f %% dead)", s + 1, before, left, 100 * dead);
    for (int m = 0; m < METHODS; m++) {
        double after = go_on(e, methods[m]);
        regained[m][s] = (after - left) / (before - left);
        printf(", %s %.4f", *methods[m] ? methods[m] : "plain", after);
        fflush(stdout);
    }
    putchar('\n');
}

static void print_table(double regained[METHODS][MOST_SEEDS], int seeds)
{
    double p[METHODS], adjusted[METHODS];
    for (int m = 0; m < METHODS; m++)
        p[m] = m ? stats_paired_p(regained[m], regained[0], seeds) : (double)NAN;
    stats_holm_adjust(p, METHODS, adjusted);
    printf("\n%-16s %9s  %-19s  against plain\n", "method", "regained", "95 % interval");
    for (int m = 0; m < METHODS; m++) {
        sample_summary all = stats_sample_summarize(regained[m], seeds);
        double gain = all.mean - stats_sample_summarize(regained[0], seeds).mean;
        printf("%-16s %8.1f %%  %7.1f .. %6.1f %%", *methods[m] ? methods[m] : "plain",
               100 * all.mean, 100 * all.low, 100 * all.high);
        if (m)
            printf("  %s, p %.3g",
                   !(adjusted[m] < SIGNIFICANCE) ? "no difference shown"
                   : gain > 0                    ? "better"
                                                 : "worse",
                   adjusted[m]);
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    static double regained[METHODS][MOST_SEEDS];
    int seeds = argc > 3 ? atoi(argv[3]) : 0, epochs = argc > 4 ? atoi(argv[4]) : 3;
    const hk_plugin *model;
    if (argc < 4 || seeds < 1 || seeds > MOST_SEEDS || epochs < 1) {
        fprintf(stderr, "usage: regain MODEL DATA SEEDS [EPOCHS]\n");
        return 2;
    }
    experiment e = {.model = argv[1]};
    char folder[] = "/tmp/regain.XXXXXX";
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    snprintf(e.before, sizeof e.before, "%s/before.safetensors", folder);
    snprintf(e.damaged, sizeof e.damaged, "%s/damaged.safetensors", folder);
    check(hk_model_find(e.model, &model, NULL));
    check(hk_data_open(argv[2], &e.train, &e.test));
    e.recipe = hk_model_recipe(model, hk_data_spec(e.train), hk_data_shape_of(e.train).n, 0);
    check(hk_data_split(e.train, (double)STEP_IMAGES / (double)hk_data_shape_of(e.train).n, 1,
                        &e.few));
    for (e.seed = 1; e.seed <= (uint64_t)seeds; e.seed++)
        run_seed(&e, epochs, regained);
    print_table(regained, seeds);
    unlink(e.before);
    unlink(e.damaged);
    rmdir(folder);
    hk_data_free(e.train);
    hk_data_free(e.test);
    hk_data_free(e.few);
    return 0;
}
