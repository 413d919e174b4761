/* Files: read whole, written whole or not at all, whichever system call fails. */
#include "check.h"
#include "refuse.h"
#include "io/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char folder[256], path[300];

/* ---- Failing system calls -------------------------------------------------------------------- */

static hki_fs real;
static int calls, failing_call, failing_errno;
static char trace[64]; /* a letter a call */

static bool fails(char letter)
{
    if (calls < (int)sizeof trace - 1)
        trace[calls] = letter;
    if (++calls != failing_call)
        return false;
    errno = failing_errno;
    return true;
}

static int fail_open(const char *name, int flags, mode_t mode)
{
    return fails('o') ? -1 : real.open(name, flags, mode);
}

static ssize_t fail_read(int file, void *buffer, size_t bytes)
{
    return fails('r') ? -1 : real.read(file, buffer, bytes);
}

static ssize_t fail_write(int file, const void *buffer, size_t bytes)
{
    return fails('w') ? -1 : real.write(file, buffer, bytes);
}

static int fail_stat(const char *name, struct stat *out)
{
    return fails('s') ? -1 : real.stat(name, out);
}

static int fail_fstat(int file, struct stat *out)
{
    return fails('i') ? -1 : real.fstat(file, out);
}

static int fail_fchmod(int file, mode_t mode)
{
    return fails('m') ? -1 : real.fchmod(file, mode);
}

static int fail_fsync(int file)
{
    return fails('f') ? -1 : real.fsync(file);
}

static int fail_close(int file) /* as the kernel: the descriptor is gone even so */
{
    int result = real.close(file);
    return fails('c') ? -1 : result;
}

static int fail_rename(const char *from, const char *to)
{
    return fails('n') ? -1 : real.rename(from, to);
}

static int fail_unlink(const char *name)
{
    return fails('u') ? -1 : real.unlink(name);
}

static void fail_call(int k, int error)
{
    memset(trace, 0, sizeof trace);
    calls = 0;
    failing_call = k;
    failing_errno = error;
    hki_files = (hki_fs){fail_open,   fail_read,  fail_write, fail_stat,   fail_fstat,
                         fail_fchmod, fail_fsync, fail_close, fail_rename, fail_unlink};
}

/* ---- Helpers --------------------------------------------------------------------------------- */

static void put(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static hk_status write_text(const char *text)
{
    size_t half = strlen(text) / 2;
    hki_piece pieces[] = {{text, half}, {NULL, 0}, {text + half, strlen(text) - half}};
    return hki_file_write(path, pieces, 3);
}

/* Whether the file at `path` holds exactly `text`; NULL: whether there is none. */
static bool holds(const char *text)
{
    char found[4096];
    FILE *file = fopen(path, "rb");
    if (!file || !text)
        return !file && !text;
    size_t size = fread(found, 1, sizeof found, file);
    fclose(file);
    return size == strlen(text) && memcmp(found, text, size) == 0;
}

static int files_in_folder(void)
{
    int n = 0;
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list));)
        n += entry->d_name[0] != '.';
    if (list)
        closedir(list);
    return n;
}

static int open_descriptors(void)
{
    int n = 0;
    for (int file = 0; file < 256; file++)
        n += fcntl(file, F_GETFD) != -1;
    return n;
}

/* ---- Cases ----------------------------------------------------------------------------------- */

static void writes_and_reads_back(void)
{
    uint8_t *bytes;
    size_t size;
    mode_t mask = umask(027);
    CHECK_EQUAL(write_text("first"), HK_OK);
    struct stat info;
    CHECK(stat(path, &info) == 0 && (info.st_mode & 07777) == 0640);
    umask(mask);
    CHECK_EQUAL(hki_file_read(path, NULL, 5, &bytes, &size), HK_OK);
    CHECK(size == 5 && memcmp(bytes, "first", 5) == 0);
    hki_free(bytes);
    CHECK_EQUAL(chmod(path, 0666), 0);
    CHECK_EQUAL(write_text("second, longer"), HK_OK);
    CHECK(holds("second, longer"));
    CHECK(stat(path, &info) == 0 && (info.st_mode & 07777) == 0666);
    CHECK_EQUAL(hki_file_write(path, NULL, 0), HK_OK);
    CHECK_EQUAL(hki_file_read(path, NULL, 0, &bytes, &size), HK_OK);
    CHECK_EQUAL(size, 0);
    hki_free(bytes);
    CHECK_EQUAL(files_in_folder(), 1);
}

