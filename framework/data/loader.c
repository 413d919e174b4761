/* Batches. A thread of the loader's own prepares the next one while the current one is used.
 *
 * Two buffers take turns: the caller holds the front one, the thread fills the back one. `wanted`
 * says whose turn the back buffer and the position are: the thread's while it is true, the
 * caller's else. What is drawn depends on (seed, epoch, image) alone, not on who comes first. */
#include "data/data.h"

#include <hillock/random.h>
#include <string.h>

typedef struct buffer {
    float *x;
    int32_t *labels;
    float *targets;
    int64_t n, whole; /* images in it, and in those of all ranks; whole = 0: the epoch is over */
} buffer;

struct hk_loader {
    const hk_data *data;
    int64_t batch;
    int rank, ranks;
    bool shuffle, flip;
    int crop; /* zeroes around the image before it is cut out again; 0: none */
    uint64_t seed, epoch;
    float *zero;     /* [channels], what a pixel of 0 becomes */
    uint32_t *order; /* [n] */
    int64_t position;
    buffer buffers[2];
    int back;
    bool wanted, stop;
    pthread_mutex_t mutex;
    pthread_cond_t change;
    pthread_t thread;
    bool has_thread;
};

/* ---- Images ---------------------------------------------------------------------------------- */

static void fill_zero(const hk_loader *l, float *x, int pixels)
{
    size_t channels = (size_t)l->data->shape.channels;
    for (int i = 0; i < pixels; i++, x += channels)
        memcpy(x, l->zero, channels * sizeof *x);
}

static void mirror(float *x, int width, int channels)
{
    for (int a = 0, b = width - 1; a < b; a++, b--) {
        for (int c = 0; c < channels; c++) {
            float swap = x[a * channels + c];
            x[a * channels + c] = x[b * channels + c];
            x[b * channels + c] = swap;
        }
    }
}

/* A whole number in -reach..reach. */
static int draw_shift(uint64_t key, uint64_t index, int reach)
{
    return (int)(hks_uniform(key, index) * (float)(2 * reach + 1)) - reach;
}

static void read_image(const hk_loader *l, uint32_t image, float *x)
{
    hk_data_shape s = l->data->shape;
    uint64_t key = hki_key(l->seed, HKI_STREAM_AUGMENT, l->epoch, image);
    int down = draw_shift(key, 0, l->crop), right = draw_shift(key, 1, l->crop);
    bool flip = l->flip && hks_uniform(key, 2) < 0.5f;
    int first = right < 0 ? -right : 0, last = right > 0 ? s.width - right : s.width;
    for (int y = 0; y < s.height; y++, x += (size_t)s.width * (size_t)s.channels) {
        int row = y + down;
        if (row < 0 || row >= s.height) {
            fill_zero(l, x, s.width);
            continue;
        }
        fill_zero(l, x, first);
        hki_data_row(l->data, image, row, first + right, last - first, x + first * s.channels);
        fill_zero(l, x + last * s.channels, s.width - last);
        if (flip)
            mirror(x, s.width, s.channels);
    }
}

/* This rank's of the batch at `position` into the back buffer; an empty one behind the end. */
static void prepare(hk_loader *l)
{
    const hk_data_shape s = l->data->shape;
    buffer *b = &l->buffers[l->back];
    size_t length = hki_image_length(l->data);
    b->whole = l->batch < s.n - l->position ? l->batch : s.n - l->position;
    const int64_t first = b->whole * l->rank / l->ranks;
    const uint32_t *index = l->order + l->position + first;
    b->n = b->whole * (l->rank + 1) / l->ranks - first;
    for (int64_t i = 0; i < b->n; i++) {
        if (i + 1 < b->n)
            hki_data_prefetch(l->data, index[i + 1]);
        read_image(l, index[i], b->x + (size_t)i * length);
        b->labels[i] = l->data->labels[index[i]];
        if (l->data->targets)
            b->targets[i] = hki_data_standard_target(l->data, index[i]);
    }
}

/* ---- The thread ------------------------------------------------------------------------------ */

