/* hillock build: the compiler with the flags a plugin wants. No shell is between: words reach the
 * compiler as they are, and its messages reach the user. */
#include "options.h"
#include "output.h"
#include "workers/process.h"
#include "workers/pool.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_PATH = 4096, MAX_WORDS = 32, MAX_AT_ONCE = 64 };
/* Of the compiler. An ordinary plugin takes a second and 60 MiB, one of a formula of 5,000 characters three
 * and 120. */
enum { CPU_SECONDS = 300, MEMORY_MIB = 4096 };

static const char *const flags[] = {
    "-std=c11", "-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden"};

/* Beside the installed program, ../include, else where this program was built from. */
static int find_include(char out[MAX_PATH])
{
    char header[MAX_PATH + 32];
    const ssize_t length = readlink("/proc/self/exe", out, MAX_PATH - 64);
    out[length < 0 ? 0 : length] = '\0';
    for (int up = 0; up < 2 && strrchr(out, '/'); up++)
        *strrchr(out, '/') = '\0';
    strcat(out, "/include");
    snprintf(header, sizeof header, "%s/hillock/plugin.h", out);
    if (access(header, R_OK) == 0)
        return EXIT_DONE;
#ifdef HILLOCK_SOURCE_INCLUDE
    if (access(HILLOCK_SOURCE_INCLUDE "/hillock/plugin.h", R_OK) == 0) {
        strcpy(out, HILLOCK_SOURCE_INCLUDE);
        return EXIT_DONE;
    }
#endif
    return tool_fail(EXIT_FAILED, "build: hillock/plugin.h is neither in ../include beside this "
                                  "program nor where it was built from");
}

typedef struct command_line {
    const char **words; /* ends with NULL */
    char compiler[1024], include[MAX_PATH + 2];
} command_line;

/* The words of one call; $CC may bring options of its own: "ccache gcc". */
static int compose(command_line *line, const char *include, char **sources, int n, const char *out)
{
    const size_t n_flags = sizeof flags / sizeof *flags;
    const char *compiler = getenv("CC"), **next;
    *line = (command_line){.words = calloc(MAX_WORDS + n_flags + (size_t)n + 8, sizeof(char *))};
    if (!line->words)
        return tool_no_memory();
    next = line->words;
    snprintf(line->compiler, sizeof line->compiler, "%s", compiler && *compiler ? compiler : "cc");
    for (char *rest = line->compiler, *word; (word = strsep(&rest, " "));) {
        if (*word && next == line->words + MAX_WORDS)
            return tool_fail(EXIT_USAGE, "build: CC has more than %d words", MAX_WORDS);
        if (*word)
            *next++ = word;
    }
    if (next == line->words)
        return tool_fail(EXIT_USAGE, "build: CC is blank");
    next = mempcpy(next, flags, sizeof flags);
    snprintf(line->include, sizeof line->include, "-I%s", include);
    *next++ = line->include;
    next = mempcpy(next, sources, (size_t)n * sizeof *sources);
    *next++ = "-o";
    *next++ = out;
    *next++ = "-lm";
    return EXIT_DONE;
}

/* What came of the compiler cannot be told from its status: its driver has one for every failure. */
static int finish(pid_t child, const char *what)
{
    int status;
    struct rusage used;
    while (wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR)
            return tool_fail(EXIT_FAILED, "build: %s: %s", what, strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return EXIT_DONE;
    if (used.ru_utime.tv_sec + used.ru_stime.tv_sec >= CPU_SECONDS - 1)
        return tool_fail(EXIT_FAILED, "build: %s was not compiled within %d s of processor time",
                         what, CPU_SECONDS);
    if (used.ru_maxrss / 1024 > MEMORY_MIB / 2)
        return tool_fail(EXIT_FAILED, "build: %s was not compiled within %d MiB of memory", what,
                         MEMORY_MIB);
    return tool_fail(EXIT_FAILED, "build: %s was not compiled", what);
}

/* As posix_spawnp(), for a child with limits: a source may make a compiler take all there is. They are
 * those of this program for the moment. */
static int spawn_limited(pid_t *child, char **words)
{
    struct rlimit time, memory;
    getrlimit(RLIMIT_CPU, &time);
    getrlimit(RLIMIT_AS, &memory);
    const rlim_t seconds = CPU_SECONDS, bytes = (rlim_t)MEMORY_MIB << 20;
    setrlimit(RLIMIT_CPU, &(struct rlimit){MIN(seconds, time.rlim_cur), time.rlim_max});
    if (!SANITIZED)
        setrlimit(RLIMIT_AS, &(struct rlimit){MIN(bytes, memory.rlim_cur), memory.rlim_max});
    const int error = posix_spawnp(child, words[0], NULL, NULL, words, environ);
    setrlimit(RLIMIT_CPU, &time);
    setrlimit(RLIMIT_AS, &memory);
    return error;
}

/* Starts the compiler; *child is 0 when that failed. */
static int compile(const options *given, const char *include, char **sources, int n,
                   const char *out, pid_t *child)
{
    command_line line;
    int status = compose(&line, include, sources, n, out);
    *child = 0;
    for (int i = 0; !status && given->verbose && line.words[i]; i++) {
        tool_put_text(stdout, line.words[i]);
        putchar(line.words[i + 1] ? ' ' : '\n');
    }
    fflush(stdout);
    if (!status) {
        char **words = (char **)(void *)line.words;
        const int error = spawn_limited(child, words);
        if (error) {
            *child = 0;
            status = tool_fail(EXIT_FAILED, "build: %s: %s; CC names the compiler", words[0],
                               strerror(error));
        }
    }
    free(line.words);
    return status;
}

/* Each file by itself, as many at a time as there are processors. The first failure is the answer,
 * the others are tried all the same. */
static int build_each(const options *given, const char *include)
{
    pid_t children[MAX_AT_ONCE];
    const int processors = worker_processors();
    const int at_once = processors < MAX_AT_ONCE ? processors : MAX_AT_ONCE;
    int result = EXIT_DONE, status, started = 0, done = 0;
    while (done < given->n_operands) {
        if (started < given->n_operands && started - done < at_once) {
            char **source = &given->operands[started], out[MAX_PATH];
            const char *slash = strrchr(*source, '/'), *name = slash ? slash + 1 : *source;
            snprintf(out, sizeof out, "%.*s.so", (int)(strlen(name) - 2), name); /* NAME.c */
            status = compile(given, include, source, 1, out, &children[started % at_once]);
            started++;
        } else {
            pid_t child = children[done % at_once];
            status = child ? finish(child, given->operands[done]) : EXIT_DONE;
            done++;
        }
        result = result ? result : status;
    }
    return result;
}

int plugin_build_command(options *given)
{
    char include[MAX_PATH];
    pid_t child;
    int status = find_include(include);
    for (int i = 0; i < given->n_operands && !status; i++) {
        const char *path = given->operands[i], *dot = strrchr(path, '.');
        if (path[0] == '-' || !dot || strcmp(dot, ".c") != 0)
            status =
                tool_fail(EXIT_USAGE, "build: \"%s\", expected the name of a C file, NAME.c", path);
        else if (access(path, R_OK) != 0)
            status = tool_fail(EXIT_IO, "build: %s: %s", path, strerror(errno));
    }
    if (status)
        return status;
    if (!given->out)
        return build_each(given, include);
    status = compile(given, include, given->operands, given->n_operands, given->out, &child);
    return status ? status : finish(child, given->out);
}
