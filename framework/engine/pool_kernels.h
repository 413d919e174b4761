/* engine/pool_kernels.h - windows of pixels, channel by channel. Part of kernels_template.h.
 *
 * Where a pixel has fewer channels than a vector, its place in the window is written as a whole
 * vector all the same, into the pixels behind it in the row: their turn comes later. A copy of the
 * description spares reading it again after each store. */

INLINE vec pick(ivec mask, vec yes, vec no)
{
    return (vec)((mask & (ivec)yes) | (~mask & (ivec)no));
}

/* A vector's places, of which n may be read. */
INLINE ivec load_places(const uint16_t *which, int64_t n)
{
    hvec places;
    ivec some = {0};
    for (int i = 0; n < LANES && i < n; i++)
        some[i] = which[i];
    if (n < LANES)
        return some;
    memcpy(&places, which, sizeof places);
    return __builtin_convertvector(places, ivec);
}

INLINE void store_places(uint16_t *which, ivec place, int64_t n)
{
    hvec places = __builtin_convertvector(place, hvec);
    if (n >= LANES)
        memcpy(which, &places, sizeof places);
    for (int i = 0; n < LANES && i < n; i++)
        which[i] = places[i];
}

/* Of the window at `start` in one direction: the positions inside an image of `size`. */
INLINE void window(int start, int extent, int size, int *from, int *to)
{
    *from = start < 0 ? -start : 0;
    *to = size - start < extent ? size - start : extent;
}

/* Of the input position `at` (padding counted): the outputs whose window covers it. */
INLINE void covering(int at, int extent, int stride, int n, int *from, int *to)
{
    *from = at < extent ? 0 : (at - extent) / stride + 1;
    *to = at / stride + 1 < n ? at / stride + 1 : n;
}

/* The first of the largest of a window's positions [row0, row1) x [col0, col1) in n channels; the
 * window's corner is at x. Constants make it straight code. */
INLINE void max_window(const hki_pool *p, const float *x, int n, int row0, int row1, int col0,
                       int col1, vec *best, ivec *place)
{
    for (int i = row0; i < row1; i++)
        for (int j = col0; j < col1; j++) {
            vec v = load_some(x + ((int64_t)i * p->w + j) * p->c, n);
            bool first = i == row0 && j == col0;
            ivec wins = first ? (ivec){0} == 0 : (*best == *best) & ~(v <= *best);
            *best = pick(wins, v, *best);
            *place = (wins & (i * p->kw + j)) | (~wins & *place);
        }
}

static void max_forward(const hki_pool *pool, int oh, const float *x, float *y, uint16_t *which)
{
    const hki_pool own = *pool, *p = &own;
    int row0, row1, col0, col1, top = oh * p->sh - p->ph;
    window(top, p->kh, p->h, &row0, &row1);
    for (int ow = 0; ow < p->ow; ow++) {
        int edge = ow * p->sw - p->pw;
        window(edge, p->kw, p->w, &col0, &col1);
        bool two = p->kh == 2 && p->kw == 2 && row1 - row0 == 2 && col1 - col0 == 2;
        for (int c = 0; c < p->c; c += LANES) {
            const float *corner = x + ((int64_t)top * p->w + edge) * p->c + c;
            int64_t at = (int64_t)ow * p->c + c;
            int n = p->c - c;
            vec best = splat(-INFINITY);
            ivec place = {0};
            if (two)
                max_window(p, corner, n, 0, 2, 0, 2, &best, &place);
            else
                max_window(p, corner, n, row0, row1, col0, col1, &best, &place);
            store_some(y + at, best, n);
            if (which) /* and into the pixels behind it */
                store_places(which + at, place, p->c <= LANES ? (int64_t)(p->ow - ow) * p->c : n);
        }
    }
}

/* dx of `columns` pixels, of which the first is position `here` of its window. */
INLINE void hand_pixels(const hki_pool *p, ivec place, vec g, int here, int columns, int n,
                        float *dx)
{
    UNROLL(2)
    for (int j = 0; j < columns; j++)
        store_some(dx + j * p->c, pick(place == here + j, g, (vec){0}), n);
}