/* Nothing takes the name before it is on the disk, and the name goes there too. */
static void a_write_is_durable_before_it_shows(void)
{
    unlink(path);
    fail_call(0, 0);
    CHECK_EQUAL(write_text("durable"), HK_OK);
    hki_files = real;
    CHECK_TEXT(trace, "soowwfcnfc");
}

static void names_without_a_folder(void)
{
    char before[4096], kept[sizeof path];
    CHECK(getcwd(before, sizeof before) && chdir(folder) == 0);
    snprintf(kept, sizeof kept, "%s", path);
    snprintf(path, sizeof path, "plain-name");
    CHECK_EQUAL(write_text("here"), HK_OK);
    CHECK(holds("here") && unlink(path) == 0);
    snprintf(path, sizeof path, "%s", kept);
    CHECK_EQUAL(chdir(before), 0);
}

/* A program that was started without standard input gets descriptor 0 for its first file. */
static void the_first_descriptor_is_one_too(void)
{
    const int input = dup(STDIN_FILENO);
    uint8_t *bytes = NULL;
    size_t size = 0;
    CHECK_EQUAL(write_text("here"), HK_OK);
    close(STDIN_FILENO);
    CHECK_EQUAL(hki_file_read(path, NULL, 100, &bytes, &size), HK_OK);
    CHECK_EQUAL(size, 4);
    hki_free(bytes);
    CHECK(input < 0 || (dup2(input, STDIN_FILENO) == STDIN_FILENO && close(input) == 0));
    unlink(path);
}

static void replaces_a_link_not_its_target(void)
{
    char target[sizeof path + 8];
    snprintf(target, sizeof target, "%s.target", path);
    unlink(path);
    CHECK(symlink(target, path) == 0);
    CHECK_EQUAL(write_text("new"), HK_OK);
    struct stat info;
    CHECK(lstat(path, &info) == 0 && S_ISREG(info.st_mode) && access(target, F_OK) != 0);
}

static void refuses_what_is_no_regular_file(void)
{
    uint8_t *bytes;
    size_t size;
    char expected[512];
    unlink(path);
    snprintf(expected, sizeof expected, "cannot open %s: No such file or directory", path);
    CHECK_EQUAL(hki_file_read(path, NULL, 100, &bytes, &size), HK_BAD_DATA);
    CHECK_TEXT(hk_message(), expected);
    CHECK(!bytes && size == 0);

    CHECK_EQUAL(hki_file_read(folder, NULL, 100, &bytes, &size), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "it is a directory");
    CHECK_EQUAL(hki_file_read("/dev/zero", NULL, 100, &bytes, &size), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "it is a device");
    CHECK_EQUAL(mkfifo(path, 0600), 0);
    CHECK_EQUAL(hki_file_read(path, NULL, 100, &bytes, &size), HK_BAD_DATA); /* and does not hang */
    CHECK_CONTAINS(hk_message(), "it is a pipe");
    CHECK_EQUAL(write_text("x"), HK_IO);
    CHECK_CONTAINS(hk_message(), "it is a pipe");
    unlink(path);
    CHECK_EQUAL(hki_file_write(folder, NULL, 0), HK_IO);
    CHECK_EQUAL(hki_file_write("/dev/null", NULL, 0), HK_IO);
    put("12345", 5);
    CHECK_EQUAL(hki_file_read(path, NULL, 4, &bytes, &size), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "5 bytes, at most 4");
}

