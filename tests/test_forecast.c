/* Forecasts against what is known exactly of nets before training: how often relu nets are born dead,
 * the statistics of lengths, selu's fixed point, tanh's edge of chaos.
 *
 *     test_forecast table [NETS]
 *
 * prints the whole table of born-dead nets, from that many nets a cell, 100000 unless given. */
#include "check.h"
#include "refuse.h"

#include <hillock/forecast.h>
#include <hillock/hillock.h>
#include <hillock/kernel.h>
#include <stdlib.h>

static hk_net *net;

static hk_tensor *build(const char *model, const char *activation, const char *initializer)
{
    int height, width, channels;
    net = hk_net_new(.activation = activation, .initializer = initializer, .seed = 1);
    if (!net || hk_model_images(model, &height, &width, &channels) != HK_OK)
        return NULL;
    return hk_model_build(net, model, height, width, channels, 10);
}

/* The caller's, with the net, by end(). */
static hk_forecast *forecast(const char *model, const char *activation, const char *initializer,
                             int64_t nets)
{
    hk_forecast *f = NULL;
    hk_forecast_options options = {.nets = nets, .seed = 1};
    if (hk_forecast_new(build(model, activation, initializer), &options, &f) != HK_OK) {
        printf("%s with %s, %s: %s\n", model, activation, initializer, hk_message());
        exit(1);
    }
    return f;
}

static void end(hk_forecast *f)
{
    hk_forecast_free(f);
    hk_net_free(net);
}

#define CHECK_WITHIN_3(estimate, expected)                                                         \
    CHECK_NEAR((estimate).mean, (expected), 3 * (estimate).error + 1e-12)

/* ---- Born dead ------------------------------------------------------------------------------------ */

static const int depths[] = {2, 3, 5, 10, 15, 20, 30, 50}, widths[] = {2, 3, 4, 5, 6, 8};
enum { DEPTHS = 8, WIDTHS = 6, TABLE_NETS = 100000 };

/* Shares of 100,000 nets with Gaussian weights, by an independent program. */
static const double born_dead[DEPTHS][WIDTHS] = {
    {.1565, .0432, .0107, .0031, .0007, .0001}, {.3401, .1177, .0374, .0106, .0031, .0003},
    {.6192, .2935, .1157, .0399, .0139, .0018}, {.9090, .6314, .3381, .1520, .0646, .0104},
    {.9784, .8109, .5165, .2695, .1266, .0237}, {.9951, .9025, .6498, .3748, .1884, .0394},
    {.9997, .9745, .8168, .5422, .3054, .0741}, {1.000, .9983, .9488, .7560, .4924, .1425}};

static hk_forecast *line_net(int width, int depth, int bias, const char *initializer, int64_t nets)
{
    char model[64];
    snprintf(model, sizeof model, "mlp:width=%d,depth=%d,inputs=1,bias=%d", width, depth, bias);
    return forecast(model, "relu", initializer, nets);
}

/* In standard errors of the difference; the table is rounded to 4 places. */
static double distance(double found, double expected, double nets)
{
    double p = fmin(fmax(expected, 5e-5), 1 - 5e-5);
    return (fabs(found - expected) - 5e-5) / sqrt(p * (1 - p) * (1 / nets + 1.0 / TABLE_NETS));
}

static void born_dead_nets_are_as_many_as_in_the_table(void)
{
    for (int d = 0; d < DEPTHS; d++)
        for (int w = 0; w < WIDTHS; w++) {
            int64_t nets = 10000 / depths[d];
            hk_forecast *f = line_net(widths[w], depths[d], 0, "he_normal", nets);
            CHECK(distance(f->born_dead.mean, born_dead[d][w], (double)nets) < 3);
            CHECK(f->born_dead.mean <= f->layers[depths[d]].silent.mean);
            end(f);
        }
}

