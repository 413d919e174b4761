/* Program and machine as JSON; digests of data sets. */
#include "compare/provenance.h"
#include "output.h"

#include <sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

static void read_processor(char *out, size_t size)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");
    snprintf(out, size, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        snprintf(out, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file)
        fclose(file);
}

json_t *compare_provenance_json(int threads, int jobs)
{
    char program[SHA256_DIGEST_STRING_LENGTH] = "", processor[256], system[256] = "", started[32];
    struct utsname about;
    const time_t now = time(NULL);
    struct tm utc;
    read_processor(processor, sizeof processor);
    if (!SHA256File("/proc/self/exe", program))
        program[0] = '\0';
    if (uname(&about) == 0)
        snprintf(system, sizeof system, "%.60s %.120s %.60s", about.sysname, about.release,
                 about.machine);
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    const json_int_t memory =
        (json_int_t)sysconf(_SC_PHYS_PAGES) * (json_int_t)sysconf(_SC_PAGESIZE) >> 20;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:I, s:s, s:i, s:i, s:s}", "version",
                     hk_version(), "program", program, "compiler", COMPILER, "instruction_set",
                     hk_isa_name(), "engine", hk_engine_name(), "processor",
                     tool_json_text(processor), "processors", (int)sysconf(_SC_NPROCESSORS_ONLN),
                     "memory_mib", memory, "system", system, "threads", threads, "jobs", jobs,
                     "started", started);
}

static bool same_origin(const json_t *a, const json_t *b)
{
    return json_equal(json_object_get(a, "program"), json_object_get(b, "program")) &&
           json_equal(json_object_get(a, "processor"), json_object_get(b, "processor"));
}

char *compare_provenance_merged(const char *before, const char *now, bool *others)
{
    json_t *old = json_loads(before, 0, NULL), *it = json_loads(now, 0, NULL), *one, *two;
    json_t *past = json_array(), *earlier = json_array();
    size_t i, k;
    json_array_extend(past, json_object_get(old, "earlier"));
    json_array_extend(past, json_object_get(it, "earlier"));
    json_object_del(old, "earlier");
    if (json_object_size(old) && !same_origin(old, it))
        json_array_append(earlier, old);
    json_array_foreach(past, i, one)
    {
        bool known = same_origin(one, it);
        json_array_foreach(earlier, k, two) known = known || same_origin(one, two);
        if (!known)
            json_array_append(earlier, one);
    }
    *others = json_array_size(earlier) > 0;
    if (*others)
        json_object_set(it, "earlier", earlier);
    char *text = it ? tool_json_written(it, JSON_COMPACT) : NULL;
    json_decref(old), json_decref(it), json_decref(past), json_decref(earlier);
    return text;
}

/* Each image is folded to 64 bits first (FNV-1a by words: Fowler, Noll, Vo): SHA-256 of every
 * pixel would take seconds where reading them takes a tenth. */
static bool add_set(SHA2_CTX *to, const hk_data *data)
{
    const hk_data_shape shape = hk_data_shape_of(data);
    const size_t pixels = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    const int64_t sizes[] = {shape.n, shape.height, shape.width, shape.channels, shape.classes};
    float *image = malloc(pixels * sizeof *image);
    SHA256Update(to, (const uint8_t *)sizes, sizeof sizes);
    for (int64_t i = 0; image && i < shape.n; i++) {
        const uint32_t index = (uint32_t)i;
        int32_t label;
        hk_data_read(data, &index, 1, image, &label);
        uint64_t hash = 0xCBF29CE484222325;
        for (size_t k = 0; k < pixels; k++) {
            uint32_t word;
            memcpy(&word, &image[k], sizeof word);
            hash = (hash ^ word) * 0x100000001B3;
        }
        const uint64_t both[] = {hash, (uint64_t)label};
        SHA256Update(to, (const uint8_t *)both, sizeof both);
    }
    free(image);
    return image;
}

bool compare_provenance_of_data(const hk_data *train, const hk_data *test, char out[65])
{
    SHA2_CTX sum;
    SHA256Init(&sum);
    const bool done = add_set(&sum, train) && add_set(&sum, test);
    SHA256End(&sum, out);
    return done;
}
