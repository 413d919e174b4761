/* ask.h - what workers say of a command line before it is run; no plugin's code is loaded here. The
 * functions that return a status return 0 or the exit status, told. */
#pragma once
#include "compare/plan.h"
#include <hillock/registry.h>

/* The files of --plugin, as requests have them. */
json_t *compare_ask_plugins(const options *given);
/* The list with its sets, @core, written out; the caller frees it. */
int compare_ask_list(const options *given, hk_kind kind, const char *list, char **out);
/* Fills in what the rows' requests come to: canonical specs, digests, costs. A plugin that ends its
 * worker gives its rows a failure instead. */
int compare_ask_rows(const options *given, plan *of);
