/* The C file of an activation: what a person would have written from the formula. */
#include "plugin/formula/expr.h"
#include "memory.h"
#include "output.h"

#include <float.h>
#include <hillock/plugin.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The functions of an activation: value, slope, then the gradient of each learned parameter. */
typedef struct parts {
    expr roots[2 + HK_MAX_SLOTS];
    int n;
    bounds value_within, slope_within, gradient_within;
} parts;

/* Of more operations than this the kernels are one code for all instruction sets: inlined into each loop
 * they would be compiled for minutes. */
enum { MOST_INLINE = 300 };

static int count_learned(const formula *f)
{
    int n = 0;
    for (int i = 0; i < f->n_parameters; i++)
        n += f->parameters[i].learned;
    return n;
}

/* The formula with a space on both sides of what joins two operands. */
static void put_formula(const char *text, FILE *to)
{
    bool after_operand = false;
    for (const char *begin = text; *text; text++) {
        if (*text == ' ' || *text == '\t')
            continue;
        bool joins = after_operand && strchr("+-*/<>=!?:", *text);
        bool exponent = text - begin > 1 && strchr("eE", text[-1]) &&
                        strchr("0123456789.", text[-2]) && strchr("+-", *text);
        if (*text == ',' || (joins && !exponent))
            fprintf(to, "%s%c%s", *text == ',' ? "" : " ", *text, text[1] == '=' ? "= " : " ");
        else
            putc(*text, to);
        text += joins && text[1] == '=';
        after_operand = exponent || !strchr("+-*/<>=!?:,(^", *text);
    }
}

static void put_learned(const formula *f, FILE *to)
{
    int n = count_learned(f), i = 0;
    for (int j = 0; j < f->n_parameters; j++)
        if (f->parameters[j].learned)
            fprintf(to, "%s%s", i++ == 0 ? ", " : i == n ? " and " : ", ", f->parameters[j].name);
    fputs(n ? " learned" : "", to);
}

/* Names of the indices, for parameters or slots, where there are several. */
static void put_names(const formula *f, bool learned, FILE *to)
{
    const int all = count_learned(f), n = learned ? all : f->n_parameters - all;
    for (int i = 0, seen = 0; n > 1 && i < f->n_parameters; i++)
        if (f->parameters[i].learned == learned) {
            fputs(seen++ ? ", " : "enum { ", to);
            formula_print_capitals(f->parameters[i].name, to);
            fputs(seen == n ? " };\n" : "", to);
        }
}

static void put_table(const formula *f, bool learned, FILE *to)
{
    bool begun = false;
    for (int i = 0; i < f->n_parameters; i++) {
        const parameter *it = &f->parameters[i];
        if (it->learned != learned)
            continue;
        if (begun)
            fprintf(to, ",\n%*s", learned ? 9 : 10, "");
        else
            fputs(learned ? "HK_SLOTS(" : "HK_PARAMS(", to);
        begun = true;
        fprintf(to, "{.name = \"%s\", .doc = \"%s in the formula\", %s", it->name, it->name,
                learned ? ".role = HK_LEARNED,\n          .extent = HK_PER_CHANNEL, "
                          ".flags = HK_NO_DECAY, .value = "
                        : ".type = HK_REAL,\n           .value = ");
        fputs(tool_shortest(it->value, false), to);
        if (it->low < it->high) {
            fputs(", .low = ", to);
            fputs(tool_shortest(it->low, false), to);
            fputs(", .high = ", to);
            fputs(tool_shortest(it->high, false), to);
        }
        putc('}', to);
    }
    fputs(begun ? ");\n" : "", to);
}

/* ---- Bodies and the closing line ------------------------------------------------------------- */

/* What people read, and the formula where it is no argument of the macro. */
static void put_texts(const formula *f, const formula_request *wanted, int margin, FILE *to)
{
    if (count_learned(f) < f->n_parameters)
        fprintf(to, "%*s.params = params,\n", margin, "");
    fprintf(to, "%*s.summary = \"", margin, "");
    put_formula(wanted->formula, to);
    put_learned(f, to);
    fputs("\",\n", to);
    if (!wanted->is_normalization) {
        fprintf(to, "%*s.formula = \"", margin, "");
        put_formula(wanted->formula, to);
        fputs("\",\n", to);
    }
    fprintf(to, "%*s.source = \"unpublished\");\n", margin, "");
}

