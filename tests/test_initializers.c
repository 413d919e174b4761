/* Every initializer of the plugin directory: moments, fans, ranges, identities, orthogonality, and
 * what deep nets of relu and selu make of their weights.
 *
 * test_initializers [DIRECTORY...] */
#include "plugin_use.h"

static hk_weight weight_of(int64_t rows, int64_t columns, float *w)
{
    hk_weight weight = check_host_weight(rows, columns);
    weight.w = w;
    return weight;
}

typedef struct expected_weights {
    const char *name, *param;
    double value, mean, deviation;
    enum { NORMAL, UNIFORM, CUT } form; /* CUT: normal, cut at two deviations of the uncut one */
} expected_weights;

/* Of a standard normal cut at -2 and 2: deviation, fourth and eighth moment over powers of it. */
static const double cut_deviation = 0.87962566103423978;

/* E[z^4] and E[z^8] of z with variance 1. */
static const double kurtosis[] = {3, 1.8, 2.365537}, eighth[] = {105, 9, 27.1896};

static void check_moments(const expected_weights *e, const float *w, int64_t n)
{
    const double bounds[] = {6, sqrt(3), 2 / cut_deviation}, k = kurtosis[e->form];
    double mean = 0, square = 0, fourth = 0, most = 0;
    for (int64_t i = 0; i < n; i++) {
        double z = ((double)w[i] - e->mean) / e->deviation;
        mean += z / (double)n, square += z * z / (double)n, fourth += z * z * z * z / (double)n;
        most = fmax(most, fabs(z));
    }
    const double error = 5 / sqrt((double)n);
    CHECK_NEAR(mean, 0, error);
    CHECK_NEAR(square, 1, error * sqrt(k - 1));
    CHECK_NEAR(fourth, k, error * sqrt(eighth[e->form] - k * k));
    CHECK(most <= bounds[e->form] * (1 + 1e-6) && most > (e->form ? 0.99 * bounds[e->form] : 3.5));
}

static void initializers_have_their_moments(void)
{
    enum { ROWS_ = 300, COLUMNS_ = 200, N = ROWS_ * COLUMNS_ };
    const double in = ROWS_, sum = ROWS_ + COLUMNS_;
    const expected_weights table[] = {
        {"uniform", NULL, 0, 0, 0.05 / sqrt(3), UNIFORM},
        {"normal", NULL, 0, 0, 0.01, NORMAL},
        {"normal", "mean", 0.3, 0.3, 0.01, NORMAL},
        {"xavier_uniform", NULL, 0, 0, sqrt(2 / sum), UNIFORM},
        {"xavier_uniform", "gain", 2, 0, 2 * sqrt(2 / sum), UNIFORM},
        {"xavier_normal", NULL, 0, 0, sqrt(2 / sum), NORMAL},
        {"xavier_normal", "gain", 0, 0, 1.25 * sqrt(2 / sum), NORMAL},
        {"he_uniform", NULL, 0, 0, 1.25 / sqrt(in), UNIFORM},
        {"he_normal", NULL, 0, 0, 1.25 / sqrt(in), NORMAL},
        {"he_normal", "gain", 3, 0, 3 / sqrt(in), NORMAL},
        {"lecun_normal", NULL, 0, 0, 1 / sqrt(in), NORMAL},
        {"lecun_uniform", NULL, 0, 0, 1 / sqrt(in), UNIFORM},
        {"auto_gain", NULL, 0, 0, 1.25 / sqrt(in), NORMAL},
        {"torch_default", NULL, 0, 0, sqrt(1 / (3 * in)), UNIFORM},
        {"siren_uniform", NULL, 0, 0, sqrt(2 / in) / 30, UNIFORM},
        {"siren_uniform", "w0", 2, 0, sqrt(2 / in) / 2, UNIFORM},
        {"trunc_normal", NULL, 0, 0, 0.05 * cut_deviation, CUT},
        {"variance_scaling", NULL, 0, 0, sqrt(1 / in), CUT},
        {"variance_scaling", "scale", 2, 0, sqrt(2 / in), CUT},
        {"variance_scaling", "fan", 1, 0, sqrt(1.0 / COLUMNS_), CUT},
        {"variance_scaling", "fan", 2, 0, sqrt(2 / sum), CUT},
        {"variance_scaling", "distribution", 1, 0, sqrt(1 / in), NORMAL},
        {"variance_scaling", "distribution", 2, 0, sqrt(1 / in), UNIFORM},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const hk_plugin *plugin = find(HK_INITIALIZER, table[i].name);
        CHECK(plugin != NULL);
        if (!plugin)
            continue;
        const int before = check_case_failed;
        use *u = check_use_new(plugin, 1, 1);
        if (table[i].param)
            set_param(u, table[i].param, table[i].value);
        float *w = check_guarded("w", N);
        hk_weight weight = weight_of(ROWS_, COLUMNS_, w);
        CHECK(plugin->initializer->fill(&u->context, &weight) == NULL);
        check_moments(&table[i], w, N);
        name_failure(plugin, before);
        check_arrays_release(0);
    }
}

