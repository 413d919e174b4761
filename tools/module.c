/* Finding and loading modules. */
#include "module.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool tool_module_path(const char *name, char *path, size_t size)
{
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return false;
    program[length] = 0;
    *strrchr(program, '/') = 0;
    return snprintf(path, size, "%s/../lib/hillock/%s.so", program, name) < (int)size;
}

void *tool_module_open(const char *name, int mode)
{
    char path[PATH_MAX];
    return tool_module_path(name, path, sizeof path) ? dlopen(path, RTLD_NOW | mode) : NULL;
}
