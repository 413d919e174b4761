/* Every activation of the plugin directory: the tables of known values, derivatives,
 * float kernels against their double reference, bits that must not depend on tiling, special
 * values; and the tables of all plugins. A new file is tested the moment it exists.
 *
 * test_plugin_values [DIRECTORY...] */
#include "activation_table.h"
#include "plugin_use.h"

#include <float.h>

static int chosen; /* directories were given: not everything needs to be there */

/* ---- Tables ---------------------------------------------------------------------------------- */

static void check_name(const char *name)
{
    CHECK(name && name[0] >= 'a' && name[0] <= 'z' && strlen(name) <= 32);
    CHECK(name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name));
}

static void check_params(const hk_plugin *plugin)
{
    int n = 0;
    for (const hk_param *p = plugin->params; p && p->name; p++, n++) {
        check_name(p->name);
        CHECK(p->doc && *p->doc && p->type >= HK_REAL && p->type <= HK_CHOICE);
        CHECK((p->type == HK_CHOICE) == (p->choices != NULL));
        if (p->low < p->high)
            CHECK(p->value >= p->low && p->value <= p->high &&
                  !((p->flags & HK_LOW_OPEN) && p->value == p->low) &&
                  !((p->flags & HK_HIGH_OPEN) && p->value == p->high));
    }
    CHECK(n <= HK_MAX_PARAMS);
}

static void check_slots(const hk_plugin *plugin)
{
    int n = 0;
    for (const hk_slot *s = plugin->slots; s && s->name; s++, n++) {
        check_name(s->name);
        CHECK(s->doc && *s->doc && (s->role == HK_LEARNED || s->role == HK_STATE));
        CHECK(s->extent >= HK_PER_CHANNEL && s->extent <= HK_FIXED);
        if (s->low < s->high)
            CHECK(s->value >= s->low && s->value <= s->high);
    }
    CHECK(n <= HK_MAX_SLOTS);
}

static void tables_are_complete(void)
{
    for (int i = 0; i < plugin_count; i++) {
        const hk_plugin *p = plugins[i];
        const int before = check_case_failed;
        check_name(p->name);
        CHECK(p->summary && *p->summary && p->source && *p->source);
        check_params(p);
        check_slots(p);
        CHECK_EQUAL(!!p->activation + !!p->normalization + !!p->initializer + !!p->model, 1);
        for (int j = 0; j < i; j++)
            CHECK(plugins[j]->kind != p->kind || strcmp(plugins[j]->name, p->name) != 0);
        if (p->kind == HK_ACTIVATION) {
            CHECK(p->size == sizeof(hk_activation));
            CHECK(p->activation->kernels[0].forward && p->activation->kernels[0].backward);
        } else if (p->kind == HK_NORMALIZATION) {
            CHECK(p->size == sizeof(hk_normalization) && p->normalization->domain);
        } else if (p->kind == HK_MODEL) {
            CHECK(p->size == sizeof(hk_model) && p->model->build);
        } else {
            CHECK(p->size == sizeof(hk_initializer) && p->initializer->fill);
        }
        name_failure(p, before);
    }
}

/* ---- Known values ---------------------------------------------------------------------------- */

/* A name of the tables is a plugin, unless only some directories were asked for. */
static const hk_plugin *plugin_of(const known *k)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, k->name);
    if (!plugin && !chosen)
        CHECK_TEXT("no such activation", k->name);
    return plugin;
}

static use *use_of(const known *k, int64_t rows)
{
    use *u = check_use_new(plugin_of(k), rows, 1);
    if (k->setting && has_slot(u, k->setting))
        slot(u, k->setting)[0] = (float)k->to;
    else if (k->setting)
        set_param(u, k->setting, k->to);
    return u;
}

static void check_known(const known *k, int isa)
{
    use *u = use_of(k, 7);
    pass *p = check_pass_new(u, 1);
    for (int i = 0; i < 7; i++)
        p->x[i] = known_at[i], p->dy[i] = 1;
    check_forward(u, isa, p, 0, 7);
    check_backward(u, isa, p, 0, 7);
    for (int i = 0; i < 7; i++) {
        const double amplified = fabs((double)known_at[i] * k->slope[i]), size = fabs(k->f[i]);
        const double rounding = 4 * 0x1p-23 * (amplified > 4 * size ? amplified : 0);
        if (isnan(k->f[i])) {
            CHECK(!isnan(p->y[i]) && !isnan(p->dx[i]));
            continue;
        }
        CHECK_NEAR(p->y[i], k->f[i], fmax(1e-7, 4 * 0x1p-23 * size) + rounding);
        CHECK_NEAR(p->dx[i], k->slope[i], 5e-7 + 1e-6 * fabs(k->slope[i]) + 10 * rounding);
    }
    check_arrays_release(0);
}

