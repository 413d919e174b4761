/* hillock bench limits: multiply-adds and memory, as fast as this machine has them. */
#include "bench/bench.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#pragma clang fp contract(fast)
#define UNROLL(n) PRAGMA(clang loop unroll(full))
#define TARGET(set) PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define TARGET_END PRAGMA(clang attribute pop)
#else
#pragma GCC optimize("O3,fp-contract=fast")
#define UNROLL(n) PRAGMA(GCC unroll n)
#define TARGET(set) PRAGMA(GCC push_options) PRAGMA(GCC target(set))
#define TARGET_END PRAGMA(GCC pop_options)
#endif

#define NAME(kernel) baseline_##kernel
#define LANES 4
#define CHAINS 12
#include "bench/bench_kernels.h"

#ifdef __x86_64__
TARGET("avx2,fma")
#define NAME(kernel) avx2_##kernel
#define LANES 8
#define CHAINS 12
#include "bench/bench_kernels.h"
TARGET_END
TARGET("avx512f")
#define NAME(kernel) avx512_##kernel
#define LANES 16
#define CHAINS 24
#include "bench/bench_kernels.h"
TARGET_END
#endif

typedef struct kernels {
    int operations; /* of one round: a multiply-add counts as two */
    float (*spin)(int64_t rounds, const float *start);
    void (*copy)(int64_t floats, const float *from, float *to);
    void (*change)(int64_t floats, float *x);
} kernels;

static const char *const names[HK_ISA_COUNT] = HK_ISA_NAMES;
static const kernels sets[HK_ISA_COUNT] = {
    {2 * 4 * 12, baseline_spin, baseline_copy, baseline_change},
#ifdef __x86_64__
    {2 * 8 * 12, avx2_spin, avx2_copy, avx2_change},
    {2 * 16 * 24, avx512_spin, avx512_copy, avx512_change},
#endif
};

static const kernels *in_use(void)
{
    int isa = 0;
    while (strcmp(names[isa], hk_isa_name()) != 0)
        isa++;
    return &sets[isa];
}

enum { BLOCK = 4096 }; /* floats that a thread takes at a time; arrays are multiples of it */
static float *from, *to;
static int64_t room; /* floats in each */
static volatile float wanted;

static bool make_room(int64_t floats)
{
    if (floats <= room)
        return true;
    bench_limit_release();
    from = aligned_alloc(64, (size_t)floats * sizeof *from);
    to = aligned_alloc(64, (size_t)floats * sizeof *to);
    if (!from || !to) {
        bench_limit_release();
        return false;
    }
    room = floats;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < floats; i++)
        from[i] = to[i] = 1;
    return true;
}

void bench_limit_release(void)
{
    free(from);
    free(to);
    from = to = NULL;
    room = 0;
}

/* Seconds in which every thread does these rounds. */
static double spin_once(const kernels *set, int threads, int64_t rounds)
{
    float start[32];
    double started = 0, seconds = 0;
    for (int i = 0; i < 32; i++)
        start[i] = i < 16 ? 0.5f : 1;
#pragma omp parallel num_threads(threads)
    {
#pragma omp barrier
#pragma omp master
        started = hk_now();
        wanted = set->spin(rounds, start);
#pragma omp barrier
#pragma omp master
        seconds = hk_now() - started;
    }
    return seconds;
}

/* Every thread goes `rounds` times through its own part, in place or into the other array. */
static double move_once(const kernels *set, int threads, int64_t floats, int rounds, bool in_place)
{
    double started = 0, seconds = 0;
#pragma omp parallel num_threads(threads)
    {
        int64_t blocks = floats / BLOCK, me = omp_get_thread_num(), all = omp_get_num_threads();
        int64_t first = blocks * me / all * BLOCK, n = blocks * (me + 1) / all * BLOCK - first;
#pragma omp barrier
#pragma omp master
        started = hk_now();
        for (int r = 0; r < rounds; r++)
            in_place ? set->change(n, to + first) : set->copy(n, from + first, to + first);
#pragma omp barrier
#pragma omp master
        seconds = hk_now() - started;
    }
    return seconds;
}

double bench_limit_peak(int threads)
{
    const int64_t rounds = 200000; /* a millisecond or so */
    const kernels *set = in_use();
    double operations = (double)set->operations * (double)rounds * threads;
    return operations / spin_once(set, threads, rounds);
}

double bench_limit_copy(int threads, int64_t floats)
{
    floats = (floats + BLOCK - 1) / BLOCK * BLOCK;
    if (!make_room(floats))
        return 0;
    return 8.0 * (double)floats / move_once(in_use(), threads, floats, 1, false);
}

/* Multiply-adds, or where there are `floats` their moves. */
static void limit_row(const bench *in, const char *name, const kernels *set, int threads,
                      int64_t floats, int rounds, bool in_place)
{
    timing of = {0};
    bench at = *in;
    at.threads = threads;
    char pass[32];
    snprintf(pass, sizeof pass, "%d thread%s", threads, threads > 1 ? "s" : "");
    double work = (floats ? 8.0 * (double)floats : (double)set->operations * threads) * rounds;
    if (floats)
        move_once(set, threads, floats, rounds, in_place);
    for (double started = hk_now(); bench_goes_on(&of, started, bench_seconds(in, 0.5));)
        bench_timing_add(&of,
                         floats ? move_once(set, threads, floats, rounds, in_place)
                                : spin_once(set, threads, rounds),
                         1);
    bench_row(&at, &(result){name, pass, floats ? "GB/s" : "GFLOP/s", NULL, work, 1e9}, &of);
}

/* What the C library knows of this processor's; the last level is shared with others. */
static void put_caches(void)
{
    const int levels[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
    for (int i = 0; i < 3; i++)
        if (sysconf(levels[i]) > 0)
            printf("%s L%d %s KiB", i ? "," : "caches:", i + 1,
                   tool_grouped(sysconf(levels[i]) / 1024));
    if (sysconf(levels[0]) > 0)
        putchar('\n');
}

int bench_limits(const bench *in)
{
    int64_t size = in->given->size ? in->given->size : 16 << 20, each = 32768;
    const kernels *best = in_use();
    char name[64];
    size = (size + BLOCK - 1) / BLOCK * BLOCK;
    if (!make_room(size > each * in->threads ? size : each * in->threads))
        return tool_fail(EXIT_FAILED, "bench limits: out of memory for two arrays of %s floats",
                         tool_grouped(size));
    if (!in->rows) {
        put_caches();
        printf("engine %s, instruction set in use %s; GB/s count what is read and written\n",
               hk_engine_name(), hk_isa_name());
    }
    for (int threads = 1;; threads = in->threads) {
        for (const kernels *set = sets; set <= best; set++) {
            snprintf(name, sizeof name, "multiply-adds, %s%s", names[set - sets],
                     set == best ? " (in use)" : "");
            limit_row(in, name, set, threads, 0, 400000, false);
        }
        limit_row(in, "copy", best, threads, size, 1, false);
        limit_row(in, "in place", best, threads, size, 1, true);
        limit_row(in, "copy in L2, 256 KiB per thread", best, threads, each * threads, 100, false);
        if (threads == in->threads)
            return EXIT_DONE;
    }
}
