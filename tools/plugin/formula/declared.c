/* The formula that a plugin declares, read back. */
#include "plugin/formula/expr.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void refuse(formula_error *error, const char *format,
                                                         ...)
{
    va_list arguments;
    if (error->sentence[0])
        return;
    va_start(arguments, format);
    vsnprintf(error->sentence, sizeof error->sentence, format, arguments);
    va_end(arguments);
}

/* A name may have one meaning. */
static void add_name(declared *d, const char *name, double value, double low, double high,
                     formula_error *error)
{
    parameter *it = &d->parameters[d->f.n_parameters];
    if (!formula_name_is_free(name))
        refuse(error, "\"%s\" has a meaning in formulas already: it names nothing of a plugin",
               name);
    for (int i = 0; i < d->f.n_parameters; i++)
        if (strcmp(d->parameters[i].name, name) == 0)
            refuse(error, "both a parameter and a slot are called \"%s\"", name);
    *it = (parameter){.value = value, .low = low, .high = high};
    snprintf(it->name, sizeof it->name, "%s", name);
    d->f.n_parameters++;
}

static void read_value(declared *d, const char *text, formula_error *error)
{
    original *o = &d->as_written;
    o->f.parameters = d->f.parameters = d->parameters;
    o->f.n_parameters = d->f.n_parameters;
    formula_read_original(o, text, error);
    formula_number(&d->f, 0); /* node 0 is what a full formula answers with */
    const expr parsed = error->sentence[0] ? 0 : formula_parse(&d->f, text, false, error);
    const expr stable = error->sentence[0] ? 0 : formula_stabilise(&d->f, parsed);
    if (!error->sentence[0])
        d->value = formula_lower(&d->f, stable);
    if (d->f.full || o->f.full)
        refuse(error, "the formula is too large");
    if (error->sentence[0])
        return;
    d->slope = formula_lower(&d->f, formula_derive(&d->f, stable, formula_leaf(&d->f, OP_X, 0)));
    if (d->f.full)
        d->slope = 0, d->f.full = false;
}

declared *formula_declared(const hk_plugin *plugin, formula_error *error)
{
    declared *d = calloc(1, sizeof *d);
    *error = (formula_error){0};
    if (!d) {
        refuse(error, "out of memory");
        return NULL;
    }
    for (const hk_param *p = plugin->params; p && p->name; p++, d->n_params++)
        add_name(d, p->name, p->value, p->low, p->high, error);
    for (const hk_slot *slot = plugin->slots; slot && slot->name; slot++)
        add_name(d, slot->name, slot->value, slot->low, slot->high, error);
    if (!error->sentence[0])
        read_value(d, plugin->formula, error);
    if (!error->sentence[0])
        return d;
    free(d);
    return NULL;
}