static void activations_have_their_known_values(void)
{
    for (const known *k = known_values; k < known_values + KNOWN; k++) {
        const hk_plugin *plugin = plugin_of(k);
        const int before = check_case_failed;
        for (int isa = 0; plugin && isa < HK_ISA_COUNT; isa++)
            if (check_has_kernels(plugin, isa))
                check_known(k, isa);
        if (plugin)
            name_failure(plugin, before);
    }
}

/* Midpoints of cells whose borders are multiples of 1/1024, where kinks and jumps cost nothing. */
static void check_moments(const known *k)
{
    use *u = use_of(k, 1);
    double t[HK_MAX_SLOTS] = {0}, mean = 0, second = 0, slopes = 0;
    for (int i = 0; i < u->n_slots; i++)
        t[i] = (double)u->slots[i][0];
    for (int i = -12 * 1024; i < 12 * 1024; i++) {
        hk_scalar64 a = {.x = (i + 0.5) / 1024, .p = u->params, .t = t};
        const double weight = exp(-a.x * a.x / 2) / 1024 / sqrt(2 * acos(-1));
        a.y = u->plugin->activation->value(&a);
        const double slope = u->plugin->activation->slope(&a);
        mean += weight * a.y, second += weight * a.y * a.y, slopes += weight * slope * slope;
    }
    CHECK_NEAR(mean, k->moments[0], 6e-6);
    CHECK_NEAR(second, k->moments[1], 2e-6);
    CHECK_NEAR(1 / sqrt(second), k->moments[2], 6e-6);
    CHECK_NEAR(slopes / second, k->moments[3], 6e-5);
    check_arrays_release(0);
}

static void activations_have_their_known_moments(void)
{
    for (const known *k = known_values; k < known_values + KNOWN; k++) {
        const hk_plugin *plugin = k->moments[1] > 0 ? plugin_of(k) : NULL;
        const int before = check_case_failed;
        if (!plugin)
            continue;
        check_moments(k);
        name_failure(plugin, before);
    }
}

/* ---- Derivatives of the double reference ----------------------------------------------------- */

/* The derivative lies between the one-sided differences, which are far apart only at a kink. At a
 * jump it is a convention. */
static int is_derivative(double d, double left, double right)
{
    const double tolerance = 2e-6 * (1 + fabs(d)), jump = 1e4;
    return (d >= fmin(left, right) - tolerance && d <= fmax(left, right) + tolerance) ||
           fmax(fabs(left), fabs(right)) > jump;
}

enum { H_INVERSE = 1000000 };

static void check_slope(const hk_activation *act, hk_scalar64 a)
{
    const double h = 1.0 / H_INVERSE;
    hk_scalar64 below = a, above = a;
    below.x -= h, above.x += h;
    a.y = act->value(&a);
    double left = (a.y - act->value(&below)) / h, right = (act->value(&above) - a.y) / h;
    if (!is_derivative(act->slope(&a), left, right)) {
        CHECK_NEAR(act->slope(&a), (left + right) / 2, 2e-6);
        printf("  at x = %.17g\n", a.x);
    }
}

static void check_gradient(const hk_activation *act, hk_scalar64 a, int k)
{
    const double h = 1.0 / H_INVERSE;
    double below[HK_MAX_SLOTS], above[HK_MAX_SLOTS];
    memcpy(below, a.t, sizeof below);
    memcpy(above, a.t, sizeof above);
    below[k] -= h, above[k] += h;
    hk_scalar64 low = a, high = a;
    low.t = below, high.t = above;
    a.y = act->value(&a);
    double left = (a.y - act->value(&low)) / h, right = (act->value(&high) - a.y) / h;
    if (!is_derivative(act->gradient(&a, k), left, right)) {
        CHECK_NEAR(act->gradient(&a, k), (left + right) / 2, 2e-6);
        printf("  in slot %d at x = %.17g\n", k, a.x);
    }
}

