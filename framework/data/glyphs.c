/* The built-in data set: the ten digits, drawn as strokes and then distorted.
 *
 * Image i of a split is a function of (seed, split, i) alone. Its class is i % 10. A digit is a
 * few chains of quadratic Bezier curves; each is bent, turned, sheared, scaled and moved at
 * random, cut into straight segments, and drawn by distance: a pixel's ink falls from 1 to 0
 * within one pixel of the stroke's edge. Stray strokes, contrast and noise follow. What makes the
 * set hard is what makes handwriting hard; the labels are always right.
 *
 * Only + - * / and sqrt are used, which IEEE 754 rounds alike everywhere, so the bytes are the
 * same on every machine. Rotations come from the rational points of the circle for that reason. */
#include "data/data.h"

#include <hillock/random.h>
#include <math.h>

enum {
    CLASSES = 10,
    MAX_POINTS = 11,
    PIECES = 6, /* straight segments a curve is cut into */
    MAX_STRAYS = 3
};

typedef struct point {
    float x, y;
} point;

/* Point, control, point, control, ..., point. A digit fills x -0.6..0.6 and y -1..1, downwards. */
typedef struct stroke {
    int n;
    point at[MAX_POINTS];
} stroke;

/* clang-format off */
static const stroke digits[CLASSES][2] = {
    {{9, {{0, -.9f}, {.58f, -.9f}, {.55f, 0}, {.52f, .9f}, {0, .9f}, {-.52f, .9f}, {-.55f, 0},
          {-.58f, -.9f}, {0, -.9f}}}},
    {{5, {{-.3f, -.5f}, {-.05f, -.6f}, {.1f, -.9f}, {.08f, 0}, {.05f, .9f}}}},
    {{9, {{-.5f, -.45f}, {-.5f, -.9f}, {0, -.9f}, {.5f, -.9f}, {.5f, -.4f}, {.45f, .1f},
          {-.5f, .88f}, {0, .85f}, {.55f, .85f}}}},
    {{5, {{-.45f, -.75f}, {.45f, -1.05f}, {.45f, -.5f}, {.45f, -.08f}, {-.12f, -.05f}}},
     {5, {{-.12f, -.05f}, {.55f, -.05f}, {.5f, .42f}, {.4f, 1.1f}, {-.5f, .75f}}}},
    {{5, {{.1f, -.9f}, {-.2f, -.2f}, {-.55f, .3f}, {0, .28f}, {.55f, .25f}}},
     {3, {{.3f, -.35f}, {.25f, .3f}, {.22f, .9f}}}},
    {{5, {{.48f, -.88f}, {.05f, -.87f}, {-.38f, -.88f}, {-.4f, -.5f}, {-.45f, -.12f}}},
     {7, {{-.45f, -.12f}, {-.2f, -.32f}, {.05f, -.3f}, {.55f, -.25f}, {.5f, .3f}, {.4f, 1.15f},
          {-.5f, .72f}}}},
    {{11, {{.38f, -.88f}, {-.45f, -.7f}, {-.5f, .3f}, {-.48f, .9f}, {0, .9f}, {.48f, .9f},
           {.5f, .38f}, {.48f, -.12f}, {.02f, -.12f}, {-.45f, -.12f}, {-.5f, .3f}}}},
    {{5, {{-.5f, -.82f}, {0, -.86f}, {.52f, -.85f}, {.15f, -.2f}, {-.15f, .9f}}}},
    {{9, {{0, -.08f}, {-.46f, -.12f}, {-.42f, -.5f}, {-.38f, -.9f}, {0, -.9f}, {.38f, -.9f},
          {.42f, -.5f}, {.46f, -.12f}, {0, -.08f}}},
     {9, {{0, -.08f}, {-.56f, -.02f}, {-.5f, .45f}, {-.45f, .9f}, {0, .9f}, {.45f, .9f},
          {.5f, .45f}, {.56f, -.02f}, {0, -.08f}}}},
    {{11, {{.52f, -.35f}, {.45f, .12f}, {-.02f, .12f}, {-.48f, .12f}, {-.5f, -.38f},
           {-.48f, -.9f}, {0, -.9f}, {.48f, -.9f}, {.52f, -.3f}, {.5f, .5f}, {.1f, .9f}}}},
};
/* clang-format on */

