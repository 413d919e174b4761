/* measured.h - what workers report (pool.h), as records. */
#pragma once
#include "sweep/results.h"
#include <jansson.h>

/* An epoch's report becomes the run's next epoch; one out of turn is left out. False: no memory. */
bool measured_epoch(run_record *run, const json_t *message);
/* The result of a run that ended well. False: no memory. */
bool measured_result(run_record *run, const json_t *message);
