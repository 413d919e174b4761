/* The worker: runs tests one by one and says so, in its own process.
 *
 * Whatever kills it is caught if it can be: a fault, an abort, too much processor time and exit()
 * each write the test's result before the worker ends. */
#include "plugin/check/check.h"
#include "page/text.h"
#include "workers/frame.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <hillock/hillock.h>

/* ---- What a test reports ------------------------------------------------------------------------ */

typedef struct outcome {
    char verdict;
    char text[1024];
} outcome;
static outcome result;
static const outcome
    *found_before; /* while smaller cases are tried: what stands if one ends the worker */

__attribute__((format(printf, 2, 0))) static void set_result(char verdict, const char *format,
                                                             va_list arguments)
{
    result.verdict = verdict;
    vsnprintf(result.text, sizeof result.text, format, arguments);
    for (char *c = result.text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = ' ';
}

#define SAY(verdict, format)                                                                       \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    set_result(verdict, format, arguments);                                                        \
    va_end(arguments)

void check_fail(const char *format, ...)
{
    if (result.verdict != 'f') {
        SAY('f', format);
    }
}

void check_warn(const char *format, ...)
{
    if (result.verdict == 'o') {
        SAY('w', format);
    }
}

void check_tell(const char *format, ...)
{
    if (result.verdict == 'o') {
        SAY('o', format);
    }
}

void check_skip(const char *reason)
{
    check_tell("%s", reason);
    if (result.verdict == 'o')
        result.verdict = 's';
}

bool check_has_failed(void)
{
    return result.verdict == 'f';
}

bool check_fails_again(void (*run)(void *of), void *of)
{
    static outcome before;
    before = result;
    found_before = &before;
    result.verdict = 'o';
    run(of);
    found_before = NULL;
    const bool fails = result.verdict == 'f';
    if (!fails)
        result = before;
    return fails;
}

/* A message is written by hand: a signal handler sends it, where nothing may be allocated. Bytes that
 * are not UTF-8, such as those of a file's name, become question marks. */
static void send_result(void)
{
    static const char *const names[] = {['d'] = "died",    ['f'] = "failed",  ['o'] = "ok",
                                        ['s'] = "skipped", ['t'] = "timeout", ['w'] = "warning"};
    static char text[2 * sizeof result.text + 64];
    size_t used = (size_t)sprintf(text, "{\"type\":\"result\",\"result\":\"%s\",\"detail\":\"",
                                  names[(int)result.verdict]);
    for (const char *at = result.text; *at;) {
        const int bytes = page_text_character(at);
        if (*at == '"' || *at == '\\')
            text[used++] = '\\';
        if (bytes)
            memcpy(text + used, at, (size_t)bytes);
        else
            text[used] = '?';
        used += bytes ? (size_t)bytes : 1;
        at += bytes ? bytes : 1;
    }
    sprintf(text + used, "\",\"seed\":%llu}", (unsigned long long)check_seed);
    worker_frame_send_text(PROCESS_CHANNEL, text);
}

/* ---- What is being called -------------------------------------------------------------------- */

static struct {
    const char *function; /* NULL: nothing of the plugin */
    int isa;
    int64_t rows, channels;
} calling;

void check_begin_call(const char *function, int isa, int64_t rows, int64_t channels)
{
    calling.function = function;
    calling.isa = isa;
    calling.rows = rows;
    calling.channels = channels;
}

void check_end_call(void)
{
    calling.function = NULL;
}

/* "forward (avx2, 7 x 33)" */
static const char *call_text(void)
{
    static char text[96];
    if (!calling.function)
        return "the check itself";
    if (!calling.rows)
        snprintf(text, sizeof text, "%s", calling.function);
    else if (calling.isa < 0)
        snprintf(text, sizeof text, "%s() with %lld x %lld", calling.function,
                 (long long)calling.rows, (long long)calling.channels);
    else
        snprintf(text, sizeof text, "%s (%s, %lld x %lld)", calling.function,
                 check_isa_names[calling.isa], (long long)calling.rows,
                 (long long)calling.channels);
    return text;
}

/* ---- Deaths ---------------------------------------------------------------------------------- */

static bool running; /* a test */
static char *stack_low, *stack_high;

/* Of a test: what it was running has failed it. */
static _Noreturn void end_with(char verdict)
{
    if (found_before)
        result = *found_before;
    result.verdict = verdict;
    if (running)
        send_result();
    _exit(EXIT_FAILURE);
}

/* A return to where no code is: its address on the stack was overwritten. */
static bool has_lost_its_return(const siginfo_t *info, const ucontext_t *context)
{
    const uintptr_t at = HK_FAULT_PLACE(context);
    return at &&
           (info->si_addr == (const void *)at || (info->si_code == SI_KERNEL && HK_IS_RETURN(at)));
}

/* What a compiler's guard prints before it aborts. */
static bool has_smashed_the_stack(void)
{
    char text[512] = "";
    const off_t end = lseek(STDERR_FILENO, 0, SEEK_END), size = sizeof text - 1;
    if (pread(STDERR_FILENO, text, (size_t)size, end > size ? end - size : 0) < 0)
        return false;
    return strstr(text, "stack smashing detected") != NULL;
}

#define OVERRUN "%s wrote beyond the end of an array of its own, on the stack"

static void on_signal(int number, siginfo_t *info, void *context)
{
    const char *address = info->si_addr, *where = check_address_text(address);
    const char *did = HK_FAULT_WROTE((const ucontext_t *)context) ? "wrote" : "read";
    if (number == SIGSEGV &&
        check_is_kept(address)) { /* goes on: what it does with that is told, too */
        check_fail("%s wrote to a variable of the file: several threads would share it; what "
                   "persists is a slot",
                   call_text());
        check_keep_again();
        return;
    }
    if (number == SIGTERM && !calling.function) /* it is not the plugin that took too long */
        _exit(EXIT_FAILURE);
    if (number == SIGTERM)
        check_fail("%s slept or waited for too long and was stopped", call_text());
    else if (number == SIGVTALRM)
        check_fail("%s ran for more than %d s and was stopped", call_text(), CPU_SECONDS);
    else if (number == SIGABRT && has_smashed_the_stack())
        check_fail(OVERRUN, call_text());
    else if (number == SIGABRT)
        check_fail("%s called abort()", call_text());
    else if (number != SIGSEGV && number != SIGBUS)
        check_fail("%s crashed: %s", call_text(), strsignal(number));
    else if (where)
        check_fail("%s %s %s", call_text(), did, where);
    else if (calling.function && has_lost_its_return(info, context))
        check_fail(OVERRUN, call_text());
    else if (info->si_code == SI_KERNEL)
        check_fail("%s followed an address that is none: a pointer never set, or overwritten by an "
                   "array on the stack that is too short",
                   call_text());
    else if (address >= stack_low && address < stack_high)
        check_fail("%s used up the stack", call_text());
    else if (!SANITIZED && worker_process_memory("VmPeak:") > 0.9 * MEMORY_MIB)
        check_fail("%s asked for more than %d MiB of memory", call_text(), MEMORY_MIB);
    else if (address < (char *)65536)
        check_fail("%s %s through a NULL pointer: what was not declared is NULL", call_text(), did);
    else
        check_fail("%s crashed: %s at %p", call_text(), strsignal(number), (const void *)address);
    end_with(number == SIGVTALRM || number == SIGTERM ? 't' : 'd');
}

static void on_exit_call(void)
{
    if (!running)
        return;
    check_fail("%s called exit()", call_text());
    end_with('d');
}

static void catch_signals(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL,    SIGFPE,
                                  SIGABRT, SIGSYS, SIGVTALRM, SIGTERM};
    static char memory[1 << 16];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct rlimit limit;
    char here;
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    getrlimit(RLIMIT_STACK, &limit);
    stack_high = &here;
    stack_low = &here - (limit.rlim_cur == RLIM_INFINITY ? 8 << 20 : limit.rlim_cur) - (1 << 20);
    atexit(on_exit_call);
}

