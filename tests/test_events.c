/* Event files read back by a reader of another making: records, checksums, figures. */
#include "check.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/events.h"
#include "options.h"

static char folder[] = "/tmp/hillock-events-XXXXXX";
static unsigned char bytes[1 << 16];
static size_t size;

/* By a table of the whole bytes; "123456789" gives e3069283 (RFC 3720). */
static uint32_t crc32c(const unsigned char *of, size_t n)
{
    uint32_t table[256], crc = ~0u;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] & 1 ? table[i] >> 1 ^ 0x82f63b78u : table[i] >> 1;
    }
    while (n--)
        crc = table[(crc ^ *of++) & 255] ^ crc >> 8;
    return ~crc;
}

static uint64_t little(const unsigned char *at, int n)
{
    uint64_t value = 0;
    while (n--)
        value = value << 8 | at[n];
    return value;
}

static void read_only_file(void)
{
    char path[600] = "";
    DIR *all = opendir(folder);
    for (struct dirent *one; all && (one = readdir(all));)
        if (strstr(one->d_name, "events.out.tfevents."))
            snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
    closedir(all);
    FILE *f = fopen(path, "rb");
    size = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
    unlink(path);
}

/* The figure of this tag at this step, as the file has it; NAN: none. */
static double figure(const char *tag, int step)
{
    unsigned char wanted[128];
    const size_t n = strlen(tag);
    double found = (double)NAN;
    wanted[0] = 0x0a;
    wanted[1] = (unsigned char)n;
    memcpy(wanted + 2, tag, n);
    for (size_t at = 0; at + 12 <= size;) {
        const size_t length = (size_t)little(bytes + at, 8);
        const unsigned char *event = bytes + at + 12, *value = memmem(event, length, wanted, n + 2);
        float simple;
        if (value && event[9] == 0x10 && event[10] == step) { /* behind the wall time */
            CHECK_EQUAL(value[n + 2], 0x15);
            memcpy(&simple, value + n + 3, sizeof simple);
            found = (double)simple;
        }
        at += 12 + length + 4;
    }
    return found;
}

static void check_sums(int records)
{
    size_t at = 0;
    int seen = 0;
    for (; at + 16 <= size; seen++) {
        const size_t length = (size_t)little(bytes + at, 8);
        const unsigned char *const parts[2] = {bytes + at, bytes + at + 12};
        for (int i = 0; i < 2; i++) {
            const uint32_t crc = crc32c(parts[i], i ? length : 8);
            CHECK_EQUAL(little(parts[i] + (i ? length : 8), 4),
                        (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8u));
        }
        at += 12 + length + 4;
    }
    CHECK_EQUAL(at, size);
    CHECK_EQUAL(seen, records);
}

static void figures_come_back(void)
{
    hk_layer_report layers[1] = {{.layer = "conv1", .dead = 0.25}};
    hk_epoch_report report = {.epoch = 3,
                              .train_loss = 0.5,
                              .rate = 0.125,
                              .images_per_s = 1000,
                              .validation = {.n = 10, .loss = 0.75, .accuracy = 0.875},
                              .layers = layers,
                              .n_layers = 1};
    net_events *events;
    CHECK_EQUAL(crc32c((const unsigned char *)"123456789", 9), 0xe3069283);
    CHECK_EQUAL(net_events_open(folder, &events), EXIT_DONE);
    net_events_epoch(events, &report);
    net_events_test(events, 3, &(hk_metrics){.n = 5, .regression = 1, .loss = 2, .r2 = -0.5});
    net_events_scalar(events, "none", 3, (double)NAN);
    CHECK_EQUAL(net_events_close(events), EXIT_DONE);
    read_only_file();
    CHECK(memmem(bytes, size, "brain.Event:2", 13) != NULL);
    check_sums(1 + 6 + 2);
    CHECK_NEAR(figure("loss/train", 3), 0.5, 0);
    CHECK_NEAR(figure("rate", 3), 0.125, 0);
    CHECK_NEAR(figure("images_per_s", 3), 1000, 0);
    CHECK_NEAR(figure("loss/validation", 3), 0.75, 0);
    CHECK_NEAR(figure("accuracy/validation", 3), 0.875, 0);
    CHECK_NEAR(figure("dead/conv1", 3), 0.25, 0);
    CHECK_NEAR(figure("loss/test", 3), 2, 0);
    CHECK_NEAR(figure("r2/test", 3), -0.5, 0);
    CHECK(isnan(figure("none", 3)) && isnan(figure("loss/train", 2)));
}

static void places_that_cannot_be_written(void)
{
    net_events *events;
    CHECK_EQUAL(net_events_open("/proc/no/such", &events), EXIT_IO);
    CHECK(events == NULL);
    CHECK_EQUAL(net_events_close(NULL), EXIT_DONE);
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    RUN(figures_come_back);
    RUN(places_that_cannot_be_written);
    rmdir(folder);
    return check_result();
}