static void *work(void *user)
{
    hk_loader *l = user;
    pthread_mutex_lock(&l->mutex);
    for (;;) {
        while (!l->wanted && !l->stop)
            pthread_cond_wait(&l->change, &l->mutex);
        if (l->stop)
            break;
        pthread_mutex_unlock(&l->mutex);
        prepare(l);
        pthread_mutex_lock(&l->mutex);
        l->wanted = false;
        pthread_cond_broadcast(&l->change);
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

/* Locks, and waits until the back buffer is the caller's. */
static void take_over(hk_loader *l)
{
    pthread_mutex_lock(&l->mutex);
    while (l->wanted)
        pthread_cond_wait(&l->change, &l->mutex);
}

/* Hands the back buffer to the thread and unlocks. */
static void hand_over(hk_loader *l)
{
    l->wanted = true;
    pthread_cond_broadcast(&l->change);
    pthread_mutex_unlock(&l->mutex);
}

/* ---- Options --------------------------------------------------------------------------------- */

/* "none", or items "crop=N" and "flip" with commas between. */
static hk_status parse_augment(hk_loader *l, const char *augment)
{
    if (!augment || !*augment || strcmp(augment, "none") == 0)
        return HK_OK;
    char *copy = hki_copy_text(augment), *rest = copy;
    if (!copy)
        return HK_NO_MEMORY;
    hk_data_shape s = l->data->shape;
    int64_t crop, side = s.height < s.width ? s.height : s.width;
    hk_status status = HK_OK;
    for (char *item; status == HK_OK && (item = strsep(&rest, ","));) {
        bool crops = strncmp(item, "crop=", 5) == 0;
        if (strcmp(item, "flip") == 0)
            l->flip = true;
        else if (crops && hki_parse_int(item + 5, 1, side, &crop))
            l->crop = (int)crop;
        else if (crops)
            status = hki_fail(HK_BAD_ARGUMENT,
                              "augment: crop=%.32s on images of %d x %d, expected a "
                              "whole number 1..%lld",
                              item + 5, s.height, s.width, (long long)side);
        else
            status = hki_fail(HK_UNKNOWN_NAME,
                              "augment: unknown \"%.64s\"; known: none, crop=N, flip", item);
    }
    hki_free(copy);
    return status;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static hk_status allocate(hk_loader *l)
{
    hk_data_shape s = l->data->shape;
    size_t floats;
    if (!hki_mul((size_t)l->batch, hki_image_length(l->data), &floats))
        return hki_fail(HK_NO_MEMORY, "loader: batches of %lld images are too large",
                        (long long)l->batch);
    l->zero = hki_alloc_array((size_t)s.channels, sizeof *l->zero);
    l->order = hki_alloc_array((size_t)s.n, sizeof *l->order);
    if (!l->zero || !l->order)
        return HK_NO_MEMORY;
    for (int c = 0; c < s.channels; c++)
        l->zero[c] = (0 - l->data->mean[c]) * l->data->inverse_sd[c];
    for (int i = 0; i < 2; i++) {
        l->buffers[i].x = hki_alloc_array(floats, sizeof(float));
        l->buffers[i].labels = hki_alloc_array((size_t)l->batch, sizeof(int32_t));
        l->buffers[i].targets =
            hki_alloc_array(l->data->targets ? (size_t)l->batch : 1, sizeof(float));
        if (!l->buffers[i].x || !l->buffers[i].labels || !l->buffers[i].targets)
            return HK_NO_MEMORY;
    }
    return HK_OK;
}

hk_status hk_loader_new(const hk_data *data, const hk_loader_options *options, hk_loader **out)
{
    if (out)
        *out = NULL;
    if (hki_null(data, options, out))
        return HK_BAD_ARGUMENT;
    if (options->batch < 1)
        return hki_fail(HK_BAD_ARGUMENT, "loader: batches of %d images, expected at least 1",
                        options->batch);
    const int ranks = options->ranks ? options->ranks : 1;
    if (ranks < 1 || options->rank < 0 || options->rank >= ranks)
        return hki_fail(HK_BAD_ARGUMENT, "loader: rank %d of %d", options->rank, ranks);
    hk_loader *l = hki_alloc(sizeof *l);
    if (!l)
        return HK_NO_MEMORY;
    l->data = data;
    l->batch = options->batch < data->shape.n ? options->batch : data->shape.n;
    l->rank = options->rank;
    l->ranks = ranks;
    l->shuffle = options->shuffle;
    l->seed = options->seed;
    l->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    l->change = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    hk_status status = parse_augment(l, options->augment);
    if (status == HK_OK)
        status = allocate(l);
    if (status == HK_OK && !(l->has_thread = hki_thread_start(&l->thread, work, l)))
        status = hki_fail(HK_NO_MEMORY, "loader: cannot create a thread");
    if (status)
        hk_loader_free(l);
    else
        *out = l;
    return status;
}

void hk_loader_free(hk_loader *l)
{
    if (!l)
        return;
    if (l->has_thread) {
        pthread_mutex_lock(&l->mutex);
        l->stop = true;
        pthread_cond_broadcast(&l->change);
        pthread_mutex_unlock(&l->mutex);
        pthread_join(l->thread, NULL);
    }
    pthread_cond_destroy(&l->change);
    pthread_mutex_destroy(&l->mutex);
    for (int i = 0; i < 2; i++) {
        hki_free(l->buffers[i].x);
        hki_free(l->buffers[i].labels);
        hki_free(l->buffers[i].targets);
    }
    hki_free(l->zero);
    hki_free(l->order);
    hki_free(l);
}

void hk_loader_start(hk_loader *l, int64_t epoch)
{
    if (hki_null(l))
        return;
    uint32_t n = (uint32_t)l->data->shape.n;
    take_over(l);
    l->epoch = (uint64_t)epoch;
    l->position = 0;
    if (l->shuffle) {
        hki_permutation(hki_key(l->seed, HKI_STREAM_SHUFFLE, l->epoch, 0), n, l->order);
    } else {
        for (uint32_t i = 0; i < n; i++)
            l->order[i] = i;
    }
    hand_over(l);
}

hk_batch hk_loader_next(hk_loader *l)
{
    if (hki_null(l))
        return (hk_batch){0};
    take_over(l);
    const buffer *front = &l->buffers[l->back];
    if (front->whole == 0) {
        pthread_mutex_unlock(&l->mutex);
        return (hk_batch){0};
    }
    l->position += front->whole;
    l->back = 1 - l->back;
    hand_over(l);
    return (hk_batch){front->n, front->x, front->labels, l->data->targets ? front->targets : NULL,
                      front->whole};
}
