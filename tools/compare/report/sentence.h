/* sentence.h - the answer of a leaderboard in one sentence. */
#pragma once
#include "stats/stats.h"

/* "mish, silu and gelu tie; all beat relu by 0.6 to 0.9 points; prelu failed 1 of 5." Claims what
 * verdicts and groups say and nothing else: a higher mean is called a tie until a test has told the
 * rows apart. `standings` in order of rank, scores from 0 to 1, names[standing.row]. Never empty;
 * to be freed; NULL when memory is refused. */
char *report_sentence_new(const standing *standings, int rows, const char *const *names);
