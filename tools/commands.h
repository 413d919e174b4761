/* commands.h - the commands: finding, running and explaining them.
 *
 * All that the program says about itself (overview, help, manual page, completion) is made from the
 * tables of commands and topics (commands.c) and of options (options.c). */
#pragma once
#include "options.h"

/* Grouped by what the user is doing; the end is a row without a name. A row without a group is the
 * program's own, and no help lists it. */
extern const command tool_commands[];

/* What help explains beside the commands: a text, or terms with a text each. */
typedef struct topic {
    const char *name, *title, *text;
    const char *const (*terms)[2]; /* term, text; ends with NULL; or NULL */
} topic;
extern const topic tool_topics[]; /* the end is a row without a name */

/* NULL, with the sentence, where nothing has this name. */
const command *tool_command_find(const char *name);
/* Reads the options, argv[0..argc-1], and runs the command. */
int tool_command_run(const command *it, int argc, char **argv);
/* Prints a command line, words[0] the command and a NULL behind the last, and runs it. */
int tool_run(int n, char **words);

/* ---- help.c ---------------------------------------------------------------------------------- */
void tool_help_overview(void);
void tool_help_of(const command *it);
void tool_help_completion(void); /* for bash */
int tool_help_version(void);