/* Where no windows overlap, each output hands its gradient to its own columns; others have none. */
INLINE void max_hand_back(const hki_pool *p, int ih, const float *dy, const uint16_t *which,
                          float *dx)
{
    int oh = (int)hki_min((ih + p->ph) / p->sh, p->oh - 1), i = ih + p->ph - oh * p->sh;
    bool whole = i < p->kh && p->sw == p->kw && p->pw == 0 && p->ow * p->sw == p->w;
    if (!whole)
        memset(dx, 0, sizeof *dx * (size_t)p->w * (size_t)p->c);
    int64_t end = (int64_t)p->oh * p->ow * p->c;
    for (int ow = 0; i < p->kh && ow < p->ow; ow++) {
        int col0, col1, edge = ow * p->sw - p->pw;
        window(edge, p->kw, p->w, &col0, &col1);
        int here = i * p->kw + col0;
        for (int c = 0; c < p->c; c += LANES) {
            int n = p->c - c;
            int64_t at = ((int64_t)oh * p->ow + ow) * p->c + c;
            ivec place = load_places(which + at, end - at);
            vec g = load_some(dy + at, n);
            float *to = dx + (int64_t)(edge + col0) * p->c + c;
            if (col1 - col0 == 2)
                hand_pixels(p, place, g, here, 2, n, to);
            else
                hand_pixels(p, place, g, here, col1 - col0, n, to);
        }
    }
}

/* Where they do, each input gathers from all that cover it. */
INLINE void max_gather(const hki_pool *p, int ih, const float *dy, const uint16_t *which, float *dx)
{
    int row0, row1, col0, col1;
    int64_t end = (int64_t)p->oh * p->ow * p->c;
    covering(ih + p->ph, p->kh, p->sh, p->oh, &row0, &row1);
    for (int iw = 0; iw < p->w; iw++) {
        covering(iw + p->pw, p->kw, p->sw, p->ow, &col0, &col1);
        for (int c = 0; c < p->c; c += LANES) {
            vec sum = {0};
            for (int oh = row0; oh < row1; oh++)
                for (int ow = col0; ow < col1; ow++) {
                    int64_t at = ((int64_t)oh * p->ow + ow) * p->c + c;
                    int place = (ih + p->ph - oh * p->sh) * p->kw + iw + p->pw - ow * p->sw;
                    ivec hit = load_places(which + at, end - at) == place;
                    sum += pick(hit, load_some(dy + at, p->c - c), (vec){0});
                }
            store_some(dx + (int64_t)iw * p->c + c, sum, p->c - c);
        }
    }
}

static void max_backward(const hki_pool *pool, int ih, const float *dy, const uint16_t *which,
                         float *dx)
{
    const hki_pool own = *pool, *p = &own;
    if (p->sh >= p->kh && p->sw >= p->kw)
        max_hand_back(p, ih, dy, which, dx);
    else
        max_gather(p, ih, dy, which, dx);
}

static void avg_forward(const hki_pool *pool, int oh, const float *x, float *y)
{
    const hki_pool own = *pool, *p = &own;
    int row0, row1, col0, col1, top = oh * p->sh - p->ph;
    window(top, p->kh, p->h, &row0, &row1);
    for (int ow = 0; ow < p->ow; ow++) {
        int edge = ow * p->sw - p->pw;
        window(edge, p->kw, p->w, &col0, &col1);
        float count = (float)((row1 - row0) * (col1 - col0));
        for (int c = 0; c < p->c; c += LANES) {
            vec sum = {0};
            for (int i = row0; i < row1; i++)
                for (int j = col0; j < col1; j++) {
                    int64_t pixel = (int64_t)(top + i) * p->w + edge + j;
                    sum += load_some(x + pixel * p->c + c, p->c - c);
                }
            store_some(y + (int64_t)ow * p->c + c, sum / count, p->c - c);
        }
    }
}

static void avg_backward(const hki_pool *pool, int ih, const float *dy, float *dx)
{
    const hki_pool own = *pool, *p = &own;
    int row0, row1, col0, col1, inside0, inside1;
    covering(ih + p->ph, p->kh, p->sh, p->oh, &row0, &row1);
    for (int iw = 0; iw < p->w; iw++) {
        covering(iw + p->pw, p->kw, p->sw, p->ow, &col0, &col1);
        for (int c = 0; c < p->c; c += LANES) {
            vec sum = {0};
            for (int oh = row0; oh < row1; oh++) {
                window(oh * p->sh - p->ph, p->kh, p->h, &inside0, &inside1);
                int rows = inside1 - inside0;
                for (int ow = col0; ow < col1; ow++) {
                    window(ow * p->sw - p->pw, p->kw, p->w, &inside0, &inside1);
                    float count = (float)(rows * (inside1 - inside0));
                    sum += load_some(dy + ((int64_t)oh * p->ow + ow) * p->c + c, p->c - c) / count;
                }
            }
            store_some(dx + (int64_t)iw * p->c + c, sum, p->c - c);
        }
    }
}