static void missing_folder_is_told(void)
{
    char deep[sizeof path + 16];
    snprintf(deep, sizeof deep, "%s/absent/file", folder);
    CHECK_EQUAL(hki_file_write(deep, NULL, 0), HK_IO);
    CHECK_CONTAINS(hk_message(), "No such file or directory");
}

/* Any one failing call leaves the old file or the new one, whole, and no temporary. */
static void each_failing_call_of_a_write(void)
{
    int descriptors = open_descriptors();
    for (int fresh = 0; fresh < 2; fresh++) {
        int unnoticed = 0;
        const char *old = fresh ? NULL : "old content";
        for (int k = 1;; k++) {
            unlink(path);
            if (old)
                put(old, strlen(old));
            size_t live = hki_live_blocks();
            fail_call(k, ENOSPC);
            hk_status status = write_text("new content, longer");
            bool fired = calls >= k, last_fsync = calls == k + 1;
            hki_files = real;
            CHECK_EQUAL(hki_live_blocks(), live);
            CHECK_EQUAL(open_descriptors(), descriptors);
            if (!fired) {
                CHECK(status == HK_OK && k > 8);
                break;
            }
            bool is_new = holds("new content, longer");
            CHECK_EQUAL(files_in_folder(), is_new || old ? 1 : 0);
            CHECK(is_new || holds(old));
            if (status == HK_OK) {
                CHECK(is_new);
                unnoticed++;
            } else {
                CHECK_EQUAL(status, HK_IO);
                CHECK_CONTAINS(hk_message(), "No space left on device");
                CHECK(!is_new || last_fsync);
            }
        }
        CHECK_EQUAL(unnoticed, 1); /* closing the directory, when all is done */
    }
}

static void each_failing_call_of_a_read(void)
{
    put("some content", 12);
    int descriptors = open_descriptors();
    for (int k = 1; k <= 4; k++) {
        uint8_t *bytes;
        size_t size, live = hki_live_blocks();
        fail_call(k, EIO);
        hk_status status = hki_file_read(path, NULL, 100, &bytes, &size);
        hki_files = real;
        CHECK_EQUAL(open_descriptors(), descriptors);
        if (k < 4) {
            CHECK(status == HK_IO && !bytes && hki_live_blocks() == live);
            CHECK_CONTAINS(hk_message(), "Input/output error");
        } else {
            CHECK(status == HK_OK && size == 12); /* a close after reading loses nothing */
            hki_free(bytes);
        }
    }
}

static ssize_t drip_read(int file, void *buffer, size_t bytes)
{
    if (++calls % 2) {
        errno = EINTR;
        return -1;
    }
    return real.read(file, buffer, bytes < 3 ? bytes : 3);
}

static ssize_t drip_write(int file, const void *buffer, size_t bytes)
{
    if (++calls % 2) {
        errno = EINTR;
        return -1;
    }
    return real.write(file, buffer, bytes < 3 ? bytes : 3);
}

static ssize_t write_nothing(int file, const void *buffer, size_t bytes)
{
    (void)file, (void)buffer, (void)bytes;
    return 0;
}

static void short_and_interrupted_calls(void)
{
    uint8_t *bytes;
    size_t size;
    calls = 0;
    hki_files.read = drip_read;
    hki_files.write = drip_write;
    CHECK_EQUAL(write_text("a text of twenty-six bytes"), HK_OK);
    CHECK(holds("a text of twenty-six bytes"));
    CHECK_EQUAL(hki_file_read(path, NULL, 100, &bytes, &size), HK_OK);
    CHECK(size == 26 && memcmp(bytes, "a text of twenty-six bytes", 26) == 0);
    hki_free(bytes);
    hki_files = real;
    hki_files.write = write_nothing;
    CHECK_EQUAL(write_text("never"), HK_IO);
    CHECK(holds("a text of twenty-six bytes"));
    hki_files = real;
}

static int overstate(int file, struct stat *out)
{
    int result = real.fstat(file, out);
    out->st_size += 7;
    return result;
}

