/* The table of commands with their texts, the topics, and running a command. */
#include "commands.h"
#include "output.h"
#include "compare/worker.h"
#include "output_file.h"

#include <string.h>

/* ---- Texts ----------------------------------------------------------------------------------- */

static const char write_group[] = "Write a plugin";
static const char net_group[] = "Train a net";
static const char compare_group[] = "Compare";
static const char look_group[] = "Look up";

const command tool_commands[] = {
    {"try", "FORMULA", write_group,
     "from a formula to a ranked activation: writes, builds, checks and compares it",
     "The activation is ranked against eight others on a deep, narrow net, or on --model, and the "
     "report is written as a page. All files are in the folder try-1, or the next free one. A plugin that fails "
     "its checks is not ranked; what is wrong at x beyond a million is a warning, also on the page.",
     "  hillock try 'x*tanh(exp(x))'\n"
     "  hillock try 'x > 0 ? x : a*expm1(x/a)' --param a=1:0.1:10 --name bend\n",
     TRY, 1, 1, compare_try_command},
    {"new", "activation|normalization|initializer|model NAME", write_group,
     "writes the source of a plugin or a model, from a formula or as a scaffold",
     "A file that exists is never overwritten. An activation is made from --formula; its derivative "
     "is found unless --derivative gives it. So is a normalization that works value by value, in "
     "place of one by statistics: names that are not known are then learned. Without --formula the "
     "file is a scaffold that works, of any kind, to be filled in.",
     "  hillock new activation tanhexp --formula 'x*tanh(exp(x))'\n"
     "  hillock new activation bend --formula 'x > 0 ? x : a*expm1(x/a)' --param a=1:0.1:10\n"
     "  hillock new activation gate --formula 'x*sigmoid(b*x)' --param b=1:learned\n"
     "  hillock new normalization mine --out plugins/\n"
     "  hillock new normalization dynamic --formula 'g*erf(a*x + s) + b'\n"
     "  hillock new model net\n",
     NEW, 2, 2, plugin_new_command},
    {"build", "FILE.c...", write_group, "compiles plugins and models",
     "The compiler is $CC, or cc. Each NAME.c becomes NAME.so in the current folder; with --out "
     "all sources become one file.",
     "  hillock build tanhexp.c\n"
     "  hillock build -v one.c helper.c -o one.so\n",
     BUILD, 1, 1 << 20, plugin_build_command},
    {"check", "FILE|NAME...", write_group, "tests plugins, each in a process of its own",
     "A plugin that crashes, hangs or ends its process is a failed test with a name. Tested are "
     "symbols and start-up code, tables, memory (guard pages, read-only inputs and variables, widths "
     "beyond arrays on the stack), the state of the process around every test, gradients against "
     "differences in double, kernels of each instruction set against the reference or one another, "
     "special values (beyond a million, where only a net that diverges has numbers, what is wrong is a "
     "warning), equal bits over splits, positions, threads and repeated runs, slots, random numbers, "
     "statistics of normalizations, laws of initializers, small real nets, and speed; of a model images "
     "and classes of many sizes, its number of parameters, leaks, recipes, and equal bits of training "
     "over threads. "
     "Settings are searched: defaults, ends of ranges, 0, both signs, every choice, states after "
     "updates, inputs of any size. The same seed finds the same. A line for each test: ok, warning, "
     "FAILED with the input, as small and plain as it may be, both numbers and a command that "
     "reproduces it, or - where it does not apply.",
     "  hillock check ./mine.so\n"
     "  hillock check relu batch_norm he_normal\n"
     "  hillock check ./mine.so --test derivative\n"
     "  hillock check ./mine.so --seed 7 --budget 60\n"
     "  hillock check --all --strict\n",
     CHECK, 0, 1 << 20, plugin_check_command},
    {"curve", "SPEC X...", write_group,
     "prints x, f(x) and f'(x) of an activation for each X, or plots them",
     "A line for each X, separated by tabs, computed by the kernels that train.",
     "  hillock curve gelu -2 -1 0 1 2\n"
     "  hillock curve leaky_relu:slope=0.1 -3\n"
     "  hillock curve mish --plot mish.svg --range -6:4\n",
     CURVE, 1, 1 << 20, plugin_curve_command},

    {"train", "MODEL", net_group, "trains a model and reports its accuracy on the test data", NULL,
     "  hillock train lenet5 --data mnist:DIR --epochs 3\n"
     "  hillock train resnet20 --data cifar-10:DIR --act mish --out net.safetensors\n"
     "  hillock train lenet5 --data images:DIR --patience 5 --keep best --class-weights balanced\n"
     "  hillock train lenet5 --data images:DIR --find-rate\n"
     "  hillock train mlp --data mnist:DIR --stream permute:tasks=50,images=10000\n"
     "  hillock train mlp:width=64,depth=3 --plugin ./mine.so --act mine --json\n"
     "  hillock train ./net.so:width=16\n"
     "  mpirun -n 4 hillock train resnet20 --data cifar-10:DIR --parts 8\n",
     TRAIN, 1, 1, net_train_command},
    {"evaluate", "FILE", net_group,
     "a saved net on the test data: accuracy, confusion matrix, precision and recall per class",
     NULL,
     "  hillock evaluate net.safetensors --data mnist:DIR\n"
     "  hillock evaluate net.safetensors --data csv:new.csv,test=all\n",
     EVALUATE, 1, 1, net_evaluate_command},
    {"predict", "FILE [FILE|FOLDER|-]", net_group,
     "classes and probabilities of pictures, of rows of a table, or of the test images",
     "A picture, a folder of pictures, a table with or without labels, or - for a table on standard "
     "input, in its order; without one, the test images of the data. Scaling, classes and columns "
     "are those that the net learned with.",
     "  hillock predict net.safetensors cat.png\n"
     "  hillock predict net.safetensors new.csv --csv\n"
     "  hillock predict net.safetensors --data mnist:DIR --index 7\n",
     PREDICT, 1, 2, net_predict_command},
    {"inspect", "MODEL|FILE|PLUGIN", net_group,
     "layers, shapes and costs of a model; formula and parameters of a plugin; what a file holds",
     "With --forecast: what a model's outputs and gradients will be before training, layer by "
     "layer (vanishing, exploding or born dead), and the gain that would correct it.",
     "  hillock inspect resnet20 --act mish\n"
     "  hillock inspect mlp:depth=30 --act tanh --forecast\n"
     "  hillock inspect lgb_relu\n"
     "  hillock inspect net.safetensors\n",
     INSPECT, 1, 1, net_inspect_command},
    {"doctor", "FILE", net_group,
     "dead, dormant and saturated units of a saved net, their causes, and how to treat them",
     "Layer by layer, by a backward pass over training data; the causes come from the net, its initial weights and the "
     "record of its training, and --try-treatments tells by training on what helps. --treat changes the units "
     "that are dead on the training data and saves the net with --out; train --doctor does so "
     "between epochs.",
     "  hillock doctor net.safetensors --data mnist:DIR\n"
     "  hillock doctor net.safetensors --data cifar-10:DIR --report doctor.html\n"
     "  hillock doctor net.safetensors --json\n"
     "  hillock doctor net.safetensors --data mnist:DIR --try-treatments --seeds 5\n"
     "  hillock doctor net.safetensors --data mnist:DIR --treat reset --out mended.safetensors\n",
     DOCTOR, 1, 1, net_doctor_command},
    {"export", "FILE", net_group, "a saved net for ONNX, C, PyTorch or NumPy",
     "The net as it is in evaluation. Activations are written by their formula; one without a formula, "
     "a plugin's or one that goes over whole rows, is refused for ONNX and C. The scaling of inputs and "
     "the names of classes go along. Several formats may be given at once.",
     "  hillock export net.safetensors --onnx net.onnx\n"
     "  hillock export net.safetensors --c net.c\n"
     "  hillock export net.safetensors --torch weights.safetensors\n"
     "  hillock export net.safetensors --npz weights.npz\n",
     EXPORT, 1, 1, export_command},

    {"compare", "", compare_group,
     "trains every combination with the same seeds, stores the results, and ranks them",
     "Combinations of activations, normalizations, initializers, optimizers, models and data sets; "
     "ranked on the test data by means with confidence intervals; all pairs of rows are tested, "
     "and the verdict on each is better or worse than the baseline, not shown, or not tested. Each "
     "run is a process of its own; one that crashes, hangs or "
     "diverges is a row with its reason. The same command again continues where the last one ended; "
     "more seeds or activations are added to what is stored. A changed plugin or data set is "
     "another row.",
     "  hillock compare --act relu,silu,lgb:k=4,rate=0.01,mish\n"
     "  hillock compare --act relu,./mine.so --model resnet20 --data cifar-10:DIR --seeds 5\n"
     "  hillock compare --model resnet20,./net.so:width=2 --act relu,mish\n"
     "  hillock compare --act @core,@gated --tune lr=1e-4:1e-1:7\n"
     "  hillock compare --act relu,mish --norm batch_norm,layer_norm --optimizer sgd:lr=0.1,adam\n"
     "  hillock compare --act relu,silu --doctor none,continual --model mlp --stream permute:tasks=50\n",
     COMPARE, 0, 0, compare_command},
    {"judge", "FORMULA|FILE", compare_group,
     "keep, drop or more: one candidate against the incumbent, for searches that run by themselves",
     "The candidate, a formula, a file (./mine.so, mine.c) or a spec of an activation, is trained beside "
     "the incumbent, seed by seed, until it is better on the validation data (keep: it is the incumbent "
     "from now on), or not (drop). All calls with one --ledger are one search: at most 5 % of ledgers "
     "ever hold a keep that is not better, however many candidates come; the first call sets model, data, "
     "training and budget for all. What was decided is answered again, a call that was ended goes on, and "
     "a candidate that fails is dropped with its reason. The answer is also the exit status: 0 keep, "
     "6 drop, 7 more.",
     "  hillock judge 'x*tanh(exp(x))' --ledger night.db --model mlp:depth=8 --most 40\n"
     "  hillock judge ./mine.so --ledger night.db --json\n"
     "  hillock judge 'x*sigmoid(b*x)' --param b=1:learned --ledger night.db --seeds 5\n",
     JUDGE, 1, 1, compare_judge_command},
    {"report", "", compare_group, "the results of a comparison as a page, Markdown, CSV or JSON",
     "The answer in a sentence, leaderboards with intervals and verdicts, learning curves, dead units "
     "layer by layer, gradients, costs, every run with its reason, and the command that made it. "
     "The page is one file that needs no network.",
     "  hillock report\n"
     "  hillock report --db night.db --name depth --out depth.html\n"
     "  hillock report --list\n"
     "  hillock report --out table.tex\n"
     "  hillock report --figure loss --out loss.pdf\n"
     "  hillock report --out runs.csv\n"
     "  hillock report --json\n",
     REPORT, 0, 0, compare_report_command},
    {"merge", "FILE ...", compare_group,
     "joins what parts of a comparison found, each in a file of its own",
     "Runs that the file of --db lacks, or that failed there, are taken; the same result is taken once. "
     "A run whose weights differ between files is named and ends in status 3; the first stays. Parts are "
     "made by hillock compare --part; what is missing is run by the command without --part.",
     "  hillock merge part-*.db --db all.db\n"
     "  hillock merge node-1.db node-2.db --db all.db --name depth\n",
     MERGE, 1, 1 << 20, compare_merge_command},
    {"bench", "limits|train|infer|act|norm|conv ...", compare_group,
     "speed of layers, plugins and models against the limits of this machine",
     "Medians, quartiles, rates, and the share of the limit measured in the same run. A convolution "
     "is 128x32x32x16:3x3x16/1, batch x height x width x channels : height x width x filters / "
     "stride; or a set of them: table, or a model's name.",
     "  hillock bench limits\n"
     "  hillock bench train resnet20 --act mish --profile\n"
     "  hillock bench train resnet20 --parts 8 --network 10Gbit,50us\n"
     "  hillock bench infer lenet5 --batch 64\n"
     "  hillock bench act relu,mish ./mine.so\n"
     "  hillock bench act --all --threads 1\n"
     "  hillock bench norm batch_norm --act relu\n"
     "  hillock bench conv 128x32x32x16:3x3x16/1\n"
     "  hillock bench conv table --json\n",
     BENCH, 1, 1 << 20, bench_command},

    {"list", "[activations|normalizations|initializers|models|data]", look_group,
     "plugins, models and data sets, by name", NULL,
     "  hillock list\n"
     "  hillock list --family gated\n"
     "  hillock list activations --all --json\n",
     LIST, 0, 1, plugin_list_command},
    {"help", "[COMMAND|TOPIC]", look_group, "a command's options, or a topic",
     "Topics are specs, exit-status, environment and files; man is the manual page, as troff. "
     "hillock --completion bash prints a script that completes commands and options.",
     "  hillock help train\n"
     "  hillock help specs\n"
     "  hillock help man | man -l -\n"
     "  eval \"$(hillock --completion bash)\"\n",
     HELP, 0, 1, tool_help_command},

    {.name = "worker", .operands = "", .run = compare_worker_run}, /* what compare starts */
    {0},
};