static void check_reference(use *u)
{
    const hk_activation *act = u->plugin->activation;
    double t[HK_MAX_SLOTS] = {0};
    for (int k = 0; k < u->n_slots; k++)
        t[k] = (double)u->slots[k][0];
    for (int i = -2000; i <= 2000; i++) {
        hk_scalar64 a = {.x = i / 2000.0 * fabs(i / 2000.0) * 8, .p = u->params, .t = t};
        a.u = (double)hks_uniform(3, (uint64_t)(i + 2000));
        a.training = (int)u->context.training;
        check_slope(act, a);
        for (int k = 0; k < u->n_slots; k++)
            if (u->plugin->slots[k].role == HK_LEARNED)
                check_gradient(act, a, k);
    }
    CHECK(1);
}

static void references_have_right_derivatives(void)
{
    EACH(HK_ACTIVATION, plugin)
    {
        for (uint64_t variant = 0; plugin->activation->value && variant < 6; variant++) {
            use *u = check_use_new(plugin, 1, 1);
            u->context.training = variant % 2;
            if (variant > 1)
                vary_near_defaults(u, variant);
            check_reference(u);
            check_arrays_release(0);
        }
        for (int k = 0; plugin->slots && plugin->slots[k].name; k++)
            CHECK(plugin->slots[k].role != HK_LEARNED || !plugin->activation->value ||
                  plugin->activation->gradient);
    }
}

/* ---- Float kernels against the double reference ---------------------------------------------- */

/* The reference of element i of a matrix. */
static hk_scalar64 scalar_of(const use *u, const pass *p, int64_t i, double t[HK_MAX_SLOTS])
{
    const int64_t channel = i % u->context.channels;
    for (int k = 0; k < u->n_slots; k++)
        t[k] = (double)u->slots[k][u->plugin->slots[k].extent == HK_PER_CHANNEL ? channel : 0];
    hk_scalar64 a = {.x = (double)p->x[i], .p = u->params, .t = t, .channel = channel};
    a.u = (double)hks_uniform(u->context.key, (uint64_t)i);
    a.training = (int)u->context.training;
    a.surrogate = (int)u->context.surrogate;
    a.y = u->plugin->activation->value(&a);
    return a;
}

static void check_gradients_of_slots(const use *u, const pass *p, int64_t n)
{
    const hk_activation *act = u->plugin->activation;
    double t[HK_MAX_SLOTS];
    for (int k = 0; k < u->n_slots; k++) {
        if (u->plugin->slots[k].role != HK_LEARNED)
            continue;
        const int shared = u->plugin->slots[k].extent == HK_SHARED;
        double *sum = check_guarded_doubles("sum", u->lengths[k]);
        double *size = check_guarded_doubles("size", u->lengths[k]);
        for (int64_t i = 0; i < n; i++) {
            hk_scalar64 a = scalar_of(u, p, i, t);
            double part = (double)p->dy[i] * act->gradient(&a, k);
            sum[shared ? 0 : a.channel] += part;
            size[shared ? 0 : a.channel] += fabs(part);
        }
        for (int64_t j = 0; j < u->lengths[k]; j++)
            CHECK_NEAR(p->dslots[k][j], 1 + sum[j], 2e-6 * (1 + size[j]));
    }
}

/* What y and the slope may be off: 4 ulp and 1e-7 for y, 1e-6 of itself and 5e-7 for the slope; but
 * where a change of x, a parameter or a slot by 4 ulp changes them by more than that, as in
 * sin(30 x), or where learned terms may cancel, that change counts too. */
typedef struct allowance {
    double y, slope;
} allowance;

/* |y(of) - y(a)| and |slope(of) - slope(a)| are added to `to`. */
static void add_change(const hk_activation *act, hk_scalar64 of, const hk_scalar64 *a,
                       allowance *to)
{
    of.y = act->value(&of);
    to->y += fabs(of.y - a->y);
    to->slope += fabs(act->slope(&of) - act->slope(a));
}

