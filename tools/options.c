/* The table of all options, reading them, and the help made from them. Read by hand instead of by
 * getopt, since a negative number is a value: hillock curve relu -1. */
#include "options.h"

#include "output.h"
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum form { FLAG, TEXT, TEXTS, WHOLE, REAL } form;

typedef struct option_row {
    const char *name, *value; /* value: what stands for it in the help */
    form form;
    size_t offset;
    double low, high; /* of numbers; a REAL may not be a bound itself */
    int commands;
    const char *help;
} option_row;

#define AT(field) offsetof(options, field)
static const option_row table[] = {
    {"data", "SPEC", TEXT, AT(data), 0, 0, TRAIN | EVALUATE | PREDICT | DOCTOR,
     "mnist:DIR, fashion-mnist:DIR, cifar-10:DIR, csv:FILE or glyphs, the default"},
    {"data", "SPEC", TEXTS, AT(data_sets), 0, 0, COMPARE | TRY,
     "mnist:DIR, fashion-mnist:DIR, cifar-10:DIR, csv:FILE or glyphs, the default; may be repeated"},
    {"data", "SPEC", TEXT, AT(data), 0, 0, INSPECT, "--forecast: inputs from this training set"},
    {"model", "LIST", TEXT, AT(model), 0, 0, COMPARE, "models, default lenet5"},
    {"act", "LIST", TEXT, AT(act), 0, 0, COMPARE,
     "activations and sets of them, @core; default eight"},
    {"norm", "LIST", TEXT, AT(norm), 0, 0, COMPARE, "normalizations, default batch_norm"},
    {"init", "LIST", TEXT, AT(init), 0, 0, COMPARE, "initializers, default he_normal"},
    {"act", "SPEC", TEXT, AT(act), 0, 0, INSPECT | TRAIN | BENCH,
     "activation, default relu; per layer: relu+conv2=prelu"},
    {"norm", "SPEC", TEXT, AT(norm), 0, 0, INSPECT | TRAIN | BENCH,
     "normalization, default batch_norm"},
    {"weight-norm", "SPEC", TEXT, AT(weight_norm), 0, 0, INSPECT | TRAIN | COMPARE,
     "normalization of every layer's weight, default none"},
    {"init", "SPEC", TEXT, AT(init), 0, 0, INSPECT | TRAIN, "initializer, default he_normal"},
    {"optimizer", "SPEC", TEXT, AT(optimizer), 0, 0, TRAIN,
     "sgd, adam, adamw or rmsprop: sgd:lr=0.1,momentum=0.9"},
    {"optimizer", "LIST", TEXT, AT(optimizer), 0, 0, COMPARE,
     "sgd, adam, adamw or rmsprop: sgd:lr=0.1,momentum=0.9,adam; default each model's"},
    {"schedule", "SPEC", TEXT, AT(schedule), 0, 0, TRAIN | COMPARE,
     "constant, step, cosine or one-cycle: cosine:warmup=1"},
    {"augment", "SPEC", TEXT, AT(augment), 0, 0, TRAIN | COMPARE, "none, or crop=4,flip"},
    {"epochs", "N", WHOLE, AT(epochs), 1, 1e6, TRAIN | COMPARE | TRY,
     "times through the training data"},
    {"batch", "N", WHOLE, AT(batch), 1, 65536, INSPECT | TRAIN | COMPARE | BENCH, "images a step"},
    {"seed", "N", WHOLE, AT(seed), 0, 0x1p53, INSPECT | TRAIN,
     "of weights, order and noise, default 1"},
    {"seeds", "N", WHOLE, AT(seeds), 1, 1000, COMPARE, "runs a row, seeds 1 to N, default 3"},
    {"seeds", "N", WHOLE, AT(seeds), 1, 1000, TRY, "runs of each activation, default 20"},
    {"forecast", NULL, FLAG, AT(forecast), 0, 0, INSPECT,
     "of a model: what its signals will be like before training"},
    {"nets", "N", WHOLE, AT(nets), 2, 0x1p40, INSPECT,
     "--forecast: nets drawn, default 20 to 1000"},
    {"threads", "N", WHOLE, AT(threads), 1, 1024, TRAIN | EVALUATE | PREDICT | BENCH | DOCTOR,
     "default: as many as there are processors"},
    {"threads", "N", WHOLE, AT(threads), 1, 1024, COMPARE, "of each run, default 1"},
    {"tune", "lr=LO:HI:N", TEXT, AT(tune), 0, 0, COMPARE,
     "N learning rates for every row, the best on validation is taken"},
    {"baseline", "SPEC", TEXT, AT(baseline), 0, 0, COMPARE,
     "activation that the others are tested against, default the first"},
    {"val", "SHARE", REAL, AT(val), 0, 1, TRAIN, "share of the training data kept for validation"},
    {"val", "SHARE", REAL, AT(val), 0, 1, COMPARE,
     "share of the training data kept for validation, default 0.1"},
    {"clip", "X", REAL, AT(clip), 0, 1e30, TRAIN | COMPARE, "longest gradient, longer are clipped"},
    {"smoothing", "X", REAL, AT(smoothing), 0, 1, TRAIN | COMPARE, "label smoothing"},
    {"out", "FILE", TEXT, AT(out), 0, 0, TRAIN, "where to save the net, after each epoch"},
    {"doctor", "METHOD,...", TEXT, AT(doctor), 0, 0, TRAIN,
     "treat dead units between epochs, reset:every=2: reset, lgb_relu, surrogate, redo, bias"},
    {"from", "FILE", TEXT, AT(from), 0, 0, TRAIN, "start with the weights of a saved net"},
    {"resume", "FILE", TEXT, AT(resume), 0, 0, TRAIN,
     "go on up to --epochs, or with as many more when the file has them all"},
    {"stop", "N", WHOLE, AT(stop), 1, 1e6, TRAIN, "end after epoch N of --epochs, to be resumed"},
    {"freeze", "LAYER,...", TEXT, AT(freeze), 0, 0, TRAIN, "layers that are not to change"},
    {"index", "N", WHOLE, AT(index), 0, 0x1p53, PREDICT, "one image of the test data, from 0"},
    {"all", NULL, FLAG, AT(all), 0, 0, BENCH, "act: every elementwise activation there is"},
    {"all", NULL, FLAG, AT(all), 0, 0, LIST, "every plugin, not only the usual ones"},
    {"family", "TAG", TEXT, AT(family), 0, 0, LIST, "the plugins that have this tag: gated"},
    {"profile", NULL, FLAG, AT(profile), 0, 0, BENCH, "train: each step of the plan, both ways"},
    {"size", "N", WHOLE, AT(size), 1, 0x1p28, BENCH, "limits, act: floats, default 16777216"},
    {"seconds", "X", REAL, AT(seconds), 0, 3600, BENCH, "about how long each row is measured"},
    {"all", NULL, FLAG, AT(all), 0, 0, CHECK, "every plugin that hillock list shows"},
    {"test", "NAME", TEXT, AT(test), 0, 0, CHECK, "this test alone"},
    {"quick", NULL, FLAG, AT(quick), 0, 0, CHECK, "the tests that take under a second together"},
    {"strict", NULL, FLAG, AT(strict), 0, 0, CHECK, "warnings fail too, but for those of speed"},
    {"jobs", "N", WHOLE, AT(jobs), 1, 64, CHECK, "files at a time, default: one a processor"},
    {"jobs", "N", WHOLE, AT(jobs), 1, 64, COMPARE | TRY,
     "runs at a time, default: one a processor, or 1 where --threads is given"},
    {"deadline", "SECONDS", REAL, AT(deadline), 0, 1e7, COMPARE, "of a run, default 3600"},
    {"no-probes", NULL, FLAG, AT(no_probes), 0, 0, COMPARE | TRAIN,
     "no look at dead units and gradients"},
    {"db", "FILE", TEXT, AT(db), 0, 0, COMPARE | REPORT, "results, default hillock-results.db"},
    {"name", "NAME", TEXT, AT(name), 0, 0, COMPARE, "of the sweep; default made from its settings"},
    {"name", "NAME", TEXT, AT(name), 0, 0, TRY, "of the plugin, default tried"},
    {"out", "FOLDER", TEXT, AT(out), 0, 0, TRY, "for all its files, default try-1 or the next"},
    {"name", "NAME", TEXT, AT(name), 0, 0, REPORT, "of the sweep; default the latest"},
    {"out", "FILE", TEXT, AT(out), 0, 0, REPORT,
     "FILE.html, .md, .csv or .json; default report.html, nothing with --json"},
    {"retry", NULL, FLAG, AT(retry), 0, 0, COMPARE, "run once more what failed or was too slow"},
    {"canonical", NULL, FLAG, AT(canonical), 0, 0, COMPARE,
     "with --json: only what does not depend on time and machine"},
    {"worker", "N", WHOLE, AT(worker), 0, 1e6, CHECK, NULL}, /* what check starts for itself */
    {"formula", "EXPR", TEXT, AT(formula), 0, 0, NEW, "value of an activation: x*tanh(exp(x))"},
    {"derivative", "EXPR", TEXT, AT(derivative), 0, 0, NEW | TRY,
     "its slope, of x and the value y; default: found by calculus"},
    {"param", "NAME=...", TEXTS, AT(params), 0, 0, NEW | TRY,
     "NAME=DEFAULT[:LOW:HIGH][:learned], a parameter of the formula; may be repeated"},
    {"out", "PLACE", TEXT, AT(out), 0, 0, NEW, "folder or file to write, default ./NAME.c"},
    {"out", "FILE", TEXT, AT(out), 0, 0, BUILD,
     "-o: one file from all sources, default NAME.so for each"},
    {"verbose", NULL, FLAG, AT(verbose), 0, 0, BUILD, "-v: show the compiler's command"},
    {"plot", "FILE", TEXT, AT(plot), 0, 0, CURVE, "draw value and slope, as SVG"},
    {"range", "LOW:HIGH", TEXT, AT(range), 0, 0, CURVE, "of x in the plot, default -5:5"},
    {"tau", "X", REAL, AT(tau), 0, 1, DOCTOR,
     "dormant: at most this share of its layer's mean output, default 0.025"},
    {"treat", "METHOD,...", TEXT, AT(treat), 0, 0, DOCTOR,
     "mend dead units by reset, lgb_relu, surrogate, redo or bias: reset:to=elu, bias:q=0.1"},
    {"out", "FILE", TEXT, AT(out), 0, 0, DOCTOR, "where the treated net goes"},
    {"seed", "N", WHOLE, AT(seed), 0, 0x1p53, DOCTOR, "of the weights that redo draws, default 1"},
    {"report", "FILE", TEXT, AT(report), 0, 0, DOCTOR, "the findings as one HTML page"},
    {"plugin", "FILE", TEXTS, AT(plugins), 0, 0, ALL & ~(NEW | BUILD | TRY),
     "load the plugins of a file, ./my.so; may be repeated"},
    {"json", NULL, FLAG, AT(json), 0, 0, ALL & ~(CURVE | NEW | BUILD | TRY),
     "one JSON object on standard output"},
    {"help", NULL, FLAG, AT(help), 0, 0, ALL, "this text"},
};
enum { ROWS = sizeof table / sizeof *table };

