/* seal.h - a checksum in each line of a file of results, over what no run has found: the texts of a
 * comparison, its rows, which run is whose, what was told, candidates. checksum.h has the runs' figures. */
#pragma once
#include "compare/store.h"

/* The function that the others call, in SQL. Once for each opened file. */
int compare_seal_begin(store *it);
/* Adds the column to the tables of a file that was made before there were seals. */
int compare_seal_add_columns(store *it);
/* Lines that were made before there were seals have none. */
int compare_seal_check(store *it);
/* Seals the lines of a table that were written, in their transaction; `where` has one ?, the id. */
void compare_seal_write(store *it, const char *table, const char *where, int64_t id);
