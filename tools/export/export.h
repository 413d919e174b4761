/* export.h - between the files of hillock export.
 *
 * The net's graph (graph.c, norms.c) becomes a program: a list of steps of few kinds, those that every
 * format knows. Adding an operation's export is a row of the table in graph.c and the function that says
 * by which steps it is computed; a format (onnx.c, c.c) writes kinds of steps and knows no
 * operation. Everything is as in evaluation; what does not depend on the input is a constant. */
#pragma once
#include <hillock/hillock.h>
#include <stdio.h>
#include "export/arrays.h"
#include "plugin/formula/expr.h"

typedef enum export_kind {
    EXPORT_INPUT,
    EXPORT_CONSTANT, /* values */
    EXPORT_CONV,     /* x, filters [h, w, in / groups, out], perhaps a bias; window */
    EXPORT_MATMUL,   /* x [..., k], weight [k, n], perhaps a bias */
    EXPORT_MAX_POOL, /* x; window, whose padding does not count */
    EXPORT_AVERAGE_POOL,
    EXPORT_MAP,  /* elementwise: a formula of x, the first input, and of names; inputs broadcast */
    EXPORT_SUM,  /* x; over the axes, which keep extent 1 */
    EXPORT_MEAN, /* likewise */
    EXPORT_LARGEST, /* likewise */
    EXPORT_RESHAPE, /* x */
    EXPORT_CONCAT   /* a, b: along the last dimension */
} export_kind;

enum { EXPORT_INPUTS = 2 + 2 * HK_MAX_SLOTS + 1 };

/* A window over height and width, as it turned out: what lies outside the image, before and behind. */
typedef struct export_window {
    int kernel[2], before[2], behind[2];
    int stride, dilation, groups;
} export_window;

typedef struct export_map {
    formula f;
    expr value;
    bounds within; /* beyond which the value is constant, and x ends */
    parameter names[HK_MAX_PARAMS + HK_MAX_SLOTS + EXPORT_INPUTS];
    int operands[HK_MAX_PARAMS + HK_MAX_SLOTS +
                 EXPORT_INPUTS]; /* the input of each name; -1: a number */
} export_map;

typedef struct export_step {
    export_kind kind;
    const char *layer;                   /* that it belongs to, or "" */
    const char *name;                    /* of a leaf; or "" */
    hk_shape shape;                      /* the first dimension may be HK_BATCH */
    int inputs[EXPORT_INPUTS], n_inputs; /* earlier steps */
    const float *values;
    export_window window;
    unsigned axes; /* bit i: axis i */
    export_map *map;
} export_step;

typedef struct export_program {
    export_step *steps;
    int n, room;
    int output;
    const hk_card *card;
    const char *title; /* "resnet20, relu" */
    hk_plan *plan;     /* holds computed constants */
    float **owned;     /* constants made here */
    int n_owned;
    bool failed; /* a sentence was printed */
} export_program;

/* ---- Steps (program.c). A step is its number; -1 after a failure, which all of these take and return. */

int export_add(export_program *p, export_step step);
/* The values are copied where `own`. */
int export_constant(export_program *p, const char *name, hk_shape shape, const float *values,
                    bool own);
int export_number(export_program *p, double number);
int export_reshape(export_program *p, int x, hk_shape shape);
int export_reduce(export_program *p, export_kind kind, int x, unsigned axes);

/* A name in the text of a map: of a step, or of a number where step is -1. */
typedef struct export_name {
    const char *name;
    int step;
    double number;
} export_name;
/* The formula `text` of x and of the names, up to a row without one; shaped as its inputs broadcast. */
int export_map_of(export_program *p, int x, const char *text, const export_name *names);
#define EXPORT_NAMES(...) ((const export_name[]){__VA_ARGS__, {NULL, -1, 0}})

int64_t export_count(const hk_shape *shape);    /* of one sample */
int64_t export_channels(const hk_shape *shape); /* the last dimension */
void export_program_free(export_program *p);
/* Prints "export: LAYER: ..." once; returns -1. */
int export_refuse(export_program *p, const char *layer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- From the net (graph.c, norms.c) ---------------------------------------------------------- */

/* False: a sentence was printed. The net must outlive the program. */
bool export_program_of(hk_tensor *logits, const char *title, export_program *out);

/* ---- Formats: each prints the reason and returns the exit status -------------------------------- */

int export_write_onnx(const export_program *p, const char *path);
int export_write_c(const export_program *p, const char *path);
int export_write_safetensors(const export_arrays *a, const char *path);
int export_write_npz(const export_arrays *a, const char *path);
/* The Python that loads such a file and computes the net. */
void export_put_torch(hk_tensor *logits, const char *title, const char *path, FILE *to);
