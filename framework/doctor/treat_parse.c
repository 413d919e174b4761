/* Treatments by name: "reset:to=elu,bias:q=0.2,every=2". */
#include "doctor/treat.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TO                                                                                         \
    {                                                                                              \
        .name = "to", .type = HKI_TEXT                                                             \
    }
#define EVERY HKI_WHOLE("every", 0, 1, 1e6)

static const hki_choice methods[HKI_TREATMENT_COUNT] = {
    [HKI_RESET] = {"reset", {TO, EVERY}},
    [HKI_LGB_RELU] = {"lgb_relu", {EVERY}},
    [HKI_SURROGATE] = {"surrogate", {TO, HKI_WHOLE("epochs", 1, 1, 1e6), EVERY}},
    [HKI_REDO] = {"redo", {EVERY}},
    [HKI_BIAS] = {"bias", {HKI_REAL("q", 0.1, 0.001, 0.999, 0), EVERY}},
    [HKI_CONTINUAL] = {"continual",
                       {HKI_REAL("rate", 1e-4, 0, 1, 0), HKI_REAL("decay", 0.99, 0, 0.999999, 0),
                        HKI_WHOLE("maturity", 100, 0, 1e9)}},
};

/* What dead channels are swapped to; NULL: they keep their activation. */
static const char *const usual_activation[HKI_TREATMENT_COUNT] = {
    [HKI_RESET] = "leaky_relu",
    [HKI_LGB_RELU] = "lgb_relu",
    [HKI_SURROGATE] = "relu_bsilu",
};

static hk_status parse_method(const char *spec, hki_treatments *out)
{
    double values[HK_MAX_PARAMS];
    int kind = hki_spec_choice("treatment", spec, methods, HKI_TREATMENT_COUNT, values);
    if (kind < 0)
        return hk_last_status();
    if (out->n == HKI_MAX_METHODS)
        return hki_fail(HK_BAD_ARGUMENT, "at most %d treatments at once", HKI_MAX_METHODS);
    const hk_param *params = methods[kind].params;
    double epochs = hki_spec_value(params, values, "epochs");
    double every = hki_spec_value(params, values, "every");
    double to =
        hki_spec_value(params, values, "to"); /* where it stands in the spec; 0: not there */
    hki_method *method = &out->methods[out->n++];
    *method = (hki_method){.kind = (hki_treatment_kind)kind,
                           .name = methods[kind].name,
                           .q = hki_spec_value(params, values, "q"),
                           .rate = hki_spec_value(params, values, "rate"),
                           .decay = hki_spec_value(params, values, "decay"),
                           .maturity = hki_spec_value(params, values, "maturity"),
                           .epochs = epochs > 0 ? epochs : (double)INFINITY};
    if (every > 0)
        out->every = (int64_t)every;
    const char *activation = to > 0 ? spec + (size_t)to : usual_activation[kind];
    if (!activation)
        return HK_OK;
    char text[HKI_MAX_SPEC];
    snprintf(text, sizeof text, "%.*s", (int)strcspn(activation, ","), activation);
    return hki_use_parse(HK_ACTIVATION, text, &method->to);
}

hk_status hki_treatments_parse(const char *spec, hki_treatments *out)
{
    char **specs;
    size_t n;
    *out = (hki_treatments){0};
    if (!spec || !*spec)
        return parse_method("", out); /* whose message lists the methods */
    hk_status status = hk_spec_list(0, spec, &specs, &n);
    for (size_t i = 0; i < n && !status; i++)
        status = parse_method(specs[i], out);
    hk_spec_list_free(specs, n);
    for (int i = 0; i < out->n && !status; i++)
        if (out->methods[i].kind == HKI_CONTINUAL && out->n > 1)
            status = hki_fail(HK_BAD_ARGUMENT, "treatments \"%s\": continual goes by itself", spec);
    return status;
}
