/* Initializers: the numbers that a summary promises, their law and their independence, and what holds
 * of every random weight. */
#include "plugin/check/check.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What a summary promises ----------------------------------------------------------------- */

/* "N(mean, variance)", "U(low, high)" or "... variance EXPRESSION", with expressions of + - * / ^ sqrt(), numbers
 * and names; side by side they are a product. A summary of another form promises nothing that could be checked. */
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
        else if (islower((unsigned char)*r->at) || *r->at == '(')
            value *= factor(r);
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

typedef struct law {
    enum { NORMAL, UNIFORM, OF_VARIANCE } kind; /* of the last the variance alone is known */
    double mean, variance;
} law;

/* A letter that a summary explains behind its law: "U(-b, b), b = sqrt(3 / fan_in)". What else stands there
 * is of the first layer, or more than a law. */
static bool read_definition(const char *text, variable *into, const variable *known)
{
    if (!text[0])
        return true;
    if (strncmp(text, ", ", 2) != 0 || !islower((unsigned char)text[2]) ||
        strncmp(text + 3, " = ", 3) != 0)
        return false;
    static char name[2];
    name[0] = text[2];
    reader r = {.at = text + 6, .variables = known};
    *into = (variable){name, sum(&r)};
    return !r.bad && (!*r.at || strncmp(r.at, ", first layer", 13) == 0);
}

/* False where the text is of another form. The last but one of the variables is free. */
static bool read_law(const char *text, variable *variables, variable *free, law *out)
{
    if ((text[0] != 'N' && text[0] != 'U') || text[1] != '(')
        return false;
    const char *end = text + 2; /* behind the parenthesis of the law */
    for (int depth = 1; *end && depth; end++)
        depth += *end == '(' ? 1 : *end == ')' ? -1 : 0;
    if (!read_definition(end, free, variables))
        return false;
    reader r = {.at = text + 2, .variables = variables};
    const double first = sum(&r);
    r.bad |= !take(&r, ',');
    const double second = sum(&r);
    /* "N(0, 1) cut at 2" says more than the moments of N(0, 1) */
    if (r.bad || !take(&r, ')') || r.at != end)
        return false;
    out->kind = text[0] == 'N' ? NORMAL : UNIFORM;
    out->mean = out->kind == NORMAL ? first : (first + second) / 2;
    out->variance = out->kind == NORMAL ? second : (second - first) * (second - first) / 12;
    return true;
}

/* "normal with variance gain^2 / fan_in", to the end of the text. */
static bool read_variance(const char *text, const variable *variables, law *out)
{
    static const char word[] = "variance ";
    const char *found = strstr(text, word);
    reader r = {.at = found ? found + strlen(word) : "", .variables = variables};
    *out = (law){.kind = OF_VARIANCE, .variance = sum(&r)};
    return !r.bad && !*r.at;
}

static bool law_of(const hk_plugin *plugin, const hk_weight *w, const double *params, law *out)
{
    static const char both[] = "weight and bias ";
    variable variables[8 + HK_MAX_PARAMS] = {{"fan_in", (double)w->fan_in},
                                             {"fan_out", (double)w->fan_out},
                                             {"rows", (double)w->rows},
                                             {"columns", (double)w->columns}};
    variable *next = variables + 4;
    bool has_gain = false;
    for (int i = 0; plugin->params && plugin->params[i].name; i++) {
        const bool gain = strcmp(plugin->params[i].name, "gain") == 0;
        has_gain |= gain;
        if (plugin->params[i].type != HK_CHOICE) /* which is a word */
            *next++ =
                (variable){plugin->params[i].name, gain && params[i] == 0 ? w->gain : params[i]};
    }
    if (!has_gain)
        *next++ = (variable){"gain", w->gain};
    const char *text = plugin->summary;
    if (!text || (w->first_layer && strstr(text, "first layer")))
        return false;
    if (strncmp(text, both, strlen(both)) == 0)
        text += strlen(both);
    return read_law(text, variables, next, out) || read_variance(text, variables, out);
}

/* ---- Moments ---------------------------------------------------------------------------------- */

typedef struct moments {
    double mean, variance, kurtosis;
    double mean_tolerance, variance_tolerance; /* five standard errors */
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
    m.kurtosis = m.variance > 0 ? fourth / m.variance / m.variance : 0;
    m.mean_tolerance = 5 * sqrt(m.variance / (double)n) + 1e-7 * fabs(m.mean);
    m.variance_tolerance =
        5 * sqrt(fmax(0, fourth - m.variance * m.variance) / (double)n) + 1e-5 * m.variance;
    return m;
}

/* " (fan_in 360, fan_out 900, gain 1.25, first layer)" */
static const char *weight_text(const hk_weight *w)
{
    static char text[128];
    snprintf(text, sizeof text, "fan_in %lld, fan_out %lld, gain %g%s", (long long)w->fan_in,
             (long long)w->fan_out, w->gain, w->first_layer ? ", first layer" : "");
    return text;
}

