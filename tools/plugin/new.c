/* hillock new: the source of a plugin, from a formula or as a scaffold to be filled in. Writes one
 * file, and never over one that is there. */
#include "plugin/formula/formula.h"
#include "options.h"
#include "output.h"
#include "plugin/scaffold.h"

#include <errno.h>
#include <hillock/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_plugin_name(const char *text)
{
    static const char *const rest = "abcdefghijklmnopqrstuvwxyz0123456789_";
    return *text >= 'a' && *text <= 'z' && strspn(text, rest) == strlen(text) &&
           strlen(text) < PARAMETER_NAME;
}

/* ---- --param NAME=DEFAULT[:LOW:HIGH][:learned] ----------------------------------------------- */

/* A number up to the next colon; *text goes behind it. */
static bool take_number(const char **text, double *out)
{
    char *end;
    size_t length = strcspn(*text, ":");
    *out = strtod(*text, &end);
    bool right = length && end == *text + length && strspn(*text, "0123456789+-.eE") >= length &&
                 *out - *out == 0;
    *text = end + (*end == ':');
    return right;
}

static bool parse_parameter(const char *text, parameter *out)
{
    size_t length = strcspn(text, "=");
    *out = (parameter){0};
    if (!text[length] || length >= sizeof out->name)
        return false;
    memcpy(out->name, text, length);
    text += length + 1;
    if (!take_number(&text, &out->value))
        return false;
    if (*text && strcmp(text, "learned") != 0 &&
        !(take_number(&text, &out->low) && take_number(&text, &out->high) && out->low < out->high &&
          out->low <= out->value && out->value <= out->high))
        return false;
    out->learned = strcmp(text, "learned") == 0;
    return out->learned || !*text;
}

static int check_parameter(const parameter *all, int n, int counts[2])
{
    const parameter *it = &all[n];
    if (!is_plugin_name(it->name))
        return tool_fail(EXIT_USAGE,
                         "new: --param: \"%s\" is no name; expected a letter, then a-z, "
                         "0-9 and _",
                         it->name);
    if (!formula_name_is_free(it->name))
        return tool_fail(EXIT_USAGE, "new: --param: \"%s\" has a meaning in formulas already",
                         it->name);
    for (int i = 0; i < n; i++)
        if (strcmp(all[i].name, it->name) == 0)
            return tool_fail(EXIT_USAGE, "new: --param: \"%s\" twice", it->name);
    if (++counts[it->learned] > (it->learned ? HK_MAX_SLOTS : HK_MAX_PARAMS))
        return tool_fail(EXIT_USAGE, "new: --param: at most %d parameters, and %d that are learned",
                         HK_MAX_PARAMS, HK_MAX_SLOTS);
    return EXIT_DONE;
}

static int read_parameters(const options *given, parameter *out)
{
    int counts[2] = {0};
    for (int i = 0; i < given->params.n; i++) {
        if (!parse_parameter(given->params.items[i], &out[i]))
            return tool_fail(EXIT_USAGE,
                             "new: --param is \"%s\", expected NAME=DEFAULT[:LOW:HIGH][:learned] "
                             "with LOW <= DEFAULT <= HIGH",
                             given->params.items[i]);
        int status = check_parameter(out, i, counts);
        if (status)
            return status;
    }
    return EXIT_DONE;
}

/* ---- The text -------------------------------------------------------------------------------- */

/* The line that is wrong and a caret under the place, then the sentence. */
static int print_error(const formula_error *error)
{
    if (!error->text)
        return tool_fail(EXIT_USAGE, "new: %s", error->sentence);
    fputs("  ", stderr);
    tool_put_text(stderr, error->text);
    fprintf(stderr, "\n  %*s\n", error->column, "^");
    return tool_fail(EXIT_USAGE, "new: column %d: %s", error->column, error->sentence);
}

static int write_formula(const options *given, char **text)
{
    parameter parameters[MAX_TEXTS];
    formula_notes notes;
    formula_error error;
    int status = read_parameters(given, parameters);
    if (status)
        return status;
    *text = formula_to_c(&(formula_request){.name = given->operands[1],
                                            .formula = given->formula,
                                            .derivative = given->derivative,
                                            .parameters = parameters,
                                            .n_parameters = given->params.n},
                         &notes, &error);
    if (!*text)
        return print_error(&error);
    for (int i = 0; i < notes.n; i++)
        tool_note("%s", notes.sentences[i]);
    return EXIT_DONE;
}

/* ---- The file -------------------------------------------------------------------------------- */

/* --out names a folder or a file; without it the current folder is meant. */
static int place_of(const options *given, char out[4096])
{
    const char *name = given->operands[1];
    struct stat info;
    int length;
    if (!given->out)
        length = snprintf(out, 4096, "%s.c", name);
    else if (given->out[strlen(given->out) - 1] == '/')
        length = snprintf(out, 4096, "%s%s.c", given->out, name);
    else if (stat(given->out, &info) == 0 && S_ISDIR(info.st_mode))
        length = snprintf(out, 4096, "%s/%s.c", given->out, name);
    else
        length = snprintf(out, 4096, "%s", given->out);
    return length < 4096 ? EXIT_DONE : tool_fail(EXIT_USAGE, "new: --out is too long");
}

static int write_new(const char *path, const char *text)
{
    FILE *to = fopen(path, "wxe");
    if (!to && errno == EEXIST)
        return tool_fail(EXIT_IO, "new: %s is there already; it is left as it is", path);
    if (!to)
        return tool_fail(EXIT_IO, "new: %s: %s", path, strerror(errno));
    int bad = fputs(text, to) < 0;
    bad = fclose(to) != 0 || bad;
    if (!bad)
        return EXIT_DONE;
    int error = errno;
    unlink(path);
    return tool_fail(EXIT_IO, "new: %s: %s", path, strerror(error));
}

static int write_source(const options *given, hk_kind kind, char **text)
{
    if (given->formula && kind != HK_ACTIVATION)
        return tool_fail(EXIT_USAGE, "new: only an activation is made from a formula; without "
                                     "--formula there is a scaffold for every kind");
    if (given->formula)
        return write_formula(given, text);
    if (given->derivative || given->params.n)
        return tool_fail(EXIT_USAGE, "new: --derivative and --param go with --formula");
    *text = plugin_scaffold_text(kind, given->operands[1]);
    return *text ? EXIT_DONE : tool_no_memory();
}

int plugin_new_command(options *given)
{
    static const char *const kinds[] = {"activation", "normalization", "initializer"};
    char path[4096], *text = NULL;
    const char *wanted = given->operands[0], *name = given->operands[1];
    const hk_plugin *known;
    hk_kind kind = HK_ACTIVATION;
    while (kind <= HK_INITIALIZER && strcmp(hk_kind_name(kind), wanted) != 0)
        kind++;
    if (kind > HK_INITIALIZER)
        return tool_fail(EXIT_USAGE, "new: unknown kind \"%s\"%s", wanted,
                         tool_known(wanted, kinds, 3));
    if (!is_plugin_name(name))
        return tool_fail(EXIT_USAGE,
                         "new: \"%s\" is no plugin name; expected a letter, then at most %d of "
                         "a-z, 0-9 and _",
                         name, PARAMETER_NAME - 2);
    int status = place_of(given, path);
    if (!status)
        status = write_source(given, kind, &text);
    if (!status && hk_plugin_find(kind, name, &known) == HK_OK)
        tool_note("there is a plugin called \"%s\"; name yours by its path, ./%s.so", name, name);
    if (!status)
        status = write_new(path, text);
    if (!status)
        printf("%s\n", path);
    free(text);
    return status;
}
