/* draw.h - pictures in a page: inline SVG, coloured by the page's style sheet.
 *
 * A picture is drawn for its own size in pixels (about 360 or 170 wide), so that its letters stay
 * readable on a phone. Every picture has a title and a description for those who cannot see it, and
 * colour is never its only means: lines differ in dashes, cells say their value. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

/* <svg> with viewBox 0 0 width height. */
void draw_begin(FILE *to, double width, double height, const char *title, const char *description);
void draw_end(FILE *to);

typedef enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END } anchor;
/* Text of unknown origin, cut after `most` characters. */
void draw_text(FILE *to, const char *class, double x, double y, anchor at, const char *text,
               int most);

void draw_straight(FILE *to, const char *class, double x1, double y1, double x2, double y2);

/* ---- Charts: values over values -------------------------------------------------------------- */

/* The picture's size, the rectangle in it that is plotted on, and the values at its edges. A
 * logarithmic axis has positive ends. */
typedef struct chart {
    FILE *to;
    double width, height;
    double left, right, top, bottom;
    double x_low, x_high, y_low, y_high;
    bool x_log, y_log;
    bool y_percent; /* y are shares: ticks say 50 % for 0.5 */
} chart;

/* The usual rectangle for a picture of this size; the ends of the axes are 0. */
chart chart_new(FILE *to, double width, double height);
/* Widens low..high to take in the finite values; start with low > high. */
void range_take(double *low, double *high, const double *values, int n);
/* Gives the range some air, and a width where it has none. */
void range_air(double *low, double *high, bool is_log);

double chart_x(const chart *c, double x);
double chart_y(const chart *c, double y);

/* Grid, ticks and their numbers; the name of x below. whole_x: ticks at whole numbers alone. */
void chart_axes(const chart *c, const char *x_name, bool whole_x);
/* Curves break at values that are not finite; one point alone is a dot. */
void chart_line(const chart *c, const char *class, const double *x, const double *y, int n);
void chart_band(const chart *c, const char *class, const double *x, const double *low,
                const double *high, int n);
void chart_dot(const chart *c, const char *class, double x, double y);
/* A vertical interval. */
void chart_bar(const chart *c, const char *class, double x, double low, double high);

/* Names at the right of a chart, moved apart where they would touch; sorts them. */
typedef struct chart_label {
    const char *text, *class;
    double x, y; /* values of what it names */
} chart_label;
enum { SERIES_LABELS = 16, LABELS = 106 }; /* at most; room for them, pixels */
void chart_labels(const chart *c, chart_label *labels, int n);
