/* output.h - all that goes to the user: sentences, tables, JSON, the live line of progress.
 *
 * Results go to standard output, everything else to standard error. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <hillock/hillock.h>

/* "hillock: SENTENCE" on standard error, on one line; returns `status`. */
int tool_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for the library's last failure, with the exit status that belongs to it. */
int tool_failed(void);
/* EXIT_FAILED, with the sentence. */
int tool_no_memory(void);
/* "hillock: note: SENTENCE". */
void tool_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on results and notes go nowhere: another process has the same. */
void tool_be_silent(void);

/* The end of a sentence about an unknown name: "; did you mean "train"? known: list, train", in a
 * buffer until the next call. */
const char *tool_known(const char *name, const char *const *names, size_t n);

/* Text of unknown origin with control bytes as \x1b. */
void tool_put_text(FILE *to, const char *text);
/* A word as a shell would want it, in quotes where it needs them. */
void tool_put_word(FILE *to, const char *word);
/* Columns of the terminal: COLUMNS where it is set, else as standard output says; 0: it is none. */
int tool_screen_width(void);
/* 1234567 as "1,234,567", in one of a few buffers. */
const char *tool_grouped(int64_t number);
/* The fewest digits, 6 or more, that C reads as the same float, or double; NAN, INFINITY; in one of a few
 * buffers. */
const char *tool_shortest(double value, bool is_float);
/* "1 epoch", "2 epochs", in one of a few buffers; a noun of at most 31 bytes. */
const char *tool_counted(int64_t number, const char *noun);

/* ---- JSON ----------------------------------------------------------------------------------- */
json_t *tool_json_number(double value);   /* null where it is not finite */
json_t *tool_json_text(const char *text); /* of unknown origin: null where it is not UTF-8 */
/* To be freed with free(): memory of jansson's own may be the library's. NULL where
 * allocation fails or JSON cannot represent it. */
char *tool_json_written(const json_t *value, size_t flags);
enum { TOOL_JSON_SCHEMA = 1 }; /* the version of docs/json.md */
/* Prints and releases the object, which gets the key "schema". */
int tool_json_print(json_t *object);

/* ---- Progress ------------------------------------------------------------------------------- */
/* Makes Ctrl-C stop training after the current batch; a second one ends the program. */
void tool_progress_start(void);
bool tool_progress_interrupted(void);
/* For hk_train_options.progress: one line that is drawn again and again, on a terminal only.
 * `user` is ignored; progress_label says what stands at its beginning. */
int tool_progress_batch(const hk_progress *progress, void *user);
void tool_progress_label(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tool_progress_clear(void); /* before anything else is printed */
/* Who draws lines of another kind says how they are wiped away then; NULL: no more. */
void tool_progress_others(void (*clear)(void *user), void *user);
