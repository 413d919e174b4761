/* memory.h - what the program does when memory is refused: it says so and ends, wherever an answer would
 * otherwise lose a field or its end. Files are written whole or not at all, databases in transactions, so
 * that nothing is half done. */
#pragma once
#include <stddef.h>
#include <stdio.h>

/* "hillock: out of memory", and the end, with EXIT_FAILED; nothing of standard output is written. */
_Noreturn void tool_out_of_memory(void);
/* From now on jansson's memory is such. */
void tool_memory_start(void);
/* As open_memstream(), whose texts end early and in silence where memory is refused; this one's do not.
 * fclose() sets *text, to be freed, and *size, which may be NULL. */
FILE *tool_memory_stream(char **text, size_t *size);
