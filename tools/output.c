/* Sentences, numbers and JSON for the user. */
#include "output.h"
#include "memory.h"

#include "core/base.h" /* hki_nearest */
#include "options.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int exit_status(hk_status status)
{
    switch (status) {
    case HK_OK: return EXIT_DONE;
    case HK_BAD_ARGUMENT:
    case HK_UNKNOWN_NAME:
    case HK_BAD_SHAPE: return EXIT_USAGE;
    case HK_BAD_PLUGIN:
    case HK_BAD_DATA: return EXIT_BAD_DATA;
    case HK_IO: return EXIT_IO;
    case HK_STOPPED: return EXIT_INTERRUPTED;
    default: return EXIT_FAILED;
    }
}

/* Marks that change the direction of what follows: U+200E, 200F, 202A .. 202E, 2066 .. 2069. */
static bool turns_text(const unsigned char *c)
{
    return c[0] == 0xE2 &&
           ((c[1] == 0x80 && ((c[2] >= 0xAA && c[2] <= 0xAE) || c[2] == 0x8E || c[2] == 0x8F)) ||
            (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9));
}

void tool_put_text(FILE *to, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool second_set = c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0; /* U+0080 .. U+009F */
        if (*c < 0x20 || *c == 0x7F || second_set)
            fprintf(to, "\\x%02x", second_set ? *++c : *c);
        else if (turns_text(c))
            fprintf(to, "\\x%02x\\x%02x\\x%02x", c[0], c[1], c[2]), c += 2;
        else
            putc(*c, to);
    }
}

void tool_put_word(FILE *to, const char *word)
{
    if (*word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "_-+=:,./@%") == strlen(word)) {
        fputs(word, to);
        return;
    }
    putc('\'', to);
    for (; *word; word++)
        fputs(*word == '\'' ? "'\\''" : (const char[]){*word, '\0'}, to);
    putc('\'', to);
}

__attribute__((format(printf, 2, 0))) static void say(const char *before, const char *format,
                                                      va_list arguments)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, arguments);
    tool_progress_clear();
    fputs(before, stderr);
    tool_put_text(stderr, text);
    putc('\n', stderr);
}

int tool_fail(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("hillock: ", format, arguments);
    va_end(arguments);
    return status;
}

int tool_failed(void)
{
    return tool_fail(exit_status(hk_last_status()), "%s", hk_message());
}

int tool_no_memory(void)
{
    return tool_fail(EXIT_FAILED, "out of memory");
}

static bool is_silent;

void tool_be_silent(void)
{
    is_silent = freopen("/dev/null", "w", stdout) != NULL;
}

void tool_note(const char *format, ...)
{
    if (is_silent)
        return;
    va_list arguments;
    va_start(arguments, format);
    say("hillock: note: ", format, arguments);
    va_end(arguments);
}

const char *tool_known(const char *name, const char *const *names, size_t n)
{
    static char text[2048];
    const char *near = hki_nearest(name, names, n);
    size_t used = (size_t)snprintf(text, sizeof text,
                                   near ? "; did you mean \"%s\"? known" : "; known", near);
    for (size_t i = 0; i < n && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s", i ? "," : ":", names[i]);
    return text;
}

int tool_screen_width(void)
{
    enum { NARROWEST = 30 };
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    int width = columns ? atoi(columns) : 0;
    if (width <= 0)
        width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    return width > 0 && width < NARROWEST ? NARROWEST : width;
}

const char *tool_grouped(int64_t number)
{
    static char buffers[8][32];
    static int next;
    char digits[32], *out = buffers[next = (next + 1) % 8], *end = out;
    int n = snprintf(digits, sizeof digits, "%" PRId64, number);
    for (int i = 0; i < n; i++) {
        if (i && digits[i - 1] != '-' && (n - i) % 3 == 0)
            *end++ = ',';
        *end++ = digits[i];
    }
    *end = '\0';
    return out;
}

const char *tool_shortest(double value, bool is_float)
{
    static char buffers[4][40];
    static int next;
    char *out = buffers[next = (next + 1) % 4], *plus;
    if (!isfinite(value))
        return isnan(value) ? "NAN" : value < 0 ? "-INFINITY" : "INFINITY";
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, sizeof *buffers, "%.*g", digits, value);
        const double read = is_float ? (double)strtof(out, NULL) : strtod(out, NULL);
        if (!(read < value || read > value))
            break;
    }
    if ((plus = strchr(out, '+'))) /* 1e+18 */
        memmove(plus, plus + 1, strlen(plus));
    return out;
}

const char *tool_counted(int64_t number, const char *noun)
{
    static char buffers[4][64];
    static int next;
    char *out = buffers[next = (next + 1) % 4];
    snprintf(out, sizeof *buffers, "%s %.31s%s", tool_grouped(number), noun,
             number == 1 ? "" : "s");
    return out;
}

json_t *tool_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *tool_json_text(const char *text)
{
    json_t *it = text ? json_string(text) : NULL;
    return it ? it : json_null();
}

char *tool_json_written(const json_t *value, size_t flags)
{
    char *text = NULL;
    FILE *to = tool_memory_stream(&text, NULL);
    const bool said = json_dumpf(value, to, flags) == 0;
    fclose(to);
    if (said)
        return text;
    free(text);
    return NULL;
}

int tool_json_print(json_t *object)
{
    if (json_is_object(object))
        json_object_set_new(object, "schema", json_integer(TOOL_JSON_SCHEMA));
    char *text = object ? tool_json_written(object, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(object);
    if (!text)
        return tool_no_memory();
    puts(text); /* main() looks whether standard output took everything */
    free(text);
    return EXIT_DONE;
}
