/* Numbers learned in place of classes: from a table through training to a saved net. */
#include "check.h"

#include <hillock/hillock.h>
#include <hillock/saved.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 200 };
#define REFUSED(call, status, part)                                                                \
    do {                                                                                           \
        CHECK_EQUAL(call, status);                                                                 \
        CHECK_CONTAINS(hk_message(), part);                                                        \
    } while (0)

static char folder[] = "/tmp/hillock-regression-XXXXXX", table[64], spec[128], file[64];

/* target = 1000 + 300 a - 200 b, exactly, on a fixed lattice. */
static void write_table(void)
{
    snprintf(table, sizeof table, "%s/t.csv", folder);
    snprintf(file, sizeof file, "%s/net.safetensors", folder);
    snprintf(spec, sizeof spec, "csv:%s,target=y", table);
    FILE *f = fopen(table, "w");
    fputs("a,y,b\n", f);
    for (int i = 0; i < ROWS; i++) {
        const double a = i % 20 / 10.0, b = i / 20 / 5.0;
        fprintf(f, "%g,%.17g,%g\n", a, 1000 + 300 * a - 200 * b, b);
    }
    CHECK_EQUAL(fclose(f), 0);
}

static void a_table_of_numbers_to_learn(void)
{
    hk_data *train, *test;
    CHECK_EQUAL(hk_data_open(spec, &train, &test), HK_OK);
    CHECK(hk_data_is_regression(train) && hk_data_is_regression(test));
    CHECK_EQUAL(hk_data_shape_of(train).n, 160);
    CHECK_EQUAL(hk_data_shape_of(train).channels, 2);
    CHECK_EQUAL(hk_data_shape_of(train).classes, 1);
    CHECK_CONTAINS(hk_data_about(train), "target: y (");
    CHECK(isnan(hk_data_target(test, 40)) && isnan(hk_data_target(test, -1)));
    hk_card card;
    CHECK_EQUAL(hk_data_card(train, &card), HK_OK);
    double mean = 0, square = 0;
    for (int64_t i = 0; i < 160; i++)
        mean += hk_data_target(train, i) / 160;
    for (int64_t i = 0; i < 160; i++)
        square += (hk_data_target(train, i) - mean) * (hk_data_target(train, i) - mean) / 160;
    CHECK_NEAR(card.target_mean, mean, 1e-9);
    CHECK_NEAR(card.target_deviation, sqrt(square), 1e-9);
    CHECK_TEXT(card.label, "y");
    hk_loader *loader;
    CHECK_EQUAL(hk_loader_new(test, &(hk_loader_options){.batch = 40}, &loader), HK_OK);
    hk_loader_start(loader, 0);
    hk_batch batch = hk_loader_next(loader);
    CHECK_EQUAL(batch.n, 40);
    for (int64_t i = 0; i < batch.n; i++) /* by the mean and deviation of the training set */
        CHECK_NEAR((double)batch.targets[i], (hk_data_target(test, i) - mean) / sqrt(square), 1e-6);
    hk_loader_free(loader);
    hk_data_free(train);
    hk_data_free(test);
}

static void refusals(void)
{
    char other[160];
    hk_data *data;
    snprintf(other, sizeof other, "csv:%s,target=y,label=a", table);
    REFUSED(hk_data_open(other, &data, NULL), HK_BAD_ARGUMENT, "exclude each other");
    snprintf(other, sizeof other, "csv:%s,target=z", table);
    REFUSED(hk_data_open(other, &data, NULL), HK_BAD_ARGUMENT, "\"z\"");
    snprintf(other, sizeof other, "csv:%s,label=a", table);
    REFUSED(hk_data_open(other, &data, NULL), HK_BAD_DATA, "target=a learns the numbers");
    const float y[2] = {0, 0}, unknown[2] = {1, NAN};
    hk_metrics m;
    REFUSED(hk_regression_from(2, y, unknown, &m), HK_BAD_ARGUMENT, "sample 1");
    REFUSED(hk_regression_from(0, y, y, &m), HK_BAD_ARGUMENT, "0 samples");
}

