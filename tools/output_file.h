/* output_file.h - what a file is that a command is about to replace. A net is not saved over the data that
 * it learned from, a page not over a net. */
#pragma once
#include "options.h"
#include <stddef.h>

extern const char tool_saved_net[], tool_shared_object[];

/* "an HTML page", "a saved net", ...; of text of any other kind "a text file", of the rest "another file". */
const char *tool_output_kind(const char *bytes, size_t size);
/* Whether a file of this kind may take the name: nothing is there, or an empty file, or one of its kind.
 * EXIT_USAGE, told. */
int tool_output_check(const char *path, const char *kind);
/* The same for --out of commands that write it at their end, before they begin. */
int tool_output_check_options(const command *of, const options *given);