/* ---- Random numbers -------------------------------------------------------------------------- */

typedef struct rng {
    uint64_t key, drawn;
} rng;

static float uniform(rng *r, float low, float high)
{
    return low + (high - low) * hks_uniform(r->key, r->drawn++);
}

/* Near 0 more often than near the ends. */
static float around(rng *r, float reach)
{
    float sum = uniform(r, -reach, reach);
    sum += uniform(r, -reach, reach);
    return .5f * sum;
}

/* ---- Shape: from the unit digit to pixels ---------------------------------------------------- */

typedef struct warp {
    float bend[6]; /* of x by xx xy yy, then of y */
    float xx, xy, yx, yy, x, y;
} warp;

/* Turns by the angle whose half has tangent `half_tangent`; then shears, scales and moves. */
static warp random_warp(rng *r, float size)
{
    warp w;
    for (int i = 0; i < 6; i++)
        w.bend[i] = uniform(r, -.16f, .16f);
    float t = around(r, .3f), c = (1 - t * t) / (1 + t * t), s = 2 * t / (1 + t * t);
    float shear = uniform(r, -.3f, .3f);
    float height = size * uniform(r, .27f, .4f), width = height * uniform(r, .7f, 1.2f);
    w.xx = width * c, w.xy = height * (shear * c - s);
    w.yx = width * s, w.yy = height * (shear * s + c);
    w.x = .5f * size + size * around(r, .14f);
    w.y = .5f * size + size * around(r, .12f);
    return w;
}

static point warped(const warp *w, point p)
{
    const float *b = w->bend;
    float x = p.x + b[0] * p.x * p.x + b[1] * p.x * p.y + b[2] * p.y * p.y;
    float y = p.y + b[3] * p.x * p.x + b[4] * p.x * p.y + b[5] * p.y * p.y;
    return (point){w->x + w->xx * x + w->xy * y, w->y + w->yx * x + w->yy * y};
}

/* ---- Ink: a plane of bytes [size][size], 255 where a stroke is full -------------------------- */

typedef struct pen {
    uint8_t *plane;
    int size;
    float half_width, strength;
} pen;

static int clamp(float value, int high)
{
    return value < 0 ? 0 : value > (float)high ? high : (int)value;
}

static void draw_segment(const pen *p, point a, point b)
{
    point ab = {b.x - a.x, b.y - a.y};
    float inverse_length2 = 1 / (ab.x * ab.x + ab.y * ab.y + 1e-6f);
    float outer = p->half_width + .5f;
    int left = clamp((ab.x < 0 ? b.x : a.x) - outer, p->size);
    int right = clamp((ab.x < 0 ? a.x : b.x) + outer + 1, p->size);
    int top = clamp((ab.y < 0 ? b.y : a.y) - outer, p->size);
    int bottom = clamp((ab.y < 0 ? a.y : b.y) + outer + 1, p->size);
    for (int row = top; row < bottom; row++) {
        for (int column = left; column < right; column++) {
            float ax = (float)column + .5f - a.x, ay = (float)row + .5f - a.y;
            float t = (ax * ab.x + ay * ab.y) * inverse_length2; /* the nearest point: a + t ab */
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            float dx = ax - t * ab.x, dy = ay - t * ab.y, d2 = dx * dx + dy * dy;
            if (d2 >= outer * outer)
                continue;
            float cover = outer - sqrtf(d2);
            uint8_t ink = (uint8_t)((cover < 1 ? cover : 1) * p->strength);
            uint8_t *pixel = &p->plane[row * p->size + column];
            *pixel = *pixel > ink ? *pixel : ink;
        }
    }
}

static void draw_curve(const pen *p, point a, point control, point b)
{
    point from = a;
    for (int i = 1; i <= PIECES; i++) {
        float t = (float)i / PIECES, u = 1 - t;
        float wa = u * u, wc = 2 * u * t, wb = t * t;
        point to = {wa * a.x + wc * control.x + wb * b.x, wa * a.y + wc * control.y + wb * b.y};
        draw_segment(p, from, to);
        from = to;
    }
}

