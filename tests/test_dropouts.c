/* Noise for training: what is dropped, what becomes of the rest, means and variances within their
 * standard errors; gradients; nothing in evaluation; the same for any number of threads. */
#include "gradient.h"

#include <hillock/kernel.h>
#include <math.h>

#include <hillock/model.h>

enum {
    SAMPLES = 40,
    SIDE = 10,
    CHANNELS = 25,
    ROWS = SIDE * SIDE,
    SIZE = ROWS * CHANNELS,
    ALL = SAMPLES * SIZE
};

/* One kind of noise over x[SAMPLES, SIDE, SIDE, CHANNELS], with y and dx for dy = 1. */
typedef hk_tensor *kind(hk_tensor *x, double rate);
static float x_of[ALL], y_of[ALL], dx_of[ALL];

static void disturb_in(kind *of, double rate, int training, uint64_t seed)
{
    hk_net *net = hk_net_new(.seed = seed);
    hk_tensor *x = hk_input(net, SIDE, SIDE, CHANNELS), *y = of(x, rate);
    CHECK(y != NULL);
    hk_tensor *keep[] = {x, y}, *loss = hk_sum(y, HK_ALL_AXES);
    hk_plan_options options = {
        .batch = SAMPLES, .training = training, .loss = loss, .keep = keep, .n_keep = 2};
    hk_plan *plan = NULL;
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    if (plan) {
        memcpy(hk_plan_value(plan, x), x_of, sizeof x_of);
        CHECK(hk_plan_forward(plan, SAMPLES) == HK_OK && hk_plan_backward(plan) == HK_OK);
        memcpy(y_of, hk_plan_value(plan, y), sizeof y_of);
        memcpy(dx_of, hk_plan_gradient(plan, x), sizeof dx_of);
    }
    hk_plan_free(plan);
    hk_net_free(net);
}

static void disturb(kind *of, double rate)
{
    disturb_in(of, rate, 1, 1);
}

static void fill_constant(float value)
{
    for (int i = 0; i < ALL; i++)
        x_of[i] = value;
}

static void fill_normal(void)
{
    for (int i = 0; i < ALL; i++)
        x_of[i] = hks_normal(77, (uint64_t)i);
}

typedef struct spread {
    double mean, variance;
} spread;

static spread spread_of(const float *x, int n, int step)
{
    double mean = 0, square = 0;
    for (int i = 0; i < n; i++)
        mean += (double)x[i * step] / n;
    for (int i = 0; i < n; i++)
        square += ((double)x[i * step] - mean) * ((double)x[i * step] - mean) / n;
    return (spread){mean, square};
}

/* y is x / (1 - rate) or 0 for a share `rate` of n units, the first of which are `step` apart. */
static void check_dropped(double rate, int n, int step)
{
    int dropped = 0;
    for (int i = 0; i < n; i++) {
        const float x = x_of[i * step], y = y_of[i * step];
        CHECK(y == 0 || fabs((double)y - (double)x / (1 - rate)) < 1e-6);
        CHECK_NEAR(dx_of[i * step], y == 0 ? 0 : 1 / (1 - rate), 1e-6);
        dropped += y == 0;
    }
    CHECK_NEAR(dropped / (double)n, rate, 5 * sqrt(rate * (1 - rate) / n));
}

static void dropout_drops_elements(void)
{
    fill_constant(2);
    disturb(hk_dropout, 0.3);
    check_dropped(0.3, ALL, 1);
    const spread y = spread_of(y_of, ALL, 1);
    const double variance = 4 * 0.3 / 0.7;
    CHECK_NEAR(y.mean, 2, 5 * sqrt(variance / ALL));
    CHECK_NEAR(y.variance, variance, 0.02 * variance);
}

/* All positions of a channel, or of a sample, share their fate. */
static void check_whole(int channels_each)
{
    for (int s = 0; s < SAMPLES; s++)
        for (int i = 0; i < SIZE; i++) {
            const int at = s * SIZE + i, first = s * SIZE + i % CHANNELS / channels_each;
            CHECK((y_of[at] == 0) == (y_of[first] == 0));
        }
}

