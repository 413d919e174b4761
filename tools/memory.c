/* One gate for memory of answers: JSON and texts. */
#include "memory.h"
#include "options.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void tool_out_of_memory(void)
{
    static const char sentence[] = "hillock: out of memory\n";
    _exit(write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0 ? EXIT_IO : EXIT_FAILED);
}

static void *allocate(size_t size)
{
    void *it = malloc(size);
    if (!it)
        tool_out_of_memory();
    return it;
}

void tool_memory_start(void)
{
    json_set_alloc_funcs(allocate, free);
}

typedef struct memory_text {
    char **text;
    size_t *size, used, capacity;
    char *bytes;
} memory_text;

static ssize_t add(void *cookie, const char *bytes, size_t n)
{
    memory_text *it = cookie;
    if (it->capacity - it->used <= n) { /* one more for the end */
        it->capacity = 2 * it->capacity + n + 1;
        it->bytes = realloc(it->bytes, it->capacity);
        if (!it->bytes)
            tool_out_of_memory();
    }
    memcpy(it->bytes + it->used, bytes, n);
    it->used += n;
    return (ssize_t)n;
}

static int finish(void *cookie)
{
    memory_text *it = cookie;
    add(it, "", 1);
    *it->text = it->bytes;
    if (it->size)
        *it->size = it->used - 1;
    free(it);
    return 0;
}

FILE *tool_memory_stream(char **text, size_t *size)
{
    memory_text *it = allocate(sizeof *it);
    *it = (memory_text){.text = text, .size = size};
    FILE *to = fopencookie(it, "w", (cookie_io_functions_t){.write = add, .close = finish});
    if (!to)
        tool_out_of_memory();
    return to;
}
