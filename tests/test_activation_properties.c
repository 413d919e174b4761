/* What activations promise beyond a table of values: gains, fixed points and statistics of deep
 * nets, units that are born dead, the balance of lgb, sums of row-wise ones, and the worked
 * examples of the documentation.
 *
 * test_activation_properties [DIRECTORY...] */
#include <hillock/hillock.h>

#include "plugin_use.h"
#include "graph/graph.h"
#include "nn/nn.h"

/* ---- Scalars through the double reference ----------------------------------------------------- */

static hk_scalar64 scalar_at(const use *u, double x, double t[HK_MAX_SLOTS])
{
    for (int k = 0; k < u->n_slots; k++)
        t[k] = (double)u->slots[k][0];
    hk_scalar64 a = {.x = x, .u = 0.5, .p = u->params, .t = t};
    a.y = u->plugin->activation->value(&a);
    return a;
}

static double value_at(const use *u, double x)
{
    double t[HK_MAX_SLOTS];
    return scalar_at(u, x, t).y;
}

static double slope_at(const use *u, double x)
{
    double t[HK_MAX_SLOTS];
    hk_scalar64 a = scalar_at(u, x, t);
    return u->plugin->activation->slope(&a);
}

/* A parameter or a learned slot of the plugin. */
static void set_option(use *u, const char *name, double value)
{
    for (int i = 0; i < u->n_slots; i++)
        if (name && strcmp(u->plugin->slots[i].name, name) == 0) {
            u->slots[i][0] = (float)value;
            return;
        }
    if (name)
        set_param(u, name, value);
}

/* Without it the program cannot go on. */
static const hk_plugin *activation(const char *name)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, name);
    if (!plugin) {
        printf("no activation \"%s\" in the directories given\n", name);
        exit(1);
    }
    return plugin;
}

/* ---- Gains ------------------------------------------------------------------------------------ */

typedef struct moments {
    double mean, second, slope; /* E f(z), E f(z)^2, E f'(z)^2 for z ~ N(0, deviation^2) */
} moments;

/* Midpoints of cells of 1/512, on whose borders the usual kinks and steps lie. */
static moments moments_of(const use *u, double deviation)
{
    moments m = {0, 0, 0};
    for (int i = -12 * 512; i < 12 * 512; i++) {
        const double z = (i + 0.5) / 512, weight = exp(-z * z / 2) / (512 * sqrt(2 * acos(-1)));
        const double y = value_at(u, deviation * z), d = slope_at(u, deviation * z);
        m.mean += weight * y, m.second += weight * y * y, m.slope += weight * d * d;
    }
    return m;
}

/* E f, E f^2, 1 / sqrt(E f^2) and E f'^2 / E f^2, by which gradients change per layer. */
typedef struct known_gain {
    const char *name, *option;
    double value, mean, second, gain, chi;
} known_gain;

