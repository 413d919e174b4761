/* Where plugins are looked for, and whether others could have put them there.
 *
 * Order: HILLOCK_PLUGIN_PATH, the user's data directory, then the directory that belongs to this
 * program: beside the executable, so that an installed tree can be moved, else where it was built,
 * else where it was installed; the first of these three that exists. Never the current directory.
 * The environment is ignored when the process has raised privileges. */
#include "plugin/loader.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)
#define FOLDER      "hillock/plugins-" TEXT_OF(HK_ABI_MAJOR)

/* The entries of HILLOCK_PLUGIN_PATH. Relative ones would mean another directory each time. */
static hk_status visit_path(hki_directory_visit *visit, void *user)
{
    const char *rest = secure_getenv("HILLOCK_PLUGIN_PATH");
    hk_status status = HK_OK;
    while (rest && *rest && status == HK_OK) {
        char directory[HKI_MAX_PATH];
        size_t length = strcspn(rest, ":");
        snprintf(directory, sizeof directory, "%.*s", (int)(length < HKI_MAX_PATH ? length : 0),
                 rest);
        rest += length + (rest[length] == ':');
        if (length == 0)
            continue;
        status = visit(user, directory,
                       directory[0] == '/' ? NULL
                                           : "HILLOCK_PLUGIN_PATH takes absolute directories only");
    }
    return status;
}

static hk_status visit_user(hki_directory_visit *visit, void *user)
{
    char directory[HKI_MAX_PATH];
    const char *data = secure_getenv("XDG_DATA_HOME"), *home = secure_getenv("HOME");
    int length = -1;
    if (data && data[0] == '/')
        length = snprintf(directory, sizeof directory, "%s/" FOLDER, data);
    else if (home && home[0] == '/')
        length = snprintf(directory, sizeof directory, "%s/.local/share/" FOLDER, home);
    return length > 0 && length < HKI_MAX_PATH ? visit(user, directory, NULL) : HK_OK;
}

/* DIR/../lib/hillock/plugins-0 for a program DIR/name; "" when that cannot be known. */
static void beside_executable(char out[HKI_MAX_PATH])
{
    char program[HKI_MAX_PATH];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    out[0] = '\0';
    if (length <= 0)
        return;
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    if (snprintf(out, HKI_MAX_PATH, "%s/../lib/" FOLDER, program) >= HKI_MAX_PATH)
        out[0] = '\0';
}

static hk_status visit_own(hki_directory_visit *visit, void *user)
{
    char beside[HKI_MAX_PATH];
    beside_executable(beside);
    const char *const places[] = {
        beside,
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

hk_status hki_each_directory(hki_directory_visit *visit, void *user)
{
    hk_status status = visit_path(visit, user);
    if (status == HK_OK)
        status = visit_user(visit, user);
    if (status == HK_OK)
        status = visit_own(visit, user);
    return status;
}

bool hki_next_file(const char *directory, char name[HKI_MAX_NAME])
{
    char best[HKI_MAX_NAME] = "";
    DIR *listing = opendir(directory);
    if (!listing)
        return false;
    for (const struct dirent *row; (row = readdir(listing));) {
        size_t length = strlen(row->d_name);
        if (length > 3 && length < sizeof best && !strcmp(row->d_name + length - 3, ".so") &&
            strcmp(row->d_name, name) > 0 && (!best[0] || strcmp(row->d_name, best) < 0))
            memcpy(best, row->d_name, length + 1);
    }
    closedir(listing);
    memcpy(name, best, sizeof best);
    return best[0] != '\0';
}

/* Root's and our own are fine, as long as not everybody may write; in a sticky directory others
 * cannot replace what is ours. */
static hk_status check_owner(const char *path, const char *part, const struct stat *about)
{
    bool sticky = S_ISDIR(about->st_mode) && about->st_mode & S_ISVTX;
    if (about->st_uid != 0 && about->st_uid != geteuid())
        return hki_fail(HK_BAD_PLUGIN, "plugin \"%s\": \"%s\" belongs to another user (%u) (P02)",
                        path, part, (unsigned)about->st_uid);
    if (about->st_mode & S_IWOTH && !sticky)
        return hki_fail(
            HK_BAD_PLUGIN,
            "plugin \"%s\": \"%s\" is writable by any other user; fix it with \"chmod o-w "
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
        return hki_fail(HK_BAD_PLUGIN, "plugin \"%s\": \"%s\" cannot be examined: %m (P02)", path,
                        parent);
    hk_status status = check_owner(path, parent, &folder);
    return status == HK_OK ? check_owner(path, path, file) : status;
}
