/* Specs: read, written, listed; and what a parsed activation is worth: its gain and its curve. */
#include "plugin/loader.h"

#include <hillock/data.h>
#include <locale.h>
#include "check.h"
#include "bad_plugins/build.h"

static char half_path[512];

/* ---- Reading --------------------------------------------------------------------------------- */

static void defaults_stand(void)
{
    hki_use use;
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, half_path, &use), HK_OK);
    CHECK_TEXT(use.plugin->name, "half");
    CHECK_NEAR(use.params[0], 0, 0);
    CHECK_NEAR(use.params[1], 3, 0);
    CHECK_NEAR(use.params[2], 1, 0);
    CHECK_NEAR(use.params[3], 0.1, 0);
    CHECK_NEAR(use.params[5], 0, 0);
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, "half", &use), HK_OK);
}

static void values_are_read(void)
{
    hki_use use;
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, "half:over=all,shift=.25,steps=64,any=-1e3", &use),
                HK_OK);
    CHECK_NEAR(use.params[0], 0.25, 0);
    CHECK_NEAR(use.params[1], 64, 0);
    CHECK_NEAR(use.params[2], 2, 0);
    CHECK_NEAR(use.params[3], -1000, 0);
    char spec[600];
    snprintf(spec, sizeof spec, "%s:shift=0.5", half_path);
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, spec, &use), HK_OK);
    CHECK_NEAR(use.params[0], 0.5, 0);
}

static void wrong_values_are_told(void)
{
    static const struct {
        const char *spec, *sentence;
        hk_status status;
    } cases[] = {
        {"half:x=1", "\"half\" has no parameter \"x\"; known: shift, steps, over, any, extra",
         HK_UNKNOWN_NAME},
        {"half:shift=1", "activation \"half:shift=1\": shift=1 is outside [0, 1)", HK_BAD_ARGUMENT},
        {"half:shift=-0.1", "shift=-0.1 is outside [0, 1)", HK_BAD_ARGUMENT},
        {"half:steps=65", "steps=65 is outside [1, 64]", HK_BAD_ARGUMENT},
        {"half:steps=2.5", "steps=2.5 is not a whole number", HK_BAD_ARGUMENT},
        {"half:over=none", "over=none is none of sample|channels|all", HK_BAD_ARGUMENT},
        {"half:over=sampl", "over=sampl is none of", HK_BAD_ARGUMENT},
        {"half:shift=nan", "shift=nan is not a number", HK_BAD_ARGUMENT},
        {"half:any=1e999", "any=1e999 is not a number", HK_BAD_ARGUMENT},
        {"half:shift=0,shift=0", "shift is given twice", HK_BAD_ARGUMENT},
        {"half:", "\"\" is not key=value", HK_BAD_ARGUMENT},
        {"half:shift", "\"shift\" is not key=value", HK_BAD_ARGUMENT},
        {"half:shift=", "is not key=value", HK_BAD_ARGUMENT},
        {"half:shift=0,", "is not key=value", HK_BAD_ARGUMENT},
        {"half:=1", "is not key=value", HK_BAD_ARGUMENT},
        {"half:a,b=1", "\"a\" is not key=value", HK_BAD_ARGUMENT},
        {"", "activation: the spec is empty", HK_BAD_ARGUMENT},
        {":a=1", "the name has 0 bytes", HK_BAD_ARGUMENT},
        {"haff", "did you mean \"half\"?", HK_UNKNOWN_NAME},
        {"hyff", "did you mean \"half\"?", HK_UNKNOWN_NAME},
        {"hyfe", "no activation named \"hyfe\"; known:", HK_UNKNOWN_NAME}, /* one letter in four */
        {"/no/such/file.so:a=1", "plugin \"/no/such/file.so\": not found", HK_BAD_PLUGIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hki_use use;
        CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, cases[i].spec, &use), cases[i].status);
        CHECK_CONTAINS(hk_message(), cases[i].sentence);
        CHECK(use.plugin == NULL);
    }
}

static void other_kinds_are_told(void)
{
    hki_use use;
    CHECK_EQUAL(hki_use_parse(HK_INITIALIZER, "half", &use), HK_BAD_ARGUMENT);
    CHECK_TEXT(hk_message(), "\"half\" is an activation, an initializer is wanted here");
    CHECK_EQUAL(hki_use_parse(HK_NORMALIZATION, half_path, &use), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "\"half\" is an activation, a normalization is wanted here");
}

