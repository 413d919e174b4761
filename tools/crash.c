/* Between the signal and the end only what was prepared is used: write(), and the loader's own list. */
#include "crash.h"
#include "options.h"
#include "plugin/loader.h" /* hki_opening */
#include "workers/process.h"

#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/param.h>
#include <sys/resource.h>
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

static bool is_named; /* tool_crash_name() was called */
static const char *volatile building;

static void on_crash(int number, siginfo_t *info, void *context)
{
    const char *opening = hki_opening, *file = opening ? opening : file_of(context);
    (void)info;
    if (building) {
        put("hillock: model ");
        put(building);
        put(number == SIGXCPU ? ": build() did not return; it has 20 seconds of processor time"
                              : ": crashed in build(), perhaps for want of memory: ");
        put(number == SIGXCPU ? "" : sigdescr_np(number));
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
    signal(number, SIG_DFL); /* the instruction runs once more */
}

void tool_crash_name(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGXCPU};
    static char memory[1 << 16];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (SANITIZED || sigaltstack(&stack, NULL) != 0)
        return;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    is_named = true;
}

static rlim_t seconds_used(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1);
}

void tool_crash_limit(const char *model)
{
    enum { SECONDS = 20 };
    static struct rlimit time, memory; /* as they were */
    if (!is_named)
        return;
    if (model) {
        const rlim_t seconds = seconds_used() + SECONDS;
        const rlim_t bytes = ((rlim_t)worker_process_memory("VmSize:") << 20) +
                             (rlim_t)sysconf(_SC_PHYS_PAGES) / 2 * (rlim_t)sysconf(_SC_PAGESIZE);
        getrlimit(RLIMIT_CPU, &time);
        getrlimit(RLIMIT_AS, &memory);
        setrlimit(RLIMIT_CPU, &(struct rlimit){MIN(seconds, time.rlim_cur), time.rlim_max});
        setrlimit(RLIMIT_AS, &(struct rlimit){MIN(bytes, memory.rlim_cur), memory.rlim_max});
    } else {
        setrlimit(RLIMIT_CPU, &time);
        setrlimit(RLIMIT_AS, &memory);
    }
    building = model;
}
