/* treat.h - treatments of dead units, as a command and as they are told. */
#pragma once
#include <hillock/doctor.h>
#include "net/network.h"
#include "output.h"

/* hillock doctor FILE --treat METHODS --out FILE2. */
int net_treat(options *given);
/* "  fc1: 12 of 120 units dead, 12 treated", a line a layer. */
void net_treat_tell(FILE *to, const hk_treatment *done);
json_t *net_treat_json(const hk_treatment *done);
