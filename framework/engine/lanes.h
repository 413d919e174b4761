/* engine/lanes.h - vectors of LANES floats, and those that are not full where no instruction masks them. */
#pragma once
typedef float vec __attribute__((vector_size(LANES * 4)));

static inline vec load_part(const float *p, int n)
{
    vec v = {0};
    for (int i = 0; i < n; i++)
        v[i] = p[i];
    return v;
}

static inline void store_part(float *p, vec v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = v[i];
}