/* Asked for parts, an initializer writes what it writes when asked for the whole, and no more. */
static void initializers_fill_ranges_alike(void)
{
    EACH(HK_INITIALIZER, plugin)
    {
        float whole[12 * 11 + 1], parts[12 * 11 + 1];
        use *u = check_use_new(plugin, 1, 1);
        hk_weight weight = weight_of(11, 12, whole);
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
        check_arrays_release(0);
    }
}

/* What fill() says to a 2 x 2 weight. */
static const char *refusal(const char *name, const char *param, double value, int64_t kernel)
{
    const hk_plugin *plugin = find(HK_INITIALIZER, name);
    float w[64] = {0};
    CHECK(plugin != NULL);
    if (!plugin)
        return "";
    use *u = check_use_new(plugin, 1, 1);
    hk_weight weight = weight_of(2 * kernel, 2, w);
    weight.kernel = kernel;
    weight.fan_out *= kernel;
    if (param)
        set_param(u, param, value);
    const char *sentence = plugin->initializer->fill(&u->context, &weight);
    check_arrays_release(0);
    return sentence ? sentence : "done";
}

static void what_does_not_fit_is_refused_with_a_sentence(void)
{
    CHECK_CONTAINS(refusal("uniform", "low", 1, 1), "low must not exceed high");
    CHECK_CONTAINS(refusal("trunc_normal", "low", 0.099, 1), "less than a hundredth");
    CHECK_CONTAINS(refusal("trunc_normal", "low", 0.3, 1), "less than a hundredth");
    CHECK_CONTAINS(refusal("eye", NULL, 0, 9), "dirac");
    CHECK_CONTAINS(refusal("dirac", NULL, 0, 6), "square");
    CHECK_CONTAINS(refusal("delta_orthogonal", NULL, 0, 6), "square");
    CHECK_TEXT(refusal("dirac", NULL, 0, 9), "done");
    CHECK_TEXT(refusal("eye", NULL, 0, 1), "done");
}

/* ---- Weights of a convolution -------------------------------------------------------------- */

/* A convolution's weight: kernel x kernel positions, inputs and outputs per group. */
static hk_weight conv_weight(int64_t side, int64_t inputs, int64_t outputs, int64_t groups,
                             float *w)
{
    hk_weight weight = weight_of(side * side * inputs, outputs * groups, w);
    weight.kernel = side * side;
    weight.fan_out = outputs * side * side;
    return weight;
}

/* Two groups of 3 inputs and 4 outputs: 1 at the centre, from a channel to its namesake. */
static void dirac_is_the_identity(void)
{
    static const int64_t sides[][2] = {{1, 0}, {2, 0}, {3, 4}, {4, 5}, {5, 12}}; /* side, centre */
    const hk_plugin *plugin = find(HK_INITIALIZER, "dirac");
    if (!plugin)
        SKIP("no dirac here");
    use *u = check_use_new(plugin, 1, 1);
    for (int s = 0; s < 5; s++) {
        float w[25 * 3 * 8];
        hk_weight weight = conv_weight(sides[s][0], 3, 4, 2, w);
        CHECK(plugin->initializer->fill(&u->context, &weight) == NULL);
        for (int64_t i = 0; i < weight.rows; i++)
            for (int64_t j = 0; j < 8; j++)
                CHECK(w[i * 8 + j] == (i / 3 == sides[s][1] && i % 3 == j % 4));
    }
    check_arrays_release(0);
}

