/* fuzz/fuzz.h - what the fuzz targets share.
 *
 * A target is the function below for one parser: it takes any bytes, uses what the parser accepted,
 * and REQUIREs what must hold then. libFuzzer calls it (HILLOCK_FUZZ), or replay.c does. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            dprintf(STDERR_FILENO, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A copy that ends where the bytes end, so that a sanitizer sees what reads on; to be freed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    REQUIRE(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* The first byte picks what is done with the text behind it. Paths are left out: they load code. */
typedef void fuzz_use(const char *text);
static inline void fuzz_one_of(fuzz_use *const *uses, size_t n, const uint8_t *data, size_t size)
{
    if (size < 1 || memchr(data, '/', size))
        return;
    char *text = fuzz_text(data + 1, size - 1);
    uses[data[0] % n](text);
    free(text);
}

/* A file in memory by its path; `fd` is a memfd_create() of the target, which is written anew. */
static inline const char *fuzz_file(int fd, const uint8_t *data, size_t size)
{
    static char path[32];
    REQUIRE(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

/* What is told of bad input is not wanted; sanitizers do not write to this stream. */
static inline void fuzz_quietly(void)
{
    stderr = fopen("/dev/null", "w");
    REQUIRE(stderr);
}
