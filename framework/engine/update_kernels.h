/* engine/update_kernels.h - what an optimizer does, each array read and written once; the formulas
 * are those of train/rule.c. Part of kernels_template.h. */

/* What train/rule.c calls G. */
INLINE vec pull(const hki_update *u, vec w, vec g)
{
    return u->scale * g + u->decay * w;
}

INLINE void sgd_some(const hki_update *u, int64_t left, float *w, const float *g)
{
    vec at = load_some(w, left), step = pull(u, at, load_some(g, left));
    store_some(w, at - u->lr * step, left);
}

static void update_sgd(const hki_update *update, int64_t n, float *w, const float *g, float *m,
                       float *v)
{
    const hki_update u = *update;
    (void)m, (void)v;
    for (int64_t i = 0; i < n; i += LANES)
        sgd_some(&u, n - i, w + i, g + i);
}

INLINE void momentum_some(const hki_update *u, int64_t left, float *w, const float *g, float *m)
{
    vec at = load_some(w, left), force = pull(u, at, load_some(g, left));
    vec speed = u->keep * load_some(m, left) + force;
    vec step = u->nesterov ? force + u->keep * speed : speed;
    store_some(m, speed, left);
    store_some(w, at - u->lr * step, left);
}

static void update_momentum(const hki_update *update, int64_t n, float *w, const float *g, float *m,
                            float *v)
{
    const hki_update u = *update;
    (void)v;
    for (int64_t i = 0; i < n; i += LANES)
        momentum_some(&u, n - i, w + i, g + i, m + i);
}

INLINE void adam_some(const hki_update *u, int64_t left, float *w, const float *g, float *m,
                      float *v)
{
    vec at = load_some(w, left), force = pull(u, at, load_some(g, left));
    vec mean = u->keep * load_some(m, left) + u->take * force;
    vec square = u->keep_square * load_some(v, left) + u->take_square * (force * force);
    store_some(m, mean, left);
    store_some(v, square, left);
    store_some(w, u->shrink * at - u->lr * mean / (root(square) * u->root + u->eps), left);
}

static void update_adam(const hki_update *update, int64_t n, float *w, const float *g, float *m,
                        float *v)
{
    const hki_update u = *update;
    for (int64_t i = 0; i < n; i += LANES)
        adam_some(&u, n - i, w + i, g + i, m + i, v + i);
}

INLINE void rmsprop_some(const hki_update *u, int64_t left, float *w, const float *g, float *m)
{
    vec at = load_some(w, left), force = pull(u, at, load_some(g, left));
    vec square = u->keep_square * load_some(m, left) + u->take_square * (force * force);
    store_some(m, square, left);
    store_some(w, at - u->lr * force / (root(square) + u->eps), left);
}

static void update_rmsprop(const hki_update *update, int64_t n, float *w, const float *g, float *m,
                           float *v)
{
    const hki_update u = *update;
    (void)v;
    for (int64_t i = 0; i < n; i += LANES)
        rmsprop_some(&u, n - i, w + i, g + i, m + i);
}

/* In double, as a gradient's norm may be large. */
static double sum_squares_of(int64_t n, const float *x)
{
    dvec sum = {0};
    double total = 0;
    for (int64_t i = 0; i < n; i += LANES) {
        dvec v = __builtin_convertvector(load_some(x + i, n - i), dvec);
        sum += v * v;
    }
    for (int i = 0; i < LANES; i++)
        total += sum[i];
    return total;
}

static double sum_of(int64_t n, const float *x)
{
    dvec sum = {0};
    double total = 0;
    for (int64_t i = 0; i < n; i += LANES)
        sum += __builtin_convertvector(load_some(x + i, n - i), dvec);
    for (int i = 0; i < LANES; i++)
        total += sum[i];
    return total;
}
