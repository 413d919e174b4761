/* hillock - the command: finds the subcommand, loads --plugin files, runs it. */
#include "options.h"
#include "output.h"
#include "compare/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const command commands[] = {
    {"list", "[activations|normalizations|initializers|models|data]", "what there is, by name",
     "  hillock list\n"
     "  hillock list --family gated\n"
     "  hillock list activations --all --json\n",
     LIST, 0, 1, plugin_list_command},
    {"inspect", "MODEL|FILE|PLUGIN",
     "layers, shapes and costs of a model; formula and parameters of a plugin; what a file holds",
     "  hillock inspect resnet20 --act mish\n"
     "  hillock inspect mlp:depth=30 --act tanh --forecast\n"
     "  hillock inspect lgb_relu\n"
     "  hillock inspect net.safetensors\n",
     INSPECT, 1, 1, net_inspect_command},
    {"curve", "SPEC X...",
     "a line x, f(x), f'(x) for each X, separated by tabs; or a drawing of both",
     "  hillock curve gelu -2 -1 0 1 2\n"
     "  hillock curve leaky_relu:slope=0.1 -3\n"
     "  hillock curve mish --plot mish.svg --range -6:4\n",
     CURVE, 1, 1 << 20, plugin_curve_command},
    {"new", "activation|normalization|initializer NAME",
     "writes the source of a plugin: from a formula, or to be filled in",
     "  hillock new activation tanhexp --formula 'x*tanh(exp(x))'\n"
     "  hillock new activation bend --formula 'x > 0 ? x : a*expm1(x/a)' --param a=1:0.1:10\n"
     "  hillock new activation gate --formula 'x*sigmoid(b*x)' --param b=1:learned\n"
     "  hillock new normalization mine --out plugins/\n",
     NEW, 2, 2, plugin_new_command},
    {"build", "FILE.c...",
     "compiles plugins with $CC, or cc: NAME.so in the current folder for each NAME.c",
     "  hillock build tanhexp.c\n"
     "  hillock build -v one.c helper.c -o one.so\n",
     BUILD, 1, 1 << 20, plugin_build_command},
    {"train", "MODEL", "trains a model and says how well it does on the test data",
     "  hillock train lenet5 --data mnist:DIR --epochs 3\n"
     "  hillock train resnet20 --data cifar-10:DIR --act mish --out net.safetensors\n"
     "  hillock train mlp:width=64,depth=3 --plugin ./mine.so --act mine --json\n",
     TRAIN, 1, 1, net_train_command},
    {"evaluate", "FILE",
     "a saved net on the test data: accuracy, confusion matrix, a line for each class",
     "  hillock evaluate net.safetensors --data mnist:DIR\n", EVALUATE, 1, 1, net_evaluate_command},
    {"predict", "FILE", "classes and probabilities for the test images, or for one of them",
     "  hillock predict net.safetensors --data mnist:DIR --index 7\n", PREDICT, 1, 1,
     net_predict_command},
    {"report", "", "what a comparison found: one page, or Markdown, CSV, JSON",
     "  hillock report\n"
     "  hillock report --db night.db --name depth --out depth.html\n"
     "  hillock report --out runs.csv\n"
     "  hillock report --json\n",
     REPORT, 0, 0, compare_report_command},
    {"doctor", "FILE",
     "dead, dormant and saturated units of a saved net, why they are so, and what to do",
     "  hillock doctor net.safetensors --data mnist:DIR\n"
     "  hillock doctor net.safetensors --data cifar-10:DIR --report doctor.html\n"
     "  hillock doctor net.safetensors --json\n"
     "  hillock doctor net.safetensors --data mnist:DIR --treat reset --out mended.safetensors\n",
     DOCTOR, 1, 1, net_doctor_command},
    {"compare", "",
     "trains every combination with the same seeds, keeps what it finds, and ranks it",
     "  hillock compare --act relu,silu,lgb:k=4,rate=0.01,mish\n"
     "  hillock compare --act relu,./mine.so --model resnet20 --data cifar-10:DIR --seeds 5\n"
     "  hillock compare --act @core,@gated --tune lr=1e-4:1e-1:7\n"
     "  hillock compare --act relu,mish --norm batch_norm,layer_norm --optimizer sgd:lr=0.1,adam\n"
     "The same command again goes on where the last one ended; more seeds or activations are added.\n",
     COMPARE, 0, 0, compare_command},
    {"bench", "limits|train|infer|act|norm|conv ...",
     "layers, plugins and models against the limits of this machine",
     "  hillock bench limits\n"
     "  hillock bench train resnet20 --act mish --profile\n"
     "  hillock bench infer lenet5 --batch 64\n"
     "  hillock bench act relu,mish ./mine.so\n"
     "  hillock bench act --all --threads 1\n"
     "  hillock bench norm batch_norm --act relu\n"
     "  hillock bench conv 128x32x32x16:3x3x16/1\n"
     "  hillock bench conv table --json\n",
     BENCH, 1, 1 << 20, bench_command},
    {"check", "FILE|NAME...", "tells the truth about plugins: tests each in a process of its own",
     "  hillock check ./mine.so\n"
     "  hillock check relu batch_norm he_normal\n"
     "  hillock check ./mine.so --test derivative\n"
     "  hillock check --all --strict\n",
     CHECK, 0, 1 << 20, plugin_check_command},
    {"try", "FORMULA",
     "writes, builds and checks an activation, and ranks it against eight others in a minute",
     "  hillock try 'x*tanh(exp(x))'\n"
     "  hillock try 'x > 0 ? x : a*expm1(x/a)' --param a=1:0.1:10 --name bend\n",
     TRY, 1, 1, compare_try_command},
    {"worker", "", NULL, "", 0, 0, 0, compare_worker_run}, /* what compare starts for itself */
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(void)
{
    printf("hillock COMMAND ... - activations, normalizations and initializers as plugins, "
           "compared\n\nCommands:\n");
    for (int i = 0; i < COMMANDS; i++)
        if (commands[i].summary)
            printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    printf("\nhillock COMMAND --help lists a command's options, with examples.\n");
}