static void long_specs_are_refused(void)
{
    hki_use use;
    char spec[HKI_MAX_SPEC + 8];
    memset(spec, 'a', sizeof spec - 1);
    spec[sizeof spec - 1] = '\0';
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, spec, &use), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "the name has 4103 bytes, 1 to 4095 are possible");
    spec[HKI_MAX_SPEC - 1] = '\0';
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, spec, &use), HK_UNKNOWN_NAME);
    memcpy(spec, "half:", 5);
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, spec, &use), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "is not key=value");
}

static void ranges_read_as_mathematics(void)
{
    char text[HKI_RANGE_SIZE];
    hk_param param = {.low = 0, .high = 64, .flags = HK_LOW_OPEN};
    CHECK_TEXT(hki_range_text(&param, text), "(0, 64]");
    param = (hk_param){.low = -0.5, .high = HUGE_VAL};
    CHECK_TEXT(hki_range_text(&param, text), "[-0.5, inf)");
    param = (hk_param){.low = 0, .high = 0};
    CHECK_TEXT(hki_range_text(&param, text), "(-inf, inf)");
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void check_canonical(const char *spec, const char *expected)
{
    hki_use use, again;
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, spec, &use), HK_OK);
    char *text = hki_use_spec(&use);
    CHECK_TEXT(text, expected);
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, text, &again), HK_OK);
    CHECK(memcmp(&use, &again, sizeof use) == 0);
    hki_free(text);
}

static void canonical_specs(void)
{
    check_canonical("half:any=20", "half:any=20"); /* as people write it, not 2e+01 */
    check_canonical("half:any=2e1", "half:any=20");
    check_canonical("half:any=0.02", "half:any=0.02");
    check_canonical("half", "half");
    check_canonical("half:over=channels,any=0.1", "half");
    check_canonical("half:over=sample,steps=7", "half:steps=7,over=sample");
    check_canonical("half:any=0.3", "half:any=0.3");
    check_canonical("half:any=1e-300", "half:any=1e-300");
}

/* Makes a locale with a decimal comma, from the descriptions of the package "locales". */
static bool use_decimal_comma(const char *folder)
{
    char command[256];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/log 2>&1",
             folder, folder);
    return system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 &&
           setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

/* A spec that the data set itself writes. */
static void check_data_spec(const char *folder)
{
    char path[64], spec[96];
    hk_data *data;
    snprintf(path, sizeof path, "%s/table.csv", folder);
    FILE *file = fopen(path, "w");
    CHECK(file && fputs("1,0\n2,1\n3,0\n4,1\n", file) >= 0 && fclose(file) == 0);
    snprintf(spec, sizeof spec, "csv:%s,test=0.5", path);
    CHECK_EQUAL(hk_data_open(spec, &data, NULL), HK_OK);
    if (data)
        CHECK_TEXT(hk_data_spec(data), spec);
    hk_data_free(data);
}

static void locales_do_not_matter(void)
{
    char folder[] = "/tmp/hillock-XXXXXX", command[64], half[8];
    CHECK(mkdtemp(folder) != NULL);
    bool made = use_decimal_comma(folder);
    if (made) {
        snprintf(half, sizeof half, "%.1f", 0.5);
        CHECK_TEXT(half, "0,5"); /* or this test would prove nothing */
        check_canonical("half:any=0.3", "half:any=0.3");
        check_data_spec(folder);
    }
    setlocale(LC_ALL, "C");
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK_EQUAL(system(command), 0);
    if (!made)
        SKIP("no locale with a decimal comma can be made: the package locales is missing");
}

/* ---- Lists ----------------------------------------------------------------------------------- */

/* `expected`: the items, separated by blanks. */
static void check_list(const char *text, const char *expected)
{
    char joined[512] = "", **list;
    size_t count;
    CHECK_EQUAL(hk_spec_list(HK_ACTIVATION, text, &list, &count), HK_OK);
    for (size_t i = 0, used = 0; i < count; i++)
        used +=
            (size_t)snprintf(joined + used, sizeof joined - used, "%s%s", i ? " " : "", list[i]);
    CHECK_TEXT(joined, expected);
    hk_spec_list_free(list, count);
}