static void channel_dropout_drops_channels(void)
{
    fill_constant(2);
    disturb(hk_channel_dropout, 0.4);
    check_whole(1);
    int dropped = 0;
    for (int s = 0; s < SAMPLES; s++)
        for (int j = 0; j < CHANNELS; j++)
            dropped += y_of[s * SIZE + j] == 0;
    CHECK_NEAR(dropped / (double)(SAMPLES * CHANNELS), 0.4, 5 * sqrt(0.24 / (SAMPLES * CHANNELS)));
}

static void drop_path_drops_samples(void)
{
    int dropped = 0;
    fill_constant(3);
    for (uint64_t seed = 0; seed < 25; seed++) {
        disturb_in(hk_drop_path, 0.25, 1, seed);
        check_whole(CHANNELS);
        for (int s = 0; s < SAMPLES; s++)
            dropped += y_of[s * SIZE] == 0;
    }
    CHECK_NEAR(dropped / (25.0 * SAMPLES), 0.25, 5 * sqrt(0.25 * 0.75 / (25 * SAMPLES)));
    for (int i = 0; i < ALL; i++) {
        CHECK(y_of[i] == 0 || y_of[i] == 4);
        CHECK_NEAR(dx_of[i], (double)y_of[i] / 3, 1e-6);
    }
}

/* Dropped: a A' + b, kept: a x + b; mean 0 and variance 1 stay. */
static void check_alpha(kind *of, double rate, int units)
{
    const double least = -1.7580993408473766;
    const double a = 1 / sqrt((1 - rate) * (1 + rate * least * least)), b = -a * rate * least;
    int dropped = 0;
    fill_normal();
    disturb(of, rate);
    for (int i = 0; i < ALL; i++) {
        CHECK(dx_of[i] == 0 || fabs((double)dx_of[i] - a) < 1e-6);
        CHECK_NEAR(y_of[i], dx_of[i] == 0 ? a * least + b : a * (double)x_of[i] + b, 2e-6);
        dropped += dx_of[i] == 0;
    }
    CHECK_NEAR(dropped / (double)ALL, rate, 5 * sqrt(rate * (1 - rate) / units));
    const spread y = spread_of(y_of, ALL, 1);
    CHECK_NEAR(y.mean, 0, 5 * (1 / sqrt(ALL) + a * -least * sqrt(rate * (1 - rate) / units)));
    CHECK_NEAR(y.variance, 1, 10 / sqrt(units));
}

static void alpha_dropout_keeps_mean_and_variance(void)
{
    check_alpha(hk_alpha_dropout, 0.1, ALL);
    check_alpha(hk_alpha_dropout, 0.5, ALL);
    check_alpha(hk_channel_alpha_dropout, 0.3, SAMPLES * CHANNELS);
    fill_constant(2);
    disturb(hk_channel_alpha_dropout, 0.3);
    for (int s = 0; s < SAMPLES; s++)
        for (int i = 0; i < SIZE; i++)
            CHECK(y_of[s * SIZE + i] == y_of[s * SIZE + i % CHANNELS]);
}

static void gaussian_noise_has_its_moments(void)
{
    fill_constant(2);
    disturb(hk_gaussian_dropout, 0.2);
    spread y = spread_of(y_of, ALL, 1), dx = spread_of(dx_of, ALL, 1);
    CHECK_NEAR(y.mean, 2, 5 * 2 * 0.5 / sqrt(ALL)); /* deviation sqrt(0.2 / 0.8) = 1/2, times x */
    CHECK_NEAR(y.variance, 1, 5 * sqrt(2.0 / ALL));
    CHECK_NEAR(dx.variance, 0.25, 5 * 0.25 * sqrt(2.0 / ALL));
    for (int i = 0; i < ALL; i++)
        CHECK_NEAR(y_of[i], 2 * (double)dx_of[i], 1e-6);
    disturb(hk_gaussian_noise, 0.3);
    y = spread_of(y_of, ALL, 1);
    CHECK_NEAR(y.mean, 2, 5 * 0.3 / sqrt(ALL));
    CHECK_NEAR(y.variance, 0.09, 5 * 0.09 * sqrt(2.0 / ALL));
    for (int i = 0; i < ALL; i++)
        CHECK(dx_of[i] == 1);
}

