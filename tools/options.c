/* The table of all options, and reading them. By hand instead of by getopt, since a negative number is a value: hillock curve relu -1. */
#include "options.h"

#include "output.h"
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OPTIONAL: a text that begins with a digit, or "" where no such word follows. */
typedef enum form { FLAG, TEXT, TEXTS, WHOLE, REAL, FROM_LOW, OPTIONAL } form;

typedef struct option_row {
    const char *name, *value; /* value: what stands for it in the help */
    form form;
    size_t offset;
    double low,
        high; /* of numbers; a REAL may not be a bound itself, FROM_LOW may be the low one */
    int commands;
    const char *help;
} option_row;

#define AT(field) offsetof(options, field)
static const option_row table[] = {
    {"data", "SPEC", TEXT, AT(data), 0, 0, TRAIN | EVALUATE | PREDICT | DOCTOR | JUDGE,
     "images:DIR, csv:FILE, mnist:DIR, ...: see hillock list data; default glyphs"},
    {"data", "SPEC", TEXTS, AT(data_sets), 0, 0, COMPARE | TRY,
     "images:DIR, csv:FILE, mnist:DIR, ...: see hillock list data; default glyphs; may be repeated"},
    {"data", "SPEC", TEXT, AT(data), 0, 0, INSPECT,
     "--forecast: training set that the inputs are taken from"},
    {"stream", "SPEC", TEXT, AT(stream), 0, 0, TRAIN | COMPARE,
     "tasks that the net learns one after another, an epoch each: permute:tasks=200,images=10000, "
     "labels:tasks=200, classes:tasks=200,per=2"},
    {"model", "LIST", TEXT, AT(model), 0, 0, COMPARE, "models, by name or file; default lenet5"},
    {"model", "SPEC", TEXT, AT(model), 0, 0, JUDGE, "the net, by name or file; default lenet5"},
    {"model", "SPEC", TEXT, AT(model), 0, 0, TRY, "the net in place of mlp:width=16,depth=15"},
    {"act", "LIST", TEXT, AT(act), 0, 0, COMPARE,
     "activations and sets of them, @core; default eight"},
    {"norm", "LIST", TEXT, AT(norm), 0, 0, COMPARE, "normalizations, default batch_norm"},
    {"init", "LIST", TEXT, AT(init), 0, 0, COMPARE, "initializers, default he_normal"},
    {"act", "SPEC", TEXT, AT(act), 0, 0, INSPECT | TRAIN | BENCH,
     "activation, default relu; per layer: relu+conv2=prelu"},
    {"norm", "SPEC", TEXT, AT(norm), 0, 0, INSPECT | TRAIN | BENCH | JUDGE,
     "normalization, default batch_norm"},
    {"weight-norm", "SPEC", TEXT, AT(weight_norm), 0, 0, INSPECT | TRAIN | JUDGE,
     "normalization of every layer's weight, default none"},
    {"weight-norm", "LIST", TEXT, AT(weight_norm), 0, 0, COMPARE,
     "normalizations of every layer's weight, default none"},
    {"init", "SPEC", TEXT, AT(init), 0, 0, INSPECT | TRAIN | JUDGE,
     "initializer, default he_normal"},
    {"optimizer", "SPEC", TEXT, AT(optimizer), 0, 0, TRAIN | JUDGE,
     "sgd, adam, adamw or rmsprop: sgd:lr=0.1,momentum=0.9"},
    {"optimizer", "LIST", TEXT, AT(optimizer), 0, 0, COMPARE,
     "sgd, adam, adamw or rmsprop: sgd:lr=0.1,momentum=0.9,adam; default each model's"},
    {"schedule", "SPEC", TEXT, AT(schedule), 0, 0, TRAIN | COMPARE | JUDGE,
     "constant, step, cosine, one-cycle or exponential, in epochs or shares of all: cosine:warmup=5%, "
     "step:at=50%+75%"},
    {"augment", "SPEC", TEXT, AT(augment), 0, 0, TRAIN | COMPARE | JUDGE, "none, or crop=4,flip"},
    {"epochs", "N", WHOLE, AT(epochs), 1, 1e6, TRAIN | COMPARE | TRY | JUDGE, "number of epochs"},
    {"batch", "N", WHOLE, AT(batch), 1, 65536, INSPECT | TRAIN | COMPARE | BENCH | JUDGE,
     "mini-batch size"},
    {"seed", "N", WHOLE, AT(seed), 0, 0x1p53, INSPECT | TRAIN, "random seed, default 1"},
    {"seeds", "N", WHOLE, AT(seeds), 1, 1000, COMPARE, "runs per row, seeds 1 to N, default 3"},
    {"one-at-a-time", NULL, FLAG, AT(one_at_a_time), 0, 0, COMPARE,
     "not every combination: the first of each list, and what differs from that in one of them"},
    {"remedies", NULL, FLAG, AT(remedies), 0, 0, COMPARE,
     "what is named against dead units, one at a time, on a net that dies: lists that are not given "
     "are filled in"},
    {"until-decided", NULL, FLAG, AT(until_decided), 0, 0, COMPARE,
     "add seeds until each row is better or worse, by tests that allow it"},
    {"seeds", "N", WHOLE, AT(seeds), 1, 1000, JUDGE,
     "at most so many further seeds now, after which the answer is \"more\"; default: until it is keep "
     "or drop"},
    {"most", "N", WHOLE, AT(most), 3, 900, JUDGE,
     "the budget of a candidate: at most so many seeds, default 50"},
    {"effect", "D", REAL, AT(effect), 0.1, 10, JUDGE,
     "lead that is worth finding, in deviations of the difference (d_z): one so large is lost to an "
     "early drop in at most 1 of 10 cases; default 1"},
    {"ledger", "FILE", TEXT, AT(ledger), 0, 0, JUDGE,
     "the file that remembers candidates, runs and settings; made by the first call"},
    {"most", "N", WHOLE, AT(most), 1, 1000, COMPARE, "at most so many seeds, default 50"},
    {"seeds", "N", WHOLE, AT(seeds), 1, 1000, TRY, "runs per activation, seeds 1 to N, default 20"},
    {"forecast", NULL, FLAG, AT(forecast), 0, 0, INSPECT,
     "of a model: signals and gradients before training, layer by layer"},
    {"nets", "N", WHOLE, AT(nets), 2, 0x1p40, INSPECT,
     "--forecast: number of random nets, default 20 to 1000"},
    {"threads", "N", WHOLE, AT(threads), 1, 1024, TRAIN | EVALUATE | PREDICT | BENCH | DOCTOR,
     "number of threads, default: one per processor"},
    {"threads", "N", WHOLE, AT(threads), 1, 1024, COMPARE | JUDGE, "threads per run, default 1"},
    {"tune", "lr=LO:HI:N", TEXT, AT(tune), 0, 0, COMPARE,
     "grid of N learning rates for every row; the best on the validation data is used"},
    {"baseline", "SPEC", TEXT, AT(baseline), 0, 0, COMPARE,
     "activation that the others are compared with, default the first, of a set such as @core relu"},
    {"baseline", "SPEC", TEXT, AT(baseline), 0, 0, JUDGE,
     "the first incumbent, default relu; a candidate that is kept replaces it"},
    {"val", "X", REAL, AT(val), 0, 1, TRAIN,
     "fraction of the training data held out for validation, which is measured after each epoch; the "
     "test data are measured once, at the end"},
    {"patience", "N", WHOLE, AT(patience), 1, 1e6, TRAIN,
     "end when N epochs in a row were not better on the validation data; holds out 0.1 without --val"},
    {"keep", "best|last", TEXT, AT(keep), 0, 0, TRAIN,
     "the epoch whose net is saved and reported: best on the validation data, which holds out 0.1 "
     "without --val; default last"},
    {"val", "X", REAL, AT(val), 0, 1, COMPARE | JUDGE,
     "fraction of the training data held out for validation, default 0.1"},
    {"clip", "X", FROM_LOW, AT(clip), 0, 1e30, TRAIN | COMPARE | JUDGE,
     "maximum gradient norm, default 0: none"},
    {"smoothing", "X", FROM_LOW, AT(smoothing), 0, 1, TRAIN | COMPARE | JUDGE,
     "label smoothing, default 0: none"},
    {"class-weights", "balanced|FILE", TEXT, AT(class_weights), 0, 0, TRAIN,
     "weights of the classes in the training loss: equal in sum, or from lines \"class, weight\""},
    {"find-rate", NULL, FLAG, AT(find_rate), 0, 0, TRAIN,
     "learning rate range test: 200 batches while the rate rises from 1e-6 to 10, and a suggestion; "
     "the net is not kept"},
    {"report", "FILE", TEXT, AT(report), 0, 0, TRAIN,
     "page of --find-rate, default find-rate.html, nothing with --json"},
    {"out", "FILE", TEXT, AT(out), 0, 0, TRAIN, "where the net is saved, after each epoch"},
    {"tensorboard", "FOLDER", TEXT, AT(tensorboard), 0, 0, TRAIN,
     "figures of each epoch as an event file that TensorBoard shows"},
    {"doctor", "LIST", TEXT, AT(doctor), 0, 0, COMPARE,
     "treatments of dead units between epochs, a row each: none,redo,continual,bias:q=0.2; default none"},
    {"doctor", "METHOD,...", TEXT, AT(doctor), 0, 0, TRAIN,
     "treat dead units between epochs, reset:every=2: reset, lgb_relu, surrogate, redo, bias; or renew units "
     "of low utility in each step: continual"},
    {"parts", "N", WHOLE, AT(parts), 1, 65536, TRAIN | BENCH,
     "parts of a batch, a power of two, which the processes of mpirun share: the bits depend on N, "
     "not on how many processes there are"},
    {"no-sync-norm", NULL, FLAG, AT(no_sync_norm), 0, 0, TRAIN,
     "with --parts, batch normalization sees one part alone, in place of the whole batch"},
    {"network", "RATE,LATENCY", TEXT, AT(network), 0, 0, BENCH,
     "train --parts: the network of the machines, 10Gbit,50us; default: that between the processes of mpirun"},
    {"wait", "SECONDS", REAL, AT(wait), 0, 1e6, TRAIN | BENCH,
     "a process that does not answer for so long counts as lost, default 60"},
    {"from", "FILE", TEXT, AT(from), 0, 0, TRAIN, "initial weights from a saved net"},
    {"resume", "FILE", TEXT, AT(resume), 0, 0, TRAIN,
     "continue a saved training up to --epochs, or by as many when it is complete"},
    {"stop", "N", WHOLE, AT(stop), 1, 1e6, TRAIN, "stop after epoch N of --epochs, to be resumed"},
    {"freeze", "LAYER,...", TEXT, AT(freeze), 0, 0, TRAIN, "layers that are not trained"},
    {"index", "N", WHOLE, AT(index), 0, 0x1p53, PREDICT, "one sample of the data, counted from 0"},
    {"csv", NULL, FLAG, AT(csv), 0, 0, PREDICT, "lines of comma-separated values"},
    {"all", NULL, FLAG, AT(all), 0, 0, BENCH, "act: every elementwise activation"},
    {"all", NULL, FLAG, AT(all), 0, 0, LIST, "all plugins, not only those tagged core"},
    {"family", "TAG", TEXT, AT(family), 0, 0, LIST, "plugins with this tag: gated"},
    {"profile", NULL, FLAG, AT(profile), 0, 0, BENCH,
     "train: each step of the plan, forward and backward"},
    {"size", "N", WHOLE, AT(size), 1, 0x1p28, BENCH,
     "limits, act: number of floats, default 16777216"},
    {"seconds", "X", REAL, AT(seconds), 0, 3600, BENCH, "approximate time per row"},
    {"all", NULL, FLAG, AT(all), 0, 0, CHECK, "every plugin that hillock list shows"},
    {"test", "NAME", TEXT, AT(test), 0, 0, CHECK, "run only this test"},
    {"quick", NULL, FLAG, AT(quick), 0, 0, CHECK,
     "only the tests that take under a second together"},
    {"seed", "N", WHOLE, AT(seed), 0, 0x1p53, CHECK,
     "seed of the inputs and settings that are tried, default 1"},
    {"budget", "SECONDS", REAL, AT(seconds), 0, 3600, CHECK,
     "search with further seeds for so long, default 0: once"},
    {"strict", NULL, FLAG, AT(strict), 0, 0, CHECK, "warnings are failures, except those of speed"},
    {"jobs", "N", WHOLE, AT(jobs), 1, 64, CHECK,
     "files tested at a time, default: one per processor"},
    {"jobs", "N", WHOLE, AT(jobs), 1, 64, COMPARE | TRY | JUDGE,
     "runs at a time, default: one per processor, or 1 with --threads"},
    {"deadline", "SECONDS", REAL, AT(deadline), 0, 1e7, COMPARE | JUDGE,
     "time limit of a run, waits for a processor not counted; default 3600"},
    {"no-probes", NULL, FLAG, AT(no_probes), 0, 0, COMPARE | TRAIN,
     "skip dead-unit and gradient statistics"},
    {"part", "K/N", OPTIONAL, AT(part), 0, 0, COMPARE,
     "only the K-th of N parts of the runs, for merge to join; without K/N that of this task of a Slurm "
     "job array"},
    {"db", "FILE", TEXT, AT(db), 0, 0, TRAIN,
     "file of results that keeps this training, with its curves, for hillock report"},
    {"name", "NAME", TEXT, AT(name), 0, 0, TRAIN, "name of it there, default made from the time"},
    {"db", "FILE", TEXT, AT(db), 0, 0, COMPARE | REPORT | MERGE,
     "database of results, default hillock-results.db"},
    {"name", "NAME", TEXT, AT(name), 0, 0, COMPARE,
     "name of the comparison, default made from its settings"},
    {"name", "NAME", TEXT, AT(name), 0, 0, TRY, "name of the plugin, default tried"},
    {"out", "FOLDER", TEXT, AT(out), 0, 0, TRY,
     "folder for all files, default try-1 or the next free one"},
    {"name", "NAME", TEXT, AT(name), 0, 0, REPORT, "name of the comparison, default the latest"},
    {"list", NULL, FLAG, AT(list), 0, 0, REPORT, "the comparisons in the file of results"},
    {"with", "NAME", TEXT, AT(with), 0, 0, REPORT,
     "another comparison of the file, side by side with the first: not in .csv"},
    {"figure", "NAME[:N]", TEXT, AT(figure), 0, 0, REPORT,
     "one figure alone, leaderboard, score, loss or cost, of the N-th table: --out FILE.svg or FILE.pdf"},
    {"name", "NAME", TEXT, AT(name), 0, 0, MERGE, "name of the comparison, default every one"},
    {"out", "FILE", TEXT, AT(out), 0, 0, REPORT,
     "FILE.html, .md, .csv, .json or .tex (booktabs); default report.html, nothing with --json"},
    {"retry", NULL, FLAG, AT(retry), 0, 0, COMPARE, "run again what failed or timed out"},
    {"canonical", NULL, FLAG, AT(canonical), 0, 0, COMPARE,
     "with --json: without what depends on time and machine"},
    {"worker", "N", WHOLE, AT(worker), 0, 1e6, CHECK, NULL}, /* what check starts for itself */
    {"formula", "EXPR", TEXT, AT(formula), 0, 0, NEW,
     "an activation, or a normalization value by value, as a formula of x: x*tanh(exp(x))"},
    {"derivative", "EXPR", TEXT, AT(derivative), 0, 0, NEW | TRY,
     "its derivative, of x and the value y; default: found by calculus"},
    {"surrogate", "EXPR", TEXT, AT(surrogate), 0, 0, NEW | TRY,
     "what backward uses in place of the derivative, of x: abs(x) < 1"},
    {"param", "NAME=...", TEXTS, AT(params), 0, 0, NEW | TRY | JUDGE,
     "NAME=DEFAULT[:LOW:HIGH][:learned], a parameter of the formula; may be repeated"},
    {"out", "PLACE", TEXT, AT(out), 0, 0, NEW, "folder or file, default ./NAME.c"},
    {"out", "FILE", TEXT, AT(out), 0, 0, BUILD,
     "(-o) one file from all sources, default NAME.so for each"},
    {"verbose", NULL, FLAG, AT(verbose), 0, 0, BUILD, "(-v) print the compiler's command"},
    {"plot", "FILE", TEXT, AT(plot), 0, 0, CURVE, "plot value and derivative, as SVG"},
    {"range", "LOW:HIGH", TEXT, AT(range), 0, 0, CURVE, "range of x in the plot, default -5:5"},
    {"quantise", "SPEC", TEXT, AT(quantise), 0, 0, EVALUATE | DOCTOR,
     "as integers of few bits would run it, simulated: int8 or int4, int8:per=channel, images=1024 of "
     "the training set for ranges"},
    {"quantise", "SPEC", TEXT, AT(quantise), 0, 0, COMPARE,
     "evaluate each trained net also as integers of few bits would run it, simulated: int8 or int4, "
     "int8:per=channel"},
    {"tau", "X", REAL, AT(tau), 0, 1, DOCTOR,
     "dormant: at most this fraction of its layer's mean output, default 0.025"},
    {"treat", "METHOD,...", TEXT, AT(treat), 0, 0, DOCTOR,
     "treat dead units by reset, lgb_relu, surrogate, redo or bias: reset:to=elu, bias:q=0.1"},
    {"try-treatments", NULL, FLAG, AT(try_treatments), 0, 0, DOCTOR,
     "train on after each treatment, after none, and from a fresh net, and rank them: minutes"},
    {"seeds", "N", WHOLE, AT(seeds), 1, 50, DOCTOR, "of --try-treatments: runs per way, default 5"},
    {"epochs", "N", WHOLE, AT(epochs), 1, 1e6, DOCTOR,
     "of --try-treatments: epochs of up to 10,000 images, default 2"},
    {"out", "FILE", TEXT, AT(out), 0, 0, DOCTOR, "where the treated net is saved"},
    {"seed", "N", WHOLE, AT(seed), 0, 0x1p53, DOCTOR,
     "random seed of the weights that redo draws, default 1"},
    {"report", "FILE", TEXT, AT(report), 0, 0, DOCTOR, "write the findings as one HTML page"},
    {"onnx", "FILE", TEXT, AT(onnx), 0, 0, EXPORT, "an ONNX model of flat operators, opset 17"},
    {"c", "FILE", TEXT, AT(c_source), 0, 0, EXPORT,
     "one C99 file that allocates nothing and needs libm alone"},
    {"torch", "FILE", TEXT, AT(torch), 0, 0, EXPORT,
     "safetensors with PyTorch's names and order of axes; prints the Python that runs it"},
    {"npz", "FILE", TEXT, AT(npz), 0, 0, EXPORT, "the same arrays for NumPy"},
    {"plugin", "FILE", TEXTS, AT(plugins), 0, 0, ALL & ~(NEW | BUILD | TRY | JUDGE | MERGE),
     "load the plugins of a file, ./my.so; may be repeated"},
    {"json", NULL, FLAG, AT(json), 0, 0, ALL & ~(CURVE | NEW | BUILD | TRY | EXPORT),
     "one JSON object on standard output"},
    {"help", NULL, FLAG, AT(help), 0, 0, ALL | HELP, "print this text"},
};
enum { ROWS = sizeof table / sizeof *table };

