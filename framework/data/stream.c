/* Streams of tasks: the same images with permuted pixels, with permuted classes, or a few classes at a
 * time. docs/streams.md has the sources. A stream is part of its set: whoever reads images or labels of
 * the set reads those of the task that it shows. */
#include "data/data.h"

#include <string.h>

enum { PERMUTE, LABELS, CLASSES, KINDS };
#define TASKS HKI_WHOLE("tasks", 100, 1, 1e6)
#define IMAGES HKI_WHOLE("images", 0, 1, 1e9)
static const hki_choice kinds[KINDS] = {
    [PERMUTE] = {"permute", {TASKS, IMAGES}},
    [LABELS] = {"labels", {TASKS, IMAGES}},
    [CLASSES] = {"classes", {TASKS, HKI_WHOLE("per", 2, 2, HKI_MAX_CLASSES), IMAGES}},
};

typedef struct asked {
    int kind, per;
    int64_t tasks, images;
} asked;

static hk_status parse(const char *stream, asked *out)
{
    double values[HK_MAX_PARAMS];
    const int kind = hki_spec_choice("stream", stream, kinds, KINDS, values);
    if (kind < 0)
        return hk_last_status();
    const hk_param *params = kinds[kind].params;
    *out = (asked){.kind = kind,
                   .per = (int)hki_spec_value(params, values, "per"),
                   .tasks = (int64_t)hki_spec_value(params, values, "tasks"),
                   .images = (int64_t)hki_spec_value(params, values, "images")};
    return HK_OK;
}

hk_status hk_stream_tasks(const char *stream, int64_t *tasks)
{
    asked it = {0};
    if (hki_null(stream, tasks))
        return HK_BAD_ARGUMENT;
    hk_status status = parse(stream, &it);
    *tasks = status ? 0 : it.tasks;
    return status;
}

/* ---- Tasks ------------------------------------------------------------------------------------ */

static uint64_t key_of(const hki_tasks *s, int64_t task)
{
    return hki_key(s->seed, HKI_STREAM_TASK, (uint64_t)task + 1, 0);
}

/* The classes come in a random order, another one in each round. */
static void show_classes(const hk_data *data, int64_t task)
{
    const hki_tasks *s = data->stream;
    const int64_t tasks = s->whole.classes / s->per, most = data->shape.n / s->per;
    const uint32_t *own = s->classes + task % tasks * s->per;
    int64_t taken = 0;
    hki_permutation(key_of(s, task / tasks), (uint32_t)s->whole.classes, s->classes);
    for (int j = 0; j < s->per; j++)
        for (int64_t i = 0; i < s->whole.n && taken < (j + 1) * most; i++)
            if (s->labels[s->order[i]] == (int32_t)own[j]) {
                s->sample[taken] = s->order[i];
                data->labels[taken++] = j;
            }
}

void hki_data_show_task(const hk_data *data, int64_t task)
{
    const hki_tasks *s = data->stream;
    if (!s)
        return;
    if (s->kind == CLASSES) {
        show_classes(data, task);
        return;
    }
    if (s->kind == PERMUTE)
        hki_permutation(key_of(s, task), (uint32_t)(s->whole.height * s->whole.width), s->pixel);
    else
        hki_permutation(key_of(s, task), (uint32_t)s->whole.classes, s->classes);
    for (int64_t i = 0; i < data->shape.n; i++) {
        const int32_t label = s->labels[s->sample[i]];
        data->labels[i] = s->kind == LABELS ? (int32_t)s->classes[label] : label;
    }
}

/* ---- Making one -------------------------------------------------------------------------------- */

/* The size of the smallest class. */
static int64_t smallest_class(const hk_data *data)
{
    int64_t least = data->shape.n;
    for (int c = 0; c < data->shape.classes; c++) {
        int64_t n = 0;
        for (int64_t i = 0; i < data->shape.n; i++)
            n += data->labels[i] == c;
        least = n < least ? n : least;
    }
    return least;
}

