/* Starting, limiting, supervising and ending processes. */
#include "workers/process.h"
#include "page/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hillock/hillock.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_SETTINGS = 64, MOST_FILES = 256, FILE_MIB = 4 };

/* ---- The environment ------------------------------------------------------------------------- */

/* What may pass. Not OMP_PROC_BIND and its like: they would put all workers on one core. */
static const char *const kept[] = {"PATH",           "HOME",
                                   "LANG",           "LC_ALL",
                                   "TMPDIR",         "LD_LIBRARY_PATH",
                                   "XDG_DATA_HOME",  "HILLOCK_PLUGIN_PATH",
                                   "HILLOCK_ISA",    "HILLOCK_ENGINE",
                                   "GOMP_SPINCOUNT", "OMP_WAIT_POLICY",
                                   "UBSAN_OPTIONS",  "TSAN_OPTIONS"};
enum { KEPT = sizeof kept / sizeof *kept };

static bool has_name(const char *const *list, size_t n, const char *setting)
{
    const size_t length = strcspn(setting, "=");
    while (n-- > 0)
        if (strcspn(list[n], "=") == length && memcmp(list[n], setting, length) == 0)
            return true;
    return false;
}

/* Settings, what is kept of the own environment, and what must not be missing; NULL last. */
static void choose_environment(const char *const *settings, const char *out[MOST_SETTINGS])
{
    size_t n = 0;
    for (; settings && *settings && n < MOST_SETTINGS - KEPT - 2; settings++)
        out[n++] = *settings;
    for (char **own = environ; *own && n < MOST_SETTINGS - 2; own++)
        if (has_name(kept, KEPT, *own) && !has_name(out, n, *own))
            out[n++] = *own;
    if (!has_name(out, n, "GOMP_SPINCOUNT")) /* else the program starts itself once more */
        out[n++] = "GOMP_SPINCOUNT=1000";
    out[n] = NULL;
}

/* ---- Between fork and exec ------------------------------------------------------------------- */

static void limit(__rlimit_resource_t what, int64_t value)
{
    setrlimit(what, &(struct rlimit){(rlim_t)value, (rlim_t)value});
}

/* The signal comes when the parent dies; false when it has died already. */
static bool signal_at_end_of(pid_t parent, int number)
{
    return prctl(PR_SET_PDEATHSIG, number) == 0 && getppid() == parent;
}

/* All descriptors are in place, and no others are open. */
static bool connect_channels(int channel, int output)
{
    channel = fcntl(channel, F_DUPFD, 2 * PROCESS_CHANNEL); /* out of each other's way */
    output = fcntl(output, F_DUPFD, 2 * PROCESS_CHANNEL);
    const int input = open("/dev/null", O_RDONLY);
    if (channel < 0 || output < 0 || input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 ||
        dup2(output, 2) < 0 || dup2(channel, PROCESS_CHANNEL) < 0)
        return false;
    closefrom(PROCESS_CHANNEL + 1);
    return true;
}

static _Noreturn void become(const process_options *o, const char *const *environment, pid_t parent,
                             int output)
{
    const char *program = o->program ? o->program : "/proc/self/exe";
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (signal_at_end_of(parent, SIGKILL) && connect_channels(o->channel, output)) {
        /* first SIGXCPU, which says why it died; SIGKILL to what ignores it */
        setrlimit(RLIMIT_CPU, &(struct rlimit){(rlim_t)o->cpu_seconds, (rlim_t)o->cpu_seconds + 1});
        limit(RLIMIT_FSIZE, (int64_t)FILE_MIB << 20);
        limit(RLIMIT_NOFILE, MOST_FILES);
        if (!SANITIZED)
            limit(RLIMIT_AS, o->memory_mib << 20);
        execve(program, (char *const *)o->words, (char *const *)environment);
        dprintf(STDERR_FILENO, "%s cannot be executed: %s\n", program, strerror(errno));
    }
    _exit(127);
}

/* ---- The supervisor -------------------------------------------------------------------------- */

/* False when there are some and none can be reached. The list is "12 345 ", as far as it fits. */
static bool kill_children(void)
{
    char text[4096];
    const int list = open("/proc/thread-self/children", O_RDONLY);
    const ssize_t n = list < 0 ? -1 : read(list, text, sizeof text - 1);
    bool reached = n == 0; /* they are changing: another SIGCHLD will come */
    close(list);
    text[n > 0 ? n : 0] = '\0';
    for (char *at = text, *end; *(end = at + strspn(at, "0123456789")) == ' '; at = end + 1)
        reached |= kill((pid_t)strtol(at, NULL, 10), SIGKILL) == 0;
    return reached;
}

/* As the process did. */
static _Noreturn void end_as(int status)
{
    if (WIFSIGNALED(status)) {
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, WTERMSIG(status));
        prctl(PR_SET_DUMPABLE, 0); /* one core is enough */
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
        sigprocmask(SIG_UNBLOCK, &one, NULL);
    }
    _exit(WEXITSTATUS(status));
}

/* Waits for the end of the process, or for SIGHUP, which also says that the parent has died. What
 * is left of its offspring then is this one's, in whatever group or session it is. */