static const known_gain gains[] = {
    {"relu", NULL, 0, 0.39894, 0.500000, 1.41421, 1.0000},
    {"relu6", NULL, 0, 0.39894, 0.500000, 1.41421, 1.0000},
    {"leaky_relu", "slope", 0.01, 0.39495, 0.500050, 1.41414, 1.0000},
    {"prelu", NULL, 0, 0.29921, 0.531250, 1.37199, 1.0000},
    {"rrelu", NULL, 0, 0.30752, 0.526259, 1.37848, 1.0000},
    {"squared_relu", NULL, 0, 0.50000, 1.500000, 0.81650, 1.3333},
    {"star_relu", NULL, 0, 0, 0.999939, 1.00003, 1.6000},
    {"smelu", NULL, 0, 0.62356, 0.667429, 1.22405, 0.4608},
    {"nlrelu", NULL, 0, 0.26741, 0.193422, 2.27377, 1.0670},
    {"hardtanh", NULL, 0, 0, 0.516059, 1.39204, 1.3229},
    {"hardsigmoid", NULL, 0, 0.50000, 0.277639, 1.89784, 0.0998},
    {"hardswish", NULL, 0, 0.16622, 0.331567, 1.73666, 1.0813},
    {"hardshrink", NULL, 0, 0, 0.969140, 1.01580, 0.6367},
    {"softshrink", NULL, 0, 0, 0.419279, 1.54436, 1.4718},
    {"tanhshrink", NULL, 0, 0, 0.182883, 2.33837, 1.3834},
    {"sparse_plus", NULL, 0, 0.46233, 0.524844, 1.38034, 0.7221},
    {"elu", NULL, 0, 0.16052, 0.644945, 1.24520, 1.0359},
    {"celu", "alpha", 2, 0.09818, 0.749362, 1.15519, 1.0163},
    {"selu", NULL, 0, 0, 1.000000, 1.00000, 1.0716},
    {"isrlu", NULL, 0, 0.13736, 0.672160, 1.21973, 1.0518},
    {"isru", NULL, 0, 0, 0.344320, 1.70419, 1.2021},
    {"sigmoid", NULL, 0, 0.50000, 0.293379, 1.84623, 0.1528},
    {"logsigmoid", NULL, 0, -0.80606, 0.921246, 1.04187, 0.3185},
    {"tanh", NULL, 0, 0, 0.394294, 1.59254, 1.1778},
    {"lecun_tanh", NULL, 0, 0, 0.750430, 1.15437, 1.0714},
    {"penalized_tanh", NULL, 0, 0.20849, 0.209469, 2.18494, 1.1778},
    {"softsign", NULL, 0, 0, 0.183014, 2.33753, 1.2440},
    {"arctan", NULL, 0, 0, 0.449701, 1.49121, 1.1119},
    {"sqnl", NULL, 0, 0, 0.394582, 1.59196, 1.1385},
    {"softplus", NULL, 0, 0.80606, 0.921246, 1.04187, 0.3185},
    {"squareplus", NULL, 0, 1.10931, 1.500000, 0.81650, 0.1929},
    {"bent_identity", NULL, 0, 0.17727, 1.072735, 0.96550, 1.0124},
    {"soft_clipping", "alpha", 1, 0.39920, 0.198995, 2.24171, 0.2068},
    {"silu", NULL, 0, 0.20662, 0.355776, 1.67653, 1.0666},
    {"swish", "beta", 1.5, 0.26509, 0.406885, 1.56770, 1.0676},
    {"eswish", NULL, 0, 0.28410, 0.672638, 1.21930, 1.0666},
    {"gelu", NULL, 0, 0.28209, 0.425221, 1.53353, 1.0720},
    {"gelu_tanh", NULL, 0, 0.28204, 0.425194, 1.53358, 1.0720},
    {"quick_gelu", NULL, 0, 0.28233, 0.421953, 1.53946, 1.0654},
    {"mish", NULL, 0, 0.24040, 0.452342, 1.48685, 1.0591},
    {"tanhexp", NULL, 0, 0.26213, 0.529094, 1.37478, 1.0606},
    {"serf", NULL, 0, 0.24931, 0.501423, 1.41221, 1.0570},
    {"erfact", NULL, 0, 0.24340, 0.529434, 1.37434, 1.0499},
    {"pserf", NULL, 0, 0.21524, 0.549505, 1.34901, 1.0550},
    {"logish", NULL, 0, 0.13984, 0.194464, 2.26767, 1.0597},
    {"smish", NULL, 0, 0.12006, 0.158355, 2.51295, 1.0581},
    {"phish", NULL, 0, 0.32528, 0.361053, 1.66423, 1.2219},
    {"golu", NULL, 0, 0.25886, 0.319634, 1.76878, 1.0872},
    {"lisht", NULL, 0, 0.60571, 0.757890, 1.14867, 1.1423},
    {"elish", NULL, 0, 0.23922, 0.343067, 1.70730, 1.0684},
    {"aria2", NULL, 0, 0.21508, 0.283663, 1.87758, 1.0940},
    {"gcu", NULL, 0, 0, 0.296997, 1.83495, 3.3670},
    {"snake", NULL, 0, 0.43233, 1.307374, 0.87458, 1.1472},
    {"gaussian", NULL, 0, 0.57735, 0.447214, 1.49535, 0.8000},
    {"sine", "w0", 1, 0, 0.432332, 1.52087, 1.3130},
    {"xielu", NULL, 0, 0.52842, 1.735515, 0.75908, 1.1929},
    {"b_silu", NULL, 0, 0.20662, 0.821812, 1.10310, 1.0338},
    {"soft_exponential", "alpha", 0.5, 0.76630, 2.045994, 0.69911, 0.8058},
};

