/* Brings a plugin file into memory: the only file that knows of dlopen.
 *
 * Loading runs code of the file (constructors), so everything that can be checked from outside is
 * checked first: whether it is a shared object for this machine, and whole (a truncated one
 * kills the process when its missing pages are touched). Afterwards nothing of the file is called
 * here; its entry is data. A file that is refused is unmapped again: it can be rebuilt and tried
 * once more, and what its constructors did is seen again. One that is accepted is never closed.
 *
 * A file has all the rights of the process: these checks are against mistakes, not malice. */
#include "plugin/loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <fenv.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

extern const ElfW(Ehdr) __ehdr_start
    __attribute__((visibility("hidden"))); /* our own, by the linker */

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_386: return "i386";
    case EM_AARCH64: return "aarch64";
    case EM_ARM: return "arm";
    case EM_RISCV: return "riscv";
    case EM_PPC64: return "ppc64";
    default: return "another machine";
    }
}

static hk_status check_header(const char *path, const ElfW(Ehdr) * header)
{
    const ElfW(Ehdr) *own = &__ehdr_start;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return hki_refuse("is not a shared object (P03)", path);
    if (header->e_ident[EI_CLASS] != own->e_ident[EI_CLASS])
        return hki_refuse("is for %s-bit programs, this hillock is not (P03)", path,
                          header->e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32");
    if (header->e_ident[EI_DATA] != own->e_ident[EI_DATA] || header->e_machine != own->e_machine)
        return hki_refuse("is for %s (%u), this hillock is for %s (P03)", path,
                          machine_name(header->e_machine), (unsigned)header->e_machine,
                          machine_name(own->e_machine));
    if (header->e_type != ET_DYN)
        return hki_refuse("is not a shared object but another kind of ELF file; "
                          "link it with -shared (P03)",
                          path);
    if (header->e_phentsize != sizeof(ElfW(Phdr)))
        return hki_refuse("has a damaged ELF header (P03)", path);
    return HK_OK;
}

/* Every byte that the system will map must be there. */
static hk_status check_segments(const char *path, int fd, const ElfW(Ehdr) * header, uint64_t size)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        uint64_t place = header->e_phoff + (uint64_t)i * sizeof segment,
                 end = place + sizeof segment;
        if (header->e_phoff > size || end > size ||
            pread(fd, &segment, sizeof segment, (off_t)place) != (ssize_t)sizeof segment)
            return hki_refuse("is truncated: it ends within its ELF "
                              "headers, after %llu bytes (P03)",
                              path, (unsigned long long)size);
        if (__builtin_add_overflow(segment.p_offset, segment.p_filesz, &end) || end > size)
            return hki_refuse("is truncated: a segment ends at byte %llu, the file at %llu (P03)",
                              path, (unsigned long long)end, (unsigned long long)size);
    }
    return HK_OK;
}

hk_status hki_object_check(const char *path, const struct stat *file)
{
    ElfW(Ehdr) header;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return hki_refuse("cannot be opened: %m (P01)", path);
    hk_status status;
    const ssize_t got = pread(fd, &header, sizeof header, 0);
    if (got < 0)
        status = hki_fail(HK_IO, "plugin \"%s\": cannot be read: %m", path);
    else if (got != (ssize_t)sizeof header)
        status = hki_refuse("is not a shared object: it has only %lld bytes (P03)", path,
                            (long long)file->st_size);
    else
        status = check_header(path, &header);
    if (status == HK_OK)
        status = check_segments(path, fd, &header, (uint64_t)file->st_size);
    close(fd);
    return status;
}

const char *hki_own_library(void)
{
    Dl_info info;
    struct link_map *map = NULL;
    const void *here = (const void *)&hki_own_library;
    return dladdr1(here, &info, (void **)&map, RTLD_DL_LINKMAP) && map && map->l_name[0] == '/'
               ? map->l_name
               : NULL;
}

/* A program, or an interpreter, may have loaded this library for itself alone: models call its functions
 * too. It stays open, so the handle is not kept. */
