/* A training in a file: the lines of the input are its metadata hk.epochs, hk.step, hk.seed and
 * hk.optimizer, all that follows is hk.record. What is refused leaves the net as it was; what is
 * accepted goes on. */
#include "training.h"

static void save_one(void)
{
    choose_path();
    training it = begin_training(1);
    REQUIRE(hk_trainer_run(it.trainer) == HK_OK);
    REQUIRE(hk_trainer_save(it.trainer, path, "mlp:width=2,depth=1") == HK_OK);
    REQUIRE(hki_st_read(path, &saved) == HK_OK);
    end_training(&it);
}

/* False for what the format itself refuses. */
static bool write_with(char *text)
{
    static const char *const keys[] = {"hk.epochs", "hk.step", "hk.seed", "hk.optimizer"};
    hki_st_meta meta[5];
    size_t n = take_metadata(&text, keys, 4, meta);
    if (text)
        meta[n++] = (hki_st_meta){"hk.record", text};
    return hki_st_write(path, saved.tensors, saved.n_tensors, meta, n) == HK_OK;
}

static void resume(void)
{
    char before[65], after[65];
    training it = begin_training(2);
    hk_net_digest(it.net, before);
    if (hk_trainer_resume(it.trainer, path) == HK_OK) {
        REQUIRE(hk_trainer_run(it.trainer) == HK_OK);
    } else {
        hk_net_digest(it.net, after);
        REQUIRE(!strcmp(before, after));
    }
    REQUIRE(hk_trainer_save(it.trainer, path, NULL) == HK_OK);
    end_training(&it);
}

static void read_record(void)
{
    hk_record *record;
    if (hk_record_read(path, &record) != HK_OK || !record)
        return;
    for (int i = 0; i < record->n_layers; i++)
        REQUIRE(record->layers[i].layer[0] && record->layers[i].growth >= 1);
    hk_record_free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!*path)
        save_one();
    char *text = fuzz_text(data, size);
    if (write_with(text)) {
        read_record();
        resume();
        read_record();
    }
    free(text);
    return 0;
}
