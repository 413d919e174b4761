/* engine/depthwise_kernels.h - depthwise convolution: channel by channel, tap by tap. Part of
 * kernels_template.h. A copy of the description spares reading it again after each store. */

/* What the next row of outputs needs, nearer by the time: the processor does not foresee a vector of
 * channels of each pixel. `writes`: y, else it is read. */
INLINE UNCHECKED void taps_fetch(const hki_taps *t, const float *x, const float *y, int pixels,
                                 bool writes)
{
    const float *next = x + (t->rows - 1) * t->x_row + t->next_row, *to = y + t->y_row;
    UNROLL(6)
    for (int i = 0; i < pixels; i++) {
        __builtin_prefetch(next + i * t->x_step);
        if (writes) /* a constant for each copy; clang asks for one in the call itself */
            __builtin_prefetch(to + i * t->y_step, 1);
        else
            __builtin_prefetch(to + i * t->y_step, 0);
    }
    if (t->new_rows * t->new_columns == 1)
        return;
    for (int64_t r = 0; r < t->new_rows; r++)
        for (int64_t i = 0; i < pixels * t->new_columns; i++)
            __builtin_prefetch(next + r * t->next_row + i * t->next_column);
}

/* Adds `columns` taps of every row of taps to the sums of `pixels` outputs; both are constants, so
 * that a weight is loaded once for all pixels. One pointer for three pixels: more would not fit the
 * integer registers. */
INLINE UNCHECKED void taps_add(const hki_taps *t, const float *x, const float *w, int64_t left,
                               vec *sum, int pixels, int columns)
{
    ptrdiff_t x_step = t->x_step, next_row = t->x_row - columns * t->x_column;
    const float *three[2] = {x, x + 3 * x_step};
    for (int64_t r = t->rows; r > 0; r--, w += t->w_row) {
        const float *at = w;
        UNROLL(3)
        for (int u = 0; u < columns; u++, at += t->w_column) {
            vec wv = load_some(at, left);
            UNROLL(6)
            for (int i = 0; i < pixels; i++)
                sum[i] += load_some(three[i / 3] + i % 3 * x_step, left) * wv;
            three[0] += t->x_column;
            three[1] += t->x_column;
        }
        three[0] += next_row;
        three[1] += next_row;
    }
}

INLINE UNCHECKED void taps_pixels(const hki_taps *t, const float *x, const float *w, vec start,
                                  float *y, int64_t left, int pixels)
{
    vec sum[6];
    int64_t u = 0;
    taps_fetch(t, x, y, pixels, 1);
    UNROLL(6)
    for (int i = 0; i < pixels; i++)
        sum[i] = start;
    for (; u + 3 <= t->columns; u += 3)
        taps_add(t, x + u * t->x_column, w + u * t->w_column, left, sum, pixels, 3);
    if (u + 2 == t->columns)
        taps_add(t, x + u * t->x_column, w + u * t->w_column, left, sum, pixels, 2);
    else if (u + 1 == t->columns)
        taps_add(t, x + u * t->x_column, w + u * t->w_column, left, sum, pixels, 1);
    UNROLL(6)
    for (int i = 0; i < pixels; i++)
        store_some(y + i * t->y_step, sum[i], left);
}

/* One vector of channels of all pixels. */
INLINE UNCHECKED void taps_line(const hki_taps *t, const float *x, const float *w, vec start,
                                float *y, int64_t left)
{
    int64_t i = 0;
    for (; i + 6 <= t->pixels; i += 6)
        taps_pixels(t, x + i * t->x_step, w, start, y + i * t->y_step, left, 6);
    for (; i + 2 <= t->pixels; i += 2)
        taps_pixels(t, x + i * t->x_step, w, start, y + i * t->y_step, left, 2);
    for (; i < t->pixels; i++)
        taps_pixels(t, x + i * t->x_step, w, start, y + i * t->y_step, left, 1);
}

static UNCHECKED void taps_forward(const hki_taps *taps, const float *x, const float *w,
                                   const float *bias, float *y)
{
    const hki_taps own = *taps;
    int64_t c = 0, left = own.channels % LANES;
    for (; c + LANES <= own.channels; c += LANES)
        taps_line(&own, x + c, w + c, bias ? load(bias + c) : (vec){0}, y + c, LANES);
    if (left)
        taps_line(&own, x + c, w + c, bias ? load_some(bias + c, left) : (vec){0}, y + c, left);
}

/* The gradients of rows x columns taps, constants, so that dy is loaded once for all of them. */
INLINE UNCHECKED void taps_sums(const hki_taps *t, const float *x, const float *dy, float *dw,
                                int64_t left, int rows, int columns, bool first)
{
    vec sum[9];
    UNROLL(9)
    for (int k = 0; k < rows * columns; k++)
        sum[k] = (vec){0};
    for (int64_t i = t->pixels; i > 0; i--, x += t->x_step, dy += t->y_step) {
        vec g = load_some(dy, left);
        if (first)
            taps_fetch(t, x, dy, 1, 0);
        UNROLL(3)
        for (int r = 0; r < rows; r++)
            UNROLL(3)
        for (int u = 0; u < columns; u++)
            sum[r * columns + u] += load_some(x + r * t->x_row + u * t->x_column, left) * g;
    }
    UNROLL(3)
    for (int r = 0; r < rows; r++)
        UNROLL(3)
    for (int u = 0; u < columns; u++) {
        float *to = dw + r * t->w_row + u * t->w_column;
        store_some(to, load_some(to, left) + sum[r * columns + u], left);
    }
}

INLINE UNCHECKED void taps_columns(const hki_taps *t, const float *x, const float *dy, float *dw,
                                   int64_t left, int rows, bool first)
{
    int64_t u = 0;
    for (; u + 3 <= t->columns; u += 3)
        taps_sums(t, x + u * t->x_column, dy, dw + u * t->w_column, left, rows, 3, first && u == 0);
    for (; u < t->columns; u++)
        taps_sums(t, x + u * t->x_column, dy, dw + u * t->w_column, left, rows, 1, first && u == 0);
}

INLINE UNCHECKED void taps_gradient(const hki_taps *t, const float *x, const float *dy, float *dw,
                                    int64_t left)
{
    int64_t r = 0;
    for (; r + 3 <= t->rows; r += 3)
        taps_columns(t, x + r * t->x_row, dy, dw + r * t->w_row, left, 3, r == 0);
    for (; r < t->rows; r++)
        taps_columns(t, x + r * t->x_row, dy, dw + r * t->w_row, left, 1, r == 0);
}

static UNCHECKED void taps_weight(const hki_taps *taps, const float *x, const float *dy, float *dw)
{
    const hki_taps own = *taps;
    int64_t c = 0, left = own.channels % LANES;
    for (; c + LANES <= own.channels; c += LANES)
        taps_gradient(&own, x + c, dy + c, dw + c, LANES);
    if (left)
        taps_gradient(&own, x + c, dy + c, dw + c, left);
}
