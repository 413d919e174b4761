/* Where data sets come from: the table of sources, and specs "name:path,key=value". A new source is
 * a file with an hki_source_open, and a row here. */
#include "data/data.h"

#include "io/io.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const hki_source sources[] = {
    {"mnist:DIR",
     "IDX files, plain or .gz; handwritten digits, 28 x 28 x 1",
     hki_mnist_open,
     {{0}}},
    {"fashion-mnist:DIR",
     "IDX files, plain or .gz; articles of clothing, 28 x 28 x 1",
     hki_fashion_open,
     {{0}}},
    {"idx:PATH",
     "IDX files of any name and type, such as EMNIST; a folder, or the file of images",
     hki_idx_open,
     {[HKI_IDX_LABELS] = HKI_ANY_TEXT("labels", NULL),
      [HKI_IDX_PREFIX] = HKI_ANY_TEXT("prefix", NULL),
      [HKI_IDX_TEST] = HKI_REAL("test", 0.2, 0.001, 0.999, 0),
      [HKI_IDX_SEED] = HKI_WHOLE("seed", 1, 0, 0x1p53)}},
    {"cifar-10:DIR", "CIFAR-10 binary files; photographs, 32 x 32 x 3", hki_cifar_open, {{0}}},
    {"cifar-100:DIR",
     "CIFAR-100 binary files; photographs, 32 x 32 x 3; labels=coarse",
     hki_cifar_100_open,
     {[HKI_CIFAR_100_LABELS] = {.name = "labels", .type = HK_CHOICE, .choices = "fine|coarse"}}},
    {"images:DIR",
     "PNG and JPEG files, a folder per class; size=64",
     hki_images_open,
     {[HKI_IMAGES_SIZE] = HKI_WHOLE("size", 0, 1, 4096),
      [HKI_IMAGES_CHANNELS] = HKI_WHOLE("channels", 0, 1, 3),
      [HKI_IMAGES_TEST] = HKI_REAL("test", 0.2, 0.001, 0.999, 0),
      [HKI_IMAGES_SEED] = HKI_WHOLE("seed", 1, 0, 0x1p53)}},
    {"csv:FILE",
     "numbers and a label in each row; label=NAME|target=NAME,test=0.2|FILE,height=28,width=28",
     hki_csv_open,
     {[HKI_CSV_LABEL] = HKI_ANY_TEXT("label", "last"),
      [HKI_CSV_TARGET] = HKI_ANY_TEXT("target", NULL), /* a column of numbers to learn */
      [HKI_CSV_TEST] = HKI_ANY_TEXT("test", "0.2"),    /* a share, a file, or "all" */
      [HKI_CSV_SEED] = HKI_WHOLE("seed", 1, 0, 0x1p53),
      [HKI_CSV_HEIGHT] = HKI_WHOLE("height", 0, 1, HKI_MAX_SIDE),
      [HKI_CSV_WIDTH] = HKI_WHOLE("width", 0, 1, HKI_MAX_SIDE),
      [HKI_CSV_CHANNELS] = HKI_WHOLE("channels", 1, 1, HKI_MAX_SIDE),
      [HKI_CSV_DROP] = HKI_ANY_TEXT("drop", NULL),
      [HKI_CSV_HEADER] = {.name = "header", .type = HK_CHOICE, .choices = "auto|no|yes"}}},
    {"npz:FILE",
     "NumPy's x_train, y_train, x_test, y_test; or a folder of .npy; order=nchw",
     hki_npz_open,
     {[HKI_NPZ_TEST] = HKI_REAL("test", 0.2, 0.001, 0.999, 0),
      [HKI_NPZ_SEED] = HKI_WHOLE("seed", 1, 0, 0x1p53),
      [HKI_NPZ_ORDER] = {.name = "order", .type = HK_CHOICE, .choices = "nhwc|nchw"}}},
    {"glyphs",
     "drawn characters, made here; train=6000,test=1000,size=28,channels=1,seed=1",
     hki_glyphs_open,
     {[HKI_GLYPHS_TRAIN] = HKI_WHOLE("train", 6000, 1, 1e7),
      [HKI_GLYPHS_TEST] = HKI_WHOLE("test", 1000, 1, 1e7),
      [HKI_GLYPHS_SIZE] = HKI_WHOLE("size", 28, 8, 512),
      [HKI_GLYPHS_CHANNELS] = HKI_WHOLE("channels", 1, 1, HKI_GLYPHS_MAX_CHANNELS),
      [HKI_GLYPHS_SEED] = HKI_WHOLE("seed", 1, 0, 0x1p53)}},
};
enum { SOURCES = sizeof sources / sizeof *sources };

