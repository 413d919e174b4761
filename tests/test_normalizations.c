/* Every normalization of the plugin and probe directories: gradients, known values, mean and
 * variance of what comes out. The framework's part (moments, affine pass) is played plainly here.
 *
 * test_normalizations [DIRECTORY...] */
#include "plugin_use.h"

/* ---- Normalizations: the host's part, plainly ------------------------------------------------ */

static hk_domain domain_of(const use *u)
{
    return u->plugin->normalization->domain(&u->context);
}

static int64_t rows_of_set(const use *u)
{
    return domain_of(u) == HK_OVER_SAMPLE ? u->context.rows_per_sample : u->context.rows;
}

static hk_moments moments_of(const use *u, const float *x, int64_t rows)
{
    const int64_t channels = u->context.channels;
    double *mean = doubles(channels), *m2 = doubles(channels);
    for (int64_t i = 0; i < rows * channels; i++)
        mean[i % channels] += (double)x[i] / (double)rows;
    for (int64_t i = 0; i < rows * channels; i++) {
        double away = (double)x[i] - mean[i % channels];
        m2[i % channels] += away * away;
    }
    return (hk_moments){rows, mean, m2};
}

static void moments_free(hk_moments m)
{
    free((void *)m.mean), free((void *)m.m2);
}

static int is_frozen(const use *u)
{
    return !u->context.training && u->plugin->normalization->frozen;
}

static void normalize_set(const use *u, const float *x, float *y, int64_t rows)
{
    const hk_normalization *norm = u->plugin->normalization;
    const int64_t channels = u->context.channels;
    hk_moments seen = moments_of(u, x, rows);
    float *coef = floats(norm->n_coef * channels);
    if (is_frozen(u))
        norm->frozen(&u->context, coef);
    else
        norm->coefficients(&u->context, &seen, coef);
    for (int64_t i = 0; i < rows * channels; i++)
        y[i] = coef[i % channels] * x[i] + coef[channels + i % channels];
    moments_free(seen);
    free(coef);
}

/* Behind frozen() there are no moments, and sums are taken around 0. */
static void normalize_set_back(const use *u, const pass *p, int64_t at, int64_t rows)
{
    const hk_normalization *norm = u->plugin->normalization;
    const int64_t channels = u->context.channels;
    const float *x = p->x + at, *dy = p->dy + at;
    hk_moments seen = moments_of(u, x, rows);
    float *coef = floats(norm->n_coef * channels), *bcoef = floats(3 * channels);
    double *sum_dy = doubles(channels), *sum_dyx = doubles(channels);
    for (int64_t i = 0; i < rows * channels; i++) {
        const double centre = is_frozen(u) ? 0 : seen.mean[i % channels];
        sum_dy[i % channels] += (double)dy[i];
        sum_dyx[i % channels] += (double)dy[i] * ((double)x[i] - centre);
    }
    if (is_frozen(u))
        norm->frozen(&u->context, coef);
    else
        norm->coefficients(&u->context, &seen, coef);
    norm->gradient(&u->context, coef, is_frozen(u) ? NULL : &seen, sum_dy, sum_dyx, bcoef,
                   p->dslots);
    for (int64_t i = 0; i < rows * channels; i++) {
        const float *b = bcoef + i % channels;
        p->dx[at + i] = b[0] * dy[i] + b[channels] * x[i] + b[2 * channels];
    }
    moments_free(seen);
    free(coef), free(bcoef), free(sum_dy), free(sum_dyx);
}

static int has_sets(const use *u)
{
    return domain_of(u) == HK_OVER_BATCH || domain_of(u) == HK_OVER_SAMPLE;
}

static void normalize_tile(const use *u, int isa, const pass *p, int64_t first, int64_t rows)
{
    hk_tile tile = tile_of(u, p, first, rows);
    tile.dy = NULL, tile.dx = NULL, tile.dslots = NULL;
    u->plugin->normalization->kernels[isa].forward(&u->context, &tile);
}

