/* inspect.h - hillock inspect: what its part for nets and its part for plugins share. */
#pragma once
#include <hillock/hillock.h>

#include "options.h"

/* Every plugin of this name, of any kind. */
int plugin_inspect(const char *name, const options *given);
/* Every plugin of a file. */
int plugin_inspect_file(const char *path, const options *given);

/* The contract that the plugin's file was built for, beside this program's: "1.0, of hillock 1.0". */
enum { NET_CONTRACT = 64 };
const char *net_contract(const hk_plugin *plugin, char text[NET_CONTRACT]);
