/* safetensors: what is written comes back, what departs from the format is refused. */
#include "counted.h"
#include "check.h"
#include "refuse.h"
#include "io/io.h"

#include <fenv.h>
#include <stdlib.h>
#include <unistd.h>

static char path[300];

/* ---- Helpers --------------------------------------------------------------------------------- */

static uint8_t file_bytes[8192];

/* A file from the format's description: length, header, `data_size` bytes counting 0, 1, 2 ... */
static size_t by_hand(const char *header, size_t data_size)
{
    uint64_t length = strlen(header);
    memcpy(file_bytes, &length, 8);
    memcpy(file_bytes + 8, header, length);
    for (size_t i = 0; i < data_size; i++)
        file_bytes[8 + length + i] = (uint8_t)i;
    return 8 + length + data_size;
}

/* Parses a copy of exactly `size` bytes, so that a sanitizer sees any byte read beyond. */
static hk_status parse(size_t size, hki_st_file *file)
{
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, file_bytes, size);
    hk_status status = hki_st_parse("FILE", exact, size, file);
    free(exact);
    return status;
}

static const float weights[6] = {1, -2, 3.5f, -0.0f, 1e-40f, 6};
static const float scale[1] = {0.25f};
static const hki_st_tensor tensors[] = {
    {.name = "conv1.weight", .ndim = 2, .dims = {2, 3}, .data = weights},
    {.name = "empty", .ndim = 2, .dims = {0, 7}},
    {.name = "a scale", .data = scale},
    {.name = "conv1.bias", .ndim = 1, .dims = {3}, .data = weights + 1},
};
static const hki_st_meta meta[] = {
    {"note", "a \"quoted\" line\n, \xc3\xa9 and \\"},
    {"empty", ""},
    {"decoy", "\"hk.digest\":\"0000"},
};

static hk_status write_ours(void)
{
    return hki_st_write(path, tensors, 4, meta, 3);
}

static size_t load_ours(void)
{
    CHECK_EQUAL(write_ours(), HK_OK);
    FILE *in = fopen(path, "rb");
    size_t size = in ? fread(file_bytes, 1, sizeof file_bytes, in) : 0;
    if (in)
        fclose(in);
    CHECK(size > 100 && size < sizeof file_bytes);
    return size;
}

/* ---- Round trip ------------------------------------------------------------------------------ */

static void check_ours(const hki_st_file *file)
{
    CHECK_EQUAL(file->n_tensors, 4);
    CHECK_EQUAL(file->n_meta, 5);
    static const size_t counts[4] = {6, 0, 1, 3};
    for (size_t i = 0; i < 4 && file->n_tensors == 4; i++) {
        const hki_st_tensor *found = &file->tensors[i], *written = &tensors[i];
        CHECK_TEXT(found->name, written->name);
        CHECK_EQUAL(found->ndim, written->ndim);
        CHECK(memcmp(found->dims, written->dims, sizeof(int64_t) * (size_t)found->ndim) == 0);
        if (counts[i])
            CHECK(memcmp(found->data, written->data, 4 * counts[i]) == 0);
    }
    for (int i = 0; i < 3; i++)
        CHECK_TEXT(hki_st_meta_get(file, meta[i].key), meta[i].value);
    CHECK(hki_st_meta_get(file, "absent") == NULL);
}

static void what_is_written_comes_back(void)
{
    hki_st_file file;
    CHECK_EQUAL(write_ours(), HK_OK);
    CHECK_EQUAL(hki_st_read(path, &file), HK_OK);
    check_ours(&file);
    hki_st_clear(&file);
    CHECK(file.n_tensors == 0 && !file.tensors);
    hki_st_clear(&file);
    CHECK_EQUAL(hki_st_write(path, NULL, 0, NULL, 0), HK_OK);
    CHECK_EQUAL(hki_st_read(path, &file), HK_OK);
    CHECK(file.n_tensors == 0 && file.n_meta == 2);
    hki_st_clear(&file);
}

static void the_data_lies_aligned_in_the_file(void)
{
    load_ours();
    uint64_t length;
    memcpy(&length, file_bytes, 8);
    CHECK_EQUAL(length % 8, 0);
    CHECK(memcmp(file_bytes + 8 + length, weights, sizeof weights) == 0);
}