/* Neighbours, and what stands half a weight, a row or a power of two apart, of an independent law are
 * uncorrelated. */
static void check_correlations(const subject *s, const hk_weight *w, const law *l)
{
    const int64_t lags[] = {
        1, 2, 3, 4, 256, 4096, 65536, w->columns, 2 * w->columns, w->count / 2, w->rows};
    const int n_lags = sizeof lags / sizeof *lags;
    for (int k = 0; k < n_lags && l->variance > 0; k++) {
        const int64_t n = w->count - lags[k];
        double together = 0;
        for (int64_t i = 0; i < n; i++)
            together += ((double)w->w[i] - l->mean) * ((double)w->w[i + lags[k]] - l->mean);
        if (n > 1000 && fabs(together) > 6 * l->variance * sqrt((double)n))
            check_fail("w[i] and w[i + %lld] have a correlation of %.3g, \"%s\" are independent "
                       "(%s)",
                       (long long)lags[k], together / (double)n / l->variance, s->plugin->summary,
                       weight_text(w));
    }
}

/* The means of columns (stride 1) or rows of an independent law are as wide as their numbers allow. */
static void check_means(const subject *s, const hk_weight *w, const law *l, bool columns)
{
    const int64_t sets = columns ? w->columns : w->rows, each = w->count / sets;
    const int64_t step = columns ? w->columns : 1, next = columns ? 1 : w->columns;
    double spread = 0;
    for (int64_t j = 0; j < sets; j++) {
        double mean = 0;
        for (int64_t i = 0; i < each; i++)
            mean += ((double)w->w[j * next + i * step] - l->mean) / (double)each;
        spread += mean * mean / (double)sets;
    }
    const double ratio = l->variance > 0 ? spread * (double)each / l->variance : 1;
    if (each > 1 && sets > 30 && fabs(ratio - 1) > 6 * sqrt(2 / (double)sets))
        check_fail("the means of %s vary by %.3g of what \"%s\" would (%s)",
                   columns ? "columns" : "rows", ratio, s->plugin->summary, weight_text(w));
}

static void check_moments(const subject *s, const hk_weight *w, const float *values, int64_t n,
                          const char *what, const law *l)
{
    const moments m = moments_of(values, n);
    const double kurtosis = l->kind == NORMAL ? 3 : 1.8;
    const bool known = l->kind != OF_VARIANCE;
    if (known && fabs(m.mean - l->mean) > m.mean_tolerance + 1e-6 * sqrt(l->variance))
        check_fail("the mean%s is %.6g, \"%s\" says %.6g (%s)", what, m.mean, s->plugin->summary,
                   l->mean, weight_text(w));
    if (fabs(m.variance - l->variance) > m.variance_tolerance + 1e-12 * m.mean * m.mean)
        check_fail("the variance%s is %.6g, \"%s\" says %.6g (%s)", what, m.variance,
                   s->plugin->summary, l->variance, weight_text(w));
    if (known && l->variance > 0 && fabs(m.kurtosis - kurtosis) > 12 * kurtosis / sqrt((double)n))
        check_fail("the kurtosis%s is %.3g, %.3g for a %s law (%s)", what, m.kurtosis, kurtosis,
                   l->kind == NORMAL ? "normal" : "uniform", weight_text(w));
}

/* A uniform law ends at its bounds. */
static void check_bounds(const subject *s, const hk_weight *w, const law *l)
{
    const double reach = sqrt(3 * l->variance), slack = 1e-6 * (fabs(l->mean) + reach);
    for (int64_t i = 0; i < w->count && l->kind == UNIFORM && !check_has_failed(); i++)
        if (fabs((double)w->w[i] - l->mean) > reach + slack)
            check_fail("w[%lld] is %.7g, \"%s\" ends at %.7g and %.7g (%s)", (long long)i,
                       (double)w->w[i], s->plugin->summary, l->mean - reach, l->mean + reach,
                       weight_text(w));
}

/* A constant is no draw of the law, which is that of the weights. */
static bool is_constant(const float *x, int64_t n)
{
    int64_t i = 1;
    while (i < n && x[i] == x[0])
        i++;
    return i == n;
}

/* What the summary says of a weight, if it is a law. */
static void check_law(const subject *s, hk_weight weight, const double *params)
{
    static const char bias[] = " of the bias";
    const int mark = check_arrays_mark();
    law l;
    const bool promises = law_of(s->plugin, &weight, params, &l);
    const filled f = promises ? check_host_fill(s->plugin, weight, params) : (filled){0};
    if (promises && !f.refusal) {
        check_moments(s, &f.weight, f.weight.w, weight.count, "", &l);
        check_bounds(s, &f.weight, &l);
        if (l.kind != OF_VARIANCE) {
            check_correlations(s, &f.weight, &l);
            check_means(s, &f.weight, &l, true);
            check_means(s, &f.weight, &l, false);
        }
        if (s->plugin->initializer->traits & HK_FILLS_BIAS && weight.columns > 500 &&
            !is_constant(f.weight.bias, weight.columns))
            check_moments(s, &f.weight, f.weight.bias, weight.columns, bias, &l);
        check_tell("as in its summary, %s", s->plugin->summary);
    }
    check_arrays_release(mark);
}

