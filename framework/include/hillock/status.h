/* hillock/status.h - status codes, the message of the last failure, the rule for NULL, the allocator.
 *
 * A function that can fail returns an hk_status, or NULL where it returns an object. After a
 * failure its out-parameters hold nothing, and hk_message() is one sentence: what failed, where,
 * what was expected, what was found. The library never prints and never ends the process.
 *
 * NULL. No pointer that is passed to a function may be NULL, unless the comment says that it may.
 * A function that gets NULL all the same does nothing and says so in the message: it returns
 * HK_BAD_ARGUMENT, or else NULL, 0 or an empty string. Functions that record operations pass NULL on
 * and keep the message, so that a model needs no checks and the first failure is reported. Functions
 * that end in _free or _clear accept NULL. `user`, which is passed to callbacks, may be NULL. */
#pragma once
#include <stddef.h>

/* The version of these headers; that of the library is hk_version(). */
#define HK_VERSION_MAJOR 0
#define HK_VERSION_MINOR 2
#define HK_VERSION_PATCH 0
#define HK_VERSION "0.2.0"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library, "0.2.0". [any thread] */
const char *hk_version(void);

typedef enum hk_status {
    HK_OK = 0,
    HK_BAD_ARGUMENT, /* an invalid value: out of range, NULL, contradictory */
    HK_UNKNOWN_NAME, /* no plugin, model, parameter or layer has this name */
    HK_BAD_SHAPE,    /* incompatible tensor shapes */
    HK_BAD_PLUGIN,   /* an invalid plugin file */
    HK_BAD_DATA,     /* a file that is missing, damaged or of another format */
    HK_IO,           /* reading or writing failed */
    HK_NO_MEMORY,    /* allocation failed */
    HK_DIVERGED,     /* training produced a value that is not finite */
    HK_STOPPED,      /* a callback requested a stop */
    HK_STATUS_COUNT
} hk_status;

/* The message of the last failure on this thread, without a newline; "" if there was none.
 * Valid until the next failure on the same thread. [any thread] */
const char *hk_message(void);
/* Its status; HK_OK if there was none. Use after a function returned NULL. [any thread] */
hk_status hk_last_status(void);

/* The name of a status, such as "bad shape". [any thread] */
const char *hk_status_text(hk_status status);

/* allocate returns a block aligned to 64 bytes, or NULL; release gets only blocks that allocate
 * returned. Both may be called from any thread. */
typedef struct hk_allocator {
    void *(*allocate)(void *user, size_t bytes);
    void (*release)(void *user, void *block);
    void *user;
} hk_allocator;

/* Replaces the allocator for everything Hillock allocates from now on; `allocator` may be NULL:
 * the built-in one. No block of the previous allocator may be in use. [one thread] */
void hk_set_allocator(const hk_allocator *allocator);

#ifdef __cplusplus
}
#endif
