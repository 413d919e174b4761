/* Every operation: values against hand-computed ones, gradients against differences, odd shapes,
 * one row, one channel, shapes that do not fit. */
#include "gradient.h"

static hk_net *new_net(void)
{
    hk_net *net = hk_net_new(.normalization = "none");
    if (!net)
        printf("no net: %s\n", hk_message());
    return net;
}

static hk_tensor *learned(hk_net *net, const char *name, hk_shape shape)
{
    return hk_parameter(net, name, shape, "constant");
}

/* ---- Values ------------------------------------------------------------------------------------------- */

/* Runs one tensor on given inputs and compares. */
static void expect(hk_tensor *out, hk_tensor *x, int64_t batch, const float *in,
                   const float *wanted, double tolerance)
{
    hk_plan *plan;
    CHECK(out != NULL);
    CHECK(hk_plan_new(hk_tensor_net(out), &(hk_plan_options){.batch = batch, .output = out},
                      &plan) == HK_OK);
    memcpy(hk_plan_value(plan, x), in, (size_t)hki_count(&x->shape, batch) * sizeof *in);
    CHECK(hk_plan_forward(plan, batch) == HK_OK);
    for (int64_t i = 0; i < hki_count(&out->shape, batch); i++)
        CHECK_NEAR(hk_plan_value(plan, out)[i], wanted[i], tolerance);
    hk_plan_free(plan);
}

static void values_of_elementwise(void)
{
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, 2);
    const float in[] = {1, 2, 0.5f, 4};
    const float row[] = {10, 100};
    hk_tensor *c = hk_constant(net, HK_SHAPE(2), row);
    expect(hk_add(x, c), x, 2, in, (float[]){11, 102, 10.5f, 104}, 0);
    expect(hk_sub(c, x), x, 2, in, (float[]){9, 98, 9.5f, 96}, 0);
    expect(hk_mul(x, c), x, 2, in, (float[]){10, 200, 5, 400}, 0);
    expect(hk_div(c, x), x, 2, in, (float[]){10, 50, 20, 25}, 0);
    expect(hk_neg(x), x, 2, in, (float[]){-1, -2, -0.5f, -4}, 0);
    expect(hk_scale(x, 3), x, 2, in, (float[]){3, 6, 1.5f, 12}, 0);
    expect(hk_exp(x), x, 2, in, (float[]){2.7182818f, 7.3890561f, 1.6487213f, 54.59815f}, 1e-5);
    expect(hk_log(x), x, 2, in, (float[]){0, 0.69314718f, -0.69314718f, 1.3862944f}, 1e-6);
    expect(hk_pow(x, 2), x, 2, in, (float[]){1, 4, 0.25f, 16}, 0);
    expect(hk_pow(x, -1), x, 2, in, (float[]){1, 0.5f, 2, 0.25f}, 0);
    expect(hk_pow(x, 0.5), x, 2, in, (float[]){1, 1.4142136f, 0.70710678f, 2}, 1e-6);
    expect(hk_pow(x, 1.5), x, 2, in, (float[]){1, 2.8284271f, 0.35355339f, 8}, 1e-5);
    hk_net_free(net);
}

/* Rows that are cut into pieces, the last of which is not full. */
static void values_of_long_rows(void)
{
    enum { N = 10001 };
    static float in[N], shifted[N], divided[N], squared[N];
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, N), *c = hk_constant(net, HK_SHAPE(1), (float[]){4});
    for (int i = 0; i < N; i++) {
        in[i] = (float)(i + 1);
        shifted[i] = in[i] + 4;
        divided[i] = 4 / in[i];
        squared[i] = in[i] * in[i];
    }
    expect(hk_add(x, c), x, 1, in, shifted, 0);
    expect(hk_div(c, x), x, 1, in, divided, 0);
    expect(hk_mul(x, x), x, 1, in, squared, 0);
    expect(hk_pow(x, 2), x, 1, in, squared, 0);
    gradient_check("long row", hk_div(c, hk_mul(x, hk_exp(x))), &x, 1, 1, 0.5f, 2, 2e-3);
    hk_net_free(net);
}

