/* Which instructions run in the kernels of an instruction set: a step at a time, under the trap flag. What was
 * compiled for a newer processor runs here, and is an illegal instruction on another machine. */
#include "plugin/check/check.h"

#include <link.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <hillock/kernel.h>

#ifdef HK_STEP
enum { MOST_STEPS = 200000 }; /* of a call; most take a tenth */

static struct {
    uintptr_t start, end; /* of the file's code */
    uintptr_t base;
    hk_isa most;  /* what may run */
    hk_isa found; /* the highest that did run, */
    uintptr_t at; /* and where first */
    int left;     /* steps */
} steps;

static void on_step(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    const uintptr_t at = HK_FAULT_PLACE((ucontext_t *)context);
    if (at >= steps.start && at < steps.end) {
        const hk_isa needed = hk_isa_of_instruction((const uint8_t *)at);
        if (needed > steps.found) {
            steps.found = needed;
            steps.at = at - steps.base;
        }
    }
    HK_STEP((ucontext_t *)context, --steps.left > 0);
}

static uintptr_t function_of(const hk_plugin *plugin)
{
    const hk_normalization *norm = plugin->normalization;
    return plugin->activation    ? (uintptr_t)plugin->activation->kernels[0].forward
           : plugin->initializer ? (uintptr_t)plugin->initializer->fill
           : norm->coefficients  ? (uintptr_t)norm->coefficients
                                 : (uintptr_t)norm->kernels[0].forward;
}

/* The executable segment of the file that has the function; none in the program itself. */
static int take_code(struct dl_phdr_info *object, size_t size, void *function)
{
    (void)size;
    bool own = false;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *at = &object->dlpi_phdr[i];
        const ElfW(Addr) start = object->dlpi_addr + at->p_vaddr, end = start + at->p_memsz;
        if (at->p_type != PT_LOAD)
            continue;
        own |= *(uintptr_t *)function >= start && *(uintptr_t *)function < end;
        if (at->p_flags & PF_X)
            steps.start = start, steps.end = end, steps.base = object->dlpi_addr;
    }
    return own && *object->dlpi_name;
}

static void run_in_steps(const subject *s, use *u, int isa, const pass *p)
{
    const struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    struct sigaction before;
    steps.most = (hk_isa)isa, steps.found = HK_BASELINE, steps.left = MOST_STEPS;
    sigaction(SIGTRAP, &action, &before);
    raise(SIGTRAP);
    if (u)
        check_host_run(u, isa, p);
    else
        check_host_fill(s->plugin, check_host_weight(7, 5), NULL);
    steps.left = 0; /* the next step is the last */
    sigaction(SIGTRAP, &before, NULL);
    if (steps.found > steps.most)
        check_fail(
            "%s%s runs an instruction of %s, at %#lx of the file; was it compiled with -march or "
            "-m, beyond what its target attribute says?",
            u ? check_isa_names[isa] : "fill()", u ? ": a kernel" : "",
            check_isa_names[steps.found], (unsigned long)steps.at);
}

void check_test_processor(const subject *s)
{
    uintptr_t function = function_of(s->plugin);
    if (!dl_iterate_phdr(take_code, &function)) {
        check_skip("it is part of this program");
        return;
    }
    if (s->plugin->initializer)
        run_in_steps(s, NULL, HK_BASELINE, NULL);
    for (int isa = 0; isa < HK_ISA_COUNT && !s->plugin->initializer && !check_has_failed(); isa++) {
        const int mark = check_arrays_mark();
        use *u = check_has_kernels(s->plugin, isa) ? check_use_new(s->plugin, 3, 36) : NULL;
        if (u && s->plugin->activation && check_use_channels_out(u) < 1)
            u = NULL;
        if (u)
            u->context.training = 1;
        if (u)
            run_in_steps(s, u, isa, check_pass_new(u, 2));
        check_arrays_release(mark);
    }
}

#else
void check_test_processor(const subject *s)
{
    (void)s;
    check_skip("this processor is not stepped through");
}
#endif