/* An activation, and a normalization, of the same values. */
static void put_pointwise(const formula *f, const formula_request *wanted, FILE *to)
{
    fprintf(to, "\nHK_POINTWISE(%s, \"", wanted->name);
    put_formula(wanted->formula, to);
    fputs("\",\n", to);
    put_texts(f, wanted, (int)strlen("HK_POINTWISE("), to);
}

static void put_closing(const formula *f, const formula_request *wanted, const parts *it, FILE *to)
{
    const char *macro = it->n > 2 ? "HK_ELEMENTWISE_LEARNED" : "HK_ELEMENTWISE";
    const int margin = (int)strlen(macro) + 1;
    bool x = false, y = false; /* what the slopes read */
    for (int i = 1; i < it->n; i++) {
        x = x || formula_contains_op(f, it->roots[i], OP_X);
        y = y || formula_contains_op(f, it->roots[i], OP_Y);
    }
    fprintf(to, "\n%s(%s, %s%s%s%s,\n", macro, wanted->name,
            x   ? "HK_READS_X"
            : y ? ""
                : "0",
            x && y ? " | " : "", y ? "HK_READS_Y" : "", wanted->surrogate ? " | HK_SURROGATE" : "");
    put_texts(f, wanted, margin, to);
}

static int count_operations(const formula *f, const parts *it)
{
    bool in[MAX_NODES];
    int n = 0;
    for (int i = 0; i < it->n; i++) {
        formula_mark(f, it->roots[i], in);
        for (expr e = 0; e <= it->roots[i]; e++)
            n += in[e] && f->nodes[e].op > OP_PARAM;
    }
    return n;
}

static void put_file(formula *f, const formula_request *wanted, parts *it, FILE *to)
{
    static const char *const bodies[] = {"HK_VALUE(", "HK_SLOPE(", "HK_GRADIENT("};
    const bounds within[] = {it->value_within, it->slope_within, it->gradient_within};
    fprintf(to, "/* %s: ", wanted->name);
    put_formula(wanted->formula, to);
    put_learned(f, to);
    fputs(".\n", to);
    if (formula_contains_op(f, it->roots[0], OP_TANH_LOG))
        fputs(" * tanh(log(1 + n)) is m / (m + 2) with m = n (n + 2): an exponential less.\n", to);
    bool in[MAX_NODES];
    formula_mark(f, it->roots[0], in);
    for (expr e = 0; e <= it->roots[0]; e++)
        if (in[e] && formula_is_op(f, e, OP_CAP))
            fprintf(to, " * From exp(%.0f) on nothing changes, so the exponential ends there.\n",
                    f->nodes[e].value);
    if (isfinite(it->slope_within.low) || isfinite(it->slope_within.high))
        fputs(" * Far out the slope is constant while its parts overflow: so x ends before.\n", to);
    fputs(" * Unpublished: say here who proposed it, when and where. */\n", to);
    for (int i = 0; i < it->n; i++)
        it->roots[i] = formula_lower(f, it->roots[i]);
    if (count_operations(f, it) > MOST_INLINE)
        fputs("#define HK_OUT_OF_LINE\n", to);
    fputs("#include <hillock/kernel.h>\n", to);
    fputs(f->n_parameters ? "\n" : "", to);
    put_names(f, false, to);
    put_names(f, true, to);
    put_table(f, false, to);
    put_table(f, true, to);
    putc('\n', to);
    for (int i = 0; i < 3 && i < it->n; i++) {
        fputs(bodies[i], to);
        formula_print_body(f, it->roots + i, i < 2 ? 1 : it->n - 2, within[i],
                           (int)strlen(bodies[i]), to);
        fputs(")\n", to);
    }
    if (wanted->is_normalization)
        put_pointwise(f, wanted, to);
    else
        put_closing(f, wanted, it, to);
}

/* ---- From the request ------------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3))) static void add_note(formula_notes *notes, const char *format,
                                                           ...)
{
    va_list arguments;
    if (notes->n == FORMULA_NOTES)
        return;
    va_start(arguments, format);
    vsnprintf(notes->sentences[notes->n++], sizeof notes->sentences[0], format, arguments);
    va_end(arguments);
}

/* The author's slope in place of ours; a difference is a note, not an error. */
static bool take_derivative(formula *f, const formula_request *wanted, parts *it,
                            formula_notes *notes, formula_error *error)
{
    double at;
    expr own = formula_parse(f, wanted->derivative, true, error), found = it->roots[1];
    if (error->sentence[0])
        return false;
    it->roots[1] = formula_stabilise(f, own);
    if (formula_find_difference(f, it->roots[0], it->roots[1], found, &at))
        add_note(notes, "--derivative is not the derivative of --formula, at x = %g for one", at);
    return true;
}

