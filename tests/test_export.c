/* hillock export: C files, compiled by the compiler at hand without a warning, compute what the net does;
 * ONNX has the same steps (tests/peers/export_parity.py runs it); PyTorch's arrays go out and come
 * back with the same bits; what cannot be exported is told. */
#include "check.h"

#include "bad_plugins/build.h"
#include "export/export.h"
#include <dlfcn.h>
#include <hillock/hillock.h>

enum { MOST_INPUTS = 1024, MOST_OUTPUTS = 16, SAMPLES = 3 };

/* ---- Nets as programs record them --------------------------------------------------------------- */

/* Strided and uneven padding, groups, a shortcut, prelu's slots, a projection without a bias. */
static hk_tensor *residual(hk_net *net)
{
    hk_tensor *x = hk_act(hk_norm(hk_conv(hk_input(net, 9, 7, 2), 4, 3)));
    hk_tensor *y = hk_act(hk_norm(hk_conv(x, 6, 3, .stride = 2)), "elu:alpha=0.5");
    y = hk_norm(hk_conv(y, 6, 3, .groups = 2));
    x = hk_act(hk_add(y, hk_conv(x, 6, 1, .stride = 2, .no_bias = 1)), "prelu");
    return hk_linear(hk_maxpool(x, 2), 3, .name = "head");
}

/* Concatenation, depthwise, dilation, pooling with padding and with a rest, dropouts, a gate by the mean of
 * each map. */
static hk_tensor *branches(hk_net *net)
{
    hk_tensor *x = hk_act(hk_conv(hk_input(net, 11, 10, 3), 4, 3, .padding = HK_VALID));
    hk_tensor *deep = hk_act(hk_conv(x, 4, 3, .groups = 4, .dilation = 2, .pad = 1), "snake");
    hk_tensor *wide = hk_conv(x, 5, 3, .pad = 0, .padding = HK_VALID, .stride = 1);
    wide = hk_avgpool2d(wide, 3, (hk_window){.stride = 1, .padding = HK_SAME});
    deep = hk_maxpool2d(deep, 3, (hk_window){.stride = 1, .padding = HK_EXPLICIT, .pad = 1});
    deep = hk_avgpool2d(deep, 2, (hk_window){.stride = 1, .padding = HK_VALID});
    wide = hk_maxpool2d(wide, 2, (hk_window){.stride = 1, .padding = HK_VALID});
    x = hk_drop_path(hk_dropout(hk_concat(deep, wide), 0.3), 0.2);
    x = hk_mul(x, hk_act(hk_mean(x, HK_AXIS(1) | HK_AXIS(2)), "sigmoid"));
    return hk_linear(hk_avgpool2d(x, 2, (hk_window){0}), 4);
}

/* Every normalization of the sample at hand, over maps. */
static hk_tensor *normed(hk_net *net)
{
    static const char *const specs[] = {"group_norm:groups=3",
                                        "layer_norm",
                                        "layer_norm:over=channels",
                                        "instance_norm:affine=yes",
                                        "rms_norm",
                                        "rms_norm:over=channels",
                                        "filter_response_norm",
                                        "unit_norm",
                                        "unit_norm:over=sample",
                                        "batch_renorm"};
    hk_tensor *x = hk_input(net, 5, 4, 3);
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
        x = hk_act(hk_norm(hk_conv(x, 6, 3), specs[i]), "gelu");
    return hk_linear(hk_global_avgpool(x), 3);
}

/* Dense layers, with and without normalizations; words of the graph; weights that are normalized. */
static hk_tensor *words(hk_net *net)
{
    static const float values[] = {1, -2, 0.5f, 3, 1, 2};
    hk_tensor *x = hk_input(net, 6);
    x = hk_sub(x, hk_constant(net, HK_SHAPE(6), values));
    hk_tensor *y = hk_act(hk_norm(hk_linear(x, 8, .weight_norm = "spectral_norm"), "group_norm"));
    y = hk_act(hk_linear(y, 8, .weight_norm = "weight_norm", .drop_connect = 0.2), "acon_c");
    y = hk_div(y, hk_add(hk_exp(hk_scale(y, 0.1)), hk_pow(y, 2)));
    y = hk_mul(hk_softmax(y), hk_log(hk_add(hk_pow(y, 4), hk_constant(net, HK_SHAPE(1), values))));
    y = hk_sub(y, hk_pow(hk_add(hk_mul(y, y), hk_constant(net, HK_SHAPE(1), values)), -0.5));
    return hk_linear(hk_concat(y, x), 5);
}

