/* Clauses in a fixed order: who leads, who beats the baseline, of whom no difference is shown, who loses,
 * how the others differ, then what was noticed. Only what verdicts and letters say is claimed. */
#include "compare/report/analysis.h"
#include "memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMES = 6, MOST_PAIRS = 2 };

typedef struct account {
    FILE *to;
    const panel *of;
    const standing *base;  /* NULL: failed */
    const standing *ahead; /* of all others, by its letters; or NULL */
    bool begun;
} account;

/* Rows that a clause is about. */
typedef enum choice {
    COMPARED,
    BETTER,
    WORSE,
    NOT_SHOWN,
    NOT_LEARNED,
    FAILED,
    TWIN,
    PARTED
} choice;

static bool chosen(const standing *s, choice which)
{
    const bool is[] = {
        [COMPARED] = s->why != UNTESTED_FAILED,
        [BETTER] = s->verdict == VERDICT_BETTER,
        [WORSE] = s->verdict == VERDICT_WORSE,
        [NOT_SHOWN] = s->verdict == VERDICT_NOT_SHOWN,
        [NOT_LEARNED] = !s->learned,
        [FAILED] = s->why == UNTESTED_FAILED,
        [PARTED] = s->why == IS_TESTED && stats_tests_part(&s->against),
    };
    return is[which];
}

static int count(const account *t, choice which)
{
    int n = 0;
    for (int i = 0; i < t->of->n_ranked; i++)
        n += chosen(&t->of->standings[i], which);
    return n;
}

static void clause(account *t)
{
    if (t->begun)
        fputs("; ", t->to);
    t->begun = true;
}

static const char *name_of(const account *t, const standing *s)
{
    return t->of->rows[s->row].label;
}

/* "a, b and c"; beyond six names "a, b, c, d, e and 12 others". */
static void put_names(const account *t, choice which)
{
    int n = count(t, which), shown = n > MOST_NAMES ? MOST_NAMES - 1 : n, named = 0;
    for (int i = 0; i < t->of->n_ranked && named < shown; i++)
        if (chosen(&t->of->standings[i], which)) {
            const char *before = named == 0 ? "" : named == n - 1 ? " and " : ", ";
            fprintf(t->to, "%s%s", before, name_of(t, &t->of->standings[i]));
            named++;
        }
    if (n > shown)
        fprintf(t->to, " and %d others", n - shown);
}

/* "0.7 points", "0.6 to 0.9 points": sizes of the differences to the baseline, seen or shown. */
static void put_points(const account *t, choice which)
{
    double low = HUGE_VAL, high = 0;
    for (int i = 0; i < t->of->n_ranked; i++) {
        const standing *s = &t->of->standings[i];
        double size = 100 * fabs(which == NOT_SHOWN ? s->could_show : s->against.difference);
        if (!chosen(s, which) || isnan(size))
            continue;
        low = fmin(low, size);
        high = fmax(high, size);
    }
    int digits = low < 0.095 ? 2 : 1;
    char texts[2][32];
    snprintf(texts[0], sizeof texts[0], "%.*f", digits, low);
    snprintf(texts[1], sizeof texts[1], "%.*f", digits, high);
    if (atof(texts[0]) < atof(texts[1]))
        fprintf(t->to, "%s to ", texts[0]);
    fprintf(t->to, "%s points", texts[1]);
}

/* The best row, where it has no letter in common with another. */
static void put_ahead(account *t)
{
    const standing *first = &t->of->standings[0];
    bool is = count(t, COMPARED) > 2 && *first->letters;
    for (int i = 1; i < t->of->n_ranked && is; i++)
        is = !*t->of->standings[i].letters || report_told_apart(first, &t->of->standings[i]);
    if (!is)
        return;
    t->ahead = first;
    clause(t);
    fprintf(t->to, "%s is ahead of all others", name_of(t, first));
}

static void put_better(account *t)
{
    int better = count(t, BETTER);
    if (!better)
        return;
    if (t->ahead && better == 1) {
        fputs(" and beats ", t->to);
    } else {
        clause(t);
        put_names(t, BETTER);
        fputs(better > 1 ? " beat " : " beats ", t->to);
    }
    fprintf(t->to, "%s by ", name_of(t, t->base));
    put_points(t, BETTER);
}