static allowance allowance_of(const use *u, const hk_scalar64 *a)
{
    const hk_activation *act = u->plugin->activation;
    const double little = 4 * 0x1p-23;
    double p[HK_MAX_PARAMS], t[HK_MAX_SLOTS];
    const allowance own = {1e-7 + 0x1p-21 * ldexp(1, ilogb(a->y)),
                           1e-6 * fabs(act->slope(a)) + 5e-7};
    allowance change = {0, 0};
    hk_scalar64 near = *a;
    near.x *= 1 + little;
    add_change(act, near, a, &change);
    for (int k = 0; u->plugin->params && u->plugin->params[k].name; k++) {
        near = *a, near.p = memcpy(p, a->p, sizeof p);
        p[k] *= 1 + little;
        if (u->plugin->params[k].type == HK_REAL)
            add_change(act, near, a, &change);
    }
    for (int k = 0; k < u->n_slots; k++) {
        near = *a, near.t = memcpy(t, a->t, sizeof t);
        t[k] *= 1 + little;
        add_change(act, near, a, &change);
    }
    const int sums = u->n_slots > 0;
    return (allowance){own.y + (sums || change.y > own.y ? change.y : 0),
                       own.slope + (sums || change.slope > own.slope ? change.slope : 0)};
}

static void check_kernels(const hk_plugin *plugin, int isa, int64_t rows, int64_t channels)
{
    use *u = check_use_new(plugin, rows, channels);
    u->context.training = rows != 2;
    u->context.surrogate = rows == 61;
    vary_near_defaults(u, 5);
    pass *p = check_pass_new(u, 3);
    check_forward(u, isa, p, 0, rows);
    check_backward(u, isa, p, 0, rows);
    double t[HK_MAX_SLOTS], worst_y = 0, worst_dx = 0;
    for (int64_t i = 0; i < rows * channels; i++) {
        hk_scalar64 a = scalar_of(u, p, i, t);
        const allowance may = allowance_of(u, &a);
        double slope = plugin->activation->slope(&a), g = (double)p->dy[i];
        double off_y = fabs((double)p->y[i] - a.y) / may.y;
        double off_dx = fabs((double)p->dx[i] - g * slope) / (fabs(g) * may.slope + 1e-12);
        worst_y = off_y > worst_y || isnan(off_y) ? off_y : worst_y;
        worst_dx = off_dx > worst_dx || isnan(off_dx) ? off_dx : worst_dx;
    }
    CHECK(worst_y <= 1 && worst_dx <= 1);
    if (!(worst_y <= 1 && worst_dx <= 1))
        printf("  isa %d, %lld x %lld: y %.3g, dx %.3g times the tolerance\n", isa, (long long)rows,
               (long long)channels, worst_y, worst_dx);
    check_gradients_of_slots(u, p, rows * channels);
    check_arrays_release(0);
}

static const int64_t shape_rows[] = {1, 2, 7, 61};
static const int64_t shape_channels[] = {1, 2, 3, 7, 16, 17, 33, 100, 300};
enum { ROWS = 4, CHANNELS = 9 };

static void kernels_agree_with_the_reference(void)
{
    EACH(HK_ACTIVATION, plugin)
    for (int isa = 0; plugin->activation->value && isa < HK_ISA_COUNT; isa++)
        for (int r = 0; check_has_kernels(plugin, isa) && r < ROWS; r++)
            for (int c = 0; c < CHANNELS; c++)
                check_kernels(plugin, isa, shape_rows[r], shape_channels[c]);
}

/* ---- Bits that must not depend on how the block is cut --------------------------------------- */

/* A pass in tiles of `step` rows, y and dx as many floats from where they usually lie. */
static pass *run_in_tiles(const use *u, int isa, int64_t step)
{
    pass *p = check_pass_new(u, 3);
    p->y = check_guarded("y", p->out + step) + step;
    p->dx = check_guarded("dx", p->in + step) + step;
    for (int64_t first = 0; first < u->context.rows; first += step) {
        int64_t rows = u->context.rows - first < step ? u->context.rows - first : step;
        check_forward(u, isa, p, first, rows);
        check_backward(u, isa, p, first, rows);
    }
    return p;
}

static void check_in_place(const use *u, int isa, const pass *whole, int64_t in, int64_t out)
{
    pass *p = check_pass_new(u, 3);
    pass over = *p;
    over.y = p->x, over.dx = p->dy;
    check_forward(u, isa, &over, 0, u->context.rows);
    CHECK(same_bits(over.y, whole->y, out));
    over.x = whole->x, over.y = whole->y;
    check_backward(u, isa, &over, 0, u->context.rows);
    CHECK(same_bits(over.dx, whole->dx, in));
}