/* A channel that a treatment gave another activation. */
static hk_tensor *swapped(hk_net *net)
{
    hk_tensor *x = hk_act(hk_conv(hk_input(net, 4, 4, 1), 3, 3), "relu~elu");
    return hk_linear(hk_act(hk_linear(x, 5), "soft_exponential"), 2);
}

/* No formula: over whole rows. */
static hk_tensor *gated(hk_net *net)
{
    return hk_linear(hk_act(hk_linear(hk_input(net, 4), 6), "swiglu"), 2);
}

typedef hk_tensor *builder(hk_net *net);
static builder *const builders[] = {residual, branches, normed, words, swapped};
enum { NETS = sizeof builders / sizeof *builders };

/* ---- As after a training ------------------------------------------------------------------------ */

static double noise(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 40) / (1 << 24);
}

/* No statistic and no slope is 0 or 1; of swapped channels the second is on. */
static void shake(const hk_stored *tensor, void *user)
{
    hk_tensor *t = hk_net_tensor(user, tensor->name);
    const int64_t n = tensor->bytes / (int64_t)sizeof(float);
    float *values = malloc((size_t)n * sizeof *values);
    uint64_t state = (uint64_t)tensor->bytes;
    if (!t) { /* a constant */
        free(values);
        return;
    }
    CHECK(values && hk_tensor_read(t, values) == HK_OK);
    for (int64_t i = 0; i < n; i++)
        values[i] = strstr(tensor->name, ".swapped") ? (float)(i == 1)
                                                     : values[i] + (float)(0.2 * noise(&state));
    CHECK_EQUAL(hk_tensor_write(t, values), HK_OK);
    free(values);
}

static void set_card(hk_tensor *logits)
{
    static const double mean[] = {3, -1, 2, 0.5, 1, 4}, deviation[] = {2, 3, 1.5, 1, 2, 0.5};
    static const char *const classes[] = {"a \"b\"", "c\\d", "e?\?/", "\xc3\xa9", "f"};
    const hk_shape in = hk_tensor_shape(hk_tensor_input(logits)), out = hk_tensor_shape(logits);
    const hk_card card = {.channels = (int)in.dims[in.ndim - 1],
                          .mean = mean,
                          .deviation = deviation,
                          .classes = (int)out.dims[1],
                          .class_names = classes};
    CHECK_EQUAL(hk_net_set_card(hk_tensor_net(logits), &card), HK_OK);
}

static hk_tensor *made(builder *record)
{
    hk_net *net = hk_net_new(.activation = "mish", .seed = 1);
    hk_tensor *logits = record(net);
    char path[512];
    CHECK(logits != NULL);
    if (!logits) {
        printf("%s\n", hk_message());
        hk_net_free(net);
        return NULL;
    }
    set_card(logits);
    snprintf(path, sizeof path, "%s", path_of("net.safetensors"));
    CHECK_EQUAL(hk_net_save(logits, path, NULL), HK_OK);
    CHECK_EQUAL(hk_stored_each(path, shake, NULL, net), HK_OK);
    CHECK_EQUAL(hk_net_save(logits, path, NULL), HK_OK);
    return logits;
}

/* ---- C ------------------------------------------------------------------------------------------- */

/* net.c in net.so, without a warning. */
static void *compiled(void)
{
    char command[2048];
    const char *compiler = getenv("CC");
    unlink(path_of("net.so")); /* a file of this name that is loaded stays what it is */
    snprintf(command, sizeof command,
             "cd '%s' && %s -std=c99 -O1 -Wall -Wextra -Werror -fPIC -shared net.c -o net.so -lm",
             built_in, compiler ? compiler : "cc");
    return system(command) == 0 ? dlopen(path_of("net.so"), RTLD_NOW | RTLD_LOCAL) : NULL;
}