static void delta_orthogonal_keeps_lengths(void)
{
    enum { IN = 5, OUT = 8 };
    const hk_plugin *plugin = find(HK_INITIALIZER, "delta_orthogonal");
    if (!plugin)
        SKIP("no delta_orthogonal here");
    use *u = check_use_new(plugin, 1, 1);
    float w[9 * IN * OUT];
    hk_weight weight = conv_weight(3, IN, OUT, 1, w);
    CHECK(plugin->initializer->fill(&u->context, &weight) == NULL);
    for (int i = 0; i < 9 * IN; i++)
        for (int k = 0; k < 9 * IN; k++) {
            double product = 0;
            for (int j = 0; j < OUT; j++)
                product += (double)w[i * OUT + j] * (double)w[k * OUT + j];
            CHECK_NEAR(product, i == k && i / IN == 4, 1e-6);
        }
    weight = conv_weight(3, OUT, IN, 1, w);
    CHECK_CONTAINS(plugin->initializer->fill(&u->context, &weight), "as many filters");
    weight = conv_weight(3, 1, 4, 2, w);
    CHECK_CONTAINS(plugin->initializer->fill(&u->context, &weight), "single group");
    check_arrays_release(0);
}

/* ---- Bias, first layer, sparsity ----------------------------------------------------------- */

static void the_first_layer_may_differ(void)
{
    const struct {
        const char *name;
        double deviation;
        int is_uniform;
    } rows[] = {{"siren_uniform", 1 / 100.0 / sqrt(3), 1}, {"auto_gain", 1 / sqrt(100), 0}};
    for (int i = 0; i < 2; i++) {
        const hk_plugin *plugin = find(HK_INITIALIZER, rows[i].name);
        CHECK(plugin != NULL);
        if (!plugin)
            continue;
        use *u = check_use_new(plugin, 1, 1);
        float *w = check_guarded("w", 100 * 300);
        hk_weight weight = weight_of(100, 300, w);
        weight.first_layer = 1;
        plugin->initializer->fill(&u->context, &weight);
        check_moments(&(expected_weights){NULL, NULL, 0, 0, rows[i].deviation,
                                          rows[i].is_uniform ? UNIFORM : NORMAL},
                      w, 100 * 300);
        check_arrays_release(0);
    }
}

static void torch_default_fills_the_bias(void)
{
    enum { OUT = 20000 };
    const hk_plugin *plugin = find(HK_INITIALIZER, "torch_default");
    if (!plugin)
        SKIP("no torch_default here");
    use *u = check_use_new(plugin, 1, 1);
    float *w = check_guarded("w", 4 * OUT), *bias = check_guarded("bias", OUT);
    hk_weight weight = weight_of(4, OUT, w);
    weight.bias = bias;
    plugin->initializer->fill(&u->context, &weight);
    expected_weights e = {NULL, NULL, 0, 0, 0.5 / sqrt(3), UNIFORM};
    check_moments(&e, w, 4 * OUT);
    check_moments(&e, bias, OUT);
    double together = 0; /* weights and bias come from different streams */
    for (int64_t j = 0; j < OUT; j++)
        together += 12 * (double)w[j] * (double)bias[j] / OUT;
    CHECK_NEAR(together, 0, 5 / sqrt(OUT));
    check_arrays_release(0);
}

