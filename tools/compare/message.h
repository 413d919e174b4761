/* message.h - the form of what a worker reports. */
#pragma once
#include <jansson.h>

/* What is wrong with a worker's report, against the list in workers/pool.h; NULL: nothing. */
const char *compare_message_fault(const json_t *report);
/* A number of an object; NAN where it has none, or null. */
double compare_message_number(const json_t *object, const char *name);
