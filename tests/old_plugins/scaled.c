/* A plugin file as it was built when the ABI was 0.MINOR: it includes no header of today's. Every
 * struct stands here as it was, and stays like that; where a version changed one, the preprocessor
 * tells them apart. Changes: 0.2 gave hk_plugin its tags; 0.3 raised the most slots from 8 to 16; 0.4
 * gave hk_plugin its model; 0.5 its formula.
 *
 * y = factor x, with a parameter, a backward that reads nothing, and a reference. */
#include <stdint.h>

typedef struct param {
    const char *name, *doc;
    uint32_t type, flags;
    double value, low, high;
    const char *choices;
} param;

typedef struct context {
    int64_t rows, channels, rows_per_sample;
    uint32_t training, surrogate;
    uint64_t key;
    const double *params;
    float *const *slots;
} context;

typedef struct tile {
    int64_t rows, first_row;
    const float *x, *dy;
    float *y, *dx, *aux;
    float *const *dslots;
    float *sums;
    const float *coef, *bcoef;
} tile;

typedef struct scalar64 {
    double x, y, u;
    const double *p, *t;
    int64_t channel;
    int training, surrogate;
} scalar64;

typedef struct activation {
    uint32_t reads, traits, aux_floats, n_sums;
    struct {
        void (*forward)(const context *, const tile *), (*backward)(const context *, const tile *);
    } kernels[3];
    int64_t (*channels_out)(const context *, int64_t);
    void (*update)(const context *, const void *);
    double (*value)(const scalar64 *), (*slope)(const scalar64 *);
    double (*gradient)(const scalar64 *, int);
} activation;

typedef struct plugin {
    uint32_t kind, size;
    const char *name, *aliases, *summary;
#if MINOR >= 5
    const char *formula;
#endif
    const char *source;
#if MINOR >= 2
    const char *tags;
#endif
    const param *params;
    const void *slots;
    void (*start)(const context *);
    const activation *activation;
    const void *normalization, *initializer;
#if MINOR >= 4
    const void *model;
#endif
} plugin;

typedef struct bundle {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t size, count;
    const plugin *plugins;
} bundle;

static void forward(const context *c, const tile *t)
{
    for (int64_t i = 0; i < t->rows * c->channels; i++)
        t->y[i] = (float)c->params[0] * t->x[i];
}

static void backward(const context *c, const tile *t)
{
    for (int64_t i = 0; i < t->rows * c->channels; i++)
        t->dx[i] = (float)c->params[0] * t->dy[i];
}

static double value(const scalar64 *at)
{
    return at->p[0] * at->x;
}

static double slope(const scalar64 *at)
{
    return at->p[0];
}

static const param params[] = {
    {.name = "factor", .doc = "what x is multiplied with", .type = 1, .value = 2}, {0}};
static const activation table = {
    .traits = 4, .kernels = {{forward, backward}}, .value = value, .slope = slope};
static const plugin plugins[] = {{.kind = 1,
                                  .size = sizeof(activation),
                                  .name = "scaled",
                                  .summary = "factor x",
                                  .source = "a test",
                                  .params = params,
                                  .activation = &table}};

extern const bundle hk_bundle_entry;
const bundle hk_bundle_entry = {0x504C4B48u, 0, MINOR, sizeof(plugin), 1, plugins};