static hk_status open_spec(const char *spec, bool test_alone, hk_data **sets)
{
    char path[HKI_MAX_SPEC], begin[HKI_MAX_SPEC]; /* the spec without options, "csv:FILE" */
    double values[HKI_MAX_OPTIONS];
    int row = hki_spec_row("data set", spec, sources, SOURCES, sizeof *sources);
    if (row < 0)
        return hk_last_status();
    const hki_source *source = &sources[row];
    const size_t name = strcspn(source->form, ":");
    const bool takes_path = source->form[name];
    const bool quoted = takes_path && strlen(spec) > name && spec[name + 1] == '"';
    const char *behind = quoted ? strchr(spec + name + 2, '"') : NULL; /* the path */
    const size_t length = behind       ? (size_t)(behind + 1 - spec)
                          : takes_path ? strcspn(spec, ",")
                                       : name;
    if (takes_path && length <= name + 1)
        return hki_fail(HK_BAD_ARGUMENT, "data set \"%.200s\": no path, expected %s", spec,
                        source->form);
    if (quoted && (!behind || (behind[1] && behind[1] != ',')))
        return hki_fail(HK_BAD_ARGUMENT,
                        "data set \"%.200s\": expected a quote behind the path, then a comma",
                        spec);
    hk_status status =
        hki_spec_values("data set", source->form, spec, length, source->options, values);
    if (status != HK_OK)
        return status;
    snprintf(begin, sizeof begin, "%.*s", (int)length, spec);
    snprintf(path, sizeof path, "%.*s", (int)(length - name - 1 - 2 * quoted),
             spec + name + 1 + quoted);
    hki_request request = {spec, takes_path ? path : NULL, values, test_alone};
    status = source->open(&request, &sets[0], &sets[1]);
    for (int i = 0; i < 2 && status == HK_OK; i++)
        if (sets[i] && !(sets[i]->spec = hki_spec_text(begin, source->options, values, 17, spec)))
            status = HK_NO_MEMORY;
    if (status == HK_OK)
        hki_data_standardise(sets[0] ? sets[0] : sets[1], sets[1]);
    return status;
}

hk_status hk_data_open(const char *spec, hk_data **train, hk_data **test)
{
    hk_data *sets[2] = {NULL, NULL};
    if (train)
        *train = NULL;
    if (test)
        *test = NULL;
    if (hki_null(spec, train ? (void *)train : (void *)test))
        return HK_BAD_ARGUMENT;
    hk_status status = open_spec(spec, !train, sets);
    hk_data **const wanted[] = {train, test};
    for (int i = 0; i < 2; i++)
        if (status != HK_OK || !wanted[i])
            hk_data_free(sets[i]);
        else
            *wanted[i] = sets[i];
    return status;
}

const char *hk_data_source(int i, const char **summary)
{
    if (hki_null(summary))
        return NULL;
    bool known = i >= 0 && i < SOURCES;
    if (summary)
        *summary = known ? sources[i].summary : NULL;
    return known ? sources[i].form : NULL;
}

const char *hki_request_text(const hki_request *request, int option, const char *otherwise,
                             char out[HKI_MAX_NAME])
{
    size_t at = (size_t)request->values[option];
    if (!at)
        return otherwise;
    snprintf(out, HKI_MAX_NAME, "%.*s", (int)strcspn(request->spec + at, ","), request->spec + at);
    return out;
}

bool hki_data_file_exists(const char *path)
{
    struct stat info;
    return hki_files.stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}