static void put_worse(account *t)
{
    int worse = count(t, WORSE);
    if (!worse)
        return;
    clause(t);
    put_names(t, WORSE);
    fprintf(t->to, worse > 1 ? " lose to %s by " : " loses to %s by ", name_of(t, t->base));
    put_points(t, WORSE);
}

/* What was looked for in vain, and what would have been found. */
static void put_not_shown(account *t)
{
    int n = count(t, NOT_SHOWN), known = 0;
    for (int i = 0; i < t->of->n_ranked; i++)
        known += isfinite(t->of->standings[i].could_show);
    if (!n)
        return;
    clause(t);
    put_names(t, NOT_SHOWN);
    fprintf(t->to, " %s not shown to differ from %s", n > 1 ? "are" : "is", name_of(t, t->base));
    if (known) {
        fputs(", where ", t->to);
        put_points(t, NOT_SHOWN);
        fputs(" had a chance of 80 %", t->to);
    }
}

/* The pairs without the baseline and without the row that is ahead of all. */
static void put_others(account *t)
{
    int found = 0, all = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < t->of->n_ranked; i++)
            for (int j = i + 1; j < t->of->n_ranked; j++) {
                const standing *a = &t->of->standings[i], *b = &t->of->standings[j];
                if (a == t->base || b == t->base || a == t->ahead || !*a->letters || !*b->letters)
                    continue;
                const bool apart = report_told_apart(a, b);
                all += !pass;
                found += apart && !pass;
                if (!pass || !apart || found > MOST_PAIRS)
                    continue;
                clause(t);
                fprintf(t->to, "%s beats %s by %.1f points", name_of(t, a), name_of(t, b),
                        100 * (a->score.mean - b->score.mean));
            }
    if (found > MOST_PAIRS) {
        clause(t);
        fprintf(t->to, "%d of the %d pairs of the others are told apart", found, all);
    }
}

/* The best of the rows of which nothing is shown, or the worst where all are below the baseline: the
 * difference that seems to be there, and how many seeds would show it if it is. */
static void put_seeds_needed(account *t)
{
    const standing *best = NULL, *last = NULL;
    for (int i = 0; i < t->of->n_ranked; i++)
        if (chosen(&t->of->standings[i], NOT_SHOWN)) {
            last = &t->of->standings[i];
            best = best ? best : last;
        }
    const standing *s = best && best->against.difference < 0 ? last : best;
    if (!s || !isfinite(s->against.cohen_d) || s->against.difference == 0)
        return;
    if (s->against.seeds_needed > 0 && s->against.seeds_needed <= s->runs)
        return; /* they were run, and did not show it */
    clause(t);
    fprintf(t->to, "the %+.*f points of %s, if real, would take ",
            fabs(s->against.difference) < 0.00095 ? 2 : 1, 100 * s->against.difference,
            name_of(t, s));
    if (s->against.seeds_needed < 0)
        fputs("more than 1000 seeds to show", t->to);
    else
        fprintf(t->to, "about %d seeds to show", s->against.seeds_needed);
}

static void put_tested(account *t)
{
    put_ahead(t);
    put_better(t);
    put_worse(t);
    put_others(t);
    const bool nothing = !t->begun;
    if (nothing) {
        clause(t);
        fprintf(t->to, "%d seeds show no difference", t->of->seeds);
    }
    put_not_shown(t);
    if (nothing)
        put_seeds_needed(t);
}

/* Means only: nothing was found, or nothing was tested. */
static void put_means(account *t, const char *why)
{
    const standing *low = NULL, *high = NULL;
    for (int i = 0; i < t->of->n_ranked; i++) {
        const standing *s = &t->of->standings[i];
        if (s->score.n == 0)
            continue;
        low = !low || s->score.mean < low->score.mean ? s : low;
        high = !high || s->score.mean > high->score.mean ? s : high;
    }
    clause(t);
    fputs(why, t->to);
    if (!low)
        return;
    clause(t);
    if (low == high)
        fprintf(t->to, "%s has %.2f %%", name_of(t, low), 100 * low->score.mean);
    else
        fprintf(t->to, "means run from %.2f %% (%s) to %.2f %% (%s)", 100 * low->score.mean,
                name_of(t, low), 100 * high->score.mean, name_of(t, high));
}

