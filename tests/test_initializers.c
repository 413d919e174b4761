/* Every initializer of the plugin directory: moments, ranges, orthogonality.
 *
 * test_initializers [DIRECTORY...] */
#include "plugin_use.h"

static hk_weight weight_of(int64_t rows, int64_t columns, float *w)
{
    return (hk_weight){.rows = rows, .columns = columns, .kernel = 1, .fan_in = rows,
                       .fan_out = columns, .count = rows * columns, .gain = 1.25, .key = 99,
                       .w = w};
}

typedef struct expected_weights {
    const char *name, *param;
    double value, mean, deviation;
    int is_uniform;
} expected_weights;

static void check_moments(const expected_weights *e, const float *w, int64_t n)
{
    double mean = 0, square = 0, fourth = 0, most = 0;
    for (int64_t i = 0; i < n; i++) {
        double z = ((double)w[i] - e->mean) / e->deviation;
        mean += z / (double)n, square += z * z / (double)n, fourth += z * z * z * z / (double)n;
        most = fmax(most, fabs(z));
    }
    const double error = 5 / sqrt((double)n), kurtosis = e->is_uniform ? 1.8 : 3;
    CHECK_NEAR(mean, 0, error);
    CHECK_NEAR(square, 1, error * sqrt(kurtosis - 1));
    CHECK_NEAR(fourth, kurtosis, error * (e->is_uniform ? 1.8 : 9.8));
    CHECK(e->is_uniform ? most <= sqrt(3) * (1 + 1e-6) && most > 1.7 : most > 3.5);
}

static void initializers_have_their_moments(void)
{
    enum { ROWS_ = 300, COLUMNS_ = 200, N = ROWS_ * COLUMNS_ };
    const double in = ROWS_, sum = ROWS_ + COLUMNS_;
    const expected_weights table[] = {
        {"uniform", NULL, 0, 0, 0.05 / sqrt(3), 1},
        {"normal", NULL, 0, 0, 0.01, 0},
        {"normal", "mean", 0.3, 0.3, 0.01, 0},
        {"xavier_uniform", NULL, 0, 0, sqrt(2 / sum), 1},
        {"xavier_uniform", "gain", 2, 0, 2 * sqrt(2 / sum), 1},
        {"xavier_normal", NULL, 0, 0, sqrt(2 / sum), 0},
        {"xavier_normal", "gain", 0, 0, 1.25 * sqrt(2 / sum), 0},
        {"he_uniform", NULL, 0, 0, 1.25 / sqrt(in), 1},
        {"he_normal", NULL, 0, 0, 1.25 / sqrt(in), 0},
        {"he_normal", "gain", 3, 0, 3 / sqrt(in), 0},
        {"lecun_normal", NULL, 0, 0, 1 / sqrt(in), 0},
    };
    float *w = floats(N);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const hk_plugin *plugin = find(HK_INITIALIZER, table[i].name);
        if (!plugin)
            continue;
        const int before = check_case_failed;
        use *u = use_new(plugin, 1, 1);
        if (table[i].param)
            set_param(u, table[i].param, table[i].value);
        hk_weight weight = weight_of(ROWS_, COLUMNS_, w);
        CHECK(plugin->initializer->fill(&u->context, &weight) == NULL);
        check_moments(&table[i], w, N);
        name_failure(plugin, before);
        use_free(u);
    }
    free(w);
}

/* Asked for parts, an initializer writes what it writes when asked for the whole, and no more. */
static void initializers_fill_ranges_alike(void)
{
    EACH(HK_INITIALIZER, plugin) {
        float whole[12 * 11 + 1], parts[12 * 11 + 1];
        use *u = use_new(plugin, 1, 1);
        hk_weight weight = weight_of(12, 11, whole);
        whole[132] = parts[132] = 7;
        CHECK(plugin->initializer->fill(&u->context, &weight) == NULL);
        CHECK(whole[132] == 7);
        weight.w = parts;
        for (int64_t i = 0; i < 132; i++) {
            CHECK(isfinite(whole[i]));
            parts[i] = 7;
        }
        for (int64_t first = 0; first < 132; first += weight.count) {
            weight.first = first;
            weight.count = 132 - first < 25 ? 132 - first : 25;
            if (plugin->initializer->traits & HK_FILLS_RANGES)
                plugin->initializer->fill(&u->context, &weight);
            CHECK(parts[131] == 7 || first + weight.count == 132);
        }
        if (plugin->initializer->traits & HK_FILLS_RANGES)
            CHECK(same_bits(whole, parts, 133));
        use_free(u);
    }
}

