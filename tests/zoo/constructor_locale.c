/* load, "loading it changed the locale": it changes the locale while it is loaded */
#include "zoo.h"

#include <locale.h>

__attribute__((constructor)) static void when_loaded(void)
{
    setlocale(LC_ALL, "C.UTF-8");
}

ANIMAL(.kernels = {{double_forward, double_backward}}, DOUBLE);