static void compare(hk_tensor *logits, void *library)
{
    static float raw[SAMPLES * MOST_INPUTS], x[SAMPLES * MOST_INPUTS], y[SAMPLES * MOST_OUTPUTS];
    static float scratch[1 << 16], found[MOST_OUTPUTS];
    void (*run)(const float *, float *, float *);
    *(void **)&run = dlsym(library, "net_run");
    const hk_shape in = hk_tensor_shape(hk_tensor_input(logits)), out = hk_tensor_shape(logits);
    const int64_t n = export_count(&in), m = export_count(&out);
    uint64_t state = 7;
    CHECK(run && n <= MOST_INPUTS && m <= MOST_OUTPUTS);
    for (int64_t i = 0; i < SAMPLES * n; i++)
        raw[i] = (float)(6 * noise(&state) - 2);
    CHECK_EQUAL(hk_net_standardise(logits, SAMPLES, raw, x), HK_OK);
    CHECK_EQUAL(hk_net_predict(logits, SAMPLES, x, y), HK_OK);
    for (int k = 0; run && k < SAMPLES; k++) {
        run(raw + k * n, found, scratch);
        for (int64_t i = 0; i < m; i++)
            CHECK_NEAR(found[i], y[k * m + i], 2e-6 * (1 + fabs((double)y[k * m + i])));
    }
}

static void c_files_compute_the_net(void)
{
    for (int i = 0; i < NETS; i++) {
        export_program program = {0};
        hk_tensor *logits = made(builders[i]);
        const bool done = logits && export_program_of(logits, "a net", &program);
        CHECK(done);
        CHECK(done && export_write_c(&program, path_of("net.c")) == 0);
        CHECK(done && export_write_onnx(&program, path_of("net.onnx")) == 0);
        void *library = done ? compiled() : NULL;
        CHECK(library != NULL);
        if (library) {
            const char *const *names = dlsym(library, "net_classes");
            compare(logits, library);
            CHECK(names && strcmp(names[0], "a \"b\"") == 0 && strcmp(names[1], "c\\d") == 0);
            dlclose(library);
        }
        export_program_free(&program);
        hk_net_free(logits ? hk_tensor_net(logits) : NULL);
    }
}

/* ---- PyTorch --------------------------------------------------------------------------------------- */

typedef struct notes {
    char text[4096];
} notes;

static void note(const char *tensor, const char *reason, void *user)
{
    notes *n = user;
    const size_t used = strlen(n->text);
    snprintf(n->text + used, sizeof n->text - used, "%s %s; ", tensor, reason);
}

/* Another net of the same words, with other numbers, takes them back. */
static void arrays_come_back_with_the_same_bits(void)
{
    for (int i = 0; i < NETS; i++) {
        export_arrays arrays;
        notes said = {""};
        char before[65], after[65];
        int fitting;
        hk_tensor *logits = made(builders[i]);
        hk_net *other = hk_net_new(.activation = "mish", .seed = 2);
        if (!logits || !builders[i](other))
            return;
        CHECK_EQUAL(export_arrays_of(logits, &arrays), 0);
        CHECK_EQUAL(export_write_safetensors(&arrays, path_of("torch.safetensors")), 0);
        CHECK_EQUAL(export_write_npz(&arrays, path_of("torch.npz")), 0);
        CHECK_EQUAL(hk_net_load_fitting(other, path_of("torch.safetensors"), &fitting, note, &said),
                    HK_OK);
        CHECK_EQUAL(fitting, arrays.n);
        CHECK_CONTAINS(said.text, "is turned round, as the file's other weights are");
        hk_net_digest(hk_tensor_net(logits), before);
        hk_net_digest(other, after);
        if (builders[i] != words) /* whose normalized weights are written as they are applied */
            CHECK_TEXT(after, before);
        export_arrays_free(&arrays);
        hk_net_free(hk_tensor_net(logits));
        hk_net_free(other);
    }
}

static void find_shape(const hk_stored *tensor, void *user)
{
    char row[256];
    notes *n = user;
    snprintf(row, sizeof row, "%s %lld %lld %lld %lld", tensor->name,
             (long long)tensor->shape.dims[0], (long long)tensor->shape.dims[1],
             (long long)tensor->shape.dims[2], (long long)tensor->shape.dims[3]);
    note(row, "", n);
}

