/* Initializers: everything is written and nothing else, parts are what the whole is, the key alone
 * decides, mean and variance are what the summary says. */
#include "plugin/check/check.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static hk_weight convolution(int64_t side, int64_t in, int64_t out)
{
    hk_weight w = check_host_weight(side * side * in, out);
    w.kernel = side * side;
    w.fan_out = out * w.kernel;
    return w;
}

static void check_written(const subject *s, const filled *f)
{
    const hk_weight *w = &f->weight;
    const bool fills_bias = s->plugin->initializer->traits & HK_FILLS_BIAS;
    for (int64_t i = 0; i < w->count; i++)
        if (!isfinite(w->w[i]))
            check_fail("%lld x %lld: w[%lld] was not written, or is not finite (%g)",
                       (long long)w->rows, (long long)w->columns, (long long)i, (double)w->w[i]);
    for (int64_t j = 0; j < w->columns; j++)
        if (fills_bias ? !isfinite(w->bias[j]) : !isnan(w->bias[j]))
            check_fail("%lld x %lld: the bias was %s HK_FILLS_BIAS", (long long)w->rows,
                       (long long)w->columns,
                       fills_bias ? "not written in spite of" : "written without");
}

void check_test_memory_of_initializer(const subject *s)
{
    const hk_weight weights[] = {check_host_weight(1, 1),   check_host_weight(12, 11),
                                 check_host_weight(64, 10), check_host_weight(8, 70),
                                 convolution(3, 3, 8),      convolution(3, 1, 4),
                                 convolution(5, 16, 32),    convolution(1, 9, 2)};
    enum { WEIGHTS = sizeof weights / sizeof *weights };
    int refused = 0;
    for (int i = 0; i < 4 * WEIGHTS; i++) {
        const int mark = check_arrays_mark();
        hk_weight weight = weights[i / 4];
        weight.first_layer = (uint32_t)i % 2;
        check_guard_before = i / 2 % 2;
        const filled f = check_host_fill(s->plugin, weight, NULL);
        if (f.refusal && (!*f.refusal || f.refusal[strcspn(f.refusal, "\n\r\t")]))
            check_fail("fill() refuses with \"%s\", expected a sentence on one line", f.refusal);
        refused += f.refusal != NULL;
        if (!f.refusal)
            check_written(s, &f);
        check_arrays_release(mark);
    }
    if (refused == 4 * WEIGHTS)
        check_fail("fill() refuses every weight");
    else if (refused)
        check_tell("%d of %d weights are filled, the others refused with a sentence",
                   WEIGHTS - refused / 4, WEIGHTS);
    const use *u = check_use_new(s->plugin, 1, 1);
    hk_weight bare = check_host_weight(6, 4);
    bare.w = check_guarded("w", 24);
    check_begin_call("fill without a bias", -1, 6, 4);
    s->plugin->initializer->fill(&u->context, &bare);
    check_end_call();
}

/* What HK_FILLS_RANGES declares: any part, in any order, gives the bits of the whole. */
void check_test_ranges(const subject *s)
{
    enum { N = 12 * 11, STEP = 25 };
    if (!(s->plugin->initializer->traits & HK_FILLS_RANGES)) {
        check_skip("only the whole weight can be filled");
        return;
    }
    const filled whole = check_host_fill(s->plugin, check_host_weight(12, 11), NULL);
    use *u = check_use_new(s->plugin, 1, 1);
    hk_weight part = whole.weight;
    part.w = check_filled("w", N, NAN);
    for (part.first = N / STEP * STEP; part.first >= 0; part.first -= STEP) {
        part.count = N - part.first < STEP ? N - part.first : STEP;
        check_begin_call("fill of a part", -1, 12, 11);
        s->plugin->initializer->fill(&u->context, &part);
        check_end_call();
        for (int64_t i = 0; i < part.first; i++)
            if (!isnan(part.w[i]))
                check_fail("asked for w[%lld .. %lld], fill() wrote w[%lld]", (long long)part.first,
                           (long long)(part.first + part.count - 1), (long long)i);
    }
    const int64_t at = check_first_difference(whole.weight.w, part.w, N);
    if (at >= 0)
        check_fail("w[%lld] is %.9g in the whole and %.9g in parts", (long long)at,
                   (double)whole.weight.w[at], (double)part.w[at]);
}

