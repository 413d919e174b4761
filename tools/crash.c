/* Between the signal and the end only what was prepared is used: write(), and the loader's own list. */
#include "crash.h"
#include "options.h"
#include "plugin/loader.h" /* hki_opening */
#include "workers/process.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <hillock/hillock.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

static void put(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* nobody listens */
}

/* The plugin file whose code was running; NULL: the program's own. */
static const char *file_of(const void *context)
{
    Dl_info found;
    void *handle;
    if (dladdr((const void *)HK_FAULT_PLACE((const ucontext_t *)context), &found) &&
        (handle = dlopen(found.dli_fname, RTLD_LAZY | RTLD_NOLOAD)) &&
        dlsym(handle, "hk_bundle_entry") && strstr(found.dli_fname, ".so"))
        return found.dli_fname;
    return NULL;
}

/* ---- Models that do not return ------------------------------------------------------------------- */

static bool is_named; /* tool_crash_name() was called */
static volatile bool leaving;
static const char *volatile building;
static char waiting
    [64]; /* where the system says how long the thread that builds has waited for a processor */
static double until; /* on the clock less that wait */

/* Seconds for which others had the processors, the second number there (Linux, sched-stats.rst). */
static double waited(void)
{
    char text[64] = "", *second;
    const int file = open(waiting, O_RDONLY | O_CLOEXEC);
    const ssize_t n = file < 0 ? -1 : read(file, text, sizeof text - 1);
    close(file);
    strtoull(n > 0 ? text : "0", &second, 10);
    return n > 0 ? 1e-9 * (double)strtoull(second, NULL, 10) : 0;
}

/* Sets the clock again where the time of the model is not over: its own, or for which it slept. */
static bool has_time_left(void)
{
    static const double little = 0.05;
    const double left = until + waited() - hk_now();
    if (left < little)
        return false;
    setitimer(
        ITIMER_REAL,
        &(struct itimerval){.it_value = {(time_t)left, (suseconds_t)(1e6 * (left - floor(left)))}},
        NULL);
    return true;
}

/* ---- Signals --------------------------------------------------------------------------------------- */

static void on_crash(int number, siginfo_t *info, void *context)
{
    const char *opening = hki_opening, *file = opening ? opening : file_of(context);
    const bool is_late = number == SIGALRM || number == SIGXCPU;
    (void)info;
    if (number == SIGALRM && (!building || has_time_left()))
        return;
    if (building) {
        put("hillock: model ");
        put(building);
        put(is_late ? ": build() did not return; it has 20 seconds, running or asleep"
                    : ": crashed in build(), perhaps for want of memory: ");
        put(is_late ? "" : sigdescr_np(number));
        put("; hillock check FILE says more\n");
        _exit(EXIT_BAD_DATA);
    }
    if (file) {
        put("hillock: plugin \"");
        put(file);
        put(opening ? "\": crashed while it was opened: " : "\": crashed: ");
        put(sigdescr_np(number));
        put("; hillock check FILE says more\n");
        _exit(EXIT_BAD_DATA);
    }
    if (leaving) {
        put("hillock: crashed while it closed the files of plugins: ");
        put(sigdescr_np(number));
        put("; what was printed is complete, and hillock check FILE says more\n");
        _exit(EXIT_BAD_DATA);
    }
    signal(number, SIG_DFL); /* the instruction runs once more */
}

static void leave(void) /* before the files of plugins are closed */
{
    leaving = true;
}

void tool_crash_name(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM, SIGXCPU};
    static char memory[1 << 16];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (SANITIZED || sigaltstack(&stack, NULL) != 0)
        return;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    atexit(leave);
    is_named = true;
}

void tool_crash_limit(const char *model)
{
    enum { SECONDS = 20 };
    static struct rlimit memory; /* as it was */
    struct rlimit time;
    if (!is_named)
        return;
    building = model;
    if (model) {
        const rlim_t bytes = ((rlim_t)worker_process_memory("VmSize:") << 20) +
                             (rlim_t)sysconf(_SC_PHYS_PAGES) / 2 * (rlim_t)sysconf(_SC_PAGESIZE);
        getrlimit(RLIMIT_AS, &memory);
        setrlimit(RLIMIT_AS, &(struct rlimit){MIN(bytes, memory.rlim_cur), memory.rlim_max});
        snprintf(waiting, sizeof waiting, "/proc/self/task/%d/schedstat", (int)gettid());
        getrlimit(RLIMIT_CPU, &time);
        until = hk_now() - waited() + (double)MIN(time.rlim_cur, SECONDS);
        has_time_left();
    } else {
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
        setrlimit(RLIMIT_AS, &memory);
    }
}