static void a_file_that_shrinks_is_told(void)
{
    uint8_t *bytes;
    size_t size;
    put("abc", 3);
    hki_files.fstat = overstate;
    CHECK_EQUAL(hki_file_read(path, NULL, 100, &bytes, &size), HK_IO);
    CHECK_CONTAINS(hk_message(), "it ended at byte 3, expected 10 bytes");
    hki_files = real;
}

/* The kernel itself refuses: a file size limit stops the write in the middle. */
static void a_full_disk_keeps_the_old_file(void)
{
    static char large[65536];
    struct rlimit old, small;
    put("old", 3);
    CHECK_EQUAL(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){4096, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    fflush(stdout);
    int limited = setrlimit(RLIMIT_FSIZE, &small);
    hki_piece piece = {large, sizeof large};
    hk_status status = hki_file_write(path, &piece, 1);
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK_EQUAL(limited, 0);
    CHECK_EQUAL(status, HK_IO);
    CHECK_CONTAINS(hk_message(), "File too large");
    CHECK(holds("old"));
    CHECK_EQUAL(files_in_folder(), 1);
}

static void each_refused_allocation(void)
{
    put("old", 3);
    for (long k = 0;; k++) {
        size_t live = hki_live_blocks();
        allocations_left = k;
        hk_status status = write_text("new");
        allocations_left = -1;
        CHECK_EQUAL(hki_live_blocks(), live);
        if (status == HK_OK) {
            CHECK(k > 0);
            break;
        }
        CHECK(status == HK_NO_MEMORY && holds("old") && files_in_folder() == 1);
    }
}

/* ---- gzip ------------------------------------------------------------------------------------ */

static size_t compress_gzip(const void *bytes, size_t size, uint8_t *out, size_t room)
{
    z_stream stream = {0};
    CHECK_EQUAL(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (z_const Bytef *)bytes;
    stream.avail_in = (unsigned)size;
    stream.next_out = out;
    stream.avail_out = (unsigned)room;
    CHECK_EQUAL(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

static void gzip_inflates(void)
{
    static uint8_t plain[100000], packed[100000];
    uint8_t *bytes;
    size_t size;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * i / 100);
    size_t n = compress_gzip(plain, sizeof plain, packed, sizeof packed);
    put(packed, n);
    CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, sizeof plain, &bytes, &size), HK_OK);
    CHECK(size == sizeof plain && memcmp(bytes, plain, size) == 0);
    hki_free(bytes);
    CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, sizeof plain - 1, &bytes, &size), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "inflates to more than the 99999 bytes");

    n = compress_gzip("one", 3, packed, sizeof packed); /* two members, one after the other */
    n += compress_gzip("two", 3, packed + n, sizeof packed - n);
    put(packed, n);
    CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, 100, &bytes, &size), HK_OK);
    CHECK(size == 6 && memcmp(bytes, "onetwo", 6) == 0);
    hki_free(bytes);

    n = compress_gzip("", 0, packed, sizeof packed);
    put(packed, n);
    CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, 100, &bytes, &size), HK_OK);
    CHECK_EQUAL(size, 0);
    hki_free(bytes);

    put("not packed", 10);
    CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, 100, &bytes, &size), HK_OK);
    CHECK(size == 10 && memcmp(bytes, "not packed", 10) == 0);
    hki_free(bytes);
}

static void a_gzip_bomb_stops_at_the_limit(void)
{
    static uint8_t zeros[8 << 20], packed[1 << 16];
    uint8_t *bytes;
    size_t size;
    put(packed, compress_gzip(zeros, sizeof zeros, packed, sizeof packed));
    CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, 1 << 20, &bytes, &size), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "inflates to more than");
    CHECK(!bytes && size == 0);
}

static const char sample[] = "a sample, a sample and another sample of what is packed";

