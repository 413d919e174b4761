/* The model: a step of the plan takes a machine 1 / ranks of what it takes one. Statistics of the batch
 * are waited for, at each distance 1, 2, 4 ... of ranks one message. Gradients travel meanwhile, in bundles,
 * but one message after the other: what is not there when the backward pass ends is waited for. See graph/ranks.c. */
#include "bench/parts_model.h"

#include "options.h"
#include "output.h"

#include "graph/ranks.h"

#include <stdlib.h>
#include <string.h>

/* ---- The network ---------------------------------------------------------------------------------- */

static bool read_unit(const char **text, const char *const *units, const double *factors,
                      double *out)
{
    char *end;
    *out = strtod(*text, &end);
    for (int i = 0; units[i]; i++) {
        const size_t length = strlen(units[i]);
        if (strncmp(end, units[i], length) == 0 && (!end[length] || end[length] == ',')) {
            *out *= factors[i];
            *text = end[length] ? end + length + 1 : end + length;
            return *out > 0;
        }
    }
    return false;
}

bool bench_network_read(const char *text, bench_network *out)
{
    static const char *const rates[] = {"Gbit", "Mbit", NULL}, *const times[] = {"us", "ms", NULL};
    const char *rest = text;
    if (read_unit(&rest, rates, (const double[]){1e9 / 8, 1e6 / 8}, &out->bandwidth) &&
        read_unit(&rest, times, (const double[]){1e-6, 1e-3}, &out->latency) && !*rest)
        return true;
    tool_fail(EXIT_USAGE,
              "bench: --network is \"%s\", expected bandwidth and latency, \"10Gbit,50us\"", text);
    return false;
}

const char *bench_network_measure(const hk_team *team, bench_network *out)
{
    enum { SMALL = 200, LARGE = 5, BYTES = 4 << 20 };
    const char *failed = NULL;
    char *room = calloc(2, BYTES);
    if (!room)
        return "out of memory";
    for (int i = 0; i < 10 && !failed; i++) /* connects */
        failed = team->exchange(team->user, team->rank ^ 1, room, 8, room + BYTES, 8);
    double started = hk_now();
    for (int i = 0; i < SMALL && !failed; i++)
        failed = team->exchange(team->user, team->rank ^ 1, room, 8, room + BYTES, 8);
    out->latency = (hk_now() - started) / SMALL;
    started = hk_now();
    for (int i = 0; i < LARGE && !failed; i++)
        failed = team->exchange(team->user, team->rank ^ 1, room, BYTES, room + BYTES, BYTES);
    out->bandwidth = BYTES / ((hk_now() - started) / LARGE);
    free(room);
    return failed;
}

/* ---- The model -------------------------------------------------------------------------------------- */

/* Seconds since the step began: of this machine, and of its network, which is busy until then. */
typedef struct clocks {
    const bench_network *network;
    int ranks;
    double now, network_free, bytes;
    int64_t bundle; /* floats that wait to be sent */
    int pieces;
} clocks;

static double message(clocks *c, double bytes)
{
    c->bytes += bytes;
    return c->network->latency + bytes / c->network->bandwidth;
}

/* Waited for. */
static void join(clocks *c, size_t numbers)
{
    double seconds = 0;
    for (int apart = 1; numbers && apart < c->ranks; apart *= 2)
        seconds += message(c, 8.0 * (double)numbers);
    if (seconds > 0)
        c->now = c->network_free = (c->now > c->network_free ? c->now : c->network_free) + seconds;
}

static void send_bundle(clocks *c)
{
    double seconds = 0;
    for (int apart = 1; apart < c->ranks; apart *= 2)
        for (int way = 0; way < 2; way++)
            seconds += message(c, 4.0 * (double)c->bundle / (2.0 * apart));
    c->network_free = (c->now > c->network_free ? c->now : c->network_free) + seconds;
    c->bundle = 0;
    c->pieces = 0;
}

static size_t gathered(const hki_step *step, bool back)
{
    const hki_op *op = step->call.tensor->op;
    const size_t n = op->gathers ? op->gathers(&step->call, back) : 0;
    return n || back ? n : step->statistics_bytes / sizeof(double);
}

double bench_parts_forecast(const hk_plan *plan, const bench_step *one, int ranks,
                            const bench_network *network, double *bytes)
{
    clocks c = {.network = network, .ranks = ranks};
    for (int s = 0; s < plan->n_steps; s++) {
        c.now += one->forward[s] / ranks;
        join(&c, gathered(&plan->steps[s], false));
    }
    for (int s = plan->n_steps - 1; s >= 0; s--) {
        const hki_step *step = &plan->steps[s];
        join(&c, step->has_backward ? gathered(step, true) : 0);
        c.now += one->backward[s] / ranks;
        for (int i = 0; step->has_backward && i < step->call.tensor->n_inputs; i++) {
            if (!step->learned[i])
                continue;
            c.bundle += hki_count(&step->learned[i]->shape, 1);
            if (++c.pieces == HKI_BUNDLE_PIECES || c.bundle >= HKI_BUNDLE_FLOATS)
                send_bundle(&c);
        }
    }
    if (c.bundle)
        send_bundle(&c);
    *bytes = c.bytes;
    return (c.now > c.network_free ? c.now : c.network_free) + one->optimizer;
}
