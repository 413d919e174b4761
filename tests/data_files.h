/* tests/data_files.h - data sets of files that a test writes into a folder of its own, opened, refused,
 * and opened with too little memory. */
#pragma once
#include "check.h"
#include "data/data.h"
#include "refuse.h"

#include <unistd.h>
#include <zlib.h>

static char folder[64];

static inline void make_folder(void)
{
    const char *root = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.40s/hillock-XXXXXX", root && *root ? root : P_tmpdir);
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(1);
    }
}

enum { MAX_FILES = 64 };
static char written[MAX_FILES][256];
static int n_written;

/* A path inside the test's folder; a few may be in use at a time. */
static inline const char *at(const char *name)
{
    static char paths[8][256];
    static int turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void remember(const char *path)
{
    for (int i = 0; i < n_written; i++)
        if (strcmp(written[i], path) == 0)
            return;
    if (n_written < MAX_FILES)
        snprintf(written[n_written++], sizeof written[0], "%s", path);
}

static inline void put(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(at(name), "wb");
    CHECK(file != NULL);
    if (!file)
        return;
    CHECK_EQUAL(fwrite(bytes, 1, size, file), size);
    fclose(file);
    remember(at(name));
}

static inline void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static inline void put_gzip(const char *name, const void *bytes, size_t size)
{
    gzFile file = gzopen(at(name), "wb");
    CHECK(file != NULL);
    if (!file)
        return;
    CHECK_EQUAL(gzwrite(file, bytes, (unsigned)size), size);
    gzclose(file);
    remember(at(name));
}

static inline void remove_all(void)
{
    while (n_written > 0)
        unlink(written[--n_written]);
}

/* "kind:folder/name" */
static inline const char *spec_of(const char *kind, const char *name)
{
    static char spec[512];
    snprintf(spec, sizeof spec, "%s:%s%s%s", kind, folder, *name ? "/" : "", name);
    return spec;
}

static inline hk_status open_status(const char *spec)
{
    hk_data *train, *test;
    hk_status status = hk_data_open(spec, &train, &test);
    CHECK((status == HK_OK) == (train != NULL) && (status == HK_OK) == (test != NULL));
    hk_data_free(train);
    hk_data_free(test);
    return status;
}

/* Refused as bad data, with both words in the sentence, and nothing leaked. */
static inline void check_refused(const char *spec, const char *word, const char *other)
{
    size_t before = hki_live_blocks();
    CHECK_EQUAL(open_status(spec), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), word);
    CHECK_CONTAINS(hk_message(), other);
    CHECK_EQUAL(hki_live_blocks(), before);
}

/* Runs `act` with the first k allocations granted, for k = 0, 1, ..., until it succeeds. */
static inline void check_allocations(hk_status (*act)(const void *), const void *what,
                                     long at_least)
{
    size_t before = hki_live_blocks();
    hk_set_allocator(&countdown);
    for (long k = 0;; k++) {
        allocations_left = k;
        hk_status status = act(what);
        CHECK_EQUAL(hki_live_blocks(), before);
        if (status == HK_OK || k > 200) {
            CHECK(k >= at_least && k <= 200);
            break;
        }
        CHECK_EQUAL(status, HK_NO_MEMORY);
        CHECK_CONTAINS(hk_message(), "memory");
    }
    hk_set_allocator(NULL);
}

static inline hk_status act_open(const void *spec)
{
    return open_status(spec);
}
