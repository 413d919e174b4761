/* orthogonal: gain times a random orthogonal matrix, uniform over all of them. Of the weight
 * [rows x columns] the shorter side is orthonormal: columns when rows >= columns, else rows.
 * Saxe, McClelland, Ganguli 2014, arXiv:1312.6120, section 3.
 * delta_orthogonal: such a matrix at the centre of a convolution's kernel, 0 elsewhere; it keeps
 * lengths and so needs at least as many filters as input channels.
 * Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington 2018, arXiv:1806.05393, section 2.
 *
 * A normal matrix is orthonormalized by Gram-Schmidt, each vector twice ("twice is
 * enough": Giraud, Langou, Rozloznik 2005), with sums in double. The triangular factor then has a
 * positive diagonal, which is what makes the result uniform (Mezzadri 2007,
 * arXiv:math-ph/0609050, section 5). */
#include <hillock/kernel.h>

HK_PARAMS({.name = "gain",
           .doc = "length of the vectors; 0: the gain of the activation that follows",
           .type = HK_REAL,
           .value = 1,
           .low = 0,
           .high = 1000});

enum { BLOCK = 256 }; /* vectors projected out at once */

/* Removes from column v of w[rows x columns] its parts along the columns before it. Walks rows, so
 * that memory is read in order. */
static void make_normal_to_columns(float *w, int64_t rows, int64_t columns, int64_t v)
{
    for (int64_t first = 0; first < v; first += BLOCK) {
        const int64_t n = v - first < BLOCK ? v - first : BLOCK;
        double part[BLOCK] = {0};
        for (int64_t i = 0; i < rows; i++)
            for (int64_t u = 0; u < n; u++)
                part[u] += (double)w[i * columns + v] * (double)w[i * columns + first + u];
        for (int64_t i = 0; i < rows; i++) {
            double along = 0;
            for (int64_t u = 0; u < n; u++)
                along += part[u] * (double)w[i * columns + first + u];
            w[i * columns + v] = (float)((double)w[i * columns + v] - along);
        }
    }
}

/* The same for row v and the rows before it. */
static void make_normal_to_rows(float *w, int64_t columns, int64_t v)
{
    float *row = w + v * columns;
    for (int64_t u = 0; u < v; u++) {
        const float *other = w + u * columns;
        double part = 0;
        for (int64_t i = 0; i < columns; i++)
            part += (double)row[i] * (double)other[i];
        for (int64_t i = 0; i < columns; i++)
            row[i] = (float)((double)row[i] - part * (double)other[i]);
    }
}

/* Gives n floats, `stride` apart, the length `gain`. */
static void set_length(float *w, int64_t n, int64_t stride, double gain)
{
    double square = 0;
    for (int64_t i = 0; i < n; i++)
        square += (double)w[i * stride] * (double)w[i * stride];
    const double factor = gain / sqrt(square);
    for (int64_t i = 0; i < n; i++)
        w[i * stride] = (float)(factor * (double)w[i * stride]);
}

/* A random matrix w[rows x columns] with the shorter side orthogonal, of length gain. */
static void fill_matrix(uint64_t key, int64_t rows, int64_t columns, double gain, float *w)
{
    const int upright = rows >= columns;
    const int64_t count = upright ? columns : rows, length = upright ? rows : columns;
    const int64_t step = upright ? 1 : columns, stride = upright ? columns : 1;
    for (int64_t i = 0; i < rows * columns; i++)
        w[i] = hks_normal(key, (uint64_t)i);
    for (int64_t v = 0; v < count; v++) {
        for (int pass = 0; pass < 2; pass++)
            if (upright)
                make_normal_to_columns(w, rows, columns, v);
            else
                make_normal_to_rows(w, columns, v);
        set_length(w + v * step, length, stride, 1);
    }
    for (int64_t v = 0; v < count; v++)
        set_length(w + v * step, length, stride, gain);
}

static double gain_of(const hk_context *context, const hk_weight *weight)
{
    return context->params[0] > 0 ? context->params[0] : weight->gain;
}

static const char *fill(const hk_context *context, const hk_weight *weight)
{
    fill_matrix(weight->key, weight->rows, weight->columns, gain_of(context, weight), weight->w);
    return NULL;
}

static const char *fill_delta(const hk_context *context, const hk_weight *weight)
{
    const int64_t columns = weight->columns, side = (int64_t)sqrt((double)weight->kernel);
    const int64_t inputs = weight->rows / weight->kernel;
    const int64_t centre = (side - 1) / 2 * (side + 1) * inputs; /* its first row */
    if (side * side != weight->kernel || weight->fan_out != columns * weight->kernel)
        return "needs a square kernel and a single group";
    if (inputs > columns)
        return "needs at least as many filters as input channels";
    memset(weight->w, 0, (size_t)(weight->rows * columns) * sizeof *weight->w);
    fill_matrix(weight->key, inputs, columns, gain_of(context, weight),
                weight->w + centre * columns);
    return NULL;
}

static const hk_initializer orthogonal = {.fill = fill};
static const hk_initializer delta_orthogonal = {.fill = fill_delta};

HK_BUNDLE({HK_INITIALIZER_ROW(orthogonal), .initializer = &orthogonal, .params = params,
           .summary = "gain * a random orthogonal matrix",
           .source = "Saxe, McClelland, Ganguli 2014", .tags = "core,orthogonal"},
          {HK_INITIALIZER_ROW(delta_orthogonal), .initializer = &delta_orthogonal, .params = params,
           .summary = "gain * a random orthogonal matrix at the centre of the kernel",
           .source = "Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington 2018",
           .tags = "orthogonal"});
