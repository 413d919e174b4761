/* hillock bench act, norm: one layer, forward and back, against a copy of as many floats. */
#include "bench/bench.h"

#include <string.h>

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

/* Of one run: bytes of the floats that are read and written, or operations. */
static double work_of(const study *of, int back)
{
    enum { FORWARD_BYTES = 8, BACK_BYTES = 12 }; /* a float read, one written; another read */
    return of->floats ? (back ? BACK_BYTES : FORWARD_BYTES) * (double)of->floats
                      : 2.0 * (double)of->multiply_adds[back];
}

static hk_status run_once(study *of)
{
    memset(of->seconds, 0, sizeof of->seconds);
    memset(of->multiply_adds, 0, sizeof of->multiply_adds);
    if (hk_plan_forward(of->plan, of->batch) || hk_plan_backward(of->plan))
        return hk_last_status();
    hk_net_clear_gradients(of->net);
    return HK_OK;
}

int bench_study_measure(const bench *in, study *of, hk_tensor *input, hk_tensor *y, int64_t batch)
{
    hk_tensor *loss = hk_sum(y, HK_ALL_AXES);
    hk_plan_options wanted = {.batch = batch, .training = 1, .loss = loss};
    if (!loss || hk_plan_new(of->net, &wanted, &of->plan))
        return tool_failed();
    of->batch = batch;
    hk_plan_profile(of->plan, count_step, of);
    hk_shape shape = hk_tensor_shape(input);
    int64_t floats = 1;
    for (int i = 0; i < shape.ndim; i++)
        floats *= shape.dims[i] == HK_BATCH ? batch : shape.dims[i];
    bench_noise(hk_plan_value(of->plan, input), floats);
    double started = hk_now(), seconds = bench_seconds(in, 1);
    if (run_once(of)) /* the first run meets memory that was never touched */
        return tool_failed();
    while (bench_goes_on(&of->times[0], started, seconds)) {
        if (run_once(of))
            return tool_failed();
        double limit =
            of->floats ? bench_limit_copy(in->threads, of->floats) : bench_limit_peak(in->threads);
        if (!(limit > 0))
            return tool_fail(EXIT_FAILED, "bench: out of memory for a copy of %s floats",
                             tool_grouped(of->floats));
        for (int i = 0; i < 2; i++)
            bench_timing_add(&of->times[i], of->seconds[i],
                             work_of(of, i) / of->seconds[i] / limit);
    }
    return EXIT_DONE;
}

void bench_study_row(const bench *in, const study *of, const char *name, const char *pass, int back)
{
    bench_row(in,
              &(result){name, pass, of->floats ? "GB/s" : "GFLOP/s",
                        of->floats ? "copy" : "FMA peak", work_of(of, back), 1e9},
              &of->times[back]);
}

/* Both rows of a study, and its end. */
static int study_rows(const bench *in, study *of, const char *name, hk_tensor *input, hk_tensor *y,
                      int64_t batch)
{
    int status = bench_study_measure(in, of, input, y, batch);
    for (int back = 0; back < 2 && !status; back++)
        bench_study_row(in, of, name, back ? "backward" : "forward", back);
    bench_study_clear(of);
    return status;
}

enum { CHANNELS = 64 };

/* x is a learned tensor, so that it has a gradient. */
static int act_rows(const bench *in, const char *spec)
{
    int64_t size = in->given->size ? in->given->size : 16 << 20;
    int64_t rows = (size + CHANNELS - 1) / CHANNELS;
    study of = {.net = hk_net_new(), .floats = rows * CHANNELS};
    hk_tensor *x = of.net ? hk_parameter(of.net, "x", HK_SHAPE(rows, CHANNELS), "constant") : NULL;
    return study_rows(in, &of, spec, x, x ? hk_act(x, .use = spec) : NULL, 1);
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

int bench_act(const bench *in)
{
    const options *given = in->given;
    every to = {in, EXIT_DONE};
    if (given->all == (given->n_operands > 0))
        return tool_fail(EXIT_USAGE, "bench act: expected SPEC..., or --all");
    for (int i = 0; i < given->n_operands && !to.status; i++) {
        char **specs;
        size_t n;
        if (hk_spec_list(HK_ACTIVATION, given->operands[i], &specs, &n) != HK_OK)
            return tool_failed();
        for (size_t k = 0; k < n && !to.status; k++)
            to.status = act_rows(in, specs[k]);
        hk_spec_list_free(specs, n);
    }
    if (given->all && hk_plugin_each(HK_ACTIVATION, act_of_plugin, NULL, &to) != HK_OK)
        to.status = tool_failed();
    return to.status;
}

static int norm_rows(const bench *in, const char *spec, int batch, int side, int channels)
{
    char name[160];
    study of = {.net = hk_net_new(.activation = in->given->act),
                .floats = (int64_t)batch * side * side * channels};
    hk_tensor *input = of.net ? hk_input(of.net, side, side, channels) : NULL;
    hk_tensor *y = hk_norm(bench_study_input(input, channels), .use = spec);
    if (in->given->act)
        y = hk_act(y);
    snprintf(name, sizeof name, "%s%s%s %dx%dx%dx%d", spec, in->given->act ? " + " : "",
             in->given->act ? in->given->act : "", batch, side, side, channels);
    return study_rows(in, &of, name, input, y, batch);
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
