/* find_rate.h - a learning rate range test (find_rate.c) and its page (find_rate_page.c). */
#pragma once
#include "net/network.h"

/* A batch a step; of so many batches around a step the mean loss is taken. */
enum { RATE_STEPS = 200, RATE_WINDOW = 11 };

typedef struct rate_test {
    const options *given;
    const hk_recipe *recipe;
    const hk_data *data;
    double rates[RATE_STEPS], losses[RATE_STEPS], means[RATE_STEPS];
    int n;         /* steps until the end, or until the loss grew beyond all bounds */
    bool diverged; /* it did */
    double start;  /* mean loss of the first batches, whose rates change nothing yet */
    int falls, lowest,
        grows;         /* steps: mean loss 5 % below the start, lowest, above the start again; -1 */
    double suggested;  /* NAN: none */
    char verdict[160]; /* the suggestion in a sentence, or why there is none */
    char optimizer[256]; /* with it; "" */
} rate_test;

/* Trains the net by the recipe while the rate rises, prints what it finds, and writes the page. */
int net_find_rate(const options *given, const network *it, const hk_recipe *recipe,
                  const hk_data *data, const double *class_weights);
/* Writes the page to this file, and says so. */
int net_find_rate_page(const rate_test *found, const char *file);
