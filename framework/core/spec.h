/* core/spec.h - specs, "name:key=value,key=value": one reader for everything that is named so, be
 * it a plugin, an optimizer, a schedule, a treatment, a model or a data set. Its parameters
 * are a table of hk_param that ends with a row without a name; their values, a number for each row.
 * `what` is the kind of thing, "optimizer", for messages. */
#pragma once
#include <hillock/plugin.h>
#include "core/base.h"

/* Beside the types of hk_param: any text. Its number is the place in the spec, 0: not given, when it is
 * what `choices` says, or NULL. */
enum { HKI_TEXT = HK_CHOICE + 1 };

/* Rows of our own tables. */
#define HKI_REAL(name, value, low, high, flags)                                                    \
    {                                                                                              \
        name, NULL, HK_REAL, flags, value, low, high, NULL,                                        \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define HKI_WHOLE(name, value, low, high)                                                          \
    {                                                                                              \
        name, NULL, HK_INTEGER, 0, value, low, high, NULL,                                         \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#define HKI_ANY_TEXT(name, otherwise)                                                              \
    {                                                                                              \
        name, NULL, HKI_TEXT, 0, 0, 0, 0, otherwise,                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

enum { HKI_MAX_ROWS = 32 };
/* The row of a table that the spec names, of at most HKI_MAX_ROWS. Rows begin with their name, a
 * text; what follows a colon in it, "csv:FILE", is for readers. -1: HK_UNKNOWN_NAME, with all the
 * names and the nearest. */
int hki_spec_row(const char *what, const char *spec, const void *table, size_t rows,
                 size_t row_size);

/* Fills `values` with the defaults and with what the spec gives from the byte `begin` on, where name
 * and path end. Messages name the spec, the parameter and its range, or what there is:
 * HK_UNKNOWN_NAME, where `name` stands for the thing; HK_BAD_ARGUMENT. */
hk_status hki_spec_values(const char *what, const char *name, const char *spec, size_t begin,
                          const hk_param *params, double *values);

/* Both, for things that are no more than their parameters. -1: as above. */
typedef struct hki_choice {
    const char *name;
    hk_param params[HK_MAX_PARAMS]; /* ends with a row without a name */
} hki_choice;
int hki_spec_choice(const char *what, const char *spec, const hki_choice *choices, size_t n,
                    double *values);

/* The number of one row; 0 where there is no such row. */
double hki_spec_value(const hk_param *params, const double *values, const char *name);

/* The other way: `name`, or "name:path", and what differs from the defaults, in the table's order,
 * with so many digits; 0: as few as are exact. Texts stand in `spec`; NULL where there are none.
 * Allocated; NULL when allocation fails. */
char *hki_spec_text(const char *name, const hk_param *params, const double *values, int digits,
                    const char *spec);

/* A number with at most `digits` digits, 0: as few as give it back when they are read again; with a
 * point whatever the locale. */
enum { HKI_NUMBER_SIZE = 40 };
const char *hki_number_text(double value, int digits, char out[HKI_NUMBER_SIZE]);

/* A range as in mathematics: "(0, 64]". */
enum { HKI_RANGE_SIZE = 2 * HKI_NUMBER_SIZE + 8 };
const char *hki_range_text(const hk_param *param, char out[HKI_RANGE_SIZE]);
/* Low and high bound hold, and an integer is whole. */
bool hki_param_allows(const hk_param *param, double value);