static void a_name_twice_is_not_written(void)
{
    const hki_st_tensor twice[] = {{.name = "a", .data = scale}, {.name = "a", .data = scale}};
    const hki_st_tensor reserved = {.name = "__metadata__", .data = scale};
    const hki_st_meta digest = {"hk.digest", "mine"};
    unlink(path);
    CHECK_EQUAL(hki_st_write(path, twice, 2, NULL, 0), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "\"a\" twice");
    CHECK_EQUAL(hki_st_write(path, &reserved, 1, NULL, 0), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hki_st_write(path, NULL, 0, &digest, 1), HK_BAD_ARGUMENT);
    CHECK(access(path, F_OK) != 0);
}

static void names_and_shapes_are_checked_before_writing(void)
{
    char long_name[HKI_MAX_NAME + 2];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *bad_names[] = {"", "a\nb", "\xff", long_name};
    for (size_t i = 0; i < 4; i++) {
        hki_st_tensor tensor = {.name = bad_names[i], .data = scale};
        CHECK_EQUAL(hki_st_write(path, &tensor, 1, NULL, 0), HK_BAD_ARGUMENT);
        CHECK_CONTAINS(hk_message(), "not plain UTF-8");
    }
    const hki_st_meta bad_text = {"key", "\xff"};
    CHECK_EQUAL(hki_st_write(path, NULL, 0, &bad_text, 1), HK_BAD_ARGUMENT);
    const hki_st_tensor bad_shapes[] = {
        {.name = "many", .ndim = HKI_MAX_DIMS + 1, .dims = {1, 1, 1, 1, 1, 1, 1, 1}, .data = scale},
        {.name = "negative", .ndim = 1, .dims = {-1}, .data = scale},
        {.name = "large",
         .ndim = 3,
         .dims = {HKI_MAX_DIM, HKI_MAX_DIM, HKI_MAX_DIM},
         .data = scale},
    };
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQUAL(hki_st_write(path, &bad_shapes[i], 1, NULL, 0), HK_BAD_ARGUMENT);
        CHECK_CONTAINS(hk_message(), "has a bad shape");
    }
    static char long_text[(4 << 20) + 1];
    memset(long_text, 'x', sizeof long_text - 1);
    const hki_st_meta large = {"key", long_text};
    CHECK_EQUAL(hki_st_write(path, NULL, 0, &large, 1), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "its header has");
    CHECK(access(path, F_OK) != 0);
}

/* ---- Files of other programs ----------------------------------------------------------------- */

static void a_file_of_another_program_loads(void)
{
    hki_st_file file;
    /* Its entries in another order than its data, spaces, an odd length, no digest. */
    size_t size = by_hand("{\"b\" : {\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[8,20]},"
                          "\"a\":{\"data_offsets\":[0,8],\"shape\":[2,1],\"dtype\":\"F32\"},"
                          "\"__metadata__\":{\"format\":\"pt\"}}  ",
                          20);
    CHECK(size % 4 != 0);
    CHECK_EQUAL(parse(size, &file), HK_OK);
    CHECK_EQUAL(file.n_tensors, 2);
    if (file.n_tensors == 2) {
        CHECK_TEXT(file.tensors[0].name, "a");
        CHECK_TEXT(file.tensors[1].name, "b");
        CHECK(file.tensors[0].ndim == 2 && file.tensors[0].dims[0] == 2);
        CHECK(memcmp(file.tensors[1].data, file_bytes + size - 12, 12) == 0);
    }
    CHECK_TEXT(hki_st_meta_get(&file, "format"), "pt");
    hki_st_clear(&file);
    CHECK_EQUAL(parse(by_hand("{}", 0), &file), HK_OK);
    CHECK_EQUAL(file.n_tensors, 0);
    hki_st_clear(&file);
}

/* ---- Types of numbers ------------------------------------------------------------------------ */

#define TENSOR(name, type, shape, range)                                                           \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" range "}"

