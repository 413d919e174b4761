/* From what the user wrote to an activation that compare can run: a formula or a C file is compiled, a
 * plugin's file copied, into the folder LEDGER-candidates, so that the ledger is whole. */
#include "compare/candidate.h"
#include "compare/line.h"
#include "commands.h"
#include "output.h"

#include <errno.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PATH = 4096 };

/* A name of a plugin with settings or without, as specs have it: no formula looks so but x. */
static bool is_name(const char *text)
{
    const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return length && strcmp(text, "x") != 0 && (!text[length] || text[length] == ':');
}

/* "PATH.so" or "PATH.c", the end of the path; 0: it is none. */
static size_t path_length(const char *text)
{
    const size_t length = strcspn(text, ":");
    const bool ends = (length > 3 && strncmp(text + length - 3, ".so", 3) == 0) ||
                      (length > 2 && strncmp(text + length - 2, ".c", 2) == 0);
    return ends && access(strndupa(text, length), F_OK) == 0 ? length : 0;
}

void compare_candidate_path(const char *ledger, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s%s-candidates/%s", strchr(ledger, '/') ? "" : "./", ledger, name);
}

static int read_identity(const options *given, const char *text, candidate *out)
{
    char path[MAX_PATH], digest[SHA256_DIGEST_STRING_LENGTH];
    const size_t length = path_length(text);
    if (strlen(text) >= sizeof out->asked - 64)
        return tool_fail(EXIT_USAGE, "judge: the candidate is too long");
    snprintf(out->asked, sizeof out->asked, "%s", text);
    snprintf(path, sizeof path, "%.*s", (int)length, text);
    if (length && !SHA256File(path, digest))
        return tool_fail(EXIT_IO, "judge: %s: %s", path, strerror(errno));
    if (length)
        snprintf(out->identity, sizeof out->identity, "file %s%s", digest, text + length);
    else
        snprintf(out->identity, sizeof out->identity, "%s %s", is_name(text) ? "spec" : "formula",
                 text);
    for (int i = 0; i < given->params.n; i++) {
        const size_t used = strlen(out->identity);
        snprintf(out->identity + used, sizeof out->identity - used, " %s", given->params.items[i]);
    }
    return EXIT_DONE;
}

int compare_candidate_know(const options *given, const char *text, candidate *out)
{
    *out = (candidate){.number = -1};
    if (given->params.n && (path_length(text) || is_name(text)))
        return tool_fail(EXIT_USAGE, "judge: --param goes with a formula");
    return read_identity(given, text, out);
}

static int run(line it)
{
    return tool_command_run(tool_command_find(it.words[0]), it.n - 1, it.words + 1);
}

/* What new prints, the name of its file, is no answer of judge. */
static int write_formula(const options *given, const char *text, const char *name,
                         const char *source)
{
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO), err = dup2(STDERR_FILENO, STDOUT_FILENO);
    const int status = run(compare_line_new(given, text, name, source));
    fflush(stdout);
    if (kept < 0 || err < 0 || dup2(kept, STDOUT_FILENO) < 0)
        return tool_fail(EXIT_IO, "judge: standard output: %s", strerror(errno));
    close(kept);
    return status;
}

static int copy(const char *from, const char *to)
{
    char bytes[1 << 16];
    size_t n;
    FILE *in = fopen(from, "rbe"), *out = in ? fopen(to, "wbe") : NULL;
    bool good = out;
    while (good && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        good = fwrite(bytes, 1, n, out) == n;
    good = good && !ferror(in);
    if (in)
        fclose(in);
    if (out)
        good = fclose(out) == 0 && good;
    return good ? EXIT_DONE : tool_fail(EXIT_IO, "judge: %s: %s", out ? to : from, strerror(errno));
}

/* Files of this number are those of a call that was ended before it wrote the candidate down. */
int compare_candidate_make(const options *given, const char *text, candidate *it)
{
    char folder[MAX_PATH], name[64], source[MAX_PATH], plugin[MAX_PATH], from[MAX_PATH];
    const size_t length = path_length(text);
    if (!length && is_name(text)) {
        snprintf(it->spec, sizeof it->spec, "%s", text);
        return EXIT_DONE;
    }
    compare_candidate_path(given->ledger, "", folder, sizeof folder);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return tool_fail(EXIT_IO, "judge: %s: %s", folder, strerror(errno));
    snprintf(name, sizeof name, "candidate_%lld", (long long)it->number);
    snprintf(source, sizeof source, "%.4000s%s.c", folder, name);
    snprintf(plugin, sizeof plugin, "%.4000s%s.so", folder, name);
    snprintf(from, sizeof from, "%.*s", (int)length, text);
    snprintf(it->spec, sizeof it->spec, "%s.so%s", name, length ? text + length : "");
    unlink(source);
    unlink(plugin);
    int status = length ? EXIT_DONE : write_formula(given, text, name, source);
    if (!status && length > 3 && strcmp(from + length - 3, ".so") == 0)
        return copy(from, plugin);
    return status ? status : run(compare_line_build(length ? from : source, plugin));
}