/* Errors 0, 1, -1: squares 2; about the mean 2: 2; about 0: 14. */
static void metrics_by_hand(void)
{
    const float targets[3] = {1, 2, 3}, right[3] = {1, 3, 2};
    hk_metrics m;
    CHECK_EQUAL(hk_regression_from(3, right, targets, &m), HK_OK);
    CHECK_EQUAL(m.regression, 1);
    CHECK_NEAR(m.loss, 2.0 / 3, 1e-15);
    CHECK_NEAR(m.rmse, sqrt(2.0 / 3), 1e-15);
    CHECK_NEAR(m.r2, 0, 1e-15);
    CHECK_NEAR(m.floor, 1 - 14.0 / 2, 1e-15);
    CHECK(isnan(m.accuracy) && isnan(m.macro_f1) && isnan(m.auc));
    const float same[2] = {4, 4};
    CHECK_EQUAL(hk_regression_from(2, targets, same, &m), HK_OK);
    CHECK(isnan(m.r2) && isnan(m.floor));
}

static hk_tensor *two_layers(hk_net *net, int outputs)
{
    return hk_linear(hk_act(hk_linear(hk_input(net, 1, 1, 2), 16)), outputs);
}

static void a_net_learns_saves_and_answers_in_the_unit_of_the_file(void)
{
    hk_data *train, *test;
    hk_net *net = hk_net_new(.activation = "tanh", .seed = 1), *again;
    hk_tensor *output = two_layers(net, 1), *loaded;
    CHECK_EQUAL(hk_data_open(spec, &train, &test), HK_OK);
    hk_epoch_report report;
    CHECK_EQUAL(hk_fit(output, &report, .train = train, .test = test, .epochs = 60, .batch = 16,
                       .optimizer = "adam:lr=0.01", .no_probes = 1),
                HK_OK);
    CHECK(report.test.r2 > 0.99);
    CHECK(report.test.rmse < 30 && report.test.rmse > 1e-3); /* in the unit of y, which spans 930 */
    CHECK_EQUAL(hk_net_save(output, file, NULL), HK_OK);
    CHECK_EQUAL(hk_net_load(file, &again, &loaded), HK_OK);
    const float raw[4] = {0.5f, 1, 1.5f, 0.2f};
    float x[4], y[2];
    CHECK_EQUAL(hk_net_standardise(loaded, 2, raw, x), HK_OK);
    CHECK_EQUAL(hk_net_estimate(loaded, 2, x, y), HK_OK);
    CHECK_NEAR((double)y[0], 950, 60);
    CHECK_NEAR((double)y[1], 1410, 60);
    hk_evaluation evaluation;
    CHECK_EQUAL(hk_evaluate(loaded, test, &evaluation), HK_OK);
    CHECK_NEAR(evaluation.total.r2, report.test.r2, 1e-12);
    CHECK(!evaluation.confusion);
    hk_evaluation_clear(&evaluation);
    hk_net_free(again);
    hk_net_free(net);
    hk_data_free(train);
    hk_data_free(test);
}

static void outputs_and_data_that_do_not_belong_together(void)
{
    hk_data *train, *test;
    hk_net *net = hk_net_new(.seed = 1);
    CHECK_EQUAL(hk_data_open(spec, &train, &test), HK_OK);
    REFUSED(hk_fit(two_layers(net, 3), NULL, .train = train), HK_BAD_SHAPE, "one number to learn");
    hk_net_free(net);
    hk_card card;
    const double mean[2] = {0, 0}, deviation[2] = {1, 1};
    card = (hk_card){.channels = 2, .mean = mean, .deviation = deviation, .classes = 3};
    REFUSED(hk_data_conform(test, &card), HK_BAD_DATA, "the net learned classes");
    hk_data_free(train);
    hk_data_free(test);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    write_table();
    RUN(a_table_of_numbers_to_learn);
    RUN(refusals);
    RUN(metrics_by_hand);
    RUN(a_net_learns_saves_and_answers_in_the_unit_of_the_file);
    RUN(outputs_and_data_that_do_not_belong_together);
    unlink(table);
    unlink(file);
    rmdir(folder);
    return check_result();
}
