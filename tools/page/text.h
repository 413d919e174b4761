/* text.h - text of unknown origin for each kind of output: one function a sink.
 *
 * Whatever the text holds, it is shown and does nothing: markup is escaped, and what cannot be seen
 * or would reorder its surroundings (control bytes, bidirectional marks, bytes that are not UTF-8)
 * stands as \x1b or \u{202e}. NULL is written as nothing. */
#pragma once
#include <stdio.h>

enum { WHOLE_TEXT = 1 << 30 };

/* How many bytes the character takes that begins here, in UTF-8; 0: none begins. */
int page_text_character(const char *at);

/* HTML and SVG: between tags and in quoted attributes; at most so many characters, then "...". */
void page_put_html(FILE *to, const char *text, int most);
/* The same with line ends kept, for <pre>. */
void page_put_html_lines(FILE *to, const char *text);
/* Markdown, inside a line or a table's cell. */
void page_put_markdown(FILE *to, const char *text);
/* LaTeX, inside a line. */
void page_put_latex(FILE *to, const char *text);
/* One quoted cell of CSV; what a spreadsheet would take for a formula gets a quote before it. */
void page_put_csv(FILE *to, const char *text);
/* Plain UTF-8, as JSON wants it: never NULL but without memory; to be freed. */
char *page_text_plain(const char *text);
