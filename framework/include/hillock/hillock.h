/* hillock/hillock.h - includes everything that a program needs.
 *
 * C11, or C++ from C++11 on. The macros of layer.h with named arguments, hk_conv(x, 16, 3, .stride = 2),
 * are C alone; C++ calls the functions behind them with a struct of options, which is all 0 by default:
 *     hk_conv_options o = {};               or, in C++20,
 *     o.x = x, o.filters = 16;              hk_conv_with({.x = x, .filters = 16, .kernel = 3}) */
#pragma once
#include <hillock/status.h>
#include <hillock/tensor.h>
#include <hillock/layer.h>
#include <hillock/model.h>
#include <hillock/saved.h>
#include <hillock/data.h>
#include <hillock/train.h>
#include <hillock/doctor.h>
#include <hillock/forecast.h>
#include <hillock/quantise.h>
#include <hillock/registry.h>
#include <hillock/function.h>