/* ---- What holds without a law ------------------------------------------------------------------- */

static bool are_equal(const hk_weight *w, bool columns, int64_t a, int64_t b)
{
    const int64_t n = columns ? w->rows : w->columns, step = columns ? w->columns : 1;
    const int64_t next = columns ? 1 : w->columns;
    bool zero = true;
    for (int64_t i = 0; i < n; i++) {
        if (w->w[a * next + i * step] != w->w[b * next + i * step])
            return false;
        zero &= w->w[a * next + i * step] == 0;
    }
    return !zero;
}

/* Random units differ: what starts the same stays the same. */
static void check_symmetry(const subject *s, const hk_weight *w)
{
    for (int columns = 0; columns < 2; columns++) {
        const int64_t n = columns ? w->columns : w->rows;
        for (int64_t a = 0; a < n && w->count > n; a++)
            for (int64_t b = a + 1; b < n && !check_has_failed(); b++)
                if (are_equal(w, columns, a, b))
                    check_fail("%s %lld and %lld of a %lld x %lld weight of %s are the same",
                               columns ? "columns (units)" : "rows (inputs)", (long long)a,
                               (long long)b, (long long)w->rows, (long long)w->columns,
                               s->plugin->name);
    }
}

/* Of a matrix the vectors along its longer side are orthogonal, all of one length. */
static void check_orthogonal(const subject *s, int64_t rows, int64_t columns)
{
    const filled f = check_host_fill(s->plugin, check_host_weight(rows, columns), NULL);
    const int64_t count = rows < columns ? rows : columns, length = rows + columns - count;
    const int64_t step = rows < columns ? 1 : columns, next = rows < columns ? columns : 1;
    double first = 0;
    for (int64_t a = 0; a < count && !f.refusal; a++)
        for (int64_t b = a; b < count; b++) {
            double product = 0;
            for (int64_t i = 0; i < length; i++)
                product += (double)f.weight.w[a * next + i * step] *
                           (double)f.weight.w[b * next + i * step];
            first = a + b ? first : product;
            if (fabs(product - (a == b ? first : 0)) > 1e-3 * first)
                check_fail("\"%s\": vectors %lld and %lld of a %lld x %lld weight have the "
                           "product %.4g, expected %.4g",
                           s->plugin->summary, (long long)a, (long long)b, (long long)rows,
                           (long long)columns, product, a == b ? first : 0);
        }
}

static bool is_random(const subject *s)
{
    hk_weight weight = check_host_weight(12, 11);
    const filled a = check_host_fill(s->plugin, weight, NULL);
    weight.key++;
    const filled b = check_host_fill(s->plugin, weight, NULL);
    return !a.refusal && !b.refusal &&
           check_first_difference(a.weight.w, b.weight.w, weight.count) >= 0;
}

/* ---- The test ----------------------------------------------------------------------------------- */

static void try_setting(const subject *s, const double *params)
{
    check_law(s, check_host_weight(60, 300), params);
}

/* Wide, tall, grouped, of another gain and of the first layer: fan_in, fan_out and their mean give three
 * different numbers. */
void check_test_variance(const subject *s)
{
    double params[HK_MAX_PARAMS] = {0};
    for (int i = 0; s->plugin->params && s->plugin->params[i].name; i++)
        params[i] = s->plugin->params[i].value;
    hk_weight weight = check_host_convolution(3, 40, 100);
    for (int turn = 0; turn < 4; turn++) {
        check_law(s, weight, params);
        weight.gain = turn % 2 ? 0.5 : 2;
        weight.first_layer = (uint32_t)turn / 2;
    }
    hk_weight grouped = check_host_convolution(3, 10, 120);
    grouped.fan_out = 120 / 4 * grouped.kernel;
    const hk_weight others[] = {check_host_weight(60, 900),
                                check_host_weight(900, 60),
                                check_host_weight(1, 3000),
                                check_host_weight(2, 2000),
                                grouped,
                                check_host_weight(20000, 4),   /* more inputs than any layer here */
                                check_host_weight(900, 1111)}; /* a variance to half a percent */
    for (int i = 0; i < 7; i++) {
        check_law(s, others[i], params);
        weight = others[i];
        weight.first_layer = 1;
        check_law(s, weight, params);
    }
    check_each_setting(s, try_setting);
    if (is_random(s)) {
        const filled dense = check_host_fill(s->plugin, check_host_weight(30, 40), NULL);
        if (!dense.refusal)
            check_symmetry(s, &dense.weight);
    }
    if (strstr(s->plugin->summary ? s->plugin->summary : "", "orthogonal matrix")) {
        check_orthogonal(s, 24, 10);
        check_orthogonal(s, 10, 24);
    }
    check_tell("no distribution to compare in %s",
               s->plugin->summary ? s->plugin->summary : "its summary");
}
