/* Parts of a batch: how many, whose, and their joining within this process. */
#include "graph/parts.h"

#include "graph/ranks.h"

static bool is_power_of_two(int n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

hk_status hki_parts_open(const hk_plan_options *options, hki_parts *out)
{
    const hk_team *team = options->team;
    int of = options->parts ? options->parts : 1, ranks = team ? team->ranks : 1;
    int rank = team ? team->rank : 0;
    *out = (hki_parts){.of = 1, .count = 1};
    if (!is_power_of_two(of) || !is_power_of_two(ranks))
        return hki_fail(HK_BAD_ARGUMENT, "%d parts on %d processes: each must be a power of two",
                        of, ranks);
    if (ranks > of)
        return hki_fail(HK_BAD_ARGUMENT,
                        "%d processes cannot share %d part%s: there must be one for each", ranks,
                        of, of == 1 ? "" : "s");
    if (rank < 0 || rank >= ranks || (team && !team->exchange))
        return hki_fail(HK_BAD_ARGUMENT, "a team has process %d of %d%s", rank, ranks,
                        team->exchange ? "" : ", but exchange is NULL");
    *out = (hki_parts){.of = of, .count = of / ranks, .first = rank * (of / ranks)};
    return ranks > 1 ? hki_ranks_new(team, &out->others) : HK_OK;
}

void hki_parts_close(hki_parts *parts)
{
    hki_ranks_free(parts->others);
    parts->others = NULL;
}

hk_status hki_parts_join(const hki_parts *parts, hki_join *join, const hk_tensor *tensor,
                         double *numbers, size_t n)
{
    hki_joining joining = {.join = join, .tensor = tensor, .n = n};
    for (int apart = 1; apart < parts->count; apart *= 2)
        for (int i = 0; i + apart < parts->count; i += 2 * apart)
            hki_join_two(&joining, numbers + (size_t)i * n, numbers + (size_t)(i + apart) * n);
    return parts->others ? hki_ranks_join(parts->others, &joining, numbers, numbers + n) : HK_OK;
}

void hki_parts_sum(const hki_parts *parts, float *sum, int64_t n)
{
    if (parts->others)
        hki_ranks_sum(parts->others, sum, n);
}

hk_status hki_parts_wait(const hki_parts *parts)
{
    return parts->others ? hki_ranks_wait(parts->others) : HK_OK;
}
