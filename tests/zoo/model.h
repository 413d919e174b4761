/* model.h - what the models among the animals share: build() is theirs, and 170 parameters, one dense
 * layer of 16 inputs, are declared. */
#pragma once
#include <hillock/model.h>

#define MODEL(...)                                                                                 \
    static const hk_model animal = {                                                               \
        .build = build, .height = 4, .width = 4, .channels = 1, .parameters = 170, __VA_ARGS__};   \
    HK_MODEL(animal, animal, .summary = "a fault", .source = "hillock's tests")
