/* engine/kernels_template.h - the kernels, in vector extensions; included once per instruction
 * set.
 *
 * The including file defines LANES, KERNELS (the name of the table), FEW_ROWS, EACH_BLOCK(F) with
 * the register blocks F(rows, vectors) that fit the registers, and MOST_ROWS_OF: the most
 * rows for 0, 1 .. 4 vectors. It also gives vec, load_part() and store_part().
 * The heart is block(): rows x vectors sums held in registers; a step loads `vectors` of b and
 * multiplies them by one broadcast element of a for each row. */

#define INLINE static inline __attribute__((always_inline))

typedef int32_t ivec __attribute__((vector_size(LANES * 4)));
typedef uint16_t hvec __attribute__((vector_size(LANES * 2)));

enum { MOST_ROWS = 16, MOST_VECTORS = 4 };

INLINE vec splat(float value)
{
    return value - (vec){0};
}

INLINE vec load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

INLINE vec load_some(const float *p, int64_t n)
{
    return n >= LANES ? load(p) : load_part(p, (int)n);
}

INLINE void store_some(float *p, vec v, int64_t n)
{
    if (n >= LANES)
        store(p, v);
    else
        store_part(p, v, (int)n);
}

/* ---- Products -------------------------------------------------------------------------------- */

/* Adds the sums of one row of a block to what y starts from. */
INLINE void finish(const hki_product *p, bool add, float *y, const vec *sum, int vectors)
{
    const float *start = add ? y : p->bias;
    UNROLL(4)
    for (int j = 0; j < vectors; j++) {
        int64_t left = p->columns - j * LANES;
        vec v = sum[j];
        if (start)
            v += load_some(start + j * LANES, left);
        store_some(y + j * LANES, v, left);
    }
}

/* Rows first .. first + rows - 1 of the product, over the given runs. `across`: the rows of a
 * are a_row apart and its steps are neighbours; else the rows are neighbours. */
INLINE UNCHECKED
void block(const hki_product *p, const hki_run *runs, int64_t n_runs, int64_t first, bool add,
           int rows, int vectors, bool across)
{
    ptrdiff_t a_row = across ? p->a_row : 1, a_step = across ? 1 : p->a_step, b_step = p->b_step;
    vec sum[MOST_ROWS][MOST_VECTORS];
    UNROLL(16)
    for (int i = 0; i < rows; i++)
        UNROLL(4)
        for (int j = 0; j < vectors; j++)
            sum[i][j] = (vec){0};

    for (int64_t r = 0; r < n_runs; r++) {
        const float *a = p->a + runs[r].a + first * a_row;
        const float *b = p->b + runs[r].b * b_step;
        /* One pointer for three rows: more would not fit the integer registers. */
        const float *three[MOST_ROWS / 3 + 1];
        UNROLL(6)
        for (int i = 0; i < (rows + 2) / 3; i++)
            three[i] = a + 3 * i * a_row;
        for (int64_t l = runs[r].length; l > 0; l--) {
            vec bv[MOST_VECTORS];
            UNROLL(4)
            for (int j = 0; j < vectors; j++)
                bv[j] = load(b + j * LANES);
            UNROLL(16)
            for (int i = 0; i < rows; i++)
                UNROLL(4)
                for (int j = 0; j < vectors; j++)
                    sum[i][j] += three[i / 3][i % 3 * a_row] * bv[j];
            b += b_step;
            UNROLL(6)
            for (int i = 0; i < (rows + 2) / 3; i++)
                three[i] += a_step;
        }
    }
    UNROLL(16)
    for (int i = 0; i < rows; i++)
        finish(p, add, p->y + (first + i) * p->y_row, sum[i], vectors);
}

typedef void block_function(const hki_product *p, const hki_run *runs, int64_t n_runs,
                            int64_t first, bool add);

#define DEFINE_BLOCK(rows, vectors)                                                                \
    UNCHECKED static void across_##rows##x##vectors(const hki_product *p, const hki_run *runs,     \
                                                    int64_t n_runs, int64_t first, bool add)       \
    {                                                                                              \
        block(p, runs, n_runs, first, add, rows, vectors, true);                                   \
    }                                                                                              \
    UNCHECKED static void along_##rows##x##vectors(const hki_product *p, const hki_run *runs,      \
                                                   int64_t n_runs, int64_t first, bool add)        \
    {                                                                                              \
        block(p, runs, n_runs, first, add, rows, vectors, false);                                  \
    }
EACH_BLOCK(DEFINE_BLOCK)

#define ACROSS_ENTRY(rows, vectors) [vectors][rows] = across_##rows##x##vectors,
#define ALONG_ENTRY(rows, vectors) [vectors][rows] = along_##rows##x##vectors,
static block_function *const blocks_across[MOST_VECTORS + 1][MOST_ROWS + 1] = {
    EACH_BLOCK(ACROSS_ENTRY)};
static block_function *const blocks_along[MOST_VECTORS + 1][MOST_ROWS + 1] = {
    EACH_BLOCK(ALONG_ENTRY)};

/* The runs that make one pass: their steps together at most HKI_DEPTH or HKI_PIXELS, or one run. */
static int64_t pass_end(const hki_product *p, int64_t from)
{
    int64_t most = p->a_step == 1 ? HKI_DEPTH : HKI_PIXELS, steps = 0, to = from;
    while (to < p->n_runs && (steps == 0 || steps + p->runs[to].length <= most))
        steps += p->runs[to++].length;
    return to;
}

/* Cuts the rows into register blocks of nearly equal height, the runs into passes. */
static void product(const hki_product *p)
{
    static const int most_rows[MOST_VECTORS + 1] = {MOST_ROWS_OF};
    int vectors = (p->columns + LANES - 1) / LANES;
    block_function *const *table = p->a_step == 1 ? blocks_across[vectors] : blocks_along[vectors];
    int64_t n_blocks = hki_ceil(p->rows, most_rows[vectors]);

    int64_t from = 0;
    do {
        int64_t to = pass_end(p, from), first = 0;
        for (int64_t i = 0; i < n_blocks; i++) {
            int64_t next = p->rows * (i + 1) / n_blocks;
            table[next - first](p, p->runs + from, to - from, first, p->add || from > 0);
            first = next;
        }
        from = to;
    } while (from < p->n_runs);
}

/* ---- Column sums ----------------------------------------------------------------------------- */

static void column_sums(int64_t rows, int64_t columns, const float *x, ptrdiff_t x_row,
                        float *out)
{
    for (int64_t c = 0; c < columns; c += LANES) {
        int64_t left = columns - c;
        vec total = {0};
        for (int64_t from = 0; from < rows; from += HKI_DEPTH) {
            int64_t to = hki_min(rows, from + HKI_DEPTH);
            vec sum = {0};
            for (int64_t r = from; r < to; r++)
                sum += load_some(x + r * x_row + c, left);
            total += sum;
        }
        store_some(out + c, total, left);
    }
}

/* ---- Depthwise ------------------------------------------------------------------------------- */

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

/* ---- Pooling --------------------------------------------------------------------------------- */

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

const hki_kernels KERNELS = {
    .lanes = LANES,
    .few_rows = FEW_ROWS,
    .product = product,
    .column_sums = column_sums,
    .taps_forward = taps_forward,
    .taps_weight = taps_weight,
    .max_forward = max_forward,
    .max_backward = max_backward,
    .avg_forward = avg_forward,
    .avg_backward = avg_backward,
};