/* As PyTorch writes a net with batch normalization, in several precisions. */
static void numbers_of_other_types_become_floats(void)
{
    static const struct {
        uint64_t counted;
        double doubles[3];
        uint16_t halves[6], brains[3];
        uint8_t truth;
    } data = {7,
              {0.7, 1e300, -0.0},
              {0x3c00, 0xc580, 0x0001, 0x7c00, 0x7e00, 0x7bff},
              {0x3f80, 0xc2f7, 0x0001},
              1};
    /* clang-format off */
    size_t size = by_hand("{\"__metadata__\":{\"format\":\"pt\"},"
                          TENSOR("bn.num_batches_tracked", "I64", "[]", "[0,8]") ","
                          TENSOR("d", "F64", "[3]", "[8,32]") "," TENSOR("h", "F16", "[2,3]", "[32,44]") ","
                          TENSOR("b", "BF16", "[3]", "[44,50]") "," TENSOR("t", "BOOL", "[1]", "[50,51]") "}",
                          51);
    /* clang-format on */
    hki_st_file file;
    float x[6];
    memcpy(file_bytes + size - 51, &data, 51);
    CHECK_EQUAL(parse(size, &file), HK_OK);
    CHECK_EQUAL(file.n_tensors, 5);
    if (file.n_tensors != 5)
        return;
    const hki_st_tensor *t = file.tensors;
    CHECK(t[0].ndim == 0 && t[0].bytes == 8 && !hki_st_is_floats(&t[0]));
    CHECK_TEXT(t[0].dtype, "I64");
    CHECK(!hki_st_is_floats(&t[4]));
    const int before = fegetround();
    fesetround(FE_UPWARD); /* the nearest float of 0.7 lies below */
    hki_st_floats(&t[1], x);
    CHECK_EQUAL(fegetround(), FE_UPWARD);
    fesetround(before);
    CHECK(x[0] == 0.7f && x[1] == INFINITY && x[2] == 0 && signbit(x[2]));
    hki_st_floats(&t[2], x);
    CHECK(x[0] == 1 && x[1] == -5.5f && x[2] == 0x1p-24f && x[3] == INFINITY && isnan(x[4]) &&
          x[5] == 65504);
    x[3] = 42; /* belongs to somebody else */
    hki_st_floats(&t[3], x);
    CHECK(x[0] == 1 && x[1] == -123.5f && x[2] == 0x1p-133f && x[3] == 42);
    hki_st_clear(&file);
}

#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define ENTRY(dtype, shape, range)                                                                 \
    "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" range "}}"