static void formulas_are_exact(void)
{
    CHECK_NEAR(hk_born_dead(2, 2), 0.15625, 1e-15);
    CHECK_NEAR(hk_born_dead(3, 2), 0.04296875, 1e-15);
    CHECK_NEAR(hk_born_dead(5, 1), 0, 0);
    CHECK_NEAR(hk_silent(2, 1), 0.25, 1e-15);
    CHECK_NEAR(hk_silent(2, 3), 1 - 0.75 * 0.75 * 0.75, 1e-15);
    CHECK_NEAR(hk_silent(60, 1000), 1000 * 0x1p-60, 1e-30);
    for (int d = 0; d < DEPTHS; d++)
        for (int w = 0; w < WIDTHS; w++) {
            double bound = hk_born_dead(widths[w], depths[d]);
            CHECK(distance(fmin(born_dead[d][w], bound), born_dead[d][w], 1e12) < 3);
            CHECK(depths[d] > 2 || distance(bound, born_dead[d][w], 1e12) < 3);
        }
}

/* Whatever the input, and for any symmetric weights. */
static void half_lines_are_silent_as_often_as_the_formula_says(void)
{
    static const char *const initializers[] = {"he_normal", "xavier_uniform", "uniform"};
    for (int i = 0; i < 3; i++) {
        hk_forecast *f = line_net(3, 8, 0, initializers[i], 2000);
        for (int d = 1; d <= 8; d++) {
            CHECK_WITHIN_3(f->layers[d - 1].silent, hk_silent(3, d));
            CHECK_NEAR(f->layers[d - 1].silent_theory, hk_silent(3, d), 1e-12);
        }
        end(f);
    }
    hk_forecast *f = forecast("mlp:width=4,depth=6,inputs=7", "relu", "he_normal", 1000);
    CHECK_WITHIN_3(f->layers[5].silent, hk_silent(4, 6));
    CHECK_NEAR(f->layers[6].silent_theory, hk_silent(4, 6), 1e-12);
    end(f);
}

static void rai_nets_are_seldom_born_dead(void)
{
    for (int d = 0; d < DEPTHS; d++) {
        int64_t nets = 8000 / depths[d];
        hk_forecast *he = line_net(3, depths[d], 1, "he_normal", nets);
        hk_estimate of_he = he->born_dead;
        end(he);
        hk_forecast *rai = line_net(3, depths[d], 1, "rai", nets);
        printf("  depth %d: he_normal %.4f, rai %.4f\n", depths[d], of_he.mean,
               rai->born_dead.mean);
        CHECK(rai->born_dead.mean + 3 * rai->born_dead.error < 0.7 * of_he.mean);
        end(rai);
    }
}

/* ---- Lengths and gradients --------------------------------------------------------------------------- */

static void lengths_have_their_exact_moments(void)
{
    hk_forecast *f = forecast("mlp:width=20,depth=6,inputs=8,bias=0", "relu", "he_normal", 2500);
    double square_squared = 1;
    for (int i = 0; i < 6; i++) {
        const hk_forecast_layer *l = &f->layers[i];
        square_squared *= 1 + 5.0 / 20;
        CHECK_WITHIN_3(l->square, 1);
        CHECK_WITHIN_3(l->square_squared, square_squared);
        CHECK_NEAR(l->square_theory, 1, 0.02);
        CHECK_NEAR(l->gradient.mean, 0.5 * 20 / 20, 0.05);
    }
    end(f);
}

/* Every input has a mean square of 1, and each comes with its mirror image. */
static void theory_holds_for_wide_nets(void)
{
    static const char *const acts[] = {"relu", "tanh", "gelu", "elu", "sigmoid", "prelu"};
    for (int a = 0; a < 6; a++) {
        hk_forecast *f = forecast("mlp:width=200,depth=4,inputs=50", acts[a], "he_normal", 20);
        for (int i = 0; i < f->n_layers; i++) {
            const hk_forecast_layer *l = &f->layers[i];
            CHECK_NEAR(l->square.mean, l->square_theory,
                       0.03 * l->square_theory + 3 * l->square.error);
            CHECK_NEAR(l->gradient.mean, l->gradient_theory,
                       0.03 * l->gradient_theory + 3 * l->gradient.error);
        }
        end(f);
    }
}

