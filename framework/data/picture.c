/* Pictures: PNG and JPEG files decoded, cut and scaled. */
#include "data/picture.h"

#include "io/io.h"
#include <math.h>
#include <string.h>
#include <strings.h>
#ifdef HILLOCK_PNG
#include <png.h>
#endif
#ifdef HILLOCK_JPEG
#include <turbojpeg.h>
#endif

enum { MAX_PIXELS = 1 << 26, MAX_FILE = 1 << 28 };

bool hki_picture_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot &&
           (!strcasecmp(dot, ".png") || !strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg"));
}

bool hki_picture_is_png(const uint8_t *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

bool hki_picture_is_jpeg(const uint8_t *bytes, size_t size)
{
    return size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0;
}

static hk_status make_room(const char *path, int64_t height, int64_t width, int channels,
                           bool pixels, hki_picture *out)
{
    if (height < 1 || width < 1 || height * width > MAX_PIXELS)
        return hki_fail(HK_BAD_DATA, "%s: a picture of %lld x %lld, expected at most %d pixels",
                        path, (long long)height, (long long)width, MAX_PIXELS);
    *out = (hki_picture){(int)height, (int)width, channels, NULL};
    if (pixels)
        out->pixels = hki_alloc((size_t)(height * width * channels));
    return out->pixels || !pixels ? HK_OK : HK_NO_MEMORY;
}

static hk_status parse_png(const char *path, const uint8_t *bytes, size_t size, bool pixels,
                           hki_picture *out)
{
#ifdef HILLOCK_PNG
    static const png_color white = {255, 255, 255};
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&image, bytes, size))
        return hki_fail(HK_BAD_DATA, "%s: damaged PNG: %s", path, image.message);
    bool color = image.format & PNG_FORMAT_FLAG_COLOR;
    image.format = color ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    hk_status status = make_room(path, image.height, image.width, color ? 3 : 1, pixels, out);
    if (status == HK_OK && pixels && !png_image_finish_read(&image, &white, out->pixels, 0, NULL))
        status = hki_fail(HK_BAD_DATA, "%s: damaged PNG: %s", path, image.message);
    png_image_free(&image);
    return status;
#else
    (void)bytes;
    (void)size;
    (void)pixels;
    (void)out;
    return hki_fail(HK_BAD_DATA,
                    "%s: a PNG file, which this build does not read: it was built without libpng",
                    path);
#endif
}

static hk_status parse_jpeg(const char *path, const uint8_t *bytes, size_t size, bool pixels,
                            hki_picture *out)
{
#ifdef HILLOCK_JPEG
    int width, height, sampling, space;
    tjhandle decoder = tjInitDecompress();
    if (!decoder)
        return HK_NO_MEMORY;
    hk_status status = HK_OK;
    if (tjDecompressHeader3(decoder, bytes, size, &width, &height, &sampling, &space))
        status = hki_fail(HK_BAD_DATA, "%s: damaged JPEG: %s", path, tjGetErrorStr2(decoder));
    bool grey = status == HK_OK && space == TJCS_GRAY;
    if (status == HK_OK)
        status = make_room(path, height, width, grey ? 1 : 3, pixels, out);
    if (status == HK_OK && pixels &&
        tjDecompress2(decoder, bytes, size, out->pixels, width, 0, height,
                      grey ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING))
        status = hki_fail(HK_BAD_DATA, "%s: damaged JPEG: %s", path, tjGetErrorStr2(decoder));
    tjDestroy(decoder);
    return status;
#else
    (void)bytes;
    (void)size;
    (void)pixels;
    (void)out;
    return hki_fail(
        HK_BAD_DATA,
        "%s: a JPEG file, which this build does not read: it was built without libjpeg-turbo",
        path);
#endif
}

static hk_status judge(const char *path, const uint8_t *head, size_t n_head, size_t size,
                       size_t *most)
{
    (void)size, (void)most;
    const char *found = hki_recognise(head, n_head);
    return hki_picture_is_png(head, n_head) || hki_picture_is_jpeg(head, n_head)
               ? HK_OK
               : hki_fail(HK_BAD_DATA, "%s: this is %s, expected a PNG or JPEG file", path,
                          found ? found : "another kind of file");
}

hk_status hki_picture_parse(const char *path, const uint8_t *bytes, size_t size, bool pixels,
                            hki_picture *out)
{
    *out = (hki_picture){0};
    hk_status status = judge(path, bytes, size, size, NULL);
    if (!status)
        status = hki_picture_is_png(bytes, size) ? parse_png(path, bytes, size, pixels, out)
                                                 : parse_jpeg(path, bytes, size, pixels, out);
    if (status) {
        hki_free(out->pixels);
        *out = (hki_picture){0};
    }
    return status;
}

static hk_status read_file(const char *path, bool pixels, hki_picture *out)
{
    uint8_t *bytes;
    size_t size;
    *out = (hki_picture){0};
    hk_status status = hki_file_read(path, judge, MAX_FILE, &bytes, &size);
    if (status)
        return status;
    status = hki_picture_parse(path, bytes, size, pixels, out);
    hki_free(bytes);
    return status;
}

hk_status hki_picture_read(const char *path, hki_picture *out)
{
    return read_file(path, true, out);
}

hk_status hki_picture_look(const char *path, hki_picture *out)
{
    return read_file(path, false, out);
}

/* The mean of one channel over the rectangle [top, bottom) x [left, right) of pixels, parts of
 * pixels counted by their area; in grey, of what the channels amount to. */
static double area_mean(const hki_picture *p, double top, double bottom, double left, double right,
                        int channel, bool grey)
{
    static const double weights[3] = {0.299, 0.587, 0.114};
    double sum = 0, area = 0;
    for (int y = (int)top; y < p->height && y < bottom; y++) {
        double tall = fmin(bottom, y + 1) - fmax(top, y);
        for (int x = (int)left; x < p->width && x < right; x++) {
            double part = tall * (fmin(right, x + 1) - fmax(left, x));
            const uint8_t *pixel =
                p->pixels + ((size_t)y * (size_t)p->width + (size_t)x) * (size_t)p->channels;
            double value = p->channels == 1 ? pixel[0] : grey ? 0 : pixel[channel];
            for (int c = 0; c < 3 && p->channels == 3 && grey; c++)
                value += weights[c] * pixel[c];
            sum += part * value;
            area += part;
        }
    }
    return area > 0 ? sum / area : 0;
}

void hki_picture_fit(const hki_picture *from, int height, int width, int channels, uint8_t *out)
{
    double scale = fmin((double)from->height / height, (double)from->width / width);
    double top = (from->height - scale * height) / 2, left = (from->width - scale * width) / 2;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                *out++ = (uint8_t)lround(area_mean(from, top + scale * y, top + scale * (y + 1),
                                                   left + scale * x, left + scale * (x + 1), c,
                                                   channels == 1));
}
