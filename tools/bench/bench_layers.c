/* hillock bench act, norm: one layer, forward and back, against a copy of as many floats. */
#include "bench/bench.h"

#include <string.h>

/* ---- Studies -------------------------------------------------------------------------------- */

void bench_study_clear(study *of)
{
    hk_plan_free(of->plan);
    hk_net_free(of->net);
    *of = (study){0};
}

hk_tensor *bench_study_input(hk_tensor *input, int channels)
{
    if (!input)
        return NULL;
    return hk_add(
        input, hk_parameter(hk_tensor_net(input), "shift", HK_SHAPE(channels), "constant:value=0"));
}

/* The scaffolding, an addition before the layer and the sum behind it, does not count. */
static void count_step(const hk_step_info *step, void *user)
{
    study *of = user;
    if (strcmp(step->kind, "add") == 0 || strcmp(step->kind, "sum") == 0)
        return;
    of->seconds[step->back] += step->seconds;
    of->multiply_adds[step->back] += step->multiply_adds;
}

hk_status bench_study_start(study *of, hk_tensor *input, hk_tensor *y, int64_t batch)
{
    hk_tensor *loss = hk_sum(y, HK_ALL_AXES);
    hk_plan_options wanted = {.batch = batch, .training = 1, .loss = loss};
    if (!loss || hk_plan_new(of->net, &wanted, &of->plan))
        return hk_last_status();
    of->batch = batch;
    hk_plan_profile(of->plan, count_step, of);
    hk_shape shape = hk_tensor_shape(input);
    int64_t floats = 1;
    for (int i = 0; i < shape.ndim; i++)
        floats *= shape.dims[i] == HK_BATCH ? batch : shape.dims[i];
    bench_noise(hk_plan_value(of->plan, input), floats);
    return HK_OK;
}

hk_status bench_study_run(study *of)
{
    memset(of->seconds, 0, sizeof of->seconds);
    memset(of->multiply_adds, 0, sizeof of->multiply_adds);
    if (hk_plan_forward(of->plan, of->batch) || hk_plan_backward(of->plan))
        return hk_last_status();
    hk_net_clear_gradients(of->net);
    return HK_OK;
}

/* ---- Activations and normalizations: against a copy ----------------------------------------- */

enum { FORWARD_BYTES = 8, BACK_BYTES = 12 }; /* a float read, one written; another read */

static int against_copy(const bench *in, study *of, const char *name, int64_t floats)
{
    static const char *const passes[] = {"forward", "backward"};
    static const int bytes[] = {FORWARD_BYTES, BACK_BYTES};
    double started = hk_now(), seconds = bench_seconds(in, 1);
    if (bench_study_run(of)) /* the first run meets memory that was never touched */
        return tool_failed();
    while (bench_goes_on(&of->times[0], started, seconds)) {
        if (bench_study_run(of))
            return tool_failed();
        double copy = bench_limit_copy(in->threads, floats);
        if (!(copy > 0))
            return tool_fail(EXIT_FAILED, "bench: out of memory for a copy of %s floats",
                             tool_grouped(floats));
        for (int i = 0; i < 2; i++)
            bench_timing_add(&of->times[i], of->seconds[i],
                             bytes[i] * (double)floats / of->seconds[i] / copy);
    }
    for (int i = 0; i < 2; i++)
        bench_row(in, &(result){name, passes[i], "GB/s", "copy", bytes[i] * (double)floats, 1e9},
                  &of->times[i]);
    return EXIT_DONE;
}

enum { CHANNELS = 64 };

/* x is a learned tensor, so that it has a gradient. */
static int act_rows(const bench *in, const char *spec)
{
    int64_t size = in->given->size ? in->given->size : 16 << 20;
    int64_t rows = (size + CHANNELS - 1) / CHANNELS;
    study of = {.net = hk_net_new()};
    hk_tensor *x = of.net ? hk_parameter(of.net, "x", HK_SHAPE(rows, CHANNELS), "constant") : NULL;
    hk_tensor *y = x ? hk_act(x, .use = spec) : NULL;
    int status = y && bench_study_start(&of, x, y, 1) == HK_OK
                     ? against_copy(in, &of, spec, rows * CHANNELS)
                     : tool_failed();
    bench_study_clear(&of);
    return status;
}

typedef struct every {
    const bench *in;
    int status;
} every;

/* Elementwise: it has a reference of one element. */
static void act_of_plugin(const hk_plugin_info *info, void *user)
{
    every *to = user;
    if (info->plugin->activation->value && !to->status)
        to->status = act_rows(to->in, info->plugin->name);
}

static int act_list(const bench *in, const char *text)
{
    char **specs;
    size_t n;
    if (hk_spec_list(HK_ACTIVATION, text, &specs, &n) != HK_OK)
        return tool_failed();
    int status = EXIT_DONE;
    for (size_t i = 0; i < n && !status; i++)
        status = act_rows(in, specs[i]);
    hk_spec_list_free(specs, n);
    return status;
}

int bench_act(const bench *in)
{
    const options *given = in->given;
    every to = {in, EXIT_DONE};
    if (given->all == (given->n_operands > 0))
        return tool_fail(EXIT_USAGE, "bench act: expected SPEC..., or --all");
    for (int i = 0; i < given->n_operands && !to.status; i++)
        to.status = act_list(in, given->operands[i]);
    if (given->all && hk_plugin_each(HK_ACTIVATION, act_of_plugin, NULL, &to) != HK_OK)
        to.status = tool_failed();
    return to.status;
}

static int norm_rows(const bench *in, const char *spec, int batch, int side, int channels)
{
    char name[160];
    study of = {.net = hk_net_new(.activation = in->given->act)};
    hk_tensor *input = of.net ? hk_input(of.net, side, side, channels) : NULL;
    hk_tensor *y = hk_norm(bench_study_input(input, channels), .use = spec);
    if (in->given->act)
        y = hk_act(y);
    snprintf(name, sizeof name, "%s%s%s %dx%dx%dx%d", spec, in->given->act ? " + " : "",
             in->given->act ? in->given->act : "", batch, side, side, channels);
    int status = y && bench_study_start(&of, input, y, batch) == HK_OK
                     ? against_copy(in, &of, name, (int64_t)batch * side * side * channels)
                     : tool_failed();
    bench_study_clear(&of);
    return status;
}

int bench_norm(const bench *in)
{
    int batch = in->given->batch ? (int)in->given->batch : 128, status = EXIT_DONE;
    for (int i = 0; i < in->given->n_operands && !status; i++) {
        status = norm_rows(in, in->given->operands[i], batch, 32, 16);
        if (!status)
            status = norm_rows(in, in->given->operands[i], batch, 8, 64);
    }
    return status;
}