/* Zeros of each unit are counted exactly and lie anywhere. */
static void sparse_leaves_a_few_connections(void)
{
    enum { IN = 25, OUT = 4000 };
    const hk_plugin *plugin = find(HK_INITIALIZER, "sparse");
    if (!plugin)
        SKIP("no sparse here");
    use *u = check_use_new(plugin, 1, 1);
    float *w = check_guarded("w", IN * OUT);
    hk_weight weight = weight_of(IN, OUT, w);
    plugin->initializer->fill(&u->context, &weight);
    double square = 0;
    for (int i = 0; i < IN; i++) {
        int kept = 0;
        for (int j = 0; j < OUT; j++) {
            kept += w[i * OUT + j] != 0;
            square += 1e4 * (double)w[i * OUT + j] * (double)w[i * OUT + j] / (2 * OUT);
        }
        CHECK_NEAR(kept / (double)OUT, 0.08, 5 * sqrt(0.08 * 0.92 / OUT)); /* 2 of 25 */
    }
    for (int j = 0; j < OUT; j++) {
        int kept = 0;
        for (int i = 0; i < IN; i++)
            kept += w[i * OUT + j] != 0;
        CHECK_EQUAL(kept, 2);
    }
    CHECK_NEAR(square, 1, 5 * sqrt(2.0 / (2 * OUT)));
    check_arrays_release(0);
}

/* Few connections to choose from leave one; a number of them is exact. */
static void sparse_leaves_at_least_one_connection(void)
{
    const hk_plugin *plugin = find(HK_INITIALIZER, "sparse");
    if (!plugin)
        SKIP("no sparse here");
    const struct {
        int in, connections, kept;
    } cases[] = {{1, 0, 1}, {9, 0, 1}, {20, 0, 2}, {9, 15, 9}, {40, 15, 15}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const int in = cases[k].in;
        use *u = check_use_new(plugin, 1, 1);
        u->params[2] = cases[k].connections;
        float *w = check_guarded("w", in * 8);
        hk_weight weight = weight_of(in, 8, w);
        plugin->initializer->fill(&u->context, &weight);
        for (int j = 0; j < 8; j++) {
            int kept = 0;
            for (int i = 0; i < in; i++)
                kept += w[i * 8 + j] != 0;
            CHECK_EQUAL(kept, cases[k].kept);
        }
        check_arrays_release(0);
    }
}

/* [low, high), also where floats are far apart. */
static void uniform_stays_below_its_bound(void)
{
    enum { N = 100000 };
    const hk_plugin *plugin = find(HK_INITIALIZER, "uniform");
    if (!plugin)
        SKIP("no uniform here");
    use *u = check_use_new(plugin, 1, 1);
    u->params[0] = 1000;
    u->params[1] = 1001;
    float *w = check_guarded("w", N);
    hk_weight weight = weight_of(N, 1, w);
    plugin->initializer->fill(&u->context, &weight);
    for (int i = 0; i < N; i++)
        CHECK(w[i] >= 1000 && w[i] < 1001);
    check_arrays_release(0);
}

/* One of a unit's fan_in + 1 numbers is Beta(2, 1): mean 2/3, mean square 1/2; each is it equally
 * often. Of three numbers a normal one of deviation 0.6007 / sqrt(2) has square 0.1804. */
static void rai_replaces_one_number_of_a_unit(void)
{
    enum { OUT = 60000 };
    const hk_plugin *plugin = find(HK_INITIALIZER, "rai");
    if (!plugin)
        SKIP("no rai here");
    use *u = check_use_new(plugin, 1, 1);
    float *w = check_guarded("w", 2 * OUT), *bias = check_guarded("bias", OUT);
    hk_weight weight = weight_of(2, OUT, w);
    weight.bias = bias;
    plugin->initializer->fill(&u->context, &weight);
    const float *part[] = {w, w + OUT, bias};
    for (int i = 0; i < 3; i++) {
        double mean = 0, square = 0;
        for (int j = 0; j < OUT; j++) {
            mean += (double)part[i][j] / OUT;
            square += (double)part[i][j] * (double)part[i][j] / OUT;
        }
        const double normal = 0.6007 * 0.6007 / 2;
        CHECK_NEAR(mean, 2 / 9.0, 5 * 0.49 / sqrt(OUT));
        CHECK_NEAR(square, 1 / 6.0 + normal * 2 / 3, 5 * 0.36 / sqrt(OUT));
    }
    weight.bias = NULL; /* then it is one of the weights */
    plugin->initializer->fill(&u->context, &weight);
    double mean = 0;
    for (int i = 0; i < 2 * OUT; i++)
        mean += (double)w[i] / (2 * OUT);
    CHECK_NEAR(mean, 1 / 3.0, 5 * 0.5 / sqrt(2 * OUT));
    check_arrays_release(0);
}