static void lists_of_specs(void)
{
    size_t live = hki_live_blocks();
    check_list("relu", "relu");
    check_list("relu,lgb:k=4,rate=0.01,mish", "relu lgb:k=4,rate=0.01 mish");
    check_list("lgb,k=4,rate=1e+5,t=2,mish", "lgb:k=4,rate=1e+5,t=2 mish");
    check_list("relu+conv2=prelu:start=0.1,high=2,mish", "relu+conv2=prelu:start=0.1,high=2 mish");
    check_list("relu:a=1+conv2=prelu,start=3", "relu:a=1+conv2=prelu:start=3");
    check_list("mish,relu+conv2=prelu,elu", "mish relu+conv2=prelu elu");
    check_list("relu,./a=b.so,k=1,/x/y.so:k=2", "relu ./a=b.so:k=1 /x/y.so:k=2");
    check_list("relu,./@core.so", "relu ./@core.so");
    CHECK_EQUAL(hki_live_blocks(), live);
}

/* Three files have tags of their own. */
static void sets_in_lists(void)
{
    setenv("HILLOCK_PLUGIN_PATH", built_in, 1);
    CHECK(build("tagged_b", "half.c", "-DNAME='\"tagged_b\"' -DFAULT=',.tags=\"odd,test_set\"'"));
    CHECK(build("tagged_a", "half.c", "-DNAME='\"tagged_a\"' -DFAULT=',.tags=\"test_set\"'"));
    CHECK(build("tagged_c", "half.c", "-DNAME='\"tagged_c\"' -DFAULT=',.tags=\"test_setting\"'"));
    check_list("@test_set", "tagged_a tagged_b");
    size_t live = hki_live_blocks(), count;
    check_list("@odd,half:steps=4,shift=0", "tagged_b half:steps=4,shift=0");
    check_list("tagged_b,@test_set,@odd", "tagged_b tagged_a");
    check_list("tagged_b:shift=0.5,@odd", "tagged_b:shift=0.5 tagged_b");
    char **tags, all[2048] = ",";
    CHECK_EQUAL(hk_plugin_tags(HK_ACTIVATION, &tags, &count), HK_OK);
    for (size_t i = 0; i < count; i++) {
        CHECK(i == 0 || strcmp(tags[i - 1], tags[i]) < 0);
        strcat(strcat(all, tags[i]), ",");
    }
    CHECK_CONTAINS(all, ",odd,");
    CHECK_CONTAINS(all, ",test_set,test_setting,");
    hk_spec_list_free(tags, count);
    CHECK_EQUAL(hki_live_blocks(), live);
    const hk_plugin *plugin;
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "tagged_b", &plugin), HK_OK);
    CHECK(hk_plugin_has_tag(plugin, "odd") && !hk_plugin_has_tag(plugin, "test_setting") &&
          !hk_plugin_has_tag(plugin, "") && !hk_plugin_has_tag(NULL, "odd"));
}

static void wrong_lists(void)
{
    static const struct {
        const char *text, *sentence;
        hk_status status;
    } cases[] = {
        {"", "a list of specs is empty", HK_BAD_ARGUMENT},
        {NULL, "a list of specs is empty", HK_BAD_ARGUMENT},
        {"relu,", "has an empty item", HK_BAD_ARGUMENT},
        {",relu", "has an empty item", HK_BAD_ARGUMENT},
        {"relu,,mish", "has an empty item", HK_BAD_ARGUMENT},
        {"k=4,relu", "\"k=4\" follows no name; write name:k=4", HK_BAD_ARGUMENT},
        {"@odd,shift=0", "\"shift=0\" follows the set \"@odd\"", HK_BAD_ARGUMENT},
        {"half,@tset_set", "no activation is in a set \"@tset_set\"; did you mean \"@test_set\"?",
         HK_UNKNOWN_NAME},
        {"@", "no activation is in a set \"@\"; known: ", HK_UNKNOWN_NAME},
    };
    size_t live = hki_live_blocks();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char **list;
        size_t count = 1;
        CHECK_EQUAL(hk_spec_list(HK_ACTIVATION, cases[i].text, &list, &count), cases[i].status);
        CHECK_CONTAINS(hk_message(), cases[i].sentence);
        CHECK(list == NULL && count == 0);
    }
    char **list;
    size_t count;
    CHECK_EQUAL(hk_spec_list(0, "lenet5,@odd", &list, &count), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "\"@odd\" is a set of plugins, none is wanted here");
    CHECK_EQUAL(hki_live_blocks(), live);
}

