/* Classes: the distinct labels of a training set in a fixed order. */
#include "data/classes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER = 24 }; /* bytes of a whole number as text */

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int compare_words(const void *a, const void *b)
{
    const hki_word *x = a, *y = b;
    int order = memcmp(x->at, y->at, x->length < y->length ? x->length : y->length);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

hk_status hki_classes_of_numbers(int64_t *labels, size_t n, hki_classes *out)
{
    *out = (hki_classes){0};
    qsort(labels, n, sizeof *labels, compare_numbers);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || labels[i] != labels[out->n - 1])
            labels[out->n++] = labels[i];
    if (labels[0] == 0 && labels[out->n - 1] < 2 * (int64_t)out->n) {
        out->n = (size_t)labels[out->n - 1] + 1;
        return HK_OK;
    }
    out->numbers = hki_alloc_array(out->n, sizeof *out->numbers);
    out->names = hki_alloc_array(out->n, sizeof(char *) + NUMBER);
    if (!out->numbers || !out->names) {
        hki_classes_clear(out);
        return HK_NO_MEMORY;
    }
    char *text = (char *)(out->names + out->n);
    for (size_t k = 0; k < out->n; k++, text += NUMBER) {
        out->numbers[k] = labels[k];
        out->names[k] = text;
        snprintf(text, NUMBER, "%lld", (long long)labels[k]);
    }
    return HK_OK;
}

hk_status hki_classes_of_words(hki_word *labels, size_t n, hki_classes *out)
{
    *out = (hki_classes){0};
    size_t bytes = 0;
    qsort(labels, n, sizeof *labels, compare_words);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare_words(&labels[i], &labels[out->n - 1]) != 0) {
            bytes += sizeof(char *) + labels[i].length + 1;
            labels[out->n++] = labels[i];
        }
    if (!(out->names = hki_alloc(bytes)))
        return HK_NO_MEMORY;
    char *text = (char *)(out->names + out->n);
    for (size_t k = 0; k < out->n; k++) {
        const hki_word *word = &labels[k];
        out->names[k] = text;
        for (size_t i = 0; i < word->length; i++) {
            *text++ = word->at[i];
            i += word->at[i] == '"' && i + 1 < word->length && word->at[i + 1] == '"';
        }
        *text++ = '\0';
    }
    return HK_OK;
}

void hki_classes_clear(hki_classes *classes)
{
    hki_free(classes->names);
    hki_free(classes->numbers);
    *classes = (hki_classes){0};
}

int32_t hki_class_of_number(const hki_classes *classes, int64_t label)
{
    if (!classes->names)
        return label >= 0 && label < (int64_t)classes->n ? (int32_t)label : -1;
    const int64_t *found = classes->numbers ? bsearch(&label, classes->numbers, classes->n,
                                                      sizeof *classes->numbers, compare_numbers)
                                            : NULL;
    return found ? (int32_t)(found - classes->numbers) : -1;
}

static int compare_to_name(const void *key, const void *name)
{
    return strcmp(key, *(const char *const *)name);
}

int32_t hki_class_of_word(const hki_classes *classes, const char *label)
{
    char **found =
        classes->names && !classes->numbers
            ? bsearch(label, classes->names, classes->n, sizeof *classes->names, compare_to_name)
            : NULL;
    return found ? (int32_t)(found - classes->names) : -1;
}
