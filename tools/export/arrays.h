/* arrays.h - learned tensors and states as PyTorch names and orders them. */
#pragma once
#include <hillock/hillock.h>
#include <stdbool.h>

enum { EXPORT_ARRAY_NAME = 240 };

typedef struct export_array {
    char name[EXPORT_ARRAY_NAME];
    hk_shape shape;
    float *values;
} export_array;

typedef struct export_arrays {
    export_array *items;
    int n;
} export_arrays;

/* Prints the reason and returns the exit status; freed in any case. A normalized weight is written as it is
 * applied. */
int export_arrays_of(hk_tensor *logits, export_arrays *out);
void export_arrays_free(export_arrays *a);
/* Whether a tensor of the net is one of them. */
bool export_is_array(const hk_tensor *t);
