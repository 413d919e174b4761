/* inspect.h - the part of hillock inspect that knows plugins. */
#pragma once
#include "options.h"

/* Every plugin of this name, of any kind. */
int inspect_plugin(const char *name, const options *given);
/* Every plugin of a file. */
int inspect_plugin_file(const char *path, const options *given);
