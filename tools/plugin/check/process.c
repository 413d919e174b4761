/* What a plugin must leave alone: everything of the process but the arrays it is given. */
#include "plugin/check/check.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <hillock/hillock.h>
#include <hillock/kernel.h>

enum { SIGNALS = 32 };

typedef struct state {
    uint32_t mode; /* floating-point control bits */
    int rounding, threads, descriptors, processors, niceness;
    bool children, timers;
    size_t memory;        /* bytes of addresses beside this program's own arrays; 0: not compared */
    uint32_t environment; /* a digest */
    struct rlimit limits[RLIM_NLIMITS];
    off_t printed;
    mode_t mask;
    sigset_t blocked;
    void (*handlers[SIGNALS])(int);
    char locale[256], directory[4096];
} state;

static int entries_of(const char *directory)
{
    DIR *open = opendir(directory);
    int n = 0;
    while (open && readdir(open))
        n++;
    if (open)
        closedir(open);
    return n;
}

static size_t memory_in_use(void)
{
    char text[32] = "";
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        text[0] = '\0';
    close(fd);
    return strtoull(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) - check_arrays_mapped();
}

/* What the system keeps for the process. */
static void take_system(state *s)
{
    siginfo_t child;
    struct itimerval real = {0}, profile = {0};
    cpu_set_t set;
    s->threads = entries_of("/proc/self/task");
    s->descriptors = entries_of("/proc/self/fd");
    s->children = waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0;
    getitimer(ITIMER_REAL, &real);
    getitimer(ITIMER_PROF, &profile);
    s->timers = timerisset(&real.it_value) || timerisset(&profile.it_value);
    s->processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    s->niceness = getpriority(PRIO_PROCESS, 0);
    for (int i = 0; i < RLIM_NLIMITS; i++)
        getrlimit((__rlimit_resource_t)i, &s->limits[i]);
    s->memory = SANITIZED ? 0 : memory_in_use();
}

static state take_state(void)
{
    state s = {.rounding = fegetround(), .mode = hk_float_mode()};
    take_system(&s);
    for (char **row = environ; row && *row; row++)
        for (const char *c = *row; *c; c++)
            s.environment = (s.environment ^ (unsigned char)*c) * 16777619u;
    fflush(NULL);
    s.printed = lseek(STDOUT_FILENO, 0, SEEK_END);
    s.mask = umask(0);
    umask(s.mask);
    sigprocmask(SIG_SETMASK, NULL, &s.blocked);
    for (int i = 1; i < SIGNALS; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0)
            s.handlers[i] = action.sa_handler;
    }
    snprintf(s.locale, sizeof s.locale, "%s", setlocale(LC_ALL, NULL));
    if (!getcwd(s.directory, sizeof s.directory))
        s.directory[0] = '\0';
    return s;
}

static state remembered;

void check_remember_state(void)
{
    remembered = take_state();
}

static void compare_system(const char *who, const state *before, const state *now)
{
    enum { SLACK = 2 << 20 }; /* of the allocator and the sentences of this program */
    if (now->threads > before->threads)
        check_fail("%s started %d threads", who, now->threads - before->threads);
    if (now->descriptors != before->descriptors)
        check_fail("%s left %d descriptors open where there were %d", who, now->descriptors - 3,
                   before->descriptors - 3);
    if (now->children != before->children)
        check_fail("%s started a process", who);
    if (now->timers != before->timers)
        check_fail("%s set a timer", who);
    if (now->processors != before->processors)
        check_fail("%s changed the affinity, %d processors to %d", who, before->processors,
                   now->processors);
    if (now->niceness != before->niceness)
        check_fail("%s changed the priority, %d to %d", who, before->niceness, now->niceness);
    if (memcmp(now->limits, before->limits, sizeof now->limits) != 0)
        check_fail("%s changed a limit of the process (setrlimit)", who);
    if (before->memory && now->memory > before->memory + SLACK)
        check_fail("%s kept %zu KiB of memory", who, (now->memory - before->memory) >> 10);
}

