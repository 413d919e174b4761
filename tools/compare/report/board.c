/* The leaderboard: one line per row, with its seeds, its interval and its letters. */
#include "compare/report/parts.h"
#include "output.h"
#include "page/text.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 300, HEIGHT = 26, INSET = 8 };

static double place(const range *scale, double score)
{
    double share = (score - scale->low) / (scale->high - scale->low);
    return INSET + fmin(fmax(share, 0), 1) * (WIDTH - 2 * INSET);
}

/* Takes in every seed, and intervals as far as they do not squeeze the seeds: the interval of two
 * seeds can be ten times as wide as their distance. */
range report_score_scale(const panel *p)
{
    range scale = {HUGE_VAL, -HUGE_VAL, false};
    page_range_take(&scale, p->scores, p->n_rows * p->seeds);
    double reach = fmax(scale.high - scale.low, 1e-4);
    double low = scale.low - reach, high = scale.high + reach;
    for (int i = 0; i < p->n_ranked; i++) {
        const sample_summary *it = &p->standings[i].score;
        if (isfinite(it->low)) {
            scale.low = fmin(scale.low, fmax(it->low, low));
            scale.high = fmax(scale.high, fmin(it->high, high));
        }
    }
    page_range_air(&scale);
    return scale;
}

enum { MOST_TOLD = 30 }; /* seeds in a title */

/* With an arrow where it goes on beyond the picture. */
static void put_interval_bar(FILE *to, const standing *s, const range *scale)
{
    const double middle = HEIGHT / 2.0, low = place(scale, s->score.low);
    const double high = place(scale, s->score.high);
    fprintf(to, "<path class=\"bar\" d=\"M%.1f %gH%.1f\"/>", low, middle, high);
    if (s->score.low < scale->low)
        fprintf(to, "<path class=\"clip\" d=\"M%.1f %gl-5 5l5 5\"/>", low, middle - 5);
    if (s->score.high > scale->high)
        fprintf(to, "<path class=\"clip\" d=\"M%.1f %gl5 5l-5 5\"/>", high, middle - 5);
}

void report_put_row_picture(FILE *to, const panel *p, const standing *s, const range *scale)
{
    const row_view *row = &p->rows[s->row];
    const double *scores = p->scores + (size_t)s->row * (size_t)p->seeds;
    const double middle = HEIGHT / 2.0;
    const double baseline = report_standing_of(p, &p->rows[p->baseline])->score.mean;
    fprintf(to, "<svg viewBox=\"0 0 %d %d\" role=\"img\" class=\"%s\"><title>", WIDTH, HEIGHT,
            report_row_class(row));
    page_put_html(to, row->label, CAPTION_LETTERS);
    fprintf(to, ": mean %.2f %%, 95 %% interval %.2f to %.2f; seeds", 100 * s->score.mean,
            100 * s->score.low, 100 * s->score.high);
    for (int i = 0; i < p->seeds && i < MOST_TOLD; i++)
        if (isfinite(scores[i]))
            fprintf(to, " %.2f", 100 * scores[i]);
    fputs(p->seeds > MOST_TOLD ? " ...</title>" : "</title>", to);
    if (isfinite(baseline))
        fprintf(to, "<path class=\"against\" d=\"M%.1f 0V%d\"/>", place(scale, baseline), HEIGHT);
    if (isfinite(s->score.low))
        put_interval_bar(to, s, scale);
    fputs("<path class=\"seeds\" d=\"", to);
    for (int i = 0; i < p->seeds; i++)
        if (isfinite(scores[i]))
            fprintf(to, "M%.1f %gh0", place(scale, scores[i]), middle);
    fputs("\"/>", to);
    if (s->score.n)
        fprintf(to, "<circle class=\"mean\" cx=\"%.1f\" cy=\"%g\" r=\"4.5\"/>",
                place(scale, s->score.mean), middle);
    fputs("</svg>", to);
}

