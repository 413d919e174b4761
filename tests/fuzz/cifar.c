/* CIFAR-10's files: two bytes say how many records and how many bytes more the batch has, which
 * repeats the bytes behind them; they are also the file of class names. */
#include "data_use.h"
#include "folder.h"

enum { RECORD = 3073, MOST_RECORDS = 3 };
static int train_file, test_file, names;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t batch[MOST_RECORDS * RECORD + 256];
    char spec[64];
    if (!train_file) {
        make_folder();
        train_file = link_file("data_batch_3.bin");
        test_file = link_file("test_batch.bin");
        names = link_file("batches.meta.txt");
    }
    if (size < 3)
        return 0;
    const size_t length = (size_t)(data[0] % (MOST_RECORDS + 1)) * RECORD + data[1];
    for (size_t i = 0; i < length; i++)
        batch[i] = data[2 + (i % RECORD) % (size - 2)];
    fuzz_file(train_file, batch, length), fuzz_file(test_file, batch, length);
    fuzz_file(names, data + 2, size - 2);
    snprintf(spec, sizeof spec, "cifar-10:%s", folder);
    open_and_use(spec);
    return 0;
}
