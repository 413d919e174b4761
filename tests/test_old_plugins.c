/* Plugin files of before the contract, version 0: whatever they were built for, they are told to be rebuilt.
 * Those of 1.0 are kept in contract/, and load. */
#include <hillock/hillock.h>
#include "bad_plugins/build.h"
#include "check.h"
#include "core/base.h"

enum { MINORS = 5 };

static const char *build_old(int minor)
{
    char name[32], arguments[32];
    snprintf(name, sizeof name, "scaled_%d", minor);
    snprintf(arguments, sizeof arguments, "-DMINOR=%d", minor);
    return build(name, "../old_plugins/scaled.c", arguments);
}

static void older_versions_are_refused(void)
{
    const hk_plugin *relu; /* what is linked in is registered once, at the first question */
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "relu", &relu), HK_OK);
    for (int minor = 1; minor <= MINORS; minor++) {
        char sentence[160];
        const char *path = build_old(minor);
        size_t live = hki_live_blocks();
        CHECK_EQUAL(hk_plugin_load(path), HK_BAD_PLUGIN);
        snprintf(
            sentence, sizeof sentence,
            "\"%s\": is built for plugin ABI 0.%d, this hillock has ABI %d.%d; rebuild it with "
            "the plugin.h of this version (P07)",
            path, minor, HK_ABI_MAJOR, HK_ABI_MINOR);
        CHECK_CONTAINS(hk_message(), sentence);
        CHECK_EQUAL(hki_live_blocks(), live);
    }
}

int main(void)
{
    if (!begin_builds()) {
        printf("no directory for built files\n");
        return 1;
    }
    RUN(older_versions_are_refused);
    end_builds();
    return check_result();
}
