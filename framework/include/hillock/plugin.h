/* hillock/plugin.h - the contract between Hillock and a plugin file; docs/contract.md says what it promises.
 *
 * A plugin file is a shared object that exports one constant object, hk_bundle_entry. It imports functions of
 * libm and the memcpy, memmove, memset of compilers; a model, the layer functions too. The bundle lists
 * plugins; a plugin is a name, tables (parameters, slots) and pure functions of blocks of floats: a result
 * follows from the arguments alone, and the process stays as it was, its floating-point mode, signals,
 * environment and files. Hillock owns memory, threads, random numbers and files.
 *
 * Blocks. For every kind of layer a plugin gets a contiguous matrix x[rows x channels] of floats, one row per
 * position and sample, aligned as floats are, of any size from 1 x 1. Hillock splits it into tiles of whole
 * rows and may run them in parallel, in any order, and more than once (to recompute). Plugins have no mutable
 * globals; what persists is a slot. NaN in, NaN out, where the number matters; infinities as the formula says.
 *
 * Elementwise activations need only <hillock/kernel.h>, which writes the kernels; <hillock/moments.h> has the
 * arithmetic of normalizations, <hillock/model.h> the words of models. Fields that are not set are 0 or NULL:
 * none. Thread rules: [parallel] on many threads at once, on disjoint tiles; [serial] on one. */
#pragma once
#include <hillock/processor.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HK_MAGIC 0x504C4B48u /* the bytes H K L P in memory */
#define HK_ABI_MAJOR 1       /* must be the host's */
#define HK_ABI_MINOR 0       /* of this header: additions alone */
#ifndef HK_ABI_USED          /* a file that uses what 1.n has added says so, -DHK_ABI_USED=n, and */
#define HK_ABI_USED 0        /* asks for a host of 1.n; any other is a file of 1.0 */
#endif
#define HK_ABI_NEEDS "" /* what that is, for the message of an older host */

enum {
    HK_MAX_PARAMS = 8,   /* parameters of a plugin */
    HK_MAX_SLOTS = 16,   /* slots of a plugin */
    HK_MAX_FIXED = 1024, /* floats of an HK_FIXED slot */
    HK_MAX_KEPT = 1024,  /* aux_floats, n_sums, n_coef */
    HK_ISA_ROOM = 8      /* rows of a table of kernels; those from HK_ISA_COUNT on are empty */
};

/* ---- Parameters: set by the user in a spec, name:key=value ----------------------------------- */
typedef enum hk_param_type { HK_REAL = 1, HK_INTEGER, HK_CHOICE } hk_param_type;
enum { HK_LOW_OPEN = 1, HK_HIGH_OPEN = 2 }; /* hk_param.flags: the bound is excluded */

typedef struct hk_param {
    const char *name, *doc;
    uint32_t type, flags;
    double value;        /* default; for HK_CHOICE, the index */
    double low, high;    /* range; low == high: any finite value; of no use with HK_CHOICE */
    const char *choices; /* HK_CHOICE: "first|second" */
    uint64_t later[2];   /* 0, as in other rows of tables: what a later 1.n may add */
} hk_param;

/* HK_PARAMS({.name = "alpha", ...}, {...}) defines `params` with the final empty row. */
#define HK_PARAMS(...)                                                                             \
    static const hk_param params[] = {__VA_ARGS__, {0}};                                           \
    _Static_assert(sizeof params / sizeof *params - 1 <= HK_MAX_PARAMS, "too many parameters")

/* ---- Slots: tensors of one layer, which Hillock allocates, trains, clamps and saves ----------- */
/* A learned slot has a gradient and is updated by the optimizer, a state by update() alone. */
typedef enum hk_role { HK_LEARNED = 1, HK_STATE } hk_role;

typedef enum hk_extent {
    HK_PER_CHANNEL = 1, /* one float per channel */
    HK_SHARED,          /* one float */
    HK_PER_ROW,         /* one float per row; HK_OVER_WEIGHT normalizations only */
    HK_FIXED            /* `count` floats, 1 to HK_MAX_FIXED */
} hk_extent;
enum { HK_NO_DECAY = 1 }; /* hk_slot.flags: no weight decay */

