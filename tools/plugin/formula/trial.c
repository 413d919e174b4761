/* Trials in float arithmetic. The same slope can be written in several ways; which of them cancels,
 * overflows or is fine is found by computing it as a kernel would, over the whole range of floats,
 * and once in double for comparison. */
#include "plugin/formula/expr.h"

#include <float.h>
#include <math.h>

enum { DENSE = 16, REACH = 12, LINEAR = 2 * DENSE * REACH + 1, OCTAVES = 277 };
enum { POINTS = LINEAR + 2 * OCTAVES };

/* Evenly over [-REACH, REACH], then the powers of two to both sides. */
static double place(int i)
{
    if (i < LINEAR)
        return (double)i / DENSE - REACH;
    i -= LINEAR;
    return (i % 2 ? -1 : 1) * ldexp(1, i / 2 - 149);
}

void formula_set_parameters(const formula *f, int trial, double values[64], int *moved)
{
    const int n = f->n_parameters;
    *moved = trial ? (trial - 1) % n : -1;
    for (int i = 0; i < n; i++) {
        const parameter *it = &f->parameters[i];
        const double start = it->value;
        const bool holds_0 = it->low < 0 && it->high > 0;
        const double other = -start >= it->low && -start <= it->high ? -start : start;
        const double ranged[] = {start, it->low, it->high, holds_0 ? 0 : start, other};
        const double free[] = {start, start / 8 - 0.1, start * 8 + 0.1, 0, -start};
        const int move = i == *moved ? 1 + (trial - 1) / n : 0;
        values[i] = it->low < it->high ? ranged[move] : free[move];
    }
}

static double value_in_trial(const formula *f, int trial, expr value, expr root, double x,
                             arithmetic in)
{
    double parameters[64];
    int moved;
    formula_set_parameters(f, trial, parameters, &moved);
    point at = {.x = (long double)x, .parameters = parameters, .in = in};
    if (root != value)
        at.y = formula_evaluate(f, value, &at);
    return (double)formula_evaluate(f, root, &at);
}

/* How often the error of a slope is what a derivative may have, where value and derivative are
 * numbers; 0 where double knows no better. With moved parameters all may be larger. */
static double excess(const formula *f, int trial, expr value, expr slope, expr exact)
{
    double worst = 0, stretch = 1;
    for (int i = 0; trial && i < LINEAR; i++) {
        double size = fabs(value_in_trial(f, trial, exact, exact, place(i), IN_DOUBLE));
        stretch = size > stretch && isfinite(size) ? size : stretch;
    }
    for (int i = 0; i < LINEAR; i++) {
        double should = value_in_trial(f, trial, value, exact, place(i), IN_DOUBLE);
        double y = value_in_trial(f, trial, value, value, place(i), IN_DOUBLE);
        double allowed = 1e-6 * fabs(should) + 5e-7 * stretch;
        for (arithmetic in = IN_FLOAT_UP; in <= IN_FLOAT_DOWN && isfinite(should + y); in++) {
            double error = fabs(value_in_trial(f, trial, value, slope, place(i), in) - should);
            worst = fmax(worst, isnan(error) ? (double)INFINITY : error / allowed);
        }
    }
    for (int i = LINEAR; i < LINEAR + 2 * 149; i += 7) /* down to the least float */
        if (isfinite(value_in_trial(f, trial, value, value, place(i), IN_DOUBLE) +
                     value_in_trial(f, trial, value, exact, place(i), IN_DOUBLE)) &&
            isnan(value_in_trial(f, trial, value, slope, place(i), IN_FLOAT)))
            worst = (double)INFINITY;
    return worst;
}

static bool better(const formula *f, int trial, expr value, expr slope, expr than, expr exact)
{
    double is = excess(f, trial, value, slope, exact);
    return is <= 1 || is < excess(f, trial, value, than, exact);
}

/* ---- The form of a slope -------------------------------------------------------------------- */

/* exp(u) beside expm1(u), sigmoid(u) or the like costs twice. */
static expr share_exponential(formula *f, expr e, void *user)
{
    const expr *whole = user;
    node it = f->nodes[e];
    if (it.op != OP_EXP)
        return e;
    expr other = formula_make_raw(f, (node){OP_EXPM1, it.a, NO_EXPR, NO_EXPR, 0});
    return formula_contains(f, *whole, other) ? formula_add(f, other, formula_number(f, 1)) : e;
}

