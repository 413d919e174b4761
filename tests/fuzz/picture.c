/* PNG and JPEG files: what is read is cut and scaled. Checksums of a PNG's parts are made right before, where
 * the first byte is odd: else no damage would reach further. */
#include "fuzz.h"

#include <hillock/status.h>
#include <zlib.h>
#include "core/base.h"
#include "data/picture.h"

enum { MOST_PIXELS = 1 << 20 }; /* that are decoded here: larger ones take a second each */

static uint32_t big(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void mend_checksums(uint8_t *png, size_t size)
{
    for (size_t at = 8; at + 12 <= size;) {
        const size_t length = big(png + at);
        if (length > size - at - 12)
            return;
        const uint32_t crc = (uint32_t)crc32(0, png + at + 4, (uInt)length + 4);
        for (int b = 0; b < 4; b++)
            png[at + 8 + length + (size_t)b] = (uint8_t)(crc >> (24 - 8 * b));
        at += 12 + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hki_picture picture, look;
    uint8_t fitted[5 * 4 * 3];
    if (size < 1)
        return 0;
    uint8_t *bytes = (uint8_t *)fuzz_text(data + 1, size - 1);
    if (data[0] & 1)
        mend_checksums(bytes, size - 1);
    const hk_status looked = hki_picture_parse("FILE", bytes, size - 1, false, &look);
    const bool large = looked == HK_OK && (int64_t)look.height * look.width > MOST_PIXELS;
    if (!large && hki_picture_parse("FILE", bytes, size - 1, true, &picture) == HK_OK) {
        REQUIRE(looked == HK_OK && look.height == picture.height && look.width == picture.width &&
                look.channels == picture.channels);
        hki_picture_fit(&picture, 5, 4, 1, fitted);
        hki_picture_fit(&picture, 5, 4, 3, fitted);
        hki_free(picture.pixels);
    } else if (!large) {
        REQUIRE(!picture.pixels && *hk_message());
    }
    free(bytes);
    return 0;
}