typedef struct hk_slot {
    const char *name, *doc;
    uint32_t role, extent, count, flags;
    double value;     /* initial value, within the range */
    double low, high; /* if low < high: clamped to this range after every update, states too */
    uint64_t later[2];
} hk_slot;

/* ---- Arguments of functions ------------------------------------------------------------------- */
/* A plugin in a layer. Kernels read it; only start() and update() write slots. */
typedef struct hk_context {
    int64_t rows, channels;       /* of the whole block, of which a tile is a part */
    int64_t rows_per_sample;      /* rows = samples * rows_per_sample */
    uint32_t training, surrogate; /* 1 or 0; surrogate 0: use the true derivative */
    /* For hks_uniform(key, first_row * channels + element of the tile): new each step, the same in
     * recomputation and backward; in start(), of the layer. */
    uint64_t key;
    const double *params; /* [HK_MAX_PARAMS] in table order, zero beyond */
    float *const *slots;  /* [HK_MAX_SLOTS] in table order, NULL beyond */
} hk_context;

/* Rows first_row .. first_row + rows - 1 of the block. A pointer is NULL if the plugin does not declare
 * that it reads it. With HK_IN_PLACE, y may be x and dx may be dy: never so that backward misses what it
 * reads. What is written is never NULL, but for the sums. */
typedef struct hk_tile {
    int64_t rows, first_row;
    const float *x, *dy; /* [rows x channels], [rows x channels_out] */
    float *y, *dx;       /* [rows x channels_out], [rows x channels]; overwritten, dx is not read */
    float *aux;          /* [rows x aux_floats]: written by forward, read by backward */
    float *const *dslots; /* dslots[i] += gradient of learned slot i; those of states are NULL */
    float *sums;          /* [n_sums x channels] += statistics, forward; NULL: nobody wants them */
    const float *coef;    /* normalizations: [n_coef x channels] of the tile's set */
    const float *bcoef;   /* normalizations, backward: [3 x channels] */
} hk_tile;

typedef void hk_block(const hk_context *context, const hk_tile *tile); /* [parallel] */

typedef struct hk_kernels {
    hk_block *forward, *backward;
} hk_kernels;

/* ---- Activation: y = f(x) -------------------------------------------------------------------- */
enum { HK_READS_X = 1, HK_READS_Y = 2 }; /* what backward reads; prefer y, which is kept anyway */
enum {
    HK_IN_PLACE = 4,   /* y may overwrite x, dx may overwrite dy */
    HK_STOCHASTIC = 8, /* uses the key in training */
    HK_ROWWISE = 16,   /* an output depends on other numbers of its row (softmax) */
    HK_SURROGATE = 32  /* backward is deliberately not the derivative of forward */
};

/* One element, in double: the reference for checks and initializer gains. */
typedef struct hk_scalar64 {
    double x, y, u;      /* u: a uniform random number, 0 outside training */
    const double *p, *t; /* parameters; slots at this channel, of an HK_FIXED one its first */
    int64_t channel;
    int training, surrogate;
} hk_scalar64;

/* Statistics passed to update(), of the last training forward. */
typedef struct hk_activity {
    int64_t rows;
    const double *sums;  /* [n_sums x channels] */
    double layer_mean;   /* mean over channels of sums[0] / rows */
    double network_mean; /* mean of layer_mean over all layers with sums */
} hk_activity;

typedef struct hk_activation {
    uint32_t reads, traits;
    uint32_t aux_floats;             /* size of aux per row */
    uint32_t n_sums;                 /* statistics per channel */
    hk_kernels kernels[HK_ISA_ROOM]; /* by hk_isa; NULL: use the next lower one */
    /* NULL: the same; returns 0: not supported. Another number needs no HK_ROWWISE. */
    int64_t (*channels_out)(const hk_context *, int64_t channels);
    /* Once per training step and use in the graph. [serial] */
    void (*update)(const hk_context *, const hk_activity *);
    /* Reference for elementwise activations, at a kink the slope of either side; NULL for others. Kernels are
     * as near as floats of that formula are; other instruction sets may round otherwise. [any thread] */
    double (*value)(const hk_scalar64 *);
    double (*slope)(const hk_scalar64 *);
    double (*gradient)(const hk_scalar64 *, int slot); /* d value / d slot */
} hk_activation;

