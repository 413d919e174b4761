/* provenance.h - from what a result came: program, machine, data. */
#pragma once
#include <hillock/data.h>
#include <jansson.h>
#include <stdbool.h>

/* {version, program, compiler, instruction_set, engine, processor, processors, memory_mib, system,
 *  threads, jobs, started}. */
json_t *provenance_json(int threads, int jobs);
/* SHA-256 over shapes, pixels and labels of both sets, in hexadecimal. False: out of memory. */
bool provenance_of_data(const hk_data *train, const hk_data *test, char out[65]);
