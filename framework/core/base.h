/* core/base.h - what every other folder stands on: failures, memory, sizes, threads, keys. */
#pragma once
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hillock/status.h>

/* Keeps the message and returns the status, so that failing is one statement. */
hk_status hki_fail(hk_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* How many there were on this thread: tells whether what lies between two calls gave a reason. */
unsigned hki_failures(void);
/* The same as hki_fail in functions that return a pointer. */
#define hki_fail_null(...) (hki_fail(__VA_ARGS__), NULL)

/* True, with HK_BAD_ARGUMENT and "hk_plan_new: net is NULL", when one of the pointers is NULL. What
 * failed before stays in the sentence: it is often the reason. */
#define hki_null(...) hki_find_null(__func__, false, HKI_POINTERS(__VA_ARGS__))
/* The same for what passes NULL on: the message of what failed before stays. */
#define hki_null_operand(what, ...) hki_find_null(what, true, HKI_POINTERS(__VA_ARGS__))
/* clang-format off */
#define HKI_POINTERS(...)                                                                          \
    #__VA_ARGS__, (const void *const[]){__VA_ARGS__},                                              \
        sizeof((const void *const[]){__VA_ARGS__}) / sizeof(void *)
/* clang-format on */
bool hki_find_null(const char *what, bool keeps_message, const char *names,
                   const void *const *pointers, size_t n);

/* ---- Memory (alloc.c): zeroed, aligned to 64 bytes; NULL with a message on failure. ---------- */
void *hki_alloc(size_t bytes);
void *hki_alloc_array(size_t count, size_t size);              /* checked product; zeroed */
void *hki_grow(void *old, size_t old_bytes, size_t new_bytes); /* frees old only on success */
/* The array, moved where there is no room for one more item; NULL: `items` stays as it was. */
void *hki_reserve(void *items, size_t count, size_t *capacity, size_t size);
void hki_free(void *block); /* NULL is fine */
char *hki_copy_text(const char *text);
char *hki_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
size_t hki_machine_memory(void); /* bytes; more cannot be held at once */
size_t hki_live_blocks(void);    /* blocks not yet freed; for the tests of leaks */

/* ---- Sizes: false when the result does not fit. -------------------------------------------- */
static inline bool hki_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool hki_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* Rounded up to whole cache lines. */
static inline size_t hki_whole_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Takes `bytes`, rounded up, of a block that starts at base; NULL where base is NULL, which only
 * counts. */
static inline void *hki_take(char *base, size_t *used, size_t bytes)
{
    void *at = base ? base + *used : NULL;
    *used += hki_whole_lines(bytes);
    return at;
}

/* Limits, each far above real use and far below what would exhaust memory. */
enum {
    HKI_MAX_DIMS = 8,
    HKI_MAX_NAME = 256, /* bytes of a name in a file */
    HKI_MAX_TENSOR_NAME =
        240,             /* bytes of a tensor's: its moments are stored as "optimizer.0.NAME" */
    HKI_MAX_SPEC = 4096, /* bytes of one spec */
    HKI_MAX_PATH = 4096,
    HKI_MAX_TENSORS = 65536 /* in one file */
};
#define HKI_MAX_DIM INT64_C(0x7fffffff)
#define HKI_MAX_BYTES ((size_t)1 << 40)

/* ---- Threads -------------------------------------------------------------------------------- */
/* Number of threads parallel loops use: hk_set_threads(), else OpenMP's default. */
int hki_threads(void);
/* The same, but 1 when `work` (elementary operations) is too small to be shared out. */
int hki_threads_for(int64_t work);
/* task(job, i) for every i < tasks, shared out among a team of threads. One alone enters no parallel
 * region: that would take it 1.2 us (libgomp of gcc 12), as long as many a layer of a single image. */
void hki_each(int team, int64_t tasks, void (*task)(const void *job, int64_t i), const void *job);
/* Starts a thread that takes no signals: they are the program's business. False: there is none. */
bool hki_thread_start(pthread_t *thread, void *(*work)(void *user), void *user);

/* ---- Random streams: a key for each use, so that nothing is consumed "in order". ------------ */
typedef enum hki_stream {
    HKI_STREAM_INIT = 1,
    HKI_STREAM_SHUFFLE,
    HKI_STREAM_AUGMENT,
    HKI_STREAM_STEP, /* by tensor and step: dropout, stochastic activations */
    HKI_STREAM_SPLIT,
    HKI_STREAM_GLYPHS,
    HKI_STREAM_FORECAST,
    HKI_STREAM_TASK /* of a stream of tasks: permutations, which images */
} hki_stream;
uint64_t hki_key(uint64_t seed, hki_stream stream, uint64_t a, uint64_t b);
/* out = a permutation of 0..n-1 that depends on the key alone (Fisher-Yates). */
void hki_permutation(uint64_t key, uint32_t n, uint32_t *out);

/* ---- Text ------------------------------------------------------------------------------------ */
/* Bounded string builder; what does not fit is left out. */
typedef struct hki_text {
    char *at;
    size_t size, used;
} hki_text;
void hki_say(hki_text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool hki_parse_double(const char *text, double *out); /* C locale, whole text, finite */
bool hki_parse_int(const char *text, int64_t low, int64_t high, int64_t *out);
/* HK_BAD_ARGUMENT unless the name of `what`, "a tensor", is printable ASCII that fits in `size` bytes:
 * what a file can hold and a terminal can show. */
hk_status hki_check_name(const char *what, const char *name, size_t size);
/* Iterates over a list "a,b" or "a|b": *length bytes at the result are the next word; pass the place
 * behind them to go on. NULL at the end. */
const char *hki_next_word(const char *list, char separator, size_t *length);
/* `word` is one of the words of "a,b". */
bool hki_has_word(const char *list, const char *word, size_t length);
/* Appends a name to "a, b", as far as there is room. */
void hki_add_name(char *list, size_t size, const char *name);
/* The name nearest to `name` among n, or NULL when none is near: an edit distance of at most 3, and of
 * half of its letters. */
const char *hki_nearest(const char *name, const char *const *names, size_t n);
/* no `what` named "nmae"; did you mean "name"? known: `known`. HK_UNKNOWN_NAME. */
hk_status hki_fail_unknown(const char *what, const char *name, const char *const *names, size_t n,
                           const char *known);
