/* A net in a file, whole: every operation comes back as it was, cards, heads, and files that lie. */
#include <fenv.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <hillock/hillock.h>
#include <hillock/random.h>
#include "check.h"
#include "io/io.h"
#include "nn/graph_json.h"
#include "nn/nn.h"
#include "nn/store.h"
#include "ops/ops.h"

static char folder[256], path[300], second[300];

enum { BATCH = 3, MOST = 4096 };

static void fill(float *x, int64_t n, uint64_t key)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = 2 * hks_uniform(key, (uint64_t)i) - 1;
}

/* ---- Every operation ---------------------------------------------------------------------------- */

static hk_tensor *image(hk_net *net)
{
    return hk_input(net, 8, 8, 4);
}

static hk_tensor *positive(hk_net *net)
{
    return hk_exp(hk_scale(image(net), 0.3));
}

static hk_tensor *with_everything(hk_net *net)
{
    const float values[] = {0.5f, -1, 2, 0.25f};
    hk_tensor *x = hk_conv(image(net), 8, 3, .stride = 2, .groups = 2);
    hk_tensor *side = hk_conv(hk_maxpool(hk_tensor_input(x), 3, .stride = 2), 8, 1, .no_bias = 1);
    x = hk_act(hk_add(hk_norm(x), side), "prelu");
    x = hk_act(
        hk_norm(hk_conv(x, 4, 3, .padding = HK_VALID, .weight_norm = "weight_norm"), "layer_norm"),
        "lgb:k=2");
    x = hk_mul(x, hk_constant(net, HK_SHAPE(4), values));
    return hk_linear(hk_dropout(x, 0.5), 3, .drop_connect = 0.2);
}

static hk_tensor *side_by_side(hk_net *net)
{
    hk_tensor *x = image(net);
    return hk_concat(hk_exp(x), hk_scale(x, 2));
}

/* What a net may end in; the names are those of the operations that are met. */
static hk_tensor *build(hk_net *net, int i)
{
    switch (i) {
    case 0: return with_everything(net);
    case 1: return hk_maxpool(image(net), 3, .stride = 2, .pad = 1);
    case 2: return hk_avgpool(image(net), 2, .padding = HK_VALID);
    case 4: return side_by_side(net);
    case 3: return hk_global_avgpool(image(net));

    case 5: return hk_log(positive(net));
    case 6: return hk_pow(positive(net), -1.5);
    case 7:
        return hk_sub(hk_neg(positive(net)),
                      hk_parameter(net, "p", HK_SHAPE(8, 1, 4), "normal:std=0.5"));
    case 8: return hk_div(image(net), hk_parameter(net, "p", HK_SHAPE(1), "constant:value=3"));
    case 9: return hk_softmax(hk_linear(image(net), 7, .init = "orthogonal"));
    case 10: return hk_sum(image(net), HK_AXIS(1) | HK_AXIS(3));
    case 11: return hk_mean(positive(net), HK_AXIS(2));
    case 12: return hk_reshape(positive(net), HK_SHAPE(HK_BATCH, 16, 16));
    case 13: return hk_mc_dropout(image(net), 0.25);
    case 14: return hk_channel_dropout(image(net), 0.25);
    case 15: return hk_alpha_dropout(image(net), 0.1);
    case 16: return hk_channel_alpha_dropout(image(net), 0.1);
    case 17: return hk_gaussian_dropout(image(net), 0.1);
    case 18: return hk_gaussian_noise(image(net), 0.7);
    case 19: return hk_drop_path(image(net), 0.3);
    case 20: return hk_drop_block(image(net), 0.2, 3);
    case 21:
        return hk_matmul(hk_flatten(image(net)),
                         hk_parameter(net, "w", HK_SHAPE(256, 2), "he_normal"));
    case 22:
        return hk_conv2d(image(net), hk_parameter(net, "w", HK_SHAPE(3, 3, 4, 2), "lecun_normal"),
                         NULL, (hk_window){.dilation = 2, .padding = HK_EXPLICIT, .pad = 1});
    case 23: return hk_act(hk_conv(image(net), 6, 3), "prelu~lgb");
    case 24: return hk_act(hk_linear(image(net), 6), "maxout");
    case 25: return hk_quantise_steps(image(net), (hk_steps){0.1, -9, 12});
    default: return NULL;
    }
}
enum { NETS = 26 };

