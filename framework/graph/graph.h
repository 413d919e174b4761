/* graph/graph.h - what a graph is made of: tensors, and the operations that compute them.
 *
 * A net owns its tensors in the order of recording, which is an order of computing. A tensor is
 * a leaf (fed in, constant, learned, state) or the result of one operation. An operation is a
 * constant table: its forward and backward functions and what they need. */
#pragma once
#include <hillock/plugin.h>
#include <hillock/tensor.h>
#include "core/base.h"

enum {
    HKI_CONV_INPUTS = 3, /* x, filters, bias */
    /* The most is a fused step: convolution, residual, all slots of a normalization and an activation. */
    HKI_MAX_INPUTS = HKI_CONV_INPUTS + 1 + 2 * HK_MAX_SLOTS
};

/* Some of an operation's inputs, and perhaps its output: bit i is input i. */
typedef uint64_t hki_operands;
#define HKI_INPUT_BIT(i) (UINT64_C(1) << (i))
#define HKI_OUTPUT_BIT (UINT64_C(1) << 63)
_Static_assert(HKI_MAX_INPUTS <= 63,
               "hki_operands has a bit for each input and one for the output");

typedef enum hki_role {
    HKI_INPUT,   /* fed before a run */
    HKI_FIXED,   /* value fixed when recorded */
    HKI_LEARNED, /* value and gradient, changed by optimizers */
    HKI_STATE,   /* value, changed when a step is committed */
    HKI_COMPUTED,
    HKI_DROPPED /* recorded, then not needed: a bias before a normalization */
} hki_role;

typedef struct hki_op hki_op;

struct hk_tensor {
    hk_net *net;
    int id; /* place in net->tensors */
    hki_role role;
    hk_shape shape;
    int layer;  /* the layer of the net it belongs to, -1: none */
    char *name; /* leaves; NULL without */

    /* Computed tensors. */
    const hki_op *op;
    hk_tensor *inputs[HKI_MAX_INPUTS];
    int n_inputs;
    void *attributes; /* the operation's own constants */

    /* Constants, learned tensors and state. */
    float *value, *gradient;
    void *init;  /* how it is filled, known to net->initialise; NULL: it starts at zero */
    bool filled; /* has its first values */
    bool no_decay, frozen;
    float low, high; /* clamped to this range when low < high */
};

struct hk_net {
    hk_tensor **tensors;
    int n_tensors;
    size_t capacity;
    int64_t floats, most_floats; /* of all leaves but inputs; most: 0 is any number */
    uint64_t seed;
    uint64_t version;   /* of the values of leaves: who changes them calls hki_values_changed() */
    bool exposed;       /* hk_plan_value() has handed out a leaf: they may change unseen */
    bool has_gradients; /* gradients hold something to add to */
    hk_status (*initialise)(hk_net *); /* fills what is not filled; set by the owner of `choices` */
    struct hki_choices *choices;       /* which plugins the layer functions use: belongs to nn */
};

/* One execution of an operation: pointers fixed by the plan, numbers by the run. */
typedef struct hki_call hki_call;
struct hki_call {
    const hk_tensor *tensor; /* what is computed */
    int64_t batch;           /* samples of this call: of the run, or of one of its parts */
    int part;                /* its number among those of the whole batch */
    bool training, surrogate;
    uint64_t key; /* of this tensor in this step */
    const float *x[HKI_MAX_INPUTS];
    float *y;
    const float *dy;
    float *dx
        [HKI_MAX_INPUTS]; /* NULL: not wanted. Written whole, never read, but where adds has its bit */
    hki_operands adds;    /* bit i: dx[i] holds something that backward adds to */
    void *saved;          /* survives from forward to backward */
    void *statistics;     /* survives from forward to commit, zeroed when the plan is made */
    void *scratch;        /* garbage before and after */
    const void *packed;  /* what pack() made of the leaves for this number of samples; or NULL */
    bool own_statistics; /* normalization over the batch: of this call's samples alone */
    const double
        *whole; /* what gather() found, of all parts; NULL where there is nothing to gather */
    const hki_call *source; /* of input 0, which forward makes itself: x[0] is NULL; or NULL */
    const hki_call *begins; /* backward of input 0, which this backward begins; or NULL */
    bool begun;             /* this backward was begun by another */
};

/* One of an operation's constants as a file keeps it: the member of its attributes at `offset`. */
typedef enum hki_form {
    HKI_INTEGER,       /* int */
    HKI_REAL,          /* double */
    HKI_YES_NO,        /* bool */
    HKI_ACTIVATION,    /* hki_use */
    HKI_NORMALIZATION, /* hki_use */
} hki_form;
typedef struct hki_constant {
    const char *name;
    hki_form form;
    size_t offset;
} hki_constant;

