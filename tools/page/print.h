/* print.h - a picture by itself, on white: as an SVG file with its style in it, or as PDF. */
#pragma once
#include <stdio.h>

/* `figure`: what draw.h wrote between page_draw_begin and page_draw_end; one that holds charts alone. */
void page_print_svg(FILE *to, const char *figure);
/* 0, or the exit status, told: without cairo in the build too. */
int page_print_pdf(const char *path, const char *figure);
