/* Specs of plugins; the first byte says of what. Whatever is accepted has a canonical form, which
 * is accepted and says the same. Paths are left out: they load code. */
#include "fuzz.h"

#include <hillock/hillock.h>
#include "plugin/registry.h"

static void use(hk_kind kind, const char *spec)
{
    hki_use one, again;
    if (hki_use_parse(kind, spec, &one) != HK_OK)
        return;
    char *said = hki_use_spec(&one);
    REQUIRE(said && hki_use_parse(kind, said, &again) == HK_OK);
    REQUIRE(one.plugin == again.plugin && !memcmp(one.params, again.params, sizeof one.params));
    hki_free(said);
}

static void activation(const char *text)
{
    use(HK_ACTIVATION, text);
}

static void normalization(const char *text)
{
    use(HK_NORMALIZATION, text);
}

static void initializer(const char *text)
{
    use(HK_INITIALIZER, text);
}

static void list(const char *text)
{
    char **items;
    size_t count;
    if (hk_spec_list(HK_ACTIVATION, text, &items, &count) != HK_OK)
        return;
    for (size_t i = 0; i < count; i++)
        use(HK_ACTIVATION, items[i]);
    hk_spec_list_free(items, count);
}

/* "relu+conv2=prelu", "relu~elu": layers of their own, and channels that were swapped. */
static void choose(const char *text)
{
    hk_net *net = hk_net_new(.activation = text), *again = NULL;
    if (net) {
        again = hk_net_new(.activation = hk_net_activation(net));
        REQUIRE(again && !strcmp(hk_net_activation(net), hk_net_activation(again)));
    }
    hk_net_free(net);
    hk_net_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fuzz_use *const texts[] = {activation, normalization, initializer, list, choose};
    fuzz_one_of(texts, sizeof texts / sizeof *texts, data, size);
    return 0;
}