static void put_axis(FILE *to, const range *scale)
{
    double low = 100 * scale->low, high = 100 * scale->high, step = page_tick_step(high - low, 3);
    fprintf(to,
            "<tr class=\"axisrow\"><td><td><td><td class=\"picture\"><svg viewBox=\"0 0 %d 16\" "
            "aria-hidden=\"true\">",
            WIDTH);
    for (double at = ceil(low / step) * step; at <= high; at += step) {
        char text[32];
        at = fabs(at) < step / 2 ? 0 : at; /* and no -0 */
        double x = place(scale, at / 100);
        snprintf(text, sizeof text, "%.*f %%", step < 0.1 ? 2 : step < 1, at);
        if (x > 22 && x < WIDTH - 22)
            page_draw_text(to, "", x, 11, ANCHOR_MIDDLE, text, WHOLE_TEXT);
    }
    fputs("</svg><td colspan=\"6\" class=\"wide\">\n", to);
}

static void put_tests(FILE *to, const standing *s)
{
    char p[32];
    const bool tested = isfinite(s->p_adjusted);
    fprintf(to, "<td class=\"number\">");
    if (isfinite(s->against.difference) && s->verdict != VERDICT_BASELINE)
        fprintf(to, "%+.2f", 100 * s->against.difference);
    fprintf(to, "<td class=\"number wide\">");
    if (tested && isfinite(s->corrected_low))
        fprintf(to, "%+.2f to %+.2f", 100 * s->corrected_low, 100 * s->corrected_high);
    report_p_text(s->p_adjusted, p, sizeof p);
    fprintf(to, "<td class=\"number wide\">%s<td class=\"number wide\">", tested ? p : "");
    if (tested && s->against.seeds_needed > 0)
        fprintf(to, "%d", s->against.seeds_needed);
    else if (tested && s->against.seeds_needed < 0)
        fputs("&gt;&#8239;1000", to);
}

static void put_line(FILE *to, const panel *p, const standing *s, const range *scale)
{
    static const char *const classes[] = {[VERDICT_BASELINE] = "soft",
                                          [VERDICT_BETTER] = "better",
                                          [VERDICT_WORSE] = "worse",
                                          [VERDICT_NOT_SHOWN] = "soft",
                                          [VERDICT_NOT_TESTED] = "soft"};
    const row_view *row = &p->rows[s->row];
    const sample_summary *score = &s->score;
    char text[200];
    fprintf(to, "<tr><td class=\"letters\">%s<td class=\"number\">", s->letters);
    if (!s->failures)
        fprintf(to, "%d", s->rank);
    fputs("<td class=\"name\"><span class=\"named\">", to);
    page_dot(to, report_row_class(row));
    fputs("<span>", to);
    page_put_html(to, row->label, CAPTION_LETTERS);
    fputs("</span></span>", to);
    fputs("<td class=\"picture\">", to);
    report_put_row_picture(to, p, s, scale);
    fputs("<td class=\"number mean-of\">", to);
    if (score->n)
        fprintf(to, "<b>%.2f</b>&#8239;%%", 100 * score->mean);
    if (score->n > 1)
        fprintf(to, " <span class=\"soft\">&#177; %.2f</span>", 100 * score->sd);
    put_tests(to, s);
    fprintf(to, "<td class=\"verdict %s\">",
            s->failures || !s->learned ? "failed" : classes[s->verdict]);
    report_verdict_write(p, s, text, sizeof text);
    page_put_html(to, text, WHOLE_TEXT);
    putc('\n', to);
}

static void put_board(FILE *to, const panel *p)
{
    char scores[64];
    snprintf(scores, sizeof scores, "%s %s: seeds, mean, 95 %% interval", p->score_of,
             p->score_name);
    const page_column columns[] = {
        {"letters", ""},
        {"", "number"},
        {"", ""},
        {scores, ""},
        {"mean \xC2\xB1 s", "number"},
        {"to baseline", "number"},
        {"corrected interval", "number wide"},
        {"p", "number wide"},
        {"seeds needed", "number wide"},
        {"verdict", ""},
    };
    range scale = report_score_scale(p);
    page_table(to, "Leaderboard", "board", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < p->n_ranked; i++)
        put_line(to, p, &p->standings[i], &scale);
    put_axis(to, &scale);
    page_table_end(to);
}

enum { DEAD_COLUMN = 25 };
static const page_column all_columns[] = {
    {"rank", "number"},        {"row", ""},
    {"runs", "number"},        {"failed", "number"},
    {"mean %", "number"},      {"SD", "number"},
    {"median", "number"},      {"t interval", "number"},
    {"bootstrap", "number"},   {"difference", "number"},
    {"t", "number"},           {"p", "number"},
    {"corrected p", "number"}, {"r", "number"},
    {"Cohen's d", "number"},   {"Wilcoxon p", "number"},
    {"sign-flip p", "number"}, {"macro F1 %", "number"},
    {"test loss", "number"},   {"loss gap", "number"},
    {"parameters", "number"},  {"multiply-adds", "number"},
    {"s per epoch", "number"}, {"images/s", "number"},
    {"peak MiB", "number"},    {NULL, "number"},
    {"tuned rate", "number"},
};

