/* One loop over the characters of a text; each sink defines how it writes a visible one. */
#include "page/text.h"
#include "memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct character {
    uint32_t code;
    int bytes;
    bool valid; /* UTF-8 */
} character;

/* RFC 3629: shortest form, no surrogates, at most U+10FFFF. */
static character decode(const unsigned char *at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int bytes = *at < 0x80   ? 1
                : *at < 0xC0 ? 0
                : *at < 0xE0 ? 2
                : *at < 0xF0 ? 3
                : *at < 0xF8 ? 4
                             : 0;
    if (bytes == 1)
        return (character){*at, 1, true};
    uint32_t code = bytes ? *at & (0x7Fu >> bytes) : 0;
    for (int i = 1; i < bytes; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return (character){*at, 1, false};
        code = code << 6 | (at[i] & 0x3Fu);
    }
    bool right =
        bytes && code >= least[bytes] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return right ? (character){code, bytes, true} : (character){*at, 1, false};
}

int page_text_character(const char *at)
{
    const character c = decode((const unsigned char *)at);
    return c.valid ? c.bytes : 0;
}

/* Control characters, marks that reorder text, marks without width, and what is no character. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
           (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
           (c & 0xFFFE) == 0xFFFE || (c >= 0xE0000 && c <= 0xE0FFF);
}

/* What a sink writes for a visible ASCII character; false: the character itself. */
typedef bool (*ascii_form)(FILE *to, char c);

static void put_characters(FILE *to, const char *text, int most, bool lines, ascii_form form)
{
    const unsigned char *at = (const unsigned char *)(text ? text : "");
    for (int n = 0; *at; n++) {
        if (n == most) {
            fputs("\xE2\x80\xA6", to);
            return;
        }
        character c = decode(at);
        if (!c.valid || (c.code < 0x80 && is_hidden(c.code) && !(lines && *at == '\n')))
            fprintf(to, "\\x%02x", *at);
        else if (c.code >= 0x80 && is_hidden(c.code))
            fprintf(to, "\\u{%x}", (unsigned)c.code);
        else if (c.bytes > 1 || !form || !form(to, (char)*at))
            fwrite(at, 1, (size_t)c.bytes, to);
        at += c.bytes;
    }
}

static bool html_form(FILE *to, char c)
{
    if (!strchr("<>&\"'", c))
        return false;
    fprintf(to, "&#%d;", c);
    return true;
}

void page_put_html(FILE *to, const char *text, int most)
{
    put_characters(to, text, most, false, html_form);
}

void page_put_html_lines(FILE *to, const char *text)
{
    put_characters(to, text, WHOLE_TEXT, true, html_form);
}

static bool markdown_form(FILE *to, char c)
{
    if (strchr("\\`*_[]<>|&~#!$@", c))
        putc('\\', to);
    if (c == '/')
        fputs("\\/", to); /* no link is made of it */
    return c == '/';
}

void page_put_markdown(FILE *to, const char *text)
{
    put_characters(to, text, WHOLE_TEXT, false, markdown_form);
}

static bool latex_form(FILE *to, char c)
{
    static const char *const words[][2] = {
        {"\\", "\\textbackslash{}"}, {"~", "\\textasciitilde{}"}, {"^", "\\textasciicircum{}"},
        {"<", "\\textless{}"},       {">", "\\textgreater{}"},    {"|", "\\textbar{}"},
        {"\"", "\\textquotedbl{}"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (*words[i][0] == c) {
            fputs(words[i][1], to);
            return true;
        }
    if (strchr("#$%&_{}", c))
        putc('\\', to);
    return false;
}

void page_put_latex(FILE *to, const char *text)
{
    put_characters(to, text, WHOLE_TEXT, false, latex_form);
}

static bool csv_form(FILE *to, char c)
{
    if (c == '"')
        putc('"', to);
    return false;
}

void page_put_csv(FILE *to, const char *text)
{
    putc('"', to);
    if (text && *text && strchr("=+-@\t\r", *text))
        putc('\'', to);
    put_characters(to, text, WHOLE_TEXT, false, csv_form);
    putc('"', to);
}

char *page_text_plain(const char *text)
{
    char *plain = NULL;
    FILE *to = tool_memory_stream(&plain, NULL);
    put_characters(to, text, WHOLE_TEXT, true, NULL);
    fclose(to);
    return plain;
}
