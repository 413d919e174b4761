/* checksum.h - whether a run is read as it was written. */
#pragma once
#include "compare/results.h"

/* Of its state, its figures and those of its epochs and layers; at least 0. */
int64_t compare_run_checksum(const run_record *run);
