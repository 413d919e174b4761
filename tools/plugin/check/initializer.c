/* Initializers: everything is written and nothing else, parts are what the whole is, the key alone
 * decides. Laws are in distribution.c. */
#include "plugin/check/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

hk_weight check_host_convolution(int64_t side, int64_t in, int64_t out)
{
    hk_weight w = check_host_weight(side * side * in, out);
    w.kernel = side * side;
    w.fan_out = out * w.kernel;
    return w;
}

static void check_written(const subject *s, const filled *f)
{
    const hk_weight *w = &f->weight;
    const bool fills_bias = s->plugin->initializer->traits & HK_FILLS_BIAS;
    for (int64_t i = 0; i < w->count; i++)
        if (!isfinite(w->w[i]))
            check_fail("%lld x %lld: w[%lld] was not written, or is not finite (%g)",
                       (long long)w->rows, (long long)w->columns, (long long)i, (double)w->w[i]);
    for (int64_t j = 0; j < w->columns; j++)
        if (fills_bias ? !isfinite(w->bias[j]) : !isnan(w->bias[j]))
            check_fail("%lld x %lld: the bias was %s HK_FILLS_BIAS", (long long)w->rows,
                       (long long)w->columns,
                       fills_bias ? "not written in spite of" : "written without");
}

void check_test_memory_of_initializer(const subject *s)
{
    const hk_weight weights[] = {
        check_host_weight(1, 1),           check_host_weight(12, 11),
        check_host_weight(64, 10),         check_host_weight(8, 70),
        check_host_weight(8, 1000),        check_host_weight(2, 2050),
        check_host_weight(1025, 3),        check_host_weight(4100, 2),
        check_host_convolution(3, 3, 8),   check_host_convolution(3, 1, 4),
        check_host_convolution(3, 1, 600), check_host_convolution(5, 16, 32),
        check_host_convolution(1, 9, 2)};
    enum { WEIGHTS = sizeof weights / sizeof *weights };
    int refused = 0;
    for (int i = 0; i < 4 * WEIGHTS; i++) {
        const int mark = check_arrays_mark();
        hk_weight weight = weights[i / 4];
        weight.first_layer = (uint32_t)i % 2;
        check_guard_before = i / 2 % 2;
        const filled f = check_host_fill(s->plugin, weight, NULL);
        if (f.refusal && (!*f.refusal || f.refusal[strcspn(f.refusal, "\n\r\t")]))
            check_fail("fill() refuses with \"%s\", expected a sentence on one line", f.refusal);
        refused += f.refusal != NULL;
        if (!f.refusal)
            check_written(s, &f);
        check_arrays_release(mark);
    }
    for (int i = 0; i < 2; i++) {
        hk_weight weight = check_host_weight(12, 11);
        weight.key = check_rare_keys[i];
        const filled f = check_host_fill(s->plugin, weight, NULL);
        if (!f.refusal)
            check_written(s, &f);
    }
    if (refused == 4 * WEIGHTS)
        check_fail("fill() refuses every weight");
    else if (refused)
        check_tell("%d of %d weights are filled, the others refused with a sentence",
                   WEIGHTS - refused / 4, WEIGHTS);
    const use *u = check_use_new(s->plugin, 1, 1);
    hk_weight bare = check_host_weight(6, 4);
    bare.w = check_guarded("w", 24);
    check_begin_call("fill without a bias", -1, 6, 4);
    s->plugin->initializer->fill(&u->context, &bare);
    check_end_call();
}

/* What HK_FILLS_RANGES declares: any part, in any order, gives the bits of the whole. */
void check_test_ranges(const subject *s)
{
    enum { N = 12 * 11, STEP = 25 };
    if (!(s->plugin->initializer->traits & HK_FILLS_RANGES)) {
        check_skip("only the whole weight can be filled");
        return;
    }
    const filled whole = check_host_fill(s->plugin, check_host_weight(12, 11), NULL);
    use *u = check_use_new(s->plugin, 1, 1);
    hk_weight part = whole.weight;
    part.w = check_filled("w", N, NAN);
    for (part.first = N / STEP * STEP; part.first >= 0; part.first -= STEP) {
        part.count = N - part.first < STEP ? N - part.first : STEP;
        check_begin_call("fill of a part", -1, 12, 11);
        s->plugin->initializer->fill(&u->context, &part);
        check_end_call();
        for (int64_t i = 0; i < part.first; i++)
            if (!isnan(part.w[i]))
                check_fail("asked for w[%lld .. %lld], fill() wrote w[%lld]", (long long)part.first,
                           (long long)(part.first + part.count - 1), (long long)i);
    }
    const int64_t at = check_first_difference(whole.weight.w, part.w, N);
    if (at >= 0)
        check_fail("w[%lld] is %.9g in the whole and %.9g in parts", (long long)at,
                   (double)whole.weight.w[at], (double)part.w[at]);
}

/* A draw of 0, and the largest one below 1, come once in 16 million: of these keys they come at once. */
const uint64_t check_rare_keys[2] = {1343428, 39075};

void check_test_key(const subject *s)
{
    hk_weight weight = check_host_convolution(3, 8, 16);
    const filled a = check_host_fill(s->plugin, weight, NULL),
                 b = check_host_fill(s->plugin, weight, NULL);
    if (a.refusal || b.refusal) {
        check_skip("this weight is refused");
        return;
    }
    int different = 0; /* numbers: random ones are more than a few */
    for (int64_t i = 1; i < weight.count && i < 200; i++)
        different += a.weight.w[i] != a.weight.w[i - 1] && a.weight.w[i] != a.weight.w[0] &&
                     a.weight.w[i] != 0;
    const int64_t at = check_first_difference(a.weight.w, b.weight.w, weight.count);
    if (at >= 0)
        check_fail("w[%lld] is %.9g, and %.9g the second time with the same key", (long long)at,
                   (double)a.weight.w[at], (double)b.weight.w[at]);
    else if (different <= 20)
        check_tell("no random numbers");
    if (s->plugin->summary && strstr(s->plugin->summary, "not random")) {
        check_tell("no random numbers, as its summary says");
        return;
    }
    for (int bit = 0; bit < 64 && different > 20 && !check_has_failed(); bit++) {
        const int mark = check_arrays_mark();
        hk_weight other = weight;
        other.key ^= UINT64_C(1) << bit;
        const filled c = check_host_fill(s->plugin, other, NULL);
        if (!c.refusal && check_first_difference(a.weight.w, c.weight.w, weight.count) < 0)
            check_fail("two keys give the same numbers, though bit %d differs: random ones come "
                       "from weight->key, all of it",
                       bit);
        check_arrays_release(mark);
    }
}
