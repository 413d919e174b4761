/* inspect.h - the part of hillock inspect that knows plugins. */
#pragma once
#include "options.h"

/* Every plugin of this name, of any kind. */
int plugin_inspect(const char *name, const options *given);
/* Every plugin of a file. */
int plugin_inspect_file(const char *path, const options *given);