static const char *const statuses[][2] = {
    {"0", "success"},
    {"1", "failure; a plugin failed a check"},
    {"2", "wrong usage"},
    {"3", "bad data: a file, a plugin file too, is missing, damaged or of another kind"},
    {"4", "reading or writing failed"},
    {"5", "a comparison ended with failed runs"},
    {"6", "judge: the candidate is dropped"},
    {"7", "judge: more seeds are needed"},
    {"130", "interrupted"},
    {NULL, NULL},
};

static const char *const variables[][2] = {
    {"HILLOCK_PLUGIN_PATH",
     "absolute directories, separated by colons, in which plugins are looked for first"},
    {"HILLOCK_ISA",
     "the highest instruction set that kernels use: baseline, avx2 or avx512; neon on aarch64"},
    {"HILLOCK_ENGINE",
     "the engine of convolutions and matrix products: native, or onednn where it was built in"},
    {"CC", "the compiler of hillock build, with options if need be; default cc"},
    {"COLUMNS",
     "the width that rankings are fitted to; default that of the terminal, if it is one"},
    {"NO_COLOR", "if not empty, no bold text on the terminal"},
    {"GOMP_SPINCOUNT",
     "how long waiting threads spin before they sleep; 1000 unless it, or OMP_WAIT_POLICY, is set"},
    {NULL, NULL},
};

