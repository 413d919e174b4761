/* Every normalization of the plugin directory: values and gradients against plain references in
 * double, on every instruction set; known values; mean and variance of what comes out.
 *
 * test_normalizations [DIRECTORY...] */
#include <hillock/hillock.h>
#include "plugin_use.h"

/* ---- Normalizations: gradients and promises ------------------------------------------------ */

/* The plugin with its parameter "over", if any, at each choice. */
static int over_choices(const hk_plugin *plugin)
{
    return plugin->params && strcmp(plugin->params[0].name, "over") == 0 ? 2 : 1;
}

/* As after one batch around 3, so that evaluation is not the identity. */
static void move_running_averages(use *u)
{
    pass *p = check_pass_new(u, 2);
    for (int64_t i = 0; i < p->in; i++)
        p->x[i] += 3;
    check_host_update(u, p);
}

static void check_normalization(const hk_plugin *plugin, int over, uint32_t training,
                                int64_t channels)
{
    use *u = check_use_new(plugin, 24, channels);
    u->context.training = training;
    u->context.rows_per_sample = 6;
    check_use_vary(u, 50);
    if (!training && plugin->normalization->frozen && plugin->normalization->update)
        move_running_averages(u);
    if (over_choices(plugin) > 1)
        u->params[0] = over;
    pass *p = check_pass_new(u, 1);
    if (check_host_domain(u) == HK_OVER_WEIGHT)
        check_host_update(u, p);
    if (check_host_domain(u) != HK_OVER_ROW || channels > 2) /* two numbers normalize to a step */
        check_projections(u, p);
    check_arrays_release(0);
}

static void normalizations_have_right_gradients(void)
{
    static const int64_t channels[] = {1, 2, 3, 7, 16, 33, 100};
    EACH(HK_NORMALIZATION, plugin)
    for (int over = 0; over < over_choices(plugin); over++)
        for (int c = 0; c < 7; c++)
            for (uint32_t training = 0; training < 2; training++)
                check_normalization(plugin, over, training, channels[c]);
}

static void check_tiles(use *u)
{
    pass *whole = check_pass_new(u, 2);
    check_host_forward(u, HK_BASELINE, whole);
    for (int isa = 0; isa < HK_ISA_COUNT; isa++)
        for (int64_t step = 1; check_has_kernels(u->plugin, isa) && step < 61; step += 9) {
            pass *p = check_pass_new(u, 2);
            for (int64_t first = 0; first < 61; first += step)
                check_forward(u, isa, p, first, 61 - first < step ? 61 - first : step);
            CHECK(same_bits(p->y, whole->y, 61 * 33));
        }
}

static void row_normalizations_do_not_depend_on_tiles(void)
{
    EACH(HK_NORMALIZATION, plugin)
    for (int over = 0; over < over_choices(plugin); over++) {
        use *u = check_use_new(plugin, 61, 33);
        if (over_choices(plugin) > 1)
            u->params[0] = over;
        if (check_host_domain(u) == HK_OVER_ROW)
            check_tiles(u);
        check_arrays_release(0);
    }
    CHECK(1);
}

static void batch_norm_has_its_known_values(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "batch_norm");
    if (!plugin)
        SKIP("no batch_norm here");
    use *u = check_use_new(plugin, 2, 2);
    u->context.training = 1;
    slot(u, "gamma")[0] = 2, slot(u, "gamma")[1] = 3;
    slot(u, "beta")[0] = 0.1f, slot(u, "beta")[1] = 0.2f;
    pass *p = check_pass_new(u, 1);
    for (int i = 0; i < 4; i++)
        p->x[i] = (float)(i + 1);
    check_host_forward(u, HK_BASELINE, p);
    static const double expected[4] = {-1.89999, -2.799985, 2.09999, 3.199985};
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(p->y[i], expected[i], 1e-6);
    check_host_update(u, p);
    CHECK_NEAR(slot(u, "running_mean")[0], 0.1 * 2, 1e-7);
    CHECK_NEAR(slot(u, "running_mean")[1], 0.1 * 3, 1e-7);
    CHECK_NEAR(slot(u, "running_var")[0], 0.9 + 0.1 * 2, 1e-6); /* unbiased: 2, not 1 */
    u->context.training = 0;
    check_host_forward(u, HK_BASELINE, p);
    CHECK_NEAR(p->y[0], 2 * (1 - 0.2) / sqrt(1.1 + 1e-5) + 0.1, 1e-6);
    check_arrays_release(0);
}