static bool reads_x(const formula *f, const expr *roots, int n_roots)
{
    for (int i = 0; i < n_roots; i++)
        if (formula_contains_op(f, roots[i], OP_X))
            return true;
    return false;
}

/* From the dearest to the cheapest form, as far as each is accurate. */
static expr choose_slope(formula *f, expr value, expr by)
{
    f->precise = true;
    const expr exact = formula_derive(f, value, by);
    f->precise = false;
    const expr cheap = formula_derive(f, value, by);
    expr slope = better(f, 0, value, cheap, exact, exact) ? cheap : exact;
    const expr shared = formula_rebuild(f, slope, share_exponential, &slope, false);
    return better(f, 0, value, shared, slope, exact) ? shared : slope;
}

/* Takes what is right with y, if then nothing reads x or a function less is computed. */
static bool choose_by_y(formula *f, expr *roots, int n_roots, bool conditions)
{
    expr by_y[64];
    for (int i = 1; i < n_roots; i++) {
        const expr slope = roots[i], y = formula_leaf(f, OP_Y, 0);
        by_y[i] = formula_slope_by_y(f, roots[0], y, slope, conditions);
        if (f->full)
            return false;
        const expr now = formula_lower(f, by_y[i]), before = formula_lower(f, slope);
        for (int trial = 0; trial <= ALL_MOVES * f->n_parameters && now != before; trial++)
            if (!better(f, trial, roots[0], now, before, slope)) {
                by_y[i] = slope;
                break;
            }
    }
    const int functions = formula_count_functions(f, roots + 1, n_roots - 1);
    if (reads_x(f, by_y + 1, n_roots - 1) &&
        formula_count_functions(f, by_y + 1, n_roots - 1) >= functions)
        return false;
    for (int i = 1; i < n_roots; i++)
        roots[i] = by_y[i];
    return true;
}

void formula_choose_slopes(formula *f, expr *roots, int n_roots)
{
    int n = 2;
    roots[1] = choose_slope(f, roots[0], formula_leaf(f, OP_X, 0));
    for (int i = 0; i < f->n_parameters; i++)
        if (f->parameters[i].learned)
            roots[n++] = choose_slope(f, roots[0], formula_leaf(f, OP_PARAM, i));
    if (!f->full && !f->without_y && !choose_by_y(f, roots, n_roots, true))
        choose_by_y(f, roots, n_roots, false);
}

/* ---- Where it is no number ------------------------------------------------------------------- */

/* Roots of one body, and the parameters they are tried with. */
typedef struct body {
    const formula *f;
    const original *o; /* NULL: only NaN is wrong */
    expr value;
    const expr *roots;
    int n, trial;
} body;

static bool all_numbers(const body *b, double x)
{
    for (int i = 0; i < b->n; i++)
        if (isnan(value_in_trial(b->f, b->trial, b->value, b->roots[i], x, IN_FLOAT)))
            return false;
    return true;
}

/* As all_numbers(); far out a slope must be that of the formula, too. */
static bool all_right(const body *b, double x)
{
    double parameters[64];
    int moved;
    if (!all_numbers(b, x))
        return false;
    if (!b->o || fabs(x) < 16)
        return true;
    formula_set_parameters(b->f, b->trial, parameters, &moved);
    const quotients q = formula_find_quotients(b->o, x, parameters, -1);
    const double is = value_in_trial(b->f, b->trial, b->value, b->roots[0], x, IN_DOUBLE);
    const double allowed = 1e-4 * (1 + fabs(q.low));
    return !q.known || (is >= q.low - allowed && is <= q.high + allowed);
}

/* Whether nothing changes between x/2 and x. */
static bool is_flat(const body *b, double x)
{
    for (int i = 0; i < b->n; i++) {
        double far = value_in_trial(b->f, b->trial, b->value, b->roots[i], x, IN_DOUBLE);
        for (int part = 4; part < 8; part++) {
            double near =
                value_in_trial(b->f, b->trial, b->value, b->roots[i], x * part / 8, IN_DOUBLE);
            if (!(fabs(near - far) <= 1e-13 + 1e-13 * fabs(far)))
                return false;
        }
    }
    return true;
}

/* The highest power of two down from 2^from at which nothing changes, if all above is alike, though
 * on the way to what is wrong; else `from`. */
