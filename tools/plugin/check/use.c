/* A plugin in use: what the framework would keep for one layer, and calls of its kernels. */
#include "plugin/check/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <hillock/kernel.h>

const char *const check_isa_names[HK_ISA_COUNT] = HK_ISA_NAMES;

/* ---- Parameters and slots -------------------------------------------------------------------- */

void check_use_start(use *u)
{
    for (int i = 0; i < u->n_slots; i++)
        for (int64_t j = 0; j < u->lengths[i]; j++)
            u->slots[i][j] = (float)u->plugin->slots[i].value;
    check_begin_call("start", -1, u->context.rows, u->context.channels);
    if (u->plugin->start)
        u->plugin->start(&u->context);
    check_end_call();
}

use *check_use_new(const hk_plugin *plugin, int64_t rows, int64_t channels)
{
    use *u = (use *)(void *)check_guarded_doubles("the context", (int64_t)(sizeof *u / 8 + 1));
    *u = (use){.plugin = plugin};
    for (int i = 0; plugin->params && plugin->params[i].name; i++)
        u->params[i] = plugin->params[i].value;
    u->context = (hk_context){.rows = rows,
                              .channels = channels,
                              .rows_per_sample = rows,
                              .key = 11,
                              .params = u->params,
                              .slots = u->slots};
    for (; plugin->slots && plugin->slots[u->n_slots].name; u->n_slots++) {
        const hk_slot *slot = &plugin->slots[u->n_slots];
        u->lengths[u->n_slots] = slot->extent == HK_PER_CHANNEL ? channels
                                 : slot->extent == HK_PER_ROW   ? rows
                                 : slot->extent == HK_FIXED     ? (int64_t)slot->count
                                                                : 1;
        u->slots[u->n_slots] = check_guarded(slot->name, u->lengths[u->n_slots]);
    }
    check_use_start(u);
    return u;
}

void check_slots_at(const use *u, int64_t channel, double *t)
{
    for (int k = 0; k < u->n_slots; k++)
        t[k] = (double)u->slots[k][u->plugin->slots[k].extent == HK_PER_CHANNEL ? channel : 0];
}

void check_clamp_slots(const use *u)
{
    for (int i = 0; i < u->n_slots; i++) {
        const hk_slot *slot = &u->plugin->slots[i];
        for (int64_t j = 0; slot->low < slot->high && j < u->lengths[i]; j++)
            u->slots[i][j] = fminf((float)slot->high, fmaxf((float)slot->low, u->slots[i][j]));
    }
}

const char *check_spec_text(const use *u)
{
    static char text[512];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", u->plugin->name);
    const hk_param *params = u->plugin->params;
    for (int i = 0; params && params[i].name && used < sizeof text; i++)
        if (u->params[i] != params[i].value)
            used += (size_t)snprintf(text + used, sizeof text - used, "%c%s=%.9g",
                                     strchr(text, ':') ? ',' : ':', params[i].name, u->params[i]);
    return text;
}

const char *check_case_text(const use *u, int isa)
{
    static char text[600];
    snprintf(text, sizeof text, "%s, %s, %lld x %lld", check_spec_text(u), check_isa_names[isa],
             (long long)u->context.rows, (long long)u->context.channels);
    return text;
}

/* ---- Matrices -------------------------------------------------------------------------------- */

void check_fill_normal(float *x, int64_t n, uint64_t key, float scale)
{
    float z[4] = {0};
    for (int64_t i = 0; i < n; i++) {
        if (i % 4 == 0 && scale != 0)
            hks_normal_block(key, (uint64_t)i / 4, z);
        x[i] = scale * z[i % 4];
    }
}

float *check_filled(const char *name, int64_t n, float value)
{
    float *x = check_guarded(name, n);
    for (int64_t i = 0; i < n; i++)
        x[i] = value;
    return x;
}

int64_t check_use_channels_out(const use *u)
{
    const hk_activation *act = u->plugin->activation;
    if (!act || !act->channels_out)
        return u->context.channels;
    /* when a net is built there are no rows yet, no slots and no key */
    const hk_context context = {.channels = u->context.channels, .params = u->params};
    check_begin_call("channels_out", -1, u->context.rows, u->context.channels);
    int64_t out = act->channels_out(&context, u->context.channels);
    check_end_call();
    return out;
}

static int64_t aux_floats(const use *u)
{
    return u->plugin->activation ? u->plugin->activation->aux_floats
                                 : u->plugin->normalization->aux_floats;
}

static pass *new_pass(const use *u)
{
    const hk_activation *act = u->plugin->activation;
    const int64_t rows = u->context.rows, channels = u->context.channels;
    pass *p = check_unguarded("the pass", sizeof *p);
    *p = (pass){.in = rows * channels, .out = rows * check_use_channels_out(u)};
    p->x = check_guarded("x", p->in);
    p->dy = check_guarded("dy", p->out);
    p->y = check_filled("y", p->out, NAN);
    p->dx = check_filled("dx", p->in, NAN);
    p->terms = check_filled("terms", p->in, 0);
    p->aux = aux_floats(u) ? check_filled("aux", rows * aux_floats(u), NAN) : NULL;
    p->sums = act && act->n_sums ? check_filled("sums", act->n_sums * channels, 0) : NULL;
    for (int i = 0; i < u->n_slots; i++)
        if (u->plugin->slots[i].role == HK_LEARNED)
            p->dslots[i] = check_filled("dslots", u->lengths[i], 1);
    return p;
}