/* One row in training: y = beta, nothing flows back, and the running variance stays. */
static void batch_norm_of_one_row_is_beta(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "batch_norm");
    if (!plugin)
        SKIP("no batch_norm here");
    use *u = check_use_new(plugin, 1, 3);
    u->context.training = 1;
    slot(u, "beta")[1] = 0.25f;
    pass *p = check_pass_new(u, 1e4f);
    check_host_run(u, HK_BASELINE, p);
    for (int j = 0; j < 3; j++) {
        CHECK(p->y[j] == slot(u, "beta")[j]);
        CHECK(p->dx[j] == 0);
        CHECK(p->dslots[0][j] == 1);
        CHECK_NEAR(p->dslots[1][j], 1 + (double)p->dy[j], 1e-6);
    }
    check_host_update(u, p);
    CHECK(slot(u, "running_var")[0] == 1);
    check_arrays_release(0);
}

/* Mean and variance of y over the elements that share statistics, for gamma 1 and beta 0; sums of
 * dx and dx xh over the same elements vanish. `channels_each` channels of `rows` rows. */
static void check_set(const use *u, const pass *p, int64_t first_row, int64_t rows, int64_t channel,
                      int64_t channels_each)
{
    double mean = 0, square = 0, flow = 0, along = 0;
    const double count = (double)(rows * channels_each);
    for (int64_t r = first_row; r < first_row + rows; r++)
        for (int64_t j = channel; j < channel + channels_each; j++) {
            const int64_t i = r * u->context.channels + j;
            const double y = (double)p->y[i];
            mean += y / count, square += y * y / count;
            flow += (double)p->dx[i], along += (double)p->dx[i] * y;
        }
    CHECK_NEAR(mean, 0, 1e-5);
    CHECK_NEAR(square, 1, 1e-3);
    CHECK_NEAR(flow, 0, 2e-5 * count);
    CHECK_NEAR(along, 0, 1e-4 * count);
}

static void check_unit_variance(const char *name, const char *param, double value,
                                int64_t channels_each)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, name);
    if (!plugin)
        return;
    use *u = check_use_new(plugin, 32, 48);
    u->context.training = 1;
    u->context.rows_per_sample = 16;
    if (param)
        set_param(u, param, value);
    pass *p = check_pass_new(u, 3);
    for (int i = 0; i < 32 * 48; i++)
        p->x[i] += 5;
    check_host_run(u, HK_BASELINE, p);
    const hk_domain over = check_host_domain(u);
    const int64_t rows = over == HK_OVER_ROW ? 1 : over == HK_OVER_SAMPLE ? 16 : 32;
    for (int64_t r = 0; r < 32; r += rows)
        for (int64_t j = 0; j < 48; j += channels_each)
            check_set(u, p, r, rows, j, channels_each);
    check_arrays_release(0);
}

static void normalized_sets_have_mean_0_and_variance_1(void)
{
    check_unit_variance("batch_norm", NULL, 0, 1);
    check_unit_variance("layer_norm", "over", 0, 48);
    check_unit_variance("layer_norm", "over", 1, 48);
    check_unit_variance("group_norm", NULL, 0, 3); /* gcd(32, 48) = 16 groups */
    check_unit_variance("group_norm", "groups", 1, 48);
    check_unit_variance("group_norm", "groups", 48, 1);
    check_unit_variance("group_norm", "groups", 7, 48);
    check_unit_variance("instance_norm", NULL, 0, 1);
    CHECK(1);
}

