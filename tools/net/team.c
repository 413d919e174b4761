/* Finding out who started this process. A launcher of MPI leaves its marks in the environment; the calls of
 * MPI are in a shared object beside the program, one for each MPI, or in HILLOCK_TEAM. */
#include "net/team.h"

#include "module.h"
#include "output.h"
#include "modules/team.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>

static hk_team team;
static const team_entry *entry; /* NULL: no team is open */

/* Which launcher sets which variable. */
static const struct launcher {
    const char *ranks, *file;
} launchers[] = {{"OMPI_COMM_WORLD_SIZE", "openmpi"}, {"PMI_SIZE", "mpich"}};

/* The file of whoever started more than one process; false: nobody did. */
static bool find_file(char *path, size_t size)
{
    const char *given = getenv("HILLOCK_TEAM");
    if (given && *given)
        return snprintf(path, size, "%s", given) < (int)size;
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        const char *ranks = getenv(launchers[i].ranks);
        if (ranks && atoi(ranks) > 1)
            return tool_module_path(launchers[i].file, path, size);
    }
    return false;
}

static int load(const char *path, double wait)
{
    void *file =
        dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* what MPI itself opens looks for its symbols */
    if (!file)
        return tool_fail(EXIT_USAGE,
                         "several processes were started, and what connects them does "
                         "not open: %s",
                         dlerror());
    const team_entry *found = dlsym(file, "hillock_team");
    if (!found || found->version != TEAM_VERSION)
        return tool_fail(EXIT_USAGE, "%s %s", path,
                         found ? "was built for another version" : "has no hillock_team");
    const char *reason = found->open(&team, wait);
    if (reason)
        return tool_fail(EXIT_IO, "%s: %s", path, reason);
    entry = found;
    return EXIT_DONE;
}

int net_team_open(options *given, const hk_team **out)
{
    char path[PATH_MAX];
    *out = NULL;
    if (!find_file(path, sizeof path))
        return EXIT_DONE;
    const int status = load(path, given->wait);
    if (status)
        return status;
    if (!given->parts)
        return tool_fail(EXIT_USAGE,
                         "%d processes need --parts N, the number of parts of a batch that "
                         "they share: a power of two, at least %d",
                         team.ranks, team.ranks);
    if (given->find_rate)
        return tool_fail(EXIT_USAGE, "train: --find-rate is for one process");
    if (team.rank > 0) {
        given->out = given->db = given->tensorboard = NULL;
        given->json = false;
        tool_be_silent();
    }
    *out = team.ranks > 1 ? &team : NULL;
    return EXIT_DONE;
}

void net_team_close(int status)
{
    if (entry)
        entry->close(status);
    entry = NULL;
}