static void selu_keeps_mean_0_and_variance_1(void)
{
    hk_forecast *f =
        forecast("mlp:width=128,depth=16,inputs=64,bias=0", "selu", "lecun_normal", 40);
    for (int i = 0; i < 16; i++) {
        CHECK_NEAR(f->layers[i].mean.mean, 0, 0.01);
        CHECK_NEAR(f->layers[i].square.mean, 1, 0.05);
        CHECK_NEAR(f->layers[i].square_theory, 1, 0.01);
        CHECK_NEAR(f->layers[i].mend, 1, 1e-6);
    }
    end(f);
}

/* From inputs of another size, too: the fixed point attracts. */
static void selu_returns_to_its_fixed_point(void)
{
    enum { IMAGES = 64, PIXELS = 64 };
    static float x[IMAGES * PIXELS];
    static int32_t labels[IMAGES];
    hk_data *data;
    for (int i = 0; i < IMAGES * PIXELS; i++)
        x[i] = 2 * hks_normal(5, (uint64_t)i);
    CHECK_EQUAL(hk_data_from_arrays(IMAGES, 1, 1, PIXELS, 10, x, labels, &data), HK_OK);
    hk_tensor *logits = build("mlp:width=128,depth=24,inputs=64,bias=0", "selu", "lecun_normal");
    hk_forecast *f = NULL;
    CHECK_EQUAL(hk_forecast_new(logits, &(hk_forecast_options){.data = data, .nets = 30}, &f),
                HK_OK);
    CHECK(f->layers[0].square.mean > 2.5);
    CHECK_NEAR(f->layers[23].square.mean, 1, 0.15);
    CHECK_NEAR(f->layers[23].mean.mean, 0, 0.05);
    end(f);
    hk_data_free(data);
}

/* Critical at Var(w) = 1 / fan_in: below, signals vanish exponentially, above, gradients explode. */
static void tanh_is_critical_at_gain_1(void)
{
    static const char *const model = "mlp:width=96,depth=24,inputs=96,bias=0";
    hk_forecast *ordered = forecast(model, "tanh", "he_normal:gain=0.7", 20);
    CHECK(ordered->depth < 40);
    CHECK_CONTAINS(ordered->depth_why, "vanish");
    end(ordered);
    hk_forecast *critical = forecast(model, "tanh", "lecun_normal", 20);
    CHECK(critical->depth > 150);
    CHECK(critical->layers[0].gradient.mean > 0.003);
    end(critical);
    hk_forecast *chaotic = forecast(model, "tanh", "he_normal:gain=2", 20);
    CHECK(chaotic->depth < 80);
    CHECK_TEXT(chaotic->depth_why, "gradients explode");
    end(chaotic);
}

/* Signals that fall as a power of the depth last: at depth 1,000 a tanh net with xavier_normal still has 3.6e-5. */
static void slow_signals_are_not_drawn_out_as_fast_ones(void)
{
    hk_forecast *f = forecast("mlp:width=100,depth=100", "tanh", "xavier_normal", 20);
    CHECK(f->depth > 1000);
    CHECK_CONTAINS(f->verdict, "Can learn: outputs and gradients keep their size");
    end(f);
    f = forecast("mlp:width=96,depth=24,inputs=96,bias=0", "tanh", "normal:std=0.06", 20);
    CHECK(f->depth < 40); /* by a factor a layer */
    end(f);
}

