/* hillock bench train, infer: whole models, and the time of each layer. */
#include "bench/bench_parts.h"
#include "bench/workload.h"

#include <hillock/random.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One line of a profile: a step of the plan, forward and back. */
typedef struct line {
    char layer[64], kind[160];
    timing times[2];
    int64_t multiply_adds[2], bytes[2];
} line;

enum { MOST_LINES = 512, COPY_FLOATS = 16 * 1024 * 1024 };

/* Each run passes the same steps in the same order. */
typedef struct profile {
    line *lines;
    int n;
    int order[2 * MOST_LINES], known; /* the line of each step, as far as one has been seen */
    int at;                           /* steps of this run that have passed */
    timing optimizer, whole;
} profile;

/* A repetition is as many steps as fill a part of `seconds`. `passes`: how often the products of a
 * forward run are computed. */
static hk_status repeat(workload *of, hk_status (*step)(workload *), int passes, double seconds,
                        timing *out)
{
    const bench *in = of->in;
    double work = 2.0 * (double)(of->multiply_adds * of->batch * passes);
    for (int i = 0; i < 3; i++)
        if (step(of))
            return hk_last_status();
    double started = hk_now();
    if (step(of))
        return hk_last_status();
    double one = hk_now() - started;
    int steps = one * 10 > seconds ? 1 : (int)(seconds / 10 / one);
    for (double began = hk_now(); bench_goes_on(out, began, seconds);) {
        started = hk_now();
        for (int i = 0; i < steps; i++)
            if (step(of))
                return hk_last_status();
        double each = (hk_now() - started) / steps;
        bench_timing_add(out, each, work / each / bench_limit_peak(in->threads));
    }
    return HK_OK;
}

/* Rates of the form a script reads: the last line is MODEL images_per_s. */
static void put_rate(const workload *of, const char *pass, const timing *times)
{
    char name[160];
    const char *model = of->in->given->operands[0];
    snprintf(name, sizeof name, "%s, batch %lld", model, (long long)of->batch);
    bench_row(of->in, &(result){name, pass, "images/s", "FMA peak", (double)of->batch, 1}, times);
    if (!of->in->rows)
        printf("%s %.1f\n", model, (double)of->batch / bench_timing_median(times));
}

/* ---- Profiles ------------------------------------------------------------------------------- */

/* A step belongs to the line of the same place in a step before; in the first, a backward step to the
 * last line that is like it and not yet taken, and any other to a new line. */
static void count_step(const hk_step_info *step, void *user)
{
    profile *in = user;
    if (in->at == in->known && in->known < 2 * MOST_LINES) {
        int i = step->back ? in->n - 1 : -1;
        while (i >= 0 &&
               (in->lines[i].times[1].n || strcmp(in->lines[i].layer, step->layer) != 0 ||
                strncmp(in->lines[i].kind, step->kind, sizeof in->lines[i].kind - 1) != 0))
            i--;
        if (i < 0 && in->n == MOST_LINES) {
            i = in->n - 1;
        } else if (i < 0) {
            i = in->n++;
            snprintf(in->lines[i].layer, sizeof in->lines[i].layer, "%s", step->layer);
            snprintf(in->lines[i].kind, sizeof in->lines[i].kind, "%s", step->kind);
        }
        in->order[in->known++] = i;
    }
    if (in->at >= in->known)
        return;
    line *at = &in->lines[in->order[in->at++]];
    bench_timing_add(&at->times[step->back], step->seconds, (double)NAN);
    at->multiply_adds[step->back] = step->multiply_adds;
    at->bytes[step->back] = step->bytes;
}

static void put_pass(const line *at, int back, double whole, double peak)
{
    double median = bench_timing_median(&at->times[back]);
    double rate = 2.0 * (double)at->multiply_adds[back] / median;
    if (at->times[back].n == 0) {
        printf(" %9s %5s %7s %5s %7s", "-", "", "", "", "");
        return;
    }
    printf(" %9.3f %4.1f%%", 1e3 * median, 100 * median / whole);
    if (at->multiply_adds[back])
        printf(" %7.1f %4.0f%%", 1e-9 * rate, 100 * rate / peak);
    else
        printf(" %7s %5s", "", "");
    printf(" %7.2f", 1e-6 * (double)at->bytes[back]);
}

/* What the steps move, against a copy of as much as stays in no cache. */
static void put_moves(const profile *in, double steps, int threads)
{
    double bytes = 0, copy = bench_limit_copy(threads, COPY_FLOATS);
    for (int i = 0; i < in->n; i++)
        bytes += (double)(in->lines[i].bytes[0] + in->lines[i].bytes[1]);
    printf("steps move %.1f MB, %.2f GB/s, %.0f %% of a copy\n", 1e-6 * bytes, 1e-9 * bytes / steps,
           100 * bytes / steps / copy);
}

