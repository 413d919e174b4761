/* An activation on the caller's own arrays: a pass over rows without a plan. */
#include <hillock/function.h>
#include "ops/ops.h"

#include "engine/kernels.h"

struct hk_function {
    hki_use use;
    char *spec;
    hk_function_info info;
};

static bool changes_slots(const hk_plugin *plugin)
{
    bool does = plugin->activation->update != NULL;
    for (int i = 0; i < hki_slot_count(plugin); i++)
        does = does || plugin->slots[i].low < plugin->slots[i].high;
    return does;
}

hk_status hk_function_new(const char *spec, hk_function **out)
{
    hki_use use;
    if (hki_null(spec, out))
        return HK_BAD_ARGUMENT;
    *out = NULL;
    hk_status status = hki_use_parse(HK_ACTIVATION, spec, &use);
    if (status != HK_OK)
        return status;
    hk_function *made = hki_alloc(sizeof *made);
    if (!made || !(made->spec = hki_use_spec(&use))) {
        hki_free(made);
        return HK_NO_MEMORY;
    }
    const hk_activation *act = use.plugin->activation;
    made->use = use;
    made->info = (hk_function_info){.name = use.plugin->name,
                                    .spec = made->spec,
                                    .summary = use.plugin->summary,
                                    .slots = use.plugin->slots,
                                    .n_slots = hki_slot_count(use.plugin),
                                    .reads = act->reads,
                                    .traits = act->traits,
                                    .aux_floats = act->aux_floats,
                                    .n_sums = act->n_sums,
                                    .changes_slots = changes_slots(use.plugin)};
    *out = made;
    return HK_OK;
}

void hk_function_free(hk_function *function)
{
    if (function)
        hki_free(function->spec);
    hki_free(function);
}

const hk_function_info *hk_function_describe(const hk_function *function)
{
    return hki_null(function) ? NULL : &function->info;
}

int64_t hk_function_channels(const hk_function *function, int64_t channels)
{
    if (hki_null(function) || channels < 1)
        return 0;
    const hk_context context = {.channels = channels, .params = function->use.params};
    const hk_activation *act = function->use.plugin->activation;
    return act->channels_out ? hki_max(act->channels_out(&context, channels), 0) : channels;
}

int64_t hk_function_slot(const hk_function *function, int i, int64_t channels)
{
    if (hki_null(function) || i < 0 || i >= function->info.n_slots || channels < 1)
        return 0;
    return hki_slot_length(&function->info.slots[i], 1, channels);
}

static hk_context context_of(const hk_function *f, const hk_function_call *call)
{
    return (hk_context){.rows = call->rows,
                        .channels = call->channels,
                        .rows_per_sample =
                            call->rows_per_sample ? call->rows_per_sample : call->rows,
                        .training = call->training != 0,
                        .surrogate = call->surrogate != 0,
                        .key = call->key,
                        .params = f->use.params,
                        .slots = call->slots};
}

static hk_status check_slots(const hk_function *f, float *const *slots)
{
    for (int i = 0; i < f->info.n_slots; i++)
        if (!slots || !slots[i])
            return hki_fail(HK_BAD_ARGUMENT, "%s: the slot \"%s\" is NULL, expected its values",
                            f->spec, f->info.slots[i].name);
    return HK_OK;
}

hk_status hk_function_start(const hk_function *function, int64_t channels, float *const *slots)
{
    if (hki_null(function, slots))
        return HK_BAD_ARGUMENT;
    if (channels < 1)
        return hki_fail(HK_BAD_ARGUMENT, "%s: %lld channels, expected at least 1", function->spec,
                        (long long)channels);
    hk_status status = check_slots(function, slots);
    const hk_context context =
        context_of(function, &(hk_function_call){.channels = channels, .slots = slots});
    for (int i = 0; i < function->info.n_slots && !status; i++)
        for (int64_t j = 0; j < hk_function_slot(function, i, channels); j++)
            slots[i][j] = (float)function->info.slots[i].value;
    if (!status && function->use.plugin->start)
        function->use.plugin->start(&context);
    return status;
}

