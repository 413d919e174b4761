/* Formulas to C: what the parser says, what the text looks like, and that generated plugins compute
 * what the hand-written ones of the catalogue do, in double and through their float kernels. */
#include "check.h"

#include "bad_plugins/build.h"
#include "plugin/formula/expr.h"
#include <hillock/hillock.h>

/* ---- Errors ---------------------------------------------------------------------------------- */

static char *made(const char *expression, const parameter *parameters, int n, formula_notes *notes,
                  formula_error *error)
{
    return formula_to_c(
        &(formula_request){
            .name = "some", .formula = expression, .parameters = parameters, .n_parameters = n},
        notes, error);
}

static void wrong_formulas_are_told_by_column(void)
{
    static const struct {
        const char *text;
        int column;
        const char *sentence;
    } cases[] = {
        {"", 1, "expected a number, a name or \"(\", found the end"},
        {"x +", 4, "found the end"},
        {"x*tahn(x)", 3, "unknown name \"tahn\"; did you mean"},
        {"2x", 2, "expected an operator, such as *, found \"x\""},
        {"tanh x", 6, "expected \"(\" and the argument of tanh, found \"x\""},
        {"(x + 1", 7, "expected an operator or \")\", found the end"},
        {"x)", 2, "expected an operator or the end, found \")\""},
        {"max(x; 1)", 6, "expected \",\" or \")\", found \";\""},
        {"tanh(x, 1)", 7, "expected an operator or \")\", found \",\""},
        {"x > 0 ? x", 10, "expected an operator or the \":\" of \"?\""},
        {"x ** 2", 4, "expected a number, a name or \"(\", found \"*\""},
        {"1e400 * x", 1, "a number that a float can hold"},
        {".", 1, "a number that a float can hold"},
        {"x + \xc3\xa9", 5, "a character that is not ASCII"},
        {"y", 1, "unknown name \"y\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        formula_notes notes;
        formula_error error;
        char *text = made(cases[i].text, NULL, 0, &notes, &error);
        CHECK(!text && error.text);
        CHECK_EQUAL(error.column, cases[i].column);
        CHECK_CONTAINS(error.sentence, cases[i].sentence);
        free(text);
    }
}

static void limits_end_in_a_sentence(void)
{
    formula_notes notes;
    formula_error error;
    char deep[FORMULA_LENGTH + 8] = "";
    memset(deep, '(', 300);
    CHECK(!made(deep, NULL, 0, &notes, &error));
    CHECK_CONTAINS(error.sentence, "nested more than");
    memset(deep, '-', FORMULA_LENGTH);
    CHECK(!made(deep, NULL, 0, &notes, &error));
    CHECK_CONTAINS(error.sentence, "nested more than");
    memset(deep, 'x', sizeof deep - 1);
    CHECK(!made(deep, NULL, 0, &notes, &error));
    CHECK_CONTAINS(error.sentence, "at most 5000 characters");
    const parameter unused = {.name = "b", .value = 1};
    CHECK(!made("x", &unused, 1, &notes, &error));
    CHECK_CONTAINS(error.sentence, "\"b\" does not occur");
    char large[FORMULA_LENGTH + 1] = "x";
    for (int i = 0; i < 60; i++)
        strcat(large, "*sin(x+.1)^.3");
    free(made(large, NULL, 0, &notes, &error)); /* done or too large, and no harm */
    CHECK(!error.text);
}

/* Any bytes are a formula or an error with a place in the text. */
static void noise_is_parsed(void)
{
    static const char *const words[] = {"x",     "1",    "+", "-",    "*",    "/",  "^",
                                        "(",     ")",    "?", ":",    "<",    ">=", "exp(",
                                        "tanh(", "max(", ",", "abs(", "log(", " "};
    uint32_t state = 1;
    int good = 0;
    for (int round = 0; round < 3000; round++) {
        char text[256] = "";
        for (int i = 0; i <= round % 9; i++) {
            state = state * 1664525 + 1013904223;
            strcat(text, words[(state >> 16) % 20]);
        }
        formula_notes notes;
        formula_error error;
        char *c = made(text, NULL, 0, &notes, &error);
        good += c != NULL;
        if (!c && error.text && !(error.column >= 1 && error.column <= (int)strlen(text) + 1))
            CHECK_TEXT(text, "has a column");
        free(c);
    }
    CHECK(good > 0);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static void has(const char *expression, const parameter *parameters, int n, const char *part)
{
    formula_notes notes;
    formula_error error;
    char *text = made(expression, parameters, n, &notes, &error);
    CHECK_CONTAINS(text, part);
    for (int i = 0; i < notes.n; i++) {
        const char *place = strstr(notes.sentences[i], "at x = ");
        if (!place || fabs(strtod(place + 7, NULL)) < 1e6) /* squares overflow far out */
            CHECK_TEXT(notes.sentences[i], "no note");
    }
    free(text);
}

static void texts_are_those_of_a_person(void)
{
    const parameter beta = {.name = "beta", .value = 1, .learned = true};
    const parameter two[] = {{.name = "a", .value = 1, .low = 0.1, .high = 2},
                             {.name = "b", .value = 1}};
    has("tanh(x)", NULL, 0, "HK_SLOPE(return (1 - a.y) * (1 + a.y);)");
    has("tanh(x)", NULL, 0, "HK_READS_Y");
    has("1/(1+exp(-x))", NULL, 0, "HK_SLOPE(return a.y * (1 - a.y);)");
    has("log(1+exp(x))", NULL, 0, "HK_VALUE(return hks_softplus(a.x);)");
    has("max(0,x)", NULL, 0, "HK_VALUE(return hks_max(0, a.x);)");
    has("x > 0 ? x : exp(x)-1", NULL, 0, "HK_VALUE(return a.x > 0 ? a.x : hks_expm1(a.x);)");
    has("x>0?x:0", NULL, 0, "HK_VALUE(return a.x <= 0 ? 0 : a.x;)"); /* NaN comes through */
    has("x * tanh(log(1 + exp(x)))", NULL, 0, "const real u = e * (e + 2);");
    has("x*tanh(exp(x))", NULL, 0, "hks_exp(hks_min(20, a.x))");
    has("x*tanh(exp(x))", NULL, 0, ".summary = \"x * tanh(exp(x))\"");
    has("1e-3*x - -x", NULL, 0, ".summary = \"1e-3 * x - -x\"");
    has("x - exp(800)", NULL, 0, "return a.x - (real)INFINITY;");
    has("x/3 + 1/3", NULL, 0, "a.x / 3 + (real)0.3333333333333333;");
    has("x*sigmoid(beta*x)", &beta, 1, ".role = HK_LEARNED");
    has("x*sigmoid(beta*x)", &beta, 1, "x * sigmoid(beta * x), beta learned");
    has("a*tanh(x*b)", two, 2, "enum { A, B };");
    has("a*tanh(x*b)", two, 2, ".low = 0.1, .high = 2}");
}

/* What has a form without overflow or cancellation gets it. */
static void forms_are_stable(void)
{
    const char *tanh_of_x = "HK_SLOPE(return hks_tanh(a.x);)";
    has("log((exp(x) + exp(-x))/2)", NULL, 0, "size + hks_log1p(hks_expm1(-2 * size) / 2);");
    has("log((exp(x) + exp(-x))/2)", NULL, 0, tanh_of_x);
    has("log(0.5*(exp(-x) + exp(x)))", NULL, 0, tanh_of_x);
    has("x + sin(2*x)/2", NULL, 0, "hks_sin(hks_max((real)-1e30, hks_min((real)1e30, 2 * a.x)))");
    has("x + sin(x)/2", NULL, 0, "return a.x + hks_sin(a.x) / 2;");
}

/* An exponential ends where the function around it has its last value, whatever stands beside it. */
static void exponentials_end_late_enough(void)
{
    const parameter learned = {.name = "a", .value = 1, .learned = true};
    const parameter least = {.name = "a", .value = 1, .low = 0.5, .high = 2};
    has("x*tanh(0.000000001*exp(x))", NULL, 0, "hks_min(41, a.x)");
    has("x*tanh(a*exp(x))", &least, 1, "hks_min(20, a.x)");
    has("x*tanh(a*exp(x))", &learned, 1, "hks_min(80, a.x)");
    has("x*tanh(exp(x)*exp(2*x))", NULL, 0, "hks_min(20, 3 * a.x)");
}

/* What is y already is not computed again; but only where that holds for every parameter. */
static void slopes_use_the_value(void)
{
    const parameter any = {.name = "a", .value = 1}, least = {.name = "a", .value = 1, .high = 9};
    const char *elu = "x > 0 ? x : a*(exp(x) - 1)", *leaky = "x > 0 ? x : a*x";
    has(elu, &least, 1, "HK_SLOPE(return a.y > 0 ? 1 : a.y + a.p[0];)");
    has(elu, &any, 1, "HK_SLOPE(return a.x > 0 ? 1 : a.y + a.p[0];)");
    has(elu, &any, 1, "HK_READS_X | HK_READS_Y");
    has(leaky, &least, 1, "HK_SLOPE(return a.y > 0 ? 1 : a.p[0];)");
    has(leaky, &any, 1, "HK_SLOPE(return a.x > 0 ? 1 : a.p[0];)");
    has("x/(1 + abs(x))", NULL, 0, "const real u = 1 - hks_abs(a.y);");
    has("(x + sqrt(x^2 + 4))/2", NULL, 0, "HK_SLOPE(return a.y / (a.y - (a.x - a.y));)");
    has("-log(1 + exp(-x))", NULL, 0, "HK_SLOPE(return -hks_expm1(a.y);)");
    has("exp(-x^2)", NULL, 0, "HK_SLOPE(return -2 * (a.y * a.x);)");
    has("x/sqrt(1 + x^2)", NULL, 0, "return u * u * u;");
    has("x*log(1 + sigmoid(x))", NULL, 0, "return hks_log1p_unit(s) + a.x");
    has("2 < max(1, x) ? 5 : x", NULL, 0, "HK_VALUE(return a.x > 2 ? 5 : a.x;)");
    has("max(2, x) < 2 ? 5 : x", NULL, 0,
        "HK_VALUE(return hks_max(2, a.x) < 2 ? 5 : a.x;)"); /* never */
    has("x*min(6, max(0, x + 3))/6", NULL, 0, "(u > 6 ? 0 : u <= 0 ? 0 : a.x)) / 6;");
}

static void doubts_are_told(void)
{
    formula_notes notes;
    formula_error error;
    char *text = made("x*log(-1)", NULL, 0, &notes, &error);
    CHECK_EQUAL(notes.n, 1);
    CHECK_CONTAINS(text, "HK_SLOPE(return (real)NAN;)"); /* it compiles all the same */
    free(text);
    free(made("log(x)", NULL, 0, &notes, &error));
    CHECK_EQUAL(notes.n, 1);
    CHECK_CONTAINS(notes.sentences[0], "the value is not a number at x = ");
    free(formula_to_c(&(formula_request){.name = "some", .formula = "x^2", .derivative = "3*x"},
                      &notes, &error));
    CHECK_EQUAL(notes.n, 1);
    CHECK_CONTAINS(notes.sentences[0], "--derivative is not the derivative of --formula");
    free(formula_to_c(
        &(formula_request){.name = "some", .formula = "tanh(x)", .derivative = "1-y*y"}, &notes,
        &error));
    CHECK_EQUAL(notes.n, 0);
    CHECK(!formula_to_c(&(formula_request){.name = "some", .formula = "x", .derivative = "1 +"},
                        &notes, &error));
    CHECK_EQUAL(error.column, 4);
}

/* Slopes where a rule of calculus has no number, or another one. */
static void slopes_hold_at_the_edges(void)
{
    const parameter b = {.name = "b", .value = 1, .low = 0, .high = 10};
    has("sign(x)*log(1+abs(x))", NULL, 0, "HK_SLOPE(return 1 / (1 + hks_abs(a.x));)");
    has("max(x, 0)^1.3", NULL, 0, "hks_exp((real)0.30000000000000004 * hks_log(hks_max(0, a.x)))");
    has("x*tanh(softplus(x))", NULL, 0, "HK_SLOPE(const real x = hks_min(32, a.x);");
    has("(x + sqrt(x^2 + 4*b))/2", &b, 1, "a.y / hks_max((real)1e-19, a.y - (a.x - a.y))");
}

static void told(const char *expression, const parameter *parameters, int n, const char *sentence)
{
    formula_notes notes;
    formula_error error;
    char *text = made(expression, parameters, n, &notes, &error);
    CHECK_CONTAINS(text ? notes.sentences[0] : error.sentence, sentence);
    free(text);
}

/* What is written is proven against the formula in extended precision, and doubts are notes. */
static void differences_are_told(void)
{
    const parameter any = {.name = "a", .value = 1}, learned = {"a", 1, 0, 0, true};
    const parameter ranged = {.name = "a", .value = 1, .low = 0, .high = 10};
    const char *softplus = "log(1 + exp(a*x))/a";
    told("x == 0 ? 1 : sin(x)/x", NULL, 0, "float has not enough digits there");
    told("1e-50*x + x", NULL, 0, "1e-50 is less than a float can hold");
    told("3", NULL, 0, "x does not occur");
    told(softplus, &any, 1, "not a number at x = 8, with a = 0; --param a=DEFAULT:LOW:HIGH");
    told(softplus, &learned, 1, "with a = 0, which learning may come to");
    told(softplus, &ranged, 1, "with a = 0, which its range 0:10 allows; expected a range");
}

static void surrogates_stand_beside_slopes(void)
{
    formula_notes notes;
    formula_error error;
    formula_request wanted = {.name = "some", .formula = "sign(x)", .surrogate = "abs(x) < 1"};
    char *text = formula_to_c(&wanted, &notes, &error);
    CHECK_CONTAINS(text, "HK_SLOPE(return a.surrogate ? (hks_abs(a.x) < 1 ? 1 : 0) : 0;)");
    CHECK_CONTAINS(text, "(some, HK_READS_X | HK_SURROGATE,");
    free(text);
    wanted.surrogate = "abs(x";
    CHECK(!formula_to_c(&wanted, &notes, &error));
    CHECK_EQUAL(error.column, 6);
}

/* ---- The catalogue once more, from its formulas ---------------------------------------------- */

typedef struct twin {
    const char *name, *formula;
    parameter parameters[3];
} twin;

#define LEARNED(text, start)                                                                       \
    {                                                                                              \
        .name = text, .value = start, .learned = true                                              \
    }
#define FIXED(text, start)                                                                         \
    {                                                                                              \
        .name = text, .value = start                                                               \
    }
static const twin twins[] = {
    {"relu", "max(0, x)", {{.name = ""}}},
    {"leaky_relu", "x > 0 ? x : slope*x", {FIXED("slope", 0.01)}},
    {"prelu", "x > 0 ? x : slope*x", {LEARNED("slope", 0.25)}},
    {"squared_relu", "max(0, x)^2", {{.name = ""}}},
    {"nlrelu", "log(1 + beta*max(0, x))", {FIXED("beta", 1)}},
    {"hardswish", "x*min(6, max(0, x + 3))/6", {{.name = ""}}},
    {"sqnl", "x > 2 ? 1 : x < -2 ? -1 : x - x*abs(x)/4", {{.name = ""}}},
    {"elu", "x > 0 ? x : alpha*(exp(x) - 1)", {FIXED("alpha", 1)}},
    {"celu", "max(0, x) + min(0, alpha*(exp(x/alpha) - 1))", {FIXED("alpha", 1)}},
    {"mpelu", "x > 0 ? x : alpha*(exp(beta*x) - 1)", {LEARNED("alpha", 1), LEARNED("beta", 1)}},
    {"isru", "x/sqrt(1 + alpha*x^2)", {FIXED("alpha", 1)}},
    {"elish", "x >= 0 ? x*sigmoid(x) : (exp(x) - 1)/(1 + exp(-x))", {{.name = ""}}},
    {"sigmoid", "1/(1 + exp(-x))", {{.name = ""}}},
    {"logsigmoid", "log(1/(1 + exp(-x)))", {{.name = ""}}},
    {"tanh", "(exp(x) - exp(-x))/(exp(x) + exp(-x))", {{.name = ""}}},
    {"lecun_tanh", "1.7159*tanh(2*x/3)", {{.name = ""}}},
    {"penalized_tanh", "x > 0 ? tanh(x) : slope*tanh(x)", {FIXED("slope", 0.25)}},
    {"softsign", "x/(1 + abs(x))", {{.name = ""}}},
    {"arctan", "atan(x)", {{.name = ""}}},
    {"tanhshrink", "x - tanh(x)", {{.name = ""}}},
    {"erf", "erf(x)", {{.name = ""}}},
    {"softplus", "log(1 + exp(beta*x))/beta", {FIXED("beta", 1)}},
    {"squareplus", "(x + sqrt(x^2 + b))/2", {FIXED("b", 4)}},
    {"bent_identity", "(sqrt(x^2 + 1) - 1)/2 + x", {{.name = ""}}},
    {"gaussian", "exp(-x^2)", {{.name = ""}}},
    {"silu", "x/(1 + exp(-x))", {{.name = ""}}},
    {"swish", "x*sigmoid(beta*x)", {LEARNED("beta", 1)}},
    {"gelu", "x*(1 + erf(x/sqrt(2)))/2", {{.name = ""}}},
    {"gelu_tanh", "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))", {{.name = ""}}},
    {"quick_gelu", "x*sigmoid(1.702*x)", {{.name = ""}}},
    {"mish", "x*tanh(log(1 + exp(x)))", {{.name = ""}}},
    {"tanhexp", "x*tanh(exp(x))", {{.name = ""}}},
    {"serf", "x*erf(log(1 + exp(x)))", {{.name = ""}}},
    {"erfact", "x*erf(a*exp(b*x))", {LEARNED("a", 0.75), LEARNED("b", 0.75)}},
    {"logish", "x*log(1 + sigmoid(x))", {{.name = ""}}},
    {"smish", "x*tanh(log(1 + sigmoid(x)))", {{.name = ""}}},
    {"golu", "x*exp(-exp(-x))", {{.name = ""}}},
    {"colu", "x/(1 - x*exp(-(x + exp(x))))", {{.name = ""}}},
    {"lisht", "x*tanh(x)", {{.name = ""}}},
    {"gcu", "x*cos(x)", {{.name = ""}}},
    {"snake", "x + sin(a*x)^2/a", {LEARNED("a", 1)}},
};
enum { TWINS = sizeof twins / sizeof *twins };

static bool write_twin(const twin *it)
{
    char name[64], file[80];
    int n = 0;
    formula_notes notes;
    formula_error error;
    while (n < 3 && it->parameters[n].name[0])
        n++;
    snprintf(name, sizeof name, "my_%s", it->name);
    snprintf(file, sizeof file, "%s.c", name);
    char *text = formula_to_c(
        &(formula_request){
            .name = name, .formula = it->formula, .parameters = it->parameters, .n_parameters = n},
        &notes, &error);
    FILE *to = text ? fopen(path_of(file), "w") : NULL;
    for (int i = 0; i < notes.n; i++) /* squares of what is large, and parameters without a range */
        CHECK(strstr(notes.sentences[i], "e+19") || strstr(notes.sentences[i], "is not a number"));
    bool done = to && fputs(text, to) >= 0;
    done = to && fclose(to) == 0 && done;
    free(text);
    return done;
}

static void twins_compile(void)
{
    char command[2048];
    const char *compiler = getenv("CC");
    for (int i = 0; i < TWINS; i++)
        CHECK(write_twin(&twins[i]));
    snprintf(command, sizeof command,
             "cd '%s' && ls my_*.c | sed 's/..$//' | xargs -P 2 -I{} %s -std=c11 -O1 -Wall -Wextra "
             "-Wconversion -Wdouble-promotion -Werror -fPIC -shared -I'%s' -o {}.so {}.c -lm",
             built_in, compiler ? compiler : "cc", HILLOCK_INCLUDE_DIR);
    CHECK(system(command) == 0);
}

/* Points that miss the kinks, and some far out. */
enum { POINTS = 2000 };
static double place(int i)
{
    return i < POINTS - 8 ? (i - POINTS / 2 + 0.377) / 97
                          : (i % 2 ? 1 : -1) * pow(10, 1 + (POINTS - i) / 2);
}

static void differ(const char *name, const char *what, double x, double is, double should,
                   double tolerance)
{
    if ((isnan(is) && isnan(should)) || fabs(is - should) <= tolerance)
        return;
    printf("%s: %s at %.9g: ", name, what, x);
    CHECK_NEAR(is, should, tolerance);
}

/* What the references of both say, with parameters and slots as they start. */
static void compare_references(const hk_plugin *mine, const hk_plugin *theirs)
{
    double p[2][HK_MAX_PARAMS] = {{0}}, t[2][HK_MAX_SLOTS] = {{0}};
    const hk_plugin *const both[2] = {mine, theirs};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; both[k]->params && both[k]->params[i].name; i++)
            p[k][i] = both[k]->params[i].value;
        for (int i = 0; both[k]->slots && both[k]->slots[i].name; i++)
            t[k][i] = both[k]->slots[i].value;
    }
    for (int i = 0; i < POINTS; i++) {
        hk_scalar64 a[2];
        double value[2], slope[2];
        for (int k = 0; k < 2; k++) {
            a[k] = (hk_scalar64){.x = place(i), .p = p[k], .t = t[k]};
            a[k].y = value[k] = both[k]->activation->value(&a[k]);
            slope[k] = both[k]->activation->slope(&a[k]);
        }
        differ(theirs->name, "value", place(i), value[0], value[1], 1e-12 + 1e-9 * fabs(value[1]));
        differ(theirs->name, "slope", place(i), slope[0], slope[1], 1e-11 + 1e-11 * fabs(slope[1]));
        for (int s = 0; mine->slots && mine->slots[s].name && fabs(place(i)) < 12; s++)
            differ(theirs->name, "gradient", place(i), mine->activation->gradient(&a[0], s),
                   theirs->activation->gradient(&a[1], s),
                   1e-11 + 1e-11 * fabs(theirs->activation->gradient(&a[1], s)));
    }
}

