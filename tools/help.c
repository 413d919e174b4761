/* What the program says about itself: overview, help of a command, topics, manual page, completion,
 * version. A page is written once, for the terminal or as troff. */
#include "commands.h"
#include "output.h"

#include <ctype.h>
#include <string.h>

enum { COLUMNS = 80, TERM_COLUMNS = 22 };

/* ---- Text for the terminal, or for man ------------------------------------------------------- */

static void put_troff(const char *text)
{
    bool begins = true; /* a line, where a dot or quote would be a request */
    for (; *text; begins = *text++ == '\n')
        if (*text == '\\' || *text == '-')
            fputs(*text == '-' ? "\\-" : "\\e", stdout);
        else
            printf("%s%c", begins && strchr(".'", *text) ? "\\&" : "", *text);
}

/* Words from `column` on, later lines from `indent` on. */
static void put_wrapped(const char *text, int column, int indent)
{
    for (const char *space = ""; *text; space = " ") {
        const int length = (int)strcspn(text, " ");
        if (*space && column + 1 + length > COLUMNS) {
            printf("\n%*s", indent, "");
            column = indent;
            space = "";
        }
        printf("%s%.*s", space, length, text);
        column += length + (*space != '\0');
        text += length + (text[length] == ' ');
    }
    putchar('\n');
}

static void put_paragraph(bool man, const char *text)
{
    if (man) {
        fputs(".PP\n", stdout);
        put_troff(text);
        putchar('\n');
    } else {
        put_wrapped(text, 0, 0);
    }
}

/* A term, and what it means beside it, or below where it is long. */
static void put_term(bool man, const char *term, const char *text)
{
    if (man) {
        fputs(".TP\n.B ", stdout);
        put_troff(term);
        putchar('\n');
        put_troff(text);
        putchar('\n');
        return;
    }
    const int width = printf("  %-*s", TERM_COLUMNS - 3, term);
    printf(width < TERM_COLUMNS ? " " : "\n%*s", TERM_COLUMNS, "");
    put_wrapped(text, TERM_COLUMNS, TERM_COLUMNS);
}

static void put_examples(bool man, const char *lines)
{
    fputs(man ? ".PP\nExamples:\n.nf\n" : "\nExamples:\n", stdout);
    if (man)
        put_troff(lines);
    else
        fputs(lines, stdout);
    fputs(man ? ".fi\n" : "", stdout);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static void put_command(bool man, const command *it)
{
    char text[160];
    option_text option;
    if (man) {
        printf(".SS hillock %s %s\n", it->name, it->operands);
    } else {
        snprintf(text, sizeof text, "usage: hillock %s [OPTION]... %s", it->name, it->operands);
        put_wrapped(text, 0, 7);
        putchar('\n');
    }
    snprintf(text, sizeof text, "%c%s.", toupper((unsigned char)it->summary[0]), it->summary + 1);
    put_paragraph(man, text);
    if (it->about && !man)
        putchar('\n');
    if (it->about)
        put_paragraph(man, it->about);
    fputs(man ? "" : "\nOptions:\n", stdout);
    for (size_t i = 0; tool_option_next(it, &i, &option);) {
        snprintf(text, sizeof text, "--%s%s%s", option.name, option.value ? " " : "",
                 option.value ? option.value : "");
        put_term(man, text, option.help);
    }
    put_examples(man, it->examples);
}

static void put_topic(bool man, const topic *it)
{
    fputs(man ? ".SH " : "", stdout);
    for (const char *c = it->title; *c; c++)
        putchar(man ? toupper((unsigned char)*c) : *c);
    fputs(man ? "\n" : "\n\n", stdout);
    if (it->text)
        put_paragraph(man, it->text);
    for (int i = 0; it->terms && it->terms[i][0]; i++)
        put_term(man, it->terms[i][0], it->terms[i][1]);
}

void tool_help_of(const command *it)
{
    put_command(false, it);
}

void tool_help_overview(void)
{
    const char *group = NULL;
    puts("hillock - activations, normalizations and initializers as plugins, trained and\n"
         "compared\n\n"
         "usage: hillock COMMAND [OPTION]... [OPERAND]...");
    for (const command *it = tool_commands; it->group; it++) {
        if (it->group != group)
            printf("\n%s\n", it->group);
        group = it->group;
        printf("  %-10s ", it->name);
        put_wrapped(it->summary, 13, 13);
    }
    puts("\nTopics");
    for (const topic *it = tool_topics; it->name; it++)
        printf("  %-12s %s\n", it->name, it->title);
    puts("\nhillock help COMMAND, or hillock COMMAND --help, lists options, with examples.\n"
         "hillock help TOPIC explains a topic. hillock --version prints the version.");
}

int tool_help_version(void)
{
#ifdef __clang__
    const char *compiler = ""; /* its version begins with its name */
#else
    const char *compiler = "gcc ";
#endif
    printf("hillock %s\ncompiler: %s%s\ninstruction set: %s\nengine: %s\n", hk_version(), compiler,
           __VERSION__, hk_isa_name(), hk_engine_name());
    return hk_engine_check() == HK_OK ? EXIT_DONE : tool_failed();
}

static void put_manual(void)
{
    printf(".TH HILLOCK 1 \"\" \"Hillock %s\" \"User commands\"\n", hk_version());
    puts(".SH NAME\nhillock \\- train and compare activations, normalizations and initializers\n"
         ".SH SYNOPSIS\n.B hillock\n.I COMMAND\n.RI [ OPTION ]...\n.RI [ OPERAND ]...\n.br\n"
         ".B hillock help\n.RI [ COMMAND | TOPIC ]\n.br\n.B hillock \\-\\-version\n"
         ".SH DESCRIPTION\n"
         "Activations, normalizations and initializers are plugins, one shared object each.\n"
         ".B hillock\n"
         "writes and tests them, trains convolutional networks with them on the processor, and\n"
         "ranks them.\n"
         ".SH COMMANDS");
    for (const command *it = tool_commands; it->group; it++)
        put_command(true, it);
    for (const topic *it = tool_topics; it->name; it++)
        put_topic(true, it);
}

int tool_help_command(options *given)
{
    const char *wanted = given->n_operands ? given->operands[0] : NULL;
    if (!wanted) {
        tool_help_overview();
        return EXIT_DONE;
    }
    if (strcmp(wanted, "man") == 0) {
        put_manual();
        return EXIT_DONE;
    }
    for (const topic *it = tool_topics; it->name; it++)
        if (strcmp(wanted, it->name) == 0) {
            put_topic(false, it);
            return EXIT_DONE;
        }
    const command *it = tool_command_find(wanted);
    if (!it)
        return EXIT_USAGE;
    put_command(false, it);
    return EXIT_DONE;
}

void tool_help_completion(void)
{
    option_text option;
    puts("_hillock()\n{\n    local words\n    case ${COMP_WORDS[1]} in");
    for (const command *it = tool_commands; it->group; it++) {
        printf("    %s) words='", it->name);
        for (size_t i = 0; tool_option_next(it, &i, &option);)
            printf(" --%s", option.name);
        puts("' ;;");
    }
    fputs("    esac\n    [ \"$COMP_CWORD\" = 1 ] && words='", stdout);
    for (const command *it = tool_commands; it->group; it++)
        printf(" %s", it->name);
    puts("'\n    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
         "complete -o default -F _hillock hillock");
}
