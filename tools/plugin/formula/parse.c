/* Text -> expression, by recursive descent:
 *
 *     choice     = comparison ["?" choice ":" choice]
 *     comparison = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
 *     sum        = product {("+" | "-") product}
 *     product    = signed {("*" | "/") signed}
 *     signed     = {"-" | "+"} power
 *     power      = primary ["^" signed]
 *     primary    = number | name | name "(" choice {"," choice} ")" | "(" choice ")"
 *
 * The first error is kept with its column; parsing goes on with a number in place of what was not
 * understood and ends at the next step. */
#include "plugin/formula/expr.h"
#include "output.h"
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 100 };

static const struct {
    const char *name;
    opcode op;
} functions[] = {
    {"abs", OP_ABS},           {"sign", OP_SIGN},         {"floor", OP_FLOOR},
    {"exp", OP_EXP},           {"expm1", OP_EXPM1},       {"log", OP_LOG},
    {"log1p", OP_LOG1P},       {"sqrt", OP_SQRT},         {"sin", OP_SIN},
    {"cos", OP_COS},           {"tan", OP_TAN},           {"atan", OP_ATAN},
    {"tanh", OP_TANH},         {"erf", OP_ERF},           {"sigmoid", OP_SIGMOID},
    {"softplus", OP_SOFTPLUS}, {"erfc", OP_ERFC},         {"min", OP_MIN},
    {"max", OP_MAX},           {"cap", OP_CAP},           {"normal", OP_NORMAL},
    {"bell", OP_BELL},         {"sech2", OP_SECH2},       {"tanh_log", OP_TANH_LOG},
    {"root_sum", OP_ROOT_SUM}, {"log_cosh", OP_LOG_COSH},
};
/* The last ones are of formula_build() alone. */
enum { ALL_FUNCTIONS = sizeof functions / sizeof *functions, FUNCTIONS = ALL_FUNCTIONS - 7 };

typedef struct parser {
    formula *f;
    const char *text, *at;
    bool with_y;
    const expr *operands; /* of formula_build(), what a, b, ... stand for; else NULL */
    int depth;
    formula_error *error;
} parser;

static expr choice(parser *p);

/* Simplified on the way, unless the formula is wanted as it was written. */
static expr make(parser *p, node it)
{
    return p->f->as_written ? formula_make_raw(p->f, it) : formula_make(p->f, it);
}

__attribute__((format(printf, 3, 4))) static expr wrong(parser *p, const char *at,
                                                        const char *format, ...)
{
    va_list arguments;
    if (!p->error->sentence[0]) {
        p->error->text = p->text;
        p->error->column = (int)(at - p->text) + 1;
        va_start(arguments, format);
        vsnprintf(p->error->sentence, sizeof p->error->sentence, format, arguments);
        va_end(arguments);
    }
    p->at = p->text + strlen(p->text);
    return formula_number(p->f, 0);
}

static void skip_space(parser *p)
{
    while (*p->at == ' ' || *p->at == '\t')
        p->at++;
}

static size_t name_length(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_')
        n++;
    return n;
}

/* What was expected, and what stands at p->at. */
static expr expected(parser *p, const char *what)
{
    char here[48];
    const size_t n = name_length(p->at);
    snprintf(here, sizeof here, "\"%.*s\"", (int)(n ? n > 40 ? 40 : n : 1), p->at);
    return wrong(p, p->at, "expected %s, found %s", what,
                 !*p->at                         ? "the end"
                 : (unsigned char)*p->at >= 0x80 ? "a character that is not ASCII"
                                                 : here);
}

static bool accept(parser *p, const char *token)
{
    skip_space(p);
    size_t n = strlen(token);
    if (strncmp(p->at, token, n) != 0)
        return false;
    p->at += n;
    return true;
}

/* Numbers and conditions stand for each other: x > 0 is 1 or 0, and a number holds unless 0. */
static expr as_number(parser *p, expr e)
{
    return formula_is_condition(p->f, e)
               ? formula_choose(p->f, e, formula_number(p->f, 1), formula_number(p->f, 0))
               : e;
}