/* ---- Orthogonality ------------------------------------------------------------------------- */

static void check_orthogonal(const hk_plugin *plugin, int64_t rows, int64_t columns, double gain)
{
    use *u = check_use_new(plugin, 1, 1);
    set_param(u, "gain", gain);
    const double scale = gain > 0 ? gain : 1.25;
    float *w = check_guarded("w", rows * columns);
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
    check_arrays_release(0);
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
    use *u = check_use_new(plugin, 1, 1);
    float w[9];
    hk_weight weight = weight_of(3, 3, w);
    double mean[9] = {0}, square[9] = {0};
    int positive = 0;
    for (weight.key = 0; weight.key < TRIALS; weight.key++) {
        plugin->initializer->fill(&u->context, &weight);
        for (int i = 0; i < 9; i++)
            mean[i] += (double)w[i] / TRIALS, square[i] += (double)w[i] * (double)w[i] / TRIALS;
        positive += w[0] * (w[4] * w[8] - w[5] * w[7]) - w[1] * (w[3] * w[8] - w[5] * w[6]) +
                        w[2] * (w[3] * w[7] - w[4] * w[6]) >
                    0;
    }
    for (int i = 0; i < 9; i++) {
        CHECK_NEAR(mean[i], 0, 5 * sqrt(1.0 / 3 / TRIALS));
        CHECK_NEAR(square[i], 1.0 / 3, 5 * sqrt(4.0 / 45 / TRIALS));
    }
    CHECK_NEAR(positive / (double)TRIALS, 0.5, 5 * sqrt(0.25 / TRIALS));
    check_arrays_release(0);
}

/* ---- Deep nets without bias ---------------------------------------------------------------- */

typedef double function(double x);

static double relu(double x)
{
    return x > 0 ? x : 0;
}

static double selu(double x)
{
    return 1.0507009873554804934 * (x > 0 ? x : 1.6732632423543772848 * expm1(x));
}

/* x[n] through `depth` layers of n units whose weights `plugin` draws, with the given gain. */
static void through_layers(const hk_plugin *plugin, double gain, function *f, int depth, int n,
                           uint64_t key, double *x)
{
    float w[64 * 64];
    double y[64];
    use *u = check_use_new(plugin, 1, 1);
    for (int layer = 0; layer < depth; layer++) {
        hk_weight weight = weight_of(n, n, w);
        weight.gain = gain;
        weight.key = key * 100 + (uint64_t)layer;
        plugin->initializer->fill(&u->context, &weight);
        for (int j = 0; j < n; j++) {
            y[j] = 0;
            for (int i = 0; i < n; i++)
                y[j] += x[i] * (double)w[i * n + j];
            y[j] = f(y[j]);
        }
        memcpy(x, y, (size_t)n * sizeof *x);
    }
    check_arrays_release(0);
}

/* E[M] stays M_0 and E[M^2] = M_0^2 prod (1 + 5 / n): Hanin, Rolnick 2018, arXiv:1803.01719. */
static void he_keeps_the_mean_square_of_relu_nets(void)
{
    enum { TRIALS = 3000, N = 10, DEPTH = 4 };
    const hk_plugin *plugin = find(HK_INITIALIZER, "he_normal");
    if (!plugin)
        SKIP("no he_normal here");
    double first = 0, second = 0, fourth = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        double x[64], square = 0;
        for (int i = 0; i < N; i++)
            x[i] = 1;
        through_layers(plugin, sqrt(2), relu, DEPTH, N, trial, x);
        for (int i = 0; i < N; i++)
            square += x[i] * x[i] / N;
        first += square / TRIALS;
        second += square * square / TRIALS;
        fourth += square * square * square * square / TRIALS;
    }
    CHECK_NEAR(first, 1, 5 * sqrt((second - first * first) / TRIALS));
    CHECK_NEAR(second, pow(1 + 5.0 / N, DEPTH), 5 * sqrt((fourth - second * second) / TRIALS));
}

