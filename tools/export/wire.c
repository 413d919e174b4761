/* The wire format: https://protobuf.dev/programming-guides/encoding/ */
#include "export/wire.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, LENGTH = 2, FIXED_32 = 5 };

static void add(wire *w, const void *bytes, size_t n)
{
    if (w->n + n > w->room) {
        const size_t room = 2 * (w->n + n);
        uint8_t *more = realloc(w->bytes, room);
        w->failed |= !more;
        w->bytes = more ? more : w->bytes;
        w->room = more ? room : w->room;
    }
    if (w->failed)
        return;
    memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
}

/* Seven bits a byte, the lowest first. */
static void add_varint(wire *w, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; value >= 128; value >>= 7)
        bytes[n++] = (uint8_t)(value | 128);
    bytes[n++] = (uint8_t)value;
    add(w, bytes, n);
}

static void add_key(wire *w, int field, int type)
{
    add_varint(w, (uint64_t)(field << 3 | type));
}

void export_wire_int(wire *w, int field, int64_t value)
{
    add_key(w, field, VARINT);
    add_varint(w, (uint64_t)value);
}

void export_wire_float(wire *w, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint8_t little[] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                              (uint8_t)(bits >> 24)};
    add_key(w, field, FIXED_32);
    add(w, little, sizeof little);
}

void export_wire_bytes(wire *w, int field, const void *bytes, size_t n)
{
    add_key(w, field, LENGTH);
    add_varint(w, n);
    if (n)
        add(w, bytes, n);
}

void export_wire_text(wire *w, int field, const char *text)
{
    export_wire_bytes(w, field, text, strlen(text));
}

void export_wire_message(wire *w, int field, wire *part)
{
    w->failed |= part->failed;
    export_wire_bytes(w, field, part->bytes, part->n);
    free(part->bytes);
    *part = (wire){0};
}
