/* file, "exports helper": a helper that is not static */
#include "zoo.h"

__attribute__((visibility("default"))) float helper(float x);
float helper(float x)
{
    return x;
}

ANIMAL(.kernels = {{double_forward, double_backward}}, DOUBLE);
