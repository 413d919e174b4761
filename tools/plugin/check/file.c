/* The file itself, read as an ELF object before anything of it runs: what it exports and imports,
 * what runs when it is loaded, what it may write to. Machines with 64-bit addresses only. */
#include "plugin/check/check.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct image {
    const char *bytes;
    size_t size;
    const Elf64_Shdr *sections;
    unsigned n_sections;
    const char *names;
    bool instrumented; /* a sanitizer's or gcov's own code and counters are in it */
} image;

/* ---- Imports --------------------------------------------------------------------------------- */

/* What compilers emit by themselves, and libm: a prefix ends with '*'. */
static const char *const allowed[] = {"memcpy",         "memset",           "memmove",
                                      "memcmp",         "__stack_chk_fail", "__stack_chk_guard",
                                      "__cxa_finalize", "__gmon_start__",   "_ITM_*",
                                      "__asan_*",       "__ubsan_*",        "__sanitizer_*",
                                      "__gcov*",        "__memcpy_chk",     "__memset_chk",
                                      "__signbit*",     "__isnan*",         "__isinf*",
                                      "__finite*",      "__fpclassify*",    NULL};
/* What models may import beside; whether a file holds one is known only when it is loaded. */
static const char *const of_models[] = {"hk_*",     "str*",           "__str*",
                                        "snprintf", "__snprintf_chk", NULL};
static const char *const libm[] = {
    "exp",   "exp2",      "exp10",     "expm1",      "log",         "log2",   "log10",
    "log1p", "logb",      "ilogb",     "sin",        "cos",         "tan",    "asin",
    "acos",  "atan",      "atan2",     "sinh",       "cosh",        "tanh",   "asinh",
    "acosh", "atanh",     "sincos",    "pow",        "sqrt",        "cbrt",   "hypot",
    "erf",   "erfc",      "lgamma",    "tgamma",     "j0",          "j1",     "jn",
    "y0",    "y1",        "yn",        "floor",      "ceil",        "round",  "trunc",
    "rint",  "nearbyint", "lround",    "llround",    "lrint",       "llrint", "roundeven",
    "fabs",  "fmod",      "remainder", "remquo",     "drem",        "modf",   "frexp",
    "ldexp", "scalb",     "scalbn",    "scalbln",    "copysign",    "fmin",   "fmax",
    "fdim",  "fma",       "nextafter", "nexttoward", "significand", "nan",    NULL};

