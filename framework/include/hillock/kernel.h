/* hillock/kernel.h - for plugins in C: a template that makes kernels of a scalar formula, and maths.h.
 * Optional; imports nothing but libm.
 *
 * An elementwise activation is a value, a derivative and a line of metadata:
 *
 *     #include <hillock/kernel.h>
 *     HK_VALUE(return a.x < 0 ? 0 : a.x;)
 *     HK_SLOPE(return a.y > 0 ? 1 : 0;)
 *     HK_ELEMENTWISE(relu, HK_READS_Y, .summary = "max(0, x)", .source = "Fukushima 1969");
 *
 * Bodies are compiled twice: `real` is float in the kernels (compiled for each instruction set)
 * and double in the reference for checks and gains. `a` is the element:
 *     a.x, a.y      input, output (HK_SLOPE reads only what HK_ELEMENTWISE declares)
 *     a.p[i]        parameter i                     a.t[i]   slot i at this element's channel
 *     a.channel     index of the channel            a.u      uniform in [0, 1), HK_STOCHASTIC only
 *     a.training, a.surrogate                       as in hk_context
 * Write (real)0.5 for a constant that is not an integer: a bare 0.5 is a double and an error.
 * A comparison should propagate NaN: a.x < 0 ? 0 : a.x does, a.x > 0 ? a.x : 0 does not.
 *
 * A file of long bodies may begin with #define HK_OUT_OF_LINE: it is compiled in seconds, its kernels are
 * the same scalar code for each instruction set.
 *
 * With slots:  HK_SLOTS({...}, {...})        the table of hk_slot
 *              HK_GRADIENT(return ...;)      d value / d slot number `slot`, for learned slots
 *              HK_SUM(return ...;)           a statistic, summed per channel for update()
 * and instead of HK_ELEMENTWISE(name, flags, ...):
 *              HK_ELEMENTWISE_LEARNED(name, flags, ...)                      with HK_GRADIENT
 *              HK_ELEMENTWISE_ADAPTIVE(name, flags, update, ...)             with HK_SUM
 *              HK_ELEMENTWISE_LEARNED_ADAPTIVE(name, flags, update, ...)     with both
 *              HK_POINTWISE(name, formula, ...)      as LEARNED with HK_READS_X, and the
 *                                                    same as a normalization
 *
 * .formula = "max(0, x)" beside .summary says the value once more, for exports.
 * With parameters, in a plugin of any kind: HK_PARAMS. With kernels of its own: HK_BLOCK_KERNELS.
 * In an initializer: hks_fill_normal, hks_fill_uniform. */
#pragma once
#ifdef __cplusplus
#error "plugins are written in C: name the file .c and compile it as C11, hillock build FILE.c does"
#endif
#include <hillock/maths.h>
#include <hillock/normal.h>
#include <hillock/plugin.h>

/* HK_VECTORIZE: before a loop with independent iterations (in place is fine); HK_UNROLL: before a short
 * loop inside it; HK_INLINE: before every function that kernels call. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed" /* sanitizers and -O0 do not vectorize */
#define HK_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#define HK_UNROLL _Pragma("clang loop unroll(full)")
#else
#define HK_VECTORIZE _Pragma("GCC ivdep")
#define HK_UNROLL _Pragma("GCC unroll 16")
#endif

/* ---- Tables ---------------------------------------------------------------------------------- */
/* As HK_PARAMS defines `params`, HK_SLOTS({.name = "slope", ...}, {...}) defines `slots`. HK_ELEMENTWISE,
 * which has none, makes a type of the enumeration's name: what a compiler says of that is what to write. */
#define HK_SLOTS(...)                                                                              \
    enum { HK_SLOTS_needs_HK_ELEMENTWISE_LEARNED_or_HK_ELEMENTWISE_ADAPTIVE };                     \
    static const hk_slot slots[] = {__VA_ARGS__, {0}};                                             \
    _Static_assert(sizeof slots / sizeof *slots - 1 <= HK_MAX_SLOTS, "too many slots")

