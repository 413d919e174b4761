/* hillock compare: every combination of the lists, trained with the same seeds and order of
 * batches, ranked. A run that fails is a row with its reason. */
#include "network.h"
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_ACTIVATIONS "relu,leaky_relu,prelu,elu,silu,gelu,mish,lgb_relu"

enum { MODEL, ACTIVATION, NORMALIZATION, INITIALIZER, AXES };
static const char *const axis_names[AXES] = {"model", "activation", "normalization", "initializer"};

typedef struct list {
    char **specs;
    size_t n;
} list;

/* Mean and squares of one figure over the runs of a row (Welford 1962). */
typedef struct figure {
    int n;
    double mean, m2;
} figure;

typedef struct row {
    const char *specs[AXES];
    figure accuracy, loss, train_loss, f1, seconds, rate, dead;
    int64_t parameters;
    int failures;
    char reason[256]; /* of the first failure */
    json_t *runs;
} row;

typedef struct sweep {
    const options *given;
    list lists[AXES];
    hk_data *train, *test;
    int seeds;
    row *rows;
    size_t n_rows;
} sweep;

static void add(figure *f, double value)
{
    double before = value - f->mean;
    f->n++;
    f->mean += before / f->n;
    f->m2 += before * (value - f->mean);
}

static double deviation(const figure *f)
{
    return f->n > 1 ? sqrt(f->m2 / (f->n - 1)) : 0;
}

/* ---- Preparing: everything that is wrong with the command line shows before the first run --- */

static int split_lists(sweep *s)
{
    const char *texts[AXES] = {s->given->model, s->given->act, s->given->norm, s->given->init};
    static const char *const usual[AXES] = {"lenet5", USUAL_ACTIVATIONS, "batch_norm", "he_normal"};
    static const hk_kind kinds[AXES] = {0, HK_ACTIVATION, HK_NORMALIZATION, HK_INITIALIZER};
    for (int i = 0; i < AXES; i++)
        if (hk_spec_list(kinds[i], texts[i] ? texts[i] : usual[i], &s->lists[i].specs,
                         &s->lists[i].n) != HK_OK)
            return failed();
    return EXIT_DONE;
}

static int make_rows(sweep *s)
{
    s->n_rows = 1;
    for (int i = 0; i < AXES; i++)
        if (__builtin_mul_overflow(s->n_rows, s->lists[i].n, &s->n_rows))
            s->n_rows = SIZE_MAX;
    s->rows = calloc(s->n_rows, sizeof *s->rows);
    if (!s->rows)
        return complain(EXIT_FAILED, "compare: out of memory for %zu rows", s->n_rows);
    for (size_t r = 0; r < s->n_rows; r++) {
        size_t rest = r;
        for (int i = AXES - 1; i >= 0; i--) {
            s->rows[r].specs[i] = s->lists[i].specs[rest % s->lists[i].n];
            rest /= s->lists[i].n;
        }
        s->rows[r].runs = json_array();
    }
    return EXIT_DONE;
}

static int build(const sweep *s, const row *r, int seed, network *out)
{
    hk_net_options choices = {.activation = r->specs[ACTIVATION],
                              .normalization = r->specs[NORMALIZATION],
                              .initializer = r->specs[INITIALIZER],
                              .seed = (uint64_t)seed};
    return network_new(r->specs[MODEL], choices, hk_data_shape_of(s->train), out);
}

static int try_rows(sweep *s)
{
    for (size_t i = 0; i < s->n_rows; i++) {
        network it;
        int status = build(s, &s->rows[i], 1, &it);
        if (status)
            return status;
        s->rows[i].parameters = hk_net_parameters(it.net);
        if (s->given->norm && !it.model->has_norm)
            note("model %s has no normalization layers: %s changes nothing", it.model->name,
                 s->rows[i].specs[NORMALIZATION]);
        network_free(&it);
    }
    return EXIT_DONE;
}

/* ---- Running -------------------------------------------------------------------------------- */

