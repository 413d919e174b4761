/* torch.h - between torch.c and torch_forward.c: a net as a class of Python. */
#pragma once
#include "export/graph.h"
#include "nn/torch.h"

/* The module of torch.nn that computes t, "conv1.norm"; false: there is none. */
bool export_torch_module(const hk_tensor *t, char name[HKI_MAX_TENSOR_NAME]);
/* Whether such a name can be written in Python. */
bool export_torch_is_path(const char *name);
/* Whether what the window leaves out in front, left out behind as well, gives as many results: padding() of a
 * module cannot say more. */
bool export_torch_is_even(const hk_tensor *t, const export_window *w);
/* The method, or a comment that says why there is none. */
void export_put_forward(hk_tensor *logits, FILE *to);
/* Those that the method calls, if its text does. */
void export_put_torch_functions(const char *method, FILE *to);
