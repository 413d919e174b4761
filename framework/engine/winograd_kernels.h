/* engine/winograd_kernels.h - the transforms of Winograd's minimal filtering F(4x4, 3x3), and of
 * F(2x2, 3x3) for small images. Part of kernels_template.h.
 *
 * With the points 0, 1, -1, 2, -2 and infinity, a 4x4 tile of a 3x3 correlation is
 *     y = A' [ (G g G') . (B' d B) ] A        d: 6x6 patch, g: filter, .: element by element
 * and its gradients are the transposed maps. Lavin, Gray 2016, arXiv:1509.09308. A line is six
 * numbers of one direction, here six vectors of channels; a patch goes through line by line,
 * first down, then across. F(2x2, 3x3) has the points 0, 1, -1 and infinity: lines of four. */

/* B' d */
INLINE void input_line(const vec *d, vec *o)
{
    vec even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1];
    vec far = d[4] - d[2], twice = 2 * (d[3] - d[1]);
    o[0] = 4 * d[0] - 5 * d[2] + d[4];
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = far + twice;
    o[4] = far - twice;
    o[5] = 4 * d[1] - 5 * d[3] + d[5];
}

/* A' m */
INLINE void output_line(const vec *m, vec *o)
{
    vec near = m[1] + m[2], near_odd = m[1] - m[2], far = m[3] + m[4], far_odd = m[3] - m[4];
    o[0] = m[0] + near + far;
    o[1] = near_odd + 2 * far_odd;
    o[2] = near + 4 * far;
    o[3] = near_odd + 8 * far_odd + m[5];
}

/* B' d and A' m of F(2x2, 3x3). */
INLINE void small_input_line(const vec *d, vec *o)
{
    o[0] = d[0] - d[2];
    o[1] = d[1] + d[2];
    o[2] = d[2] - d[1];
    o[3] = d[1] - d[3];
}

INLINE void small_output_line(const vec *m, vec *o)
{
    o[0] = m[0] + m[1] + m[2];
    o[1] = m[1] - m[2] - m[3];
}

/* A dy */
INLINE void gradient_line(const vec *d, vec *o)
{
    vec even = d[0] + d[2], odd = d[1] + d[3];
    vec far = d[0] + 4 * d[2], far_odd = 2 * d[1] + 8 * d[3];
    o[0] = d[0];
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = far + far_odd;
    o[4] = far - far_odd;
    o[5] = d[3];
}

/* G g */
INLINE void filter_line(const vec *g, vec *o)
{
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, part = 1.0f / 24;
    vec near = -sixth * (g[0] + g[2]), far = part * g[0] + sixth * g[2];
    o[0] = 0.25f * g[0];
    o[1] = near - sixth * g[1];
    o[2] = near + sixth * g[1];
    o[3] = far + twelfth * g[1];
    o[4] = far - twelfth * g[1];
    o[5] = g[2];
}

INLINE void small_filter_line(const vec *g, vec *o)
{
    vec ends = 0.5f * (g[0] + g[2]);
    o[0] = g[0];
    o[1] = ends + 0.5f * g[1];
    o[2] = ends - 0.5f * g[1];
    o[3] = g[2];
}

/* G' m */
INLINE void filter_gradient_line(const vec *m, vec *o)
{
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, part = 1.0f / 24;
    vec near = m[1] + m[2], far = m[3] + m[4];
    o[0] = 0.25f * m[0] - sixth * near + part * far;
    o[1] = sixth * (m[2] - m[1]) + twelfth * (m[3] - m[4]);
    o[2] = sixth * (far - near) + m[5];
}

typedef void line_map(const vec *from, vec *to);

INLINE void turn_line(line_map *map, int size, vec (*columns)[6], int i, vec *to)
{
    vec line[6];
    UNROLL(6)
    for (int j = 0; j < size; j++)
        line[j] = columns[j][i];
    map(line, to);
}

/* Rows of a column of pixels, transformed. `inside`: none of the rows is outside. */
INLINE void read_column(const hki_tiles *t, line_map *map, int size, int64_t column, int64_t c,
                        int64_t left, bool inside, vec *to)
{
    vec line[6];
    bool there = column >= 0 && column < t->width;
    UNROLL(6)
    for (int i = 0; i < size; i++)
        line[i] = there && (inside || t->row[i])
                      ? load_some(t->row[i] + column * t->pixel + c, left)
                      : (vec){0};
    map(line, to);
}

/* One vector of channels of all tiles: patches of size x size pixels become lines x lines numbers.
 * Neighbouring tiles share what they both see, `shared` columns. What does not fit the registers
 * is left in memory on purpose: loops that are not unrolled need few addresses. */
INLINE void read_tiles(const hki_tiles *t, line_map *map, int size, int shared, int lines,
                       int64_t c, int64_t left, bool inside, float *out)
{
    vec columns[6][6], to[6];
    int64_t at = t->first;
    UNROLL(2)
    for (int j = 0; j < shared; j++)
        read_column(t, map, size, at + j, c, left, inside, columns[j]);
    for (int64_t tile = 0; tile < t->tiles; tile++, at += size - shared, out += t->pitch) {
        ROLLED
        for (int j = shared; j < size; j++)
            read_column(t, map, size, at + j, c, left, inside, columns[j]);
        float *row = out + c;
        ROLLED
        for (int i = 0; i < lines; i++, row += lines * t->plane) {
            turn_line(map, size, columns, i, to);
            UNROLL(6)
            for (int j = 0; j < lines; j++)
                store_some(row + j * t->plane, to[j], left);
        }
        UNROLL(2)
        for (int j = 0; j < shared; j++)
            memcpy(columns[j], columns[size - shared + j], sizeof columns[j]);
    }
}

