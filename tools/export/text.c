/* Formulas as statements: what is used more than once has a name, all else is written out, every operation
 * in brackets. */
#include "export/text.h"
#include "output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void export_put_float(float value, const char *suffix, FILE *to)
{
    const char *text = tool_shortest((double)value, true);
    const bool whole = !strpbrk(text, ".eN");
    fprintf(to, "%s%s%s", text, whole ? ".0" : "", strchr(text, 'N') ? "" : suffix);
}

typedef struct writing {
    const export_step *step;
    const export_language *in;
    export_put_input *input;
    const void *user;
    FILE *to;
    int uses[MAX_NODES];
    bool named[MAX_NODES];
} writing;

static void put(writing *w, expr e);

static void put_binary(writing *w, expr a, const char *sign, expr b)
{
    putc('(', w->to);
    put(w, a);
    fprintf(w->to, " %s ", sign);
    put(w, b);
    putc(')', w->to);
}

static void put_choice(writing *w, const node *it)
{
    for (const char *c = w->in->choice; *c; c++)
        if (*c == '%')
            put(w, *++c == 'c' ? it->a : *c == 'a' ? it->b : it->c);
        else
            putc(*c, w->to);
}

static void put_operand(writing *w, int name)
{
    const int input = w->step->map->operands[name];
    if (input == 0)
        putc('x', w->to);
    else
        w->input(w->user, w->step, input);
}

static void put_call(writing *w, const node *it)
{
    fprintf(w->to, "%s(", w->in->functions[it->op]);
    if (it->op == OP_CAP) {
        export_put_float((float)it->value, w->in->suffix, w->to);
        fputs(", ", w->to);
    }
    put(w, it->a);
    if (it->b >= 0) {
        fputs(", ", w->to);
        put(w, it->b);
    }
    putc(')', w->to);
}

static void put(writing *w, expr e)
{
    static const char *const signs[OP_COUNT] = {
        [OP_ADD] = "+",  [OP_SUB] = "-",      [OP_MUL] = "*",    [OP_DIV] = "/",
        [OP_LESS] = "<", [OP_AT_MOST] = "<=", [OP_EQUAL] = "==",
    };
    const node *it = &w->step->map->f.nodes[e];
    if (w->named[e])
        fprintf(w->to, "v%d", e);
    else if (it->op == OP_NUMBER)
        export_put_float((float)it->value, w->in->suffix, w->to);
    else if (it->op == OP_X)
        putc('x', w->to);
    else if (it->op == OP_PARAM)
        put_operand(w, it->a);
    else if (it->op == OP_SELECT)
        put_choice(w, it);
    else if (signs[it->op])
        put_binary(w, it->a, signs[it->op], it->b);
    else if (it->op == OP_NEG) {
        fputs("(-", w->to);
        put(w, it->a);
        putc(')', w->to);
    } else
        put_call(w, it);
}

static void count_uses(writing *w, expr value)
{
    w->uses[value] = 1;
    for (expr e = value; e >= 0; e--) {
        const node *it = &w->step->map->f.nodes[e];
        const expr operands[] = {it->a, it->b, it->c};
        for (int i = 0; w->uses[e] && it->op > OP_PARAM && i < 3; i++)
            if (operands[i] >= 0)
                w->uses[operands[i]]++;
    }
}

void export_put_map(const export_step *step, const export_language *in, const char *margin,
                    const char *result, export_put_input *input, const void *user, FILE *to)
{
    writing *w = calloc(1, sizeof *w);
    const expr value = step->map->value;
    if (!w) /* the file is refused for want of memory when it is closed */
        return;
    *w = (writing){.step = step, .in = in, .input = input, .user = user, .to = to};
    count_uses(w, value);
    for (expr e = 0; e <= value; e++) {
        const bool leaf = step->map->f.nodes[e].op <= OP_PARAM;
        if (e < value && (w->uses[e] < 2 || leaf || formula_is_condition(&step->map->f, e)))
            continue;
        if (e < value)
            fprintf(to, "%s%sv%d = ", margin, in->begin, e);
        else
            fprintf(to, "%s%s", margin, result);
        put(w, e);
        fprintf(to, "%s\n", in->end);
        w->named[e] = true;
    }
    free(w);
}
