/* plugin/check/check.h - between the files of hillock check.
 *
 * The command (../check.c) starts a worker for each file: this program again, with limits
 * (../workers/pool.h). The worker (worker.c) announces each test before it runs
 * it, so that the death of a worker is known by that test; the next worker continues after it. Tests
 * call the plugin as the framework would, but with every array between two inaccessible pages
 * (use.c). Tests are rows of tables, one table a kind. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <hillock/plugin.h>
#include "workers/process.h"

/* ---- Tests ----------------------------------------------------------------------------------- */

typedef struct subject {
    const hk_plugin *plugin; /* NULL in tests of a file */
    const char *file;
} subject;

typedef enum test_flags {
    OF_FILE = 1, /* before anything of the file is called */
    OF_ACTIVATION = 1 << HK_ACTIVATION,
    OF_NORMALIZATION = 1 << HK_NORMALIZATION,
    OF_INITIALIZER = 1 << HK_INITIALIZER,
    OF_MODEL = 1 << HK_MODEL,
    OF_KERNELS = OF_ACTIVATION | OF_NORMALIZATION | OF_INITIALIZER,
    OF_PLUGIN = OF_KERNELS | OF_MODEL,
    SLOW = 64,    /* left out by --quick */
    HOSTED = 128, /* other files, or threads, come into the process: it is not compared */
    SEARCH = 256  /* another seed tries other places */
} test_flags;

typedef void test_function(const subject *);
typedef struct test {
    const char *name;
    int flags;
    test_function *run;
    const char *promise; /* what holds when it passes */
} test;

extern const test check_tests[]; /* in the order in which they run; the last name is NULL */

test_function check_test_file, check_test_load, check_test_tables, check_test_names,
    check_test_memory_of_activation, check_test_memory_of_normalization,
    check_test_memory_of_initializer, check_test_process, check_test_parameters, check_test_start,
    check_test_derivative, check_test_formula, check_test_gradients, check_test_gradient,
    check_test_reads, check_test_kernels, check_test_special, check_test_slots, check_test_splits,
    check_test_position, check_test_neighbours, check_test_repeat, check_test_threads,
    check_test_random, check_test_speed, check_test_gradient_of_normalization,
    check_test_statistics, check_test_evaluation, check_test_degenerate, check_test_ranges,
    check_test_key, check_test_variance, check_test_imports, check_test_sizes, check_test_count,
    check_test_leaks, check_test_samples, check_test_linear, check_test_recipes,
    check_test_training, check_test_net, check_test_processor;

/* Of check_test_parameters, for a model. */
void check_setting_of_model(const subject *s, const double *params);

/* What a test reports. The first failure counts; a test that reports nothing has passed. */
void check_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Of what is wrong at x: a failure, or far out a warning (kernels.c). */
typedef void check_reporter(const char *format, ...) __attribute__((format(printf, 1, 2)));
check_reporter *check_reporter_at(double x);
bool check_has_failed(void);
/* The test does not apply to this plugin, and why. */
void check_skip(const char *reason);

/* What is compared with is remembered before the file is loaded, and before each test (process.c). */
void check_remember_state(void);
/* The process is as it was, or the test fails and says what is not; `who` did it. */
void check_compare_state(const char *who);

/* From now on the variables of a loaded file can only be read, and back: its end of the program writes
 * there (kept.c). Files with a sanitizer's or gcov's own variables are left alone. */
void check_keep_nothing(const char *file, const void *bundle);
void check_keep_again(void);
bool check_is_kept(const void *address); /* one of those variables */
bool check_file_is_instrumented(const char *path);

/* What is being called, "forward", for the sentence when the plugin does not return. isa: -1 for
 * what is no kernel. */
void check_begin_call(const char *function, int isa, int64_t rows, int64_t channels);
void check_end_call(void);

/* ---- Arrays between guard pages (use.c) ------------------------------------------------------ */

/* n floats, flush with the page behind them or, when guard_before, with the page before them. The
 * name, which must stay, is for sentences. Ends the worker when there is no memory. */
float *check_guarded(const char *name, int64_t n);
double *check_guarded_doubles(const char *name, int64_t n);
float *check_filled(const char *name, int64_t n, float value);
extern bool check_guard_before;
/* Bytes that no plugin is given, all 0. */
void *check_unguarded(const char *name, size_t length);
/* Neither guard pages nor read-only arrays: for tests of this program that make very many. */
extern bool check_no_guards;
/* All arrays made since the mark are given back. */
int check_arrays_mark(void);
void check_arrays_release(int mark);
/* Inputs are mapped read-only while the plugin runs. */
void check_make_read_only(const void *array, bool read_only);
/* Bytes of all mappings, those given back too. */
size_t check_arrays_mapped(void);
/* Which array an address belongs to: "after the last float of dx"; NULL: none. */
const char *check_address_text(const void *address);