/* Of the plugin's own time, not the system's: page faults take as long as the machine is busy. */
static void set_timer(int seconds)
{
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value.tv_sec = seconds}, NULL);
}

/* Of names that need no escape. */
__attribute__((format(printf, 1, 2))) static void send_report(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    worker_frame_send_text(PROCESS_CHANNEL, text);
}

/* ---- The tests of one file ------------------------------------------------------------------- */

static int64_t number; /* of the next test */

static void run_test(const test *t, const subject *s)
{
    result.verdict = 'o';
    snprintf(result.text, sizeof result.text, "%s", t->promise);
    set_timer(CPU_SECONDS);
    check_remember_state();
    running = true;
    t->run(s);
    running = false;
    set_timer(0);
    check_guard_before = false;
    check_arrays_release(0);
    if (!(t->flags & (HOSTED | OF_FILE)))
        check_compare_state(s->plugin->name);
}

/* Once, and with further seeds while the budget lasts and nothing is found. */
static void search_with(const test *t, const subject *s, const orders *o)
{
    check_seed = o->seed;
    const clock_t start = clock();
    run_test(t, s);
    while (t->flags & SEARCH && (result.verdict == 'o' || result.verdict == 'w') &&
           (double)(clock() - start) < o->seconds * CLOCKS_PER_SEC) {
        check_seed++;
        run_test(t, s);
    }
}