static void values_of_sums(void)
{
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, 2, 3);
    const float in[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    expect(hk_sum(x, HK_ALL_AXES), x, 2, in, (float[]){78}, 0);
    expect(hk_mean(x, HK_ALL_AXES), x, 2, in, (float[]){6.5f}, 0);
    expect(hk_sum(x, HK_AXIS(0)), x, 2, in, (float[]){8, 10, 12, 14, 16, 18}, 0);
    expect(hk_mean(x, HK_AXIS(1)), x, 2, in, (float[]){2.5f, 3.5f, 4.5f, 8.5f, 9.5f, 10.5f}, 0);
    expect(hk_sum(x, HK_AXIS(2)), x, 2, in, (float[]){6, 15, 24, 33}, 0);
    expect(hk_sum(x, HK_AXIS(0) | HK_AXIS(2)), x, 2, in, (float[]){30, 48}, 0);
    expect(hk_sub(x, hk_mean(x, HK_AXIS(2))), x, 2, in,
           (float[]){-1, 0, 1, -1, 0, 1, -1, 0, 1, -1, 0, 1}, 1e-6);
    hk_net_free(net);
}

static void values_of_shapes(void)
{
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, 2, 2);
    const float in[] = {1, 2, 3, 4};
    expect(hk_flatten(x), x, 1, in, in, 0);
    expect(hk_reshape(x, HK_SHAPE(HK_BATCH, 4, 1)), x, 1, in, in, 0);
    expect(hk_concat(x, hk_neg(x)), x, 1, in, (float[]){1, 2, -1, -2, 3, 4, -3, -4}, 0);
    CHECK(hk_reshape(x, HK_SHAPE(HK_BATCH, 3)) == NULL);
    CHECK_CONTAINS(hk_message(), "[batch, 3]");
    hk_net_free(net);
}

/* X W' + b of the worked example [[1,2],[3,4]], [[.1,.4],[-.3,.2]], .5 */
static void values_of_products(void)
{
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, 2);
    const float w[] = {0.1f, -0.3f, 0.4f, 0.2f}, b[] = {0.5f, 0.5f}, in[] = {1, 2, 3, 4};
    hk_tensor *y =
        hk_add(hk_matmul(x, hk_constant(net, HK_SHAPE(2, 2), w)), hk_constant(net, HK_SHAPE(2), b));
    expect(y, x, 2, in, (float[]){1.4f, 0.6f, 2.4f, 0.4f}, 1e-6);
    hk_net_free(net);
}

static void values_of_convolution_and_pooling(void)
{
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, 3, 3, 1);
    const float in[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, f[] = {1, 0, 0, 1};
    hk_tensor *filter = hk_constant(net, HK_SHAPE(2, 2, 1, 1), f);
    hk_window valid = {.padding = HK_VALID};
    expect(hk_conv2d(x, filter, NULL, valid), x, 1, in, (float[]){6, 8, 12, 14}, 0);
    expect(hk_maxpool2d(x, 2, valid), x, 1, in, (float[]){5, 6, 8, 9}, 0);
    expect(hk_avgpool2d(x, 2, valid), x, 1, in, (float[]){3, 4, 6, 7}, 0);
    hk_window spelt_out = {.padding = HK_VALID, .stride = 1, .dilation = 1, .groups = 1};
    expect(hk_maxpool2d(x, 2, spelt_out), x, 1, in, (float[]){5, 6, 8, 9}, 0);
    /* same: 2 x 2 outputs, padding after; averages count only what is inside */
    hk_window same = {.stride = 2};
    expect(hk_maxpool2d(x, 2, same), x, 1, in, (float[]){5, 6, 8, 9}, 0);
    expect(hk_avgpool2d(x, 2, same), x, 1, in, (float[]){3, 4.5f, 7.5f, 9}, 0);
    expect(hk_global_avgpool(x), x, 1, in, (float[]){5}, 0);
    hk_window wide = {.padding = HK_EXPLICIT, .pad = 1};
    expect(hk_conv2d(x, filter, NULL, wide), x, 1, in,
           (float[]){1, 2, 3, 0, 4, 6, 8, 3, 7, 12, 14, 6, 0, 7, 8, 9}, 0);
    hk_net_free(net);
}

