/* module.h - what few commands need and what takes long to load, or is not everywhere, stands in shared objects
 * beside the program: ../lib/hillock/NAME.so, before and after it is installed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* False: the path is too long, or the system does not say where the program is. */
bool tool_module_path(const char *name, char *path, size_t size);
/* dlopen() with RTLD_NOW and `mode`, for the life of the process; NULL: there is none, see dlerror(). */
void *tool_module_open(const char *name, int mode);
