/* Drawing pictures with cairo, as PDF: a module, since cairo and all that it links would take the start of
 * each run half as long again. */
#include "page/print_style.h"

#include <cairo-pdf.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct drawing {
    cairo_t *to;
    char group[64]; /* classes of the <g> around */
} drawing;

/* The value of an attribute of the tag that begins here; "" where it has none. */
static void attribute(const char *tag, const char *name, char *out, size_t size)
{
    char pattern[32];
    const char *end = strchr(tag, '>');
    snprintf(pattern, sizeof pattern, " %s=\"", name);
    const char *at = strstr(tag, pattern);
    *out = '\0';
    if (at && end && at < end) {
        at += strlen(pattern);
        snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
    }
}

/* The number behind this letter in a list of classes: "curve s3 v1"; -1: none. */
static int number_behind(const char *classes, char letter)
{
    for (const char *word = classes; *word; word += strcspn(word, " "), word += strspn(word, " "))
        if (*word == letter && word[1] >= '0' && word[1] <= '9')
            return atoi(word + 1);
    return -1;
}

static int series_of(const drawing *d, const char *classes)
{
    const int own_number = number_behind(classes, 's');
    const int number = own_number >= 0 ? own_number : number_behind(d->group, 's');
    return number < 0 || number >= COLOURS ? 0 : number;
}

static void use_colour(const drawing *d, int colour, const char *classes, double opacity)
{
    const int rgb = colour == CURRENT ? colours[series_of(d, classes)] : colour;
    cairo_set_source_rgba(d->to, (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0,
                          opacity);
}

/* A path's letters are those that draw.c uses; arcs are halves of circles. */
static void trace(cairo_t *to, const char *d)
{
    char letter = 'M', *end;
    double v[7], x, y;
    while (*d) {
        if (strchr("MLHVmlhvaz", *d))
            letter = *d++;
        const int n = letter == 'z' ? 0 : letter == 'a' ? 7 : strchr("HVhv", letter) ? 1 : 2;
        for (int i = 0; i < n; i++, d = end) {
            v[i] = strtod(d, &end);
            if (end == d)
                return;
        }
        cairo_get_current_point(to, &x, &y);
        switch (letter) {
        case 'M': cairo_move_to(to, v[0], v[1]); break;
        case 'L': cairo_line_to(to, v[0], v[1]); break;
        case 'H': cairo_line_to(to, v[0], y); break;
        case 'V': cairo_line_to(to, x, v[0]); break;
        case 'm': cairo_rel_move_to(to, v[0], v[1]); break;
        case 'l': cairo_rel_line_to(to, v[0], v[1]); break;
        case 'h': cairo_rel_line_to(to, v[0], 0); break;
        case 'v': cairo_rel_line_to(to, 0, v[0]); break;
        case 'a': {
            const double from = v[5] > 0 ? M_PI : 0;
            cairo_arc_negative(to, x + v[5] / 2, y, v[0], from, from - M_PI);
            break;
        }
        default: cairo_close_path(to), letter = 'M';
        }
        d += strspn(d, " ");
    }
}

static void draw_path(const drawing *d, const char *tag)
{
    char classes[64];
    const char *end = strchr(tag, '>'), *path = strstr(tag, " d=\"");
    const style *s = styles;
    attribute(tag, "class", classes, sizeof classes);
    while (s < styles + STYLES && strncmp(classes, s->class, strcspn(classes, " ")) != 0)
        s++;
    if (s == styles + STYLES || !path || path > end)
        return;
    char *text = strndup(path + 4, strcspn(path + 4, "\""));
    if (!text)
        return;
    trace(d->to, text);
    free(text);
    if (s->fill != NONE) {
        use_colour(d, s->fill, classes, s->opacity);
        cairo_fill_preserve(d->to);
    }
    const int variant = number_behind(classes, 'v');
    const dashes *dash =
        variant > 0 && variant < 4 ? &variants[variant] : &own[series_of(d, classes)];
    const bool is_curve = strcmp(s->class, "curve") == 0;
    cairo_set_dash(d->to, dash->lengths, is_curve ? dash->n : 0, 0);
    cairo_set_line_width(d->to, s->width);
    if (s->stroke != NONE) {
        use_colour(d, s->stroke, classes, s->opacity);
        cairo_stroke_preserve(d->to);
    }
    cairo_new_path(d->to);
}

/* What page_put_html wrote, as it was. */
static void unescape(const char *from, size_t length, char *out, size_t size)
{
    size_t n = 0;
    for (const char *end = from + length; from < end && n + 1 < size; n++) {
        int code = 0, used = 0;
        if (*from == '&' && sscanf(from, "&#%d;%n", &code, &used) == 1 && used) {
            out[n] = (char)code;
            from += used;
        } else {
            out[n] = *from++;
        }
    }
    out[n] = '\0';
}

static void draw_text(const drawing *d, const char *tag)
{
    char x[32], y[32], at[16], length[16], classes[64], text[512];
    cairo_text_extents_t extents;
    const char *begin = strchr(tag, '>') + 1;
    attribute(tag, "x", x, sizeof x);
    attribute(tag, "y", y, sizeof y);
    attribute(tag, "text-anchor", at, sizeof at);
    attribute(tag, "textLength", length, sizeof length);
    attribute(tag, "class", classes, sizeof classes);
    unescape(begin, strcspn(begin, "<"), text, sizeof text);
    const bool is_label = strncmp(classes, "label", 5) == 0;
    cairo_select_font_face(d->to, "Helvetica", CAIRO_FONT_SLANT_NORMAL,
                           is_label ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(d->to, FONT_SIZE);
    cairo_text_extents(d->to, text, &extents);
    if (atof(length) > 0 &&
        extents.x_advance > atof(length)) { /* smaller, where a page narrows it */
        cairo_set_font_size(d->to, FONT_SIZE * atof(length) / extents.x_advance);
        cairo_text_extents(d->to, text, &extents);
    }
    const double share = strcmp(at, "end") == 0 ? 1 : strcmp(at, "middle") == 0 ? 0.5 : 0;
    use_colour(d, is_label ? CURRENT : INK, classes, 1);
    cairo_move_to(d->to, atof(x) - share * extents.x_advance, atof(y));
    cairo_show_text(d->to, text);
    cairo_new_path(d->to);
}

static void draw(drawing *d, const char *at)
{
    cairo_set_line_cap(d->to, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(d->to, CAIRO_LINE_JOIN_ROUND);
    for (; (at = strchr(at, '<')) && strncmp(at, "</svg>", 6) != 0; at++) {
        if (strncmp(at, "<path ", 6) == 0)
            draw_path(d, at);
        else if (strncmp(at, "<text ", 6) == 0)
            draw_text(d, at);
        else if (strncmp(at, "<g ", 3) == 0)
            attribute(at, "class", d->group, sizeof d->group);
        else if (strncmp(at, "</g>", 4) == 0)
            *d->group = '\0';
    }
}

__attribute__((visibility("default"))) page_pdf hillock_pdf;

const char *hillock_pdf(const char *path, const char *inside, double width, double height)
{
    cairo_surface_t *surface = cairo_pdf_surface_create(path, width, height);
    drawing d = {.to = cairo_create(surface)};
    draw(&d, inside);
    cairo_destroy(d.to);
    cairo_surface_finish(surface);
    const cairo_status_t found = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return found == CAIRO_STATUS_SUCCESS ? NULL : cairo_status_to_string(found);
}