static void every_cut_gzip_is_refused(void)
{
    uint8_t packed[256], *bytes;
    size_t size, n = compress_gzip(sample, sizeof sample, packed, sizeof packed);
    for (size_t cut = 2; cut < n; cut++) {
        put(packed, cut);
        CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, 1000, &bytes, &size), HK_BAD_DATA);
        CHECK(!bytes);
    }
    packed[n] = 1; /* and one byte too many */
    put(packed, n + 1);
    CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, 1000, &bytes, &size), HK_BAD_DATA);
}

/* As gzip(1): tapes are filled up with zeroes, editors end lines. */
static void padding_behind_gzip_is_passed_over(void)
{
    static const char *const behind[] = {"\0", "\0\0\0\0\0\0\0\0", "\n", "\r\n"};
    static const size_t sizes[] = {1, 8, 1, 2};
    uint8_t packed[256], *bytes;
    size_t size, n = compress_gzip(sample, sizeof sample, packed, sizeof packed);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memcpy(packed + n, behind[i], sizes[i]);
        put(packed, n + sizes[i]);
        CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, 1000, &bytes, &size), HK_OK);
        CHECK(size == sizeof sample && memcmp(bytes, sample, size) == 0);
        hki_free(bytes);
    }
}

static hk_status no_zeroes(const char *name, const uint8_t *head, size_t n_head, size_t size,
                           size_t *most)
{
    CHECK(n_head <= HKI_HEAD && (size == HKI_SIZE_UNKNOWN || size >= n_head));
    (void)most;
    return n_head && !head[0] ? hki_fail(HK_BAD_DATA, "%s: zeroes", name) : HK_OK;
}

/* 30 MB of zeroes in 30 KB: another kind of file by its first bytes, or too much for its size. */
static void a_gzip_bomb_is_judged_by_its_head(void)
{
    static uint8_t zeros[30 << 20], packed[1 << 16];
    uint8_t *bytes;
    size_t size;
    put(packed, compress_gzip(zeros, sizeof zeros, packed, sizeof packed));
    size_t live = hki_live_blocks();
    CHECK_EQUAL(hki_file_read_maybe_gzip(path, no_zeroes, HKI_MAX_BYTES, &bytes, &size),
                HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), ": zeroes");
    CHECK_EQUAL(hki_file_read_maybe_gzip(path, NULL, HKI_MAX_BYTES, &bytes, &size), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "inflates to more than the 2");
    CHECK_EQUAL(hki_live_blocks(), live);
    put("\0\0 plain", 8);
    CHECK_EQUAL(hki_file_read(path, no_zeroes, 100, &bytes, &size), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), ": zeroes");
}

