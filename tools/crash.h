/* crash.h - a plugin's crash is a sentence with the name of its file, and so is a model that never ends. */
#pragma once

/* Of this process from now on: where a signal strikes in the code of a plugin, while a file is opened as
 * one or a model is built, the program says so and ends with EXIT_BAD_DATA; other crashes are the program's
 * own, and remain. Not for workers, whose coordinator looks at the signal. */
void tool_crash_name(void);

/* A model of this name is being built, NULL: no more. Where tool_crash_name() was called, it has 20 seconds,
 * running or asleep but not those for which others had the processors, whose end is the program's, and half of
 * the machine's memory, beyond which allocation fails. */
void tool_crash_limit(const char *model);
