/* modules/team.h - what a shared object exports that connects the processes of hillock train. The program knows
 * nothing else of what starts it: see net/team.c. */
#pragma once
#include <hillock/team.h>

typedef struct team_entry {
    int version; /* TEAM_VERSION */
    /* Fills *team; NULL: done, else a sentence. wait: seconds after which a partner counts as lost. */
    const char *(*open)(hk_team *team, double wait);
    /* The last call. A status that is not 0 ends all processes, each with it. */
    void (*close)(int status);
} team_entry;
enum { TEAM_VERSION = 1 };

__attribute__((visibility("default"))) extern const team_entry hillock_team;
