/* wire.h - messages in the wire format of protocol buffers, as far as ONNX needs it: whole numbers, floats,
 * texts and messages within messages. Our own in a hundred lines: protobuf-c brings a compiler of
 * schemas and three generated files for what is a number and a length before some bytes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wire {
    uint8_t *bytes; /* to be freed */
    size_t n, room;
    bool failed; /* no memory: what follows is left out */
} wire;

void export_wire_int(wire *w, int field, int64_t value);
void export_wire_float(wire *w, int field, float value);
void export_wire_bytes(wire *w, int field, const void *bytes, size_t n);
void export_wire_text(wire *w, int field, const char *text);
/* Empties `part`, which another field is made of then. */
void export_wire_message(wire *w, int field, wire *part);