/* HK_BLOCK_KERNELS(forward, backward) compiles two HK_INLINE functions of type hk_block for each
 * instruction set; afterwards .kernels = HK_KERNELS. */
#define HK_BLOCK_KERNEL(target, name, function)                                                    \
    target static void name(const hk_context *context, const hk_tile *tile)                        \
    {                                                                                              \
        function(context, tile);                                                                   \
    }
#define HK_BLOCK_KERNELS_FOR(isa, attribute, has, forward, backward)                               \
    HK_BLOCK_KERNEL(attribute, hk_forward_##isa, forward)                                          \
    HK_BLOCK_KERNEL(attribute, hk_backward_##isa, backward)
#define HK_BLOCK_KERNELS(forward, backward) HK_EACH_ISA(HK_BLOCK_KERNELS_FOR, forward, backward)
#define HK_KERNELS_ROW(isa, ...) {hk_forward_##isa, hk_backward_##isa},
#define HK_KERNELS                                                                                 \
    {                                                                                              \
        HK_EACH_ISA(HK_KERNELS_ROW, )                                                              \
    }

/* ---- Initializers: filling a weight --------------------------------------------------------- */
/* Fills the requested elements with independent numbers: normal, or uniform in [low, high). */
HK_INLINE void hks_fill_normal(const hk_weight *weight, double mean, double deviation)
{
    float z[4];
    for (int64_t i = weight->first; i < weight->first + weight->count; i++) {
        if (i == weight->first || i % 4 == 0)
            hks_normal_block(weight->key, (uint64_t)i / 4, z);
        weight->w[i] = (float)(mean + deviation * (double)z[i % 4]);
    }
}

HK_INLINE void hks_fill_uniform(const hk_weight *weight, double low, double high)
{
    for (int64_t i = weight->first; i < weight->first + weight->count; i++)
        weight->w[i] = (float)(low + (high - low) * (double)hks_uniform(weight->key, (uint64_t)i));
}

/* ---- The scalar template: bodies ------------------------------------------------------------- */
typedef struct hk_scalar32 {
    float x, y, u;
    const float *p;
    float t[HK_MAX_SLOTS];
    int32_t channel;
    int training, surrogate;
} hk_scalar32;

/* In float bodies, double constants are an error: they would make the kernel slow. */
#define HK_BODY32(function, ...)                                                                   \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic error \"-Wdouble-promotion\"")          \
        HK_INLINE float                                                                            \
        function(hk_scalar32 a, int slot)                                                          \
    {                                                                                              \
        typedef float real;                                                                        \
        (void)sizeof(real), (void)a, (void)slot;                                                   \
        __VA_ARGS__                                                                                \
    }                                                                                              \
    _Pragma("GCC diagnostic pop")
#define HK_BODY64(function, slot_argument, ...)                                                    \
    static double function(const hk_scalar64 *hk_element slot_argument)                            \
    {                                                                                              \
        typedef double real;                                                                       \
        const hk_scalar64 a = *hk_element;                                                         \
        (void)sizeof(real), (void)a;                                                               \
        __VA_ARGS__                                                                                \
    }
#define HK_COMMA_SLOT , __attribute__((unused)) int slot

#define HK_VALUE(...) HK_BODY32(hk_value32, __VA_ARGS__) HK_BODY64(hk_value64, , __VA_ARGS__)
#define HK_SLOPE(...) HK_BODY32(hk_slope32, __VA_ARGS__) HK_BODY64(hk_slope64, , __VA_ARGS__)
#define HK_GRADIENT(...)                                                                           \
    HK_BODY32(hk_gradient32, __VA_ARGS__) HK_BODY64(hk_gradient64, HK_COMMA_SLOT, __VA_ARGS__)
#define HK_SUM(...) HK_BODY32(hk_sum32, __VA_ARGS__)

/* ---- Gated halves: y = a gate(b) for the halves a, b of a row's channels ------------------------
 *
 *     HK_GATE(return hks_sigmoid(a.x);)                  gate and its slope at the element a.x of b
 *     HK_GATE_SLOPE(return hks_sigmoid(a.x) * hks_sigmoid(-a.x);)
 *     HK_GATED_HALVES(glu, .summary = "a * sigmoid(b), x = [a, b]", .source = ...); */

#define HK_GATE(...) HK_BODY32(hk_gate32, __VA_ARGS__)
#define HK_GATE_SLOPE(...) HK_BODY32(hk_gate_slope32, __VA_ARGS__)

typedef float hk_body32(hk_scalar32, int);

#define HK_THIS(pass, call)                                                                        \
    HK_INLINE void hk_this_##pass(const hk_context *context, const hk_tile *tile)                  \
    {                                                                                              \
        call;                                                                                      \
    }

HK_INLINE void hk_halves_forward(const hk_context *context, const hk_tile *tile, hk_body32 *gate)
{
    const int64_t n = context->channels / 2;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *a = tile->x + row * 2 * n, *b = a + n;
        float *y = tile->y + row * n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++)
            y[j] = a[j] * gate((hk_scalar32){.x = b[j]}, 0);
    }
}

