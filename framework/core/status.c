/* The last failure's message, one per thread. */
#include "core/base.h"

#include <stdio.h>

static _Thread_local char last_message[1024];
static _Thread_local hk_status last_status;

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
    return last_status = status;
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
