/* scaffold.h - plugins to be filled in. */
#pragma once
#include <hillock/plugin.h>

/* The source of a plugin that works and says where to write; to be freed, NULL without memory. */
char *plugin_scaffold_text(hk_kind kind, const char *name);
