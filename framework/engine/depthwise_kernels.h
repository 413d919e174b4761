/* engine/depthwise_kernels.h - depthwise convolution: channel by channel, tap by tap. Part of
 * kernels_template.h.
 *
 * A few neighbouring outputs are taken together, with all their channels: memory is read and written as it
 * lies, which the processor foresees, and a weight is loaded once for all of them. Where they `slide`, from
 * one output to the next by one column, so is a vector of x for all outputs that it meets. Numbers of outputs
 * and of columns are constants of each copy. A copy of the description spares reading it again after each
 * store. */

enum { MOST_PIXELS = 4, MOST_COLUMNS = 3 }; /* of outputs, of taps, taken together */

/* A vector of channels of `pixels` outputs, from `start`, or where that is NULL from y. One pointer for three
 * columns: more would not fit the integer registers. */
INLINE UNCHECKED void taps_vector(const hki_taps *t, const float *x, const float *w,
                                  const vec *start, float *y, int64_t left, int pixels, int columns,
                                  bool slides)
{
    const ptrdiff_t step = t->x_step;
    vec sum[MOST_PIXELS];
    UNROLL(4)
    for (int i = 0; i < pixels; i++)
        sum[i] = start ? *start : load_some(y + i * t->y_step, left);
    for (int64_t r = t->rows; r > 0; r--, w += t->w_row, x += t->x_row) {
        const float *three[2] = {x, x + 3 * step};
        vec own[MOST_COLUMNS];
        UNROLL(3)
        for (int u = 0; u < columns; u++)
            own[u] = load_some(w + u * t->w_column, left);
        if (slides) {
            UNROLL(6)
            for (int j = 0; j < pixels + columns - 1; j++) {
                const vec v = load_some(three[j / 3] + j % 3 * step, left);
                UNROLL(3)
                for (int u = columns - 1; u >= 0; u--)
                    if (j >= u && j - u < pixels)
                        sum[j - u] += v * own[u];
            }
        } else {
            UNROLL(4)
            for (int i = 0; i < pixels; i++)
                UNROLL(3)
            for (int u = 0; u < columns; u++)
                sum[i] += load_some(three[i / 3] + i % 3 * step + u * t->x_column, left) * own[u];
        }
    }
    UNROLL(4)
    for (int i = 0; i < pixels; i++) {
        store_some(y + i * t->y_step, sum[i], left);
        __builtin_prefetch(y + i * t->y_step + t->y_row, 1); /* to be written next */
    }
}

INLINE UNCHECKED void taps_pixels(const hki_taps *t, const float *x, const float *w,
                                  const float *bias, float *y, bool add, int pixels, int columns,
                                  bool slides)
{
    int64_t c = 0, left = t->channels % LANES;
    for (; c + LANES <= t->channels; c += LANES) {
        const vec start = bias ? load(bias + c) : (vec){0};
        taps_vector(t, x + c, w + c, add ? NULL : &start, y + c, LANES, pixels, columns, slides);
    }
    if (left) {
        const vec start = bias ? load_some(bias + c, left) : (vec){0};
        taps_vector(t, x + c, w + c, add ? NULL : &start, y + c, left, pixels, columns, slides);
    }
}

INLINE UNCHECKED void taps_columns(const hki_taps *t, const float *x, const float *w,
                                   const float *bias, float *y, bool add, int columns, bool slides)
{
    int64_t i = 0;
    for (; i + 4 <= t->pixels; i += 4)
        taps_pixels(t, x + i * t->x_step, w, bias, y + i * t->y_step, add, 4, columns, slides);
    for (; i + 2 <= t->pixels; i += 2)
        taps_pixels(t, x + i * t->x_step, w, bias, y + i * t->y_step, add, 2, columns, slides);
    for (; i < t->pixels; i++)
        taps_pixels(t, x + i * t->x_step, w, bias, y + i * t->y_step, add, 1, columns, slides);
}

