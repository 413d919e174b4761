/* Arrays that lie between two inaccessible pages, so that a plugin that writes or reads one float
 * beyond the end stops there and then. A stack of them: a test gives back what it made. */
#include "plugin/check/check.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct array {
    const char *name;
    char *map, *data;    /* the mapping with both guard pages; the first byte in use */
    size_t size, length; /* of the mapping, 0: from calloc(); bytes in use */
    bool read_only;
} array;

enum { MOST = 512, MOST_SPARE = 128, LARGEST_SPARE = 1 << 18 };
static array arrays[MOST], spare[MOST_SPARE]; /* spare: mappings to use again */
static int count, spares;
static size_t page, mapped; /* bytes of all mappings */
bool check_guard_before, check_no_guards;

static void protect(array *it, bool read_only)
{
    if (it->map && it->read_only != read_only)
        mprotect(it->map + page, it->size - 2 * page,
                 read_only ? PROT_READ : PROT_READ | PROT_WRITE);
    it->read_only = read_only;
}

/* Of `size` bytes with both guard pages, all 0: one that was given back, since the system takes longer
 * to map memory than most kernels run. */
static bool map(array *it, size_t size)
{
    it->size = size;
    for (int i = spares - 1; i >= 0; i--)
        if (spare[i].size == size) {
            it->map = spare[i].map;
            it->read_only = spare[i].read_only;
            spare[i] = spare[--spares];
            protect(it, false);
            memset(it->map + page, 0, size - 2 * page);
            return true;
        }
    mapped += size;
    it->map = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return it->map != MAP_FAILED &&
           mprotect(it->map + page, size - 2 * page, PROT_READ | PROT_WRITE) == 0;
}

static char *place(const char *name, size_t length, bool guarded)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner = (length + page - 1) / page * page + (length ? 0 : page);
    array it = {.name = name, .length = length};
    if (count < MOST && (check_no_guards || !guarded))
        it.data = calloc(length + 1, 1);
    else if (count < MOST && map(&it, inner + 2 * page))
        it.data = it.map + page + (check_guard_before ? 0 : inner - length);
    if (!it.data) {
        check_fail("no memory for %zu bytes of %s", length, name);
        exit(EXIT_FAILURE);
    }
    arrays[count++] = it;
    return it.data;
}

float *check_guarded(const char *name, int64_t n)
{
    return (float *)(void *)place(name, (size_t)n * sizeof(float), true);
}

double *check_guarded_doubles(const char *name, int64_t n)
{
    return (double *)(void *)place(name, (size_t)n * sizeof(double), true);
}

void *check_unguarded(const char *name, size_t length)
{
    return place(name, length, false);
}

size_t check_arrays_mapped(void)
{
    return mapped;
}

int check_arrays_mark(void)
{
    return count;
}

void check_arrays_release(int mark)
{
    while (count > mark) {
        const array *it = &arrays[--count];
        if (!it->map)
            free(it->data);
        else if (spares < MOST_SPARE && it->size <= LARGEST_SPARE)
            spare[spares++] = *it;
        else
            mapped -= it->size, munmap(it->map, it->size);
    }
}

void check_make_read_only(const void *at, bool read_only)
{
    for (int i = 0; at && i < count; i++)
        if (at == arrays[i].data)
            protect(&arrays[i], read_only);
}

const char *check_address_text(const void *address)
{
    static char text[128];
    const char *at = address;
    for (int i = 0; i < count; i++) {
        const array *it = &arrays[i];
        if (at < it->map || at >= it->map + it->size)
            continue;
        if (at < it->data)
            snprintf(text, sizeof text, "%zd bytes before the first float of %s", it->data - at,
                     it->name);
        else if (at >= it->data + it->length)
            snprintf(text, sizeof text, "%zd bytes after the last float of %s",
                     at - it->data - (ptrdiff_t)it->length, it->name);
        else
            snprintf(text, sizeof text, "%s, which it may only read", it->name);
        return text;
    }
    return NULL;
}
