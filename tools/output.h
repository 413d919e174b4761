/* output.h - all that goes to the user: sentences, tables, JSON, the live line of progress.
 *
 * Results go to standard output, everything else to standard error. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <hillock/hillock.h>

/* "hillock: SENTENCE" on standard error, on one line; returns `status`. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for the library's last failure, with the exit status that belongs to it. */
int failed(void);
/* EXIT_FAILED, with the sentence. */
int no_memory(void);
/* "hillock: note: SENTENCE". */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text of unknown origin with control bytes as \x1b. */
void put_text(FILE *to, const char *text);
/* A word as a shell would want it, in quotes where it needs them. */
void put_word(FILE *to, const char *word);
/* 1234567 as "1,234,567", in one of a few buffers. */
const char *grouped(int64_t number);

/* ---- JSON ----------------------------------------------------------------------------------- */
json_t *json_number(double value);   /* null where it is not finite */
json_t *json_text(const char *text); /* of unknown origin: null where it is not UTF-8 */
/* To be freed with free(): memory of jansson's own may be the library's. NULL where memory is
 * refused, or JSON cannot say it. */
char *json_written(const json_t *value, size_t flags);
/* Prints and releases the object. */
int json_print(json_t *object);

/* ---- Progress ------------------------------------------------------------------------------- */
/* Makes Ctrl-C stop training after the current batch; a second one ends the program. */
void progress_start(void);
bool progress_interrupted(void);
/* For hk_train_options.progress: one line that is drawn again and again, on a terminal only.
 * `user` is ignored; progress_label says what stands at its beginning. */
int progress_batch(const hk_progress *progress, void *user);
void progress_label(const char *format, ...) __attribute__((format(printf, 1, 2)));
void progress_clear(void); /* before anything else is printed */
/* Who draws lines of another kind says how they are wiped away then; NULL: no more. */
void progress_others(void (*clear)(void *user), void *user);