/* ---- What else was noticed -------------------------------------------------------------------- */

static void put_parted(account *t)
{
    const standing *s = t->of->standings;
    while (s < t->of->standings + t->of->n_ranked && !chosen(s, PARTED))
        s++;
    if (s == t->of->standings + t->of->n_ranked)
        return;
    clause(t);
    fprintf(t->to, "the exact test by signs says otherwise than t of ");
    put_names(t, PARTED);
    fprintf(t->to, " (p %.2g, by t %.2g, before correction)", s->against.flip_p, s->against.p);
}

static void put_not_learned(account *t)
{
    int n = count(t, NOT_LEARNED);
    if (!n || n == t->of->n_ranked) /* then that was said */
        return;
    clause(t);
    put_names(t, NOT_LEARNED);
    fprintf(t->to, " %s not learned: not above the floor of %.2f %%", n > 1 ? "have" : "has",
            100 * t->of->floor);
}

/* The first failed rows, and how many others. */
static void put_failures(account *t)
{
    int named = 0, failed = count(t, FAILED);
    for (int i = 0; i < t->of->n_ranked && named < MOST_NAMES; i++) {
        const standing *s = &t->of->standings[i];
        if (!chosen(s, FAILED))
            continue;
        if (!named)
            clause(t);
        fprintf(t->to, "%s%s%s %d of %d", named ? ", " : "", name_of(t, s), named ? "" : " failed",
                s->failures, s->runs);
        named++;
    }
    if (failed > named)
        fprintf(t->to, ", and %d others failed too", failed - named);
}

/* "relu = relu6: one net". */
static void put_same_nets(account *t)
{
    const panel *p = t->of;
    bool named = false;
    for (int k = 0; k < p->n_rows && p->n_ranked; k++) {
        int names = 0;
        for (int i = 0; i < p->n_rows; i++)
            names += p->same_net[i] == k;
        if (names < 2)
            continue;
        if (named)
            fputs(", ", t->to);
        else
            clause(t);
        fputs(p->rows[k].label, t->to);
        named = true;
    }
    if (named)
        fputs(": one net, to the last digit, and one row", t->to);
}

/* Why there is nothing to say but means; NULL: rows were tested. */
static const char *why_nothing(const account *t, char *out, size_t size)
{
    const int compared = count(t, COMPARED);
    const standing *s = t->of->standings;
    if (!t->of->n_ranked)
        return "no seed has been run for every row yet";
    if (!compared)
        return "every row has failed runs, so nothing was tested";
    if (compared == 1)
        return t->base ? "every row but the baseline has failed runs, so nothing was tested"
                       : "every row but one has failed runs, so nothing was tested";
    while (!chosen(s, COMPARED) || s == t->base)
        s++;
    if (s->why == UNTESTED_FEW_SEEDS)
        snprintf(out, size, "%d seed%s too few for a verdict, which takes %d", s->runs,
                 s->runs == 1 ? " is" : "s are", FEWEST_SEEDS);
    else if (s->why == UNTESTED_NONE_LEARNED)
        snprintf(
            out, size,
            "no net has learned, so there is no verdict: none is above the floor of %.2f %%, %s",
            100 * t->of->floor, t->of->floor_name);
    else
        return NULL;
    return out;
}

char *report_sentence_new(const panel *p)
{
    char *text = NULL, space[200];
    FILE *to = tool_memory_stream(&text, NULL);
    account it = {.to = to, .of = p}, *t = &it;
    for (int i = 0; i < p->n_ranked && !it.base; i++)
        if (p->standings[i].verdict == VERDICT_BASELINE)
            it.base = &p->standings[i];
    const char *why = why_nothing(t, space, sizeof space);
    if (p->n_ranked == 1 && it.base) {
        clause(t);
        fprintf(to, "%s reaches %.2f %%, with nothing to compare it to", name_of(t, it.base),
                100 * it.base->score.mean);
    } else if (why) {
        put_means(t, why);
    } else {
        if (!it.base)
            put_means(t, "the baseline has failed runs, so nothing was tested against it");
        put_tested(t);
    }
    put_parted(t);
    put_not_learned(t);
    put_failures(t);
    put_same_nets(t);
    putc('.', to);
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}
