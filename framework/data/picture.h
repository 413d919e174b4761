/* data/picture.h - PNG and JPEG files as pixels, by libpng and libjpeg-turbo. */
#pragma once
#include "core/base.h"
#include <hillock/data.h>

typedef struct hki_picture {
    int height, width, channels; /* 1: grey, 3: red, green, blue */
    uint8_t *pixels;             /* [height][width][channels], freed by hki_free */
} hki_picture;

/* Names in a folder, sorted by strcmp: of the folders below it, or of the pictures in it; hidden ones are
 * passed over (images.c). */
typedef struct hki_folder {
    char **names; /* one block each */
    size_t n;
} hki_folder;
hk_status hki_folder_list(const char *path, bool folders, hki_folder *out);
void hki_folder_clear(hki_folder *folder);

/* Can be read by this build: its name ends in .png, .jpg or .jpeg, in any case. */
bool hki_picture_name(const char *path);

/* They begin as a PNG or JPEG file does. */
bool hki_picture_is_png(const uint8_t *bytes, size_t size);
bool hki_picture_is_jpeg(const uint8_t *bytes, size_t size);

/* Reads a file in the channels that it has; transparency lies over white. HK_BAD_DATA: missing,
 * damaged, of another kind, of more than 64 M pixels, or of a kind that this build does not read. */
hk_status hki_picture_read(const char *path, hki_picture *out);
/* Its size and channels alone, from the head of the file; pixels stay NULL. */
hk_status hki_picture_look(const char *path, hki_picture *out);
/* Both, from bytes, which stay the caller's; `path` is for messages. */
hk_status hki_picture_parse(const char *path, const uint8_t *bytes, size_t size, bool pixels,
                            hki_picture *out);

/* A picture as sample i of a set of bytes, fitted to its shape (images.c). */
void hki_data_picture(hk_data *data, int64_t i, const hki_picture *picture);

/* The middle of the picture, cut to the shape of the result, averaged or enlarged to its size, with
 * 1 or 3 channels (grey: 0.299 red + 0.587 green + 0.114 blue, ITU-R BT.601): out[height][width][channels]. */
void hki_picture_fit(const hki_picture *from, int height, int width, int channels, uint8_t *out);
