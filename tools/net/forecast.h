/* forecast.h - the part of hillock inspect that looks at a model before it is trained. */
#pragma once
#include "net/network.h"

/* Prints the forecast of the net with its first weights; `data` may be NULL. */
int net_forecast(const network *it, const options *given, const hk_data *data);
