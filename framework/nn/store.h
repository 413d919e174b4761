/* nn/store.h - a net in a file, with room for what training adds. */
#pragma once
#include "io/io.h"
#include "nn/nn.h"
#include <hillock/saved.h>

/* Of a training: more are an error, so that the sum of two does not overflow. */
enum { HKI_MAX_EPOCHS = 1000000000 };

/* Tensors of an optimizer are stored under this prefix and the name of what they belong to. */
#define HKI_OPTIMIZER_PREFIX "optimizer."

/* card.c: a net's card as JSON, to be freed with hki_free; "" without one, NULL: no memory. */
typedef struct hki_card hki_card;
void hki_card_free(hki_card *card);
char *hki_card_text(const hk_net *net);
hk_status hki_card_read(const char *path, const char *text, hk_net *net);

/* load.c: the plugins of these tensors whose file is not one of Hillock's own, with its digest:
 * {"mine":"sha256"}; to be freed with hki_free, NULL: no memory. */
char *hki_plugins_text(hk_tensor *const *tensors, int n);

/* The metadata that hki_net_store() writes itself; `more_meta` are others. */
#define HKI_NET_KEYS                                                                               \
    "hk.model,hk.activation,hk.normalization,hk.initializer,hk.weight_norm,hk.input,hk.classes,"   \
    "hk.graph,hk.card,hk.plugins,hk.format,hk.digest"
hk_status hki_net_store(hk_tensor *logits, const char *path, const char *model,
                        const hki_st_tensor *more, size_t n_more, const hki_st_meta *more_meta,
                        size_t n_more_meta);
hk_status hki_net_restore(hk_net *net, const char *path, const hki_st_file *file, int *missing);
/* HK_BAD_DATA if one of the file's specs of a net names a plugin by its path. */
hk_status hki_refuse_paths(const char *path, const hki_st_file *file);
/* A tensor of an optimizer, or a constant: no tensor of a net has that name. */
bool hki_is_ours(const char *name);
hk_shape hki_stored_shape(const hki_st_tensor *stored);
/* It holds floats of this shape; what it holds in text: "[16, 3]", "[] of I64". */
enum { HKI_STORED_TEXT = 256 };
bool hki_stored_fits(const hki_st_tensor *stored, const hk_shape *expected,
                     char text[HKI_STORED_TEXT]);
const hki_st_tensor *hki_store_find(const hki_st_file *file, const char *name); /* NULL: absent */
