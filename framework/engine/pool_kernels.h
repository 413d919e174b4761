/* engine/pool_kernels.h - windows of pixels, channel by channel. Part of kernels_template.h. */

INLINE vec pick(ivec mask, vec yes, vec no)
{
    return (vec)((mask & (ivec)yes) | (~mask & (ivec)no));
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

static void max_forward(const hki_pool *p, int oh, const float *x, float *y, uint16_t *which)
{
    int row0, row1, col0, col1, top = oh * p->sh - p->ph;
    window(top, p->kh, p->h, &row0, &row1);
    for (int ow = 0; ow < p->ow; ow++) {
        int edge = ow * p->sw - p->pw;
        window(edge, p->kw, p->w, &col0, &col1);
        for (int c = 0; c < p->c; c += LANES) {
            int left = p->c - c;
            vec best = splat(-INFINITY);
            ivec place = (ivec){0} + (row0 * p->kw + col0);
            for (int i = row0; i < row1; i++)
                for (int j = col0; j < col1; j++) {
                    int64_t pixel = (int64_t)(top + i) * p->w + edge + j;
                    vec v = load_some(x + pixel * p->c + c, left);
                    ivec wins = (best == best) & ~(v <= best);
                    best = pick(wins, v, best);
                    place = (wins & (i * p->kw + j)) | (~wins & place);
                }
            store_some(y + (int64_t)ow * p->c + c, best, left);
            if (which) {
                hvec small = __builtin_convertvector(place, hvec);
                memcpy(which + (int64_t)ow * p->c + c, &small,
                       2 * (size_t)(left < LANES ? left : LANES));
            }
        }
    }
}

static void max_backward(const hki_pool *p, int ih, const float *dy, const uint16_t *which,
                         float *dx)
{
    int row0, row1, col0, col1;
    covering(ih + p->ph, p->kh, p->sh, p->oh, &row0, &row1);
    for (int iw = 0; iw < p->w; iw++) {
        covering(iw + p->pw, p->kw, p->sw, p->ow, &col0, &col1);
        for (int c = 0; c < p->c; c += LANES) {
            int left = p->c - c;
            vec sum = {0};
            for (int oh = row0; oh < row1; oh++)
                for (int ow = col0; ow < col1; ow++) {
                    int64_t at = ((int64_t)oh * p->ow + ow) * p->c + c;
                    int place = (ih + p->ph - oh * p->sh) * p->kw + iw + p->pw - ow * p->sw;
                    hvec small = {0};
                    memcpy(&small, which + at, 2 * (size_t)(left < LANES ? left : LANES));
                    ivec hit = __builtin_convertvector(small, ivec) == (ivec){0} + place;
                    sum += pick(hit, load_some(dy + at, left), (vec){0});
                }
            store_some(dx + (int64_t)iw * p->c + c, sum, left);
        }
    }
}

static void avg_forward(const hki_pool *p, int oh, const float *x, float *y)
{
    int row0, row1, col0, col1, top = oh * p->sh - p->ph;
    window(top, p->kh, p->h, &row0, &row1);
    for (int ow = 0; ow < p->ow; ow++) {
        int edge = ow * p->sw - p->pw;
        window(edge, p->kw, p->w, &col0, &col1);
        float count = (float)((row1 - row0) * (col1 - col0));
        for (int c = 0; c < p->c; c += LANES) {
            int left = p->c - c;
            vec sum = {0};
            for (int i = row0; i < row1; i++)
                for (int j = col0; j < col1; j++) {
                    int64_t pixel = (int64_t)(top + i) * p->w + edge + j;
                    sum += load_some(x + pixel * p->c + c, left);
                }
            store_some(y + (int64_t)ow * p->c + c, sum / count, left);
        }
    }
}

static void avg_backward(const hki_pool *p, int ih, const float *dy, float *dx)
{
    int row0, row1, col0, col1, inside0, inside1;
    covering(ih + p->ph, p->kh, p->sh, p->oh, &row0, &row1);
    for (int iw = 0; iw < p->w; iw++) {
        covering(iw + p->pw, p->kw, p->sw, p->ow, &col0, &col1);
        for (int c = 0; c < p->c; c += LANES) {
            int left = p->c - c;
            vec sum = {0};
            for (int oh = row0; oh < row1; oh++) {
                window(oh * p->sh - p->ph, p->kh, p->h, &inside0, &inside1);
                int rows = inside1 - inside0;
                for (int ow = col0; ow < col1; ow++) {
                    window(ow * p->sw - p->pw, p->kw, p->w, &inside0, &inside1);
                    float count = (float)(rows * (inside1 - inside0));
                    sum += load_some(dy + ((int64_t)oh * p->ow + ow) * p->c + c, left) / count;
                }
            }
            store_some(dx + (int64_t)iw * p->c + c, sum, left);
        }
    }
}
