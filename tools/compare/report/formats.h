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
/* Tables of booktabs. */
void report_latex(FILE *to, const analysis *a);
/* One figure of a table, counted from 0, as print.h takes it; false: there is no such figure or table. */
extern const char *const report_figure_names[]; /* ends with NULL */
bool report_figure_write(FILE *to, const analysis *a, const char *name, int table);
/* One line per run (RFC 4180). */
void report_csv(FILE *to, const analysis *a);
/* Everything: standings, rows, runs, epochs, layers; NULL: out of memory. */
json_t *compare_report_json(const analysis *a);
/* What was found, without times, process ids and what depends on the machine, in a fixed order: equal
 * for two sweeps that found the same. */
json_t *compare_canonical_json(const results *r);
/* What is said of each row, as a look_record has it. */
json_t *compare_look_json(const analysis *a);

/* For a terminal, on standard output: a table for each data set and model, what failed, and the
 * answer in a sentence. */
void report_ranking_print(const analysis *of);