static void add_run(row *r, int seed, hk_net *net, const hk_epoch_report *report)
{
    char digest[65];
    hk_net_digest(net, digest);
    add(&r->accuracy, report->test.accuracy);
    add(&r->loss, report->test.loss);
    add(&r->train_loss, report->train_loss);
    add(&r->f1, report->test.macro_f1);
    add(&r->seconds, report->seconds);
    add(&r->rate, report->images_per_s);
    add(&r->dead, summary_dead(report));
    json_array_append_new(
        r->runs,
        json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "seed", seed, "train_loss",
                  json_number(report->train_loss), "test_loss", json_number(report->test.loss),
                  "test_accuracy", json_number(report->test.accuracy), "macro_f1",
                  json_number(report->test.macro_f1), "seconds", json_number(report->seconds),
                  "images_per_s", json_number(report->images_per_s), "digest", digest, "layers",
                  summary_layers_json(report)));
}

static void add_failure(row *r, int seed)
{
    if (!r->failures++)
        snprintf(r->reason, sizeof r->reason, "%s", hk_message());
    json_array_append_new(r->runs,
                          json_pack("{s:i, s:o}", "seed", seed, "failed", json_text(hk_message())));
}

static hk_status train(const sweep *s, network *it, int seed, row *r)
{
    hk_trainer *trainer;
    hk_recipe recipe = choose_recipe(s->given, it->model, s->train);
    hk_train_options how = train_options(s->given, &recipe, seed);
    how.train = s->train;
    how.test = s->test;
    hk_status status = hk_trainer_new(it->logits, &how, &trainer);
    if (status == HK_OK)
        status = hk_trainer_run(trainer);
    if (status == HK_OK)
        add_run(r, seed, it->net, hk_trainer_report(trainer));
    hk_trainer_free(trainer);
    return status;
}

/* Wrong words of the command line show in the first run: they end the comparison. */
static bool is_usage(hk_status status)
{
    return status == HK_BAD_ARGUMENT || status == HK_UNKNOWN_NAME || status == HK_BAD_SHAPE;
}

static void print_run(const row *r, int seed, hk_status status)
{
    progress_clear();
    put_text(stderr, r->specs[MODEL]);
    fputs(" ", stderr);
    put_text(stderr, r->specs[ACTIVATION]);
    if (status == HK_OK)
        fprintf(stderr, " seed %d: %.2f %%\n", seed,
                100 * json_number_value(json_object_get(
                          json_array_get(r->runs, json_array_size(r->runs) - 1), "test_accuracy")));
    else
        fprintf(stderr, " seed %d: failed\n", seed);
}

static int run_one(sweep *s, row *r, int seed)
{
    network it;
    int status = build(s, r, seed, &it);
    if (status)
        return status;
    progress_label("%s %s seed %d: ", r->specs[MODEL], r->specs[ACTIVATION], seed);
    hk_status end = train(s, &it, seed, r);
    if (end == HK_STOPPED)
        status = complain(EXIT_INTERRUPTED, "compare: interrupted");
    else if (is_usage(end))
        status = failed();
    else if (end != HK_OK)
        add_failure(r, seed);
    if (!status)
        print_run(r, seed, end);
    network_free(&it);
    return status;
}

static int run_rows(sweep *s)
{
    int status = EXIT_DONE;
    progress_start();
    for (size_t i = 0; i < s->n_rows; i++)
        for (int seed = 1; seed <= s->seeds && !status; seed++)
            status = run_one(s, &s->rows[i], seed);
    return status;
}

/* ---- The table ------------------------------------------------------------------------------ */

/* Rows without failures first, then by mean accuracy. */
static int order(const void *a, const void *b)
{
    const row *p = a, *q = b;
    if (!p->failures != !q->failures)
        return p->failures ? 1 : -1;
    return (p->accuracy.mean < q->accuracy.mean) - (p->accuracy.mean > q->accuracy.mean);
}

/* Width of a column, 0 when all its entries are the same. The activation is always shown. */
static int column_width(const sweep *s, int axis)
{
    size_t width = strlen(axis_names[axis]);
    if (s->lists[axis].n < 2 && axis != ACTIVATION)
        return 0;
    for (size_t i = 0; i < s->lists[axis].n; i++)
        if (strlen(s->lists[axis].specs[i]) > width)
            width = strlen(s->lists[axis].specs[i]);
    return (int)width;
}