static void put_interval(FILE *to, double low, double high)
{
    fputs("<td class=\"number\">", to);
    if (isfinite(low) && isfinite(high))
        fprintf(to, "%.2f to %.2f", 100 * low, 100 * high);
}

static void put_p(FILE *to, double p)
{
    char text[32];
    report_p_text(p, text, sizeof text);
    fprintf(to, "<td class=\"number\">%s", text);
}

static void put_figures(FILE *to, const panel *p, const standing *s)
{
    const row_view *row = &p->rows[s->row];
    const sample_summary *of = &s->score;
    const paired_test *test = &s->against;
    page_row(to);
    page_numbers(to, 0, s->rank);
    fputs("<td>", to);
    for (int k = AXIS_ACT; k < AXES; k++) {
        page_put_html(to, row->record->specs[k], WHOLE_TEXT);
        fputs(k < AXES - 1 ? ", " : "", to);
    }
    page_numbers(to, 0, s->runs, s->failures);
    page_numbers(to, 3, 100 * of->mean, 100 * of->sd, 100 * of->median);
    put_interval(to, of->low, of->high);
    put_interval(to, of->boot_low, of->boot_high);
    page_numbers(to, 3, 100 * test->difference);
    page_numbers(to, 2, test->t);
    put_p(to, test->p);
    put_p(to, s->p_adjusted);
    page_numbers(to, 2, test->correlation, test->cohen_d);
    put_p(to, test->wilcoxon_p);
    put_p(to, test->flip_p);
    page_numbers(to, 2, 100 * row->macro_f1);
    page_numbers(to, 4, row->loss_at_test,
                 row->n_epochs ? report_loss_gap(row, row->n_epochs - 1) : (double)NAN);
    fprintf(to, "<td class=\"number\">%s", tool_grouped(row->record->parameters));
    fprintf(to, "<td class=\"number\">%s", tool_grouped(row->record->multiply_adds));
    page_numbers(to, 2, row->epoch_seconds);
    page_numbers(to, 0, row->images_per_s, row->peak_mib);
    page_numbers(to, 2, 100 * report_dead_share(p, row));
    page_numbers(to, 5, row->record->rate);
    putc('\n', to);
}

void report_part_board(FILE *to, const panel *p)
{
    if (!p->n_ranked)
        return;
    char floor[80];
    snprintf(floor, sizeof floor, "Floor: %.2f %%, %s.", 100 * p->floor, p->floor_name);
    put_board(to, p);
    page_paragraph(to, "how after", isfinite(p->floor) ? floor : NULL);
    page_paragraph(
        to, "how after",
        "Dots are seeds, the ring is their mean, the bar the 95 % interval of the mean, with an arrow "
        "where it goes on beyond the picture, the dotted line the baseline. \xC2\xB1 stands everywhere for "
        "s, the standard deviation over seeds, never for an interval. Two rows are told apart "
        "where they have no letter in common. All pairs are one family of paired t tests "
        "at 5 %; p is corrected for that, and the interval of the difference with it: it is that of "
        "the level at which the row was tested, and holds 0 where p is above 0.05. Not shown, 80 % for 1.20: had the difference "
        "been 1.20 points, a sweep of so many seeds would have shown it in 80 of 100 "
        "cases. Seeds needed: for the difference seen here to be found with 80 % power.");
    page_column columns[sizeof all_columns / sizeof *all_columns];
    memcpy(columns, all_columns, sizeof columns);
    columns[DEAD_COLUMN].name = report_dead_column(p).name;
    page_details(to, "All figures of the leaderboard");
    page_table(
        to,
        "Every row, whole specs: accuracies and differences in percent of the test set; SD is s; r is the "
        "correlation with the baseline over seeds; the gap is validation less training loss at the end, "
        "by the same measure",
        "", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < p->n_ranked; i++)
        put_figures(to, p, &p->standings[i]);
    page_table_end(to);
    page_details_end(to);
}
