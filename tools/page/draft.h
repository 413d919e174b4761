/* draft.h - a text in the making, for a file that is written whole or not at all. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

typedef struct draft {
    FILE *to; /* what is written here */
    char *text;
    size_t size;
} draft;

/* False: memory was refused. */
bool page_draft_open(draft *d);
/* Closes the draft and writes the file; returns the exit status, has told the reason. */
int page_draft_save(draft *d, const char *path);
