/* hillock try: from a formula to a ranked activation in one line. Nothing here but five
 * commands, which are shown as they are run, and a folder of their own.
 *
 * The net is deep, narrow and without normalization, where activations differ most: sixteen units
 * in each of fifteen layers, in which relu loses a fifth of its units within eight epochs. */
#include "commands.h"
#include "compare/line.h"
#include "output.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS "relu,leaky_relu,prelu,elu,selu,gelu,silu,mish"
#define NET "mlp:width=16,depth=15"
#define OPTIMIZER "adam:lr=0.005"

enum { MAX_PATH = 4096, MOST_TRIES = 10000, EPOCHS = 8, SEEDS = 20 };

typedef struct trial {
    const options *given;
    const char *name;
    char folder[MAX_PATH / 2];
    char source[MAX_PATH], plugin[MAX_PATH], db[MAX_PATH], page[MAX_PATH];
} trial;

/* The folder that --out names, or the first of try-1, try-2, ... that is not there. */
static int make_folder(trial *t)
{
    if (t->given->out) {
        snprintf(t->folder, sizeof t->folder, "%s", t->given->out);
        if (mkdir(t->folder, 0777) == 0)
            return EXIT_DONE;
        return tool_fail(EXIT_IO, "try: %s: %s; expected a new folder", t->folder, strerror(errno));
    }
    for (int i = 1; i <= MOST_TRIES; i++) {
        snprintf(t->folder, sizeof t->folder, "try-%d", i);
        if (mkdir(t->folder, 0777) == 0)
            return EXIT_DONE;
        if (errno != EEXIST)
            return tool_fail(EXIT_IO, "try: %s: %s", t->folder, strerror(errno));
    }
    return tool_fail(EXIT_IO, "try: try-1 to try-%d are all there; --out names another folder",
                     MOST_TRIES);
}

static int make_plugin(const trial *t)
{
    line it = compare_line_new(t->given, t->given->operands[0], t->name, t->source);
    int status = tool_run(it.n, it.words);
    it = compare_line_build(t->source, t->plugin);
    return status ? status : tool_run(it.n, it.words);
}

static int check_plugin(const trial *t)
{
    int status = tool_run(3, (char *[]){"check", "--quick", (char *)t->plugin});
    return status == EXIT_FAILED
               ? tool_fail(status,
                           "try: ranking a plugin that fails its checks would say nothing; "
                           "%s is there to be mended",
                           t->source)
               : status;
}

static const char *number(int64_t given, int usual, char text[24])
{
    snprintf(text, 24, "%lld", given ? (long long)given : usual);
    return text;
}

/* The plugin joins the eight by its own name. */
static int rank(const trial *t)
{
    char names[sizeof OTHERS + 64], epochs[24], seeds[24], jobs[24];
    line it = {{"compare"}, 1};
    snprintf(names, sizeof names, "%s,%.40s", OTHERS, t->name);
    compare_line_add(&it, "--act", names);
    compare_line_add(&it, "--plugin", t->plugin);
    compare_line_add(&it, "--model", t->given->model ? t->given->model : NET);
    compare_line_add(&it, "--optimizer", t->given->model ? NULL : OPTIMIZER); /* the model's own */
    for (int i = 0; i < t->given->data_sets.n; i++)
        compare_line_add(&it, "--data", t->given->data_sets.items[i]);
    compare_line_add(&it, "--epochs", number(t->given->epochs, EPOCHS, epochs));
    compare_line_add(&it, "--seeds", number(t->given->seeds, SEEDS, seeds));
    compare_line_add(&it, "--jobs", t->given->jobs ? number(t->given->jobs, 0, jobs) : NULL);
    compare_line_add(&it, "--db", t->db);
    compare_line_add(&it, "--name", t->name);
    return tool_run(it.n, it.words);
}

/* On a desktop the page opens; elsewhere its name has to do. */
static int write_page(const trial *t)
{
    line it = {{"report"}, 1};
    compare_line_add(&it, "--db", t->db);
    compare_line_add(&it, "--name", t->name);
    compare_line_add(&it, "--plugin", t->plugin); /* to draw its curve */
    compare_line_add(&it, "--out", t->page);
    int status = tool_run(it.n, it.words);
    const bool has_desktop = getenv("DISPLAY") || getenv("WAYLAND_DISPLAY");
    char *words[] = {"xdg-open", (char *)t->page, NULL};
    pid_t child;
    if (!status && (!isatty(STDOUT_FILENO) || !has_desktop ||
                    posix_spawnp(&child, words[0], NULL, NULL, words, environ) != 0))
        printf("open %s to see its units beside those of relu\n", t->page);
    return status;
}

/* A run that failed, of the plugin perhaps, is something to look at. */
int compare_try_command(options *given)
{
    trial t = {.given = given, .name = given->name ? given->name : "tried"};
    int status = make_folder(&t);
    if (status)
        return status;
    const bool rooted = t.folder[0] == '/';
    snprintf(t.source, MAX_PATH, "%s/%.40s.c", t.folder, t.name);
    snprintf(t.plugin, MAX_PATH, "%s%s/%.40s.so", rooted ? "" : "./", t.folder, t.name);
    snprintf(t.db, MAX_PATH, "%s/results.db", t.folder);
    snprintf(t.page, MAX_PATH, "%s/report.html", t.folder);
    int (*const steps[])(const trial *) = {make_plugin, check_plugin, rank};
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !status; i++)
        status = steps[i](&t);
    if (status && status != EXIT_SOME_RUNS) {
        rmdir(t.folder); /* as long as nothing is in it */
        return status;
    }
    int written = write_page(&t);
    return written ? written : status;
}