/* ---- Any spec -------------------------------------------------------------------------------- */

static const struct {
    const char *form;
    hk_param params[5];
} dishes[] = {
    {"soup",
     {HKI_WHOLE("salt", 2, 0, 9),
      HKI_REAL("heat", 0.5, 0, 1, HK_HIGH_OPEN),
      {.name = "kind", .type = HK_CHOICE, .value = 1, .choices = "pea|leek"},
      {.name = "with", .type = HKI_TEXT}}},
    {"bread:FLOUR", {{0}}},
};

static hk_status order(const char *spec, size_t begin, double *values)
{
    int row = hki_spec_row("dish", spec, dishes, 2, sizeof *dishes);
    return row < 0
               ? hk_last_status()
               : hki_spec_values("dish", dishes[row].form, spec, begin, dishes[row].params, values);
}

static void tables_read_other_specs(void)
{
    double values[4];
    const char *spec = "soup:with=a=b,salt=3";
    CHECK_EQUAL(order("soup", 4, values), HK_OK);
    CHECK(values[0] == 2 && values[1] == 0.5 && values[2] == 1 && values[3] == 0);
    CHECK_EQUAL(order(spec, 4, values), HK_OK);
    CHECK(values[0] == 3 && !strncmp(spec + (size_t)values[3], "a=b,", 4));
    CHECK_NEAR(hki_spec_value(dishes[0].params, values, "heat"), 0.5, 0);
    CHECK_NEAR(hki_spec_value(dishes[0].params, values, "pepper"), 0, 0);
    CHECK_EQUAL(order("bread:rye", 9, values), HK_OK);
    CHECK_EQUAL(order("bread:rye,salt=1", 9, values), HK_UNKNOWN_NAME);
    CHECK_TEXT(hk_message(),
               "dish \"bread:rye,salt=1\": \"bread:FLOUR\" has no parameter \"salt\"; "
               "known: none");
    CHECK_EQUAL(order("soup:salt=10", 4, values), HK_BAD_ARGUMENT);
    CHECK_TEXT(hk_message(), "dish \"soup:salt=10\": salt=10 is outside [0, 9]");
    CHECK_EQUAL(order("bred", 4, values), HK_UNKNOWN_NAME);
    CHECK_TEXT(hk_message(), "no dish named \"bred\"; did you mean \"bread:FLOUR\"? known: soup, "
                             "bread:FLOUR");
    CHECK_EQUAL(order(NULL, 0, values), HK_UNKNOWN_NAME);
    CHECK_TEXT(hk_message(), "no dish named \"\"; known: soup, bread:FLOUR");
}

static void tables_write_other_specs(void)
{
    const double values[] = {7, 0.1, 0, 0};
    char *exact = hki_spec_text("soup", dishes[0].params, values, 17, NULL);
    char *brief = hki_spec_text("soup:hot", dishes[0].params, values, 0, NULL);
    CHECK_TEXT(exact, "soup:salt=7,heat=0.10000000000000001,kind=pea");
    CHECK_TEXT(brief, "soup:hot,salt=7,heat=0.1,kind=pea");
    hki_free(exact);
    hki_free(brief);
}

/* ---- Gains ----------------------------------------------------------------------------------- */

static double f_relu(const hk_scalar64 *at)
{
    return at->x > 0 ? at->x : 0;
}
static double f_relu6(const hk_scalar64 *at)
{
    return fmin(fmax(at->x, 0), 6);
}
static double f_tanh(const hk_scalar64 *at)
{
    return tanh(at->x);
}
static double f_sigmoid(const hk_scalar64 *at)
{
    return 1 / (1 + exp(-at->x));
}
static double f_hardshrink(const hk_scalar64 *at)
{
    return fabs(at->x) > 0.5 ? at->x : 0;
}
static double f_hardtanh(const hk_scalar64 *at)
{
    return fmin(fmax(at->x, -1), 1);
}
static double f_square(const hk_scalar64 *at)
{
    return at->x > 0 ? at->x * at->x : 0;
}
static double f_selu(const hk_scalar64 *at)
{
    const double scale = 1.0507009873554805, alpha = 1.6732632423543772;
    return scale * (at->x > 0 ? at->x : alpha * expm1(at->x));
}
static double f_gelu(const hk_scalar64 *at)
{
    return at->x / 2 * erfc(-at->x * 0.7071067811865476);
}
static double f_prelu(const hk_scalar64 *at)
{
    return at->x > 0 ? at->x : at->t[0] * at->x;
}
static double f_nothing(const hk_scalar64 *at)
{
    return 0 * at->x;
}

