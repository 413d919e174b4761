/* Samples for a net to predict: pictures, folders of them, tables, standard input. */
#include "data/data.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "data/picture.h"
#include "io/io.h"

/* ---- Pictures ---------------------------------------------------------------------------------- */

static hk_status new_pictures(hk_data_shape shape, const char *const *names, hk_data **out)
{
    if (shape.channels != 1 && shape.channels != 3)
        return hki_fail(HK_BAD_DATA,
                        "%s: a picture for a net whose input has %d channels, expected 1 or 3",
                        names[0], shape.channels);
    hk_status status = hki_data_new(shape, HKI_BYTES, out);
    if (status)
        return status;
    for (int64_t i = 0; i < shape.n; i++)
        (*out)->labels[i] = -1;
    (*out)->samples = hki_copy_texts(names, (size_t)shape.n);
    return (*out)->samples ? HK_OK : HK_NO_MEMORY;
}

static hk_status one_picture(const char *path, const uint8_t *bytes, size_t size,
                             hk_data_shape shape, hk_data **out)
{
    hki_picture picture;
    shape.n = 1;
    hk_status status = hki_picture_parse(path, bytes, size, true, &picture);
    if (status)
        return status;
    status = new_pictures(shape, &path, out);
    if (!status)
        hki_data_picture(*out, 0, &picture);
    hki_free(picture.pixels);
    return status;
}

static hk_status all_pictures(const char *path, hk_data_shape shape, hk_data **out)
{
    hki_folder folder;
    hki_picture picture;
    hk_status status = hki_folder_list(path, false, &folder);
    if (!status && folder.n == 0)
        status =
            hki_fail(HK_BAD_DATA, "%s: no pictures in it, expected NAME.png, .jpg or .jpeg", path);
    shape.n = (int64_t)folder.n;
    if (!status)
        status = new_pictures(shape, (const char *const *)folder.names, out);
    for (size_t i = 0; i < folder.n && !status; i++) {
        char *file = hki_format("%s/%s", path, folder.names[i]);
        status = file ? hki_picture_read(file, &picture) : HK_NO_MEMORY;
        if (!status) {
            hki_data_picture(*out, (int64_t)i, &picture);
            hki_free(picture.pixels);
        }
        hki_free(file);
    }
    hki_folder_clear(&folder);
    return status;
}

/* ---- Bytes ------------------------------------------------------------------------------------- */

static hk_status read_standard_input(uint8_t **out, size_t *size)
{
    size_t room = 0;
    uint8_t *bytes = NULL;
    *size = 0;
    for (ssize_t got = 1; got;) {
        if (*size == room) {
            const size_t more = room ? 2 * room : 1 << 16;
            uint8_t *grown = more <= HKI_MAX_DATA_BYTES ? hki_grow(bytes, room, more) : NULL;
            if (!grown) {
                hki_free(bytes);
                return hki_fail(HK_NO_MEMORY, "standard input: no memory beyond %zu bytes", room);
            }
            bytes = grown;
            room = more;
        }
        got = read(STDIN_FILENO, bytes + *size, room - *size);
        if (got < 0 && errno != EINTR) {
            hki_free(bytes);
            return hki_fail(HK_IO, "standard input: %s", strerror(errno));
        }
        *size += got > 0 ? (size_t)got : 0;
        got = got < 0 ? 1 : got;
    }
    *out = bytes;
    return HK_OK;
}

static hk_status of_bytes(const char *path, const uint8_t *bytes, size_t size, const hk_card *card,
                          hk_data_shape shape, hk_data **out)
{
    if (hki_picture_is_png(bytes, size) || hki_picture_is_jpeg(bytes, size))
        return one_picture(path, bytes, size, shape, out);
    const bool columns = shape.height == 1 && shape.width == 1;
    const hki_csv_options options = {.card = card,
                                     .height = columns ? 0 : shape.height,
                                     .width = columns ? 0 : shape.width,
                                     .channels = shape.channels};
    return hki_csv_parse(path, bytes, size, &options, out);
}

static hk_status judge(const char *path, const uint8_t *head, size_t n_head, size_t size,
                       size_t *most)
{
    const bool picture = hki_picture_is_png(head, n_head) || hki_picture_is_jpeg(head, n_head);
    return picture ? HK_OK : hki_table_judge(path, head, n_head, size, most);
}

static hk_status open_samples(const char *path, const hk_card *card, hk_data_shape shape,
                              hk_data **out)
{
    uint8_t *bytes;
    size_t size;
    const bool standard = !strcmp(path, "-");
    if (!standard && hki_is_folder(path))
        return all_pictures(path, shape, out);
    hk_status status =
        standard ? read_standard_input(&bytes, &size)
                 : hki_file_read_maybe_gzip(path, judge, HKI_MAX_DATA_BYTES, &bytes, &size);
    if (status)
        return status;
    status = of_bytes(standard ? "standard input" : path, bytes, size, card, shape, out);
    hki_free(bytes);
    return status;
}

hk_status hk_data_samples(const char *path, const hk_card *card, int height, int width,
                          int channels, hk_data **out)
{
    if (out)
        *out = NULL;
    if (hki_null(path, card, out))
        return HK_BAD_ARGUMENT;
    const hk_data_shape shape = {0, height, width, channels, card->classes};
    if (!card->mean || card->channels != channels || card->classes < 1)
        return hki_fail(HK_BAD_ARGUMENT,
                        "%s: the net does not say how its %d input channels are scaled, or which "
                        "classes it has: its card has %d channels and %d classes",
                        path, channels, card->mean ? card->channels : 0, card->classes);
    hk_status status = open_samples(path, card, shape, out);
    if (!status && card->class_names)
        status = hki_data_name(*out, card->class_names);
    if (!status && !((*out)->spec = hki_copy_text(path)))
        status = HK_NO_MEMORY;
    for (int c = 0; c < channels && !status; c++)
        hki_data_scale(*out, c, card->mean[c], card->deviation[c]);
    if (!status && card->target_deviation > 0 && !(*out)->targets) {
        status = hki_data_add_targets(*out); /* pictures, whose target nobody knows */
        for (int64_t i = 0; i < (*out)->shape.n && !status; i++)
            (*out)->targets[i] = (float)NAN;
    }
    if (!status) {
        (*out)->target_mean = card->target_mean;
        (*out)->target_deviation = card->target_deviation;
    }
    if (status) {
        hk_data_free(*out);
        *out = NULL;
    }
    return status;
}