bool tool_option_next(const command *of, size_t *i, option_text *out)
{
    while (*i < ROWS && !(table[*i].commands & of->bit && table[*i].help))
        ++*i;
    if (*i == ROWS)
        return false;
    *out = (option_text){table[*i].name, table[*i].value, table[*i].help};
    ++*i;
    return true;
}

static int unknown_option(const command *of, const char *word, size_t length)
{
    char name[64], words[ROWS][24];
    const char *known[ROWS];
    option_text option;
    size_t n = 0;
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    for (size_t i = 0; tool_option_next(of, &i, &option); n++) {
        snprintf(words[n], sizeof words[n], "--%s", option.name);
        known[n] = words[n];
    }
    return tool_fail(EXIT_USAGE, "%s: unknown option %s%s", of->name, name,
                     tool_known(name, known, n));
}

static int set_number(const command *of, const option_row *row, const char *text, options *out)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    bool right = *text && !*end && !errno && strspn(text, "0123456789+-.eE") == strlen(text);
    if (row->form == REAL || row->form == FROM_LOW) {
        const bool is_low = row->form == FROM_LOW && value == row->low;
        if (!right || !((value > row->low || is_low) && value < row->high))
            return tool_fail(EXIT_USAGE, "%s: --%s is \"%s\", expected a number %s %g and below %g",
                             of->name, row->name, text, row->form == REAL ? "above" : "from",
                             row->low, row->high);
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
    if (row->form == WHOLE || row->form == REAL || row->form == FROM_LOW)
        return set_number(of, row, text, out);
    if (!*text)
        return tool_fail(EXIT_USAGE, "%s: --%s is empty", of->name, row->name);
    if (row->form == TEXT || row->form == OPTIONAL) {
        memcpy((char *)out + row->offset, &text, sizeof text);
        return EXIT_DONE;
    }
    text_list *list = (text_list *)(void *)((char *)out + row->offset);
    if (list->n == MAX_TEXTS)
        return tool_fail(EXIT_USAGE, "%s: --%s more than %d times", of->name, row->name, MAX_TEXTS);
    list->items[list->n++] = text;
    return EXIT_DONE;
}

