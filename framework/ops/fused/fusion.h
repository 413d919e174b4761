/* ops/fused/fusion.h - one execution of a fused step: its memory, its tiles, its statistics. fusion.c makes
 * it; forward.c and backward.c run it; fused.c is the operation. */
#pragma once
#include "engine/engine.h"
#include "ops/fused/fused.h"

_Static_assert((int)HKI_MAX_PARTS <= (int)HKI_MAX_CHUNKS,
               "each part of a convolution has its own sums");

typedef struct hki_fusion hki_fusion;
typedef void hki_fusion_tile(hki_fusion *p, int part, int64_t row, int64_t n); /* of one tile */

typedef struct convolution {
    hki_conv shape;
    const float *filters, *bias; /* bias may be NULL */
    const void *packed;          /* what the engine made of the filters; or NULL */
    float *result;
    void *scratch; /* the engine's */
} convolution;

/* Scratch of backward alone. */
typedef struct gradients {
    double *sums;    /* [sets][2][channels] */
    float *bcoef;    /* [sets][3][channels] */
    float *unwanted; /* for the gradients of the normalization's slots that nobody wants */
    float *learned;  /* [HKI_MAX_CHUNKS][n_learned]: gradients of the activation's slots */
    int64_t n_learned;
    float *dz, *din; /* [rows][channels]; without an activation dz is dy */
    float *dbias;    /* of the convolution, where dz is what is summed for it; or NULL */
} gradients;

/* One execution, forward or backward. */
struct hki_fusion {
    const hki_call *call;
    const hki_fused *fused;
    int64_t rows, channels;
    bool by_sample;               /* the normalization's statistics are those of one */
    int64_t sets, set_rows;       /* of the normalization; one set of all rows without */
    const hk_normalization *norm; /* NULL: none */
    const hk_activation *act;
    bool frozen; /* statistics of the past: one set, coefficients alone */
    hk_context norm_context, act_context;
    float *norm_slots[HK_MAX_SLOTS], *act_slots[HK_MAX_SLOTS];
    convolution conv;
    const float *in, *residual;
    double *moments;                /* [sets][2][channels], saved */
    double *seen;                   /* rows that the moments of one set are of, saved */
    float *coef;                    /* [sets][n_coef][channels], saved */
    hki_sums parts[HKI_MAX_CHUNKS]; /* scratch */
    float *tiles;                   /* scratch, [HKI_MAX_CHUNKS] of one tile each */
    gradients back;
    hki_fusion_tile *tile; /* what hki_fusion_each_tile() calls */
};

static inline const hk_plugin *hki_plugin_of(const hk_tensor *recorded)
{
    return recorded ? hki_use_of(recorded)->plugin : NULL;
}

static inline size_t hki_floats(int64_t count)
{
    return (size_t)count * sizeof(float);
}

/* Shapes and tables, without the memory. */
hki_fusion hki_fusion_of(const hk_tensor *y, int64_t batch, bool frozen);
/* Bytes of what is saved, and of the scratch; points to it where `base` is not NULL. */
size_t hki_fusion_place_saved(hki_fusion *p, char *base);
size_t hki_fusion_place_scratch(hki_fusion *p, char *base, bool back);
void hki_fusion_start(hki_fusion *p, const hki_call *call, bool back);

/* Parts of the rows: whole sets where there are several, so that no set is cut. */
hki_chunks hki_fusion_parts(const hki_fusion *p);
/* Some rows of a part, tile by tile, each within its set; what a convolution calls for rows that it
 * has finished. user: the hki_fusion, whose `tile` is called. */
void hki_fusion_each_tile(void *user, int part, int64_t first, int64_t n);
void hki_fusion_tiles(hki_fusion *p, hki_fusion_tile *work);

/* The sums that a tile of this row belongs to: its part's, or its set's own. */
hki_sums *hki_fusion_sums(hki_fusion *p, int part, int64_t row, double *sets);
hk_moments hki_fusion_moments(const hki_fusion *p, int64_t set);
float *hki_fusion_coef(const hki_fusion *p, int64_t set);
/* z of some rows of `in`: `in` itself if it is there already, else written to `to`. */
const float *hki_fusion_z(const hki_fusion *p, int64_t row, int64_t n, const float *in, float *to);

/* forward.c: the result of the convolution and its moments; the whole step. */
void hki_fusion_find_moments(hki_fusion *p);
void hki_fused_forward(const hki_call *call);
/* backward.c: dz and its sums over the rows of this call, unless they were found before; the whole step. */
void hki_fusion_find_sums(hki_fusion *p);
void hki_fused_backward(const hki_call *call);
/* moves.c */
int64_t hki_fused_moves(const hki_call *call, bool back);
