/* draft.h - a text in the making, for a file that is written whole or not at all. */
#pragma once
#include <stddef.h>
#include <stdio.h>

typedef struct draft {
    FILE *to; /* what is written here */
    char *text;
    size_t size;
} draft;

void page_draft_open(draft *d);
/* Closes the draft and writes the file, which may replace one of its own kind alone; on failure prints the
 * reason and returns the exit status. */
int page_draft_save(draft *d, const char *path);