/* What stands behind a name that begins so, for the sentence. */
static const struct {
    const char *why, *prefixes[12];
} reasons[] = {
    {"OpenMP: parallelism belongs to the framework", {"GOMP_", "omp_", "__kmpc"}},
    {"threads belong to the framework", {"pthread_", "thrd_"}},
    {"memory belongs to the framework",
     {"malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "mmap"}},
    {"a plugin does not print",
     {"printf", "__printf_chk", "__fprintf_chk", "fprintf", "puts", "putchar", "write", "fwrite"}},
    {"the locale belongs to the program", {"setlocale"}},
    {"signals belong to the program", {"signal", "sigaction"}},
    {"the floating-point mode belongs to the program", {"fesetround", "fesetenv"}},
    {"a plugin does not end the program", {"exit", "_exit", "abort", "__assert_fail"}},
    {"random numbers come from the key", {"rand"}},
    {"a plugin depends on its arguments alone", {"time", "clock", "getenv"}},
};

static bool is_listed(const char *name, const char *const *list)
{
    for (; *list; list++) {
        const size_t length = strcspn(*list, "*");
        if (strncmp(name, *list, length) == 0 && ((*list)[length] == '*' || !name[length]))
            return true;
    }
    return false;
}

/* Float and long double variants, and gcc's __expf_finite. */
static bool is_libm(const char *name)
{
    char plain[32];
    size_t length = strlen(name);
    if (length >= sizeof plain || length < 2)
        return false;
    memcpy(plain, name, length + 1);
    if (is_listed(plain, libm))
        return true;
    if (plain[length - 1] == 'f' || plain[length - 1] == 'l')
        plain[length - 1] = '\0';
    return is_listed(plain, libm);
}

/* ---- Symbols --------------------------------------------------------------------------------- */

static const char *text_at(const image *it, const Elf64_Shdr *strings, uint64_t offset)
{
    const char *start = it->bytes + strings->sh_offset;
    return offset < strings->sh_size && memchr(start + offset, 0, strings->sh_size - offset)
               ? start + offset
               : "?";
}

static const Elf64_Shdr *section(const image *it, uint32_t type, const char *name)
{
    for (unsigned i = 0; i < it->n_sections; i++)
        if (it->sections[i].sh_type == type &&
            (!name || strcmp(it->names + it->sections[i].sh_name, name) == 0))
            return &it->sections[i];
    return NULL;
}

static void check_import(const char *name)
{
    const char *why = "a plugin imports libm alone";
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        for (const char *const *prefix = reasons[i].prefixes; *prefix; prefix++)
            if (strncmp(name, *prefix, strlen(*prefix)) == 0)
                why = reasons[i].why;
    if (*name && !is_listed(name, allowed) && !is_libm(name) && !is_listed(name, of_models))
        check_fail("imports %s: %s", name, why);
}

static void check_symbol(const image *it, const char *name, const Elf64_Sym *symbol)
{
    const unsigned binding = ELF64_ST_BIND(symbol->st_info);
    if (symbol->st_shndx == SHN_UNDEF) {
        if (!it->instrumented)
            check_import(name);
    } else if (!it->instrumented && binding != STB_LOCAL && strcmp(name, "hk_bundle_entry") != 0 &&
               !is_listed(name, (const char *const[]){"_init", "_fini", "_edata", "_end",
                                                      "__bss_start", NULL})) {
        check_fail(
            "exports %s, expected hk_bundle_entry alone; build with -fvisibility=hidden or make "
            "it static",
            name);
    }
}

/* Calls `check` for each symbol of the table of this type, if there is one. */
static void each_symbol(const image *it, uint32_t type,
                        void (*check)(const image *, const char *, const Elf64_Sym *))
{
    const Elf64_Shdr *table = section(it, type, NULL);
    if (!table || table->sh_link >= it->n_sections || table->sh_entsize != sizeof(Elf64_Sym))
        return;
    const Elf64_Sym *symbols = (const void *)(it->bytes + table->sh_offset);
    for (uint64_t i = 1; i < table->sh_size / sizeof *symbols; i++)
        check(it, text_at(it, &it->sections[table->sh_link], symbols[i].st_name), &symbols[i]);
}

/* ---- Everything else ------------------------------------------------------------------------- */

#define SHARED "several threads would share it; what persists is a slot"

/* A variable by its name, where the file still has names. */
static void check_variable(const image *it, const char *name, const Elf64_Sym *symbol)
{
    static const char *const own[] = {"completed.*", "__dso_handle", "__TMC_END__", NULL};
    const unsigned in = symbol->st_shndx, type = ELF64_ST_TYPE(symbol->st_info);
    if (type == STT_TLS)
        check_fail("has thread-local memory, %s; what persists is a slot", name);
    if (type != STT_OBJECT || in >= it->n_sections || is_listed(name, own))
        return;
    const char *place = it->names + it->sections[in].sh_name;
    if (strcmp(place, ".bss") == 0 || strcmp(place, ".data") == 0)
        check_fail("keeps writable memory, %llu bytes of %s: " SHARED,
                   (unsigned long long)symbol->st_size, name);
}

/* Compilers bring one constructor, frame_dummy, one byte of .bss and a pointer in .data. */
static void check_memory(const image *it)
{
    const Elf64_Shdr *start = section(it, SHT_INIT_ARRAY, NULL);
    const Elf64_Shdr *zeros = section(it, SHT_NOBITS, ".bss");
    const Elf64_Shdr *data = section(it, SHT_PROGBITS, ".data");
    const uint64_t writable = (zeros ? zeros->sh_size : 0) + (data ? data->sh_size : 0);
    if (start && start->sh_size > sizeof(void *))
        check_fail("runs %d functions of its own when it is loaded (constructors, or -ffast-math)",
                   (int)(start->sh_size / sizeof(void *)) - 1);
    each_symbol(it, SHT_SYMTAB, check_variable);
    if (writable > 16)
        check_fail("keeps writable memory, %llu bytes: " SHARED,
                   (unsigned long long)(writable - 16));
}

static void check_dynamic(const image *it)
{
    const Elf64_Shdr *table = section(it, SHT_DYNAMIC, NULL);
    if (!table || table->sh_link >= it->n_sections)
        return;
    const Elf64_Dyn *rows = (const void *)(it->bytes + table->sh_offset);
    for (uint64_t i = 0; i < table->sh_size / sizeof *rows && rows[i].d_tag != DT_NULL; i++) {
        const char *name = text_at(it, &it->sections[table->sh_link], rows[i].d_un.d_val);
        if (rows[i].d_tag == DT_NEEDED && !strstr(name, "libm.") && !strstr(name, "libc.") &&
            !strstr(name, "libasan") && !strstr(name, "libubsan") && !strstr(name, "ld-linux") &&
            !strstr(name, "libmvec") && !strstr(name, "libgcc_s"))
            check_fail("needs %s, expected libm alone", name);
        if (rows[i].d_tag == DT_TEXTREL)
            check_fail("has text relocations; build it with -fPIC");
    }
}

/* Every table that is read lies within the file; other damage is the loader's to name. */
static bool is_sound(image *it, const Elf64_Ehdr *header)
{
    if (it->size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_shoff % 8 || header->e_phoff % 8 ||
        header->e_shoff > it->size ||
        header->e_shnum > (it->size - header->e_shoff) / sizeof(Elf64_Shdr) ||
        header->e_shstrndx >= header->e_shnum)
        return false;
    it->sections = (const void *)(it->bytes + header->e_shoff);
    it->n_sections = header->e_shnum;
    for (unsigned i = 0; i < it->n_sections; i++) {
        const Elf64_Shdr *s = &it->sections[i];
        if (s->sh_type != SHT_NOBITS &&
            (s->sh_offset > it->size || s->sh_size > it->size - s->sh_offset))
            return false;
        if ((s->sh_type == SHT_DYNSYM || s->sh_type == SHT_SYMTAB || s->sh_type == SHT_DYNAMIC) &&
            s->sh_offset % 8)
            return false;
    }
    const Elf64_Shdr *names = &it->sections[header->e_shstrndx];
    it->names = it->bytes + names->sh_offset;
    for (unsigned i = 0; i < it->n_sections; i++)
        if (it->sections[i].sh_name >= names->sh_size)
            return false;
    return names->sh_size && it->names[names->sh_size - 1] == '\0';
}

/* Its bytes are NULL where there is no file to read. */
static image open_image(const char *path)
{
    struct stat about;
    image it = {0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
        it.size = (size_t)about.st_size;
        it.bytes = mmap(NULL, it.size, PROT_READ, MAP_PRIVATE, fd, 0);
        it.bytes = it.bytes == MAP_FAILED ? NULL : it.bytes;
    }
    if (fd >= 0)
        close(fd);
    static const char *const marks[] = {"__asan_init", "__ubsan_handle_", "__gcov_"};
    for (int i = 0; i < 3 && it.bytes; i++)
        it.instrumented |= memmem(it.bytes, it.size, marks[i], strlen(marks[i])) != NULL;
    return it;
}

static void close_image(const image *it)
{
    if (it->bytes)
        munmap((void *)it->bytes, it->size);
}

bool check_file_is_instrumented(const char *path)
{
    const image it = open_image(path);
    close_image(&it);
    return it.instrumented;
}

static void check_segments(const image *it, const Elf64_Ehdr *header)
{
    const Elf64_Phdr *segments = (const void *)(it->bytes + header->e_phoff);
    for (unsigned i = 0;
         header->e_phoff + (i + 1) * sizeof *segments <= it->size && i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_GNU_STACK && segments[i].p_flags & PF_X)
            check_fail("wants an executable stack");
        if (segments[i].p_type == PT_TLS && !it->instrumented)
            check_fail("has thread-local memory; what persists is a slot");
    }
}

/* Looks at the file if it is a whole object. */
static void examine(const char *path, void (*look)(const image *))
{
    image it = open_image(path);
    if (!it.bytes)
        check_skip("no file to read: loading says why");
    else if (!is_sound(&it, (const void *)it.bytes))
        check_skip("no whole 64-bit ELF object: loading says why");
    else
        look(&it);
    close_image(&it);
}

static void look_at_file(const image *it)
{
    each_symbol(it, SHT_DYNSYM, check_symbol);
    check_dynamic(it);
    if (!it->instrumented)
        check_memory(it);
    check_segments(it, (const void *)it->bytes);
    if (it->instrumented)
        check_tell("what a sanitizer or gcov brings and keeps is its own");
}

void check_test_file(const subject *s)
{
    examine(s->file, look_at_file);
}

static void check_kernel_import(const image *it, const char *name, const Elf64_Sym *symbol)
{
    if (!it->instrumented && symbol->st_shndx == SHN_UNDEF && is_listed(name, of_models))
        check_fail("imports %s: only a model calls layer functions", name);
}

static void look_at_imports(const image *it)
{
    each_symbol(it, SHT_DYNSYM, check_kernel_import);
}

void check_test_imports(const subject *s)
{
    examine(s->file, look_at_imports);
}
