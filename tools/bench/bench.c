/* hillock bench: layers, plugins and models against the limits of this machine. */
#include "bench/bench.h"

#include <hillock/random.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- Timings -------------------------------------------------------------------------------- */

bool bench_goes_on(const timing *of, double started, double seconds)
{
    return of->n < 5 || (of->n < BENCH_MOST && hk_now() - started < seconds);
}

double bench_seconds(const bench *in, double usual)
{
    return in->given->seconds > 0 ? in->given->seconds : usual;
}

void bench_timing_add(timing *to, double seconds, double share)
{
    if (to->n == BENCH_MOST)
        return;
    to->seconds[to->n] = seconds;
    to->share[to->n++] = share;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which this part of the n values lie. */
static double quantile(const double *values, int n, double part)
{
    double sorted[BENCH_MOST];
    if (n == 0)
        return (double)NAN;
    memcpy(sorted, values, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    return sorted[(int)(part * (n - 1) + 0.5)];
}

double bench_timing_median(const timing *of)
{
    return quantile(of->seconds, of->n, 0.5);
}

void bench_noise(float *x, int64_t n)
{
    enum { PERIOD = 1 << 14 }; /* no layer compares inputs so far apart */
    for (int64_t i = 0; i < n && i < PERIOD; i++) {
        x[i] = -6; /* twelve uniform numbers have a mean of 6 and a deviation of 1 */
        for (int j = 0; j < 12; j++)
            x[i] += hks_uniform(1, (uint64_t)(i * 12 + j));
    }
    for (int64_t i = PERIOD; i < n; i++)
        x[i] = x[i - PERIOD];
}

void bench_row(const bench *in, const result *it, const timing *of)
{
    static bool has_heading;
    double median = bench_timing_median(of), rate = it->work / median / it->scale;
    double low = quantile(of->seconds, of->n, 0.25), high = quantile(of->seconds, of->n, 0.75);
    double percent = it->limit ? 100 * quantile(of->share, of->n, 0.5) : (double)NAN;
    if (in->rows) {
        json_t *quartiles =
            json_pack("[o, o]", tool_json_number(1e3 * low), tool_json_number(1e3 * high));
        json_t *object = json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:s, s:o}", "name",
                                   it->name, "pass", it->pass, "threads", in->threads,
                                   "repetitions", of->n, "ms", tool_json_number(1e3 * median),
                                   "ms_quartiles", quartiles, "rate", tool_json_number(rate),
                                   "unit", it->unit, "percent_of_limit", tool_json_number(percent));
        if (object && it->limit)
            json_object_set_new(object, "limit", json_string(it->limit));
        json_array_append_new(in->rows, object);
        return;
    }
    if (!has_heading)
        printf("%-34s %-12s %10s %21s %8s\n", "", "", "median ms", "quartiles", "rate");
    has_heading = true;
    printf("%-34s %-12s %10.3f %10.3f..%-10.3f %8.2f %s", it->name, it->pass, 1e3 * median,
           1e3 * low, 1e3 * high, rate, it->unit);
    if (it->limit)
        printf("  %.0f %% of %s", percent, it->limit);
    putchar('\n');
    fflush(stdout);
}

static const struct {
    const char *name, *operands;
    int least, most;
    int (*run)(const bench *in);
} kinds[] = {
    {"limits", "nothing more", 0, 0, bench_limits},
    {"train", "MODEL", 1, 1, bench_train},
    {"infer", "MODEL", 1, 1, bench_infer},
    {"act", "SPEC..., or --all", 0, 1000, bench_act},
    {"norm", "SPEC...", 1, 1000, bench_norm},
    {"conv", "SHAPE..., as 128x32x32x16:3x3x16/1, or a set", 1, 1000, bench_conv},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

int bench_command(options *given)
{
    bench in = {.given = given,
                .threads = given->threads ? (int)given->threads : omp_get_max_threads()};
    int kind = 0, operands = given->n_operands - 1;
    while (kind < KINDS && strcmp(kinds[kind].name, given->operands[0]) != 0)
        kind++;
    const char *known[KINDS];
    for (int i = 0; i < KINDS; i++)
        known[i] = kinds[i].name;
    if (kind == KINDS)
        return tool_fail(EXIT_USAGE, "bench: unknown kind \"%s\"%s", given->operands[0],
                         tool_known(given->operands[0], known, KINDS));
    if (operands < kinds[kind].least || operands > kinds[kind].most)
        return tool_fail(EXIT_USAGE, "bench %s: expected %s; see hillock bench --help",
                         kinds[kind].name, kinds[kind].operands);
    given->operands++;
    given->n_operands--;
    if (given->json)
        in.rows = json_array();
    int status = kinds[kind].run(&in);
    bench_limit_release();
    if (!in.rows)
        return status;
    if (status) {
        json_decref(in.rows);
        return status;
    }
    return tool_json_print(json_pack("{s:s, s:s, s:i, s:o}", "engine", hk_engine_name(), "isa",
                                     hk_isa_name(), "threads", in.threads, "rows", in.rows));
}
