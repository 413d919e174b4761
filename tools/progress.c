/* The live line of training, and Ctrl-C. */
#include "output.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static bool is_drawn;
static double drawn_at;
static char label[128];

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void tool_progress_start(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool tool_progress_interrupted(void)
{
    return interrupted;
}

void tool_progress_label(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(label, sizeof label, format, arguments);
    va_end(arguments);
}

static bool is_terminal(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

static void (*clear_others)(void *user);
static void *others;

void tool_progress_others(void (*clear)(void *user), void *user)
{
    clear_others = clear;
    others = user;
}

void tool_progress_clear(void)
{
    if (clear_others)
        clear_others(others);
    if (is_drawn)
        fputs("\r\033[K", stderr);
    is_drawn = false;
}

static void draw(const hk_progress *p)
{
    const char *color = getenv("NO_COLOR");
    bool plain = color && *color;
    long left = (long)(p->seconds_left + 0.5);
    fputs("\r\033[K", stderr);
    tool_put_text(stderr, label);
    fprintf(stderr, "%sepoch %d/%d%s %3.0f %%  loss %.4f  %s images/s  %ld:%02ld left",
            plain ? "" : "\033[1m", p->epoch, p->epochs, plain ? "" : "\033[0m",
            100 * (double)p->done / (double)p->of, p->loss, tool_grouped((int64_t)p->images_per_s),
            left / 60, left % 60);
    fflush(stderr);
    is_drawn = true;
    drawn_at = hk_now();
}

int tool_progress_batch(const hk_progress *progress, void *user)
{
    (void)user;
    if (is_terminal() && hk_now() - drawn_at > 0.1)
        draw(progress);
    return interrupted;
}
