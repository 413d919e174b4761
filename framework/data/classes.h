/* data/classes.h - the classes that a training set's labels name, and the class of a label. */
#pragma once
#include "core/base.h"

typedef struct hki_classes {
    size_t n;
    char **names;     /* [n], one block with their text; NULL: 0..n-1 */
    int64_t *numbers; /* [n] ascending, where the names are numbers; NULL: words, or 0..n-1 */
} hki_classes;

/* A word in a text that stays; not terminated, quotes doubled where they are meant. */
typedef struct hki_word {
    const char *at;
    size_t length;
} hki_word;

/* Classes of n labels, which are sorted on the way. Whole numbers that begin at 0 are classes as they
 * are, so that a sample without the fifth class still has ten; others (-1 and 1; 1, 2, 3; 3, 250) are
 * names in ascending order. Words stand in the order of strcmp. HK_NO_MEMORY. */
hk_status hki_classes_of_numbers(int64_t *labels, size_t n, hki_classes *out);
hk_status hki_classes_of_words(hki_word *labels, size_t n, hki_classes *out);
void hki_classes_clear(hki_classes *classes);

/* -1: none of them. */
int32_t hki_class_of_number(const hki_classes *classes, int64_t label);
int32_t hki_class_of_word(const hki_classes *classes, const char *label);