static void gains_are_the_known_ones(void)
{
    for (size_t i = 0; i < sizeof gains / sizeof *gains; i++) {
        const int before = check_case_failed;
        const hk_plugin *plugin = activation(gains[i].name);
        use *u = check_use_new(plugin, 1, 1);
        set_option(u, gains[i].option, gains[i].value);
        const moments m = moments_of(u, 1);
        CHECK_NEAR(m.mean, gains[i].mean, 6e-6);
        CHECK_NEAR(m.second, gains[i].second, 2e-6);
        CHECK_NEAR(1 / sqrt(m.second), gains[i].gain, 6e-6);
        CHECK_NEAR(m.slope / m.second, gains[i].chi, 6e-5);
        name_failure(plugin, before);
        check_arrays_release(0);
    }
}

/* Where self-gated functions have their minimum. */
static void minima_are_the_known_ones(void)
{
    static const struct {
        const char *name;
        double x, f;
    } minima[] = {{"silu", -1.2784645, -0.2784645},
                  {"gelu", -0.7517915, -0.1699712},
                  {"gelu_tanh", -0.7524614, -0.1700408},
                  {"quick_gelu", -0.7511542, -0.1636102},
                  {"mish", -1.1924312, -0.3088434},
                  {"tanhexp", -1.0788601, -0.3532858},
                  {"serf", -1.1930600, -0.3484375},
                  {"erfact", -1.3966120, -0.4052808},
                  {"pserf", -1.4329475, -0.5060069},
                  {"logish", -1.3724541, -0.2527688},
                  {"smish", -1.3945193, -0.2499937},
                  {"golu", -0.5671433, -0.0972601},
                  {"elish", -0.8813736, -0.1715729},
                  {"phish", 0, 0},
                  {"lisht", 0, 0},
                  {"hardswish", -1.5, -0.375}};
    for (size_t i = 0; i < sizeof minima / sizeof *minima; i++) {
        const int before = check_case_failed;
        const hk_plugin *plugin = activation(minima[i].name);
        use *u = check_use_new(plugin, 1, 1);
        CHECK_NEAR(value_at(u, minima[i].x), minima[i].f, 1e-7);
        CHECK_NEAR(slope_at(u, minima[i].x), 0, 1e-6);
        name_failure(plugin, before);
        check_arrays_release(0);
    }
}

/* ---- Deep nets -------------------------------------------------------------------------------- */

/* Variance q into a layer of lecun_normal weights becomes E f(sqrt(q) z)^2: for selu 1 attracts. */
static void selu_has_its_fixed_point(void)
{
    const hk_plugin *plugin = activation("selu");
    use *u = check_use_new(plugin, 1, 1);
    moments m = moments_of(u, 1);
    CHECK_NEAR(m.mean, 0, 1e-6);
    CHECK_NEAR(m.second, 1, 1e-6);
    for (int side = 0; side < 2; side++) {
        double square = side ? 3 : 0.3;
        for (int layer = 0; layer < 50; layer++) {
            m = moments_of(u, sqrt(square));
            CHECK(fabs(m.second - 1) < fabs(square - 1) || fabs(square - 1) < 1e-5);
            square = m.second;
        }
        CHECK_NEAR(m.mean, 0, 1e-3);
        CHECK_NEAR(square, 1, 1e-3);
    }
    check_arrays_release(0);
}

/* y = f(W x), W [n_out x n_in] drawn with a deviation, through the float kernel. */
static void random_layer(const use *f, int n_in, int n_out, double deviation, uint64_t key,
                         uint64_t *drawn, float *x)
{
    float z[64];
    for (int i = 0; i < n_out; i++) {
        double sum = 0;
        for (int j = 0; j < n_in; j++)
            sum += deviation * (double)hks_normal(key, (*drawn)++) * (double)x[j];
        z[i] = (float)sum;
    }
    const hk_tile tile = {.rows = n_out, .x = z, .y = x};
    f->plugin->activation->kernels[0].forward(&f->context, &tile);
}

/* He's weights keep the mean square of the activations on average; its own mean square grows by
 * 1 + 5/n a layer. */
