/* fuzz/folder.h - a folder of our own for files that a parser finds by name. */
#pragma once
#include "fuzz.h"

static char folder[] = "/tmp/hillock-XXXXXX";

static inline void remove_folder(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    REQUIRE(system(command) == 0);
}

static inline void make_folder(void)
{
    REQUIRE(mkdtemp(folder) && atexit(remove_folder) == 0);
}

/* A file of the folder that is a file in memory: its descriptor, for fuzz_file(). */
static inline int link_file(const char *name)
{
    char from[32], to[128];
    int fd = memfd_create(name, 0);
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    snprintf(to, sizeof to, "%s/%s", folder, name);
    REQUIRE(fd >= 0 && symlink(from, to) == 0);
    return fd;
}
