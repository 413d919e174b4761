/* nn/store.h - a net in a file, with room for what training adds. */
#pragma once
#include "io/io.h"
#include "nn/nn.h"

/* Of a training: more are an error, so that the sum of two does not overflow. */
enum { HKI_MAX_EPOCHS = 1000000000 };

/* Tensors of an optimizer are stored under this prefix and the name of what they belong to. */
#define HKI_OPTIMIZER_PREFIX "optimizer."

hk_status hki_net_store(hk_tensor *logits, const char *path, const char *model,
                        const hki_st_tensor *more, size_t n_more, const hki_st_meta *more_meta,
                        size_t n_more_meta);
hk_status hki_net_restore(hk_net *net, const char *path, const hki_st_file *file, int *missing);
const hki_st_tensor *hki_store_find(const hki_st_file *file, const char *name); /* NULL: absent */