static void compare_kernels(const hk_plugin *mine, const hk_plugin *theirs)
{
    static float x[POINTS], y[2][POINTS], slope[2][POINTS];
    for (int i = 0; i < POINTS; i++)
        x[i] = (float)place(i);
    CHECK(hk_curve(mine->name, POINTS, x, y[0], slope[0]) == HK_OK);
    CHECK(hk_curve(theirs->name, POINTS, x, y[1], slope[1]) == HK_OK);
    for (int i = 0; i < POINTS; i++) {
        double value = (double)y[1][i], change = (double)slope[1][i];
        differ(theirs->name, "float value", place(i), (double)y[0][i], value,
               2e-7 + 1e-6 * fabs(value));
        differ(theirs->name, "float slope", place(i), (double)slope[0][i], change,
               1e-6 + 2e-6 * fabs(change));
    }
}

static void twins_agree_with_the_catalogue(void)
{
    for (int i = 0; i < TWINS; i++) {
        char file[80];
        const hk_plugin *mine = NULL, *theirs = NULL;
        snprintf(file, sizeof file, "my_%s.so", twins[i].name);
        CHECK(hk_plugin_load(path_of(file)) == HK_OK);
        file[strlen(file) - 3] = '\0';
        CHECK(hk_plugin_find(HK_ACTIVATION, file, &mine) == HK_OK);
        CHECK(hk_plugin_find(HK_ACTIVATION, twins[i].name, &theirs) == HK_OK);
        if (!mine || !theirs)
            continue;
        compare_references(mine, theirs);
        compare_kernels(mine, theirs);
    }
}

