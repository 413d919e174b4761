/* Tables of numbers, plain or gzip; the first byte says whether labels come first. */
#include "data_use.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char spec[64];
    if (fd < 0)
        fd = memfd_create("table.csv", 0);
    if (size < 1)
        return 0;
    snprintf(spec, sizeof spec, "csv:%s,label=%s", fuzz_file(fd, data + 1, size - 1),
             data[0] & 1 ? "first" : "last");
    open_and_use(spec);
    return 0;
}