/* ---- Normalization ---------------------------------------------------------------------------
 * Most are affine, given statistics of a set of rows. Hillock computes mean and m2 = sum (x - mean)^2 per
 * channel over the set; coefficients() computes coef, y = coef[0] x + coef[1]; gradient() computes bcoef from
 * the sums of dy and dy (x - mean), dx = bcoef[0] dy + bcoef[1] x + bcoef[2]. */

typedef enum hk_domain {
    HK_OVER_BATCH = 1, /* one set, all rows */
    HK_OVER_SAMPLE,    /* a set per sample, its rows_per_sample rows */
    HK_OVER_ROW,       /* no sets: kernels normalize each row; no coef */
    HK_OVER_WEIGHT     /* normalizes a weight [fan_in x channels]: kernels get all of it; no coef */
} hk_domain;

typedef struct hk_moments {
    int64_t rows;
    const double *mean, *m2; /* [channels] */
} hk_moments;

typedef struct hk_normalization {
    hk_domain (*domain)(const hk_context *); /* by its parameters alone */
    uint32_t n_coef; /* rows of coef, at least 2 with sets; further rows are the plugin's own */
    /* [any thread], once per set. frozen() in evaluation; NULL: as in training, of the samples that are
     * evaluated together. */
    void (*coefficients)(const hk_context *, const hk_moments *, float *coef);
    void (*frozen)(const hk_context *, float *coef);
    /* Also dslots[i] +=, as in hk_tile. After frozen() the moments are NULL, the sums are of dy and dy x,
     * and statistics are constants. */
    void (*gradient)(const hk_context *, const float *coef, const hk_moments *,
                     const double *sum_dy, const double *sum_dyx, float *bcoef,
                     float *const *dslots);
    /* As in hk_activation: HK_OVER_BATCH gets moments; HK_OVER_WEIGHT gets the updated weight and, once
     * before training with training == 0, the initial one; the other argument is NULL; not called for other
     * domains. [serial] */
    void (*update)(const hk_context *, const hk_moments *, const float *weight);
    hk_kernels kernels[HK_ISA_ROOM]; /* HK_OVER_ROW and HK_OVER_WEIGHT: both; others: NULL */
    uint32_t aux_floats;             /* floats kept per row for backward */
} hk_normalization;

/* ---- Initializer ----------------------------------------------------------------------------- */
enum {
    HK_FILLS_RANGES = 1, /* fill() may be called for any part; else for the whole weight */
    HK_FILLS_BIAS = 2    /* each call also writes the whole bias; else it starts at zero */
};

/* A weight w[rows x columns] of a convolution or dense layer: a column is an output channel, a row is
 * (kernel row, kernel column, input channel of the group), in row-major order. */
typedef struct hk_weight {
    int64_t rows, columns;   /* rows = kernel height * width * input channels / groups */
    int64_t kernel;          /* kernel height * width; 1 for dense layers */
    int64_t fan_in, fan_out; /* fan_out = columns / groups * kernel */
    int64_t first, count;    /* the elements to write: w[first .. first + count - 1] */
    double gain;             /* of the activation that follows: 1 / sqrt(E[f(z)^2]), z ~ N(0,1) */
    uint32_t first_layer;    /* 1: its input is the input of the network */
    uint64_t key;
    float *w;    /* the whole weight, of any contents */
    float *bias; /* [columns]; NULL without one or without HK_FILLS_BIAS */
} hk_weight;

typedef struct hk_initializer {
    uint32_t traits;
    /* An element follows from shape, key and index alone. Returns NULL, or a constant sentence: why it does
     * not apply. [any thread] */
    const char *(*fill)(const hk_context *, const hk_weight *);
} hk_initializer;

