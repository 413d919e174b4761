/* Saves a net for another program to read and to evaluate (saved_parity.py): to FILE, and to standard output
 * its tensors as it has them, an input and what it computes of that.
 *     saved_parity FILE */
#include <stdio.h>
#include <stdlib.h>

#include <hillock/hillock.h>

enum { SIDE = 9, CHANNELS = 2, CLASSES = 3, INPUT = SIDE * SIDE * CHANNELS, MOST = 4096 };

/* A residual block with a strided shortcut, three activations, groups, and no model of the catalogue. */
static hk_tensor *build(hk_net *net)
{
    hk_tensor *x = hk_act(hk_norm(hk_conv(hk_input(net, SIDE, SIDE, CHANNELS), 4, 3)));
    hk_tensor *y = hk_act(hk_norm(hk_conv(x, 6, 3, .stride = 2)), "elu:alpha=0.5");
    y = hk_norm(hk_conv(y, 6, 3, .groups = 2));
    x = hk_act(hk_add(y, hk_conv(x, 6, 1, .stride = 2, .no_bias = 1)), "prelu");
    x = hk_conv(hk_maxpool(x, 2), 5, 2, .padding = HK_VALID);
    return hk_linear(x, CLASSES, .name = "head");
}

static double noise(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 40) / (1 << 24);
}

static void put(const char *name, const float *values, int64_t n)
{
    printf("%s", name);
    for (int64_t i = 0; i < n; i++)
        printf(" %.9g", (double)values[i]);
    putchar('\n');
}

static int64_t count(const hk_stored *tensor)
{
    return tensor->bytes / (int64_t)sizeof(float);
}

/* Statistics and slopes as after a training: none is 0 or 1. */
static void shake(const hk_stored *tensor, void *net)
{
    static float values[MOST];
    uint64_t state = (uint64_t)tensor->bytes;
    hk_tensor *t = hk_net_tensor(net, tensor->name);
    if (!t || count(tensor) > MOST || hk_tensor_read(t, values) != HK_OK)
        exit(1);
    for (int64_t i = 0; i < count(tensor); i++)
        values[i] += (float)(0.2 * noise(&state));
    if (hk_tensor_write(t, values) != HK_OK)
        exit(1);
}

static void show(const hk_stored *tensor, void *net)
{
    static float values[MOST];
    if (hk_tensor_read(hk_net_tensor(net, tensor->name), values) != HK_OK)
        exit(1);
    put(tensor->name, values, count(tensor));
}

int main(int argc, char **argv)
{
    static float x[2 * INPUT], y[2 * CLASSES];
    uint64_t state = 1;
    hk_net *net = hk_net_new(.normalization = "batch_norm:eps=0.001", .seed = 1);
    hk_tensor *logits = build(net);
    if (argc != 2 || !logits || hk_net_save(logits, argv[1], NULL) ||
        hk_stored_each(argv[1], shake, NULL, net) || hk_net_save(logits, argv[1], NULL) ||
        hk_stored_each(argv[1], show, NULL, net)) {
        fprintf(stderr, "saved_parity: %s\n", hk_message());
        return 1;
    }
    for (int i = 0; i < 2 * INPUT; i++)
        x[i] = (float)(2 * noise(&state) - 1);
    if (hk_net_predict(logits, 2, x, y) != HK_OK)
        return 1;
    put("input", x, 2 * INPUT);
    put("output", y, 2 * CLASSES);
    hk_net_free(net);
    return 0;
}