static void normalize(const use *u, const pass *p)
{
    const int64_t rows = rows_of_set(u);
    if (!has_sets(u))
        normalize_tile(u, HK_BASELINE, p, 0, u->context.rows);
    else
        for (int64_t first = 0; first < u->context.rows; first += rows)
            normalize_set(u, p->x + first * u->context.channels,
                          p->y + first * u->context.channels, rows);
}

static void normalize_back(const use *u, const pass *p)
{
    const int64_t rows = rows_of_set(u);
    hk_tile tile = tile_of(u, p, 0, u->context.rows);
    if (!has_sets(u))
        u->plugin->normalization->kernels[HK_BASELINE].backward(&u->context, &tile);
    else
        for (int64_t first = 0; first < u->context.rows; first += rows)
            normalize_set_back(u, p, first * u->context.channels, rows);
}

static double normalization_loss(const use *u, pass *p)
{
    normalize(u, p);
    return projection(p->dy, p->y, u->context.rows * u->context.channels);
}

/* ---- Normalizations: gradients and promises -------------------------------------------------- */

/* The plugin with its parameter "over", if any, at each choice. */
static int over_choices(const hk_plugin *plugin)
{
    return plugin->params && strcmp(plugin->params[0].name, "over") == 0 ? 2 : 1;
}

/* As after one batch around 3, so that evaluation is not the identity. */
static void move_running_averages(use *u)
{
    float *x = normals(8 * u->context.channels, 60, 2);
    for (int64_t i = 0; i < 8 * u->context.channels; i++)
        x[i] += 3;
    hk_moments seen = moments_of(u, x, 8);
    u->plugin->normalization->update(&u->context, &seen, NULL);
    moments_free(seen);
    free(x);
}

static void check_normalization(const hk_plugin *plugin, int over, uint32_t training,
                                int64_t channels)
{
    use *u = use_new(plugin, 24, channels);
    u->context.training = training;
    u->context.rows_per_sample = 6;
    vary(u, 50);
    if (!training && plugin->normalization->frozen && plugin->normalization->update)
        move_running_averages(u);
    if (over_choices(plugin) > 1)
        u->params[0] = over;
    pass *p = pass_new(u, 1);
    for (int step = 0; domain_of(u) == HK_OVER_WEIGHT && step < 10; step++)
        plugin->normalization->update(&u->context, NULL, p->x);
    normalize(u, p);
    normalize_back(u, p);
    if (domain_of(u) != HK_OVER_ROW || channels > 2) /* two numbers normalize to a step */
        check_projections(u, p, normalization_loss);
    pass_free(p);
    use_free(u);
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

static void row_normalizations_do_not_depend_on_tiles(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "layer_norm");
    if (!plugin)
        SKIP("no layer_norm here");
    use *u = use_new(plugin, 61, 33);
    set_param(u, "over", 1);
    pass *whole = pass_new(u, 2);
    normalize(u, whole);
    for (int isa = 0; isa < HK_ISA_COUNT; isa++)
        for (int64_t step = 1; has_isa(isa) && step < 61; step += 9) {
            pass *p = pass_new(u, 2);
            for (int64_t first = 0; first < 61; first += step)
                normalize_tile(u, isa, p, first, 61 - first < step ? 61 - first : step);
            CHECK(same_bits(p->y, whole->y, 61 * 33));
            pass_free(p);
        }
    pass_free(whole);
    use_free(u);
}

static void batch_norm_has_its_known_values(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "batch_norm");
    if (!plugin)
        SKIP("no batch_norm here");
    use *u = use_new(plugin, 2, 2);
    u->context.training = 1;
    slot(u, "gamma")[0] = 2, slot(u, "gamma")[1] = 3;
    slot(u, "beta")[0] = 0.1f, slot(u, "beta")[1] = 0.2f;
    pass *p = pass_new(u, 1);
    for (int i = 0; i < 4; i++)
        p->x[i] = (float)(i + 1);
    normalize(u, p);
    static const double expected[4] = {-1.89999, -2.799985, 2.09999, 3.199985};
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(p->y[i], expected[i], 1e-6);
    hk_moments seen = moments_of(u, p->x, 2);
    plugin->normalization->update(&u->context, &seen, NULL);
    CHECK_NEAR(slot(u, "running_mean")[0], 0.1 * 2, 1e-7);
    CHECK_NEAR(slot(u, "running_mean")[1], 0.1 * 3, 1e-7);
    CHECK_NEAR(slot(u, "running_var")[0], 0.9 + 0.1 * 2, 1e-6); /* unbiased: 2, not 1 */
    u->context.training = 0;
    normalize(u, p);
    CHECK_NEAR(p->y[0], 2 * (1 - 0.2) / sqrt(1.1 + 1e-5) + 0.1, 1e-6);
    moments_free(seen);
    pass_free(p);
    use_free(u);
}