/* Once, without rows, where there is no column. */
static UNCHECKED void taps_forward(const hki_taps *taps, const float *x, const float *w,
                                   const float *bias, float *y)
{
    hki_taps own = *taps;
    int64_t u = 0;
    own.rows = own.columns ? own.rows : 0;
    do {
        const int64_t columns = own.columns - u;
        if (columns >= 3 && own.x_step == own.x_column)
            taps_columns(&own, x, w, bias, y, u > 0, 3, true);
        else if (columns >= 3)
            taps_columns(&own, x, w, bias, y, u > 0, 3, false);
        else if (columns == 2)
            taps_columns(&own, x, w, bias, y, u > 0, 2, false);
        else
            taps_columns(&own, x, w, bias, y, u > 0, 1, false);
        x += 3 * own.x_column;
        w += 3 * own.w_column;
        u += 3;
    } while (u < own.columns);
}

/* The same for the gradients of the taps: dw += what `pixels` outputs give. */
INLINE UNCHECKED void weight_vector(const hki_taps *t, const float *x, const float *dy, float *dw,
                                    int64_t left, int pixels, int columns, bool slides)
{
    const ptrdiff_t step = t->x_step;
    vec g[MOST_PIXELS];
    UNROLL(4)
    for (int i = 0; i < pixels; i++)
        g[i] = load_some(dy + i * t->y_step, left);
    for (int64_t r = t->rows; r > 0; r--, x += t->x_row, dw += t->w_row) {
        const float *three[2] = {x, x + 3 * step};
        vec sum[MOST_COLUMNS];
        UNROLL(3)
        for (int u = 0; u < columns; u++)
            sum[u] = load_some(dw + u * t->w_column, left);
        if (slides) {
            UNROLL(6)
            for (int j = 0; j < pixels + columns - 1; j++) {
                const vec v = load_some(three[j / 3] + j % 3 * step, left);
                UNROLL(3)
                for (int u = 0; u < columns; u++)
                    if (j >= u && j - u < pixels)
                        sum[u] += v * g[j - u];
            }
        } else {
            UNROLL(4)
            for (int i = 0; i < pixels; i++)
                UNROLL(3)
            for (int u = 0; u < columns; u++)
                sum[u] += load_some(three[i / 3] + i % 3 * step + u * t->x_column, left) * g[i];
        }
        UNROLL(3)
        for (int u = 0; u < columns; u++)
            store_some(dw + u * t->w_column, sum[u], left);
    }
}

INLINE UNCHECKED void weight_pixels(const hki_taps *t, const float *x, const float *dy, float *dw,
                                    int pixels, int columns, bool slides)
{
    int64_t c = 0, left = t->channels % LANES;
    for (; c + LANES <= t->channels; c += LANES)
        weight_vector(t, x + c, dy + c, dw + c, LANES, pixels, columns, slides);
    if (left)
        weight_vector(t, x + c, dy + c, dw + c, left, pixels, columns, slides);
}

INLINE UNCHECKED void weight_columns(const hki_taps *t, const float *x, const float *dy, float *dw,
                                     int columns, bool slides)
{
    int64_t i = 0;
    for (; i + 4 <= t->pixels; i += 4)
        weight_pixels(t, x + i * t->x_step, dy + i * t->y_step, dw, 4, columns, slides);
    for (; i + 2 <= t->pixels; i += 2)
        weight_pixels(t, x + i * t->x_step, dy + i * t->y_step, dw, 2, columns, slides);
    for (; i < t->pixels; i++)
        weight_pixels(t, x + i * t->x_step, dy + i * t->y_step, dw, 1, columns, slides);
}

static UNCHECKED void taps_weight(const hki_taps *taps, const float *x, const float *dy, float *dw)
{
    const hki_taps own = *taps;
    for (int64_t u = 0; u < own.columns; u += 3, x += 3 * own.x_column, dw += 3 * own.w_column) {
        const int64_t columns = own.columns - u;
        if (columns >= 3 && own.x_step == own.x_column)
            weight_columns(&own, x, dy, dw, 3, true);
        else if (columns >= 3)
            weight_columns(&own, x, dy, dw, 3, false);
        else if (columns == 2)
            weight_columns(&own, x, dy, dw, 2, false);
        else
            weight_columns(&own, x, dy, dw, 1, false);
    }
}
