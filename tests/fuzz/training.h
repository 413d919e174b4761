/* fuzz/training.h - the smallest training: 4 images of 2 numbers, 2 classes, mlp:width=2. */
#pragma once
#include "folder.h"

#include <hillock/hillock.h>
#include "io/io.h"

typedef struct training {
    hk_net *net;
    hk_tensor *logits;
    hk_trainer *trainer;
} training;

static char path[64]; /* of the file that a target saves once, and then changes */
static hki_st_file saved;

static inline int nothing_to_sync(int fd)
{
    (void)fd;
    return 0;
}

static inline training begin_training(int epochs)
{
    static const float x[] = {0, 1, 2, -1, 0.5f, 3, -2, 1};
    static const int32_t labels[] = {0, 1, 0, 1};
    static hk_data *data;
    training it = {.net = hk_net_new(.activation = "prelu")};
    it.logits = hk_model_build(it.net, "mlp:width=2,depth=1", 1, 1, 2, 2);
    if (!data)
        REQUIRE(hk_data_from_arrays(4, 1, 1, 2, 2, x, labels, &data) == HK_OK);
    const hk_train_options options = {
        .train = data, .epochs = epochs, .batch = 2, .optimizer = "sgd:lr=0.1,momentum=0.9"};
    REQUIRE(it.logits && hk_trainer_new(it.logits, &options, &it.trainer) == HK_OK);
    return it;
}

static inline void end_training(training *it)
{
    hk_trainer_free(it->trainer);
    hk_net_free(it->net);
}

static inline void choose_path(void)
{
    make_folder();
    snprintf(path, sizeof path, "%s/net", folder);
    hki_files.fsync = nothing_to_sync;
}

/* The lines of a text as metadata by these keys, as many as there are; *text becomes what follows
 * them, or NULL. */
static inline size_t take_metadata(char **text, const char *const *keys, size_t n_keys,
                                   hki_st_meta *out)
{
    size_t n = 0;
    for (; n < n_keys && *text; n++)
        out[n] = (hki_st_meta){keys[n], strsep(text, "\n")};
    return n;
}
