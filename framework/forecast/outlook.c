/* What a forecast means: the depth at which such a net stops learning, and a verdict. A signal is
 * followed from where it enters, forward from the first layer or back from the output, until no more
 * than a limit is left of it. Where that does not happen within the net, it is drawn out as the deeper
 * half of the activations goes, which have forgotten how it started, unless what that loses is within three
 * standard errors of nothing: by the same factor a layer, or where the quarter before lost about as
 * much, so that the loss of a layer falls as 1 / depth, by a power of the depth (tanh at the critical gain:
 * Schoenholz, Gilmer, Ganguli, Sohl-Dickstein 2017). */
#include "forecast/forecast.h"

#include <math.h>

typedef struct signal {
    const char *lost; /* what happens when it ends */
    bool back;        /* enters at the output */
    int sign;         /* -1: it is lost by growing */
    bool mends;       /* by another gain */
    double limit;     /* share that is left at the end */
    hk_estimate (*of)(const hk_forecast_layer *);
} signal;

static hk_estimate output(const hk_forecast_layer *l)
{
    return l->square;
}

/* Of all outputs together: a gradient that is shared out among more of them is not lost. */
static hk_estimate gradient(const hk_forecast_layer *l)
{
    const double outputs = (double)l->outputs;
    return (hk_estimate){l->gradient.mean * outputs, l->gradient.error * outputs};
}

static hk_estimate difference(const hk_forecast_layer *l)
{
    return (hk_estimate){l->difference.mean / l->square.mean, l->difference.error / l->square.mean};
}

static hk_estimate alive(const hk_forecast_layer *l)
{
    return (hk_estimate){1 - l->dead.mean, l->dead.error};
}

/* A signal that is lost may be why those behind it are. */
static const signal signals[] = {
    {"in every other net all inputs give the same outputs", false, 1, false, 0.5, alive},
    {"outputs vanish", false, 1, true, HK_SIGNAL_LOST, output},
    {"outputs explode", false, -1, true, HK_SIGNAL_LOST, output},
    {"gradients vanish", true, 1, true, HK_SIGNAL_LOST, gradient},
    {"gradients explode", true, -1, true, HK_SIGNAL_LOST, gradient},
    {"inputs become alike", false, 1, false, HK_SIGNAL_LOST, difference},
};
enum { SIGNALS = sizeof signals / sizeof *signals };

/* The logarithm of the signal in layer i, and of what was lost on the way there. */
static double level(const hk_forecast *f, const signal *s, int i)
{
    return s->sign * log(s->of(&f->layers[i]).mean);
}

static double lost_at(const hk_forecast *f, const signal *s, int i)
{
    return level(f, s, s->back ? f->n_layers - 1 : 0) - level(f, s, i);
}

static double relative_error(const hk_forecast *f, const signal *s, int i)
{
    const hk_estimate value = s->of(&f->layers[i]);
    return value.error / value.mean;
}

/* From layer `i` to the deeper `j`, in the direction of the signal. */
static double loss_between(const hk_forecast *f, const signal *s, int i, int j)
{
    return (s->back ? -1 : 1) * (level(f, s, i) - level(f, s, j));
}

/* In layers, from where the signal enters. */
static double depth_of(const hk_forecast *f, const signal *s)
{
    const int n = f->n_layers, deep = n - 2, middle = deep / 2;
    const double most = -log(s->limit);
    for (int i = 0; i < n; i++)
        if (lost_at(f, s, s->back ? n - 1 - i : i) > most)
            return i + 1;
    const double whole = lost_at(f, s, s->back ? 0 : n - 1);
    if (middle >= deep)
        return (double)INFINITY;
    const double half = loss_between(f, s, middle, deep);
    if (!(half > 3 * hypot(relative_error(f, s, middle), relative_error(f, s, deep))))
        return (double)INFINITY;
    const int quarter = middle / 2;
    if (quarter > 0 && half < 1.5 * loss_between(f, s, quarter, middle))
        return n * exp((most - whole) * log((double)deep / middle) / half);
    return n + (most - whole) * (deep - middle) / half;
}

static void say_verdict(hk_forecast *f, const signal *first, bool uses_rai)
{
    hki_text to = {f->verdict, sizeof f->verdict, 0};
    const int n = f->n_layers;
    if (f->depth <= n)
        hki_say(&to, "Will not learn well: %s within %.0f of %d layers.", first->lost, f->depth, n);
    else if (f->depth < 2 * n)
        hki_say(&to, "Can just learn: it has %d layers, and at about %.0f, %s.", n, f->depth,
                first->lost);
    else if (f->depth < 1000)
        hki_say(&to, "Can learn: signals last through its %d layers; at about %.0f, %s.", n,
                f->depth, first->lost);
    else
        hki_say(&to, "Can learn: outputs and gradients keep their size, and inputs stay apart.");
    if (f->born_dead.mean > 0.01)
        hki_say(
            &to,
            " %.3g %% of such nets are born dead, the same output for all inputs and no gradient: "
            "wider layers%s have fewer.",
            100 * f->born_dead.mean, uses_rai ? "" : ", or rai,");
    const hk_forecast_layer *l = &f->layers[n / 2];
    if (!(f->depth < 2 * n && first->mends && fabs(l->gain / l->mend - 1) > 0.05))
        return;
    hki_say(&to, " A gain of %.4g instead of %.4g would keep the mean square", l->mend, l->gain);
    if (fabs(log(l->mend_gradient)) > 0.05)
        hki_say(&to, " of outputs, and multiply that of gradients by %.3g a layer",
                l->mend_gradient);
    hki_say(&to, ".");
}

void hki_outlook(hk_forecast *forecast, bool uses_rai)
{
    const signal *first = NULL;
    bool finite = true; /* outputs that are not have no gradients worth following */
    for (int i = 0; i < forecast->n_layers; i++)
        finite = finite && isfinite(forecast->layers[i].square.mean);
    forecast->depth = (double)INFINITY;
    for (int i = 0; i < SIGNALS && !(forecast->depth <= forecast->n_layers); i++) {
        if (signals[i].back && !finite)
            continue;
        double depth = depth_of(forecast, &signals[i]);
        if (depth < forecast->depth) {
            forecast->depth = depth;
            first = &signals[i];
        }
    }
    forecast->depth_why = first ? first->lost : "";
    say_verdict(forecast, first, uses_rai);
}
