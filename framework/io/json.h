/* io/json.h - JSON texts in our own memory: jansson's allocator belongs to the program. */
#pragma once
#include <jansson.h>
#include "core/base.h"

/* The compact text of a value, to be freed with hki_free(). NULL without a message: no memory, also where
 * jansson had none while the value was made or written. */
char *hki_json_text(const json_t *value);
