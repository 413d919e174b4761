/* All allocation, through one replaceable allocator, so that a test can make any fail. */
#include "core/base.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    ALIGNMENT = 64,       /* a cache line and the widest vector */
    HUGE_PAGE = 2 << 20,  /* of the processors this runs on; elsewhere only an alignment */
    LARGE = 2 * HUGE_PAGE /* a block that gains from huge pages: a plan's arena, a data set */
};

static void *system_allocate(void *user, size_t bytes)
{
    (void)user;
    size_t alignment = bytes < LARGE ? ALIGNMENT : HUGE_PAGE;
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void *block = aligned_alloc(alignment, rounded);
#ifdef MADV_HUGEPAGE
    if (block && alignment == HUGE_PAGE)
        madvise(block, rounded, MADV_HUGEPAGE); /* optional: ordinary pages do as well */
#endif
    return block;
}

static void system_release(void *user, void *block)
{
    (void)user;
    free(block);
}

static const hk_allocator system_allocator = {system_allocate, system_release, NULL};
static hk_allocator allocator = {system_allocate, system_release, NULL};
static atomic_size_t live_blocks;

void hk_set_allocator(const hk_allocator *replacement)
{
    allocator = replacement ? *replacement : system_allocator;
}

size_t hki_machine_memory(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (size_t)pages * (size_t)bytes : SIZE_MAX;
}

size_t hki_live_blocks(void)
{
    return live_blocks;
}

void *hki_alloc(size_t bytes)
{
    if (bytes == 0)
        bytes = 1;
    void *block = bytes <= HKI_MAX_BYTES ? allocator.allocate(allocator.user, bytes) : NULL;
    if (!block)
        return hki_fail_null(HK_NO_MEMORY, "out of memory: %zu bytes wanted", bytes);
    live_blocks++;
    return memset(block, 0, bytes);
}

void *hki_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    if (!hki_mul(count, size, &bytes))
        return hki_fail_null(HK_NO_MEMORY, "out of memory: %zu items of %zu bytes wanted", count,
                             size);
    return hki_alloc(bytes);
}

void *hki_grow(void *old, size_t old_bytes, size_t new_bytes)
{
    void *block = hki_alloc(new_bytes);
    if (!block)
        return NULL;
    if (old) {
        memcpy(block, old, old_bytes < new_bytes ? old_bytes : new_bytes);
        hki_free(old);
    }
    return block;
}

void *hki_reserve(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t more = *capacity ? 2 * *capacity : 32;
    void *grown = hki_grow(items, *capacity * size, more * size);
    *capacity = grown ? more : *capacity;
    return grown;
}

void hki_free(void *block)
{
    if (!block)
        return;
    live_blocks--;
    allocator.release(allocator.user, block);
}

char *hki_copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = hki_alloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

char *hki_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : hki_alloc((size_t)length + 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
