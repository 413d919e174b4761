/* A picture as an SVG file of its own. PDF is drawn by modules/pdf.c. */
#include "page/print.h"
#include "module.h"
#include "options.h"
#include "output.h"
#include "page/print_style.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* ---- SVG ----------------------------------------------------------------------------------------- */

static void put_colour(FILE *to, const char *property, int colour)
{
    if (colour >= 0)
        fprintf(to, "%s:#%06x;", property, (unsigned)colour);
    else
        fprintf(to, "%s:%s;", property, colour == CURRENT ? "currentColor" : "none");
}

static void put_dashes(FILE *to, const char *selector, const dashes *of)
{
    if (!of->n)
        return;
    fprintf(to, "path.curve.%s{stroke-dasharray:", selector);
    for (int i = 0; i < of->n; i++)
        fprintf(to, "%g%s", of->lengths[i], i + 1 < of->n ? " " : "}\n");
}

static void put_style(FILE *to)
{
    char selector[8];
    fprintf(to,
            "<style>text{font:%dpx Helvetica,Arial,sans-serif;fill:#%06x}"
            "text.label{font-weight:bold;fill:currentColor}\n",
            FONT_SIZE, INK);
    for (int i = 0; i < STYLES; i++) {
        const style *s = &styles[i];
        fprintf(to, "path.%s{", s->class);
        put_colour(to, "fill", s->fill);
        put_colour(to, "stroke", s->stroke);
        fprintf(to, "stroke-width:%g;opacity:%g;stroke-linecap:round;stroke-linejoin:round}\n",
                s->width, s->opacity);
    }
    for (int i = 0; i < COLOURS; i++) {
        snprintf(selector, sizeof selector, "s%d", i);
        fprintf(to, ".%s{color:#%06x}\n", selector, (unsigned)colours[i]);
        put_dashes(to, selector, &own[i]);
    }
    for (int i = 1; i < 4; i++) {
        snprintf(selector, sizeof selector, "v%d", i);
        put_dashes(to, selector, &variants[i]);
    }
    fputs("</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n", to);
}

/* The picture's size, and what stands in it; NULL: there is none. */
static const char *picture_of(const char *figure, double size[2])
{
    const char *svg = strstr(figure, "<svg viewBox=\"0 0 ");
    if (!svg || sscanf(svg, "<svg viewBox=\"0 0 %lf %lf", &size[0], &size[1]) != 2)
        return NULL;
    return strchr(svg, '>') + 1;
}

void page_print_svg(FILE *to, const char *figure)
{
    double size[2];
    const char *inside = picture_of(figure, size), *end = inside ? strstr(inside, "</svg>") : NULL;
    if (!end)
        return;
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" "
            "viewBox=\"0 0 %g %g\">\n",
            size[0], size[1], size[0], size[1]);
    put_style(to);
    fwrite(inside, 1, (size_t)(end - inside), to);
    fputs("</svg>\n", to);
}

/* ---- PDF ----------------------------------------------------------------------------------------- */

int page_print_pdf(const char *path, const char *figure)
{
    double size[2] = {0};
    const char *inside = picture_of(figure, size);
    void *module = tool_module_open("pdf", RTLD_LOCAL);
    page_pdf *draw = NULL;
    if (!inside)
        return EXIT_FAILED;
    if (module)
        *(void **)&draw = dlsym(module, "hillock_pdf");
    if (!draw)
        return tool_fail(
            EXIT_FAILED,
            "%s: this hillock was built without cairo, which writes PDF; a name that ends "
            "in .svg works",
            path);
    const char *reason = draw(path, inside, size[0], size[1]);
    return reason ? tool_fail(EXIT_IO, "%s: %s", path, reason) : EXIT_DONE;
}
