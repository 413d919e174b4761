/* Clauses in a fixed order: who leads, who beats the baseline, who ties with it, who loses, who
 * failed. A group of one at the top is told apart from every row without failures, by the way
 * groups are made (stats.h); that is the only claim between rows other than the baseline. */
#include "compare/report/sentence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_NAMES = 6 };

typedef struct telling {
    FILE *to;
    const standing *standings;
    int rows;
    const char *const *names;
    const standing *base;
    bool begun;
} telling;

/* Rows that a clause is about. */
typedef enum choice { TOOK_PART, TOP, BETTER, BETTER_OR_TOP, WORSE, OTHER_TIE } choice;

static bool chosen(const telling *t, const standing *s, choice which)
{
    const bool top = s->group == 1, better = s->verdict == VERDICT_BETTER;
    const bool is[] = {
        [TOOK_PART] = s->verdict != VERDICT_FAILED,
        [TOP] = top,
        [BETTER] = better,
        [BETTER_OR_TOP] = better != top, /* not both */
        [WORSE] = s->verdict == VERDICT_WORSE,
        /* that the clause on the top group has not told already */
        [OTHER_TIE] = s->verdict == VERDICT_TIE && !(top && t->base && t->base->group == 1),
    };
    return is[which];
}

static int count(const telling *t, choice which)
{
    int n = 0;
    for (int i = 0; i < t->rows; i++)
        n += chosen(t, &t->standings[i], which);
    return n;
}

static void clause(telling *t)
{
    if (t->begun)
        fputs("; ", t->to);
    t->begun = true;
}

static const char *name_of(const telling *t, const standing *s)
{
    return t->names[s->row];
}

/* "a, b and c"; beyond six names "a, b, c, d, e and 12 others". */
static void put_names(const telling *t, choice which)
{
    int n = count(t, which), shown = n > MOST_NAMES ? MOST_NAMES - 1 : n, told = 0;
    for (int i = 0; i < t->rows && told < shown; i++)
        if (chosen(t, &t->standings[i], which)) {
            const char *before = told == 0 ? "" : told == n - 1 ? " and " : ", ";
            fprintf(t->to, "%s%s", before, name_of(t, &t->standings[i]));
            told++;
        }
    if (n > shown)
        fprintf(t->to, " and %d others", n - shown);
}

/* "0.7 points", "0.6 to 0.9 points": sizes of the differences to the baseline. */
static void put_points(const telling *t, choice which)
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

static void tell_top(telling *t)
{
    int top = count(t, TOP), others = count(t, TOOK_PART) - top;
    if (top == 1 && others < 2)
        return; /* of two rows, beating the baseline, or losing to it, says it all */
    clause(t);
    put_names(t, TOP);
    if (top > 1)
        fputs(others && count(t, BETTER_OR_TOP) ? " tie at the top" : " tie", t->to);
    else
        fputs(" is ahead of all others", t->to);
}

static void tell_better(telling *t)
{
    int better = count(t, BETTER);
    if (!better)
        return;
    bool same = t->begun && !count(t, BETTER_OR_TOP); /* as those just named */
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

static void tell_ties(telling *t)
{
    if (!count(t, OTHER_TIE))
        return;
    clause(t);
    put_names(t, OTHER_TIE);
    fprintf(t->to, " cannot be told from %s", name_of(t, t->base));
}

static void tell_worse(telling *t)
{
    int worse = count(t, WORSE);
    if (!worse)
        return;
    clause(t);
    put_names(t, WORSE);
    fprintf(t->to, worse > 1 ? " lose to %s by " : " loses to %s by ", name_of(t, t->base));
    put_points(t, WORSE);
}

static void tell_failures(telling *t)
{
    int told = 0, failed = t->rows - count(t, TOOK_PART);
    for (int i = 0; i < t->rows; i++) {
        const standing *s = &t->standings[i];
        if (s->verdict != VERDICT_FAILED || told >= MOST_NAMES)
            continue;
        if (!told)
            clause(t);
        fprintf(t->to, "%s%s%s %d of %d", told ? ", " : "", name_of(t, s), told ? "" : " failed",
                s->failures, s->runs);
        told++;
    }
    if (failed > told)
        fprintf(t->to, ", and %d others failed too", failed - told);
}

/* The best of the ties other than the baseline, or the worst where all are below it. */
static const standing *leading_tie(const telling *t)
{
    const standing *best = NULL, *last = NULL;
    for (int i = 0; i < t->rows; i++)
        if (t->standings[i].verdict == VERDICT_TIE) {
            last = &t->standings[i];
            best = best ? best : last;
        }
    return best && best->against.difference < 0 ? last : best;
}

/* What seems to be there, and how many seeds would show it if it is. */
static void tell_needed(telling *t)
{
    const standing *s = leading_tie(t);
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

/* Means only: nothing was tested. */
static void tell_means(telling *t, const char *why)
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

static void tell_all(telling *t)
{
    if (count(t, BETTER) + count(t, WORSE) == 0) {
        clause(t);
        put_names(t, TOOK_PART);
        fprintf(t->to, " tie: %d seeds show no difference", t->standings[0].runs);
        tell_needed(t);
    } else {
        tell_top(t);
        tell_better(t);
        tell_ties(t);
        tell_worse(t);
    }
}

static const standing *find_baseline(const standing *standings, int rows)
{
    for (int i = 0; i < rows; i++)
        if (standings[i].verdict == VERDICT_BASELINE)
            return &standings[i];
    return NULL;
}

static void tell(telling *t)
{
    if (t->rows == 0)
        tell_means(t, "no seed has been run for every row yet");
    else if (!count(t, TOOK_PART))
        tell_means(t, "every row has failed runs, so nothing was tested");
    else if (!t->base)
        tell_means(t, "the baseline has failed runs, so nothing was tested");
    else if (t->rows == 1)
        fprintf(t->to, "%s reaches %.2f %%, with nothing to compare it to", name_of(t, t->base),
                100 * t->base->score.mean);
    else if (count(t, TOOK_PART) == 1)
        tell_means(t, "every row but the baseline has failed runs, so nothing was tested");
    else if (t->standings[0].runs < 2)
        tell_means(t, "one seed cannot tell anything apart");
    else
        tell_all(t);
    tell_failures(t);
    putc('.', t->to);
}

char *report_sentence_new(const standing *standings, int rows, const char *const *names)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    telling t = {.to = to,
                 .standings = standings,
                 .rows = rows,
                 .names = names,
                 .base = find_baseline(standings, rows)};
    tell(&t);
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}