/* ---- A plugin in use (use.c) ----------------------------------------------------------------- */

typedef struct use {
    const hk_plugin *plugin;
    hk_context context;
    double params[HK_MAX_PARAMS];
    float *slots[HK_MAX_SLOTS];
    int64_t lengths[HK_MAX_SLOTS];
    int n_slots;
} use;

/* One layer's matrices. y, dx and aux hold NaN until they are written; sums are 0, dslots 1. */
typedef struct pass {
    float *x, *y, *dy, *dx, *aux, *sums;
    float *dslots[HK_MAX_SLOTS];
    float *terms;    /* what the terms are that an affine dx is the sum of; 0: not known */
    int64_t in, out; /* floats of x and y */
} pass;

/* Slots at their start. Lives until check_arrays_release(). */
use *check_use_new(const hk_plugin *plugin, int64_t rows, int64_t channels);
void check_use_start(use *u);
void check_clamp_slots(const use *u);
/* t[k]: slot k at a channel, as the reference gets it. */
void check_slots_at(const use *u, int64_t channel, double *t);
void check_protect_slots(const use *u, bool read_only);
/* Parameters as a spec, "elu:alpha=2"; a buffer that the next call overwrites. */
const char *check_spec_text(const use *u);
/* "elu:alpha=2, avx2, 7 x 12" in another. */
const char *check_case_text(const use *u, int isa);
int64_t check_use_channels_out(const use *u); /* of activations; 0: refused */

pass *check_pass_new(const use *u, float scale);
pass *check_pass_copy(const use *u,
                      const pass *from); /* the same x and dy, everything else fresh */
hk_tile check_tile_of(const use *u, const pass *p, int64_t first, int64_t rows);
/* Whether a function, a kernel's number or one of these, is called for the first time on the whole of the
 * rows, on those that begin them, on later ones. Protecting memory takes the system longer than most
 * functions run, so that is done once for each. Guard pages always stand. */
enum { CALLS_COEFFICIENTS = 2 * HK_ISA_COUNT, CALLS_FROZEN, CALLS_GRADIENT, CALLS_UPDATE };
bool check_is_first_call(const use *u, int function, bool begins, bool whole);
/* The plugin's own kernels on rows first .. first + rows - 1, with what it declared and no more;
 * inputs and slots are read-only meanwhile, the first time on such a tile. */
void check_forward(const use *u, int isa, const pass *p, int64_t first, int64_t rows);
void check_backward(const use *u, int isa, const pass *p, int64_t first, int64_t rows);
bool check_machine_has(int isa);
bool check_has_kernels(const hk_plugin *plugin,
                       int isa); /* its own, for a set that this machine has */
hk_block *check_kernel_of(const hk_plugin *plugin, int isa,
                          bool back); /* or of the set below; NULL */
extern const char *const check_isa_names[HK_ISA_COUNT];

/* Standard normal numbers times scale. */
void check_fill_normal(float *x, int64_t n, uint64_t key, float scale);
/* The first of n floats that differs in its bits; -1: none. NaNs are alike. */
int64_t check_first_difference(const float *a, const float *b, int64_t n);

/* ---- Where a plugin is tried (search.c) ------------------------------------------------------- */

enum { CHECK_SEED = 1 };
extern uint64_t check_seed; /* of everything below */

/* Calls `each` with every parameter at each of its marks, one after the other: the ends of its range, 0,
 * small integers and halves of both signs, every choice; and with a few sets within the ranges. */
void check_each_setting(const subject *s, void (*each)(const subject *, const double *params));
/* Moves parameters and learned slots away from their defaults, within their ranges. */
void check_use_vary(use *u, uint64_t key);
void check_use_move(const use *u, uint64_t key); /* learned slots alone */
/* Sets every choice to its word number `which`; false when none has so many. 0 always is. */
bool check_use_choose(use *u, int which);
/* Slots of an activation as a life leaves them: 0 as they start, 1 learned ones at 0, from 2 on learned
 * ones moved and states after updates from channels that live and channels that do not; in the last one every
 * other learned number has the other sign. */
enum { LIVES = 5 };
void check_use_live(use *u, int life);
/* x of such channels. */
void check_fill_lively(const use *u, float *x, uint64_t key);
/* A float of either sign, of any size between 0.001 and 1000. */
double check_search_point(uint64_t key, uint64_t i);
/* Every other one of them such a number, the others normal, of deviation 3. */
void check_fill_search(float *x, int64_t n, uint64_t key);

bool check_is_allowed(const hk_param *p, double value); /* by its range */

