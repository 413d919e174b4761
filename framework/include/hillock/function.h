/* hillock/function.h - an activation as a function of one's own arrays, outside of a net.
 *
 * For layers of other frameworks: the kernels are those that train, of the best instruction set; what a
 * layer keeps, its slots and its statistics, lies with the caller. Rows are cut over threads, and results
 * do not depend on their number.
 *
 *     hk_function *f;
 *     hk_function_new("mish", &f);
 *     hk_function_forward(f, &(hk_function_call){.rows = n, .channels = 1, .x = x, .y = y});
 *     hk_function_backward(f, &(hk_function_call){.rows = n, .channels = 1, .x = x, .dy = dy, .dx = dx});
 *
 * A function does not change: all calls are [any thread], with arrays of their own. */
#pragma once
#include <hillock/plugin.h>
#include <hillock/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hk_function hk_function;

/* What a caller has to keep for it. Valid until the function is freed. */
typedef struct hk_function_info {
    const char *name, *spec; /* the plugin's; the spec in its one form, by name */
    const char *summary;     /* the plugin's formula; or NULL */
    const hk_slot *slots;    /* [n_slots] */
    int n_slots;
    uint32_t reads, traits;     /* as in hk_activation */
    uint32_t aux_floats;        /* per row, written by forward and read by backward */
    uint32_t n_sums;            /* statistics per channel, written by forward and read by commit */
    uint32_t changes_slots : 1; /* commit does something: state, or slots with a range */
} hk_function_info;

/* A block of rows, and what belongs to it. */
typedef struct hk_function_call {
    int64_t rows, channels;
    int64_t rows_per_sample; /* 0: rows */
    int training, surrogate; /* 1 or 0, as in hk_context */
    uint64_t key;            /* of HK_STOCHASTIC ones; the same in backward */
    float *const *slots;     /* [n_slots]; may be NULL without slots */
    const float *x;          /* [rows x channels]; backward: NULL unless it reads it */
    float *y;                /* [rows x hk_function_channels]; likewise */
    float *aux;              /* [rows x aux_floats]; NULL without */
    double *sums;            /* [n_sums x channels]; NULL: not wanted */
    const float *dy;         /* as y */
    float *dx;               /* as x; NULL: not wanted */
    float *const *dslots;    /* [n_slots], each NULL where it is not wanted; NULL: none is */
} hk_function_call;

/* Finds the activation of a spec, "lgb:k=4" or "./mine.so". Free *out with hk_function_free. Fails as
 * hk_plugin_find() and hk_plugin_load() do; HK_BAD_ARGUMENT: a value out of range. */
hk_status hk_function_new(const char *spec, hk_function **out);
void hk_function_free(hk_function *function);
const hk_function_info *hk_function_describe(const hk_function *function);

/* Channels of y for so many of x; 0: it does not take so many. */
int64_t hk_function_channels(const hk_function *function, int64_t channels);
/* Floats of slot i, from 0; 0: there is none. */
int64_t hk_function_slot(const hk_function *function, int i, int64_t channels);
/* Writes the first values of the slots of so many channels. HK_BAD_ARGUMENT: below 1. */
hk_status hk_function_start(const hk_function *function, int64_t channels, float *const *slots);

/* y = f(x). y may be x where the traits have HK_IN_PLACE and backward does not read x. HK_BAD_ARGUMENT: a
 * pointer that is needed is NULL, or there are less than 0 rows; HK_BAD_SHAPE: channels that it does not
 * take; HK_NO_MEMORY. */
hk_status hk_function_forward(const hk_function *function, const hk_function_call *call);
/* dx and dslots, overwritten, from dy and what forward had and left. dx may be dy as above. */
hk_status hk_function_backward(const hk_function *function, const hk_function_call *call);
/* Ends a training step, after the optimizer's: state follows from the `sums` of the call, if there are
 * any, where the mean over a network is that of this layer alone; slots return to their ranges. */
hk_status hk_function_commit(const hk_function *function, const hk_function_call *call);

#ifdef __cplusplus
}
#endif
