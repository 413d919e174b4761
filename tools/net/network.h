/* network.h - a model, recorded for images of some shape, and its data sets. As in
 * options.h, on failure a function prints the reason and returns the exit status. */
#pragma once
#include "options.h"
#include <hillock/hillock.h>

typedef struct network {
    const hk_plugin *model; /* NULL: a program's own net, or that of a model which is not here */
    char spec[HK_MAX_SPEC]; /* the model's, with its name for a path; "" */
    char name[64];          /* the model's, or "own net" */
    hk_net *net;
    hk_tensor *logits;
} network;

/* `choices` as for hk_net_create. */
int net_new(const char *spec, hk_net_options choices, hk_data_shape images, network *out);
/* The net saved in `file`, with its values. Files before 0.2 have no graph: their model is built again. */
int net_open(const char *file, network *out);
/* Makes the data what the net expects, or says why they are not: shape, classes, columns, scaling. */
int net_conform(const char *file, const network *it, hk_data *data);
void net_free(network *it);
/* What a note that a net has no normalization layers goes on with: the parameter that adds them, if the
 * model has it. */
const char *net_norm_remedy(const hk_plugin *model);
/* The activation that was asked for, as it runs: mobilenet runs relu6 for relu, simple_cnn prelu in its
 * second layer, "mish+conv2=prelu". To be freed; NULL: no memory. */
char *net_running_activation(const hk_net *net);
/* The '+' or '~' behind the first of a spec's activations, of which "relu:a=1e+5+conv2=mish~elu" has three;
 * NULL: it is the last. */
const char *net_spec_end(const char *at);
hk_data_shape net_input_shape(const network *it); /* n: 0; an input of one dimension is 1 x 1 */
int64_t net_multiply_adds(const hk_net *net);     /* of one image, forward */

/* The choices stored in the file where `given` does not make them; `saved` keeps the texts. The model
 * and the shape that a file names could be any: its net may have as many floats as the file, and
 * some that its plugins have come to keep since. */
int net_choices(const options *given, const char *file, hk_saved *saved, hk_net_options *out);

/* --stream: its tasks are the epochs. EXIT_USAGE: it is none, or goes with another option that is given. */
int net_take_stream(options *given);
/* Makes the sets, of which `validation` may be NULL, the stream of --stream, if there is one. */
int net_open_stream(const options *given, hk_data *train, hk_data *validation, hk_data *test);
/* The given data set, or glyphs. */
int net_open_data(const options *given, hk_data **train, hk_data **test);
/* Of a net in the file that is the first operand: the data that were given or that it learned from, the
 * test set, `training`: the training set. */
int net_open_data_of(const options *given, bool training, const network *it, hk_data **data);
/* The net in the file that is the first operand, and the data that were given or that it learned from:
 * the test set, `training`: the training set. */
int net_open_with_data(const options *given, bool training, network *it, hk_data **data);
/* The same, for `body`. */
int net_run_on_saved(const options *given, bool training,
                     int (*body)(const network *it, const options *given, const hk_data *data));
/* The model's recipe for so many samples of the data of this spec, overridden by the command line. */
hk_recipe net_choose_recipe(const options *given, const hk_plugin *model, const char *data,
                            int64_t samples);
/* The recipe, and other options of the command line, as options of the trainer; the data are still to
 * be filled in. */
hk_train_options net_train_options(const options *given, const hk_recipe *recipe, int64_t seed);

/* train --class-weights: balanced for these data, or FILE with a line "class name or number, weight" for
 * each class whose weight is not 1. *out, of every class, is to be freed with free(), whatever comes back;
 * NULL where `given` is. */
int net_class_weights(const char *given, const hk_data *data, double **out);

/* hillock inspect --forecast: prints the forecast of the net with its initial weights; `data` may be
 * NULL. */
int net_forecast(const network *it, const options *given, const hk_data *data);
