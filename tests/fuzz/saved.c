/* Saved nets: the lines of the input are their metadata, from hk.model on. A net that is accepted
 * computes, if its input is as small as it was; inspect takes the shape from the file, too. */
#include "training.h"

#include <math.h>
#include "net/network.h"

static void save_one(void)
{
    choose_path();
    training it = begin_training(1);
    REQUIRE(hk_net_save(it.logits, path, "mlp:width=2,depth=1") == HK_OK);
    REQUIRE(hki_st_read(path, &saved) == HK_OK);
    end_training(&it);
    fuzz_quietly();
}

static bool write_with(char *text)
{
    static const char *const keys[] = {
        "hk.model", "hk.activation", "hk.normalization", "hk.initializer", "hk.weight_norm",
        "hk.input", "hk.classes",    "hk.graph",         "hk.card",        "hk.plugins"};
    enum { KEYS = sizeof keys / sizeof *keys };
    hki_st_meta meta[KEYS];
    size_t n = take_metadata(&text, keys, KEYS, meta);
    return hki_st_write(path, saved.tensors, saved.n_tensors, meta, n) == HK_OK;
}

static void evaluate(void)
{
    static const float x[2] = {1, -2};
    float y[2];
    network it;
    if (net_open(path, &it) != EXIT_DONE)
        return;
    hk_data_shape s = net_input_shape(&it);
    if (s.height == 1 && s.width == 1 && s.channels == 2 && s.classes == 2 &&
        hk_tensor_shape(it.logits).ndim == 2)
        REQUIRE(hk_net_predict(it.logits, 1, x, y) == HK_OK);
    net_free(&it);
}

static void inspect(void)
{
    hk_saved said;
    hk_net_options choices;
    network it;
    if (net_choices(&(options){0}, path, &said, &choices) != EXIT_DONE)
        return;
    const hk_data_shape images = {1, said.height, said.width, said.channels, said.classes};
    if (net_new(said.model, choices, images, &it) == EXIT_DONE)
        REQUIRE(hk_net_parameters(it.net) <= choices.most_floats);
    net_free(&it);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!*path)
        save_one();
    char *text = fuzz_text(data, size);
    if (write_with(text)) {
        evaluate();
        inspect();
    }
    free(text);
    return 0;
}