static void he_keeps_the_mean_square(void)
{
    enum { NETS = 4000, LAYERS = 4 };
    static const int widths[LAYERS] = {16, 24, 16, 32};
    const hk_plugin *plugin = activation("relu");
    use *u = check_use_new(plugin, 64, 1);
    double sums[5] = {0}, expected = 1;
    uint64_t drawn = 0;
    for (int net = 0; net < NETS; net++) {
        float x[64] = {1, 1, 1, 1};
        double square = 0;
        for (int l = 0; l < LAYERS; l++) {
            const int n_in = l ? widths[l - 1] : 4;
            random_layer(u, n_in, widths[l], sqrt(2.0 / n_in), 41, &drawn, x);
        }
        for (int i = 0; i < widths[LAYERS - 1]; i++)
            square += (double)x[i] * (double)x[i] / widths[LAYERS - 1];
        for (int power = 1; power <= 4; power++)
            sums[power] += pow(square, power) / NETS;
    }
    for (int l = 0; l < LAYERS; l++)
        expected *= 1 + 5.0 / widths[l];
    const double error = sqrt((sums[2] - sums[1] * sums[1]) / NETS);
    const double error_of_square = sqrt((sums[4] - sums[2] * sums[2]) / NETS);
    printf("  mean %.4f (1) +- %.4f, of squares %.4f (%.4f) +- %.4f\n", sums[1], error, sums[2],
           expected, error_of_square);
    CHECK(error < 0.05 && error_of_square < 0.2);
    CHECK_NEAR(sums[1], 1, 4 * error);
    CHECK_NEAR(sums[2], expected, 4 * error_of_square);
    check_arrays_release(0);
}

/* Half lines x > 0 and x < 0 of a bias-free net with one input: bit 0 and 1 of what is dead. */
static int dead_halves(const use *relu, int layers, int width, uint64_t net)
{
    int dead = 0;
    for (int side = 0; side < 2; side++) {
        float x[64] = {side ? -1.0f : 1.0f};
        uint64_t drawn = 0;
        int alive = 0;
        for (int l = 0; l < layers; l++)
            random_layer(relu, l ? width : 1, width, 1, 1000 + net, &drawn, x);
        for (int i = 0; i < width; i++)
            alive |= x[i] > 0;
        dead |= !alive << side;
    }
    return dead;
}

/* Share of nets whose output is constant over the whole line; `table` from 100000 nets each. */
static void relu_nets_are_born_dead_as_often_as_known(void)
{
    enum { NETS = 10000 };
    static const struct {
        int layers, width;
        double table;
    } cells[] = {{1, 2, 0},      {2, 2, 0.15625}, {2, 3, 0.04297}, {3, 2, 0.3401}, {3, 3, 0.1177},
                 {5, 2, 0.6192}, {5, 4, 0.1157},  {10, 3, 0.6314}, {10, 5, 0.1520}};
    const hk_plugin *plugin = activation("relu");
    use *u = check_use_new(plugin, 64, 1);
    for (size_t c = 0; c < sizeof cells / sizeof *cells; c++) {
        int both = 0, one = 0;
        for (uint64_t net = 0; net < NETS; net++) {
            const int dead = dead_halves(u, cells[c].layers, cells[c].width, net);
            both += dead == 3, one += dead & 1;
        }
        const double p = cells[c].table, error = sqrt(p * (1 - p) / NETS);
        const double half = 1 - pow(1 - pow(0.5, cells[c].width), cells[c].layers);
        const double error_of_half = sqrt(half * (1 - half) / NETS);
        printf("  %2d layers of %d: born dead %.4f (%.4f) +- %.4f, a half line %.4f (%.4f)\n",
               cells[c].layers, cells[c].width, (double)both / NETS, p, error, (double)one / NETS,
               half);
        CHECK_NEAR((double)both / NETS, p, 4 * sqrt(error * error + 0.0016 * 0.0016 * (p > 0)));
        CHECK_NEAR((double)one / NETS, half, 4 * error_of_half);
    }
    check_arrays_release(0);
}

/* ---- lgb -------------------------------------------------------------------------------------- */

typedef struct lgb_run {
    double least, most, end; /* of theta */
    double y_at_half;        /* output for x = 1/2 at the end */
} lgb_run;

/* One unit learns a target t, x and t ~ U(0, 1), 1000 steps of 0.1. As first published the rule is
 * theta += a (t - y) x; descent on (t - y)^2 / 2 is theta -= a (t - y) slope, for raising theta
 * lowers y. */
static lgb_run learn(use *u, uint64_t seed, int as_published)
{
    lgb_run run = {0, 0, 0, 0};
    double theta = 0;
    for (uint64_t step = 0; step < 1000; step++) {
        const double x = (double)hks_uniform(seed, 2 * step);
        const double t = (double)hks_uniform(seed, 2 * step + 1);
        slot(u, "theta")[0] = (float)theta;
        const double off = t - value_at(u, x);
        theta += as_published ? 0.1 * off * x : -0.1 * off * slope_at(u, x);
        run.least = fmin(run.least, theta), run.most = fmax(run.most, theta);
    }
    slot(u, "theta")[0] = (float)theta;
    run.end = theta;
    run.y_at_half = value_at(u, 0.5);
    return run;
}