/* Pointers that a pass reads or writes, and the shape. */
static hk_status check_call(const hk_function *f, const hk_function_call *call, bool back)
{
    const struct {
        const char *name;
        const void *pointer;
        bool is_needed;
    } rows[] = {{"x", call->x, !back || f->info.reads & HK_READS_X},
                {"y", call->y, !back || f->info.reads & HK_READS_Y},
                {"aux", call->aux, f->info.aux_floats > 0},
                {"dy", call->dy, back}};
    if (call->rows < 0 || call->channels < 1)
        return hki_fail(HK_BAD_ARGUMENT,
                        "%s: a block of %lld x %lld, expected rows and at least one channel",
                        f->spec, (long long)call->rows, (long long)call->channels);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].is_needed && !rows[i].pointer && call->rows > 0)
            return hki_fail(HK_BAD_ARGUMENT, "%s: %s is NULL, which %s needs", f->spec,
                            rows[i].name, back ? "backward" : "forward");
    if (hk_function_channels(f, call->channels) < 1)
        return hki_fail(HK_BAD_SHAPE, "activation %s cannot work on %lld channels", f->spec,
                        (long long)call->channels);
    return check_slots(f, call->slots);
}

/* Runs a pass and takes its sums, or its slots' gradients, together. */
static hk_status run(const hk_function *f, const hk_function_call *call, bool back)
{
    static float *const none[HK_MAX_SLOTS];
    float unused;
    int64_t stride;
    hk_status status = check_call(f, call, back);
    if (status != HK_OK)
        return status;
    hki_pass pass = {.plugin = f->use.plugin,
                     .context = context_of(f, call),
                     .channels_out = hk_function_channels(f, call->channels),
                     .whole = {.x = call->x,
                               .y = call->y,
                               .aux = call->aux,
                               .dy = back ? call->dy : NULL,
                               .dx = call->dx}};
    const int64_t scratch = hki_pass_scratch(&pass);
    pass.scratch = scratch ? hki_alloc_array((size_t)scratch, sizeof *pass.scratch) : &unused;
    if (!pass.scratch)
        return HK_NO_MEMORY;
    const int chunks = hki_pass_run(&pass, &stride);
    if (back)
        hki_gather_slots(call->dslots ? call->dslots : none, f->use.plugin, call->rows,
                         call->channels, pass.scratch, chunks, stride);
    else if (call->sums)
        hki_pass_sums(&pass, chunks, stride, call->sums);
    hki_free(scratch ? pass.scratch : NULL);
    return HK_OK;
}

hk_status hk_function_forward(const hk_function *function, const hk_function_call *call)
{
    return hki_null(function, call) ? HK_BAD_ARGUMENT : run(function, call, false);
}

hk_status hk_function_backward(const hk_function *function, const hk_function_call *call)
{
    return hki_null(function, call) ? HK_BAD_ARGUMENT : run(function, call, true);
}

hk_status hk_function_commit(const hk_function *function, const hk_function_call *call)
{
    if (hki_null(function, call))
        return HK_BAD_ARGUMENT;
    const hk_activation *act = function->use.plugin->activation;
    const hk_context context = context_of(function, call);
    hk_status status = check_slots(function, call->slots);
    if (status != HK_OK)
        return status;
    if (act->update && call->sums && call->rows > 0) {
        const double mean = hki_mean_activity(call->rows, call->channels, call->sums);
        act->update(&context, &(hk_activity){call->rows, call->sums, mean, mean});
    }
    for (int i = 0; i < function->info.n_slots; i++) {
        const hk_slot *slot = &function->info.slots[i];
        const float low = (float)slot->low, high = (float)slot->high;
        for (int64_t j = 0; low < high && j < hk_function_slot(function, i, call->channels); j++) {
            const float v = call->slots[i][j];
            call->slots[i][j] = v < low ? low : v > high ? high : v;
        }
    }
    return HK_OK;
}
