/* Activations: their list of tests, what update() may do, and speed. */
#include "plugin/check/check.h"

#include <hillock/tensor.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A new layer with the slots of another behaves as that one: nothing persists elsewhere. */
static void check_restored(const use *u)
{
    use *restored = check_use_new(u->plugin, u->context.rows, u->context.channels);
    restored->context.training = u->context.training;
    pass *p = check_pass_new(u, 1), *again = check_pass_copy(u, p);
    for (int k = 0; k < u->n_slots; k++)
        memcpy(restored->slots[k], u->slots[k], (size_t)u->lengths[k] * sizeof(float));
    check_forward(u, HK_BASELINE, p, 0, u->context.rows);
    check_forward(restored, HK_BASELINE, again, 0, u->context.rows);
    if (check_first_difference(p->y, again->y, p->out) >= 0)
        check_fail("%s: slots restored in a new layer give other results", check_spec_text(u));
}

/* Kernels are tried with read-only slots everywhere; update() may write states alone. False: the plugin
 * has no slots, or does not take so many channels. */
static bool check_updates(const subject *s, int64_t rows, int64_t channels, int steps)
{
    use *u = check_use_new(s->plugin, rows, channels);
    pass *p = check_use_channels_out(u) > 0 ? check_pass_new(u, 2) : NULL;
    if (!u->n_slots || !p)
        return false;
    u->context.training = 1;
    for (int step = 0; step < steps && !check_has_failed(); step++) {
        check_fill_lively(u, p->x, (uint64_t)step);
        check_host_activation_update(u, p);
        for (int k = 0; k < u->n_slots; k++)
            for (int64_t j = 0; j < u->lengths[k]; j++)
                if (!isfinite(u->slots[k][j]))
                    check_fail("%s, %lld x %lld: slot %s is %g after %d updates",
                               check_spec_text(u), (long long)rows, (long long)channels,
                               s->plugin->slots[k].name, (double)u->slots[k][j], step + 1);
    }
    const use *fresh = check_use_new(s->plugin, rows, channels);
    for (int k = 0; k < u->n_slots; k++)
        if (s->plugin->slots[k].role == HK_LEARNED &&
            check_first_difference(u->slots[k], fresh->slots[k], u->lengths[k]) >= 0)
            check_fail("update() changed %s, which is learned: the optimizer changes it",
                       s->plugin->slots[k].name);
    check_restored(u);
    return true;
}

/* Whether update() leaves other states when what was seen of one channel is another number. */
static bool looks_at(const subject *s, int64_t channel)
{
    use *with = check_use_new(s->plugin, 16, 12), *without = check_use_new(s->plugin, 16, 12);
    double *sums = check_guarded_doubles("the statistics", s->plugin->activation->n_sums * 12);
    const hk_activity seen = {16, sums, 0, 0};
    with->context.training = without->context.training = 1;
    check_begin_call("update", -1, 16, 12);
    for (int64_t i = 0; i < s->plugin->activation->n_sums * 12; i++)
        sums[i] = 4;
    s->plugin->activation->update(&without->context, &seen);
    for (int64_t i = channel; i < s->plugin->activation->n_sums * 12; i += 12)
        sums[i] = 11;
    s->plugin->activation->update(&with->context, &seen);
    check_end_call();
    for (int k = 0; k < with->n_slots; k++)
        if (check_first_difference(with->slots[k], without->slots[k], with->lengths[k]) >= 0)
            return true;
    return false;
}

static void check_all_channels_count(const subject *s)
{
    const hk_activation *act = s->plugin->activation;
    for (int64_t j = 1; j < 12 && act->update && act->n_sums && !check_has_failed(); j++)
        if (looks_at(s, 0) && !looks_at(s, j))
            check_fail("update() looks at the sums of channel 0, and not at those of channel %lld: "
                       "they are [n_sums x channels]",
                       (long long)j);
}

void check_test_slots(const subject *s)
{
    static const int64_t others[][2] = {{16, 1}, {1, 1}, {1, 12}, {7, 35}};
    const int mark = check_arrays_mark();
    const bool has_slots = check_updates(s, 16, 12, 300);
    for (int i = 0; i < 4 && has_slots && !check_has_failed(); i++) {
        check_arrays_release(mark);
        check_updates(s, others[i][0], others[i][1], 30);
    }
    if (!has_slots)
        check_skip("no slots");
    else
        check_all_channels_count(s);
}

/* Best of several, in turn with copying the same floats, so that a busy machine slows both;
 * backward moves half as much again. */
void check_test_speed(const subject *s)
{
    enum { ROWS = 16384, CHANNELS = 64, TURNS = 9 };
    double best[3] = {1, 1, 1};
    use *u = check_use_new(s->plugin, ROWS, CHANNELS);
    if (SANITIZED || check_use_channels_out(u) != CHANNELS) {
        check_skip(SANITIZED ? "this program is built with sanitizers"
                             : "it changes the number of channels");
        return;
    }
    u->context.training = 1;
    pass *p = check_pass_new(u, 1);
    hk_tile tile = check_tile_of(u, p, 0, ROWS);
    check_begin_call("speed", HK_ISA_COUNT - 1, ROWS, CHANNELS);
    for (int turn = 0; turn < TURNS; turn++) {
        double start = hk_now();
        memcpy(p->y, p->x, (size_t)p->in * sizeof *p->x);
        best[0] = fmin(best[0], hk_now() - start), start = hk_now();
        check_kernel_of(s->plugin, HK_ISA_COUNT - 1, false)(&u->context, &tile);
        best[1] = fmin(best[1], hk_now() - start), start = hk_now();
        check_kernel_of(s->plugin, HK_ISA_COUNT - 1, true)(&u->context, &tile);
        best[2] = fmin(best[2], hk_now() - start);
    }
    check_end_call();
    const double ahead = 100 * best[0] / best[1], back = 150 * best[0] / best[2];
    if (ahead < 50 || back < 50)
        check_warn("a million floats: forward at %.0f %% of copying, backward at %.0f %%", ahead,
                   back);
    check_tell("a million floats: forward at %.0f %% of copying, backward at %.0f %%", ahead, back);
}