/* ---- Against references in double ---------------------------------------------------------- */

/* The block that shares statistics, and which ones: (x - mean) / sqrt(var + eps),
 * x / sqrt(mean square + eps), x / max(length, eps). */
typedef enum mode { BY_VARIANCE, BY_SQUARE, BY_LENGTH } mode;
typedef struct family {
    const char *name, *param;
    double value;
    mode by;
    int64_t rows, columns;
} family;

enum { ROWS_ = 24, COLUMNS_ = 12, SIZE_ = ROWS_ * COLUMNS_ };

static double eps_of(const use *u)
{
    for (int i = 0; u->plugin->params && u->plugin->params[i].name; i++)
        if (strcmp(u->plugin->params[i].name, "eps") == 0)
            return u->params[i];
    return 0;
}

static const float *slot_or_null(const use *u, const char *name)
{
    for (int i = 0; i < u->n_slots; i++)
        if (strcmp(u->plugin->slots[i].name, name) == 0)
            return u->slots[i];
    return NULL;
}

static void reference_block(const use *u, const family *f, int64_t row, int64_t column,
                            const double *x, double *y)
{
    const double count = (double)(f->rows * f->columns), eps = eps_of(u);
    const int plain = f->param && strcmp(f->param, "affine") == 0 && f->value == 0;
    const float *gamma = plain ? NULL : slot_or_null(u, "gamma");
    const float *beta = plain ? NULL : slot_or_null(u, "beta"), *g = slot_or_null(u, "g");
    double mean = 0, m2 = 0;
    for (int round = 0; round < 2; round++)
        for (int64_t r = row; r < row + f->rows; r++)
            for (int64_t j = column; j < column + f->columns; j++) {
                const double away = x[r * COLUMNS_ + j] - (f->by == BY_VARIANCE ? mean : 0);
                if (round == 0)
                    mean += x[r * COLUMNS_ + j] / count;
                else
                    m2 += away * away;
            }
    const double scale = f->by == BY_LENGTH ? 1 / fmax(sqrt(m2), eps) : 1 / sqrt(m2 / count + eps);
    for (int64_t r = row; r < row + f->rows; r++)
        for (int64_t j = column; j < column + f->columns; j++)
            y[r * COLUMNS_ + j] = (x[r * COLUMNS_ + j] - (f->by == BY_VARIANCE ? mean : 0)) *
                                      scale *
                                      (gamma ? (double)gamma[j]
                                       : g   ? (double)g[j]
                                             : 1) +
                                  (beta ? (double)beta[j] : 0);
}

typedef void reference(const use *u, const family *f, const double *x, double *y);

static void reference_family(const use *u, const family *f, const double *x, double *y)
{
    for (int64_t row = 0; row < ROWS_; row += f->rows)
        for (int64_t column = 0; column < COLUMNS_; column += f->columns)
            reference_block(u, f, row, column, x, y);
}

static void reference_lrn(const use *u, const family *f, const double *x, double *y)
{
    const int64_t n = u->context.channels, size = (int64_t)u->params[0];
    (void)f;
    for (int64_t i = 0; i < u->context.rows * n; i++) {
        double sum = 0;
        for (int64_t j = i % n - size / 2; j < i % n - size / 2 + size; j++)
            if (j >= 0 && j < n)
                sum += x[i - i % n + j] * x[i - i % n + j];
        y[i] = x[i] / pow(u->params[3] + u->params[1] / (double)size * sum, u->params[2]);
    }
}

static void reference_spectral(const use *u, const family *f, const double *x, double *y)
{
    const int64_t n = u->context.channels;
    double s = 0;
    (void)f;
    for (int64_t i = 0; i < u->context.rows * n; i++)
        s += (double)slot(u, "v")[i / n] * x[i] * (double)slot(u, "u")[i % n];
    for (int64_t i = 0; i < u->context.rows * n; i++)
        y[i] = x[i] / s;
}

