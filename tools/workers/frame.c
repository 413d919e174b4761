/* Frames over a socket: checked before a byte of them is believed. */
#include "workers/frame.h"
#include "output.h"
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

typedef struct frame {
    uint32_t mark, length, sum; /* both ends are one machine: no byte order */
} frame;

static const uint32_t mark = 0x484B4D31; /* "HKM1" */

static uint32_t checksum(const char *text, size_t n)
{
    return (uint32_t)crc32(0, (const Bytef *)text, (uInt)n);
}

static bool send_all(int channel, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t sent = send(channel, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        bytes += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

bool worker_frame_send_text(int channel, const char *text)
{
    const size_t n = strlen(text);
    const frame head = {mark, (uint32_t)n, checksum(text, n)};
    return n <= FRAME_MOST && send_all(channel, (const char *)&head, sizeof head) &&
           send_all(channel, text, n);
}

bool worker_frame_send(int channel, const json_t *object)
{
    char *text = tool_json_written(object, JSON_COMPACT);
    const bool sent = text && worker_frame_send_text(channel, text);
    free(text);
    return sent;
}

void worker_frame_reader_clear(frame_reader *r)
{
    free(r->bytes);
    *r = (frame_reader){0};
}

bool worker_frame_read(frame_reader *r, int channel)
{
    enum { PIECE = 1 << 14 };
    if (r->capacity < r->used + PIECE) {
        char *bytes = realloc(r->bytes, r->used + PIECE);
        if (!bytes)
            return false;
        r->bytes = bytes;
        r->capacity = r->used + PIECE;
    }
    const ssize_t n = read(channel, r->bytes + r->used, PIECE);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    r->used += (size_t)n;
    return n > 0;
}

json_t *worker_frame_take(frame_reader *r, const char **fault)
{
    frame head;
    *fault = NULL;
    if (r->used < sizeof head)
        return NULL;
    memcpy(&head, r->bytes, sizeof head);
    if (head.mark != mark)
        return *fault = "malformed report: not a frame", NULL;
    if (head.length > FRAME_MOST)
        return *fault = "malformed report: longer than a frame may be", NULL;
    if (r->used - sizeof head < head.length)
        return NULL;
    const char *text = r->bytes + sizeof head;
    if (checksum(text, head.length) != head.sum)
        return *fault = "malformed report: the checksum differs", NULL;
    json_t *object = json_loadb(text, head.length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return *fault = "malformed report: not a JSON object", NULL;
    }
    r->used -= sizeof head + head.length;
    memmove(r->bytes, r->bytes + sizeof head + head.length, r->used);
    return object;
}
