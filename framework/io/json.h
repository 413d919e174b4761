/* io/json.h - JSON texts: in our own memory, since jansson's allocator belongs to the program, and bounded. */
#pragma once
#include <jansson.h>
#include "core/base.h"

/* The compact text of a value, to be freed with hki_free(). NULL without a message: no memory, also where
 * jansson had none while the value was made or written. */
char *hki_json_text(const json_t *value);

/* Reads one value of `path`, its `part` ("graph"), whatever the program's rounding mode; names twice in an
 * object are refused. HK_BAD_DATA with the place; also, before it is read, a text whose values would take
 * more than 16 MiB and `room`: a list of nothing but {} takes eighty times its text. */
hk_status hki_json_read(const char *path, const char *part, const char *text, size_t size,
                        size_t room, json_t **out);