/* Values of `out` for the same input: a training run, so that noise is compared, too. */
static int64_t run(hk_tensor *out, float *y)
{
    static float x[BATCH * 256];
    hk_plan *plan;
    const hk_tensor *input = NULL;
    const hk_net *net = hk_tensor_net(out);
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i]->role == HKI_INPUT)
            input = net->tensors[i];
    fill(x, BATCH * 256, 5);
    CHECK_EQUAL(hk_plan_new(hk_tensor_net(out),
                            &(hk_plan_options){.batch = BATCH, .training = 1, .output = out},
                            &plan),
                HK_OK);
    memcpy(hk_plan_value(plan, input), x, sizeof x);
    CHECK_EQUAL(hk_plan_forward(plan, BATCH), HK_OK);
    int64_t n = hki_count(&out->shape, BATCH);
    memcpy(y, hk_plan_value(plan, out), (size_t)n * sizeof *y);
    hk_plan_free(plan);
    return n;
}

static bool met[64];

static void every_operation_comes_back(void)
{
    static float before[BATCH * MOST], after[BATCH * MOST];
    for (int i = 0; i < NETS; i++) {
        hk_net *net = hk_net_new(.activation = "mish", .seed = 3), *again = NULL;
        hk_tensor *out = build(net, i), *there = NULL;
        CHECK(out != NULL);
        if (!out) {
            printf("net %d: %s\n", i, hk_message());
            hk_net_free(net);
            continue;
        }
        for (int id = 0; id <= out->id; id++)
            for (int k = 0; hki_op_at(k); k++)
                met[k] = met[k] || net->tensors[id]->op == hki_op_at(k);
        CHECK_EQUAL(hk_net_save(out, path, NULL), HK_OK);
        CHECK_EQUAL(hk_net_load(path, &again, &there), HK_OK);
        if (!there) {
            printf("net %d: %s\n", i, hk_message());
            hk_net_free(net);
            continue;
        }
        int64_t n = run(out, before);
        CHECK_EQUAL(run(there, after), n);
        CHECK(memcmp(before, after, (size_t)n * sizeof(float)) == 0);
        hk_net_free(net);
        hk_net_free(again);
    }
    for (int k = 0; hki_op_at(k); k++) {
        CHECK(met[k]);
        if (!met[k])
            printf("no net has the operation %s\n", hki_op_at(k)->name);
    }
}

/* ---- Going on ------------------------------------------------------------------------------------- */

/* Saved, loaded, saved: the same bytes; and a redrawn net starts as the first did. */
static void a_second_file_is_the_first(void)
{
    uint8_t *a, *b;
    size_t n_a, n_b;
    char first[65], redrawn[65];
    hk_net *net = hk_net_new(.activation = "swish", .seed = 9), *again;
    hk_tensor *out = with_everything(net), *there;
    hk_net_digest(net, first);
    CHECK_EQUAL(hk_net_save(out, path, "of one's own"), HK_OK);
    CHECK_EQUAL(hk_net_load(path, &again, &there), HK_OK);
    CHECK_EQUAL(hk_net_save(there, second, "of one's own"), HK_OK);
    CHECK_EQUAL(hki_file_read(path, NULL, HKI_MAX_BYTES, &a, &n_a), HK_OK);
    CHECK_EQUAL(hki_file_read(second, NULL, HKI_MAX_BYTES, &b, &n_b), HK_OK);
    CHECK(n_a == n_b && memcmp(a, b, n_a) == 0);
    CHECK_EQUAL(hk_net_redraw(again, 9), HK_OK);
    hk_net_digest(again, redrawn);
    CHECK_TEXT(redrawn, first);
    CHECK_TEXT(hk_net_activation(again), "swish");
    hki_free(a);
    hki_free(b);
    hk_net_free(net);
    hk_net_free(again);
}