/* Sentences say what the figures say. */
static void sentences_agree_with_figures(void)
{
    hk_forecast *f = forecast("mlp:width=16,depth=10", "sigmoid", "normal", 20);
    CHECK(f->born_dead.mean == 0);
    CHECK_CONTAINS(f->verdict, "in every other net all inputs give the same outputs");
    CHECK(!strstr(f->verdict, "born dead"));
    end(f);
    const char *const initializers[] = {"he_normal", "rai"};
    for (int i = 0; i < 2; i++) {
        f = forecast("mlp:width=2,depth=10,inputs=1,bias=0", "relu", initializers[i], 1000);
        CHECK_CONTAINS(f->verdict, "are born dead");
        CHECK((strstr(f->verdict, "or rai") != NULL) == (i == 0));
        CHECK(isnan(f->layers[f->n_layers - 1].silent_theory) == (i == 1)); /* symmetric weights */
        end(f);
    }
}

/* ---- The verdict --------------------------------------------------------------------------------------- */

static void the_gain_that_is_named_mends(void)
{
    char initializer[64];
    hk_forecast *f = forecast("mlp:width=64,depth=20,inputs=64", "relu", "normal:std=0.05", 20);
    CHECK(f->depth <= f->n_layers);
    CHECK_CONTAINS(f->verdict, "Will not learn well");
    CHECK_CONTAINS(f->verdict, "A gain of 1.414 instead of 0.");
    CHECK_NEAR(f->layers[5].gain, 0.4, 0.01);
    snprintf(initializer, sizeof initializer, "he_normal:gain=%.17g", f->layers[5].mend);
    end(f);
    f = forecast("mlp:width=64,depth=20,inputs=64", "relu", initializer, 40);
    CHECK_CONTAINS(f->verdict, "Can learn");
    for (int i = 0; i < f->n_layers; i++)
        CHECK_WITHIN_3(f->layers[i].square, 1);
    end(f);
}

static void exploding_nets_are_said_to_explode(void)
{
    static const char *const initializers[] = {"normal:std=0.5", "normal:std=8"}; /* to infinity */
    for (int i = 0; i < 2; i++) {
        hk_forecast *f = forecast("mlp:width=64,depth=60,inputs=8", "relu", initializers[i], 20);
        CHECK(f->depth < 10);
        CHECK_CONTAINS(f->verdict, "outputs explode");
        end(f);
    }
}

static void convolutions_and_branches_are_forecast(void)
{
    static const char *const models[] = {"lenet5", "mobilenet"};
    for (int m = 0; m < 2; m++) {
        hk_forecast *f = forecast(models[m], "relu", "he_normal", 4);
        CHECK(f->n_layers > 4);
        CHECK_TEXT(f->layers[f->n_layers - 1].activation, "output");
        for (int i = 0; i < f->n_layers; i++) {
            CHECK(f->layers[i].square.mean > 0.01 && f->layers[i].square.mean < 100);
            CHECK(isfinite(f->layers[i].square_theory) && isfinite(f->layers[i].gradient_theory));
        }
        CHECK_CONTAINS(f->verdict, "Can learn");
        CHECK_NEAR(f->born_dead.mean, 0, 0);
        end(f);
    }
}

/* ---- Manners ------------------------------------------------------------------------------------------- */

static void the_net_is_as_new_afterwards(void)
{
    char before[65], after[65];
    hk_tensor *logits = build("mlp:width=9,depth=2,inputs=5", "lgb_relu", "rai");
    hk_net_digest(net, before);
    hk_forecast *f = NULL;
    CHECK_EQUAL(hk_forecast_new(logits, NULL, &f), HK_OK);
    CHECK_EQUAL(f->inputs, 32);
    CHECK_EQUAL(f->nets, 1000);
    hk_net_digest(net, after);
    CHECK_TEXT(after, before);
    end(f);
}

static void threads_change_nothing(void)
{
    hk_estimate found[2];
    for (int i = 0; i < 2; i++) {
        hk_set_threads(i ? 3 : 1);
        hk_forecast *f = forecast("lenet5", "gelu", "he_normal", 3);
        found[i] = f->layers[1].gradient;
        end(f);
    }
    hk_set_threads(0);
    CHECK(!memcmp(&found[0], &found[1], sizeof found[0]));
}