static double reference_loss(const use *u, const family *f, reference *of, const pass *p,
                             const double *x, double *y)
{
    double sum = 0;
    of(u, f, x, y);
    for (int64_t i = 0; i < u->context.rows * u->context.channels; i++)
        sum += (double)p->dy[i] * y[i];
    return sum;
}

/* Central differences of the reference; scale and shift enter linearly, so any step will do. */
static void check_slots(const use *u, const family *f, reference *of, const pass *p,
                        const double *x, double *y)
{
    for (int k = 0; k < u->n_slots; k++)
        for (int64_t j = 0; u->plugin->slots[k].role == HK_LEARNED && j < u->lengths[k]; j++) {
            const float kept = u->slots[k][j];
            u->slots[k][j] = kept + 0.5f;
            double above = reference_loss(u, f, of, p, x, y);
            u->slots[k][j] = kept - 0.5f;
            double slope = above - reference_loss(u, f, of, p, x, y);
            u->slots[k][j] = kept;
            CHECK_NEAR(p->dslots[k][j], 1 + slope, 3e-6 * (1 + fabs(slope)));
        }
}

static void check_reference(use *u, int isa, const family *f, reference *of, float scale)
{
    const int64_t n = u->context.rows * u->context.channels;
    pass *p = check_pass_new(u, scale);
    double *x = check_guarded_doubles("x", n), *y = check_guarded_doubles("y", n);
    double *moved = check_guarded_doubles("moved", n);
    for (int64_t i = 0; i < n; i++)
        x[i] = (double)p->x[i];
    if (check_host_domain(u) == HK_OVER_WEIGHT)
        check_host_update(u, p);
    check_host_run(u, isa, p);
    of(u, f, x, y);
    for (int64_t i = 0; i < n; i++)
        CHECK_NEAR(p->y[i], y[i], 1e-6 * (1 + fabs(y[i])));
    for (int64_t i = 0; i < n; i++) {
        const double h = 1e-5, kept = x[i];
        x[i] = kept + h;
        const double above = reference_loss(u, f, of, p, x, moved);
        x[i] = kept - h;
        const double slope = (above - reference_loss(u, f, of, p, x, moved)) / (2 * h);
        x[i] = kept;
        CHECK_NEAR(p->dx[i], slope, 3e-6 * (1 + fabs(slope)));
    }
    check_slots(u, f, of, p, x, moved);
    check_arrays_release(0);
}

static void check_family(const family *f, reference *of)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, f->name);
    const int before = check_case_failed;
    CHECK(plugin != NULL);
    for (int isa = 0; plugin && isa < HK_ISA_COUNT; isa++) {
        use *u = check_use_new(plugin, ROWS_, COLUMNS_);
        u->context.training = 1;
        u->context.rows_per_sample = 6;
        check_use_vary(u, 50);
        if (f->param)
            set_param(u, f->param, f->value);
        if (check_has_kernels(plugin, isa))
            check_reference(u, isa, f, of, 2);
        check_arrays_release(0);
    }
    if (plugin)
        name_failure(plugin, before);
}

