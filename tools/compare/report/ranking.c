/* The leaderboard in columns: beside each mean its interval, the test against the baseline, and the
 * letters, which two rows have in common that are not told apart. */
#include "compare/report/formats.h"
#include "output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_score(const sample_summary *s)
{
    if (!s->n) {
        printf("%-17s  %-17s", "-", "-");
        return;
    }
    char text[32], interval[32];
    snprintf(text, sizeof text, isfinite(s->sd) ? "%6.2f %% +- %.2f" : "%6.2f %%", 100 * s->mean,
             100 * s->sd);
    snprintf(interval, sizeof interval, "%.2f to %.2f", 100 * s->low, 100 * s->high);
    printf("%-17s  %-17s", text, isfinite(s->low) ? interval : "-");
}

/* Two blanks and a number, or a dash where there is none. */
static void put_figure(int width, int digits, double value)
{
    if (isfinite(value))
        printf("  %*.*f", width, digits, value);
    else
        printf("  %*s", width, "-");
}

static bool is_tuned(const panel *of)
{
    bool is = false;
    for (int i = 0; i < of->n_rows; i++)
        is = is || isfinite(of->rows[i].record->rate);
    return is;
}

/* Whether every row has epochs so short that milliseconds are the better unit. */
static bool is_short(const panel *of)
{
    bool is = true;
    for (int i = 0; i < of->n_rows; i++)
        is = is && !(of->rows[i].epoch_seconds >= 10);
    return is;
}

/* A row of the table as wide as it is. */
static void put_row(const panel *of, const standing *s, int width)
{
    const row_view *row = &of->rows[s->row];
    char p[32] = "-", difference[32] = "-", text[200];
    if (isfinite(s->p_adjusted))
        report_p_text(s->p_adjusted, p, sizeof p);
    if (s->verdict != VERDICT_BASELINE && isfinite(s->against.difference))
        snprintf(difference, sizeof difference, "%+.2f", 100 * s->against.difference);
    printf("%4d  ", s->rank);
    tool_put_text(stdout, row->label);
    printf("%*s  ", width - (int)strlen(row->label), "");
    put_score(&s->score);
    printf("  %10s  %7s  %-7s", difference, p, *s->letters ? s->letters : "-");
    put_figure(8, 1, is_short(of) ? 1000 * row->epoch_seconds : row->epoch_seconds);
    put_figure(6, 1, 100 * row->dead);
    printf("  %10s", row->record->parameters ? tool_grouped(row->record->parameters) : "-");
    if (is_tuned(of))
        printf("  %9.3g", row->record->rate);
    report_verdict_write(of, s, text, sizeof text);
    printf("  %s\n", text);
}

/* ---- Narrow screens ---------------------------------------------------------------------------- */

/* What a row of the table takes beside its name; of a verdict, the usual. */
enum { BESIDE_NAME = 102, OF_TUNING = 11, OF_VERDICT = 40 };

/* Words, broken before the screen's edge and continued under the first; a screen of 0 has no edge. */
static void put_wrapped(const char *text, int indent, int screen)
{
    int at = indent;
    printf("%*s", indent, "");
    while (*text) {
        char *word = strndup(text, strcspn(text, " "));
        const int length = word ? (int)strlen(word) : 0;
        if (at > indent && screen && at + 1 + length > screen) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            putchar(' ');
            at++;
        }
        tool_put_text(stdout, word ? word : "");
        free(word);
        at += length;
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    putchar('\n');
}

/* Rank, name and score, and below them what is said of it. */
static void put_narrow_row(const panel *of, const standing *s, int screen)
{
    char p[32], said[200], text[512] = "";
    size_t used = 0;
    snprintf(text, sizeof text, "%d %.200s", s->rank, of->rows[s->row].label);
    put_wrapped(text, 2, screen);
    *text = '\0';
    report_p_text(s->p_adjusted, p, sizeof p);
    report_verdict_write(of, s, said, sizeof said);
    if (s->score.n)
        used += (size_t)snprintf(text, sizeof text, "%.2f %%", 100 * s->score.mean);
    if (isfinite(s->score.low))
        used += (size_t)snprintf(text + used, sizeof text - used, " +- %.2f, %.2f to %.2f",
                                 100 * s->score.sd, 100 * s->score.low, 100 * s->score.high);
    if (s->verdict != VERDICT_BASELINE && isfinite(s->against.difference))
        used += (size_t)snprintf(text + used, sizeof text - used, "; difference %+.2f",
                                 100 * s->against.difference);
    if (isfinite(s->p_adjusted))
        used += (size_t)snprintf(text + used, sizeof text - used, ", p %s", p);
    if (*s->letters)
        used += (size_t)snprintf(text + used, sizeof text - used, "; letters %s", s->letters);
    snprintf(text + used, sizeof text - used, "; %s", said);
    put_wrapped(text, 6, screen);
}

