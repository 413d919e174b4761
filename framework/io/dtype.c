/* The types of numbers that safetensors files hold, by their names there, and as floats. */
#include "io/io.h"

#include <fenv.h>
#include <math.h>
#include <string.h>

double hki_half_value(uint16_t bits)
{
    const int exponent = bits >> 10 & 31;
    const double fraction = bits & 1023, sign = bits >> 15 ? -1 : 1;
    if (exponent == 31)
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static float single(const uint8_t *at)
{
    float value;
    memcpy(&value, at, sizeof value);
    return value;
}

static float half(const uint8_t *at)
{
    return (float)hki_half_value((uint16_t)(at[0] | at[1] << 8));
}

/* bfloat16: the upper half of a float. */
static float brain(const uint8_t *at)
{
    return single((const uint8_t[]){0, 0, at[0], at[1]});
}

static float twofold(const uint8_t *at)
{
    double value;
    memcpy(&value, at, sizeof value);
    return (float)value;
}

static const struct {
    const char *name;
    int bytes;
    float (*value)(
        const uint8_t *at); /* NULL: no floats, or of 8 bits; they are listed and not read */
} dtypes[] = {{"F32", 4, single}, {"F16", 2, half},     {"BF16", 2, brain},  {"F64", 8, twofold},
              {"I64", 8, NULL},   {"I32", 4, NULL},     {"I16", 2, NULL},    {"I8", 1, NULL},
              {"U64", 8, NULL},   {"U32", 4, NULL},     {"U16", 2, NULL},    {"U8", 1, NULL},
              {"BOOL", 1, NULL},  {"F8_E4M3", 1, NULL}, {"F8_E5M2", 1, NULL}};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

static int row_of(const char *dtype)
{
    int row = 0;
    while (row < DTYPES && strcmp(dtypes[row].name, dtype) != 0)
        row++;
    return row;
}

size_t hki_dtype_bytes(const char *dtype, const char **name)
{
    const int row = row_of(dtype);
    *name = row < DTYPES ? dtypes[row].name : NULL;
    return row < DTYPES ? (size_t)dtypes[row].bytes : 0;
}

bool hki_st_is_floats(const hki_st_tensor *tensor)
{
    return dtypes[row_of(tensor->dtype)].value != NULL;
}

void hki_st_floats(const hki_st_tensor *tensor, float *out)
{
    const int row = row_of(tensor->dtype), rounding = fegetround();
    const size_t width = (size_t)dtypes[row].bytes;
    const uint8_t *at = tensor->data;
    if (row == 0) {
        if (tensor->bytes)
            memcpy(out, at, tensor->bytes);
        return;
    }
    fesetround(FE_TONEAREST); /* whatever the program's mode is */
    for (size_t i = 0; i < tensor->bytes / width; i++)
        out[i] = dtypes[row].value(at + i * width);
    fesetround(rounding);
}