HK_INLINE void hk_halves_backward(const hk_context *context, const hk_tile *tile, hk_body32 *gate,
                                  hk_body32 *slope)
{
    const int64_t n = context->channels / 2;
    for (int64_t row = 0; row < tile->rows; row++) {
        const float *a = tile->x + row * 2 * n, *b = a + n, *dy = tile->dy + row * n;
        float *da = tile->dx + row * 2 * n, *db = da + n;
        HK_VECTORIZE
        for (int64_t j = 0; j < n; j++) {
            const hk_scalar32 at = {.x = b[j]};
            da[j] = dy[j] * gate(at, 0);
            db[j] = dy[j] * a[j] * slope(at, 0);
        }
    }
}

#define HK_GATED_HALVES(plugin, ...)                                                               \
    HK_THIS(forward, hk_halves_forward(context, tile, hk_gate32))                                  \
    HK_THIS(backward, hk_halves_backward(context, tile, hk_gate32, hk_gate_slope32))               \
    HK_BLOCK_KERNELS(hk_this_forward, hk_this_backward)                                            \
    static int64_t hk_half(__attribute__((unused)) const hk_context *context, int64_t channels)    \
    {                                                                                              \
        return channels % 2 ? 0 : channels / 2;                                                    \
    }                                                                                              \
    static const hk_activation hk_table = {                                                        \
        .reads = HK_READS_X, .kernels = HK_KERNELS, .channels_out = hk_half};                      \
    HK_BUNDLE({HK_ACTIVATION_ROW(plugin), .activation = &hk_table, __VA_ARGS__})

/* ---- The scalar template: loops --------------------------------------------------------------
 * Without slots a tile is one long loop. With slots it is processed in spans of at most HK_SPAN floats: a
 * block of columns, with as many whole rows as fit. Slot values are replicated over a span; sums are kept per
 * element of a span and reduced to channels at the end: so 6 channels are as fast as 64. */

enum { HK_SPAN = 256 };

/* Constant arguments of the loops, so that the compiler specializes them. */
typedef struct hk_elementwise {
    hk_body32 *value, *slope, *gradient, *sum; /* NULL: nothing is learned, no statistic */
    const hk_slot *slots;
    int n_slots;
    uint32_t flags; /* HK_READS_ and traits */
} hk_elementwise;

/* A block of columns. */
typedef struct hk_span {
    int64_t column, width, rows; /* width * rows <= HK_SPAN, unless there are no slots */
    float p[HK_MAX_PARAMS];
    _Alignas(64) float t[HK_MAX_SLOTS][HK_SPAN], sums[HK_MAX_SLOTS][HK_SPAN], u[HK_SPAN];
} hk_span;

