/* draw.h - pictures in a page: inline SVG, coloured by the page's style sheet.
 *
 * A picture is drawn for its own size in pixels (about 360 or 170 wide), so that its letters stay
 * readable on a phone. Every picture has a title and a description for those who cannot see it, and
 * colour is never its only means: lines differ in dashes, cells show their value. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* A figure of a grid: caption, with a dot of a series' class or NULL, and <svg> with viewBox 0 0
 * width height. */
void page_draw_begin(FILE *to, const char *caption, const char *dot_class, double width,
                     double height, const char *title, const char *description);
void page_draw_end(FILE *to);

typedef enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END } anchor;
/* Text of unknown origin, cut after `most` characters. */
void page_draw_text(FILE *to, const char *class, double x, double y, anchor at, const char *text,
                    int most);
/* From one point to another. */
void page_draw_straight(FILE *to, const char *class, double x1, double y1, double x2, double y2);

/* ---- Charts: values over values -------------------------------------------------------------- */

/* From one end of an axis to the other, both positive where it is logarithmic; empty: low > high.
 */
typedef struct range {
    double low, high;
    bool log;
} range;
/* Widens it to take in the finite values. */
void page_range_take(range *r, const double *values, int n);
/* Gives it some air, and a width where it has none. */
void page_range_air(range *r);

/* The picture's size, and the rectangle in it that is plotted on. */
typedef struct chart {
    FILE *to;
    double width, height;
    double left, right, top, bottom;
    range x, y;
    bool y_percent;       /* y are shares: ticks say 50 % for 0.5 */
    int x_ticks, y_ticks; /* about how many; fewer where their labels would touch; of y 0: none */
    bool x_grid;          /* a line at each tick of x too */
} chart;

/* The usual rectangle for a picture of this size; the ranges are empty. */
chart page_chart_new(FILE *to, double width, double height);
double page_chart_x(const chart *c, double x);
double page_chart_y(const chart *c, double y);

/* 1, 2 or 5 times a power of ten, about `wanted` of them from end to end. */
double page_tick_step(double reach, int wanted);
/* Grid, ticks and their numbers; the name of x below. whole_x: ticks at integers only. */
void page_chart_axes(const chart *c, const char *x_name, bool whole_x);
/* Breaks at values that are not finite. */
void page_chart_line(const chart *c, const char *class, const double *x, const double *y, int n);
/* A vertical interval. */
void page_chart_bar(const chart *c, const char *class, double x, double low, double high);

typedef struct series {
    const char *label; /* NULL: a line alone, without marks and name */
    const char *class; /* of page_series_class, which decides colour, dashes, marks */
    const double *x, *y;
    const double *low, *high; /* of a band around y, or NULL */
    int n;
} series;
enum { LABELS = 106 }; /* room for their names at the right of a chart, pixels */
/* Their lines, with a mark at each value or only at the last; the first on top. Values are shown where the
 * pointer stands (titles, of long lines about twenty). Up to ten have bands, all have names. */
enum { MOST_SERIES = 24 }; /* of a chart */
/* The height of a picture in which so many series have their names below each other. */
double page_series_height(double usual, int n);
void page_chart_series(const chart *c, const series *all, int n, bool dots);
