/* bad_plugins/build.h - builds plugin files at run time in a directory of their own.
 *
 * The compiler is $CC or cc, as for a plugin author. */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char built_in[256]; /* the directory; begin_builds() makes it */

static inline const char *path_of(const char *name)
{
    static char paths[4][512]; /* several in one expression */
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", built_in, name);
    return path;
}

static inline int begin_builds(void)
{
    const char *place = getenv("TMPDIR");
    snprintf(built_in, sizeof built_in, "%s/hillock-test-XXXXXX", place ? place : "/tmp");
    return mkdtemp(built_in) != NULL;
}

static inline void end_builds(void)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", built_in);
    if (system(command) != 0)
        printf("%s could not be removed\n", built_in);
}

/* name.so from bad_plugins/source with further compiler arguments; its path, or NULL. */
static inline const char *build(const char *name, const char *source, const char *arguments)
{
    char command[4096], file[80];
    const char *compiler = getenv("CC");
    snprintf(file, sizeof file, "%s.so", name);
    snprintf(command, sizeof command,
             "cd '%s' && %s -std=gnu11 -w -O1 -fPIC -shared -I'%s' -o '%s' '%s/bad_plugins/%s' %s",
             built_in, compiler ? compiler : "cc", HILLOCK_INCLUDE_DIR, path_of(file),
             HILLOCK_TESTS_DIR, source, arguments);
    return system(command) == 0 ? path_of(file) : NULL;
}
