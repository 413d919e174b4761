/* hillock bench train --parts: a step alone, layer by layer; what that lets expect on several machines; and a
 * step of all processes that were started. */
#include "bench/bench_parts.h"

#include "bench/parts_model.h"
#include "bench/workload.h"
#include "net/team.h"

#include <math.h>
#include <stdlib.h>

enum { PARTS_WARM = 3, PARTS_STEPS = 20 }; /* all processes take as many */

/* The times of one step's layers, added up over all of them. */
typedef struct layer_times {
    const hk_plan *plan;
    bench_step sum;
    int at; /* steps of the plan that have passed */
} layer_times;

static void add_layer(void *user, const hki_call *call, bool back, double seconds)
{
    layer_times *of = user;
    const hk_plan *plan = of->plan;
    if (!back)
        of->sum.forward[of->at++ % plan->n_steps] += seconds;
    for (int s = 0; back && s < plan->n_steps; s++)
        if (plan->steps[s].call.tensor == call->tensor)
            of->sum.backward[s] += seconds;
}

static hk_status time_steps(workload *of, timing *out)
{
    for (int i = 0; i < PARTS_WARM + PARTS_STEPS; i++) {
        const double began = hk_now();
        if (bench_train_step(of))
            return hk_last_status();
        if (i >= PARTS_WARM)
            bench_timing_add(out, hk_now() - began, (double)NAN);
    }
    return HK_OK;
}

/* One process with all parts: the median step, shared out among the layers as their times are. Arrays are to
 * be freed. */
static int time_alone(workload *of, layer_times *times, timing *whole)
{
    const size_t n = (size_t)of->plan->n_steps;
    *times = (layer_times){.plan = of->plan,
                           .sum = {calloc(n, sizeof(double)), calloc(n, sizeof(double)), 0}};
    timing optimizer = {0};
    if (!times->sum.forward || !times->sum.backward)
        return tool_no_memory();
    of->optimizer_times = &optimizer;
    hki_plan_watch(of->plan, add_layer, times);
    if (time_steps(of, whole))
        return tool_failed();
    hki_plan_watch(of->plan, NULL, NULL);
    of->optimizer_times = NULL;
    bench_step *one = &times->sum;
    double layers = 0;
    for (size_t s = 0; s < n; s++)
        layers += one->forward[s] + one->backward[s];
    one->optimizer = bench_timing_median(&optimizer);
    const double scale = (bench_timing_median(whole) - one->optimizer) / layers;
    for (size_t s = 0; s < n; s++) {
        one->forward[s] *= scale;
        one->backward[s] *= scale;
    }
    return EXIT_DONE;
}

static void put_parts(const workload *of, const char *pass, int ranks, const timing *times,
                      double alone, double bytes)
{
    const double each = bench_timing_median(times);
    char name[160];
    snprintf(name, sizeof name, "%s, batch %lld, %lld parts", of->in->given->operands[0],
             (long long)of->batch, (long long)of->in->given->parts);
    if (of->in->rows)
        bench_row(of->in, &(result){name, pass, "images/s", NULL, (double)of->batch, 1}, times);
    else
        printf("%-10s %5d %10.3f %9.2f %9.0f %%   %.2f\n", pass, ranks, 1e3 * each, alone / each,
               100 * alone / each / ranks, bytes / 1e6);
}

static void put_forecast(const workload *of, const bench_step *one, double alone,
                         const bench_network *line)
{
    if (!of->in->rows)
        printf("network: %.3g Gbit/s, %.3g us\n%-10s %5s %10s %9s %11s %s\n",
               8e-9 * line->bandwidth, 1e6 * line->latency, "", "ranks", "ms a step", "speedup",
               "efficiency", "MB sent by each");
    for (int ranks = 1; ranks <= 64 && ranks <= of->in->given->parts; ranks *= 2) {
        double bytes;
        timing forecast = {0};
        char pass[32];
        bench_timing_add(&forecast, bench_parts_forecast(of->plan, one, ranks, line, &bytes),
                         (double)NAN);
        snprintf(pass, sizeof pass, of->in->rows ? "model, %d" : "model", ranks);
        put_parts(of, pass, ranks, &forecast, alone, bytes);
    }
}

/* What the processes that were started take together; the first of them reports. */
static int time_together(const workload *alone, const hk_team *team, const bench_step *one,
                         double seconds_alone, const bench_network *given)
{
    workload of = {.team = team};
    timing times = {0};
    bench_network line;
    const char *reason = bench_network_measure(team, &line);
    if (reason)
        return tool_fail(EXIT_IO, "bench: %s", reason);
    int status = bench_workload_prepare_training(&of, alone->in);
    if (!status && time_steps(&of, &times))
        status = tool_failed();
    if (!status && team->rank == 0) {
        put_forecast(alone, one, seconds_alone, given ? given : &line);
        put_parts(&of, "measured", team->ranks, &times, seconds_alone, 0);
    }
    bench_workload_clear(&of);
    return status;
}

int bench_parts(const bench *in)
{
    options given = *in->given;
    workload of = {0};
    timing times = {0};
    layer_times layers = {0};
    bench_network line;
    const hk_team *team;
    int status = net_team_open(&given, &team);
    const bool is_first = !team || team->rank == 0;
    if (!status && given.network && !bench_network_read(given.network, &line))
        status = EXIT_USAGE;
    if (!status && !team && !given.network)
        status = tool_fail(EXIT_USAGE, "bench: --parts on one process needs --network, as "
                                       "10Gbit,50us; under mpirun the network is measured");
    if (!status)
        status = bench_workload_prepare_training(&of, in);
    if (!status && is_first)
        status = time_alone(&of, &layers, &times);
    const double alone = is_first ? bench_timing_median(&times) : 0;
    if (!status && team)
        status = time_together(&of, team, &layers.sum, alone, given.network ? &line : NULL);
    else if (!status)
        put_forecast(&of, &layers.sum, alone, &line);
    free(layers.sum.forward);
    free(layers.sum.backward);
    bench_workload_clear(&of);
    net_team_close(status);
    return status;
}