/* What backward uses instead: it is not compared with anything, and sees every x. */
static bool take_surrogate(formula *f, const formula_request *wanted, parts *it,
                           formula_error *error)
{
    const expr own = formula_stabilise(f, formula_parse(f, wanted->surrogate, false, error));
    const expr condition = formula_leaf(f, OP_SURROGATE, 0);
    it->roots[1] = formula_make_raw(f, (node){OP_SELECT, condition, own, it->roots[1], 0});
    it->slope_within = (bounds){-(double)INFINITY, (double)INFINITY};
    return !error->sentence[0] && !f->full;
}

static void note_undefined(formula *f, const parts *it, formula_notes *notes)
{
    double at;
    expr value = it->roots[0];
    if (formula_find_undefined(f, value, it->roots, 1, it->value_within, &at))
        add_note(notes,
                 "the value is not a number at x = %g; an activation should have one everywhere",
                 at);
    else if (formula_find_overflow(f, formula_lower(f, value), &at))
        add_note(notes, "the value overflows at x = %g, on its way to a smaller number", at);
    else if (formula_find_undefined(f, value, it->roots + 1, 1, it->slope_within, &at))
        add_note(notes, "the slope is not a number at x = %g; --derivative can give another form",
                 at);
    else if (it->n > 2 &&
             formula_find_undefined(f, value, it->roots + 2, it->n - 2, it->gradient_within, &at))
        add_note(notes, "the gradient of a parameter is not a number at x = %g", at);
}

/* "at x = 2, with a = 0". */
static const char *place_text(const formula *f, const fault *at)
{
    static char text[128];
    const int n = snprintf(text, sizeof text, "at x = %g", at->x);
    if (at->moved >= 0)
        snprintf(text + n, sizeof text - (size_t)n, ", with %s = %g", f->parameters[at->moved].name,
                 at->setting);
    return text;
}

static bool is_ranged(const formula *f, int moved)
{
    return moved >= 0 && f->parameters[moved].low < f->parameters[moved].high;
}

static bool refuse_setting(const formula *f, const fault *at, const char *what,
                           formula_error *error)
{
    const parameter *p = &f->parameters[at->moved];
    snprintf(error->sentence, sizeof error->sentence,
             "%s is not a number %s, which its range %g:%g allows; expected a range without it",
             what, place_text(f, at), p->low, p->high);
    return false;
}

/* Parameters for which the formula itself has no value: within a range they are refused. */
static bool check_settings(const formula *f, const original *o, formula_notes *notes,
                           formula_error *error)
{
    double start[64], values[64];
    fault at = {.root = 0};
    formula_set_parameters(f, 0, start, &at.moved);
    for (int trial = 1; trial <= ALL_MOVES * f->n_parameters; trial++) {
        formula_set_parameters(f, trial, values, &at.moved);
        at.setting = values[at.moved];
        for (at.x = 8; at.x >= -8; at.x -= 0.25) {
            const point one = {.x = (long double)at.x, .parameters = start, .in = IN_EXTENDED};
            const point two = {.x = (long double)at.x, .parameters = values, .in = IN_EXTENDED};
            if (!isfinite(formula_evaluate(&o->f, o->value, &one)) ||
                isfinite(formula_evaluate(&o->f, o->value, &two)))
                continue;
            if (is_ranged(f, at.moved))
                return refuse_setting(f, &at, "the value", error);
            const parameter *p = &f->parameters[at.moved];
            add_note(notes, "the value is not a number %s%s%s%s", place_text(f, &at),
                     p->learned ? ", which learning may come to" : "; --param ",
                     p->learned ? "" : p->name, p->learned ? "" : "=DEFAULT:LOW:HIGH excludes it");
            return true;
        }
    }
    return true;
}

static bounds bounds_of(const parts *it, int root)
{
    return root == 0 ? it->value_within : root == 1 ? it->slope_within : it->gradient_within;
}

/* A slope that has no number where a parameter is at the end of its range. */
static bool find_bad_slope(const formula *f, const original *o, const parts *it, fault *at)
{
    for (int root = 1; root < it->n; root++) {
        *at = formula_find_fault(f, o, it->roots, root, bounds_of(it, root), 1e6);
        if (at->root >= 0 && isnan(at->is))
            return true;
    }
    return false;
}