/* Training goes on in the loaded net as in the one that was saved. */
static void training_goes_on_the_same(void)
{
    char one[65], other[65];
    hk_data *train, *test;
    hk_epoch_report report;
    CHECK_EQUAL(hk_data_open("glyphs:train=200,test=50", &train, &test), HK_OK);
    hk_net *net = hk_net_new(.activation = "prelu", .seed = 2), *again;
    hk_tensor *x = hk_act(hk_norm(hk_conv(hk_input(net, 28, 28, 1), 4, 5, .stride = 2))), *there;
    x = hk_linear(hk_dropout(x, 0.2), 10);
    CHECK_EQUAL(hk_net_save(x, path, NULL), HK_OK);
    CHECK_EQUAL(hk_net_load(path, &again, &there), HK_OK);
    CHECK_EQUAL(hk_fit(x, &report, .train = train, .test = test, .epochs = 1), HK_OK);
    CHECK_EQUAL(hk_fit(there, &report, .train = train, .test = test, .epochs = 1), HK_OK);
    hk_net_digest(net, one);
    hk_net_digest(again, other);
    CHECK_TEXT(one, other);
    hk_net_free(net);
    hk_net_free(again);
    hk_data_free(train);
    hk_data_free(test);
}

/* ---- Cards ---------------------------------------------------------------------------------------- */

static void a_card_goes_with_the_net(void)
{
    const double mean[] = {100, 0.3, -3}, deviation[] = {2, 1e-3, 1.0 / 3};
    const char *const classes[] = {"setosa", "\"virginica\", late"}, *const features[] = {"a", "b",
                                                                                          "c"};
    const float raw[] = {104, 0.301f, -3};
    float x[3], y[2];
    hk_net *net = hk_net_new(.seed = 1), *again;
    hk_tensor *out = hk_linear(hk_input(net, 3), 2), *there;
    CHECK_EQUAL(hk_net_standardise(out, 1, raw, x), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_net_card(net)->channels, 0);
    CHECK_EQUAL(hk_net_set_card(net, &(hk_card){.channels = 3,
                                                .mean = mean,
                                                .deviation = deviation,
                                                .classes = 2,
                                                .class_names = classes,
                                                .feature_names = features,
                                                .label = "species",
                                                .data = "csv:\"a,b.csv\""}),
                HK_OK);
    CHECK_EQUAL(hk_net_save(out, path, NULL), HK_OK);
    fesetround(FE_UPWARD); /* the program's own business, which changes no number of the file */
    CHECK_EQUAL(hk_net_load(path, &again, &there), HK_OK);
    fesetround(FE_TONEAREST);
    const hk_card *card = hk_net_card(again);
    CHECK_EQUAL(card->channels, 3);
    for (int i = 0; i < 3 && card->mean; i++) {
        CHECK(card->mean[i] == mean[i] && card->deviation[i] == deviation[i]);
        CHECK_TEXT(card->feature_names[i], features[i]);
    }
    CHECK_TEXT(card->class_names[1], classes[1]);
    CHECK_TEXT(card->label, "species");
    CHECK_TEXT(card->data, "csv:\"a,b.csv\"");
    CHECK(!card->recipe);
    CHECK_EQUAL(hk_net_standardise(there, 1, raw, x), HK_OK);
    CHECK_NEAR(x[0], 2, 0);
    CHECK_NEAR(x[1], 1, 1e-4);
    CHECK_NEAR(x[2], 0, 0);
    CHECK_EQUAL(hk_net_classify(there, 1, x, y), HK_OK);
    CHECK_NEAR(y[0] + y[1], 1, 1e-6);
    const double flat[] = {1, 0, 1};
    CHECK_EQUAL(hk_net_set_card(net, &(hk_card){.channels = 3, .mean = mean, .deviation = flat}),
                HK_BAD_DATA);
    CHECK_EQUAL(hk_net_card(net)->classes, 2); /* the old one is kept */
    hk_net_free(net);
    hk_net_free(again);
}

/* ---- Names, and a new head -------------------------------------------------------------------------- */

typedef struct anew {
    int count;
    char text[512];
} anew;

static void note(const char *tensor, const char *reason, void *user)
{
    anew *seen = user;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof seen->text - used, "%s: %s; ", tensor, reason);
    seen->count++;
}

static hk_tensor *headed(hk_net *net, int classes)
{
    hk_tensor *x = hk_act(hk_norm(hk_conv(hk_input(net, 8, 8, 1), 4, 3)));
    return hk_linear(x, classes, .name = "head");
}