static const hk_slot slope_slot[] = {
    {.name = "slope", .role = HK_LEARNED, .extent = HK_PER_CHANNEL, .value = 0.25}, {0}};

static double gain_of(double (*value)(const hk_scalar64 *), const hk_slot *slots)
{
    hk_activation activation = {.value = value};
    hk_plugin plugin = {.kind = HK_ACTIVATION, .activation = &activation, .slots = slots};
    hki_use use = {.plugin = &plugin};
    return hki_gain(&use);
}

/* Closed forms, and published-precision values of E[f(z)^2] for z ~ N(0,1). */
static void gains(void)
{
    CHECK_NEAR(gain_of(f_relu, NULL), sqrt(2), 1e-9);
    CHECK_NEAR(gain_of(f_relu6, NULL), sqrt(2), 1e-6);
    CHECK_NEAR(gain_of(f_square, NULL), sqrt(2.0 / 3), 1e-9);
    CHECK_NEAR(gain_of(f_prelu, slope_slot), 1 / sqrt((1 + 0.0625) / 2), 1e-9);
    CHECK_NEAR(gain_of(f_selu, NULL), 1, 1e-6);
    CHECK_NEAR(gain_of(f_tanh, NULL), 1.59254, 5e-6);
    CHECK_NEAR(gain_of(f_sigmoid, NULL), 1.84623, 5e-6);
    CHECK_NEAR(gain_of(f_gelu, NULL), 1.53353, 5e-6);
    CHECK_NEAR(gain_of(f_hardtanh, NULL), 1.39204, 5e-6);
    CHECK_NEAR(gain_of(f_hardshrink, NULL), 1.01580, 5e-6);
    CHECK_NEAR(gain_of(f_nothing, NULL), 1, 0);
    CHECK_NEAR(gain_of(NULL, NULL), 1, 0);
}

static void gain_of_a_loaded_plugin(void)
{
    hki_use use;
    CHECK_EQUAL(hki_use_parse(HK_ACTIVATION, "half:shift=0.5", &use), HK_OK);
    CHECK_NEAR(hki_gain(&use), 1 / sqrt(0.25 + 0.25), 1e-9); /* E (z/2 + 1/2)^2 */
}

/* ---- Slots and curves ------------------------------------------------------------------------ */

static void slot_lengths(void)
{
    CHECK_EQUAL(hki_slot_length(&(hk_slot){.extent = HK_PER_CHANNEL}, 5, 7), 7);
    CHECK_EQUAL(hki_slot_length(&(hk_slot){.extent = HK_PER_ROW}, 5, 7), 5);
    CHECK_EQUAL(hki_slot_length(&(hk_slot){.extent = HK_SHARED}, 5, 7), 1);
    CHECK_EQUAL(hki_slot_length(&(hk_slot){.extent = HK_FIXED, .count = 9}, 5, 7), 9);
}

static void curves(void)
{
    enum { N = 2500 }; /* more than two tiles */
    static float x[N], y[N], slope[N];
    size_t live = hki_live_blocks();
    for (int i = 0; i < N; i++)
        x[i] = (float)(i - N / 2) / 8;
    CHECK_EQUAL(hk_curve("half:shift=0.25", N, x, y, slope), HK_OK);
    int wrong = 0;
    for (int i = 0; i < N; i++)
        wrong += y[i] != x[i] / 2 + 0.25f || slope[i] != 0.5f;
    CHECK_EQUAL(wrong, 0);
    CHECK_EQUAL(hk_curve("half", 3, x, y, NULL), HK_OK);
    CHECK_NEAR(y[2], x[2] / 2, 0);
    CHECK_EQUAL(hk_curve("half", 0, x, y, NULL), HK_OK);
    CHECK_EQUAL(hk_curve("half", -1, x, y, NULL), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_curve("half", 3, NULL, y, NULL), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_curve("hafl", 3, x, y, NULL), HK_UNKNOWN_NAME);
    CHECK_EQUAL(hki_live_blocks(), live);
}