/* What is another function than the formula, or is one in float. Far out one note is enough. */
static void note_faults(const formula *f, const original *o, const parts *it, bool own_slope,
                        formula_notes *notes)
{
    const double reach = notes->n ? 1e6 : 1e30;
    for (int root = 0; root < it->n; root++) {
        if (own_slope && root == 1) /* that it differs is noted already */
            continue;
        const fault at = formula_find_fault(f, o, it->roots, root, bounds_of(it, root), reach);
        const char *const what = root == 0   ? "the value"
                                 : root == 1 ? "the slope"
                                             : "a parameter's gradient";
        if (at.root >= 0 && isnan(at.is))
            add_note(notes, "%s is not a number %s", what, place_text(f, &at));
        else if (at.root >= 0)
            add_note(notes, "%s is %g %s, that of the formula %g%s", what, at.is,
                     place_text(f, &at), at.should,
                     at.in_float ? ": float has not enough digits there" : "");
    }
}

static void note_constants(const original *o, formula_notes *notes)
{
    for (expr e = 1; e < o->f.n_nodes; e++) {
        const double value = o->f.nodes[e].value;
        if (formula_is_op(&o->f, e, OP_NUMBER) && fabs(value) > 0 && fabs(value) < (double)FLT_MIN)
            add_note(notes, "%g is less than a float can hold: it counts as 0", value);
    }
    if (!formula_contains_op(&o->f, o->value, OP_X))
        add_note(notes, "x does not occur: the value is the same everywhere");
}

static void find_slopes(formula *f, const original *o, parts *it)
{
    formula_choose_slopes(f, it->roots, it->n);
    it->slope_within = formula_find_bounds(f, o, it->roots[0], it->roots + 1, 1);
    it->gradient_within = formula_find_bounds(f, NULL, it->roots[0], it->roots + 2, it->n - 2);
}

static bool find_parts(formula *f, original *o, const formula_request *wanted, parts *it,
                       formula_notes *notes, formula_error *error)
{
    fault at;
    const expr value = formula_stabilise(f, formula_parse(f, wanted->formula, false, error));
    formula_read_original(o, wanted->formula, error);
    if (error->sentence[0])
        return false;
    for (int i = 0; i < f->n_parameters; i++)
        if (!formula_contains(f, value, formula_leaf(f, OP_PARAM, i))) {
            snprintf(error->sentence, sizeof error->sentence,
                     "the parameter \"%s\" does not occur in the formula", f->parameters[i].name);
            return false;
        }
    it->roots[0] = value;
    it->n = 2 + count_learned(f);
    it->value_within = formula_find_bounds(f, NULL, value, it->roots, 1);
    find_slopes(f, o, it);
    if (!f->full && find_bad_slope(f, o, it, &at)) {
        f->guarded = true;
        find_slopes(f, o, it);
    }
    if (!f->full && wanted->derivative && !take_derivative(f, wanted, it, notes, error))
        return false;
    if (f->full || o->f.full) {
        *error = (formula_error){.sentence = "the formula is too large to be differentiated"};
        return false;
    }
    if (!check_settings(f, o, notes, error))
        return false;
    if (f->guarded && find_bad_slope(f, o, it, &at) && is_ranged(f, at.moved))
        return refuse_setting(f, &at, "the slope", error);
    note_undefined(f, it, notes);
    note_constants(o, notes);
    note_faults(f, o, it, wanted->derivative != NULL, notes);
    return !wanted->surrogate || take_surrogate(f, wanted, it, error);
}

char *formula_to_c(const formula_request *wanted, formula_notes *notes, formula_error *error)
{
    parts it = {0};
    char *text = NULL;
    bool made = false;
    formula *f = calloc(1, sizeof *f);
    original *o = calloc(1, sizeof *o);
    FILE *to = f && o ? tool_memory_stream(&text, NULL) : NULL;
    *notes = (formula_notes){0};
    *error = (formula_error){.sentence = "out of memory"};
    if (to) {
        error->sentence[0] = '\0';
        formula_number(f, 0); /* node 0 is what a full formula answers with */
        f->parameters = o->f.parameters = wanted->parameters;
        f->n_parameters = o->f.n_parameters = wanted->n_parameters;
        f->without_y = wanted->is_normalization;
        made = find_parts(f, o, wanted, &it, notes, error);
        if (made)
            put_file(f, wanted, &it, to);
        fclose(to);
    }
    free(f);
    free(o);
    if (made)
        return text;
    free(text);
    return NULL;
}