static void run_tests(int of, const subject *s, const orders *o)
{
    for (const test *t = check_tests; t->name; t++) {
        const int64_t own = number;
        number += (t->flags & of) != 0;
        if (own == number || own < o->from || (o->quick && t->flags & SLOW) ||
            (o->only && strcmp(o->only, t->name) != 0))
            continue;
        send_report("{\"type\":\"test\",\"number\":%lld,\"name\":\"%s\"}", (long long)own, t->name);
        search_with(t, s, o);
        send_result();
    }
}

static void check_plugin(const hk_plugin *plugin, const char *file, const orders *o)
{
    const subject s = {plugin, file};
    send_report("{\"type\":\"plugin\",\"kind\":\"%s\",\"name\":\"%s\"}",
                hk_kind_name((hk_kind)plugin->kind), plugin->name);
    run_tests(1 << plugin->kind, &s, o);
}

static void check_listed(const hk_plugin_info *info, void *o)
{
    check_plugin(info->plugin, info->file, o);
}

/* Again in a worker that continues after a death. */
static void check_file(const char *path, const orders *o)
{
    const subject s = {NULL, path};
    run_tests(OF_FILE, &s, o);
    void *handle = hk_plugin_load(path) == HK_OK ? dlopen(path, RTLD_NOW | RTLD_NOLOAD) : NULL;
    check_remember_state();
    const hk_bundle *bundle = handle ? dlsym(handle, "hk_bundle_entry") : NULL;
    if (bundle)
        check_keep_nothing(path, bundle);
    if (bundle)
        hk_plugin_each_of(path, check_listed, NULL, (void *)o);
    check_keep_again();
}

int check_worker_run(const char *target, const orders *o)
{
    fcntl(PROCESS_CHANNEL, F_SETFD, FD_CLOEXEC); /* it is not for what a plugin starts */
    catch_signals();
    check_remember_state();
    if (strchr(target, '/'))
        check_file(target, o);
    else
        for (hk_kind kind = HK_ACTIVATION; kind <= HK_MODEL; kind++) {
            const hk_plugin *plugin;
            if (hk_plugin_find(kind, target, &plugin) == HK_OK)
                check_plugin(plugin, "built in", o);
        }
    send_report("{\"type\":\"end\"}");
    return EXIT_SUCCESS;
}