static hk_tensor *squares(hk_tensor *x, double rate)
{
    return hk_drop_block(x, rate, 3);
}

/* Is y[s, h, w, c] in a square of zeros? */
static bool in_square(int s, int h, int w, int c)
{
    for (int row = h < 2 ? 0 : h - 2; row <= h && row + 3 <= SIDE; row++)
        for (int column = w < 2 ? 0 : w - 2; column <= w && column + 3 <= SIDE; column++) {
            int zeros = 0;
            for (int k = 0; k < 9; k++)
                zeros +=
                    y_of[s * SIZE + ((row + k / 3) * SIDE + column + k % 3) * CHANNELS + c] == 0;
            if (zeros == 9)
                return true;
        }
    return false;
}

/* Only squares; each sample keeps its sum; as many as squares that start independently drop: in the
 * middle of the map 9 may cover a number. */
static void drop_block_drops_squares(void)
{
    const double gamma = 0.2 / 9 * (SIDE * SIDE) / ((SIDE - 2) * (SIDE - 2));
    int dropped = 0;
    fill_constant(2);
    disturb(squares, 0.2);
    for (int s = 0; s < SAMPLES; s++) {
        const spread y = spread_of(y_of + s * SIZE, SIZE, 1);
        CHECK_NEAR(y.mean, 2, 1e-5);
        for (int i = 0; i < SIZE; i++) {
            const float at = y_of[s * SIZE + i];
            const int w = i / CHANNELS % SIDE, h = i / CHANNELS / SIDE;
            CHECK(at != 0 || in_square(s, h, w, i % CHANNELS));
            CHECK_NEAR(dx_of[s * SIZE + i], (double)at / 2, 1e-6);
            dropped += at == 0 && h == SIDE / 2 && w == SIDE / 2;
        }
    }
    const double share = 1 - pow(1 - gamma, 9), n = SAMPLES * CHANNELS;
    CHECK_NEAR(dropped / n, share, 5 * sqrt(share * (1 - share) / n));
}

static hk_tensor *single(hk_tensor *x, double rate)
{
    return hk_drop_block(x, rate, 1);
}

static hk_tensor *whole(hk_tensor *x, double rate)
{
    return hk_drop_block(x, rate, 1000);
}

/* Squares of one number are dropout, squares as large as the map are channel dropout. */
static void drop_block_at_its_ends(void)
{
    int dropped = 0;
    fill_constant(1);
    disturb(single, 0.3);
    for (int i = 0; i < ALL; i++)
        dropped += y_of[i] == 0;
    CHECK_NEAR(dropped / (double)ALL, 0.3, 5 * sqrt(0.21 / ALL));
    disturb(whole, 0.3);
    dropped = 0;
    for (int s = 0; s < SAMPLES; s++)
        for (int i = 0; i < SIZE; i++) {
            CHECK(y_of[s * SIZE + i] == y_of[s * SIZE + i % CHANNELS]);
            dropped += i < CHANNELS && y_of[s * SIZE + i] == 0;
        }
    CHECK_NEAR(dropped / (double)(SAMPLES * CHANNELS), 0.3, 5 * sqrt(0.21 / (SAMPLES * CHANNELS)));
    hk_net *net = hk_net_new(.seed = 1);
    CHECK(!hk_drop_block(hk_input(net, 4, 4, 1), 0.5, 0));
    CHECK_CONTAINS(hk_message(), "size 0");
    CHECK(!hk_drop_block(hk_input(net, 4), 0.5, 2));
    CHECK_CONTAINS(hk_message(), "expects a batch of maps");
    hk_net_free(net);
}

