/* place.h - the buffer of a program. */
#pragma once
#include "export/export.h"

/* The step whose values these are: reshapes have none of their own. */
int export_root(const export_program *p, int step);
/* By step, the place of its values in the buffer; -1: it needs none. The buffer's floats; -1: no memory. */
int64_t export_place(const export_program *p, int64_t *places);
