/* Nodes: making them, equal ones once; looking into them; remaking whole expressions. */
#include "plugin/formula/expr.h"

#include <math.h>
#include <string.h>

/* x y is y x, too; whichever was written first. */
static bool equal(const node *p, const node *q)
{
    bool commutes = p->op == OP_ADD || p->op == OP_MUL;
    bool alike = (p->a == q->a && p->b == q->b) || (commutes && p->a == q->b && p->b == q->a);
    return p->op == q->op && alike && p->c == q->c &&
           memcmp(&p->value, &q->value, sizeof p->value) == 0;
}

expr formula_make_raw(formula *f, node wanted)
{
    unsigned long long bits;
    memcpy(&bits, &wanted.value, sizeof bits);
    bits ^= (unsigned long long)wanted.op * 0x9E3779B97F4A7C15u;
    bits ^= ((unsigned long long)(wanted.a + wanted.b) * 0x1000193u) ^
            ((unsigned long long)(wanted.a ^ wanted.b) << 21) ^
            ((unsigned long long)wanted.c << 42);
    bits *= 0xBF58476D1CE4E5B9u;
    unsigned at =
        (unsigned)(bits >> 40) % (2 * MAX_NODES); /* in a hash table with open addressing */
    for (; f->slots[at]; at = (at + 1) % (2 * MAX_NODES))
        if (equal(&f->nodes[f->slots[at] - 1], &wanted))
            return f->slots[at] - 1;
    if (f->n_nodes == MAX_NODES) {
        f->full = true;
        return 0;
    }
    f->nodes[f->n_nodes] = wanted;
    f->slots[at] = ++f->n_nodes;
    return f->n_nodes - 1;
}

expr formula_binary(formula *f, opcode op, expr a, expr b)
{
    return formula_make_raw(f, (node){op, a, b, NO_EXPR, 0});
}

expr formula_make(formula *f, node it)
{
    switch (it.op) {
    case OP_ADD: return formula_add(f, it.a, it.b);
    case OP_SUB: return formula_sub(f, it.a, it.b);
    case OP_MUL: return formula_mul(f, it.a, it.b);
    case OP_DIV: return formula_divide(f, it.a, it.b);
    case OP_POW: return formula_power(f, it.a, it.b < 0 ? formula_number(f, it.value) : it.b);
    case OP_MIN:
    case OP_MAX: return formula_extreme(f, it.op, it.a, it.b);
    case OP_LESS:
    case OP_AT_MOST:
    case OP_EQUAL: return formula_compare(f, it.op, it.a, it.b);
    case OP_SELECT: return formula_choose(f, it.a, it.b, it.c);
    case OP_NUMBER:
    case OP_ROOT_SUM:
    case OP_CAP:
    case OP_X:
    case OP_Y:
    case OP_SURROGATE:
    case OP_PARAM: return formula_make_raw(f, it);
    default: return formula_unary(f, it.op, it.a);
    }
}

expr formula_number(formula *f, double value)
{
    return formula_make_raw(f, (node){OP_NUMBER, NO_EXPR, NO_EXPR, NO_EXPR, value + 0.0});
}

expr formula_leaf(formula *f, opcode op, int index)
{
    return formula_make_raw(f, (node){op, op == OP_PARAM ? index : NO_EXPR, NO_EXPR, NO_EXPR, 0});
}

bool formula_is_whole(double value)
{
    return fabs(value) < 1e6 && value == floor(value);
}

bool formula_is_op(const formula *f, expr e, opcode op)
{
    return f->nodes[e].op == op;
}

bool formula_is_number(const formula *f, expr e, double value)
{
    return f->nodes[e].op == OP_NUMBER && f->nodes[e].value >= value && f->nodes[e].value <= value;
}

bool formula_is_condition(const formula *f, expr e)
{
    opcode op = f->nodes[e].op;
    return op == OP_LESS || op == OP_AT_MOST || op == OP_EQUAL || op == OP_SURROGATE;
}

void formula_mark(const formula *f, expr whole, bool in[MAX_NODES])
{
    memset(in, 0, sizeof(bool) * (size_t)(whole + 1));
    in[whole] = true;
    for (expr e = whole; e >= 0; e--) {
        const node *it = &f->nodes[e];
        const expr operands[] = {it->a, it->b, it->c};
        for (int i = 0; in[e] && it->op != OP_PARAM && i < 3; i++)
            if (operands[i] >= 0)
                in[operands[i]] = true;
    }
}

bool formula_contains(const formula *f, expr whole, expr part)
{
    bool in[MAX_NODES];
    formula_mark(f, whole, in);
    return part <= whole && in[part];
}

bool formula_contains_op(const formula *f, expr whole, opcode op)
{
    bool in[MAX_NODES];
    expr e = whole;
    formula_mark(f, whole, in);
    while (e >= 0 && !(in[e] && f->nodes[e].op == op))
        e--;
    return e >= 0;
}

int formula_count_functions(const formula *f, const expr *roots, int n_roots)
{
    bool in[MAX_NODES], counted[MAX_NODES] = {false};
    int n = 0;
    for (int i = 0; i < n_roots; i++) {
        formula_mark(f, roots[i], in);
        for (expr e = 0; e <= roots[i]; e++)
            if (in[e] && !counted[e] &&
                (f->nodes[e].op >= OP_EXP || f->nodes[e].op == OP_ROOT_SUM)) {
                counted[e] = true;
                n++;
            }
    }
    return n;
}

expr formula_rebuild(formula *f, expr whole, rewrite *rule, void *user, bool raw)
{
    bool in[MAX_NODES];
    expr now[MAX_NODES];
    formula_mark(f, whole, in);
    for (expr e = 0; e <= whole; e++) {
        node it = f->nodes[e];
        if (!in[e])
            continue;
        if (it.op != OP_PARAM) {
            it.a = it.a < 0 ? it.a : now[it.a];
            it.b = it.b < 0 ? it.b : now[it.b];
            it.c = it.c < 0 ? it.c : now[it.c];
        }
        now[e] = rule(f, raw ? formula_make_raw(f, it) : formula_make(f, it), user);
    }
    return now[whole];
}
