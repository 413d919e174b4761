/* What rows and data sets are called: as short as distinguishes them. */
#include "compare/report/analysis.h"
#include "compare/rate.h"
#include "memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* mnist:some/where/mnist is mnist, csv:some/where/iris.csv,label=first csv:iris.csv,label=first. */
static void short_name(const char *spec, char *out, size_t size)
{
    const int source = (int)strcspn(spec, ":");
    const int path = source + (int)strcspn(spec + source, ","); /* where it ends */
    int last = path;
    while (last > source && spec[last - 1] != '/')
        last--;
    if (last <= source)
        snprintf(out, size, "%s", spec);
    else if (path - last == source && strncmp(spec, spec + last, (size_t)source) == 0)
        snprintf(out, size, "%.*s%s", source, spec, spec + path);
    else
        snprintf(out, size, "%.*s:%s", source, spec, spec + last);
}

/* Short, unless another data set of the comparison would be called the same. */
void report_name_data_sets(analysis *a)
{
    for (int i = 0; i < a->n_panels; i++) {
        panel *p = &a->panels[i];
        char other[sizeof p->data_name];
        bool ambiguous = false;
        short_name(p->data, p->data_name, sizeof p->data_name);
        for (int k = 0; k < a->n_panels && !ambiguous; k++) {
            short_name(a->panels[k].data, other, sizeof other);
            ambiguous = strcmp(a->panels[k].data, p->data) != 0 && strcmp(other, p->data_name) == 0;
        }
        if (ambiguous)
            snprintf(p->data_name, sizeof p->data_name, "%s", p->data);
    }
}

/* The last part of a path; the whole of anything else. */
static const char *last_part(const char *spec)
{
    const char *slash = memrchr(spec, '/', strcspn(spec, ":"));
    return slash && slash[1] && !strchr(spec, '+') ? slash + 1 : spec;
}

/* A path is called by its last part, unless another path in the comparison would be too. */
static const char *short_spec(const analysis *a, int which, const char *spec)
{
    const char *last = last_part(spec);
    for (int i = 0; last != spec && i < a->of->n_rows; i++) {
        const char *other = a->of->rows[i].specs[which];
        if (strcmp(other, spec) != 0 && strcmp(last_part(other), last) == 0)
            return spec;
    }
    return last;
}

/* Without a rate that tuning replaces. Where all optimizers differ in numbers only, the numbers stand
 * alone: "lr=0.1". */
static const char *short_optimizer(const analysis *a, const row_record *row, char *out, size_t size)
{
    const char *spec = row->specs[AXIS_OPTIMIZER];
    size_t name = strcspn(spec, ":");
    if (isfinite(row->rate)) {
        compare_rate_left_out(spec, out, size);
        return out;
    }
    for (int i = 0; i < a->of->n_rows; i++) {
        const char *other = a->of->rows[i].specs[AXIS_OPTIMIZER];
        if (strncmp(other, spec, name) != 0 || other[name] != ':')
            return spec;
    }
    return spec + name + 1;
}

/* The beginning of a digest that a row has and another of the same specs has not: of a plugin that
 * was changed, or of two that have one name. */
static const char *own_digest(const analysis *a, const row_record *row)
{
    for (int i = 0; i < a->of->n_rows; i++) {
        const row_record *other = &a->of->rows[i];
        const char *mine = row->plugin_digests, *its = other->plugin_digests;
        bool same = other != row;
        for (int k = AXES - 1; k >= 0 && same; k--)
            same = strcmp(row->specs[k], other->specs[k]) == 0;
        if (!same || strcmp(mine, its) == 0)
            continue;
        const char *word = mine;
        for (; *mine && *mine == *its; mine++, its++)
            word = *mine == ' ' ? mine + 1 : word;
        return word;
    }
    return NULL;
}

static const row_record *baseline_of(const analysis *a, const row_record *row)
{
    for (const row_record *it = a->of->rows; it < a->of->rows + a->of->n_rows; it++)
        if (it->is_baseline && strcmp(it->specs[AXIS_DATA], row->specs[AXIS_DATA]) == 0)
            return it;
    return row;
}

/* Whether a label names the axis: where it varies, but for "none" of what few rows have; of rows that change
 * one thing at a time where they are not as the baseline. */
static bool is_named(const analysis *a, const row_record *row, int k)
{
    if (a->one_at_a_time)
        return strcmp(row->specs[k], baseline_of(a, row)->specs[k]) != 0;
    return a->varies[k] &&
           !((k == AXIS_WEIGHT_NORM || k == AXIS_DOCTOR) && strcmp(row->specs[k], "none") == 0);
}

/* The parameters of a model from the first on in which it differs from the baseline's. */
static const char *short_model(const analysis *a, const row_record *row)
{
    const char *spec = row->specs[AXIS_MODEL], *other = baseline_of(a, row)->specs[AXIS_MODEL];
    size_t same = 0;
    while (spec[same] && spec[same] == other[same])
        same++;
    const char *begin = spec;
    for (const char *at = spec; at <= spec + same && *at; at++)
        begin = *at == ',' || *at == ':' ? at + 1 : begin;
    return begin;
}

const char *report_row_label(analysis *a, const row_record *row, int end)
{
    enum { MOST = 96 };
    char optimizer[512], *label = NULL;
    size_t size;
    const char *before = " (", *digest = own_digest(a, row);
    FILE *to = tool_memory_stream(&label, &size);
    if (!to)
        return NULL;
    fputs(short_spec(a, AXIS_ACT, row->specs[AXIS_ACT]), to);
    for (int k = AXIS_MODEL; k < end; k++)
        if (k != AXIS_ACT && is_named(a, row, k)) {
            fprintf(to, "%s%s", before,
                    k == AXIS_OPTIMIZER ? short_optimizer(a, row, optimizer, sizeof optimizer)
                    : k == AXIS_MODEL   ? short_model(a, row)
                                        : short_spec(a, k, row->specs[k]));
            before = ", ";
        }
    if (digest) {
        fprintf(to, "%sfile %.8s", before, digest);
        before = ", ";
    }
    if (*before == ',')
        putc(')', to);
    char *kept = fclose(to) == 0 ? report_analysis_take(a, size + 1, 1) : NULL;
    if (kept)
        strcpy(kept, label);
    free(label);
    if (kept &&
        size > MOST + 3) { /* they stand in sentences and pictures; tables have whole specs */
        size_t at = MOST;
        while (at && ((unsigned char)kept[at] & 0xC0) == 0x80) /* not within a character */
            at--;
        memcpy(kept + at, "\xE2\x80\xA6", 4);
    }
    return kept;
}

const char *report_two_labels(analysis *a, const char *one, const char *other)
{
    const size_t size = strlen(one) + strlen(other) + 4;
    char *both = report_analysis_take(a, size, 1);
    if (both)
        snprintf(both, size, "%s = %s", one, other);
    return both;
}