static const option_row *find_row(const command *of, const char *name, size_t length)
{
    for (size_t i = 0; i < ROWS; i++)
        if (table[i].commands & of->bit && strlen(table[i].name) == length &&
            strncmp(table[i].name, name, length) == 0)
            return &table[i];
    return NULL;
}

static int unknown_option(const command *of, const char *word)
{
    char known[512] = "";
    for (size_t i = 0, used = 0; i < ROWS && used < sizeof known; i++)
        if (table[i].commands & of->bit && table[i].help)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s--%s", used ? ", " : "",
                                     table[i].name);
    return tool_fail(EXIT_USAGE, "%s: unknown option %s; known: %s", of->name, word, known);
}

static int set_number(const command *of, const option_row *row, const char *text, options *out)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    bool right = *text && !*end && !errno && strspn(text, "0123456789+-.eE") == strlen(text);
    if (row->form == REAL) {
        if (!right || !(value > row->low && value < row->high))
            return tool_fail(EXIT_USAGE,
                             "%s: --%s is \"%s\", expected a number above %g and below %g",
                             of->name, row->name, text, row->low, row->high);
        *(double *)((char *)out + row->offset) = value;
        return EXIT_DONE;
    }
    if (!right || value != floor(value) || value < row->low || value > row->high)
        return tool_fail(EXIT_USAGE, "%s: --%s is \"%s\", expected a whole number, %.0f to %.0f",
                         of->name, row->name, text, row->low, row->high);
    *(int64_t *)(void *)((char *)out + row->offset) = (int64_t)value;
    return EXIT_DONE;
}

