/* Expressions as C for hillock/kernel.h. What is used more than once becomes a named constant;
 * whole numbers are written as int, which the compiler converts; other numbers are cast to real. */
#include "plugin/formula/expr.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 100 };
enum { AS_CHOICE, AS_COMPARED, AS_TERM, AS_FACTOR, AS_UNARY }; /* what binds how tightly */

/* Each op's function in maths.h, and how a constant that holds its value is called. */
static const struct {
    const char *function, *name;
} words[OP_COUNT] = {
    [OP_ABS] = {"hks_abs", "size"},
    [OP_FLOOR] = {"hks_floor", "steps"},
    [OP_CAP] = {"hks_min", "u"},
    [OP_EXP] = {"hks_exp", "e"},
    [OP_EXPM1] = {"hks_expm1", "m"},
    [OP_LOG] = {"hks_log", "l"},
    [OP_LOG1P] = {"hks_log1p", "l"},
    [OP_SQRT] = {"hks_sqrt", "r"},
    [OP_SIN] = {"hks_sin", "sine"},
    [OP_COS] = {"hks_cos", "cosine"},
    [OP_ATAN] = {"hks_atan", "angle"},
    [OP_TANH] = {"hks_tanh", "t"},
    [OP_SIGMOID] = {"hks_sigmoid", "s"},
    [OP_SOFTPLUS] = {"hks_softplus", "sp"},
    [OP_ERF] = {"hks_erf", "g"},
    [OP_ERFC] = {"hks_erfc", "g"},
    [OP_NORMAL] = {"hks_normal_cdf", "phi"},
    [OP_MIN] = {"hks_min", "low"},
    [OP_MAX] = {"hks_max", "high"},
    [OP_SELECT] = {NULL, "part"},
    [OP_SIGN] = {NULL, "sign"},
    [OP_SECH2] = {"hks_sech2", "bell"},
    [OP_BELL] = {"hks_bell", "density"},
};

typedef struct printer {
    const formula *f;
    FILE *to;
    bounds within;
    int uses[MAX_NODES];
    char names[MAX_NODES][12]; /* empty: written out */
} printer;

static void put(printer *p, expr e, int as);

void formula_print_number(double value, FILE *to)
{
    char text[40];
    if (!isfinite(value)) {
        fputs(isnan(value) ? "NAN" : value < 0 ? "-INFINITY" : "INFINITY", to);
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (!(strtod(text, NULL) < value || strtod(text, NULL) > value))
            break;
    }
    for (const char *c = text; *c; c++)
        if (*c != '+') /* 1e+18 */
            putc(*c, to);
}

void formula_print_capitals(const char *name, FILE *to)
{
    static const char *const macros[] = {"null",     "nan",       "infinity", "domain", "sing",
                                         "overflow", "underflow", "ploss",    "tloss",  "huge"};
    for (const char *c = name; *c; c++)
        putc(toupper((unsigned char)*c), to);
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
        if (strcmp(name, macros[i]) == 0 || (i == 0 && strncmp(name, "m_", 2) == 0))
            putc('_', to);
}

void formula_print_parameter(const formula *f, int index, FILE *to)
{
    const parameter *it = &f->parameters[index];
    int place = 0, alike = 0;
    for (int i = 0; i < f->n_parameters; i++)
        if (f->parameters[i].learned == it->learned) {
            place += i < index;
            alike++;
        }
    fprintf(to, "a.%c[", it->learned ? 't' : 'p');
    if (alike > 1)
        formula_print_capitals(it->name, to);
    else
        fprintf(to, "%d", place);
    putc(']', to);
}

/* Whether C would take it for an int. */
static bool is_int(const printer *p, expr e)
{
    const node *it = &p->f->nodes[e];
    if (p->names[e][0])
        return false;
    if (it->op == OP_NUMBER)
        return formula_is_whole(it->value);
    if (it->op == OP_SELECT)
        return is_int(p, it->b) && is_int(p, it->c);
    if (it->op >= OP_ADD && it->op <= OP_DIV)
        return is_int(p, it->a) && is_int(p, it->b);
    return it->op == OP_NEG && is_int(p, it->a);
}

static void put_real(printer *p, expr e)
{
    bool cast = is_int(p, e);
    fputs(cast ? "(real)" : "", p->to);
    put(p, e, cast ? AS_UNARY : AS_CHOICE);
}

static void put_binary(printer *p, const node *it, const char *sign, int as)
{
    put(p, it->a, as);
    fputs(sign, p->to);
    put(p, it->b, it->op == OP_ADD ? as : as + 1);
}

static void put_quotient(printer *p, const node *it)
{
    const node *below = &p->f->nodes[it->b];
    if (below->op == OP_SQRT && !p->names[it->b][0]) {
        if (!formula_is_number(p->f, it->a, 1)) {
            put(p, it->a, AS_FACTOR);
            fputs(" * ", p->to);
        }
        fputs("hks_rsqrt(", p->to);
        put_real(p, below->a);
        putc(')', p->to);
        return;
    }
    if (is_int(p, it->a) && is_int(p, it->b))
        fputs("(real)", p->to);
    put_binary(p, it, " / ", AS_FACTOR);
}