/* Reads the option at argv[*i], with its value behind "=" or as the next word. */
static int read_option(const command *of, int argc, char **argv, int *i, options *out)
{
    static const char *const short_forms[][2] = {
        {"-h", "--help"}, {"-o", "--out"}, {"-v", "--verbose"}}; /* known from compilers */
    const char *word = argv[*i];
    for (int k = 0; k < 3; k++)
        if (strcmp(word, short_forms[k][0]) == 0)
            word = short_forms[k][1];
    const size_t length = strcspn(word, "=");
    const option_row *row = table, *end = table + ROWS;
    while (row < end &&
           !(row->commands & of->bit && strncmp(word, "--", 2) == 0 &&
             strlen(row->name) == length - 2 && strncmp(row->name, word + 2, length - 2) == 0))
        row++;
    if (row == end)
        return unknown_option(of, word, length);
    if (row->form == FLAG) {
        if (word[length])
            return tool_fail(EXIT_USAGE, "%s: --%s takes no value", of->name, row->name);
        *(bool *)((char *)out + row->offset) = true;
        return EXIT_DONE;
    }
    if (word[length])
        return set_value(of, row, word + length + 1, out);
    const char *next = *i + 1 < argc ? argv[*i + 1] : NULL;
    if (row->form == OPTIONAL && !(next && *next >= '0' && *next <= '9')) {
        *(const char **)(void *)((char *)out + row->offset) = "";
        return EXIT_DONE;
    }
    if (!next)
        return tool_fail(EXIT_USAGE, "%s: --%s needs a value, %s", of->name, row->name, row->value);
    return set_value(of, row, argv[++*i], out);
}

int tool_options_parse(const command *to, int argc, char **argv, options *out)
{
    bool only_operands = false;
    *out = (options){.index = -1, .worker = -1, .seed = 1, .wait = 60, .operands = argv};
    for (int i = 0; i < argc; i++) {
        char *end;
        strtod(argv[i], &end);
        const bool is_number = end != argv[i] && !*end;
        const bool is_formula = to->bit & (TRY | JUDGE) && argv[i][0] == '-' && argv[i][1] != '-' &&
                                argv[i][1] != 'h'; /* -x^2 */
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (only_operands || argv[i][0] != '-' || !argv[i][1] || is_number || is_formula) {
            out->operands[out->n_operands++] = argv[i];
        } else {
            int status = read_option(to, argc, argv, &i, out);
            if (status)
                return status;
        }
    }
    if (!out->help && out->n_operands < to->least)
        return tool_fail(EXIT_USAGE, "%s: expected %s; see hillock %s --help", to->name,
                         to->operands, to->name);
    if (!out->help && out->n_operands > to->most)
        return tool_fail(EXIT_USAGE, "%s: unexpected \"%s\"; see hillock %s --help", to->name,
                         out->operands[to->most], to->name);
    return EXIT_DONE;
}
