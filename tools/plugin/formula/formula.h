/* formula.h - from a formula to the C file of a plugin: an activation, or a normalization value by value.
 *
 * The way: text -> expression (parse.c) -> stable forms (stable.c) -> derivative, also by means of the
 * value (derive.c) -> trials in float arithmetic, which decide between forms (trial.c) -> proof that
 * it is still the formula (prove.c) -> C (print.c, write.c). */
#pragma once
#include <stdbool.h>
#include <stdio.h>

typedef struct formula formula;

enum { PARAMETER_NAME = 32, FORMULA_LENGTH = 5000, FORMULA_NOTES = 6 };

typedef struct parameter {
    char name[PARAMETER_NAME];
    double value, low, high; /* low == high: no range */
    bool learned;
} parameter;

typedef struct formula_error {
    const char *text; /* the formula or derivative that is wrong; NULL: no matter of a column */
    int column;       /* from 1 */
    char sentence[512];
} formula_error;

typedef struct formula_request {
    const char *name, *formula;
    bool is_normalization;  /* which then learns something: HK_POINTWISE ends the file */
    const char *derivative; /* NULL: it is found */
    const char *surrogate;  /* what backward uses in place of it; NULL: nothing else */
    const parameter *parameters;
    int n_parameters;
} formula_request;

/* Sentences about the result that its author should read. */
typedef struct formula_notes {
    char sentences[FORMULA_NOTES][256];
    int n;
} formula_notes;

/* The C file, to be freed; NULL with the error. */
char *formula_to_c(const formula_request *request, formula_notes *notes, formula_error *error);

/* Whether no function, variable or constant of formulas has this name. */
bool formula_name_is_free(const char *name);
