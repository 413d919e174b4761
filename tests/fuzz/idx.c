/* MNIST's files, plain or gzip: a byte that says how many bytes the labels have, the labels, the
 * images. Training and test set are the same. */
#include "data_use.h"
#include "folder.h"

static int images, labels, test_images, test_labels;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char spec[64];
    if (!images) {
        make_folder();
        images = link_file("train-images-idx3-ubyte");
        labels = link_file("train-labels-idx1-ubyte");
        test_images = link_file("t10k-images-idx3-ubyte");
        test_labels = link_file("t10k-labels-idx1-ubyte");
    }
    if (size < 1 || data[0] >= size)
        return 0;
    const uint8_t *second = data + 1 + data[0];
    const size_t left = size - 1 - data[0];
    fuzz_file(labels, data + 1, data[0]), fuzz_file(images, second, left);
    fuzz_file(test_labels, data + 1, data[0]), fuzz_file(test_images, second, left);
    snprintf(spec, sizeof spec, "mnist:%s", folder);
    open_and_use(spec);
    return 0;
}
