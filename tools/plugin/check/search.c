/* Where a plugin is tried: settings of its parameters, values of its slots, states after real updates,
 * inputs. The same seed gives the same places. */
#include "plugin/check/check.h"

#include <math.h>
#include <string.h>
#include <hillock/kernel.h>

uint64_t check_seed = CHECK_SEED;

/* ---- Settings of the parameters -------------------------------------------------------------- */

/* The number nearest to a bound that a user may write: the bound itself, or a little inside. */
static double end_of_range(const hk_param *p, bool high)
{
    const double bound = high ? p->high : p->low;
    const double other = high ? p->low : p->high;
    if (isinf(bound))
        return p->value + (high ? 100 : -100) * (1 + fabs(p->value));
    if (!(p->flags & (high ? HK_HIGH_OPEN : HK_LOW_OPEN)))
        return bound;
    if (p->type == HK_INTEGER)
        return bound + (high ? -1 : 1);
    return bound + 1e-3 * (isinf(other) ? p->value - bound : other - bound);
}

static int choices_of(const hk_param *p)
{
    int n = 1;
    for (const char *c = p->choices; *c; c++)
        n += *c == '|';
    return n;
}

bool check_is_allowed(const hk_param *p, double value)
{
    if (p->type == HK_CHOICE)
        return value >= 0 && value < choices_of(p) && value == floor(value);
    if (p->type == HK_INTEGER && value != floor(value))
        return false;
    return p->low >= p->high || (value > p->low && value < p->high) ||
           (value == p->low && !(p->flags & HK_LOW_OPEN)) ||
           (value == p->high && !(p->flags & HK_HIGH_OPEN));
}

/* Value number k of a parameter that its range allows: where formulas have their poles and cases. NaN:
 * not that one; k is below MARKS. */
enum { ENDS = 2, INTEGERS = 7, OTHERS = 6, FEW = 16, MARKS = ENDS + INTEGERS + OTHERS + FEW };
static double mark(const hk_param *p, int k)
{
    const double others[] = {-0.5, 0.5, -p->value, p->value / 2, 10, -10};
    const bool ranged = p->type != HK_CHOICE && p->low < p->high;
    if (k < ENDS)
        return ranged ? end_of_range(p, k) : (double)NAN;
    k -= ENDS;
    if (k >= INTEGERS + OTHERS) { /* all of a few whole numbers, but for those that were there */
        const double whole = p->low + (k - INTEGERS - OTHERS);
        const bool is_new = p->type == HK_INTEGER && ranged && p->high - p->low < FEW &&
                            fabs(whole) > 3 && whole != p->value && whole < p->high;
        return is_new && check_is_allowed(p, whole) ? whole : (double)NAN;
    }
    const double value = k < INTEGERS ? k - 3 : others[k - INTEGERS];
    const bool far = ranged && fabs(value) == 10;
    return value == p->value || far || !check_is_allowed(p, value) ? (double)NAN : value;
}

void check_each_setting(const subject *s, void (*each)(const subject *, const double *))
{
    const hk_param *params = s->plugin->params;
    double values[HK_MAX_PARAMS] = {0};
    for (int i = 0; params && params[i].name; i++)
        values[i] = params[i].value;
    each(s, values);
    for (int i = 0; params && params[i].name; i++) {
        for (int k = 0; k < MARKS; k++) {
            values[i] = mark(&params[i], k);
            if (!isnan(values[i]))
                each(s, values);
        }
        values[i] = params[i].value;
    }
    for (uint64_t key = 0; params && params[0].name && key < 6; key++) {
        const int arrays = check_arrays_mark();
        use *u = check_use_new(s->plugin, 1, 1);
        check_use_vary(u, check_seed + key);
        each(s, u->params);
        check_arrays_release(arrays);
    }
}

