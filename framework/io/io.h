/* io/io.h - files: read whole, written whole or not at all. Every system call on a file goes
 * through hki_fs, so that tests can make the k-th call fail. */
#pragma once
#include <sys/types.h>
#include <sys/stat.h>
#include "core/base.h"

typedef struct hki_fs {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*read)(int fd, void *buffer, size_t bytes);
    ssize_t (*write)(int fd, const void *buffer, size_t bytes);
    int (*stat)(const char *path, struct stat *out);
    int (*fstat)(int fd, struct stat *out);
    int (*fchmod)(int fd, mode_t mode);
    int (*fsync)(int fd);
    int (*close)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
} hki_fs;
extern hki_fs hki_files; /* the system's by default */

/* A regular file that is read from its beginning, so that its first bytes and its size are judged before
 * there is memory for the rest. */
enum { HKI_HEAD = 512 };
typedef struct hki_reader {
    const char *path;
    int file;
    size_t size, at; /* of the file; what was taken of it */
    uint8_t head[HKI_HEAD];
    size_t n_head;
} hki_reader;

/* Closed by hki_reader_close() in any case. HK_BAD_DATA: missing, a directory, device or pipe, larger
 * than `limit`; HK_IO: the system would not open or read it. */
hk_status hki_reader_open(const char *path, size_t limit, hki_reader *out);
/* The next bytes; HK_IO where there are fewer. */
hk_status hki_reader_take(hki_reader *reader, void *to, size_t size);
void hki_reader_close(hki_reader *reader);

/* What a format can say by the first bytes of a file and its size, where that is known: that this is another
 * kind, or how large it is at most. */
#define HKI_SIZE_UNKNOWN SIZE_MAX
typedef hk_status hki_judge(const char *path, const uint8_t *head, size_t n_head, size_t size,
                            size_t *most);

/* Calls `judge`, which may be NULL. Also HK_BAD_DATA: larger than *most; HK_NO_MEMORY: than the machine. */
hk_status hki_reader_judge(const hki_reader *reader, hki_judge *judge, size_t *most);
/* A new reader's whole file. Free with hki_free. */
hk_status hki_reader_take_all(hki_reader *reader, uint8_t **bytes, size_t *size);

/* Reads a regular file of at most `limit` bytes whole, with the failures of a reader and of `judge`, which
 * may be NULL. Free with hki_free. */
hk_status hki_file_read(const char *path, hki_judge *judge, size_t limit, uint8_t **bytes,
                        size_t *size);

/* Like hki_file_read, and inflates when the content is gzip; `judge` and `limit` hold for what is inflated,
 * whose size is not known before. Zeroes and line ends may follow, as for gzip(1). Content that is neither
 * judged nor below 16 MiB + 128 times the file is taken for a bomb. */
hk_status hki_file_read_maybe_gzip(const char *path, hki_judge *judge, size_t limit,
                                   uint8_t **bytes, size_t *size);

typedef struct hki_piece {
    const void *bytes;
    size_t size;
} hki_piece;

/* Writes a file from its pieces: a temporary beside it, fsync, rename, fsync of the directory. A
 * replaced file's mode is kept; a symbolic link is replaced, not followed. HK_IO with the
 * system's words: the old file, or none, is still there, and no temporary; only when the very
 * last step fails is the new file in place already, whole. */
hk_status hki_file_write(const char *path, const hki_piece *pieces, size_t count);

/* If `bytes` is a common wrong thing (empty, an HTML page, a Git LFS pointer, an archive, text),
 * its name for a sentence, "an HTML page"; else NULL. */
const char *hki_recognise(const uint8_t *bytes, size_t size);

/* SHA-256 in lower-case hexadecimal. */
void hki_sha256_hex(const hki_piece *pieces, size_t count, char out[65]);

/* ---- safetensors: tensors with names, and string metadata ------------------------------------ */

typedef struct hki_st_tensor {
    const char *name;
    int ndim;
    int64_t dims[HKI_MAX_DIMS];
    const void *data;  /* numbers: floats when writing, of its dtype when reading, which may not be
                            aligned; NULL is fine when empty, and where the header alone was read */
    const char *dtype; /* reading: "F32"; writing: floats */
    size_t begin, bytes; /* reading: its place in the data, and how much it takes */
} hki_st_tensor;

/* The bytes of a number of this type, dtype.c, and its name for good; 0: no such type. */
size_t hki_dtype_bytes(const char *dtype, const char **name);
/* What was read is F32, F16, BF16 or F64. */
bool hki_st_is_floats(const hki_st_tensor *tensor);
/* Its numbers as floats, out[product of dims]: to the nearest, which beyond the range of floats is
 * infinity. Only where hki_st_is_floats(). */
void hki_st_floats(const hki_st_tensor *tensor, float *out);
double
hki_half_value(uint16_t bits); /* binary16 (IEEE 754): sign, 5 bits of exponent, 10 of fraction */

typedef struct hki_st_meta {
    const char *key, *value;
} hki_st_meta;

/* Writes metadata and tensors, little-endian float32, in this order. Two metadata keys are its
 * own: "hk.format", and "hk.digest", the SHA-256 of the whole file with 64 zeros in the digest's
 * place. HK_BAD_ARGUMENT for a name twice, or one that is empty, too long or not plain UTF-8. */
hk_status hki_st_write(const char *path, const hki_st_tensor *tensors, size_t n_tensors,
                       const hki_st_meta *meta, size_t n_meta);

typedef struct hki_st_file {
    hki_st_tensor *tensors; /* in the order of their data */
    size_t n_tensors;
    hki_st_meta *meta;
    size_t n_meta;
    void *data, *header; /* owned; names and texts point into them */
} hki_st_file;

/* HK_BAD_DATA on any departure from the format: header length, JSON, duplicate key, dtype, shape,
 * ranges that overlap or leave holes, digest that does not match. Files of other programs have no
 * digest and load without. *out is empty after a failure. Memory: the file's size, and what its header
 * takes as JSON, at most 16 MiB and four times the file. */
hk_status hki_st_read(const char *path, hki_st_file *out);
/* The same without the data, and so without checking the digest. */
hk_status hki_st_read_header(const char *path, hki_st_file *out);
/* The whole from bytes, which stay the caller's; `name` is for messages. */
hk_status hki_st_parse(const char *name, const uint8_t *bytes, size_t size, hki_st_file *out);
void hki_st_clear(hki_st_file *file);
const char *hki_st_meta_get(const hki_st_file *file, const char *key); /* NULL if absent */