static void impossible_ranges_are_refused_with_a_sentence(void)
{
    const hk_plugin *plugin = find(HK_INITIALIZER, "uniform");
    if (!plugin)
        SKIP("no uniform here");
    use *u = use_new(plugin, 1, 1);
    float w[4] = {0};
    hk_weight weight = weight_of(2, 2, w);
    set_param(u, "low", 1);
    CHECK_CONTAINS(plugin->initializer->fill(&u->context, &weight), "low");
    use_free(u);
}

static void check_orthogonal(const hk_plugin *plugin, int64_t rows, int64_t columns, double gain)
{
    use *u = use_new(plugin, 1, 1);
    set_param(u, "gain", gain);
    const double scale = gain > 0 ? gain : 1.25;
    float *w = floats(rows * columns);
    hk_weight weight = weight_of(rows, columns, w);
    plugin->initializer->fill(&u->context, &weight);
    const int upright = rows >= columns;
    const int64_t count = upright ? columns : rows, length = upright ? rows : columns;
    const int64_t step = upright ? 1 : columns, stride = upright ? columns : 1;
    double worst = 0;
    for (int64_t a = 0; a < count; a++)
        for (int64_t b = 0; b <= a; b++) {
            double product = 0;
            for (int64_t i = 0; i < length; i++)
                product += (double)w[a * step + i * stride] * (double)w[b * step + i * stride];
            worst = fmax(worst, fabs(product / (scale * scale) - (a == b)));
        }
    CHECK_NEAR(worst, 0, 1e-6);
    free(w);
    use_free(u);
}

static void orthogonal_weights_are_orthogonal(void)
{
    const hk_plugin *plugin = find(HK_INITIALIZER, "orthogonal");
    if (!plugin)
        SKIP("no orthogonal here");
    static const int64_t shapes[][2] = {{1, 1}, {5, 1}, {1, 5}, {50, 50}, {300, 290}, {27, 64}};
    for (int i = 0; i < 6; i++)
        check_orthogonal(plugin, shapes[i][0], shapes[i][1], 1);
    check_orthogonal(plugin, 40, 30, 2);
    check_orthogonal(plugin, 40, 30, 0);
}

/* Uniform over all rotations: an entry of a 3 x 3 matrix has mean 0 and is uniform in [-1, 1]
 * (Archimedes), in the last vector as in the first, and half of all determinants are positive. */
static void orthogonal_weights_are_uniform(void)
{
    enum { TRIALS = 4000 };
    const hk_plugin *plugin = find(HK_INITIALIZER, "orthogonal");
    if (!plugin)
        SKIP("no orthogonal here");
    use *u = use_new(plugin, 1, 1);
    float w[9];
    hk_weight weight = weight_of(3, 3, w);
    double mean[9] = {0}, square[9] = {0};
    int positive = 0;
    for (weight.key = 0; weight.key < TRIALS; weight.key++) {
        plugin->initializer->fill(&u->context, &weight);
        for (int i = 0; i < 9; i++)
            mean[i] += (double)w[i] / TRIALS, square[i] += (double)w[i] * (double)w[i] / TRIALS;
        positive += w[0] * (w[4] * w[8] - w[5] * w[7]) - w[1] * (w[3] * w[8] - w[5] * w[6]) +
                        w[2] * (w[3] * w[7] - w[4] * w[6]) > 0;
    }
    for (int i = 0; i < 9; i++) {
        CHECK_NEAR(mean[i], 0, 5 * sqrt(1.0 / 3 / TRIALS));
        CHECK_NEAR(square[i], 1.0 / 3, 5 * sqrt(4.0 / 45 / TRIALS));
    }
    CHECK_NEAR(positive / (double)TRIALS, 0.5, 5 * sqrt(0.25 / TRIALS));
    use_free(u);
}

int main(int argc, char **argv)
{
    choose_directories(argc, argv);
    RUN(plugin_files_load);
    RUN(initializers_have_their_moments);
    RUN(initializers_fill_ranges_alike);
    RUN(impossible_ranges_are_refused_with_a_sentence);
    RUN(orthogonal_weights_are_orthogonal);
    RUN(orthogonal_weights_are_uniform);
    return check_result();
}