/* ---- Model ------------------------------------------------------------------------------------ */
typedef struct hk_tensor hk_tensor; /* <hillock/tensor.h> */

/* Default training settings. What a model's row leaves open is as usual; hk_model_recipe() fills it in. */
typedef struct hk_recipe {
    const char *data; /* name of the data set, "glyphs"; "": any */
    int64_t most;     /* training samples that it is meant for; 0: any number */
    const char *optimizer, *schedule, *augment;
    int32_t epochs, batch;
    int32_t least_steps; /* in all: small sets take more epochs */
    int32_t is_adapted;  /* in answers, 1: batch or epochs follow from a small number of samples */
    uint64_t later[2];
} hk_recipe;

typedef struct hk_model {
    /* Records the layers behind x, images [batch, height, width, channels], and returns the logits
     * [batch, classes]; NULL where a layer function returned it. `params` as in hk_context. The same
     * arguments record the same net. [one thread] per net */
    hk_tensor *(*build)(hk_tensor *x, int classes, const double *params);
    int32_t height, width, channels; /* of the images that it was published for */
    int32_t smallest;                /* minimum height and width; 0: it takes 1 x 1 */
    int64_t parameters; /* learned: for these images, 10 classes, relu, batch_norm; 0: not stated */
    const hk_recipe *recipes; /* the first that fits; the last is empty; NULL: as usual */
} hk_model;

/* ---- Plugin, bundle, entry --------------------------------------------------------------------- */
typedef enum hk_kind { HK_ACTIVATION = 1, HK_NORMALIZATION, HK_INITIALIZER, HK_MODEL } hk_kind;

typedef struct hk_plugin {
    uint32_t kind, size; /* size: sizeof the struct of its kind; a longer one is of a later 1.n */
    const char *name;    /* a letter, then at most 31 of a-z 0-9 _ */
    const char *aliases; /* "other,names" or NULL */
    const char *summary; /* the formula, or what it consists of, in one line */
    /* An elementwise activation's value in evaluation, of x, parameters and slots by name, in the language of
     * docs/plugins.md: "x > 0 ? x : slope*x". Exports compute it, check proves it. NULL: none. */
    const char *formula;
    const char *source;     /* who published it, when */
    const char *tags;       /* "core,gated": the sets that it belongs to, @core in specs; or NULL */
    const hk_param *params; /* ends with a row without name; NULL: none */
    const hk_slot *slots;   /* likewise */
    /* Changes slots from their initial values; rows as in HK_PER_ROW slots, else of one sample. [serial] */
    void (*start)(const hk_context *);
    const hk_activation *activation; /* the one of its kind; the others NULL */
    const hk_normalization *normalization;
    const hk_initializer *initializer;
    const hk_model *model;
} hk_plugin;

typedef struct hk_bundle {
    uint32_t magic; /* the offsets of magic, major and minor never change */
    uint16_t major, minor;
    uint32_t size, count;     /* sizeof(hk_plugin); number of plugins */
    const hk_plugin *plugins; /* [count] */
    const char *needs;        /* HK_ABI_NEEDS */
} hk_bundle;

#ifndef HK_ENTRY_NAME /* differs only in plugins that are linked statically */
#define HK_ENTRY_NAME hk_bundle_entry
#endif

/* Ends a plugin file: HK_BUNDLE({ .kind = HK_ACTIVATION, ... }, { ... }) */
#define HK_BUNDLE(...)                                                                             \
    static const hk_plugin hk_bundle_plugins[] = {__VA_ARGS__};                                    \
    extern const hk_bundle HK_ENTRY_NAME;                                                          \
    __attribute__((visibility("default")))                                                         \
    const hk_bundle HK_ENTRY_NAME = {HK_MAGIC,                                                     \
                                     HK_ABI_MAJOR,                                                 \
                                     HK_ABI_USED,                                                  \
                                     sizeof(hk_plugin),                                            \
                                     sizeof hk_bundle_plugins / sizeof *hk_bundle_plugins,         \
                                     hk_bundle_plugins,                                            \
                                     HK_ABI_NEEDS}

#ifdef __cplusplus
}
#endif
