/* Code that runs when the file is loaded, linked together with half.c: allowed as long as it
 * leaves the floating-point mode alone. */
#include <fenv.h>
#include <hillock/processor.h>

static volatile int ran;

__attribute__((constructor)) static void when_loaded(void)
{
    ran = 1;
#ifdef ROUND_UP
    fesetround(FE_UPWARD);
#endif
#ifdef FLUSH /* what -ffast-math links into a shared object, with some compilers only */
    hk_set_float_mode(hk_float_mode() | HK_FLUSH_DENORMALS);
#endif
}
