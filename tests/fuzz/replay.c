/* Runs a fuzz target without libFuzzer: every seed of a folder, then mutations of the seeds.
 *
 *     fuzz_NAME SEEDS MUTATIONS [NUMBER]
 *
 * Input k is seed k, or else a mutation that depends on k and the seeds alone. A child runs them
 * and notes the number in shared memory; when it dies, of a sanitizer or of time, its parent tells
 * how to run that input alone, and another child goes on behind it. The end tells what was slowest and
 * how much memory was in use. */
#include "fuzz.h"

#include <dirent.h>
#include <hillock/status.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

enum { MOST_BYTES = 1 << 16, MOST_FAILURES = 5, SECONDS = 20 };
#define MOST_BLOCK ((size_t)256 << 20) /* no input here is worth more memory at once */

typedef struct input {
    uint8_t bytes[MOST_BYTES];
    size_t size;
} input;

/* Shared with the children. */
typedef struct progress {
    volatile int next; /* the input at hand */
    int slowest;
    double seconds; /* of processor time, that it took */
    size_t block;   /* the largest */
    long kilobytes; /* resident at most */
} progress;
static progress *seen;

static const char *folder;
static struct dirent **seeds;
static int n_seeds;

static int is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void read_seed(int number, input *out)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, seeds[number]->d_name);
    FILE *file = fopen(path, "rb");
    REQUIRE(file);
    out->size = fread(out->bytes, 1, sizeof out->bytes, file);
    fclose(file);
}

/* ---- Mutations ------------------------------------------------------------------------------- */

/* SplitMix64 (Steele, Lea, Flood 2014), 0 .. n-1. */
static size_t draw(uint64_t *state, size_t n)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (size_t)((z ^ z >> 31) % n);
}

/* Puts `size` bytes in the place of `gone` bytes, as far as there is room. */
static void splice(input *in, size_t at, size_t gone, const void *bytes, size_t size)
{
    if (in->size - gone + size > sizeof in->bytes)
        return;
    memmove(in->bytes + at + size, in->bytes + at + gone, in->size - at - gone);
    memcpy(in->bytes + at, bytes, size);
    in->size += size - gone;
}

/* The number at or behind a place gives way to an extreme one. */
static void replace_number(input *in, size_t at, uint64_t *state)
{
    static const char *const extremes[] = {"0",
                                           "-1",
                                           "1e308",
                                           "-1e308",
                                           "1e-320",
                                           "nan",
                                           "2147483648",
                                           "4294967295",
                                           "9223372036854775807",
                                           "-9223372036854775808",
                                           "18446744073709551616",
                                           "0.1e",
                                           "00",
                                           "1000000000"};
    const char *number = extremes[draw(state, sizeof extremes / sizeof *extremes)];
    while (at < in->size && (in->bytes[at] < '0' || in->bytes[at] > '9'))
        at++;
    size_t length = 0;
    while (at + length < in->size && in->bytes[at + length] >= '0' && in->bytes[at + length] <= '9')
        length++;
    splice(in, at, length, number, strlen(number));
}

static void mutate(input *in, uint64_t *state)
{
    static const uint8_t edges[] = {0, 1, 9, '\n', '~', 0x7f, 0x80, 0xff};
    static input other;
    size_t at = draw(state, in->size + 1), length = draw(state, in->size - at + 1);
    size_t kind = draw(state, 7);
    if (kind == 0 && at < in->size)
        in->bytes[at] ^= (uint8_t)(1 << draw(state, 8));
    else if (kind == 1 && at < in->size)
        in->bytes[at] = edges[draw(state, sizeof edges)];
    else if (kind == 2)
        in->size = at;
    else if (kind == 3)
        splice(in, at, draw(state, 2) ? length : 0, "", 0);
    else if (kind == 4)
        replace_number(in, at, state);
    else if (kind == 5)
        other = *in, splice(in, at, 0, other.bytes + at, length); /* a piece twice */
    else {
        read_seed((int)draw(state, (size_t)n_seeds), &other);
        size_t from = draw(state, other.size + 1);
        splice(in, at, length, other.bytes + from, draw(state, other.size - from + 1));
    }
}

static void make(int number, input *out)
{
    uint64_t state = (uint64_t)number;
    read_seed(number % n_seeds, out);
    if (number >= n_seeds)
        for (size_t left = 1 + draw(&state, 4); left > 0; left--)
            mutate(out, &state);
}

/* ---- Running --------------------------------------------------------------------------------- */

static void *allocate(void *user, size_t bytes)
{
    (void)user;
    REQUIRE(bytes <= MOST_BLOCK);
    seen->block = bytes > seen->block ? bytes : seen->block;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void release(void *user, void *block)
{
    (void)user;
    free(block);
}

/* Runs the input at hand, a copy of its own size. */
static void run_one(void)
{
    static input in;
    struct rusage used;
    const clock_t begin = clock();
    make(seen->next, &in);
    uint8_t *exact = malloc(in.size ? in.size : 1);
    REQUIRE(exact);
    memcpy(exact, in.bytes, in.size);
    LLVMFuzzerTestOneInput(exact, in.size);
    free(exact);
    const double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    if (seconds > seen->seconds) {
        seen->seconds = seconds;
        seen->slowest = seen->next;
    }
    getrusage(RUSAGE_SELF, &used);
    seen->kilobytes = used.ru_maxrss > seen->kilobytes ? used.ru_maxrss : seen->kilobytes;
}

static void run(int last)
{
    static const hk_allocator bounded = {allocate, release, NULL};
    static const struct itimerval time = {.it_value.tv_sec = SECONDS}; /* of this process alone */
    hk_set_allocator(&bounded);
    for (; seen->next <= last; seen->next++) {
        setitimer(ITIMER_PROF, &time, NULL);
        run_one();
    }
}

static bool run_in_child(int last)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        run(last);
        exit(0); /* what leaked is found here */
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    return status == 0;
}

int main(int argc, char **argv)
{
    folder = argc > 2 ? argv[1] : "";
    n_seeds = scandir(folder, &seeds, is_seed, alphasort);
    if (n_seeds < 1) {
        fprintf(stderr, "usage: %s SEEDS MUTATIONS [NUMBER]\n", argv[0]);
        return 2;
    }
    int failed = 0, total = n_seeds + atoi(argv[2]);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(seen != MAP_FAILED);
    if (argc > 3) {
        seen->next = atoi(argv[3]);
        run(seen->next);
        return 0;
    }
    for (; seen->next < total && failed < MOST_FAILURES; seen->next++)
        if (!run_in_child(total - 1)) {
            failed++;
            printf("FAIL, from seed %s; alone: %s %s %s %d\n", seeds[seen->next % n_seeds]->d_name,
                   argv[0], folder, argv[2], seen->next);
        }
    printf("%d inputs; the slowest, %d, took %.2f s of processor time; at most %.1f MB in a block, "
           "%ld MB resident\n",
           seen->next < total ? seen->next : total, seen->slowest, seen->seconds,
           (double)seen->block / 1e6, seen->kilobytes / 1000);
    /* A seed is a case, with all its mutations. */
    printf("%d passed, %d failed, 0 skipped\n", failed < n_seeds ? n_seeds - failed : 0, failed);
    return failed > 0;
}