static void values_of_losses(void)
{
    hk_net *net = new_net();
    hk_tensor *z = hk_input(net, 3), *labels = hk_constant(net, HK_SHAPE(3), (float[]){0, 0, 0});
    const float in[] = {1, 2, 3};
    expect(hk_softmax(z), z, 1, in, (float[]){0.09003057f, 0.24472847f, 0.66524096f}, 1e-7);
    (void)labels;
    hk_tensor *t = hk_input(net, 3);
    hk_tensor *const losses[] = {hk_mse(z, t), hk_huber(z, t, 1), hk_binary_cross_entropy(z, t)};
    const double wanted[] = {14.0 / 3, (0.5 + 1.5 + 2.5) / 3,
                             (1.3132617 + 2.1269280 + 3.0485874) / 3};
    for (int i = 0; i < 3; i++) {
        hk_plan *plan;
        CHECK(hk_plan_new(net, &(hk_plan_options){.output = losses[i]}, &plan) == HK_OK);
        memcpy(hk_plan_value(plan, z), in, sizeof in);
        memset(hk_plan_value(plan, t), 0, sizeof in);
        CHECK(hk_plan_forward(plan, 1) == HK_OK);
        CHECK_NEAR(*hk_plan_value(plan, losses[i]), wanted[i], 1e-6);
        hk_plan_free(plan);
    }
    hk_net_free(net);
}

/* ---- Gradients ------------------------------------------------------------------------------------------ */

static void gradients_of_elementwise(void)
{
    const hk_shape shapes[][2] = {
        {HK_SHAPE(HK_BATCH, 3, 5), HK_SHAPE(HK_BATCH, 3, 5)},
        {HK_SHAPE(HK_BATCH, 3, 5), HK_SHAPE(5)},
        {HK_SHAPE(4, 1, 3), HK_SHAPE(2, 1)},
        {HK_SHAPE(1), HK_SHAPE(HK_BATCH, 2, 7)},
        {HK_SHAPE(3, 1), HK_SHAPE(HK_BATCH, 1, 4)},
    };
    hk_tensor *(*const binary[])(hk_tensor *, hk_tensor *) = {hk_add, hk_sub, hk_mul, hk_div};
    const char *const names[] = {"add", "sub", "mul", "div"};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int o = 0; o < 4; o++) {
            hk_net *net = new_net();
            hk_tensor *leaf[2];
            for (int i = 0; i < 2; i++)
                leaf[i] = hki_is_batched(&shapes[s][i]) ? hk_input_shaped(net, shapes[s][i])
                                                        : learned(net, i ? "b" : "a", shapes[s][i]);
            gradient_check(names[o], binary[o](leaf[0], leaf[1]), leaf, 2, 3, 0.5f, 2, 2e-3);
            hk_net_free(net);
        }
}

static void gradients_of_one_operand(void)
{
    for (int o = 0; o < 9; o++) {
        hk_net *net = new_net();
        hk_tensor *x = hk_input(net, 3, 5), *y = NULL;
        switch (o) {
        case 0: y = hk_neg(x); break;
        case 1: y = hk_exp(x); break;
        case 2: y = hk_log(x); break;
        case 3: y = hk_pow(x, 3); break;
        case 4: y = hk_pow(x, -0.7); break;
        case 5: y = hk_scale(x, -2.5); break;
        case 6: y = hk_softmax(x); break;
        case 7: y = hk_mul(x, x); break;         /* both operands the same */
        case 8: y = hk_add(hk_exp(x), x); break; /* branches that join */
        }
        gradient_check("one operand", y, &x, 1, 3, 0.5f, 2, 2e-3);
        hk_net_free(net);
    }
}

