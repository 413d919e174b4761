/* letters.c - what pairs of rows are told apart, in letters.
 *
 * Piepho 2004, "An algorithm for a letter-based representation of all-pairwise comparisons", Journal
 * of Computational and Graphical Statistics 13: begin with one letter for all; a pair that is told
 * apart splits each letter that both have into one without the first and one without the second
 * (insert); a letter whose rows all have another one is dropped (absorb). What remains are the largest
 * sets of rows of which no two are told apart. */
#include "stats.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALPHABET = 26, MOST = 8 * ALPHABET }; /* a..z, a'..z', ... */

typedef struct letter_set {
    int rows, words, n;
    uint64_t *sets; /* [MOST + 1][words]: the rows that have each letter */
} letter_set;

static uint64_t *set_of(const letter_set *it, int letter)
{
    return it->sets + (size_t)letter * (size_t)it->words;
}

static bool has(const letter_set *it, int letter, int row)
{
    return set_of(it, letter)[row / 64] >> row % 64 & 1;
}

static void take(letter_set *it, int letter, int row)
{
    set_of(it, letter)[row / 64] &= ~(UINT64_C(1) << row % 64);
}

/* Whether another letter has all rows of this one. */
static bool is_absorbed(const letter_set *it, int letter)
{
    for (int other = 0; other < it->n; other++) {
        bool all = other != letter;
        for (int w = 0; w < it->words && all; w++)
            all = !(set_of(it, letter)[w] & ~set_of(it, other)[w]);
        if (all)
            return true;
    }
    return false;
}

/* False: too many letters. */
static bool split(letter_set *it, int a, int b)
{
    const size_t bytes = (size_t)it->words * sizeof *it->sets;
    for (int letter = it->n - 1; letter >= 0; letter--) {
        if (!has(it, letter, a) || !has(it, letter, b))
            continue;
        if (it->n == MOST)
            return false;
        memcpy(set_of(it, it->n), set_of(it, letter), bytes);
        take(it, letter, a);
        take(it, it->n++, b);
    }
    for (int letter = it->n - 1; letter >= 0; letter--)
        if (is_absorbed(it, letter))
            memcpy(set_of(it, letter), set_of(it, --it->n), bytes);
    return true;
}

/* Rows that are first have the first letters. */
static bool comes_before(const letter_set *it, int a, int b)
{
    int row = 0;
    while (row < it->rows && has(it, a, row) == has(it, b, row))
        row++;
    return row < it->rows && has(it, a, row);
}

/* False: a row has too many. */
static bool write_row(const letter_set *it, const int *order, int row, char *to)
{
    for (int k = 0, used = 0; k < it->n; k++) {
        const int marks = k / ALPHABET;
        if (!has(it, order[k], row))
            continue;
        if (used + 1 + marks >= STATS_LETTERS)
            return false;
        to[used++] = (char)('a' + k % ALPHABET);
        memset(to + used, '\'', (size_t)marks);
        used += marks;
    }
    return true;
}

static bool write_letters(const letter_set *it, char (*letters)[STATS_LETTERS])
{
    int order[MOST];
    bool fits = true;
    for (int i = 0; i < it->n; i++) {
        int at = i;
        for (; at > 0 && comes_before(it, i, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (int row = 0; row < it->rows && fits; row++)
        fits = write_row(it, order, row, letters[row]);
    return fits;
}

void stats_letters(const bool *apart, int rows, char (*letters)[STATS_LETTERS])
{
    letter_set it = {.rows = rows, .words = (rows + 63) / 64, .n = 1};
    bool fits = (it.sets = calloc((MOST + 1) * ((size_t)it.words + 1), sizeof *it.sets));
    memset(letters, 0, (size_t)rows * sizeof *letters);
    for (int row = 0; fits && row < rows; row++)
        it.sets[row / 64] |= UINT64_C(1) << row % 64;
    for (int i = 0; i < rows; i++)
        for (int j = i + 1; fits && j < rows; j++)
            if (apart[i * rows + j])
                fits = split(&it, i, j);
    if (!fits || !write_letters(&it, letters))
        memset(letters, 0, (size_t)rows * sizeof *letters);
    free(it.sets);
}
