/* Clauses in a fixed order: who leads, who beats the baseline, who ties with it, who loses, who
 * failed. A group of one at the top differs significantly from every row without failures, by
 * the way groups are made (stats.h); that is the only claim between rows other than the baseline. */
#include "compare/report/analysis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_NAMES = 6 };

typedef struct account {
    FILE *to;
    const standing *standings;
    int rows;
    const char *const *names;
    const standing *base;
    bool begun;
} account;

/* Rows that a clause is about. */
typedef enum choice { TOOK_PART, TOP, BETTER, BETTER_OR_TOP, WORSE, OTHER_TIE } choice;

static bool chosen(const account *t, const standing *s, choice which)
{
    const bool top = s->group == 1, better = s->verdict == VERDICT_BETTER;
    const bool is[] = {
        [TOOK_PART] = s->verdict != VERDICT_FAILED,
        [TOP] = top,
        [BETTER] = better,
        [BETTER_OR_TOP] = better != top, /* not both */
        [WORSE] = s->verdict == VERDICT_WORSE,
        /* that the clause on the top group has not named already */
        [OTHER_TIE] = s->verdict == VERDICT_TIE && !(top && t->base && t->base->group == 1),
    };
    return is[which];
}

static int count(const account *t, choice which)
{
    int n = 0;
    for (int i = 0; i < t->rows; i++)
        n += chosen(t, &t->standings[i], which);
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
    return t->names[s->row];
}

/* "a, b and c"; beyond six names "a, b, c, d, e and 12 others". */
static void put_names(const account *t, choice which)
{
    int n = count(t, which), shown = n > MOST_NAMES ? MOST_NAMES - 1 : n, named = 0;
    for (int i = 0; i < t->rows && named < shown; i++)
        if (chosen(t, &t->standings[i], which)) {
            const char *before = named == 0 ? "" : named == n - 1 ? " and " : ", ";
            fprintf(t->to, "%s%s", before, name_of(t, &t->standings[i]));
            named++;
        }
    if (n > shown)
        fprintf(t->to, " and %d others", n - shown);
}

/* "0.7 points", "0.6 to 0.9 points": sizes of the differences to the baseline. */
static void put_points(const account *t, choice which)
{
    double low = HUGE_VAL, high = 0;
    for (int i = 0; i < t->rows; i++)
        if (chosen(t, &t->standings[i], which)) {
            double size = 100 * fabs(t->standings[i].against.difference);
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

/* Those in the top group, but for what the clause on better ones says of two rows. */
static void put_top(account *t)
{
    int top = count(t, TOP), others = count(t, TOOK_PART) - top;
    if (top == 1 && others < 2)
        return;
    clause(t);
    put_names(t, TOP);
    if (top > 1)
        fputs(others && count(t, BETTER_OR_TOP) ? " tie at the top" : " tie", t->to);
    else
        fputs(" is ahead of all others", t->to);
}

static void put_better(account *t)
{
    int better = count(t, BETTER);
    bool same = t->begun && !count(t, BETTER_OR_TOP); /* as those just named */
    if (!better)
        return;
    if (same && better == 1) {
        fputs(" and beats ", t->to);
    } else {
        clause(t);
        if (same)
            fputs(better == 2 ? "both" : "all", t->to);
        else
            put_names(t, BETTER);
        fputs(better > 1 ? " beat " : " beats ", t->to);
    }
    fprintf(t->to, "%s by ", name_of(t, t->base));
    put_points(t, BETTER);
}

/* The first failed rows, and how many others. */
static void put_failures(account *t)
{
    int named = 0, failed = t->rows - count(t, TOOK_PART);
    for (int i = 0; i < t->rows && named < MOST_NAMES; i++) {
        const standing *s = &t->standings[i];
        if (s->verdict != VERDICT_FAILED)
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

/* The best of the ties other than the baseline, or the worst where all are below it: the difference
 * that seems to be there, and how many seeds would show it if it is. */
static void put_seeds_needed(account *t)
{
    const standing *best = NULL, *last = NULL;
    for (int i = 0; i < t->rows; i++)
        if (t->standings[i].verdict == VERDICT_TIE) {
            last = &t->standings[i];
            best = best ? best : last;
        }
    const standing *s = best && best->against.difference < 0 ? last : best;
    if (!s || s->runs < 3 || !isfinite(s->against.cohen_d) || s->against.difference == 0)
        return; /* two seeds say nothing of how scores scatter */
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

/* What the tests against the baseline and the groups of ties say. */
static void put_tested(account *t)
{
    int worse = count(t, WORSE), ties = count(t, OTHER_TIE);
    if (count(t, BETTER) + worse == 0) {
        clause(t);
        put_names(t, TOOK_PART);
        fprintf(t->to, " tie: %d seeds show no difference", t->standings[0].runs);
        put_seeds_needed(t);
        return;
    }
    put_top(t);
    put_better(t);
    if (ties) {
        clause(t);
        put_names(t, OTHER_TIE);
        fprintf(t->to, " %s not significantly different from %s", ties > 1 ? "are" : "is",
                name_of(t, t->base));
    }
    if (worse) {
        clause(t);
        put_names(t, WORSE);
        fprintf(t->to, worse > 1 ? " lose to %s by " : " loses to %s by ", name_of(t, t->base));
        put_points(t, WORSE);
    }
}

/* Means only: nothing was tested. */
static void put_means(account *t, const char *why)
{
    const standing *low = NULL, *high = NULL;
    for (int i = 0; i < t->rows; i++) {
        const standing *s = &t->standings[i];
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

char *report_sentence_new(const standing *standings, int rows, const char *const *names)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    account it = {.to = to, .standings = standings, .rows = rows, .names = names}, *t = &it;
    for (int i = 0; i < rows && !it.base; i++)
        if (standings[i].verdict == VERDICT_BASELINE)
            it.base = &standings[i];
    int took_part = count(t, TOOK_PART);
    if (rows == 0)
        put_means(t, "no seed has been run for every row yet");
    else if (!took_part)
        put_means(t, "every row has failed runs, so nothing was tested");
    else if (!it.base)
        put_means(t, "the baseline has failed runs, so nothing was tested");
    else if (rows == 1)
        fprintf(to, "%s reaches %.2f %%, with nothing to compare it to", name_of(t, it.base),
                100 * it.base->score.mean);
    else if (took_part == 1)
        put_means(t, "every row but the baseline has failed runs, so nothing was tested");
    else if (standings[0].runs < 2)
        put_means(t, "one seed is too few for any test");
    else
        put_tested(t);
    put_failures(t);
    putc('.', to);
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}