static void a_new_head_keeps_the_rest(void)
{
    float old[36], new[36];
    int fitting;
    anew seen = {0};
    hk_net *net = hk_net_new(.seed = 1), *other = hk_net_new(.seed = 2);
    CHECK_EQUAL(hk_net_save(headed(net, 10), path, NULL), HK_OK);
    headed(other, 3);
    CHECK_EQUAL(hk_net_load_weights(other, path, NULL), HK_BAD_DATA);
    CHECK_EQUAL(hk_net_load_fitting(other, path, &fitting, note, &seen), HK_OK);
    CHECK_EQUAL(fitting, 5);
    CHECK_EQUAL(seen.count, 2);
    CHECK_CONTAINS(seen.text, "head.weight: starts anew: the file has [256, 10], the net [256, 3]");
    CHECK_EQUAL(hk_tensor_read(hk_net_tensor(net, "conv1.weight"), old), HK_OK);
    CHECK_EQUAL(hk_tensor_read(hk_net_tensor(other, "conv1.weight"), new), HK_OK);
    CHECK(memcmp(old, new, sizeof old) == 0);
    CHECK(hk_net_tensor(net, "conv1.wieght") == NULL);
    CHECK_EQUAL(hk_last_status(), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "did you mean \"conv1.weight\"");
    new[0] = 42;
    CHECK_EQUAL(hk_tensor_write(hk_net_tensor(other, "conv1.weight"), new), HK_OK);
    CHECK_EQUAL(hk_tensor_read(hk_net_tensor(other, "conv1.weight"), old), HK_OK);
    CHECK(old[0] == 42);
    hk_net_free(net);
    hk_net_free(other);
}

/* ---- Files of other programs ------------------------------------------------------------------------ */

/* Writes a file by hand: a's weights as halves 0, 1, 2 ..., its bias as bfloat16 of 2, a counter, and b's
 * weights in PyTorch's order, [out, in], or in ours. */
static void put_foreign(bool turned)
{
    char header[512];
    uint16_t halves[16], biases[4] = {0x4000, 0x4000, 0x4000, 0x4000};
    const int64_t counter = 9;
    const float weights[12] = {0};
    for (int i = 0; i < 16; i++)
        halves[i] = (uint16_t)(i ? 0x3c00 + 0x400 * (i / 2) : 0);
    snprintf(header, sizeof header,
             "{\"__metadata__\":{\"format\":\"pt\"},"
             "\"a.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
             "\"b.weight\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[8,56]},"
             "\"a.weight\":{\"dtype\":\"F16\",\"shape\":[4,4],\"data_offsets\":[56,88]},"
             "\"a.bias\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[88,96]}}",
             turned ? "[3,4]" : "[4,3]");
    const uint64_t length = strlen(header);
    const hki_piece pieces[] = {{&length, 8},
                                {header, length},
                                {&counter, 8},
                                {weights, sizeof weights},
                                {halves, sizeof halves},
                                {biases, sizeof biases}};
    CHECK_EQUAL(hki_file_write(path, pieces, sizeof pieces / sizeof *pieces), HK_OK);
}

static void list(const hk_stored *tensor, void *user)
{
    note(tensor->name, tensor->type, user);
}

static void list_meta(const char *key, const char *value, void *user)
{
    note(key, value, user);
}

/* They are listed; what fits is converted; a square weight is turned where others show that the file has
 * PyTorch's order. */
