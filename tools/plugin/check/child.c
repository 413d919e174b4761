/* One worker process of hillock check seen from its parent: what it is told, and how it died. */
#include "plugin/check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int check_child_start(child *c, const char *target, const orders *o)
{
    char from[24];
    const char *words[12] = {"hillock", "check", "--worker", from}, **next = words + 4;
    int ends[2];
    *c = (child){.results = -1};
    snprintf(from, sizeof from, "%lld", (long long)o->from);
    if (o->quick)
        *next++ = "--quick";
    if (o->only)
        *next++ = "--test", *next++ = o->only;
    *next++ = "--", *next = target;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    const int error =
        worker_process_start(&c->process, &(process_orders){.words = words,
                                                            .channel = ends[1],
                                                            .memory_mib = MEMORY_MIB,
                                                            .cpu_seconds = 20 * CPU_SECONDS});
    close(ends[1]);
    c->results = ends[0];
    if (error)
        close(c->results);
    return error;
}

/* ", saying" and the last line that the process printed: what an assertion had to say. */
static void last_line(const process *p, char *out, size_t size)
{
    char words[512];
    worker_process_last_words(p, words, sizeof words);
    const char *line = strrchr(words, '\n');
    *out = '\0';
    if (*words)
        snprintf(out, size, ", saying \"%.120s\"", line ? line + 1 : words);
}

void check_child_end(child *c, bool kill_it, char death[256])
{
    char words[160];
    if (!kill_it) /* its end of the pipe is closed: it is about to end, or else it is ended */
        poll(&(struct pollfd){c->process.handle, POLLIN, 0}, 1, 1000);
    const int status = worker_process_end(&c->process, NULL);
    last_line(&c->process, words, sizeof words);
    if (kill_it)
        snprintf(death, 256, "did not end within %d s", WALL_SECONDS);
    else if (WIFSIGNALED(status))
        snprintf(death, 256, "ended the process by a signal (%s)%s", strsignal(WTERMSIG(status)),
                 words);
    else
        snprintf(death, 256, "ended the process with status %d%s", WEXITSTATUS(status), words);
    worker_process_clear(&c->process);
    close(c->results);
}