static int set_value(const command *of, const option_row *row, const char *text, options *out)
{
    if (row->form == WHOLE || row->form == REAL)
        return set_number(of, row, text, out);
    if (!*text)
        return tool_fail(EXIT_USAGE, "%s: --%s is empty", of->name, row->name);
    if (row->form == TEXT) {
        memcpy((char *)out + row->offset, &text, sizeof text);
        return EXIT_DONE;
    }
    text_list *list = (text_list *)(void *)((char *)out + row->offset);
    if (list->n == MAX_TEXTS)
        return tool_fail(EXIT_USAGE, "%s: --%s more than %d times", of->name, row->name, MAX_TEXTS);
    list->items[list->n++] = text;
    return EXIT_DONE;
}

/* The few short forms that fingers know from compilers. */
static const char *long_form(const char *word)
{
    return strcmp(word, "-h") == 0   ? "--help"
           : strcmp(word, "-o") == 0 ? "--out"
           : strcmp(word, "-v") == 0 ? "--verbose"
                                     : word;
}

/* Reads the option at argv[*i], with its value behind "=" or as the next word. */
static int read_option(const command *of, int argc, char **argv, int *i, options *out)
{
    const char *word = long_form(argv[*i]);
    size_t length = strcspn(word, "=");
    const option_row *row = strncmp(word, "--", 2) == 0 ? find_row(of, word + 2, length - 2) : NULL;
    if (!row)
        return unknown_option(of, word);
    if (row->form == FLAG) {
        if (word[length])
            return tool_fail(EXIT_USAGE, "%s: --%s takes no value", of->name, row->name);
        *(bool *)((char *)out + row->offset) = true;
        return EXIT_DONE;
    }
    if (word[length])
        return set_value(of, row, word + length + 1, out);
    if (*i + 1 == argc)
        return tool_fail(EXIT_USAGE, "%s: --%s needs a value, %s", of->name, row->name, row->value);
    return set_value(of, row, argv[++*i], out);
}