static void departures_are_refused(void)
{
    static const struct {
        const char *header;
        size_t data;
        const char *says;
    } cases[] = {
        {"{" A "," A "}", 8, "duplicate"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "duplicate"},
        {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16,
         "leaving a hole from 8"},
        {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8,
         "inside another"},
        {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
         "inside another"},
        {ENTRY("\"F32\"", "[1]", "[4,8]"), 8, "leaving a hole from 0"},
        {"{" A "}", 12, "12 bytes of data, the tensors take 8"},
        {"{" A "}", 4, "do not lie in the 4 bytes"},
        {"{}", 1, "1 bytes of data, the tensors take 0"},
        {ENTRY("\"F16\"", "[2]", "[0,8]"), 8, "span 8 bytes, its shape takes 4"},
        {ENTRY("\"F64\"", "[1]", "[0,4]"), 4, "span 4 bytes, its shape takes 8"},
        {ENTRY("\"f32\"", "[2]", "[0,8]"), 8, "is of type \"f32\", expected one such as F32"},
        {ENTRY("32", "[2]", "[0,8]"), 8, "expected dtype"},
        {ENTRY("null", "[2]", "[0,8]"), 8, "expected dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "expected dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8,
         "expected dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shapes\":[2],\"data_offsets\":[0,8]}}", 8, "bad shape"},
        {"{\"a\":[0,8]}", 8, "expected dtype"},
        {"{\"a\":1}", 0, "expected dtype"},
        {ENTRY("\"F32\"", "[3]", "[0,8]"), 8, "span 8 bytes, its shape takes 12"},
        {ENTRY("\"F32\"", "[]", "[0,8]"), 8, "its shape takes 4"},
        {ENTRY("\"F32\"", "[-2]", "[0,8]"), 8, "bad shape"},
        {ENTRY("\"F32\"", "[2.0]", "[0,8]"), 8, "bad shape"},
        {ENTRY("\"F32\"", "[\"2\"]", "[0,8]"), 8, "bad shape"},
        {ENTRY("\"F32\"", "2", "[0,8]"), 8, "bad shape"},
        {ENTRY("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), 8, "bad shape"},
        {ENTRY("\"F32\"", "[2147483648]", "[0,8]"), 8, "bad shape"},
        {ENTRY("\"F32\"", "[2147483647,2147483647,2147483647]", "[0,8]"), 8, "bad shape"},
        {ENTRY("\"F32\"", "[1073741824,1073741824,4,1,2]", "[0,8]"), 8, "bad shape"},
        {ENTRY("\"F32\"", "[99999999999999999999]", "[0,8]"), 8, "its header is not JSON: byte"},
        {ENTRY("\"F32\"", "[2]", "[0,8,8]"), 8, "do not lie in"},
        {ENTRY("\"F32\"", "[2]", "[8,0]"), 8, "do not lie in"},
        {ENTRY("\"F32\"", "[2]", "[-8,0]"), 8, "do not lie in"},
        {ENTRY("\"F32\"", "[2]", "[0,9223372036854775807]"), 8, "do not lie in"},
        {"{\"e\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[2,2]}," A "}", 8,
         "inside another"},
        {"{\"\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "name is empty"},
        {"{\"a\\u0007\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "name is"},
        {"{\"a\\u0000\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "header"},
        {"{\"\xff\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "header"},
        {"{\"__metadata__\":{\"n\":1}," A "}", 8, "\"n\" is not a text"},
        {"{\"__metadata__\":[]," A "}", 8, "not an object"},
        {"{" A "} x", 8, "its header is not JSON: byte"},
        {"{" A ",}", 8, "its header is not JSON: byte"},
        {"{'a':1}", 8, "its header is not JSON: byte"},
        {" {" A "}", 8, "not safetensors"},
        {"[" A "]", 8, "not safetensors"},
        {"{\"__metadata__\":{\"hk.format\":\"1\"}," A "}", 8, "do not stand together"},
        {"{\"__metadata__\":{\"hk.digest\":\"1\"}," A "}", 8, "do not stand together"},
        {"{\"__metadata__\":{\"hk.format\":\"1\",\"hk.digest\":"
         "\"0000000000000000000000000000000000000000000000000000000000000000\"}," A "}",
         8, "damaged: its digest is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hki_st_file file;
        size_t live = hki_live_blocks();
        hk_status status = parse(by_hand(cases[i].header, cases[i].data), &file);
        if (status != HK_BAD_DATA)
            printf("case %zu, %s\n", i, cases[i].header);
        CHECK_EQUAL(status, HK_BAD_DATA);
        CHECK_CONTAINS(hk_message(), "FILE: ");
        CHECK_CONTAINS(hk_message(), cases[i].says);
        CHECK(!file.tensors && file.n_tensors == 0 && hki_live_blocks() == live);
        if (status == HK_OK)
            hki_st_clear(&file);
    }
}

static void huge_and_deep_headers_are_refused(void)
{
    hki_st_file file;
    size_t size = by_hand("{" A "}", 8);
    for (int bit = 13; bit < 64; bit++) {
        uint64_t length = (uint64_t)1 << bit;
        memcpy(file_bytes, &length, 8);
        CHECK_EQUAL(parse(size, &file), HK_BAD_DATA);
    }
    size_t large = (size_t)5 << 20;
    uint8_t *bytes = malloc(large + 8);
    uint64_t length = large;
    memset(bytes, ' ', large + 8);
    memcpy(bytes, &length, 8);
    bytes[8] = '{';
    bytes[9] = '}';
    CHECK_EQUAL(hki_st_parse("FILE", bytes, large + 8, &file), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "a header of 5242880 bytes, at most");
    length = (uint64_t)1 << 16;
    memcpy(bytes, &length, 8);
    memset(bytes + 8, '[', large);
    memcpy(bytes + 8, "{\"a\":", 5);
    CHECK_EQUAL(hki_st_parse("FILE", bytes, large + 8, &file), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "depth");
    free(bytes);
}

/* A list of nothing but {} takes eighty times its text. */
static void a_header_of_many_values_is_refused_unread(void)
{
    enum { SIZE = 4 << 20, DATA = SIZE + 1000 };
    hki_st_file file;
    uint8_t *bytes = calloc(8 + SIZE + DATA, 1);
    const uint64_t length = SIZE;
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, "{\"a\":[", 6);
    for (size_t i = 6; i + 3 <= SIZE; i += 3)
        memcpy(bytes + 8 + i, "{},", 3);
    memcpy(bytes + 8 + SIZE - 4, "{}]}", 4);
    for (size_t data = 0; data <= DATA; data += DATA) {
        CHECK_EQUAL(hki_st_parse("FILE", bytes, 8 + SIZE + data, &file), HK_BAD_DATA);
        CHECK_CONTAINS(hk_message(), "its header would take 3");
    }
    free(bytes);
}

/* Brackets of a text are none, behind a quote of that text either. */
static void a_text_of_many_brackets_is_one_value(void)
{
    static const char head[] = "{\"__metadata__\":{\"a\":\"\\\"\",\"b\":\"", tail[] = "\"}}";
    enum { BRACKETS = 200000 };
    char *header = malloc(sizeof head + BRACKETS + sizeof tail);
    hki_st_file file;
    memcpy(header, head, sizeof head);
    memset(header + sizeof head - 1, '[', BRACKETS);
    memcpy(header + sizeof head - 1 + BRACKETS, tail, sizeof tail);
    uint8_t *bytes = malloc(8 + strlen(header));
    const uint64_t length = strlen(header);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    CHECK_EQUAL(hki_st_parse("FILE", bytes, 8 + length, &file), HK_OK);
    hki_st_clear(&file);
    free(bytes);
    free(header);
}

/* What its first bytes rule out is not read: here 3 GB, of which the disk has one block. */
static void large_files_are_judged_by_their_head(void)
{
    static const struct {
        const char *head;
        size_t most;
        const char *says;
    } cases[] = {
        {"", 512, "not safetensors, or cut short: a header of 0 bytes in a file of 3221225472"},
        {"label,pixel0", 512, "not safetensors"},
        {"\x1e\0\0\0\0\0\0\0{\"__metadata__\":{\"format\":\"\"}}", 512,
         "3221225434 bytes of data, the tensors take 0"},
        {"\0\0\x50\0\0\0\0\0{", 512, "a header of 5242880 bytes, at most"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[64] = "";
        hki_st_file file;
        memcpy(head, cases[i].head, i < 2 ? strlen(cases[i].head) : i == 2 ? 38 : 9);
        FILE *out = fopen(path, "wb");
        CHECK(out && fwrite(head, 1, sizeof head, out) == sizeof head && !fclose(out));
        CHECK_EQUAL(truncate(path, (off_t)3 << 30), 0);
        bytes_read = 0;
        hki_files.read = counting_read;
        CHECK_EQUAL(hki_st_read(path, &file), HK_BAD_DATA);
        hki_files.read = read;
        CHECK_CONTAINS(hk_message(), cases[i].says);
        CHECK(bytes_read <= cases[i].most);
    }
    CHECK_EQUAL(write_ours(), HK_OK);
    hki_st_file file;
    CHECK_EQUAL(hki_st_read_header(path, &file), HK_OK);
    CHECK(file.n_tensors == 4 && !file.data && !file.tensors[0].data);
    CHECK_EQUAL(file.tensors[0].bytes, sizeof weights);
    hki_st_clear(&file);
}

static void other_files_are_named(void)
{
    hki_st_file file;
    static const struct {
        const char *bytes, *says;
    } cases[] = {
        {"", "it is an empty file"},
        {"<!DOCTYPE html><html></html>", "it is an HTML page"},
        {"version https://git-lfs.github.com/spec/v1\n", "it is a Git LFS pointer"},
        {"PK\x03\x04 and so on", "it is a ZIP archive"},
        {"hello", "it is a text file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *bytes = cases[i].bytes;
        CHECK_EQUAL(hki_st_parse("F", (const uint8_t *)bytes, strlen(bytes), &file), HK_BAD_DATA);
        CHECK_CONTAINS(hk_message(), cases[i].says);
    }
    unlink(path);
    CHECK_EQUAL(hki_st_read(path, &file), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "No such file or directory");
    CHECK(!file.tensors);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void every_prefix_is_refused(void)
{
    hki_st_file file;
    size_t ours = load_ours();
    for (size_t cut = 0; cut < ours; cut++)
        CHECK_EQUAL(parse(cut, &file), HK_BAD_DATA);
    CHECK_EQUAL(parse(ours, &file), HK_OK);
    hki_st_clear(&file);
    size_t theirs = by_hand("{" A "}", 8);
    for (size_t cut = 0; cut < theirs; cut++)
        CHECK_EQUAL(parse(cut, &file), HK_BAD_DATA);
}

static void every_flipped_bit_is_refused(void)
{
    hki_st_file file;
    size_t size = load_ours();
    for (size_t bit = 0; bit < 8 * size; bit++) {
        file_bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        hk_status status = parse(size, &file);
        if (status != HK_BAD_DATA)
            printf("bit %zu of byte %zu\n", bit % 8, bit / 8);
        CHECK_EQUAL(status, HK_BAD_DATA);
        hki_st_clear(&file);
        file_bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQUAL(parse(size, &file), HK_OK);
    hki_st_clear(&file);
}

/* Whole and undamaged, but of a format that is not known yet. */
static void a_later_format_is_refused(void)
{
    static const char start[] = "{\"__metadata__\":{\"hk.format\":\"2\",\"hk.digest\":\"";
    char header[256], digest[65];
    snprintf(header, sizeof header, "%s%064d\"}}", start, 0);
    hki_piece piece = {file_bytes, by_hand(header, 0)};
    hki_sha256_hex(&piece, 1, digest);
    memcpy(file_bytes + 8 + strlen(start), digest, 64);
    hki_st_file file;
    CHECK_EQUAL(parse(piece.size, &file), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "hk.format is \"2\", this library reads 1");
}

/* Random damage of a file without digest: refused or used, but never out of bounds. */
static void random_damage_is_survived(void)
{
    hki_st_file file;
    uint32_t seed = 1;
    int accepted = 0;
    for (int trial = 0; trial < 20000; trial++) {
        size_t size = by_hand("{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1,2],"
                              "\"data_offsets\":[8,16]}}",
                              16);
        for (int i = 0; i < 1 + trial % 3; i++) {
            seed = seed * 1664525u + 1013904223u;
            file_bytes[(seed >> 8) % size] = (uint8_t) "0123456789[]{},:\"\\aF"[(seed >> 3) % 20];
        }
        if (parse(size, &file) == HK_OK)
            accepted++;
        for (size_t i = 0; i < file.n_tensors; i++) {
            const hki_st_tensor *tensor = &file.tensors[i];
            float values[8];
            CHECK(tensor->bytes <= 16 && tensor->begin + tensor->bytes <= 16);
            if (hki_st_is_floats(tensor))
                hki_st_floats(tensor, values);
        }
        hki_st_clear(&file);
    }
    CHECK(accepted > 0 && accepted < 20000);
}

/* ---- Refused memory -------------------------------------------------------------------------- */

static void each_refused_allocation_of_a_write(void)
{
    unlink(path);
    for (long k = 0;; k++) {
        size_t live = hki_live_blocks();
        allocations_left = k;
        hk_status status = write_ours();
        allocations_left = -1;
        CHECK_EQUAL(hki_live_blocks(), live);
        if (status == HK_OK) {
            CHECK(k > 2);
            break;
        }
        CHECK_EQUAL(status, HK_NO_MEMORY);
        CHECK_CONTAINS(hk_message(), "out of memory");
        CHECK(access(path, F_OK) != 0);
    }
}

static void each_refused_allocation_of_a_read(void)
{
    CHECK_EQUAL(write_ours(), HK_OK);
    for (long k = 0;; k++) {
        hki_st_file file;
        size_t live = hki_live_blocks();
        allocations_left = k;
        hk_status status = hki_st_read(path, &file);
        allocations_left = -1;
        if (status == HK_OK) {
            CHECK(k > 2);
            check_ours(&file);
            hki_st_clear(&file);
            break;
        }
        CHECK_EQUAL(status, HK_NO_MEMORY);
        CHECK_CONTAINS(hk_message(), "out of memory");
        CHECK(hki_live_blocks() == live && !file.tensors);
    }
}

static void nothing_is_left_behind(void)
{
    unlink(path);
    CHECK_EQUAL(hki_live_blocks(), 0);
}

int main(void)
{
    char folder[256];
    hk_set_allocator(&countdown);
    snprintf(folder, sizeof folder, "%s/hillock-st-XXXXXX", P_tmpdir);
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/file", folder);
    RUN(what_is_written_comes_back);
    RUN(the_data_lies_aligned_in_the_file);
    RUN(a_name_twice_is_not_written);
    RUN(names_and_shapes_are_checked_before_writing);
    RUN(a_file_of_another_program_loads);
    RUN(numbers_of_other_types_become_floats);
    RUN(departures_are_refused);
    RUN(huge_and_deep_headers_are_refused);
    RUN(a_header_of_many_values_is_refused_unread);
    RUN(a_text_of_many_brackets_is_one_value);
    RUN(large_files_are_judged_by_their_head);
    RUN(other_files_are_named);
    RUN(every_prefix_is_refused);
    RUN(every_flipped_bit_is_refused);
    RUN(a_later_format_is_refused);
    RUN(random_damage_is_survived);
    RUN(each_refused_allocation_of_a_write);
    RUN(each_refused_allocation_of_a_read);
    RUN(nothing_is_left_behind);
    rmdir(folder);
    return check_result();
}