HK_INLINE void hk_span_init(hk_span *span, const hk_elementwise *k, const hk_context *context,
                            const hk_tile *tile)
{
    const int64_t channels = context->channels, blocks = (channels + HK_SPAN - 1) / HK_SPAN;
    const int whole = !k->n_slots && !(k->flags & HK_STOCHASTIC);
    span->column = 0;
    span->width = whole ? channels : (channels + blocks - 1) / blocks;
    span->rows = whole ? tile->rows : blocks > 1 ? 1 : HK_SPAN / channels;
    for (int i = 0; i < HK_MAX_PARAMS; i++)
        span->p[i] = (float)context->params[i];
}

/* Replicates slot values for the columns from span->column on, and clears the sums. */
HK_INLINE void hk_span_load(hk_span *span, const hk_elementwise *k, const hk_context *context)
{
    if (span->width > context->channels - span->column)
        span->width = context->channels - span->column;
    for (int i = 0; i < k->n_slots; i++) {
        const int shared = k->slots[i].extent != HK_PER_CHANNEL;
        const float *from = context->slots[i] + (shared ? 0 : span->column);
        const int64_t width = shared ? 1 : span->width, rows = shared ? 1 : span->rows;
        for (int64_t r = 0; r < rows; r++)
            memcpy(span->t[i] + r * width, from, (size_t)width * sizeof *from);
    }
    if (k->gradient || k->sum)
        for (int i = 0; i < k->n_slots; i++)
            memset(span->sums[i], 0, sizeof span->sums[i]);
}

/* to += the elements of a span: per column, or all of them for a shared slot, by pairwise halving, which
 * overwrites them. Unused elements are 0. */
HK_INLINE void hk_span_fold(const hk_span *span, float *lane, int shared, float *to)
{
    for (int64_t half = shared ? HK_SPAN / 2 : 0; half; half /= 2) {
        HK_VECTORIZE
        for (int64_t j = 0; j < half; j++)
            lane[j] += lane[j + half];
    }
    const int64_t rows = shared ? 1 : span->rows, width = shared ? 1 : span->width;
    to += shared ? 0 : span->column;
    for (int64_t r = 0; r < rows; r++) {
        HK_VECTORIZE
        for (int64_t j = 0; j < width; j++)
            to[j] += lane[r * width + j];
    }
}

/* Random numbers first .. first + n - 1 of the key, n <= HK_SPAN, by whole Philox blocks. */
HK_INLINE void hk_span_draw(hk_span *span, uint64_t key, uint64_t first, int64_t n)
{
    const uint64_t block = first / 4, skip = first % 4;
    float u[HK_SPAN + 8];
    HK_VECTORIZE
    for (int64_t b = 0; b < (n + (int64_t)skip + 3) / 4; b++) {
        uint32_t word[4];
        hks_philox(key, block + (uint64_t)b, word);
        for (int i = 0; i < 4; i++)
            u[4 * b + i] = (float)(word[i] >> 8) * 0x1p-24f;
    }
    memcpy(span->u, u + skip, (size_t)n * sizeof *u);
}

/* Element j of the current rows, without x and y. */
HK_INLINE hk_scalar32 hk_span_element(const hk_span *span, const hk_elementwise *k,
                                      const hk_context *context, int64_t j)
{
    hk_scalar32 a = {.p = span->p};
    HK_UNROLL
    for (int i = 0; i < k->n_slots; i++)
        a.t[i] = span->t[i][k->slots[i].extent == HK_PER_CHANNEL ? j : 0]; /* shared: hoisted */
    a.u = (k->flags & HK_STOCHASTIC) && context->training ? span->u[j] : 0;
    a.channel = (int32_t)span->column + (int32_t)j % (int32_t)span->width;
    a.training = (int)context->training;
    a.surrogate = (int)context->surrogate;
    return a;
}