static bool is_number(const char *word)
{
    char *end;
    strtod(word, &end);
    return end != word && !*end;
}

static int check_operands(const command *of, const options *given)
{
    if (given->n_operands < of->least)
        return tool_fail(EXIT_USAGE, "%s: expected %s; see hillock %s --help", of->name,
                         of->operands, of->name);
    if (given->n_operands > of->most)
        return tool_fail(EXIT_USAGE, "%s: unexpected \"%s\"; see hillock %s --help", of->name,
                         given->operands[of->most], of->name);
    return EXIT_DONE;
}

int tool_options_parse(const command *to, int argc, char **argv, options *out)
{
    bool only_operands = false;
    *out = (options){.index = -1, .worker = -1, .seed = 1, .operands = argv};
    for (int i = 0; i < argc; i++) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (only_operands || argv[i][0] != '-' || !argv[i][1] || is_number(argv[i])) {
            out->operands[out->n_operands++] = argv[i];
        } else {
            int status = read_option(to, argc, argv, &i, out);
            if (status)
                return status;
        }
    }
    return out->help ? EXIT_DONE : check_operands(to, out);
}

void tool_options_help(const command *of)
{
    printf("hillock %s%s%s - %s\n\nOptions:\n", of->name, *of->operands ? " " : "", of->operands,
           of->summary);
    for (size_t i = 0; i < ROWS; i++) {
        if (!(table[i].commands & of->bit) || !table[i].help)
            continue;
        char left[40];
        snprintf(left, sizeof left, "--%s %s", table[i].name, table[i].value ? table[i].value : "");
        printf("  %-20s %s\n", left, table[i].help);
    }
    printf("\nExamples:\n%s", of->examples);
}
