/* Tables that fit the terminal. */
#include "table.h"
#include "memory.h"
#include "output.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, BELOW = 4 }; /* blanks between columns; by which a second line stands further in */

struct tool_table {
    char **cells; /* the names, then row by row */
    bool *is_text;
    int *widths;
    int columns, n;
};

static void *needed(void *memory)
{
    if (!memory)
        tool_out_of_memory();
    return memory;
}

/* Characters, not bytes. */
static int width_of(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void add(tool_table *t, char *text)
{
    int *width = &t->widths[t->n % t->columns];
    *width = width_of(text) > *width ? width_of(text) : *width;
    t->cells = needed(realloc(t->cells, (size_t)(t->n + 1) * sizeof *t->cells));
    t->cells[t->n++] = text;
}

tool_table *tool_table_new(const char *const *names)
{
    tool_table *t = needed(calloc(1, sizeof *t));
    while (names[t->columns])
        t->columns++;
    t->is_text = needed(calloc((size_t)t->columns, sizeof *t->is_text));
    t->widths = needed(calloc((size_t)t->columns, sizeof *t->widths));
    for (int i = 0; i < t->columns; i++) {
        t->is_text[i] = *names[i] == '<';
        add(t, needed(strdup(names[i] + (*names[i] == '<' || *names[i] == '>'))));
    }
    return t;
}

void tool_table_cell(tool_table *t, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        tool_out_of_memory();
    va_end(arguments);
    add(t, text);
}

static void put_blanks(FILE *to, int n)
{
    fprintf(to, "%*s", n, "");
}

void tool_put_wrapped(FILE *to, const char *text, int indent)
{
    const int screen = tool_screen_width();
    int at = indent;
    put_blanks(to, indent);
    while (*text) {
        char *word = needed(strndup(text, strcspn(text, " ")));
        if (at > indent && screen && at + 1 + width_of(word) > screen) {
            putc('\n', to);
            put_blanks(to, at = indent);
        } else if (at > indent) {
            putc(' ', to);
            at++;
        }
        tool_put_text(to, word);
        at += width_of(word);
        text += strlen(word);
        text += strspn(text, " ");
        free(word);
    }
    putc('\n', to);
}

/* The first columns that have room; all where there is no edge. */
static int columns_that_fit(const tool_table *t, int indent)
{
    const int screen = tool_screen_width();
    int width = indent, n = 0;
    for (; n < t->columns; n++) {
        width += t->widths[n] + (n ? GAP : 0);
        if (n && screen && width > screen)
            break;
    }
    return n;
}

static void put_line(FILE *to, const tool_table *t, char *const *row, int shown, int indent)
{
    put_blanks(to, indent);
    for (int i = 0; i < shown; i++) {
        const int blanks = t->widths[i] - width_of(row[i]);
        put_blanks(to, (i ? GAP : 0) + (t->is_text[i] ? 0 : blanks));
        tool_put_text(to, row[i]);
        if (t->is_text[i] && i < shown - 1)
            put_blanks(to, blanks);
    }
}

/* "difference +0.50; letters: ab". */
static void put_below(FILE *to, const tool_table *t, char *const *row, int shown, int indent)
{
    char *text = NULL;
    FILE *line = tool_memory_stream(&text, NULL);
    bool any = false;
    for (int i = shown; i < t->columns; i++)
        if (*row[i] && strcmp(row[i], "-") != 0) {
            fprintf(line, "%s%s%s %s", any ? "; " : "", t->cells[i], t->is_text[i] ? ":" : "",
                    row[i]);
            any = true;
        }
    fclose(line);
    if (any)
        tool_put_wrapped(to, text, indent + BELOW);
    free(text);
}

void tool_table_print(FILE *to, tool_table *t, int indent, const char *note)
{
    const int shown = columns_that_fit(t, indent);
    if (note && shown < t->columns)
        tool_put_wrapped(to, note, indent);
    for (int at = 0; at + t->columns <= t->n; at += t->columns) {
        put_line(to, t, &t->cells[at], shown, indent);
        if (!at && note && shown == t->columns)
            fprintf(to, "   %s", note);
        putc('\n', to);
        if (at && shown < t->columns)
            put_below(to, t, &t->cells[at], shown, indent);
    }
    for (int i = 0; i < t->n; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t->is_text);
    free(t->widths);
    free(t);
}
