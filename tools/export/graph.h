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

/* The window of a convolution or a pooling. */
export_window export_window_of(const hk_tensor *t);
/* The formula of an activation that has one. */
int export_activation(graph *g, const hk_tensor *t);
/* By tensor: which lead to the logits, and which of them depend on the input. */
void export_mark(const hk_tensor *logits, bool *needed, bool *depends);
/* Whether it is its input in evaluation. */
bool export_is_nothing(const hk_tensor *t);

/* norms.c */
int export_normalization(graph *g, const hk_tensor *t);
double export_parameter_of(const hk_tensor *t, const char *name);
/* Of group_norm: as many as divide the channels. */
int64_t export_groups_of(const hk_tensor *t);
/* The input as raw numbers, standardised by the card; the output of a regression in its units. */
int export_standardised(export_program *p, hk_shape shape);
int export_rescaled(export_program *p, int output);