static void other_programs_files_are_taken_where_they_fit(void)
{
    float bias[4], weight[16];
    int fitting;
    for (int turned = 0; turned < 2; turned++) {
        anew seen = {0}, listed = {0};
        hk_net *net = hk_net_new(.seed = 1);
        hk_tensor *a = hk_linear(hk_input(net, 4), 4, .name = "a");
        hk_linear(a, 3, .name = "b");
        put_foreign(turned);
        CHECK_EQUAL(hk_stored_each(path, list, list_meta, &listed), HK_OK);
        CHECK_TEXT(listed.text,
                   "format: pt; a.num_batches_tracked: I64; b.weight: F32; a.weight: F16; "
                   "a.bias: BF16; ");
        CHECK_EQUAL(hk_net_load_weights(net, path, NULL), HK_BAD_DATA);
        CHECK_EQUAL(hk_net_load_fitting(net, path, &fitting, note, &seen), HK_OK);
        CHECK_EQUAL(fitting, 3);
        CHECK_CONTAINS(seen.text, "a.num_batches_tracked: is left out: the net has none");
        CHECK_CONTAINS(seen.text, "b.bias: starts anew: the file has none");
        CHECK_EQUAL(
            strstr(seen.text, "a.weight: is turned round, as the file's other weights are") != NULL,
            turned);
        CHECK_EQUAL(hk_tensor_read(hk_net_tensor(net, "a.bias"), bias), HK_OK);
        CHECK_EQUAL(hk_tensor_read(hk_net_tensor(net, "a.weight"), weight), HK_OK);
        CHECK(bias[0] == 2 && bias[3] == 2);
        CHECK(weight[0] == 0 && weight[15] == 128);
        CHECK(weight[turned ? 4 : 1] == 1);
        hk_net_free(net);
    }
}

/* ---- Files that lie --------------------------------------------------------------------------------- */

/* Writes a file with this graph and two tensors, and loads it. */
static hk_status load_graph(const char *graph)
{
    static const float values[16];
    const hki_st_tensor tensors[] = {
        {.name = "w", .ndim = 2, .dims = {4, 2}, .data = values},
        {.name = "v.act", .ndim = 1, .dims = {4}, .data = values}}; /* a net may lack a slot */
    const hki_st_meta meta[] = {{"hk.graph", graph}};
    hk_net *net;
    hk_tensor *logits;
    CHECK_EQUAL(hki_st_write(path, tensors, 2, meta, 1), HK_OK);
    hk_status status = hk_net_load(path, &net, &logits);
    CHECK((status == HK_OK) == (net != NULL) && !net == !logits);
    hk_net_free(net);
    return status;
}

#define GRAPH(tensors) "{\"version\":1,\"output\":2,\"layers\":[\"fc1\"],\"tensors\":[" tensors "]}"
#define X "{\"op\":\"input\",\"shape\":[-1,4]},"
#define W "{\"op\":\"parameter\",\"name\":\"w\",\"shape\":[4,2],\"layer\":0},"

