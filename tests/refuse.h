/* tests/refuse.h - an allocator that gives a number of blocks and then refuses. */
#pragma once
#include <stdlib.h>
#include <hillock/status.h>

static long allocations_left = -1; /* -1: never refuse */

static void *refuse_allocate(void *user, size_t bytes)
{
    (void)user;
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void refuse_release(void *user, void *block)
{
    (void)user;
    free(block);
}

static const hk_allocator countdown = {refuse_allocate, refuse_release, NULL};
