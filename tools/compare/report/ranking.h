/* ranking.h - the end of a comparison, as text for a terminal. */
#pragma once
#include "compare/report/analysis.h"

/* A table for each data set and model, what failed, and the answer in a sentence; standard output. */
void report_ranking_print(const analysis *of);
