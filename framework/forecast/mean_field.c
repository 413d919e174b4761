/* Signals in nets of infinite width. A dense layer or convolution with independent weights of mean 0
 * multiplies the mean square by fan_in mean(w^2), an activation turns the mean square q of what comes
 * in into E[f(z)^2], z ~ N(0, q); back, by the same weights and E[f'(z)^2] (Poole, Lahiri, Raghu,
 * Sohl-Dickstein, Ganguli 2016, arXiv:1606.05340; Schoenholz, Gilmer, Ganguli, Sohl-Dickstein 2017,
 * arXiv:1611.01232). Behind operations of which theory says nothing, such as pooling, it goes on
 * from what was simulated. */
#include "forecast/forecast.h"

#include <math.h>

#include "ops/ops.h"

static double mean_of(const hki_tally *tally)
{
    return hki_tally_estimate(tally).mean;
}

/* Its weights are learned as they are, not normalized first. */
static bool is_plain_product(const hk_tensor *t)
{
    return hki_is_product(t) && t->inputs[1]->role == HKI_LEARNED;
}

/* fan_in mean(w^2) */
static double spread(const hki_tensor_stats *seen, const hk_tensor *t)
{
    const hk_tensor *w = t->inputs[1];
    double fan_in = (double)(hki_count(&w->shape, 1) / hki_channels(&w->shape));
    return fan_in * mean_of(&seen[w->id].square);
}

static double bias_square(const hki_tensor_stats *seen, const hk_tensor *t)
{
    return t->n_inputs > 2 ? mean_of(&seen[t->inputs[2]->id].square) : 0;
}

/* ---- Forward -------------------------------------------------------------------------------------- */

static double square_of(const hki_tensor_stats *seen, const hk_tensor *t)
{
    const double simulated = mean_of(&seen[t->id].square);
    if (t->role != HKI_COMPUTED)
        return simulated;
    const double x = seen[t->inputs[0]->id].square_theory;
    if (t->op->is_view)
        return x;
    if (is_plain_product(t))
        return spread(seen, t) * x + bias_square(seen, t);
    double y =
        t->op == &hki_op_activate ? hki_mean_square(hki_use_of(t), sqrt(x), false) : (double)NAN;
    return isnan(y) ? simulated : y;
}

/* f is 0 below 0, and above 0 above. */
static bool rectifies(const hki_use *use)
{
    static const double at[] = {1e-3, 1, 30};
    const hk_activation *f = use->plugin->activation;
    if (!f->value || f->channels_out || f->traits & HK_ROWWISE || hki_slot_count(use->plugin))
        return false;
    for (int i = 0; i < 3; i++) {
        hk_scalar64 above = {.x = at[i], .u = 0.5, .p = use->params};
        hk_scalar64 below = {.x = -at[i], .u = 0.5, .p = use->params};
        if (!(f->value(&above) > 0) || f->value(&below) != 0)
            return false;
    }
    return true;
}

/* Weights whose mean is that of no law that is symmetric about 0, such as rai's. */
static bool is_lopsided(const hki_tensor_stats *seen, const hk_tensor *t)
{
    const hk_estimate mean = hki_tally_estimate(&seen[t->inputs[1]->id].mean);
    return fabs(mean.mean) > 4 * mean.error;
}

/* A unit with symmetric weights and no bias is above 0 for half of the nets, whatever comes in, as
 * long as something does. */
static double silence_of(const hki_tensor_stats *seen, const hk_tensor *t)
{
    if (t->role != HKI_COMPUTED)
        return t->role == HKI_INPUT ? 0 : (double)NAN;
    const double before = seen[t->inputs[0]->id].silent_theory;
    if (t->op->is_view ||
        (t->op == &hki_op_linear && is_plain_product(t) && bias_square(seen, t) == 0))
        return before;
    const hk_tensor *x = t->inputs[0];
    if (t->op != &hki_op_activate || x->op != &hki_op_linear || !rectifies(hki_use_of(t)) ||
        is_lopsided(seen, x))
        return (double)NAN;
    return 1 - (1 - before) * (1 - ldexp(1, -(int)hki_channels(&t->shape)));
}

/* ---- Back ----------------------------------------------------------------------------------------- */

/* Where t is the first input of one operation y alone. A weight hands each of the `outs` gradients to
 * fan_in of the `ins` inputs. */
static double gradient_of(const hki_tensor_stats *seen, int n, const hk_tensor *t)
{
    const double simulated = mean_of(&seen[t->id].gradient);
    const hk_tensor *y = NULL;
    int uses = 0;
    for (int id = t->id + 1; id < n; id++)
        for (int i = 0; i < seen[id].tensor->n_inputs; i++)
            if (seen[id].tensor->inputs[i] == t) {
                y = seen[id].tensor;
                uses++;
            }
    if (uses != 1 || y->inputs[0] != t)
        return simulated;
    const double dy = seen[y->id].gradient_theory;
    if (y->op->is_view)
        return dy;
    if (is_plain_product(y)) {
        double ins = (double)hki_sample_count(&t->shape),
               outs = (double)hki_sample_count(&y->shape);
        return spread(seen, y) * dy * outs / ins;
    }
    double slope = y->op == &hki_op_activate
                       ? hki_mean_square(hki_use_of(y), sqrt(seen[t->id].square_theory), true)
                       : (double)NAN;
    return isnan(slope) ? simulated : slope * dy;
}

void hki_mean_field(hki_tensor_stats *seen, int n)
{
    for (int id = 0; id < n; id++) {
        seen[id].square_theory = square_of(seen, seen[id].tensor);
        seen[id].silent_theory = silence_of(seen, seen[id].tensor);
    }
    for (int id = n - 1; id >= 0; id--)
        seen[id].gradient_theory = gradient_of(seen, n, seen[id].tensor);
}

double hki_gain_before(const hki_tensor_stats *seen, const hk_tensor *t)
{
    while (t->role == HKI_COMPUTED && !hki_is_product(t))
        t = t->inputs[0];
    return t->role == HKI_COMPUTED && is_plain_product(t) ? sqrt(spread(seen, t)) : (double)NAN;
}

/* ---- Relu nets without biases ---------------------------------------------------------------------- */

double hk_silent(int width, int depth)
{
    return -expm1(depth * log1p(-ldexp(1, -width)));
}

/* After one layer, the units that fire for x > 0 are those that do not for x < 0. Both sides are
 * silent when the first layer is split and the second silences both parts, independently, or when
 * one side is empty and the second layer silences the other. */
double hk_born_dead(int width, int depth)
{
    const double silent = ldexp(1, -width), empty = ldexp(1, 1 - width);
    if (depth < 2)
        return 0;
    return depth == 2 ? empty * silent + (1 - empty) * silent * silent : hk_silent(width, depth);
}
