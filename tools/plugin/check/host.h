/* plugin/check/host.h - the framework's part in a use of a plugin, played plainly and in double. */
#pragma once
#include "plugin/check/check.h"

/* Of normalizations; 0 after a failure: unknown, or without the functions that it needs. */
hk_domain check_host_domain(const use *u);

/* All rows of an activation or a normalization: y; y, dx and what is added to dslots. */
void check_host_forward(const use *u, int isa, const pass *p);
void check_host_run(const use *u, int isa, const pass *p);
/* A run in baseline, and its gradients against differences (differences.c). */
void check_differences(const use *u);
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
filled check_host_fill(const hk_plugin *plugin, hk_weight weight, const double *params);

/* process.c: what is compared with is remembered before the file is loaded, and again behind that.
 */
void check_remember_state(void);
void check_test_load(const subject *s);
void check_test_process(const subject *s);
/* One a kind; the first test that calls the plugin. */
void check_test_memory_of_activation(const subject *s);
void check_test_memory_of_normalization(const subject *s);
void check_test_memory_of_initializer(const subject *s);

/* reference.c */
void check_test_derivative(const subject *s);
void check_test_gradients(const subject *s);
void check_test_reads(const subject *s);
/* kernels.c */
void check_test_kernels(const subject *s);
void check_test_gradient(const subject *s);
void check_test_special(const subject *s);
/* bits.c */
void check_test_splits(const subject *s);
void check_test_position(const subject *s);
void check_test_neighbours(const subject *s);
void check_test_repeat(const subject *s);
void check_test_threads(const subject *s);
void check_test_random(const subject *s);
