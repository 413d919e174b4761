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