static void values_and_gradients_are_those_of_the_formulas(void)
{
    static const family families[] = {
        {"batch_norm", NULL, 0, BY_VARIANCE, ROWS_, 1},
        {"layer_norm", "over", 0, BY_VARIANCE, 6, COLUMNS_},
        {"layer_norm", "over", 1, BY_VARIANCE, 1, COLUMNS_},
        {"instance_norm", "affine", 0, BY_VARIANCE, 6, 1},
        {"instance_norm", "affine", 1, BY_VARIANCE, 6, 1},
        {"group_norm", "groups", 4, BY_VARIANCE, 6, 3},
        {"group_norm", "groups", 12, BY_VARIANCE, 6, 1},
        {"rms_norm", "over", 0, BY_SQUARE, 6, COLUMNS_},
        {"rms_norm", "over", 1, BY_SQUARE, 1, COLUMNS_},
        {"filter_response_norm", NULL, 0, BY_SQUARE, 6, 1},
        {"unit_norm", "over", 0, BY_LENGTH, 1, COLUMNS_},
        {"unit_norm", "over", 1, BY_LENGTH, 6, COLUMNS_},
        {"weight_norm", NULL, 0, BY_LENGTH, ROWS_, 1},
        {"weight_standardization", NULL, 0, BY_VARIANCE, ROWS_, 1},
        {"batch_renorm", NULL, 0, BY_VARIANCE, ROWS_, 1}, /* before it starts to correct */
    };
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        check_family(&families[i], reference_family);
    check_family(&(family){"spectral_norm", NULL, 0, 0, 0, 0}, reference_spectral);
}

/* Windows at both ends, wider than the row, of even size; rows longer than a block of columns. */
static void local_response_norm_is_its_formula(void)
{
    static const int64_t shapes[][2] = {{5, 12},  {4, 12},  {1, 3},   {2, 1},
                                        {65, 40}, {5, 300}, {64, 530}};
    const hk_plugin *plugin = find(HK_NORMALIZATION, "local_response_norm");
    if (!plugin)
        SKIP("no local_response_norm here");
    for (int isa = 0; isa < HK_ISA_COUNT; isa++)
        for (int i = 0; i < 7 && check_has_kernels(plugin, isa); i++) {
            use *u = check_use_new(plugin, 2, shapes[i][1]);
            set_param(u, "size", (double)shapes[i][0]);
            set_param(u, "alpha", 0.7);
            check_reference(u, isa, NULL, reference_lrn, 3);
            check_arrays_release(0);
        }
}

/* ---- Pointwise ------------------------------------------------------------------------------ */

static void predict_behind(const char *norm, const char *act, float *y)
{
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *z = hk_conv(hk_input(net, 5, 5, 3), 4, 3, .no_bias = 1, .init = "normal:std=0.1");
    z = norm ? hk_norm(z, .use = norm) : hk_act(z, .use = act);
    float x[5 * 5 * 3];
    for (int i = 0; i < 5 * 5 * 3; i++)
        x[i] = (float)(i % 7) - 3;
    CHECK_EQUAL(hk_net_predict(hk_linear(z, 10, .init = "normal:std=0.1"), 1, x, y), HK_OK);
    hk_net_free(net);
}

static void pointwise_is_its_activation(void)
{
    const char *const names[] = {"dyt", "derf", "dynamic_erf"};
    for (int i = 0; i < 3; i++) {
        float as_norm[10] = {0}, as_act[10] = {1};
        predict_behind(names[i], NULL, as_norm);
        predict_behind(NULL, names[i], as_act);
        CHECK(memcmp(as_norm, as_act, sizeof as_act) == 0);
    }
}

/* ---- Weights ------------------------------------------------------------------------------- */

/* The first weight is not changed; its gradient is normal to it. */
static void weight_norm_starts_with_the_weight(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "weight_norm");
    if (!plugin)
        SKIP("no weight_norm here");
    use *u = check_use_new(plugin, 30, 300);
    pass *p = check_pass_new(u, 1);
    for (int i = 0; i < 30; i++)
        p->x[i * 300 + 7] = 0;
    check_host_update(u, p);
    check_host_forward(u, HK_BASELINE, p);
    for (int i = 0; i < 30 * 300; i++)
        CHECK_NEAR(p->y[i], p->x[i], 4e-7 * (fabs((double)p->x[i]) + 1e-7));
    check_backward(u, HK_BASELINE, p, 0, 30);
    for (int j = 0; j < 300; j++) {
        double along = 0;
        for (int i = 0; i < 30; i++)
            along += (double)p->dx[i * 300 + j] * (double)p->x[i * 300 + j];
        CHECK_NEAR(along, 0, 1e-5);
        CHECK(j != 7 || p->dx[j] == 0);
    }
    u->context.training = 1; /* later weights are the optimizer's, and so is g */
    p->x[0] += 1;
    const float g = slot(u, "g")[0];
    check_host_update(u, p);
    CHECK(slot(u, "g")[0] == g);
    check_arrays_release(0);
}