static void lgb_rule_as_published_diverges(void)
{
    const hk_plugin *plugin = activation("lgb");
    use *u = check_use_new(plugin, 1, 1);
    set_param(u, "k", 1);
    for (uint64_t seed = 0; seed < 200; seed++) {
        const lgb_run run = learn(u, seed, 1);
        CHECK(run.end < -15 && run.most <= 0.2);
        CHECK(run.y_at_half > 0.999999);
    }
    check_arrays_release(0);
}

static void lgb_rule_corrected_stays_within_bounds(void)
{
    const hk_plugin *plugin = activation("lgb");
    use *u = check_use_new(plugin, 1, 1);
    set_param(u, "k", 1);
    for (uint64_t seed = 0; seed < 200; seed++) {
        const lgb_run run = learn(u, seed, 0);
        CHECK(run.least > -0.1 && run.most < 0.8);
        CHECK(run.end > 0.25 && run.end < 0.75);
        CHECK(run.y_at_half > 0.43 && run.y_at_half < 0.57);
    }
    check_arrays_release(0);
}

/* ---- Row-wise activations --------------------------------------------------------------------- */

static const int64_t row_widths[] = {1, 2, 3, 10, 16, 17, 100, 300};
enum { ROW_WIDTHS = sizeof row_widths / sizeof *row_widths, ROWS = 9 };

/* A plugin run forward and backward over rows of normal numbers times `scale`. */
typedef struct trial {
    use *u;
    pass *p;
} trial;

static trial try_out(const char *name, int64_t channels, float scale, int isa)
{
    trial t = {check_use_new(activation(name), ROWS, channels), NULL};
    t.p = check_pass_new(t.u, scale);
    check_forward(t.u, isa, t.p, 0, ROWS);
    check_backward(t.u, isa, t.p, 0, ROWS);
    return t;
}

static void rows_sum_to_one(void)
{
    static const char *const names[] = {"softmax", "softmin", "sparsemax", "log_softmax"};
    for (int k = 0; k < 4 * ROW_WIDTHS * 3; k++) {
        const int64_t n = row_widths[k / 4 % ROW_WIDTHS];
        const int isa = k / 4 / ROW_WIDTHS;
        trial t = try_out(names[k % 4], n, k % 2 ? 3 : 30, isa);
        for (int64_t row = 0; row < ROWS; row++) {
            double sum = 0, change = 0, size = 0;
            for (int64_t j = row * n; j < (row + 1) * n; j++) {
                CHECK(k % 4 == 3 ? t.p->y[j] <= 0 : t.p->y[j] >= 0);
                sum += k % 4 == 3 ? exp((double)t.p->y[j]) : (double)t.p->y[j];
                change += (double)t.p->dx[j], size += fabs((double)t.p->dx[j]);
            }
            CHECK_NEAR(sum, 1, 2e-6);
            CHECK_NEAR(change, 0, 1e-6 * (1 + size)); /* adding the same to all changes nothing */
        }
        check_arrays_release(0);
    }
}

static void softmin_is_softmax_of_minus_x(void)
{
    trial low = try_out("softmin", 17, 3, 0), high = try_out("softmax", 17, 3, 0);
    for (int i = 0; i < 17 * ROWS; i++)
        high.p->x[i] = -low.p->x[i], high.p->dy[i] = low.p->dy[i];
    check_forward(high.u, 0, high.p, 0, ROWS);
    check_backward(high.u, 0, high.p, 0, ROWS);
    for (int i = 0; i < 17 * ROWS; i++)
        CHECK(low.p->y[i] == high.p->y[i] && low.p->dx[i] == -high.p->dx[i]);
    check_arrays_release(0);
}