/* A changed bit is refused, or stands where the content does not depend on it (time, system). */
static void no_damaged_gzip_gives_other_content(void)
{
    uint8_t packed[256], *bytes;
    size_t size, n = compress_gzip(sample, sizeof sample, packed, sizeof packed);
    int refused = 0, harmless = 0;
    for (size_t bit = 16; bit < 8 * n; bit++) {
        packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        put(packed, n);
        size_t live = hki_live_blocks();
        if (hki_file_read_maybe_gzip(path, NULL, 1000, &bytes, &size) != HK_OK) {
            refused++;
        } else {
            harmless++;
            CHECK(size == sizeof sample && memcmp(bytes, sample, size) == 0);
            hki_free(bytes);
        }
        CHECK_EQUAL(hki_live_blocks(), live);
        packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(harmless <= 8 * 7 && refused >= (int)(8 * (n - 10)));
}

static void each_refused_allocation_of_gzip(void)
{
    uint8_t packed[256], *bytes;
    size_t size;
    put(packed, compress_gzip(sample, sizeof sample, packed, sizeof packed));
    for (long k = 0;; k++) {
        size_t live = hki_live_blocks();
        allocations_left = k;
        hk_status status = hki_file_read_maybe_gzip(path, NULL, 1000, &bytes, &size);
        allocations_left = -1;
        if (status == HK_OK) {
            CHECK(k >= 3 && size == sizeof sample);
            hki_free(bytes);
            break;
        }
        CHECK(status == HK_NO_MEMORY && !bytes && hki_live_blocks() == live);
    }
}

/* ---- Names of wrong files, digests ----------------------------------------------------------- */

static const char *recognise(const char *text)
{
    return hki_recognise((const uint8_t *)text, strlen(text));
}

static void temporaries_of_the_dead_are_swept(void)
{
    static const char *const ends[] = {
        ".tmp.0123456789abcdef" /* of one that was killed */, ".tmp.fedcba9876543210" /* in work */,
        ".tmp.00000000000000ff" /* just begun */, ".tmp.0123", ".old"};
    enum { N = sizeof ends / sizeof *ends };
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    char names[N][sizeof path + 32];
    int files[N];
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "%s%s", path, ends[i]);
        files[i] = open(names[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        CHECK(files[i] >= 0 && (i == 2 || futimens(files[i], old) == 0));
    }
    CHECK(flock(files[0], LOCK_UN) == 0 && flock(files[1], LOCK_EX) == 0);
    CHECK_EQUAL(write_text("new"), HK_OK);
    for (int i = 0; i < N; i++) {
        CHECK_EQUAL(access(names[i], F_OK) == 0, i > 0);
        close(files[i]);
        unlink(names[i]);
    }
}

static void recognises_common_wrong_files(void)
{
    const uint8_t binary[] = {1, 2, 3, 0, 5};
    CHECK_TEXT(recognise(""), "an empty file");
    CHECK_TEXT(recognise("\n <!DOCTYPE html><p>"), "an HTML page");
    CHECK_TEXT(recognise("<HTML>"), "an HTML page");
    CHECK_TEXT(recognise("version https://git-lfs.github.com/spec/v1"), "a Git LFS pointer");
    CHECK_TEXT(recognise("\x1f\x8b\x08"), "a gzip file");
    CHECK_TEXT(recognise("PK\x03\x04"), "a ZIP archive");
    CHECK_TEXT(recognise("404: not found"), "a text file");
    CHECK(hki_recognise(binary, sizeof binary) == NULL);
}

/* FIPS 180-4 examples: the empty message, "abc" whole and in pieces. */
static void digests_match_the_standard(void)
{
    char hex[65];
    hki_sha256_hex(NULL, 0, hex);
    CHECK_TEXT(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hki_piece pieces[] = {{"a", 1}, {NULL, 0}, {"bc", 2}};
    hki_sha256_hex(pieces, 3, hex);
    CHECK_TEXT(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void leaves_nothing_behind(void)
{
    CHECK_EQUAL(unlink(path), 0);
    CHECK_EQUAL(rmdir(folder), 0);
    CHECK_EQUAL(hki_live_blocks(), 0);
}

int main(void)
{
    hk_set_allocator(&countdown);
    real = hki_files;
    snprintf(folder, sizeof folder, "%s/hillock-files-XXXXXX", P_tmpdir);
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/file", folder);
    RUN(writes_and_reads_back);
    RUN(a_write_is_durable_before_it_shows);
    RUN(names_without_a_folder);
    RUN(the_first_descriptor_is_one_too);
    RUN(replaces_a_link_not_its_target);
    RUN(refuses_what_is_no_regular_file);
    RUN(missing_folder_is_told);
    RUN(each_failing_call_of_a_write);
    RUN(each_failing_call_of_a_read);
    RUN(short_and_interrupted_calls);
    RUN(a_file_that_shrinks_is_told);
    RUN(a_full_disk_keeps_the_old_file);
    RUN(each_refused_allocation);
    RUN(gzip_inflates);
    RUN(a_gzip_bomb_stops_at_the_limit);
    RUN(every_cut_gzip_is_refused);
    RUN(padding_behind_gzip_is_passed_over);
    RUN(a_gzip_bomb_is_judged_by_its_head);
    RUN(no_damaged_gzip_gives_other_content);
    RUN(each_refused_allocation_of_gzip);
    RUN(temporaries_of_the_dead_are_swept);
    RUN(recognises_common_wrong_files);
    RUN(digests_match_the_standard);
    RUN(leaves_nothing_behind);
    return check_result();
}
