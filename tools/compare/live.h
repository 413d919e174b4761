/* live.h - a sweep as it goes: on a terminal one line a job and one for all, drawn again and again;
 * elsewhere one plain line for each run that has ended. */
#pragma once
#include "compare/results.h"
#include <jansson.h>

typedef struct live live;

/* Of this sweep, `jobs` runs at a time; NULL when memory is refused. */
live *compare_live_new(const results *of, int jobs);
void compare_live_free(live *it);
/* A run was started, reported progress (pool.h), has ended in its state. */
void compare_live_start(live *it, const run_record *run);
void compare_live_progress(live *it, const run_record *run, const json_t *message);
void compare_live_end(live *it, const run_record *run);
/* It was stopped, and will start again. */
void compare_live_drop(live *it, const run_record *run);
/* Draws when it is time to. */
void compare_live_draw(live *it);
