/* provenance.h - from what a result came: program, machine, data. */
#pragma once
#include <hillock/data.h>
#include <jansson.h>
#include <stdbool.h>

/* {version, program, compiler, instruction_set, engine, processor, processors, memory_mib, system,
 *  threads, jobs, started}. */
json_t *compare_provenance_json(int threads, int jobs);
/* The provenance of a sweep that goes on, both as JSON text. Where another program or processor ran
 * before, that is kept in its list "earlier", each pair once, and *others is true: runs may then differ
 * in their last digits. Version, engine and instruction set are settings: another of them is another
 * sweep. To be freed; NULL: out of memory. */
char *compare_provenance_merged(const char *before, const char *now, bool *others);
/* SHA-256 over shapes, pixels and labels of both sets, in hexadecimal. False: out of memory. */
bool compare_provenance_of_data(const hk_data *train, const hk_data *test, char out[65]);