/* The error of the largest singular value falls by (s2 / s1)^2 a step. */
static void power_iteration_converges_as_it_should(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "spectral_norm");
    if (!plugin)
        SKIP("no spectral_norm here");
    use *u = check_use_new(plugin, 2, 2);
    u->context.training = 1;
    pass *p = check_pass_new(u, 1);
    p->x[0] = 1, p->x[1] = p->x[2] = 0, p->x[3] = 0.9f;
    slot(u, "u")[0] = slot(u, "u")[1] = 0.70710678f;
    double error[9];
    for (int step = 0; step < 9; step++) {
        check_host_update(u, p);
        check_host_forward(u, HK_BASELINE, p);
        error[step] = 1 - 1 / (double)p->y[0];
        CHECK(error[step] > 0);
    }
    /* s - s1 is of the order of the squared angle: (s2 / s1)^4 a step */
    CHECK_NEAR(error[8] / error[7], pow(0.9, 4), 0.02);
    check_arrays_release(0);
}

/* Power iteration on diag(3, 1, 0.5): the largest singular value becomes 1. */
static void spectral_norm_divides_by_the_largest_singular_value(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "spectral_norm");
    if (!plugin)
        SKIP("no spectral_norm here");
    use *u = check_use_new(plugin, 4, 3);
    pass *p = check_pass_new(u, 1);
    memset(p->x, 0, 12 * sizeof *p->x);
    p->x[0] = 3, p->x[4] = 1, p->x[8] = 0.5f;
    check_host_update(u, p); /* the first weight: 15 iterations */
    check_host_forward(u, HK_BASELINE, p);
    CHECK_NEAR(p->y[0], 1, 1e-6);
    CHECK_NEAR(p->y[4], 1 / 3.0, 1e-6);
    CHECK_NEAR(p->y[8], 1 / 6.0, 1e-6);
    check_arrays_release(0);
}

/* ---- batch_renorm -------------------------------------------------------------------------- */

/* sd / running_sd = 5 is cut to rmax = 3; the mean is two deviations away. */
static void batch_renorm_leans_on_the_past(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "batch_renorm");
    if (!plugin)
        SKIP("no batch_renorm here");
    use *u = check_use_new(plugin, 2, 1);
    u->context.training = 1;
    pass *p = check_pass_new(u, 1);
    p->x[0] = -3, p->x[1] = 7; /* mean 2, sd 5 */
    check_host_forward(u, HK_BASELINE, p);
    CHECK_NEAR(p->y[0], -1, 1e-6); /* batch_norm at first */
    slot(u, "steps")[0] = 40000;
    check_host_forward(u, HK_BASELINE, p);
    CHECK_NEAR(p->y[0], -1 * 3 + 2, 1e-5);
    CHECK_NEAR(p->y[1], 1 * 3 + 2, 1e-5);
    slot(u, "steps")[0] = 22500; /* half way to rmax, 7 / 8 of the way to dmax */
    check_host_forward(u, HK_BASELINE, p);
    CHECK_NEAR(p->y[1], 1 * 2 + 2, 1e-5);
    slot(u, "running_sd")[0] = 5; /* within bounds: y = (x - running mean) / running sd */
    slot(u, "running_mean")[0] = 1;
    check_host_forward(u, HK_BASELINE, p);
    CHECK_NEAR(p->y[0], -4 / 5.0, 1e-5);
    u->context.training = 0;
    check_host_forward(u, HK_BASELINE, p);
    CHECK_NEAR(p->y[0], -4 / 5.0, 1e-6);
    check_host_update(u, p);
    CHECK_NEAR(slot(u, "running_mean")[0], 1 + 0.01 * (2 - 1), 1e-6);
    CHECK_NEAR(slot(u, "running_sd")[0], 5, 1e-5);
    CHECK(slot(u, "steps")[0] == 22501);
    check_arrays_release(0);
}

