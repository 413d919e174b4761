/* Folders of pictures, a folder per class: DIR/CLASS/NAME.png, or DIR/train/CLASS and DIR/test/CLASS.
 *
 * Classes stand in the order of strcmp, pictures in that of their names. A test set that is not there
 * is drawn from the pictures, test=0.2. Pictures of several sizes need size=, to which their middles
 * are cut and scaled. */
#include "data/data.h"

#include "data/picture.h"
#include "io/io.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hki_folder_clear(hki_folder *f)
{
    for (size_t i = 0; i < f->n; i++)
        hki_free(f->names[i]);
    hki_free(f->names);
    *f = (hki_folder){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool hki_is_folder(const char *path)
{
    struct stat info;
    return hki_files.stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

hk_status hki_folder_list(const char *path, bool folders, hki_folder *out)
{
    *out = (hki_folder){0};
    DIR *dir = opendir(path);
    if (!dir)
        return hki_fail(HK_BAD_DATA, "%s: %s", path, strerror(errno));
    size_t room = 0;
    hk_status status = HK_OK;
    for (struct dirent *entry; !status && (entry = readdir(dir));) {
        char *whole = entry->d_name[0] == '.' ? NULL : hki_format("%s/%s", path, entry->d_name);
        if (whole && (folders ? hki_is_folder(whole) : hki_picture_name(entry->d_name))) {
            if (out->n == room) {
                size_t more = room ? 2 * room : 64;
                char **names = hki_grow(out->names, room * sizeof *names, more * sizeof *names);
                status = names ? HK_OK : HK_NO_MEMORY;
                out->names = names ? names : out->names;
                room = names ? more : room;
            }
            if (!status && (out->names[out->n] = hki_copy_text(entry->d_name)))
                out->n++;
            else
                status = HK_NO_MEMORY;
        } else if (!whole && entry->d_name[0] != '.') {
            status = HK_NO_MEMORY;
        }
        hki_free(whole);
    }
    closedir(dir);
    if (out->n) /* qsort takes no NULL */
        qsort(out->names, out->n, sizeof *out->names, compare_names);
    if (status)
        hki_folder_clear(out);
    return status;
}

/* ---- One part: the classes' folders below a folder ------------------------------------------- */

typedef struct part {
    const char *path;
    const hki_folder *classes;
    hk_data_shape shape; /* height 0: that of the first picture; channels 0: grey if all are */
    bool fits, channels_given; /* pictures are cut and scaled; made grey or coloured */
    hk_data *data;             /* NULL while pictures are counted */
    int64_t n;
} part;

/* Counts a picture, and takes the set's shape from it. */
static hk_status count_picture(part *p, const char *path)
{
    hki_picture picture;
    hk_data_shape *s = &p->shape;
    hk_status status = hki_picture_look(path, &picture);
    if (status)
        return status;
    if (!s->height) {
        s->height = picture.height;
        s->width = picture.width;
    }
    if (!p->fits && (picture.height != s->height || picture.width != s->width))
        return hki_fail(
            HK_BAD_DATA,
            "%s: %d x %d pixels, the pictures before it have %d x %d; give size=N, to which "
            "all are cut and scaled",
            path, picture.height, picture.width, s->height, s->width);
    if (!p->channels_given && picture.channels > s->channels)
        s->channels = picture.channels;
    p->n++;
    return HK_OK;
}

void hki_data_picture(hk_data *data, int64_t i, const hki_picture *picture)
{
    const hk_data_shape *s = &data->shape;
    hki_picture_fit(picture, s->height, s->width, s->channels,
                    data->bytes + (size_t)i * hki_image_length(data));
}

static hk_status take_picture(part *p, const char *path, int label)
{
    hki_picture picture;
    hk_status status = p->n < p->data->shape.n
                           ? hki_picture_read(path, &picture)
                           : hki_fail(HK_IO, "%s: came while its folder was read", path);
    if (status)
        return status;
    p->data->labels[p->n] = label;
    hki_data_picture(p->data, p->n++, &picture);
    hki_free(picture.pixels);
    return HK_OK;
}

/* Every picture of every class, in order. A class may be absent from a test part. */
static hk_status walk(part *p)
{
    hk_status status = HK_OK;
    p->n = 0;
    for (size_t k = 0; k < p->classes->n && !status; k++) {
        hki_folder pictures = {0};
        char *path = hki_format("%s/%s", p->path, p->classes->names[k]);
        status = !path                 ? HK_NO_MEMORY
                 : hki_is_folder(path) ? hki_folder_list(path, false, &pictures)
                                       : HK_OK;
        for (size_t i = 0; i < pictures.n && !status; i++) {
            char *file = hki_format("%s/%s", path, pictures.names[i]);
            status = !file     ? HK_NO_MEMORY
                     : p->data ? take_picture(p, file, (int)k)
                               : count_picture(p, file);
            hki_free(file);
        }
        hki_folder_clear(&pictures);
        hki_free(path);
    }
    return status;
}

static hk_status open_part(part *p)
{
    hk_status status = walk(p);
    if (status)
        return status;
    if (p->n == 0)
        return hki_fail(HK_BAD_DATA,
                        "%s: no pictures in its folders, expected CLASS/NAME.png, .jpg or .jpeg",
                        p->path);
    p->shape.n = p->n;
    p->shape.classes = (int)p->classes->n;
    status = hki_data_new(p->shape, HKI_BYTES, &p->data);
    if (!status)
        status = hki_data_name(p->data, (const char *const *)p->classes->names);
    if (!status)
        status = walk(p);
    if (!status && p->n != p->data->shape.n)
        status = hki_fail(HK_IO, "%s: pictures went while they were read", p->path);
    return status;
}

static hk_status describe(const part *p)
{
    const hk_data_shape *s = &p->data->shape;
    p->data->about =
        hki_format("%lld pictures of %d classes, %d x %d %s%s", (long long)s->n, s->classes,
                   s->height, s->width, s->channels == 1 ? "grey" : "coloured",
                   p->fits ? ", their middles cut and scaled" : "");
    return p->data->about ? HK_OK : HK_NO_MEMORY;
}

hk_status hki_images_open(const hki_request *request, hk_data **train, hk_data **test)
{
    const double *values = request->values;
    const int size = (int)values[HKI_IMAGES_SIZE], channels = (int)values[HKI_IMAGES_CHANNELS];
    hki_folder classes = {0};
    char *parts[2] = {hki_format("%s/train", request->path), hki_format("%s/test", request->path)};
    hk_status status = parts[0] && parts[1] ? HK_OK : HK_NO_MEMORY;
    bool has_train = !status && hki_is_folder(parts[0]),
         has_test = !status && hki_is_folder(parts[1]);
    has_test = has_test && (has_train || request->test_alone);
    const bool alone = request->test_alone && has_test;
    part p = {.path = alone       ? parts[1]
                      : has_train ? parts[0]
                                  : request->path,
              .classes = &classes,
              .fits = size > 0,
              .channels_given = channels > 0,
              .shape = {.height = size, .width = size, .channels = channels}};
    if (!status)
        status = hki_folder_list(p.path, true, &classes);
    if (!status && classes.n == 0)
        status = hki_fail(HK_BAD_DATA, "%s: has no folders, expected one for each class", p.path);
    if (!status)
        status = open_part(&p);
    if (!status)
        status = describe(&p);
    *(alone ? test : train) = p.data;
    if (!status && has_test && !alone) {
        part q = p;
        q.path = parts[1];
        q.data = NULL;
        q.channels_given = true;
        status = open_part(&q);
        *test = q.data;
    } else if (!status && !alone) {
        status = hki_data_keep_test(request->path, *train, values[HKI_IMAGES_TEST],
                                    values[HKI_IMAGES_SEED], test);
    }
    hki_folder_clear(&classes);
    hki_free(parts[0]);
    hki_free(parts[1]);
    return status;
}