static void some_have_no_curve(void)
{
    float x = 1, y;
    CHECK_EQUAL(
        hk_plugin_load(build("rows", "half.c", "-DNAME='\"rows\"' -DACT=',.traits=HK_ROWWISE'")),
        HK_OK);
    CHECK_EQUAL(hk_curve("rows", 1, &x, &y, NULL), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "\"rows\" depends on a whole row");
    CHECK_EQUAL(hk_plugin_load(build("wider", "half.c",
                                     "-DNAME='\"wider\"' -DWIDER -DACT=',.channels_out=wider'")),
                HK_OK);
    CHECK_EQUAL(hk_curve("wider", 1, &x, &y, NULL), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "\"wider\" changes the number of channels");
}

/* ---- Refused memory -------------------------------------------------------------------------- */

static int allowed;

static void *counted_allocate(void *user, size_t bytes)
{
    (void)user;
    return allowed-- > 0 ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
}

static void counted_release(void *user, void *block)
{
    (void)user;
    free(block);
}

static hk_status parse_and_write(void)
{
    hki_use use;
    hk_status status = hki_use_parse(HK_ACTIVATION, path_of("late.so:shift=0.5"), &use);
    char *text = status == HK_OK ? hki_use_spec(&use) : NULL;
    hki_free(text);
    return status == HK_OK && !text ? HK_NO_MEMORY : status;
}

static hk_status make_list(void)
{
    char **list;
    size_t count;
    hk_status status = hk_spec_list(HK_ACTIVATION, "relu,lgb:k=4,rate=0.01,@odd", &list, &count);
    hk_spec_list_free(list, count);
    return status;
}

static hk_status make_curve(void)
{
    float x = 1, y, slope;
    return hk_curve("half", 1, &x, &y, &slope);
}

static void refused_memory_is_a_status(void)
{
    static hk_status (*const operations[])(void) = {parse_and_write, make_list, make_curve};
    const hk_allocator counted = {counted_allocate, counted_release, NULL};
    CHECK(build("late", "half.c", "-DNAME='\"late\"'") != NULL);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        hk_status status = HK_NO_MEMORY;
        int refusals = 0;
        for (; status == HK_NO_MEMORY && refusals < 100; refusals++) {
            /* Loading is not undone when a later step fails: it is the first of the refusals. */
            const hk_plugin *loaded = hki_registry_lookup(HK_ACTIVATION, "late", false);
            size_t live = hki_live_blocks();
            hk_set_allocator(&counted);
            allowed = refusals;
            status = operations[i]();
            hk_set_allocator(NULL);
            if (loaded == hki_registry_lookup(HK_ACTIVATION, "late", false))
                CHECK_EQUAL(hki_live_blocks(), live);
        }
        CHECK_EQUAL(status, HK_OK);
        CHECK(refusals > 2);
    }
}

int main(void)
{
    if (!begin_builds())
        return 1;
    setenv("XDG_DATA_HOME", built_in, 1);
    unsetenv("HILLOCK_PLUGIN_PATH");
    const char *path = build("half", "half.c", "");
    snprintf(half_path, sizeof half_path, "%s", path ? path : "");
    RUN(defaults_stand);
    RUN(values_are_read);
    RUN(wrong_values_are_told);
    RUN(other_kinds_are_told);
    RUN(long_specs_are_refused);
    RUN(ranges_read_as_mathematics);
    RUN(canonical_specs);
    RUN(locales_do_not_matter);
    RUN(lists_of_specs);
    RUN(sets_in_lists);
    RUN(wrong_lists);
    RUN(tables_read_other_specs);
    RUN(tables_write_other_specs);
    RUN(gains);
    RUN(gain_of_a_loaded_plugin);
    RUN(slot_lengths);
    RUN(curves);
    RUN(some_have_no_curve);
    RUN(refused_memory_is_a_status);
    end_builds();
    return check_result();
}
