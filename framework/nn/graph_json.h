/* nn/graph_json.h - a net's graph as a JSON text (docs/format.md): tensors in the order of recording,
 * each a leaf or an operation with its constants and the places of its inputs. */
#pragma once
#include "io/io.h"
#include "nn/nn.h"

enum {
    HKI_GRAPH_VERSION = 1,
    HKI_MAX_GRAPH = 16384 /* tensors, or layers: names are compared with one another */
};

/* Values of constants, which have no name, stand in the file under this one and their place. */
#define HKI_CONSTANT_PREFIX "hk.constant."
enum { HKI_CONSTANT_NAME = sizeof HKI_CONSTANT_PREFIX + 12 };
const char *hki_constant_name(int place, char out[HKI_CONSTANT_NAME]);

/* The tensors of the net that its graph in a file has, in order: those recorded up to `logits`, and
 * leaves that they have been given since. NULL: no memory. */
hk_tensor **hki_graph_tensors(const hk_tensor *logits, int *n);
/* To be freed with hki_free; HK_BAD_ARGUMENT: an operation that files have no form for, a loss. */
hk_status hki_graph_write(hk_tensor *const *tensors, int n, const hk_tensor *logits, char **out);
/* Records the graph in an empty net. Leaves have no values yet; the file must have a tensor for each
 * that is kept, so that a file cannot ask for more memory than it has bytes. */
hk_status hki_graph_read(const char *path, const hki_st_file *file, const char *text, hk_net *net,
                         hk_tensor **logits);
