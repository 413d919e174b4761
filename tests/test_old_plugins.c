/* Plugin files of the past. As long as the ABI is at major version 0, only a file of the very same
 * minor version is loaded, and the others are told to be rebuilt. On the day it is frozen, older
 * versions load, too: then loads() below changes with the loader, and old_plugins/ stays. */
#include <hillock/hillock.h>
#include "bad_plugins/build.h"
#include "check.h"
#include "core/base.h"

static const int minors[] = {1, 2, 3, 4, 5};
enum { MINORS = sizeof minors / sizeof *minors };

static bool loads(int minor)
{
    return minor == HK_ABI_MINOR;
}

static const char *build_old(int minor)
{
    char name[32], arguments[32];
    snprintf(name, sizeof name, "scaled_%d", minor);
    snprintf(arguments, sizeof arguments, "-DMINOR=%d", minor);
    return build(name, "../old_plugins/scaled.c", arguments);
}

/* A change of the ABI adds its layout to old_plugins/scaled.c, and a number to `minors`. */
static void the_newest_version_is_among_them(void)
{
    CHECK_EQUAL(HK_ABI_MAJOR, 0);
    CHECK_EQUAL(minors[MINORS - 1], HK_ABI_MINOR);
}

static void older_versions_are_refused(void)
{
    for (int i = 0; i < MINORS; i++) {
        char sentence[160];
        if (loads(minors[i]))
            continue;
        const char *path = build_old(minors[i]);
        size_t live = hki_live_blocks();
        CHECK_EQUAL(hk_plugin_load(path), HK_BAD_PLUGIN);
        snprintf(sentence, sizeof sentence,
                 "\"%s\": is built for plugin ABI 0.%d, this hillock has ABI 0.%d; rebuild it with "
                 "the plugin.h of this version (P07)",
                 path, minors[i], HK_ABI_MINOR);
        CHECK_CONTAINS(hk_message(), sentence);
        CHECK_EQUAL(hki_live_blocks(), live);
    }
}

static void check_use(const char *spec, double factor)
{
    hk_net *net = hk_net_new(.activation = spec);
    hk_tensor *x = hk_input(net, 3), *y = hk_act(x), *loss = hk_sum(y, HK_ALL_AXES);
    hk_plan_options options = {
        .batch = 2, .loss = loss, .n_keep = 2, .keep = (hk_tensor *[]){x, y}};
    hk_plan *plan = NULL;
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    for (int i = 0; plan && i < 6; i++)
        hk_plan_value(plan, x)[i] = (float)i - 2;
    if (plan) {
        CHECK(hk_plan_forward(plan, 2) == HK_OK && hk_plan_backward(plan) == HK_OK);
        for (int i = 0; i < 6; i++) {
            CHECK_NEAR(hk_plan_value(plan, y)[i], factor * (i - 2), 0);
            CHECK_NEAR(hk_plan_gradient(plan, x)[i], factor, 0);
        }
    }
    hk_plan_free(plan);
    hk_net_free(net);
}

static void what_loads_works(void)
{
    for (int i = 0; i < MINORS; i++) {
        char spec[600];
        const char *path = build_old(minors[i]);
        CHECK(path != NULL);
        if (!path || !loads(minors[i]))
            continue;
        CHECK_EQUAL(hk_plugin_load(path), HK_OK);
        snprintf(spec, sizeof spec, "%s:factor=-1.5", path);
        check_use("scaled", 2);
        check_use(spec, -1.5);
    }
}

int main(void)
{
    if (!begin_builds()) {
        printf("no directory for built files\n");
        return 1;
    }
    RUN(the_newest_version_is_among_them);
    RUN(older_versions_are_refused);
    RUN(what_loads_works);
    end_builds();
    return check_result();
}
