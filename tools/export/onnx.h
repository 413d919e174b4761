/* onnx.h - nodes, constants and values of a model of ONNX: https://onnx.ai/onnx/intro/concepts.html, and
 * onnx.proto for the numbers of fields. */
#pragma once
#include "export/export.h"
#include "export/wire.h"

enum { EXPORT_NAME = 300, EXPORT_FLOAT = 1, EXPORT_INT64 = 7 };

typedef struct onnx {
    const export_program *p;
    wire graph;
    int made;                   /* values and constants that were named so far */
    char (*names)[EXPORT_NAME]; /* by step; empty: not written yet */
    char prefix[16];            /* of made names, which no constant has */
} onnx;

typedef struct attribute {
    const char *name;
    int64_t number;
    int64_t list[4];
    int n; /* of the list; 0: the number */
} attribute;

/* inputs up to NULL, attributes up to one without a name, or NULL. */
void export_onnx_add(onnx *o, const char *type, const char *output, const char *const *inputs,
                     const attribute *attributes);
/* Likewise, and names the output, which may be one of the inputs. */
void export_onnx_new(onnx *o, const char *type, char output[EXPORT_NAME], const char *const *inputs,
                     const attribute *attributes);
#define INPUTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ATTRIBUTES(...) ((const attribute[]){__VA_ARGS__, {NULL, 0, {0}, 0}})

/* A name that nothing has. */
void export_onnx_name(onnx *o, char out[EXPORT_NAME]);

/* Constants: floats [dims[0], ...]; with a new name a list of whole numbers, and one float. */
void export_onnx_tensor(onnx *o, const char *name, const int64_t *dims, int ndim,
                        const float *values);
void export_onnx_ints(onnx *o, char out[EXPORT_NAME], const int64_t *values, int n);
void export_onnx_float(onnx *o, char out[EXPORT_NAME], float value);
