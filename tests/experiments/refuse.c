/* Preloaded into a program by refused.py: in each process of a program called hillock the allocation of
 * number REFUSE, from 1, gets no memory. With COUNT=FILE a process adds a line to that file when it
 * ends, the number of its allocations.
 *
 *     cc -O2 -shared -fPIC refuse.c -o refuse.so */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);

static long count, refused = -1;

static int refuse(void)
{
    if (refused < 0)
        refused = getenv("REFUSE") && strcmp(program_invocation_short_name, "hillock") == 0
                      ? atol(getenv("REFUSE"))
                      : 0;
    if (__sync_add_and_fetch(&count, 1) != refused)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return refuse() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return refuse() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *block, size_t n)
{
    return n && refuse() ? NULL : __libc_realloc(block, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return refuse() ? NULL : __libc_memalign(alignment, n);
}

int posix_memalign(void **block, size_t alignment, size_t n)
{
    *block = aligned_alloc(alignment, n);
    return *block ? 0 : ENOMEM;
}

__attribute__((destructor)) static void tell(void)
{
    FILE *to = getenv("COUNT") && strcmp(program_invocation_short_name, "hillock") == 0
                   ? fopen(getenv("COUNT"), "a")
                   : NULL;
    if (to) {
        fprintf(to, "%ld\n", count);
        fclose(to);
    }
}
