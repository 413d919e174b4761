/* sparse: a unit has a few connections, chosen at random, with normal weights; all other weights are
 * 0. Martens 2010, "Deep learning via Hessian-free optimization", section 5, has 15 to a unit; by
 * default it is a share of them, (1 - sparsity) fan_in, at least one.
 *
 * The number of zeros of a unit is exact. Zeros are placed by walking down the column: where m of
 * the n places left are to be zero, the next one is with probability m / n (Knuth, volume 2,
 * 3.4.2, algorithm S). */
#include <hillock/kernel.h>

enum { SPARSITY, STD, CONNECTIONS };
HK_PARAMS({.name = "sparsity",
           .doc = "share of a unit's weights that are 0",
           .type = HK_REAL,
           .value = 0.9,
           .low = 0,
           .high = 1},
          {.name = "std",
           .doc = "standard deviation of the others",
           .type = HK_REAL,
           .value = 0.01,
           .low = 0,
           .high = 1e6},
          {.name = "connections",
           .doc = "of a unit, at most fan_in; 0: as sparsity says",
           .type = HK_INTEGER,
           .value = 0,
           .low = 0,
           .high = 1 << 30});

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    const int64_t rows = weight->rows, columns = weight->columns;
    const int64_t given = (int64_t)context->params[CONNECTIONS];
    const int64_t share = rows - (int64_t)ceil(context->params[SPARSITY] * (double)rows);
    const int64_t wanted = given ? given : share > 1 ? share : 1;
    const int64_t zeros = wanted < rows ? rows - wanted : 0;
    hks_fill_normal(weight, 0, context->params[STD]);
    for (int64_t j = 0; j < columns; j++) {
        int64_t left = zeros;
        for (int64_t i = 0; i < rows && left; i++) {
            float u = hks_uniform(weight->key + 1, (uint64_t)(i * columns + j));
            if ((double)u * (double)(rows - i) < (double)left) {
                weight->w[i * columns + j] = 0;
                left--;
            }
        }
    }
    return NULL;
}

static const hk_initializer sparse = {.fill = fill};

HK_BUNDLE({HK_INITIALIZER_ROW(sparse), .initializer = &sparse, .params = params,
           .summary = "N(0, std^2) for a few weights of a unit, 0 for the others",
           .source = "Martens 2010", .tags = "random"});