INLINE void read_channels(const hki_tiles *given, line_map *map, int size, int shared, int lines,
                          float *out)
{
    const hki_tiles own = *given, *t = &own; /* which no store to `out` can change */
    bool inside = true;
    for (int i = 0; i < size; i++)
        inside = inside && t->row[i];
    for (int64_t c = 0; c < t->channels; c += LANES)
        if (c + LANES > t->channels)
            read_tiles(t, map, size, shared, lines, c, t->channels - c, false, out);
        else if (inside)
            read_tiles(t, map, size, shared, lines, c, LANES, true, out);
        else
            read_tiles(t, map, size, shared, lines, c, LANES, false, out);
}

UNCHECKED static void winograd_input(const hki_tiles *t, float *v)
{
    if (t->side == 4)
        read_channels(t, input_line, 6, 2, 6, v);
    else
        read_channels(t, small_input_line, 4, 2, 4, v);
}

UNCHECKED static void winograd_gradient(const hki_tiles *t, float *d)
{
    read_channels(t, gradient_line, 4, 0, 6, d);
}

INLINE void write_tile(const hki_tiles *t, line_map *map, int side, const float *m, vec start,
                       int rows, int64_t columns, bool add, float *y, ptrdiff_t y_row, int64_t left)
{
    vec half[6][6], to[6];
    int lines = side + 2;
    ROLLED
    for (int j = 0; j < lines; j++, m += t->plane) {
        vec line[6];
        UNROLL(6)
        for (int i = 0; i < lines; i++)
            line[i] = load_some(m + lines * i * t->plane, left);
        map(line, half[j]);
    }
    UNROLL(4)
    for (int i = 0; i < side; i++) {
        turn_line(map, lines, half, i, to);
        UNROLL(4)
        for (int j = 0; j < side; j++)
            if (i < rows && j < columns) {
                float *at = y + i * y_row + j * t->pixel;
                store_some(at, to[j] + (add ? load_some(at, left) : start), left);
            }
    }
}

INLINE void write_channels(const hki_tiles *given, line_map *map, int side, const float *m,
                           const float *bias, int rows, bool add, float *y, ptrdiff_t y_row)
{
    const hki_tiles own = *given, *t = &own;
    for (int64_t c = 0; c < t->channels; c += LANES) {
        int64_t left = t->channels - c, columns = t->width;
        vec start = bias ? load_some(bias + c, left) : (vec){0};
        const float *from = m + c;
        float *to = y + c;
        for (int64_t tile = 0; tile < t->tiles;
             tile++, from += t->pitch, to += side * t->pixel, columns -= side)
            if (left >= LANES && rows == side && columns >= side)
                write_tile(t, map, side, from, start, side, side, add, to, y_row, LANES);
            else
                write_tile(t, map, side, from, start, rows, columns, add, to, y_row, left);
    }
}

UNCHECKED static void winograd_output(const hki_tiles *t, const float *m, const float *bias,
                                      int rows, bool add, float *y, ptrdiff_t y_row)
{
    if (t->side == 4)
        write_channels(t, output_line, 4, m, bias, rows, add, y, y_row);
    else
        write_channels(t, small_output_line, 2, m, bias, rows, add, y, y_row);
}

/* from[size][size] through both directions into to[out][out]. */
INLINE void map_both_ways(line_map *map, int size, int out, vec (*from)[6], vec (*to)[6])
{
    vec half[6][6]; /* [column][row of the result] */
    UNROLL(6)
    for (int j = 0; j < size; j++)
        turn_line(map, size, from, j, half[j]);
    UNROLL(6)
    for (int i = 0; i < out; i++)
        turn_line(map, size, half, i, to[i]);
}

/* The nine taps of `n` filters that lie `each` floats apart. */
UNCHECKED static void winograd_filter(int side, const float *w, ptrdiff_t tap, ptrdiff_t each,
                                      int n, float *u, ptrdiff_t plane)
{
    vec from[6][6], to[6][6];
    float apart[9][LANES] = {{0}};
    bool together = each == 1 && n == LANES;
    for (int t = 0; !together && t < 9; t++)
        for (int i = 0; i < n; i++)
            apart[t][i] = w[t * tap + i * each];
    UNROLL(9)
    for (int t = 0; t < 9; t++)
        from[t / 3][t % 3] = load(together ? w + t * tap : apart[t]);
    int lines = side + 2;
    if (side == 4)
        map_both_ways(filter_line, 3, 6, from, to);
    else
        map_both_ways(small_filter_line, 3, 4, from, to);
    for (int i = 0; i < lines; i++)
        for (int j = 0; j < lines; j++)
            store(u + (i * lines + j) * plane, to[i][j]);
}

UNCHECKED static void winograd_filter_gradient(const float *m, ptrdiff_t plane, int64_t n,
                                               float *dw, ptrdiff_t tap)
{
    for (int64_t c = 0; c < n; c += LANES) {
        vec from[6][6], to[6][6];
        for (int e = 0; e < 36; e++)
            from[e / 6][e % 6] = load_some(m + e * plane + c, n - c);
        map_both_ways(filter_gradient_line, 6, 3, from, to);
        for (int t = 0; t < 9; t++)
            store_some(dw + t * tap + c, to[t / 3][t % 3], n - c);
    }
}