static const command *find_command(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int unknown_command(const char *name)
{
    char known[256] = "";
    for (size_t i = 0, used = 0; i < COMMANDS; i++)
        if (commands[i].summary)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                     commands[i].name);
    return tool_fail(EXIT_USAGE, "unknown command \"%s\"; known: %s", name, known);
}

static int run(const command *it, int argc, char **argv)
{
    options given;
    int status = tool_options_parse(it, argc, argv, &given);
    if (status)
        return status;
    if (given.help) {
        tool_options_help(it);
        return EXIT_DONE;
    }
    if (hk_engine_check() != HK_OK)
        return tool_failed();
    hk_set_threads((int)given.threads);
    for (int i = 0; i < given.plugins.n && it->bit != COMPARE; i++) /* there workers load them */
        if (hk_plugin_load(given.plugins.items[i]) != HK_OK)
            return tool_failed();
    return it->run(&given);
}

int run_words(int n, char **words)
{
    const command *it = find_command(words[0]);
    fputs("+ hillock", stdout);
    for (int i = 0; i < n; i++) {
        putchar(' ');
        tool_put_word(stdout, words[i]);
    }
    putchar('\n');
    fflush(stdout);
    return run(it, n - 1, words + 1);
}

/* A reader that went away, as head does, needs no sentence. */
static int close_output(int status)
{
    errno = 0;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || status != EXIT_DONE)
        return status;
    return errno == EPIPE ? EXIT_IO
                          : tool_fail(EXIT_IO, "standard output: %s",
                                      errno ? strerror(errno) : "not all was written");
}

/* GNU OpenMP's threads wait by spinning, for 15 ms where a pause is 140 cycles: beside another busy
 * program that costs most of the speed. Some microseconds lose next to nothing on an idle machine:
 * against ten times as many, mlp trains 3 % slower there, lenet5 as fast, and beside one busy program
 * 1.7 and 2.3 times as fast. The library reads the variable before main(), so the program starts
 * itself once more. */
static void wait_briefly(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY"))
        return;
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0)
        execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    wait_briefly(argv);
    signal(SIGPIPE, SIG_IGN); /* a write that fails says so itself */
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2)
        return tool_fail(EXIT_USAGE, "expected a command; see hillock --help");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help();
        return close_output(EXIT_DONE);
    }
    const command *it = find_command(argv[1]);
    if (!it)
        return unknown_command(argv[1]);
    return close_output(run(it, argc - 2, argv + 2));
}
