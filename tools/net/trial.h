/* trial.h - hillock doctor --try-treatments: what each treatment does to this net, by training on. */
#pragma once
#include "net/network.h"
#include "stats/stats.h"
#include <jansson.h>
#include <stdio.h>

enum { TRIAL_WAYS = 8, TRIAL_MOST_SEEDS = 50 };

typedef struct trial {
    hk_recipe recipe;
    int seeds;
    int64_t images, tested;                       /* learned from in an epoch; judged by */
    double scores[TRIAL_WAYS * TRIAL_MOST_SEEDS]; /* [TRIAL_WAYS][seeds]; NAN: failed */
    const char *names[TRIAL_WAYS];                /* "going on", "redo", "a fresh net" */
    char notes[TRIAL_WAYS][256];                  /* why it could not be tried; "" */
    standing standings[TRIAL_WAYS];               /* in order of rank */
    int n; /* ways that could be tried: the first so many ranks */
} trial;

/* Runs it: every way, every seed. Prints what it costs first, then progress. */
int net_trial_run(const network *it, const options *given, trial *out);
/* "By this trial, on 1,000 test images: a fresh net is best ...", no more than tests have shown; to be freed. */
char *net_trial_sentence(const trial *t);
/* "redo", where a treatment came first; NULL: another way did. */
const char *net_trial_treatment(const trial *t);
void net_trial_print(FILE *to, const trial *t);
json_t *net_trial_json(const trial *t);
void net_trial_page(FILE *to, const trial *t);
