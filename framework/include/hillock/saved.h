/* hillock/saved.h - a net in a file, whole: graph, values, card. The format is docs/format.md.
 *
 * A file is a safetensors file; its metadata say what was recorded and what inputs and outputs mean. A
 * file never makes the program load code: plugins are found by name as hk_plugin_find() does, and one
 * that lies elsewhere must have been loaded by hk_plugin_load() before. */
#pragma once
#include <hillock/card.h>
#include <hillock/layer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Saves the net that ends in `logits`: its graph up to there, all parameters and state, its card, its
 * specs and `model`, a model's spec; `model` may be NULL. HK_IO: the old file is kept.
 * HK_BAD_ARGUMENT: a spec longer than HK_MAX_SPEC, a path as `model`, or a loss before `logits`. */
hk_status hk_net_save(hk_tensor *logits, const char *path, const char *model);

/* Makes the net that a file describes, with its values and its card. Free *net with hk_net_free; *logits
 * belongs to it. HK_BAD_DATA: damaged, of a later version, or without a graph (written before 0.2);
 * HK_UNKNOWN_NAME: made with a plugin that is neither loaded nor found. *net is NULL then. */
hk_status hk_net_load(const char *path, hk_net **net, hk_tensor **logits);
/* What hk_net_load() noticed, for people: a plugin whose file is not the one that the net was saved with;
 * or "". Valid until the net is freed. */
const char *hk_net_remarks(const hk_net *net);

/* Loads parameters and state into a net that was recorded alike, and the file's card where the net has
 * none. Tensors of activations and normalizations
 * may be absent from the file: they keep their initial values and are counted in *missing (`missing`
 * may be NULL); those that only the file has are ignored. HK_BAD_DATA: another tensor is absent,
 * superfluous or of another shape; then nothing is changed. */
hk_status hk_net_load_weights(hk_net *net, const char *path, int *missing);
/* The same, but keeps all that fits: a new head on a trained net, or another program's tensors of our names
 * and shapes (F16, BF16 and F64 become float). `each` is told every tensor of the net that has initial
 * values now, with the reason, "starts anew: the file has [16, 3], the net [16, 2]", and every one that
 * only the file has, "is left out: the net has none"; *fitting counts those that were loaded. Names may
 * be PyTorch's, "conv1.norm.weight" of conv1.norm.gamma, and weights in its order, [out, in] or [out, in,
 * height, width]: then all are turned round, and `each` is told of the first, "is turned round". `each` may
 * be NULL; `fitting` may be NULL. HK_BAD_DATA: none was. */
hk_status hk_net_load_fitting(hk_net *net, const char *path, int *fitting,
                              void (*each)(const char *tensor, const char *reason, void *user),
                              void *user);

/* Metadata of a saved net; "" and 0 where the file has none. */
typedef struct hk_saved {
    char model[HK_MAX_SPEC], data[HK_MAX_SPEC];
    char activation[HK_MAX_SPEC], normalization[HK_MAX_SPEC], initializer[HK_MAX_SPEC];
    char weight_norm[HK_MAX_SPEC];
    int height, width, channels, classes; /* of the input and the output */
    int epochs;                           /* trained so far */
    int64_t floats;                       /* in all tensors of the file */
    int has_graph;                        /* 1: hk_net_load() can make the net */
} hk_saved;
/* Reads the head of the file alone, not its values and digest. HK_BAD_DATA, too, if the file names a plugin
 * or its model by a path (data must not choose code to load), or has a text that does not fit. */
hk_status hk_net_peek(const char *path, hk_saved *out);

/* A tensor as it lies in a file: "F32" and shape, and the bytes it takes. */
typedef struct hk_stored {
    const char *name, *type;
    hk_shape shape;
    int64_t bytes;
} hk_stored;
/* Lists any safetensors file by its head: metadata, then tensors in the order of their data. `tensor` may be
 * NULL; `metadata` may be NULL. HK_BAD_DATA: damaged, or no such file. */
hk_status hk_stored_each(const char *path, void (*tensor)(const hk_stored *tensor, void *user),
                         void (*metadata)(const char *key, const char *value, void *user),
                         void *user);

/* ---- Cards ---------------------------------------------------------------------------------------- */

/* Gives the net a copy of `card` in place of the one it had. Trainers set that of their training data.
 * HK_BAD_ARGUMENT, HK_BAD_DATA: lists that do not belong together, a deviation that is not above 0. */
hk_status hk_net_set_card(hk_net *net, const hk_card *card);
/* Its card, empty by default. Valid until the next one is set, or the net is freed. */
const hk_card *hk_net_card(const hk_net *net);

/* x[n, ...] = standardised raw[n, ...], samples as files have them (bytes as 0 .. 255), as the net's
 * card says. `raw` and `x` may be the same. HK_BAD_ARGUMENT: the card has no scaling for this input. */
hk_status hk_net_standardise(hk_tensor *logits, int64_t n, const float *raw, float *x);
/* Probabilities of n standardised samples, [n, classes]: hk_net_predict(), then softmax. [any thread]
 * while the net does not change. */
hk_status hk_net_classify(hk_tensor *logits, int64_t n, const float *x, float *probabilities);
/* Numbers y[n] that a net of regression answers, in the unit of what it learned.
 * HK_BAD_ARGUMENT: it learned classes, or has another output than [batch, 1]. [any thread] likewise. */
hk_status hk_net_estimate(hk_tensor *output, int64_t n, const float *x, float *y);

#ifdef __cplusplus
}
#endif
