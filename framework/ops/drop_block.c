/* DropBlock: Ghiasi, Lin, Le 2018, arXiv:1810.12890. Squares of a channel's map become 0, for
 * neighbours say nearly the same and single zeros hide nothing.
 *
 * Squares start where a draw is below gamma, so that a share `rate` is dropped if none overlapped:
 *     gamma = rate / B^2  H W / ((H - B + 1) (W - B + 1))
 * and the rest is scaled by H W C / how many are left. The paper counts those of the whole batch;
 * here each sample has its own scale, so that no sample depends on its neighbours. Backward draws
 * the same squares again. */
#include "ops/ops.h"

#include <stddef.h>
#include <string.h>

#include <hillock/random.h>

typedef struct drop_block {
    double rate;
    int size; /* B, at most height and width */
} drop_block;

/* Which numbers of the sample that starts at `first` are kept; returns how many. */
static int64_t draw_squares(const drop_block *d, const hk_shape *map, uint64_t key, int64_t first,
                            uint8_t *kept)
{
    const int64_t height = map->dims[1], width = map->dims[2], channels = map->dims[3];
    const int64_t rows = height - d->size + 1, columns = width - d->size + 1;
    const double gamma =
        d->rate * (double)(height * width) / ((double)(rows * columns) * d->size * d->size);
    int64_t left = 0;
    memset(kept, 1, (size_t)(height * width * channels));
    for (int64_t row = 0; row < rows; row++) {
        uint32_t draw[4];
        for (int64_t i = 0; i < columns * channels; i++) { /* the corners of a row's squares */
            const uint64_t index = (uint64_t)(first + row * width * channels + i);
            if (i == 0 || index % 4 == 0)
                hks_philox(key, index / 4, draw);
            if (draw[index % 4] >> 8 >= (uint32_t)(gamma * 0x1p24))
                continue;
            for (int64_t h = row; h < row + d->size; h++)
                for (int64_t w = i / channels; w < i / channels + d->size; w++)
                    kept[(h * width + w) * channels + i % channels] = 0;
        }
    }
    for (int64_t i = 0; i < height * width * channels; i++)
        left += kept[i];
    return left;
}

static void drop(const hki_call *call, const float *in, float *out)
{
    const hk_shape *shape = &call->tensor->shape;
    const int64_t size = hki_sample_count(shape);
    if (!call->training) {
        if (out != in)
            memcpy(out, in, (size_t)(call->batch * size) * sizeof *out);
        return;
    }
#pragma omp parallel for num_threads(hki_threads_for((call->batch * size))) schedule(static)
    for (int64_t s = 0; s < call->batch; s++) {
        uint8_t *kept = (uint8_t *)call->scratch + s * size;
        int64_t left = draw_squares(call->tensor->attributes, shape, call->key, s * size, kept);
        const float scale = left ? (float)((double)size / (double)left) : 0;
        for (int64_t i = 0; i < size; i++)
            out[s * size + i] = kept[i] ? scale * in[s * size + i] : 0;
    }
}

static void drop_block_forward(const hki_call *call)
{
    drop(call, call->x[0], call->y);
}

static void drop_block_backward(const hki_call *call)
{
    drop(call, call->dy, call->dx[0]);
}

static size_t drop_block_scratch(const hk_tensor *y, int64_t batch)
{
    return (size_t)hki_count(&y->shape, batch);
}

static const hki_constant block_kept[] = {{"rate", HKI_REAL, offsetof(drop_block, rate)},
                                          {"size", HKI_INTEGER, offsetof(drop_block, size)},
                                          {0}};

static hk_tensor *drop_block_again(const hk_tensor *like)
{
    const drop_block *d = like->attributes;
    return hk_drop_block(like->inputs[0], d->rate, d->size);
}

const hki_op hki_op_drop_block = {.name = "drop block",
                                  .operands = 1,
                                  .attribute_bytes = sizeof(drop_block),
                                  .kept = block_kept,
                                  .again = drop_block_again,
                                  .forward = drop_block_forward,
                                  .backward = drop_block_backward,
                                  .scratch_bytes = drop_block_scratch,
                                  .in_place = hki_always};

hk_tensor *hk_drop_block(hk_tensor *x, double rate, int size)
{
    if (hki_null_operand("drop block", x))
        return NULL;
    if (!(rate >= 0 && rate < 1) || size < 1)
        return hki_fail_null(HK_BAD_ARGUMENT,
                             "drop block: rate %g and size %d, expected a rate in [0, 1) and "
                             "a size of at least 1",
                             rate, size);
    if (x->shape.ndim != 4 || !hki_is_batched(&x->shape))
        return hki_fail_null(HK_BAD_SHAPE, "drop block: expects a batch of maps, not %s",
                             hki_shape_text(&x->shape));
    if (rate == 0)
        return x;
    const int64_t height = x->shape.dims[1], width = x->shape.dims[2];
    const int64_t most = height < width ? height : width;
    const drop_block d = {rate, size < most ? size : (int)most};
    return hki_compute(&hki_op_drop_block, &x, 1, x->shape, &d);
}