static void check_bits(const hk_plugin *plugin, int64_t rows, int64_t channels)
{
    use *u = check_use_new(plugin, rows, channels);
    u->context.training = 1;
    const int64_t in = rows * channels, out = rows * check_use_channels_out(u);
    if (!out) {
        check_arrays_release(0);
        return;
    }
    vary_near_defaults(u, 6);
    pass *whole = check_pass_new(u, 3);
    check_forward(u, 0, whole, 0, rows);
    check_backward(u, 0, whole, 0, rows);
    for (int isa = 0; isa < HK_ISA_COUNT; isa++) {
        if (!check_has_kernels(plugin, isa))
            continue;
        for (int64_t step = 1; step <= 8; step += 1 + step / 2) {
            const pass *p = run_in_tiles(u, isa, step);
            CHECK(same_bits(p->y, whole->y, out));
            CHECK(same_bits(p->dx, whole->dx, in));
            for (int64_t j = 0; p->sums && j < channels; j++)
                CHECK_NEAR(p->sums[j], whole->sums[j], 1e-5 * (1 + fabs((double)whole->sums[j])));
        }
        if (plugin->activation->traits & HK_IN_PLACE)
            check_in_place(u, isa, whole, in, out);
    }
    check_arrays_release(0);
}

static void bits_do_not_depend_on_tiles_or_instruction_set(void)
{
    EACH(HK_ACTIVATION, plugin)
    for (int r = 0; r < ROWS; r++)
        for (int c = 1; c < CHANNELS; c++)
            check_bits(plugin, shape_rows[r], shape_channels[c] + (c > 2));
}

/* NaN comes through; what is finite makes no NaN, forward or backward. */
static void check_special_values(const hk_plugin *plugin)
{
    static const float finite[] = {0,    -0.0f, 0x1p-149f, -0x1p-149f, 1e-30f,  100,     -100,
                                   1e4f, -1e4f, 1e20f,     -1e20f,     FLT_MAX, -FLT_MAX};
    enum { N = sizeof finite / sizeof *finite };
    use *u = check_use_new(plugin, N + 1, 4);
    pass *p = check_pass_new(u, 1);
    for (int i = 0; i < 4 * (N + 1); i++)
        p->x[i] = i < 4 * N ? finite[i / 4] : NAN, p->dy[i] = 1;
    check_forward(u, HK_BASELINE, p, 0, N + 1);
    check_backward(u, HK_BASELINE, p, 0, N + 1);
    for (int i = 0; i < 4 * N; i++)
        CHECK(!isnan(p->y[i]) && !isnan(p->dx[i]));
    CHECK(isnan(p->y[4 * N]));
    check_arrays_release(0);
}

static void special_values_behave(void)
{
    EACH(HK_ACTIVATION, plugin)
    if (plugin->activation->value)
        check_special_values(plugin);
}

/* ---- Activations that are not elementwise, and stochastic ones ------------------------------- */

/* Moves inputs away from the usual kink at 0, where differences say nothing. */
static void avoid_zero(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = fabsf(x[i]) < 0.05f ? 0.05f : x[i];
}

static void block_activations_have_right_gradients(void)
{
    EACH(HK_ACTIVATION, plugin)
    for (int c = 1; !plugin->activation->value && c < CHANNELS; c++) {
        use *u = check_use_new(plugin, 5, shape_channels[c] + (c > 2));
        pass *p = check_pass_new(u, 1);
        avoid_zero(p->x, 5 * u->context.channels);
        if (check_use_channels_out(u))
            check_projections(u, p);
        check_arrays_release(0);
    }
}

static void rows_of_softmax_sum_to_one(void)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, "softmax");
    if (!plugin)
        SKIP("no softmax here");
    use *u = check_use_new(plugin, 20, 37);
    pass *p = check_pass_new(u, 30);
    p->x[0] = 1000;
    check_forward(u, HK_BASELINE, p, 0, 20);
    for (int64_t row = 0; row < 20; row++) {
        double sum = 0, least = 1;
        for (int64_t j = 0; j < 37; j++)
            sum += (double)p->y[37 * row + j], least = fmin(least, (double)p->y[37 * row + j]);
        CHECK_NEAR(sum, 1, 1e-6);
        CHECK(least >= 0);
    }
    CHECK(p->y[0] == 1);
    check_arrays_release(0);
}

