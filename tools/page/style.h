/* style.h - the style sheet of a page, as one text; page.c puts its digest into the policy. */
#pragma once

extern const char page_style[];
