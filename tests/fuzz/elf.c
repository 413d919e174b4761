/* Plugin files, as far as they are looked at before the system loads them. */
#include "fuzz.h"

#include "plugin/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct stat file;
    if (fd < 0)
        fd = memfd_create("plugin.so", 0);
    const char *path = fuzz_file(fd, data, size);
    REQUIRE(stat(path, &file) == 0);
    if (hki_object_check(path, &file) == HK_OK)
        REQUIRE(size >= 64 && memcmp(data, "\177ELF", 4) == 0);
    return 0;
}
