/* page.h - the HTML page of a report: one file that needs no network and runs no script.
 *
 * Everything is written to a FILE, in order: that of a draft (draft.h). One style sheet serves
 * light and dark schemes, phones, desktops and paper; a policy in the page's head forbids
 * everything but this style sheet, so that attributes style="" do not work: use the classes below.
 * Text given as `const char *` may be of unknown origin unless its name says html or class.
 *
 * Classes: s0 to s10, colours of series (s0: the baseline), and with v1 to v3 other dashes and marks of
 * the same colours; number (a cell: right-aligned); soft
 * (secondary text); better, worse, failed (verdicts); wide (left out on narrow screens). */
#pragma once
#include <stdbool.h>
#include <stdio.h>

enum { SERIES = 41, CAPTION_LETTERS = 60 };

/* "s1", "s3 v1": colour, and mark with dashes; `series` from 0 to SERIES - 1. */
const char *page_series_class(int series);

void page_begin(FILE *to, const char *title);
void page_end(FILE *to);

/* <section id="..."><h2> and, where it is not NULL, a line on how to read what follows; the id is
 * used as it is. */
void page_section(FILE *to, const char *id, const char *title, const char *how_to_read);
void page_section_end(FILE *to);

/* The same within a section. */
void page_heading(FILE *to, const char *title, const char *how_to_read);
/* Nothing for an empty text or NULL. */
void page_paragraph(FILE *to, const char *class, const char *text);
/* A small disc in the colour of a series. */
void page_dot(FILE *to, const char *class);

/* Pictures side by side, as many as fit: wide ones of about 360 pixels, small ones of 170. */
typedef enum page_grid { GRID_WIDE, GRID_SMALL } page_grid;
void page_grid_begin(FILE *to, page_grid size);
void page_grid_end(FILE *to);
/* What is folded away behind a line: the numbers of a picture. */
void page_details(FILE *to, const char *summary);
void page_details_end(FILE *to);

/* A table that scrolls sideways where it is too wide. Each column's class is "", "number", "wide"
 * or "number wide", and so are its cells'. A row: page_row, then a cell for each column. */
typedef struct page_column {
    const char *name, *class;
} page_column;
void page_table(FILE *to, const char *caption, const char *class, const page_column *columns,
                int n);
void page_table_end(FILE *to);
void page_row(FILE *to);
void page_text_cell(FILE *to, const char *text);
/* A cell for each value, with so many digits behind the point; a dash where one is not finite. */
#define page_numbers(to, digits, ...)                                                              \
    page_number_cells(to, digits, (double[]){__VA_ARGS__},                                         \
                      (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)))
void page_number_cells(FILE *to, int digits, const double *values, int n);
/* "12.5 %" for 0.125. */
void page_percent_cell(FILE *to, const char *class, double share, int digits);
