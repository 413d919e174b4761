/* One worker process seen from its parent: started by executing this program again, since a forked
 * copy of a process that has used OpenMP hangs; in a process group of its own, so that what it
 * starts ends with it; with limits on memory and processor time. What it prints is kept aside. */
#include "check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void limit(__rlimit_resource_t what, rlim_t value)
{
    setrlimit(what, &(struct rlimit){value, value});
}

/* Between fork and exec. */
static void become_worker(const char *target, const orders *o, int results, int output)
{
    char from[24];
    const char *words[12] = {"hillock", "check", "--worker", from}, **next = words + 4;
    snprintf(from, sizeof from, "%lld", (long long)o->from);
    if (o->quick)
        *next++ = "--quick";
    if (o->only)
        *next++ = "--test", *next++ = o->only;
    *next++ = "--", *next = target;
    setpgid(0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, 20 * CPU_SECONDS);
    if (SANITIZED) /* its own handlers would hide ours */
        setenv("ASAN_OPTIONS",
               "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:handle_abort=0:"
               "detect_leaks=0:allocator_may_return_null=1:hard_rss_limit_mb=2048",
               1);
    else
        limit(RLIMIT_AS, (rlim_t)MEMORY_MIB << 20);
    setenv("GOMP_SPINCOUNT", "1000", 0); /* set already: the program need not start itself again */
    int input = open("/dev/null", O_RDONLY);
    if (input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
        dup2(results, RESULT_FD) < 0)
        _exit(127);
    execv("/proc/self/exe", (char *const *)words);
    _exit(127);
}

int child_start(child *c, const char *target, const orders *o)
{
    int ends[2] = {-1, -1};
    *c = (child){.output = memfd_create("output", MFD_CLOEXEC)};
    if (c->output < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    c->results = ends[0];
    int writing = fcntl(ends[1], F_DUPFD_CLOEXEC, RESULT_FD + 1); /* dup2 to itself keeps CLOEXEC */
    int output = fcntl(c->output, F_DUPFD_CLOEXEC, RESULT_FD + 1);
    fflush(NULL);
    c->pid = fork();
    if (c->pid == 0)
        become_worker(target, o, writing, output);
    close(ends[1]), close(writing), close(output);
    return c->pid < 0 ? errno : 0;
}

/* The last line that the process printed: what an assertion or a sanitizer had to say. */
static void last_words(int output, char *out, size_t size)
{
    char text[512];
    const off_t end = lseek(output, 0, SEEK_END);
    const off_t start = end > (off_t)sizeof text - 1 ? end - (off_t)sizeof text + 1 : 0;
    const ssize_t n = pread(output, text, sizeof text - 1, start);
    out[0] = '\0';
    if (n <= 0)
        return;
    text[n] = '\0';
    for (char *last = text + n - 1; last >= text && *last == '\n'; last--)
        *last = '\0';
    const char *line = strrchr(text, '\n');
    snprintf(out, size, ", saying \"%.120s\"", line ? line + 1 : text);
}

void child_end(child *c, bool kill_it, char death[256])
{
    int status = 0;
    char words[160];
    if (kill_it)
        kill(-c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    kill(-c->pid, SIGKILL); /* what the plugin has started */
    last_words(c->output, words, sizeof words);
    if (kill_it)
        snprintf(death, 256, "did not end within %d s", WALL_SECONDS);
    else if (WIFSIGNALED(status))
        snprintf(death, 256, "ended the process by a signal (%s)%s", strsignal(WTERMSIG(status)),
                 words);
    else
        snprintf(death, 256, "ended the process with status %d%s", WEXITSTATUS(status), words);
    close(c->results), close(c->output);
}