static _Noreturn void supervise(pid_t child)
{
    sigset_t all;
    int ended, status = 0, number = 0;
    sigfillset(&all);
    closefrom(0);
    for (bool over = false;; sigwait(&all, &number)) {
        pid_t one;
        while ((one = waitpid(-1, &ended, WNOHANG)) > 0)
            if (one == child)
                status = ended, over = true;
        over |= number == SIGHUP;
        if (one < 0 || (over && !kill_children()))
            end_as(status);
    }
}

static _Noreturn void run_supervisor(const process_options *o, const char *const *environment,
                                     pid_t parent, int output)
{
    const pid_t own = getpid();
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setpgid(0, 0);
    limit(RLIMIT_CORE, 0);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || !signal_at_end_of(parent, SIGHUP))
        _exit(127);
    const pid_t child = fork();
    if (child == 0)
        become(o, environment, own, output);
    if (child > 0)
        supervise(child);
    dprintf(output, "no process can be started: %s\n", strerror(errno));
    _exit(127);
}

/* ---- Seen from the parent -------------------------------------------------------------------- */

int worker_process_start(process *p, const process_options *o)
{
    const char *environment[MOST_SETTINGS + 1];
    char sanitizer[256];
    const pid_t parent = getpid();
    *p = (process){.pid = -1, .handle = -1, .output = memfd_create("output", MFD_CLOEXEC)};
    if (p->output < 0)
        return errno;
    /* a sanitizer's own handlers would hide how a process died */
    snprintf(sanitizer, sizeof sanitizer,
             "ASAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:"
             "handle_abort=0:detect_leaks=0:allocator_may_return_null=1:hard_rss_limit_mb=%lld",
             (long long)(o->memory_mib < 2048 ? 2048 : o->memory_mib));
    environment[0] = sanitizer;
    choose_environment(o->settings, environment + SANITIZED);
    p->pid = fork();
    if (p->pid == 0)
        run_supervisor(o, environment, parent, p->output);
    int error = p->pid < 0 ? errno : 0;
    if (!error) {
        setpgid(p->pid, p->pid); /* here too: whoever comes first */
        p->handle = pidfd_open(p->pid, 0);
        error = p->handle < 0 ? errno : 0;
    }
    if (error && p->pid > 0)
        worker_process_end(p, NULL);
    if (error)
        worker_process_clear(p);
    return error;
}

void worker_process_kill(const process *p)
{
    kill(p->pid, SIGHUP);
    kill(p->pid, SIGCONT);
}

int worker_process_end(process *p, double *peak_mib)
{
    struct rusage used = {0};
    int status = 0;
    struct pollfd ended = {p->handle, POLLIN, 0};
    const double until = hk_now() + PROCESS_PATIENCE;
    worker_process_kill(p);
    for (double left; p->handle >= 0 && (left = until - hk_now()) > 0;)
        if (poll(&ended, 1, (int)(1000 * left) + 1) > 0)
            break;
    kill(-p->pid, SIGKILL); /* what is left; the number is still taken */
    while (wait4(p->pid, &status, 0, &used) < 0 && errno == EINTR)
        ;
    if (peak_mib)
        *peak_mib = (double)used.ru_maxrss / 1024;
    return status;
}

void worker_process_clear(process *p)
{
    if (p->handle >= 0)
        close(p->handle);
    if (p->output >= 0)
        close(p->output);
    *p = (process){-1, -1, -1};
}

/* A byte of a character that began before it, in UTF-8. */
static bool is_inner(char byte)
{
    return (byte & 0xC0) == 0x80;
}

void worker_process_last_lines(const process *p, char *out, size_t size)
{
    char raw[2048];
    const off_t end = lseek(p->output, 0, SEEK_END), most = sizeof raw - 1;
    ssize_t n = pread(p->output, raw, (size_t)most, end > most ? end - most : 0);
    const char *from = raw;
    for (ssize_t i = 0; i < n; i++)
        raw[i] = raw[i] ? raw[i] : ' ';
    while (n > 0 && raw[n - 1] == '\n')
        n--;
    raw[n > 0 ? n : 0] = '\0';
    while (end > most && is_inner(*from))
        from++;
    char *plain = page_text_plain(from);
    from = plain ? plain : "";
    for (size_t length = strlen(from); length >= size || (length && is_inner(*from)); length--)
        from++;
    snprintf(out, size, "%s", from);
    free(plain);
}

/* Schedstat: nanoseconds that a thread ran, nanoseconds that it waited for a processor, turns. */
static double waited_by(const char *pid, const char *thread)
{
    char path[320];
    unsigned long long ran, waited = 0;
    snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, thread);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    if (file)
        fclose(file);
    return 1e-9 * (double)waited;
}

double worker_process_waited(const process *p)
{
    char path[64], worker[24] = "";
    double most = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)p->pid, (int)p->pid);
    FILE *children = fopen(path, "re");
    const bool found = children && fscanf(children, "%23[0-9]", worker) == 1; /* its first child */
    if (children)
        fclose(children);
    snprintf(path, sizeof path, "/proc/%s/task", worker);
    DIR *threads = found ? opendir(path) : NULL;
    for (struct dirent *it; threads && (it = readdir(threads));)
        most = fmax(most, waited_by(worker, it->d_name));
    if (threads)
        closedir(threads);
    return most;
}

double worker_process_memory(const char *row)
{
    char line[128];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && !kib && fgets(line, sizeof line, status))
        if (strncmp(line, row, strlen(row)) == 0)
            kib = strtol(line + strlen(row), NULL, 10);
    if (status)
        fclose(status);
    return (double)kib / 1024;
}
