/* engine/depthwise_kernels.h - depthwise convolution: channel by channel, tap by tap. Part of
 * kernels_template.h. */

/* `pixels` is a constant: the weights are loaded once for all of them. */
INLINE void taps_pixels(const hki_taps *t, const float *x, const float *w, vec start, float *y,
                        int64_t left, int pixels)
{
    vec sum[4];
    UNROLL(4)
    for (int i = 0; i < pixels; i++)
        sum[i] = start;
    for (int k = 0; k < t->n; k++) {
        vec wv = load_some(w + t->w_tap[k], left);
        UNROLL(4)
        for (int i = 0; i < pixels; i++)
            sum[i] += load_some(x + t->x_tap[k] + i * t->x_step, left) * wv;
    }
    UNROLL(4)
    for (int i = 0; i < pixels; i++)
        store_some(y + i * t->y_step, sum[i], left);
}

static void taps_forward(const hki_taps *t, const float *x, const float *w, const float *bias,
                         float *y)
{
    for (int64_t c = 0; c < t->channels; c += LANES) {
        int64_t left = t->channels - c, i = 0;
        vec start = bias ? load_some(bias + c, left) : (vec){0};
        for (; i + 4 <= t->pixels; i += 4)
            taps_pixels(t, x + i * t->x_step + c, w + c, start, y + i * t->y_step + c, left, 4);
        for (; i < t->pixels; i++)
            taps_pixels(t, x + i * t->x_step + c, w + c, start, y + i * t->y_step + c, left, 1);
    }
}

/* `taps` is a constant: dy is loaded once for all of them. */
INLINE void taps_sums(const hki_taps *t, int tap, const float *x, const float *dy, float *dw,
                      int64_t left, int taps)
{
    vec sum[3];
    UNROLL(3)
    for (int k = 0; k < taps; k++)
        sum[k] = (vec){0};
    for (int64_t i = 0; i < t->pixels; i++) {
        vec g = load_some(dy + i * t->y_step, left);
        UNROLL(3)
        for (int k = 0; k < taps; k++)
            sum[k] += load_some(x + t->x_tap[tap + k] + i * t->x_step, left) * g;
    }
    UNROLL(3)
    for (int k = 0; k < taps; k++)
        store_some(dw + t->w_tap[tap + k],
                   load_some(dw + t->w_tap[tap + k], left) + sum[k], left);
}

static void taps_weight(const hki_taps *t, const float *x, const float *dy, float *dw)
{
    for (int64_t c = 0; c < t->channels; c += LANES) {
        int64_t left = t->channels - c;
        int k = 0;
        for (; k + 3 <= t->n; k += 3)
            taps_sums(t, k, x + c, dy + c, dw + c, left, 3);
        for (; k < t->n; k++)
            taps_sums(t, k, x + c, dy + c, dw + c, left, 1);
    }
}
