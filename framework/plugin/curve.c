/* The curve of an activation through its own float kernels, as a network would see it. */
#include "plugin/loader.h"

enum { TILE = 1024 };

/* What the kernels may write beside y and dx. */
typedef struct buffers {
    float *aux, *sums;
    float *gradients[HK_MAX_SLOTS];
    float ones[TILE];
    float slot_gradients[HK_MAX_SLOTS][HK_MAX_FIXED];
} buffers;

static hk_status check_curve(const hki_use *use, const hki_probe *probe)
{
    const hk_activation *act = use->plugin->activation;
    if (act->traits & HK_ROWWISE)
        return hki_fail(HK_BAD_ARGUMENT, "curve: \"%s\" depends on a whole row, it has no curve",
                        use->plugin->name);
    if (act->channels_out && act->channels_out(&probe->context, 1) != 1)
        return hki_fail(HK_BAD_ARGUMENT,
                        "curve: \"%s\" changes the number of channels, it has no curve",
                        use->plugin->name);
    return HK_OK;
}

static buffers *buffers_new(const hk_plugin *plugin)
{
    const hk_activation *act = plugin->activation;
    size_t aux;
    if (!hki_mul(act->aux_floats, TILE, &aux) || !hki_add(aux, act->n_sums, &aux))
        return hki_fail_null(HK_NO_MEMORY, "out of memory: \"%s\" keeps too much a row",
                             plugin->name);
    buffers *made = hki_alloc(sizeof *made);
    float *block = made ? hki_alloc_array(aux, sizeof *block) : NULL;
    if (!block) {
        hki_free(made);
        return NULL;
    }
    made->aux = block;
    made->sums = block + (size_t)act->aux_floats * TILE;
    for (int i = 0; i < TILE; i++)
        made->ones[i] = 1;
    for (int i = 0; i < hki_slot_count(plugin); i++)
        if (plugin->slots[i].role == HK_LEARNED)
            made->gradients[i] = made->slot_gradients[i];
    return made;
}

/* One tile; with dy = 1 the backward kernel's dx is the slope. */
static void run_tile(const hki_use *use, const hki_probe *probe, buffers *room, hk_tile tile,
                     float *slope)
{
    const hk_activation *act = use->plugin->activation;
    const float *x = tile.x;
    tile.aux = act->aux_floats ? room->aux : NULL;
    tile.sums = act->n_sums ? room->sums : NULL;
    hki_forward(use->plugin)(&probe->context, &tile);
    if (!slope)
        return;
    tile.x = act->reads & HK_READS_X ? x : NULL;
    tile.y = act->reads & HK_READS_Y ? tile.y : NULL;
    tile.sums = NULL;
    tile.dy = room->ones;
    tile.dx = slope;
    tile.dslots = room->gradients;
    hki_backward(use->plugin)(&probe->context, &tile);
}

hk_status hk_curve(const char *spec, int64_t n, const float *x, float *y, float *slope)
{
    hki_use use;
    hki_probe probe;
    if (hki_null(spec, x, y))
        return HK_BAD_ARGUMENT;
    if (n < 0)
        return hki_fail(HK_BAD_ARGUMENT, "hk_curve: n is %lld, expected at least 0", (long long)n);
    hk_status status = hki_use_parse(HK_ACTIVATION, spec, &use);
    if (status != HK_OK)
        return status;
    hki_probe_start(&use, n, &probe);
    status = check_curve(&use, &probe);
    if (status != HK_OK)
        return status;
    buffers *room = buffers_new(use.plugin);
    if (!room)
        return HK_NO_MEMORY;
    for (int64_t first = 0; first < n; first += TILE) {
        hk_tile tile = {.rows = n - first < TILE ? n - first : TILE,
                        .first_row = first,
                        .x = x + first,
                        .y = y + first};
        run_tile(&use, &probe, room, tile, slope ? slope + first : NULL);
    }
    hki_free(room->aux);
    hki_free(room);
    return HK_OK;
}
