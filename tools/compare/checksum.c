/* What a run found, as one number: CRC-32 over all that was measured, with its name. What was not measured
 * adds nothing, so that a figure which is new does not change the number of older runs. */
#include "compare/checksum.h"
#include "compare/figures.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

static uLong add(uLong sum, const void *bytes, size_t n)
{
    return crc32(sum, bytes, (uInt)n);
}

static uLong add_text(uLong sum, const char *text)
{
    return text ? add(sum, text, strlen(text) + 1) : sum;
}

static uLong add_figures(uLong sum, const figure *table, const void *record)
{
    for (const figure *f = table; f->name; f++) {
        const void *member = (const char *)record + f->offset;
        const bool counted = f->form == FIGURE_INTEGER || f->form == FIGURE_COUNTS;
        const double value = compare_figure_value(f, record) + 0.0; /* a file has no -0 */
        const bool measured = f->form == FIGURE_TEXT      ? *(const char *)member
                              : f->form == FIGURE_COUNTS  ? *(const int64_t *)member >= 0
                              : f->form == FIGURE_INTEGER ? *(const int64_t *)member != 0
                                                          : isfinite(value);
        if (!measured)
            continue;
        sum = add_text(sum, compare_figure_column(f));
        sum = f->form == FIGURE_TEXT ? add_text(sum, member)
              : counted              ? add(sum, member, f->size)
                                     : add(sum, &value, sizeof value);
    }
    return sum;
}

int64_t compare_run_checksum(const run_record *run)
{
    uLong sum = add_text(0, compare_run_state_names[run->state]);
    sum = add_text(sum, run->failure);
    sum = add_text(sum, run->reason);
    sum = add_text(sum, run->last_lines);
    sum = add_figures(sum, compare_run_figures, run);
    for (int e = 0; e < run->n_epochs; e++) {
        const epoch_record *epoch = &run->epochs[e];
        sum = add(sum, &epoch->epoch, sizeof epoch->epoch);
        sum = add_figures(sum, compare_epoch_figures, epoch);
        for (int i = 0; i < epoch->n_layers; i++)
            sum = add_figures(sum, compare_layer_figures, &epoch->layers[i]);
    }
    return (int64_t)sum;
}
