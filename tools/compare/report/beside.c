/* Two sweeps side by side: rows are matched by what tables call them. */
#include "compare/report/beside.h"
#include "memory.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

static const panel *partner_of(const analysis *a, const panel *p)
{
    const analysis *with = a->with;
    if (a->n_panels == 1 && with->n_panels == 1)
        return &with->panels[0];
    for (const panel *q = with->panels; q < with->panels + with->n_panels; q++)
        if (strcmp(p->data, q->data) == 0 && strcmp(p->model, q->model) == 0)
            return q;
    return NULL;
}

static const standing *called(const panel *p, const char *label)
{
    for (int i = 0; i < p->n_ranked; i++)
        if (strcmp(p->rows[p->standings[i].row].label, label) == 0)
            return &p->standings[i];
    return NULL;
}

bool report_beside(const analysis *a, int k, beside *out)
{
    const panel *here = &a->panels[k], *there = partner_of(a, here);
    if (!there)
        return false;
    *out = (beside){.here = here, .there = there};
    out->rows = calloc((size_t)(here->n_ranked + there->n_ranked + 1), sizeof *out->rows);
    if (!out->rows)
        tool_out_of_memory();
    for (int i = 0; i < here->n_ranked; i++) {
        const char *label = here->rows[here->standings[i].row].label;
        out->rows[out->n++] = (beside_row){label, &here->standings[i], called(there, label)};
    }
    for (int i = 0; i < there->n_ranked; i++) {
        const char *label = there->rows[there->standings[i].row].label;
        if (!called(here, label))
            out->rows[out->n++] = (beside_row){label, NULL, &there->standings[i]};
    }
    return true;
}

double report_beside_difference(const beside_row *row)
{
    return row->here && row->there ? row->there->score.mean - row->here->score.mean : UNKNOWN;
}

/* ---- What differs ------------------------------------------------------------------------------ */

static json_t *text_of(const json_t *value)
{
    if (!value || json_is_null(value))
        return json_string("not given");
    if (json_is_string(value))
        return json_string(json_string_value(value));
    char *text = tool_json_written(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_t *out = tool_json_text(text);
    free(text);
    return out;
}

static void add(json_t *to, const char *what, const json_t *here, const json_t *there)
{
    if (!json_equal(here, there))
        json_array_append_new(to, json_pack("{s:s, s:o, s:o}", "what", what, "here", text_of(here),
                                            "there", text_of(there)));
}

/* What all runs of a sweep have in common: settings; where it has one table, what trained its first row and
 * on what. The resolved takes the place of what was asked. */
static json_t *common(const analysis *a)
{
    const row_record *row = &a->of->rows[0];
    const bool one = a->n_panels == 1;
    json_t *it = json_loads(a->of->settings, 0, NULL), *all = json_object();
    json_object_update(all, it);
    json_decref(it);
    it = one && row->recipe ? json_loads(row->recipe, 0, NULL) : NULL;
    json_object_update(all, it);
    json_decref(it);
    for (int k = 0; k < AXES; k++)
        if (k == AXIS_DATA || k == AXIS_MODEL ? one : k != AXIS_ACT && !a->varies[k])
            json_object_set_new(all, compare_axis_names[k], tool_json_text(row->specs[k]));
    json_object_set_new(all, "seeds", json_integer(a->of->seeds));
    return all;
}

json_t *report_beside_settings(const analysis *a)
{
    const char *key;
    json_t *value, *here = common(a), *there = common(a->with), *all = json_copy(here);
    json_t *out = json_array();
    json_object_update_missing(all, there);
    json_object_foreach(all, key, value)
        add(out, key, json_object_get(here, key), json_object_get(there, key));
    json_decref(all);
    json_decref(here);
    json_decref(there);
    return out;
}
