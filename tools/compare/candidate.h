/* candidate.h - what hillock judge is given, made into an activation. Functions print why they fail, and
 * return an exit status. */
#pragma once
#include "compare/ledger.h"
#include "options.h"

/* Fills `asked` and `identity`. */
int compare_candidate_know(const options *given, const char *text, candidate *out);
/* Compiles or copies it into the ledger's folder, under its number, and fills `spec`. */
int compare_candidate_make(const options *given, const char *text, candidate *it);
/* A file of this name in the ledger's folder. */
void compare_candidate_path(const char *ledger, const char *name, char *out, size_t size);