/* r and d are constants to the gradient: it is batch_norm's times r. */
static void batch_renorm_flows_back_as_batch_norm(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "batch_renorm");
    if (!plugin)
        SKIP("no batch_renorm here");
    use *u = check_use_new(plugin, 16, 1);
    u->context.training = 1;
    pass *early = check_pass_new(u, 9),
         *late = check_pass_new(u, 9); /* sd near 9, so r is cut to 3 */
    check_host_run(u, HK_BASELINE, early);
    slot(u, "steps")[0] = 40000;
    check_host_run(u, HK_BASELINE, late);
    for (int i = 0; i < 16; i++)
        CHECK_NEAR(late->dx[i], 3 * (double)early->dx[i], 1e-6);
    double with_y = 1; /* d y / d gamma is y at beta = 0 */
    for (int i = 0; i < 16; i++)
        with_y += (double)late->dy[i] * (double)late->y[i];
    CHECK_NEAR(late->dslots[0][0], with_y, 1e-4);
    check_arrays_release(0);
}

/* ---- dice, an activation that standardizes what it gates by -------------------------------- */

static void dice_follows_mean_and_variance(void)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, "dice");
    if (!plugin)
        SKIP("no dice here");
    use *u = check_use_new(plugin, 4, 1);
    set_param(u, "momentum", 1);
    slot(u, "alpha")[0] = 0.25f;
    slot(u, "running_mean")[0] = 40;
    pass *p = check_pass_new(u, 1);
    double sums[2];
    p->x[0] = 3, p->x[1] = 5, p->x[2] = 7, p->x[3] = 9; /* mean 6, variance 5 */
    check_forward(u, HK_BASELINE, p, 0, 4);
    sums[0] = (double)p->sums[0], sums[1] = (double)p->sums[1];
    plugin->activation->update(&u->context, &(hk_activity){.rows = 4, .sums = sums});
    CHECK_NEAR(slot(u, "running_mean")[0], 6, 1e-6);
    CHECK_NEAR(slot(u, "running_var")[0], 5, 1e-4);
    check_forward(u, HK_BASELINE, p, 0, 4);
    for (int i = 0; i < 4; i++) {
        const double x = 3 + 2 * i, gate = 1 / (1 + exp(-(x - 6) / sqrt(5)));
        CHECK_NEAR(p->y[i], x * (gate + (1 - gate) * 0.25), 2e-5);
    }
    check_arrays_release(0);
}

int main(int argc, char **argv)
{
    choose_directories(argc, argv);
    RUN(plugin_files_load);
    RUN(normalizations_have_right_gradients);
    RUN(row_normalizations_do_not_depend_on_tiles);
    RUN(batch_norm_has_its_known_values);
    RUN(batch_norm_of_one_row_is_beta);
    RUN(normalized_sets_have_mean_0_and_variance_1);
    RUN(values_and_gradients_are_those_of_the_formulas);
    RUN(local_response_norm_is_its_formula);
    RUN(pointwise_is_its_activation);
    RUN(weight_norm_starts_with_the_weight);
    RUN(power_iteration_converges_as_it_should);
    RUN(batch_renorm_leans_on_the_past);
    RUN(batch_renorm_flows_back_as_batch_norm);
    RUN(dice_follows_mean_and_variance);
    RUN(spectral_norm_divides_by_the_largest_singular_value);
    return check_result();
}
