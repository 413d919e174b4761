/* Nodes, constants and values as messages. */
#include "export/onnx.h"

#include <stdio.h>
#include <string.h>

void export_onnx_name(onnx *o, char out[EXPORT_NAME])
{
    snprintf(out, EXPORT_NAME, "%s%d", o->prefix, ++o->made);
}

/* ---- Nodes --------------------------------------------------------------------------------------- */

static void add_attribute(wire *to, const attribute *a)
{
    wire it = {0};
    export_wire_text(&it, 1, a->name);
    for (int i = 0; i < a->n; i++)
        export_wire_int(&it, 8, a->list[i]);
    if (!a->n)
        export_wire_int(&it, 3, a->number);
    export_wire_int(&it, 20, a->n ? 7 : 2);
    export_wire_message(to, 5, &it);
}

void export_onnx_add(onnx *o, const char *type, const char *output, const char *const *inputs,
                     const attribute *attributes)
{
    wire it = {0};
    for (; *inputs; inputs++)
        export_wire_text(&it, 1, *inputs);
    export_wire_text(&it, 2, output);
    export_wire_text(&it, 3, output);
    export_wire_text(&it, 4, type);
    for (; attributes && attributes->name; attributes++)
        add_attribute(&it, attributes);
    export_wire_message(&o->graph, 1, &it);
}

void export_onnx_new(onnx *o, const char *type, char output[EXPORT_NAME], const char *const *inputs,
                     const attribute *attributes)
{
    char name[EXPORT_NAME];
    export_onnx_name(o, name);
    export_onnx_add(o, type, name, inputs, attributes);
    memcpy(output, name, EXPORT_NAME);
}

/* ---- Constants ----------------------------------------------------------------------------------- */

static void add_tensor(onnx *o, const char *name, int type, const int64_t *dims, int ndim,
                       const void *values, size_t bytes)
{
    wire it = {0};
    for (int i = 0; i < ndim; i++)
        export_wire_int(&it, 1, dims[i]);
    export_wire_int(&it, 2, type);
    export_wire_text(&it, 8, name);
    export_wire_bytes(&it, 9, values, bytes);
    export_wire_message(&o->graph, 5, &it);
}

void export_onnx_tensor(onnx *o, const char *name, const int64_t *dims, int ndim,
                        const float *values)
{
    size_t n = 1;
    for (int i = 0; i < ndim; i++)
        n *= (size_t)dims[i];
    add_tensor(o, name, EXPORT_FLOAT, dims, ndim, values, n * sizeof *values);
}

void export_onnx_ints(onnx *o, char out[EXPORT_NAME], const int64_t *values, int n)
{
    const int64_t dims[] = {n};
    export_onnx_name(o, out);
    add_tensor(o, out, EXPORT_INT64, dims, 1, values, (size_t)n * sizeof *values);
}

void export_onnx_float(onnx *o, char out[EXPORT_NAME], float value)
{
    export_onnx_name(o, out);
    export_onnx_tensor(o, out, NULL, 0, &value);
}