pass *check_pass_new(const use *u, float scale)
{
    pass *p = new_pass(u);
    check_fill_normal(p->x, p->in, 1, scale);
    check_fill_normal(p->dy, p->out, 2, 1);
    return p;
}

pass *check_pass_copy(const use *u, const pass *from)
{
    pass *p = new_pass(u);
    memcpy(p->x, from->x, (size_t)p->in * sizeof *p->x);
    memcpy(p->dy, from->dy, (size_t)p->out * sizeof *p->dy);
    return p;
}

/* ---- Kernels --------------------------------------------------------------------------------- */

bool check_machine_has(int isa)
{
    return (const bool[HK_ISA_COUNT])HK_ISA_PRESENT[isa];
}

hk_block *check_kernel_of(const hk_plugin *plugin, int isa, bool back)
{
    const hk_kernels *kernels =
        plugin->activation ? plugin->activation->kernels : plugin->normalization->kernels;
    for (; isa >= 0; isa--) {
        if (!check_machine_has(isa))
            continue;
        hk_block *found = back ? kernels[isa].backward : kernels[isa].forward;
        if (found)
            return found;
    }
    return NULL;
}

bool check_has_kernels(const hk_plugin *plugin, int isa)
{
    return check_machine_has(isa) &&
           (isa == 0 ||
            check_kernel_of(plugin, isa, false) != check_kernel_of(plugin, isa - 1, false) ||
            check_kernel_of(plugin, isa, true) != check_kernel_of(plugin, isa - 1, true));
}

hk_tile check_tile_of(const use *u, const pass *p, int64_t first, int64_t rows)
{
    const int64_t in = u->context.channels, out = p->out / u->context.rows, aux = aux_floats(u);
    return (hk_tile){.rows = rows,
                     .first_row = first,
                     .x = p->x + first * in,
                     .y = p->y + first * out,
                     .dy = p->dy + first * out,
                     .dx = p->dx + first * in,
                     .aux = aux ? p->aux + first * aux : NULL,
                     .dslots = p->dslots,
                     .sums = p->sums};
}

void check_protect_slots(const use *u, bool read_only)
{
    for (int i = 0; i < u->n_slots; i++)
        check_make_read_only(u->slots[i], read_only);
}

/* The kinds of widths that vectors of 8 and 16 floats have: none, one, only whole ones, and a rest. */
static uint64_t width_kind(int64_t channels)
{
    return channels < 8 ? 0 : channels < 16 ? 1 : channels % 16 == 0 ? 2 : 3;
}

bool check_is_first_call(const use *u, int function, bool begins, bool whole)
{
    enum { BITS = 1 << 16 };
    static uint64_t seen[BITS / 64];
    const uint64_t what[] = {(uintptr_t)u->plugin,
                             (uint64_t)function,
                             begins,
                             whole,
                             u->context.training,
                             width_kind(u->context.channels),
                             check_guard_before};
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a (Fowler, Noll, Vo 1991) */
    for (size_t i = 0; i < sizeof what / sizeof *what; i++)
        hash = (hash ^ what[i]) * 0x100000001b3u;
    const uint64_t at = (hash >> 32) % BITS, bit = 1ull << (at % 64);
    const bool new = !(seen[at / 64] & bit);
    seen[at / 64] |= bit;
    return new;
}

static bool is_first_kernel(const use *u, int isa, bool back, int64_t first, int64_t rows)
{
    return check_is_first_call(u, 2 * isa + back, first == 0, rows == u->context.rows);
}

void check_forward(const use *u, int isa, const pass *p, int64_t first, int64_t rows)
{
    hk_tile tile = check_tile_of(u, p, first, rows);
    tile.dy = NULL, tile.dx = NULL, tile.dslots = NULL;
    const bool apart = tile.y != tile.x, protect = is_first_kernel(u, isa, false, first, rows);
    check_make_read_only(protect && apart ? p->x : NULL, true);
    if (protect)
        check_protect_slots(u, true);
    check_begin_call("forward", isa, rows, u->context.channels);
    check_kernel_of(u->plugin, isa, false)(&u->context, &tile);
    check_end_call();
    if (protect)
        check_protect_slots(u, false);
    check_make_read_only(protect && apart ? p->x : NULL, false);
}

void check_backward(const use *u, int isa, const pass *p, int64_t first, int64_t rows)
{
    const hk_activation *act = u->plugin->activation;
    const void *inputs[] = {p->x, p->y, p->aux, p->dx != p->dy ? p->dy : NULL};
    hk_tile tile = check_tile_of(u, p, first, rows);
    if (act && !(act->reads & HK_READS_X))
        tile.x = NULL;
    if (act && !(act->reads & HK_READS_Y))
        tile.y = NULL;
    tile.sums = NULL;
    const bool protect = is_first_kernel(u, isa, true, first, rows);
    for (int i = 0; i < 4 && protect; i++)
        check_make_read_only(inputs[i], true);
    if (protect)
        check_protect_slots(u, true);
    check_begin_call("backward", isa, rows, u->context.channels);
    check_kernel_of(u->plugin, isa, true)(&u->context, &tile);
    check_end_call();
    if (protect)
        check_protect_slots(u, false);
    for (int i = 0; i < 4 && protect; i++)
        check_make_read_only(inputs[i], false);
}

int64_t check_first_difference(const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (hks_to_bits(a[i]) != hks_to_bits(b[i]) && !(isnan(a[i]) && isnan(b[i])))
            return i;
    return -1;
}