static void share_own_symbols(void)
{
    const char *library = hki_own_library();
    if (library)
        dlopen(library, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
}

const char *volatile hki_opening;

/* dlopen with the mode kept. A file linked with -ffast-math sets flush-to-zero for the whole thread when it
 * is loaded: results would depend on which plugins are present. */
static hk_status open_quietly(const char *path, void **handle)
{
    fenv_t mode;
    fegetenv(&mode);
    unsigned before = hk_float_mode();
    int rounding = fegetround();
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *reason = *handle ? NULL : dlerror();
    unsigned after = hk_float_mode();
    bool changed = after != before || fegetround() != rounding;
    fesetenv(&mode);
    if (!*handle)
        return hki_refuse("cannot be loaded: %s (P04)", path, reason ? reason : "no reason given");
    if (changed)
        return hki_refuse("changed the floating-point mode while loading (%#x to %#x); "
                          "build it without -ffast-math and -Ofast (P05)",
                          path, before, after);
    return HK_OK;
}

/* A second OpenMP runtime in one process deadlocks or multiplies threads. */
static hk_status check_needed(const char *path, void *handle)
{
    struct link_map *map;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
        return hki_refuse("cannot be loaded: %s (P04)", path, dlerror());
    uintptr_t strings = 0;
    for (const ElfW(Dyn) *row = map->l_ld; row->d_tag != DT_NULL; row++)
        if (row->d_tag == DT_STRTAB)
            strings = row->d_un.d_ptr;
    if (strings < map->l_addr) /* some machines leave the table unrelocated */
        strings += map->l_addr;
    for (const ElfW(Dyn) *row = map->l_ld; row->d_tag != DT_NULL; row++) {
        const char *library =
            row->d_tag == DT_NEEDED ? (const char *)strings + row->d_un.d_val : "";
        if (!strncmp(library, "libgomp", 7) || !strncmp(library, "libomp", 6) ||
            !strncmp(library, "libiomp", 7))
            return hki_refuse("brings an OpenMP runtime, %s; parallelism belongs to the "
                              "framework (P16)",
                              path, library);
    }
    return HK_OK;
}

/* dlsym also finds the entry of a library that the file depends on: not this file's. */
static hk_status check_owner(const char *path, const struct stat *file, const void *entry)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    struct stat owner;
    if (!dladdr1(entry, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol ||
        stat(info.dli_fname, &owner) != 0)
        return hki_refuse("hk_bundle_entry is in no file (P08)", path);
    if (owner.st_dev != file->st_dev || owner.st_ino != file->st_ino)
        return hki_refuse("its hk_bundle_entry belongs to another file, %s (P08)", path,
                          info.dli_fname);
    if (ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT) /* the same bits in both ELF classes */
        return hki_refuse("hk_bundle_entry is a function, a constant object is wanted (P08)", path);
    /* Of another major version only mark and version are known: hki_bundle_check() refuses it. */
    const hk_bundle *bundle = entry;
    const size_t known = offsetof(hk_bundle, size);
    const bool is_other =
        symbol->st_size >= known && bundle->magic == HK_MAGIC && bundle->major != HK_ABI_MAJOR;
    if (symbol->st_size < (is_other ? known : sizeof(hk_bundle)))
        return hki_refuse("hk_bundle_entry has %llu bytes, %zu are wanted (P10)", path,
                          (unsigned long long)symbol->st_size, sizeof(hk_bundle));
    return HK_OK;
}

enum { PLUGIN_SIZE_1_0 = 112 };

/* What a file of a later version wants, as far as it says so. */
static const char *needs_of(const hk_bundle *bundle)
{
    return !bundle->needs || hki_text_fault(bundle->needs) ? "" : bundle->needs;
}

hk_status hki_bundle_check(const char *file, const hk_bundle *bundle)
{
    if (bundle->magic != HK_MAGIC)
        return hki_refuse("hk_bundle_entry lacks the HKLP mark (P08)", file);
    if (bundle->major != HK_ABI_MAJOR)
        return hki_refuse("is built for plugin ABI %u.%u, this hillock has ABI %d.%d; "
                          "rebuild it with the plugin.h of this version (P07)",
                          file, (unsigned)bundle->major, (unsigned)bundle->minor, HK_ABI_MAJOR,
                          HK_ABI_MINOR);
    if (bundle->minor > HK_ABI_MINOR)
        return hki_refuse(
            "needs plugin ABI %u.%u%s%s, this hillock has ABI %d.%d; update hillock, or "
            "build it without what is new (P07)",
            file, (unsigned)bundle->major, (unsigned)bundle->minor,
            *needs_of(bundle) ? ", for " : "", needs_of(bundle), HK_ABI_MAJOR, HK_ABI_MINOR);
    if (bundle->size < PLUGIN_SIZE_1_0 || bundle->size > sizeof(hk_plugin))
        return hki_refuse("has plugin tables of %u bytes, %d to %zu are possible (P10)", file,
                          bundle->size, PLUGIN_SIZE_1_0, sizeof(hk_plugin));
    if (!bundle->plugins || bundle->count < 1 || bundle->count > HKI_MAX_BUNDLE)
        return hki_refuse("lists %u plugins, 1 to %d are possible (P10)", file,
                          bundle->plugins ? bundle->count : 0, HKI_MAX_BUNDLE);
    if (!hki_is_readable(bundle->plugins, (size_t)bundle->count * bundle->size))
        return hki_refuse("its list of plugins cannot be read: its address is none (P10)", file);
    return HK_OK;
}

hk_status hki_library_open(const char *path, const struct stat *file, hki_library *out)
{
    *out = (hki_library){NULL, NULL};
    hk_status status = hki_object_check(path, file);
    if (status != HK_OK)
        return status;
    share_own_symbols();
    status = open_quietly(path, &out->handle);
    if (status == HK_OK)
        status = check_needed(path, out->handle);
    if (status == HK_OK && !(out->bundle = dlsym(out->handle, "hk_bundle_entry")))
        status = hki_refuse("exports no hk_bundle_entry; not a hillock plugin, or built "
                            "without HK_BUNDLE (P06)",
                            path);
    if (status == HK_OK)
        status = check_owner(path, file, out->bundle);
    if (status == HK_OK)
        status = hki_bundle_check(path, out->bundle);
    if (status != HK_OK)
        hki_library_close(out);
    return status;
}

void hki_library_close(hki_library *library)
{
    if (library->handle)
        dlclose(library->handle);
    *library = (hki_library){NULL, NULL};
}
