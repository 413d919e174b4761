/* What a search has found, made small before it is shown: the numbers of the case become simpler one
 * after the other, as long as it still fails. */
#include "plugin/check/check.h"

#include <math.h>

void check_small_add(finding *f, double *at, double usual)
{
    f->numbers[f->n++] = (found_number){.at = at, .usual = usual};
}

void check_small_add_size(finding *f, double *at, double least)
{
    f->numbers[f->n++] = (found_number){.at = at, .usual = least, .size = true};
}

void check_small_add_params(finding *f, use *u)
{
    for (int i = 0; u->plugin->params && u->plugin->params[i].name; i++)
        f->numbers[f->n++] = (found_number){.at = &u->params[i],
                                            .usual = u->plugin->params[i].value,
                                            .param = &u->plugin->params[i]};
}

void check_small_add_slots(finding *f, const use *u, double *t)
{
    for (int k = 0; k < u->n_slots; k++)
        f->numbers[f->n++] = (found_number){
            .at = &t[k], .usual = u->plugin->slots[k].value, .slot = &u->plugin->slots[k]};
}

static bool is_allowed(const found_number *number, double value)
{
    const hk_slot *slot = number->slot;
    if (number->param)
        return check_is_allowed(number->param, value);
    return !slot || slot->low >= slot->high || (value >= slot->low && value <= slot->high);
}

static bool fails_with(const finding *f, const found_number *number, double value)
{
    const double kept = *number->at;
    if (!is_allowed(number, value))
        return false;
    *number->at = value;
    if (check_fails_again(f->run, f->of))
        return true;
    *number->at = kept;
    return false;
}

/* The smallest one below which it passes: by halves of what is left. */
static void shrink_size(const finding *f, const found_number *number)
{
    for (double step = floor(*number->at - number->usual); step >= 1;) {
        while (*number->at - step >= number->usual && fails_with(f, number, *number->at - step))
            ;
        step = floor(step / 2);
    }
}

/* To so many bits: a number that decimals show as it is. */
static double rounded(double value, int bits)
{
    int exponent;
    const double share = frexp(value, &exponent);
    return ldexp(round(ldexp(share, bits)), exponent - bits);
}

static void simplify(const finding *f, const found_number *number)
{
    const double simple[] = {number->usual, 0, 1, -1, 2, -2, 0.5, -0.5, 10, -10, 100, -100};
    const double kept = *number->at;
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
        if (simple[i] == kept || fails_with(f, number, simple[i]))
            return;
    for (int bits = 1; bits <= 12 && !isnan(kept); bits++)
        if (rounded(kept, bits) == kept || fails_with(f, number, rounded(kept, bits)))
            return;
}

void check_make_small(const finding *f)
{
    for (int i = 0; i < f->n; i++)
        (f->numbers[i].size ? shrink_size : simplify)(f, &f->numbers[i]);
}