static void gradients_of_sums_and_shapes(void)
{
    const unsigned axes[] = {HK_ALL_AXES,
                             HK_AXIS(0),
                             HK_AXIS(1),
                             HK_AXIS(3),
                             HK_AXIS(0) | HK_AXIS(2),
                             HK_AXIS(1) | HK_AXIS(2)};
    for (size_t a = 0; a < sizeof axes / sizeof *axes; a++) {
        hk_net *net = new_net();
        hk_tensor *x = hk_input(net, 2, 3, 5);
        gradient_check("sum", hk_sum(x, axes[a]), &x, 1, 3, -1, 1, 2e-3);
        hk_net_free(net);
        net = new_net();
        x = hk_input(net, 2, 3, 5);
        gradient_check("mean", hk_mul(hk_mean(x, axes[a]), x), &x, 1, 3, -1, 1, 2e-3);
        hk_net_free(net);
    }
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, 2, 3, 5);
    hk_tensor *flat = hk_flatten(x); /* a view that two operations read, and its original too */
    gradient_check("flatten", hk_add(hk_mul(flat, flat), hk_flatten(hk_exp(x))), &x, 1, 2, -1, 1,
                   2e-3);
    hk_tensor *pair[] = {hk_input(net, 2, 3), hk_input(net, 2, 1)};
    gradient_check("concat", hk_concat(pair[0], pair[1]), pair, 2, 3, -1, 1, 2e-3);
    hk_net_free(net);
}

static void gradients_of_products(void)
{
    const int sizes[][2] = {{1, 1}, {3, 5}, {17, 10}, {33, 64}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        hk_net *net = new_net();
        hk_tensor *leaf[] = {hk_input(net, sizes[s][0]),
                             learned(net, "w", HK_SHAPE(sizes[s][0], sizes[s][1]))};
        gradient_check("matmul", hk_matmul(leaf[0], leaf[1]), leaf, 2, 7, -1, 1, 2e-3);
        hk_net_free(net);
    }
    hk_net *net = new_net();
    hk_tensor *leaf[] = {hk_input(net, 3, 4), learned(net, "w", HK_SHAPE(4, 2))};
    gradient_check("matmul of more dimensions", hk_matmul(leaf[0], leaf[1]), leaf, 2, 2, -1, 1,
                   2e-3);
    hk_net_free(net);
}