static void graphs_that_lie_are_refused(void)
{
    static const struct {
        const char *graph, *says;
    } cases[] = {
        {"{", "is not JSON"},
        {"{}", "version 0"},
        {"{\"version\":2,\"output\":0,\"layers\":[],\"tensors\":[]}",
         "version 2, this library reads 1"},
        {"{\"version\":1,\"output\":0,\"layers\":[],\"tensors\":[]}", "0 tensors"},
        {GRAPH(X W "{\"op\":\"warp\",\"shape\":[-1,2],\"inputs\":[0,1]}"), "computed by \"warp\""},
        {GRAPH(X W "{\"op\":\"matmul\",\"shape\":[-1,3],\"inputs\":[0,1]}"), "the file says"},
        {GRAPH(X W "{\"op\":\"matmul\",\"shape\":[-1,2],\"inputs\":[0]}"),
         "another number of inputs"},
        {GRAPH(X W "{\"op\":\"matmul\",\"shape\":[-1,2],\"inputs\":[0,2]}"),
         "neither a leaf nor computed before"},
        {GRAPH(X W "{\"op\":\"matmul\",\"shape\":[-1,2],\"inputs\":[0,-1]}"), "neither a leaf"},
        {GRAPH(X W "{\"op\":\"matmul\",\"shape\":[-1,2],\"inputs\":[0,1],\"layer\":1}"),
         "its layer"},
        {GRAPH(X "{\"op\":\"parameter\",\"name\":\"v\",\"shape\":[4,2]},"
                 "{\"op\":\"matmul\",\"shape\":[-1,2],\"inputs\":[0,1]}"),
         "no values for tensor 1 of its graph, v"},
        {GRAPH(X "{\"op\":\"parameter\",\"name\":\"w\",\"shape\":[4,4]},"
                 "{\"op\":\"matmul\",\"shape\":[-1,2],\"inputs\":[0,1]}"),
         "its graph says [4, 4]"},
        {GRAPH(X W "{\"op\":\"activation\",\"use\":\"relu\",\"shape\":[-1,4],\"inputs\":[0,1]}"),
         "1 slots for relu, which has 0"},
        {GRAPH(X W "{\"op\":\"activation\",\"use\":\"prelu\",\"shape\":[-1,4],\"inputs\":[0,1]}"),
         "slot slope of prelu"},
        {GRAPH(X W "{\"op\":\"activation\",\"use\":\"./evil.so\",\"shape\":[-1,4],\"inputs\":[0]}"),
         "must not choose code"},
        {GRAPH(X W "{\"op\":\"activation\",\"use\":\"no_such\",\"shape\":[-1,4],\"inputs\":[0]}"),
         "no_such"},
        {GRAPH(
             X W
             "{\"op\":\"dropout\",\"amount\":2,\"unit\":0,\"in_evaluation\":false,\"shape\":[-1,4],\"inputs\":[0]}"),
         "rate 2 is outside"},
        {GRAPH(
             X W
             "{\"op\":\"dropout\",\"amount\":0.5,\"unit\":9,\"in_evaluation\":false,\"shape\":[-1,4],\"inputs\":[0]}"),
         "unit 9"},
        {GRAPH(
             X W
             "{\"op\":\"dropout\",\"unit\":0,\"in_evaluation\":false,\"shape\":[-1,4],\"inputs\":[0]}"),
         "\"amount\" is not a number"},
        {GRAPH(X W "{\"op\":\"input\",\"shape\":[-1,2]}"),
         "the output of its graph is not computed"},
        {GRAPH(X "{\"op\":\"parameter\",\"name\":\"v.act\",\"shape\":[4]},"
                 "{\"op\":\"override\",\"use\":\"srelu\",\"other\":\"relu\",\"shape\":[-1,4],"
                 "\"inputs\":[0,1]}"),
         "slots"},
        {GRAPH("{\"op\":\"unused\",\"shape\":[4]}," W
               "{\"op\":\"matmul\",\"shape\":[-1,2],\"inputs\":[0,1]}"),
         "unused tensor"},
        {GRAPH(
             X
             "{\"op\":\"parameter\",\"name\":\"w\",\"shape\":[4,2],\"init\":{\"initializer\":\"he_normal\",\"bias\":0}},"
             "{\"op\":\"matmul\",\"shape\":[-1,2],\"inputs\":[0,1]}"),
         "how it is initialized does not fit"},
    };
    CHECK_EQUAL(
        load_graph(GRAPH(X W "{\"op\":\"matmul\",\"shape\":[-1,2],\"inputs\":[0,1],\"layer\":0}")),
        HK_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(load_graph(cases[i].graph) != HK_OK);
        CHECK_CONTAINS(hk_message(), cases[i].says);
    }
}

static void other_files_say_what_they_are(void)
{
    static const float values[2];
    hk_net *net;
    hk_tensor *logits;
    CHECK_EQUAL(hki_st_write(path,
                             &(hki_st_tensor){.name = "w", .ndim = 1, .dims = {2}, .data = values},
                             1, NULL, 0),
                HK_OK);
    CHECK_EQUAL(hk_net_load(path, &net, &logits), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "holds values and no graph");
    net = hk_net_new(.seed = 1);
    hk_tensor *loss = hk_mse(hk_linear(hk_input(net, 2), 1), hk_input(net, 1));
    CHECK_EQUAL(hk_net_save(loss, path, NULL), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "mean squared error");
    hk_net_free(net);
}

int main(void)
{
    snprintf(folder, sizeof folder, "%s/hillock-saved-XXXXXX", P_tmpdir);
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/a.safetensors", folder);
    snprintf(second, sizeof second, "%s/b.safetensors", folder);
    RUN(every_operation_comes_back);
    RUN(a_second_file_is_the_first);
    RUN(training_goes_on_the_same);
    RUN(a_card_goes_with_the_net);
    RUN(a_new_head_keeps_the_rest);
    RUN(other_programs_files_are_taken_where_they_fit);
    RUN(graphs_that_lie_are_refused);
    RUN(other_files_say_what_they_are);
    unlink(path);
    unlink(second);
    rmdir(folder);
    return check_result();
}