static void print_row(const row *r, int rank, const int *widths)
{
    printf("%4d  ", rank);
    for (int i = 0; i < AXES; i++)
        if (widths[i])
            printf("%-*s  ", widths[i], r->specs[i]);
    if (r->accuracy.n)
        printf("%6.2f %% +- %.2f  %7.4f  %7.1f  %10s  %5.1f %%  %10s", 100 * r->accuracy.mean,
               100 * deviation(&r->accuracy), r->loss.mean, r->seconds.mean,
               grouped((int64_t)r->rate.mean), 100 * r->dead.mean, grouped(r->parameters));
    if (r->failures) {
        printf("%s%d of %d runs failed: ", r->accuracy.n ? "  " : "", r->failures,
               r->failures + r->accuracy.n);
        put_text(stdout, r->reason);
    }
    putchar('\n');
}

static void print_table(const sweep *s)
{
    int widths[AXES];
    printf("\n%s, %d seeds, mean +- standard deviation on %s test images\nrank  ",
           hk_data_spec(s->train), s->seeds, grouped(hk_data_shape_of(s->test).n));
    for (int i = 0; i < AXES; i++) {
        widths[i] = column_width(s, i);
        if (widths[i])
            printf("%-*s  ", widths[i], axis_names[i]);
    }
    printf("%-16s  %7s  %7s  %10s  %7s  %10s\n", "accuracy", "loss", "seconds", "images/s", "dead",
           "parameters");
    for (size_t i = 0; i < s->n_rows; i++)
        print_row(&s->rows[i], (int)i + 1, widths);
}

static json_t *row_json(const row *r, int rank)
{
    json_t *it = json_pack("{s:i, s:I, s:i, s:O}", "rank", rank, "parameters",
                           (json_int_t)r->parameters, "failed_runs", r->failures, "runs", r->runs);
    for (int i = 0; i < AXES; i++)
        json_object_set_new(it, axis_names[i], json_text(r->specs[i]));
    if (r->failures)
        json_object_set_new(it, "reason", json_text(r->reason));
    if (r->accuracy.n)
        json_object_update_new(
            it, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "test_accuracy",
                          json_number(r->accuracy.mean), "test_accuracy_sd",
                          json_number(deviation(&r->accuracy)), "test_loss",
                          json_number(r->loss.mean), "train_loss", json_number(r->train_loss.mean),
                          "macro_f1", json_number(r->f1.mean), "seconds",
                          json_number(r->seconds.mean), "images_per_s", json_number(r->rate.mean),
                          "dead", json_number(r->dead.mean)));
    return it;
}

static int print_result(const sweep *s)
{
    if (!s->given->json) {
        print_table(s);
        return EXIT_DONE;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < s->n_rows; i++)
        json_array_append_new(rows, row_json(&s->rows[i], (int)i + 1));
    return json_print(json_pack("{s:o, s:I, s:i, s:o}", "data", json_text(hk_data_spec(s->train)),
                                "test_images", (json_int_t)hk_data_shape_of(s->test).n, "seeds",
                                s->seeds, "rows", rows));
}

static void sweep_clear(sweep *s)
{
    for (size_t i = 0; s->rows && i < s->n_rows; i++)
        json_decref(s->rows[i].runs);
    free(s->rows);
    for (int i = 0; i < AXES; i++)
        hk_spec_list_free(s->lists[i].specs, s->lists[i].n);
    hk_data_free(s->train);
    hk_data_free(s->test);
}

int run_compare(options *given)
{
    sweep s = {.given = given, .seeds = given->seeds ? (int)given->seeds : 3};
    bool some_failed = false;
    int status = split_lists(&s);
    if (!status)
        status = open_data(given, &s.train, &s.test);
    if (!status)
        status = make_rows(&s);
    if (!status)
        status = try_rows(&s);
    if (!status)
        status = run_rows(&s);
    if (!status) {
        qsort(s.rows, s.n_rows, sizeof *s.rows, order);
        status = print_result(&s);
    }
    for (size_t i = 0; s.rows && i < s.n_rows; i++)
        some_failed = some_failed || s.rows[i].failures;
    sweep_clear(&s);
    return status ? status : some_failed ? EXIT_SOME_RUNS : EXIT_DONE;
}
