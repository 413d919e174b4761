/* hillock/status.h - how every failure is told.
 *
 * A function that can fail returns an hk_status, or NULL where it returns an object. Whatever
 * it was to produce is then absent, and hk_message() holds one sentence: what failed, where,
 * what was expected, what was found. The library never prints and never ends the process. */
#pragma once
#include <stddef.h>

typedef enum hk_status {
    HK_OK = 0,
    HK_BAD_ARGUMENT, /* a value that cannot be used: out of range, NULL, contradictory */
    HK_UNKNOWN_NAME, /* no plugin, model, parameter or layer has this name */
    HK_BAD_SHAPE,    /* tensors whose shapes do not fit together */
    HK_BAD_PLUGIN,   /* a plugin file that cannot be used */
    HK_BAD_DATA,     /* a file that is missing, damaged or of another kind */
    HK_IO,           /* the system could not read or write */
    HK_NO_MEMORY,
    HK_DIVERGED, /* training produced a value that is not finite */
    HK_STOPPED,  /* a callback asked to stop */
    HK_STATUS_COUNT
} hk_status;

/* The last failure's sentence on this thread, without a newline; "" when there was none.
 * Valid until the next failure on the same thread. [any thread] */
const char *hk_message(void);
/* Its status; HK_OK when there was none. Of use where a failure is a NULL. [any thread] */
hk_status hk_last_status(void);

/* The name of a status in words, such as "bad shape". [any thread] */
const char *hk_status_text(hk_status status);

/* Where memory comes from. allocate returns a block aligned to 64 bytes, or NULL; release gets
 * only blocks that allocate returned. Both may be called from any thread. */
typedef struct hk_allocator {
    void *(*allocate)(void *user, size_t bytes);
    void (*release)(void *user, void *block);
    void *user;
} hk_allocator;

/* Replaces the allocator for everything Hillock allocates from now on; NULL restores the
 * built-in one. Nothing may be alive that the previous allocator returned. [one thread] */
void hk_set_allocator(const hk_allocator *allocator);