static void put_profile(const profile *in, double peak, int threads)
{
    double whole = bench_timing_median(&in->whole),
           rest = whole - bench_timing_median(&in->optimizer);
    printf("%-10s %-44s %9s %5s %7s %5s %7s %9s %5s %7s %5s %7s\n", "layer", "", "forward", "of",
           "GFLOP/s", "of", "MB", "backward", "of", "GFLOP/s", "of", "MB");
    printf("%-10s %-44s %9s %5s %7s %5s %7s %9s %5s %7s %5s\n", "", "", "ms", "step", "", "peak",
           "", "ms", "step", "", "peak");
    for (int i = 0; i < in->n; i++) {
        const line *at = &in->lines[i];
        printf("%-10s %-44s", at->layer, at->kind);
        for (int back = 0; back < 2; back++) {
            put_pass(at, back, whole, peak);
            rest -= at->times[back].n ? bench_timing_median(&at->times[back]) : 0;
        }
        putchar('\n');
    }
    double optimizer = bench_timing_median(&in->optimizer);
    printf("%-55s %9.3f %4.1f%%\n", "optimizer", 1e3 * optimizer, 100 * optimizer / whole);
    printf("%-55s %9.3f %4.1f%%\n", "the rest", 1e3 * rest, 100 * rest / whole);
    printf("%-55s %9.3f\n", "step", 1e3 * whole);
    put_moves(in, whole - optimizer - rest, threads);
}

static void profile_rows(const workload *of, const profile *seen, double peak)
{
    for (int i = 0; i < seen->n; i++) {
        line *at = &seen->lines[i];
        for (int back = 0; back < 2; back++) {
            timing *times = &at->times[back];
            double work = 2.0 * (double)at->multiply_adds[back];
            char name[256];
            for (int r = 0; r < times->n; r++)
                times->share[r] = work / times->seconds[r] / peak;
            snprintf(name, sizeof name, "%s %s", at->layer, at->kind);
            if (times->n)
                bench_row(of->in,
                          &(result){name, back ? "backward" : "forward", "GFLOP/s",
                                    work > 0 ? "FMA peak" : NULL, work, 1e9},
                          times);
        }
    }
    bench_row(of->in, &(result){"optimizer", "step", "GFLOP/s", NULL, 0, 1e9}, &seen->optimizer);
}

/* The step is timed once more with a watch on every layer. */
static int run_profile(workload *of, double seconds)
{
    profile *seen = calloc(1, sizeof *seen);
    int status = EXIT_DONE;
    if (!seen || !(seen->lines = calloc(MOST_LINES, sizeof *seen->lines))) {
        free(seen);
        return tool_fail(EXIT_FAILED, "bench: out of memory for a profile");
    }
    of->optimizer_times = &seen->optimizer;
    hk_plan_profile(of->plan, count_step, seen);
    double peak = bench_limit_peak(of->in->threads);
    for (double started = hk_now(); !status && bench_goes_on(&seen->whole, started, seconds);) {
        double again = bench_limit_peak(of->in->threads);
        peak = again > peak ? again : peak;
        double begun = hk_now();
        seen->at = 0;
        if (bench_train_step(of))
            status = tool_failed();
        bench_timing_add(&seen->whole, hk_now() - begun, (double)NAN);
    }
    if (!status && of->in->rows)
        profile_rows(of, seen, peak);
    else if (!status)
        put_profile(seen, peak, of->in->threads);
    of->optimizer_times = NULL;
    free(seen->lines);
    free(seen);
    return status;
}

int bench_train(const bench *in)
{
    if (in->given->parts)
        return bench_parts(in);
    workload of = {0};
    timing times = {0};
    double seconds = bench_seconds(in, 5);
    int status = bench_workload_prepare_training(&of, in);
    if (!status && repeat(&of, bench_train_step, 3, seconds, &times) != HK_OK)
        status = tool_failed();
    if (!status && in->given->profile)
        status = run_profile(&of, seconds);
    if (!status)
        put_rate(&of, "train", &times);
    bench_workload_clear(&of);
    return status;
}

int bench_infer(const bench *in)
{
    workload of = {0};
    timing times = {0};
    int status = bench_workload_prepare(&of, in, in->given->batch ? in->given->batch : 1);
    if (!status && repeat(&of, bench_infer_step, 1, bench_seconds(in, 2), &times) != HK_OK)
        status = tool_failed();
    if (!status)
        put_rate(&of, "infer", &times);
    bench_workload_clear(&of);
    return status;
}