const topic tool_topics[] = {
    {"specs", "Specs",
     "A plugin, an optimizer or a data set is named by a spec: NAME, or NAME:KEY=VALUE,KEY=VALUE. A "
     "plugin may be a path with a slash, ./mine.so. In a list an item KEY=VALUE continues the spec "
     "before it: relu,lgb:k=4,rate=0.01,mish are three. @TAG stands for all plugins with the tag: "
     "@core,@gated; see hillock list. Another activation for a layer: relu+conv2=prelu. Data: "
     "images:DIR, csv:FILE, npz:FILE, mnist:DIR and the others of hillock list data; a path with a "
     "comma stands in quotes, csv:\"a,b.csv\",label=first.",
     NULL},
    {"exit-status", "Exit status", NULL, statuses},
    {"environment", "Environment", NULL, variables},
    {"files", "Files",
     "Plugins are looked for in HILLOCK_PLUGIN_PATH, in $XDG_DATA_HOME/hillock/plugins-1 (or "
     "~/.local/share), then in ../lib/hillock/plugins-1 beside the program; never in the current "
     "directory. hillock compare stores its results in hillock-results.db.",
     NULL},
    {0},
};

/* ---- Running --------------------------------------------------------------------------------- */

const command *tool_command_find(const char *name)
{
    const char *known[32];
    size_t n = 0;
    for (const command *it = tool_commands; it->name; it++) {
        if (strcmp(it->name, name) == 0)
            return it;
        if (it->group)
            known[n++] = it->name;
    }
    tool_fail(EXIT_USAGE, "unknown command \"%s\"%s", name, tool_known(name, known, n));
    return NULL;
}

int tool_command_run(const command *it, int argc, char **argv)
{
    options given;
    int status = tool_options_parse(it, argc, argv, &given);
    if (status)
        return status;
    if (given.help) {
        tool_help_of(it);
        return EXIT_DONE;
    }
    if ((status = tool_output_check_options(it, &given)))
        return status;
    if (hk_engine_check() != HK_OK)
        return tool_failed();
    hk_set_threads((int)given.threads);
    for (int i = 0; i < given.plugins.n && it->bit != COMPARE; i++) /* there workers load them */
        if (hk_plugin_load(given.plugins.items[i]) != HK_OK)
            return tool_failed();
    return it->run(&given);
}

int tool_run(int n, char **words)
{
    const command *it = tool_command_find(words[0]);
    fputs("+ hillock", stdout);
    for (int i = 0; i < n; i++) {
        putchar(' ');
        tool_put_word(stdout, words[i]);
    }
    putchar('\n');
    fflush(stdout);
    return it ? tool_command_run(it, n - 1, words + 1) : EXIT_USAGE;
}
