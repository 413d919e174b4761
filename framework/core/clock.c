/* The clock for durations. */
#include <hillock/tensor.h>

#include <time.h>

double hk_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
