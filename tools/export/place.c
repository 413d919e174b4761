/* Where the values of a program stand in one buffer: each as long as it is needed, first fit. */
#include "export/place.h"

#include <stdlib.h>

int export_root(const export_program *p, int step)
{
    while (p->steps[step].kind == EXPORT_RESHAPE)
        step = p->steps[step].inputs[0];
    return step;
}

static bool is_placed(const export_program *p, int i)
{
    const export_kind kind = p->steps[i].kind;
    return kind != EXPORT_INPUT && kind != EXPORT_CONSTANT && kind != EXPORT_RESHAPE;
}

/* By step: the last one that reads its values. */
static void find_ends(const export_program *p, int *ends)
{
    for (int i = 0; i < p->n; i++) {
        ends[i] = i;
        for (int k = 0; k < p->steps[i].n_inputs; k++)
            ends[export_root(p, p->steps[i].inputs[k])] = i;
    }
    ends[export_root(p, p->output)] = p->n;
}

/* A map may overwrite its first input, if nobody needs it any more and it is read but there. */
static int overwritten(const export_program *p, int i, const int *ends)
{
    const export_step *step = &p->steps[i];
    const int x = export_root(p, step->inputs[0]);
    if (step->kind != EXPORT_MAP || !is_placed(p, x) || ends[x] != i ||
        export_count(&p->steps[x].shape) != export_count(&step->shape))
        return -1;
    for (int k = 1; k < step->n_inputs; k++)
        if (export_root(p, step->inputs[k]) == x)
            return -1;
    return x;
}

/* The lowest place where no value that is needed at step i lies. */
static int64_t first_fit(const export_program *p, int i, const int *ends, const int64_t *places)
{
    int64_t at = 0;
    const int64_t size = export_count(&p->steps[i].shape);
    for (int k = 0; k < i; k++) {
        const int64_t other = export_count(&p->steps[k].shape);
        if (places[k] >= 0 && ends[k] >= i && places[k] < at + size && at < places[k] + other) {
            at = places[k] + other;
            k = -1; /* look again at all */
        }
    }
    return at;
}

int64_t export_place(const export_program *p, int64_t *places)
{
    int64_t most = 0;
    int *ends = calloc((size_t)p->n, sizeof *ends);
    if (!ends)
        return -1;
    find_ends(p, ends);
    for (int i = 0; i < p->n; i++) {
        const int over = is_placed(p, i) ? overwritten(p, i, ends) : -1;
        places[i] = !is_placed(p, i) ? -1
                    : over >= 0      ? places[over]
                                     : first_fit(p, i, ends, places);
        const int64_t end = places[i] + export_count(&p->steps[i].shape);
        most = places[i] >= 0 && end > most ? end : most;
    }
    free(ends);
    return most;
}