bool check_use_choose(use *u, int which)
{
    bool has = which == 0;
    for (int i = 0; u->plugin->params && u->plugin->params[i].name; i++)
        if (u->plugin->params[i].type == HK_CHOICE && which < choices_of(&u->plugin->params[i]))
            u->params[i] = which, has = true;
    return has;
}

/* ---- Slots ------------------------------------------------------------------------------------ */

static void vary_parameters(use *u, uint64_t key)
{
    for (int i = 0; u->plugin->params && u->plugin->params[i].name; i++) {
        const hk_param *p = &u->plugin->params[i];
        const float share = hks_uniform(key, (uint64_t)i);
        const bool narrow = p->low < p->high && !isinf(p->low) && !isinf(p->high);
        /* a float, so that kernels and reference have the same number */
        double value = (double)((float)p->value * (0.5f + share));
        if (p->type == HK_CHOICE)
            value = floor((double)share * choices_of(p));
        else if (narrow && key % 2)
            value = (double)(float)(p->low + (double)share * (p->high - p->low));
        if (check_is_allowed(p, value))
            u->params[i] = value;
    }
}

void check_use_move(const use *u, uint64_t key)
{
    for (int i = 0; i < u->n_slots; i++)
        for (int64_t j = 0; j < u->lengths[i]; j++)
            if (u->plugin->slots[i].role == HK_LEARNED)
                u->slots[i][j] += 0.3f * hks_normal(key + 1 + (uint64_t)i, (uint64_t)j);
    check_clamp_slots(u);
}

void check_use_vary(use *u, uint64_t key)
{
    vary_parameters(u, key);
    check_use_start(u);
    check_use_move(u, key);
}

void check_fill_lively(const use *u, float *x, uint64_t key)
{
    static const float constant[] = {NAN, -10, NAN, 0, NAN, 10};
    check_fill_normal(x, u->context.rows * u->context.channels, key, 2);
    for (int64_t i = 0; i < u->context.rows * u->context.channels; i++) {
        const float always = constant[i % u->context.channels % 6];
        x[i] = isnan(always) ? x[i] : always;
    }
}

void check_use_live(use *u, int life)
{
    const uint32_t training = u->context.training;
    check_use_start(u);
    for (int i = 0; life == 1 && i < u->n_slots; i++)
        if (u->plugin->slots[i].role == HK_LEARNED)
            memset(u->slots[i], 0, (size_t)u->lengths[i] * sizeof(float));
    if (life > 1)
        check_use_move(u, check_seed + (uint64_t)life);
    for (int i = 0; life == LIVES - 1 && i < u->n_slots; i++)
        for (int64_t j = 0; j < u->lengths[i]; j++)
            if (u->plugin->slots[i].role == HK_LEARNED && (j + i) % 2 == 0)
                u->slots[i][j] = -u->slots[i][j];
    check_clamp_slots(u);
    const int arrays = check_arrays_mark();
    pass *p = life > 1 && u->plugin->activation->update ? check_pass_new(u, 1) : NULL;
    u->context.training = 1;
    for (int step = 0; p && step < 5; step++) {
        check_fill_lively(u, p->x, check_seed + (uint64_t)(10 * life + step));
        check_host_activation_update(u, p);
    }
    u->context.training = training;
    check_arrays_release(arrays);
}

/* ---- Inputs ----------------------------------------------------------------------------------- */

/* Both signs, as many between 0.001 and 0.01 as between 100 and 1000, without gaps: multiples of the
 * golden ratio. */
double check_search_point(uint64_t key, uint64_t i)
{
    const double golden = 0.6180339887498949;
    const double share = fmod((double)i * golden + (double)hks_uniform(check_seed, key), 1);
    const double size = pow(10, -3 + 6 * share);
    return (double)(float)(hks_uniform(check_seed + key, i) < 0.5f ? -size : size);
}

void check_fill_search(float *x, int64_t n, uint64_t key)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = i % 2 ? (float)check_search_point(key, (uint64_t)i)
                     : 3 * hks_normal(check_seed + key, (uint64_t)i);
}
