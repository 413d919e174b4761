/* message.h - what the coordinator and its workers say to each other, over a socket.
 *
 * A message is a JSON object in a frame: a mark, the length, a checksum, the text. A worker runs
 * code of strangers, so nothing of a message is taken on trust: neither its length nor its form. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { MESSAGE_MOST = 1 << 20 }; /* bytes of a text */

/* False: too long, not JSON's (a NaN), no memory, or the other end is gone. */
bool compare_message_send(int channel, const json_t *object);

/* Messages that come in pieces; starts as zeros. */
typedef struct message_reader {
    char *bytes;
    size_t used, room;
} message_reader;
void compare_message_reader_clear(message_reader *r);

/* Reads once, and waits if the channel is of that kind; false at the end, or when reading fails. */
bool compare_message_read(message_reader *r, int channel);
/* The next whole object, the caller's; NULL when more must be read, or, with a sentence in *fault,
 * when what came is no message: then nothing behind it can be read either. */
json_t *compare_message_take(message_reader *r, const char **fault);

/* What is wrong with a worker's report, against the list in pool.h; NULL: nothing. */
const char *compare_message_fault(const json_t *report);
/* A number of an object; NAN where it has none, or null. */
double compare_message_number(const json_t *object, const char *name);
