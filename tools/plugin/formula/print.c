/* Expressions as C for hillock/kernel.h. What is used more than once becomes a named constant;
 * whole numbers are written as int, which the compiler converts; other numbers are cast to real. */
#include "plugin/formula/expr.h"
#include "memory.h"
#include "output.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 100 };
enum { DEEPEST = 4 }; /* maths.h's functions are macros that name their argument twice */
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
    bool is_bounded; /* x stands for a.x within bounds */
    int uses[MAX_NODES];
    int depth[MAX_NODES];      /* of functions within functions, up to what has a name */
    int tried[OP_COUNT];       /* names of constants that are taken */
    char names[MAX_NODES][12]; /* empty: written out */
} printer;

static void put(printer *p, expr e, int as);

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
    const bool cast = is_int(p, e);
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
    if (below->op != OP_SQRT || p->names[it->b][0]) {
        fputs(is_int(p, it->a) && is_int(p, it->b) ? "(real)" : "", p->to);
        put_binary(p, it, " / ", AS_FACTOR);
        return;
    }
    if (!formula_is_number(p->f, it->a, 1)) {
        put(p, it->a, AS_FACTOR);
        fputs(" * ", p->to);
    }
    fputs("hks_rsqrt(", p->to);
    put_real(p, below->a);
    putc(')', p->to);
}

/* A NaN x should come through: the arm that knows x is the one taken when nothing compares. In the
 * condition, what knows x stands on the left. */
static void put_choice(printer *p, const node *it)
{
    node c = p->f->nodes[it->a];
    if (c.op == OP_SURROGATE) {
        fputs("a.surrogate ? ", p->to);
        put(p, it->b, AS_COMPARED);
        fputs(" : ", p->to);
        put(p, it->c, AS_CHOICE);
        return;
    }
    const bool turn = c.op != OP_EQUAL && formula_contains_op(p->f, it->b, OP_X) &&
                      !formula_contains_op(p->f, it->c, OP_X);
    if (turn)
        c = (node){c.op == OP_LESS ? OP_AT_MOST : OP_LESS, c.b, c.a, NO_EXPR, 0};
    const bool back =
        !formula_contains_op(p->f, c.a, OP_X) && !formula_contains_op(p->f, c.a, OP_Y);
    put(p, back ? c.b : c.a, AS_TERM);
    if (c.op == OP_EQUAL)
        fputs(" == ", p->to);
    else
        fprintf(p->to, " %c%s ", back ? '>' : '<', c.op == OP_LESS ? "" : "=");
    put(p, back ? c.a : c.b, AS_TERM);
    fputs(" ? ", p->to);
    put(p, turn ? it->c : it->b, AS_COMPARED);
    fputs(" : ", p->to);
    put(p, turn ? it->b : it->c, AS_CHOICE);
}

static void put_call(printer *p, const node *it)
{
    const bool unit = it->op == OP_LOG1P && formula_is_op(p->f, it->a, OP_SIGMOID);
    fprintf(p->to, "%s%s(", words[it->op].function, unit ? "_unit" : "");
    if (it->op == OP_CAP)
        fprintf(p->to, "%.0f, ", it->value);
    if (it->b >= 0) {
        put(p, it->a, AS_CHOICE);
        fputs(", ", p->to);
    }
    put_real(p, it->b >= 0 ? it->b : it->a);
    putc(')', p->to);
}

static void put_node(printer *p, const node *it)
{
    switch (it->op) {
    case OP_NUMBER:
        fputs(formula_is_whole(it->value) ? "" : "(real)", p->to);
        fputs(tool_shortest(it->value, false), p->to);
        break;
    case OP_X: fputs(p->is_bounded ? "x" : "a.x", p->to); break;
    case OP_Y: fputs("a.y", p->to); break;
    case OP_PARAM: formula_print_parameter(p->f, it->a, p->to); break;
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
        fputs("(", p->to); /* NaN is the sign of NaN */
        put(p, it->a, AS_TERM);
        fputs(" > 0 ? 1 : ", p->to);
        put(p, it->a, AS_TERM);
        fputs(" < 0 ? -1 : ", p->to);
        put(p, it->a, AS_CHOICE);
        fputs(")", p->to);
        break;
    case OP_CLAMP:
        fputs("hks_max((real)-1e30, hks_min((real)1e30, ", p->to);
        put_real(p, it->a);
        fputs("))", p->to);
        break;
    default: put_call(p, it);
    }
}

