/* crash.h - a plugin's crash is a sentence with the name of its file. */
#pragma once

/* Of this process from now on: where a signal strikes in the code of a plugin, or while a file is opened
 * as one, the program says so and ends with EXIT_BAD_DATA; other crashes are the program's own, and
 * remain. Not for workers, whose coordinator looks at the signal. */
void tool_crash_name(void);