HK_INLINE void hk_elementwise_forward(const hk_elementwise *k, const hk_context *context,
                                      const hk_tile *tile)
{
    const int64_t channels = context->channels;
    const int draws = (k->flags & HK_STOCHASTIC) && context->training;
    hk_span span;
    hk_span_init(&span, k, context, tile);
    for (; span.column < channels; span.column += span.width) {
        hk_span_load(&span, k, context);
        for (int64_t row = 0; row < tile->rows; row += span.rows) {
            const int64_t left = tile->rows - row, at = row * channels + span.column;
            const int64_t n = (left < span.rows ? left : span.rows) * span.width;
            const float *x = tile->x + at;
            float *y = tile->y + at;
            if (draws)
                hk_span_draw(&span, context->key, (uint64_t)(tile->first_row * channels + at), n);
            HK_VECTORIZE
            for (int64_t j = 0; j < n; j++) {
                hk_scalar32 a = hk_span_element(&span, k, context, j);
                a.x = x[j];
                a.y = k->value(a, 0);
                y[j] = a.y;
                if (k->sum)
                    span.sums[0][j] += k->sum(a, 0);
            }
        }
        if (k->sum && tile->sums)
            hk_span_fold(&span, span.sums[0], 0, tile->sums);
    }
}

/* What the plugin did not declare to read is NaN in its bodies: a wrong declaration shows. */
HK_INLINE void hk_elementwise_backward(const hk_elementwise *k, const hk_context *context,
                                       const hk_tile *tile)
{
    const int64_t channels = context->channels;
    const int draws = (k->flags & HK_STOCHASTIC) && context->training;
    const int reads_x = k->flags & HK_READS_X, reads_y = k->flags & HK_READS_Y;
    hk_span span;
    hk_span_init(&span, k, context, tile);
    for (; span.column < channels; span.column += span.width) {
        hk_span_load(&span, k, context);
        for (int64_t row = 0; row < tile->rows; row += span.rows) {
            const int64_t left = tile->rows - row, at = row * channels + span.column;
            const int64_t n = (left < span.rows ? left : span.rows) * span.width;
            const float *x = reads_x ? tile->x + at : NULL, *y = reads_y ? tile->y + at : NULL;
            const float *dy = tile->dy + at;
            float *dx = tile->dx + at;
            if (draws)
                hk_span_draw(&span, context->key, (uint64_t)(tile->first_row * channels + at), n);
            HK_VECTORIZE
            for (int64_t j = 0; j < n; j++) {
                const float g = dy[j];
                hk_scalar32 a = hk_span_element(&span, k, context, j);
                a.x = reads_x ? x[j] : __builtin_nanf("");
                a.y = reads_y ? y[j] : __builtin_nanf("");
                HK_UNROLL
                for (int i = 0; i < k->n_slots; i++)
                    if (k->gradient && k->slots[i].role == HK_LEARNED)
                        span.sums[i][j] += g * k->gradient(a, i);
                dx[j] = g * k->slope(a, 0);
            }
        }
        for (int i = 0; i < k->n_slots; i++)
            if (k->gradient && tile->dslots && tile->dslots[i])
                hk_span_fold(&span, span.sums[i], k->slots[i].extent != HK_PER_CHANNEL,
                             tile->dslots[i]);
    }
}

/* ---- The scalar template: closing lines -------------------------------------------------------
 * HK_ELEMENTWISE(name, what its slope reads | traits, .summary = ..., .source = ..., ...);
 * The fields are those of hk_plugin. HK_IN_PLACE is understood. A file with several plugins
 * writes one of the _TABLE lines and its own HK_BUNDLE with .activation = &hk_table. */

#define HK_TABLE(flags_, slots_, n_slots_, gradient32, gradient64, n_sums_, sum32, update_)        \
    static const hk_elementwise hk_this = {hk_value32, hk_slope32, gradient32, sum32,              \
                                           slots_,     n_slots_,   flags_};                        \
    HK_THIS(forward, hk_elementwise_forward(&hk_this, context, tile))                              \
    HK_THIS(backward, hk_elementwise_backward(&hk_this, context, tile))                            \
    HK_BLOCK_KERNELS(hk_this_forward, hk_this_backward)                                            \
    static const hk_activation hk_table = {.reads = (flags_) & (HK_READS_X | HK_READS_Y),          \
                                           .traits = HK_IN_PLACE |                                 \
                                                     ((flags_) & ~(HK_READS_X | HK_READS_Y)),      \
                                           .n_sums = n_sums_,                                      \
                                           .kernels = HK_KERNELS,                                  \
                                           .update = update_,                                      \
                                           .value = hk_value64,                                    \
                                           .slope = hk_slope64,                                    \
                                           .gradient = gradient64}
