/* net/team.h - the processes that train together, if whoever started this one started several. */
#pragma once
#include "options.h"
#include <hillock/hillock.h>

/* *out: of them; NULL: this one is alone. Those but the first fall silent: only sentences of failures are
 * theirs, and they write no file. The options must fit: a number of parts. */
int net_team_open(options *given, const hk_team **out);
/* Ends with the command's status: one that is not 0 ends all. */
void net_team_close(int status);