static void names_and_shapes_are_pytorchs(void)
{
    export_arrays arrays;
    notes found = {""};
    hk_tensor *logits = made(residual);
    if (!logits)
        return;
    CHECK_EQUAL(export_arrays_of(logits, &arrays), 0);
    CHECK_EQUAL(export_write_safetensors(&arrays, path_of("torch.safetensors")), 0);
    CHECK_EQUAL(hk_stored_each(path_of("torch.safetensors"), find_shape, NULL, &found), HK_OK);
    CHECK_CONTAINS(found.text, "conv1.weight 4 2 3 3");
    CHECK_CONTAINS(found.text, "conv3.weight 6 3 3 3");
    CHECK_CONTAINS(found.text, "conv1.norm.weight 4");
    CHECK_CONTAINS(found.text, "conv1.norm.running_var 4");
    CHECK_CONTAINS(found.text, "act.weight 6");
    CHECK_CONTAINS(found.text, "head.weight 3 ");
    export_arrays_free(&arrays);
    hk_net_free(hk_tensor_net(logits));
}

/* tests/peers/export_parity.py runs what is printed. */
static void python_has_a_forward(void)
{
    static const struct {
        builder *record;
        const char *lines[5];
    } cases[] = {
        {residual,
         {"self.conv2 = torch.nn.Conv2d(4, 6, (3, 3), stride=2, padding=(1, 1), ",
          "self.conv3.act = torch.nn.PReLU(6)", "x = F.elu(x, 0.5)", " = F.mish(x)\n",
          "return x\n"}},
        {branches,
         {"self.conv2.act.a = torch.nn.Parameter(torch.empty(4))", ".mean([2, 3], keepdim=True)",
          "torch.cat((", "self.conv2.act.a.view(-1, 1, 1)", "torch.ones_like("}},
        {words, {"forward() is yours to write: an operand that is no vector"}},
        {gated, {"forward() is yours to write: fc1: the activation \"swiglu\" has no formula"}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        size_t size;
        FILE *to = open_memstream(&text, &size);
        hk_tensor *logits = made(cases[i].record);
        export_put_torch(logits, "a net", "torch.safetensors", to);
        fclose(to);
        for (int k = 0; k < 5 && cases[i].lines[k]; k++)
            CHECK_CONTAINS(text, cases[i].lines[k]);
        free(text);
        hk_net_free(hk_tensor_net(logits));
    }
}

/* ---- What cannot be exported ------------------------------------------------------------------------- */

static hk_tensor *local(hk_net *net)
{
    return hk_linear(hk_norm(hk_conv(hk_input(net, 4, 4, 2), 6, 3), "local_response_norm"), 2);
}

static hk_tensor *drawn(hk_net *net)
{
    return hk_linear(hk_mc_dropout(hk_linear(hk_input(net, 4), 6), 0.5), 2);
}

static hk_tensor *joined(hk_net *net)
{
    hk_tensor *x = hk_linear(hk_input(net, 4), 6);
    return hk_linear(hk_sub(x, hk_mean(x, HK_AXIS(0))), 2);
}

static void refusals_name_what_they_mean(void)
{
    static builder *const refused[] = {gated, local, drawn, joined};
    for (int i = 0; i < 4; i++) {
        export_program program;
        hk_net *net = hk_net_new(.seed = 1);
        hk_tensor *logits = refused[i](net);
        CHECK(logits && !export_program_of(logits, "a net", &program));
        export_program_free(&program);
        hk_net_free(net);
    }
}

int main(void)
{
    setenv("HILLOCK_PLUGIN_PATH", HILLOCK_PLUGIN_DIR, 1);
    if (!begin_builds())
        return 1;
    RUN(c_files_compute_the_net);
    RUN(arrays_come_back_with_the_same_bits);
    RUN(names_and_shapes_are_pytorchs);
    RUN(python_has_a_forward);
    RUN(refusals_name_what_they_mean);
    end_builds();
    return check_result();
}