struct hki_op {
    const char *name;       /* in messages and files; unique */
    int operands, optional; /* inputs that it takes, and further ones that it may: a bias, slots */
    size_t attribute_bytes; /* of hk_tensor.attributes; 0: none */
    const hki_constant *kept; /* up to a row without a name; NULL: none */
    /* Records anew a tensor with these inputs, this shape and the attributes that are kept, checked as
     * its public function does; NULL with a message. */
    hk_tensor *(*again)(const hk_tensor *like);
    void (*forward)(const hki_call *);
    void (*backward)(const hki_call *);
    /* What concerns the batch as a whole: before forward, or with `back` before backward, gather() leaves
     * `gathers` numbers of this call's samples, which come back in call->whole joined with those of all
     * parts. NULL: each sample for itself. */
    size_t (*gathers)(const hki_call *, bool back);
    void (*gather)(const hki_call *, bool back, double *own);
    /* Numbers of later samples join `own`: those gathered for forward, or the statistics. NULL: they are
     * added, as those of backward always are. */
    void (*join)(const hk_tensor *, double *own, const double *later);
    /* The values backward reads. */
    hki_operands (*reads)(const hk_tensor *);
    /* Floats that a call of forward or backward moves between memory and the caches, if no more than a tile
     * stays in these. NULL: each operand, result and gradient once. */
    int64_t (*moves)(const hki_call *, bool back);
    /* Bytes, for up to `batch` samples; NULL: none. */
    size_t (*saved_bytes)(const hk_tensor *, int64_t batch);
    size_t (*statistics_bytes)(const hk_tensor *);
    size_t (*scratch_bytes)(const hk_tensor *, int64_t batch);
    size_t (*back_scratch_bytes)(const hk_tensor *, int64_t batch); /* NULL: as much as forward */
    /* May y overwrite input 0, and the gradient of input 0 overwrite dy? NULL: no. */
    bool (*in_place)(const hk_tensor *);
    /* The input whose gradient may overwrite dy, -1: none. NULL: input 0 where in_place allows it. */
    int (*gradient_in_place)(const hk_tensor *);
    /* The inputs to whose gradient backward can add, where call.adds asks for it. NULL: none. */
    hki_operands (*adds)(const hk_tensor *);
    /* Whether backward of y can begin that of `source`, which computes its input 0, bit by bit as it makes
     * what that reads as dy. NULL: no. */
    bool (*begins)(const hk_tensor *y, const hk_tensor *source);
    /* Plans that only run forward: whether forward can make what `source` computes, its input 0, bit by bit
     * as it reads it, so that it need not be stored. NULL: no. */
    bool (*streams)(const hk_tensor *y, const hk_tensor *source, int64_t batch);
    /* Plans that only run forward: what can be made of the leaves among the inputs once, and holds
     * for runs of `batch` samples until values change. NULL, or 0 bytes: nothing. */
    size_t (*packed_bytes)(const hk_tensor *, int64_t batch);
    void (*pack)(const hki_call *, void *packed);
    /* The result is input 0 under another shape: nothing to do in either direction. */
    bool is_view;
    /* Stateful operations, once per committed training forward. */
    double (*activity)(const hki_call *); /* mean activity of the layer; NAN: has none */
    void (*commit)(const hki_call *, double network_activity);
};

static inline void hki_values_changed(hk_net *net)
{
    net->version++;
}

/* ---- Shapes ------------------------------------------------------------------------------------ */
bool hki_is_batched(const hk_shape *shape);
/* HK_BAD_SHAPE unless dimensions are at least 1, only the first is the batch, and one sample fits. */
hk_status hki_check_shape(const hk_shape *shape);
/* Number of elements for a batch; shapes of recorded tensors never overflow. */
int64_t hki_count(const hk_shape *shape, int64_t batch);
/* Elements of one sample of a batched shape, or of an unbatched shape. */
int64_t hki_sample_count(const hk_shape *shape);
bool hki_has_channels(const hk_shape *shape);           /* a last dimension that is not the batch */
int64_t hki_channels(const hk_shape *shape);            /* that one, else 1 */
int64_t hki_rows(const hk_shape *shape, int64_t batch); /* everything but the last dimension */
bool hki_same_shape(const hk_shape *a, const hk_shape *b);
/* "[batch, 28, 28, 1]" in one of a few buffers per thread, for messages. */
const char *hki_shape_text(const hk_shape *shape);

/* ---- Recording --------------------------------------------------------------------------------- */
/* Frees the tensors of a net that is freed next. */
void hki_net_clear_graph(hk_net *net);
/* Frees what was recorded after the first n tensors, inputs and computed ones that no plan uses any more. */
void hki_net_forget(hk_net *net, int n);
/* The leaf of that name, unless it was dropped; NULL: the name is free. */
hk_tensor *hki_find_tensor(const hk_net *net, const char *name);
/* Brings the values into the tensor's range, if it has one. */
void hki_clamp(hk_tensor *tensor);
/* A leaf; value (and gradient, if learned) allocated unless it is an input. Name copied or NULL. */
hk_tensor *hki_leaf(hk_net *net, hki_role role, const char *name, hk_shape shape);
/* How many inputs of other tensors it is. */
int hki_readers(const hk_tensor *tensor);
/* The tensors that were recorded from `first` on stand before the one at `place` from now on: order decides
 * digests, and what may be computed when. Plans made before know nothing of it. */
void hki_move_before(hk_net *net, int first, int place);
/* A computed tensor; attributes are plain data and copied. NULL with a message: shape too large, no memory. */
hk_tensor *hki_compute(const hki_op *op, hk_tensor *const *inputs, int n_inputs, hk_shape shape,
                       const void *attributes);