static void log_softmax_is_exact_where_softmax_is_zero(void)
{
    trial t = try_out("log_softmax", 3, 1, 0);
    const float row[3] = {1000, 0, -1000};
    memcpy(t.p->x, row, sizeof row);
    check_forward(t.u, 0, t.p, 0, 1);
    CHECK(t.p->y[0] == 0 && t.p->y[1] == -1000 && t.p->y[2] == -2000);
    check_arrays_release(0);
}

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* By sorting, as in the paper's algorithm 1. */
static double sparsemax_tau(const float *x, int64_t n)
{
    double z[300], sum = 0, tau = 0;
    for (int64_t j = 0; j < n; j++)
        z[j] = (double)x[j];
    qsort(z, (size_t)n, sizeof *z, descending);
    for (int64_t k = 1; k <= n; k++) {
        sum += z[k - 1];
        if (1 + (double)k * z[k - 1] > sum)
            tau = (sum - 1) / (double)k;
    }
    return tau;
}

static void sparsemax_is_the_nearest_point_of_the_simplex(void)
{
    for (int k = 0; k < 2 * ROW_WIDTHS; k++) {
        const int64_t n = row_widths[k / 2];
        trial t = try_out("sparsemax", n, k % 2 ? 0.1f : 1, 0);
        for (int64_t row = 0; row < ROWS; row++) {
            const float *x = t.p->x + row * n, *y = t.p->y + row * n, *dy = t.p->dy + row * n;
            const double tau = sparsemax_tau(x, n);
            double mean = 0, support = 0;
            for (int64_t j = 0; j < n; j++)
                if (y[j] > 0)
                    mean += (double)dy[j], support++;
            for (int64_t j = 0; j < n; j++) {
                CHECK_NEAR(y[j], fmax(0, (double)x[j] - tau), 1e-6);
                CHECK_NEAR(t.p->dx[row * n + j], y[j] > 0 ? (double)dy[j] - mean / support : 0,
                           1e-5);
            }
        }
        check_arrays_release(0);
    }
}

/* The gates of the glu family are the values of other plugins. */
static void halves_are_gated_by_their_activation(void)
{
    static const char *const pairs[][2] = {{"glu", "sigmoid"},
                                           {"bilinear", "identity"},
                                           {"reglu", "relu"},
                                           {"geglu", "gelu"},
                                           {"swiglu", "silu"}};
    for (int k = 0; k < 5 * 3; k++) {
        const int64_t n = row_widths[2 + k % 6];
        trial t = try_out(pairs[k % 5][0], 2 * n, 2, k / 5);
        use *gate = check_use_new(activation(pairs[k % 5][1]), 1, 1);
        for (int64_t i = 0; i < ROWS * n; i++) {
            const int64_t at = i / n * 2 * n + i % n;
            const double a = (double)t.p->x[at], b = (double)t.p->x[at + n];
            const double dy = (double)t.p->dy[i], open = value_at(gate, b);
            CHECK_NEAR(t.p->y[i], a * open, 1e-6 * (1 + fabs(a * open)));
            CHECK_NEAR(t.p->dx[at], dy * open, 1e-6 * (1 + fabs(dy * open)));
            CHECK_NEAR(t.p->dx[at + n], dy * a * slope_at(gate, b), 2e-6 * (1 + fabs(dy * a)));
        }
        check_arrays_release(0);
    }
}

static void maxout_gives_the_gradient_to_the_first_of_equals(void)
{
    const float x[12] = {1, 5, 3, 3, 2, 3, 4, 1, 2, 3, 2, 7}; /* two rows, k = 3, two outputs */
    const float dx[12] = {0, 10, 20, 0, 0, 0, 30, 0, 0, 0, 0, 40};
    use *u = check_use_new(activation("maxout"), 2, 6);
    set_param(u, "k", 3);
    pass *p = check_pass_new(u, 1);
    memcpy(p->x, x, sizeof x);
    memcpy(p->dy, (float[]){20, 10, 30, 40}, 4 * sizeof *p->dy);
    check_forward(u, 0, p, 0, 2);
    check_backward(u, 0, p, 0, 2);
    CHECK(p->y[0] == 3 && p->y[1] == 5 && p->y[2] == 4 && p->y[3] == 7);
    CHECK(same_bits(p->dx, dx, 12));
    CHECK_EQUAL(u->plugin->activation->channels_out(&u->context, 7), 0);
    check_arrays_release(0);
}

static void crelu_keeps_both_signs(void)
{
    trial t = try_out("crelu", 5, 1, 0);
    for (int i = 0; i < 5 * ROWS; i++) {
        const int at = i / 5 * 10 + i % 5;
        CHECK(t.p->y[at] - t.p->y[at + 5] == t.p->x[i]);
        CHECK(t.p->dx[i] == (t.p->x[i] > 0 ? t.p->dy[at] : -t.p->dy[at + 5]));
    }
    check_arrays_release(0);
}

