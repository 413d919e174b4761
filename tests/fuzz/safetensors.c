/* Weight files: what is read can be touched to the last float, and lies where the format says. */
#include "fuzz.h"

#include "io/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hki_st_file file;
    size_t letters = 0, floats = 0;
    if (hki_st_parse("FILE", data, size, &file) != HK_OK) {
        REQUIRE(!file.tensors && !file.meta && !file.data && !file.header && *hk_message());
        return 0;
    }
    for (size_t i = 0; i < file.n_tensors; i++) {
        const hki_st_tensor *t = &file.tensors[i];
        size_t n = 1;
        for (int d = 0; d < t->ndim; d++)
            n *= (size_t)t->dims[d];
        for (size_t k = 0; k < n; k++)
            (void)*(const volatile float *)&t->data[k]; /* read, for a sanitizer to see */
        letters += strlen(t->name);
        floats += n;
    }
    for (size_t i = 0; i < file.n_meta; i++)
        letters += strlen(file.meta[i].key) + strlen(file.meta[i].value);
    REQUIRE(4 * floats + letters < size);
    hki_st_clear(&file);
    return 0;
}
