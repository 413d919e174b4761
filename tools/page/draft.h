/* draft.h - a text in the making, for a file that is written whole or not at all. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

typedef struct draft {
    FILE *to; /* what is written here */
    char *text;
    size_t size;
} draft;

/* False: out of memory. */
bool page_draft_open(draft *d);
/* Closes the draft and writes the file; on failure prints the reason and returns the exit status. */
int page_draft_save(draft *d, const char *path);
