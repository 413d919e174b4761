/* quantised.h - what --quantise took from the rows of a panel. */
#pragma once
#include "compare/report/analysis.h"

/* For a terminal; nothing where nothing was quantised. */
void report_quantised_print(const panel *p);