/* One row in training: y = beta, nothing flows back, and the running variance stays. */
static void batch_norm_of_one_row_is_beta(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "batch_norm");
    if (!plugin)
        SKIP("no batch_norm here");
    use *u = use_new(plugin, 1, 3);
    u->context.training = 1;
    slot(u, "beta")[1] = 0.25f;
    pass *p = pass_new(u, 1e4f);
    normalize(u, p);
    normalize_back(u, p);
    for (int j = 0; j < 3; j++) {
        CHECK(p->y[j] == slot(u, "beta")[j]);
        CHECK(p->dx[j] == 0);
        CHECK(p->dslots[0][j] == 1);
        CHECK_NEAR(p->dslots[1][j], 1 + (double)p->dy[j], 1e-6);
    }
    hk_moments seen = moments_of(u, p->x, 1);
    plugin->normalization->update(&u->context, &seen, NULL);
    CHECK(slot(u, "running_var")[0] == 1);
    moments_free(seen);
    pass_free(p);
    use_free(u);
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
    use *u = use_new(plugin, 32, 48);
    u->context.training = 1;
    u->context.rows_per_sample = 16;
    if (param)
        set_param(u, param, value);
    pass *p = pass_new(u, 3);
    for (int i = 0; i < 32 * 48; i++)
        p->x[i] += 5;
    normalize(u, p);
    normalize_back(u, p);
    const int64_t rows = domain_of(u) == HK_OVER_ROW ? 1 : rows_of_set(u);
    for (int64_t r = 0; r < 32; r += rows)
        for (int64_t j = 0; j < 48; j += channels_each)
            check_set(u, p, r, rows, j, channels_each);
    pass_free(p);
    use_free(u);
}

static void normalized_sets_have_mean_0_and_variance_1(void)
{
    check_unit_variance("batch_norm", NULL, 0, 1);
    check_unit_variance("layer_norm", "over", 0, 48);
    check_unit_variance("layer_norm", "over", 1, 48);
    check_unit_variance("group_norm", NULL, 0, 3);       /* gcd(32, 48) = 16 groups */
    check_unit_variance("group_norm", "groups", 1, 48);
    check_unit_variance("group_norm", "groups", 48, 1);
    check_unit_variance("group_norm", "groups", 7, 48);
    CHECK(1);
}

/* Power iteration on diag(3, 1, 0.5): the largest singular value becomes 1. */
static void spectral_norm_divides_by_the_largest_singular_value(void)
{
    const hk_plugin *plugin = find(HK_NORMALIZATION, "spectral_norm");
    if (!plugin)
        SKIP("the probes are not here");
    use *u = use_new(plugin, 4, 3);
    pass *p = pass_new(u, 1);
    memset(p->x, 0, 12 * sizeof *p->x);
    p->x[0] = 3, p->x[4] = 1, p->x[8] = 0.5f;
    for (int step = 0; step < 20; step++)
        plugin->normalization->update(&u->context, NULL, p->x);
    normalize(u, p);
    CHECK_NEAR(p->y[0], 1, 1e-6);
    CHECK_NEAR(p->y[4], 1 / 3.0, 1e-6);
    CHECK_NEAR(p->y[8], 1 / 6.0, 1e-6);
    pass_free(p);
    use_free(u);
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
    RUN(spectral_norm_divides_by_the_largest_singular_value);
    return check_result();
}
