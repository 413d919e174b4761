/* plugin/check/activation.h - between the files that check activations. */
#pragma once
#include "plugin/check/host.h"

/* reference.c */
void test_derivative(const subject *s);
void test_gradients(const subject *s);
void test_reads(const subject *s);
/* kernels.c */
void test_kernels(const subject *s);
void test_gradient(const subject *s);
void test_special(const subject *s);
/* bits.c */
void test_splits(const subject *s);
void test_position(const subject *s);
void test_neighbours(const subject *s);
void test_repeat(const subject *s);
void test_threads(const subject *s);
void test_random(const subject *s);
