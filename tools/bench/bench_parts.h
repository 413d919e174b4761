/* bench/bench_parts.h - hillock bench train --parts. */
#pragma once
#include "bench/bench.h"

/* A step on several machines: a model of it from one process's times, and where several were started what they
 * take. */
int bench_parts(const bench *in);
