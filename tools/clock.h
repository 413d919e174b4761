/* clock.h - how long things take. */
#pragma once

/* Seconds of a clock that nobody sets. */
double tool_now(void);
