/* The page of hillock train --find-rate: the suggestion, and loss over learning rate. */
#include "net/find_rate.h"

#include "output.h"
#include "page/draft.h"
#include "page/draw.h"
#include "page/page.h"
#include "page/text.h"

#include <math.h>

static void put_head(FILE *to, const rate_test *t)
{
    fputs("<header>\n<h1>Hillock learning rate range test: ", to);
    page_put_html(to, t->given->operands[0], 200);
    fputs("</h1>\n<p class=\"answer\">", to);
    page_put_html(to, t->verdict, WHOLE_TEXT);
    fputs(".</p>\n<p class=\"soft\">One run of ", to);
    page_put_html(to, t->recipe->optimizer, 200);
    fputs(" on ", to);
    page_put_html(to, hk_data_spec(t->data), 200);
    fprintf(to,
            ", seed %lld: a step for each of %d batches of %d samples, the rate rising by equal "
            "factors (after Smith 2017, arXiv:1506.01186, section 3.3).",
            (long long)t->given->seed, t->n, t->recipe->batch);
    if (*t->optimizer) {
        fputs(" Use it: <code>--optimizer ", to);
        page_put_html(to, t->optimizer, WHOLE_TEXT);
        fputs("</code>", to);
    }
    fputs("</p>\n</header>\n<main>\n", to);
}

/* A vertical line with its name. */
static void put_mark(const chart *c, double rate, double height, const char *name)
{
    const double x = page_chart_x(c, rate);
    page_draw_straight(c->to, "axis", x, c->top, x, c->bottom);
    page_draw_text(c->to, "strong", x - 4, c->top + height, ANCHOR_END, name, WHOLE_TEXT);
}

/* Losses far above the first ones are outside the picture. */
static void put_chart(FILE *to, const rate_test *t)
{
    chart c = page_chart_new(to, 460, 280);
    double batches[RATE_STEPS], means[RATE_STEPS];
    c.x = (range){t->rates[0], t->rates[t->n - 1], true};
    c.y = (range){0, 1.4 * t->start, false};
    for (int i = 0; i < t->n; i++) {
        batches[i] = t->losses[i] <= c.y.high ? t->losses[i] : (double)NAN;
        means[i] = t->means[i] <= c.y.high ? t->means[i] : (double)NAN;
    }
    page_range_air(&c.x);
    page_draw_begin(to, "Training loss over learning rate", NULL, c.width, c.height,
                    "Training loss over learning rate",
                    "Loss of each batch, and the mean over those around it. The numbers are in the "
                    "table below.");
    page_chart_axes(&c, "learning rate", false);
    page_chart_series(&c,
                      (series[]){{NULL, "s1", t->rates, means, NULL, NULL, t->n},
                                 {NULL, "other", t->rates, batches, NULL, NULL, t->n}},
                      2, false);
    if (isfinite(t->suggested)) {
        put_mark(&c, t->suggested, 12, "suggested");
        put_mark(&c, t->rates[t->lowest], 26, "lowest loss");
    }
    page_draw_end(to);
}

static void put_numbers(FILE *to, const rate_test *t)
{
    static const page_column columns[] = {
        {"learning rate", "number"}, {"loss of the batch", "number"}, {"mean loss", "number"}};
    page_details(to, "Numbers of these curves");
    page_table(to, "Each step", "", columns, 3);
    for (int i = 0; i < t->n; i++) {
        char rate[32];
        snprintf(rate, sizeof rate, "%.3g", t->rates[i]);
        page_row(to);
        page_text_cell(to, rate);
        page_numbers(to, 4, t->losses[i], t->means[i]);
    }
    page_table_end(to);
    page_details_end(to);
}

int net_find_rate_page(const rate_test *t, const char *file)
{
    draft d;
    page_draft_open(&d);
    page_begin(d.to, "Hillock learning rate range test");
    put_head(d.to, t);
    page_section(
        d.to, "rate", "Loss over learning rate",
        "Too low a rate changes nothing; from some rate on the loss falls; too high a rate makes it "
        "grow. Grey: each batch; blue: the mean of those around it.");
    page_grid_begin(d.to, GRID_WIDE);
    put_chart(d.to, t);
    page_grid_end(d.to);
    put_numbers(d.to, t);
    page_section_end(d.to);
    fputs("</main>\n", d.to);
    page_end(d.to);
    const int status = page_draft_save(&d, file);
    if (!status)
        tool_note("wrote %s, %s bytes", file, tool_grouped((int64_t)d.size));
    return status;
}
