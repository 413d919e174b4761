/* graph/parts.h - a batch in parts: which this process computes, and what is added up over all of them
 * along one binary tree: parts 0 and 1, 2 and 3, then those two sums, and so on, within a process
 * first and then between processes. The numbers of both are powers of two, so the tree is the same. */
#pragma once
#include "graph/graph.h"

typedef struct hki_parts {
    int of;                   /* of the whole batch */
    int first, count;         /* of this process */
    struct hki_ranks *others; /* NULL: there are none */
} hki_parts;

/* HK_BAD_ARGUMENT: see hk_plan_new. */
hk_status hki_parts_open(const hk_plan_options *options, hki_parts *out);
void hki_parts_close(hki_parts *parts);

/* Where part p of n samples begins, counted among all. */
static inline int64_t hki_part_begin(const hki_parts *parts, int64_t n, int p)
{
    return n * p / parts->of;
}
/* Samples of `count` parts in a row, at most. */
static inline int64_t hki_parts_most(const hki_parts *parts, int64_t n, int count)
{
    return (n * count + parts->of - 1) / parts->of;
}
/* Samples of this process. */
static inline int64_t hki_parts_samples(const hki_parts *parts, int64_t n)
{
    return hki_part_begin(parts, n, parts->first + parts->count) -
           hki_part_begin(parts, n, parts->first);
}

/* numbers[count + 1][n], a row a part and one to spare: row 0 becomes those of all parts, by join or, if that is
 * NULL, by addition. */
typedef void hki_join(const hk_tensor *tensor, double *own, const double *later);
hk_status hki_parts_join(const hki_parts *parts, hki_join *join, const hk_tensor *tensor,
                         double *numbers, size_t n);

/* sum[n], that of this process's parts, becomes that of all parts; not to be touched before
 * hki_parts_wait(), which returns the first failure of any. */
void hki_parts_sum(const hki_parts *parts, float *sum, int64_t n);
hk_status hki_parts_wait(const hki_parts *parts);