/* ---- Surrogates, approximators ---------------------------------------------------------------- */

static void helu_passes_a_little_below_zero(void)
{
    use *u = check_use_new(activation("helu"), 1, 1);
    CHECK(slope_at(u, -0.04) == 0 && slope_at(u, 0.04) == 1);
    u->context.surrogate = 1;
    pass *p = check_pass_new(u, 1);
    p->dy[0] = 1, p->x[0] = -0.04f;
    check_backward(u, 0, p, 0, 1);
    CHECK(p->dx[0] == 1);
    p->x[0] = -0.06f;
    check_backward(u, 0, p, 0, 1);
    CHECK(p->dx[0] == 0);
    check_arrays_release(0);
}

/* A row with a gradient keeps it, a row without gets what raises its inputs. */
static void redirected_relu_revives_whole_rows_only(void)
{
    const float x[6] = {-1, 2, -3, -1, -2, -3}, dy[6] = {-1, 1, -1, -1, 1, -1};
    const float redirected[6] = {0, 1, 0, -1, 0, -1}, true_slope[6] = {0, 1, 0, 0, 0, 0};
    use *u = check_use_new(activation("redirected_relu"), 2, 3);
    pass *p = check_pass_new(u, 1);
    memcpy(p->x, x, sizeof x), memcpy(p->dy, dy, sizeof dy);
    check_backward(u, 0, p, 0, 2);
    CHECK(same_bits(p->dx, true_slope, 6));
    u->context.surrogate = 1;
    check_backward(u, 0, p, 0, 2);
    CHECK(same_bits(p->dx, redirected, 6));
    check_arrays_release(0);
}

/* With all coefficients 1 the B-splines add up to 1 inside [-1, 1], and vanish far outside. */
static void kan_splines_are_a_partition_of_one(void)
{
    use *u = check_use_new(activation("kan_spline"), 1, 1),
        *silu = check_use_new(activation("silu"), 1, 1);
    for (int k = 1; k < u->n_slots; k++)
        u->slots[k][0] = 1;
    for (double x = -1; x <= 1; x += 0.01)
        CHECK_NEAR(value_at(u, x), 1 + value_at(silu, x), 1e-12);
    CHECK_NEAR(value_at(u, 2.2), value_at(silu, 2.2), 1e-12);
    CHECK_NEAR(value_at(u, -2.3), value_at(silu, -2.3), 1e-12);
    check_arrays_release(0);
}

static void approximators_start_near_what_they_say(void)
{
    use *rational = check_use_new(activation("rational"), 1, 1);
    use *slaf = check_use_new(activation("slaf"), 1, 1);
    for (double x = -3; x <= 3; x += 0.01)
        CHECK_NEAR(value_at(rational, x), x > 0 ? x : 0.01 * x, 0.03);
    const moments parabola = moments_of(slaf, 1);
    CHECK_NEAR(parabola.mean, 1 / sqrt(2 * acos(-1)), 1e-6); /* as relu's */
    check_arrays_release(0);
}

static void probact_adds_normal_noise_in_training_only(void)
{
    enum { N = 40000 };
    use *u = check_use_new(activation("probact"), N / 4, 4);
    pass *p = check_pass_new(u, 1);
    check_forward(u, 0, p, 0, N / 4);
    for (int i = 0; i < N; i++)
        CHECK(p->y[i] == hks_max(0, p->x[i]));
    u->context.training = 1;
    check_forward(u, 0, p, 0, N / 4);
    double sums[5] = {0};
    for (int i = 0; i < N; i++)
        for (int power = 1; power <= 4; power++)
            sums[power] += pow(2 * ((double)p->y[i] - fmax(0, (double)p->x[i])), power) / N;
    CHECK_NEAR(sums[1], 0, 4 / sqrt(N));
    CHECK_NEAR(sums[2], 1, 4 * sqrt(2.0 / N));
    CHECK_NEAR(sums[4], 3, 4 * sqrt(96.0 / N));
    check_arrays_release(0);
}

/* ---- Worked examples -------------------------------------------------------------------------- */

