/* Code that runs when the file is loaded, linked together with half.c: allowed as long as it
 * leaves the floating-point mode alone. */
#include <fenv.h>

static volatile int ran;

__attribute__((constructor)) static void when_loaded(void)
{
    ran = 1;
#ifdef ROUND_UP
    fesetround(FE_UPWARD);
#endif
}
