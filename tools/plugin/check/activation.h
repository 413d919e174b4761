/* plugin/check/activation.h - between the files that check activations. */
#pragma once
#include "plugin/check/host.h"

/* reference.c */
void check_test_derivative(const subject *s);
void check_test_gradients(const subject *s);
void check_test_reads(const subject *s);
/* kernels.c */
void check_test_kernels(const subject *s);
void check_test_gradient(const subject *s);
void check_test_special(const subject *s);
/* bits.c */
void check_test_splits(const subject *s);
void check_test_position(const subject *s);
void check_test_neighbours(const subject *s);
void check_test_repeat(const subject *s);
void check_test_threads(const subject *s);
void check_test_random(const subject *s);