/* out for the inputs `in`; a normalization gets gamma (2, 3) and beta (0.1, 0.2) first. */
static void expect(hk_tensor *x, hk_tensor *out, int training, const float in[4],
                   const double wanted[4])
{
    hk_plan *plan = NULL;
    const hk_plan_options options = {.batch = 2, .output = out, .training = training};
    CHECK(out && hk_plan_new(hk_tensor_net(out), &options, &plan) == HK_OK);
    if (!plan) {
        printf("  %s\n", hk_message());
        return;
    }
    hk_net *net = hk_tensor_net(out);
    for (int i = 0; i < net->n_tensors; i++) {
        const char *name = hk_tensor_name(net->tensors[i]);
        if (strstr(name, "norm") && strstr(name, "gamma"))
            memcpy(net->tensors[i]->value, (float[]){2, 3}, 2 * sizeof(float));
        if (strstr(name, "norm") && strstr(name, "beta"))
            memcpy(net->tensors[i]->value, (float[]){0.1f, 0.2f}, 2 * sizeof(float));
    }
    memcpy(hk_plan_value(plan, x), in, 4 * sizeof *in);
    CHECK(hk_plan_forward(plan, 2) == HK_OK);
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(hk_plan_value(plan, out)[i], wanted[i], 2e-6);
    hk_plan_free(plan);
}

static void example_leaky_relu(void)
{
    use *u = check_use_new(activation("leaky_relu"), 3, 1);
    pass *p = check_pass_new(u, 1);
    memcpy(p->x, (float[]){-1, 0, 1}, 3 * sizeof *p->x);
    check_forward(u, 0, p, 0, 3);
    CHECK(p->y[0] == -0.01f && p->y[1] == 0 && p->y[2] == 1);
    check_arrays_release(0);
}

static void example_batch_norm(void)
{
    hk_net *net = hk_net_new(.normalization = "batch_norm:eps=1e-5");
    hk_tensor *x = hk_input(net, 2);
    expect(x, hk_norm(x), 1, (float[]){1, 2, 3, 4},
           (double[]){-1.89999, -2.799985, 2.09999, 3.199985});
    hk_net_free(net);
}

/* X W^T + b and five activations of it. */
static void example_linear_and_activations(void)
{
    static const double z[4] = {1.4, 0.6, 2.4, 0.4};
    static const char *const names[] = {"identity", "sigmoid",    "tanh",
                                        "relu",     "leaky_relu", "swish"};
    for (int k = 0; k < 6; k++) {
        hk_net *net = hk_net_new();
        hk_tensor *x = hk_input(net, 2);
        hk_tensor *w = hk_constant(net, HK_SHAPE(2, 2), (float[]){0.1f, -0.3f, 0.4f, 0.2f});
        hk_tensor *b = hk_constant(net, HK_SHAPE(2), (float[]){0.5f, 0.5f});
        double wanted[4];
        for (int i = 0; i < 4; i++)
            wanted[i] = k == 1   ? 1 / (1 + exp(-z[i]))
                        : k == 2 ? tanh(z[i])
                        : k == 5 ? z[i] / (1 + exp(-z[i]))
                                 : z[i];
        expect(x, hk_act(hk_add(hk_matmul(x, w), b), .use = names[k]), 0, (float[]){1, 2, 3, 4},
               wanted);
        hk_net_free(net);
    }
}

int main(int argc, char **argv)
{
    choose_directories(argc, argv);
    RUN(plugin_files_load);
    RUN(gains_are_the_known_ones);
    RUN(minima_are_the_known_ones);
    RUN(selu_has_its_fixed_point);
    RUN(he_keeps_the_mean_square);
    RUN(relu_nets_are_born_dead_as_often_as_known);
    RUN(lgb_rule_as_published_diverges);
    RUN(lgb_rule_corrected_stays_within_bounds);
    RUN(rows_sum_to_one);
    RUN(softmin_is_softmax_of_minus_x);
    RUN(log_softmax_is_exact_where_softmax_is_zero);
    RUN(sparsemax_is_the_nearest_point_of_the_simplex);
    RUN(halves_are_gated_by_their_activation);
    RUN(maxout_gives_the_gradient_to_the_first_of_equals);
    RUN(crelu_keeps_both_signs);
    RUN(helu_passes_a_little_below_zero);
    RUN(redirected_relu_revives_whole_rows_only);
    RUN(kan_splines_are_a_partition_of_one);
    RUN(approximators_start_near_what_they_say);
    RUN(probact_adds_normal_noise_in_training_only);
    RUN(example_leaky_relu);
    RUN(example_batch_norm);
    RUN(example_linear_and_activations);
    return check_result();
}
