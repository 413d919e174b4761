/* store.h - comparisons in an SQLite file, opened by the coordinator alone.
 *
 * A run is planned, then running, then one of ok, failed, timeout, cancelled, each change one
 * transaction; a coordinator holds a lock on FILE that ends with it, so that what a dead one left
 * running is planned again. Who fails has told the reason and returns the exit status. */
#pragma once
#include "sweep/results.h"
#include <jansson.h>

typedef struct store store;

/* Opens or makes the file. A file that is not ours, damaged, of a newer schema or in use by another
 * coordinator is refused untouched. `writing`: a coordinator; else a reader, who needs no lock. */
int store_open(const char *path, bool writing, store **out);
void store_close(store *it);

/* The sweep of this name (NULL: the latest one), whole, for reports. */
int store_read(store *it, const char *name, results **out);
/* The same without times, process ids and what depends on the machine, as JSON in a fixed order:
 * equal for two sweeps that found the same. */
json_t *store_canonical(const results *r);