static void gradients_of_convolution(void)
{
    const struct {
        int h, w, c, k, kernel;
        hk_window window;
    } cases[] = {
        {5, 5, 1, 1, 3, {0}},
        {7, 6, 3, 16, 3, {.stride = 2}},
        {8, 8, 6, 16, 5, {.padding = HK_VALID}},
        {9, 7, 4, 6, 3, {.dilation = 2}},
        {6, 6, 4, 8, 3, {.groups = 2}},
        {6, 5, 7, 7, 3, {.groups = 7}},
        {8, 8, 16, 16, 3, {.groups = 16, .stride = 2}},
        {4, 4, 17, 33, 1, {.stride = 2}},
        {1, 1, 5, 3, 3, {0}},
        {5, 5, 2, 3, 2, {.padding = HK_EXPLICIT, .pad = 1, .stride = 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hk_net *net = new_net();
        int groups = cases[i].window.groups ? cases[i].window.groups : 1;
        hk_tensor *leaf[] = {
            hk_input(net, cases[i].h, cases[i].w, cases[i].c),
            learned(net, "w",
                    HK_SHAPE(cases[i].kernel, cases[i].kernel, cases[i].c / groups, cases[i].k)),
            learned(net, "b", HK_SHAPE(cases[i].k))};
        char what[32];
        snprintf(what, sizeof what, "conv2d, case %zu", i);
        gradient_check(what, hk_conv2d(leaf[0], leaf[1], leaf[2], cases[i].window), leaf, 3, 2, -1,
                       1, 2e-3);
        hk_net_free(net);
    }
}

static void gradients_of_pooling(void)
{
    const hk_window windows[] = {{.stride = 2},
                                 {.padding = HK_VALID},
                                 {.stride = 3},
                                 {.padding = HK_EXPLICIT, .pad = 1, .stride = 2}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (int size = 2; size <= 3; size++) {
            hk_net *net = new_net();
            hk_tensor *x = hk_input(net, 7, 5, 3);
            gradient_check("maxpool", hk_maxpool2d(x, size, windows[i]), &x, 1, 2, -1, 1, 5e-3);
            gradient_check("avgpool", hk_avgpool2d(x, size, windows[i]), &x, 1, 2, -1, 1, 2e-3);
            gradient_check("global", hk_global_avgpool(x), &x, 1, 2, -1, 1, 2e-3);
            hk_net_free(net);
        }
}

static void gradients_of_losses(void)
{
    for (int o = 0; o < 7; o++) {
        hk_net *net = new_net();
        const double weights[] = {0.3, 2, 1, 0.7, 5, 1, 0.1};
        hk_tensor *x = hk_input(net, 7), *y = NULL;
        hk_tensor *t = learned(net, "t", HK_SHAPE(7));
        hk_tensor *zero = hk_scale(x, 0);
        switch (o) {
        case 0: y = hk_mse(x, zero); break;
        case 1: y = hk_huber(x, hk_add(zero, t), 0.5); break;
        case 2: y = hk_binary_cross_entropy(x, hk_input(net, 7)); break;
        case 3: y = hk_cross_entropy(x, hk_labels(net), 0); break;
        case 4: y = hk_cross_entropy(x, hk_labels(net), 0.1); break;
        case 5: y = hk_weighted_cross_entropy(x, hk_labels(net), 0, weights); break;
        case 6: y = hk_weighted_cross_entropy(x, hk_labels(net), 0.1, weights); break;
        }
        gradient_check("loss", y, &x, 1, 3, -2, 2, 2e-3);
        hk_net_free(net);
    }
}

/* Masks depend on the key of the step alone, so differences see a fixed function. */
static void gradients_of_dropout(void)
{
    for (int o = 0; o < 2; o++) {
        hk_net *net = new_net();
        hk_tensor *x = hk_input(net, 4, 4, 5);
        gradient_check("dropout", o ? hk_channel_dropout(x, 0.4) : hk_dropout(x, 0.4), &x, 1, 3, -1,
                       1, 2e-3);
        hk_net_free(net);
    }
}

static void dropout_keeps_the_mean(void)
{
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, 10, 100);
    hk_tensor *const drops[] = {hk_dropout(x, 0.3), hk_channel_dropout(x, 0.3)};
    for (int o = 0; o < 2; o++)
        for (int training = 0; training < 2; training++) {
            hk_plan *plan;
            CHECK(hk_plan_new(
                      net,
                      &(hk_plan_options){.batch = 100, .training = training, .output = drops[o]},
                      &plan) == HK_OK);
            for (int i = 0; i < 100000; i++)
                hk_plan_value(plan, x)[i] = 1;
            CHECK(hk_plan_forward(plan, 100) == HK_OK);
            double sum = 0, zeros = 0;
            for (int i = 0; i < 100000; i++) {
                sum += (double)hk_plan_value(plan, drops[o])[i];
                zeros += hk_plan_value(plan, drops[o])[i] == 0;
            }
            /* standard deviation of the mean: sqrt(p / (1 - p) / draws) */
            double draws = o ? 1e4 : 1e5;
            CHECK_NEAR(sum / 1e5, 1, training ? 5 * sqrt(0.3 / 0.7 / draws) : 0);
            CHECK_NEAR(zeros / 1e5, training ? 0.3 : 0, training ? 5 * sqrt(0.21 / draws) : 0);
            hk_plan_free(plan);
        }
    hk_net_free(net);
}

/* ---- What does not fit ------------------------------------------------------------------------------------- */

static void shapes_that_do_not_fit(void)
{
    hk_net *net = new_net();
    hk_tensor *x = hk_input(net, 8, 8, 3), *v = hk_input(net, 5);
    const hk_window plain = {0}, valid = {.padding = HK_VALID};
    CHECK(!hk_add(x, v));
    CHECK_CONTAINS(hk_message(), "add: shapes [batch, 8, 8, 3] and [batch, 5]");
    CHECK(!hk_matmul(v, learned(net, "w1", HK_SHAPE(4, 2))));
    CHECK_CONTAINS(hk_message(), "[4, 2]");
    CHECK(!hk_conv2d(x, learned(net, "w2", HK_SHAPE(3, 3, 16, 4)), NULL, plain));
    CHECK_CONTAINS(hk_message(), "input has 3 channels in 1 groups, filters expect 16");
    CHECK(!hk_conv2d(x, learned(net, "w3", HK_SHAPE(9, 9, 3, 4)), NULL, valid));
    CHECK_CONTAINS(hk_message(), "a window of 9 does not fit an input of size 8");
    CHECK(!hk_conv2d(x, learned(net, "w4", HK_SHAPE(3, 3, 3, 4)), NULL,
                     (hk_window){.padding = HK_EXPLICIT, .pad = 3}));
    CHECK_CONTAINS(hk_message(),
                   "padding of 3 beside a window of 3: some outputs would see nothing");
    CHECK(!hk_maxpool2d(v, 2, plain));
    CHECK_CONTAINS(hk_message(), "maxpool");
    CHECK(hk_maxpool2d(x, 255, plain) && !hk_maxpool2d(x, 256, plain));
    CHECK_CONTAINS(hk_message(), "at most 255 wide");
    CHECK(!hk_avgpool2d(x, 2, (hk_window){.dilation = 2}));
    CHECK(!hk_avgpool2d(x, 2, (hk_window){.groups = 2}));
    CHECK(!hk_cross_entropy(x, hk_labels(net), 0));
    CHECK(!hk_cross_entropy(v, hk_labels(net), 1));
    CHECK_CONTAINS(hk_message(), "smoothing 1 is outside [0, 1)");
    CHECK(!hk_weighted_cross_entropy(v, hk_labels(net), 0, (double[]){1, 1, 0, 1, 1}));
    CHECK_CONTAINS(hk_message(), "the weight of class 2 is 0, expected 1e-6 to 1e6");
    CHECK(!hk_dropout(x, 1));
    CHECK_CONTAINS(hk_message(), "rate 1 is outside [0, 1)");
    CHECK(!hk_sum(v, HK_AXIS(3)));
    CHECK(!hk_concat(x, v));
    CHECK(!hk_input(net, 0));
    CHECK_CONTAINS(hk_message(), "not between 1");
    CHECK(!hk_input(net, 1 << 20, 1 << 20, 1 << 20));
    CHECK_CONTAINS(hk_message(), "too large");
    CHECK(!learned(net, "w1", HK_SHAPE(2)));
    CHECK_CONTAINS(hk_message(), "already has a tensor named w1");
    CHECK(!hk_add(NULL, v) && !hk_exp(NULL) && !hk_conv2d(NULL, NULL, NULL, plain));
    CHECK_CONTAINS(hk_message(), "w1"); /* NULL passes through and keeps the first message */
    hk_net_free(net);
}

/* A label that is no class, below 0, too large or between two, makes the loss NAN. */
static void labels_are_whole(void)
{
    hk_net *net = hk_net_new(.seed = 1);
    hk_tensor *logits = hk_input(net, 3), *labels = hk_labels(net), *loss;
    hk_plan *plan;
    loss = hk_cross_entropy(logits, labels, 0);
    CHECK_EQUAL(hk_plan_new(net, &(hk_plan_options){.batch = 1, .output = loss}, &plan), HK_OK);
    const float given[] = {0, 2, -1, 3, 0.5f, NAN};
    for (int i = 0; i < 6; i++) {
        memset(hk_plan_value(plan, logits), 0, 3 * sizeof(float));
        *hk_plan_value(plan, labels) = given[i];
        CHECK_EQUAL(hk_plan_forward(plan, 1), HK_OK);
        CHECK_EQUAL(isnan(*hk_plan_value(plan, loss)) != 0, i > 1);
    }
    hk_plan_free(plan);
    hk_net_free(net);
}

int main(void)
{
    RUN(values_of_elementwise);
    RUN(values_of_long_rows);
    RUN(values_of_sums);
    RUN(values_of_shapes);
    RUN(values_of_products);
    RUN(values_of_convolution_and_pooling);
    RUN(values_of_losses);
    RUN(gradients_of_elementwise);
    RUN(gradients_of_one_operand);
    RUN(gradients_of_sums_and_shapes);
    RUN(gradients_of_products);
    RUN(gradients_of_convolution);
    RUN(gradients_of_pooling);
    RUN(gradients_of_losses);
    RUN(gradients_of_dropout);
    RUN(dropout_keeps_the_mean);
    RUN(shapes_that_do_not_fit);
    RUN(labels_are_whole);
    return check_result();
}
