/* What trained the rows: the recipes as resolved, each once, with the rows that it trained. */
#include "compare/report/parts.h"
#include "page/text.h"

#include <jansson.h>
#include <string.h>

static const char *recipe_of(const panel *p, int row)
{
    const char *text = p->rows[row].record->recipe;
    return text ? text : "";
}

static void put_rows(FILE *to, const panel *p, int first)
{
    int n = 0;
    for (int k = 0; k < p->n_rows; k++)
        n += strcmp(recipe_of(p, k), recipe_of(p, first)) == 0;
    if (n == p->n_rows) {
        page_text_cell(to, "all");
        return;
    }
    fputs("<td>", to);
    for (int k = first, put = 0; k < p->n_rows; k++)
        if (strcmp(recipe_of(p, k), recipe_of(p, first)) == 0) {
            fputs(put++ ? ", " : "", to);
            page_put_html(to, p->rows[k].label, CAPTION_LETTERS);
        }
}

static void put_recipe(FILE *to, const panel *p, int row, const json_t *recipe)
{
    static const char *const texts[] = {"optimizer", "schedule", "augment"};
    static const char *const numbers[] = {"batch", "epochs", "steps", "samples"};
    page_row(to);
    page_text_cell(to, p->data_name);
    page_text_cell(to, p->model);
    put_rows(to, p, row);
    for (int i = 0; i < 3; i++) {
        const char *text = json_string_value(json_object_get(recipe, texts[i]));
        page_text_cell(to, text ? text : "");
    }
    for (int i = 0; i < 4; i++)
        page_numbers(to, 0, (double)json_integer_value(json_object_get(recipe, numbers[i])));
}

static void put_panel(FILE *to, const panel *p)
{
    for (int k = 0; k < p->n_rows; k++) {
        int first = 0;
        while (strcmp(recipe_of(p, first), recipe_of(p, k)) != 0)
            first++;
        json_t *recipe = first == k ? json_loads(recipe_of(p, k), 0, NULL) : NULL;
        if (recipe)
            put_recipe(to, p, k, recipe);
        json_decref(recipe);
    }
}

void report_part_recipes(FILE *to, const analysis *a)
{
    static const page_column columns[] = {
        {"data", ""},        {"model", ""},         {"rows", ""},        {"optimizer", ""},
        {"schedule", ""},    {"augmentation", ""},  {"batch", "number"}, {"epochs", "number"},
        {"steps", "number"}, {"samples", "number"},
    };
    bool any = false;
    for (int i = 0; i < a->of->n_rows; i++)
        any = any || a->of->rows[i].recipe;
    if (!any)
        return;
    page_heading(
        to, "What trained them",
        "As resolved, where the model or the size of the data decided. Seed s draws initial "
        "weights, validation data, order of the samples, augmentation and dropout, each from a "
        "stream of its own that depends on s alone (Philox4x32-10): they are the same for "
        "all rows.");
    page_table(to, "Recipes", "", columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < a->n_panels; i++)
        put_panel(to, &a->panels[i]);
    page_table_end(to);
}
