/* The last failure's message, one per thread. */
#include "core/base.h"

#include <stdio.h>

static _Thread_local char last_message[1024];
static _Thread_local char reason[1024]; /* the last that was no NULL: why something is NULL now */
static _Thread_local hk_status last_status;
static _Thread_local unsigned failures;

const char *hk_version(void)
{
    return HK_VERSION;
}

const char *hk_message(void)
{
    return last_message;
}

hk_status hk_last_status(void)
{
    return last_status;
}

hk_status hki_fail(hk_status status, const char *format, ...)
{
    char text[sizeof last_message]; /* arguments may be the last message itself */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(last_message, sizeof last_message, "%s", text);
    snprintf(reason, sizeof reason, "%s", text);
    failures++;
    return last_status = status;
}

unsigned hki_failures(void)
{
    return failures;
}

bool hki_find_null(const char *what, bool keeps_message, const char *names,
                   const void *const *pointers, size_t n)
{
    size_t i = 0, length = 0;
    while (i < n && pointers[i])
        i++;
    if (i == n)
        return false;
    if (keeps_message && *last_message)
        return true;
    const char *name = hki_next_word(names, ',', &length);
    for (size_t k = 0; k < i; k++)
        name = hki_next_word(name + length, ',', &length);
    for (const char *dot = name; dot < name + length; dot++) /* "o.x" is x */
        if (*dot == '.' || *dot == '>' || *dot == ' ')
            length -= (size_t)(dot + 1 - name), name = dot + 1;
    snprintf(last_message, sizeof last_message, "%s: %.*s is NULL%s%.900s", what, (int)length, name,
             *reason ? "; the last failure before: " : "", reason);
    last_status = HK_BAD_ARGUMENT;
    failures++;
    return true;
}

const char *hk_status_text(hk_status status)
{
    static const char *const texts[HK_STATUS_COUNT] = {
        [HK_OK] = "ok",
        [HK_BAD_ARGUMENT] = "bad argument",
        [HK_UNKNOWN_NAME] = "unknown name",
        [HK_BAD_SHAPE] = "bad shape",
        [HK_BAD_PLUGIN] = "bad plugin",
        [HK_BAD_DATA] = "bad data",
        [HK_IO] = "input or output failed",
        [HK_NO_MEMORY] = "out of memory",
        [HK_DIVERGED] = "diverged",
        [HK_STOPPED] = "stopped",
    };
    return status >= 0 && status < HK_STATUS_COUNT ? texts[status] : "unknown status";
}
