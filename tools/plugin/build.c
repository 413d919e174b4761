/* hillock build: the compiler with the flags a plugin wants. No shell is between: words reach the
 * compiler as they are, and its messages reach the user. */
#include "options.h"
#include "output.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_PATH = 4096, MAX_WORDS = 32, MAX_AT_ONCE = 64 };

static const char *const flags[] = {
    "-std=c11", "-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden"};

/* ---- Where <hillock/plugin.h> is ------------------------------------------------------------- */

/* The folder UP levels above this program, with `below` behind; "" when that holds no header. */
static void include_from(int up, const char *below, char out[MAX_PATH])
{
    char header[MAX_PATH + 32];
    ssize_t length = readlink("/proc/self/exe", out, MAX_PATH - 64);
    if (length < 0)
        length = 0;
    out[length] = '\0';
    for (char *slash; up >= 0 && (slash = strrchr(out, '/')); up--)
        *slash = '\0';
    strcat(out, below);
    snprintf(header, sizeof header, "%s/hillock/plugin.h", out);
    if (access(header, R_OK) != 0)
        out[0] = '\0';
}

/* Beside the installed program, else where this program was built from. */
static int find_include(char out[MAX_PATH])
{
    include_from(1, "/include", out);
#ifdef HILLOCK_SOURCE_INCLUDE
    if (!*out && access(HILLOCK_SOURCE_INCLUDE "/hillock/plugin.h", R_OK) == 0)
        strcpy(out, HILLOCK_SOURCE_INCLUDE);
#endif
    return *out ? EXIT_DONE
                : tool_fail(EXIT_FAILED, "build: hillock/plugin.h is neither in ../include beside "
                                         "this program nor where it was built from");
}

/* ---- One call of the compiler ---------------------------------------------------------------- */

typedef struct command_line {
    const char **words;
    int n;
    char compiler[1024], include[MAX_PATH + 2];
} command_line;

static void append(command_line *line, const char *word)
{
    line->words[line->n++] = word;
}

/* $CC may bring options of its own: "ccache gcc". */
static int append_compiler(command_line *line)
{
    const char *given = getenv("CC");
    snprintf(line->compiler, sizeof line->compiler, "%s", given && *given ? given : "cc");
    for (char *rest = line->compiler, *word; (word = strsep(&rest, " "));)
        if (*word) {
            if (line->n == MAX_WORDS)
                return tool_fail(EXIT_USAGE, "build: CC has more than %d words", MAX_WORDS);
            append(line, word);
        }
    return line->n ? EXIT_DONE : tool_fail(EXIT_USAGE, "build: CC is blank");
}

static int compose(command_line *line, const char *include, char **sources, int n, const char *out)
{
    size_t most = MAX_WORDS + sizeof flags / sizeof *flags + (size_t)n + 8;
    *line = (command_line){.words = calloc(most, sizeof *line->words)};
    if (!line->words)
        return tool_fail(EXIT_FAILED, "build: out of memory");
    int status = append_compiler(line);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        append(line, flags[i]);
    snprintf(line->include, sizeof line->include, "-I%s", include);
    append(line, line->include);
    for (int i = 0; i < n; i++)
        append(line, sources[i]);
    append(line, "-o");
    append(line, out);
    append(line, "-lm");
    return status;
}

static void show(const command_line *line)
{
    for (int i = 0; i < line->n; i++) {
        fputs(i ? " " : "", stdout);
        tool_put_text(stdout, line->words[i]);
    }
    putchar('\n');
    fflush(stdout);
}

static int start(const command_line *line, pid_t *child)
{
    char **words = (char **)(void *)line->words;
    int error = posix_spawnp(child, words[0], NULL, NULL, words, environ);
    return error ? tool_fail(EXIT_FAILED, "build: %s: %s; CC names the compiler", line->words[0],
                             strerror(error))
                 : EXIT_DONE;
}

static int finish(pid_t child, const char *what)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return tool_fail(EXIT_FAILED, "build: %s: %s", what, strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return EXIT_DONE;
    return tool_fail(EXIT_FAILED, "build: %s was not compiled", what);
}

/* Starts the compiler; *child is 0 when that failed. */
static int compile(const options *given, const char *include, char **sources, int n,
                   const char *out, pid_t *child)
{
    command_line line;
    int status = compose(&line, include, sources, n, out);
    *child = 0;
    if (!status && given->verbose)
        show(&line);
    if (!status)
        status = start(&line, child);
    free(line.words);
    return status;
}

/* ---- All of them ----------------------------------------------------------------------------- */

static int check_source(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (path[0] == '-' || !dot || strcmp(dot, ".c") != 0)
        return tool_fail(EXIT_USAGE, "build: \"%s\", expected the name of a C file, NAME.c", path);
    if (access(path, R_OK) != 0)
        return tool_fail(EXIT_IO, "build: %s: %s", path, strerror(errno));
    return EXIT_DONE;
}

/* dir/name.c becomes name.so, as the compiler would have it. */
static void object_name(const char *source, char out[MAX_PATH])
{
    const char *slash = strrchr(source, '/'), *name = slash ? slash + 1 : source;
    snprintf(out, MAX_PATH, "%.*s.so", (int)(strlen(name) - 2), name);
}

/* Each file by itself, as many at a time as there are processors. The first failure is the answer,
 * the others are tried all the same. */
static int build_each(const options *given, const char *include)
{
    pid_t children[MAX_AT_ONCE];
    long at_once = sysconf(_SC_NPROCESSORS_ONLN);
    int result = EXIT_DONE, status, started = 0, done = 0;
    at_once = at_once < 1 ? 1 : at_once > MAX_AT_ONCE ? MAX_AT_ONCE : at_once;
    while (done < given->n_operands) {
        if (started < given->n_operands && started - done < at_once) {
            char out[MAX_PATH];
            object_name(given->operands[started], out);
            status = compile(given, include, &given->operands[started], 1, out,
                             &children[started % at_once]);
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
    for (int i = 0; i < given->n_operands && !status; i++)
        status = check_source(given->operands[i]);
    if (status)
        return status;
    if (!given->out)
        return build_each(given, include);
    status = compile(given, include, given->operands, given->n_operands, given->out, &child);
    return status ? status : finish(child, given->out);
}
