/* Event files: records of the TFRecord format, each an Event of TensorFlow's event.proto.
 *
 * A record is its length (8 bytes, little endian), a masked CRC-32C of those, the bytes, and a masked
 * CRC-32C of these. Of the messages three are needed: Event {1: wall_time double, 2: step, 3: file_version,
 * 5: summary}, Summary {1: value}, Value {1: tag, 2: simple_value float}. All are shorter than 128 bytes or
 * have two bytes of length. */
#include "net/events.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "output.h"

struct net_events {
    FILE *file;
    char path[4096];
};

/* ---- Records --------------------------------------------------------------------------------------- */

/* Castagnoli's polynomial, reflected; a bit at a time, as some hundred bytes an epoch ask for. */
static uint32_t crc32c(const uint8_t *bytes, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void put_little(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

/* Checksums of data that hold checksums are rotated and shifted. */
static void put_masked_crc(uint8_t *to, const uint8_t *bytes, size_t n)
{
    const uint32_t crc = crc32c(bytes, n);
    put_little(to, (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8), 4);
}

static void put_record(net_events *to, const uint8_t *bytes, size_t n)
{
    uint8_t head[12], tail[4];
    put_little(head, n, 8);
    put_masked_crc(head + 8, head, 8);
    put_masked_crc(tail, bytes, n);
    fwrite(head, 1, sizeof head, to->file);
    fwrite(bytes, 1, n, to->file);
    fwrite(tail, 1, sizeof tail, to->file);
    fflush(to->file); /* a failure stays in ferror() */
}

/* ---- Messages ---------------------------------------------------------------------------------------- */

enum { ROOM = 512 };
typedef struct message {
    uint8_t bytes[ROOM];
    size_t n;
} message;

static void add_varint(message *m, uint64_t value)
{
    for (; value > 127; value >>= 7)
        m->bytes[m->n++] = (uint8_t)(value | 128);
    m->bytes[m->n++] = (uint8_t)value;
}

static void add_bytes(message *m, int field, const void *bytes, size_t n)
{
    add_varint(m, (uint64_t)field << 3 | 2);
    add_varint(m, n);
    memcpy(m->bytes + m->n, bytes, n);
    m->n += n;
}

static void add_wall_time(message *m)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    uint64_t bits;
    memcpy(&bits, &seconds, sizeof bits);
    add_varint(m, 1 << 3 | 1);
    put_little(m->bytes + m->n, bits, 8);
    m->n += 8;
}

void net_events_scalar(net_events *to, const char *name, int64_t step, double value)
{
    message scalar = {.n = 0}, summary = {.n = 0}, event = {.n = 0};
    const float simple = (float)value;
    uint32_t bits;
    if (isnan(value))
        return;
    memcpy(&bits, &simple, sizeof bits);
    add_bytes(&scalar, 1, name, strnlen(name, 128));
    add_varint(&scalar, 2 << 3 | 5);
    put_little(scalar.bytes + scalar.n, bits, 4);
    scalar.n += 4;
    add_bytes(&summary, 1, scalar.bytes, scalar.n);
    add_wall_time(&event);
    add_varint(&event, 2 << 3);
    add_varint(&event, (uint64_t)step);
    add_bytes(&event, 5, summary.bytes, summary.n);
    put_record(to, event.bytes, event.n);
}

/* ---- Files --------------------------------------------------------------------------------------------- */

int net_events_open(const char *folder, net_events **out)
{
    static const char version[] = "brain.Event:2";
    char host[65] = "host";
    message first = {.n = 0};
    net_events *to = calloc(1, sizeof *to);
    *out = to;
    if (!to)
        return tool_no_memory();
    gethostname(host, sizeof host - 1);
    snprintf(to->path, sizeof to->path, "%s/events.out.tfevents.%lld.%s.%ld", folder,
             (long long)time(NULL), host, (long)getpid());
    if ((mkdir(folder, 0777) == 0 || errno == EEXIST) && (to->file = fopen(to->path, "wbx"))) {
        add_wall_time(&first);
        add_bytes(&first, 3, version, sizeof version - 1);
        put_record(to, first.bytes, first.n);
        return EXIT_DONE;
    }
    *out = NULL;
    int status = tool_fail(EXIT_IO, "cannot write %s: %s", to->path, strerror(errno));
    free(to);
    return status;
}

int net_events_close(net_events *to)
{
    if (!to)
        return EXIT_DONE;
    const bool failed = ferror(to->file);
    int status =
        fclose(to->file) || failed ? tool_fail(EXIT_IO, "cannot write %s", to->path) : EXIT_DONE;
    free(to);
    return status;
}

/* ---- Figures ------------------------------------------------------------------------------------------- */

static void add_set(net_events *to, const char *set, int64_t step, const hk_metrics *m)
{
    char name[64];
    snprintf(name, sizeof name, "loss/%s", set);
    net_events_scalar(to, name, step, m->loss);
    snprintf(name, sizeof name, "%s/%s", m->regression ? "r2" : "accuracy", set);
    net_events_scalar(to, name, step, m->regression ? m->r2 : m->accuracy);
}

void net_events_epoch(net_events *to, const hk_epoch_report *report)
{
    char name[HK_MAX_LAYER_NAME + 8];
    net_events_scalar(to, "loss/train", report->epoch, report->train_loss);
    net_events_scalar(to, "rate", report->epoch, report->rate);
    net_events_scalar(to, "images_per_s", report->epoch, report->images_per_s);
    if (report->validation.n)
        add_set(to, "validation", report->epoch, &report->validation);
    for (int i = 0; i < report->n_layers; i++) {
        snprintf(name, sizeof name, "dead/%s", report->layers[i].layer);
        net_events_scalar(to, name, report->epoch, report->layers[i].dead);
    }
}

void net_events_test(net_events *to, int64_t step, const hk_metrics *metrics)
{
    add_set(to, "test", step, metrics);
}
