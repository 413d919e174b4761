/* Where plugins are looked for, and whether others could have put them there.
 *
 * Order: HILLOCK_PLUGIN_PATH, the user's data directory, then the directory that belongs to this
 * library: beside it, or beside the program that it is linked into, so that an installed tree can be
 * moved; else where it was built, else where it was installed; the first of these that exists. Never the current directory.
 * The environment is ignored when the process has raised privileges. */
#include "plugin/loader.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)
#define FOLDER "hillock/plugins-" TEXT_OF(HK_ABI_MAJOR)

/* The entries of HILLOCK_PLUGIN_PATH, then the user's directory. Relative ones would mean another
 * directory each time. */
static hk_status visit_environment(hki_directory_visit *visit, void *user)
{
    char directory[HKI_MAX_PATH];
    const char *data = secure_getenv("XDG_DATA_HOME"), *home = secure_getenv("HOME");
    size_t length;
    hk_status status = HK_OK;
    for (const char *entry = hki_next_word(secure_getenv("HILLOCK_PLUGIN_PATH"), ':', &length);
         entry && status == HK_OK; entry = hki_next_word(entry + length, ':', &length)) {
        snprintf(directory, sizeof directory, "%.*s", (int)(length < HKI_MAX_PATH ? length : 0),
                 entry);
        if (length > 0)
            status = visit(
                user, directory,
                directory[0] == '/' ? NULL : "HILLOCK_PLUGIN_PATH takes absolute directories only");
    }
    int used = -1;
    if (data && data[0] == '/')
        used = snprintf(directory, sizeof directory, "%s/" FOLDER, data);
    else if (home && home[0] == '/')
        used = snprintf(directory, sizeof directory, "%s/.local/share/" FOLDER, home);
    if (status == HK_OK && used > 0 && used < HKI_MAX_PATH)
        status = visit(user, directory, NULL);
    return status;
}

/* What holds this code, DIR/name: `up` is joined to DIR; "" when that cannot be known. */
static void place_beside(const char *up, char out[HKI_MAX_PATH])
{
    char file[HKI_MAX_PATH];
    const char *library = hki_own_library();
    ssize_t length = library ? snprintf(file, sizeof file, "%s", library)
                             : readlink("/proc/self/exe", file, sizeof file - 1);
    out[0] = '\0';
    if (length <= 0 || length >= HKI_MAX_PATH)
        return;
    file[length] = '\0';
    *strrchr(file, '/') = '\0';
    if (snprintf(out, HKI_MAX_PATH, "%s%s", file, up) >= HKI_MAX_PATH)
        out[0] = '\0';
}

static hk_status visit_own(hki_directory_visit *visit, void *user)
{
    /* Of a library in lib, of one in lib/x86_64-linux-gnu, of a program in bin. */
    static const char *const ways[] = {"/" FOLDER, "/../" FOLDER, "/../lib/" FOLDER};
    enum { WAYS = sizeof ways / sizeof *ways };
    char beside[WAYS][HKI_MAX_PATH];
    for (int i = 0; i < WAYS; i++)
        place_beside(ways[i], beside[i]);
    const char *const places[] = {
        beside[0],
        beside[1],
        beside[2],
#ifdef HILLOCK_BUILD_PLUGIN_DIR
        HILLOCK_BUILD_PLUGIN_DIR,
#endif
#ifdef HILLOCK_INSTALL_PLUGIN_DIR
        HILLOCK_INSTALL_PLUGIN_DIR,
#endif
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i][0] == '/' && access(places[i], X_OK) == 0)
            return visit(user, places[i], NULL);
    return HK_OK;
}

/* HK_STOPPED: `user`, a path, lies in the directory. */
static hk_status holds(void *user, const char *directory, const char *refused)
{
    char real[PATH_MAX];
    size_t length = realpath(directory, real) ? strlen(real) : 0;
    (void)refused;
    return length && !strncmp(user, real, length) && ((const char *)user)[length] == '/'
               ? HK_STOPPED
               : HK_OK;
}

bool hki_plugin_is_own(const char *path)
{
    return path[0] != '/' || visit_own(holds, (void *)path) == HK_STOPPED;
}

hk_status hki_each_directory(hki_directory_visit *visit, void *user)
{
    hk_status status = visit_environment(visit, user);
    return status == HK_OK ? visit_own(visit, user) : status;
}

/* By bytes, whatever the locale. */
static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct dirent *const *)a)->d_name,
                  (*(const struct dirent *const *)b)->d_name);
}

static int is_plugin_name(const struct dirent *row)
{
    size_t length = strlen(row->d_name);
    return length > 3 && length < HKI_MAX_NAME && !strcmp(row->d_name + length - 3, ".so");
}

hk_status hki_each_file(const char *directory, hki_file_visit *visit, void *user)
{
    struct dirent **rows;
    char path[HKI_MAX_PATH];
    hk_status status = HK_OK;
    int count = scandir(directory, &rows, is_plugin_name, NULL);
    if (count < 0)
        return errno == ENOMEM ? hki_fail(HK_NO_MEMORY, "out of memory in \"%s\"", directory)
                               : HK_OK;
    if (count > 0) /* an empty directory has no list */
        qsort(rows, (size_t)count, sizeof(struct dirent *), by_name);
    for (int i = 0; i < count; i++) {
        if (status == HK_OK &&
            snprintf(path, sizeof path, "%s/%s", directory, rows[i]->d_name) < HKI_MAX_PATH)
            status = visit(user, path);
        free(rows[i]);
    }
    free(rows);
    return status;
}

/* Root's and our own are fine, as long as not everybody may write; in a sticky directory others
 * cannot replace what is ours. */
static hk_status check_owner(const char *path, const char *part, const struct stat *about)
{
    bool sticky = S_ISDIR(about->st_mode) && about->st_mode & S_ISVTX;
    if (about->st_uid != 0 && about->st_uid != geteuid())
        return hki_refuse("\"%s\" belongs to another user (%u) (P02)", path, part,
                          (unsigned)about->st_uid);
    if (about->st_mode & S_IWOTH && !sticky)
        return hki_refuse("\"%s\" is writable by any other user; fix it with \"chmod o-w "
                          "%s\" (P02)",
                          path, part, part);
    return HK_OK;
}

hk_status hki_trust_check(const char *path, const struct stat *file)
{
    struct stat folder;
    char directory[HKI_MAX_PATH];
    snprintf(directory, sizeof directory, "%s", path);
    *strrchr(directory, '/') = '\0';
    const char *parent = directory[0] ? directory : "/";
    if (stat(parent, &folder) != 0)
        return hki_refuse("\"%s\" cannot be examined: %m (P02)", path, parent);
    hk_status status = check_owner(path, parent, &folder);
    return status == HK_OK ? check_owner(path, path, file) : status;
}