/* An operand of something that binds as tightly as `as`: in brackets if it binds less. */
static void put(printer *p, expr e, int as)
{
    const node *it = &p->f->nodes[e];
    if (p->names[e][0]) {
        fputs(p->names[e], p->to);
        return;
    }
    const int own = it->op == OP_SELECT                    ? AS_CHOICE
                    : it->op == OP_ADD || it->op == OP_SUB ? AS_TERM
                    : it->op == OP_MUL || it->op == OP_DIV ? AS_FACTOR
                                                           : AS_UNARY;
    fputs(own < as ? "(" : "", p->to);
    put_node(p, it);
    fputs(own < as ? ")" : "", p->to);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void count_uses(printer *p, const expr *roots, int n_roots)
{
    for (int i = 0; i < n_roots; i++)
        p->uses[roots[i]]++;
    for (expr e = p->f->n_nodes - 1; e >= 0; e--) {
        const node *it = &p->f->nodes[e];
        if (!p->uses[e] || it->op <= OP_PARAM)
            continue;
        p->uses[it->a] += it->op == OP_SIGN ? 3 : 1;
        if (it->b >= 0)
            p->uses[it->b]++;
        if (it->c >= 0)
            p->uses[it->c]++;
    }
}

/* ---- Statements ------------------------------------------------------------------------------ */

/* Breaks a statement into lines, the later ones four columns further in: behind an operator or a
 * comma, within as few brackets as possible, as late as possible. */
static void put_wrapped(const char *text, int margin, FILE *to)
{
    int room = COLUMNS - margin - 1;
    while ((int)strlen(text) > room) {
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
        if (best == 0)
            break;
        fprintf(to, "%.*s\n%*s", best, text, margin + 4, "");
        text += best + 1;
        room = COLUMNS - margin - 5;
    }
    fputs(text, to);
}

static void put_results(printer *p, const expr *roots, int n_roots)
{
    const parameter *it = p->f->parameters;
    fputs("return ", p->to);
    for (int i = 0; i < n_roots; i++) {
        if (i < n_roots - 1) {
            while (!it->learned) /* roots are in the order of the learned ones */
                it++;
            fputs("slot == ", p->to);
            formula_print_capitals(it++->name, p->to);
            fputs(" ? ", p->to);
        }
        put(p, roots[i], n_roots > 1 ? AS_COMPARED : AS_CHOICE);
        fputs(i < n_roots - 1 ? " : " : ";", p->to);
    }
}

/* Functions within functions, for a node whose operands have been seen. */
static int depth_of(const printer *p, expr e)
{
    const node *it = &p->f->nodes[e];
    const expr operands[] = {it->a, it->b, it->c};
    int most = 0;
    for (int i = 0; it->op > OP_PARAM && i < 3; i++)
        if (operands[i] >= 0 && !p->names[operands[i]][0] && p->depth[operands[i]] > most)
            most = p->depth[operands[i]];
    const bool is_macro = words[it->op].function;
    return most + (it->op == OP_CLAMP ? 2 : is_macro);
}

/* What is computed more than once and is more than a leaf or its sign, or is nested deeply. */
static bool is_worth_a_name(const printer *p, expr e)
{
    const node *it = &p->f->nodes[e];
    const bool is_sign = it->op == OP_NEG && p->f->nodes[it->a].op <= OP_PARAM;
    return (p->uses[e] > 1 || p->depth[e] > DEEPEST) && it->op > OP_PARAM &&
           !formula_is_condition(p->f, e) && !is_sign;
}

/* Gives e a name that no node before it has; its own expression is written out. */
static void put_constant(printer *p, expr e)
{
    static const char *const plain[] = {"u", "v", "w", "z", "q", "h", "k", "n"};
    const char *own = words[p->f->nodes[e].op].name;
    char name[sizeof p->names[0]];
    for (int i = p->tried[p->f->nodes[e].op];; i++) {
        if (i < (own ? 1 : 8))
            snprintf(name, sizeof name, "%s", own ? own : plain[i]);
        else
            snprintf(name, sizeof name, "%s%d", own ? own : "u", i - (own ? 1 : 8) + 2);
        expr other = 0;
        while (other < e && strcmp(p->names[other], name) != 0)
            other++;
        p->tried[p->f->nodes[e].op] = i + 1;
        if (other == e)
            break;
    }
    fprintf(p->to, "const real %s = ", name);
    put(p, e, AS_CHOICE);
    putc(';', p->to);
    memcpy(p->names[e], name, sizeof name);
}

void formula_print_body(const formula *f, const expr *roots, int n_roots, bounds within, int margin,
                        FILE *to)
{
    const bool low = isfinite(within.low), high = isfinite(within.high);
    printer *p = calloc(1, sizeof *p);
    char *text = NULL;
    if (!p)
        return;
    *p = (printer){.f = f, .is_bounded = low || high};
    count_uses(p, roots, n_roots);
    if (p->is_bounded) {
        fputs("const real x = ", to);
        if (low)
            fprintf(to, "hks_max(%.0f, ", within.low);
        if (high)
            fprintf(to, "hks_min(%.0f, ", within.high);
        fprintf(to, "a.x%s%s;\n%*s", low ? ")" : "", high ? ")" : "", margin, "");
    }
    for (expr e = 0; e <= f->n_nodes; e++) {
        const bool last = e == f->n_nodes;
        if (!last && p->uses[e])
            p->depth[e] = depth_of(p, e);
        if (!last && !is_worth_a_name(p, e))
            continue;
        p->to = tool_memory_stream(&text, NULL);
        if (last)
            put_results(p, roots, n_roots);
        else
            put_constant(p, e);
        fclose(p->to);
        put_wrapped(text, margin, to);
        free(text);
        if (!last)
            fprintf(to, "\n%*s", margin, "");
    }
    free(p);
}
