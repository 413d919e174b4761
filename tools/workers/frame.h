/* frame.h - JSON objects between the coordinator and its workers, over a socket.
 *
 * A frame is a mark, the length, a checksum, the text of an object. A worker runs code of strangers,
 * so nothing of a frame is trusted before it is checked. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { FRAME_MOST = 1 << 20 }; /* bytes of a text */

/* False: too long, not JSON's (a NaN), no memory, or the other end is gone. */
bool worker_frame_send(int channel, const json_t *object);
/* An object as text already; allocates nothing, so that a signal handler may. */
bool worker_frame_send_text(int channel, const char *text);

/* Frames that come in pieces; starts as zeros. */
typedef struct frame_reader {
    char *bytes;
    size_t used, capacity;
} frame_reader;
void worker_frame_reader_clear(frame_reader *r);

/* Reads once, and waits if the channel is of that kind; false at the end, or when reading fails. */
bool worker_frame_read(frame_reader *r, int channel);
/* The next whole object, the caller's; NULL when more must be read, or, with a sentence in *fault,
 * when what came is no frame: then nothing behind it can be read either. */
json_t *worker_frame_take(frame_reader *r, const char **fault);
