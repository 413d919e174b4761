/* engine/product_kernels.h - products: sums of a times b held in registers. Part of
 * kernels_template.h.
 *
 * The heart is block(): rows x vectors sums held in registers; a step loads `vectors` of b and
 * multiplies them by one broadcast element of a for each row. */

/* Steps of b that are fetched ahead where it is walked through once for many rows of a: in place they
 * are too far apart for the processor to foresee. */
enum { AHEAD = 16 };

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
INLINE UNCHECKED void block(const hki_product *p, const hki_run *runs, int64_t n_runs,
                            int64_t first, bool add, int rows, int vectors, bool across)
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
            for (int j = 0; j < vectors; j++) {
                if (across && vectors > 1)
                    __builtin_prefetch(b + AHEAD * b_step + j * LANES);
                bv[j] = load(b + j * LANES);
            }
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
    float *y = p->y + first * p->y_row;
    ptrdiff_t y_row = p->y_row;
    if (!add && !p->bias && p->columns == vectors * LANES) {
        UNROLL(16)
        for (int i = 0; i < rows; i++, y += y_row)
            UNROLL(4)
        for (int j = 0; j < vectors; j++)
            store(y + j * LANES, sum[i][j]);
        return;
    }
    UNROLL(16)
    for (int i = 0; i < rows; i++, y += y_row)
        finish(p, add, y, sum[i], vectors);
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

/* Cuts the rows into register blocks of nearly equal height, the runs into passes: their steps together
 * at most HKI_DEPTH or HKI_PIXELS, or one run. */
static void product(const hki_product *p)
{
    static const int most_rows[MOST_VECTORS + 1] = {MOST_ROWS_OF};
    int vectors = (p->columns + LANES - 1) / LANES;
    block_function *const *table = p->a_step == 1 ? blocks_across[vectors] : blocks_along[vectors];
    int64_t n_blocks = hki_ceil(p->rows, most_rows[vectors]);
    int64_t from = 0, most = p->a_step == 1 ? HKI_DEPTH : HKI_PIXELS;
    do {
        int64_t to = from, steps = 0, first = 0;
        while (to < p->n_runs && (steps == 0 || steps + p->runs[to].length <= most))
            steps += p->runs[to++].length;
        for (int64_t i = 0; i < n_blocks; i++) {
            int64_t next = p->rows * (i + 1) / n_blocks;
            table[next - first](p, p->runs + from, to - from, first, p->add || from > 0);
            first = next;
        }
        from = to;
    } while (from < p->n_runs);
}