/* ---- Of plugins ------------------------------------------------------------------------------ */

static void count_declared(const hk_plugin_info *info, void *user)
{
    int *const n = user;
    formula_error error = {0};
    const hk_plugin *plugin = info->plugin;
    if (!plugin->activation->value)
        return;
    n[0]++;
    declared *d = plugin->formula ? formula_declared(plugin, &error) : NULL;
    if (!d)
        printf("%s: %s\n", plugin->name, plugin->formula ? error.sentence : "no formula");
    n[1] += d != NULL;
    free(d);
}

/* That each is right is proven by hillock check. */
static void every_elementwise_activation_has_a_formula(void)
{
    int n[2] = {0};
    CHECK_EQUAL(hk_plugin_each(HK_ACTIVATION, count_declared, NULL, n), HK_OK);
    CHECK(n[0] >= 78);
    CHECK_EQUAL(n[1], n[0]);
}

int main(void)
{
    setenv("HILLOCK_PLUGIN_PATH", HILLOCK_PLUGIN_DIR, 1);
    RUN(wrong_formulas_are_told_by_column);
    RUN(limits_end_in_a_sentence);
    RUN(noise_is_parsed);
    RUN(texts_are_those_of_a_person);
    RUN(forms_are_stable);
    RUN(exponentials_end_late_enough);
    RUN(slopes_use_the_value);
    RUN(doubts_are_told);
    RUN(slopes_hold_at_the_edges);
    RUN(differences_are_told);
    RUN(surrogates_stand_beside_slopes);
    if (!begin_builds())
        return 1;
    RUN(twins_compile);
    RUN(twins_agree_with_the_catalogue);
    RUN(every_elementwise_activation_has_a_formula);
    end_builds();
    return check_result();
}