/* Mean 0 and variance 1 draw what starts elsewhere: Klambauer et al. 2017, theorem 1. */
static void selu_nets_find_their_fixed_point(void)
{
    enum { TRIALS = 40, N = 64 };
    const hk_plugin *plugin = find(HK_INITIALIZER, "lecun_normal");
    if (!plugin)
        SKIP("no lecun_normal here");
    double mean = 0, square = 0, mean_spread = 0, square_spread = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        double x[64], sum = 0, sum_of_squares = 0;
        for (int i = 0; i < N; i++)
            x[i] = 0.2 + 1.2 * (double)hks_normal(trial, (uint64_t)i);
        through_layers(plugin, 1, selu, 30, N, trial, x);
        for (int i = 0; i < N; i++)
            sum += x[i] / N, sum_of_squares += x[i] * x[i] / N;
        mean += sum / TRIALS, mean_spread += sum * sum / TRIALS;
        square += sum_of_squares / TRIALS;
        square_spread += sum_of_squares * sum_of_squares / TRIALS;
    }
    CHECK_NEAR(mean, 0, 5 * sqrt((mean_spread - mean * mean) / TRIALS));
    CHECK_NEAR(square, 1, 5 * sqrt((square_spread - square * square) / TRIALS));
}

/* Is the net of `depth` layers of n units the same number for all x, seen from both half lines? */
static int is_dead(const hk_plugin *plugin, int depth, int n, uint64_t key)
{
    float w[64];
    int dead = 1;
    for (int side = -1; side <= 1; side += 2) {
        double x[64];
        hk_weight first = weight_of(1, n, w);
        first.key = key * 100 + 99;
        use *u = check_use_new(plugin, 1, 1);
        plugin->initializer->fill(&u->context, &first);
        check_arrays_release(0);
        for (int j = 0; j < n; j++)
            x[j] = relu(side * (double)w[j]);
        through_layers(plugin, sqrt(2), relu, depth - 1, n, key, x);
        for (int j = 0; j < n; j++)
            dead = dead && x[j] == 0;
    }
    return dead;
}

/* Two layers exactly, more by the simulations of 100000 nets that Lu et al. 2020 call for. */
static void narrow_relu_nets_are_born_dead(void)
{
    enum { TRIALS = 4000 };
    static const struct {
        int depth, n;
        double share, error;
    } cells[] = {{1, 2, 0, 0},           {2, 2, 0.15625, 0},     {2, 3, 0.04297, 0},
                 {3, 2, 0.3401, 0.0016}, {5, 3, 0.2935, 0.0016}, {10, 4, 0.3381, 0.0016},
                 {20, 5, 0.3748, 0.0016}};
    const hk_plugin *plugin = find(HK_INITIALIZER, "he_normal");
    if (!plugin)
        SKIP("no he_normal here");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        int dead = 0;
        for (uint64_t key = 0; key < TRIALS; key++)
            dead += is_dead(plugin, cells[i].depth, cells[i].n, key + 1000000 * i);
        const double p = cells[i].share, error = sqrt(p * (1 - p) / TRIALS) + cells[i].error;
        CHECK_NEAR(dead / (double)TRIALS, p, 4 * error + 1e-5);
    }
}

int main(int argc, char **argv)
{
    choose_directories(argc, argv);
    RUN(plugin_files_load);
    RUN(initializers_have_their_moments);
    RUN(initializers_fill_ranges_alike);
    RUN(what_does_not_fit_is_refused_with_a_sentence);
    RUN(dirac_is_the_identity);
    RUN(delta_orthogonal_keeps_lengths);
    RUN(the_first_layer_may_differ);
    RUN(torch_default_fills_the_bias);
    RUN(sparse_leaves_a_few_connections);
    RUN(sparse_leaves_at_least_one_connection);
    RUN(uniform_stays_below_its_bound);
    RUN(rai_replaces_one_number_of_a_unit);
    RUN(orthogonal_weights_are_orthogonal);
    RUN(orthogonal_weights_are_uniform);
    RUN(he_keeps_the_mean_square_of_relu_nets);
    RUN(selu_nets_find_their_fixed_point);
    RUN(narrow_relu_nets_are_born_dead);
    return check_result();
}