static expr literal(parser *p)
{
    const char *digits = "0123456789";
    char *end, text[64];
    size_t n = strspn(p->at, digits);
    n += p->at[n] == '.' ? 1 + strspn(p->at + n + 1, digits) : 0;
    if (p->at[n] == 'e' || p->at[n] == 'E') {
        size_t sign = p->at[n + 1] == '-' || p->at[n + 1] == '+', more;
        more = strspn(p->at + n + 1 + sign, digits);
        n += more ? 1 + sign + more : 0;
    }
    if (n >= sizeof text)
        return wrong(p, p->at, "expected a number of fewer than %zu characters", sizeof text);
    memcpy(text, p->at, n);
    text[n] = '\0';
    double value = strtod(text, &end);
    if (*end || end == text || !isfinite(value) || fabs(value) > 3.4e38)
        return wrong(p, p->at, "expected a number that a float can hold, found \"%s\"", text);
    p->at += n;
    return formula_number(p->f, value);
}

static expr call(parser *p, int function)
{
    const opcode op = functions[function].op;
    const bool two = op == OP_MIN || op == OP_MAX || op == OP_ROOT_SUM;
    char what[80];
    if (!accept(p, "(")) {
        snprintf(what, sizeof what, "\"(\" and the argument%s of %s", two ? "s" : "",
                 functions[function].name);
        return expected(p, what);
    }
    expr a = as_number(p, choice(p));
    while (two && accept(p, ","))
        a = make(p, (node){op, a, as_number(p, choice(p)), NO_EXPR, 0});
    if (!accept(p, ")"))
        return expected(p, two ? "\",\" or \")\"" : "an operator or \")\"");
    return two ? a : make(p, (node){op, a, NO_EXPR, NO_EXPR, op == OP_CAP ? 20 : 0});
}

static expr name(parser *p)
{
    const char *at = p->at;
    const size_t length = name_length(at);
    const bool letter = length == 1;
    p->at += length;
    if (p->operands && letter)
        return p->operands[*at - 'a'];
    for (int i = 0; i < p->f->n_parameters; i++)
        if (strlen(p->f->parameters[i].name) == length &&
            strncmp(p->f->parameters[i].name, at, length) == 0)
            return formula_leaf(p->f, OP_PARAM, i);
    if (letter && (*at == 'x' || (*at == 'y' && p->with_y)))
        return formula_leaf(p->f, *at == 'x' ? OP_X : OP_Y, 0);
    if (length == 2 && strncmp(at, "pi", 2) == 0)
        return formula_number(p->f, 3.14159265358979323846);
    for (int i = 0; i < (p->operands ? ALL_FUNCTIONS : FUNCTIONS); i++)
        if (strlen(functions[i].name) == length && strncmp(functions[i].name, at, length) == 0)
            return call(p, i);
    const char *known[FUNCTIONS + 64] = {"x", "pi"};
    char unknown[48];
    size_t n = 2;
    snprintf(unknown, sizeof unknown, "%.*s", (int)(length > 40 ? 40 : length), at);
    for (int i = 0; i < p->f->n_parameters; i++)
        known[n++] = p->f->parameters[i].name;
    for (int i = 0; i < FUNCTIONS; i++)
        known[n++] = functions[i].name;
    return wrong(p, at, "unknown name \"%s\"%s; --param %s=1 makes it a parameter", unknown,
                 tool_known(unknown, known, n), unknown);
}

static expr primary(parser *p)
{
    skip_space(p);
    if (isdigit((unsigned char)*p->at) || *p->at == '.')
        return literal(p);
    if (isalpha((unsigned char)*p->at) || *p->at == '_')
        return name(p);
    if (!accept(p, "("))
        return expected(p, "a number, a name or \"(\"");
    expr inner = choice(p);
    return accept(p, ")") ? inner : expected(p, "an operator or \")\"");
}