static void channel_counts_may_change_or_be_refused(void)
{
    const hk_plugin *glu = find(HK_ACTIVATION, "glu"), *crelu = find(HK_ACTIVATION, "crelu");
    if (!glu || !crelu)
        SKIP("it is not here");
    hk_context context = {0};
    CHECK_EQUAL(glu->activation->channels_out(&context, 10), 5);
    CHECK_EQUAL(glu->activation->channels_out(&context, 7), 0);
    CHECK_EQUAL(crelu->activation->channels_out(&context, 7), 14);
}

/* The slope is drawn anew for each element and key, the same in forward and backward. */
static void random_slopes_stay_in_their_range(void)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, "rrelu");
    if (!plugin)
        SKIP("it is not here");
    use *u = check_use_new(plugin, 1000, 10);
    u->context.training = 1;
    pass *p = check_pass_new(u, 1);
    for (int i = 0; i < 10000; i++)
        p->x[i] = -1, p->dy[i] = 1;
    check_forward(u, HK_BASELINE, p, 0, 1000);
    check_backward(u, HK_BASELINE, p, 0, 1000);
    double mean = 0, square = 0;
    for (int i = 0; i < 10000; i++) {
        CHECK(p->dx[i] == -p->y[i] && p->dx[i] >= 0.125f && p->dx[i] <= 1.0f / 3);
        mean += (double)p->dx[i] / 10000;
        square += (double)p->dx[i] * (double)p->dx[i] / 10000;
    }
    const double width = 1.0 / 3 - 1.0 / 8;
    CHECK_NEAR(mean, 11.0 / 48, 5 * width / sqrt(12 * 10000));
    CHECK_NEAR(square - mean * mean, width * width / 12, 0.05 * width * width / 12);
    const float first = p->dx[0];
    u->context.key++;
    check_backward(u, HK_BASELINE, p, 0, 1000);
    CHECK(p->dx[0] != first);
    check_arrays_release(0);
}

/* Without the flag the slope is the true one, with it the surrogate. */
static void surrogates_replace_the_slope_on_request(void)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, "relu_bsilu");
    if (!plugin)
        SKIP("it is not here");
    static const double expected[7] = {-0.012659084, 0.40067142, 0.65249501, 0.9175,
                                       1.1324174,    1.2560124,  1.1635491};
    use *u = check_use_new(plugin, 7, 1);
    u->context.surrogate = 1;
    pass *p = check_pass_new(u, 1);
    for (int i = 0; i < 7; i++)
        p->x[i] = known_at[i], p->dy[i] = 1;
    check_backward(u, HK_BASELINE, p, 0, 7);
    for (int i = 0; i < 7; i++)
        CHECK_NEAR(p->dx[i], expected[i], 1e-6);
    check_arrays_release(0);
}

/* ---- lgb ------------------------------------------------------------------------------------- */

/* One training step of an adaptive activation on p->x; network < 0: the layer is the network. */
static double adapt(use *u, pass *p, double network)
{
    const int64_t channels = u->context.channels, rows = u->context.rows;
    const int mark = check_arrays_mark();
    double *sums = check_guarded_doubles("sums", channels), mean = 0;
    memset(p->sums, 0, (size_t)channels * sizeof *p->sums);
    check_forward(u, HK_BASELINE, p, 0, rows);
    for (int64_t j = 0; j < channels; j++) {
        sums[j] = (double)p->sums[j];
        mean += sums[j] / (double)(rows * channels);
    }
    const hk_activity seen = {rows, sums, mean, network < 0 ? mean : network};
    u->plugin->activation->update(&u->context, &seen);
    check_arrays_release(mark);
    return mean;
}

static void lgb_is_a_sigmoid_around_its_threshold(void)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, "lgb");
    if (!plugin)
        SKIP("no lgb here");
    use *u = check_use_new(plugin, 1, 3);
    set_param(u, "k", 4);
    pass *p = check_pass_new(u, 1);
    for (int j = 0; j < 3; j++)
        p->x[j] = slot(u, "theta")[j] = (float)j - 0.5f, p->dy[j] = 1;
    check_forward(u, HK_BASELINE, p, 0, 1);
    check_backward(u, HK_BASELINE, p, 0, 1);
    for (int j = 0; j < 3; j++) {
        CHECK_NEAR(p->y[j], 0.5, 1e-7);
        CHECK_NEAR(p->dx[j], 4 / 4.0, 1e-6);
        CHECK_NEAR(p->sums[j], 0.5, 1e-7);
    }
    check_arrays_release(0);
}

