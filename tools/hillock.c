/* hillock - the program: its own options, then the command. */
#include "commands.h"
#include "crash.h"
#include "memory.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* GNU OpenMP's threads wait by spinning, for 15 ms where a pause is 140 cycles: beside another busy
 * program that costs most of the speed. Some microseconds lose next to nothing on an idle machine:
 * against ten times as many, mlp trains 3 % slower there, lenet5 as fast, and beside one busy program
 * 1.7 and 2.3 times as fast. The library reads the variable before main(), so the program starts
 * itself once more. */
static void wait_briefly(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY"))
        return;
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0)
        execv("/proc/self/exe", argv);
}

/* What was closed before the start, as by 2>&-, would go to the next file that is opened. */
static void take_descriptors(void)
{
    int taken;
    do
        taken = open("/dev/null", O_RDWR);
    while (taken >= 0 && taken <= STDERR_FILENO);
    if (taken >= 0)
        close(taken);
}

static int run(int argc, char **argv)
{
    static const char *const known[] = {"--help", "--version", "--completion"};
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        tool_help_overview();
        return EXIT_DONE;
    }
    if (strcmp(word, "--version") == 0)
        return tool_help_version();
    if (strcmp(word, "--completion") == 0) {
        if (argc != 3 || strcmp(argv[2], "bash") != 0)
            return tool_fail(EXIT_USAGE, "--completion: expected bash");
        tool_help_completion();
        return EXIT_DONE;
    }
    if (word[0] == '-')
        return tool_fail(EXIT_USAGE, "unknown option %s%s", word, tool_known(word, known, 3));
    const command *it = tool_command_find(word);
    if (it && it->summary) /* not a worker */
        tool_crash_name();
    return it ? tool_command_run(it, argc - 2, argv + 2) : EXIT_USAGE;
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    take_descriptors();
    tool_memory_start();
    signal(SIGPIPE, SIG_IGN); /* a write that fails says so itself */
    signal(SIGXFSZ, SIG_IGN);
    const int status = run(argc, argv);
    /* A failure has had its sentence; the others are answers, which must have reached somebody. */
    const bool is_answer = status == EXIT_DONE || status == EXIT_SOME_RUNS || status == EXIT_DROP ||
                           status == EXIT_MORE;
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || !is_answer)
        return status;
    if (errno == EPIPE) /* a reader that went away, as head does, needs no sentence */
        return EXIT_IO;
    return tool_fail(EXIT_IO, "standard output: %s",
                     errno ? strerror(errno) : "not all was written");
}
