/* JSON values as texts. */
#include "io/json.h"

#include <fenv.h>

/* jansson leaves members out, without a word, when it finds no memory: what was written is read back. */
static char *checked_text(const json_t *value)
{
    size_t size = json_dumpb(value, NULL, 0, JSON_COMPACT);
    char *text = size ? hki_alloc(size + 1) : NULL;
    if (!text)
        return NULL;
    json_dumpb(value, text, size, JSON_COMPACT);
    json_t *again = json_loadb(text, size, 0, NULL);
    bool whole = json_equal(value, again);
    json_decref(again);
    if (whole)
        return text;
    hki_free(text);
    return NULL;
}

char *hki_json_text(const json_t *value)
{
    const int rounding = fegetround(); /* of the program: digits are those of rounding to nearest */
    fesetround(FE_TONEAREST);
    char *text = checked_text(value);
    fesetround(rounding);
    return text;
}

/* What jansson 2.14 takes for the values of a text, measured with glibc. */
static size_t value_bytes(const char *text, size_t size)
{
    enum { OBJECT = 240, LIST = 140, MEMBER = 100, NEXT = 40 };
    size_t bytes = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        if (c == '"')
            quoted = !quoted;
        else if (quoted)
            i += c == '\\';
        else
            bytes += c == '{' ? OBJECT : c == '[' ? LIST : c == ':' ? MEMBER : c == ',' ? NEXT : 0;
    }
    return bytes;
}

hk_status hki_json_read(const char *path, const char *part, const char *text, size_t size,
                        size_t room, json_t **out)
{
    enum { LEAST = 16 << 20 };
    const size_t needed = value_bytes(text, size);
    const int rounding = fegetround();
    json_error_t error;
    *out = NULL;
    if (needed > LEAST && needed - LEAST > room)
        return hki_fail(HK_BAD_DATA,
                        "%s: its %s would take %zu bytes of memory, at most %zu are accepted", path,
                        part, needed, LEAST + room);
    fesetround(FE_TONEAREST);
    *out = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    fesetround(rounding);
    if (*out)
        return HK_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return hki_fail(HK_NO_MEMORY, "%s: out of memory for its %s", path, part);
    return hki_fail(HK_BAD_DATA, "%s: its %s is not JSON: byte %d: %s", path, part, error.position,
                    error.text);
}