/* Of how many images a task is. */
static hk_status find_images(const hk_data *data, const asked *it, bool whole, int64_t *images)
{
    const hk_data_shape *s = &data->shape;
    if (data->targets)
        return hki_fail(HK_BAD_ARGUMENT, "stream: tasks are of classes; %s has numbers to learn",
                        hk_data_spec(data));
    if (data->stream)
        return hki_fail(HK_BAD_ARGUMENT, "stream: the set is a stream of tasks already");
    if (it->per > s->classes)
        return hki_fail(HK_BAD_ARGUMENT, "stream: per=%d, expected at most the %d classes of %s",
                        it->per, s->classes, hk_data_spec(data));
    const int64_t most = it->kind == CLASSES ? it->per * smallest_class(data) : s->n;
    *images = whole || !it->images ? most : it->images;
    if (*images > most || *images < (it->kind == CLASSES ? it->per : 1))
        return hki_fail(HK_BAD_ARGUMENT, "stream: images=%lld, expected %d..%lld of %s",
                        (long long)*images, it->kind == CLASSES ? it->per : 1, (long long)most,
                        hk_data_spec(data));
    *images -= it->kind == CLASSES ? *images % it->per : 0;
    return HK_OK;
}

void hki_tasks_free(hki_tasks *stream)
{
    if (!stream)
        return;
    hki_free(stream->spec);
    hki_free(stream->labels);
    hki_free(stream->order);
    hki_free(stream->sample);
    hki_free(stream->pixel);
    hki_free(stream->classes);
    hki_free(stream);
}

/* Everything in its place, as if there were one task of all images. */
static hki_tasks *new_stream(const hk_data *data, const char *spec, const asked *it, uint64_t seed,
                             int64_t images)
{
    const hk_data_shape *shape = &data->shape;
    const uint32_t pixels = (uint32_t)shape->height * (uint32_t)shape->width;
    hki_tasks *s = hki_alloc(sizeof *s);
    if (!s)
        return NULL;
    *s = (hki_tasks){.kind = it->kind,
                     .tasks = it->tasks,
                     .per = it->per,
                     .seed = seed,
                     .whole = *shape,
                     .spec = hki_copy_text(spec),
                     .labels = hki_alloc_array((size_t)images, sizeof *s->labels),
                     .order = hki_alloc_array((size_t)shape->n, sizeof *s->order),
                     .sample = hki_alloc_array((size_t)images, sizeof *s->sample),
                     .pixel = hki_alloc_array(pixels, sizeof *s->pixel),
                     .classes = hki_alloc_array((size_t)shape->classes, sizeof *s->classes)};
    if (!s->spec || !s->labels || !s->order || !s->sample || !s->pixel || !s->classes) {
        hki_tasks_free(s);
        return NULL;
    }
    hki_permutation(hki_key(seed, HKI_STREAM_TASK, 0, 0), (uint32_t)shape->n, s->order);
    memcpy(s->sample, s->order, (size_t)images * sizeof *s->sample);
    for (uint32_t i = 0; i < pixels; i++)
        s->pixel[i] = i;
    return s;
}

hk_status hk_data_stream(hk_data *data, const char *stream, uint64_t seed, int whole)
{
    asked it = {0};
    int64_t images = 0;
    if (hki_null(data, stream))
        return HK_BAD_ARGUMENT;
    hk_status status = parse(stream, &it);
    if (!status)
        status = find_images(data, &it, whole, &images);
    if (status)
        return status;
    hki_tasks *s = new_stream(data, stream, &it, seed, images);
    if (!s)
        return HK_NO_MEMORY;
    int32_t *own = s->labels; /* the set's labels become the stream's, this room the task's */
    s->labels = data->labels;
    data->labels = own;
    data->stream = s;
    data->shape.n = images;
    if (it.kind != PERMUTE) { /* a class has no name that holds for all tasks */
        data->shape.classes = it.kind == CLASSES ? it.per : data->shape.classes;
        status = hki_data_name(data, NULL);
    }
    hki_data_show_task(data, 0);
    return status;
}