/* ---- What was found is made small (shrink.c) ---------------------------------------------------- */

/* A number of a case that failed. */
typedef struct found_number {
    double *at, usual;     /* usual: the simplest of all; of a size the least */
    const hk_param *param; /* whose range it stays in, or */
    const hk_slot *slot;   /* whose; both NULL: any number */
    bool size;             /* how many of something */
} found_number;

/* A case that failed: run() tries it with the numbers as they are, and calls check_fail(). */
typedef struct finding {
    void (*run)(void *of);
    void *of;
    found_number numbers[2 * HK_MAX_PARAMS + HK_MAX_SLOTS];
    int n;
} finding;
void check_small_add(finding *f, double *at, double usual);
void check_small_add_size(finding *f, double *at, double least);
void check_small_add_params(finding *f, use *u);
void check_small_add_slots(finding *f, const use *u, double *t); /* t[k]: of slot k */
/* Each number in turn as small or simple as it may be with the case still failing; the failure shown is
 * that of the smallest case. */
void check_make_small(const finding *f);
/* Whether run() fails now. The test has failed already, and goes on to have: with this failure, or with
 * the one before when it passes now. */
bool check_fails_again(void (*run)(void *of), void *of);

/* ---- The framework's part in a use, played plainly and in double (host.c) --------------------- */

/* Of normalizations; 0 after a failure: unknown, or without the functions that it needs. */
hk_domain check_host_domain(const use *u);

/* All rows of an activation or a normalization: y; y, dx and what is added to dslots. */
void check_host_forward(const use *u, int isa, const pass *p);
void check_host_run(const use *u, int isa, const pass *p);
/* Runs the baseline kernel forward: the sum of dy y, whose gradient by x is dx (differences.c). */
double check_host_loss(const use *u, const pass *p);
/* Element i of y and dx of a pass that has run, against the double reference (kernels.c). spread: parameters
 * and x may be of any size, and so may what cancels. */
void check_element(const use *u, const pass *p, int isa, int64_t i, bool spread);
/* A run in baseline, and its gradients against differences (differences.c). */
void check_differences(const use *u);
/* Of rows of x; read-only. */
hk_moments check_host_moments(const use *u, const float *x, int64_t rows);
/* What a committed training step does: moments or weight to update(), clamping. */
void check_host_update(use *u, const pass *p);

/* Runs forward on p and hands the sums to update(). Does nothing without update(). */
void check_host_activation_update(use *u, const pass *p);

/* A dense weight, for changes before it is filled; w and bias come with check_host_fill(), which leaves
 * NaN where the plugin writes nothing. refusal: NULL, or the plugin's sentence. params NULL:
 * defaults. */
typedef struct filled {
    hk_weight weight;
    const char *refusal;
} filled;
hk_weight check_host_weight(int64_t rows, int64_t columns);
hk_weight check_host_convolution(int64_t side, int64_t in, int64_t out); /* likewise */
extern const uint64_t check_rare_keys[2]; /* element 3 of the first block is 0, or the largest */
filled check_host_fill(const hk_plugin *plugin, hk_weight weight, const double *params);

/* ---- The worker, its children, the report ---------------------------------------------------- */

enum { CPU_SECONDS = SANITIZED ? 60 : 5 }; /* of one test; a worker may take 20 times as much */
/* Of one test: only what sleeps comes near it. */
enum { WALL_SECONDS = 60 * CPU_SECONDS, QUICK_WALL_SECONDS = 15 * CPU_SECONDS };
enum { MEMORY_MIB = 1024, MOST_TESTS = 1000000 };

typedef struct orders {
    const char *only; /* NULL: every test */
    bool quick;
    int64_t from; /* number of the first test to run */
    uint64_t seed;
    double
        seconds; /* of processor time, for which the tests that search go on with further seeds */
} orders;

/* Runs the tests of a file, or of a plugin that is linked in, and reports:
 *     {"type":"plugin", kind, name}     the following tests are of it; none yet: of the file itself
 *     {"type":"test", number, name}     a test begins
 *     {"type":"result", result, detail, seed} its result: ok, warning, failed, skipped; or timeout, died: it
 *                                       failed, and the worker ends
 *     {"type":"end"}                    all is done */
int check_worker_run(const char *target, const orders *o);

/* One plugin's results: { kind, name, file, tests: [{ test, result, detail }] }; of kind "file" the
 * tests of the file itself. Brief: one line, and what is not ok. */
void check_report_print(const json_t *plugin, bool brief);
typedef struct tally {
    int plugins, tests, failed, warnings, speed_warnings;
} tally;
void check_report_count(const json_t *plugin, tally *sum); /* adds to the tally */
