/* A host of a later contract, 1.1, in which hk_plugin and hk_activation have a field more: built by contract.sh
 * from changed headers. Loads a file and says what it sees; the new fields of a file of 1.0 are 0. */
#include <hillock/registry.h>
#include <stdio.h>

#include "core/base.h"

static void describe(const hk_plugin_info *info, void *unused)
{
    const hk_plugin *plugin = info->plugin;
    (void)unused;
    printf("%s of %d.%d, credits %s", plugin->name, info->major, info->minor,
           plugin->credits ? plugin->credits : "none");
    if (plugin->activation)
        printf(", temperature %g", plugin->activation->temperature);
    printf("\n");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (hk_plugin_each_of(argv[i], describe, NULL, NULL) != HK_OK)
            printf("refused: %s\n", hk_message());
    float x[3] = {-1, 0, 2}, y[3], slope[3];
    if (hk_curve("halving", 3, x, y, slope) != HK_OK)
        printf("no curve: %s\n", hk_message());
    else
        printf("curve %g %g %g\n", (double)y[0], (double)y[1], (double)y[2]);
    return 0;
}