void check_test_key(const subject *s)
{
    hk_weight weight = convolution(3, 8, 16);
    const filled a = check_host_fill(s->plugin, weight, NULL),
                 b = check_host_fill(s->plugin, weight, NULL);
    weight.key = 100;
    const filled c = check_host_fill(s->plugin, weight, NULL);
    if (a.refusal || b.refusal || c.refusal) {
        check_skip("this weight is refused");
        return;
    }
    int different = 0; /* numbers: random ones are more than a few */
    for (int64_t i = 1; i < weight.count && i < 200; i++)
        different += a.weight.w[i] != a.weight.w[i - 1] && a.weight.w[i] != a.weight.w[0] &&
                     a.weight.w[i] != 0;
    const int64_t at = check_first_difference(a.weight.w, b.weight.w, weight.count);
    if (at >= 0)
        check_fail("w[%lld] is %.9g, and %.9g the second time with the same key", (long long)at,
                   (double)a.weight.w[at], (double)b.weight.w[at]);
    else if (different <= 20)
        check_tell("no random numbers");
    else if (check_first_difference(a.weight.w, c.weight.w, weight.count) < 0)
        check_fail("two keys give the same numbers: random ones come from weight->key");
}

/* ---- What a summary promises ----------------------------------------------------------------- */

/* "N(mean, variance)" or "U(low, high)" with expressions of + - * / ^ sqrt(), numbers and names. A
 * summary of another form promises nothing that could be checked. */
typedef struct variable {
    const char *name; /* NULL: the last one */
    double value;
} variable;

typedef struct reader {
    const char *at;
    const variable *variables;
    bool bad;
} reader;

static double sum(reader *r);