/* With constant input x, theta goes to x - logit(rho) / k. */
static void lgb_global_rule_finds_its_fixed_point(void)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, "lgb");
    if (!plugin)
        SKIP("no lgb here");
    use *u = check_use_new(plugin, 8, 2);
    set_param(u, "k", 2);
    set_param(u, "rate", 0);
    set_param(u, "global", 0.5);
    set_param(u, "target", 0.2);
    pass *p = check_pass_new(u, 1);
    for (int i = 0; i < 16; i++)
        p->x[i] = 0.7f;
    for (int step = 0; step < 2000; step++)
        adapt(u, p, -1);
    CHECK_NEAR(slot(u, "theta")[0], 0.7 - log(0.2 / 0.8) / 2, 1e-4);
    CHECK_NEAR(slot(u, "theta")[1], 0.7 - log(0.2 / 0.8) / 2, 1e-4);
    check_arrays_release(0);
}

/* The local rule evens channels out; where the layer is the whole network, the global rule is
 * silent, so the mean threshold stays. */
static void lgb_local_rule_evens_channels_out(void)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, "lgb");
    if (!plugin)
        SKIP("no lgb here");
    use *u = check_use_new(plugin, 64, 4);
    set_param(u, "k", 1);
    set_param(u, "rate", 0.1);
    set_param(u, "global", 0.01);
    pass *p = check_pass_new(u, 1);
    for (int i = 0; i < 256; i++)
        p->x[i] += (float)(i % 4);
    for (int step = 0; step < 1000; step++)
        adapt(u, p, -1);
    const float *theta = slot(u, "theta"), *activity = slot(u, "activity");
    double sum = 0;
    for (int j = 0; j < 4; j++) {
        CHECK_NEAR(activity[j], activity[0], 1e-3);
        sum += (double)theta[j];
    }
    CHECK_NEAR(sum, 0, 1e-3);
    CHECK(theta[3] - theta[0] > 2);
    adapt(u, p, 0.1); /* a network less active than this layer raises thresholds */
    double raised = 0;
    for (int j = 0; j < 4; j++)
        raised += (double)theta[j];
    CHECK(raised > sum + 1e-4);
    check_arrays_release(0);
}

static void lgb_relu_revives_dead_channels(void)
{
    const hk_plugin *plugin = find(HK_ACTIVATION, "lgb_relu");
    if (!plugin)
        SKIP("no lgb_relu here");
    use *u = check_use_new(plugin, 64, 4);
    set_param(u, "rate", 0.1);
    set_param(u, "global", 0.01);
    pass *p = check_pass_new(u, 1);
    for (int i = 0; i < 256; i++)
        p->x[i] -= i % 4 == 2 ? 6.0f : 0;
    adapt(u, p, -1);
    CHECK(p->sums[2] == 0);
    for (int step = 0; step < 1000; step++)
        adapt(u, p, -1);
    CHECK(p->sums[2] >= 2); /* thresholds keep their mean, so the others fire less than before */
    CHECK_NEAR(p->sums[2], p->sums[0], 3);
    check_arrays_release(0);
}

int main(int argc, char **argv)
{
    chosen = argc > 1;
    choose_directories(argc, argv);
    RUN(plugin_files_load);
    RUN(tables_are_complete);
    RUN(activations_have_their_known_values);
    RUN(activations_have_their_known_moments);
    RUN(references_have_right_derivatives);
    RUN(kernels_agree_with_the_reference);
    RUN(bits_do_not_depend_on_tiles_or_instruction_set);
    RUN(special_values_behave);
    RUN(block_activations_have_right_gradients);
    RUN(rows_of_softmax_sum_to_one);
    RUN(channel_counts_may_change_or_be_refused);
    RUN(random_slopes_stay_in_their_range);
    RUN(surrogates_replace_the_slope_on_request);
    RUN(lgb_is_a_sigmoid_around_its_threshold);
    RUN(lgb_global_rule_finds_its_fixed_point);
    RUN(lgb_local_rule_evens_channels_out);
    RUN(lgb_relu_revives_dead_channels);
    return check_result();
}
