/* hillock/hillock.h - everything a program needs. */
#pragma once
#include <hillock/status.h>
#include <hillock/tensor.h>
#include <hillock/layer.h>
#include <hillock/data.h>
#include <hillock/train.h>
#include <hillock/doctor.h>
#include <hillock/forecast.h>
#include <hillock/registry.h>
