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
} array;

enum { MOST = 512 };
static array arrays[MOST];
static int count;
bool check_guard_before, check_no_guards;

static char *place(const char *name, size_t length, bool guarded)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner = (length + page - 1) / page * page + (length ? 0 : page);
    array it = {.name = name, .length = length};
    if (count < MOST && (check_no_guards || !guarded)) {
        it.data = calloc(length + 1, 1);
    } else if (count < MOST) {
        it.size = inner + 2 * page;
        it.map = mmap(NULL, it.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (it.map != MAP_FAILED && mprotect(it.map + page, inner, PROT_READ | PROT_WRITE) == 0)
            it.data = it.map + page + (check_guard_before ? 0 : inner - length);
    }
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

int check_arrays_mark(void)
{
    return count;
}

void check_arrays_release(int mark)
{
    while (count > mark) {
        count--;
        if (arrays[count].map)
            munmap(arrays[count].map, arrays[count].size);
        else
            free(arrays[count].data);
    }
}

void check_make_read_only(const void *at, bool read_only)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; at && i < count; i++)
        if (at == arrays[i].data && arrays[i].map)
            mprotect(arrays[i].map + page, arrays[i].size - 2 * page,
                     read_only ? PROT_READ : PROT_READ | PROT_WRITE);
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
