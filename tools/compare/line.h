/* line.h - a command with its options, put together by another command. */
#pragma once
#include "options.h"

typedef struct line {
    char *words[2 * MAX_TEXTS + 32]; /* those of others; ends with NULL */
    int n;
} line;

/* Nothing without a value. */
void compare_line_add(line *to, const char *option, const char *value);

/* From a formula to a plugin's file: new, with the options of formulas that were given, and build. */
line compare_line_new(const options *given, const char *formula, const char *name,
                      const char *source);
line compare_line_build(const char *source, const char *plugin);
