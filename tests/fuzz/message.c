/* What workers report. The first byte tells how: 0 in frames, as it comes over the socket; else as
 * the text of one report. A report of the right form becomes a record. */
#include "fuzz.h"

#include "compare/message.h"
#include "workers/frame.h"

static void use(const json_t *report)
{
    run_record run = {0};
    const char *type = json_string_value(json_object_get(report, "type"));
    if (compare_message_fault(report))
        return;
    if (!strcmp(type, "epoch"))
        REQUIRE(compare_message_take_epoch(&run, 1, report) && run.n_epochs <= 1);
    if (!strcmp(type, "result"))
        compare_message_take_result(&run, report);
    compare_run_clear(&run);
}

static void read_frames(const uint8_t *data, size_t size)
{
    frame_reader reader = {.bytes = fuzz_text(data, size), .used = size, .capacity = size};
    const char *fault = NULL;
    for (json_t *it; (it = worker_frame_take(&reader, &fault));) {
        use(it);
        json_decref(it);
    }
    REQUIRE(reader.used <= size);
    worker_frame_reader_clear(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (!data[0]) {
        read_frames(data + 1, size - 1);
        return 0;
    }
    json_t *report = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(report))
        use(report);
    json_decref(report);
    return 0;
}
