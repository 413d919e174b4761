/* The frame of a page. Its policy names the digest of the style sheet, so that nothing else, be it
 * a script, an image or a style that came in with a plugin's name, could take effect even if it got
 * past the escaping. */
#include "page/page.h"
#include "page/text.h"

#include <math.h>
#include <sha256.h>
#include <stdint.h>
#include <string.h>

extern const char page_style[]; /* page.css; the build makes it a text */

/* SHA-256 of a text in base64 (RFC 4648), as a policy wants it. */
static void put_digest(FILE *to, const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t digest[SHA256_DIGEST_LENGTH + 1] = {0};
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, (const uint8_t *)text, strlen(text));
    SHA256_Final(digest, &context);
    for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i += 3) {
        unsigned group = (unsigned)digest[i] << 16 | (unsigned)digest[i + 1] << 8;
        group |= i + 2 < SHA256_DIGEST_LENGTH ? digest[i + 2] : 0;
        for (int k = 0; k < 4; k++)
            putc(k == 3 && i + 2 >= SHA256_DIGEST_LENGTH ? '='
                                                         : letters[group >> (18 - 6 * k) & 63],
                 to);
    }
}

/* Each of the ten colours comes with each of the four marks. Those that look alike to the colour-blind (blue,
 * violet, indigo; orange, green, olive, brown; red, pink, teal) begin with different marks. */
const char *page_series_class(int series)
{
#define TEN(a, b, c, d)                                                                            \
    "s1" a, "s2" a, "s3" b, "s4" b, "s5" a, "s6" c, "s7" c, "s8" b, "s9" d, "s10" c
    static const char *const classes[SERIES] = {
        "s0", TEN("", " v1", " v2", " v3"), TEN(" v1", " v2", " v3", ""),
        TEN(" v2", " v3", "", " v1"), TEN(" v3", "", " v1", " v2")};
    return classes[series];
}

void page_begin(FILE *to, const char *title)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'sha256-",
          to);
    put_digest(to, page_style);
    fputs("'; base-uri 'none'; form-action 'none'\">\n"
          "<meta name=\"referrer\" content=\"no-referrer\">\n"
          "<meta name=\"generator\" content=\"hillock\">\n<title>",
          to);
    page_put_html(to, title, 200);
    fprintf(to, "</title>\n<style>%s</style>\n</head>\n<body>\n", page_style);
    /* Cells without a value: a pattern all pictures refer to. */
    fputs("<svg width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><pattern id=\"hatch\" "
          "width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\"><path class=\"hatch1\" d=\"M0 "
          "5L5 0\"/></pattern></defs></svg>\n",
          to);
}

void page_end(FILE *to)
{
    fputs("</body>\n</html>\n", to);
}

void page_section(FILE *to, const char *id, const char *title, const char *how_to_read)
{
    fprintf(to, "<section id=\"%s\">\n<h2>", id);
    page_put_html(to, title, WHOLE_TEXT);
    fputs("</h2>\n", to);
    page_paragraph(to, "how", how_to_read);
}

void page_section_end(FILE *to)
{
    fputs("</section>\n", to);
}

void page_heading(FILE *to, const char *title, const char *how_to_read)
{
    fputs("<h3>", to);
    page_put_html(to, title, WHOLE_TEXT);
    fputs("</h3>\n", to);
    page_paragraph(to, "how", how_to_read);
}

void page_paragraph(FILE *to, const char *class, const char *text)
{
    if (!text || !*text)
        return;
    fprintf(to, "<p class=\"%s\">", class);
    page_put_html(to, text, WHOLE_TEXT);
    fputs("</p>\n", to);
}

void page_grid_begin(FILE *to, page_grid size)
{
    fprintf(to, "<div class=\"grid %s\">\n", size == GRID_WIDE ? "large" : "small");
}

void page_grid_end(FILE *to)
{
    fputs("</div>\n", to);
}

void page_dot(FILE *to, const char *class)
{
    /* U+2060 joins it to the word behind it. */
    fprintf(to, "<span class=\"dot %s\"></span>&#8288;", class);
}

void page_details(FILE *to, const char *summary)
{
    fputs("<details><summary>", to);
    page_put_html(to, summary, WHOLE_TEXT);
    fputs("</summary>\n", to);
}

void page_details_end(FILE *to)
{
    fputs("</details>\n", to);
}

void page_table(FILE *to, const char *caption, const char *class, const page_column *columns, int n)
{
    /* It takes the focus, so that it can be scrolled with the keys. */
    fprintf(to, "<div class=\"table\" role=\"region\" tabindex=\"0\" aria-label=\"");
    page_put_html(to, caption, CAPTION_LETTERS);
    fprintf(to, "\"><table class=\"%s\"><caption>", class);
    page_put_html(to, caption, WHOLE_TEXT);
    fputs("</caption>\n<thead><tr>", to);
    for (int i = 0; i < n; i++) {
        fprintf(to, "<th scope=\"col\" class=\"%s\">", columns[i].class);
        page_put_html(to, columns[i].name, WHOLE_TEXT);
    }
    fputs("\n<tbody>\n", to);
}

void page_table_end(FILE *to)
{
    fputs("</table></div>\n", to);
}

void page_row(FILE *to)
{
    fputs("<tr>", to);
}

void page_text_cell(FILE *to, const char *text)
{
    fputs("<td>", to);
    page_put_html(to, text, WHOLE_TEXT);
    putc('\n', to);
}

static void put_number(FILE *to, const char *class, double value, int digits, const char *unit)
{
    fprintf(to, "<td class=\"%s\">", class);
    if (isfinite(value))
        fprintf(to, "%.*f%s", digits, value, unit);
    else
        fputs("\xE2\x80\x93", to); /* an en dash */
}

void page_number_cells(FILE *to, int digits, const double *values, int n)
{
    for (int i = 0; i < n; i++)
        put_number(to, "number", values[i], digits, "");
}

void page_percent_cell(FILE *to, const char *class, double share, int digits)
{
    put_number(to, class, 100 * share, digits, " %");
}
