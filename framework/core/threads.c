/* How many threads a parallel loop gets. The number never changes a result: loops cut their work
 * by shape alone. */
#include "core/base.h"

#include <signal.h>

#include <hillock/tensor.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static int chosen_threads;

void hk_set_threads(int threads)
{
    chosen_threads = threads > 0 ? threads : 0;
}

int hki_threads(void)
{
    if (chosen_threads > 0)
        return chosen_threads;
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

int hki_threads_for(int64_t work)
{
    /* From here on a loop takes some microseconds: more than fork, join and fetching from another
     * core's cache what that one wrote. */
    const int64_t worth_sharing = 32768;
    return work < worth_sharing ? 1 : hki_threads();
}

void hki_each(int team, int64_t tasks, void (*task)(const void *job, int64_t i), const void *job)
{
    if (team == 1 || tasks == 1) {
        for (int64_t i = 0; i < tasks; i++)
            task(job, i);
        return;
    }
#pragma omp parallel for num_threads(team) schedule(static)
    for (int64_t i = 0; i < tasks; i++)
        task(job, i);
}

bool hki_thread_start(pthread_t *thread, void *(*work)(void *user), void *user)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, work, user) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}