static expr with_sign(parser *p)
{
    if (++p->depth > MAX_DEPTH)
        return wrong(p, p->at, "nested more than %d deep", MAX_DEPTH);
    expr e;
    if (accept(p, "-")) {
        e = make(p, (node){OP_NEG, as_number(p, with_sign(p)), NO_EXPR, NO_EXPR, 0});
    } else if (accept(p, "+")) {
        e = as_number(p, with_sign(p));
    } else {
        e = primary(p);
        if (accept(p, "^")) {
            const expr base = as_number(p, e);
            e = make(p, (node){OP_POW, base, as_number(p, with_sign(p)), NO_EXPR, 0});
        }
    }
    p->depth--;
    return e;
}

/* What has one of two operators between operands, from the left. */
static expr joined(parser *p, expr (*operand)(parser *), const char *operators, const opcode ops[2])
{
    expr e = operand(p);
    for (;;) {
        int i = 0;
        while (i < 2 && !accept(p, (const char[]){operators[i], '\0'}))
            i++;
        if (i == 2)
            return e;
        const expr left = as_number(p, e), right = as_number(p, operand(p));
        e = make(p, (node){ops[i], left, right, NO_EXPR, 0});
    }
}

static expr product(parser *p)
{
    return joined(p, with_sign, "*/", (const opcode[]){OP_MUL, OP_DIV});
}

static expr sum(parser *p)
{
    return joined(p, product, "+-", (const opcode[]){OP_ADD, OP_SUB});
}

static expr comparison(parser *p)
{
    static const struct {
        const char *token;
        opcode op;
        bool turned;
    } rows[] = {{"<=", OP_AT_MOST, false}, {">=", OP_AT_MOST, true}, {"==", OP_EQUAL, false},
                {"!=", OP_EQUAL, false},   {"<", OP_LESS, false},    {">", OP_LESS, true}};
    expr a = sum(p), b;
    int i = 0;
    while (i < 6 && !accept(p, rows[i].token))
        i++;
    if (i == 6)
        return a;
    a = as_number(p, a);
    b = as_number(p, sum(p));
    const expr c =
        formula_compare(p->f, rows[i].op, rows[i].turned ? b : a, rows[i].turned ? a : b);
    return rows[i].token[0] != '!'
               ? c
               : formula_choose(p->f, c, formula_number(p->f, 0), formula_number(p->f, 1));
}

static expr choice(parser *p)
{
    formula *f = p->f;
    expr condition = comparison(p);
    if (!accept(p, "?"))
        return condition;
    expr yes = as_number(p, choice(p));
    if (!accept(p, ":"))
        return expected(p, "an operator or the \":\" of \"?\"");
    expr no = as_number(p, choice(p));
    if (formula_is_condition(f, condition))
        return formula_choose(f, condition, yes, no);
    return formula_choose(f, formula_compare(f, OP_EQUAL, condition, formula_number(f, 0)), no,
                          yes);
}

expr formula_parse(formula *f, const char *text, bool with_y, formula_error *error)
{
    parser p = {.f = f, .text = text, .at = text, .with_y = with_y, .error = error};
    size_t length = 0; /* without the spaces that a written plugin has between */
    for (const char *c = text; *c; c++)
        length += *c != ' ' && *c != '\t';
    if (length > FORMULA_LENGTH)
        return wrong(&p, text, "expected a formula of at most %d characters, found %zu",
                     FORMULA_LENGTH, length);
    expr e = as_number(&p, choice(&p));
    skip_space(&p);
    if (*p.at)
        expected(&p, name_length(p.at) ? "an operator, such as *" : "an operator or the end");
    return e;
}

expr formula_build_from(formula *f, const char *text, const expr *operands)
{
    formula_error error = {0};
    parser p = {.f = f, .text = text, .at = text, .operands = operands, .error = &error};
    return choice(&p);
}

bool formula_name_is_free(const char *name)
{
    for (int i = 0; i < FUNCTIONS; i++)
        if (strcmp(functions[i].name, name) == 0)
            return false;
    return strcmp(name, "x") != 0 && strcmp(name, "y") != 0 && strcmp(name, "pi") != 0;
}
