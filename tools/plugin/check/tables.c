/* Tests of every kind of plugin: what its tables say, whom its names meet, whether its parameters'
 * ranges and its slots' starts hold. */
#include "plugin/check/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <hillock/hillock.h>
#include <hillock/kernel.h>

static void require_text(const char *what, const char *of, const char *text)
{
    if (!text || !*text)
        check_fail("%s%s%s has no %s", of ? "\"" : "", of ? of : "the plugin", of ? "\"" : "",
                   what);
    else if (text[strcspn(text, "\n\r\t")])
        check_fail("the %s \"%s\" is not one line", what, text);
}

void check_test_tables(const subject *s)
{
    require_text("summary", NULL, s->plugin->summary);
    require_text("source", NULL, s->plugin->source);
    for (const hk_param *p = s->plugin->params; p && p->name; p++)
        require_text("doc", p->name, p->doc);
    for (const hk_slot *p = s->plugin->slots; p && p->name; p++)
        require_text("doc", p->name, p->doc);
    const char *tags = s->plugin->tags;
    if (tags && (!*tags || tags[strspn(tags, "abcdefghijklmnopqrstuvwxyz0123456789_,")] ||
                 strstr(tags, ",,") || tags[0] == ',' || tags[strlen(tags) - 1] == ','))
        check_fail("the tags \"%s\" are not of the form core,gated", tags);
}

static void ignore_plugin(const hk_plugin_info *info, void *user)
{
    (void)info, (void)user;
}

/* Reasons of files that lost a name to the one under test, which was loaded first. The same plugin
 * in another place only warns. */
static void note_conflict(const char *file, const char *reason, void *user)
{
    const subject *s = user;
    char *own = realpath(s->file, NULL), named[80];
    const char *taken = strstr(reason, "already comes from ");
    if (own && taken && strncmp(taken + 19, own, strlen(own)) == 0) {
        snprintf(named, sizeof named, "\"%s\" already", s->plugin->name);
        if (strstr(reason, named))
            check_warn("%s has a plugin of this name too", file);
        else
            check_fail("an alias is taken: %s", reason);
    }
    free(own);
}

void check_test_names(const subject *s)
{
    if (hk_plugin_each((hk_kind)0, ignore_plugin, note_conflict, (void *)s) != HK_OK)
        check_warn("%s", hk_message());
    check_remember_state(); /* what others did at their loading is not this plugin's doing */
}

/* Results may only be infinite where the double reference is beyond float as well, and finite. */
static void require_finite(const use *u, const pass *p, const char *name, const float *values,
                           int64_t n)
{
    const hk_activation *act = u->plugin->activation;
    double t[HK_MAX_SLOTS] = {0};
    for (int k = 0; k < u->n_slots; k++)
        t[k] = (double)u->slots[k][0];
    for (int64_t i = 0; i < n; i++) {
        bool allowed = isfinite(values[i]);
        if (isinf(values[i]) && act && act->value) {
            hk_scalar64 a = {.x = (double)p->x[i % p->in], .p = u->params, .t = t, .u = 0.5};
            a.y = act->value(&a);
            const double slope = act->slope(&a);
            allowed = isfinite(a.y) && isfinite(slope) &&
                      (fabs(a.y) > (double)FLT_MAX || fabs(slope) > (double)FLT_MAX);
        }
        if (!allowed)
            check_fail("%s: %s is %g for x = %.9g; its range allows these parameters",
                       check_spec_text(u), name, (double)values[i], (double)p->x[i % p->in]);
    }
}

static use *use_with(const subject *s, int64_t rows, int64_t channels, const double *params)
{
    use *u = check_use_new(s->plugin, rows, channels);
    memcpy(u->params, params, sizeof u->params);
    check_use_start(u);
    return u;
}

static void run_setting(const subject *s, const double *params, uint32_t training)
{
    use *u = use_with(s, 12, 12, params);
    u->context.training = training;
    u->context.rows_per_sample = 6;
    if (s->plugin->activation && !check_use_channels_out(u))
        return;
    pass *p = check_pass_new(u, 2);
    check_host_run(u, HK_BASELINE, p);
    require_finite(u, p, "y", p->y, p->out);
    require_finite(u, p, "dx", p->dx, p->in);
    for (int i = 0; i < u->n_slots; i++)
        if (p->dslots[i])
            require_finite(u, p, u->plugin->slots[i].name, p->dslots[i], u->lengths[i]);
}

static void try_setting(const subject *s, const double *params)
{
    const int mark = check_arrays_mark();
    if (s->plugin->model) {
        check_setting_of_model(s, params);
    } else if (s->plugin->initializer) {
        const filled f = check_host_fill(s->plugin, check_host_weight(12, 8), params);
        const use *u = use_with(s, 1, 1, params);
        for (int64_t i = 0; !f.refusal && i < 96; i++)
            if (!isfinite(f.weight.w[i]))
                check_fail("%s: w[%lld] is %g; its range allows these parameters",
                           check_spec_text(u), (long long)i, (double)f.weight.w[i]);
    } else {
        run_setting(s, params, 0);
        run_setting(s, params, 1);
    }
    check_arrays_release(mark);
}

void check_test_parameters(const subject *s)
{
    check_each_setting(s, try_setting);
}

static void start_setting(const subject *s, const double *params)
{
    const int mark = check_arrays_mark();
    use *u = use_with(s, 9, 6, params), *again = use_with(s, 9, 6, params);
    for (int i = 0; i < u->n_slots; i++) {
        const hk_slot *slot = &s->plugin->slots[i];
        for (int64_t j = 0; j < u->lengths[i]; j++) {
            const double value = (double)u->slots[i][j];
            if (!isfinite(value) || (slot->low < slot->high && (value < (double)(float)slot->low ||
                                                                value > (double)(float)slot->high)))
                check_fail("%s: slot %s starts at %g, outside [%g, %g]", check_spec_text(u),
                           slot->name, value, slot->low, slot->high);
        }
        if (check_first_difference(u->slots[i], again->slots[i], u->lengths[i]) >= 0)
            check_fail("%s: slot %s starts differently the second time", check_spec_text(u),
                       slot->name);
    }
    check_arrays_release(mark);
}

void check_test_start(const subject *s)
{
    if (!s->plugin->slots || !s->plugin->slots[0].name)
        check_skip("no slots");
    else
        check_each_setting(s, start_setting);
}
