/* many_slots.h - as many slots as plugin.h allows, HK_MAX_SLOTS of 16: a row of a table for each. */
#pragma once
#include "zoo.h"

#define SLOT(name_, extent_, value_)                                                               \
    {                                                                                              \
        .name = name_, .doc = "one of sixteen", .role = HK_LEARNED, .extent = extent_,             \
        .flags = HK_NO_DECAY, .value = value_                                                      \
    }
#define FOUR_SLOTS(name, extent, value)                                                            \
    SLOT(name "1", extent, value), SLOT(name "2", extent, value), SLOT(name "3", extent, value),   \
        SLOT(name "4", extent, value)
