/* engine/update_kernels.h - what an optimizer does, each array read and written once; the formulas
 * are those of train/rule.c. Part of kernels_template.h. */

/* What train/rule.c calls G. */
INLINE vec pull(const hki_update *u, vec w, vec g)
{
    return fused(u->scale, g, u->decay * w);
}

static void update_sgd(const hki_update *update, int64_t n, float *w, const float *g, float *m,
                       float *v)
{
    const hki_update u = *update;
    (void)m, (void)v;
    for (int64_t i = 0; i < n; i += LANES) {
        vec at = load_some(w + i, n - i), step = pull(&u, at, load_some(g + i, n - i));
        store_some(w + i, at - u.lr * step, n - i);
    }
}

static void update_momentum(const hki_update *update, int64_t n, float *w, const float *g, float *m,
                            float *v)
{
    const hki_update u = *update;
    (void)v;
    for (int64_t i = 0; i < n; i += LANES) {
        vec at = load_some(w + i, n - i), force = pull(&u, at, load_some(g + i, n - i));
        vec speed = u.keep * load_some(m + i, n - i) + force;
        vec step = u.nesterov ? force + u.keep * speed : speed;
        store_some(m + i, speed, n - i);
        store_some(w + i, at - u.lr * step, n - i);
    }
}

static void update_adam(const hki_update *update, int64_t n, float *w, const float *g, float *m,
                        float *v)
{
    const hki_update u = *update;
    for (int64_t i = 0; i < n; i += LANES) {
        vec at = load_some(w + i, n - i), force = pull(&u, at, load_some(g + i, n - i));
        vec mean = fused(u.keep, load_some(m + i, n - i), u.take * force);
        vec square = fused(u.keep_square, load_some(v + i, n - i), u.take_square * (force * force));
        store_some(m + i, mean, n - i);
        store_some(v + i, square, n - i);
        store_some(w + i, u.shrink * at - u.lr * mean / (root(square) * u.root + u.eps), n - i);
    }
}

static void update_rmsprop(const hki_update *update, int64_t n, float *w, const float *g, float *m,
                           float *v)
{
    const hki_update u = *update;
    (void)v;
    for (int64_t i = 0; i < n; i += LANES) {
        vec at = load_some(w + i, n - i), force = pull(&u, at, load_some(g + i, n - i));
        vec square = fused(u.keep_square, load_some(m + i, n - i), u.take_square * (force * force));
        store_some(m + i, square, n - i);
        store_some(w + i, at - u.lr * force / (root(square) + u.eps), n - i);
    }
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