/* a < b; what knows x stands on the left. */
static void put_condition(printer *p, opcode op, expr a, expr b)
{
    bool turn = !formula_contains_op(p->f, a, OP_X) && !formula_contains_op(p->f, a, OP_Y);
    put(p, turn ? b : a, AS_TERM);
    fputs(op == OP_EQUAL  ? " == "
          : op == OP_LESS ? turn ? " > " : " < "
          : turn          ? " >= "
                          : " <= ",
          p->to);
    put(p, turn ? a : b, AS_TERM);
}

/* A NaN x should come through: the arm that knows x is the one taken when nothing compares. */
static void put_choice(printer *p, const node *it)
{
    node condition = p->f->nodes[it->a];
    bool knows = formula_contains_op(p->f, it->b, OP_X),
         other_knows = formula_contains_op(p->f, it->c, OP_X);
    bool turn = knows && !other_knows && condition.op != OP_EQUAL;
    if (turn)
        put_condition(p, condition.op == OP_LESS ? OP_AT_MOST : OP_LESS, condition.b, condition.a);
    else
        put_condition(p, condition.op, condition.a, condition.b);
    fputs(" ? ", p->to);
    put(p, turn ? it->c : it->b, AS_COMPARED);
    fputs(" : ", p->to);
    put(p, turn ? it->b : it->c, AS_CHOICE);
}

static void put_call(printer *p, const node *it)
{
    bool unit = it->op == OP_LOG1P && p->f->nodes[it->a].op == OP_SIGMOID;
    fprintf(p->to, "%s%s(", words[it->op].function, unit ? "_unit" : "");
    if (it->op == OP_CAP)
        fprintf(p->to, "%d, ", CAP_AT);
    if (it->b >= 0) {
        put(p, it->a, AS_CHOICE);
        fputs(", ", p->to);
    }
    put_real(p, it->b >= 0 ? it->b : it->a);
    putc(')', p->to);
}

static bool is_bounded(const printer *p)
{
    return isfinite(p->within.low) || isfinite(p->within.high);
}

static void put_leaf(printer *p, const node *it)
{
    bool cast = it->op == OP_NUMBER && !formula_is_whole(it->value);
    switch (it->op) {
    case OP_X: fputs(is_bounded(p) ? "x" : "a.x", p->to); break;
    case OP_Y: fputs("a.y", p->to); break;
    case OP_PARAM: formula_print_parameter(p->f, it->a, p->to); break;
    default: fputs(cast ? "(real)" : "", p->to); formula_print_number(it->value, p->to);
    }
}

static int tightness(const node *it)
{
    switch (it->op) {
    case OP_SELECT: return AS_CHOICE;
    case OP_ADD:
    case OP_SUB: return AS_TERM;
    case OP_MUL:
    case OP_DIV: return AS_FACTOR;
    default: return AS_UNARY;
    }
}

static void put_node(printer *p, const node *it)
{
    switch (it->op) {
    case OP_ADD: put_binary(p, it, " + ", AS_TERM); break;
    case OP_SUB: put_binary(p, it, " - ", AS_TERM); break;
    case OP_MUL: put_binary(p, it, " * ", AS_FACTOR); break;
    case OP_DIV: put_quotient(p, it); break;
    case OP_SELECT: put_choice(p, it); break;
    case OP_NEG:
        putc('-', p->to);
        put(p, it->a, AS_UNARY);
        break;
    case OP_SIGN:
        fputs("(real)((", p->to);
        put(p, it->a, AS_TERM);
        fputs(" > 0) - (", p->to);
        put(p, it->a, AS_TERM);
        fputs(" < 0))", p->to);
        break;
    default:
        if (it->op <= OP_PARAM)
            put_leaf(p, it);
        else
            put_call(p, it);
    }
}

