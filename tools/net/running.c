/* What runs in a net, where a model has activations of its own. */
#include "net/network.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

const char *net_spec_end(const char *at)
{
    do
        at = strpbrk(at + 1, "+~");
    while (at && *at == '+' && !(at[1] >= 'a' && at[1] <= 'z'));
    return at;
}

typedef struct running {
    const char *asked;
    FILE *others;   /* "+conv2=prelu": layers that run something else */
    char only[512]; /* what all layers run, as long as it is one */
    int layers, departures;
} running;

/* Whether the spec gives the layer this activation: "relu+conv2=mish" gives conv2 mish. */
static bool is_asked(const char *asked, const char *layer, const char *activation)
{
    char named[256];
    snprintf(named, sizeof named, "+%s=", layer);
    const char *own = strstr(asked, named), *begin = own ? own + strlen(named) : asked;
    const char *end = net_spec_end(begin);
    const size_t length = end ? (size_t)(end - begin) : strlen(begin);
    return strlen(activation) == length && memcmp(activation, begin, length) == 0;
}

static void look_at_layer(const hk_layer_info *layer, void *user)
{
    running *it = user;
    if (!layer->activation)
        return;
    if (!it->layers++)
        snprintf(it->only, sizeof it->only, "%s", layer->activation);
    if (strcmp(it->only, layer->activation) != 0)
        *it->only = '\0';
    if (!is_asked(it->asked, layer->name, layer->activation)) {
        it->departures++;
        fprintf(it->others, "+%s=%s", layer->name, layer->activation);
    }
}

char *net_running_activation(const hk_net *net)
{
    char *text = NULL;
    running it = {.asked = hk_net_activation(net), .others = tool_memory_stream(&text, NULL)};
    fputs(it.asked, it.others);
    hk_net_each_layer(net, look_at_layer, &it);
    fclose(it.others);
    if (!it.layers || it.departures < it.layers || !*it.only)
        return text;
    free(text);
    return strdup(it.only);
}