/* In evaluation the same draws for the same step; after a commit others; their mean is x. */
static void mc_dropout_goes_on_in_evaluation(void)
{
    enum { RUNS = 400, N = 50 };
    static float first[N], sum[N];
    fill_constant(2);
    disturb_in(hk_mc_dropout, 0.3, 0, 1);
    check_dropped(0.3, ALL, 1);
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *x = hk_input(net, N), *y = hk_mc_dropout(x, 0.3);
    hk_plan_options options = {.batch = 1, .output = y};
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    float *out = hk_plan_value(plan, y);
    for (int run = -1; run < RUNS; run++) {
        memcpy(hk_plan_value(plan, x), x_of, sizeof sum);
        CHECK_EQUAL(hk_plan_forward(plan, 1), HK_OK);
        if (run >= 0)
            hk_plan_commit(plan);
        CHECK(run > 0 || run < 0 || !memcmp(first, out, sizeof first));
        CHECK(run != 1 || memcmp(first, out, sizeof first));
        if (run < 0)
            memcpy(first, out, sizeof first);
        for (int i = 0; run >= 0 && i < N; i++)
            sum[i] += out[i] / RUNS;
    }
    for (int i = 0; i < N; i++)
        CHECK_NEAR(sum[i], 2, 5 * sqrt(4 * 0.3 / 0.7 / RUNS));
    hk_plan_free(plan);
    hk_net_free(net);
}

static kind *const kinds[] = {
    hk_dropout,          hk_channel_dropout, hk_alpha_dropout, hk_channel_alpha_dropout,
    hk_gaussian_dropout, hk_gaussian_noise,  hk_drop_path,     squares};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void evaluation_changes_nothing(void)
{
    fill_normal();
    for (int k = 0; k < KINDS; k++) {
        disturb_in(kinds[k], 0.4, 0, 1);
        CHECK(!memcmp(y_of, x_of, sizeof x_of));
        for (int i = 0; i < ALL; i++)
            CHECK(dx_of[i] == 1);
    }
}

static void a_rate_of_0_is_no_operation(void)
{
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *x = hk_input(net, 4, 4, 3);
    for (int k = 0; k < KINDS; k++)
        CHECK(kinds[k](x, 0) == x);
    CHECK(hk_mc_dropout(x, 0) == x);
    hk_net_free(net);
}

static void threads_do_not_matter(void)
{
    static float y[ALL], dx[ALL];
    fill_normal();
    for (int k = 0; k < KINDS; k++) {
        hk_set_threads(1);
        disturb(kinds[k], 0.4);
        memcpy(y, y_of, sizeof y);
        memcpy(dx, dx_of, sizeof dx);
        hk_set_threads(7);
        disturb(kinds[k], 0.4);
        CHECK(!memcmp(y, y_of, sizeof y) && !memcmp(dx, dx_of, sizeof dx));
        disturb_in(kinds[k], 0.4, 1, 2);
        CHECK(memcmp(y, y_of, sizeof y)); /* another seed, other noise */
    }
    hk_set_threads(0);
}

static void gradients_are_true(void)
{
    for (int k = 0; k < KINDS; k++) {
        hk_net *net = hk_net_new(.seed = 5);
        hk_tensor *x = hk_input(net, 3, 3, 5);
        gradient_check("noise", kinds[k](x, 0.4), &x, 1, 4, -1, 1, 1e-3);
        hk_net_free(net);
    }
}

static void impossible_rates_are_refused(void)
{
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *x = hk_input(net, 4), *p = hk_parameter(net, "p", HK_SHAPE(2, 2), "ones");
    for (int k = 0; k < KINDS; k++) {
        CHECK(!kinds[k](x, -0.1) && !kinds[k](x, (double)NAN) && !kinds[k](NULL, 0.5));
        CHECK(!kinds[k](p, 0.5));
        CHECK_CONTAINS(hk_message(), "expects a batch");
        if (kinds[k] != hk_gaussian_noise) {
            CHECK(!kinds[k](x, 1));
            CHECK_CONTAINS(hk_message(), "[0, 1)");
        }
    }
    CHECK(!hk_linear(x, 3, .drop_connect = 1));
    CHECK_CONTAINS(hk_message(), "drop connect: 1 is outside [0, 1)");
    hk_net_free(net);
}

/* ---- Connections --------------------------------------------------------------------------- */

