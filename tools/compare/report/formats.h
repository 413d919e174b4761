/* formats.h - a report in each of its forms. */
#pragma once
#include "compare/report/analysis.h"
#include <jansson.h>
#include <stdio.h>

/* A self-contained page, as page.h has it. Draws activations that are found by name, which loads
 * their plugins; a spec with a path is never loaded. */
void report_html(FILE *to, const analysis *a);
/* Sentences, leaderboards and failures. */
void report_markdown(FILE *to, const analysis *a);
/* A line a run (RFC 4180). */
void report_csv(FILE *to, const analysis *a);
/* Everything: standings, rows, runs, epochs, layers; NULL when memory is refused. */
json_t *compare_report_json(const analysis *a);
/* What was found, without times, process ids and what depends on the machine, in a fixed order: equal
 * for two sweeps that found the same. */
json_t *compare_canonical_json(const results *r);
