/* page/print_style.h - the style of printed pictures is one table, from which the SVG's style sheet is made
 * (print.c) and by which cairo draws (modules/pdf.c). Drawn is what draw.c writes: <g>, <path> and <text>, with a
 * class each. */
#pragma once

/* What the module pdf exports as hillock_pdf: draws what stands inside of an <svg>. NULL, or why it failed. */
typedef const char *page_pdf(const char *path, const char *inside, double width, double height);

/* A colour is 0xRRGGBB, or one of these. */
enum { NONE = -1, CURRENT = -2 };

typedef struct style {
    const char *class;
    int fill, stroke;
    double width, opacity;
} style;

static const style styles[] = {
    {"gridline", NONE, 0xDDDDDD, 0.7, 1}, {"axis", NONE, 0x555555, 0.8, 1},
    {"curve", NONE, CURRENT, 1.6, 1},     {"band", CURRENT, NONE, 0, 0.13},
    {"point", CURRENT, 0xFFFFFF, 0.8, 1}, {"seeds", NONE, CURRENT, 5, 0.4},
    {"mean", 0xFFFFFF, CURRENT, 1.8, 1},  {"bar", NONE, CURRENT, 1.6, 1},
    {"leader", NONE, CURRENT, 0.7, 0.4},  {"hover", NONE, NONE, 0, 1},
};
enum { STYLES = sizeof styles / sizeof *styles, INK = 0x222222, FONT_SIZE = 11 };

/* Of the series, by the number behind the s; those of page.css on white. */
static const int colours[] = {0x1A1F26, 0x1F6FD0, 0xC2500C, 0x12805C, 0x8A45C2, 0xC22F55,
                              0x0B7C93, 0x8D6B00, 0xB53A93, 0x7A5540, 0x4B59C9};
enum { COLOURS = sizeof colours / sizeof *colours, MOST_DASHES = 6 };

/* By the number behind the v; those of 0 by the colour. */
typedef struct dashes {
    double lengths[MOST_DASHES];
    int n;
} dashes;
static const dashes variants[] = {
    {{0}, 0}, {{14, 2.5}, 2}, {{1, 3}, 2}, {{14, 2.5, 1, 2.5, 1, 2.5}, 6}};
static const dashes own[COLOURS] = {
    {{6, 3}, 2}, {{0}, 0}, {{0}, 0},      {{0}, 0},          {{2, 3.5}, 2}, {{9, 3, 2, 3}, 4},
    {{0}, 0},    {{0}, 0}, {{2, 3.5}, 2}, {{9, 3, 2, 3}, 4}, {{0}, 0},
};
