/* c_functions.h - what C files of hillock export call: formulas in C, and the functions of that name. */
#pragma once
#include "export/text.h"

extern const export_language export_c_language;

/* Those that a program's steps call. */
void export_put_c_functions(const export_program *p, FILE *to);