static int find_flat(const body *b, double sign, int from)
{
    int flat = from;
    while (flat > 5 && !is_flat(b, sign * ldexp(1, flat)))
        flat--;
    const double y =
        value_in_trial(b->f, b->trial, b->value, b->roots[0], sign * ldexp(1, from), IN_DOUBLE);
    const double at =
        value_in_trial(b->f, b->trial, b->value, b->roots[0], sign * ldexp(1, flat), IN_DOUBLE);
    return fabs(y - at) <= 2e-4 * (1 + fabs(at)) ? flat : from;
}

/* The bound on one side that is good in every trial; infinite if none is or none is needed. In one
 * trial nothing changes from 2^flat up to 2^bad, the first that is wrong; 128 stands for the largest
 * float, 129 for none. */
static double bound(body b, double sign)
{
    int from = 3, before = 129;
    for (b.trial = 0; b.trial <= SOME_MOVES * b.f->n_parameters; b.trial++) {
        int bad = -24;
        while (bad < 128 && all_right(&b, sign * ldexp(1, bad)))
            bad++;
        bad += bad == 128 && all_right(&b, sign * (double)FLT_MAX);
        int flat = bad < 128 ? bad - 1 : 127;
        if (b.o && bad < 129)
            flat = find_flat(&b, sign, flat);
        while (flat > 3 && is_flat(&b, sign * ldexp(1, flat)))
            flat--;
        from = flat > from ? flat : from;
        before = bad < before ? bad : before;
    }
    return before < 129 && from < before - 1 ? sign * ldexp(1, from) : sign * (double)INFINITY;
}

bounds formula_find_bounds(const formula *f, const original *o, expr value, const expr *roots,
                           int n_roots)
{
    body it = {f, o, value, roots, n_roots, 0};
    bool reads_y = false;
    for (int i = 0; i < n_roots; i++)
        reads_y = reads_y || formula_contains_op(f, roots[i], OP_Y);
    if (reads_y || !reads_x(f, roots, n_roots)) /* y has no bounds */
        return (bounds){-(double)INFINITY, (double)INFINITY};
    return (bounds){bound(it, -1), bound(it, 1)};
}

bool formula_find_undefined(const formula *f, expr value, const expr *roots, int n_roots,
                            bounds within, double *at)
{
    const body it = {f, NULL, value, roots, n_roots, 0};
    for (int i = 0; i < POINTS; i++) {
        *at = fmin(within.high, fmax(within.low, place(i)));
        if (!all_numbers(&it, *at))
            return true;
    }
    return false;
}

bool formula_is_same(const formula *f, expr p, expr q)
{
    for (int trial = 0; trial <= ALL_MOVES * f->n_parameters; trial++)
        for (int i = 0; i < POINTS; i++) {
            const double one = value_in_trial(f, trial, p, p, place(i), IN_EXTENDED);
            const double two = value_in_trial(f, trial, q, q, place(i), IN_EXTENDED);
            if (!isnan(one) && !(fabs(one - two) <= 1e-12 * (1 + fabs(one))))
                return false;
        }
    return true;
}

bool formula_can_overflow(const formula *f, expr e)
{
    for (int trial = 0; trial <= ALL_MOVES * f->n_parameters; trial++)
        for (int i = LINEAR; i < POINTS; i++)
            if (!isfinite(value_in_trial(f, trial, e, e, place(i), IN_FLOAT)))
                return true;
    return false;
}

bool formula_find_overflow(const formula *f, expr value, double *at)
{
    for (int i = LINEAR; i < POINTS; i++) {
        *at = place(i);
        if (fabs(*at) < 1e30 && isinf(value_in_trial(f, 0, value, value, *at, IN_FLOAT)) &&
            fabs(value_in_trial(f, 0, value, value, *at, IN_DOUBLE)) < (double)FLT_MAX)
            return true;
    }
    return false;
}

bool formula_find_difference(const formula *f, expr value, expr p, expr q, double *at)
{
    for (int i = 0; i < LINEAR; i++) {
        *at = place(i) + 1e-3; /* beside likely kinks */
        double one = value_in_trial(f, 0, value, p, *at, IN_DOUBLE);
        double two = value_in_trial(f, 0, value, q, *at, IN_DOUBLE);
        if (!(fabs(one - two) <= 1e-6 * fabs(two) + 1e-9))
            return true;
    }
    return false;
}
