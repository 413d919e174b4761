/* file, "threads belong to the framework": threads of its own */
#include "zoo.h"

#include <pthread.h>

static void *nothing(void *user)
{
    return user;
}

static void forward(const hk_context *context, const hk_tile *tile)
{
    pthread_t thread;
    double_forward(context, tile);
    if (pthread_create(&thread, NULL, nothing, NULL) == 0)
        pthread_join(thread, NULL);
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