static bool take(reader *r, char c)
{
    while (*r->at == ' ')
        r->at++;
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static double named(reader *r)
{
    const size_t length = strspn(r->at, "abcdefghijklmnopqrstuvwxyz0123456789_");
    const char *name = r->at;
    r->at += length;
    if (length == 4 && strncmp(name, "sqrt", 4) == 0 && take(r, '(')) {
        const double inside = sum(r);
        r->bad |= !take(r, ')');
        return sqrt(inside);
    }
    for (const variable *v = r->variables; v->name; v++)
        if (strlen(v->name) == length && strncmp(v->name, name, length) == 0)
            return v->value;
    r->bad = true;
    return 0;
}

static double factor(reader *r)
{
    double value;
    if (take(r, '-'))
        return -factor(r);
    if (take(r, '(')) {
        value = sum(r);
        r->bad |= !take(r, ')');
    } else if (isdigit((unsigned char)*r->at)) {
        char *end;
        value = strtod(r->at, &end);
        r->at = end;
    } else if (islower((unsigned char)*r->at)) {
        value = named(r);
    } else {
        r->bad = true;
        return 0;
    }
    return take(r, '^') ? pow(value, factor(r)) : value;
}

static double product(reader *r)
{
    double value = factor(r);
    while (!r->bad)
        if (take(r, '*'))
            value *= factor(r);
        else if (take(r, '/'))
            value /= factor(r);
        else
            break;
    return value;
}

static double sum(reader *r)
{
    double value = product(r);
    while (!r->bad)
        if (take(r, '+'))
            value += product(r);
        else if (take(r, '-'))
            value -= product(r);
        else
            break;
    return value;
}

/* False where the text is of another form. */
static bool read_distribution(const char *text, const variable *variables, double *mean,
                              double *variance)
{
    if ((text[0] != 'N' && text[0] != 'U') || text[1] != '(')
        return false;
    reader r = {.at = text + 2, .variables = variables};
    const double first = sum(&r);
    r.bad |= !take(&r, ',');
    const double second = sum(&r);
    /* "N(0, 1) cut at 2" says more than the moments of N(0, 1) */
    if (r.bad || !take(&r, ')') || *r.at)
        return false;
    *mean = text[0] == 'N' ? first : (first + second) / 2;
    *variance = text[0] == 'N' ? second : (second - first) * (second - first) / 12;
    return true;
}

typedef struct moments {
    double mean, variance, mean_tolerance, variance_tolerance; /* five standard errors */
} moments;

static moments moments_of(const float *w, int64_t n)
{
    moments m = {0};
    double fourth = 0;
    for (int64_t i = 0; i < n; i++)
        m.mean += (double)w[i] / (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double square = ((double)w[i] - m.mean) * ((double)w[i] - m.mean);
        m.variance += square / (double)n, fourth += square * square / (double)n;
    }
    m.mean_tolerance = 5 * sqrt(m.variance / (double)n) + 1e-7 * fabs(m.mean);
    m.variance_tolerance =
        5 * sqrt(fmax(0, fourth - m.variance * m.variance) / (double)n) + 1e-5 * m.variance;
    return m;
}

static bool distribution_of(const hk_plugin *plugin, const hk_weight *w, double *mean,
                            double *variance)
{
    variable variables[8 + HK_MAX_PARAMS] = {{"fan_in", (double)w->fan_in},
                                             {"fan_out", (double)w->fan_out},
                                             {"rows", (double)w->rows},
                                             {"columns", (double)w->columns}};
    variable *next = variables + 4;
    bool has_gain = false;
    for (const hk_param *p = plugin->params; p && p->name; p++) {
        const bool gain = strcmp(p->name, "gain") == 0;
        has_gain |= gain;
        *next++ = (variable){p->name, gain && p->value == 0 ? w->gain : p->value};
    }
    if (!has_gain)
        *next = (variable){"gain", w->gain};
    return plugin->summary && read_distribution(plugin->summary, variables, mean, variance);
}

static void check_distribution(const subject *s, hk_weight weight)
{
    const int mark = check_arrays_mark();
    const filled f = check_host_fill(s->plugin, weight, NULL);
    double mean, variance;
    if (f.refusal) {
        check_skip("this weight is refused");
    } else {
        const moments m = moments_of(f.weight.w, weight.count);
        const bool known = distribution_of(s->plugin, &weight, &mean, &variance);
        if (known && fabs(m.mean - mean) > m.mean_tolerance)
            check_fail("the mean is %.6g, \"%s\" says %.6g (fan_in %lld, fan_out %lld)", m.mean,
                       s->plugin->summary, mean, (long long)weight.fan_in,
                       (long long)weight.fan_out);
        if (known && fabs(m.variance - variance) > m.variance_tolerance)
            check_fail("the variance is %.6g, \"%s\" says %.6g (fan_in %lld, fan_out %lld)",
                       m.variance, s->plugin->summary, variance, (long long)weight.fan_in,
                       (long long)weight.fan_out);
        check_tell("%s%s; variance %.3g / fan_in",
                   known ? "as in its summary, " : "no distribution to compare in ",
                   s->plugin->summary ? s->plugin->summary : "its summary",
                   m.variance * (double)weight.fan_in);
    }
    check_arrays_release(mark);
}

/* Wide, tall and of another gain: fan_in, fan_out and their mean give three different numbers. */
void check_test_variance(const subject *s)
{
    hk_weight weight = convolution(3, 40, 100);
    check_distribution(s, weight);
    weight.gain = 2;
    check_distribution(s, weight);
    check_distribution(s, check_host_weight(60, 900));
    check_distribution(s, check_host_weight(900, 60));
}
