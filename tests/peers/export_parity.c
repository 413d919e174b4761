/* What a saved net computes, for export_parity.py: raw inputs, drawn here, and logits, as little-endian floats;
 * and whether another net that takes the arrays of --torch computes the same bits.
 *     export_parity NET RAW LOGITS TORCH */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hillock/hillock.h>

enum { SAMPLES = 4 };

static double noise(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 40) / (1 << 24);
}

static int64_t count(hk_shape shape)
{
    int64_t n = 1;
    for (int i = 1; i < shape.ndim; i++)
        n *= shape.dims[i];
    return n;
}

static void put(const char *path, const float *values, int64_t n)
{
    FILE *to = fopen(path, "wb");
    if (!to || fwrite(values, sizeof *values, (size_t)n, to) != (size_t)n || fclose(to) != 0)
        exit(1);
}

static void forget(const hk_stored *tensor, void *net)
{
    hk_tensor *t = hk_net_tensor(net, tensor->name);
    float *values = calloc((size_t)tensor->bytes + 1, 1);
    if (t && (!values || hk_tensor_write(t, values) != HK_OK))
        exit(1);
    free(values);
}

static void ignore(const char *tensor, const char *reason, void *user)
{
    (void)tensor, (void)reason, (void)user;
}

int main(int argc, char **argv)
{
    hk_net *net, *other;
    hk_tensor *logits, *again;
    uint64_t state = 1;
    int fitting;
    if (argc != 5 || hk_net_load(argv[1], &net, &logits) || hk_net_load(argv[1], &other, &again)) {
        fprintf(stderr, "export_parity: %s\n", hk_message());
        return 1;
    }
    const int64_t n = SAMPLES * count(hk_tensor_shape(hk_tensor_input(logits)));
    const int64_t m = SAMPLES * count(hk_tensor_shape(logits));
    float *raw = malloc((size_t)n * sizeof *raw), *x = malloc((size_t)n * sizeof *x);
    float *y = malloc((size_t)m * sizeof *y), *z = malloc((size_t)m * sizeof *z);
    if (!raw || !x || !y || !z)
        return 1;
    for (int64_t i = 0; i < n; i++)
        raw[i] = (float)(int)(256 * noise(&state));
    if (hk_net_standardise(logits, SAMPLES, raw, x) || hk_net_predict(logits, SAMPLES, x, y) ||
        hk_stored_each(argv[1], forget, NULL, other) ||
        hk_net_load_fitting(other, argv[4], &fitting, ignore, NULL) ||
        hk_net_predict(again, SAMPLES, x, z)) {
        fprintf(stderr, "export_parity: %s\n", hk_message());
        return 1;
    }
    put(argv[2], raw, n);
    put(argv[3], y, m);
    puts(memcmp(y, z, (size_t)m * sizeof *y) ? "other bits" : "the same bits");
    free(raw), free(x), free(y), free(z);
    hk_net_free(net);
    hk_net_free(other);
    return 0;
}