#define HK_SLOT_COUNT (sizeof slots / sizeof *slots - 1)
#define HK_ELEMENTWISE_TABLE(flags) HK_TABLE(flags, NULL, 0, NULL, NULL, 0, NULL, NULL)
#define HK_LEARNED_TABLE(flags)                                                                    \
    HK_TABLE(flags, slots, HK_SLOT_COUNT, hk_gradient32, hk_gradient64, 0, NULL, NULL)
#define HK_ADAPTIVE_TABLE(flags, update)                                                           \
    HK_TABLE(flags, slots, HK_SLOT_COUNT, NULL, NULL, 1, hk_sum32, update)
#define HK_LEARNED_ADAPTIVE_TABLE(flags, update)                                                   \
    HK_TABLE(flags, slots, HK_SLOT_COUNT, hk_gradient32, hk_gradient64, 1, hk_sum32, update)

/* The common fields of a row of HK_BUNDLE. */
#define HK_ACTIVATION_ROW(plugin)                                                                  \
    .kind = HK_ACTIVATION, .size = sizeof(hk_activation), .name = #plugin
#define HK_NORMALIZATION_ROW(plugin)                                                               \
    .kind = HK_NORMALIZATION, .size = sizeof(hk_normalization), .name = #plugin
#define HK_INITIALIZER_ROW(plugin)                                                                 \
    .kind = HK_INITIALIZER, .size = sizeof(hk_initializer), .name = #plugin

#define HK_ELEMENTWISE(plugin, flags, ...)                                                         \
    typedef int HK_SLOTS_needs_HK_ELEMENTWISE_LEARNED_or_HK_ELEMENTWISE_ADAPTIVE;                  \
    HK_ELEMENTWISE_TABLE(flags);                                                                   \
    HK_BUNDLE({HK_ACTIVATION_ROW(plugin), .activation = &hk_table, __VA_ARGS__})
#define HK_ELEMENTWISE_LEARNED(plugin, flags, ...)                                                 \
    HK_LEARNED_TABLE(flags);                                                                       \
    HK_BUNDLE({HK_ACTIVATION_ROW(plugin), .activation = &hk_table, .slots = slots, __VA_ARGS__})
#define HK_ELEMENTWISE_ADAPTIVE(plugin, flags, update, ...)                                        \
    HK_ADAPTIVE_TABLE(flags, update);                                                              \
    HK_BUNDLE({HK_ACTIVATION_ROW(plugin), .activation = &hk_table, .slots = slots, __VA_ARGS__})
#define HK_ELEMENTWISE_LEARNED_ADAPTIVE(plugin, flags, update, ...)                                \
    HK_LEARNED_ADAPTIVE_TABLE(flags, update);                                                      \
    HK_BUNDLE({HK_ACTIVATION_ROW(plugin), .activation = &hk_table, .slots = slots, __VA_ARGS__})
#define HK_POINTWISE(plugin, formula_, ...)                                                        \
    HK_LEARNED_TABLE(HK_READS_X);                                                                  \
    static hk_domain hk_row_by_row(const hk_context *context)                                      \
    {                                                                                              \
        (void)context;                                                                             \
        return HK_OVER_ROW;                                                                        \
    }                                                                                              \
    static const hk_normalization hk_pointwise = {.domain = hk_row_by_row, .kernels = HK_KERNELS}; \
    HK_BUNDLE({HK_ACTIVATION_ROW(plugin), .activation = &hk_table, .slots = slots,                 \
               .formula = formula_, __VA_ARGS__},                                                  \
              {HK_NORMALIZATION_ROW(plugin), .normalization = &hk_pointwise, .slots = slots,       \
               __VA_ARGS__})
