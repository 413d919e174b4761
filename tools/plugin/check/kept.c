/* What a plugin keeps: nothing. After loading, the file's writable segments become read-only, so that a
 * variable is found out when it is written, whatever its section and with or without its name. */
#include "plugin/check/check.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_SEGMENTS = 8 };
typedef struct segment {
    char *start;
    size_t length;
} segment;
static segment kept[MOST_SEGMENTS];
static int count;

static void protect(int how)
{
    for (int i = 0; i < count; i++)
        mprotect(kept[i].start, kept[i].length, how);
}

/* Takes the segments of the object in which the address lies. */
static int take_segments(struct dl_phdr_info *object, size_t size, void *address)
{
    (void)size;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    bool own = false;
    count = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *at = &object->dlpi_phdr[i];
        const ElfW(Addr) start = object->dlpi_addr + at->p_vaddr, end = start + at->p_memsz;
        if (at->p_type != PT_LOAD)
            continue;
        own |= (ElfW(Addr))address >= start && (ElfW(Addr))address < end;
        if (at->p_flags & PF_W && count < MOST_SEGMENTS)
            kept[count++] = (segment){(char *)(start / page * page),
                                      (end - start / page * page + page - 1) / page * page};
    }
    return own;
}

void check_keep_nothing(const char *file, const void *bundle)
{
    check_keep_again();
    if (check_file_is_instrumented(file) || !dl_iterate_phdr(take_segments, (void *)bundle))
        count = 0;
    protect(PROT_READ);
}

void check_keep_again(void)
{
    protect(PROT_READ | PROT_WRITE);
    count = 0;
}

bool check_is_kept(const void *address)
{
    for (int i = 0; i < count; i++)
        if ((const char *)address >= kept[i].start &&
            (const char *)address < kept[i].start + kept[i].length)
            return true;
    return false;
}