static void wrong_use_gets_a_sentence(void)
{
    hk_forecast *f = NULL;
    float x[4] = {0};
    int32_t label = 0;
    hk_data *data;
    CHECK_EQUAL(hk_forecast_new(NULL, NULL, &f), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "logits is NULL");
    hk_tensor *logits = build("mlp:width=3,depth=1,inputs=5", "relu", "he_normal");
    CHECK_EQUAL(hk_forecast_new(logits, NULL, NULL), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_forecast_new(logits, &(hk_forecast_options){.inputs = 3}, &f), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "even number");
    CHECK_EQUAL(hk_forecast_new(logits, &(hk_forecast_options){.nets = INT64_MAX}, &f),
                HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "at most 1000000 nets");
    CHECK_EQUAL(hk_data_from_arrays(1, 2, 2, 1, 10, x, &label, &data), HK_OK);
    CHECK_EQUAL(hk_forecast_new(logits, &(hk_forecast_options){.data = data}, &f), HK_BAD_SHAPE);
    CHECK(!f);
    hk_data_free(data);
    hk_net_free(net);
}

static void refused_memory_is_told(void)
{
    int refused = 0;
    hk_set_allocator(&countdown);
    for (long n = 0; n < 1000; n++) {
        hk_forecast *f = NULL;
        hk_tensor *logits = build("mlp:width=3,depth=1,inputs=2", "relu", "he_normal");
        allocations_left = n;
        hk_status status = hk_forecast_new(logits, &(hk_forecast_options){.nets = 2}, &f);
        allocations_left = -1;
        CHECK(status == HK_OK ? f != NULL : status == HK_NO_MEMORY && !f);
        end(f);
        if (status == HK_OK)
            break;
        refused++;
    }
    hk_set_allocator(NULL);
    CHECK(refused > 5);
}

static int print_table(int64_t nets)
{
    double most = 0;
    printf("born dead, found (table) standard errors apart; %lld nets a cell\n", (long long)nets);
    for (int d = 0; d < DEPTHS; d++) {
        printf("%3d", depths[d]);
        for (int w = 0; w < WIDTHS; w++) {
            hk_forecast *f = line_net(widths[w], depths[d], 0, "he_normal", nets);
            double z = fmax(0, distance(f->born_dead.mean, born_dead[d][w], (double)nets));
            printf("  %.4f (%.4f) %.1f", f->born_dead.mean, born_dead[d][w], z);
            fflush(stdout);
            most = fmax(most, z);
            end(f);
        }
        printf("\n");
    }
    printf("largest distance: %.2f standard errors\n", most);
    return most > 3;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "table"))
        return print_table(argc > 2 ? atoll(argv[2]) : TABLE_NETS);
    RUN(slow_signals_are_not_drawn_out_as_fast_ones);
    RUN(sentences_agree_with_figures);
    RUN(born_dead_nets_are_as_many_as_in_the_table);
    RUN(formulas_are_exact);
    RUN(half_lines_are_silent_as_often_as_the_formula_says);
    RUN(rai_nets_are_seldom_born_dead);
    RUN(lengths_have_their_exact_moments);
    RUN(theory_holds_for_wide_nets);
    RUN(selu_keeps_mean_0_and_variance_1);
    RUN(selu_returns_to_its_fixed_point);
    RUN(tanh_is_critical_at_gain_1);
    RUN(the_gain_that_is_named_mends);
    RUN(exploding_nets_are_said_to_explode);
    RUN(convolutions_and_branches_are_forecast);
    RUN(the_net_is_as_new_afterwards);
    RUN(threads_change_nothing);
    RUN(wrong_use_gets_a_sentence);
    RUN(refused_memory_is_told);
    return check_result();
}
