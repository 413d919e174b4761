/* worker.h - the other end of a pool: `hillock worker`, which no help lists. */
#pragma once
#include "options.h"

int compare_worker_run(options *given);