static void put_heading(const panel *of, int width)
{
    printf("rank  %-*s  %-17s  %-17s  %10s  %7s  %-7s  %8s  %6s  %10s%s  against the baseline\n",
           width, "activation", of->score_name, "95 % interval", "difference", "p", "letters",
           is_short(of) ? "ms/epoch" : "s/epoch", "dead %", "parameters",
           is_tuned(of) ? "  lr chosen" : "");
}

static void put_panel(const panel *of, int screen)
{
    int width = 10;
    char title[1024];
    for (int i = 0; i < of->n_rows; i++)
        width = (int)strlen(of->rows[i].label) > width ? (int)strlen(of->rows[i].label) : width;
    const int whole = BESIDE_NAME + width + (is_tuned(of) ? OF_TUNING : 0) + OF_VERDICT;
    const bool fits = !screen || whole <= screen;
    snprintf(title, sizeof title,
             "%s, %.400s: test %s over %d seed%s, mean +- standard deviation%s", of->data_name,
             of->model, of->score_name, of->seeds, of->seeds == 1 ? "" : "s",
             fits ? "" : ", 95 % interval");
    putchar('\n');
    put_wrapped(title, 0, screen);
    if (isfinite(of->floor))
        printf("floor: %.2f %%, %s\n", 100 * of->floor, of->floor_name);
    if (fits)
        put_heading(of, width);
    for (int i = 0; i < of->n_ranked; i++)
        if (fits)
            put_row(of, &of->standings[i], width);
        else
            put_narrow_row(of, &of->standings[i], screen);
    if (of->sentence)
        put_wrapped(of->sentence, 0, screen);
}

/* The first failure of each row, and what was printed last. */
static void put_failures(const row_view *row)
{
    int failures = 0;
    const run_record *first = NULL;
    for (int i = 0; i < row->n_runs; i++)
        if (row->runs[i].state == RUN_FAILED || row->runs[i].state == RUN_TIMEOUT) {
            first = first ? first : &row->runs[i];
            failures++;
        }
    if (!first)
        return;
    fputs("failed: ", stdout);
    tool_put_text(stdout, row->label);
    printf(", %d of %d runs: ", failures, row->n_runs);
    tool_put_text(stdout, first->failure ? first->failure : "unknown");
    fputs(", ", stdout);
    tool_put_text(stdout, first->reason ? first->reason : "");
    const char *lines = first->last_lines ? first->last_lines : "";
    const char *last = strrchr(lines, '\n');
    if (*lines) {
        fputs("; last output: ", stdout);
        tool_put_text(stdout, last ? last + 1 : lines);
    }
    putchar('\n');
}

/* Runs that ended well and answer the same for all samples. */
static void put_constant(const row_view *row)
{
    int n = 0;
    const run_record *first = NULL;
    for (int i = 0; i < row->n_runs; i++)
        if (*row->runs[i].constant) {
            first = first ? first : &row->runs[i];
            n++;
        }
    if (!first)
        return;
    char reason[192];
    compare_constant_reason(first->constant, reason, sizeof reason);
    fputs("constant: ", stdout);
    tool_put_text(stdout, row->label);
    printf(", %d of %d runs give ", n, row->n_runs);
    tool_put_text(stdout, reason);
    putchar('\n');
}

void report_ranking_print(const analysis *of)
{
    const int screen = tool_screen_width();
    if (of->of->most)
        printf("\nseeds were added until all was decided, %lld at most; p holds at any moment\n",
               (long long)of->of->most);
    for (int i = 0; i < of->n_panels; i++) {
        put_panel(&of->panels[i], screen);
        for (int k = 0; k < of->panels[i].n_rows; k++)
            put_failures(&of->panels[i].rows[k]);
        for (int k = 0; k < of->panels[i].n_rows; k++)
            put_constant(&of->panels[i].rows[k]);
    }
    if (of->looked)
        put_wrapped(of->looked, 0, screen);
}