static void put(printer *p, expr e, int as)
{
    const node *it = &p->f->nodes[e];
    if (p->names[e][0]) {
        fputs(p->names[e], p->to);
        return;
    }
    bool brackets = tightness(it) < as;
    fputs(brackets ? "(" : "", p->to);
    put_node(p, it);
    fputs(brackets ? ")" : "", p->to);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void count_uses(printer *p, const expr *roots, int n_roots)
{
    const formula *f = p->f;
    expr last = 0;
    for (int i = 0; i < n_roots; i++) {
        p->uses[roots[i]]++;
        last = roots[i] > last ? roots[i] : last;
    }
    for (expr e = last; e >= 0; e--) {
        const node *it = &f->nodes[e];
        if (!p->uses[e] || it->op <= OP_PARAM)
            continue;
        p->uses[it->a] += it->op == OP_SIGN ? 2 : 1;
        if (it->b >= 0)
            p->uses[it->b]++;
        if (it->c >= 0)
            p->uses[it->c]++;
    }
}

static bool is_worth_a_name(const printer *p, expr e)
{
    const node *it = &p->f->nodes[e];
    bool sign_of_leaf = it->op == OP_NEG && p->f->nodes[it->a].op <= OP_PARAM;
    return p->uses[e] > 1 && it->op > OP_PARAM && !formula_is_condition(p->f, e) && !sign_of_leaf;
}

static bool is_taken(const printer *p, expr before, const char *name)
{
    for (expr e = 0; e < before; e++)
        if (strcmp(p->names[e], name) == 0)
            return true;
    return false;
}

static void give_name(printer *p, expr e)
{
    static const char *const plain[] = {"u", "v", "w", "z", "q", "h", "k", "n"};
    const char *own = words[p->f->nodes[e].op].name;
    char *name = p->names[e];
    if (own)
        snprintf(name, sizeof p->names[e], "%s", own);
    else
        for (int i = 0; i < 8 && (i == 0 || is_taken(p, e, name)); i++)
            snprintf(name, sizeof p->names[e], "%s", plain[i]);
    const char *first = own ? own : "u";
    for (int i = 2; is_taken(p, e, name); i++)
        snprintf(name, sizeof p->names[e], "%s%d", first, i);
}

/* ---- Statements ------------------------------------------------------------------------------ */

/* The place to break a line of at most `room` characters: behind an operator or a comma, within as
 * few brackets as possible, as late as possible; 0 for none. */
static int find_break(const char *text, int room)
{
    int depth = 0, best = 0, best_depth = 1 << 20;
    for (int at = 1; at <= room; at++) {
        depth += (text[at] == '(') - (text[at] == ')');
        if (text[at] != ' ' || !strchr("+-*/,?:<>=", text[at - 1]) || text[at - 1] == '=')
            continue;
        if (depth <= best_depth || best < room / 3) {
            best = at;
            best_depth = depth;
        }
    }
    return best;
}

/* A statement goes on four columns further in. */
static void put_wrapped(const char *text, int margin, FILE *to)
{
    int room = COLUMNS - margin - 1, at;
    while ((int)strlen(text) > room && (at = find_break(text, room)) > 0) {
        fprintf(to, "%.*s\n%*s", at, text, margin + 4, "");
        text += at + 1;
        room = COLUMNS - margin - 5;
    }
    fputs(text, to);
}

static void put_results(printer *p, const expr *roots, int n_roots)
{
    fputs("return ", p->to);
    for (int i = 0; i < n_roots; i++) {
        if (i < n_roots - 1) {
            int learned = -1;
            for (int j = 0; j < p->f->n_parameters && learned < i; j++)
                if (p->f->parameters[j].learned && ++learned == i) {
                    fputs("slot == ", p->to);
                    formula_print_capitals(p->f->parameters[j].name, p->to);
                    fputs(" ? ", p->to);
                }
        }
        put(p, roots[i], n_roots > 1 ? AS_COMPARED : AS_CHOICE);
        fputs(i < n_roots - 1 ? " : " : ";", p->to);
    }
}

static void put_bounds(printer *p, int margin)
{
    bool low = isfinite(p->within.low), high = isfinite(p->within.high);
    if (!is_bounded(p))
        return;
    fputs("const real x = ", p->to);
    if (low)
        fprintf(p->to, "hks_max(%.0f, ", p->within.low);
    if (high)
        fprintf(p->to, "hks_min(%.0f, ", p->within.high);
    fprintf(p->to, "a.x%s%s;\n%*s", low ? ")" : "", high ? ")" : "", margin, "");
}

void formula_print_body(const formula *f, const expr *roots, int n_roots, bounds within, int margin,
                        FILE *to)
{
    printer *p = calloc(1, sizeof *p);
    char *text = NULL;
    size_t size;
    if (!p)
        return;
    *p = (printer){.f = f, .to = to, .within = within};
    count_uses(p, roots, n_roots);
    put_bounds(p, margin);
    for (expr e = 0; e <= f->n_nodes; e++) {
        bool last = e == f->n_nodes;
        if (!last && !is_worth_a_name(p, e))
            continue;
        p->to = open_memstream(&text, &size);
        if (!p->to)
            break;
        if (last) {
            put_results(p, roots, n_roots);
        } else {
            char name[sizeof p->names[0]];
            give_name(p, e);
            memcpy(name, p->names[e], sizeof name);
            p->names[e][0] = '\0';
            fprintf(p->to, "const real %s = ", name);
            put(p, e, AS_CHOICE);
            memcpy(p->names[e], name, sizeof name);
            fputs(";", p->to);
        }
        fclose(p->to);
        put_wrapped(text, margin, to);
        free(text);
        if (!last)
            fprintf(to, "\n%*s", margin, "");
    }
    free(p);
}
