/* table.h - a table for a terminal, as wide as its cells ask for. Where that is wider than the terminal, the
 * columns that have no room go below their row, each value behind its column's name. */
#pragma once
#include <stdio.h>

typedef struct tool_table tool_table;

/* Names of columns, ended by NULL. '<' before a name: its cells are text, aligned to the left; '>': they are
 * not, as where neither stands. */
tool_table *tool_table_new(const char *const *names);
/* The next cell, row by row; "" and "-": there is nothing to say. */
void tool_table_cell(tool_table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints the table and frees it. `note` stands behind the heading; NULL: nothing does. */
void tool_table_print(FILE *to, tool_table *t, int indent, const char *note);
/* Words, indented, broken before the terminal's edge. */
void tool_put_wrapped(FILE *to, const char *text, int indent);