void check_compare_state(const char *who)
{
    const state *before = &remembered, now = take_state();
    char text[60] = "";
    if (now.printed != before->printed &&
        pread(STDOUT_FILENO, text, sizeof text - 1, before->printed) >= 0)
        check_fail("%s printed %lld bytes: \"%s\"", who, (long long)(now.printed - before->printed),
                   text);
    if (now.mode != before->mode || now.rounding != before->rounding)
        check_fail("%s changed the floating-point mode (%#x to %#x)", who, before->mode, now.mode);
    if (now.environment != before->environment)
        check_fail("%s changed the environment", who);
    compare_system(who, before, &now);
    if (strcmp(now.locale, before->locale) != 0)
        check_fail("%s changed the locale from \"%s\" to \"%s\"", who, before->locale, now.locale);
    if (strcmp(now.directory, before->directory) != 0)
        check_fail("%s changed the working directory to %s", who, now.directory);
    if (now.mask != before->mask)
        check_fail("%s changed the umask to %03o", who, (unsigned)now.mask);
    for (int i = 1; i < SIGNALS; i++) {
        if (now.handlers[i] != before->handlers[i])
            check_fail("%s installed a handler for signal %d (%s)", who, i, strsignal(i));
        if (sigismember(&now.blocked, i) != sigismember(&before->blocked, i))
            check_fail("%s changed the mask of signal %d (%s)", who, i, strsignal(i));
    }
    fesetenv(FE_DFL_ENV);
    setlocale(LC_ALL, before->locale);
    check_remember_state();
}

static void note_warning(const hk_plugin_info *info, void *warning)
{
    *(const char **)warning = info->warning;
}

/* Its warning says no more than that. */
static void fail_refused(const char *file, const char *reason, void *warning)
{
    (void)file;
    *(const char **)warning = NULL;
    check_fail("%s", reason);
}

void check_test_load(const subject *s)
{
    check_begin_call("loading", -1, 0, 0);
    hk_status status = hk_plugin_load(s->file);
    check_end_call();
    remembered.memory = 0; /* the file itself is there now */
    check_compare_state("loading it");
    if (status != HK_OK) {
        check_fail("%s", hk_message());
        return;
    }
    const char *warning = NULL;
    hk_plugin_each_of(s->file, note_warning, fail_refused, &warning);
    if (warning)
        check_warn("%s", warning);
}

/* Ordinary and special numbers. */
static void fill_mixed(float *x, int64_t n)
{
    static const float special[] = {NAN, INFINITY, -INFINITY, 0, -0.0f, 1e30f, -1e30f, 1e-40f};
    check_fill_normal(x, n, 9, 2);
    for (int64_t i = 0; i < n && i < 8; i++)
        x[n - 1 - i] = special[i];
}

static void run_activation(const subject *s, uint32_t training)
{
    use *u = check_use_new(s->plugin, 7, 12);
    u->context.training = training;
    if (!check_use_channels_out(u))
        return;
    pass *p = check_pass_new(u, 2);
    fill_mixed(p->x, p->in);
    for (int isa = 0; isa < HK_ISA_COUNT; isa++)
        if (check_has_kernels(s->plugin, isa))
            check_host_run(u, isa, p);
    check_host_activation_update(u, p);
    if (s->plugin->activation->value) {
        double t[HK_MAX_SLOTS] = {0};
        hk_scalar64 a = {.x = -1.5, .p = u->params, .t = t, .u = 0.25};
        check_begin_call("value", -1, 1, 1);
        a.y = s->plugin->activation->value(&a);
        check_begin_call("slope", -1, 1, 1);
        s->plugin->activation->slope(&a);
        check_end_call();
    }
}

static void run_normalization(const subject *s, uint32_t training)
{
    use *u = check_use_new(s->plugin, 8, 12);
    u->context.training = training;
    u->context.rows_per_sample = 4;
    pass *p = check_pass_new(u, 2);
    for (int turn = 0; turn < 2; turn++) {
        check_host_run(u, HK_BASELINE, p);
        check_host_update(u, p);
        fill_mixed(p->x, p->in);
    }
}

void check_test_process(const subject *s)
{
    if (s->plugin->model)
        check_test_sizes(s);
    for (uint32_t training = 0; training < 2; training++)
        if (s->plugin->activation)
            run_activation(s, training);
        else if (s->plugin->normalization)
            run_normalization(s, training);
        else if (s->plugin->initializer)
            check_host_fill(s->plugin, check_host_weight(training ? 7 : 5, 3), NULL);
    if (s->plugin->model)
        remembered.memory = 0; /* the framework keeps some of a net's memory for the next */
    check_compare_state(s->plugin->name);
}