/* Weights of 1 and inputs that each show one row of them. */
static void connections_are_dropped_for_the_whole_batch(void)
{
    enum { IN = 50, OUT = 80 };
    hk_net *net = hk_net_new(.seed = 1, .initializer = "ones");
    hk_tensor *x = hk_input(net, IN), *y = hk_linear(x, OUT, .drop_connect = 0.3);
    hk_tensor *loss = hk_sum(y, HK_ALL_AXES), *weight = y->inputs[1]->inputs[0];
    hk_plan_options options = {.batch = 2 * IN, .training = 1, .loss = loss, .output = y};
    hk_plan *plan;
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    CHECK_EQUAL(hk_net_parameters(net), IN * OUT + OUT);
    float *in = hk_plan_value(plan, x);
    memset(in, 0, 2 * IN * IN * sizeof *in);
    for (int i = 0; i < 2 * IN; i++)
        in[i * IN + i % IN] = 1;
    CHECK(hk_plan_forward(plan, 2 * IN) == HK_OK && hk_plan_backward(plan) == HK_OK);
    const float *out = hk_plan_value(plan, y), *dw = hk_plan_gradient(plan, weight);
    int dropped = 0;
    for (int i = 0; i < IN * OUT; i++) {
        CHECK(out[i] == out[IN * OUT + i]);
        CHECK(out[i] == 0 || fabs((double)out[i] - 1 / 0.7) < 1e-6);
        CHECK_NEAR(dw[i], 2 * (double)out[i], 1e-5); /* each row is seen twice */
        dropped += out[i] == 0;
    }
    CHECK_NEAR(dropped / (double)(IN * OUT), 0.3, 5 * sqrt(0.21 / (IN * OUT)));
    hk_plan_free(plan);
    hk_net_free(net);
}

/* ---- Residual nets ------------------------------------------------------------------------- */

static void logits_of(const char *model, int training, uint64_t seed, float out[20])
{
    hk_net *net = hk_net_new(.seed = seed);
    hk_tensor *logits = hk_model_build(net, model, 8, 8, 3, 10);
    CHECK(logits != NULL);
    hk_plan_options options = {.batch = 2, .training = training, .output = logits};
    hk_plan *plan = NULL;
    if (logits)
        CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    if (plan) {
        float *x = hk_plan_value(plan, hk_tensor_input(logits));
        for (int i = 0; i < 2 * 192; i++)
            x[i] = hks_normal(3, (uint64_t)i);
        CHECK_EQUAL(hk_plan_forward(plan, 2), HK_OK);
        memcpy(out, hk_plan_value(plan, logits), 20 * sizeof *out);
    }
    hk_plan_free(plan);
    hk_net_free(net);
}

static void resnets_drop_paths_only_in_training(void)
{
    float plain[20], dropping[20];
    logits_of("resnet20", 0, 1, plain);
    logits_of("resnet20:drop_path=0.5", 0, 1, dropping);
    CHECK(!memcmp(plain, dropping, sizeof plain));
    logits_of("resnet20", 1, 1, plain);
    logits_of("resnet20:drop_path=0.5", 1, 1, dropping);
    CHECK(memcmp(plain, dropping, sizeof plain));
    CHECK_EQUAL(hk_model_find("resnet20:drop_path=1", &(const hk_plugin *){NULL}, NULL),
                HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "drop_path=1 is outside [0, 1)");
    CHECK_EQUAL(hk_model_find("resnet20:width=3", &(const hk_plugin *){NULL}, NULL),
                HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "known: dropout, drop_path");
}

int main(void)
{
    RUN(dropout_drops_elements);
    RUN(channel_dropout_drops_channels);
    RUN(drop_path_drops_samples);
    RUN(drop_block_drops_squares);
    RUN(drop_block_at_its_ends);
    RUN(mc_dropout_goes_on_in_evaluation);
    RUN(alpha_dropout_keeps_mean_and_variance);
    RUN(gaussian_noise_has_its_moments);
    RUN(evaluation_changes_nothing);
    RUN(a_rate_of_0_is_no_operation);
    RUN(threads_do_not_matter);
    RUN(gradients_are_true);
    RUN(impossible_rates_are_refused);
    RUN(connections_are_dropped_for_the_whole_batch);
    RUN(resnets_drop_paths_only_in_training);
    return check_result();
}
