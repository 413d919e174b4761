/* graph.h - between graph.c and norms.c: a net on its way to a program. The only files of this folder that
 * look into the framework's graph. */
#pragma once
#include "export/export.h"
#include "nn/nn.h"

typedef struct graph {
    export_program *p;
    int *step;              /* by tensor: the step that it is; -1: none yet */
    int *filters;           /* likewise, of what is the filters of a convolution */
    bool *depends, *needed; /* by tensor: on the input; by the output */
    bool has_input;
} graph;

/* The layer of a tensor, for sentences. */
const char *export_layer(const hk_tensor *t);
/* A constant of the tensor's operation, by the name that files have for it. */
double export_constant_of(const hk_tensor *t, const char *name);
/* The step of input i, or -1. */
int export_input(graph *g, const hk_tensor *t, int i);
/* A step of this kind, with the tensor's inputs and shape. */
int export_of(graph *g, const hk_tensor *t, export_kind kind);

export_window export_window_of_conv(const hk_tensor *t);

/* norms.c */
int export_normalization(graph *g, const hk_tensor *t);
/* The input as raw numbers, standardised by the card; the output of a regression in its units. */
int export_standardised(export_program *p, hk_shape shape);
int export_rescaled(export_program *p, int output);
