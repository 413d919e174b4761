/* Code that runs when the file is loaded, linked together with half.c: allowed as long as it
 * leaves the floating-point mode alone. */
#include <fenv.h>
#ifdef FLUSH
#include <xmmintrin.h>
#endif

static volatile int ran;

__attribute__((constructor)) static void when_loaded(void)
{
    ran = 1;
#ifdef ROUND_UP
    fesetround(FE_UPWARD);
#endif
#ifdef FLUSH /* what -ffast-math links into a shared object, with some compilers only */
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}