/* Strokes of no meaning: short, thinner and paler than the digit's. */
static void draw_strays(const pen *p, rng *r)
{
    float size = (float)p->size;
    int strays = (int)uniform(r, 0, MAX_STRAYS + 1);
    for (int i = 0; i < strays; i++) {
        pen stray = *p;
        stray.half_width *= uniform(r, .4f, .9f);
        stray.strength = uniform(r, 60, 190);
        point a, b, control;
        a.x = uniform(r, 0, size);
        a.y = uniform(r, 0, size);
        b.x = a.x + around(r, .4f * size);
        b.y = a.y + around(r, .4f * size);
        control.x = .5f * (a.x + b.x) + around(r, .15f * size);
        control.y = .5f * (a.y + b.y) + around(r, .15f * size);
        draw_curve(&stray, a, control, b);
    }
}

/* ---- Light: from ink to pixels --------------------------------------------------------------- */

/* Spreads the plane at the front of `image` over its channels, each with its own paper and ink.
 * From the last pixel to the first: a pixel is written at or behind where it was read. */
static void develop(rng *r, int size, int channels, uint8_t *image)
{
    float paper[HKI_GLYPHS_MAX_CHANNELS], ink[HKI_GLYPHS_MAX_CHANNELS];
    for (int c = 0; c < channels; c++) {
        paper[c] = uniform(r, 10, 80);
        ink[c] = uniform(r, 140, 245);
    }
    float noise = uniform(r, 4, 20);
    uint64_t grain_key = hki_key(r->key, HKI_STREAM_GLYPHS, 0, 0);
    uint32_t words[4];
    for (int at = size * size * channels - 1, drawn = -1; at >= 0; at--) {
        int c = at % channels;
        if (at / 4 != drawn)
            hks_philox(grain_key, (uint64_t)(drawn = at / 4), words);
        float cover = (float)image[at / channels] * (1 / 255.f);
        float light = paper[c] + (ink[c] - paper[c]) * cover;
        uint32_t word = words[at % 4]; /* the sum of its bytes is about normal */
        uint32_t sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24);
        light += noise * (((float)sum - 510) * (1 / 147.8f));
        image[at] = (uint8_t)clamp(light + .5f, 255);
    }
}

/* image[size][size][channels], zeroes before. */
static void draw_glyph(uint64_t key, int label, int size, int channels, uint8_t *image)
{
    rng r = {.key = key};
    warp w = random_warp(&r, (float)size);
    pen p = {image, size, .5f * (float)size * uniform(&r, .045f, .125f), 255};
    draw_strays(&p, &r);
    for (const stroke *s = digits[label]; s < digits[label] + 2; s++)
        for (int i = 0; i + 2 < s->n; i += 2)
            draw_curve(&p, warped(&w, s->at[i]), warped(&w, s->at[i + 1]),
                       warped(&w, s->at[i + 2]));
    develop(&r, size, channels, image);
}

static hk_status draw_set(const double *values, int split, double n, hk_data **out)
{
    int size = (int)values[HKI_GLYPHS_SIZE], channels = (int)values[HKI_GLYPHS_CHANNELS];
    hk_data_shape shape = {(int64_t)n, size, size, channels, CLASSES};
    hk_status status = hki_data_new(shape, HKI_BYTES, out);
    if (status)
        return status;
    hk_data *data = *out;
    uint64_t seed = (uint64_t)values[HKI_GLYPHS_SEED];
    int64_t area = (int64_t)size * size;
#pragma omp parallel for num_threads(hki_threads_for((shape.n * area))) schedule(static)
    for (int64_t i = 0; i < shape.n; i++) {
        data->labels[i] = (int32_t)(i % CLASSES);
        draw_glyph(hki_key(seed, HKI_STREAM_GLYPHS, (uint64_t)split, (uint64_t)i), data->labels[i],
                   size, channels, data->bytes + i * area * channels);
    }
    return HK_OK;
}

hk_status hki_glyphs_open(const hki_request *request, hk_data **train, hk_data **test)
{
    const double *values = request->values;
    hk_status status = draw_set(values, 0, values[HKI_GLYPHS_TRAIN], train);
    return status ? status : draw_set(values, 1, values[HKI_GLYPHS_TEST], test);
}
