/* It starts a process that holds all it has open and ignores requests to end. -DSTUBBORN: and from
 * then on it does the same itself. -DDAEMON: that process has left for a session of its own. */
#include "../zoo/zoo.h"

#include <signal.h>
#include <unistd.h>

static volatile int started;

static void forward(const hk_context *context, const hk_tile *tile)
{
    double_forward(context, tile);
    if (started++)
        return;
    signal(SIGTERM, SIG_IGN);
    if (fork() == 0) {
#ifdef DAEMON
        if (setsid() < 0 || fork() != 0)
            _exit(0);
#endif
        for (;;)
            pause();
    }
#ifdef STUBBORN
    for (;;)
        pause();
#endif
}

ANIMAL(.kernels = {{forward, double_backward}}, DOUBLE);
