/* text.h - the values of a program as texts of a language: formulas and numbers. */
#pragma once
#include "export/export.h"

/* How a formula is written: a name for each operation that is a function there. */
typedef struct export_language {
    const char *functions[OP_COUNT];
    const char *begin; /* of a statement that names a value: "const float " */
    const char *end;
    const char *suffix; /* of a number: "f" */
    const char *choice; /* of a condition, what holds, what does not: "(%c ? %a : %b)" */
} export_language;

/* Writes the element at hand of input i of a map, i above 0, to the file that `user` knows. */
typedef void export_put_input(const void *user, const export_step *step, int i);

/* The statements that compute the map at one element, each behind `margin`; the last begins with
 * `result`, "y[i] = ". x is the element of input 0. */
void export_put_map(const export_step *step, const export_language *in, const char *margin,
                    const char *result, export_put_input *input, const void *user, FILE *to);
/* As few digits as give the same float. */
void export_put_float(float value, const char *suffix, FILE *to);
